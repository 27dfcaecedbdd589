/**
 * Tells of the end of tasks. Every end is enqueued exactly once (its id is made from the task, the log refuses a second one)
 * and sent at least once. Ends that came while nobody looked are found by going through the retained tasks when this process
 * becomes the leader, and again whenever enqueuing failed.
 */
import type { Logger } from '../logger.ts';
import { isTerminal, type TaskSnapshot } from '../tasks/task.ts';
import type { TaskStore } from '../tasks/task-store.ts';
import { afterAttempt, deliveryFor, replayed, waitMs } from './delivery.ts';
import type { Delivery, DeliveryState } from '../storage/delivery.ts';
import type { DeliveryLog } from '../storage/delivery-log.ts';
import type { Targets } from './targets.ts';
import type { WebhookSender } from './webhook-sender.ts';

export type WebhooksOptions = {
  readonly tasks: Pick<TaskStore, 'list' | 'watch'>;
  readonly log: DeliveryLog;
  readonly targets: Targets;
  readonly send: WebhookSender;
  /** Used for uploads that name no URL; '' for none. */
  readonly defaultUrl: string;
  /** The task as a message shows it. */
  readonly toData: (snapshot: TaskSnapshot) => unknown;
  /** How long ended deliveries are kept; longer than tasks are, so that no end is ever enqueued anew. */
  readonly keepMs: number;
  readonly now: () => Date;
  /** Milliseconds that only grow: waiting goes by them, whatever the clock is set to meanwhile. */
  readonly monotonicMs: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
  /** How often to look for what other processes did. */
  readonly pollMs?: number;
};

export interface Webhooks {
  /** Safe to call when webhooks are off. */
  start(): void;
  /** Running attempts end first (5 s at most). Safe twice, and before `start`. */
  stop(): Promise<void>;
  /** What a task's callback URL becomes. @throws AppError `invalid_request` when it may not be called. */
  callbackUrl(asked: string | null): string | null;
  /** Newest first. */
  list(options: { state?: DeliveryState; limit: number }): Promise<readonly Delivery[]>;
  get(id: string): Promise<Delivery | null>;
  /** Sends a message once more, with all attempts before it; null for an unknown id. */
  replay(id: string): Promise<Delivery | null>;
}

const sendingMax = 16;
const sendingPerHostMax = 4;
const pageTasks = 1000;
const defaultPollMs = 5_000;
const pruneEveryMs = 3600_000;

