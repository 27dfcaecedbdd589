/**
 * The Redis engine: tasks and queue in Redis 7 or Valkey 8, shared by any number of processes. Where files and the index live is
 * for others to say: in a directory that all processes share, or in PostgreSQL. As with the file engine the index is the arbiter of
 * a task's fate, so the steps of settling come one after the other.
 */
import type { Receipt } from '../file-store.ts';
import type { Logger } from '../../logger.ts';
import type { DocumentIndex } from '../../search/document-index.ts';
import { isTerminal, type NewTask, type Task, type TaskId } from '../../tasks/task.ts';
import { createNotifier } from '../notifier.ts';
import type { ContentFiles, ContentOwner } from '../content-files.ts';
import type { Engine, StoreState } from '../engine.ts';
import { submitEach } from '../one-by-one.ts';
import { createTaskWatch } from '../task-watch.ts';
import { notReady } from '../../trouble.ts';
import { connect, type Connection } from './connection.ts';
import { createHeldLeases } from './held-leases.ts';
import { openJobs } from './jobs.ts';
import { join, type Sight } from './membership.ts';
import { createOrdinals } from './ordinals.ts';
import { createRedisTaskQueue } from './task-queue.ts';
import { createRedisTaskStore, createSnapshots, type RedisTaskStore } from './task-store.ts';
import { defineCommands } from './scripts.ts';

export type RedisEngineOptions = {
  /** `redis://…` or `rediss://…`. */
  readonly url: string;
  /** What all keys begin with, the same in all processes; no braces. */
  readonly prefix?: string;
  readonly role: 'frontend' | 'worker';
  readonly openFiles: (owner: ContentOwner) => Promise<ContentFiles>;
  readonly openIndex: () => Promise<DocumentIndex>;
  /** How long an ended task is kept. */
  readonly taskRetentionMs: number;
  /** A process that has not shown itself for so long is dead; at least 2000. */
  readonly leaseMs?: number;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => TaskId;
  readonly logger: Logger;
};

export interface RedisEngine extends Engine {
  /** Whether a worker, on whatever host, has shown itself lately. */
  readonly workerSeen: boolean;
}

const leaseMsDefault = 10_000;
const turnMsMax = 1000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
/** Changes are looked up from this long before the last sign of the server. */
const overlapMs = 5000;

/**
 * Joins the processes on a Redis.
 * @throws AppError `unavailable`, with a sentence that names what to set: it cannot be reached, keeps no append-only file, evicts.
 */
