/**
 * What processes tell each other through the database, heard by all, this one too. It is told after the commit that it is about, and
 * apart from it: a commit that notifies holds a lock of the whole server until it is flushed, so that only one at a time could be. What
 * comes up while one message is on its way goes with the next. A process that dies in between tells nothing: whoever finds it
 * dead says so, and what it did is looked up (`missed`).
 */
import type { TaskId } from '../../tasks/task.ts';
import type { Database } from './database.ts';
import { encodeSignal, notifySql, type Signal } from './listen-connection.ts';

export interface Signals {
  /** Tells it once the transaction around this call is committed; at once where there is none. Tried until the server takes it. */
  send(...signals: Signal[]): Promise<void>;
  /** Tells what is not told yet, if the server takes it now. */
  close(): Promise<void>;
}

/** A change that is not the last one of its task is told after this pause, or with whatever else is, or not at all when the task ends before. */
const changeMs = 60;
const againMs = 200;
/** Of more than so many at once nobody is told one by one. */
const waitingMax = 10_000;

export function createSignals(database: Database): Signals {
  const waiting = new Set<string>();
  const changes = new Map<string, NodeJS.Timeout>();
  let sending: Promise<void> | null = null;
  let closed = false;

  function add(signal: Signal): void {
    if (signal.kind !== 'step') return ring(signal);
    if (!closed && !changes.has(signal.id))
      changes.set(
        signal.id,
        setTimeout(() => ring(signal), changeMs),
      );
  }

  function ring(signal: Signal): void {
    if ('id' in signal && signal.kind !== 'cancel') forgetChange(signal.id);
    waiting.add(encodeSignal(signal));
    for (const id of changes.keys()) waiting.add(encodeSignal({ kind: 'step', id }));
    for (const timer of changes.values()) clearTimeout(timer);
    changes.clear();
    if (waiting.size > waitingMax) tellAllAtOnce();
    sending ??= sendAll().finally(() => (sending = null));
  }

  function tellAllAtOnce(): void {
    waiting.clear();
    waiting.add(encodeSignal({ kind: 'missed' })).add(encodeSignal({ kind: 'job' }));
  }

  function forgetChange(id: string | undefined): void {
    if (id === undefined) return;
    clearTimeout(changes.get(id));
    changes.delete(id);
  }

  async function sendAll(): Promise<void> {
    while (waiting.size > 0) {
      // What is told in the same turn of the event loop goes along.
      await new Promise(setImmediate);
      const payloads = [...waiting];
      waiting.clear();
      try {
        await database.apart(() => database.query(notifySql, [payloads]));
      } catch {
        if (closed) return;
        for (const payload of payloads) waiting.add(payload);
        await new Promise((resolve) => setTimeout(resolve, againMs).unref());
      }
    }
  }

  return {
    send: (...signals) => database.afterCommit(() => signals.forEach(add)),
    async close() {
      closed = true;
      const [change] = changes.keys();
      if (change !== undefined) ring({ kind: 'step', id: change });
      await sending;
    },
  };
}

/** The leases that this process holds: how each is told to stop. */
export interface HeldLeases {
  add(id: TaskId): AbortController;
  end(id: TaskId, why: 'cancel' | 'lost'): void;
  /** False when it was not held. */
  remove(id: TaskId): boolean;
  all(): readonly TaskId[];
}

export function createHeldLeases(): HeldLeases {
  const held = new Map<TaskId, AbortController>();
  return {
    add(id) {
      const stop = new AbortController();
      held.set(id, stop);
      return stop;
    },
    end: (id, why) => held.get(id)?.abort(why),
    remove: (id) => held.delete(id),
    all: () => [...held.keys()],
  };
}
