/**
 * Which version of which document is searchable, and which tasks never will be. Whoever decides about a document holds a lock on
 * its doc_id until the transaction ends, so that of two processes exactly one is first.
 */
import { collectionOf, scopedId } from '../../../documents/document-name.ts';
import { docIdForms } from '../../../documents/doc-id.ts';
import { withinBounds } from '../../../search/bounds.ts';
import {
  type CollectionStats,
  completeDocument,
  type DocumentPage,
  type IndexedDocument,
  type ListOptions,
  type SearchFilter,
} from '../../../search/document-index.ts';
import { placeOf, writeCursor } from '../../../search/list-cursor.ts';
import type { Metadata } from '../../../tasks/given.ts';
import { isLater, type TaskId, type Version } from '../../../tasks/task.ts';
import type { Database, Row } from '../database.ts';
import { docKeyOf } from '../jobs.ts';

export type CatalogEntry = { readonly id: number; readonly firstChunk: number; readonly document: IndexedDocument };

export type Admission = { readonly verdict: 'ok' | 'done' | 'stale' | 'revoked'; readonly entry: CatalogEntry | null };

export interface IndexCatalog {
  /** Held until the transaction ends; to be taken before the row of a task. */
  lock(docId: string): Promise<void>;
  /** Whether this version may become the current one now, and what is there. */
  admit(docId: string, version: Version): Promise<Admission>;
  /** Notes a version as current: fenced against older ones, and remembered as completed. */
  commit(docId: string, version: Version): Promise<void>;
  /** Before a removal: older versions are not taken any more. */
  raiseFence(docId: string, version: Version): Promise<void>;
  isCommitted(version: TaskId): Promise<boolean>;
  find(docId: string): Promise<CatalogEntry | null>;
  findById(ids: readonly number[]): Promise<ReadonlyMap<number, CatalogEntry>>;
  /** Adds the row and returns its id and the id of its first chunk. */
  insert(document: IndexedDocument, chunks: number): Promise<{ id: number; firstChunk: number }>;
  /** Drops the row and its chunks. */
  drop(entry: CatalogEntry): Promise<void>;
  /** Notes what is said of the document of this entry, and under which version. */
  write(entry: CatalogEntry, document: IndexedDocument): Promise<void>;
  /** Newest first. */
  list(options: ListOptions): Promise<DocumentPage>;
  /** Ids of the documents of a collection that a filter lets through, `filters` aside; null when it lets all through. */
  filtered(filter: SearchFilter, collection: string): Promise<ReadonlySet<number> | null>;
  /** As `DocumentIndex.collectionStats`. */
  stats(names: readonly string[] | null): Promise<ReadonlyMap<string, CollectionStats>>;
}

const columns = 'id, record';

const fenceSql = `INSERT INTO fence(doc_key, version, ordinal, outdated) VALUES ($1, $2, $3, $4)
  ON CONFLICT (doc_key) DO UPDATE SET version = excluded.version, ordinal = excluded.ordinal, outdated = excluded.outdated
  WHERE (excluded.ordinal, excluded.version) >= (fence.ordinal, fence.version)`;

/** Chunks that one document may have: those of document n have the ids from n times this on. */
const chunksPerDocument = 2 ** 20;

