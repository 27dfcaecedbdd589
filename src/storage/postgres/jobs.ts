/**
 * The jobs of pg-boss: one for each task that waits or runs, in one queue. Its own workers are not used: they sleep out their
 * interval, and a job there dies alone, whereas here a process loses all it holds at once (`membership.ts`).
 */
import { createHash } from 'node:crypto';
import type { ConnectionOptions, PgBoss } from 'pg-boss';
import type { Logger } from '../../logger.ts';
import type { Task, TaskId, TaskLane } from '../../tasks/task.ts';
import { type Database, hasSqlState, type Row } from './database.ts';
import { remembered } from './index/remembered.ts';

/** pg-boss's schema, its queue, and the table that it keeps jobs in. */
const bossSchema = 'rag_intake_jobs';
const queueName = 'task';
const jobTable = `${bossSchema}.job`;

/**
 * The jobs of one caller in one lane have one priority, odd in the lane of small ones: so one queue holds them all, keeps two uploads of
 * one doc_id apart, and can be asked for the next of a caller. Two callers may meet in one priority, and share their turns then. Tasks of
 * version 0.1.0 have the first two.
 */
function priorityOf({ lane, caller = '' }: Pick<Task, 'lane' | 'caller'>): number {
  return 2 * (Number.parseInt(caller || '0', 16) % 2 ** 30) + (lane === 'small' ? 1 : 0);
}

function callerOf(priority: number): string {
  return (priority >>> 1).toString(16).padStart(8, '0');
}

function laneOf(priority: number): TaskLane {
  return priority % 2 === 1 ? 'small' : 'large';
}

/** Callers that are looked at for one turn. */
const callersMax = 100;

/** Waiting jobs that are counted exactly. */
const countedMax = 1000;
/** Seconds. */
const ageSql = 'extract(epoch FROM created_on)::float8 AS age';

