/**
 * Who looks when a task has come: every worker hears of it, one looks at once, each of the others a little later than the one before it,
 * unless the task is heard to be begun by then. So one transaction takes it, however many workers there are, and one that is busy or
 * dead keeps it from the next for a moment only.
 */
import type { TaskId } from '../../tasks/task.ts';

export interface Bell {
  /** A task has come, or some have (null): `look` is called, now or later, or not at all. */
  rings(id: TaskId | null): void;
  /** Somebody has the task. */
  taken(id: TaskId): void;
  close(): void;
}

/** Longer than it takes from one commit to hear of the next; what a task waits at most for each busy worker before an idle one. */
const turnMs = 100;

export function createBell(options: {
  /** Of this process. */
  readonly id: string;
  /** Those who hear it; without this process, it never looks. */
  readonly workers: () => readonly string[];
  readonly look: () => void;
}): Bell {
  const { id, workers, look } = options;
  const later = new Map<TaskId, NodeJS.Timeout>();

  /** Another order for each task, the same in every process that knows the same workers. Null: not among them. */
  function placeFor(task: TaskId): number | null {
    const order = workers().toSorted((a, b) => mix(`${task} ${a}`) - mix(`${task} ${b}`));
    const place = order.indexOf(id);
    return place === -1 ? null : place;
  }

  return {
    rings(task) {
      const place = task === null ? 0 : placeFor(task);
      if (place === null) return;
      if (task === null || place === 0) return look();
      const timer = setTimeout(() => {
        later.delete(task);
        look();
      }, place * turnMs);
      later.set(task, timer);
    },
    taken(task) {
      clearTimeout(later.get(task));
      later.delete(task);
    },
    close() {
      for (const timer of later.values()) clearTimeout(timer);
      later.clear();
    },
  };
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function mix(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
