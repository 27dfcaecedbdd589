/** Sessions that were logged out, and what signs them all, in the database: every front end knows them at once, and goes by its clock. */
import { randomBytes } from 'node:crypto';
import type { EndedSessions } from '../ended-sessions.ts';
import type { Database } from './database.ts';

const nowSql = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

export function createPostgresEndedSessions(database: Database): EndedSessions {
  return {
    async nowMs() {
      const [row] = await database.query(`SELECT ${nowSql} AS now`);
      return row!['now'] as number;
    },
    async look({ id, expiresMs }) {
      const sql = `SELECT ${nowSql} AS now, EXISTS (SELECT 1 FROM ended_session WHERE id = $1)
        OR EXISTS (SELECT 1 FROM forgotten_session WHERE expires_ms >= $2) AS ended`;
      const [row] = await database.query(sql, [id, expiresMs]);
      return { hasEnded: row!['ended'] as boolean, nowMs: row!['now'] as number };
    },
    async add({ id, expiresMs }) {
      await database.run('INSERT INTO ended_session(id, expires_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING', [id, expiresMs]);
    },
    async sweep() {
      await database.run(`WITH gone AS (DELETE FROM ended_session WHERE expires_ms <= ${nowSql} RETURNING expires_ms)
        INSERT INTO forgotten_session(expires_ms) SELECT max(expires_ms) FROM gone HAVING count(*) > 0
        ON CONFLICT (one) DO UPDATE SET expires_ms = greatest(forgotten_session.expires_ms, EXCLUDED.expires_ms)`);
    },
  };
}

/** The secret behind login cookies: 32 random bytes that the first front end makes. Safe when several start at once. */
export async function loadPostgresSessionSecret(database: Database): Promise<Uint8Array> {
  const name = 'session';
  await database.run(
    `INSERT INTO secret(name, value) VALUES ($1, $2)
      ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value WHERE octet_length(secret.value) <> octet_length(EXCLUDED.value)`,
    [name, randomBytes(32)],
  );
  const [row] = await database.query('SELECT value FROM secret WHERE name = $1', [name]);
  return row?.['value'] as Uint8Array;
}
