/** The markers of waiting tasks as this process knows them: sorted names in memory, read anew only when the directory changed. */
import { join } from 'node:path';
import { type TaskLane, taskLanes } from '../../../tasks/task.ts';
import type { Disk } from '../disk/disk.ts';
import { callerIn, type Layout } from '../disk/layout.ts';

export interface PendingMarkers {
  /** Names of one lane, in the order of acceptance. Look at it at once; it changes. */
  names(lane: TaskLane): readonly string[];
  /** Whose tasks wait in it. */
  callers(lane: TaskLane): Iterable<string>;
  /** Names of one caller's, in that order. Look at it at once; it changes. */
  namesOf(lane: TaskLane, caller: string): readonly string[];
  /** Reads the directories that changed, unless that was done very lately (100,000 names take 150 ms). */
  refresh(): Promise<void>;
  /** Reads all of them as they are from now on, whatever that costs. */
  refreshNow(): Promise<void>;
  /** This process has put a marker there. */
  added(lane: TaskLane, name: string): void;
  /** A marker turned out to be gone. */
  removed(lane: TaskLane, name: string): void;
  /** How many waiting tasks go before this one (an estimate); null when it is not waiting. */
  position(lane: TaskLane, name: string): number | null;
  /** Grows when something may have become claimable. */
  readonly version: number;
  /** Resolves when `version` has passed `seen`, or `signal` aborts. */
  changed(seen: number, signal: AbortSignal): Promise<void>;
  /** Something outside the directories made a task claimable (a document is free again). */
  readonly wake: () => void;
  /** The net under the watchers: looks at the directories' own times. */
  poll(): Promise<void>;
  close(): void;
}

type Lane = {
  names: string[];
  byCaller: Map<string, string[]>;
  stale: boolean;
  readAt: number;
  readMs: number;
  mtimeMs: number;
  looksAgain: boolean;
  reading: Promise<void> | null;
};

export function createPendingMarkers(disk: Disk, layout: Layout): PendingMarkers {
  const lanes = { small: emptyLane(), large: emptyLane() } satisfies Record<TaskLane, Lane>;
  const waiters = new Set<() => void>();
  let version = 0;
  let timer: NodeJS.Timeout | null = null;
  const stopWatching = taskLanes.map((lane) => disk.watch(layout.pending[lane], () => markStale(lane)));

  function markStale(lane: TaskLane): void {
    lanes[lane].stale = true;
    wake();
  }

  function wake(): void {
    version += 1;
    for (const waiter of waiters) waiter();
  }

  /** Whoever finds nothing in a list that is too old looks again when it may be read. */
  function wakeIn(ms: number): void {
    timer ??= setTimeout(() => {
      timer = null;
      wake();
    }, ms);
    timer.unref();
  }

  async function refreshLane(lane: TaskLane): Promise<void> {
    const state = lanes[lane];
    if (state.reading !== null) return state.reading;
    if (!state.stale) return;
    const waitMs = state.readAt + Math.max(20, 10 * state.readMs) - performance.now();
    if (waitMs > 0 && state.names.length > 0) return wakeIn(waitMs);
    await startReading(lane);
  }

  async function refreshLaneNow(lane: TaskLane): Promise<void> {
    // One that has begun may have passed by what is new.
    await lanes[lane].reading;
    await (lanes[lane].reading ?? startReading(lane));
  }

  function startReading(lane: TaskLane): Promise<void> {
    const state = lanes[lane];
    state.reading = readLane(lane).finally(() => (state.reading = null));
    return state.reading;
  }

  async function readLane(lane: TaskLane): Promise<void> {
    const state = lanes[lane];
    const startedAt = performance.now();
    state.stale = false;
    try {
      state.names = (await disk.list(layout.pending[lane], 'pending.list')).sort();
      state.byCaller = Map.groupBy(state.names, callerIn);
    } catch (error) {
      state.stale = true;
      throw error;
    }
    state.readAt = performance.now();
    state.readMs = state.readAt - startedAt;
  }

  return {
    names: (lane) => lanes[lane].names,
    callers: (lane) => lanes[lane].byCaller.keys(),
    namesOf: (lane, caller) => lanes[lane].byCaller.get(caller) ?? [],
    async refresh() {
      await Promise.all(taskLanes.map(refreshLane));
    },
    async refreshNow() {
      await Promise.all(taskLanes.map(refreshLaneNow));
    },
    added(lane, name) {
      const { names, byCaller } = lanes[lane];
      const caller = callerIn(name);
      insert(names, name);
      const own = byCaller.get(caller);
      if (own === undefined) byCaller.set(caller, [name]);
      else insert(own, name);
      if (lanes[lane].reading !== null) lanes[lane].stale = true;
      wake();
    },
    removed(lane, name) {
      const { names, byCaller } = lanes[lane];
      const caller = callerIn(name);
      const own = byCaller.get(caller) ?? [];
      remove(names, name);
      remove(own, name);
      if (own.length === 0) byCaller.delete(caller);
      if (lanes[lane].reading !== null) lanes[lane].stale = true;
    },
    position(lane, name) {
      const { byCaller } = lanes[lane];
      const own = byCaller.get(callerIn(name)) ?? [];
      const at = lowerBound(own, name);
      if (own[at] !== name) return null;
      // The others have their turns meanwhile.
      const before = [...byCaller.values()].reduce((sum, names) => sum + (names === own ? at : Math.min(names.length, at)), 0);
      return lane === 'small' ? before : lanes.small.names.length + before;
    },
    get version() {
      return version;
    },
    changed(seen, signal) {
      if (version !== seen || signal.aborted) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = () => {
        waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      waiters.add(done);
      signal.addEventListener('abort', done);
      return promise;
    },
    wake,
    async poll() {
      for (const lane of taskLanes) {
        const state = lanes[lane];
        const { mtimeMs } = await disk.stat(layout.pending[lane], 'pending.poll');
        const hasChanged = mtimeMs !== state.mtimeMs;
        // Once more after a change: what came into the directory in the same tick of the system's clock, some milliseconds, left its time as it was.
        if (hasChanged || state.looksAgain) markStale(lane);
        state.looksAgain = hasChanged;
        state.mtimeMs = mtimeMs;
      }
    },
    close() {
      for (const stop of stopWatching) stop?.();
      if (timer !== null) clearTimeout(timer);
      wake();
    },
  };
}

/** Where a marker of this name lies while its task waits. */
export function pendingPath(layout: Layout, lane: TaskLane, name: string): string {
  return join(layout.pending[lane], name);
}

function emptyLane(): Lane {
  return {
    names: [],
    byCaller: new Map(),
    stale: true,
    readAt: -Infinity,
    readMs: 0,
    mtimeMs: 0,
    looksAgain: false,
    reading: null,
  };
}

function insert(names: string[], name: string): void {
  const at = lowerBound(names, name);
  if (names[at] !== name) names.splice(at, 0, name);
}

function remove(names: string[], name: string): void {
  const at = lowerBound(names, name);
  if (names[at] === name) names.splice(at, 1);
}

function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
