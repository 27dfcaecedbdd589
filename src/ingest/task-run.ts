/**
 * One task from its beginning to its end: an attempt at it in a thread, and what its outcome means. The pool only runs, the queue only
 * carries, the index has the last word (`settle.ts`).
 */
import type { Engine } from '../storage/engine.ts';
import type { CollectionReading } from '../documents/collection.ts';
import { collectionOf, defaultCollection, nameOf } from '../documents/document-name.ts';
import { readingIn } from './job.ts';
import type { DocumentErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Lease, PreparedLease } from '../tasks/task-queue.ts';
import { readsOtherwise, type ReadingSettings } from '../parse/reading.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { keptDescription } from '../tasks/given.ts';
import { withPercent } from '../tasks/progress.ts';
import { cancelledByUser, type Task, type TaskError, type TaskId, type TaskLane } from '../tasks/task.ts';
import { failureOf } from './failure.ts';
import { pause, type Persist } from './persist.ts';
import { documentDeleted, rollForward, settleDocument, type Settled, settleFailure, settleUnchanged } from './settle.ts';
import type { RunOutcome, ThreadJob, ThreadPool } from './thread-pool.ts';

export type TaskRunOptions = {
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

export interface TaskRun {
  /**
   * Sees a task to its end, or hands it back. `onBegun` is told its lane as soon as that is known.
   * @throws what could not be recorded: the task is left to recovery.
   */
  run(lease: PreparedLease<Prepared>, onBegun: (lane: TaskLane) => void): Promise<void>;
  /** The first steps of a first attempt, for a queue that does them in the transaction of a claim; of a later attempt, only what it is. */
  prepare(task: Task): Promise<Prepared>;
}

/** What is known of a claimed task. `begun`: it is, and this is what its attempt reads first. */
export type Prepared = { readonly attempts: number; readonly begun: Begun | null };

type Begun = { readonly outcome: 'started'; readonly task: Task; readonly first: FirstReads };

/** `payloadPath` absent: not looked for yet. */
type FirstReads = {
  readonly current: IndexedDocument | null;
  readonly collection: CollectionReading | null | 'gone';
  readonly payloadPath?: string | null;
};

/** A larger file is not fetched while a transaction is open. */
const preparedBytesMax = 1024 * 1024;

const settleTriesMax = 4;

/** How often storage may break one task, by this process, before its attempts count; and of how many tasks that is known. */
const brokenMax = 50;
/** The pause between two of them grows up to that before this attempt. */
const slowestAfter = 3;
const brokenKnownMax = 10_000;

/** `stopping`: a failed attempt waits no longer; `handBack`: running ones end now and go back, not counted. */
export function createTaskRun(
  options: TaskRunOptions & { readonly persist: Persist; readonly stopping: AbortSignal; readonly handBack: AbortSignal },
): TaskRun {
  const { engine, pool, logger, persist } = options;
  /** How often attempts at a task broke on storage that refused. */
  const broken = new Map<TaskId, number>();
  return { run, prepare };

  async function prepare({ id, attempts }: Task): Promise<Prepared> {
    if (attempts > 0) return { attempts, begun: null };
    const begun = await engine.tasks.begin(id);
    if (begun.outcome !== 'started') return { attempts, begun: null };
    return { attempts, begun: { ...begun, first: await readFirst(begun.task, preparedBytesMax) } };
  }

  async function readFirst(task: Task, bytesMax: number): Promise<FirstReads> {
    const current = await engine.index.info(task.docId);
    const collection = await collectionFor(task);
    if (task.fileBytes > bytesMax) return { current, collection };
    return { current, collection, payloadPath: await engine.files.localPath({ kind: 'payload', taskId: task.id }) };
  }

  async function run(lease: PreparedLease<Prepared>, onBegun: (lane: TaskLane) => void): Promise<void> {
    const prepared = lease.prepared?.begun ?? null;
    const begun = prepared ?? (await persist(() => engine.tasks.begin(lease.taskId)));
    if (begun.outcome === 'gone' || begun.outcome === 'finished') return void (await persist(() => lease.ack()));
    const { task } = begun;
    onBegun(task.lane);
    if (begun.outcome === 'exhausted') return fail(lease, task, exhausted(task));
    if (task.attempts > 1) {
      const forward = await persist(() => rollForward(engine, lease, task));
      if (forward !== null) return logEnd(task, forward);
    }
    try {
      await attempt(lease, task, prepared?.first ?? (await readFirst(task, 0)));
    } catch (error) {
      logger.error({ err: error, taskId: task.id }, 'an attempt failed unexpectedly');
      await concludeFailed(lease, task, failureOf(error));
    }
  }

  async function attempt(lease: Lease, task: Task, { current, collection, payloadPath: prepared }: FirstReads): Promise<void> {
    if (collection === 'gone') return fail(lease, task, documentDeleted);
    // A power cut may take back that an attempt had begun and ended, not what it made searchable.
    if (current?.version === task.id) {
      const forward = await persist(() => rollForward(engine, lease, task));
      if (forward !== null) return logEnd(task, forward);
    }
    // A task with the number of what is there is to read that again (`rereading.ts`).
    const rereads = current?.ordinal === task.ordinal ? current : null;
    // What a password opens was not read without it.
    const isAsBefore = task.password === undefined && rereads === null;
    if (current !== null && isAsBefore && isSameReading(current, task, collection)) {
      const unchanged = await persist(() => settleUnchanged(engine, lease, task, current), settleTriesMax);
      if (unchanged !== null) return logEnd(task, unchanged);
    }
    const payloadPath = prepared === undefined ? await engine.files.localPath({ kind: 'payload', taskId: task.id }) : prepared;
    if (payloadPath === null) return fail(lease, task, payloadMissing);
    const scratchDir = await engine.files.scratch(task.id);
    const outcome = await pool.run(
      { ...pickJob(task, current), collection, insertedAt: rereads?.insertedAt ?? options.now(), payloadPath, scratchDir },
      { signal: AbortSignal.any([lease.signal, options.handBack]), onProgress: reporter(task) },
    );
    await conclude(lease, task, scratchDir, outcome);
  }

  /** What its collection says of reading. One that was removed takes along whatever was on its way to it. */
  async function collectionFor({ docId }: Task): Promise<CollectionReading | null | 'gone'> {
    const name = collectionOf(docId);
    const found = await engine.collections.get(name);
    return found?.settings ?? (name === defaultCollection ? null : 'gone');
  }

  /** Whether reading this task's file would make what is there already. */
  function isSameReading(current: IndexedDocument, task: Task, collection: CollectionReading | null): boolean {
    const sameBytes = current.sha256 === task.sha256 && current.embedder === options.embedderId;
    return sameBytes && !readsOtherwise(current.reading, task, readingIn(collection, options.reading));
  }

  async function conclude(lease: Lease, task: Task, scratchDir: string, outcome: RunOutcome): Promise<void> {
    if (outcome.ok) {
      const { document, postings, stageMs } = outcome;
      reporter(task)({
        stage: 'indexing',
        pagesDone: document.pages,
        pagesTotal: document.pages,
        chunksDone: 0,
        chunksTotal: document.chunks,
      });
      const readAt = performance.now();
      const settled = await persist(() => settleDocument(engine, lease, task, { scratchDir, document, postings }), settleTriesMax);
      broken.delete(task.id);
      return logEnd(task, settled, { ...stageMs, index: Math.round(performance.now() - readAt) });
    }
    if (outcome.code === 'aborted') return concludeAborted(lease, task);
    if ('trace' in outcome)
      logger.error({ taskId: task.id, code: outcome.code, trace: outcome.trace }, 'a thread failed unexpectedly');
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
    if (engine.lost.aborted || lease.signal.aborted) return logger.warn({ taskId: task.id }, 'task taken over by another process');
    await release(lease, task, { counted: false });
    logger.info({ taskId: task.id }, 'task handed back: stopping');
  }

  async function tryAgain(
    lease: Lease,
    task: Task,
    error: TaskError,
    { delayMs, ...counting }: { counted: boolean; delayMs: number },
  ): Promise<void> {
    logger.warn({ taskId: task.id, attempt: task.attempts, code: error.code, delayMs }, 'attempt failed; trying again');
    const signal = AbortSignal.any([lease.signal, options.stopping]);
    await pause(delayMs, signal);
    if (lease.signal.aborted) return concludeAborted(lease, task);
    await release(lease, task, counting);
  }

  async function release(lease: Lease, task: Task, counting: { counted: boolean }): Promise<void> {
    const released = await persist(() => engine.tasks.release(task.id, task.attempts, counting));
    if (released === 'ok') await persist(() => lease.release());
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
      ...nameOf(task.docId),
      status: settled.status,
      attempts: task.attempts,
      fileBytes: task.fileBytes,
      ...stageMs,
    };
    logger.info(settled.status === 'failed' ? { ...fields, errorCode: settled.error.code } : fields, 'task finished');
  }
}

