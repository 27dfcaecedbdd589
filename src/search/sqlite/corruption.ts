/**
 * What to do with an index that cannot be read: it is set aside under another name, and an empty one is filled again from
 * the stored documents. Several processes may notice at once; one of them acts.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCodeOf } from '../../trouble.ts';
import { IndexFormatError, isSoundDatabase } from './database.ts';
import { damageCodes, indexFilename, indexIdentity, whileNobodyOpens } from './in-place.ts';

/** True for errors that say: this file will not get better. */
export function isDamage(error: unknown): boolean {
  if (error instanceof IndexFormatError) return true;
  return damageCodes.includes(sqliteCodeOf(error) ?? 0);
}

/** Whether there is an index that can be read, is of this version, and whose tables agree with each other. Reads all of it. */
export function isSoundIndex(indexDir: string): boolean {
  const path = join(indexDir, indexFilename);
  if (!existsSync(path)) return false;
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 30_000 });
    try {
      return isSoundDatabase(db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (sqliteCodeOf(error) !== null) return false;
    throw error;
  }
}

/** Renames the index unless another process has already done so. The one set aside before is removed. */
export function setAside(indexDir: string, identity: number | null): void {
  whileNobodyOpens(indexDir, () => {
    if (identity === null || indexIdentity(indexDir) !== identity) return;
    for (const suffix of ['', '-wal', '-shm']) {
      const from = join(indexDir, indexFilename + suffix);
      const to = join(indexDir, `damaged.sqlite${suffix}`);
      rmSync(to, { force: true });
      if (existsSync(from)) renameSync(from, to);
    }
  });
}
