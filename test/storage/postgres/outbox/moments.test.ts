/** What a question finds of documents that are replaced, or all told anew, at the very moment in which it is answered. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../../../src/embed/builtin-embedder.ts';
import type { DocumentIndex, SearchAnswer } from '../../../../src/search/document-index.ts';
import type { FollowingSearcher } from '../../../../src/search/following/following-searcher.ts';
import { type Database, openDatabase } from '../../../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../../../src/storage/postgres/index/postgres-index.ts';
import { createOutbox, type Outbox } from '../../../../src/storage/postgres/outbox/outbox.ts';
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
let outbox: Outbox;
let opened: DocumentIndex[];
let staged = 0;

beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  url = await server.newDatabase();
  await ask(url, `INSERT INTO rag_intake.searcher(name) VALUES ('postgres-fulltext')`);
  folder = await mkdtemp(join(tmpdir(), 'moments-'));
  database = await openDatabase({ url, connectionsMax: 6, idleInTransactionMs: 0, logger: silentLogger });
  outbox = createOutbox(database);
  opened = [];
});

afterEach(async () => {
  for (const index of opened) await index.close();
  await database.close();
  server.release(url);
  await rm(folder, { recursive: true, force: true });
});

type Opening = { readonly merges: boolean; readonly rigged?: Partial<FollowingSearcher>; readonly on?: Database };

function open({ merges, rigged = {}, on = database }: Opening): DocumentIndex {
  const follows = { searcher: { ...createFulltextSearcher(database), ...rigged }, tables: fulltextTables, waitMs: 500 };
  const index = createPostgresIndex({ database: on, embedder: createBuiltinEmbedder(), merges, logger: silentLogger, follows });
  opened.push(index);
  return index;
}

async function put(index: DocumentIndex, docId: string, n: number): Promise<void> {
  const dir = join(folder, `staged-${staged++}`);
  await mkdir(dir);
  const version = `0190a0b0-0000-7000-8000-${String(n).padStart(12, '0')}` as TaskId;
  const document = await stageDocument(dir, { docId, version, ordinal: n, texts: [`The heron of version ${n}`] });
  expect(await index.replace(document, dir)).toBe('ok');
}

const search = (index: DocumentIndex): Promise<SearchAnswer> =>
  index.search({ query: 'heron', mode: 'keyword', topK: 10, offset: 0, filter: {} });
const toldAll = (): Promise<void> => until('all is told', () => outbox.isEmpty());

/** Stands still at its first visit, until it is let go. */
function gate(): { pass(): Promise<void>; readonly reached: Promise<void>; open(): void } {
  const [reached, opening] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return {
    pass: () => (reached.resolve(), opening.promise),
    reached: reached.promise,
    open: () => opening.resolve(),
  };
}

/** A question that has waited for what was noted before it, and looks no further yet. */
async function begunQuestion(): Promise<{ readonly answer: () => Promise<SearchAnswer> }> {
  const looking = gate();
  const snapshot: Database['snapshot'] = async (...asked) => (await looking.pass(), database.snapshot(...asked));
  const front = open({ merges: false, on: Object.create(database, { snapshot: { value: snapshot } }) as Database });
  const answer = search(front);
  await looking.reached;
  return { answer: () => (looking.open(), answer) };
}

/** Whoever lacks what was there all the time says so. */
function expectNothingLost({ hits, notice }: SearchAnswer): void {
  expect(hits.length === 1 || notice !== null, `${hits.length} hits, notice ${notice}`).toBe(true);
}

it('lacks no document in silence that is replaced once more while its texts are read for the searcher', async () => {
  const searcher = createFulltextSearcher(database);
  let during: (() => Promise<void>) | null = null;
  let after: (() => Promise<void>) | null = null;
  const worker = open({
    merges: true,
    rigged: {
      async apply(...told) {
        await during?.();
        await searcher.apply(...told);
        await after?.();
      },
    },
  });
  await put(worker, 'a', 1);
  await toldAll();
  const question = await begunQuestion();
  const answered = Promise.withResolvers<SearchAnswer>();
  during = async () => ((during = null), put(worker, 'a', 3));
  after = async () => ((after = null), answered.resolve(await question.answer()));
  await put(worker, 'a', 2);
  expectNothingLost(await answered.promise);
  await toldAll();
  expect(await search(worker)).toMatchObject({ hits: [{ text: 'The heron of version 3' }], notice: null });
});

it('lacks no document in silence of which the searcher hears in two batches that it was replaced twice', async () => {
  const searcher = createFulltextSearcher(database);
  const first = gate();
  let batches = 0;
  const answered = Promise.withResolvers<SearchAnswer>();
  const answerOf = await (async () => {
    const writer = open({ merges: true });
    await put(writer, 'a', 1);
    await put(writer, 'z', 2);
    await toldAll();
    await writer.close();
    return begunQuestion();
  })();
  const worker = open({
    merges: true,
    rigged: {
      async apply(...told) {
        batches += 1;
        if (batches === 1) await first.pass();
        await searcher.apply(...told);
        if (batches === 2) answered.resolve(await answerOf.answer());
      },
    },
  });
  await put(worker, 'b', 3);
  await first.reached;
  await put(worker, 'a', 4);
  // As many as are told together, those about the second version of "a" among them and the third one's not.
  const [row] = await ask(url, 'SELECT min(id)::int AS id FROM rag_intake.document');
  for (let n = 0; n < 62; n += 1) await outbox.note({ document: row!['id'] as number, docKey: null }, 'default');
  await put(worker, 'a', 5);
  first.open();
  const { hits, notice } = await answered.promise;
  expect(hits.some(({ docId }) => docId === 'a') || notice !== null).toBe(true);
  await toldAll();
});

it('is asked again where the searcher was emptied and filled while it was asked', async () => {
  const worker = open({ merges: true });
  await put(worker, 'a', 1);
  await toldAll();
  const searcher = createFulltextSearcher(database);
  const finding = gate();
  const front = open({
    merges: false,
    // Once it has read of the searcher, that cannot be emptied before it ends.
    rigged: {
      find: async (asked) => (await finding.pass(), searcher.find(asked)),
      count: async (...asked) => (await finding.pass(), searcher.count(...asked)),
      wordsLike: async (...asked) => (await finding.pass(), searcher.wordsLike(...asked)),
    },
  });
  const answer = search(front);
  await finding.reached;
  await outbox.noteAll();
  await toldAll();
  finding.open();
  expect(await answer).toMatchObject({ total: 1, notice: null });
});

it('forgets nothing that was decided and told while a filling was being ordered', async () => {
  const worker = open({ merges: true });
  await put(worker, 'a', 1);
  await toldAll();
  await database.transaction(async () => {
    await outbox.noteAll();
    await database.apart(async () => {
      await put(worker, 'b', 2);
      await until('it is told', async () => (await search(worker)).hits.length === 2);
    });
  });
  await toldAll();
  expect((await search(worker)).hits.map(({ docId }) => docId).toSorted()).toEqual(['a', 'b']);
});
