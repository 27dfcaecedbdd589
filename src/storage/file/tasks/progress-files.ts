/** How far each running attempt has come, in a small unsynced file beside its marker; written at most every 100 ms. */
import type { Task, TaskId, TaskProgress } from '../../../tasks/task.ts';
import { join } from 'node:path';
import { type Disk, orNull } from '../disk/disk.ts';
import { type Layout, progressName } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';

export interface ProgressFiles {
  /** Never throws and is never waited for; the newest of several wins. */
  write(id: TaskId, attempt: number, progress: TaskProgress): void;
  /** Null when there is none for this attempt. */
  read(owner: string, task: Task): Promise<TaskProgress | null>;
  /** The attempt is over: nothing of it is written any more, and its file is gone. */
  end(id: TaskId): Promise<void>;
  close(): void;
}

const writeEveryMs = 100;

type Progress = { readonly attempt: number; readonly progress: TaskProgress };

export function createProgressFiles(disk: Disk, layout: Layout, owner: Owner): ProgressFiles {
  const waiting = new Map<TaskId, Progress>();
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    timer = null;
    for (const id of waiting.keys()) {
      const progress = waiting.get(id);
      if (progress === undefined) continue;
      waiting.delete(id);
      writing = writeOne(id, progress).catch(() => undefined);
      await writing;
    }
    writing = null;
    if (waiting.size > 0) schedule();
  }

  async function writeOne(id: TaskId, progress: Progress): Promise<void> {
    const temp = owner.temp(id);
    try {
      const file = await disk.create(temp, 'progress.create');
      try {
        await file.write([Buffer.from(JSON.stringify(progress))]);
      } finally {
        await file.close();
      }
      await disk.rename(temp, owner.own(progressName(id)), 'progress.rename');
    } catch (error) {
      await owner.discard(temp);
      throw error;
    }
  }

  function schedule(): void {
    if (timer !== null || writing !== null || owner.lost.aborted) return;
    timer = setTimeout(() => void writeAll(), writeEveryMs);
    timer.unref();
  }

  return {
    write(id, attempt, progress) {
      waiting.set(id, { attempt, progress });
      schedule();
    },
    async read(ownerId, task) {
      const text = await orNull(disk.read(join(layout.active, ownerId, progressName(task.id)), 'progress.read'));
      if (text === null) return null;
      const { attempt, progress } = JSON.parse(text) as Progress;
      return attempt === task.attempts ? progress : null;
    },
    async end(id) {
      waiting.delete(id);
      await writing;
      await owner.discard(owner.own(progressName(id)));
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      waiting.clear();
    },
  };
}