export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { log, targets, logger, now, monotonicMs, pollMs = defaultPollMs } = options;
  /** Known to wait: where to and until when (`monotonicMs`). The messages stay in the log until their time. */
  const waiting = new Map<string, { readonly dueMs: number; readonly host: string }>();
  const sending = new Map<string, { readonly host: string; readonly done: Promise<void> }>();
  const stopping = new AbortController();
  let wake = Promise.withResolvers<void>();
  let behind = true;
  let loadedAt = -Infinity;
  let prunedAt = performance.now();
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const leadership = await log.lead().catch(noted('the webhook log cannot be locked'));
      if (leadership == null) {
        await rest(pollMs);
        continue;
      }
      logger.info({}, 'this process sends the webhooks');
      await lead(leadership.lost);
      await leadership.resign().catch(noted('the webhook lock cannot be released'));
    }
  }

  async function lead(lost: AbortSignal): Promise<void> {
    lost.addEventListener('abort', () => wake.resolve(), { once: true });
    behind = true;
    loadedAt = -Infinity;
    const stopWatching = options.tasks.watch(null, (snapshot) => void enqueue(snapshot), 'end');
    try {
      while (!stopping.signal.aborted && !lost.aborted) await rest(await step().catch(failedStep));
    } finally {
      stopWatching();
      await Promise.all([...sending.values()].map(({ done }) => done));
      waiting.clear();
    }
  }

  /** Finds what is new, starts what is due. Returns how long there is nothing to do. */
  async function step(): Promise<number> {
    if (behind) await catchUp();
    await loadNew();
    await prune();
    let nextMs = pollMs;
    for (const [id, { dueMs, host }] of [...waiting].sort(([, one], [, other]) => one.dueMs - other.dueMs)) {
      const inMs = dueMs - monotonicMs();
      if (inMs > 0) nextMs = Math.min(nextMs, inMs);
      else if (hasRoom(id, host)) begin(id, host);
    }
    return nextMs;
  }

  async function catchUp(): Promise<void> {
    behind = false;
    let cursor: string | undefined;
    do {
      const page = await options.tasks.list({ limit: pageTasks, ...(cursor === undefined ? {} : { cursor }) });
      for (const snapshot of page.tasks) await enqueue(snapshot);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && !stopping.signal.aborted);
  }

  async function enqueue(snapshot: TaskSnapshot): Promise<void> {
    if (!isTerminal(snapshot.task.status) || snapshot.task.callbackUrl == null) return;
    try {
      const delivery = deliveryFor(snapshot, options.toData(snapshot), now());
      if (delivery === null || (await log.add(delivery)) === 'exists') return;
      noteWaiting(delivery);
      wake.resolve();
    } catch (error) {
      behind = true;
      logger.error({ err: error, taskId: snapshot.task.id }, 'a webhook could not be enqueued; trying again');
    }
  }

  /** Deliveries that another process enqueued or replayed. */
  async function loadNew(): Promise<void> {
    if (performance.now() - loadedAt < pollMs) return;
    loadedAt = performance.now();
    for (const id of await log.waiting()) {
      if (waiting.has(id)) continue;
      const delivery = await log.get(id);
      if (delivery?.state === 'waiting') await noteFound(delivery);
      // It ended, and the process that wrote so died before it was moved.
      else if (delivery !== null && !sending.has(id)) await log.update(delivery);
    }
  }

  /** Its due time may have been written by a clock that was ahead: it is set anew, or each restart would put it off again. */
  async function noteFound(delivery: Delivery): Promise<void> {
    const at = now();
    const dueAt = new Date(at.getTime() + waitMs(delivery, at)).toISOString();
    const isAhead = delivery.dueAt !== null && delivery.dueAt > dueAt && delivery.dueAt > at.toISOString();
    if (isAhead) await log.update({ ...delivery, dueAt });
    noteWaiting(delivery);
  }

  function noteWaiting(delivery: Delivery): void {
    waiting.set(delivery.id, { dueMs: monotonicMs() + waitMs(delivery, now()), host: new URL(delivery.url).host });
  }

  async function prune(): Promise<void> {
    if (performance.now() - prunedAt < pruneEveryMs) return;
    prunedAt = performance.now();
    await log.prune(options.keepMs);
  }

  function hasRoom(id: string, host: string): boolean {
    if (sending.has(id) || sending.size >= sendingMax) return false;
    return [...sending.values()].filter((other) => other.host === host).length < sendingPerHostMax;
  }

  function begin(id: string, host: string): void {
    const done = attempt(id, host)
      .catch(failedStep)
      .then(() => {
        sending.delete(id);
        wake.resolve();
      });
    sending.set(id, { host, done });
  }

  async function attempt(id: string, host: string): Promise<void> {
    const delivery = await log.get(id);
    waiting.delete(id);
    if (delivery?.state !== 'waiting') return;
    const outcome = await options.send(delivery);
    const next = afterAttempt(delivery, outcome, now(), options.random);
    const told = { deliveryId: id, taskId: next.taskId, host, status: outcome.status, durationMs: outcome.durationMs };
    if (next.state === 'delivered') logger.info(told, 'webhook delivered');
    else logger.warn({ ...told, error: outcome.error, state: next.state, dueAt: next.dueAt }, 'webhook not delivered');
    if (next.state === 'waiting') noteWaiting(next);
    // Where the log refuses this, the message waits there still and is sent again: at least once.
    await log.update(next);
  }

  /** Until `ms` have passed or something changed. */
  async function rest(ms: number): Promise<void> {
    const timer = setTimeout(() => wake.resolve(), ms);
    await wake.promise;
    clearTimeout(timer);
    wake = Promise.withResolvers();
  }

  function failedStep(error: unknown): number {
    behind = true;
    logger.error({ err: error }, 'webhooks are waiting for the storage');
    return pollMs;
  }

  function noted(sentence: string): (error: unknown) => null {
    return (error) => {
      logger.error({ err: error }, sentence);
      return null;
    };
  }

  return {
    start() {
      if (targets.on) running ??= run();
    },
    async stop() {
      stopping.abort();
      wake.resolve();
      await running;
    },
    callbackUrl(asked) {
      if (asked !== null) return targets.check(asked).href;
      return targets.on && options.defaultUrl !== '' ? targets.check(options.defaultUrl).href : null;
    },
    list: (wanted) => log.list(wanted),
    get: (id) => log.get(id),
    async replay(id) {
      const delivery = await log.get(id);
      if (delivery === null) return null;
      const again = replayed(delivery, now());
      await log.update(again);
      noteWaiting(again);
      wake.resolve();
      return again;
    },
  };
}
