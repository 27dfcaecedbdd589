/**
 * The index on SQLite: catalogue, chunk texts and inverted index in one file, so that a document appears, changes and goes in
 * one transaction for every process. All work is synchronous inside; run it off the event loop (`threaded-index.ts`).
 */
import { collectionOf } from '../../documents/document-name.ts';
import { statSync } from 'node:fs';
import type { Embedder } from '../../embed/embedder.ts';
import { AppError } from '../../errors.ts';
import { noTask, type Version } from '../../tasks/task.ts';
import { readStagedChunks, readStagedMeta, versionOf } from '../index/staging.ts';
import type { Chunk } from '../../chunk/chunk.ts';
import {
  admit,
  clearRevoked,
  collectionStats,
  commit,
  dropDocument,
  findDocument,
  highestOrdinal,
  insertDocument,
  isCommitted,
  isRevoked,
  listDocuments,
  markRevoked,
  purgeCatalog,
  raiseFence,
  recountCollections,
  renameDocument,
  writeSaid,
} from './catalog.ts';
import { type IndexDatabase, openDatabase } from './database.ts';
import type { DocumentIndex, IncomingDocument } from '../document-index.ts';
import { partsOf, type Postings, PostingsBuilder } from '../index/postings.ts';
import { insertVectors, listVectors } from '../index/vectors.ts';
import {
  addBlockSlice,
  addChunkSlice,
  type Arrival,
  beginSlices,
  endArrival,
  giveUpArrival,
  insertChunk,
  type Rest,
  type SliceSteps,
  type Verdict,
} from './slices.ts';
import { createDeadNotes, hasToSweep, sweepSlice } from './unlisted.ts';
import { reembedSome } from './reembed.ts';
import type { Reranker } from '../models/reranker.ts';
import { patched, withKept } from '../said.ts';
import { followTables } from './sqlite-table.ts';
import { openTombstones } from './tombstones.ts';
import { dictionaryFor } from '../translation/dictionary.ts';
import { Searcher } from '../ranking/searcher.ts';
import { answersOf, listChunks } from './sqlite-answers.ts';
import { bumpChange, dropDeadMerges, insertSegment, mergeDue, mergeSegments, segmentOf } from '../index/segments.ts';

export type SqliteIndexOptions = {
  readonly indexDir: string;
  readonly embedder: Embedder;
  /** Reads the first hits of hybrid and vector searches again. */
  readonly reranker?: Reranker | null;
  /** Whether questions are translated; true when absent. */
  readonly translates?: boolean;
};

export interface SqliteIndex extends Omit<DocumentIndex, 'filled' | 'isFilled' | 'checkSearcher'>, SliceSteps {
  /** Embeds a few documents again whose vectors are of another embedder. Says how many are left. */
  reembed(): Promise<number>;
  /** Whether the index is to be filled from the stored documents: it is new, or its predecessor was damaged. */
  rebuildState(): RebuildState;
  setRebuildState(state: RebuildState): void;
  /** Stored versions that will be put back: from now on no older one of their documents is taken. */
  expect(stored: readonly { readonly docId: string; readonly version: Version }[]): void;
  /** What SQLite finds wrong with the file, one sentence each; empty when nothing. Reads all of it. */
  check(): string[];
  /** Does one step of what is due: of a merge of segments, of sweeping what is listed no more. True when it did: ask again. */
  tidy(): boolean;
  /** Finds what dead processes left half-way, when asked every few seconds. True when there is something to tidy. */
  findDead(): boolean;
}

/**
 * `new`: nobody has looked for stored documents yet. `damaged`: it is not known which are stored, so that no version is taken
 * yet, lest an older one come before a newer. `running`: they are being put back. In both a search says that some are missing.
 */
export type RebuildState = 'new' | 'damaged' | 'running' | 'done';

