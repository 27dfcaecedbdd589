import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Segment } from '../../../src/search/index/segments.ts';
import { pageInSteps } from '../../../src/search/ranking/page.ts';
import { runSteps } from '../../../src/search/ranking/ranking.ts';
import { unstoppable } from '../../../src/search/stop.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

const documentChunks = 300;

/** Texts with one word many times come before some with both words, and answer half of the question. */
function madeOf(seed: number): { readonly segment: Segment; readonly texts: readonly string[] } {
  const random = randomFrom(seed);
  const texts: string[] = [];
  const made = makeSegment(
    3,
    documentChunks,
    (row) => {
      // All of the best are of one document, half of them too little relevant; those of others come behind.
      const isFirst = row < documentChunks;
      const times = isFirst ? 15 : 1;
      const both: [string, number][] = [
        ['heron', times],
        ['reed', times],
      ];
      const words = random() < 0.6 ? both : both.slice(0, isFirst ? 1 : 0);
      texts[row] = words.flatMap(([word, count]) => Array.from({ length: count }, () => word)).join(' ');
      return words;
    },
    random,
  );
  return { segment: made.open(0), texts };
}

it('pages of one question have each hit once and in the order of one long page, where hits are left out as too little relevant', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
      const { segment, texts } = madeOf(seed);
      const page = (offset: number, topK: number): number[] =>
        runSteps(
          unstoppable,
          pageInSteps({
            text: ({ row }) => texts[row]!,
            headings: () => '',
            snapshot: { segments: [segment], collection: { chunks: 100 * segment.chunks, averageLength: 5 } },
            vocabulary: { neighbours: () => [] },
            near: null,
            allowed: () => null,
            dictionary: () => null,
            asked: { query: 'heron reed', mode: 'keyword', offset, topK, minRelevance: 0.8 },
          }),
        ).rows.map(({ scored }) => scored.chunkId);
      const pages = [page(0, 30)];
      while (pages.at(-1)!.length === 30) pages.push(page(pages.length * 30, 30));
      const shown = pages.flat();
      expect(new Set(shown).size).toBe(shown.length);
      expect(shown.length).toBeGreaterThan(60);
      expect(shown).toEqual(page(0, 900));
    }),
    { numRuns: 10 },
  );
});
