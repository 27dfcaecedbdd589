/**
 * Which version of which document is searchable, and which tasks never will be. Every decision here is taken inside one write
 * transaction of its caller, so that of two processes exactly one is first.
 */
import { collectionOf, defaultCollection, scopedId } from '../../documents/document-name.ts';
import type { SQLInputValue } from 'node:sqlite';
import { docIdForms } from '../../documents/doc-id.ts';
import type { Description, Metadata } from '../../tasks/given.ts';
import { isLater, type TaskId, type Version } from '../../tasks/task.ts';
import { withinBounds } from '../bounds.ts';
import type { IndexDatabase, Row } from './database.ts';
import type {
  CollectionStats,
  DocumentChange,
  DocumentPage,
  IndexedDocument,
  DocumentQuery,
  ListOptions,
  SearchFilter,
} from '../document-index.ts';
import { type DocumentTables, inBoth } from '../index/document-table.ts';
import type { SqliteTable } from './sqlite-table.ts';
import { renamed } from '../said.ts';
import { placeOf, writeCursor } from '../list-cursor.ts';
import { deleteVectors, unlistVectors } from '../index/vectors.ts';
import { sweepLater } from './unlisted.ts';

export type CatalogEntry = { readonly id: number; readonly firstChunk: number; readonly document: IndexedDocument };

type Value = string | number | null;
type Columns = Readonly<Record<string, (document: IndexedDocument) => Value>>;

/** Each member of a description, by its column. */
const describedColumns: Readonly<Record<keyof Description, readonly [column: string, value: Columns[string]]>> = {
  metadata: ['metadata', ({ metadata }) => (metadata === null ? null : JSON.stringify(metadata))],
};

/** What its client says of a document: written anew whenever that changes. */
const saidColumns: Columns = {
  version: ({ version }) => version,
  ordinal: ({ ordinal }) => ordinal,
  filename: ({ filename }) => filename,
  given_title: ({ givenTitle }) => givenTitle,
  ...Object.fromEntries(Object.values(describedColumns)),
};

/** What a version is, beside its place in the file: `id`, `first_chunk` and `chunks`. */
const documentColumns: Columns = {
  doc_id: ({ docId }) => docId,
  collection: ({ docId }) => collectionOf(docId),
  media_type: ({ mediaType }) => mediaType,
  file_bytes: ({ fileBytes }) => fileBytes,
  sha256: ({ sha256 }) => sha256,
  title: ({ title }) => title,
  author: ({ author }) => author,
  language: ({ language }) => language,
  pages: ({ pages }) => pages,
  characters: ({ characters }) => characters,
  inserted_at: ({ insertedAt }) => insertedAt,
  embedder: ({ embedder }) => embedder,
  declared_media_type: ({ declaredMediaType }) => declaredMediaType,
  reading: ({ reading }) => reading,
  warnings: ({ warnings }) => JSON.stringify(warnings),
  ...saidColumns,
};

const columns = ['id', 'first_chunk', 'chunks', ...Object.keys(documentColumns)].join(', ');

/** The number of the change that a transaction is about to make, which `bumpChange` then notes. */
const thisChange = "(SELECT value + 1 FROM meta WHERE key = 'change')";

export function findDocument(database: IndexDatabase, docId: string): CatalogEntry | null {
  const row = database.get(`SELECT ${columns} FROM document WHERE doc_id = ?`, docId);
  return row === undefined ? null : toEntry(row);
}

export function findDocumentById(database: IndexDatabase, id: number): CatalogEntry | null {
  const row = database.get(`SELECT ${columns} FROM document WHERE id = ?`, id);
  return row === undefined ? null : toEntry(row);
}

