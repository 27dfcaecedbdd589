/**
 * Which processes live, and the end of those that do not. Each shows itself every second in its row of `owner`; a row that has
 * not changed for `leaseMs` by the database's own clock (or for a quarter of that, when its connection has ended as well: a killed
 * process's does at once) is deleted by any other process, which in the same transaction lets everything it held wait again. Whoever writes as an owner locks that row first (`fence`): the write is done before the row is
 * gone or not at all. No clock but the database's is involved, and no two clocks are compared.
 */
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { TaskId } from '../../tasks/task.ts';
import type { Database } from './database.ts';
import type { Link } from './link.ts';

export interface Membership {
  readonly id: string;
  /** Aborts when this process was declared dead. */
  readonly lost: AbortSignal;
  /** Whether a worker, in whatever process, has shown itself lately. */
  readonly workerSeen: boolean;
  /**
   * To be called first in a transaction of this process: until its end nobody can declare the process dead.
   * @throws AppError `unavailable` when that has happened.
   */
  fence(): Promise<void>;
  /** Shows that this process lives, and finds those that do not. At least five times within `leaseMs`. */
  turn(): Promise<void>;
  /** Takes the row away; what this process still holds is handed to `recover`. */
  leave(): Promise<void>;
}

export type MembershipOptions = {
  readonly database: Database;
  readonly link: Link;
  readonly id: string;
  readonly role: 'frontend' | 'worker';
  readonly leaseMs: number;
  /** Whether the server lets in so many who come now: while it does not, who is silent may be waiting at the door. */
  readonly letsIn: (count: number) => Promise<boolean>;
  /** Lets the tasks of an owner that is gone wait again, in the transaction that removes it. */
  readonly recover: (owner: string) => Promise<readonly TaskId[]>;
  /** Called after a process was removed: what else it had begun is nobody's. */
  readonly onDeath: () => Promise<void>;
  readonly logger: Logger;
};

/** So many are tried to be let in at once. */
const comersMax = 16;

/** Silent for $1 ms, or for $2 ms without a connection. */
const deadSql = `seen_at < clock_timestamp() - $1::float * interval '1 ms' OR (seen_at < clock_timestamp() - $2::float * interval '1 ms'
  AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid = backend))`;

/** Joins: from here on the process must show itself. */
export async function join(options: MembershipOptions): Promise<Membership> {
  const { database, link, id, role, leaseMs, logger } = options;
  const lost = new AbortController();
  /** Since when this process has shown itself without a gap: whoever was cut off itself cannot tell who else was. */
  let steadySince = performance.now();
  let seenAt = steadySince;
  let refusedAt = -Infinity;
  /** The connection of this process, by which others see that it is there. */
  let backend: unknown = null;
  let workerSeen = role === 'worker';
  await database.query('INSERT INTO owner(id, role) VALUES ($1, $2)', [id, role]);

  async function show(): Promise<void> {
    const sql = `UPDATE owner SET seen_at = clock_timestamp(), backend = pg_backend_pid() WHERE id = $1
      RETURNING backend, EXISTS (SELECT 1 FROM owner WHERE role = 'worker' AND seen_at > clock_timestamp() - $2 * interval '1 ms') AS worker`;
    const [row] = await link.query(sql, [id, leaseMs]);
    if (row === undefined) return lost.abort();
    workerSeen = row['worker'] === true;
    const now = performance.now();
    if (now - seenAt > leaseMs / 2 || row['backend'] !== backend) steadySince = now;
    backend = row['backend'];
    seenAt = now;
  }

  async function bury(): Promise<void> {
    const steadyMs = performance.now() - steadySince;
    if (steadyMs < leaseMs / 2) return;
    // After a restart of the database every connection is a new one, and who is slow to come back is not dead.
    const silentMs = steadyMs < leaseMs ? [null, leaseMs / 4] : [leaseMs, leaseMs / 4];
    const silent = await link.query(`SELECT id FROM owner WHERE ${deadSql}`, silentMs);
    if (silent.length === 0 || !(await doorIsOpen(silent.length))) return;
    for (const row of silent) await remove(row['id'] as string, silentMs);
  }

  /** This process may just happen to hold a connection. Whoever was not let in gets the time to come back. Each needs two. */
  async function doorIsOpen(count: number): Promise<boolean> {
    if (!(await options.letsIn(Math.min(2 * count, comersMax)))) refusedAt = performance.now();
    return performance.now() - refusedAt > leaseMs / 2;
  }

  async function remove(owner: string, silentMs: readonly unknown[]): Promise<void> {
    const tasks = await database.transaction(async () => {
      const sql = `DELETE FROM owner WHERE id = (SELECT id FROM owner WHERE id = $3 AND (${deadSql}) FOR UPDATE SKIP LOCKED)`;
      return (await database.run(sql, [...silentMs, owner])) === 0 ? null : options.recover(owner);
    });
    if (tasks === null) return;
    logger.warn({ owner, tasks }, 'a process is gone; its tasks wait again');
    await options.onDeath();
  }

  return {
    id,
    lost: lost.signal,
    get workerSeen() {
      return workerSeen;
    },
    async fence() {
      const rows = lost.signal.aborted ? [] : await database.query('SELECT 1 FROM owner WHERE id = $1 FOR KEY SHARE', [id]);
      if (rows.length > 0) return;
      lost.abort();
      throw new AppError('unavailable', 'RAG service is not ready.', { cause: 'this process was declared dead' });
    },
    async turn() {
      if (lost.signal.aborted) return;
      await show();
      await bury();
    },
    async leave() {
      await database.transaction(async () => {
        if ((await database.run('DELETE FROM owner WHERE id = $1', [id])) > 0) await options.recover(id);
      });
    },
  };
}
