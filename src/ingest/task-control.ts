/** What a person or a program may ask of a task: look, wait, cancel, try again. */
import type { Engine } from '../storage/engine.ts';
import { isTerminal, type TaskId, type TaskSnapshot } from '../tasks/task.ts';
import type { CancelOutcome, RetryOutcome, TaskStore } from '../tasks/task-store.ts';

export interface TaskControl extends Pick<TaskStore, 'get' | 'list' | 'listSorted' | 'watch'> {
  /** Answers as soon as the task is terminal, after `waitMs` at the latest, or when `signal` aborts; null for an unknown id. */
  wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null>;
  /** With `force`, returns when the task's thread is stopped and its traces are gone, or when it turned out too late (`final`). */
  cancel(id: TaskId, options: { force: boolean }): Promise<CancelOutcome>;
  retry(id: TaskId): Promise<RetryOutcome | 'file_gone'>;
}

/** A forced cancel waits this long for the owner, which needs milliseconds when alive and its lease's end when dead. */
const forcedCancelMs = 30_000;

export function createTaskControl(engine: Engine): TaskControl {
  const { tasks } = engine;

  async function wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null> {
    const ended = Promise.withResolvers<TaskSnapshot | null>();
    const stopWatching = tasks.watch(id, (snapshot) => {
      if (isTerminal(snapshot.task.status)) ended.resolve(snapshot);
    });
    const timer = setTimeout(ended.resolve, waitMs, null);
    signal.addEventListener('abort', () => ended.resolve(null), { once: true });
    try {
      const now = await tasks.get(id);
      if (now === null || isTerminal(now.task.status) || waitMs <= 0 || signal.aborted) return now;
      return (await ended.promise) ?? (await tasks.get(id));
    } finally {
      clearTimeout(timer);
      stopWatching();
    }
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
    watch: (id, listener) => tasks.watch(id, listener),
    wait,
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
