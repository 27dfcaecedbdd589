/** Kept answers in the database: every front end gives the same one, as long as the server's clock says. */
import type { IdempotencyStore, KeptAnswer } from '../idempotency-store.ts';
import type { Database } from './database.ts';
import type { AdvisoryLocks } from './advisory-locks.ts';

export function createPostgresIdempotencyStore(database: Database, locks: AdvisoryLocks): IdempotencyStore {
  return {
    async get(key, maxMs) {
      const sql = `SELECT answer FROM idempotency WHERE key = $1 AND kept_at >= clock_timestamp() - $2 * interval '1 ms'`;
      const [row] = await database.query(sql, [key, maxMs]);
      return row === undefined ? null : (JSON.parse(row['answer'] as string) as KeptAnswer);
    },
    async put(key, answer) {
      const sql = `INSERT INTO idempotency(key, answer, kept_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, kept_at = EXCLUDED.kept_at`;
      await database.run(sql, [key, JSON.stringify(answer)]);
    },
    async hold(key) {
      const hold = await locks.take(`idempotency ${key}`);
      return hold === null ? null : () => hold.release();
    },
    async expire(maxMs) {
      // The server's own clock may have been ahead.
      await database.run('UPDATE idempotency SET kept_at = clock_timestamp() WHERE kept_at > clock_timestamp()');
      return database.run(`DELETE FROM idempotency WHERE kept_at < clock_timestamp() - $1 * interval '1 ms'`, [maxMs]);
    },
  };
}
