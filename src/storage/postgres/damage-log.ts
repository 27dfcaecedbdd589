/** What the check for damage has found, in a row of the database, and a name that whoever looks holds. */
import type { DamageLog } from '../damage-log.ts';
import type { Database } from './database.ts';
import { createAdvisoryLocks } from './advisory-locks.ts';

export function createPostgresDamageLog(database: Database): DamageLog {
  const locks = createAdvisoryLocks(database);
  return {
    async read() {
      const [row] = await database.query('SELECT checked_at, damaged, mended FROM damage');
      if (row === undefined) return null;
      return { checkedAt: row['checked_at'] as string, damaged: row['damaged'] as number, mended: row['mended'] as number };
    },
    async write({ checkedAt, damaged, mended }) {
      const sql = `INSERT INTO damage(checked_at, damaged, mended) VALUES ($1, $2, $3)
        ON CONFLICT (one) DO UPDATE SET checked_at = EXCLUDED.checked_at, damaged = EXCLUDED.damaged, mended = EXCLUDED.mended`;
      await database.run(sql, [checkedAt, damaged, mended]);
    },
    lead: () => locks.take('damage'),
  };
}
