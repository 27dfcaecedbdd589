/**
 * One subscription to all tasks for everything in the front end that follows them (event streams, throughput, metrics), numbered and
 * kept for a while so that an event stream can be resumed. Each collection has numbers of its own: those of one say nothing of another.
 */
import { collectionOf } from '../../documents/document-name.ts';
import type { TaskSnapshot } from '../../tasks/task.ts';
import type { TaskService } from '../services.ts';

export type FeedEvent = {
  /** `<epoch>-<number>`: grows by one with each event of its collection; the epoch is another one in another process. */
  readonly id: string;
  readonly snapshot: TaskSnapshot;
};

export interface TaskFeed {
  /** Subscribes; false when it already has. */
  start(tasks: TaskService): boolean;
  stop(): void;
  /** Calls `listener` with every event of a collection, or of all for null, from now on. Returns the way to stop. */
  follow(collection: string | null, listener: (event: FeedEvent) => void): () => void;
  /** The events of a collection after `lastId`; null when that is not known any more, and a snapshot is needed. */
  since(collection: string, lastId: string): readonly FeedEvent[] | null;
  /** The id that the newest event of a collection has, for a stream that begins now. */
  lastId(collection: string): string;
}

/** Of all collections together. */
const eventsKept = 1000;

type Kept = FeedEvent & { readonly collection: string; readonly number: number };

export function createTaskFeed(epoch: string): TaskFeed {
  const listeners = new Map<(event: FeedEvent) => void, string | null>();
  /** The newest number of each collection that anything has happened in. */
  const numbers = new Map<string, number>();
  const kept: Kept[] = [];
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
    const collection = collectionOf(snapshot.task.docId);
    const number = numberOf(collection) + 1;
    numbers.set(collection, number);
    const event = { id: lastId(collection), snapshot, collection, number };
    kept.push(event);
    if (kept.length > eventsKept) kept.shift();
    for (const [listener, wanted] of listeners) if (wanted === null || wanted === collection) listener(event);
  }

  function follow(collection: string | null, listener: (event: FeedEvent) => void): () => void {
    listeners.set(listener, collection);
    return () => listeners.delete(listener);
  }

  function since(collection: string, lastId: string): readonly FeedEvent[] | null {
    const after = lastId.startsWith(`${epoch}-`) ? Number(lastId.slice(epoch.length + 1)) : Number.NaN;
    const newest = numberOf(collection);
    if (!Number.isInteger(after) || after < 0 || after > newest) return null;
    const missed = kept.filter((event) => event.collection === collection && event.number > after);
    return missed.length === newest - after ? missed : null;
  }

  function lastId(collection: string): string {
    return `${epoch}-${numberOf(collection)}`;
  }

  function numberOf(collection: string): number {
    return numbers.get(collection) ?? 0;
  }
}
