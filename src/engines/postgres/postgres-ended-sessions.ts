/** Sessions that were logged out, and what signs them all, in the database: every front end knows them at once. */
import { randomBytes } from 'node:crypto';
import type { EndedSessions } from '../../http/session.ts';
import type { Database } from './database.ts';

export function createPostgresEndedSessions(database: Database): EndedSessions {
  return {
    async has(id) {
      return (await database.query('SELECT 1 FROM ended_session WHERE id = $1', [id])).length > 0;
    },
    async add(id) {
      await database.run('INSERT INTO ended_session(id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);
    },
    async expire(before) {
      await database.run('DELETE FROM ended_session WHERE ended_at < $1', [before]);
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
