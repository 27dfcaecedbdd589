/** Who finds in a database, from one searcher to another and back, and what is told where one follows. */
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import { AppError } from '../../../../src/errors.ts';
import type { DocumentIndex } from '../../../../src/search/document-index.ts';
import type { FollowingSearcher } from '../../../../src/search/following/following-searcher.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import { createOutbox } from '../../../../src/storage/postgres/outbox/outbox.ts';
import { migrate } from '../../../../src/storage/postgres/schema.ts';
import { openSearcher } from '../../../../src/storage/postgres/searchers.ts';
import type { TaskId } from '../../../../src/tasks/task.ts';
import { silentLogger } from '../../../support/engine-steps.ts';
import { ask, type Databases } from '../../../support/postgres.ts';
import { sharedPostgres } from '../../../support/shared-postgres.ts';
import { stageDocument } from '../../../support/staged-document.ts';
import { until } from '../../../support/until.ts';

let server: Databases;
let url: string;
let folder: string;
let database: Database;
let opened: DocumentIndex[];
let staged = 0;

beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  url = await server.newDatabase();
  folder = await mkdtemp(join(tmpdir(), 'searchers-'));
  database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  opened = [];
});

afterEach(async () => {
  for (const index of opened) await index.close();
  await database.close();
  server.release(url);
  await rm(folder, { recursive: true, force: true });
});

/** As every process opens it: with whoever the database notes. `rigged`: in the place of the searcher. */
async function open({ rigged = (searcher) => searcher, ...options }: Opening = {}): Promise<DocumentIndex> {
  const noted = await openSearcher(database, '');
  const follows = noted === null ? null : { ...noted, searcher: rigged(noted.searcher), waitMs: options.waitMs ?? 5000 };
  const index = createPostgresIndex({
    database,
    embedder: createBuiltinEmbedder(),
    merges: options.merges ?? true,
    logger: silentLogger,
    follows,
  });
  opened.push(index);
  return index;
}

type Opening = { merges?: boolean; waitMs?: number; rigged?: (searcher: FollowingSearcher) => FollowingSearcher };

async function put(index: DocumentIndex, docId: string, n: number, texts: readonly string[]): Promise<void> {
  const dir = join(folder, `staged-${staged++}`);
  await mkdir(dir);
  const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
  const document = await stageDocument(dir, { docId, version, ordinal: n, texts });
  expect(await index.replace(document, dir)).toBe('ok');
}

