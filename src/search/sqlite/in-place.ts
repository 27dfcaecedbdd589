/**
 * The index's file in its place: who opens it and who sets it aside never meet. It is three files (SQLite's write-ahead log and its
 * index beside it), found by their names one after the other: opened between two renames, a new database would have the log of an old.
 * A lock in a file beside it, which dies with its owner, keeps them apart.
 */
import { mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteCodeOf } from '../../trouble.ts';

/** The name of the index file inside its folder. */
export const indexFilename = 'index.sqlite';

/** Opening takes moments, and longer where a log of a crash is read. */
const guardMs = 60_000;

/** SQLite's primary result codes for a damaged file and for one that is no database. */
export const damageCodes: readonly number[] = [11, 26];

/** Which file is in place now: changes when the index was set aside. Null when there is none. */
export function indexIdentity(indexDir: string): number | null {
  return statSync(join(indexDir, indexFilename), { throwIfNoEntry: false })?.ino ?? null;
}

/** Does work, such as opening the index, during which no process sets it aside; others may do the same beside it. */
export function whileInPlace<T>(indexDir: string, work: () => T): T {
  mkdirSync(indexDir, { recursive: true });
  // A read transaction holds a shared lock: nothing is written for it.
  return guarded(indexDir, 'BEGIN; SELECT count(*) FROM sqlite_schema', work);
}

/** Does work during which no process opens the index or does the same: those that have it open keep what they have. */
export function whileNobodyOpens<T>(indexDir: string, work: () => T): T {
  return guarded(indexDir, 'BEGIN EXCLUSIVE', work);
}

function guarded<T>(indexDir: string, begin: string, work: () => T): T {
  const guard = held(join(indexDir, 'guard.sqlite'), begin);
  try {
    return work();
  } finally {
    guard.close();
  }
}

/** The lock's file is empty; one that somebody wrote into is emptied, and stays the file that others may have locked by now. */
function held(path: string, begin: string): DatabaseSync {
  for (let isAgain = false; ; isAgain = true) {
    const guard = new DatabaseSync(path, { timeout: guardMs });
    try {
      guard.exec(begin);
      return guard;
    } catch (error) {
      guard.close();
      if (isAgain || !damageCodes.includes(sqliteCodeOf(error) ?? 0)) throw error;
      truncateSync(path);
    }
  }
}
