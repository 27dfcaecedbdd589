/**
 * The PostgreSQL engine: tasks, queue, files and index in one database, shared by any number of processes on any number of
 * hosts. Submitting and settling are one transaction each. A local folder serves as scratch space only.
 */
import { createPostgresCollectionStore } from './collections.ts';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Receipt } from '../file-store.ts';
import type { Embedder } from '../../embed/embedder.ts';
import type { Logger } from '../../logger.ts';
import type { Reranker } from '../../search/models/reranker.ts';
import { type NewTask, type Task, type TaskId } from '../../tasks/task.ts';
import { createNotifier } from '../notifier.ts';
import type { Arrival, Engine, StoreState } from '../engine.ts';
import { createTaskWatch } from '../task-watch.ts';
import { createBell } from './bell.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { createBlobs } from './blobs.ts';
import { createObjectBlobs, openObjects } from './object-blobs.ts';
import { type Database, openDatabase, requirePooler } from './database.ts';
import { openJobs } from './jobs.ts';
import { letsIn, openListenConnection, type Signal } from './listen-connection.ts';
import { join as joinOwners, type Membership } from './membership.ts';
import { submitEach } from '../one-by-one.ts';
import { createPostgresFileStore } from './file-store.ts';
import { createRoom } from './room.ts';
import { createPostgresIndex } from './index/postgres-index.ts';
import { continueAfter, nextOrdinal } from './ordinals.ts';
import { createPostgresTaskQueue } from './task-queue.ts';
import { createPostgresTaskStore, createSnapshots, endedSnapshot, type PostgresTaskStore } from './task-store.ts';
import { troubleOf } from '../../trouble.ts';
import { requireSchema, unsafeSettings } from './schema.ts';
import { joinStanding, type Standing } from './standing.ts';
import { openSearcher, type SearcherName } from './searchers.ts';
import { openServers, type Servers } from './servers.ts';
import { createHeldLeases, createSignals } from './signals.ts';

export type PostgresEngineOptions = {
  readonly url: string;
  readonly role: 'frontend' | 'worker';
  /** For files that are being worked on; emptied of what dead processes left. */
  readonly workDir: string;
  readonly embedder: Embedder;
  readonly reranker?: Reranker | null;
  readonly translates?: boolean;
  /** The database itself, where `url` leads to a pooler that shares connections between transactions. */
  readonly directUrl?: string;
  /** Of standbys that are asked questions. */
  readonly readUrls?: readonly string[];
  /** Connections of this process, one more being held for notifications. */
  readonly connectionsMax: number;
  /** Where files lie instead of the database. */
  readonly objects?: ObjectStore | null;
  /** Who finds; '' or absent: whoever the database notes. */
  readonly searcher?: SearcherName | '';
  /** How long an ended task is kept. */
  readonly taskRetentionMs: number;
  /** A process that has not shown itself for so long is dead; at least 2000. */
  readonly leaseMs?: number;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => TaskId;
  readonly logger: Logger;
};

export interface PostgresEngine extends Engine {
  /** For what front ends keep beside the engine. */
  readonly database: Database;
  /** Whether a worker, on whatever host, has shown itself lately. */
  readonly workerSeen: boolean;
}

const leaseMsDefault = 10_000;
const turnMsMax = 1000;
const hourMs = 3_600_000;
/** Changes are looked up from this long before now, for transactions that were not committed when they were made. */
const overlapSeconds = 60;

async function warnOfLoss(database: Database, logger: Logger): Promise<void> {
  const settings = await unsafeSettings(database);
  if (settings.length > 0)
    logger.warn({ settings }, 'PostgreSQL may lose acknowledged documents in a crash: set each of these to `on`');
}

/**
 * Joins the processes on a database whose tables `migrate` has made.
 * @throws AppError `unavailable`: the database cannot be reached, or its tables are of another version.
 */
export async function openPostgresEngine(options: PostgresEngineOptions): Promise<PostgresEngine> {
  const { url, role, logger, leaseMs = leaseMsDefault } = options;
  const { directUrl = '' } = options;
  const pooled = directUrl !== '';
  const servers = await openServers(pooled ? directUrl : url, logger);
  const database = await openDatabase({
    url,
    ...(pooled ? { pooled } : { servers }),
    connectionsMax: options.connectionsMax,
    readUrls: options.readUrls ?? [],
    idleInTransactionMs: leaseMs / 2,
    logger,
  });
  try {
    await requireSchema(database);
    if (pooled) await requirePooler(database);
    if (role === 'frontend') await warnOfLoss(database, logger);
    return await openOn(database, { ...options, servers, leaseMs, role });
  } catch (error) {
    await database.close();
    throw error;
  }
}

type Opened = PostgresEngineOptions & { readonly servers: Servers; readonly leaseMs: number };

