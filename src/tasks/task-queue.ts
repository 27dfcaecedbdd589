/** Port: which task runs next, and who holds it. Transport only: the task store knows what a task means. */
import type { Task, TaskId, TaskLane } from './task.ts';

/** Why a lease ended under its holder. */
export type LeaseEnd = 'cancel' | 'lost';

/** The right to run one task, held until it is acked, given back, or lost. */
export interface Lease {
  readonly taskId: TaskId;
  /** Aborts with reason `cancel` (a forced cancel) or `lost` (another process took over: stop, write nothing). */
  readonly signal: AbortSignal;
  /** Whether it is still held, looked up now: a process that was frozen has not heard of its end yet (`signal`). */
  held(): Promise<boolean>;
  /** The task has its final record: drop the queue entry. */
  ack(): Promise<'ok' | 'lost'>;
  /** Make the task claimable again at once (the caller has released or retried its record). */
  release(): Promise<'ok' | 'lost'>;
}

export interface PreparedLease<P> extends Lease {
  /** What `prepare` came to when it was claimed; absent where the queue did not call it, or it failed: then it is to be done now. */
  readonly prepared?: P;
}

export interface TaskQueue {
  /**
   * The next task of the given lanes, first lane first; in a lane the callers take turns (`turns.ts`), each one's oldest first; at most
   * one holder at a time. Waits until there is one or `signal` aborts (then null). Tasks whose `docId` is being run elsewhere are passed over until it is free.
   * `prepare`: steps on the same engine with the claimed task, which a queue that can does in the transaction that claims it.
   */
  claim<P>(lanes: readonly TaskLane[], signal: AbortSignal, prepare?: (task: Task) => Promise<P>): Promise<PreparedLease<P> | null>;
  /** Tasks waiting in each lane. Exact in this process, may lag a second behind others. */
  waiting(): Promise<Readonly<Record<TaskLane, number>>>;
}
