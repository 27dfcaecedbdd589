/**
 * Takes tasks from the queue and sees each to its end, at most one per thread. It decides what a failed attempt means;
 * the pool only runs, the queue only carries, the index has the last word (`settle.ts`).
 */
import type { Engine } from '../storage/engine.ts';
import type { DocumentErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Lease } from '../tasks/task-queue.ts';
import { readsOtherwise, type ReadingSettings } from '../parse/reading.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { kept } from '../tasks/given.ts';
import { withPercent } from '../tasks/progress.ts';
import { cancelledByUser, type Task, type TaskError, type TaskId, type TaskLane } from '../tasks/task.ts';
import { troubleOf } from '../trouble.ts';
import { failureOf } from './failure.ts';
import { rollForward, settleDocument, type Settled, settleFailure, settleUnchanged } from './settle.ts';
import type { RunOutcome, ThreadJob, ThreadPool } from './thread-pool.ts';

export type DispatcherOptions = {
  readonly engine: Engine;
  readonly pool: ThreadPool;
  /** `Embedder.id` of the threads, and how they read: what was read or embedded otherwise is not "unchanged". */
  readonly embedderId: string;
  readonly reading: ReadingSettings;
  /** ISO 8601. */
  readonly now: () => string;
  /** Pause before attempt `n` (2, 3, …) after a retryable failure. */
  readonly retryDelayMs: (attempt: number) => number;
  readonly logger: Logger;
};

export interface Dispatcher {
  /** Runs until `stop`. */
  start(): void;
  /**
   * Takes no more tasks, gives running ones `stopMs` to end, then hands the rest back with their attempt not counted.
   * Safe twice.
   */
  stop(stopMs: number): Promise<void>;
}

type Run = { lane: TaskLane | null; done: Promise<void> };

/** Every fourth task may be a large one even while small ones wait, so that neither starves the other. */
const largeFirstEvery = 4;

const settleTriesMax = 4;

