/** What one small upload asks of the disk, counted by the Disk port of a front end and a worker with real threads and a real index. */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { createEmbedder } from '../../src/embed/create-embedder.ts';
import { createDispatcher } from '../../src/ingest/dispatcher.ts';
import { createTaskControl } from '../../src/ingest/task-control.ts';
import { createThreadPool } from '../../src/ingest/thread-pool.ts';
import { createUploads, type Uploads } from '../../src/ingest/uploads.ts';
import type { DocumentIndex } from '../../src/search/document-index.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { newId, silentLogger as logger } from './engine-steps.ts';
import { faultyDisk } from './faulty-disk.ts';
import { makeDataDir, removeDir } from './server.ts';

/** Of one upload. `stages`: flushes one after the other, the commit of the index among them. `opens`: files and folders opened. */
export type DiskFigures = { readonly flushes: number; readonly stages: number; readonly opens: number };

type Span = { readonly from: number; readonly to: number };

const embedder = { kind: 'builtin' } as const;
const opening = new Set(['create', 'read', 'list', 'stream', 'sync', 'sync-directory']);
const now = (): string => new Date().toISOString();

/**
 * Medians of uploads of these texts, one at a time. `flushMs`: a disk whose flushes take at least so long, so that those which do not wait
 * for each other overlap, however busy the machine is.
 */
export async function measureDisk(
  bodies: readonly Buffer[],
  { flushMs = 0 }: { readonly flushMs?: number } = {},
): Promise<{ readonly fresh: DiskFigures; readonly unchanged: DiskFigures }> {
  await using stack = new AsyncDisposableStack();
  const dataDir = await makeDataDir();
  stack.defer(() => removeDir(dataDir));
  const flushes: Span[] = [];
  let opens = 0;
  const flush = async <T>(work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const [result] = await Promise.all([work, flushMs === 0 ? null : pause(flushMs)]);
    flushes.push({ from, to: performance.now() });
    return result;
  };
  const counted = faultyDisk(createDisk(), {
    before: ({ method, at }) => {
      // A new file is flushed through the handle that made it.
      if (opening.has(method) && !(method === 'sync' && at.endsWith('.sync'))) opens += 1;
    },
  });
  const disk = {
    ...counted,
    syncFile: (path: string, at: string) => flush(counted.syncFile(path, at)),
    syncDirectory: (path: string, at: string) => flush(counted.syncDirectory(path, at)),
    create: async (path: string, at: string) => {
      const file = await counted.create(path, at);
      return { ...file, sync: () => flush(file.sync()) };
    },
  };
  const openIndex = async (indexDir: string): Promise<DocumentIndex> => {
    const index = await openThreadedIndex({ indexDir, embedder, threads: 1, logger });
    return { ...index, replace: (...args) => flush(index.replace(...args)), touch: (...args) => flush(index.touch(...args)) };
  };
  const open = async (role: 'frontend' | 'worker'): Promise<Engine> => {
    const options = { dataDir, role, openIndex, now, newId, logger, disk, diskReserveBytes: 0, taskRetentionMs: 86_400_000 };
    const engine = await openFileEngine(options);
    stack.defer(() => engine.close());
    return engine;
  };
  const [front, worker] = [await open('frontend'), await open('worker')];
  await startWork(worker, stack);
  const uploads = createUploads({ engine: front, syncBytesMax: 1e7, queueTasksMax: 100, attemptsMax: 3, newId, now });
  const tasks = createTaskControl(front);

  const once = async (docId: string, body: Buffer): Promise<DiskFigures> => {
    flushes.length = 0;
    opens = 0;
    const { id } = await submit(uploads, docId, body);
    const ended = await tasks.wait(id, 60_000, new AbortController().signal);
    if (ended?.task.status !== 'completed') throw new Error(`${docId} was not completed`);
    return { flushes: flushes.length, stages: oneAfterTheOther(flushes), opens };
  };
  const fresh: DiskFigures[] = [];
  for (const [n, body] of bodies.entries()) fresh.push(await once(`doc-${n}`, body));
  const unchanged: DiskFigures[] = [];
  for (const [n, body] of bodies.entries()) unchanged.push(await once(`doc-${n}`, body));
  return { fresh: medians(fresh), unchanged: medians(unchanged) };
}

async function startWork(engine: Engine, stack: AsyncDisposableStack): Promise<void> {
  const config = loadConfig({});
  const pool = createThreadPool({
    threads: 2,
    filename: fileURLToPath(new URL('../../workers/ingest.ts', import.meta.url)),
    settings: { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: '', embedder },
    threadMemoryMb: 512,
    deadlines: { parseMs: 60_000, pageMs: 60_000, embedMs: 60_000 },
    logger,
  });
  await pool.ready();
  stack.defer(() => pool.close());
  const { id: embedderId } = await createEmbedder(embedder);
  const reading = { limits: config, chunkTokensMax: config.chunkTokens, ocrLanguages: [] };
  const dispatcher = createDispatcher({ engine, pool, embedderId, reading, now, retryDelayMs: () => 1, logger });
  stack.defer(() => dispatcher.stop(0));
  dispatcher.start();
}

async function submit(uploads: Uploads, docId: string, body: Buffer): ReturnType<Uploads['submit']> {
  const receipt = await uploads.receive({ bytesMax: 1e6, bytesExpected: body.length });
  await new Promise<void>((resolve, reject) => receipt.stream.once('error', reject).end(body, () => resolve()));
  const said = { filename: `${docId}.txt`, declaredMediaType: 'text/plain', metadata: null, callbackUrl: null };
  return uploads.submit({ ...said, receipt, docId, keyId: null, caller: '127.0.0.1' });
}

/** The most of them of which none begins before the one before it has ended. */
function oneAfterTheOther(spans: readonly Span[]): number {
  let stages = 0;
  let ended = -Infinity;
  for (const { from, to } of spans.toSorted((a, b) => a.to - b.to)) {
    if (from < ended) continue;
    stages += 1;
    ended = to;
  }
  return stages;
}

function medians(figures: readonly DiskFigures[]): DiskFigures {
  const median = (of: keyof DiskFigures): number => figures.map((each) => each[of]).toSorted((a, b) => a - b)[figures.length >> 1]!;
  return { flushes: median('flushes'), stages: median('stages'), opens: median('opens') };
}
