/**
 * What the tables of the arbiter tell whoever reads: lists, which documents a filter lets through, chunks, and ranked rows as hits. One at a time:
 * they share what is in memory of the documents, and the processor as well.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultCollection } from '../../../documents/document-name.ts';
import type {
  ChunkPage,
  DocumentArbiter,
  DocumentPage,
  DocumentQuery,
  SearchFilter,
  SearchHit,
} from '../../../search/document-index.ts';
import { inBoth } from '../../../search/index/document-table.ts';
import { chunksAround, hitReader, placeOf, textsAround, toHit, toListedChunk } from '../../../search/ranking/hits.ts';
import type { PageRow } from '../../../search/ranking/page.ts';
import type { Ranked } from '../../../search/ranking/ranking.ts';
import type { Scored } from '../../../search/ranking/scorer.ts';
import type { Database } from '../database.ts';
import { documentOfChunk, type IndexCatalog } from './index-catalog.ts';
import type { StoredChunk } from './stored-chunk.ts';
import { followTables } from './postgres-table.ts';

/** Characters and bytes of a stored chunk that are read: more than one of today's takes. */
const bodyBytesMax = 64 * 1024;
const longestEscape = 6;
/** Chunks that are read and marked in one turn of the event loop: a search runs beside everything else in its process. */
const chunksAtOnce = 16;

export type KnownChunk = (chunkId: number) => StoredChunk | undefined;

export interface DocumentReader {
  /** Waits for those before it. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** One page of a list that is filtered, sorted or searched by name. */
  list(query: DocumentQuery): Promise<DocumentPage>;
  chunks: DocumentArbiter['chunks'];
  /** Ids of the documents that a filter lets through; null for all. Inside a snapshot, in turn. */
  filtered(filter: SearchFilter, collection: string): Promise<ReadonlySet<number> | null>;
  readChunks(ids: readonly number[]): Promise<Map<number, StoredChunk>>;
  /** Inside a snapshot that has all of these rows. `known`: chunks that are at hand. */
  toHits(page: readonly PageRow[], ranked: Ranked, context: number, known?: KnownChunk): Promise<SearchHit[]>;
}

export function createDocumentReader(database: Database, catalog: IndexCatalog): DocumentReader {
  const tables = followTables(database);
  let before: Promise<unknown> = Promise.resolve();

  return {
    inTurn,
    list: (query) => inTurn(() => database.reading(() => list(query))),
    chunks: (docId, from, limit) => database.reading(() => chunksOf(docId, from, limit)),
    filtered,
    readChunks,
    toHits,
  };

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  }

  async function list(query: DocumentQuery): Promise<DocumentPage> {
    const { ids, nextCursor } = await tables.of(query.collection ?? defaultCollection).page(query);
    const found = await catalog.findById(ids);
    return { documents: ids.flatMap((id) => found.get(id)?.document ?? []), nextCursor };
  }

  async function chunksOf(docId: string, from: number, limit: number): Promise<ChunkPage | null> {
    const entry = await catalog.find(docId);
    if (entry === null) return null;
    const { document, firstChunk } = entry;
    const count = Math.max(0, Math.min(limit, document.chunks - from));
    const rows = await readChunks(Array.from({ length: count }, (_, i) => firstChunk + from + i));
    const indexes = Array.from({ length: count }, (_, i) => from + i).filter((index) => rows.has(firstChunk + index));
    return { document, chunks: indexes.map((index) => toListedChunk(rows.get(firstChunk + index)!, index)) };
  }

  async function filtered(filter: SearchFilter, collection: string): Promise<ReadonlySet<number> | null> {
    const matching = filter.filters === undefined ? null : await tables.of(collection).matching(filter.filters);
    return inBoth(await catalog.filtered(filter, collection), matching);
  }

  async function toHits(
    page: readonly PageRow[],
    ranked: Ranked,
    context: number,
    known: KnownChunk = () => undefined,
  ): Promise<SearchHit[]> {
    const rows = page.flatMap(({ scored, alsoIn }) => [scored, ...alsoIn]);
    const documents = await catalog.findById([...new Set(rows.map(({ chunkId }) => documentOfChunk(chunkId)))]);
    const entryOf = ({ chunkId }: Scored) => documents.get(documentOfChunk(chunkId))!;
    const around = page.flatMap(({ scored }) => Object.values(chunksAround(scored.chunkId, entryOf(scored), context)).flat());
    const ids = [...new Set([...rows.map(({ chunkId }) => chunkId), ...around])];
    const chunks = await readChunks(ids.filter((id) => known(id) === undefined));
    const chunkOf = (id: number): StoredChunk | undefined => known(id) ?? chunks.get(id);
    const reader = hitReader(ranked);
    const hits: SearchHit[] = [];
    for (const row of page) {
      const { scored } = row;
      const found = toHit(row, entryOf(scored), chunkOf(scored.chunkId)!, reader);
      const places = row.alsoIn.map((other) => placeOf(entryOf(other).document, chunkOf(other.chunkId)!));
      const hit = places.length === 0 ? found : { ...found, alsoIn: places };
      const textOf = (chunkId: number): string => chunkOf(chunkId)?.text ?? '';
      hits.push(context === 0 ? hit : { ...hit, context: textsAround(scored.chunkId, entryOf(scored), context, textOf) });
      if (hits.length % chunksAtOnce === 0) await nextTurn();
    }
    return hits;
  }

  async function readChunks(ids: readonly number[]): Promise<Map<number, StoredChunk>> {
    const chunks = new Map<number, StoredChunk>();
    const body = 'CASE WHEN octet_length(body) <= $2 THEN body ELSE left(body, $2) END AS body';
    for (let from = 0; from < ids.length; from += chunksAtOnce) {
      const few = ids.slice(from, from + chunksAtOnce);
      const rows = await database.query(`SELECT id, ${body} FROM chunk WHERE id = ANY($1::bigint[])`, [few, bodyBytesMax]);
      for (const row of rows) chunks.set(row['id'] as number, readBody(row['body'] as string));
      await nextTurn();
    }
    return chunks;
  }
}

/** A row whose text is longer than chunks are now was cut off inside it, maybe inside an escape: the text is its last member. */
function readBody(body: string): StoredChunk {
  const endings = ['', ...Array.from({ length: longestEscape }, () => '"}')];
  for (const [left, ending] of endings.entries()) {
    try {
      return JSON.parse(body.slice(0, body.length - Math.max(0, left - 1)) + ending) as StoredChunk;
    } catch {
      // Cut inside its text: closed, and one character less each time.
    }
  }
  throw new Error('a stored chunk cannot be read');
}
