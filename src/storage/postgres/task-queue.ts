/** The queue: jobs of pg-boss taken together with a lease that says which process holds them, in one transaction. */
import type { Lease, TaskQueue } from '../../tasks/task-queue.ts';
import { createTurns } from '../../tasks/turns.ts';
import type { TaskId, TaskLane } from '../../tasks/task.ts';
import type { Notifier } from '../notifier.ts';
import type { Database } from './database.ts';
import { type Jobs, Overtaken } from './jobs.ts';
import type { Membership } from './membership.ts';
import type { HeldLeases, Signals } from './signals.ts';

/** A notification may be missed while the connection for them is made anew; then a job is found by looking. */
const lookEveryMs = 2000;

export function createPostgresTaskQueue(options: {
  database: Database;
  membership: Membership;
  jobs: Jobs;
  leases: HeldLeases;
  signals: Signals;
  notifier: Notifier;
  /** Called when this process has let go of a task. */
  onEnd: (id: TaskId) => Promise<void>;
}): TaskQueue {
  const { database, membership, jobs, leases, signals, notifier } = options;
  const turns = createTurns();

  async function claim(lanes: readonly TaskLane[], signal: AbortSignal): Promise<Lease | null> {
    const either = AbortSignal.any([signal, membership.lost]);
    while (!either.aborted) {
      const seen = notifier.count;
      const lease = await claimFirst(lanes);
      if (lease !== null) return lease;
      await notifier.changedSince(seen, either, lookEveryMs);
    }
    return null;
  }

  async function claimFirst(lanes: readonly TaskLane[]): Promise<Lease | null> {
    const waiting = await jobs.callers(turns.last);
    for (const lane of lanes) {
      for (const caller of turns.order(waiting[lane])) {
        const lease = await take(lane, caller);
        if (lease !== null) return lease;
      }
    }
    return null;
  }

  async function take(lane: TaskLane, caller: string): Promise<Lease | null> {
    for (;;) {
      try {
        const taken = await database.transaction(() => takeWithLease(lane, caller));
        return taken === null ? null : hold(taken.id, taken.cancelled, caller);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
  }

  async function takeWithLease(lane: TaskLane, caller: string): Promise<{ id: TaskId; cancelled: boolean } | null> {
    await membership.fence();
    const id = await jobs.take(lane, caller);
    if (id === null) return null;
    await database.run('INSERT INTO lease(task, owner) VALUES ($1, $2)', [id, membership.id]);
    const [row] = await database.query('SELECT cancel FROM task WHERE id = $1', [id]);
    return { id, cancelled: row?.['cancel'] === true };
  }

  function hold(id: TaskId, cancelled: boolean, caller: string): Lease {
    const stop = leases.add(id);
    turns.began(caller);
    if (cancelled) stop.abort('cancel');
    return {
      taskId: id,
      signal: stop.signal,
      held: () => holds(id),
      ack: () => letGo(id, caller, () => jobs.drop(id)),
      release: () => letGo(id, caller, () => jobs.putBack([id])),
    };
  }

  async function holds(id: TaskId): Promise<boolean> {
    return (await database.query('SELECT 1 FROM lease WHERE task = $1 AND owner = $2', [id, membership.id])).length > 0;
  }

  /** The next upload of the same doc_id may run from now on, hence the signal in either case. */
  async function letGo(id: TaskId, caller: string, work: () => Promise<void>): Promise<'ok' | 'lost'> {
    const done = await database.transaction(async () => {
      if ((await database.run('DELETE FROM lease WHERE task = $1 AND owner = $2', [id, membership.id])) === 0) return false;
      await work();
      await signals.send({ kind: 'job' });
      return true;
    });
    if (!done) return 'lost';
    await database.afterCommit(async () => {
      if (leases.remove(id)) turns.ended(caller);
      await options.onEnd(id);
    });
    return 'ok';
  }

  return { claim, waiting: () => jobs.waiting() };
}
