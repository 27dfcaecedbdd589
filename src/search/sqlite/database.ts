/**
 * The index as one SQLite file (WAL), shared by any number of processes. A commit of `write` is on the disk when it returns
 * (synchronous FULL); `tidy` is for work that may be lost in a power cut without anybody noticing (merges).
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import { sqliteCodeOf } from '../../trouble.ts';
import { tokensVersion } from '../analysis/tokens.ts';
import { indexFilename } from './in-place.ts';

/** Raise when the tables change: an index in another format is set aside and rebuilt. */
const formatVersion = 4;

/** The shape of tables and tokens, as two numbers. */
export const indexFormat = `${formatVersion}.${tokensVersion}`;

/** How long a writer waits for the writer of another process. */
const busyMs = 60_000;

export type Row = Record<string, string | number | bigint | Uint8Array | null>;

export interface IndexDatabase {
  readonly path: string;
  /** One transaction that holds the write lock from its first statement. Durable when it returns. */
  write<T>(work: () => T): T;
  /** Like `write`, but a power cut may undo it. */
  tidy<T>(work: () => T): T;
  /** One consistent view of the index. */
  read<T>(work: () => T): T;
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number };
  get(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all(sql: string, ...values: SQLInputValue[]): Row[];
  close(): void;
}

/** An index in a format that this version does not read. */
export class IndexFormatError extends Error {
  constructor(found: string) {
    super(`the index has format ${found}`);
    this.name = 'IndexFormatError';
  }
}

/** SQLite's primary result codes for what another connection holds. */
const busy = 5;
const locked = 6;

const walTriesMax = 200;
const walPauseMs = 25;

/** Opens the index in `folder`, making it when it is not there. @throws IndexFormatError; an SQLite error when it is damaged. */
export function openDatabase(folder: string): IndexDatabase {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, indexFilename);
  const db = new DatabaseSync(path, { timeout: busyMs });
  try {
    db.exec('PRAGMA page_size = 8192');
    switchToWal(db);
    db.exec('PRAGMA synchronous = FULL');
    db.exec('PRAGMA foreign_keys = OFF');
    db.exec(`PRAGMA journal_size_limit = ${64 * 1024 * 1024}`);
    db.exec('PRAGMA cache_size = -65536');
    db.exec('PRAGMA temp_store = MEMORY');
    prepareSchema(db);
    db.function('nfc', { deterministic: true }, (text) => String(text).normalize('NFC'));
  } catch (error) {
    db.close();
    throw error;
  }
  return wrap(db, path);
}

/** Two connections that make a new index WAL at once are told "locked" whatever their busy timeout is; the loser tries again. */
function switchToWal(db: DatabaseSync): void {
  for (let tries = 1; ; tries += 1) {
    try {
      return db.exec('PRAGMA journal_mode = WAL');
    } catch (error) {
      if (tries === walTriesMax || !isTaken(sqliteCodeOf(error))) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, walPauseMs);
    }
  }
}

function isTaken(sqliteCode: number | null): boolean {
  return sqliteCode === busy || sqliteCode === locked;
}

