/**
 * Which processes live, and the end of those that do not. Each shows itself every second in its row of `owner`; when that stays away
 * (`failure-detector.ts`) any other process deletes the row, and in the same transaction lets everything that it held wait again.
 * Whoever writes as an owner locks that row first (`fence`): the write is done before the row is gone or not at all. No clock but the
 * database's is written, and no two clocks are compared.
 */
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { TaskId } from '../../tasks/task.ts';
import { createFailureDetector, type SignOfLife } from '../failure-detector.ts';
import type { Database } from './database.ts';
import type { ListenConnection } from './listen-connection.ts';

export interface Membership {
  readonly id: string;
  /** Aborts when this process was declared dead. */
  readonly lost: AbortSignal;
  /** Whether a worker, in whatever process, has shown itself lately. */
  readonly workerSeen: boolean;
  /** The workers that live, this process too if it is one; at most a turn old. */
  readonly workers: readonly string[];
  /**
   * To be called first in a transaction of this process: until its end nobody can declare the process dead.
   * @throws AppError `unavailable` when that has happened.
   */
  fence(): Promise<void>;
  /** Shows that this process lives, and finds those that do not. At least five times within `leaseMs`. */
  turn(): Promise<void>;
  /** As if others had declared it dead: what it holds they let wait again. */
  forfeit(): void;
  /** Takes the row away; what this process still holds is handed to `recover`. */
  leave(): Promise<void>;
}

export type MembershipOptions = {
  readonly database: Database;
  readonly listenConnection: ListenConnection;
  readonly id: string;
  readonly role: 'frontend' | 'worker';
  readonly leaseMs: number;
  /** Whether the server lets in so many who come now: while it does not, who is silent may be waiting at the door. */
  readonly letsIn: (count: number) => Promise<boolean>;
  /** Lets the tasks of an owner that is gone wait again, in the transaction that removes it. */
  readonly recover: (owner: string) => Promise<readonly TaskId[]>;
  /** Called after a process was removed: what else it had begun is nobody's. */
  readonly onDeath: (owner: string) => Promise<void>;
  readonly logger: Logger;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs?: () => number;
};

/** What a process changes each time that it shows itself, whatever the time zone. */
const signSql = 'extract(epoch FROM seen_at)::text';

/** Joins: from here on the process must show itself. */
export async function join(options: MembershipOptions): Promise<Membership> {
  const { database, listenConnection, id, role, leaseMs, logger } = options;
  const lost = new AbortController();
  const detector = createFailureDetector(options);
  /** The connection of this process, by which others see that it is there. */
  let backend: unknown = null;
  let workerSeen = role === 'worker';
  const own = role === 'worker' ? [id] : [];
  let workers: readonly string[] = own;
  await database.query('INSERT INTO owner(id, role) VALUES ($1, $2)', [id, role]);

  async function show(): Promise<void> {
    const sql = `UPDATE owner SET seen_at = clock_timestamp(), backend = pg_backend_pid() WHERE id = $1
      RETURNING backend, EXISTS (SELECT 1 FROM owner WHERE role = 'worker' AND seen_at > clock_timestamp() - $2 * interval '1 ms') AS worker`;
    const [row] = await listenConnection.query(sql, [id, leaseMs]);
    if (row === undefined) return lost.abort();
    workerSeen = row['worker'] === true;
    if (row['backend'] !== backend) detector.cutOff();
    backend = row['backend'];
    detector.shown();
  }

  async function bury(): Promise<void> {
    const silent = await detector.watch(async () => detector.dead(await signsOfOthers(), connectedOnes));
    for (const { owner, sign } of silent) await remove(owner, sign);
  }

  async function signsOfOthers(): Promise<SignOfLife[]> {
    const sql = `SELECT id, role, ${signSql} AS sign, (extract(epoch FROM clock_timestamp() - seen_at) * 1000)::float AS age FROM owner WHERE id <> $1`;
    const rows = await listenConnection.query(sql, [id]);
    workers = [...own, ...rows.filter((row) => row['role'] === 'worker').map((row) => row['id'] as string)];
    return rows.map((row) => ({ owner: row['id'] as string, sign: row['sign'] as string, ageMs: row['age'] as number }));
  }

  async function connectedOnes(owners: readonly string[]): Promise<string[]> {
    const sql = 'SELECT id FROM owner WHERE id = ANY($1) AND EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = backend)';
    return (await listenConnection.query(sql, [owners])).map((row) => row['id'] as string);
  }

  async function remove(owner: string, sign: string): Promise<void> {
    const tasks = await database.transaction(async () => {
      const sql = `DELETE FROM owner WHERE id = (SELECT id FROM owner WHERE id = $1 AND ${signSql} = $2 FOR UPDATE SKIP LOCKED)`;
      return (await database.run(sql, [owner, sign])) === 0 ? null : options.recover(owner);
    });
    if (tasks === null) return;
    logger.warn({ owner, tasks }, 'a process is gone; its tasks were queued again');
    await options.onDeath(owner);
  }

  return {
    id,
    lost: lost.signal,
    get workerSeen() {
      return workerSeen;
    },
    get workers() {
      return workers;
    },
    fence: () =>
      database.once('fence', async () => {
        const rows = lost.signal.aborted ? [] : await database.query('SELECT 1 FROM owner WHERE id = $1 FOR KEY SHARE', [id]);
        if (rows.length > 0) return;
        lost.abort();
        throw new AppError('unavailable', 'RAG service is not ready.', { cause: 'this process was declared dead' });
      }),
    async turn() {
      if (lost.signal.aborted) return;
      await detector.watch(show);
      if (!lost.signal.aborted) await bury();
    },
    forfeit: () => lost.abort(),
    async leave() {
      await database.transaction(async () => {
        if ((await database.run('DELETE FROM owner WHERE id = $1', [id])) > 0) await options.recover(id);
      });
    },
  };
}
