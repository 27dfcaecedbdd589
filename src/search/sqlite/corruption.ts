/**
 * What to do with an index that cannot be read: it is set aside under another name, and an empty one is filled again from
 * the stored documents. Several processes may notice at once; a lock that dies with its owner lets one of them act.
 */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCodeOf } from '../../trouble.ts';
import { IndexFormatError, indexFilename, isSoundDatabase } from './database.ts';

/** SQLite's primary result codes for a damaged file and for one that is no database. */
const corrupt = 11;
const notADatabase = 26;

/** True for errors that say: this file will not get better. */
export function isDamage(error: unknown): boolean {
  if (error instanceof IndexFormatError) return true;
  const code = sqliteCodeOf(error);
  return code === corrupt || code === notADatabase;
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

/** Which file is in place now: changes when the index was set aside. Null when there is none. */
export function indexIdentity(indexDir: string): number | null {
  return statSync(join(indexDir, indexFilename), { throwIfNoEntry: false })?.ino ?? null;
}

/** Renames the index unless another process has already done so. The one set aside before is removed. */
export function setAside(indexDir: string, damaged: number | null): void {
  const guard = new DatabaseSync(join(indexDir, 'guard.sqlite'), { timeout: 30_000 });
  try {
    guard.exec('BEGIN EXCLUSIVE');
    if (damaged !== null && indexIdentity(indexDir) === damaged) {
      for (const suffix of ['', '-wal', '-shm']) {
        const from = join(indexDir, indexFilename + suffix);
        const to = join(indexDir, `damaged.sqlite${suffix}`);
        rmSync(to, { force: true });
        if (existsSync(from)) renameSync(from, to);
      }
    }
    guard.exec('COMMIT');
  } finally {
    guard.close();
  }
}
