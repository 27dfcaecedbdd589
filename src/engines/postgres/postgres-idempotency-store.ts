/** Kept answers in the database: every front end gives the same one. */
import type { IdempotencyStore, KeptAnswer } from '../../http/idempotency.ts';
import type { Database } from './database.ts';
import type { Holds } from './holds.ts';

export function createPostgresIdempotencyStore(database: Database, holds: Holds): IdempotencyStore {
  return {
    async get(key) {
      const [row] = await database.query('SELECT answer FROM idempotency WHERE key = $1', [key]);
      return row === undefined ? null : (JSON.parse(row['answer'] as string) as KeptAnswer);
    },
    async put(key, answer) {
      const sql = `INSERT INTO idempotency(key, answer, kept_at) VALUES ($1, $2, $3)
        ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, kept_at = EXCLUDED.kept_at`;
      await database.run(sql, [key, JSON.stringify(answer), answer.keptAt]);
    },
    async hold(key) {
      const hold = await holds.take(`idempotency ${key}`);
      return hold === null ? null : () => hold.release();
    },
    expire: (before) => database.run('DELETE FROM idempotency WHERE kept_at < $1', [before]),
  };
}
