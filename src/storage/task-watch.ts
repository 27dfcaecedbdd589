/**
 * Who wants to know what became of a task, where a server tells every process of changes: each is told by a message; after a gap
 * in them, what changed is looked up.
 */
import { isTerminal, type TaskId, type TaskSnapshot } from '../tasks/task.ts';

export type TaskListener = (snapshot: TaskSnapshot) => void;
/** `end`: of what comes before a task's end the listener need not hear. */
export type Watched = 'all' | 'end';

/** What every watch can do, however it hears of changes. */
export interface Watch {
  /** As `TaskStore.watch`. */
  watch(id: TaskId | null, listener: TaskListener, what?: Watched): () => void;
  /** Somebody has changed the task; `isEnd: false`: it is known not to have ended by that. */
  changed(id: TaskId, how?: { readonly isEnd: boolean }): void;
  close(): void;
}

export interface TaskWatch extends Watch {
  /** A task has ended so. */
  ended(snapshot: TaskSnapshot): void;
  /** Messages may have been missed: looks at what is watched and at what changed lately. */
  catchUp(): Promise<void>;
}

/** Reads on their way, and tasks that one of them reads at most. */
const readsAtOnce = 2;
const tasksARead = 100;
/** What only those who follow every task want to know waits so long for its task's next change, and for those of others. */
const gatherMs = 400;
/** Ended tasks that are remembered so that their end is told once. */
const endedMax = 5000;

export function createTaskWatch(options: {
  /** In any order; what is gone is left out. */
  read: (ids: readonly TaskId[]) => Promise<readonly TaskSnapshot[]>;
  /** Ids of what may have changed since the last message. */
  changedLately: () => Promise<readonly TaskId[]>;
}): TaskWatch {
  const everyTask = new Set<TaskListener>();
  const oneTask = new Map<TaskId, Set<TaskListener>>();
  /** What listeners were told last: revision and progress. */
  const told = new Map<TaskId, { revision: number; news: string }>();
  const dirty = new Set<TaskId>();
  const gathered = new Set<TaskId>();
  const inFlight = new Set<TaskId>();
  /** Those that wait for the end alone. */
  const endOnly = new WeakSet<TaskListener>();
  let gathering: NodeJS.Timeout | undefined;
  let reads = 0;
  let closed = false;

  function changed(id: TaskId, { isEnd }: { readonly isEnd: boolean } = { isEnd: true }): void {
    if (closed) return;
    const wants = (listener: TaskListener): boolean => isEnd || !endOnly.has(listener);
    if (isEnd || [...(oneTask.get(id) ?? [])].some(wants)) return changedNow(id);
    if (![...everyTask].some(wants)) return;
    gathered.add(id);
    gathering ??= setTimeout(readGathered, gatherMs);
  }

  function changedNow(id: TaskId): void {
    gathered.delete(id);
    if (everyTask.size === 0 && !oneTask.has(id)) return;
    dirty.add(id);
    readMore();
  }

  function readGathered(): void {
    gathering = undefined;
    for (const id of gathered) dirty.add(id);
    gathered.clear();
    readMore();
  }

  function readMore(): void {
    while (reads < readsAtOnce) {
      // Read twice at once, the older state could be told last.
      const next = [...dirty].filter((id) => !inFlight.has(id)).slice(0, tasksARead);
      if (next.length === 0) return;
      void readSome(next);
    }
  }

  async function readSome(ids: readonly TaskId[]): Promise<void> {
    reads += 1;
    for (const id of ids) {
      dirty.delete(id);
      inFlight.add(id);
    }
    try {
      for (const snapshot of await options.read(ids)) if (!closed) tell(snapshot);
    } catch {
      // The server is away; when it is back, `catchUp` looks again.
    } finally {
      reads -= 1;
      for (const id of ids) inFlight.delete(id);
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
    watch(id, listener, what = 'all') {
      if (what === 'end') endOnly.add(listener);
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
    ended(snapshot) {
      const { id } = snapshot.task;
      gathered.delete(id);
      dirty.delete(id);
      if (!closed && (everyTask.size > 0 || oneTask.has(id))) tell(snapshot);
    },
    async catchUp() {
      for (const id of oneTask.keys()) changed(id);
      if (everyTask.size === 0 || closed) return;
      for (const id of await options.changedLately()) changed(id);
    },
    close() {
      closed = true;
      clearTimeout(gathering);
      dirty.clear();
    },
  };
}
