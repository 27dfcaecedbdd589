/**
 * The order in which a database accepts uploads and removals: a sequence, so that the number of a transaction that is undone is
 * never given again, and of two transactions the one that began its commit before the other asked has the smaller one.
 */
import type { Database } from './database.ts';

/** The next number; it may be asked for inside the transaction that it is for. */
export async function nextOrdinal(database: Database): Promise<number> {
  const [row] = await database.query("SELECT nextval('ordinal') AS ordinal");
  return row!['ordinal'] as number;
}

/** All numbers from now on are greater than `ordinal`. Nobody else may be at work. */
export async function continueAfter(database: Database, ordinal: number): Promise<void> {
  await database.query("SELECT setval('ordinal', $1) FROM ordinal WHERE last_value < $1", [ordinal]);
}