export function createIndexCatalog(database: Database): IndexCatalog {
  async function find(docId: string): Promise<CatalogEntry | null> {
    const [row] = await database.query(`SELECT ${columns} FROM document WHERE doc_key = $1`, [docKeyOf(docId)]);
    return row === undefined ? null : toEntry(row);
  }

  /** `outdated`: once no task before it can come any more, it is needed no longer. */
  async function raiseFence(docId: string, { id, ordinal }: Version, outdated: boolean): Promise<void> {
    await database.run(fenceSql, [docKeyOf(docId), id, ordinal, outdated]);
  }

  /** The document has another version now, or none: that this one was completed matters to its own task alone. */
  async function outdate(version: TaskId): Promise<void> {
    await database.run('UPDATE committed SET outdated = true WHERE version = $1', [version]);
  }

  return {
    async lock(docId) {
      await database.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 1))', [docKeyOf(docId)]);
    },
    async admit(docId, version) {
      const sql = `SELECT EXISTS (SELECT 1 FROM revoked WHERE version = $2) AS revoked,
          EXISTS (SELECT 1 FROM committed WHERE version = $2) AS committed, fence.version AS fence, fence.ordinal, document.id, document.record
        FROM (SELECT $1::text AS doc_key) AS asked LEFT JOIN fence USING (doc_key) LEFT JOIN document USING (doc_key)`;
      const [row] = await database.query(sql, [docKeyOf(docId), version.id]);
      const entry = row!['id'] === null ? null : toEntry(row!);
      return { verdict: verdictOf(row!, version, entry), entry };
    },
    async commit(docId, { id, ordinal }) {
      const sql = `WITH completed AS (INSERT INTO committed(version, ordinal) VALUES ($2, $3) ON CONFLICT DO NOTHING) ${fenceSql}`;
      await database.run(sql, [docKeyOf(docId), id, ordinal, false]);
    },
    raiseFence: (docId, version) => raiseFence(docId, version, true),
    async isCommitted(version) {
      return (await database.query('SELECT 1 FROM committed WHERE version = $1', [version])).length > 0;
    },
    find,
    async findById(ids) {
      const rows = await database.query(`SELECT ${columns} FROM document WHERE id = ANY($1::bigint[])`, [ids]);
      return new Map(rows.map((row) => [row['id'] as number, toEntry(row)]));
    },
    async insert(document, chunks) {
      const sql = `INSERT INTO document(doc_key, version, chunks, record, filename, media_type, inserted_at, embedder, metadata, collection, file_bytes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id`;
      const { docId, version, mediaType, insertedAt, embedder } = document;
      const values = [docKeyOf(docId), version, chunks, JSON.stringify(document), JSON.stringify(document.filename)];
      const more = [mediaType, insertedAt, embedder, pairsOf(document.metadata), collectionOf(docId), document.fileBytes];
      const [row] = await database.query(sql, [...values, ...more]);
      const id = row!['id'] as number;
      return { id, firstChunk: firstChunkOf(id) };
    },
    async drop({ id, firstChunk, document }) {
      const range = [firstChunk, firstChunk + document.chunks];
      await database.run('DELETE FROM chunk WHERE id >= $1 AND id < $2', range);
      await database.run('DELETE FROM document WHERE id = $1', [id]);
      await outdate(document.version);
    },
    async write({ id, document: before }, document) {
      const { version, filename, metadata } = document;
      if (version !== before.version) await outdate(before.version);
      const values = [id, version, JSON.stringify(document), JSON.stringify(filename), pairsOf(metadata)];
      await database.run(
        'UPDATE document SET version = $2, record = $3, filename = $4, metadata = $5, changed = DEFAULT WHERE id = $1',
        values,
      );
    },
    async list({ limit, collection, ...from }) {
      const after = placeOf(from, docKeyOf);
      const values: unknown[] = [limit + 1];
      const conditions: string[] = [];
      if (collection !== undefined) conditions.push(`collection = $${values.push(collection)}`);
      if (after !== null)
        conditions.push(`(inserted_at, doc_key) < ($${values.push(after.insertedAt)}, $${values.push(after.key)})`);
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const sql = `SELECT ${columns}, inserted_at, doc_key FROM document ${where} ORDER BY inserted_at DESC, doc_key DESC LIMIT $1`;
      const rows = await database.query(sql, values);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        documents: rows.slice(0, limit).map((row) => toEntry(row).document),
        nextCursor:
          last === undefined ? null : writeCursor({ insertedAt: last['inserted_at'] as string, key: last['doc_key'] as string }),
      };
    },
    async filtered(filter, collection) {
      const { conditions, values } = toConditions(filter, collection);
      if (conditions.length === 0) return null;
      conditions.push(`collection = $${values.push(collection)}`);
      const rows = await database.query(`SELECT id FROM document WHERE ${conditions.join(' AND ')}`, values);
      return new Set(rows.map((row) => row['id'] as number));
    },
    async stats(names) {
      const where = names === null ? '' : 'WHERE collection = ANY($1::text[])';
      const sql = `SELECT collection, count(*) AS documents, sum(chunks) AS chunks, sum(file_bytes)::bigint AS bytes FROM document ${where}
        GROUP BY collection`;
      const rows = await database.query(sql, names === null ? [] : [names]);
      return new Map(
        rows.map((row) => [
          row['collection'] as string,
          { documents: row['documents'] as number, chunks: row['chunks'] as number, bytes: row['bytes'] as number },
        ]),
      );
    },
  };
}

function verdictOf(row: Row, version: Version, entry: CatalogEntry | null): Admission['verdict'] {
  if (row['revoked'] === true) return 'revoked';
  const fence = row['fence'] === null ? null : { id: row['fence'] as TaskId, ordinal: row['ordinal'] as number };
  if (fence !== null && isLater(fence, version)) return 'stale';
  if (entry?.document.version === version.id) return 'done';
  return fence?.id === version.id && row['committed'] === true ? 'stale' : 'ok';
}

function toConditions(filter: SearchFilter, collection: string): { conditions: string[]; values: unknown[] } {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const where = (condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  if (filter.docIds !== undefined)
    where(
      'doc_key = ANY(?::text[])',
      filter.docIds.flatMap(docIdForms).map((docId) => docKeyOf(scopedId({ collection, docId }))),
    );
  if (filter.filename !== undefined) where('normalize(filename, NFC) = ?', JSON.stringify(filter.filename.normalize('NFC')));
  if (filter.mediaType !== undefined) where('media_type = ?', filter.mediaType);
  if (filter.insertedAfter !== undefined) where('inserted_at >= ?', filter.insertedAfter);
  if (filter.insertedBefore !== undefined) where('inserted_at <= ?', filter.insertedBefore);
  const pairs = pairsOf(filter.metadata ?? null);
  if (pairs.length > 0) where('metadata @> ?::text[]', pairs);
  return { conditions, values };
}

/** Each pair of the metadata as one text, its type included: 2024 is not "2024". */
function pairsOf(metadata: Metadata | null): string[] {
  return Object.entries(metadata ?? {}).map((pair) => JSON.stringify(pair));
}

function toEntry(row: Row): CatalogEntry {
  const document = withinBounds(completeDocument(JSON.parse(row['record'] as string) as IndexedDocument));
  const id = row['id'] as number;
  return { id, firstChunk: firstChunkOf(id), document };
}

/** The id of a document's first chunk; the others follow it. */
export function firstChunkOf(document: number): number {
  return document * chunksPerDocument;
}

/** Whose chunk it is. */
export function documentOfChunk(chunk: number): number {
  return Math.floor(chunk / chunksPerDocument);
}