function pickJob(task: Task, current: IndexedDocument | null): Omit<ThreadJob, 'insertedAt' | 'payloadPath' | 'scratchDir'> {
  const { id, ordinal, docId, filename, fileBytes, sha256, declaredMediaType, password } = task;
  const givenTitle = current?.givenTitle ?? null;
  const secret = password === undefined ? {} : { password };
  const file = { filename, fileBytes, sha256, declaredMediaType };
  return { taskId: id, ordinal, docId, ...file, ...keptDescription(task, current), givenTitle, ...secret };
}

const payloadMissing: TaskError = {
  code: 'storage_failed',
  message: 'The uploaded file is no longer stored; upload it again',
  retryable: false,
};

function exhausted(task: Task): TaskError {
  return {
    code: 'worker_crashed',
    message: `The worker process stopped unexpectedly on each of ${task.attemptsMax} attempts at this document; it is not tried again`,
    retryable: true,
  };
}

/** A thread that died is tried again: it may have been another document's fault. */
function toTaskError(outcome: Exclude<RunOutcome, { ok: true } | { code: 'aborted' }>): TaskError {
  if (outcome.code === 'crashed') {
    return { code: 'worker_crashed', message: 'The thread that read the document stopped unexpectedly', retryable: true };
  }
  return { code: outcome.code satisfies DocumentErrorCode, message: outcome.message, retryable: outcome.retryable };
}
