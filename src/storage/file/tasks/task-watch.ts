/**
 * Who wants to know what became of a task. Every write of a record or of progress is made in a lease directory, under a name of its own that
 * holds the task's id, and leaves it: watching the few lease directories shows every change by whatever process, however many tasks
 * are kept. A poll of what is live is the net under the watchers.
 */
import { join } from 'node:path';
import { isTerminal, type Task, type TaskId, type TaskSnapshot, taskLanes } from '../../../tasks/task.ts';
import type { TaskListener, Watch } from '../../task-watch.ts';
import { type Disk, orNull } from '../disk/disk.ts';
import { idOfName, type Layout, parseMarker, taskIdIn } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';
import type { PendingMarkers } from '../queue/pending-markers.ts';

export interface TaskWatch extends Watch {
  /** Once a second. Cost: one readdir a process, and a read for each task that runs or is watched by itself. */
  poll(): Promise<void>;
  /** As `changed`, of a record that this process has put in its place: it need not be read. */
  wrote(task: Task): void;
}

const readsAtOnce = 8;
/** Of the tasks that are watched one by one, how many the poll looks at in one turn. */
const polledMax = 200;
/** Ended tasks that are remembered so that the traces of their end are not told as news. */
const endedMax = 5000;
/** Temporary files that were seen to come and not yet to go. */
const comingMax = 1000;

