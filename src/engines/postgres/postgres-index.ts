/**
 * The index in PostgreSQL: the same segments, tokens and ranking as in an index file, so the same answers. What decides a task's
 * fate is done in a transaction, which may be part of a larger one.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Embedder } from '../../embed/embedder.ts';
import type { Logger } from '../../logger.ts';
import { chunkTerms } from '../../search/chunk-terms.ts';
import type { DocumentIndex, IndexedDocument } from '../../search/document-index.ts';
import type { ChunkRow } from '../../search/hits.ts';
import type { Reranker } from '../../search/reranker.ts';
import { Searcher } from '../../search/searcher.ts';
import { SegmentBuilder } from '../../search/segments.ts';
import { readStagedChunks, readStagedMeta, type StagedChunk } from '../../search/staging.ts';
import { signsOf } from '../../search/vector-bits.ts';
import type { TaskId } from '../../tasks/task.ts';
import type { Database } from './database.ts';
import { createIndexCatalog, type IndexCatalog } from './index-catalog.ts';
import { createPostgresAnswers } from './postgres-answers.ts';
import { insertSegment, mergeSome } from './segment-store.ts';

export interface PostgresIndex extends DocumentIndex {
  /** Keeps other decisions about a document waiting until the transaction ends. */
  lock(docId: string): Promise<void>;
}

export function createPostgresIndex(options: {
  database: Database;
  embedder: Embedder;
  reranker?: Reranker | null;
  /** Whether this process merges segments after it has added some. */
  merges: boolean;
  logger: Logger;
}): PostgresIndex {
  const { database, embedder } = options;
  const catalog = createIndexCatalog(database);
  const searcher = new Searcher(createPostgresAnswers(database, catalog, embedder), embedder, options.reranker ?? null);
  const merging = createMerging(options);

  /** A decision about one document: nobody else takes one meanwhile. */
  const decide = <T>(docId: string, work: () => Promise<T>): Promise<T> =>
    database.transaction(async () => {
      await catalog.lock(docId);
      return work();
    });

  return {
    lock: (docId) => catalog.lock(docId),
    async replace(document, folder) {
      const outcome = await decide(document.docId, () => replace(database, catalog, document, folder));
      if (outcome === 'ok') await database.afterCommit(() => merging.start());
      return outcome;
    },
    touch: (docId, version, change) =>
      decide(docId, async () => {
        const verdict = await catalog.admit(docId, version);
        if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
        const entry = await catalog.find(docId);
        if (entry === null) return 'stale';
        await catalog.rename(entry, version, change);
        await catalog.commit(docId, version);
        return 'ok';
      }),
    revoke: (docId, version) =>
      decide(docId, async () => {
        if (await catalog.isCommitted(version)) return 'committed';
        await database.run('INSERT INTO revoked(version) VALUES ($1) ON CONFLICT DO NOTHING', [version]);
        return 'ok';
      }),
    reinstate: (docId, version) =>
      decide(docId, async () => void (await database.run('DELETE FROM revoked WHERE version = $1', [version]))),
    remove: (docId, fence) =>
      decide(docId, async () => {
        await catalog.raiseFence(docId, fence);
        const entry = await catalog.find(docId);
        if (entry === null || entry.document.version > fence) return false;
        await catalog.drop(entry);
        return true;
      }),
    info: async (docId) => (await catalog.find(docId))?.document ?? null,
    wasCommitted: (_docId, version) => catalog.isCommitted(version),
    list: (listOptions) => catalog.list(listOptions),
    search: (query) => searcher.search(query),
    async stats() {
      const [row] = await database.query(
        `SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks, pg_total_relation_size('chunk') +
          pg_total_relation_size('posting_block') + pg_total_relation_size('segment') + pg_total_relation_size('vector') AS bytes FROM document`,
      );
      return row as { documents: number; chunks: number; bytes: number };
    },
    purge: (before) => database.transaction(() => purge(database, before)),
    close: () => merging.close(),
  };
}

async function replace(
  database: Database,
  catalog: IndexCatalog,
  document: IndexedDocument,
  folder: string,
): Promise<'ok' | 'stale' | 'revoked'> {
  const verdict = await catalog.admit(document.docId, document.version);
  if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
  const old = await catalog.find(document.docId);
  if (old !== null) await catalog.drop(old);
  const { dimensions } = await readStagedMeta(folder);
  const { id, firstChunk } = await catalog.insert(document, document.chunks);
  const builder = new SegmentBuilder();
  const signs: Uint8Array[] = [];
  for await (const batch of readStagedChunks(folder, dimensions)) {
    for (const { chunk } of batch) builder.add(chunkTerms(chunk, document.title));
    await insertChunks(database, firstChunk, batch);
    const vectors = batch.flatMap(({ vector }) => (vector === null ? [] : [vector]));
    if (vectors.length > 0) signs.push(signsOf(vectors));
    await nextTurn();
  }
  if (builder.chunks > 0) await insertSegment(database, builder.build(id, firstChunk));
  if (signs.length > 0) {
    const sql = 'INSERT INTO vector_bits(document, first_chunk, embedder, data) VALUES ($1, $2, $3, $4)';
    await database.run(sql, [id, firstChunk, document.embedder, Buffer.concat(signs)]);
  }
  await catalog.commit(document.docId, document.version);
  return 'ok';
}

async function insertChunks(database: Database, firstChunk: number, batch: readonly StagedChunk[]): Promise<void> {
  const ids = batch.map(({ chunk }) => firstChunk + chunk.index);
  const bodies = batch.map(({ chunk }) => {
    const { start, end, page, pageEnd, section, text } = chunk;
    return JSON.stringify({ start, end, page, page_end: pageEnd, section: JSON.stringify(section), text } satisfies ChunkRow);
  });
  await database.run('INSERT INTO chunk(id, body) SELECT * FROM unnest($1::bigint[], $2::text[])', [ids, bodies]);
  const vectors = batch.flatMap(({ chunk, vector }) =>
    vector === null
      ? []
      : [{ id: firstChunk + chunk.index, data: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength) }],
  );
  if (vectors.length === 0) return;
  const sql = 'INSERT INTO vector(chunk, data) SELECT * FROM unnest($1::bigint[], $2::bytea[])';
  await database.run(sql, [vectors.map(({ id }) => id), vectors.map(({ data }) => data)]);
}

async function purge(database: Database, before: TaskId): Promise<void> {
  await database.run('DELETE FROM revoked WHERE version < $1', [before]);
  await database.run('DELETE FROM committed WHERE version < $1 AND version NOT IN (SELECT version FROM document)', [before]);
  await database.run('DELETE FROM fence WHERE version < $1 AND doc_key NOT IN (SELECT doc_key FROM document)', [before]);
}

/** Merging of segments in the background, one merge at a time in all processes together. */
function createMerging(options: { database: Database; merges: boolean; logger: Logger }): {
  start(): void;
  close(): Promise<void>;
} {
  let closed = !options.merges;
  let running: Promise<void> | null = null;
  let again = false;

  async function merge(): Promise<void> {
    do {
      again = false;
      while (!closed && (await mergeSome(options.database)));
    } while (again && !closed);
  }

  return {
    start() {
      again = true;
      if (closed || running !== null) return;
      running = merge()
        .catch((error: unknown) => options.logger.warn({ err: error }, 'merging index segments failed'))
        .finally(() => (running = null));
    },
    async close() {
      closed = true;
      await running;
    },
  };
}