export async function openRedisEngine(options: RedisEngineOptions): Promise<RedisEngine> {
  const connection = await connect(options.url, options.logger);
  try {
    return await openOn(connection, options);
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function openOn(connection: Connection, options: RedisEngineOptions): Promise<RedisEngine> {
  const { role, logger, leaseMs = leaseMsDefault, now } = options;
  const prefix = `{${options.prefix ?? 'rag-intake'}}`;
  const commands = defineCommands(connection.redis);
  const notifier = createNotifier();
  const leases = createHeldLeases();
  const jobs = await openJobs(connection, prefix);
  const membership = await join({
    connection,
    commands,
    prefix,
    id: `${role}-${options.newId()}`,
    role,
    leaseMs,
    queues: Object.values(jobs.keys),
    onDeath: (owner) => files.fence(owner),
    logger,
  });
  const { files, index, highestKept } = await openContent(options, membership).catch(async (error: unknown) => {
    await membership.leave();
    throw error;
  });
  const snapshots = createSnapshots(connection, commands, prefix);
  const watch = createTaskWatch({ read: (ids) => snapshots(ids), changedLately });
  const ordinals = createOrdinals({ connection, commands, prefix, highestKept });
  const parts = { connection, commands, prefix, membership, jobs, leases, index, files, ordinals, now };
  const tasks: RedisTaskStore = createRedisTaskStore({ ...parts, watch, snapshots });
  const queue = createRedisTaskQueue({ ...parts, notifier, onEnd: (id) => files.tidy(id) });
  /** Submits whose end is not known, since the connection broke: what was refused must not run after all. */
  const refused = new Set<TaskId>();
  /** What this process held at the last turn without knowing of it. */
  let unknown = new Set<string>();
  /** What the purge before this one left: a number may have been taken before its task could be seen. */
  let purgeable = 0;
  let trouble: string | null = null;
  let seenMs = membership.serverNowMs();
  let minuteAt = -Infinity;
  let hourAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let turning: Promise<void> = Promise.resolve();
  let closed = false;
  membership.lost.addEventListener('abort', endLeases);
  await connection.listen(`${prefix}:signals`, onMessage, onListening);
  schedule();

  function onMessage(message: string): void {
    const [kind, id = ''] = message.split(' ');
    if (kind === 'job') notifier.notify();
    else if (kind === 'cancel') leases.end(id as TaskId, 'cancel');
    else watch.changed(id as TaskId);
  }

  function onListening(): void {
    notifier.notify();
    watch.catchUp().catch((error: unknown) => logger.debug({ err: error }, 'looking for missed changes failed'));
  }

  async function changedLately(): Promise<readonly TaskId[]> {
    const from = seenMs - overlapMs;
    return (await connection.run((redis) => redis.zrangebyscore(`${prefix}:changed`, from, '+inf'))) as TaskId[];
  }

  function schedule(): void {
    timer = setTimeout(
      () => {
        turning = turn().finally(() => {
          if (!closed) schedule();
        });
      },
      Math.min(turnMsMax, leaseMs / 5),
    );
  }

  async function turn(): Promise<void> {
    try {
      const sight = await membership.turn();
      trouble = null;
      if (sight === null) return;
      seenMs = sight.nowMs;
      for (const id of sight.cancels) leases.end(id as TaskId, 'cancel');
      await reclaim(sight.strays);
      for (const id of refused) {
        await tasks.withdraw(id);
        refused.delete(id);
      }
      await sometimes();
    } catch (error) {
      trouble = (error as Error).message;
      logger.debug({ err: error }, 'a turn of the maintenance failed; the next one tries again');
    }
  }

  /**
   * What nobody alive holds, and what this process holds without knowing it, since an answer was lost: at two turns in a row, for
   * an answer may be on its way.
   */
  async function reclaim(strays: Sight['strays']): Promise<void> {
    const before = unknown;
    unknown = new Set();
    for (const { id, owner } of strays) {
      if (owner === membership.id && leases.get(id as TaskId) !== null) continue;
      if (owner !== membership.id || before.has(id)) await tasks.reclaim(id as TaskId, owner);
      else unknown.add(id);
    }
  }

  /** All processes do it; what one has done the others do not find. */
  async function sometimes(): Promise<void> {
    const at = performance.now();
    if (at - minuteAt >= minuteMs) {
      minuteAt = at;
      const found = await tasks.scrub();
      if (found > 0) logger.warn({ tasks: found }, 'tasks had lost their place in the queue; they were queued again');
    }
    if (at - hourAt >= hourMs) {
      hourAt = at;
      await sweep();
    }
  }

  async function sweep(): Promise<void> {
    // By the server's clock, as is when they ended.
    const removed = await tasks.expire(new Date(membership.serverNowMs() - options.taskRetentionMs));
    if (removed > 0) logger.info({ removed }, 'expired tasks removed');
    if ((await index.isFilled?.()) !== false) await sweepFiles();
    await purge();
  }

  async function sweepFiles(): Promise<void> {
    const statusOf = async (id: TaskId) => (await tasks.get(id))?.task.status ?? null;
    await files.sweep({
      isAlive: async (owner) => (await connection.run((redis) => redis.zscore(`${prefix}:owners`, owner))) !== null,
      needsPayload: async (id) => ![null, 'completed'].includes(await statusOf(id)),
      isLive: async (id) => {
        const status = await statusOf(id);
        return status !== null && !isTerminal(status);
      },
      isCurrent: async (docId, version) => (await index.info(docId))?.version === version,
    });
  }

  /** Only what was accepted before every task that is kept now, or might have been on its way at the last purge. */
  async function purge(): Promise<void> {
    const next = await ordinals.next();
    await index.purge(Math.min((await ordinals.lowestKept()) ?? next, purgeable));
    purgeable = next;
  }

  function endLeases(): void {
    for (const { id } of leases.all()) leases.end(id, 'lost');
    notifier.notify();
  }

  /** The order is the promise: the file is durable before the task is there, and the task before anybody is told. */
  async function submit(fields: NewTask, receipt: Receipt): Promise<Task> {
    if (membership.lost.aborted) throw notReady('this process was declared dead');
    await files.keep(receipt, fields.id);
    try {
      return await tasks.create(fields);
    } catch (error) {
      refused.add(fields.id);
      throw error;
    }
  }

  /** The file first, as in `submit`; without its task it is not needed, and is swept. */
  async function importTask(task: Task, receipt: Receipt | null): Promise<void> {
    const there = (await tasks.get(task.id)) !== null;
    if (there) await receipt?.discard();
    else if (receipt !== null) {
      // What an earlier run that broke off has left.
      await files.dropPayload(task.id);
      await files.keep(receipt, task.id);
    }
    await tasks.importTask(task);
  }

  async function state(): Promise<StoreState> {
    if (!connection.up || trouble !== null) return { state: 'unusable', reason: `Redis: ${trouble ?? 'not connected'}` };
    return files.state();
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    await turning;
    endLeases();
    watch.close();
    await handBack().catch((error: unknown) =>
      logger.warn({ err: error }, 'tasks of this process could not be handed back; another process takes them over'),
    );
    await index.close();
    await files.close();
    connection.close();
  }

  async function handBack(): Promise<void> {
    for (const id of refused) await tasks.withdraw(id);
    await membership.leave();
    for (const { id } of leases.all()) await tasks.reclaim(id, membership.id);
  }

  return {
    tasks,
    queue,
    files: { ...files, remove: (docId, before) => files.makeRoom(() => files.remove(docId, before)) },
    index: { ...index, remove: (docId, fence) => files.makeRoom(() => index.remove(docId, fence)) },
    collections: files.collections,
    nextOrdinal: () => ordinals.next(),
    continueAfter: (ordinal) => ordinals.continueAfter(ordinal),
    get workerSeen() {
      return membership.workerSeen;
    },
    lost: membership.lost,
    submit,
    submitAll: (arrivals) => submitEach(submit, arrivals),
    transaction: (work) => work(),
    importTask,
    async others() {
      const owners = await connection.run((redis) => redis.zrange(`${prefix}:owners`, '0', '-1'));
      return owners.filter((owner) => owner !== membership.id);
    },
    state,
    close,
  };
}

async function openContent(
  options: RedisEngineOptions,
  owner: ContentOwner,
): Promise<{ files: ContentFiles; index: DocumentIndex; highestKept: number }> {
  const files = await options.openFiles(owner);
  try {
    const index = await options.openIndex();
    return { files, index, highestKept: await index.highestOrdinal() };
  } catch (error) {
    await files.close();
    throw error;
  }
}
