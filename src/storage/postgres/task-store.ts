/** Tasks as rows, each holding its record; changed only by whoever holds the task's lease, or while nobody does. */
import { collectionOf } from '../../documents/document-name.ts';
import { AppError } from '../../errors.ts';
import {
  beginTask,
  cancelledByUser,
  createTask,
  finishTask,
  idleProgress,
  isTaskId,
  isTerminal,
  readTask,
  releaseTask,
  retryTask,
  type NewTask,
  type Task,
  type TaskId,
  type TaskProgress,
  type TaskSnapshot,
} from '../../tasks/task.ts';
import type { BeginOutcome, CancelOutcome, RetryOutcome, TaskFilter, TaskPage, TaskStore } from '../../tasks/task-store.ts';
import type { Blobs } from './blobs.ts';
import type { Database, Row } from './database.ts';
import { docKeyOf, type Jobs } from './jobs.ts';
import type { Membership } from './membership.ts';
import { nextOrdinal } from './ordinals.ts';
import type { PostgresIndex } from './index/postgres-index.ts';
import type { HeldLeases, Signals } from './signals.ts';
import { createSortedTasks } from '../sorted-tasks.ts';
import type { TaskWatch } from '../task-watch.ts';

export type TaskStoreParts = {
  readonly database: Database;
  readonly membership: Membership;
  readonly jobs: Jobs;
  readonly leases: HeldLeases;
  readonly signals: Signals;
  readonly blobs: Blobs;
  readonly index: Pick<PostgresIndex, 'lock' | 'revoke'>;
  readonly now: () => string;
};

export interface PostgresTaskStore extends TaskStore {
  /** Adds a task that waits, in the transaction of the caller. */
  create(fields: NewTask, payload: number): Promise<Task>;
  /** Adds a task of another engine as it is, in the transaction of the caller. False: it is there. */
  importTask(task: Task, payload: number | null): Promise<boolean>;
  /** Takes back a task that was created by mistake, unless somebody runs it. */
  withdraw(id: TaskId): Promise<void>;
  /** The least number of all tasks that are kept; null when there is none. */
  lowestOrdinal(): Promise<number | null>;
  /** Lets what a process held wait again, its attempt counted, in the transaction of the caller. */
  recover(owner: string): Promise<readonly TaskId[]>;
  /** Lets a task wait again that this process took without knowing it: nothing of it was done, so the attempt does not count. */
  giveBack(id: TaskId): Promise<void>;
}

/** Progress of a task is written so often at most. */
const progressEveryMs = 200;
const expiredAtOnce = 500;
/** Ids that are read at once where all are wanted. */
const idsAtOnce = 2000;

/** A task that has ended, as its readers see it. */
export function endedSnapshot(record: string): TaskSnapshot {
  const task = readTask(record);
  return { task, progress: idleProgress(task.status), queuePosition: null };
}

/** Reads tasks as their readers see them. */
export function createSnapshots(
  database: Database,
  jobs: Pick<Jobs, 'positions'>,
): (rows: readonly Row[]) => Promise<TaskSnapshot[]> {
  return async (rows) => {
    const read = rows.map((row) => readTask(row['record'] as string));
    const running = read.filter((task) => task.status === 'processing').map((task) => task.id);
    // Record and progress in one statement: an attempt that ends removes its progress, and between two reads a task would be
    // seen to go back from `indexing` to `parsing`.
    const sql = `SELECT record, progress.attempt, progress.progress FROM task LEFT JOIN progress ON progress.task = task.id
      WHERE task.id = ANY($1::uuid[])`;
    const known = new Map<TaskId, { task: Task; attempt: unknown; progress: TaskProgress }>();
    for (const row of running.length === 0 ? [] : await database.query(sql, [running])) {
      const task = readTask(row['record'] as string);
      known.set(task.id, { task, attempt: row['attempt'], progress: row['progress'] as TaskProgress });
    }
    const tasks = read.map((task) => known.get(task.id)?.task ?? task);
    const waiting = tasks.filter((task) => task.status === 'pending').map((task) => task.id);
    const positions = waiting.length === 0 ? new Map<string, number>() : await jobs.positions(waiting);
    return tasks.map((task) => {
      const last = known.get(task.id);
      const current = task.status === 'processing' && last?.attempt === task.attempts ? last.progress : null;
      return {
        task,
        progress: current ?? idleProgress(task.status),
        queuePosition: task.status === 'pending' ? (positions.get(task.id) ?? 0) : null,
      };
    });
  };
}

