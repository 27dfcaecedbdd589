/** How close together a text has the words of a query. */
import { scanForTokens, type Token } from '../analysis/tokens.ts';
import { WantedTerms } from '../analysis/wanted-terms.ts';

/** Words apart beyond which neighbours of the query no longer count as near. */
const distanceMax = 6;

export type WordPair = { readonly first: string; readonly second: string; readonly weight: number };

/** Neighbouring words of a query, each pair weighing as much as its more common word. */
export function wordPairs(tokens: readonly Token[], weightOf: (term: string) => number): WordPair[] {
  const words = tokens.filter((token) => token.kind === 'word' || token.kind === 'pair');
  return words.slice(1).flatMap((second, i) => {
    const first = words[i]!;
    const weight = Math.min(weightOf(first.term), weightOf(second.term));
    return weight > 0 && first.term !== second.term ? [{ first: first.term, second: second.term, weight }] : [];
  });
}

/**
 * How near each other a text has these words: from 0 (nowhere near) to 1 (they stand side by side in the order of the query). About 15 µs for
 * 300 words.
 */
export function nearnessOf(pairs: readonly WordPair[]): (text: string) => number {
  const wanted = new WantedTerms(pairs.flatMap((pair) => [pair.first, pair.second]));
  return (text) => nearness(placesIn(text, wanted), pairs);
}

/** Where a text has the words, as their numbers among all its words. */
function placesIn(text: string, wanted: WantedTerms): Map<string, number[]> {
  const places = new Map<string, number[]>();
  let position = 0;
  scanForTokens(text, wanted, (term, _start, _end, kind) => {
    if (kind === 'char' || kind === 'whole') return;
    position++;
    if (!wanted.has(term)) return;
    const known = places.get(term);
    if (known === undefined) places.set(term, [position]);
    else known.push(position);
  });
  return places;
}

function nearness(places: ReadonlyMap<string, readonly number[]>, pairs: readonly WordPair[]): number {
  let sum = 0;
  let most = 0;
  for (const pair of pairs) {
    most += pair.weight;
    sum += pair.weight * closest(places.get(pair.first) ?? [], places.get(pair.second) ?? []);
  }
  return most === 0 ? 0 : sum / most;
}

function closest(first: readonly number[], second: readonly number[]): number {
  let best = 0;
  let j = 0;
  for (const place of first) {
    while (j > 0 && second[j - 1]! > place - distanceMax) j--;
    while (j < second.length && second[j]! < place - distanceMax) j++;
    for (let k = j; k < second.length && second[k]! <= place + distanceMax; k++) {
      const gap = second[k]! - place;
      best = Math.max(best, gap > 0 ? 1 / gap : 0.5 / Math.max(1, -gap));
    }
  }
  return best;
}
