/**
 * The tasks this page knows, newest first: pages of `GET /tasks`, kept current by the feed. Changes are gathered and shown once a
 * frame, so that a burst of events costs one rendering.
 */
import { signal } from '@preact/signals';
import { getTask, listTasks } from './api.ts';
import type { TaskStatus } from '../tasks/task.ts';
import type { WireTask } from './wire.ts';

/** Most tasks held. With one more, the oldest that has ended and is in nobody's hands is let go; a filter finds it again. */
export const tasksMax = 20_000;
/** Asked for first, so that something is soon seen; then pages of `pageTasks`. */
const firstTasks = 50;
const pageTasks = 200;
/** Tasks asked for one by one when the state is read again. */
const singleReadsMax = 100;

export type TaskScope = TaskStatus | 'all';

export const taskSorts = ['-created_at', 'created_at', 'filename', '-file_size'] as const;
export type TaskSort = (typeof taskSorts)[number];
/** The order in which tasks are kept here, and listed where nobody asks for another. */
const newestFirst: TaskSort = '-created_at';

/** What is looked for: tasks of a status with something in their names ('' for any), in an order. */
export type TaskQuery = { readonly scope: TaskScope; readonly q: string; readonly sort: TaskSort };

export const everyTask: TaskQuery = { scope: 'all', q: '', sort: newestFirst };

/** Every known task, newest first. */
export const tasks = signal<readonly WireTask[]>([]);
/** True once the first page is there. */
export const tasksLoaded = signal(false);

const byId = new Map<string, WireTask>();
let order: string[] = [];
let isSorted = true;
let flushAsked = false;
/** Tasks of files on this page: their rows need them, however old they are. */
const pinned = new Set<string>();

type Reading = {
  cursor: string | null;
  ended: boolean;
  running: Promise<void> | null;
  /** How far a sorted list is known: to this task, which was the last of its page. */
  last: WireTask | null;
};
const readings = new Map<string, Reading>();
/** Lists that are read on; of a list nobody has asked for in a while the place is forgotten. */
const readingsMax = 50;

export function taskById(taskId: string): WireTask | undefined {
  return tasks.value.length === 0 ? undefined : byId.get(taskId);
}

/** Keeps a task from being let go. */
export function pinTask(taskId: string): void {
  pinned.add(taskId);
}

export function unpinTask(taskId: string): void {
  pinned.delete(taskId);
}

/** One snapshot from the feed or from an answer. Older than what is known: ignored. */
export function putTask(task: WireTask): void {
  const known = byId.get(task.task_id);
  if (known !== undefined && isOlder(task, known)) return;
  if (known === undefined) {
    if (order.length > 0 && task.task_id > (order.at(-1) ?? '')) isSorted = false;
    order.push(task.task_id);
  }
  byId.set(task.task_id, task);
  flushSoon();
}

/** Whether `GET /tasks` has more of these than is known. */
export function hasMore(query: TaskQuery): boolean {
  return !reading(query).ended && byId.size < tasksMax;
}

/** The next page of these; a call while one is under way joins it. */
export function readMore(query: TaskQuery): Promise<void> {
  const state = reading(query);
  if (state.ended) return Promise.resolve();
  state.running ??= readPage(query, state).finally(() => {
    state.running = null;
  });
  return state.running;
}

/**
 * Those of the known tasks that the list holds so far, in its order: of a sorted one no more than up to where the server has been asked, so that
 * what is read on comes behind what is there. What happens meanwhile takes its place at once.
 */
export function listedTasks(query: TaskQuery): readonly WireTask[] {
  const isEvery = query.scope === 'all' && query.q.trim() === '';
  const found = isEvery ? tasks.value : tasks.value.filter(fits(query));
  if (query.sort === newestFirst) return found;
  const { last } = reading(query);
  const isBefore = comparison(query.sort);
  const known = !hasMore(query) ? [...found] : found.filter((task) => last !== null && isBefore(task, last) <= 0);
  return known.sort(isBefore);
}

/** As the server compares: by one thing, then by the ids. */
function comparison(sort: TaskSort): (one: WireTask, other: WireTask) => number {
  const way = sort.startsWith('-') ? -1 : 1;
  const valueOf = sortedBy[sort];
  return (one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)];
    if (a !== b) return a < b ? -way : way;
    return one.task_id === other.task_id ? 0 : one.task_id < other.task_id ? -way : way;
  };
}

const sortedBy: Readonly<Record<TaskSort, (task: WireTask) => string | number>> = {
  '-created_at': (task) => task.created_at,
  created_at: (task) => task.created_at,
  filename: (task) => rememberedFor(task, sortNames, () => task.filename.normalize('NFKC').toLowerCase()),
  '-file_size': (task) => task.file_size,
};

/** Whether a task is one of these. */
export function fits({ scope, q }: Pick<TaskQuery, 'scope' | 'q'>): (task: WireTask) => boolean {
  const wanted = q.trim().normalize('NFC').toLowerCase();
  return (task) => (scope === 'all' || task.status === scope) && (wanted === '' || namesOf(task).includes(wanted));
}

/** Folded once for each record: a list of thousands is looked through at every letter that is typed. */
const folded = new WeakMap<WireTask, string>();
const sortNames = new WeakMap<WireTask, string>();

function namesOf(task: WireTask): string {
  return rememberedFor(task, folded, () => `${task.filename}\n${task.doc_id}\n${task.task_id}`.normalize('NFC').toLowerCase());
}