export function createPostgresTaskStore(
  parts: TaskStoreParts & { watch: TaskWatch; snapshots: (rows: readonly Row[]) => Promise<TaskSnapshot[]> },
): PostgresTaskStore {
  const { database, membership, jobs, leases, signals, blobs, index, watch } = parts;
  const progressWriter = createProgressWriter(database, signals);

  /** The record, kept from changing until the transaction ends. */
  async function lock(id: TaskId): Promise<Locked | null> {
    return lockedOf(await database.query('SELECT record, payload FROM task WHERE id = $1 FOR UPDATE', [id]));
  }

  /** As `lock`, if this process holds it: whoever takes a lease away takes the owner's row away before (`fence`). */
  async function lockHeld(id: TaskId): Promise<Locked | null> {
    const sql = `SELECT record, payload FROM task JOIN lease ON lease.task = task.id AND lease.owner = $2 WHERE task.id = $1 FOR UPDATE OF task`;
    return lockedOf(await database.query(sql, [id, membership.id]));
  }

  async function read(id: TaskId): Promise<Task | null> {
    const [row] = await database.query('SELECT record FROM task WHERE id = $1', [id]);
    return row === undefined ? null : readTask(row['record'] as string);
  }

  /** `then`: what else becomes of its row. */
  async function write(task: Task, then: 'payload = NULL' | '' = ''): Promise<Task> {
    const sql = `UPDATE task SET status = $2, record = $3, attempts = $4, changed_at = clock_timestamp(),
      ended_at = CASE WHEN $5 THEN clock_timestamp() END, cancel = cancel AND NOT $5${then === '' ? '' : `, ${then}`} WHERE id = $1`;
    const isEnd = isTerminal(task.status);
    const record = JSON.stringify(task);
    await database.run(sql, [task.id, task.status, record, task.attempts, isEnd]);
    await signals.send(isEnd ? { kind: 'end', id: task.id, record } : { kind: 'step', id: task.id });
    return task;
  }

  /** A step that only the holder of the lease may take. */
  async function asHolder<T>(id: TaskId, fenced: T, work: (task: Task, payload: number | null) => Promise<T>): Promise<T> {
    if (!isTaskId(id) || membership.lost.aborted) return fenced;
    return database.transaction(async () => {
      const found = (await stillOwner()) ? await lockHeld(id) : null;
      return found === null ? fenced : work(found.task, found.payload);
    });
  }

  async function stillOwner(): Promise<boolean> {
    try {
      await membership.fence();
      return true;
    } catch (error) {
      if (membership.lost.aborted) return false;
      throw error;
    }
  }

  function begin(id: TaskId): Promise<BeginOutcome> {
    return asHolder<BeginOutcome>(id, { outcome: 'gone' }, async (task) => {
      if (isTerminal(task.status)) return { outcome: 'finished', task };
      // Its answer was lost on the way, and it is asked again.
      const isBegun = task.status === 'processing' && task.owner === membership.id;
      if (!isBegun && task.attempts >= task.attemptsMax) return { outcome: 'exhausted', task };
      const begun = isBegun ? task : await write(beginTask(task, membership.id, parts.now()));
      progressWriter.begun(begun);
      return { outcome: 'started', task: begun };
    });
  }

  /** `drops`: nobody will read its file again. */
  function advance(
    id: TaskId,
    attempt: number,
    change: (task: Task) => Task,
    { drops = false }: { drops?: boolean } = {},
  ): Promise<'ok' | 'fenced'> {
    return asHolder<'ok' | 'fenced'>(id, 'fenced', async (task, payload) => {
      if (task.attempts !== attempt || isTerminal(task.status)) return 'fenced';
      await write(change(task), drops ? 'payload = NULL' : '');
      if (progressWriter.forget(id) || attempt > 1) await database.run('DELETE FROM progress WHERE task = $1', [id]);
      if (drops && payload !== null) await blobs.drop([payload]);
      return 'ok';
    });
  }

  async function cancel(id: TaskId, force: boolean): Promise<CancelOutcome> {
    const before = await read(id);
    if (before === null) return { outcome: 'gone' };
    return database.transaction(async () => {
      await index.lock(before.docId);
      const found = await lock(id);
      if (found === null) return { outcome: 'gone' };
      const { task } = found;
      if (isTerminal(task.status)) return { outcome: 'final', task };
      if (task.status === 'pending' && (await jobs.removeWaiting(id))) return cancelRemoved(task);
      if (force) {
        await database.run('UPDATE task SET cancel = true WHERE id = $1', [id]);
        await signals.send({ kind: 'cancel', id });
      }
      return { outcome: 'processing', task };
    });
  }

  /** Somebody may have run it before, and be frozen just before the index. The index decides. */
  async function cancelRemoved(task: Task): Promise<CancelOutcome> {
    if (task.revision > 1 && (await index.revoke(task.docId, task)) === 'committed') {
      await jobs.enqueueAgain(task);
      await signals.send({ kind: 'job' });
      return { outcome: 'processing', task };
    }
    return {
      outcome: 'cancelled',
      task: await write(finishTask(task, { status: 'failed', error: cancelledByUser }, parts.now())),
    };
  }

  function retry(id: TaskId): Promise<RetryOutcome> {
    return database.transaction(async () => {
      const found = await lock(id);
      if (found === null) return 'gone';
      if (found.task.status !== 'failed') return 'not_failed';
      const task = await write(retryTask(found.task, parts.now()));
      await jobs.enqueueAgain(task);
      await signals.send({ kind: 'job' });
      return 'ok';
    });
  }

  async function list(filter: TaskFilter): Promise<TaskPage> {
    const { status, limit, cursor } = filter;
    const rows = await newest('id, record', filter, {
      limit: limit + 1,
      before: cursor === undefined ? null : parseCursor(cursor),
    });
    const shown = rows.slice(0, limit);
    // One that has gone on since the first reading may have another status than was asked for.
    const tasks = (await parts.snapshots(shown)).filter(({ task }) => status === undefined || task.status === status);
    return { tasks, nextCursor: rows.length > limit ? (shown.at(-1)!['id'] as string) : null };
  }

  function newest(
    columns: string,
    { status, docId, collection }: TaskFilter,
    { limit, before }: { readonly limit: number; readonly before: string | null },
  ): Promise<Row[]> {
    const conditions: string[] = [];
    const values: unknown[] = [limit];
    const where = (condition: string, value: unknown): void => {
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    if (status !== undefined) where('status =', status);
    if (docId !== undefined) where('doc_key =', docKeyOf(docId));
    if (collection !== undefined) where('collection =', collection);
    if (before !== null) where('id <', before);
    const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    return database.query(`SELECT ${columns} FROM task ${filter} ORDER BY id DESC LIMIT $1`, values);
  }

  async function* namedIds(filter: TaskFilter): AsyncGenerator<TaskId[]> {
    for (let before: TaskId | null = null; ;) {
      const rows: Row[] = await newest('id', filter, { limit: idsAtOnce, before });
      const ids = rows.map((row) => row['id'] as TaskId);
      yield ids;
      before = ids.at(-1) ?? null;
      if (rows.length < idsAtOnce) return;
    }
  }

  function records(ids: readonly TaskId[]): Promise<Row[]> {
    return database.query('SELECT record FROM task WHERE id = ANY($1::uuid[])', [ids]);
  }

  const listSorted = createSortedTasks({
    named: namedIds,
    keys: async (ids) => (await records(ids)).map((row) => readTask(row['record'] as string)),
    snapshots: async (ids) => parts.snapshots(await records(ids)),
  });

  async function expireSome(before: Date): Promise<number> {
    return database.transaction(async () => {
      const sql = `DELETE FROM task WHERE id IN (SELECT id FROM task WHERE ended_at < $1 ORDER BY ended_at LIMIT ${expiredAtOnce}
        FOR UPDATE SKIP LOCKED) RETURNING payload`;
      const rows = await database.query(sql, [before.toISOString()]);
      await blobs.drop(rows.flatMap((row) => (row['payload'] === null ? [] : [row['payload'] as number])));
      return rows.length;
    });
  }

  /** What nobody holds any more. */
  async function waitAgain(ids: readonly TaskId[], how: { readonly counted: boolean }): Promise<void> {
    for (const id of ids) {
      const found = await lock(id);
      if (found?.task.status === 'processing') await write(releaseTask(found.task, parts.now(), how));
    }
    await jobs.putBack(ids);
    await signals.send({ kind: 'job' });
  }

  return {
    async create(fields, payload) {
      const task = createTask(fields, await nextOrdinal(database));
      const sql =
        'INSERT INTO task(id, ordinal, doc_key, lane, status, record, payload, collection) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)';
      const values = [task.id, task.ordinal, docKeyOf(task.docId), task.lane, task.status, JSON.stringify(task), payload];
      await database.run(sql, [...values, collectionOf(task.docId)]);
      await jobs.enqueue(task);
      await signals.send({ kind: 'job', id: task.id });
      return task;
    },
    async importTask(task, payload) {
      const sql = `INSERT INTO task(id, ordinal, doc_key, lane, status, attempts, record, ended_at, payload, collection)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`;
      const { id, ordinal, lane, status, attempts, finishedAt } = task;
      const values = [id, ordinal, docKeyOf(task.docId), lane, status, attempts, JSON.stringify(task), finishedAt, payload];
      if ((await database.run(sql, [...values, collectionOf(task.docId)])) === 0) return false;
      if (isTerminal(status)) return true;
      await jobs.enqueueAgain(task);
      await signals.send({ kind: 'job' });
      return true;
    },
    withdraw: (id) =>
      database.transaction(async () => {
        const found = await lock(id);
        if (found?.task.status !== 'pending' || !(await jobs.removeWaiting(id))) return;
        await database.run('DELETE FROM task WHERE id = $1', [id]);
        if (found.payload !== null) await blobs.drop([found.payload]);
      }),
    async lowestOrdinal() {
      const [row] = await database.query('SELECT min(ordinal) AS lowest FROM task');
      return row!['lowest'] as number | null;
    },
    async recover(owner) {
      const rows = await database.query('DELETE FROM lease WHERE owner = $1 RETURNING task', [owner]);
      const ids = rows.map((row) => row['task'] as TaskId).sort();
      await waitAgain(ids, { counted: true });
      return ids;
    },
    giveBack: (id) =>
      database.transaction(async () => {
        await membership.fence();
        const held = await database.run('DELETE FROM lease WHERE task = $1 AND owner = $2', [id, membership.id]);
        if (held > 0) await waitAgain([id], { counted: false });
      }),
    async get(id) {
      if (!isTaskId(id)) return null;
      const rows = await database.query('SELECT record FROM task WHERE id = $1', [id]);
      return (await parts.snapshots(rows))[0] ?? null;
    },
    list,
    listSorted,
    counts: () =>
      database.snapshot(async () => {
        const [row] = await database.query('SELECT count(*) AS n FROM lease');
        const waiting = await jobs.waiting();
        return { pending: waiting.small + waiting.large, processing: row!['n'] as number };
      }),
    async oldestPending() {
      const [row] = await database.query(`SELECT record FROM task WHERE status = 'pending'
        AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.task = task.id) ORDER BY id LIMIT 1`);
      return row === undefined ? null : readTask(row['record'] as string);
    },
    begin,
    async progress(id, attempt, progress) {
      if (membership.lost.aborted || !leases.all().includes(id)) return 'fenced';
      return progressWriter.write(id, attempt, progress);
    },
    finish: (id, attempt, outcome) =>
      advance(id, attempt, (task) => finishTask(task, outcome, parts.now()), { drops: outcome.status === 'completed' }),
    release: (id, attempt, options) => advance(id, attempt, (task) => releaseTask(task, parts.now(), options)),
    cancel: (id, { force }) => (isTaskId(id) ? cancel(id, force) : Promise.resolve({ outcome: 'gone' as const })),
    retry: (id) => (isTaskId(id) ? retry(id) : Promise.resolve('gone' as const)),
    async expire(before) {
      let removed = 0;
      for (let some = expiredAtOnce; some === expiredAtOnce; removed += some) some = await expireSome(before);
      return removed;
    },
    remove: (id) =>
      database.transaction(async () => {
        const rows = await database.query('DELETE FROM task WHERE id = $1 AND ended_at IS NOT NULL RETURNING payload', [id]);
        await blobs.drop(rows.flatMap((row) => (row['payload'] === null ? [] : [row['payload'] as number])));
        return rows.length > 0;
      }),
    watch: (id, listener, what) => watch.watch(id, listener, what),
  };
}

/**
 * Writes the newest progress of each task, not too often, and only while its attempt runs: a task that is done within the first pause
 * writes none.
 */
function createProgressWriter(
  database: Database,
  signals: Signals,
): {
  /** An attempt that this process is at. */
  begun(task: Task): void;
  write(id: TaskId, attempt: number, progress: TaskProgress): 'ok' | 'fenced';
  /** Writes nothing more of it. Whether there may be something. */
  forget(id: TaskId): boolean;
} {
  const next = new Map<TaskId, { attempt: number; progress: TaskProgress }>();
  const resting = new Map<TaskId, NodeJS.Timeout>();
  const written = new Set<TaskId>();
  /** Which attempt at a task this process has begun. */
  const running = new Map<TaskId, number>();

  async function flush(id: TaskId): Promise<void> {
    resting.delete(id);
    const newest = next.get(id);
    next.delete(id);
    if (newest === undefined) return;
    rest(id);
    written.add(id);
    const sql = `INSERT INTO progress(task, attempt, progress) SELECT id, $2, $3 FROM task
        WHERE id = $1 AND status = 'processing' AND attempts = $2
      ON CONFLICT (task) DO UPDATE SET attempt = excluded.attempt, progress = excluded.progress`;
    if ((await database.run(sql, [id, newest.attempt, JSON.stringify(newest.progress)])) === 0) running.delete(id);
    else await signals.send({ kind: 'step', id });
  }

  function rest(id: TaskId): void {
    resting.set(id, setTimeout(() => void flush(id).catch(() => undefined), progressEveryMs).unref());
  }

  return {
    begun: ({ id, attempts }) => void running.set(id, attempts),
    write(id, attempt, progress) {
      if (running.get(id) !== attempt) return 'fenced';
      next.set(id, { attempt, progress });
      if (!resting.has(id)) rest(id);
      return 'ok';
    },
    forget(id) {
      clearTimeout(resting.get(id));
      resting.delete(id);
      next.delete(id);
      running.delete(id);
      return written.delete(id);
    },
  };
}

type Locked = { readonly task: Task; readonly payload: number | null };

function lockedOf([row]: readonly Row[]): Locked | null {
  return row === undefined ? null : { task: readTask(row['record'] as string), payload: row['payload'] as number | null };
}

function parseCursor(cursor: string): TaskId {
  if (!isTaskId(cursor)) throw new AppError('invalid_request', 'cursor: not from this server');
  return cursor;
}
