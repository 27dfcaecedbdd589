/**
 * One subscription to all tasks for everything in the front end that follows them (event streams, throughput, metrics),
 * numbered and kept for a while so that an event stream can be resumed.
 */
import type { TaskSnapshot } from '../../tasks/task.ts';
import type { TaskService } from '../services.ts';

export type FeedEvent = {
  /** `<epoch>-<number>`: grows by one with each event; the epoch is another one in another process. */
  readonly id: string;
  readonly snapshot: TaskSnapshot;
};

export interface TaskFeed {
  /** Subscribes; false when it already has. */
  start(tasks: TaskService): boolean;
  stop(): void;
  /** Calls `listener` with every event from now on. Returns the way to stop. */
  follow(listener: (event: FeedEvent) => void): () => void;
  /** The events after `lastId`; null when that is not known any more, and a snapshot is needed. */
  since(lastId: string): readonly FeedEvent[] | null;
  /** The id that the newest event has, for a stream that begins now. */
  lastId(): string;
}

const eventsKept = 1000;

export function createTaskFeed(epoch: string): TaskFeed {
  const listeners = new Set<(event: FeedEvent) => void>();
  const kept: FeedEvent[] = [];
  let number = 0;
  let unsubscribe: (() => void) | null = null;

  return { start, stop, follow, since, lastId };

  function start(tasks: TaskService): boolean {
    if (unsubscribe !== null) return false;
    unsubscribe = tasks.watch(null, publish);
    return true;
  }

  function stop(): void {
    unsubscribe?.();
    unsubscribe = null;
    listeners.clear();
  }

  function publish(snapshot: TaskSnapshot): void {
    number += 1;
    const event = { id: lastId(), snapshot };
    kept.push(event);
    if (kept.length > eventsKept) kept.shift();
    for (const listener of listeners) listener(event);
  }

  function follow(listener: (event: FeedEvent) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  function since(lastId: string): readonly FeedEvent[] | null {
    const after = lastId.startsWith(`${epoch}-`) ? Number(lastId.slice(epoch.length + 1)) : Number.NaN;
    const first = number - kept.length;
    return Number.isInteger(after) && after >= first && after <= number ? kept.slice(after - first) : null;
  }

  function lastId(): string {
    return `${epoch}-${number}`;
  }
}
