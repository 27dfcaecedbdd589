/** GET, DELETE and retry of tasks, their list, and their events. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';
import { isTerminal, type TaskId, type TaskSnapshot } from '../../tasks/task.ts';
import type { z } from 'zod';
import { nameOf, scopedId } from '../../documents/document-name.ts';
import { type Filterable, matcherOf } from '../../search/filters.ts';
import type { TaskKeys, TaskPage } from '../../tasks/task-store.ts';
import { asSeenBy, callerOf, mayAccess, type Principal } from '../access/access.ts';
import { askedCollection } from '../access/asked-collection.ts';
import { etagOf, requireUnchanged, unchanged } from '../wire/conditional.ts';
import { openEventStream } from '../live/event-stream.ts';
import type { HttpLimits } from '../http-settings.ts';
import type { HttpMetrics } from '../live/metrics.ts';
import { JsonList, pageBytesMax, recordsAtOnce } from '../wire/json-list.ts';
import { notModified, route, type Call, type RequestState, type Route } from './route.ts';
import * as schemas from '../wire/schemas.ts';
import type { TaskService } from '../services.ts';
import type { Slots } from '../access/slots.ts';
import type { TaskFeed } from '../live/task-feed.ts';
import { taskPath, toTaskAccepted, toTaskRecord, type WireOptions } from '../wire/wire.ts';

export type TaskRouteOptions = {
  readonly limits: HttpLimits;
  readonly wire: WireOptions;
  readonly waitSlots: Slots;
  readonly streamSlots: Slots;
  readonly feed: TaskFeed;
  readonly metrics: HttpMetrics;
};

/** Tasks in the first event of GET /events, the newest first, and its bytes: an event stream is cut off when too much of it is unread. */
const snapshotTasksMax = 200;
const snapshotBytesMax = 256 * 1024;
/** How many times as many tasks as were asked for one list request looks through for a key's own. */
const timesReadMax = 20;

