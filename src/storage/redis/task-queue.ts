/** The queue: jobs of BullMQ are taken first, then held by a script, which knows whether the task may run now. */
import type { Lease, TaskQueue } from '../../tasks/task-queue.ts';
import { createTurns } from '../../tasks/turns.ts';
import type { TaskId, TaskLane } from '../../tasks/task.ts';
import type { Notifier } from '../notifier.ts';
import type { Connection } from './connection.ts';
import type { HeldLease, HeldLeases } from './held-leases.ts';
import type { Jobs } from './jobs.ts';
import type { Membership } from './membership.ts';
import type { Commands } from './scripts.ts';

/** A message may be missed while the connection for them is made anew; then a job is found by looking. */
const lookEveryMs = 2000;

export function createRedisTaskQueue(options: {
  connection: Connection;
  commands: Commands;
  prefix: string;
  membership: Membership;
  jobs: Jobs;
  leases: HeldLeases;
  notifier: Notifier;
  /** Called when this process has let go of a task. */
  onEnd: (id: TaskId) => Promise<void>;
}): TaskQueue {
  const { connection, commands, prefix, membership, jobs, leases, notifier } = options;
  const turns = createTurns();

  async function claim(lanes: readonly TaskLane[], signal: AbortSignal): Promise<Lease | null> {
    const either = AbortSignal.any([signal, membership.lost]);
    while (!either.aborted) {
      const seen = notifier.count;
      for (const lane of lanes) {
        const lease = await takeFrom(lane);
        if (lease !== null) return lease;
      }
      await notifier.changedSince(seen, either, lookEveryMs);
    }
    return null;
  }

  /** The first task of a lane that may run; jobs of others are removed on the way, and are made anew when their time comes. */
  async function takeFrom(lane: TaskLane): Promise<Lease | null> {
    for (;;) {
      await callNext(lane);
      const id = await jobs.take(lane, membership.id);
      if (id === null) return null;
      const answer = await connection.run(() => commands.taskHold(prefix, id, membership.id));
      if (answer === 'held' || answer === 'cancel') return hold(id, lane, await callerOf(id), answer === 'cancel');
      // It was declared dead: whoever did so finds the job.
      if (answer === 'lost') return null;
      await jobs.drop(id, lane, membership.id);
      // Its time may have come while it still had the old job.
      if ((await connection.run(() => commands.taskWantsJob(prefix, id))) === 1) await jobs.addAgain(id, lane);
    }
  }

  /** Lets whose turn it is be the next that is taken. Another process may take it first; then it has had that turn. */
  async function callNext(lane: TaskLane): Promise<void> {
    const callers = await connection.run((redis) => redis.smembers(`${prefix}:callers:${lane}`));
    if (callers.length < 2) return;
    for (const caller of turns.order(callers))
      if ((await connection.run(() => commands.taskTurn(prefix, lane, jobs.keys[lane], caller))) === 1) return;
  }

  async function callerOf(id: TaskId): Promise<string> {
    return (await connection.run((redis) => redis.hget(`${prefix}:task:${id}`, 'caller'))) ?? '';
  }

  function hold(id: TaskId, lane: TaskLane, caller: string, cancelled: boolean): Lease {
    const held = leases.add(id, lane);
    turns.began(caller);
    if (cancelled) held.stop.abort('cancel');
    return {
      taskId: id,
      signal: held.stop.signal,
      held: () => holds(id),
      ack: () => ack(held, caller),
      release: () => release(held, caller),
    };
  }

  async function holds(id: TaskId): Promise<boolean> {
    return (await connection.run(() => commands.taskIsHeld(prefix, id, membership.id))) === 1;
  }

  /** The job goes first: a retry waits for the end of the lease, and must then find no old job in its way. */
  async function ack(held: HeldLease, caller: string): Promise<'ok' | 'lost'> {
    if (await holds(held.id)) await jobs.drop(held.id, held.lane, membership.id);
    return letGo(held, caller);
  }

  /** The lease goes first: whoever takes the job must find the task free. */
  async function release(held: HeldLease, caller: string): Promise<'ok' | 'lost'> {
    const answer = await letGo(held, caller);
    if (answer === 'ok') await jobs.putBack(held.id, held.lane, membership.id);
    return answer;
  }

  async function letGo({ id }: HeldLease, caller: string): Promise<'ok' | 'lost'> {
    const [answer, parked, lane] = await connection.run(() => commands.taskLetGo(prefix, id, membership.id));
    if (leases.remove(id)) turns.ended(caller);
    if (answer !== 'ok') return 'lost';
    if (parked) await jobs.addAgain(parked as TaskId, lane as TaskLane);
    await options.onEnd(id);
    return 'ok';
  }

  return {
    claim,
    waiting: () =>
      connection.run(async (redis) => {
        const [small, large] = await Promise.all([redis.zcard(`${prefix}:waiting:small`), redis.zcard(`${prefix}:waiting:large`)]);
        return { small, large };
      }),
  };
}