/** Whether this version may become the current one now. */
export function admit(database: IndexDatabase, docId: string, version: Version): 'ok' | 'done' | 'stale' | 'revoked' {
  if (isRevoked(database, version.id)) return 'revoked';
  const fence = database.get('SELECT version AS id, ordinal FROM fence WHERE doc_id = ?', docId) as Version | undefined;
  if (fence !== undefined && isLater(fence, version)) return 'stale';
  if (findDocument(database, docId)?.document.version === version.id) return 'done';
  return fence?.id === version.id && isCommitted(database, version.id) ? 'stale' : 'ok';
}

/** Notes a version as current: fenced against older ones, and remembered as completed. */
export function commit(database: IndexDatabase, docId: string, version: Version): void {
  raiseFence(database, docId, version);
  database.run('INSERT OR IGNORE INTO committed(version, ordinal) VALUES (?, ?)', version.id, version.ordinal);
}

export function raiseFence(database: IndexDatabase, docId: string, { id, ordinal }: Version): void {
  database.run(
    'INSERT INTO fence(doc_id, version, ordinal) VALUES (?, ?, ?) ON CONFLICT(doc_id) DO UPDATE ' +
      'SET version = excluded.version, ordinal = excluded.ordinal WHERE (excluded.ordinal, excluded.version) > (ordinal, version)',
    docId,
    id,
    ordinal,
  );
}

export function isCommitted(database: IndexDatabase, version: TaskId): boolean {
  return database.get('SELECT 1 FROM committed WHERE version = ?', version) !== undefined;
}

export function isRevoked(database: IndexDatabase, version: TaskId): boolean {
  return database.get('SELECT 1 FROM revoked WHERE version = ?', version) !== undefined;
}

export function markRevoked(database: IndexDatabase, { id, ordinal }: Version): void {
  database.run('INSERT OR IGNORE INTO revoked(version, ordinal) VALUES (?, ?)', id, ordinal);
}

export function clearRevoked(database: IndexDatabase, version: TaskId): void {
  database.run('DELETE FROM revoked WHERE version = ?', version);
}

/** Adds the row; its chunks have the ids from `firstChunk` on. Its own id is a new one where none is given. */
export function insertDocument(
  database: IndexDatabase,
  document: IndexedDocument,
  { id = null, firstChunk, chunks }: { readonly id?: number | null; readonly firstChunk: number; readonly chunks: number },
): number {
  count(database, document, 1);
  return database.run(insertion, id, firstChunk, chunks, ...valuesOf(documentColumns, document)).id;
}

const insertion =
  `INSERT INTO document(${columns}, change) ` +
  `VALUES (?, ?, ?, ${Object.keys(documentColumns)
    .map(() => '?')
    .join(', ')}, ${thisChange})`;

function valuesOf(of: Columns, document: IndexedDocument): Value[] {
  return Object.values(of).map((value) => value(document));
}

/** Chunks that are dropped with their document; where there are more, they are swept later. */
const droppedChunksMax = 500;

/** Drops the row and its chunks; its postings stay until a merge leaves them out. */
export function dropDocument(database: IndexDatabase, entry: CatalogEntry): void {
  const { id, firstChunk } = entry;
  const { chunks } = entry.document;
  if (chunks > droppedChunksMax) {
    unlistVectors(database, id);
    sweepLater(database, { document: id, firstChunk, chunks });
  } else {
    database.run('DELETE FROM chunk WHERE id >= ? AND id < ?', firstChunk, firstChunk + chunks);
    deleteVectors(database, id, firstChunk, chunks);
  }
  database.run('DELETE FROM document WHERE id = ?', entry.id);
  count(database, entry.document, -1);
  if (entry.document.chunks === 0) return;
  database.run('INSERT INTO removed(collection, document) VALUES (?, ?)', collectionOf(entry.document.docId), entry.id);
}

/** Keeps what each collection holds counted. */
function count(database: IndexDatabase, { docId, chunks, fileBytes }: IndexedDocument, sign: 1 | -1): void {
  database.run(
    'INSERT INTO collection(name, documents, chunks, bytes, change, merge_due) VALUES (?, ?, ?, ?, 0, 0) ON CONFLICT(name) DO ' +
      'UPDATE SET documents = documents + excluded.documents, chunks = chunks + excluded.chunks, bytes = bytes + excluded.bytes',
    collectionOf(docId),
    sign,
    sign * chunks,
    sign * fileBytes,
  );
}

