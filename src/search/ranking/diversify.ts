/** One document does not fill the page: of each ten hits at most three are of one document while others are waiting. */
import type { Scored } from './scorer.ts';

/** Hits that are spread out together. */
export const poolHits = 256;

/** Chunks that are ranked for a page, in whole parts of `poolHits`. */
export function poolSize(wanted: number): number {
  let size = poolHits;
  while (size < 4 * wanted) size *= 2;
  return size;
}

const windowHits = 10;
const documentHitsMax = 3;
/** Of its score; what fits less does not pass a hit of a document that has had its share: it may have nothing of the question. */
const passingShare = 0.1;

/** What is ranked, in the parts that are spread out by themselves, so that the first of them stay as they are when more is ranked for a later page. */
export function inParts<T>(ranked: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(ranked.length / poolHits) }, (_, part) =>
    ranked.slice(part * poolHits, (part + 1) * poolHits),
  );
}

/** The same hits of one part, best first, those over the limit moved to a later ten. */
export function spreadOut(ranked: readonly Scored[]): Scored[] {
  const spread: Scored[] = [];
  let waiting = [...ranked];
  while (waiting.length > 0) {
    const held: Scored[] = [];
    const counts = new Map<number, number>();
    let at = 0;
    let taken = 0;
    for (; at < waiting.length && taken < windowHits; at++) {
      const scored = waiting[at]!;
      if (held.length > 0 && scored.score < passingShare * held[0]!.score) break;
      const { document } = scored.segment.runAt(scored.row);
      const count = counts.get(document) ?? 0;
      if (count >= documentHitsMax) {
        held.push(scored);
        continue;
      }
      counts.set(document, count + 1);
      spread.push(scored);
      taken++;
    }
    if (taken < windowHits) spread.push(...held.splice(0, windowHits - taken));
    waiting = [...held, ...waiting.slice(at)];
  }
  return spread;
}
