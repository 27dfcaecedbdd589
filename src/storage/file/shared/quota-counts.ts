/** Quotas as one small SQLite file, shared by the front ends of one data directory: a row for each key and day, two days kept. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type QuotaCounts, quotaKinds } from '../../quota-counts.ts';

/** Longest wait for another process that is counting. */
const busyMs = 5000;

/** Opens or makes it in a folder of its own. @throws an SQLite error when the file cannot be used. */
export function openQuotaCounts(folder: string): QuotaCounts {
  mkdirSync(folder, { recursive: true });
  const database = new DatabaseSync(join(folder, 'quotas.sqlite'), { timeout: busyMs });
  database.exec('PRAGMA journal_mode = WAL');
  // Not FULL: a flush for each request would cost more than most answers, and what a power cut forgets is a moment's counts.
  database.exec('PRAGMA synchronous = NORMAL');
  database.exec(
    'CREATE TABLE IF NOT EXISTS used (day TEXT, key TEXT, requests INTEGER, documents INTEGER, bytes INTEGER, PRIMARY KEY (day, key)) WITHOUT ROWID',
  );
  const count = database.prepare(
    `INSERT INTO used VALUES (:day, :key, :requests, :documents, :bytes)
     ON CONFLICT (day, key) DO UPDATE SET requests = requests + :requests, documents = documents + :documents, bytes = bytes + :bytes
     WHERE requests + :requests <= :requestsMax AND documents + :documents <= :documentsMax AND bytes + :bytes <= :bytesMax`,
  );
  const used = database.prepare('SELECT requests, documents, bytes FROM used WHERE day = ? AND key = ?');
  const forget = database.prepare('DELETE FROM used WHERE day < ?');
  let today = '';

  return {
    add(day, key, amounts, limits) {
      if (day !== today) {
        forget.run(dayBefore(day));
        today = day;
      }
      const alone = quotaKinds.find((kind) => amounts[kind] > 0 && amounts[kind] > limits[kind]);
      if (alone !== undefined) return alone;
      // A limit that is not asked about stops nothing: who has no documents left may still search.
      const max = (kind: (typeof quotaKinds)[number]): number => (amounts[kind] === 0 ? Number.MAX_SAFE_INTEGER : limits[kind]);
      const [requestsMax, documentsMax, bytesMax] = [max('requests'), max('documents'), max('bytes')];
      const { changes } = count.run({ day, key, ...amounts, requestsMax, documentsMax, bytesMax });
      if (changes === 1) return null;
      const row = (used.get(day, key) ?? {}) as Partial<Record<string, number>>;
      return quotaKinds.find((kind) => amounts[kind] > 0 && (row[kind] ?? 0) + amounts[kind] > limits[kind]) ?? 'requests';
    },
    close: () => database.close(),
  };
}

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
}
