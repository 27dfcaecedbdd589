/**
 * The jobs of BullMQ: one for each task that can be taken, in one queue a lane, none with a priority (a job without one runs before
 * every job that has one). Its Worker is not used: a job there has a lock of its own and dies alone, whereas here a process loses
 * all it holds at once (`membership.ts`), and the task store counts the attempts (BullMQ allows one attempt and one stall, and
 * fails the job then). So the token of a job's lock is the owner that took it, and the lock does not run out.
 */
import type { ConnectionOptions, JobJson, MinimalJob, RedisQueueBackend } from 'bullmq';
import { type Task, type TaskId, type TaskLane, taskLanes } from '../../tasks/task.ts';
import type { Connection } from './connection.ts';
import type { Commands } from './scripts.ts';

export interface Jobs {
  /** The job of a new task, behind all others, and in the same transaction a script; its answer. Safe twice. */
  create(task: Task, script: keyof Commands, args: readonly (string | number)[]): Promise<unknown>;
  /** The job of a task that has waited before: it is the next one. Safe twice; nothing when there is one. */
  addAgain(id: TaskId, lane: TaskLane): Promise<void>;
  /** Takes the first job of a lane for `owner`. */
  take(lane: TaskLane, owner: string): Promise<TaskId | null>;
  /** What `owner` took waits again as the next one, whatever has become of its job. */
  putBack(id: TaskId, lane: TaskLane, owner: string): Promise<void>;
  /** Removes what `owner` took; nothing when that is no longer so. */
  drop(id: TaskId, lane: TaskLane, owner: string): Promise<void>;
  /** Removes a job unless somebody has taken it: exactly one wins. False: it is taken. */
  removeWaiting(id: TaskId, lane: TaskLane): Promise<boolean>;
  /** What the keys of each lane's queue begin with. */
  readonly keys: Readonly<Record<TaskLane, string>>;
}

const lockMs = 2 ** 45;

export async function openJobs(connection: Connection, prefix: string): Promise<Jobs> {
  const { createRedisBackend } = await import('bullmq');
  const options = { connection: connection.redis as unknown as ConnectionOptions, prefix, lockDuration: lockMs };
  const queues = Object.fromEntries(taskLanes.map((lane) => [lane, createRedisBackend(lane, options)])) as Record<
    TaskLane,
    RedisQueueBackend
  >;
  // The connection tells of its errors itself; without a listener each would end the process.
  for (const queue of Object.values(queues)) queue.on('error', () => undefined);
  await connection.run(() => Promise.all(Object.values(queues).map((queue) => queue.waitUntilReady())));

  const tell = (): Promise<unknown> => connection.run((redis) => redis.publish(`${prefix}:signals`, 'job'));

  /** A step on a job that is not as it should be (somebody else was faster, it is gone) changes nothing. */
  async function unlessGone(work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (typeof (error as { code?: unknown }).code === 'number') return false;
      throw error;
    }
  }

  async function addAgain(id: TaskId, lane: TaskLane): Promise<void> {
    await connection.run(() => queues[lane].addJob(jobOf(id, true), id));
    await tell();
  }

  return {
    keys: { small: queues.small.toKey(''), large: queues.large.toKey('') },
    create: ({ id, lane }, script, args) =>
      connection.run(async () => {
        const transaction = (await queues[lane].client).multi();
        transaction.runCommand(script, [...args]);
        await queues[lane].addJobToTransaction(transaction, jobOf(id, false), id);
        const answers = (await transaction.exec()) ?? [];
        for (const [error] of answers) if (error !== null) throw error;
        return answers[0]?.[1] as unknown;
      }),
    addAgain,
    take: (lane, owner) =>
      connection.run(async () => {
        const [, id] = (await queues[lane].moveToActive(owner)) as [unknown, string | 0];
        return id ? (id as TaskId) : null;
      }),
    async putBack(id, lane, owner) {
      const moved = await connection.run(() => unlessGone(queues[lane].moveJobFromActiveToWait(id, owner)));
      await (moved ? tell() : addAgain(id, lane));
    },
    async drop(id, lane, owner) {
      await connection.run(() =>
        unlessGone(queues[lane].moveToCompleted(jobOf(id, false) as unknown as MinimalJob, null, true, owner, false)),
      );
    },
    removeWaiting: (id, lane) => connection.run(async () => (await queues[lane].remove(id, false)) === 1),
  };
}

function jobOf(id: TaskId, first: boolean): JobJson {
  return {
    id,
    name: 'task',
    data: '{}',
    opts: { lifo: first, attempts: 1 },
    timestamp: 0,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    failedReason: '',
    returnvalue: '',
  };
}
