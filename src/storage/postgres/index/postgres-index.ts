/**
 * The index in PostgreSQL: the same segments, tokens and ranking as in an index file, so the same answers. What decides a task's
 * fate is done in a transaction, which may be part of a larger one.
 */
import { collectionOf } from '../../../documents/document-name.ts';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Embedder } from '../../../embed/embedder.ts';
import type { Logger } from '../../../logger.ts';
import type { DocumentIndex, IncomingDocument } from '../../../search/document-index.ts';
import type { ChunkRow } from '../../../search/ranking/hits.ts';
import type { Reranker } from '../../../search/models/reranker.ts';
import { patched, renamed, withKept } from '../../../search/said.ts';
import { dictionaryFor } from '../../../search/translation/dictionary.ts';
import { Searcher } from '../../../search/ranking/searcher.ts';
import { partsOf, type Postings, PostingsBuilder } from '../../../search/index/postings.ts';
import { mergeWidth, segmentOf } from '../../../search/index/segments.ts';
import { readStagedChunks, readStagedMeta, type StagedChunk, versionOf } from '../../../search/index/staging.ts';
import { signsOf } from '../../../search/index/vector-bits.ts';
import { noTask } from '../../../tasks/task.ts';
import type { Database } from '../database.ts';
import { createIndexCatalog, type IndexCatalog } from './index-catalog.ts';
import { createPostgresAnswers } from './postgres-answers.ts';
import { remembered } from './remembered.ts';
import { insertSegment, MergeFailed, mergeSome, renewSome } from './segment-store.ts';

/** Documents that are counted exactly; the number of more is at most a second old. */
const countedMax = 1000;

export interface PostgresIndex extends DocumentIndex {
  /** Keeps other decisions about a document waiting until the transaction ends. */
  lock(docId: string): Promise<void>;
}