export function taskRoutes(options: TaskRouteOptions): readonly Route[] {
  const { wire } = options;
  return [
    route({
      operation: 'getTask',
      method: 'GET',
      path: '/task/{task_id}',
      hasVersions: true,
      scope: 'read',
      tag: 'tasks',
      summary: 'Get one task; with `wait`, as soon as it has finished.',
      params: schemas.taskParams,
      query: schemas.waitQuery,
      answers: {
        200: { description: 'The task, also when it has failed.', json: schemas.taskRecord },
        304: notModified,
      },
      problems: ['not_found'],
      async handle({ ctx, params, query, services, principal, signal }) {
        const found = await ownTask(services.tasks, params.task_id, principal);
        const waits = query.wait > 0 && !isTerminal(found.task.status);
        const client = callerOf(principal, (ctx.state as RequestState).address);
        const release = waits ? options.waitSlots.take(client) : null;
        const snapshot =
          release === null ? found : await services.tasks.wait(found.task.id, query.wait * 1000, signal).finally(release);
        if (snapshot === null) throw taskNotFound();
        if (!isTerminal(snapshot.task.status)) ctx.set('Retry-After', '2');
        answerWithETag(ctx, JSON.stringify(toTaskRecord(asSeenBy(principal, snapshot), wire)));
      },
    }),
    route({
      operation: 'cancelTask',
      method: 'DELETE',
      path: '/task/{task_id}',
      hasVersions: true,
      scope: 'write',
      tag: 'tasks',
      summary: 'Cancel a pending task; with `force` also one that is being processed.',
      logged: 'task cancelled',
      params: schemas.taskParams,
      query: schemas.cancelQuery,
      answers: {
        200: {
          description: 'The task is cancelled (status `failed`); its content is not searchable.',
          json: schemas.taskCancelled,
        },
      },
      problems: ['not_found', 'not_cancellable'],
      async handle({ ctx, params, query, services, principal }) {
        const { task } = await asClientKnowsIt(ctx, services.tasks, params.task_id, principal);
        const startedAt = performance.now();
        const cancelled = await services.tasks.cancel(task.id, { force: query.force });
        if (cancelled.outcome === 'gone') throw taskNotFound();
        if (cancelled.outcome !== 'cancelled') {
          const status = cancelled.outcome === 'processing' ? 'processing' : cancelled.task.status;
          throw new AppError('not_cancellable', `Cannot cancel task in ${status} status`);
        }
        options.metrics.cancelled((performance.now() - startedAt) / 1000);
        ctx.body = { message: 'Task cancelled', task_id: task.id };
      },
    }),
    route({
      operation: 'listTasks',
      method: 'GET',
      path: '/tasks',
      scope: 'read',
      tag: 'tasks',
      summary:
        'List tasks, newest first or in another order; by part of a name and by filters. With API keys, a key sees only its own tasks, and a page may be shorter than `limit`.',
      query: schemas.tasksQuery,
      answers: { 200: { description: 'One page of the list.', json: schemas.taskPage } },
      problems: ['not_found'],
      async handle({ ctx, query, services, principal, asker }) {
        const list = new JsonList();
        const collection = await askedCollection({ services, principal }, query.collection);
        const asked = query.doc_id === undefined ? undefined : scopedId({ collection, docId: query.doc_id });
        const docId = asked === undefined ? undefined : await services.documents.keptDocId(asked, asker);
        const isWanted = wantedBy(query);
        const pages = pagesOf(services.tasks, { ...query, collection, doc_id: docId }, principal);
        const nextCursor = await listOwn(pages, query, async (tasks) => {
          const own = tasks.filter(({ task }) => mayAccess(principal, task));
          const found = own.map((snapshot) => toTaskRecord(asSeenBy(principal, snapshot), wire)).filter(isWanted);
          await list.add(found);
          return list.bytes < pageBytesMax ? found.length : null;
        });
        list.answer(ctx, 'tasks', { next_cursor: nextCursor });
      },
    }),
    route({
      operation: 'retryTask',
      method: 'POST',
      path: '/task/{task_id}/retry',
      hasVersions: true,
      scope: 'write',
      tag: 'tasks',
      summary: 'Retry a failed task from its stored file.',
      logged: 'task tried again on request',
      params: schemas.taskParams,
      answers: { 202: { description: 'The task waits again.', json: schemas.taskAccepted } },
      problems: ['not_found', 'conflict', 'gone'],
      async handle({ ctx, params, services, principal }) {
        const { task } = await asClientKnowsIt(ctx, services.tasks, params.task_id, principal);
        const outcome = await services.tasks.retry(task.id);
        if (outcome === 'gone') throw taskNotFound();
        if (outcome === 'not_failed') throw new AppError('conflict', 'Only a failed task can be retried.');
        if (outcome === 'file_gone') throw new AppError('gone', 'The file of this task is no longer stored; upload it again.');
        ctx.status = 202;
        ctx.set('Location', taskPath(task.id, wire));
        ctx.set('Retry-After', '2');
        ctx.body = toTaskAccepted(task, wire);
      },
    }),
    route({
      operation: 'followTask',
      method: 'GET',
      path: '/task/{task_id}/events',
      scope: 'read',
      tag: 'tasks',
      summary: 'Follow one task as server-sent events; the stream ends when the task has finished.',
      params: schemas.taskParams,
      answers: {
        200: { description: 'Events named `task`, each with the whole record.', mediaType: 'text/event-stream' },
        204: { description: 'The task has finished, and `Last-Event-ID` is its last event.', empty: true },
      },
      problems: ['not_found', 'rate_limited'],
      handle: (call) => followTask(call, call.params.task_id, options),
    }),
    route({
      operation: 'followTasks',
      method: 'GET',
      path: '/events',
      scope: 'read',
      tag: 'tasks',
      summary: 'Follow all tasks of a collection as server-sent events: first a `snapshot`, then each changed `task`.',
      query: schemas.eventsQuery,
      answers: { 200: { description: 'Events named `snapshot` and `task`.', mediaType: 'text/event-stream' } },
      problems: ['not_found', 'rate_limited'],
      async handle(call) {
        await followTasks(call, await askedCollection(call, call.query.collection), options);
      },
    }),
  ];

  /** The task that is about to be changed. @throws AppError `precondition_failed`, `not_found`. */
  async function asClientKnowsIt(ctx: Context, tasks: TaskService, id: string, principal: Principal): Promise<TaskSnapshot> {
    const found = await ownTask(tasks, id, principal);
    requireUnchanged(ctx, { etag: etagOf(JSON.stringify(toTaskRecord(asSeenBy(principal, found), wire))), modified: null });
    return found;
  }
}

