/** What processes tell each other through the database: sent with the transaction that it is about, heard by all, this one too. */
import type { TaskId } from '../../tasks/task.ts';
import type { Database } from './database.ts';
import { encodeSignal, notifySql, type Signal } from './listen-connection.ts';

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