export function createPostgresIndex(options: {
  database: Database;
  embedder: Embedder;
  reranker?: Reranker | null;
  /** Whether questions are translated; true when absent. */
  translates?: boolean;
  /** Whether this process merges segments after it has added some. */
  merges: boolean;
  logger: Logger;
}): PostgresIndex {
  const { database, embedder } = options;
  const catalog = createIndexCatalog(database);
  const answers = createPostgresAnswers(database, catalog, embedder, dictionaryFor(options.translates));
  const searcher = new Searcher(answers.ask, embedder, options.reranker ?? null);
  const merging = createMerging(options);

  /** A decision about one document: nobody else takes one meanwhile. */
  const decide = <T>(docId: string, work: () => Promise<T>): Promise<T> =>
    database.transaction(async () => {
      await catalog.lock(docId);
      return work();
    });

  const remove = (docId: string, ordinal: number): Promise<boolean> =>
    decide(docId, async () => {
      await catalog.raiseFence(docId, { id: noTask, ordinal });
      const entry = await catalog.find(docId);
      if (entry === null || entry.document.ordinal > ordinal) return false;
      await catalog.drop(entry);
      return true;
    });

  async function stats(): Promise<{ documents: number; chunks: number; bytes: number }> {
    const [row] = await database.query(
      `SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks, pg_total_relation_size('chunk') +
        pg_total_relation_size('posting_block') + pg_total_relation_size('segment') + pg_total_relation_size('vector') AS bytes FROM document`,
    );
    return row as { documents: number; chunks: number; bytes: number };
  }

  const allStats = remembered(
    () => catalog.stats(null),
    (found) => sum([...found.values()].map(({ documents }) => documents)) > countedMax,
  );

  return {
    lock: (docId) => catalog.lock(docId),
    async replace(document, folder, postings) {
      const outcome = await decide(document.docId, () => replace(database, catalog, document, { folder, postings }));
      if (outcome === 'ok') await database.afterCommit(() => merging.added());
      return outcome;
    },
    touch: (docId, version, change) =>
      decide(docId, async () => {
        const { verdict, entry } = await catalog.admit(docId, version);
        if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
        if (entry === null) return 'stale';
        await catalog.write(entry, renamed(entry.document, version, change));
        await catalog.commit(docId, version);
        return 'ok';
      }),
    change: (docId, patch) =>
      decide(docId, async () => {
        const entry = await catalog.find(docId);
        if (entry === null) return null;
        const document = patched(entry.document, patch);
        await catalog.write(entry, document);
        return document;
      }),
    revoke: (docId, version) =>
      decide(docId, async () => {
        if (await catalog.isCommitted(version.id)) return 'committed';
        const sql = 'INSERT INTO revoked(version, ordinal) VALUES ($1, $2) ON CONFLICT DO NOTHING';
        await database.run(sql, [version.id, version.ordinal]);
        return 'ok';
      }),
    reinstate: (docId, version) =>
      decide(docId, async () => void (await database.run('DELETE FROM revoked WHERE version = $1', [version]))),
    remove,
    removeMany: (docIds, ordinal) =>
      database.transaction(async () => {
        // In one order, so that two of them never wait for each other.
        for (const docId of docIds.toSorted()) await remove(docId, ordinal);
      }),
    info: async (docId) => (await catalog.find(docId))?.document ?? null,
    chunks: answers.chunks,
    wasCommitted: (_docId, version) => catalog.isCommitted(version),
    list: (query) => {
      const { filters, q, sort } = query;
      return filters === undefined && q === undefined && sort === undefined ? catalog.list(query) : answers.list(query);
    },
    search: (query, stop) => searcher.search(query, stop),
    stats: remembered(stats, ({ documents }) => documents > countedMax),
    // Counted whenever it is asked for.
    recount: () => Promise.resolve(),
    collectionStats: (names) => (names === null ? allStats() : catalog.stats(names)),
    async purge(ordinal) {
      await purge(database, ordinal);
      merging.start({ renew: true });
    },
    async highestOrdinal() {
      const numbered = ['document_part', 'fence', 'committed', 'revoked'].map(
        (table) => `SELECT max(ordinal) AS ordinal FROM ${table}`,
      );
      const [row] = await database.query(`SELECT max(ordinal) AS highest FROM (${numbered.join(' UNION ALL ')}) AS numbered`);
      return (row!['highest'] as number | null) ?? 0;
    },
    close: () => merging.close(),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

async function replace(
  database: Database,
  catalog: IndexCatalog,
  incoming: IncomingDocument,
  { folder, postings }: { readonly folder: string; readonly postings: Postings | undefined },
): Promise<'ok' | 'stale' | 'revoked'> {
  const version = versionOf(incoming);
  const { verdict, entry: old } = await catalog.admit(incoming.docId, version);
  if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
  const document = withKept(incoming, old?.document ?? null);
  if (old !== null) await catalog.drop(old);
  const { dimensions } = await readStagedMeta(folder);
  const { id, firstChunk } = await catalog.insert(document, document.chunks);
  const builder = postings === undefined ? new PostingsBuilder(document.title) : null;
  const signs: Uint8Array[] = [];
  for await (const batch of readStagedChunks(folder, dimensions)) {
    for (const { chunk } of batch) builder?.add(chunk);
    await insertChunks(database, firstChunk, batch);
    const vectors = batch.flatMap(({ vector }) => (vector === null ? [] : [vector]));
    if (vectors.length > 0) signs.push(signsOf(vectors));
    await nextTurn();
  }
  const collection = collectionOf(document.docId);
  const made = postings ?? builder!.done();
  if (made.chunks > 0) await insertSegment(database, collection, segmentOf(partsOf(made), id, firstChunk));
  if (signs.length > 0) {
    const sql = 'INSERT INTO vector_bits(document, first_chunk, embedder, data, collection) VALUES ($1, $2, $3, $4, $5)';
    await database.run(sql, [id, firstChunk, document.embedder, Buffer.concat(signs), collection]);
  }
  await catalog.commit(document.docId, version);
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

/** After a document, what is to be merged is looked for within this. */
const mergePauseMs = 500;

/** Rows forgotten in one transaction, so that none takes long. */
const purgedAtOnce = 10_000;

/**
 * Forgets what can matter to no task any more, a little at a time; another process that is at it already is left to it. Costs what is forgotten,
 * however much is kept.
 */
async function purge(database: Database, ordinal: number): Promise<void> {
  for (const rows of [
    'revoked WHERE ordinal < $1',
    'committed WHERE outdated AND ordinal < $1',
    'fence WHERE outdated AND ordinal < $1',
  ]) {
    const table = rows.split(' ')[0]!;
    const sql = `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${rows} LIMIT ${purgedAtOnce}))`;
    for (let removed = purgedAtOnce; removed === purgedAtOnce;)
      removed = await database.transaction(async () => {
        const [lock] = await database.query(`SELECT pg_try_advisory_xact_lock(hashtext('rag_intake purge')) AS got`);
        return lock?.['got'] === true ? database.run(sql, [ordinal]) : 0;
      });
  }
}

/** Merging of segments in the background, one merge at a time in all processes together. */
function createMerging(options: { database: Database; merges: boolean; logger: Logger }): {
  /** A document was: looks what is to be merged after some of them, or a pause. */
  added(): void;
  /** Looks now. `renew`: large segments of which much is gone as well. */
  start(what: { renew: boolean }): void;
  close(): Promise<void>;
} {
  const { database, logger } = options;
  let closed = !options.merges;
  let running: Promise<void> | null = null;
  let again = false;
  let renew = false;
  let added = 0;
  let pause: NodeJS.Timeout | undefined;
  /** Segments whose merge failed: it would fail again. */
  const left = new Set<number>();

  async function mergeAll(): Promise<void> {
    while (again && !closed) {
      again = false;
      const renewing = renew;
      renew = false;
      while (!closed && (await one(mergeSome)));
      while (renewing && !closed && (await one(renewSome)));
    }
  }

  async function one(step: typeof mergeSome): Promise<boolean> {
    try {
      return await step(database, left);
    } catch (error) {
      if (!(error instanceof MergeFailed)) throw error;
      for (const id of error.segments) left.add(id);
      logger.error({ err: error }, 'index segments cannot be merged and stay as they are; searches find all the same');
      return true;
    }
  }

  function start(what: { renew: boolean }): void {
    clearTimeout(pause);
    pause = undefined;
    added = 0;
    again = true;
    renew ||= what.renew;
    if (closed || running !== null) return;
    running = mergeAll()
      .catch((error: unknown) => logger.warn({ err: error }, 'merging index segments is put off until the next document'))
      .finally(() => (running = null));
  }

  return {
    start,
    added() {
      added += 1;
      if (closed) return;
      if (added >= mergeWidth) start({ renew: false });
      else pause ??= setTimeout(() => start({ renew: false }), mergePauseMs);
    },
    async close() {
      if (pause !== undefined) start({ renew: false });
      closed = true;
      await running;
    },
  };
}
