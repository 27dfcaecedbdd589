/**
 * Takes tasks from the queue, at most one per thread, one step after the other: `tick` takes one task, or waits until there may be one.
 * Which task may begin is a rule of its own (`slot-policy.ts`), so is what becomes of it (`task-run.ts`).
 */
import type { Lease, PreparedLease } from '../tasks/task-queue.ts';
import type { TaskLane } from '../tasks/task.ts';
import { createLending } from './lending.ts';
import { createPersist, pause } from './persist.ts';
import { lanesToClaim } from './slot-policy.ts';
import { createTaskRun, type Prepared, type TaskRunOptions } from './task-run.ts';
import type { RunOutcome, ThreadJob } from './thread-pool.ts';

export interface Dispatcher {
  /** Runs until `stop`. */
  start(): void;
  /** A job that is no task, in one of the threads: between the tasks, callers by turns. Never rejects. */
  lend(job: ThreadJob, asker: { caller: string; signal: AbortSignal }): Promise<RunOutcome>;
  /**
   * Takes no more tasks, gives running ones `stopMs` to end, then hands the rest back with their attempt not counted.
   * Safe twice.
   */
  stop(stopMs: number): Promise<void>;
}

/** `begun`: a task runs; `lent`: a job that is none; `postponed`: it goes back until nothing runs beside it; `waited`: a run ended, or there was nothing to take. */
type Tick = 'begun' | 'lent' | 'postponed' | 'waited';

/** How long a task has to be found while a job that is none waits for the thread. */
const tasksTurnMs = 100;

type Run = { lane: TaskLane | null; done: Promise<void> };

export function createDispatcher(options: TaskRunOptions): Dispatcher {
  const { engine, pool, logger } = options;
  const stopping = new AbortController();
  const handBack = new AbortController();
  const persist = createPersist({ lost: engine.lost, stopping: stopping.signal, logger });
  const tasks = createTaskRun({ ...options, persist, stopping: stopping.signal, handBack: handBack.signal });
  const running = new Map<Lease, Run>();
  const lending = createLending(pool.threads);
  const slots = { taken: 0, solo: false, quiet: false };
  /** Replaced after every end of a run: whoever waits for a free thread or another lane looks again. */
  let change = Promise.withResolvers<void>();
  let loop: Promise<void> = Promise.resolve();

  return {
    start() {
      loop = takeTasks();
    },
    lend,
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

  async function takeTasks(): Promise<void> {
    while (!stopping.signal.aborted && !engine.lost.aborted) await tick();
  }

  async function tick(): Promise<Tick> {
    const waitForChange = change.promise;
    const lent = Array.from({ length: lending.running }, () => 'small' as const);
    const lanes = lanesToClaim({
      ...slots,
      threads: pool.threads,
      running: [...[...running.values()].map(({ lane }) => lane), ...lent],
    });
    if (lanes.length === 0) {
      await waitForChange;
      return 'waited';
    }
    slots.quiet = false;
    if (lending.isNext) {
      lending.begin();
      return 'lent';
    }
    const lease = await claimUntil(waitForChange, lanes, lending.mayBegin ? tasksTurnMs : null);
    lending.taskWasNext();
    if (lease === null) return 'waited';
    return place(lease).catch((error: unknown) => {
      leftToRecovery(lease, error);
      return 'waited';
    });
  }

  /** Claims from the lanes that have room now; gives up when a run ends, since then other lanes may have room. */
  async function claimUntil(
    waitForChange: Promise<void>,
    lanes: readonly TaskLane[],
    waitMs: number | null,
  ): Promise<PreparedLease<Prepared> | null> {
    const giveUp = new AbortController();
    void waitForChange.then(() => giveUp.abort());
    const timer = waitMs === null ? undefined : setTimeout(() => giveUp.abort(), waitMs);
    const signal = AbortSignal.any([giveUp.signal, stopping.signal, engine.lost]);
    try {
      return await engine.queue.claim(lanes, signal, (task) => tasks.prepare(task));
    } catch (error) {
      logger.error({ err: error }, 'claiming a task failed; trying again');
      await Promise.race([waitForChange, pause(1000, stopping.signal)]);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  async function lend(job: ThreadJob, { caller, signal }: { caller: string; signal: AbortSignal }): Promise<RunOutcome> {
    const turn = lending.turn(caller, [signal, stopping.signal]);
    changed();
    if (!(await turn)) return { ok: false, code: 'aborted' };
    try {
      return await pool.run(job, { signal: AbortSignal.any([signal, stopping.signal]), onProgress: () => undefined });
    } finally {
      lending.end();
      changed();
    }
  }

  /**
   * A second attempt runs by itself: if the document kills the process again, no other task loses an attempt with it, and
   * the guilty one alone runs out of them. So it goes back, its attempt not begun, while others run.
   */
  async function place(lease: PreparedLease<Prepared>): Promise<Tick> {
    const suspect = (lease.prepared?.attempts ?? (await attemptsOf(lease))) > 0;
    if (suspect && running.size + lending.running > 0) {
      slots.quiet = true;
      await persist(() => lease.release());
      return 'postponed';
    }
    slots.solo = suspect;
    begin(lease);
    return 'begun';
  }

  async function attemptsOf({ taskId }: Lease): Promise<number> {
    return (await persist(() => engine.tasks.get(taskId)))?.task.attempts ?? 0;
  }

  function begin(lease: PreparedLease<Prepared>): void {
    slots.taken += 1;
    const run: Run = { lane: null, done: Promise.resolve() };
    running.set(lease, run);
    run.done = tasks
      .run(lease, (lane) => {
        run.lane = lane;
        changed();
      })
      .catch((error: unknown) => leftToRecovery(lease, error))
      .finally(() => {
        running.delete(lease);
        slots.solo = false;
        changed();
      });
  }

  function changed(): void {
    change.resolve();
    change = Promise.withResolvers<void>();
  }

  function leftToRecovery({ taskId }: Lease, error: unknown): void {
    logger.error({ err: error, taskId }, 'a task could not be settled; recovery takes it over');
  }
}