type TaskCall = Pick<Call<unknown, unknown, unknown>, 'ctx' | 'services' | 'principal' | 'signal'>;

async function followTask(call: TaskCall, taskId: string, options: TaskRouteOptions): Promise<void> {
  const { ctx, services, principal } = call;
  const first = await ownTask(services.tasks, taskId, principal);
  const seenId = ctx.get('Last-Event-ID');
  if (isTerminal(first.task.status) && seenId === eventId(first)) {
    // 204 is how an EventSource is told not to come back.
    ctx.status = 204;
    return;
  }
  if (answeredHead(ctx)) return;
  const stream = openEventStream(ctx, streamOptions(call, options));
  let lastId = seenId;
  const stopWatching = services.tasks.watch(first.task.id, send);
  stream.closed.addEventListener('abort', stopWatching, { once: true });
  if (stream.closed.aborted) stopWatching();
  // Read again once subscribed: what changed in between must not go missing.
  send((await services.tasks.get(first.task.id)) ?? first);

  function send(snapshot: TaskSnapshot): void {
    const id = eventId(snapshot);
    if (id !== lastId) stream.send({ id, name: 'task', data: toTaskRecord(asSeenBy(principal, snapshot), options.wire) });
    lastId = id;
    if (isTerminal(snapshot.task.status)) stream.close();
  }
}

async function followTasks(call: TaskCall, collection: string, options: TaskRouteOptions): Promise<void> {
  const { ctx, services, principal } = call;
  const { feed, wire } = options;
  if (answeredHead(ctx)) return;
  const known = feed.since(collection, ctx.get('Last-Event-ID'));
  // More than may be unread would cut the stream off, each time anew.
  const missed = known !== null && bytesOf(known.map(({ snapshot }) => toRecord(snapshot))) <= snapshotBytesMax ? known : null;
  const startId = feed.lastId(collection);
  const tasks = missed === null ? await liveAndNewest(services.tasks, collection, principal) : null;
  const stream = openEventStream(ctx, streamOptions(call, options));
  if (tasks !== null) stream.send({ id: startId, name: 'snapshot', data: snapshotOf(tasks.map(toRecord)) });
  // What came while the snapshot was read is sent after it: each event holds a whole task, so twice does no harm.
  for (const event of missed ?? feed.since(collection, startId) ?? []) send(event);
  const unfollow = feed.follow(collection, send);
  stream.closed.addEventListener('abort', unfollow, { once: true });
  if (stream.closed.aborted) unfollow();

  function send({ id, snapshot }: { id: string; snapshot: TaskSnapshot }): void {
    if (mayAccess(principal, snapshot.task)) stream.send({ id, name: 'task', data: toRecord(snapshot) });
  }

  function toRecord(snapshot: TaskSnapshot): object {
    return toTaskRecord(asSeenBy(principal, snapshot), wire);
  }
}

function streamOptions(
  { ctx, principal, signal }: TaskCall,
  { limits, streamSlots }: TaskRouteOptions,
): Parameters<typeof openEventStream>[1] {
  return { limits, slots: streamSlots, client: callerOf(principal, (ctx.state as RequestState).address), until: signal };
}

async function liveAndNewest(tasks: TaskService, collection: string, principal: Principal): Promise<readonly TaskSnapshot[]> {
  // What runs may be older than all of the newest.
  const running = await tasks.list({ status: 'processing', collection, limit: snapshotTasksMax / 2 });
  const newest = await tasks.list({ collection, limit: snapshotTasksMax });
  const byId = new Map([...newest.tasks, ...running.tasks].map((snapshot) => [snapshot.task.id, snapshot]));
  return [...byId.values()].filter(({ task }) => mayAccess(principal, task)).sort((a, b) => (a.task.id < b.task.id ? 1 : -1));
}

/** As many of the newest as fit; `more`: GET /tasks has others. */
function snapshotOf(records: readonly object[]): { tasks: readonly object[]; more: boolean } {
  let tasks = records.slice(0, snapshotTasksMax);
  while (tasks.length > 1 && bytesOf(tasks) > snapshotBytesMax) tasks = tasks.slice(0, Math.ceil(tasks.length * 0.8));
  return { tasks, more: tasks.length < records.length || records.length >= snapshotTasksMax };
}

