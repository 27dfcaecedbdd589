/** The leases that this process holds. */
import type { LeaseEnd } from '../../tasks/task-queue.ts';
import type { TaskId, TaskLane } from '../../tasks/task.ts';

export type HeldLease = {
  readonly id: TaskId;
  readonly lane: TaskLane;
  readonly stop: AbortController;
  /** Of the attempt that runs. */
  attempt: number;
  /** The record whose write did not end well: it may have been written all the same. */
  unsettled: string | null;
};

export interface HeldLeases {
  get(id: TaskId): HeldLease | null;
  add(id: TaskId, lane: TaskLane): HeldLease;
  end(id: TaskId, why: LeaseEnd): void;
  /** False when it was not held. */
  remove(id: TaskId): boolean;
  all(): readonly HeldLease[];
}

export function createHeldLeases(): HeldLeases {
  const held = new Map<TaskId, HeldLease>();
  return {
    get: (id) => held.get(id) ?? null,
    add(id, lane) {
      const lease = { id, lane, stop: new AbortController(), attempt: 0, unsettled: null };
      held.set(id, lease);
      return lease;
    },
    end: (id, why) => held.get(id)?.stop.abort(why),
    remove: (id) => held.delete(id),
    all: () => [...held.values()],
  };
}