function wrap(db: DatabaseSync, path: string): IndexDatabase {
  const statements = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    let found = statements.get(sql);
    if (found === undefined) statements.set(sql, (found = db.prepare(sql)));
    return found;
  };
  const transaction = <T>(begin: string, work: () => T): T => {
    db.exec(begin);
    try {
      const result = work();
      db.exec('COMMIT');
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
  return {
    path,
    write: (work) => transaction('BEGIN IMMEDIATE', work),
    read: (work) => transaction('BEGIN', work),
    tidy(work) {
      db.exec('PRAGMA synchronous = NORMAL');
      try {
        return transaction('BEGIN IMMEDIATE', work);
      } finally {
        db.exec('PRAGMA synchronous = FULL');
      }
    },
    run(sql, ...values) {
      const { changes, lastInsertRowid } = statement(sql).run(...values);
      return { changes: Number(changes), id: Number(lastInsertRowid) };
    },
    get: (sql, ...values) => statement(sql).get(...values) as Row | undefined,
    all: (sql, ...values) => statement(sql).all(...values) as Row[],
    close() {
      statements.clear();
      db.close();
    },
  };
}

function prepareSchema(db: DatabaseSync): void {
  const found = () => db.prepare("SELECT value FROM meta WHERE key = 'format'").get()?.['value'] as string | undefined;
  makeOnce(db, 'meta', () => {
    db.exec(schema);
    db.prepare("INSERT INTO meta(key, value) VALUES ('format', ?), ('change', 0), ('rebuild', 'new')").run(indexFormat);
  });
  const actual = found();
  if (actual !== indexFormat) throw isNewer(String(actual)) ? ofNewerVersion() : new IndexFormatError(String(actual));
  makeOnce(db, 'unlisted', () => db.exec(unlistedSchema));
}

/** Of several processes one makes it. */
function makeOnce(db: DatabaseSync, table: string, make: () => void): void {
  const exists = () => db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(table) !== undefined;
  if (exists()) return;
  db.exec('BEGIN IMMEDIATE');
  if (!exists()) make();
  db.exec('COMMIT');
}

/** Raised later than what this program knows: it is not for us to set aside. */
function isNewer(found: string): boolean {
  const [tables = NaN, tokens = NaN] = found.split('.').map(Number);
  return tables > formatVersion || (tables === formatVersion && tokens > tokensVersion);
}

function ofNewerVersion(): AppError {
  return new AppError('unavailable', 'The index was made by a newer version of this program; start that version.');
}

/** The tables are those made here and nothing else, the file is intact, and each document has the chunks that it should. */
export function isSoundDatabase(db: DatabaseSync): boolean {
  const pages = db.prepare('PRAGMA integrity_check').all();
  if (pages.length !== 1 || pages[0]!['integrity_check'] !== 'ok') return false;
  if (![schema, schema + unlistedSchema].map(shapeMadeBy).includes(shapeOf(db))) return false;
  const meta = new Map(
    db
      .prepare('SELECT key, value FROM meta')
      .all()
      .map((row) => [row['key'], row['value']]),
  );
  const wrong = db
    .prepare(
      'SELECT 1 FROM document WHERE chunks <> (SELECT count(*) FROM chunk WHERE chunk.id >= first_chunk AND chunk.id < first_chunk + chunks AND chunk.document = document.id) LIMIT 1',
    )
    .get();
  const miscounted = db
    .prepare(
      `SELECT 1 FROM (SELECT collection, count(*) AS documents, sum(chunks) AS chunks FROM document GROUP BY collection) AS found
        LEFT JOIN collection ON collection.name = found.collection
        WHERE collection.documents IS NOT found.documents OR collection.chunks IS NOT found.chunks LIMIT 1`,
    )
    .get();
  if (miscounted !== undefined) return false;
  return meta.get('format') === indexFormat && Number.isInteger(meta.get('change')) && meta.has('rebuild') && wrong === undefined;
}

function shapeOf(db: DatabaseSync): string {
  return JSON.stringify(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all());
}

function shapeMadeBy(sql: string): string {
  const made = new DatabaseSync(':memory:');
  made.exec(sql);
  const shape = shapeOf(made);
  made.close();
  return shape;
}

/**
 * A document's chunks have consecutive ids from `first_chunk` on. Ids are never used again, so a reader may keep what it
 * knows about a segment or a document for as long as it is listed. `removed` lists documents whose postings are still in a
 * segment; a merge leaves them out and forgets them. `collection` counts what each holds, so that nobody has to; its `change` is the
 * newest number of `meta.change` that concerns it, and `merge_due` says that it has got segments since its merges were thought about.
 * `vector` holds float32 rows, `vector_bits` the sign of each dimension.
 * `document.change` is the number of the change (`meta`) by which the row is what it is.
 * `committed` and `fence` outlive the document until they are purged.
 */
const schema = `
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE document(
  id INTEGER PRIMARY KEY AUTOINCREMENT, doc_id TEXT NOT NULL UNIQUE, collection TEXT NOT NULL, version TEXT NOT NULL, first_chunk INTEGER NOT NULL,
  chunks INTEGER NOT NULL, filename TEXT NOT NULL, media_type TEXT NOT NULL, file_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
  title TEXT, author TEXT, language TEXT, pages INTEGER, characters INTEGER NOT NULL, metadata TEXT, inserted_at TEXT NOT NULL,
  embedder TEXT NOT NULL, ordinal INTEGER NOT NULL, declared_media_type TEXT, reading TEXT, warnings TEXT NOT NULL,
  given_title TEXT, change INTEGER NOT NULL);
CREATE INDEX document_inserted ON document(inserted_at, doc_id);
CREATE INDEX document_collection ON document(collection, inserted_at, doc_id);
CREATE INDEX document_change ON document(collection, change);
CREATE INDEX document_embedder ON document(collection, embedder);
CREATE TABLE collection(
  name TEXT PRIMARY KEY, documents INTEGER NOT NULL, chunks INTEGER NOT NULL, bytes INTEGER NOT NULL, change INTEGER NOT NULL,
  merge_due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX collection_merge ON collection(name) WHERE merge_due = 1;
CREATE TABLE chunk(
  id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  page INTEGER, page_end INTEGER, section TEXT NOT NULL, context TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE vector(chunk INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE vector_bits(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, document INTEGER NOT NULL UNIQUE, first_chunk INTEGER NOT NULL,
  embedder TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX vector_bits_embedder ON vector_bits(collection, embedder, seq, document);
CREATE TABLE fence(doc_id TEXT PRIMARY KEY, version TEXT NOT NULL, ordinal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE committed(version TEXT PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE revoked(version TEXT PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE removed(seq INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, document INTEGER NOT NULL);
CREATE INDEX removed_collection ON removed(collection, document);
CREATE INDEX removed_document ON removed(document);
CREATE TABLE segment(
  id INTEGER PRIMARY KEY AUTOINCREMENT, collection TEXT NOT NULL, chunks INTEGER NOT NULL, length INTEGER NOT NULL,
  runs BLOB NOT NULL, lengths BLOB NOT NULL);
CREATE INDEX segment_collection ON segment(collection, chunks);
CREATE TABLE merge(segment INTEGER PRIMARY KEY);
CREATE TABLE posting_block(id INTEGER PRIMARY KEY AUTOINCREMENT, segment INTEGER NOT NULL, first TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX posting_block_segment ON posting_block(segment, first);
CREATE TABLE word_block(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX word_block_segment ON word_block(segment);
`;

/** Rows that nobody sees (`unlisted.ts`). Apart: indexes of this format were made without it, and get it when they are opened. */
const unlistedSchema = `
CREATE TABLE unlisted(
  id INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT, document INTEGER, first_chunk INTEGER, chunks INTEGER NOT NULL, segment INTEGER,
  moved INTEGER NOT NULL);
`;