/** Opens the index, making it when there is none. */
export function openSqliteIndex(options: SqliteIndexOptions): SqliteIndex {
  const database = openDatabase(options.indexDir);
  const rebuildState = () => database.get("SELECT value FROM meta WHERE key = 'rebuild'")!['value'] as RebuildState;
  const tombstones = openTombstones(options.indexDir, database, { indexIsNew: ['new', 'damaged'].includes(rebuildState()) });
  const tables = followTables(database);
  const ask = answersOf(database, options.embedder, { tables, dictionary: dictionaryFor(options.translates) });
  const deadNotes = createDeadNotes(database);
  let merge: Generator<void, boolean> | null = null;
  const searcher = new Searcher(ask, options.embedder, options.reranker ?? null);

  function stepOn(): boolean {
    try {
      const step = merge!.next();
      if (step.done !== true) return true;
      merge = null;
      return step.value;
    } catch (error) {
      merge = null;
      throw error;
    }
  }

  return {
    replace: (document, folder, postings) => replace(database, document, folder, postings),
    async beginSlices(document, chunks) {
      const verdict = admit(database, document.docId, versionOf(document));
      if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
      return beginSlices(database, document.version, chunks);
    },
    async addChunks(arrival, folder, slice) {
      const { dimensions } = await readStagedMeta(folder);
      return addChunkSlice(database, arrival, { folder, dimensions, ...slice });
    },
    async addBlocks(arrival, blocks) {
      addBlockSlice(database, arrival, blocks);
    },
    async listSlices(arrival, document, rest) {
      return database.write(() => listSlices(database, arrival, document, rest));
    },
    async dropSlices(arrival) {
      database.tidy(() => giveUpArrival(database, arrival));
    },
    async touch(docId, version, change) {
      return database.write(() => {
        refuseWhileUnknown(database);
        if (isRevoked(database, version.id)) return 'revoked';
        const verdict = admit(database, docId, version);
        if (verdict === 'done') return 'ok';
        const current = findDocument(database, docId);
        if (verdict !== 'ok' || current === null) return 'stale';
        renameDocument(database, current.document, version, change);
        commit(database, docId, version);
        bumpChange(database, collectionOf(docId));
        return 'ok';
      });
    },
    async change(docId, patch) {
      return database.write(() => {
        const current = findDocument(database, docId);
        if (current === null) return null;
        const document = patched(current.document, patch);
        writeSaid(database, document);
        bumpChange(database, collectionOf(docId));
        return document;
      });
    },
    async revoke(_docId, version) {
      const answer = database.write(() => {
        if (isCommitted(database, version.id)) return 'committed';
        markRevoked(database, version);
        return 'ok';
      });
      if (answer === 'ok') tombstones.revoke(version);
      return answer;
    },
    async reinstate(_docId, version) {
      database.write(() => clearRevoked(database, version));
      tombstones.reinstate(version);
    },
    async remove(docId, ordinal) {
      tombstones.remove([docId], ordinal);
      return database.write(() => removeDocument(database, docId, ordinal));
    },
    async info(docId) {
      return findDocument(database, docId)?.document ?? null;
    },
    async chunks(docId, from, limit) {
      return database.read(() => listChunks(database, docId, from, limit));
    },
    async wasCommitted(_docId, version) {
      return isCommitted(database, version);
    },
    async list(query) {
      return database.read(() => listDocuments(database, query, tables));
    },
    async search(query, stop) {
      return searcher.search(query, stop);
    },
    async stats() {
      const row = database.get(
        'SELECT coalesce(sum(documents), 0) AS documents, coalesce(sum(chunks), 0) AS chunks FROM collection',
      )!;
      return { documents: row['documents'] as number, chunks: row['chunks'] as number, bytes: fileBytes(database.path) };
    },
    async recount() {
      database.write(() => recountCollections(database));
    },
    async collectionStats(names) {
      return collectionStats(database, names);
    },
    async removeMany(docIds, ordinal) {
      tombstones.remove(docIds, ordinal);
      database.write(() => {
        for (const docId of docIds) removeDocument(database, docId, ordinal);
      });
    },
    async purge(ordinal) {
      database.write(() => purgeCatalog(database, ordinal));
      tombstones.purge(ordinal);
    },
    async highestOrdinal() {
      return highestOrdinal(database);
    },
    async close() {
      tombstones.close();
      database.close();
    },
    reembed: () => reembedSome(database, options.embedder),
    rebuildState,
    setRebuildState(state) {
      database.write(() => database.run("UPDATE meta SET value = ? WHERE key = 'rebuild'", state));
    },
    expect(stored) {
      database.tidy(() => {
        for (const { docId, version } of stored) raiseFence(database, docId, version);
      });
    },
    check() {
      const found = database.all('PRAGMA integrity_check').map((row) => String(row['integrity_check']));
      return found.filter((sentence) => sentence !== 'ok');
    },
    tidy() {
      if (sweepSlice(database)) return true;
      if (merge === null) {
        const ids = mergeDue(database);
        if (ids === null) return dropDeadMerges(database);
        merge = mergeSegments(database, ids);
      }
      return stepOn();
    },
    findDead() {
      deadNotes.look();
      return hasToSweep(database);
    },
  };
}

