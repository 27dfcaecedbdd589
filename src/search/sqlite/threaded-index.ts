/**
 * The index behind a pool of threads, so that no search and no commit holds up the event loop. In the process that is given
 * the stored documents it also fills an index that is new or whose predecessor was damaged.
 */
import { Piscina } from 'piscina';
import { AppError } from '../../errors.ts';
import { moduleFile } from '../../program-files.ts';
import { readStagedMeta, versionOf } from '../index/staging.ts';
import type { Logger } from '../../logger.ts';
import type { TaskId, Version } from '../../tasks/task.ts';
import type { DocumentIndex } from '../document-index.ts';
import type { IndexJob, IndexMethod, IndexOutcome, IndexThreadSettings } from './index-job.ts';
import { replaceInSlices, type SliceSteps, wholeChunksMax } from './slices.ts';
import type { SqliteIndex } from './sqlite-index.ts';
import { raiseOn, unstoppable } from '../stop.ts';

export type ThreadedIndexOptions = IndexThreadSettings & {
  /** Each is a connection of its own; two let a search run beside a commit. */
  readonly threads: number;
  readonly logger: Logger;
  /** Every stored document (`FileStore.documents`); given in the process that works, absent in the one that answers. */
  readonly documents?: () => AsyncIterable<{ readonly folder: string; readonly version: TaskId }>;
};

export interface ThreadedIndex extends DocumentIndex {
  /**
   * Gives every document vectors of the present embedder while the index serves; `onProgress` gets the documents left.
   * Stops between two batches when `signal` aborts; what was done stays. @throws AppError `embedder_failed`.
   */
  reindex(onProgress: (left: number) => void, signal?: AbortSignal): Promise<void>;
  /** What is wrong with the index file; empty when nothing. Reads all of it. */
  check(): Promise<string[]>;
}

/** Stored documents that the index is told of in one call. */
const expectedAtOnce = 500;
/** How often an idle process looks whether another one has set the index aside. */
const rebuildCheckMs = 2000;
/** A pass that fails may be disturbed by another process; one after the other is a fault. */
const fillTriesMax = 3;

/** Opens the index and waits until every thread answers. Closing waits for what runs. */
export async function openThreadedIndex(options: ThreadedIndexOptions): Promise<ThreadedIndex> {
  const { indexDir, embedder, reranker = null, translates = true, logger } = options;
  const pool = new Piscina({
    filename: moduleFile('workers/index'),
    minThreads: options.threads,
    maxThreads: options.threads,
    idleTimeout: Infinity,
    workerData: { indexDir, embedder, reranker, translates } satisfies IndexThreadSettings,
  });
  const waiting = new Set<(error: Error) => void>();
  let broken: Error | null = null;
  pool.on('error', (error: Error) => {
    broken = error;
    for (const reject of waiting) reject(error);
  });
  const closing = new AbortController();

  /** A thread that cannot start rejects one call and leaves the later ones waiting for ever; the pool's error ends them. */
  const call: Call = (method, ...args) => perform({ method, args });

  async function perform(job: IndexJob): Promise<never> {
    if (broken !== null) throw broken;
    // Not a race against one promise of failure: it would keep a reaction for every call that was ever made.
    const { promise, resolve, reject } = Promise.withResolvers<IndexOutcome>();
    waiting.add(reject);
    pool.run(job).then(resolve, reject);
    const outcome = await promise.finally(() => waiting.delete(reject));
    if (!outcome.ok) throw new AppError(outcome.code, outcome.message, { cause: outcome.cause });
    return outcome.value as never;
  }

  const tidying = oneAtATime(logger, 'merging index segments failed', async () => {
    while (!closing.signal.aborted && (await call('tidy')));
  });

  const rebuilding = oneAtATime(logger, 'rebuilding the index from the stored documents failed', async () => {
    if (options.documents === undefined) return;
    await expectStored(call, options.documents, logger);
    storedKnown.resolve();
    if ((await call('rebuildState')) === 'done') return;
    const restored = await rebuild(call, options.documents, { signal: closing.signal, logger });
    if (restored > 0) logger.info({ documents: restored }, 'index filled from the stored documents');
    tidying.start();
  });

  const steps: SliceSteps = {
    beginSlices: (...args) => call('beginSlices', ...args),
    addChunks: (...args) => call('addChunks', ...args),
    addBlocks: (...args) => call('addBlocks', ...args),
    listSlices: (...args) => call('listSlices', ...args),
    dropSlices: (...args) => call('dropSlices', ...args),
  };

  function look(): void {
    rebuilding.start();
    finding.start();
  }

  const finding = oneAtATime(logger, 'cleaning up after dead processes in the index failed', async () => {
    if (await call('findDead')) tidying.start();
  });

  /** An older version must not slip into a new index before it is known that a newer one is stored. */
  const storedKnown = Promise.withResolvers<void>();
  if (options.documents === undefined) storedKnown.resolve();
  closing.signal.addEventListener('abort', () => storedKnown.resolve());

  await Promise.all(Array.from({ length: options.threads }, () => call('rebuildState')));
  rebuilding.start();
  const timer = options.documents === undefined ? null : setInterval(look, rebuildCheckMs).unref();

  return {
    async replace(document, folder, postings) {
      await storedKnown.promise;
      const isLarge = postings !== undefined && postings.chunks > wholeChunksMax;
      const replacing = isLarge
        ? replaceInSlices(steps, document, { folder, postings })
        : call('replace', document, folder, postings);
      const outcome = await replacing.catch((error: unknown) => {
        tidying.start();
        throw error;
      });
      tidying.start();
      return outcome;
    },
    async touch(...args) {
      await storedKnown.promise;
      return call('touch', ...args);
    },
    change: (...args) => call('change', ...args),
    revoke: (...args) => call('revoke', ...args),
    reinstate: (...args) => call('reinstate', ...args),
    remove: (...args) => call('remove', ...args).finally(() => tidying.start()),
    info: (...args) => call('info', ...args),
    chunks: (...args) => call('chunks', ...args),
    wasCommitted: (...args) => call('wasCommitted', ...args),
    list: (...args) => call('list', ...args),
    async search(query, stop = unstoppable) {
      const { flag, release } = raiseOn(stop.signal);
      return perform({ method: 'search', args: [query], stop: flag }).finally(release);
    },
    stats: () => call('stats'),
    collectionStats: (...args) => call('collectionStats', ...args),
    recount: () => call('recount'),
    removeMany: (...args) => call('removeMany', ...args).finally(() => tidying.start()),
    purge: (...args) => call('purge', ...args),
    highestOrdinal: () => call('highestOrdinal'),
    check: () => call('check'),
    async reindex(onProgress, signal) {
      for (let left = Infinity; left > 0 && signal?.aborted !== true && !closing.signal.aborted;) {
        left = await call('reembed');
        onProgress(left);
      }
    },
    isFilled: async () => (await call('rebuildState')) === 'done',
    async filled() {
      if (options.documents === undefined) return;
      for (let tries = 0; tries < fillTriesMax; tries++) {
        rebuilding.start();
        await rebuilding.done();
        if ((await call('rebuildState')) === 'done') return;
      }
      throw new AppError('unavailable', 'The index could not be rebuilt from the stored documents.');
    },
    async close() {
      closing.abort();
      if (timer !== null) clearInterval(timer);
      await Promise.all([finding.done(), tidying.done(), rebuilding.done()]);
      await pool.close();
    },
  };
}

