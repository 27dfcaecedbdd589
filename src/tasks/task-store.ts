/** Port: where tasks live. The store decides a task's fate; a queue only carries its id. */
import type { Sort } from './ordered-page.ts';
import type { Task, TaskId, TaskOutcome, TaskProgress, TaskSnapshot, TaskStatus } from './task.ts';

export type TaskFilter = {
  readonly status?: TaskStatus;
  /** With its collection, as `scopedId` writes the two. */
  readonly docId?: string;
  /** Absent: those of all collections. */
  readonly collection?: string;
  /** 1–1000. */
  readonly limit: number;
  /** Opaque, from the page before; an unknown one throws AppError `invalid_request`. */
  readonly cursor?: string;
};

/** What a list of tasks is sorted by; equal ones are in the order of their ids. */
export const taskOrders = ['created_at', 'filename', 'doc_id', 'file_size'] as const;
export type TaskOrder = (typeof taskOrders)[number];
export type TaskSort = Sort<TaskOrder>;

/** What of a task never changes, and is sorted and found by. */
export type TaskKeys = Pick<Task, 'id' | 'docId' | 'keyId' | 'filename' | 'fileBytes' | 'createdAt'>;

export type SortedTaskFilter = TaskFilter & {
  readonly sort: TaskSort;
  /** Of the others nothing is shown. */
  readonly accepts: (task: TaskKeys) => boolean;
};

export type TaskPage = { readonly tasks: readonly TaskSnapshot[]; readonly nextCursor: string | null };

/** What `begin` found: only `started` may run. */
export type BeginOutcome =
  | { readonly outcome: 'started'; readonly task: Task }
  /** Already in a final state; drop the queue entry. */
  | { readonly outcome: 'finished'; readonly task: Task }
  /** All attempts are used up; the caller finishes it as failed. */
  | { readonly outcome: 'exhausted'; readonly task: Task }
  | { readonly outcome: 'gone' };

/** What a cancel came to. */
export type CancelOutcome =
  /** Was pending, is failed now. */
  | { readonly outcome: 'cancelled'; readonly task: Task }
  /** Is processing; with `force` its owner has been told to stop. */
  | { readonly outcome: 'processing'; readonly task: Task }
  /** Was already completed or failed. */
  | { readonly outcome: 'final'; readonly task: Task }
  | { readonly outcome: 'gone' };

export type RetryOutcome = 'ok' | 'not_failed' | 'gone';

export interface TaskStore {
  /** Null for an unknown or expired id. Cheap: at most two small reads. */
  get(id: TaskId): Promise<TaskSnapshot | null>;
  /** Newest first. Cost grows with `limit`, not with the number of retained tasks, when unfiltered. */
  list(filter: TaskFilter): Promise<TaskPage>;
  /**
   * In another order. A task that changes its status while it is looked at may be left out of a page, which is then shorter than `limit`;
   * nothing is shown twice. Cost: a look at the keys of every task that the filter lets through, which are kept in memory from the first
   * look on; records are read of one page.
   * @throws AppError `invalid_request` for a cursor of another order.
   */
  listSorted(filter: SortedTaskFilter): Promise<TaskPage>;
  /** How many tasks are in each live status now. Exact for this data directory, may lag by a second. */
  counts(): Promise<Readonly<Record<'pending' | 'processing', number>>>;
  /** Of the tasks that wait, the one with the smallest id, which is the next of its lane; null when none waits. Cost: one record. */
  oldestPending(): Promise<Task | null>;

  /** Counts and stores the next attempt durably. The caller must hold the task's lease. */
  begin(id: TaskId): Promise<BeginOutcome>;
  /** Advisory and not durable; may be dropped. */
  progress(id: TaskId, attempt: number, progress: TaskProgress): Promise<'ok' | 'fenced'>;
  /** Durable and final. `fenced`: somebody else owns the task by now; nothing was written. */
  finish(id: TaskId, attempt: number, outcome: TaskOutcome): Promise<'ok' | 'fenced'>;
  /** Pending again: `counted: false` after a graceful stop, `true` before another attempt. Durable. */
  release(id: TaskId, attempt: number, options: { counted: boolean }): Promise<'ok' | 'fenced'>;

  /**
   * Pending → failed `Task cancelled by user`, atomic against `claim`: exactly one wins. With `force` a processing
   * task's owner, in whatever process, is asked to stop (its lease's signal aborts); `watch` tells when it did.
   */
  cancel(id: TaskId, options: { force: boolean }): Promise<CancelOutcome>;
  /** Failed → pending and queued again, with all attempts before it. */
  retry(id: TaskId): Promise<RetryOutcome>;
  /** Removes tasks that ended before `before`, with their files. A live task never expires. Returns how many went. */
  expire(before: Date): Promise<number>;
  /** Removes a task that has ended, with its file. False when it lives, or is gone. Durable. Safe twice. */
  remove(id: TaskId): Promise<boolean>;

  /**
   * Calls `listener` with the newest snapshot after every change, from whatever process it came; changes may coalesce,
   * the last one never goes missing, though the one that a process made just before it died is told when that is found. `id: null`
   * follows every task; with `end` the changes before a task's end need not be told. Returns the way to stop.
   */
  watch(id: TaskId | null, listener: (snapshot: TaskSnapshot) => void, what?: 'all' | 'end'): () => void;
}
