/**
 * The decisions that must outlive an index: which tasks were revoked, and which documents were removed up to which task. They
 * are kept in a small file beside the index as well, so that an index that is built again from the stored documents takes
 * back neither a cancelled task nor a deleted document. What was replaced needs no ruling: the stored documents tell.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { noTask, type TaskId, type Version } from '../../tasks/task.ts';
import { markRevoked, raiseFence } from './catalog.ts';
import { isDamage } from './corruption.ts';
import type { IndexDatabase } from './database.ts';

/** Every change is on the disk when its call returns. Safe in any number of processes, and safe twice. */
export interface Tombstones {
  revoke(version: Version): void;
  reinstate(version: TaskId): void;
  remove(docIds: readonly string[], ordinal: number): void;
  /** Forgets those of tasks that can no longer run. */
  purge(ordinal: number): void;
  close(): void;
}

const filename = 'rulings.sqlite';
const busyMs = 60_000;

/** Opens the tombstones beside `index`, and each of the two learns what only the other knows when it is new. */
export function openTombstones(folder: string, index: IndexDatabase, options: { indexIsNew: boolean }): Tombstones {
  const db = openFile(join(folder, filename));
  if (options.indexIsNew) teachIndex(db, index);
  if (isEmptyFile(db)) learnFrom(index, db);
  if (!existsSync(join(folder, `${filename}-journal`))) db.exec('PRAGMA user_version = 1');
  return {
    revoke: ({ id, ordinal }) => void db.prepare('INSERT OR IGNORE INTO revoked(version, ordinal) VALUES (?, ?)').run(id, ordinal),
    reinstate: (version) => void db.prepare('DELETE FROM revoked WHERE version = ?').run(version),
    remove(docIds, ordinal) {
      db.exec('BEGIN IMMEDIATE');
      for (const docId of docIds) db.prepare(raise).run(docId, noTask, ordinal);
      db.exec('COMMIT');
    },
    purge(ordinal) {
      db.prepare('DELETE FROM revoked WHERE ordinal < ?').run(ordinal);
      db.prepare('DELETE FROM removed WHERE ordinal < ?').run(ordinal);
    },
    close: () => db.close(),
  };
}

const raise =
  'INSERT INTO removed(doc_id, fence, ordinal) VALUES (?, ?, ?) ON CONFLICT(doc_id) DO UPDATE ' +
  'SET fence = excluded.fence, ordinal = excluded.ordinal WHERE (excluded.ordinal, excluded.fence) > (ordinal, fence)';

/** A damaged file is begun anew: the index beside it knows the same. */
function openFile(path: string): DatabaseSync {
  try {
    return prepare(path);
  } catch (error) {
    if (!isDamage(error)) throw error;
    for (const suffix of ['', '-journal']) rmSync(path + suffix, { force: true });
    return prepare(path);
  }
}

function prepare(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    db.exec('PRAGMA synchronous = EXTRA');
    // The journal stays, emptied: a full disk, or one without inodes, has no room for a new one, and deletions must be written there.
    db.exec('PRAGMA journal_mode = PERSIST');
    db.exec('CREATE TABLE IF NOT EXISTS revoked(version TEXT PRIMARY KEY) WITHOUT ROWID');
    db.exec('CREATE TABLE IF NOT EXISTS removed(doc_id TEXT PRIMARY KEY, fence TEXT NOT NULL) WITHOUT ROWID');
    addOrdinals(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Version 0.1.0 had none. */
function addOrdinals(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  for (const table of ['revoked', 'removed']) {
    const columns = db
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map((row) => row['name']);
    if (!columns.includes('ordinal')) db.exec(`ALTER TABLE ${table} ADD COLUMN ordinal INTEGER NOT NULL DEFAULT 0`);
  }
  db.exec('COMMIT');
}

function teachIndex(db: DatabaseSync, index: IndexDatabase): void {
  const revoked = db.prepare('SELECT version AS id, ordinal FROM revoked').all() as Version[];
  const removed = db.prepare('SELECT doc_id, fence, ordinal FROM removed').all() as {
    doc_id: string;
    fence: TaskId;
    ordinal: number;
  }[];
  if (revoked.length + removed.length === 0) return;
  index.write(() => {
    for (const version of revoked) markRevoked(index, version);
    for (const { doc_id: docId, fence: id, ordinal } of removed) raiseFence(index, docId, { id, ordinal });
  });
}

/** Before the first change: the file is new, or was begun anew. */
function isEmptyFile(db: DatabaseSync): boolean {
  return db.prepare('PRAGMA user_version').get()!['user_version'] === 0;
}

function learnFrom(index: IndexDatabase, db: DatabaseSync): void {
  const { revoked, fences } = index.read(() => ({
    revoked: index.all('SELECT version, ordinal FROM revoked'),
    fences: index.all('SELECT doc_id, version, ordinal FROM fence WHERE doc_id NOT IN (SELECT doc_id FROM document)'),
  }));
  db.exec('BEGIN IMMEDIATE');
  for (const row of revoked)
    db.prepare('INSERT OR IGNORE INTO revoked(version, ordinal) VALUES (?, ?)').run(row['version']!, row['ordinal']!);
  for (const row of fences) db.prepare(raise).run(row['doc_id']!, row['version']!, row['ordinal']!);
  db.exec('PRAGMA user_version = 1');
  db.exec('COMMIT');
}
