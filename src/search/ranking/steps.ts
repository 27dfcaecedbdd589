/** A ranking as steps, so that it can be stopped between them, and read in one engine what is at hand at once in another. */

/** A ranking, stopping before everything that reads texts, words or postings: a function that changes nothing, whose value it wants. */
export type RankingSteps<T> = Generator<() => unknown, T>;

/** One step, and its value. */
export function* read<T>(work: () => T): RankingSteps<T> {
  return (yield work) as T;
}