export function createTaskWatch(options: {
  disk: Disk;
  layout: Layout;
  owner: Owner;
  pending: PendingMarkers;
  read: (id: TaskId) => Promise<TaskSnapshot | null>;
  /** As `read`, of a record that need not be read. */
  snapshot: (task: Task) => Promise<TaskSnapshot>;
}): TaskWatch {
  const { disk, layout, owner, pending } = options;
  const everyTask = new Set<TaskListener>();
  const oneTask = new Map<TaskId, Set<TaskListener>>();
  /** What listeners were told last, of live tasks and of those watched one by one. */
  const told = new Map<TaskId, string>();
  /** The last revision told of tasks that ended lately. */
  const ended = new Map<TaskId, number>();
  /** Null: to be read. */
  const dirty = new Map<TaskId, Task | null>();
  const inFlight = new Set<TaskId>();
  const again = new Set<TaskId>();
  const directories = new Map<string, (() => void) | null>();
  const coming = new Set<string>();
  let stopOwners: (() => void) | null = null;
  let reading = 0;
  let pollFrom = 0;
  let closed = false;

  function wanted(id: TaskId): boolean {
    return everyTask.size > 0 || oneTask.has(id);
  }

  function changed(id: TaskId): void {
    if (wanted(id)) look(id, null);
  }

  function wrote(task: Task): void {
    // Where somebody else saw a change meanwhile, the file says more.
    if (wanted(task.id)) look(task.id, dirty.has(task.id) ? null : task);
  }

  function look(id: TaskId, written: Task | null): void {
    dirty.set(id, written);
    readMore();
  }

  function readMore(): void {
    while (!closed && reading < readsAtOnce && dirty.size > 0) void readNext();
  }

  async function readNext(): Promise<void> {
    const [id, written] = dirty.entries().next().value as [TaskId, Task | null];
    dirty.delete(id);
    // Read twice at once, the older state could be told last.
    if (inFlight.has(id)) return void again.add(id);
    inFlight.add(id);
    reading += 1;
    try {
      const snapshot = await (written === null ? options.read(id) : options.snapshot(written));
      if (snapshot !== null) tell(snapshot);
    } catch {
      // The disk is in trouble; the poll looks again.
    } finally {
      reading -= 1;
      inFlight.delete(id);
      if (again.delete(id)) dirty.set(id, null);
    }
    readMore();
  }

  function tell(snapshot: TaskSnapshot): void {
    const { task, progress } = snapshot;
    if (ended.get(task.id) === task.revision && !oneTask.has(task.id)) return void told.delete(task.id);
    const news = `${task.revision} ${JSON.stringify(progress)}`;
    // What this process wrote is told unread, perhaps after what others made of it since.
    if ((ended.get(task.id) ?? 0) > task.revision) return;
    const before = told.get(task.id);
    if (before === news || (before !== undefined && Number.parseInt(before, 10) > task.revision)) return;
    if (isTerminal(task.status)) remember(task);
    if (isTerminal(task.status) && !oneTask.has(task.id)) told.delete(task.id);
    else told.set(task.id, news);
    for (const listener of [...(oneTask.get(task.id) ?? []), ...everyTask]) listener(snapshot);
  }

  function remember({ id, revision }: Task): void {
    ended.delete(id);
    ended.set(id, revision);
    if (ended.size > endedMax) ended.delete(ended.keys().next().value as TaskId);
  }

  function start(): void {
    if (stopOwners !== null) return;
    stopOwners = disk.watch(layout.active, () => void watchOwners().catch(() => undefined)) ?? (() => undefined);
    void watchOwners().catch(() => undefined);
  }

  /** One watcher for the lease directory of every other process. */
  async function watchOwners(): Promise<void> {
    const present = new Set((await disk.list(layout.active, 'watch.owners')).filter((name) => name !== owner.id));
    for (const [name, stop] of directories) {
      if (present.has(name)) continue;
      stop?.();
      directories.delete(name);
    }
    for (const name of present) {
      if (closed || directories.has(name)) continue;
      directories.set(name, disk.watch(join(layout.active, name), noticeFile));
    }
  }

  /** A record, or progress, is in its place when its temporary file has gone: what is told once when it comes is told again then. */
  function noticeFile(fileName: string): void {
    const id = fileName.startsWith('.t.') ? taskIdIn(fileName) : null;
    if (id === null) return;
    if (coming.delete(fileName)) return changed(id);
    coming.add(fileName);
    if (coming.size > comingMax) coming.delete(coming.values().next().value!);
  }

  async function poll(): Promise<void> {
    if (closed || (everyTask.size === 0 && oneTask.size === 0)) return;
    await watchOwners();
    const running = await runningIds();
    for (const id of running) changed(id);
    pollSingles();
    if (everyTask.size > 0) await pollLive(running);
  }

  function pollSingles(): void {
    const ids = [...oneTask.keys()];
    for (let step = 0; step < Math.min(polledMax, ids.length); step += 1) changed(ids[(pollFrom + step) % ids.length]!);
    pollFrom += polledMax;
  }

  /** A task that was live when last told and is not marked any more has ended; one that is marked and was never told is new. */
  async function pollLive(running: ReadonlySet<TaskId>): Promise<void> {
    await pending.refresh();
    const waiting = new Set(taskLanes.flatMap((lane) => pending.names(lane).map(idOfName)));
    for (const id of told.keys()) if (!waiting.has(id)) changed(id);
    for (const id of waiting) if (!told.has(id)) changed(id);
    for (const id of running) if (!told.has(id)) changed(id);
  }

  async function runningIds(): Promise<Set<TaskId>> {
    const owners = await disk.list(layout.active, 'watch.owners');
    const names = await Promise.all(owners.map((name) => orNull(disk.list(join(layout.active, name), 'watch.markers'))));
    return new Set(names.flatMap((list) => (list ?? []).map((name) => parseMarker(name)?.id ?? null)).filter((id) => id !== null));
  }

  return {
    watch(id, listener) {
      start();
      const listeners = id === null ? everyTask : (oneTask.get(id) ?? new Set());
      if (id !== null) oneTask.set(id, listeners);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (id === null || listeners.size > 0) return;
        if (oneTask.get(id) === listeners) oneTask.delete(id);
        if (everyTask.size === 0 || ended.has(id)) told.delete(id);
      };
    },
    changed,
    wrote,
    poll,
    close() {
      closed = true;
      stopOwners?.();
      for (const stop of directories.values()) stop?.();
      directories.clear();
    },
  };
}

/** Reads a task as its watchers see it. */
export function snapshotReader(
  read: (id: TaskId) => Promise<Task | null>,
  snapshot: (task: Task) => Promise<TaskSnapshot>,
): (id: TaskId) => Promise<TaskSnapshot | null> {
  return async (id) => {
    const task = await read(id);
    return task === null ? null : snapshot(task);
  };
}
