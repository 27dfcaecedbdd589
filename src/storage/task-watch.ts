/**
 * Who wants to know what became of a task, where a server tells every process of changes: each is told by a message; after a gap
 * in them, what changed is looked up.
 */
import { isTerminal, type TaskId, type TaskSnapshot } from '../tasks/task.ts';

export type TaskListener = (snapshot: TaskSnapshot) => void;

/** What every watch can do, however it hears of changes. */
export interface Watch {
  /** As `TaskStore.watch`. */
  watch(id: TaskId | null, listener: TaskListener): () => void;
  /** Somebody has changed the task. */
  changed(id: TaskId): void;
  close(): void;
}

export interface TaskWatch extends Watch {
  /** Messages may have been missed: looks at what is watched and at what changed lately. */
  catchUp(): Promise<void>;
}

const readsAtOnce = 4;
/** Ended tasks that are remembered so that their end is told once. */
const endedMax = 5000;

export function createTaskWatch(options: {
  read: (id: TaskId) => Promise<TaskSnapshot | null>;
  /** Ids of what may have changed since the last message. */
  changedLately: () => Promise<readonly TaskId[]>;
}): TaskWatch {
  const everyTask = new Set<TaskListener>();
  const oneTask = new Map<TaskId, Set<TaskListener>>();
  /** What listeners were told last: revision and progress. */
  const told = new Map<TaskId, { revision: number; news: string }>();
  const dirty = new Set<TaskId>();
  const inFlight = new Set<TaskId>();
  let closed = false;

  function changed(id: TaskId): void {
    if (closed || (everyTask.size === 0 && !oneTask.has(id))) return;
    dirty.add(id);
    readMore();
  }

  function readMore(): void {
    for (const id of dirty) {
      if (inFlight.size >= readsAtOnce) return;
      // Read twice at once, the older state could be told last.
      if (!inFlight.has(id)) void readOne(id);
    }
  }

  async function readOne(id: TaskId): Promise<void> {
    dirty.delete(id);
    inFlight.add(id);
    try {
      const snapshot = await options.read(id);
      if (snapshot !== null && !closed) tell(snapshot);
    } catch {
      // The server is away; when it is back, `catchUp` looks again.
    } finally {
      inFlight.delete(id);
      if (!closed) readMore();
    }
  }

  function tell(snapshot: TaskSnapshot): void {
    const { task, progress } = snapshot;
    const before = told.get(task.id);
    const news = JSON.stringify(progress);
    if (before !== undefined && (before.revision > task.revision || (before.revision === task.revision && before.news === news)))
      return;
    told.delete(task.id);
    told.set(task.id, { revision: task.revision, news });
    forgetSome();
    for (const listener of [...(oneTask.get(task.id) ?? []), ...everyTask]) listener(snapshot);
    if (isTerminal(task.status) && everyTask.size === 0 && !oneTask.has(task.id)) told.delete(task.id);
  }

  function forgetSome(): void {
    for (const id of told.keys()) {
      if (told.size <= endedMax) return;
      if (!oneTask.has(id)) told.delete(id);
    }
  }

  return {
    watch(id, listener) {
      const listeners = id === null ? everyTask : (oneTask.get(id) ?? new Set());
      if (id !== null) oneTask.set(id, listeners);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (id === null || listeners.size > 0) return;
        if (oneTask.get(id) === listeners) oneTask.delete(id);
        if (everyTask.size === 0) told.delete(id);
      };
    },
    changed,
    async catchUp() {
      for (const id of oneTask.keys()) changed(id);
      if (everyTask.size === 0 || closed) return;
      for (const id of await options.changedLately()) changed(id);
    },
    close() {
      closed = true;
      dirty.clear();
    },
  };
}