/** How often storage may break one task, by this process, before its attempts count; and of how many tasks that is known. */
const brokenMax = 50;
/** The pause between two of them grows up to that before this attempt. */
const slowestAfter = 3;
const brokenKnownMax = 10_000;

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { engine, pool, logger } = options;
  const running = new Map<Lease, Run>();
  const stopping = new AbortController();
  const handBack = new AbortController();
  /** Replaced after every end of a run: whoever waits for a free thread or another lane looks again. */
  let change = Promise.withResolvers<void>();
  /** How often attempts at a task broke on storage that refused. */
  const broken = new Map<TaskId, number>();
  let taken = 0;
  let loop: Promise<void> = Promise.resolve();
  /** The running task may have brought the process down before: no other runs beside it. */
  let solo = false;
  /** Such a task waits until nothing runs: nothing more is claimed before. */
  let quiet = false;

  return {
    start() {
      loop = takeTasks();
    },
    async stop(stopMs) {
      stopping.abort();
      changed();
      await loop;
      const ended = Promise.all([...running.values()].map((run) => run.done));
      const timer = setTimeout(() => handBack.abort(), stopMs);
      await ended;
      clearTimeout(timer);
    },
  };

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers<void>();
  }

  async function takeTasks(): Promise<void> {
    while (!stopping.signal.aborted && !engine.lost.aborted) {
      const waitForChange = change.promise;
      if (solo || running.size >= pool.threads || (quiet && running.size > 0)) {
        await waitForChange;
        continue;
      }
      quiet = false;
      const lease = await claimUntil(waitForChange);
      if (lease !== null) await place(lease).catch(leftToRecovery(lease));
    }
  }

  /** Claims from the lanes that have room now; gives up when a run ends, since then other lanes may have room. */
  async function claimUntil(waitForChange: Promise<void>): Promise<Lease | null> {
    const giveUp = new AbortController();
    void waitForChange.then(() => giveUp.abort());
    const signal = AbortSignal.any([giveUp.signal, stopping.signal, engine.lost]);
    try {
      return await engine.queue.claim(lanesWithRoom(), signal);
    } catch (error) {
      logger.error({ err: error }, 'claiming a task failed; trying again');
      await Promise.race([waitForChange, pause(1000, stopping.signal)]);
      return null;
    }
  }

  /** Large tasks leave one thread to small ones where there is more than one. */
  function lanesWithRoom(): TaskLane[] {
    const large = [...running.values()].filter((run) => run.lane !== 'small').length;
    if (pool.threads > 1 && large >= pool.threads - 1) return ['small'];
    return taken % largeFirstEvery === largeFirstEvery - 1 ? ['large', 'small'] : ['small', 'large'];
  }

  /**
   * A second attempt runs by itself: if the document kills the process again, no other task loses an attempt with it, and
   * the guilty one alone runs out of them. So it goes back, its attempt not begun, while others run.
   */
  async function place(lease: Lease): Promise<void> {
    const known = await persist(() => engine.tasks.get(lease.taskId));
    const suspect = known !== null && known.task.attempts > 0;
    if (suspect && running.size > 0) {
      quiet = true;
      await persist(() => lease.giveBack());
      return;
    }
    solo = suspect;
    begin(lease);
  }

  function begin(lease: Lease): void {
    taken += 1;
    const run: Run = { lane: null, done: Promise.resolve() };
    running.set(lease, run);
    run.done = runTask(lease, run)
      .catch(leftToRecovery(lease))
      .finally(() => {
        running.delete(lease);
        solo = false;
        changed();
      });
  }

  async function runTask(lease: Lease, run: Run): Promise<void> {
    const begun = await persist(() => engine.tasks.begin(lease.taskId));
    if (begun.outcome === 'gone' || begun.outcome === 'finished') return void (await persist(() => lease.ack()));
    const { task } = begun;
    run.lane = task.lane;
    changed();
    if (begun.outcome === 'exhausted') return fail(lease, task, exhausted(task));
    if (task.attempts > 1) {
      const forward = await persist(() => rollForward(engine, lease, task));
      if (forward !== null) return logEnd(task, forward);
    }
    try {
      await attempt(lease, task);
    } catch (error) {
      logger.error({ err: error, taskId: task.id }, 'an attempt broke');
      await concludeFailed(lease, task, failureOf(error));
    }
  }

  function leftToRecovery(lease: Lease): (error: unknown) => void {
    return (error) => logger.error({ err: error, taskId: lease.taskId }, 'a task could not be settled; recovery will find it');
  }

  async function attempt(lease: Lease, task: Task): Promise<void> {
    const current = await engine.index.info(task.docId);
    // A task with the number of what is there is to read that again (`rereading.ts`).
    const rereads = current?.ordinal === task.ordinal ? current : null;
    if (current !== null && rereads === null && isSameReading(current, task)) {
      const unchanged = await persist(() => settleUnchanged(engine, lease, task, current), settleTriesMax);
      if (unchanged !== null) return logEnd(task, unchanged);
    }
    const payloadPath = await engine.files.localPath({ kind: 'payload', taskId: task.id });
    if (payloadPath === null) return fail(lease, task, payloadMissing);
    const scratchDir = await engine.files.scratch(task.id);
    const outcome = await pool.run(
      { ...pickJob(task, current), insertedAt: rereads?.insertedAt ?? options.now(), payloadPath, scratchDir },
      { signal: AbortSignal.any([lease.signal, handBack.signal]), onProgress: reporter(task) },
    );
    await conclude(lease, task, scratchDir, outcome);
  }

  /** Whether reading this task's file would make what is there already. */
  function isSameReading(current: IndexedDocument, task: Task): boolean {
    const sameBytes = current.sha256 === task.sha256 && current.embedder === options.embedderId;
    return sameBytes && !readsOtherwise(current.reading, task, options.reading);
  }

  async function conclude(lease: Lease, task: Task, scratchDir: string, outcome: RunOutcome): Promise<void> {
    if (outcome.ok) {
      const { document, stageMs } = outcome;
      reporter(task)({
        stage: 'indexing',
        pagesDone: document.pages,
        pagesTotal: document.pages,
        chunksDone: 0,
        chunksTotal: document.chunks,
      });
      const readAt = performance.now();
      const settled = await persist(() => settleDocument(engine, lease, task, { scratchDir, document }), settleTriesMax);
      broken.delete(task.id);
      return logEnd(task, settled, { ...stageMs, index: Math.round(performance.now() - readAt) });
    }
    if (outcome.code === 'aborted') return concludeAborted(lease, task);
    if ('trace' in outcome)
      logger.error({ taskId: task.id, code: outcome.code, trace: outcome.trace }, 'a thread met an unexpected error');
    await concludeFailed(lease, task, toTaskError(outcome));
  }

  async function concludeFailed(lease: Lease, task: Task, error: TaskError): Promise<void> {
    if (lease.signal.aborted) return concludeAborted(lease, task);
    const broke = error.code === 'storage_failed' && error.retryable ? noteBroken(task) : Infinity;
    if (broke <= brokenMax)
      return tryAgain(lease, task, error, { counted: false, delayMs: options.retryDelayMs(Math.min(broke + 1, slowestAfter)) });
    if (error.retryable && task.attempts < task.attemptsMax)
      return tryAgain(lease, task, error, { counted: true, delayMs: options.retryDelayMs(task.attempts + 1) });
    await fail(lease, task, error);
  }

  /**
   * Storage that refuses says nothing of the document: it costs it no attempt. Unless it refuses this document alone, again and again,
   * which nobody would hear of otherwise.
   */
  function noteBroken({ id }: Task): number {
    const times = (broken.get(id) ?? 0) + 1;
    broken.set(id, times);
    if (broken.size > brokenKnownMax) broken.delete(broken.keys().next().value!);
    return times;
  }

  async function fail(lease: Lease, task: Task, error: TaskError): Promise<void> {
    broken.delete(task.id);
    logEnd(task, await persist(() => settleFailure(engine, lease, task, error)));
  }

  async function concludeAborted(lease: Lease, task: Task): Promise<void> {
    if (lease.signal.aborted && lease.signal.reason === 'cancel') return fail(lease, task, cancelledByUser);
    if (engine.lost.aborted || lease.signal.aborted) return logger.warn({ taskId: task.id }, 'task lost to another process');
    await giveBack(lease, task, { counted: false });
    logger.info({ taskId: task.id }, 'task handed back: stopping');
  }

  async function tryAgain(
    lease: Lease,
    task: Task,
    error: TaskError,
    { delayMs, ...counting }: { counted: boolean; delayMs: number },
  ): Promise<void> {
    logger.warn({ taskId: task.id, attempt: task.attempts, code: error.code, delayMs }, 'attempt failed; trying again');
    const signal = AbortSignal.any([lease.signal, stopping.signal]);
    await pause(delayMs, signal);
    if (lease.signal.aborted) return concludeAborted(lease, task);
    await giveBack(lease, task, counting);
  }

  async function giveBack(lease: Lease, task: Task, counting: { counted: boolean }): Promise<void> {
    const released = await persist(() => engine.tasks.release(task.id, task.attempts, counting));
    if (released === 'ok') await persist(() => lease.giveBack());
  }

  /**
   * What must be recorded is tried until the disk takes it: the result is held here meanwhile, and the queue entry stays.
   * A stop or a lost lease ends the waiting; recovery goes on from the last durable step. Trouble that is not the disk's
   * is given up after `triesMax`: it will not pass by waiting.
   */
  async function persist<T>(work: () => Promise<T>, triesMax = Infinity): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (engine.lost.aborted || stopping.signal.aborted || (tries >= triesMax && troubleOf(error) === null)) throw error;
        logger.error({ err: error, tries }, 'a task step could not be recorded; trying again');
        await pause(Math.min(5000, 100 * 2 ** Math.min(tries, 6)), AbortSignal.any([engine.lost, stopping.signal]));
      }
    }
  }

  function reporter(task: Task): (counts: Parameters<typeof withPercent>[0]) => void {
    let floor = 0;
    return (counts) => {
      const progress = withPercent(counts, floor);
      floor = progress.percent;
      engine.tasks
        .progress(task.id, task.attempts, progress)
        .catch((error: unknown) => logger.debug({ err: error }, 'progress not written'));
    };
  }

  function logEnd(task: Task, settled: Settled, stageMs: Readonly<Record<string, number>> = {}): void {
    if (settled === 'fenced') return logger.warn({ taskId: task.id }, 'task finished by another process');
    const fields = {
      taskId: task.id,
      docId: task.docId,
      status: settled.status,
      attempts: task.attempts,
      fileBytes: task.fileBytes,
      ...stageMs,
    };
    logger.info(settled.status === 'failed' ? { ...fields, errorCode: settled.error.code } : fields, 'task finished');
  }
}

