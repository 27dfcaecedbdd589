/** Who wants to know what became of a task. Every change is told by a notification; after a gap in them, what changed is looked up. */
import { isTerminal, type TaskId, type TaskSnapshot } from '../../tasks/task.ts';
import type { Database } from './database.ts';

type TaskListener = (snapshot: TaskSnapshot) => void;

export interface TaskWatch {
  /** As `TaskStore.watch`. */
  watch(id: TaskId | null, listener: TaskListener): () => void;
  /** Somebody has changed the task. */
  changed(id: TaskId): void;
  /** Notifications may have been missed: looks at what changed since the last one. */
  catchUp(): Promise<void>;
  close(): void;
}

const readsAtOnce = 4;
/** Looked at again before the moment of the last look, for transactions that were not committed then. */
const overlapSeconds = 60;
/** Ended tasks that are remembered so that their end is told once. */
const endedMax = 5000;

export function createTaskWatch(options: { database: Database; read: (id: TaskId) => Promise<TaskSnapshot | null> }): TaskWatch {
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
      // The database is away; when it is back, `catchUp` looks again.
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

  async function catchUp(): Promise<void> {
    for (const id of oneTask.keys()) changed(id);
    if (everyTask.size === 0 || closed) return;
    const sql = `SELECT id FROM task WHERE changed_at > clock_timestamp() - $1 * interval '1 second' ORDER BY changed_at LIMIT 10000`;
    for (const row of await options.database.query(sql, [overlapSeconds])) changed(row['id'] as TaskId);
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
    catchUp,
    close() {
      closed = true;
      dirty.clear();
    },
  };
}