async function openOn(database: Database, options: Opened): Promise<PostgresEngine> {
  const { servers, role, logger, leaseMs } = options;
  const id = `${role}-${options.newId()}`;
  const root = resolve(options.workDir);
  await clearWork(database, root);
  const objects = await openObjects(database, options.objects);

  const notifier = createNotifier();
  const leases = createHeldLeases();
  const signals = createSignals(database);
  const jobs = await openJobs(database, logger);
  const snapshots = createSnapshots(database, jobs);
  const watch = createTaskWatch({
    read: (ids) =>
      database.snapshot(async () => snapshots(await database.query('SELECT record FROM task WHERE id = ANY($1::uuid[])', [ids]))),
    changedLately,
  });
  let joined: Membership | null = null;
  const bell = createBell({ id, workers: () => joined?.workers ?? [], look: () => notifier.notify() });
  const listenConnection = await openListenConnection({ servers, logger, onSignal, onConnect });
  const joinNow = async (standing: Standing) => {
    await requireSchema(database);
    const follows = await openSearcher(database, options.searcher ?? '');
    const membership = await joinOwners({
      database,
      listenConnection,
      id,
      role,
      leaseMs,
      recover: (owner) => tasks.recover(owner),
      onDeath: removeUnowned,
      letsIn: (count) => letsIn(servers, count),
      logger,
    });
    return { membership, follows, standing };
  };
  const { membership, follows, standing } = await joinStanding(database, joinNow, () => joined?.forfeit()).catch(
    async (error: unknown) => {
      await listenConnection.close();
      throw error;
    },
  );
  joined = membership;
  const blobs =
    objects === null
      ? createBlobs(database)
      : createObjectBlobs({ ...objects, database, owner: id, workDir: join(root, id), logger });
  const index = createPostgresIndex({ database, ...options, follows, standing, merges: role === 'worker' });
  const files = createPostgresFileStore({ database, membership, blobs, workDir: join(root, id) });
  const room = createRoom({ database, blobs, owner: id });
  const parts = { database, membership, jobs, leases, signals, blobs, index, now: options.now };
  const tasks: PostgresTaskStore = createPostgresTaskStore({ ...parts, watch, snapshots });
  /** Submits whose end is not known, since the connection broke: what was refused must not run after all. */
  const refused = new Set<TaskId>();
  /** Claims of the same kind: what nobody runs must not be held for ever. */
  const unsure = new Set<TaskId>();
  const queue = createPostgresTaskQueue({ ...parts, notifier, unsure, onEnd: (task) => files.tidy(task) });
  let timer: NodeJS.Timeout | undefined;
  let sweptAt = performance.now();
  /** What the purge before this one left: a number may have been taken before its task could be seen. */
  let purgeable = 0;
  let turning: Promise<void> = Promise.resolve();
  let closed = false;
  membership.lost.addEventListener('abort', endLeases);
  schedule();

  function onSignal(signal: Signal): void {
    if (signal.kind === 'cancel') leases.end(signal.id as TaskId, 'cancel');
    else if (signal.kind === 'missed') catchUp();
    else if (signal.kind === 'job') hasCome((signal.id as TaskId | undefined) ?? null);
    else {
      bell.taken(signal.id as TaskId);
      hasChanged(signal);
    }
  }

  function hasChanged(signal: Extract<Signal, { kind: 'step' | 'end' }>): void {
    if (signal.kind === 'end' && signal.record !== undefined) watch.ended(endedSnapshot(signal.record));
    else watch.changed(signal.id as TaskId, { isEnd: signal.kind === 'end' });
  }

  function hasCome(task: TaskId | null): void {
    bell.rings(task);
    if (task !== null) watch.changed(task, { isEnd: false });
  }

  function catchUp(): void {
    watch.catchUp().catch((error: unknown) => logger.debug({ err: error }, 'looking for missed changes failed'));
  }

  function onConnect(): void {
    notifier.notify();
    catchUp();
  }

  async function changedLately(): Promise<readonly TaskId[]> {
    const sql = `SELECT id FROM task WHERE changed_at > clock_timestamp() - $1 * interval '1 second' ORDER BY changed_at LIMIT 10000`;
    return (await database.query(sql, [overlapSeconds])).map((row) => row['id'] as TaskId);
  }

  function schedule(): void {
    timer = setTimeout(
      () => {
        turning = turn()
          .catch((error: unknown) => logger.debug({ err: error }, 'a turn of the maintenance failed; the next one tries again'))
          .finally(() => {
            if (!closed) schedule();
          });
      },
      Math.min(turnMsMax, leaseMs / 5),
    );
  }

  async function turn(): Promise<void> {
    await membership.turn();
    for (const task of refused) {
      await tasks.withdraw(task);
      refused.delete(task);
    }
    for (const task of unsure) {
      if (!leases.all().includes(task)) await tasks.giveBack(task);
      unsure.delete(task);
    }
    const held = leases.all();
    const cancelled = 'SELECT id FROM task WHERE cancel AND id = ANY($1::uuid[])';
    for (const row of held.length === 0 ? [] : await database.query(cancelled, [held])) leases.end(row['id'] as TaskId, 'cancel');
    if (performance.now() - sweptAt > hourMs) {
      sweptAt = performance.now();
      await sweep();
    }
  }

  /** Uploads on their way and scratch of processes that are gone; and what they did last they may have told nobody. */
  async function removeUnowned(owner: string): Promise<void> {
    await signals.send({ kind: 'missed' });
    await clearWork(database, root);
    await blobs.sweep(owner);
  }

  /** All processes do it; what one has removed the others do not find. */
  async function sweep(): Promise<void> {
    // By the database's clock, as is when they ended; it may have been ahead then.
    await database.run('UPDATE task SET ended_at = clock_timestamp() WHERE ended_at > clock_timestamp()');
    const [row] = await database.query(`SELECT clock_timestamp() - $1 * interval '1 millisecond' AS before`, [
      options.taskRetentionMs,
    ]);
    const removed = await tasks.expire(new Date(row!['before'] as string));
    if (removed > 0) logger.info({ removed }, 'expired tasks removed');
    await blobs.sweep();
    await files.sweep();
    await purge();
  }

  /** Only what was accepted before every task that is kept now, or might have been on its way at the last purge. */
  async function purge(): Promise<void> {
    const next = await nextOrdinal(database);
    await index.purge(Math.min((await tasks.lowestOrdinal()) ?? next, purgeable));
    purgeable = next;
  }

  function endLeases(): void {
    for (const task of leases.all()) leases.end(task, 'lost');
    notifier.notify();
  }

  async function submit(fields: NewTask, receipt: Receipt): Promise<Task> {
    const store = files.keep(receipt);
    try {
      return await database.transaction(async () => {
        await membership.fence();
        return tasks.create(fields, await store());
      });
    } catch (error) {
      files.unkeep(receipt);
      refused.add(fields.id);
      room.note(error);
      throw error;
    }
  }

  /** One transaction and one flush for all; each by itself when they cannot be kept together. */
  async function submitAll(arrivals: readonly Arrival[]): Promise<readonly PromiseSettledResult<Task>[]> {
    const stores = arrivals.map(({ receipt }) => files.keep(receipt));
    try {
      const created = await database.transaction(async () => {
        await membership.fence();
        await jobs.lock(arrivals.map(({ task }) => task.docId));
        const tasksOf: Task[] = [];
        for (const [i, { task }] of arrivals.entries()) tasksOf.push(await tasks.create(task, await stores[i]!()));
        return tasksOf;
      });
      return created.map((value) => ({ status: 'fulfilled', value }));
    } catch (error) {
      for (const { receipt } of arrivals) files.unkeep(receipt);
      // All may be there: the answer to the commit was lost.
      if (troubleOf(error) === 'away') {
        for (const { task } of arrivals) refused.add(task.id);
        return arrivals.map(() => ({ status: 'rejected', reason: error }));
      }
      logger.debug({ err: error }, 'uploads could not be kept together; each is tried by itself');
      return submitEach(submit, arrivals);
    }
  }

  async function importTask(task: Task, receipt: Receipt | null): Promise<void> {
    const store = receipt === null ? null : files.keep(receipt);
    try {
      await database.transaction(async () => {
        await membership.fence();
        const blob = store === null ? null : await store();
        if (!(await tasks.importTask(task, blob)) && blob !== null) await blobs.drop([blob]);
      });
    } catch (error) {
      if (receipt !== null) files.unkeep(receipt);
      throw error;
    }
  }

  async function state(): Promise<StoreState> {
    try {
      const [row] = await listenConnection.query(`SELECT current_setting('transaction_read_only') = 'on' AS read_only`, []);
      if (row?.['read_only'] === true) return { state: 'read_only', reason: 'the database is read-only' };
      return await room.state();
    } catch (error) {
      return { state: 'unusable', reason: `the database does not answer: ${(error as Error).message}` };
    }
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    await turning;
    endLeases();
    bell.close();
    watch.close();
    await index.close();
    await handBack().catch((error: unknown) =>
      logger.warn({ err: error }, 'tasks of this process could not be handed back; another process takes them over'),
    );
    await files.close();
    await jobs.close();
    await signals.close();
    await listenConnection.close();
    await database.close();
  }

  async function handBack(): Promise<void> {
    for (const task of refused) await tasks.withdraw(task);
    await membership.leave();
  }

  return {
    tasks,
    queue,
    files,
    index,
    database,
    collections: createPostgresCollectionStore(database),
    nextOrdinal: () => nextOrdinal(database),
    continueAfter: (ordinal) => continueAfter(database, ordinal),
    get workerSeen() {
      return membership.workerSeen;
    },
    lost: membership.lost,
    submit,
    submitAll,
    transaction: (work) =>
      database.transaction(async () => {
        await membership.fence();
        return work();
      }),
    importTask,
    standbys: () => database.standbys(),
    others: async () => (await database.query('SELECT id FROM owner WHERE id <> $1', [id])).map((row) => row['id'] as string),
    state,
    close,
  };
}

/** Removes the folders of processes that are gone. */
export async function clearWork(database: Database, root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  // In this order: whoever has a folder has had a row before.
  const names = await readdir(root);
  const living = new Set((await database.query('SELECT id FROM owner')).map((row) => row['id'] as string));
  for (const name of names) if (!living.has(name)) await rm(join(root, name), { recursive: true, force: true });
}
