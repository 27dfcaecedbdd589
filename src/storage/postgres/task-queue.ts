/** The queue: jobs of pg-boss taken together with a lease that says which process holds them, in one transaction. */
import type { PreparedLease, TaskQueue } from '../../tasks/task-queue.ts';
import { createTurns } from '../../tasks/turns.ts';
import { readTask, type Task, type TaskId, type TaskLane } from '../../tasks/task.ts';
import type { Notifier } from '../notifier.ts';
import type { Database } from './database.ts';
import { type Jobs, Overtaken } from './jobs.ts';
import type { Membership } from './membership.ts';
import type { HeldLeases, Signals } from './signals.ts';

type Prepare<P> = (task: Task) => Promise<P>;
type Held<P> = { readonly id: TaskId; readonly caller: string; readonly cancelled: boolean; readonly prepared?: P };

/** A notification may be missed while the connection for them is made anew; then a job is found by looking. */
const lookEveryMs = 2000;

export function createPostgresTaskQueue(options: {
  database: Database;
  membership: Membership;
  jobs: Jobs;
  leases: HeldLeases;
  signals: Signals;
  notifier: Notifier;
  /** Gets what may have been taken although the answer was lost: the caller gives it back. */
  unsure: Set<TaskId>;
  /** Called when this process has let go of a task. */
  onEnd: (id: TaskId) => Promise<void>;
}): TaskQueue {
  const { database, membership, jobs, leases, signals, notifier, unsure } = options;
  const turns = createTurns();

  /** At which count of notifications nothing waited any more, and until when that is believed. */
  let empty = { at: -1, untilMs: 0 };

  async function claim<P>(lanes: readonly TaskLane[], signal: AbortSignal, prepare?: Prepare<P>): Promise<PreparedLease<P> | null> {
    const either = AbortSignal.any([signal, membership.lost]);
    while (!either.aborted) {
      const seen = notifier.count;
      if (empty.at !== seen || performance.now() >= empty.untilMs) {
        const lease = await claimFirst(lanes, seen, prepare);
        if (lease !== null) return lease;
      }
      const isEmpty = empty.at === seen;
      await notifier.changedSince(seen, either, isEmpty ? Math.max(1, empty.untilMs - performance.now()) : lookEveryMs);
    }
    return null;
  }

  /** One transaction: looks whose turn it is, takes, holds, prepares, and sees whether more waits. */
  async function claimFirst<P>(lanes: readonly TaskLane[], seen: number, prepare?: Prepare<P>): Promise<PreparedLease<P> | null> {
    let skip = prepare === undefined;
    for (;;) {
      let asked: TaskId | null = null;
      try {
        const taken = await database.transaction(async () => {
          const first = await takeFirst(lanes, skip ? undefined : prepare);
          asked = first.held?.id ?? null;
          return first;
        });
        if (!taken.waits) empty = { at: seen, untilMs: performance.now() + lookEveryMs };
        if (taken.held === null) return null;
        unsure.delete(taken.held.id);
        return hold(taken.held);
      } catch (error) {
        if (error instanceof Overtaken) continue;
        // Committed or not: the answer to that was lost.
        if (asked !== null) unsure.add(asked);
        // What keeps one task from being prepared must not keep the others from being claimed.
        if (skip) throw error;
        skip = true;
      }
    }
  }

  async function takeFirst<P>(
    lanes: readonly TaskLane[],
    prepare: Prepare<P> | undefined,
  ): Promise<{ held: Held<P> | null; waits: boolean }> {
    const waiting = await jobs.callers(turns.last);
    if (waiting.small.length + waiting.large.length === 0) return { held: null, waits: false };
    await membership.fence();
    for (const lane of lanes) {
      for (const caller of turns.order(waiting[lane])) {
        const id = await jobs.take(lane, caller);
        if (id !== null) return { held: await lease(id, caller, prepare), waits: await jobs.anyWaits() };
      }
    }
    return { held: null, waits: true };
  }

  async function lease<P>(id: TaskId, caller: string, prepare: Prepare<P> | undefined): Promise<Held<P>> {
    const sql = `WITH held AS (INSERT INTO lease(task, owner) VALUES ($1, $2)) SELECT cancel, record FROM task WHERE id = $1`;
    const [row] = await database.query(sql, [id, membership.id]);
    const held = { id, caller, cancelled: row?.['cancel'] === true };
    if (row === undefined || prepare === undefined || held.cancelled) return held;
    return { ...held, prepared: await prepare(readTask(row['record'] as string)) };
  }

  function hold<P>({ id, caller, cancelled, ...prepared }: Held<P>): PreparedLease<P> {
    const stop = leases.add(id);
    turns.began(caller);
    if (cancelled) stop.abort('cancel');
    return {
      ...prepared,
      taskId: id,
      signal: stop.signal,
      held: () => holds(id),
      ack: () => letGo(id, caller, 'end'),
      release: () => letGo(id, caller, 'again'),
    };
  }

  async function holds(id: TaskId): Promise<boolean> {
    return (await database.query('SELECT 1 FROM lease WHERE task = $1 AND owner = $2', [id, membership.id])).length > 0;
  }

  async function letGo(id: TaskId, caller: string, how: 'end' | 'again'): Promise<'ok' | 'lost'> {
    const done = await database.transaction(async () => {
      const gone = 'WITH gone AS (DELETE FROM lease WHERE task = $1 AND owner = $2 RETURNING task)';
      const sql = `${gone} SELECT doc_key FROM gone LEFT JOIN task ON task.id = gone.task`;
      const [row] = await database.query(sql, [id, membership.id]);
      if (row === undefined) return false;
      if (how === 'again') await jobs.putBack([id]);
      const waits = how === 'again' || (await jobs.drop(id, row['doc_key'] as string | null));
      if (waits) await signals.send({ kind: 'job' });
      return true;
    });
    if (!done) {
      forget(id, caller);
      return 'lost';
    }
    await database.afterCommit(async () => {
      forget(id, caller);
      await options.onEnd(id);
    });
    return 'ok';
  }

  function forget(id: TaskId, caller: string): void {
    if (leases.remove(id)) turns.ended(caller);
  }

  return { claim, waiting: () => jobs.waiting() };
}
