/** Tasks as hashes, each holding its record; changed only by whoever holds the task, or while nobody does. */
import { collectionOf, defaultCollection } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import type { DocumentIndex } from '../../search/document-index.ts';
import { documentFolder } from '../file-store.ts';
import {
  beginTask,
  cancelledByUser,
  createTask,
  finishTask,
  idleProgress,
  isTaskId,
  isTerminal,
  type NewTask,
  readTask,
  releaseTask,
  retryTask,
  type Task,
  type TaskId,
  type TaskLane,
  taskLanes,
  type TaskProgress,
  type TaskSnapshot,
} from '../../tasks/task.ts';
import type { BeginOutcome, CancelOutcome, RetryOutcome, TaskFilter, TaskPage, TaskStore } from '../../tasks/task-store.ts';
import type { ContentFiles } from '../content-files.ts';
import { createSortedTasks } from '../sorted-tasks.ts';
import type { TaskWatch } from '../task-watch.ts';
import { notReady } from '../../trouble.ts';
import { type Connection } from './connection.ts';
import type { HeldLease, HeldLeases } from './held-leases.ts';
import type { Jobs } from './jobs.ts';
import type { Membership } from './membership.ts';
import type { RedisOrdinals } from './ordinals.ts';
import type { Commands } from './scripts.ts';

export type TaskStoreParts = {
  readonly connection: Connection;
  readonly commands: Commands;
  readonly prefix: string;
  readonly membership: Membership;
  readonly jobs: Jobs;
  readonly leases: HeldLeases;
  readonly index: Pick<DocumentIndex, 'revoke'>;
  readonly files: Pick<ContentFiles, 'dropPayload'>;
  readonly ordinals: Pick<RedisOrdinals, 'next'>;
  readonly now: () => string;
};

export interface RedisTaskStore extends TaskStore {
  /** Adds a task that waits, and its job. Safe twice. @throws AppError `unavailable`: it may be there all the same, or not. */
  create(fields: NewTask): Promise<Task>;
  /** Adds a task of another engine as it is, and its job when it waits. Safe twice. */
  importTask(task: Task): Promise<void>;
  /** Takes back a task that was created by mistake, unless somebody has run it. */
  withdraw(id: TaskId): Promise<void>;
  /** Lets what `owner`, which is gone, held or had just taken wait again, its attempt counted. */
  reclaim(id: TaskId, owner: string): Promise<void>;
  /** Makes jobs for tasks that wait without one: a crash between two steps leaves such. Returns how many. */
  scrub(): Promise<number>;
}

/** Progress of a task is written so often at most. */
const progressEveryMs = 200;
const expiredAtOnce = 500;
/** Ids that are read at once where all are wanted. */
const idsAtOnce = 500;
/** Less than a command is waited for: what takes longer may come after its caller was told that it failed. */
const createdWithinMs = 2500;
/** A task between two hands is looked at again after so long, so many times. */
const lookAgainMs = 10;
const looksMax = 50;

/** Reads tasks as their readers see them; unknown ids are left out. */
export function createSnapshots(
  connection: Connection,
  commands: Commands,
  prefix: string,
): (ids: readonly string[]) => Promise<TaskSnapshot[]> {
  return async (ids) => {
    if (ids.length === 0) return [];
    const found = await connection.run(() => commands.taskSnapshots(prefix, ...ids));
    return found.flatMap((entry) => (entry === null ? [] : [snapshotOf(...entry)]));
  };
}

function snapshotOf(record: string, told: string | null, place: number | null): TaskSnapshot {
  const task = readTask(record);
  const known = told === null ? null : (JSON.parse(told) as { attempt: number; progress: TaskProgress });
  const current = task.status === 'processing' && known?.attempt === task.attempts;
  return {
    task,
    progress: current ? known.progress : idleProgress(task.status),
    queuePosition: task.status === 'pending' ? (place ?? 0) : null,
  };
}

