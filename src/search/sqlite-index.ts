/**
 * The index on SQLite: catalogue, chunk texts and inverted index in one file, so that a document appears, changes and goes in
 * one transaction for every process. All work is synchronous inside; run it off the event loop (`threaded-index.ts`).
 */
import { statSync } from 'node:fs';
import type { Embedder } from '../embed/embedder.ts';
import { readStagedChunks } from './staging.ts';
import type { Chunk } from '../chunk/chunk.ts';
import {
  admit,
  clearRevoked,
  commit,
  dropDocument,
  filteredDocuments,
  findDocument,
  findDocumentById,
  insertDocument,
  isCommitted,
  isRevoked,
  listDocuments,
  markRevoked,
  purgeCatalog,
  raiseFence,
  renameDocument,
} from './catalog.ts';
import { chunkTerms } from './chunk-terms.ts';
import { type IndexDatabase, openDatabase } from './database.ts';
import type { DocumentIndex, IndexedDocument, SearchAnswer, SearchHit, SearchQuery } from './document-index.ts';
import { highlight } from './highlights.ts';
import { chunkIdOf, rankChunks } from './ranking.ts';
import type { Scored } from './scorer.ts';
import { bumpChange, mergeDue, mergeSegments, SegmentBuilder } from './segments.ts';
import { Snapshot } from './snapshot.ts';
import { spread } from './spread.ts';
import { Vocabulary } from './vocabulary.ts';

export type SqliteIndexOptions = {
  readonly indexDir: string;
  readonly embedder: Embedder;
};

export interface SqliteIndex extends DocumentIndex {
  /** Does one merge of segments when one is due. True when it did: ask again. */
  tidy(): boolean;
}

/** Opens the index, making it when there is none. */
export function openSqliteIndex(options: SqliteIndexOptions): SqliteIndex {
  const database = openDatabase(options.indexDir);
  const core: Core = { database, snapshot: new Snapshot(database), vocabulary: new Vocabulary() };
  return {
    replace: (document, folder) => replace(database, document, folder),
    async touch(docId, version, change) {
      return database.write(() => {
        if (isRevoked(database, version)) return 'revoked';
        const verdict = admit(database, docId, version);
        if (verdict === 'done') return 'ok';
        if (verdict !== 'ok' || findDocument(database, docId) === null) return 'stale';
        renameDocument(database, docId, version, change);
        commit(database, docId, version);
        return 'ok';
      });
    },
    async revoke(_docId, version) {
      return database.write(() => {
        if (isCommitted(database, version)) return 'committed';
        markRevoked(database, version);
        return 'ok';
      });
    },
    async reinstate(_docId, version) {
      database.write(() => clearRevoked(database, version));
    },
    async remove(docId, fence) {
      return database.write(() => {
        raiseFence(database, docId, fence);
        const current = findDocument(database, docId);
        if (current === null || current.document.version > fence) return false;
        dropDocument(database, current);
        bumpChange(database);
        return true;
      });
    },
    async info(docId) {
      return findDocument(database, docId)?.document ?? null;
    },
    async wasCommitted(_docId, version) {
      return isCommitted(database, version);
    },
    async list(listOptions) {
      return listDocuments(database, listOptions);
    },
    async search(query) {
      return search(core, query);
    },
    async stats() {
      const row = database.get('SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks FROM document')!;
      return { documents: row['documents'] as number, chunks: row['chunks'] as number, bytes: fileBytes(database.path) };
    },
    async purge(before) {
      database.write(() => purgeCatalog(database, before));
    },
    async close() {
      database.close();
    },
    tidy() {
      const ids = mergeDue(database);
      return ids !== null && mergeSegments(database, ids);
    },
  };
}

type Core = { readonly database: IndexDatabase; readonly snapshot: Snapshot; readonly vocabulary: Vocabulary };

/** Reads and analyses the chunks first, so that the write lock is held only for writing. */
async function replace(database: IndexDatabase, document: IndexedDocument, folder: string): Promise<'ok' | 'stale' | 'revoked'> {
  const before = admit(database, document.docId, document.version);
  if (before !== 'ok') return before === 'done' ? 'ok' : before;
  const builder = new SegmentBuilder();
  const chunks: Chunk[] = [];
  for await (const batch of readStagedChunks(folder, 0)) {
    for (const { chunk } of batch) {
      builder.add(chunkTerms(chunk, document.title));
      chunks.push(chunk);
    }
  }
  return database.write(() => {
    const verdict = admit(database, document.docId, document.version);
    if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
    const old = findDocument(database, document.docId);
    if (old !== null) dropDocument(database, old);
    const firstChunk = nextChunkId(database);
    const id = insertDocument(database, document, firstChunk, chunks.length);
    for (const [i, chunk] of chunks.entries()) insertChunk(database, firstChunk + i, id, chunk);
    if (builder.chunks > 0) builder.write(database, id, firstChunk);
    commit(database, document.docId, document.version);
    bumpChange(database);
    return 'ok';
  });
}

function nextChunkId(database: IndexDatabase): number {
  const row = database.get("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'");
  return ((row?.['seq'] as number | undefined) ?? 0) + 1;
}

function insertChunk(database: IndexDatabase, id: number, document: number, chunk: Chunk): void {
  database.run(
    'INSERT INTO chunk(id, document, start, "end", page, page_end, section, context, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    document,
    chunk.start,
    chunk.end,
    chunk.page,
    chunk.pageEnd,
    JSON.stringify(chunk.section),
    chunk.context,
    chunk.text,
  );
}

function search(core: Core, query: SearchQuery): SearchAnswer {
  const { database, snapshot, vocabulary } = core;
  const started = performance.now();
  return database.read(() => {
    snapshot.refresh();
    const documents = filteredDocuments(database, query.filter);
    const wanted = query.offset + query.topK;
    const ranked = rankChunks({
      database,
      snapshot,
      vocabulary,
      query: query.query,
      mode: query.mode,
      allowed: (segment) => snapshot.allowed(segment, documents),
      limit: poolSize(wanted),
    });
    const marked = new Set(ranked.terms.map((term) => term.term));
    const chars = !ranked.tokens.some((token) => token.kind === 'pair');
    const hits = spread(ranked.top)
      .slice(query.offset, wanted)
      .map((scored) => toHit(database, scored, (text) => highlight(text, marked, { chars })));
    return { hits, total: ranked.total, tookMs: performance.now() - started, notice: null };
  });
}

/** Chunks that are ranked for a page: the same for neighbouring pages, so that paging neither repeats nor skips a hit. */
function poolSize(wanted: number): number {
  let size = 512;
  while (size < 4 * wanted) size *= 2;
  return size;
}

function toHit(database: IndexDatabase, scored: Scored, mark: (text: string) => [number, number][]): SearchHit {
  const chunkId = chunkIdOf(scored);
  const { document, firstChunk } = findDocumentById(database, scored.segment.runAt(scored.row).document)!;
  const row = database.get('SELECT start, "end", page, page_end, section, text FROM chunk WHERE id = ?', chunkId)!;
  const text = row['text'] as string;
  return {
    score: scored.score,
    docId: document.docId,
    version: document.version,
    filename: document.filename,
    title: document.title,
    text,
    highlights: mark(text),
    chunkIndex: chunkId - firstChunk,
    start: row['start'] as number,
    end: row['end'] as number,
    page: row['page'] as number | null,
    pageEnd: row['page_end'] as number | null,
    section: JSON.parse(row['section'] as string) as string[],
  };
}

function fileBytes(path: string): number {
  return [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}
