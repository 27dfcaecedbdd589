/** One document does not fill the page: of each ten hits at most three are of one document while others are waiting. */
import type { Scored } from './scorer.ts';

/** Hits that are spread out together. */
const poolHits = 256;

/** Chunks that are ranked for a page, in whole parts of `poolHits`. */
export function poolSize(wanted: number): number {
  let size = poolHits;
  while (size < 4 * wanted) size *= 2;
  return size;
}

const windowHits = 10;
const documentHitsMax = 3;

/**
 * The same hits, best first, those over the limit moved to a later ten. What is ranked is looked at in parts, so that the first of
 * them stay where they are when more is ranked for a later page.
 */
export function diversify(ranked: readonly Scored[]): Scored[] {
  const parts = Array.from({ length: Math.ceil(ranked.length / poolHits) }, (_, part) =>
    ranked.slice(part * poolHits, (part + 1) * poolHits),
  );
  return parts.flatMap(spreadPart);
}

function spreadPart(ranked: readonly Scored[]): Scored[] {
  const spreadOut: Scored[] = [];
  let waiting = [...ranked];
  while (waiting.length > 0) {
    const held: Scored[] = [];
    const counts = new Map<number, number>();
    let at = 0;
    let taken = 0;
    for (; at < waiting.length && taken < windowHits; at++) {
      const scored = waiting[at]!;
      const { document } = scored.segment.runAt(scored.row);
      const count = counts.get(document) ?? 0;
      if (count >= documentHitsMax) {
        held.push(scored);
        continue;
      }
      counts.set(document, count + 1);
      spreadOut.push(scored);
      taken++;
    }
    if (taken < windowHits) spreadOut.push(...held.splice(0, windowHits - taken));
    waiting = [...held, ...waiting.slice(at)];
  }
  return spreadOut;
}