function rememberedFor(task: WireTask, names: WeakMap<WireTask, string>, make: () => string): string {
  const known = names.get(task) ?? make();
  names.set(task, known);
  return known;
}

/**
 * Reads the server's state again: the newest tasks, or with `whole` as many as are known, and every task that was alive. What the
 * server no longer has is forgotten. So the list is right after a restart, whatever events were missed.
 */
export async function resyncTasks({ whole }: { whole: boolean }): Promise<void> {
  const newestKnown = order[0] ?? '';
  const newest = await readNewest(whole ? byId.size : 0);
  const live = await readLive(newest.tasks);
  for (const id of byId.keys()) {
    const isInRange = id <= newestKnown && id >= newest.oldest;
    if ((isInRange && !newest.tasks.has(id)) || live.gone.has(id)) byId.delete(id);
  }
  for (const task of [...newest.tasks.values(), ...live.tasks]) {
    const known = byId.get(task.task_id);
    if (known === undefined || !isOlder(task, known)) byId.set(task.task_id, task);
  }
  order = [...byId.keys()];
  isSorted = false;
  if (whole || !tasksLoaded.value) {
    // A sorted list goes on where it was: its cursor names a place, whatever has come since.
    for (const [key, { last }] of readings) if (last === null) readings.delete(key);
    readings.set(keyOf(everyTask), { cursor: newest.cursor, ended: newest.cursor === null, running: null, last: null });
  }
  flush();
  tasksLoaded.value = true;
}

type Newest = { readonly tasks: ReadonlyMap<string, WireTask>; readonly oldest: string; readonly cursor: string | null };

async function readNewest(wanted: number): Promise<Newest> {
  const tasks = new Map<string, WireTask>();
  let cursor: string | null = null;
  do {
    const limit = Math.min(1000, Math.max(firstTasks, wanted - tasks.size));
    const page = await listTasks({ limit, ...(cursor === null ? {} : { cursor }) });
    for (const task of page.tasks) tasks.set(task.task_id, task);
    cursor = page.next_cursor;
  } while (cursor !== null && tasks.size < wanted);
  return { tasks, cursor, oldest: cursor === null ? '' : ([...tasks.keys()].at(-1) ?? '') };
}

/** How the tasks fare that were alive and are further down than what was read: by status first, then one by one. */
async function readLive(read: ReadonlyMap<string, WireTask>): Promise<{ tasks: readonly WireTask[]; gone: ReadonlySet<string> }> {
  const left = new Set(order.filter((id) => isLive(byId.get(id)) && !read.has(id)));
  const gone = new Set<string>();
  const tasks: WireTask[] = [];
  for (const status of ['processing', 'pending'] as const) {
    if (left.size === 0) break;
    for (const task of (await listTasks({ status, limit: pageTasks })).tasks) {
      tasks.push(task);
      left.delete(task.task_id);
    }
  }
  for (const id of [...left].slice(0, singleReadsMax)) {
    const task = await getTask(id);
    if (task === null) gone.add(id);
    else tasks.push(task);
  }
  return { tasks, gone };
}

async function readPage({ scope, q, sort }: TaskQuery, state: Reading): Promise<void> {
  const page = await listTasks({
    limit: pageTasks,
    ...(q.trim() === '' ? {} : { q: q.trim() }),
    ...(scope === 'all' ? {} : { status: scope }),
    ...(sort === newestFirst ? {} : { sort }),
    ...(state.cursor === null ? {} : { cursor: state.cursor }),
  });
  for (const task of page.tasks) putTask(task);
  state.cursor = page.next_cursor;
  state.ended = page.next_cursor === null;
  if (sort !== newestFirst) state.last = page.tasks.at(-1) ?? state.last;
  flush();
}

function reading(query: TaskQuery): Reading {
  const all = readings.get(keyOf(everyTask));
  if (all?.ended === true) return all;
  const key = keyOf(query);
  const known = readings.get(key) ?? { cursor: null, ended: false, running: null, last: null };
  const [oldest] = readings.keys();
  if (!readings.has(key) && readings.size >= readingsMax && oldest !== undefined) readings.delete(oldest);
  readings.set(key, known);
  return known;
}

function keyOf({ scope, q, sort }: TaskQuery): string {
  return `${scope} ${sort} ${q.trim()}`;
}

function isLive(task: WireTask | undefined): boolean {
  return task?.status === 'pending' || task?.status === 'processing';
}

/** Progress does not change `updated_at`; within one state the greater percentage is the later one. */
function isOlder(task: WireTask, known: WireTask): boolean {
  if (task.updated_at !== known.updated_at) return task.updated_at < known.updated_at;
  return task.status === known.status && task.progress.percent < known.progress.percent;
}

function flushSoon(): void {
  if (flushAsked) return;
  flushAsked = true;
  // A hidden page gets no frames, and its state shall be right when it is looked at again.
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}

function flush(): void {
  flushAsked = false;
  if (!isSorted) order.sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  isSorted = true;
  if (order.length > tasksMax) letGo(order.length - tasksMax);
  tasks.value = order.flatMap((id) => byId.get(id) ?? []);
}

/** The oldest first; of those that are alive or pinned none. */
function letGo(count: number): void {
  const gone = new Set<string>();
  for (let at = order.length - 1; at >= 0 && gone.size < count; at -= 1) {
    const id = order[at] ?? '';
    if (!isLive(byId.get(id)) && !pinned.has(id)) gone.add(id);
  }
  for (const id of gone) byId.delete(id);
  order = order.filter((id) => !gone.has(id));
}
