/** The tasks that this process holds, and what it last wrote or tried to write of each. */
import type { LeaseEnd } from '../../../tasks/task-queue.ts';
import type { Task, TaskId, TaskLane, TaskProgress } from '../../../tasks/task.ts';
import type { Marker } from '../disk/layout.ts';

export type HeldLease = {
  readonly marker: Marker;
  readonly lane: TaskLane;
  readonly stop: AbortController;
  /** The write whose end is not known: it failed, perhaps after it reached the disk. Writing it again is not a new step. */
  unsettled: Task | null;
  /** Of the attempt that runs. */
  attempt: number;
  progress: TaskProgress | null;
};

export interface HeldLeases {
  get(id: TaskId): HeldLease | null;
  add(lease: HeldLease): void;
  remove(id: TaskId): void;
  all(): HeldLease[];
  /** Whether a task of the document with this key is held. Cost: O(held). */
  hasDocument(docKey: string): boolean;
  end(id: TaskId, reason: LeaseEnd): void;
}

export function createHeldLeases(): HeldLeases {
  const leases = new Map<TaskId, HeldLease>();
  return {
    get: (id) => leases.get(id) ?? null,
    add: (lease) => void leases.set(lease.marker.id, lease),
    remove: (id) => void leases.delete(id),
    all: () => [...leases.values()],
    hasDocument: (docKey) => leases.values().some(({ marker }) => marker.docKey === docKey),
    end(id, reason) {
      const lease = leases.get(id);
      if (lease !== undefined && !lease.stop.signal.aborted) lease.stop.abort(reason);
    },
  };
}
