/** What processes tell each other through the database: sent with the transaction that it is about, heard by all, this one too. */
import type { TaskId } from '../../tasks/task.ts';
import type { Database } from './database.ts';
import { encodeSignal, notifySql, type Signal } from './link.ts';

export interface Signals {
  send(...signals: Signal[]): Promise<void>;
}

export function createSignals(database: Database): Signals {
  return {
    async send(...signals) {
      await database.query(notifySql, [signals.map(encodeSignal)]);
    },
  };
}

/** Wakes those who wait for something to happen. */
export interface Bell {
  /** Grows with every ring. */
  readonly rings: number;
  ring(): void;
  /** Resolves when it has rung since `seen`, when `signal` aborts, or after `waitMs`. */
  rung(seen: number, signal: AbortSignal, waitMs: number): Promise<void>;
}

export function createBell(): Bell {
  let rings = 0;
  const waiting = new Set<() => void>();
  return {
    get rings() {
      return rings;
    },
    ring() {
      rings += 1;
      for (const wake of waiting) wake();
    },
    rung(seen, signal, waitMs) {
      if (seen !== rings || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(wake, waitMs);
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        }
        waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    },
  };
}

/** The leases that this process holds: how each is told to stop. */
export interface HeldLeases {
  add(id: TaskId): AbortController;
  end(id: TaskId, why: 'cancel' | 'lost'): void;
  remove(id: TaskId): void;
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
    remove: (id) => void held.delete(id),
    all: () => [...held.keys()],
  };
}
