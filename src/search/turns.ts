/**
 * Whose search, or other question to the index, is next. A few run at once, the others wait: each client's in the order in which they came, the clients by turns, so
 * that nobody waits behind another's hundred. Who has gone is let go of, waiting or (as far as the work can) running.
 */
import { AppError } from '../errors.ts';

/** Who asks. */
export type Asker = {
  /** The API key, or the address where none are in use. */
  readonly client: string;
  /** Aborts when the client has gone: nobody will read the answer. */
  readonly gone: AbortSignal;
  /** Whether the client has ended its side, as one that has gone does, though some wait on: where there is no room it goes first. */
  readonly isLeaving?: () => boolean;
};

export interface Turns {
  /**
   * What `work` gives, once it is this asker's turn.
   * @throws AppError `queue_full` when too many wait, of this client or of all; `unavailable` when the asker has gone.
   */
  run<T>(asker: Asker, work: () => Promise<T>): Promise<T>;
}

export type TurnsOptions = {
  readonly atOnce: number;
  readonly waitingMax: number;
  readonly waitingPerClientMax: number;
};

type Waiting = { readonly start: () => void; readonly leave: () => void; readonly isLeaving: () => boolean };

export function createTurns({ atOnce, waitingMax, waitingPerClientMax }: TurnsOptions): Turns {
  /** By client, in the order of their turns. */
  const queues = new Map<string, Set<Waiting>>();
  let waiting = 0;
  let running = 0;

  return {
    async run(asker, work) {
      if (running >= atOnce) await place(asker);
      else running += 1;
      try {
        refuseGone(asker);
        return await work();
      } finally {
        next();
      }
    },
  };

  /** Resolves when it is this asker's turn, which somebody else has ended for it. */
  function place({ client, gone, isLeaving = () => false }: Asker): Promise<void> {
    if (ownOf(client).size >= waitingPerClientMax) sendOff(ownOf(client));
    else if (waiting >= waitingMax) for (const each of queues.values()) if (sendOff(each)) break;
    const own = ownOf(client);
    if (waiting >= waitingMax || own.size >= waitingPerClientMax) {
      throw new AppError('queue_full', 'Too many requests of this kind are waiting; try again in a moment.', {
        retryAfterSeconds: 2,
      });
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        gone.removeEventListener('abort', leave);
        remove(client, own, entry);
        reject(hasGone());
      };
      const start = (): void => {
        gone.removeEventListener('abort', leave);
        resolve();
      };
      const entry: Waiting = { start, leave, isLeaving };
      own.add(entry);
      queues.set(client, own);
      waiting += 1;
      gone.addEventListener('abort', leave, { once: true });
      if (gone.aborted) leave();
    });
  }

  function ownOf(client: string): Set<Waiting> {
    return queues.get(client) ?? new Set();
  }

  /** Makes room by the first of them whose client seems to have gone. */
  function sendOff(own: ReadonlySet<Waiting>): boolean {
    for (const entry of own) {
      if (!entry.isLeaving()) continue;
      entry.leave();
      return true;
    }
    return false;
  }

  function next(): void {
    for (const [client, own] of queues) {
      const [entry] = own;
      remove(client, own, entry!);
      // To the end of the line of clients.
      if (queues.delete(client)) queues.set(client, own);
      entry!.start();
      return;
    }
    running -= 1;
  }

  function remove(client: string, own: Set<Waiting>, entry: Waiting): void {
    if (!own.delete(entry)) return;
    waiting -= 1;
    if (own.size === 0) queues.delete(client);
  }
}

function refuseGone({ gone }: Asker): void {
  if (gone.aborted) throw hasGone();
}

/** What nobody reads. */
export function hasGone(): AppError {
  return new AppError('unavailable', 'The client has disconnected.');
}