function bytesOf(records: readonly object[]): number {
  return records.reduce((bytes, record) => bytes + Buffer.byteLength(JSON.stringify(record)), 0);
}

/** The task, if it is this caller's to see; another key's task does not exist for it. */
async function ownTask(tasks: TaskService, id: string, principal: Principal): Promise<TaskSnapshot> {
  const snapshot = isTaskId(id) ? await tasks.get(id) : null;
  if (snapshot === null || !mayAccess(principal, snapshot.task)) throw taskNotFound();
  return snapshot;
}

type TasksQuery = z.output<typeof schemas.tasksQuery>;

/** Whether a task has what is looked for in its names, and is let through by the filter. */
function wantedBy({ q, filters }: TasksQuery): (task: schemas.TaskRecord) => boolean {
  const hasPart = hasName(q);
  const matches = filters === undefined ? null : matcherOf(filters);
  return (task) => hasPart([task.filename, task.doc_id, task.task_id]) && (matches === null || matches(filterable(task)));
}

/** A task as filters see it: by what its document has, or will have. */
function filterable(task: schemas.TaskRecord): Filterable {
  return { ...task, inserted_at: task.created_at, pages: task.result?.pages ?? null, language: null };
}

/** Whether one of some names has this in it; without it every one has. */
function hasName(part: string | undefined): (names: readonly string[]) => boolean {
  if (part === undefined) return () => true;
  const wanted = folded(part);
  return (names) => names.some((name) => folded(name).includes(wanted));
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

type PageOf = (page: { readonly limit: number; readonly cursor?: string }) => Promise<TaskPage>;

/** The pages that a question asks for. Sorted ones hold nothing but a caller's own; of others those are told apart afterwards. */
function pagesOf(
  tasks: TaskService,
  {
    q,
    sort,
    status,
    collection,
    doc_id: docId,
  }: Omit<TasksQuery, 'collection' | 'doc_id'> & { collection: string; doc_id?: string | undefined },
  principal: Principal,
): PageOf {
  const filter = { collection, ...(status === undefined ? {} : { status }), ...(docId === undefined ? {} : { docId }) };
  if (sort === undefined) return (page) => tasks.list({ ...filter, ...page });
  const hasPart = hasName(q);
  const accepts = (task: TaskKeys): boolean =>
    mayAccess(principal, task) && hasPart([task.filename, nameOf(task.docId).docId, task.id]);
  return (page) => tasks.listSorted({ ...filter, ...page, sort, accepts });
}

/** Gives tasks to `take`, which says how many it took (null: enough), until it has `limit`. Returns where the next page begins. */
async function listOwn(
  pageOf: PageOf,
  { limit, cursor }: Pick<TasksQuery, 'limit' | 'cursor'>,
  take: (tasks: readonly TaskSnapshot[]) => Promise<number | null>,
): Promise<string | null> {
  let next: string | null | undefined = cursor;
  let left = limit;
  for (let read = 0; read < timesReadMax * limit && left > 0;) {
    const wanted = Math.min(left, recordsAtOnce);
    read += wanted;
    const page = await pageOf({ limit: wanted, ...(next == null ? {} : { cursor: next }) });
    const taken = await take(page.tasks);
    left -= taken ?? left;
    next = page.nextCursor;
    if (next === null) break;
  }
  return next ?? null;
}

function isTaskId(id: string): id is TaskId {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
}

function taskNotFound(): AppError {
  return new AppError('not_found', 'Task not found');
}

function answeredHead(ctx: Context): boolean {
  if (ctx.method !== 'HEAD') return false;
  ctx.status = 200;
  ctx.set('Content-Type', 'text/event-stream; charset=utf-8');
  return true;
}

/** The same state has the same id in every process, so that a stream can be resumed at another front end. */
function eventId({ task, progress }: TaskSnapshot): string {
  return `${task.revision}.${progress.stage}.${progress.percent}`;
}

function answerWithETag(ctx: Context, json: string): void {
  ctx.set('Cache-Control', 'no-cache');
  if (unchanged(ctx, { etag: etagOf(json), modified: null })) return;
  ctx.status = 200;
  ctx.type = 'application/json';
  ctx.body = json;
}
