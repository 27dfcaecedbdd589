/**
 * Stopping a search that runs, also from another thread that is busy and hears no message: a flag in shared memory, which the search
 * looks at between two steps, and which ends what it waits for.
 */
import { hasGone } from './turns.ts';

/** How a search learns that nobody waits for it any more. */
export interface Stop {
  /** For what takes a signal. In a thread it aborts once the thread looks up from its work. */
  readonly signal: AbortSignal;
  /** @throws AppError `unavailable` when the search is to stop. */
  check(): void;
}

/** A search in the same thread. */
export function stopOn(signal: AbortSignal): Stop {
  return {
    signal,
    check() {
      if (signal.aborted) throw hasGone();
    },
  };
}

/** Never stopped. */
export const unstoppable = stopOn(new AbortController().signal);

/** What goes to the thread with its job. */
export type StopFlag = Int32Array<SharedArrayBuffer>;

const [running, stopped, ended] = [0, 1, 2];

/** A flag that is raised when `signal` aborts. `release` is to be called when the job has ended. */
export function raiseOn(signal: AbortSignal): { flag: StopFlag; release: () => void } {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const raise = (): void => set(flag, stopped);
  if (signal.aborted) raise();
  else signal.addEventListener('abort', raise, { once: true });
  return { flag, release: () => signal.removeEventListener('abort', raise) };
}

/** The flag as the thread's search sees it. `release` is to be called when the search has ended. */
export function followFlag(flag: StopFlag): Stop & { release: () => void } {
  const controller = new AbortController();
  const look = (): void => {
    if (Atomics.load(flag, 0) === stopped) controller.abort();
  };
  const change = Atomics.waitAsync(flag, 0, running);
  if (change.async) void change.value.then(look);
  else look();
  return {
    signal: controller.signal,
    check() {
      look();
      if (controller.signal.aborted) throw hasGone();
    },
    release: () => set(flag, ended),
  };
}

function set(flag: StopFlag, state: number): void {
  Atomics.compareExchange(flag, 0, running, state);
  Atomics.notify(flag, 0);
}