/** Reads, and analyses what nobody has analysed, first, so that the write lock is held only for writing. */
async function replace(
  database: IndexDatabase,
  incoming: IncomingDocument,
  folder: string,
  given: Postings | undefined,
): Promise<Verdict> {
  const version = versionOf(incoming);
  const before = admit(database, incoming.docId, version);
  if (before !== 'ok') return before === 'done' ? 'ok' : before;
  const builder = given === undefined ? new PostingsBuilder(incoming.title) : null;
  const chunks: Chunk[] = [];
  const vectors: Float32Array[] = [];
  const { dimensions } = await readStagedMeta(folder);
  for await (const batch of readStagedChunks(folder, dimensions)) {
    for (const { chunk, vector } of batch) {
      builder?.add(chunk);
      chunks.push(chunk);
      if (vector !== null) vectors.push(vector);
    }
  }
  const postings = given ?? builder!.done();
  return database.write(() => {
    const firstChunk = nextChunkId(database);
    const listed = list(database, incoming, { firstChunk, chunks: chunks.length });
    if (typeof listed === 'string') return listed;
    const { id, collection, embedder } = listed;
    for (const [i, chunk] of chunks.entries()) insertChunk(database, firstChunk + i, id, chunk);
    if (chunks.length > 0) insertSegment(database, collection, segmentOf(partsOf(postings), id, firstChunk));
    if (vectors.length > 0) insertVectors(database, { collection, document: id, firstChunk, embedder }, vectors);
    return 'ok';
  });
}

/** The switch to a document whose rows are all there. Call inside a write transaction. */
function listSlices(
  database: IndexDatabase,
  arrival: Arrival,
  incoming: IncomingDocument,
  { lengths, words, signs }: Rest,
): Verdict {
  const { document, firstChunk, segment } = arrival;
  const parts = { lengths: new Uint16Array(lengths.slice().buffer), words, blocks: [] };
  const listed = list(database, incoming, { id: document, firstChunk, chunks: parts.lengths.length });
  if (typeof listed === 'string') {
    giveUpArrival(database, arrival);
    return listed;
  }
  endArrival(database, arrival);
  const { collection, embedder } = listed;
  if (parts.lengths.length > 0) insertSegment(database, collection, segmentOf(parts, document, firstChunk), segment);
  if (signs !== null) listVectors(database, { collection, document, firstChunk, embedder }, signs);
  return 'ok';
}

/** Lists a document in place of the version before, when it may be. */
function list(
  database: IndexDatabase,
  incoming: IncomingDocument,
  rows: { readonly id?: number; readonly firstChunk: number; readonly chunks: number },
): Verdict | { readonly id: number; readonly collection: string; readonly embedder: string } {
  refuseWhileUnknown(database);
  const version = versionOf(incoming);
  const verdict = admit(database, incoming.docId, version);
  if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
  const old = findDocument(database, incoming.docId);
  const document = withKept(incoming, old?.document ?? null);
  if (old !== null) dropDocument(database, old);
  const id = insertDocument(database, document, rows);
  const collection = collectionOf(document.docId);
  commit(database, document.docId, version);
  bumpChange(database, collection);
  return { id, collection, embedder: document.embedder };
}

function removeDocument(database: IndexDatabase, docId: string, ordinal: number): boolean {
  raiseFence(database, docId, { id: noTask, ordinal });
  const current = findDocument(database, docId);
  if (current === null || current.document.ordinal > ordinal) return false;
  dropDocument(database, current);
  bumpChange(database, collectionOf(docId));
  return true;
}

/** @throws AppError `unavailable`, to be tried again. */
function refuseWhileUnknown(database: IndexDatabase): void {
  const state = database.get("SELECT value FROM meta WHERE key = 'rebuild'")!['value'];
  if (state === 'damaged') throw new AppError('unavailable', 'The index is being rebuilt; try again in a moment.');
}

function nextChunkId(database: IndexDatabase): number {
  const row = database.get("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'");
  return ((row?.['seq'] as number | undefined) ?? 0) + 1;
}

function fileBytes(path: string): number {
  return [path, `${path}-wal`].reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}
