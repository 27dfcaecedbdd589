/**
 * Two Chinese characters typed in each other's place: a pair that no text has, where some text has it the other way round and its neighbours
 * go with it that way. A word of the language is left as it is, unless it goes with neither neighbour.
 */
import { postingsOf } from './scorer.ts';
import type { Segment } from '../index/segments.ts';
import type { Token } from '../analysis/tokens.ts';
import { beside, charactersInWords, chineseCharacters, type Reading, type SoundsAndWords } from './sound-alikes.ts';

/** Pairs of one question that are looked at. */
const pairsMax = 12;

export type Swapped = { readonly readings: readonly Reading[]; readonly characters: ReadonlySet<Token> };

/** `chunksOf`: how many chunks have each term of the question; `isSettled`: what is meant as it stands. Costs up to three looks into the index for each pair that no text has. */
export function swappedCharacters(
  tokens: readonly Token[],
  chunksOf: ReadonlyMap<string, number>,
  segments: readonly Segment[],
  { wordsOf }: Pick<SoundsAndWords, 'wordsOf'>,
  isSettled: (character: Token) => boolean = () => false,
): Swapped {
  const all = chineseCharacters(tokens);
  const readings: Reading[] = [];
  const swapped = new Set<Token>();
  let inWords: ReadonlySet<Token> | null = null;
  let looked = 0;
  for (const [i, first] of all.entries()) {
    const second = all[i + 1];
    if (!isPair(first, second) || swapped.has(first) || isSettled(first) || isSettled(second) || isWritten(first, second)) continue;
    const before = isPair(all[i - 1], first) ? all[i - 1]! : null;
    const after = isPair(second, all[i + 2]) ? all[i + 2]! : null;
    const goesWith = [before !== null && isWritten(before, first), after !== null && isWritten(second, after)];
    const neighbours = [before, after].filter((neighbour) => neighbour !== null).length;
    const kept = goesWith.filter(Boolean).length;
    if (kept === neighbours || ++looked > pairsMax) continue;
    inWords ??= charactersInWords(all, wordsOf);
    // Between two characters that they do not go with, even a word of the language is one by chance.
    const isAlone = neighbours === 2 && kept === 0;
    if (!isAlone && inWords.has(first) && inWords.has(second)) continue;
    const pairs: [string, string][] = [[second.term + first.term, first.term + second.term]];
    if (before !== null) pairs.push([before.term + second.term, before.term + first.term]);
    if (after !== null) pairs.push([first.term + after.term, second.term + after.term]);
    if (!pairs.every(([term]) => postingsOf(term, segments).chunks > 0)) continue;
    const replacement = { start: first.start, end: second.end, by: second.term + first.term };
    readings.push(...pairs.map(([term, of], at) => ({ term, of, weight: 1, replacement: at === 0 ? replacement : null })));
    swapped.add(first).add(second);
  }
  return { readings, characters: swapped };

  function isWritten(one: Token, other: Token): boolean {
    return (chunksOf.get(one.term + other.term) ?? 0) > 0;
  }
}

function isPair(first: Token | undefined, second: Token | undefined): second is Token {
  return beside(first, second);
}