export function createRedisTaskStore(
  parts: TaskStoreParts & { watch: TaskWatch; snapshots: (ids: readonly string[]) => Promise<TaskSnapshot[]> },
): RedisTaskStore {
  const { connection, commands, prefix, membership, jobs, leases, files, ordinals, watch, snapshots } = parts;
  const progressWriter = createProgressWriter(parts);

  async function read(id: TaskId): Promise<Task | null> {
    const record = await connection.run((redis) => redis.hget(`${prefix}:task:${id}`, 'record'));
    return record === null ? null : readTask(record);
  }

  /** The next record, if nothing happened since it was thought out. What was parked behind a task that ended gets its turn. */
  async function write(task: Task, holder: string): Promise<string> {
    const [answer, parked, lane] = await connection.run(() =>
      commands.taskChange(prefix, task.id, holder, JSON.stringify(task), task.revision, task.status),
    );
    if (parked) await jobs.addAgain(parked as TaskId, lane as TaskLane);
    return answer;
  }

  /** A step of the task that this process holds. */
  async function step(lease: HeldLease, next: Task): Promise<'ok' | 'fenced'> {
    lease.unsettled = JSON.stringify(next);
    const answer = await write(next, membership.id);
    lease.unsettled = null;
    return answer === 'ok' ? 'ok' : 'fenced';
  }

  /** Its record, when this process has held it; the step itself looks whether it still does. */
  async function held(id: TaskId): Promise<{ lease: HeldLease; task: Task } | null> {
    const lease = leases.get(id);
    if (lease === null || membership.lost.aborted) return null;
    const task = await read(id);
    return task === null ? null : { lease, task };
  }

  async function begin(id: TaskId): Promise<BeginOutcome> {
    const found = await held(id);
    if (found === null) return { outcome: 'gone' };
    const { lease, task } = found;
    if (isTerminal(task.status)) return { outcome: 'finished', task };
    lease.attempt = task.attempts;
    // Its answer was lost on the way, and it is asked again.
    if (task.status === 'processing' && task.owner === membership.id) return { outcome: 'started', task };
    if (task.attempts >= task.attemptsMax) return { outcome: 'exhausted', task };
    const next = beginTask(task, membership.id, parts.now());
    if ((await step(lease, next)) === 'fenced') return { outcome: 'gone' };
    lease.attempt = next.attempts;
    return { outcome: 'started', task: next };
  }

  async function advance(id: TaskId, attempt: number, change: (task: Task) => Task): Promise<'ok' | 'fenced'> {
    const found = await held(id);
    if (found === null) return 'fenced';
    const { lease, task } = found;
    if (lease.unsettled !== null && lease.unsettled === JSON.stringify(task)) return 'ok';
    if (task.attempts !== attempt || isTerminal(task.status)) return 'fenced';
    return step(lease, change(task));
  }

  async function cancel(id: TaskId, force: boolean): Promise<CancelOutcome> {
    for (let look = 1; ; look += 1) {
      const task = await read(id);
      if (task === null) return { outcome: 'gone' };
      if (isTerminal(task.status)) return { outcome: 'final', task };
      const isHeld = await connection.run((redis) => redis.hexists(`${prefix}:held`, id));
      if (isHeld === 0 && task.status === 'pending' && (await jobs.removeWaiting(id, task.lane))) {
        const cancelled = await cancelRemoved(task);
        if (cancelled !== null) return cancelled;
      }
      if (isHeld === 1 || look >= looksMax) {
        if (force) await askToStop(id);
        return { outcome: 'processing', task };
      }
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  }

  /** Somebody may have run it before, and be frozen just before the index. The index decides. Null: somebody was faster. */
  async function cancelRemoved(task: Task): Promise<CancelOutcome | null> {
    if (task.revision > 1 && (await parts.index.revoke(task.docId, task)) === 'committed') {
      await jobs.addAgain(task.id, task.lane);
      return { outcome: 'processing', task };
    }
    const cancelled = finishTask(task, { status: 'failed', error: cancelledByUser }, parts.now());
    if ((await write(cancelled, '')) === 'ok') return { outcome: 'cancelled', task: cancelled };
    await addIfWanted(task.id, task.lane);
    return null;
  }

  async function askToStop(id: TaskId): Promise<void> {
    await connection.run(() => commands.taskAskToStop(prefix, id));
  }

  async function addIfWanted(id: TaskId, lane: TaskLane): Promise<void> {
    if ((await connection.run(() => commands.taskWantsJob(prefix, id))) === 1) await jobs.addAgain(id, lane);
  }

  /** It waits for its last holder to let go: a moment after its end at most. */
  async function retry(id: TaskId): Promise<RetryOutcome> {
    for (let look = 1; ; look += 1) {
      const task = await read(id);
      if (task === null) return 'gone';
      if (task.status !== 'failed') return 'not_failed';
      const answer = await write(retryTask(task, parts.now()), '');
      if (answer === 'ok') {
        await jobs.addAgain(id, task.lane);
        return 'ok';
      }
      if (look >= looksMax) throw notReady(`the task cannot be retried now: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
    }
  }

  async function list({ status, docId, collection, limit, cursor }: TaskFilter): Promise<TaskPage> {
    const set = smallestSet({ status, docId, collection });
    const found: TaskSnapshot[] = [];
    for (let before = cursor === undefined ? '+' : `(${parseCursor(cursor)}`; found.length <= limit;) {
      const ids = await connection.run((redis) => redis.zrevrangebylex(`${prefix}:${set}`, before, '-', 'LIMIT', 0, limit + 1));
      for (const snapshot of await snapshots(ids)) if (matches(snapshot.task, { status, collection })) found.push(snapshot);
      if (ids.length <= limit) break;
      before = `(${ids.at(-1)}`;
    }
    const tasks = found.slice(0, limit);
    return { tasks, nextCursor: found.length > limit ? (tasks.at(-1)?.task.id ?? null) : null };
  }

  async function* namedIds({ status, docId, collection }: TaskFilter): AsyncGenerator<TaskId[]> {
    const set = smallestSet({ status, docId, collection });
    for (let before = '+'; ;) {
      const ids = (await connection.run((redis) =>
        redis.zrevrangebylex(`${prefix}:${set}`, before, '-', 'LIMIT', 0, idsAtOnce),
      )) as TaskId[];
      yield status === undefined || set === `status:${status}` ? ids : await idsOfStatus(ids, status);
      if (ids.length < idsAtOnce) return;
      before = `(${ids.at(-1)}`;
    }
  }

  async function idsOfStatus(ids: readonly TaskId[], status: string): Promise<TaskId[]> {
    const found = await connection.run((redis) => Promise.all(ids.map((id) => redis.hget(`${prefix}:task:${id}`, 'status'))));
    return ids.filter((_, at) => found[at] === status);
  }

  const listSorted = createSortedTasks({
    named: namedIds,
    async keys(ids) {
      const found = await connection.run((redis) => Promise.all(ids.map((id) => redis.hget(`${prefix}:task:${id}`, 'record'))));
      return found.filter((record) => record !== null).map(readTask);
    },
    snapshots,
  });

  async function reclaim(id: TaskId, owner: string): Promise<void> {
    const task = await read(id);
    const next = task?.status === 'processing' && task.owner === owner ? releaseTask(task, parts.now(), { counted: true }) : null;
    const record = next === null ? '' : JSON.stringify(next);
    const answer = await connection.run(() => commands.taskReclaim(prefix, id, owner, record, next?.revision ?? 0));
    // Somebody else reclaims it at the same time.
    if (answer !== 'ok') return;
    if (task !== null && !isTerminal(task.status)) return jobs.putBack(id, task.lane, owner);
    for (const lane of taskLanes) await jobs.drop(id, lane, owner);
  }

  async function scrub(): Promise<number> {
    let count = 0;
    for (const lane of taskLanes) {
      for (let from = 0; from >= 0;) {
        const [next, ids] = await connection.run(() => commands.taskJobless(prefix, lane, jobs.keys[lane], from));
        for (const id of ids) await jobs.addAgain(id as TaskId, lane);
        count += ids.length;
        from = next;
      }
    }
    return count;
  }

  async function remove(id: TaskId): Promise<boolean> {
    if ((await connection.run(() => commands.taskForget(prefix, id, 0))) === 0) return false;
    await files.dropPayload(id);
    return true;
  }

  async function expire(before: Date): Promise<number> {
    let removed = 0;
    for (;;) {
      const ids = await connection.run((redis) =>
        redis.zrangebyscore(`${prefix}:ended`, '-inf', `(${before.getTime()}`, 'LIMIT', 0, expiredAtOnce),
      );
      let some = 0;
      for (const id of ids) {
        if (await remove(id as TaskId)) some += 1;
      }
      removed += some;
      if (ids.length < expiredAtOnce || some === 0) return removed;
    }
  }

  return {
    async create(fields) {
      const task = createTask(fields, await ordinals.next());
      const deadlineMs = membership.serverNowMs() + createdWithinMs;
      const place = [task.lane, documentFolder(task.docId)];
      const args = [prefix, task.id, ...place, JSON.stringify(task), membership.id, deadlineMs, task.ordinal, task.caller ?? ''];
      args.push(collectionArgument(task));
      const answer = await jobs.create(task, 'taskCreate', args);
      if (answer !== 'created' && answer !== 'there') throw notReady(`the task was not created: ${String(answer)}`);
      return task;
    },
    async importTask(task) {
      const { id, ordinal, lane, revision, status } = task;
      const args = [id, lane, documentFolder(task.docId), JSON.stringify(task), membership.id] as const;
      const answer = await connection.run(() =>
        commands.taskBringIn(
          prefix,
          ...args,
          revision,
          status,
          isTerminal(status) ? endedAtMs(task) : 0,
          ordinal,
          task.caller ?? '',
          collectionArgument(task),
        ),
      );
      if (answer === 'lost') throw notReady('this process was declared dead');
      // In the order of their arrival: what is brought in later runs later.
      if (!isTerminal(status)) await jobs.create(task, 'taskWantsJob', [prefix, id]);
    },
    async withdraw(id) {
      const task = await read(id);
      if (task?.status !== 'pending' || !(await jobs.removeWaiting(id, task.lane))) return;
      if ((await connection.run(() => commands.taskForget(prefix, id, 1))) === 1) await files.dropPayload(id);
      else await addIfWanted(id, task.lane);
    },
    reclaim,
    scrub,
    get: async (id) => (isTaskId(id) ? ((await snapshots([id]))[0] ?? null) : null),
    list,
    listSorted,
    counts: () =>
      connection.run(async (redis) => {
        const [small, large, processing] = await Promise.all([
          redis.zcard(`${prefix}:waiting:small`),
          redis.zcard(`${prefix}:waiting:large`),
          redis.hlen(`${prefix}:held`),
        ]);
        return { pending: small + large, processing };
      }),
    async oldestPending() {
      const firsts = await connection.run((redis) =>
        Promise.all(taskLanes.map((lane) => redis.zrange(`${prefix}:waiting:${lane}`, '0', '0'))),
      );
      const [first] = firsts.flat().sort();
      return first === undefined ? null : read(first as TaskId);
    },
    begin,
    async progress(id, attempt, progress) {
      if (membership.lost.aborted || leases.get(id)?.attempt !== attempt) return 'fenced';
      return progressWriter.write(id, attempt, progress);
    },
    async finish(id, attempt, outcome) {
      const ended = await advance(id, attempt, (task) => finishTask(task, outcome, parts.now()));
      // What cannot be removed now is found by the sweep.
      if (ended === 'ok' && outcome.status === 'completed') await files.dropPayload(id).catch(() => undefined);
      return ended;
    },
    release: (id, attempt, options) => advance(id, attempt, (task) => releaseTask(task, parts.now(), options)),
    cancel: (id, { force }) => (isTaskId(id) ? cancel(id, force) : Promise.resolve({ outcome: 'gone' as const })),
    retry: (id) => (isTaskId(id) ? retry(id) : Promise.resolve('gone' as const)),
    expire,
    remove,
    watch: (id, listener) => watch.watch(id, listener),
  };
}

type Wanted = { readonly [K in 'status' | 'docId' | 'collection']?: TaskFilter[K] | undefined };

/** The set of ids that has least beside what a filter lets through; of `default` there is none of its own. */
function smallestSet({ status, docId, collection = defaultCollection }: Wanted): string {
  if (docId !== undefined) return `doc:${documentFolder(docId)}`;
  if (collection !== defaultCollection) return `collection:${collection}`;
  return status === undefined ? 'tasks' : `status:${status}`;
}

function matches(task: Task, { status, collection }: Wanted): boolean {
  return (status === undefined || task.status === status) && (collection === undefined || collectionOf(task.docId) === collection);
}

/** What the scripts are told of a task's collection: nothing of the one that is always there. */
function collectionArgument({ docId }: Task): string {
  const collection = collectionOf(docId);
  return collection === defaultCollection ? '' : collection;
}

/** Writes the newest progress of each task, not too often. */
function createProgressWriter({ connection, commands, prefix, membership }: TaskStoreParts): {
  write(id: TaskId, attempt: number, progress: TaskProgress): Promise<'ok' | 'fenced'>;
} {
  const next = new Map<TaskId, string>();
  const resting = new Set<TaskId>();

  async function flush(id: TaskId): Promise<'ok' | 'fenced'> {
    const newest = next.get(id);
    next.delete(id);
    if (newest === undefined || resting.has(id)) return 'ok';
    resting.add(id);
    setTimeout(() => {
      resting.delete(id);
      flush(id).catch(() => undefined);
    }, progressEveryMs).unref();
    return (await connection.run(() => commands.taskProgress(prefix, id, membership.id, newest))) === 1 ? 'ok' : 'fenced';
  }

  return {
    async write(id, attempt, progress) {
      next.set(id, JSON.stringify({ attempt, progress }));
      return resting.has(id) ? 'ok' : flush(id);
    },
  };
}

function endedAtMs({ finishedAt, updatedAt }: Task): number {
  return Date.parse(finishedAt ?? updatedAt);
}

function parseCursor(cursor: string): TaskId {
  if (!isTaskId(cursor)) throw new AppError('invalid_request', 'cursor: not from this server');
  return cursor;
}
