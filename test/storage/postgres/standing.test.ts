/** Nobody joins, and nobody decides, for what `migrate` is just replacing. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import type { DocumentIndex } from '../../../src/search/document-index.ts';
import { openPostgresContent, type PostgresContent } from '../../../src/storage/postgres/content.ts';
import { type Database, openDatabase } from '../../../src/storage/postgres/database.ts';
import { openPostgresEngine, type PostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { createPostgresIndex } from '../../../src/storage/postgres/index/postgres-index.ts';
import { migrate } from '../../../src/storage/postgres/schema.ts';
import { openSearcher, type SearcherName } from '../../../src/storage/postgres/searchers.ts';
import { joinStanding } from '../../../src/storage/postgres/standing.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { ask, type Databases } from '../../support/postgres.ts';
import { postgresEngineOptions } from '../../support/postgres-harness.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { stageDocument } from '../../support/staged-document.ts';
import { until } from '../../support/until.ts';

let server: Databases;
let url: string;
let folder: string;
let database: Database;
let toEnd: (() => Promise<unknown>)[];
let staged = 0;

beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  url = await server.newDatabase();
  folder = await mkdtemp(join(tmpdir(), 'standing-'));
  database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  toEnd = [];
});

afterEach(async () => {
  for (const end of toEnd.toReversed()) await end();
  await database.close();
  server.release(url);
  await rm(folder, { recursive: true, force: true });
});

const change = (searcher: SearcherName) => migrate(database, silentLogger, null, { searcher });

/** Keeps whoever changes the searcher from it while others read which one it is; what it gives lets go. */
async function holdSearcher(): Promise<() => Promise<unknown>> {
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE rag_intake.searcher IN SHARE MODE');
  return () => holder.end();
}

/** Whether there is such a lock in the database. */
const locked = async (condition: string): Promise<boolean> => {
  const sql = `SELECT 1 FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND ${condition}`;
  return (await ask(url, sql)).length > 0;
};
const waitsForSearcher = () => locked(`NOT granted AND relation = 'rag_intake.searcher'::regclass`);
const waitsForAnother = () => locked(`NOT granted AND locktype = 'advisory'`);
const decides = () => locked(`granted AND locktype = 'advisory' AND mode = 'ShareLock'`);

async function stage(docId: string, text: string): Promise<[Awaited<ReturnType<typeof stageDocument>>, string]> {
  staged += 1;
  const dir = join(folder, `staged-${staged}`);
  await mkdir(dir);
  const version = `0190a0b0-0000-7000-8000-${String(staged).padStart(12, '0')}` as TaskId;
  return [await stageDocument(dir, { docId, version, ordinal: staged, texts: [text] }), dir];
}

const put = async (index: DocumentIndex, docId: string, text: string) => index.replace(...(await stage(docId, text)));

async function found(index: DocumentIndex, query: string): Promise<string[]> {
  const { hits } = await index.search({ query, mode: 'keyword', topK: 10, offset: 0, filter: {} });
  return hits.map(({ docId }) => docId);
}

/** As a server that starts now, and ends with the test. */
async function openEngine(): Promise<PostgresEngine> {
  const workDir = join(folder, `work-${(staged += 1)}`);
  const engine = await openPostgresEngine(postgresEngineOptions(url, 'frontend', workDir));
  toEnd.push(() => engine.close());
  return engine;
}

/** As a server that starts now and has its tasks elsewhere. */
async function openContent(): Promise<PostgresContent> {
  const content = await openPostgresContent({
    url,
    owner: { id: `owner-${(staged += 1)}`, lost: new AbortController().signal },
    role: 'frontend',
    workDir: join(folder, `work-${staged}`),
    embedder: createBuiltinEmbedder(),
    connectionsMax: 4,
    logger: silentLogger,
  });
  toEnd.push(() => content.files.close());
  return content;
}

/** With what is noted now, as every process opens it. */
async function openIndex(): Promise<DocumentIndex> {
  const parts = { database, embedder: createBuiltinEmbedder(), merges: true, logger: silentLogger };
  const index = await joinStanding(database, async (standing) =>
    createPostgresIndex({ ...parts, standing, follows: await openSearcher(database, '') }),
  );
  toEnd.push(() => index.close());
  return index;
}

it.each([
  ['an engine', openEngine],
  ['the content of one that has its tasks elsewhere', openContent],
] as const)('%s that is opened while the searcher is changed, to and fro, takes the new one', async (_what, open) => {
  for (const [searcher, docId] of [
    ['postgres-fulltext', 'late'],
    ['segments', 'later'],
  ] as const) {
    const letGo = await holdSearcher();
    const changing = change(searcher);
    await until('the change waits', waitsForSearcher);
    let isOpen = false;
    const opening = open().finally(() => (isOpen = true));
    await until('the process waits for it, or does not', async () => isOpen || (await waitsForAnother()));
    await letGo();
    await changing;
    const { index } = await opening;

    expect(await put(index, docId, 'The heron stands in the reeds')).toBe('ok');
    expect(await found(await openIndex(), 'heron')).toContain(docId);
    for (const end of toEnd.splice(0).toReversed()) await end();
  }
});

it('waits for a decision that is being taken, and refuses those of whoever joined before', async () => {
  const before = await openIndex();
  await put(before, 'early', 'The heron stands in the reeds');
  const decided = Promise.withResolvers<void>();
  toEnd.push(() => Promise.resolve(decided.resolve()));
  const last = database.transaction(async () => {
    await put(before, 'last', 'A heron of the last moment');
    await decided.promise;
  });
  await until('it was decided', decides);
  const changing = change('postgres-fulltext');
  await until('the change waits', waitsForAnother);
  await expect(put(before, 'during', 'A heron')).rejects.toMatchObject({ code: 'unavailable' });
  decided.resolve();
  await Promise.all([last, changing]);

  await expect(put(before, 'late', 'A heron')).rejects.toMatchObject({ code: 'unavailable' });
  await expect(before.remove('early', 99)).rejects.toMatchObject({ code: 'unavailable' });
  const after = await openIndex();
  await until('the new searcher is filled', async () => (await found(after, 'heron')).length === 2);
  expect((await found(after, 'heron')).toSorted()).toEqual(['early', 'last']);
});

it('a server that was silent so long that it was thought dead decides nothing, and takes itself for lost', async () => {
  const frozen = await openEngine();
  await until('it was thought dead, and the searcher changed under it', async () => {
    await ask(url, `UPDATE rag_intake.owner SET seen_at = seen_at - interval '1 minute'`);
    return change('postgres-fulltext').then(
      () => true,
      () => false,
    );
  });
  await expect(put(frozen.index, 'late', 'A heron')).rejects.toMatchObject({ code: 'unavailable' });
  expect(frozen.lost.aborted).toBe(true);
});

it('leaves no connection behind when it may not join', async () => {
  await change('postgres-fulltext');
  const options = postgresEngineOptions(url, 'frontend', join(folder, 'refused'));
  await expect(openPostgresEngine({ ...options, searcher: 'segments' })).rejects.toThrow('not segments');

  const listening = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`;
  await until('nobody listens', async () => (await ask(url, listening)).length === 0);
});
