import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { v7 } from 'uuid';
import { createEmbedder } from '../../src/embed/create-embedder.ts';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { readingJob } from '../../src/ingest/direct-reading.ts';
import { createDispatcher, type Dispatcher } from '../../src/ingest/dispatcher.ts';
import { createTaskControl, type TaskControl } from '../../src/ingest/task-control.ts';
import { createOcr, ocrOptions } from '../../src/parse/images/ocr.ts';
import { createThreadPool, type ThreadJob, type ThreadPool } from '../../src/ingest/thread-pool.ts';
import { createUploads, type Uploads } from '../../src/ingest/uploads.ts';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import { isTerminal, type Task, type TaskId, type TaskSnapshot } from '../../src/tasks/task.ts';
import { noRoom } from '../../src/trouble.ts';
import { makeDataDir, removeDir } from '../support/server.ts';
import { until } from '../support/until.ts';

const embedder = { kind: 'builtin' } as const;
const logger = createLogger({ level: 'silent' });
const newId = (): TaskId => v7() as TaskId;
const now = (): string => new Date().toISOString();
const filename = fileURLToPath(new URL('../support/rigged-ingest.ts', import.meta.url));

let dataDir: string;
let frontend: Engine;
let worker: Engine;
let pool: ThreadPool;
let dispatcher: Dispatcher;
let uploads: Uploads;
let tasks: TaskControl;

afterEach(async () => {
  await dispatcher.stop(0);
  await pool.close();
  await Promise.all([frontend.close(), worker.close()]);
  await removeDir(dataDir);
});

async function open(threads: number): Promise<void> {
  dataDir = await makeDataDir();
  const openEngine = (role: 'frontend' | 'worker'): Promise<Engine> =>
    openFileEngine({
      dataDir,
      role,
      openIndex: (indexDir) => openThreadedIndex({ indexDir, embedder, threads: 1, logger }),
      now,
      newId,
      logger,
      diskReserveBytes: 0,
      taskRetentionMs: 86_400_000,
    });
  frontend = await openEngine('frontend');
  worker = await openEngine('worker');
  const config = loadConfig({});
  pool = createThreadPool({
    threads,
    filename,
    settings: { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: '', embedder },
    threadMemoryMb: 512,
    deadlines: { parseMs: 60_000, pageMs: 60_000, embedMs: 60_000 },
    logger,
  });
  await pool.ready();
  const { id: embedderId } = await createEmbedder(embedder);
  const ocr = await createOcr(ocrOptions({ ocrLanguages: '' }, config));
  const reading = { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: ocr?.languages ?? [] };
  dispatcher = createDispatcher({ engine: worker, pool, embedderId, reading, now, retryDelayMs: () => 1, logger });
  uploads = createUploads({ engine: frontend, syncBytesMax: 1000, queueTasksMax: 100, attemptsMax: 3, newId, now });
  tasks = createTaskControl(frontend);
}

async function submit(name: string, docId = name, padToBytes = 0): Promise<Task> {
  const text = Buffer.from(`The text of ${docId} is about ${name}.`.padEnd(padToBytes));
  const receipt = await uploads.receive({ bytesMax: 1e6, bytesExpected: text.length });
  await new Promise<void>((resolve, reject) => receipt.stream.once('error', reject).end(text, () => resolve()));
  return uploads.submit({
    receipt,
    docId,
    filename: name,
    declaredMediaType: null,
    metadata: null,
    keyId: null,
    caller: '127.0.0.1',
    callbackUrl: null,
  });
}

async function ended(task: Task): Promise<TaskSnapshot> {
  const snapshot = await tasks.wait(task.id, 60_000, new AbortController().signal);
  if (snapshot === null || !isTerminal(snapshot.task.status)) throw new Error(`task ${task.id} did not end`);
  return snapshot;
}

async function processing(): Promise<string[]> {
  return (await tasks.list({ status: 'processing', limit: 100 })).tasks.map(({ task }) => task.filename);
}

