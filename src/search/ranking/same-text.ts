/**
 * One text once: among the first rows, what has the very words of a row before it comes after all that has others, and the row before it says
 * where else it is. It is moved and not left out, so that every chunk is found by whoever goes on reading.
 *
 * The same means letter for letter and digit for digit, whatever the markup, the headings, the spaces and the signs between them: two contracts of
 * one template, or two invoices, are not the same.
 */
import { Letters } from './letters.ts';
import type { Scored } from './scorer.ts';
import { read, type RankingSteps } from './steps.ts';

/** Rows that are compared: those whose texts are read for how near each other they have the words. */
const comparedRows = 32;
/** Places that a hit names. */
const placesMax = 5;
/** Letters and digits from which on a text is the same as one that holds it; a shorter one only where it is all there is. */
const leastHeld = 64;

/** Other rows that have the same text. */
export type AlsoIn = { readonly alsoIn: readonly Scored[] };

/** The rows with the texts that come again moved behind the last that is compared, and said at the first that has them. */
export function* foldSameTexts<Row extends { readonly scored: Scored }>(
  listed: readonly Row[],
  textOf: (scored: Scored) => string,
): RankingSteps<(Row & AlsoIn)[]> {
  const first = listed.slice(0, comparedRows);
  const texts = yield* read(() => first.map(({ scored }) => new Letters(textOf(scored))));
  const kept: { row: Row; letters: Letters; alsoIn: Scored[] }[] = [];
  const moved: Row[] = [];
  for (const [i, row] of first.entries()) {
    const letters = texts[i]!;
    const same = letters.length === 0 ? undefined : kept.find((other) => isSame(letters, other.letters));
    if (same === undefined) kept.push({ row, letters, alsoIn: [] });
    else {
      moved.push(row);
      if (same.alsoIn.length < placesMax) same.alsoIn.push(row.scored);
    }
  }
  const rest = [...moved, ...listed.slice(comparedRows)].map((row) => ({ ...row, alsoIn: [] }));
  return [...kept.map(({ row, alsoIn }) => ({ ...row, alsoIn })), ...rest];
}

function isSame(letters: Letters, other: Letters): boolean {
  return letters.length < leastHeld ? letters.isThatOf(other) : letters.isIn(other);
}
