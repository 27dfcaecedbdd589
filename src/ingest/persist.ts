/** Recording a step until the store takes it. */
import type { Logger } from '../logger.ts';
import { troubleOf } from '../trouble.ts';

/**
 * What must be recorded is tried until the disk takes it: the result is held here meanwhile, and the queue entry stays.
 * A stop or a lost lease ends the waiting; recovery goes on from the last durable step. Trouble that is not the disk's
 * is given up after `triesMax`: it will not pass by waiting.
 */
export type Persist = <T>(work: () => Promise<T>, triesMax?: number) => Promise<T>;

/** `lost`: this process is no owner any more; `stopping`: it has been told to end. */
export function createPersist(options: { lost: AbortSignal; stopping: AbortSignal; logger: Logger }): Persist {
  const { lost, stopping, logger } = options;
  return async (work, triesMax = Infinity) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (lost.aborted || stopping.aborted || (tries >= triesMax && troubleOf(error) === null)) throw error;
        logger.error({ err: error, tries }, 'a task step could not be recorded; trying again');
        await pause(Math.min(5000, 100 * 2 ** Math.min(tries, 6)), AbortSignal.any([lost, stopping]));
      }
    }
  };
}

/** Ends early, without an error, when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener(
    'abort',
    () => {
      clearTimeout(timer);
      resolve();
    },
    { once: true },
  );
  return promise;
}