describe('the dispatcher', () => {
  it('makes a document searchable before its task is completed', async () => {
    await open(1);
    dispatcher.start();
    const { task } = await ended(await submit('plain.txt'));

    expect(task).toMatchObject({ status: 'completed', result: { chunks: 1, unchanged: false } });
    expect((await frontend.index.search({ query: 'plain', mode: 'keyword', topK: 5, offset: 0, filter: {} })).hits).toHaveLength(1);
  });

  it('leaves one thread to small tasks while large ones wait', async () => {
    await open(2);
    const large = [await submit('hang.txt', 'large-1', 2000), await submit('hang.txt', 'large-2', 2000)];
    dispatcher.start();
    await until('a large task runs', async () => (await processing()).length === 1);

    expect((await ended(await submit('small.txt'))).task.status).toBe('completed');
    expect(await processing()).toEqual(['hang.txt']);
    for (const task of large) await tasks.cancel(task.id, { force: true });
  });

  it('runs a second attempt alone, so that its crash costs no other task an attempt', async () => {
    await open(2);
    const bad = await submit('exit.txt');
    const others = [await submit('wait-50.txt', 'a'), await submit('wait-50.txt', 'b'), await submit('wait-50.txt', 'c')];
    dispatcher.start();

    expect((await ended(bad)).task).toMatchObject({ status: 'failed', attempts: 3, error: { code: 'worker_crashed' } });
    for (const other of others) expect((await ended(other)).task).toMatchObject({ status: 'completed', attempts: 1 });
  });

  it('lets two suspects run one after the other, and neither waits for ever', async () => {
    await open(2);
    const bad = [await submit('exit.txt', 'x'), await submit('exit.txt', 'y')];
    dispatcher.start();

    for (const task of bad) expect((await ended(task)).task).toMatchObject({ status: 'failed', attempts: 3 });
  });

  it('gives running tasks back when it stops, their attempt not counted', async () => {
    await open(1);
    const task = await submit('hang.txt');
    dispatcher.start();
    await until('it runs', async () => (await processing()).length === 1);
    await dispatcher.stop(0);

    expect((await tasks.get(task.id))?.task).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('lets a running task end within the time it is given to stop', async () => {
    await open(1);
    const task = await submit('wait-300.txt');
    dispatcher.start();
    await until('it runs', async () => (await processing()).length === 1);
    await dispatcher.stop(30_000);

    expect((await tasks.get(task.id))?.task.status).toBe('completed');
  });

  it('cancels a running task by force: when the answer comes, its thread is free and nothing of it can be found', async () => {
    await open(1);
    const task = await submit('hang-embedding.txt');
    dispatcher.start();
    await until('it runs', async () => (await processing()).length === 1);

    expect(await tasks.cancel(task.id, { force: true })).toMatchObject({ outcome: 'cancelled' });
    expect((await ended(await submit('next.txt'))).task.status).toBe('completed');
    expect((await frontend.index.search({ query: 'embedding', mode: 'keyword', topK: 5, offset: 0, filter: {} })).hits).toEqual([]);
  });

  it('makes a cancelled task searchable when it is tried again', async () => {
    await open(1);
    const task = await submit('wait-100.txt');
    expect(await tasks.cancel(task.id, { force: false })).toMatchObject({ outcome: 'cancelled' });
    dispatcher.start();

    expect(await tasks.retry(task.id)).toBe('ok');
    expect((await ended(task)).task).toMatchObject({ status: 'completed' });
  });

  it('counts no attempt that breaks on the store, however often, and gives up where the store refuses one document for ever', async () => {
    await open(1);
    const localPath = worker.files.localPath.bind(worker.files);
    const refusals = new Map<string, number>();
    const refuse: Record<string, number> = { 'few.txt': 5, 'ever.txt': Infinity };
    const names = new Map<string, string>();
    worker.files.localPath = (key) => {
      const name = key.kind === 'payload' ? names.get(key.taskId) : undefined;
      if (name === undefined) return localPath(key);
      const before = refusals.get(name) ?? 0;
      refusals.set(name, before + 1);
      return before < refuse[name]! ? Promise.reject(noRoom(new Error('the disk is full'))) : localPath(key);
    };
    const [few, ever] = [await submit('few.txt'), await submit('ever.txt')];
    for (const task of [few, ever]) names.set(task.id, task.filename);
    dispatcher.start();

    expect((await ended(few)).task).toMatchObject({ status: 'completed', attempts: 1 });
    expect((await ended(ever)).task).toMatchObject({ status: 'failed', attempts: 3, error: { code: 'storage_failed' } });
    expect(refusals.get('ever.txt')).toBeGreaterThan(50);
  });

  it('does not read again what is searchable already', async () => {
    await open(1);
    dispatcher.start();
    await ended(await submit('same.txt', 'one'));

    expect((await ended(await submit('same.txt', 'one'))).task.result).toMatchObject({ unchanged: true });
  });

  it('fails a document that cannot be read with its own sentence, at the first attempt', async () => {
    await open(1);
    dispatcher.start();
    const text = Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0, 0, 0]);
    const receipt = await uploads.receive({ bytesMax: 1e6, bytesExpected: text.length });
    await new Promise<void>((resolve) => receipt.stream.end(text, () => resolve()));
    const task = await uploads.submit({
      receipt,
      docId: 'old',
      filename: 'old.doc',
      declaredMediaType: null,
      metadata: null,
      keyId: null,
      caller: '127.0.0.1',
      callbackUrl: null,
    });

    expect((await ended(task)).task).toMatchObject({ status: 'failed', attempts: 1, error: { retryable: false } });
  });

  it('lends a thread between tasks, so that neither waits for all of the others', async () => {
    await open(1);
    const waiting = await Promise.all(Array.from({ length: 4 }, (_, n) => submit('wait-20.txt', `task-${n}`)));
    dispatcher.start();
    const order: string[] = [];
    const lent = Array.from({ length: 4 }, async (_, n) => {
      expect(
        await dispatcher.lend(await fileToRead('wait-20.txt', n), { caller: 'a', signal: new AbortController().signal }),
      ).toMatchObject({ ok: true });
      order.push('lent');
    });
    await Promise.all([...lent, ...waiting.map(async (task) => (await ended(task), order.push('task')))]);

    expect(order).toHaveLength(8);
    expect(order.slice(0, 5)).toContain('task');
    expect(order.slice(0, 5)).toContain('lent');
  });

  it('[S70] lends to callers by turns: whoever asks for many waits for its own', async () => {
    await open(1);
    dispatcher.start();
    const { signal } = new AbortController();
    const order: string[] = [];
    const lend = async (caller: string, n: number): Promise<void> => {
      const job = await fileToRead('wait-20.txt', n);
      await dispatcher.lend(job, { caller, signal });
      order.push(caller);
    };
    const many = Array.from({ length: 6 }, (_, n) => lend('many', n));
    await Promise.race(many);
    await Promise.all([...many, lend('one', 9)]);

    expect(order.indexOf('one')).toBeLessThan(4);
  });

  it('ends what it lent when nobody wants it any more, whether it runs or waits', async () => {
    await open(1);
    dispatcher.start();
    const gone = new AbortController();
    const runs = dispatcher.lend(await fileToRead('hang.txt', 1), { caller: 'a', signal: gone.signal });
    const waits = dispatcher.lend(await fileToRead('plain.txt', 2), { caller: 'a', signal: gone.signal });
    gone.abort();

    expect(await Promise.all([runs, waits])).toEqual([
      { ok: false, code: 'aborted' },
      { ok: false, code: 'aborted' },
    ]);
    expect((await ended(await submit('after.txt'))).task.status).toBe('completed');
  });

  it('says of what it lent that it stopped its thread, and goes on', async () => {
    await open(1);
    dispatcher.start();

    expect(
      await dispatcher.lend(await fileToRead('exit.txt', 1), { caller: 'a', signal: new AbortController().signal }),
    ).toMatchObject({ code: 'crashed' });
    expect((await ended(await submit('after.txt'))).task).toMatchObject({ status: 'completed', attempts: 1 });
  });
});

async function fileToRead(filename: string, n: number): Promise<ThreadJob> {
  const taskId = newId();
  const folder = await frontend.files.scratch(taskId);
  const payloadPath = join(folder, 'received');
  await writeFile(payloadPath, `file ${n}`);
  const scratchDir = join(folder, 'result');
  await mkdir(scratchDir);
  const request = { taskId, filename, fileBytes: 6, sha256: '', declaredMediaType: null, payloadPath, scratchDir, caller: 'a' };
  return readingJob(request, now());
}
