/**
 * The order in which a Redis accepts uploads and removals: a counter there. A Redis that flushes once a second may forget its last
 * numbers in a crash, while the index, elsewhere, remembers them; so each process says the greatest number that it knows of.
 */
import type { Connection } from './connection.ts';
import type { Commands } from './scripts.ts';

export interface RedisOrdinals {
  next(): Promise<number>;
  /** All numbers from now on are greater than this one. */
  continueAfter(ordinal: number): Promise<void>;
  /** The least number of all tasks that are kept; null when there is none. */
  lowestKept(): Promise<number | null>;
}

export function createOrdinals(options: {
  connection: Connection;
  commands: Commands;
  prefix: string;
  /** The greatest number that the index knows of. */
  highestKept: number;
}): RedisOrdinals {
  const { connection, commands, prefix } = options;
  let known = options.highestKept;

  async function next(): Promise<number> {
    const ordinal = await connection.run(() => commands.orderNext(prefix, known));
    known = Math.max(known, ordinal);
    return ordinal;
  }

  return {
    next,
    async continueAfter(ordinal) {
      known = Math.max(known, ordinal);
      await next();
    },
    async lowestKept() {
      const [lowest] = await connection.run(() => commands.orderLowest(prefix));
      return lowest ?? null;
    },
  };
}