/** Counts anew what each collection holds. */
export function recountCollections(database: IndexDatabase): void {
  const found =
    'SELECT collection AS name, count(*) AS documents, sum(chunks) AS chunks, sum(file_bytes) AS bytes FROM document GROUP BY collection';
  database.run('UPDATE collection SET documents = 0, chunks = 0, bytes = 0');
  database.run(
    `INSERT INTO collection(name, documents, chunks, bytes, change, merge_due) SELECT name, documents, chunks, bytes, 0, 0 FROM (${found}) WHERE true
      ON CONFLICT(name) DO UPDATE SET documents = excluded.documents, chunks = excluded.chunks, bytes = excluded.bytes`,
  );
}

/** What the collections hold that hold anything: all, or those of these names. */
export function collectionStats(database: IndexDatabase, names: readonly string[] | null): Map<string, CollectionStats> {
  const all = 'SELECT name, documents, chunks, bytes FROM collection WHERE documents > 0';
  const rows =
    names === null ? database.all(all) : database.all(`${all} AND name IN (SELECT value FROM json_each(?))`, JSON.stringify(names));
  return new Map(
    rows.map((row) => [
      row['name'] as string,
      { documents: row['documents'] as number, chunks: row['chunks'] as number, bytes: row['bytes'] as number },
    ]),
  );
}

/** The same bytes under a newer task. */
export function renameDocument(database: IndexDatabase, current: IndexedDocument, version: Version, change: DocumentChange): void {
  writeSaid(database, renamed(current, version, change));
}

/** Notes what is said of a document, and under which version. */
export function writeSaid(database: IndexDatabase, document: IndexedDocument): void {
  database.run(
    `UPDATE document SET ${saidColumnsSet}, change = ${thisChange} WHERE doc_id = ?`,
    ...valuesOf(saidColumns, document),
    document.docId,
  );
}

const saidColumnsSet = Object.keys(saidColumns)
  .map((column) => `${column} = ?`)
  .join(', ');

