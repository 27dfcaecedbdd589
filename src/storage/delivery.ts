/** A webhook delivery: one message about the end of one task, on its way to one address. */
import type { TaskId } from '../tasks/task.ts';

export const deliveryStates = ['waiting', 'delivered', 'stopped', 'given_up'] as const;
/** `stopped`: its receiver answered 410. `given_up`: all attempts failed. Both can be replayed. */
export type DeliveryState = (typeof deliveryStates)[number];

/** One attempt: the status of the answer, or why there was none. Nothing else of an answer is kept. */
export type DeliveryAttempt = {
  /** ISO 8601. */
  readonly at: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
};

/** The durable record of one message. */
export type Delivery = {
  /** The `webhook-id`: the same for every attempt, so that a receiver can drop what it has already. */
  readonly id: string;
  readonly taskId: TaskId;
  readonly url: string;
  /** Sent byte for byte at every attempt. */
  readonly body: string;
  readonly createdAt: string;
  readonly state: DeliveryState;
  /** Attempts since it was enqueued or replayed. */
  readonly failures: number;
  /** When to try next, while waiting; ISO 8601. */
  readonly dueAt: string | null;
  /** The latest ones, oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
};

const idPattern = /^msg_[0-9a-f-]{36}_\d{1,12}$/;

/** Whether it can be the id of a delivery; a log need not look for any other. */
export function isDeliveryId(text: string): boolean {
  return idPattern.test(text);
}
