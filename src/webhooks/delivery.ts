/** What becomes of a webhook delivery: when it is made, and what follows each attempt. Pure. */
import type { Delivery } from '../storage/delivery.ts';
import { isTerminal, type TaskSnapshot } from '../tasks/task.ts';

/** What came of an attempt; `retryAfterMs` is what the receiver asked for. */
export type SendOutcome = {
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly retryAfterMs: number | null;
};

const attemptsMax = 12;
const attemptsKept = 24;
const firstDelayMs = 5_000;
const delayMsMax = 4 * 3600 * 1000;
const retryAfterMsMax = 24 * 3600 * 1000;

/**
 * The message about this end of this task, or null when there is nobody to tell or nothing has ended. A task that is retried
 * ends twice; each end has an id of its own (the record's revision), and the same end always the same one.
 */
export function deliveryFor(snapshot: TaskSnapshot, data: unknown, now: Date): Delivery | null {
  const { task } = snapshot;
  if (!isTerminal(task.status) || task.callbackUrl == null) return null;
  return {
    id: `msg_${task.id}_${task.revision}`,
    taskId: task.id,
    url: task.callbackUrl,
    body: JSON.stringify({ type: `task.${task.status}`, timestamp: task.finishedAt ?? task.updatedAt, data }),
    createdAt: now.toISOString(),
    state: 'waiting',
    failures: 0,
    dueAt: now.toISOString(),
    attempts: [],
  };
}

/** The delivery after an attempt: done on 2xx, stopped on 410, otherwise waiting for its next attempt, or given up. */
export function afterAttempt(delivery: Delivery, outcome: SendOutcome, now: Date, random: () => number): Delivery {
  const { status, error, durationMs } = outcome;
  const attempts = [...delivery.attempts, { at: now.toISOString(), durationMs, status, error }].slice(-attemptsKept);
  const failures = delivery.failures + 1;
  if (status !== null && status >= 200 && status < 300) return { ...delivery, state: 'delivered', attempts, dueAt: null };
  if (status === 410) return { ...delivery, state: 'stopped', failures, attempts, dueAt: null };
  if (failures >= attemptsMax) return { ...delivery, state: 'given_up', failures, attempts, dueAt: null };
  const asked = Math.min(outcome.retryAfterMs ?? 0, retryAfterMsMax);
  const dueAt = new Date(now.getTime() + Math.max(asked, retryDelayMs(failures, random))).toISOString();
  return { ...delivery, failures, attempts, dueAt };
}

/**
 * How long, in milliseconds, a delivery has still to wait: never longer than was meant when it was put off. Only that is sure when its due
 * time was written by a clock that was ahead.
 */
export function waitMs({ failures, dueAt, attempts }: Delivery, now: Date): number {
  const last = attempts.at(-1);
  if (failures === 0 || dueAt === null || last === undefined) return 0;
  const meantMs = Math.min(Date.parse(dueAt) - Date.parse(last.at), retryAfterMsMax);
  return Math.max(0, Math.min(meantMs, Date.parse(dueAt) - now.getTime()));
}

/** The same message once more, with all its attempts before it. */
export function replayed(delivery: Delivery, now: Date): Delivery {
  return { ...delivery, state: 'waiting', failures: 0, dueAt: now.toISOString() };
}

/** 5 s, 20 s, 80 s … up to 4 h, each within a quarter of itself: 12 attempts span about 22 hours. */
export function retryDelayMs(failures: number, random: () => number): number {
  const delayMs = Math.min(firstDelayMs * 4 ** (failures - 1), delayMsMax);
  return Math.round(delayMs * (0.75 + 0.5 * random()));
}