/** Without filters, q and sort newest first by `insertedAt`, then by doc_id, off the table itself. */
export function listDocuments(database: IndexDatabase, query: DocumentQuery, tables: DocumentTables<SqliteTable>): DocumentPage {
  if (query.filters === undefined && query.q === undefined && query.sort === undefined) return listNewest(database, query);
  const { ids, nextCursor } = tables.of(query.collection ?? defaultCollection).page(query);
  const rows = database.all(`SELECT ${columns} FROM document WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids));
  const byId = new Map(rows.map((row) => [row['id'] as number, toEntry(row).document]));
  return { documents: ids.flatMap((id) => byId.get(id) ?? []), nextCursor };
}

function listNewest(database: IndexDatabase, options: ListOptions): DocumentPage {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  if (options.collection !== undefined) {
    conditions.push('collection = ?');
    values.push(options.collection);
  }
  const after = placeOf(options, (docId) => docId);
  if (after !== null) {
    conditions.push('(inserted_at, doc_id) < (?, ?)');
    values.push(after.insertedAt, after.key);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT ${columns} FROM document ${where} ORDER BY inserted_at DESC, doc_id DESC LIMIT ?`;
  const rows = database.all(sql, ...values, options.limit + 1);
  const documents = rows.slice(0, options.limit).map((row) => toEntry(row).document);
  const last = documents.at(-1);
  return {
    documents,
    nextCursor:
      rows.length > options.limit && last !== undefined ? writeCursor({ insertedAt: last.insertedAt, key: last.docId }) : null,
  };
}

/** Ids of the documents that a filter lets through; null when it lets all through. */
export function filteredDocuments(
  database: IndexDatabase,
  filter: SearchFilter,
  { collection, tables }: { readonly collection: string; readonly tables: DocumentTables<SqliteTable> },
): ReadonlySet<number> | null {
  const matching = filter.filters === undefined ? null : tables.of(collection).matching(filter.filters);
  return inBoth(namedDocuments(database, filter, collection), matching);
}

function namedDocuments(database: IndexDatabase, filter: SearchFilter, collection: string): Set<number> | null {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const where = (condition: string, ...given: SQLInputValue[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (filter.docIds !== undefined)
    where(
      'doc_id IN (SELECT value FROM json_each(?))',
      JSON.stringify(filter.docIds.flatMap(docIdForms).map((docId) => scopedId({ collection, docId }))),
    );
  if (filter.filename !== undefined) where('nfc(filename) = ?', filter.filename.normalize('NFC'));
  if (filter.mediaType !== undefined) where('media_type = ?', filter.mediaType);
  if (filter.insertedAfter !== undefined) where('inserted_at >= ?', filter.insertedAfter);
  if (filter.insertedBefore !== undefined) where('inserted_at <= ?', filter.insertedBefore);
  for (const [key, value] of Object.entries(filter.metadata ?? {})) {
    const pair = 'EXISTS (SELECT 1 FROM json_each(document.metadata) AS pair WHERE pair.key = ?';
    if (value === null) where(`${pair} AND pair.type = 'null')`, key);
    else if (typeof value === 'boolean') where(`${pair} AND pair.type = ?)`, key, String(value));
    else if (typeof value === 'string') where(`${pair} AND pair.type = 'text' AND pair.value = ?)`, key, value);
    else where(`${pair} AND pair.type IN ('integer', 'real') AND pair.value = ?)`, key, value);
  }
  if (conditions.length === 0) return null;
  where('collection = ?', collection);
  const rows = database.all(`SELECT id FROM document WHERE ${conditions.join(' AND ')}`, ...values);
  return new Set(rows.map((row) => row['id'] as number));
}

/** Forgets what can no longer matter to any task: fences of documents that are gone, revocations, completions. */
export function purgeCatalog(database: IndexDatabase, ordinal: number): void {
  database.run('DELETE FROM revoked WHERE ordinal < ?', ordinal);
  database.run('DELETE FROM committed WHERE ordinal < ? AND version NOT IN (SELECT version FROM document)', ordinal);
  database.run('DELETE FROM fence WHERE ordinal < ? AND doc_id NOT IN (SELECT doc_id FROM document)', ordinal);
}

export function highestOrdinal(database: IndexDatabase): number {
  const numbered = ['document', 'fence', 'committed', 'revoked'].map((table) => `SELECT max(ordinal) AS ordinal FROM ${table}`);
  return (database.get(`SELECT max(ordinal) AS highest FROM (${numbered.join(' UNION ALL ')})`)!['highest'] as number | null) ?? 0;
}

function toEntry(row: Row): CatalogEntry {
  const metadata = row['metadata'] as string | null;
  return {
    id: row['id'] as number,
    firstChunk: row['first_chunk'] as number,
    document: withinBounds({
      docId: row['doc_id'] as string,
      version: row['version'] as TaskId,
      filename: row['filename'] as string,
      mediaType: row['media_type'] as string,
      fileBytes: row['file_bytes'] as number,
      sha256: row['sha256'] as string,
      title: row['title'] as string | null,
      givenTitle: row['given_title'] as string | null,
      author: row['author'] as string | null,
      language: row['language'] as string | null,
      pages: row['pages'] as number | null,
      chunks: row['chunks'] as number,
      characters: row['characters'] as number,
      metadata: metadata === null ? null : (JSON.parse(metadata) as Metadata),
      insertedAt: row['inserted_at'] as string,
      embedder: row['embedder'] as string,
      ordinal: row['ordinal'] as number,
      declaredMediaType: row['declared_media_type'] as string | null,
      reading: row['reading'] as string | null,
      warnings: JSON.parse(row['warnings'] as string) as string[],
    }),
  };
}
