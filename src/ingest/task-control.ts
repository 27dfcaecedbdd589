/** What a person or a program may ask of a task: look, wait, cancel, try again. */
import type { Engine } from '../storage/engine.ts';
import { isTerminal, type TaskId, type TaskSnapshot } from '../tasks/task.ts';
import type { CancelOutcome, RetryOutcome, TaskStore } from '../tasks/task-store.ts';

export interface TaskControl extends Pick<TaskStore, 'get' | 'list' | 'listSorted' | 'watch'> {
  /** Answers as soon as the task is terminal, after `waitMs` at the latest, or when `signal` aborts; null for an unknown id. */
  wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null>;
  /** Hears of the end of a task that is not there yet, so that nobody has to look whether it has ended before it was waited for. */
  follow(id: TaskId): FollowedTask;
  /** With `force`, returns when the task's thread is stopped and its traces are gone, or when it turned out too late (`final`). */
  cancel(id: TaskId, options: { force: boolean }): Promise<CancelOutcome>;
  retry(id: TaskId): Promise<RetryOutcome | 'file_gone'>;
}

/** How the end of one task is waited for. */
interface FollowedTask {
  /** As `TaskControl.wait`. */
  ended(waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null>;
  /** Safe twice. */
  stop(): void;
}

/** A forced cancel waits this long for the owner, which needs milliseconds when alive and its lease's end when dead. */
const forcedCancelMs = 30_000;

export function createTaskControl(engine: Engine): TaskControl {
  const { tasks } = engine;

  async function wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null> {
    const followed = follow(id);
    try {
      const now = await tasks.get(id);
      if (now === null || isTerminal(now.task.status) || waitMs <= 0 || signal.aborted) return now;
      return await followed.ended(waitMs, signal);
    } finally {
      followed.stop();
    }
  }

  function follow(id: TaskId): FollowedTask {
    const heard = Promise.withResolvers<TaskSnapshot>();
    const stop = tasks.watch(id, (snapshot) => void (isTerminal(snapshot.task.status) && heard.resolve(snapshot)), 'end');
    return {
      async ended(waitMs, signal) {
        const given = Promise.withResolvers<null>();
        const giveUp = (): void => given.resolve(null);
        const timer = setTimeout(giveUp, waitMs);
        signal.addEventListener('abort', giveUp, { once: true });
        if (signal.aborted) giveUp();
        const snapshot = await Promise.race([heard.promise, given.promise]);
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        return snapshot ?? tasks.get(id);
      },
      stop,
    };
  }

  async function cancel(id: TaskId, options: { force: boolean }): Promise<CancelOutcome> {
    const asked = await tasks.cancel(id, options);
    if (asked.outcome !== 'processing' || !options.force) return asked;
    const ended = await wait(id, forcedCancelMs, new AbortController().signal);
    if (ended === null) return { outcome: 'gone' };
    if (ended.task.status === 'pending') return tasks.cancel(id, options);
    if (!isTerminal(ended.task.status)) return { outcome: 'processing', task: ended.task };
    return { outcome: ended.task.error?.code === 'cancelled' ? 'cancelled' : 'final', task: ended.task };
  }

  return {
    get: (id) => tasks.get(id),
    list: (filter) => tasks.list(filter),
    listSorted: (filter) => tasks.listSorted(filter),
    watch: (id, listener, what) => tasks.watch(id, listener, what),
    wait,
    follow,
    cancel,
    async retry(id) {
      const snapshot = await tasks.get(id);
      if (snapshot === null) return 'gone';
      if (snapshot.task.status !== 'failed') return 'not_failed';
      if ((await engine.files.stat({ kind: 'payload', taskId: id })) === null) return 'file_gone';
      await engine.index.reinstate(snapshot.task.docId, id);
      return tasks.retry(id);
    },
  };
}