type StoredDocuments = NonNullable<ThreadedIndexOptions['documents']>;

type Call = <M extends IndexMethod>(method: M, ...args: Parameters<SqliteIndex[M]>) => Promise<Awaited<ReturnType<SqliteIndex[M]>>>;

/** Tells an index that knows no stored document which there are, before anything else is put into it. */
async function expectStored(call: Call, documents: StoredDocuments, logger: Logger): Promise<void> {
  if (!['new', 'damaged'].includes(await call('rebuildState'))) return;
  let found = 0;
  let batch: { docId: string; version: Version }[] = [];
  for await (const { folder } of documents()) {
    found++;
    try {
      const { document } = await readStagedMeta(folder);
      batch.push({ docId: document.docId, version: versionOf(document) });
    } catch (error) {
      logger.warn({ err: error, folder }, 'a stored document could not be read');
    }
    if (batch.length === expectedAtOnce) await call('expect', batch.splice(0));
  }
  await call('expect', batch);
  if (found > 0) await call('setRebuildState', 'running');
}

/** Looks through the stored documents until a whole pass finds nothing that the index lacks. Returns how many it lacked. */
async function rebuild(
  call: Call,
  documents: StoredDocuments,
  { signal, logger }: { signal: AbortSignal; logger: Logger },
): Promise<number> {
  let restored = 0;
  for (let missing = Infinity; missing > 0;) {
    missing = 0;
    for await (const { folder, version } of documents()) {
      if (signal.aborted) return restored;
      if (await call('wasCommitted', '', version)) continue;
      if (await restore(call, folder, logger)) missing++;
    }
    restored += missing;
  }
  await call('setRebuildState', 'done');
  return restored;
}

/** One stored document back into the index; one that cannot be read is logged and left. */
async function restore(call: Call, folder: string, logger: Logger): Promise<boolean> {
  try {
    const { document } = await readStagedMeta(folder);
    return (await call('replace', document, folder)) === 'ok';
  } catch (error) {
    logger.warn({ err: error, folder }, 'a stored document could not be added to the index again');
    return false;
  }
}

/** Background work of which there is never more than one piece in this process; a failure is logged and the work left. */
function oneAtATime(logger: Logger, sentence: string, work: () => Promise<void>): { start(): void; done(): Promise<void> } {
  let running: Promise<void> | null = null;
  return {
    start() {
      running ??= work()
        .catch((error: unknown) => logger.error({ err: error }, sentence))
        .finally(() => (running = null));
    },
    async done() {
      await running;
    },
  };
}
