/**
 * One text once: among the first rows, what has the very words of a row before it comes after all that has others, and the row before it says
 * where else it is. It is moved and not left out, so that every chunk is found by whoever goes on reading.
 *
 * The same means letter for letter and digit for digit, whatever the markup, the headings, the spaces and the signs between them: two contracts of
 * one template, or two invoices, are not the same.
 */
import type { Scored } from './scorer.ts';
import { read, type RankingSteps } from './steps.ts';

/** Rows that are compared: those whose texts are read for how near each other they have the words. About 30 µs each. */
const comparedRows = 32;
/** Places that a hit names. */
const placesMax = 5;
/** Letters and digits from which on a text is the same as one that holds it; a shorter one only where it is all there is. */
const leastHeld = 64;

/** `alsoIn`: by the chunk id of a row, the rows that have its text, at most five. */
export type Folded = { readonly rows: readonly Scored[]; readonly alsoIn: ReadonlyMap<number, readonly Scored[]> };

export function* foldSameTexts(ranked: readonly Scored[], textOf: (scored: Scored) => string): RankingSteps<Folded> {
  const first = ranked.slice(0, comparedRows);
  const texts = yield* read(() => first.map((scored) => lettersOf(textOf(scored))));
  const kept: { scored: Scored; letters: string }[] = [];
  const moved: Scored[] = [];
  const alsoIn = new Map<number, Scored[]>();
  for (const [i, scored] of first.entries()) {
    const letters = texts[i]!;
    const same = letters === '' ? undefined : kept.find((other) => isSame(letters, other.letters));
    if (same === undefined) {
      kept.push({ scored, letters });
      continue;
    }
    moved.push(scored);
    const places = alsoIn.get(same.scored.chunkId) ?? [];
    if (places.length < placesMax) alsoIn.set(same.scored.chunkId, [...places, scored]);
  }
  if (moved.length === 0) return { rows: ranked, alsoIn };
  return { rows: [...kept.map(({ scored }) => scored), ...moved, ...ranked.slice(comparedRows)], alsoIn };
}

function isSame(letters: string, other: string): boolean {
  return letters.length < leastHeld ? letters === other : other.includes(letters);
}

/** Letters and digits of a Markdown text without its headings, tags and addresses; of headings alone, theirs. */
export function lettersOf(text: string): string {
  const body = text.replace(/^[ \t]{0,3}#{1,6}[ \t].*$/gm, '');
  return letters(/[\p{L}\p{N}]/u.test(body) ? body : text);
}

function letters(text: string): string {
  return text
    .replace(/<\/?[a-z][^<>]{0,200}>/gi, '')
    .replace(/\]\([^()\s]{0,1000}\)/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase();
}