const search = (index: DocumentIndex, query: string) => index.search({ query, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
const found = async (index: DocumentIndex, query: string) => (await search(index, query)).hits.map(({ docId }) => docId);
const change = (searcher: 'segments' | 'postgres-fulltext') => migrate(database, silentLogger, null, { searcher });
const follow = async () => void (await change('postgres-fulltext'));

it('finds the same after full text was put in charge, and after our own segments are again', async () => {
  const own = await open();
  await put(own, 'en', 1, ['The heron stands in the reeds']);
  await put(own, 'zh', 2, ['苍鹭站在芦苇丛中']);
  await own.close();

  expect(await change('postgres-fulltext')).toMatch(/The searcher is now postgres-fulltext; workers fill it with 2 documents\.$/);
  expect(await change('postgres-fulltext')).toMatch(/up to date/);
  const followed = await open();
  await until('the searcher is filled', async () => (await search(followed, 'heron')).notice === null);
  expect([(await found(followed, 'heron'))[0], (await found(followed, '芦苇'))[0]]).toEqual(['en', 'zh']);
  await put(followed, 'later', 3, ['A bittern in the reeds']);
  await followed.close();

  expect(await change('segments')).toMatch(/in segments again, built from 3 documents\.$/);
  const again = await open();
  for (const [query, docId] of [
    ['heron', 'en'],
    ['苍鹭', 'zh'],
    ['bittern', 'later'],
  ] as const)
    expect((await found(again, query))[0]).toBe(docId);
  for (const table of ['outbox', ...fulltextTables]) expect(await ask(url, `SELECT 1 FROM rag_intake.${table}`), table).toEqual([]);
});

it('starts nobody who was told of another searcher, and changes it under nobody who works', async () => {
  await follow();
  await expect(openSearcher(database, 'segments')).rejects.toThrow('this database uses postgres-fulltext, not segments');
  await ask(url, `INSERT INTO rag_intake.owner(id, role) VALUES ('worker-1', 'worker')`);
  await expect(change('segments')).rejects.toThrow('Servers are using this database (1 processes)');
});

it('refuses a searcher without vectors where documents have some, and an embedder beside it', async () => {
  const document = `INSERT INTO rag_intake.document(doc_key, version, chunks, record, filename, media_type, inserted_at, embedder, metadata)
    VALUES ('k', '0190a0b0-0000-7000-8000-000000000001', 1, '{}', '', '', '', 'model', '{}') RETURNING id`;
  const [row] = await ask(url, document);
  await ask(url, `INSERT INTO rag_intake.vector_bits(document, first_chunk, embedder, data) VALUES ($1, 0, 'model', '')`, [
    row!['id'],
  ]);
  await expect(follow()).rejects.toThrow('searches by keyword only, but documents here have vectors');

  const follows = { searcher: createFulltextSearcher(database), tables: fulltextTables };
  const embedder = { id: 'letters', dimensions: 8, embed: () => Promise.resolve([]) };
  expect(() => createPostgresIndex({ database, embedder, merges: true, logger: silentLogger, follows })).toThrow('remove EMBEDDER');
});

it('answers a question that was asked after an upload with that upload, however slowly the searcher takes it in', async () => {
  await follow();
  const taken = Promise.withResolvers<void>();
  const index = await open({
    rigged: (searcher) => ({ ...searcher, apply: async (...told) => (await taken.promise, searcher.apply(...told)) }),
  });
  await put(index, 'a', 1, ['The heron stands in the reeds']);
  const answer = search(index, 'heron');
  const early = await Promise.race([
    answer.then(() => 'answered'),
    search(index, 'nothing at all').then(() => 'answered'),
    asked('waiting'),
  ]);
  expect(early).toBe('waiting');
  taken.resolve();
  expect(await answer).toMatchObject({ total: 1, notice: null });
});

/** Once the database has answered a question of its own a few times. */
async function asked<T>(value: T): Promise<T> {
  for (let n = 0; n < 5; n += 1) await ask(url, 'SELECT 1');
  return value;
}

it('says that it is behind where the searcher does not answer, shows nothing that is gone, and finds all once it does', async () => {
  await follow();
  let isAway = false;
  const away = (): never => {
    throw new AppError('unavailable', 'RAG service is not ready.');
  };
  const index = await open({
    waitMs: 50,
    rigged: (searcher) => ({ ...searcher, apply: async (...told) => (isAway ? away() : searcher.apply(...told)) }),
  });
  await put(index, 'a', 1, ['The heron of old']);
  await put(index, 'b', 2, ['The heron that is removed']);
  await until('both are found', async () => (await search(index, 'heron')).hits.length === 2);
  isAway = true;
  await put(index, 'a', 3, ['The heron of today']);
  await index.remove('b', 4);

  const { hits, notice } = await search(index, 'heron');
  expect(hits).toEqual([]);
  expect(notice).toContain('The search engine is behind');
  expect((await index.stats()).backlog).toMatchObject({ waiting: 3, refused: 0 });

  isAway = false;
  await until('it has caught up', async () => (await search(index, 'heron')).notice === null);
  expect((await search(index, 'heron')).hits.map(({ text }) => text)).toEqual(['The heron of today']);
});

it('lets no document that the searcher refuses stand in the way of others, and tells it again when it is asked to', async () => {
  await follow();
  let refuses = true;
  const index = await open({
    rigged: (searcher) => ({
      ...searcher,
      async apply(turn, changes) {
        for (const each of changes)
          if (refuses && each.is === 'there')
            for await (const chunks of each.document.read())
              if (chunks.some(({ terms }) => terms.has('poison'))) throw new Error('no such thing is taken');
        await searcher.apply(turn, changes);
      },
    }),
  });
  await Promise.all([put(index, 'bad', 1, ['poison heron']), put(index, 'good', 2, ['a heron'])]);
  expect(await found(index, 'heron')).toEqual(['good']);
  expect(await index.checkSearcher!(false)).toMatchObject({ missing: 1, extra: 0, backlog: { waiting: 0, refused: 1 } });

  // What it refuses in the place of what it has: that is forgotten all the same, and makes no question wait.
  await put(index, 'good', 3, ['poison and a heron']);
  expect(await search(index, 'heron')).toMatchObject({ hits: [], notice: null });
  expect(await index.checkSearcher!(false)).toMatchObject({ missing: 2, extra: 0, backlog: { waiting: 0, refused: 2 } });

  refuses = false;
  expect(await index.checkSearcher!(true)).toMatchObject({ missing: 2, extra: 0 });
  await until('it is told', async () => isSound(index));
  expect((await found(index, 'heron')).toSorted()).toEqual(['bad', 'good']);
});

it('is told by whoever asks, where no worker is', async () => {
  await follow();
  const writer = await open();
  await put(writer, 'a', 1, ['A heron']);
  await writer.close();
  const outbox = createOutbox(database);
  const [row] = await ask(url, 'SELECT id FROM rag_intake.document');
  await outbox.noteAgain([row!['id'] as number]);
  await outbox.note({ document: Number(row!['id']), docKey: null }, 'default');
  const front = await open({ merges: false });
  expect(await search(front, 'heron')).toMatchObject({ total: 1, notice: null });
  expect(await outbox.isEmpty()).toBe(true);
});

it('finds what a searcher lost and what it kept although it is gone, and mends both', async () => {
  await follow();
  const index = await open();
  await put(index, 'a', 1, ['A heron']);
  await put(index, 'b', 2, ['Another heron']);
  expect((await found(index, 'heron')).toSorted()).toEqual(['a', 'b']);
  await ask(
    url,
    'DELETE FROM rag_intake.fulltext_document WHERE document = (SELECT min(document) FROM rag_intake.fulltext_document)',
  );
  await ask(url, 'INSERT INTO rag_intake.fulltext_document(document, chunks) VALUES (999, 1)');
  expect(await index.checkSearcher!(true)).toMatchObject({ missing: 1, extra: 1 });
  await until('it was told', async () => isSound(index));
  expect((await found(index, 'heron')).toSorted()).toEqual(['a', 'b']);
});

async function isSound(index: DocumentIndex): Promise<boolean> {
  const { missing, extra, backlog } = await index.checkSearcher!(false);
  return missing + extra + backlog.waiting + backlog.refused === 0;
}

it('takes nothing of a turn before the one that it has seen', async () => {
  const searcher = createFulltextSearcher(database);
  await searcher.apply(5, []);
  await searcher.apply(5, []);
  await expect(searcher.apply(4, [{ is: 'gone', id: 1 }])).rejects.toMatchObject({ code: 'unavailable' });
  await expect(searcher.clear(4)).rejects.toMatchObject({ code: 'unavailable' });
});

it('ends when it is closed, though more is noted for the searcher all the time', async () => {
  await follow();
  let told = 0;
  const busy = (searcher: FollowingSearcher): FollowingSearcher => ({
    ...searcher,
    async apply(turn, changes) {
      await searcher.apply(turn, changes);
      told += 1;
      await ask(url, 'INSERT INTO rag_intake.outbox(document, collection) VALUES (1, $1)', ['']);
    },
  });
  const index = await open({ rigged: busy });
  await put(index, 'd', 1, ['The heron stands in the reeds']);
  await until('the searcher is told again and again', () => Promise.resolve(told > 3));

  await index.close();
  expect(await ask(url, 'SELECT 1 FROM rag_intake.outbox LIMIT 1')).toHaveLength(1);
  opened = [];
});

it('lets go of a document in the middle when it is closed, which is told by whoever comes next', async () => {
  await follow();
  const reading = Promise.withResolvers<void>();
  const endless = (searcher: FollowingSearcher): FollowingSearcher => ({
    ...searcher,
    async apply(_turn, changes) {
      for (;;)
        for (const change of changes)
          if (change.is === 'there') for await (const chunks of change.document.read()) reading.resolve(void chunks);
    },
  });
  const index = await open({ rigged: endless });
  await put(index, 'd', 1, ['The heron stands in the reeds']);
  await reading.promise;
  await index.close();
  opened = [];
  expect(await search(await open(), 'heron')).toMatchObject({ total: 1, notice: null });
});

it('forgets that a document was refused once it is removed or replaced', async () => {
  await follow();
  const index = await open({
    rigged: (searcher) => ({
      ...searcher,
      async apply(turn, changes) {
        for (const each of changes)
          if (each.is === 'there')
            for await (const chunks of each.document.read())
              if (chunks.some(({ terms }) => terms.has('poison'))) throw new Error('no such thing is taken');
        await searcher.apply(turn, changes);
      },
    }),
  });
  const refused = async (): Promise<number> => (await index.stats()).backlog!.refused;
  await Promise.all([
    put(index, 'removed', 1, ['poison heron']),
    put(index, 'replaced', 2, ['a poison']),
    put(index, 'kept', 3, ['poison']),
  ]);
  await until('all are refused', async () => (await refused()) === 3);
  await index.remove('removed', 4);
  await put(index, 'replaced', 5, ['a heron']);
  expect(await found(index, 'heron')).toEqual(['replaced']);
  expect(await refused()).toBe(1);
});

it('tells what comes in beside what is told anew, neither behind all of the other, and large documents no later than small ones', async () => {
  const outbox = createOutbox(database);
  const told: number[][] = [];
  const tellNext = async (): Promise<number[]> => {
    const batch = await outbox.next();
    if (batch === null || batch.is === 'clear') throw new Error('no documents are next');
    await outbox.done(
      batch.noted.map(({ id }) => id),
      [],
    );
    told.push(batch.noted.map(({ document }) => document));
    return told.at(-1)!;
  };
  await outbox.noteAgain(Array.from({ length: 200 }, (_, n) => 1000 + n));
  await tellNext();
  for (let number = 1; number <= 100; number += 1) await outbox.note({ document: number, docKey: null }, 'default');
  for (const batch of [await tellNext(), await tellNext()]) {
    expect(batch.some((number) => number < 1000)).toBe(true);
    expect(batch.some((number) => number >= 1000)).toBe(true);
  }
  while (!(await outbox.isEmpty())) await tellNext();
  expect(told.flat()).toHaveLength(300);
  for (const isNew of [true, false]) {
    const ofKind = told.flat().filter((number) => number < 1000 === isNew);
    expect(ofKind).toEqual(ofKind.toSorted((a, b) => a - b));
  }

  const large = `INSERT INTO rag_intake.document(id, doc_key, version, chunks, record, filename, media_type, inserted_at, embedder, metadata)
    OVERRIDING SYSTEM VALUE SELECT n, 'k' || n, gen_random_uuid(), 9000, '{}', '', '', '', '', '{}' FROM generate_series(1, 4) AS n`;
  await ask(url, large);
  await outbox.noteAgain([1, 2]);
  for (const number of [3, 4]) await outbox.note({ document: number, docKey: `k${number}` }, 'default');
  expect(await tellNext()).toEqual([3, 1]);
  expect(await tellNext()).toEqual([4, 2]);
});

it('finds chunks that a searcher lost or kept, and mends both', async () => {
  await follow();
  const index = await open();
  await put(index, 'a', 1, ['A heron', 'Another heron']);
  await put(index, 'b', 2, ['A third heron']);
  await until('both are found', async () => (await search(index, 'heron')).hits.length === 3);
  await ask(url, 'DELETE FROM rag_intake.fulltext_chunk WHERE id = (SELECT min(id) FROM rag_intake.fulltext_chunk)');
  await ask(url, `INSERT INTO rag_intake.fulltext_chunk(id, document, terms) VALUES (99900000, 999, '')`);
  expect(await index.checkSearcher!(true)).toMatchObject({ missing: 1, extra: 1 });
  await until('it was told', async () => isSound(index));
  expect((await search(index, 'heron')).hits).toHaveLength(3);
});

it('takes no document for missing that is told while it is looked for', async () => {
  await follow();
  let late: Promise<void> | null = null;
  const index: DocumentIndex = await open({
    rigged: (searcher) => ({
      ...searcher,
      async documents(after, limit) {
        const had = await searcher.documents(after, limit);
        late ??= database.apart(async () => {
          await put(index, 'late', 2, ['A late heron']);
          await until('it is told', () => createOutbox(database).isEmpty());
        });
        await late;
        return had;
      },
    }),
  });
  await put(index, 'a', 1, ['A heron']);
  await until('it is told', () => createOutbox(database).isEmpty());
  expect(await index.checkSearcher!(false)).toMatchObject({ missing: 0, extra: 0 });
});