export interface Jobs {
  /** Until the end of the caller's transaction no other job of these doc_ids is added, and none ends. */
  lock(docIds: readonly string[]): Promise<void>;
  /** In the transaction of the caller; of more than one, `lock` all before. Safe twice. */
  enqueue(task: Task): Promise<void>;
  /** As `enqueue`, for a task that has waited before: among those that wait it gets the place of its acceptance, by the server's clock. */
  enqueueAgain(task: Task): Promise<void>;
  /** Whose jobs wait in each lane: the next 100 callers after `last` at most. */
  callers(last: string): Promise<Record<TaskLane, readonly string[]>>;
  /**
   * Takes the oldest job of a caller in a lane whose doc_id is not being run, in the transaction of the caller: undone with it. Null: none.
   * @throws Overtaken: another process was faster; the transaction is broken, ask in a new one.
   */
  take(lane: TaskLane, caller: string): Promise<TaskId | null>;
  /** What was taken waits again, in its old place. In the transaction of the caller. */
  putBack(ids: readonly TaskId[]): Promise<void>;
  /**
   * The job of a task that has ended. In the transaction of the caller. Says whether another of the same `docKey` waits, which may be taken
   * from the commit on; none comes unseen before that. Null: the task is gone.
   */
  drop(id: TaskId, docKey: string | null): Promise<boolean>;
  /** Whether any job waits, though maybe for another of the same doc_id. */
  anyWaits(): Promise<boolean>;
  /** Removes a job that waits; false when it is being taken, is taken, or is not there. One statement: exactly one wins. */
  removeWaiting(id: TaskId): Promise<boolean>;
  /** Exact up to 1,000; of more, at most a second old. */
  waiting(): Promise<Record<TaskLane, number>>;
  /**
   * How many jobs of its lane will be taken before each of these: exact for the first 1,000, an estimate for those behind them. The cost does
   * not depend on how many wait.
   */
  positions(ids: readonly TaskId[]): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

const noCounts: ReadonlyMap<number, number> = new Map();

/** Another process took a job of the same doc_id first. */
export class Overtaken extends Error {}

type BossDatabase = NonNullable<ConnectionOptions['db']>;

/** Makes pg-boss's tables and the queue, or brings them up to date. Safe twice. */
export async function installJobs(database: Database, logger: Logger): Promise<void> {
  const boss = await startBoss(database, logger, { migrate: true });
  try {
    await boss.createQueue(queueName, { policy: 'singleton', retryLimit: 2 ** 30, retentionSeconds: 10 * 365 * 86_400 });
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** The jobs of a database that `installJobs` has prepared. */
export async function openJobs(database: Database, logger: Logger): Promise<Jobs> {
  const boss = await startBoss(database, logger, { migrate: false });
  let conflict = false;
  const joined: BossDatabase = { executeSql: async (text, values = []) => ({ rows: await database.query(text, values) }) };
  const watched: BossDatabase = {
    executeSql: (text, values = []) =>
      joined.executeSql(text, values).catch((error: unknown) => {
        conflict = hasSqlState(error, '23505');
        throw error;
      }),
  };

  /** The last locks that a transaction takes, in one order, so that two of them never wait for each other. */
  async function lockDocs(docKeys: readonly string[]): Promise<void> {
    const sql =
      'SELECT pg_advisory_xact_lock(hashtextextended(key, 2)) FROM (SELECT key FROM unnest($1::text[]) AS key ORDER BY key) AS ordered';
    await database.query(sql, [docKeys]);
  }

  async function enqueue({ id, docId, ...task }: Task): Promise<void> {
    await lockDocs([docKeyOf(docId)]);
    await boss.send(queueName, null, { db: joined, id, priority: priorityOf(task), singletonKey: docKeyOf(docId) });
  }

  /** By priority. */
  async function countWaiting(): Promise<ReadonlyMap<number, number>> {
    const sql = `SELECT priority, count(*) AS n FROM ${jobTable} WHERE name = '${queueName}' AND state < 'active' GROUP BY 1`;
    return new Map((await database.query(sql)).map((row) => [row['priority'] as number, row['n'] as number]));
  }

  /** The priorities of waiting jobs from here on: one look into the index for each. */
  async function prioritiesAfter(last: number): Promise<number[]> {
    const next = (than: string): string => `SELECT priority FROM ${jobTable}
      WHERE name = '${queueName}' AND state < 'active' AND NOT blocked AND priority > ${than} ORDER BY priority LIMIT 1`;
    const sql = `WITH RECURSIVE found AS (
        (${next('$1::integer')})
        UNION ALL SELECT (${next('found.priority')}) FROM found WHERE priority IS NOT NULL)
      SELECT priority FROM found WHERE priority IS NOT NULL LIMIT ${callersMax}`;
    return (await database.query(sql, [last])).map((row) => row['priority'] as number);
  }

  async function callers(last: string): Promise<Record<TaskLane, readonly string[]>> {
    const from = priorityOf({ lane: 'small', caller: last });
    const after = await prioritiesAfter(from);
    const before = after.length < callersMax ? (await prioritiesAfter(-1)).filter((priority) => priority <= from) : [];
    const lanes = Map.groupBy([...after, ...before], laneOf);
    return { small: (lanes.get('small') ?? []).map(callerOf), large: (lanes.get('large') ?? []).map(callerOf) };
  }

  async function positions(ids: readonly TaskId[]): Promise<ReadonlyMap<string, number>> {
    const sql = `SELECT id, priority, ${ageSql} FROM ${jobTable} WHERE name = '${queueName}' AND id = ANY($1::uuid[]) AND state < 'active'`;
    const asked = Map.groupBy(await database.query(sql, [ids]), (row) => row['priority'] as number);
    const places = new Map<string, number>();
    let counts: ReadonlyMap<number, number> | null = null;
    for (const [priority, rows] of asked) {
      const placeOf = await readQueue(priority);
      for (const row of rows) {
        const place = placeOf(row);
        if (place > 0) counts ??= await waiting();
        places.set(row['id'] as string, placeAmongAll(priority, place, counts ?? noCounts));
      }
    }
    return places;
  }

  /** The others of its lane have their turns meanwhile. */
  function placeAmongAll(priority: number, place: number, counts: ReadonlyMap<number, number>): number {
    let others = 0;
    if (place > 0)
      for (const [other, count] of counts)
        if (other !== priority && laneOf(other) === laneOf(priority)) others += Math.min(count, place);
    return place + others;
  }

  /** Says the place of a job among its caller's: its own among the first ones, else one in proportion to its age. */
  async function readQueue(priority: number): Promise<(job: Row) => number> {
    const first = await oldest(priority, `ASC LIMIT ${countedMax}`);
    const places = new Map(first.map((row, place) => [row['id'], place]));
    if (first.length < countedMax) return (job) => places.get(job['id']) ?? 0;
    const [newest] = await oldest(priority, 'DESC LIMIT 1');
    const behind = ((await waiting()).get(priority) ?? 0) - countedMax;
    const [from, to] = [first.at(-1)!, newest!].map((row) => row['age'] as number) as [number, number];
    return (job) => {
      const share = ((job['age'] as number) - from) / Math.max(to - from, 0.001);
      return places.get(job['id']) ?? countedMax + Math.round(Math.max(0, behind - 1) * Math.min(1, Math.max(0, share)));
    };
  }

  /** Answered from the index that pg-boss takes jobs by. */
  function oldest(priority: number, order: string): Promise<Row[]> {
    const sql = `SELECT id, ${ageSql} FROM ${jobTable} WHERE name = '${queueName}' AND priority = $1 AND state < 'active' AND NOT blocked
      ORDER BY created_on ${order}`;
    return database.query(sql, [priority]);
  }

  const waiting = remembered(countWaiting, (counts) => sum(counts.values()) > countedMax);

  return {
    lock: (docIds) => lockDocs(docIds.map(docKeyOf)),
    enqueue,
    async enqueueAgain(task) {
      await enqueue(task);
      await database.run(
        `UPDATE ${jobTable} AS job SET created_on = accepted_at FROM task WHERE job.name = '${queueName}' AND job.id = $1 AND task.id = $1`,
        [task.id],
      );
    },
    callers,
    async take(lane, caller) {
      conflict = false;
      const priority = priorityOf({ lane, caller });
      const [job] = await boss.fetch(queueName, { db: watched, minPriority: priority, maxPriority: priority });
      // pg-boss takes a conflict for an empty queue.
      if (conflict) throw new Overtaken();
      return job === undefined ? null : (job.id as TaskId);
    },
    async putBack(ids) {
      if (ids.length > 0) await boss.fail(queueName, [...ids], null, { db: joined });
    },
    async drop(id, docKey) {
      if (docKey !== null) await lockDocs([docKey]);
      const sql = `WITH gone AS (DELETE FROM ${jobTable} WHERE name = '${queueName}' AND id = $1 AND state = 'active')
        SELECT EXISTS (SELECT 1 FROM ${jobTable} WHERE name = '${queueName}' AND singleton_key = $2::text AND state < 'active') AS waits`;
      return (await database.query(sql, [id, docKey]))[0]!['waits'] === true;
    },
    async anyWaits() {
      const sql = `SELECT EXISTS (SELECT 1 FROM ${jobTable} WHERE name = '${queueName}' AND state < 'active' AND NOT blocked) AS waits`;
      return (await database.query(sql))[0]!['waits'] === true;
    },
    async removeWaiting(id) {
      const sql = `DELETE FROM ${jobTable} WHERE name = '${queueName}' AND id = (
        SELECT id FROM ${jobTable} WHERE name = '${queueName}' AND id = $1 AND state < 'active' FOR UPDATE SKIP LOCKED)`;
      return (await database.run(sql, [id])) === 1;
    },
    async waiting() {
      const counts = [...(await waiting())];
      const inLane = (lane: TaskLane): number => sum(counts.filter(([priority]) => laneOf(priority) === lane).map(([, n]) => n));
      return { small: inLane('small'), large: inLane('large') };
    },
    positions,
    close: () => boss.stop({ graceful: false, close: false }),
  };
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, each) => total + each, 0);
}

/** A doc_id as a short key without odd characters. */
export function docKeyOf(docId: string): string {
  return createHash('sha256').update(docId, 'utf8').digest('hex');
}

/** pg-boss on our own connections, without any of its timers: nothing here is scheduled, retried or expired by it. */
async function startBoss(database: Database, logger: Logger, { migrate }: { migrate: boolean }): Promise<PgBoss> {
  const { PgBoss: Boss } = await import('pg-boss');
  const boss = new Boss({
    db: { executeSql: async (text, values = []) => ({ rows: await database.query(text, values) }) },
    schema: bossSchema,
    migrate,
    supervise: false,
    schedule: false,
    registerInstance: false,
    monitorVacuum: false,
    reindex: false,
    openTelemetry: { enabled: false },
  });
  boss.on('error', (error) => logger.warn({ err: error }, 'pg-boss reported an error'));
  await boss.start();
  return boss;
}
