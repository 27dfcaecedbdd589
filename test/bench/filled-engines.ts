/**
 * Every engine as a server opens it, on servers of its own that flush each commit, and already full: ended tasks are written in
 * bulk as each engine writes them. Documents are indexed the usual way, once into an index file and once into a database; the
 * engines that share a kind of index get copies.
 */
import { cp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { docKeyOf } from '../../src/storage/postgres/jobs.ts';
import { createPostgresIndex } from '../../src/storage/postgres/index/postgres-index.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { openFrontEndStorage, openWorkerEngine } from '../../src/open-storage.ts';
import type { Task, TaskId } from '../../src/tasks/task.ts';
import { endedTasks, retain } from '../crash/contention.ts';
import { newId, silentLogger } from '../support/engine-steps.ts';
import { ask, startPostgres } from '../support/postgres.ts';
import { askRedis, startRedis } from '../support/redis.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createText, documentTexts } from './made-text.ts';

/** The two sides of one engine, both in this process. */
export type FilledEngine = { readonly name: EngineName; readonly front: Engine; readonly worker: Engine };
export type EngineName = (typeof engineNames)[number];

export const engineNames = ['files', 'PostgreSQL', 'Redis', 'Redis + PostgreSQL'] as const;
export const documentChunks = 20;

/** How long the documents took to index, in milliseconds, by kind of index. */
export type IndexingMs = { readonly files: number; readonly PostgreSQL: number };

export type Filled = { readonly engines: readonly FilledEngine[]; readonly indexingMs: IndexingMs };

const connectionsMax = 6;
const tasksAtOnce = 5000;

/** On the disk of the system's temporary files: what is flushed there counts. `stack` closes everything. */
export async function openFilledEngines(
  stack: AsyncDisposableStack,
  size: { tasks: number; chunks: number },
  say: (progress: string) => void,
): Promise<Filled> {
  const { path } = stack.use(await tempDir(tmpdir()));
  const postgres = stack.use(await startPostgres({ durable: true }));
  const redis = stack.use(await startRedis({ durable: true }));
  const redisBeside = stack.use(await startRedis({ durable: true }));
  const [database, databaseBeside] = [await postgres.newDatabase(), await postgres.newDatabase()];
  const folder = (name: string): string => join(path, name);

  say(`indexing ${size.chunks} chunks, in a file and in a database`);
  const indexingMs = await fillIndexes(folder('files'), database, size.chunks, say);
  await cp(join(folder('files'), 'index'), join(folder('redis'), 'index'), { recursive: true });
  await copyDatabase(database, databaseBeside);

  say(`writing ${size.tasks} ended tasks for each engine`);
  retain(folder('files'), size.tasks);
  await fillTaskTable(database, size.tasks);
  await fillRedis(redis.url, size.tasks);
  await fillRedis(redisBeside.url, size.tasks);
  // As the server's own cleaning would a minute later.
  for (const url of [database, databaseBeside]) await ask(url, 'VACUUM ANALYZE');

  const settings: Record<EngineName, Record<string, string>> = {
    files: { DATA_DIR: folder('files') },
    PostgreSQL: { DATA_DIR: folder('postgres'), DATABASE_URL: database },
    Redis: { DATA_DIR: folder('redis'), QUEUE_URL: redis.url },
    'Redis + PostgreSQL': { DATA_DIR: folder('both'), DATABASE_URL: databaseBeside, QUEUE_URL: redisBeside.url },
  };
  const engines: FilledEngine[] = [];
  for (const name of engineNames) engines.push(await openBothSides(stack, name, settings[name]));
  return { engines, indexingMs };
}

async function openBothSides(stack: AsyncDisposableStack, name: EngineName, env: Record<string, string>): Promise<FilledEngine> {
  const now = (): string => new Date().toISOString();
  const options = { config: loadConfig(env), now, newId, logger: silentLogger };
  await mkdir(options.config.dataDir, { recursive: true });
  const front = await (await openFrontEndStorage(options)).openEngine();
  stack.defer(() => front.close());
  const worker = await openWorkerEngine(options);
  stack.defer(() => worker.close());
  return { name, front, worker };
}

/** The same documents by turns into both kinds of index, so that the noise is shared. */
async function fillIndexes(dataDir: string, url: string, chunks: number, say: (progress: string) => void): Promise<IndexingMs> {
  const indexDir = join(dataDir, 'index');
  await mkdir(indexDir, { recursive: true });
  const embedder = createBuiltinEmbedder();
  const file = openSqliteIndex({ indexDir, embedder });
  const database = await openDatabase({ url, connectionsMax, idleInTransactionMs: 0, logger: silentLogger });
  const table = createPostgresIndex({ database, embedder, merges: true, logger: silentLogger });
  const text = createText(7);
  const spent = { files: 0, PostgreSQL: 0 };
  const staged = join(dataDir, 'staged');
  const documents = Math.ceil(chunks / documentChunks);
  for (let number = 0; number < documents; number += 1) {
    if (number > 0 && number % 1000 === 0) say(`${number} of ${documents} documents`);
    await mkdir(staged);
    const document = await stageDocument(staged, {
      docId: `d${number}`,
      version: `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId,
      title: text.words(5),
      texts: documentTexts(text, documentChunks),
    });
    spent.files += await time(async () => {
      await file.replace(document, staged);
      while (file.tidy());
    });
    spent.PostgreSQL += await time(() => table.replace(document, staged));
    await rm(staged, { recursive: true });
  }
  await file.close();
  // Its merges go on beside the next documents; the last one counts as well.
  spent.PostgreSQL += await time(() => table.close());
  await database.close();
  return spent;
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const [source, target] = [from, to].map((url) => new URL(url).pathname.slice(1));
  const server = new URL('/postgres', from).href;
  await ask(server, `DROP DATABASE ${target}`);
  await ask(server, `CREATE DATABASE ${target} TEMPLATE ${source}`);
}

async function fillTaskTable(url: string, count: number): Promise<void> {
  for (const tasks of inBatches(endedTasks(count))) {
    const sql = `INSERT INTO rag_intake.task(id, doc_key, lane, status, attempts, record, ended_at, changed_at)
      SELECT id, doc_key, 'small', 'completed', 1, record, ended_at, ended_at
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS ended(id, doc_key, record, ended_at)`;
    await ask(url, sql, [
      tasks.map(({ id }) => id),
      tasks.map(({ docId }) => docKeyOf(docId)),
      tasks.map((task) => JSON.stringify(task)),
      tasks.map(({ finishedAt }) => finishedAt),
    ]);
  }
}

async function fillRedis(url: string, count: number): Promise<void> {
  await askRedis(url, async (redis) => {
    const key = (name: string): string => `{rag-intake}:${name}`;
    for (const tasks of inBatches(endedTasks(count))) {
      const pipeline = redis.pipeline();
      for (const task of tasks) {
        const { id, lane, status, revision } = task;
        const [doc, endedAt] = [docKeyOf(task.docId), Date.parse(task.finishedAt!)];
        pipeline.hset(key(`task:${id}`), { lane, doc, record: JSON.stringify(task), revision, status });
        for (const set of ['tasks', `doc:${doc}`, `status:${status}`]) pipeline.zadd(key(set), 0, id);
        for (const set of ['ended', 'changed']) pipeline.zadd(key(set), endedAt, id);
      }
      await pipeline.exec();
    }
  });
}

function* inBatches(tasks: Iterable<Task>): Generator<Task[]> {
  let batch: Task[] = [];
  for (const task of tasks) {
    batch.push(task);
    if (batch.length < tasksAtOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
