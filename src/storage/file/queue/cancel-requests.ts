/** Forced cancels of tasks that run in another process: a file named by the task, seen by its owner through a watcher and a poll. */
import { join } from 'node:path';
import { hasErrno } from '../../../errors.ts';
import { type TaskId, isTaskId } from '../../../tasks/task.ts';
import { type Disk, touch, unlinkIfThere } from '../disk/disk.ts';
import { type Layout } from '../disk/layout.ts';

export interface CancelRequests {
  /** Asks whoever runs the task, now or next. Safe twice. */
  ask(id: TaskId): Promise<void>;
  asked(id: TaskId): boolean;
  /** The request was answered. */
  clear(id: TaskId): Promise<void>;
  /** Ids of all requests. Reads the directory. */
  poll(): Promise<ReadonlySet<TaskId>>;
  close(): void;
}

export function createCancelRequests(disk: Disk, layout: Layout, onRequest: (id: TaskId) => void): CancelRequests {
  let known: ReadonlySet<TaskId> = new Set();
  const pathOf = (id: TaskId) => join(layout.cancel, id);
  const stopWatching = disk.watch(layout.cancel, () => void poll().catch(() => undefined));

  async function poll(): Promise<ReadonlySet<TaskId>> {
    known = new Set((await disk.list(layout.cancel, 'cancel.list')).filter(isTaskId));
    for (const id of known) onRequest(id);
    return known;
  }

  return {
    async ask(id) {
      await touch(disk, pathOf(id), 'cancel.request').catch((error: unknown) => {
        if (!hasErrno(error, 'EEXIST')) throw error;
      });
      onRequest(id);
    },
    asked: (id) => known.has(id),
    async clear(id) {
      await unlinkIfThere(disk, pathOf(id), 'cancel.clear');
    },
    poll,
    close() {
      stopWatching?.();
    },
  };
}
