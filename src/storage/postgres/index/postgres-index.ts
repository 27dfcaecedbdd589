/**
 * The index in PostgreSQL. Its arbiter is here: what decides a task's fate is done in a transaction, which may be part of a larger one. Whoever
 * finds is told in the same transaction (`finder.ts`). In an index of our own the same segments, tokens and ranking give the same answers as in
 * an index file.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DocumentIndex, IncomingDocument, IndexStats } from '../../../search/document-index.ts';
import type { Postings } from '../../../search/index/postings.ts';
import { patched, renamed, withKept } from '../../../search/said.ts';
import { readStagedChunks, readStagedMeta, type StagedChunk, versionOf } from '../../../search/index/staging.ts';
import { noTask } from '../../../tasks/task.ts';
import type { Database } from '../database.ts';
import { createDocumentReader } from './document-reader.ts';
import { type CatalogEntry, createIndexCatalog } from './index-catalog.ts';
import { createFollowingFinder, type FollowingFinderOptions } from '../outbox/following-finder.ts';
import { createOwnSegments, type OwnSegmentsOptions } from './own-segments.ts';
import type { Standing } from '../standing.ts';
import { remembered } from './remembered.ts';
import type { StoredChunk } from './stored-chunk.ts';

/** Documents that are counted exactly; the number of more is at most a second old. */
const countedMax = 1000;

export interface PostgresIndex extends DocumentIndex {
  /** Keeps other decisions about a document waiting until the transaction ends. */
  lock(docId: string): Promise<void>;
}

export type PostgresIndexOptions = OwnSegmentsOptions & {
  /** Who finds; absent: segments of our own. */
  readonly follows?: Pick<FollowingFinderOptions, 'searcher' | 'tables' | 'waitMs'> | null;
  /** What must hold for a decision; absent: nobody migrates beside it. */
  readonly standing?: Standing;
};

export function createPostgresIndex(options: PostgresIndexOptions): PostgresIndex {
  const { database } = options;
  const catalog = createIndexCatalog(database);
  const reader = createDocumentReader(database, catalog);
  const { follows = null, standing } = options;
  const finder =
    follows === null ? createOwnSegments(reader, options) : createFollowingFinder(reader, catalog, { ...options, ...follows });

  /** A decision about one document: nobody else takes one meanwhile. */
  const decide = <T>(docId: string, work: () => Promise<T>): Promise<T> =>
    database.transaction(async () => {
      await standing?.require();
      await catalog.lock(docId);
      return work();
    });

  const remove = (docId: string, ordinal: number): Promise<boolean> =>
    decide(docId, async () => {
      await catalog.raiseFence(docId, { id: noTask, ordinal });
      const entry = await catalog.find(docId);
      if (entry === null || entry.document.ordinal > ordinal) return false;
      await drop(entry);
      return true;
    });

  async function drop(entry: CatalogEntry): Promise<void> {
    await catalog.drop(entry);
    await finder.drop(entry);
  }

  async function replace(incoming: IncomingDocument, { folder, postings }: Arrival): Promise<'ok' | 'stale' | 'revoked'> {
    const version = versionOf(incoming);
    const { verdict, entry: old } = await catalog.admit(incoming.docId, version);
    if (verdict !== 'ok') return verdict === 'done' ? 'ok' : verdict;
    const document = withKept(incoming, old?.document ?? null);
    if (old !== null) await drop(old);
    const { dimensions } = await readStagedMeta(folder);
    const entry = { ...(await catalog.insert(document, document.chunks)), document };
    const arriving = finder.begin(entry, postings);
    for await (const batch of readStagedChunks(folder, dimensions)) {
      await insertChunks(database, entry.firstChunk, batch);
      await arriving.take(batch);
      await nextTurn();
    }
    await arriving.done();
    await catalog.commit(document.docId, version);
    return 'ok';
  }

  async function stats(): Promise<IndexStats> {
    const [row] = await database.query(
      `SELECT count(*) AS documents, coalesce(sum(chunks), 0) AS chunks, ${sizes} AS bytes FROM document`,
    );
    const figures = row as { documents: number; chunks: number; bytes: number };
    return finder.outbox === undefined ? figures : { ...figures, backlog: await finder.outbox.backlog() };
  }

  const sizes = ['chunk', ...finder.tables].map((table) => `pg_total_relation_size('${table}')`).join(' + ');
  const allStats = remembered(
    () => catalog.stats(null),
    (found) => sum([...found.values()].map(({ documents }) => documents)) > countedMax,
  );

  return {
    lock: (docId) => catalog.lock(docId),
    async replace(document, folder, postings) {
      const outcome = await decide(document.docId, () => replace(document, { folder, postings }));
      if (outcome === 'ok') await database.afterCommit(() => finder.added());
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
    chunks: (docId, from, limit) => reader.chunks(docId, from, limit),
    wasCommitted: (_docId, version) => catalog.isCommitted(version),
    list: (query) => {
      const { filters, q, sort } = query;
      return filters === undefined && q === undefined && sort === undefined ? catalog.list(query) : reader.list(query);
    },
    search: (query, stop) => finder.search(query, stop),
    stats: remembered(stats, ({ documents }) => documents > countedMax),
    // Counted whenever it is asked for.
    recount: () => Promise.resolve(),
    collectionStats: (names) => (names === null ? allStats() : catalog.stats(names)),
    async purge(ordinal) {
      await purge(database, ordinal);
      finder.tidy();
    },
    async highestOrdinal() {
      const numbered = ['document_part', 'fence', 'committed', 'revoked'].map(
        (table) => `SELECT max(ordinal) AS ordinal FROM ${table}`,
      );
      const [row] = await database.query(`SELECT max(ordinal) AS highest FROM (${numbered.join(' UNION ALL ')}) AS numbered`);
      return (row!['highest'] as number | null) ?? 0;
    },
    ...(finder.check === undefined ? {} : { checkSearcher: finder.check }),
    close: () => finder.close(),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

type Arrival = { readonly folder: string; readonly postings: Postings | undefined };

async function insertChunks(database: Database, firstChunk: number, batch: readonly StagedChunk[]): Promise<void> {
  const ids = batch.map(({ chunk }) => firstChunk + chunk.index);
  const bodies = batch.map(({ chunk }) => {
    const { start, end, page, pageEnd, section, context, text } = chunk;
    const headed = context === '' ? {} : { context };
    return JSON.stringify({
      start,
      end,
      page,
      page_end: pageEnd,
      section: JSON.stringify(section),
      ...headed,
      text,
    } satisfies StoredChunk);
  });
  await database.run('INSERT INTO chunk(id, body) SELECT * FROM unnest($1::bigint[], $2::text[])', [ids, bodies]);
}

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