function pickJob(task: Task, current: IndexedDocument | null): Omit<ThreadJob, 'insertedAt' | 'payloadPath' | 'scratchDir'> {
  const { id, ordinal, docId, filename, fileBytes, sha256, declaredMediaType } = task;
  const metadata = kept(task.metadata, current?.metadata ?? null);
  const givenTitle = current?.givenTitle ?? null;
  return { taskId: id, ordinal, docId, filename, fileBytes, sha256, declaredMediaType, metadata, givenTitle };
}

const payloadMissing: TaskError = {
  code: 'storage_failed',
  message: 'The uploaded file is no longer stored; upload it again',
  retryable: false,
};

function exhausted(task: Task): TaskError {
  return {
    code: 'worker_crashed',
    message: `The document stopped its worker process on each of ${task.attemptsMax} attempts, and was given up`,
    retryable: true,
  };
}

/** A thread that died is tried again: it may have been another document's fault. */
function toTaskError(outcome: Exclude<RunOutcome, { ok: true } | { code: 'aborted' }>): TaskError {
  if (outcome.code === 'crashed') {
    return { code: 'worker_crashed', message: 'The document stopped the thread that read it', retryable: true };
  }
  return { code: outcome.code satisfies DocumentErrorCode, message: outcome.message, retryable: outcome.retryable };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      resolve();
    },
    { once: true },
  );
  return promise;
}
