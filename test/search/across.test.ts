/** Hits of several collections in one order: by relevance, each collection keeping its own. */
import { expect, it } from 'vitest';
import { searchAcross } from '../../src/search/across.ts';
import type { SearchAnswer, SearchHit } from '../../src/search/document-index.ts';

const hits = (collection: string, relevances: readonly number[]): SearchHit[] =>
  relevances.map((relevance, i) => ({ docId: `${collection}${i}`, relevance, score: 100 - i }) as SearchHit);
const lists: Record<string, SearchHit[]> = { a: hits('a', [0.9, 0.2, 0.8]), b: hits('b', [0.5, 0.5]), c: [] };

const page = async (offset: number, topK: number): Promise<SearchAnswer> =>
  searchAcross(
    async ({ collection, topK: wanted }) => ({
      hits: lists[collection!]!.slice(0, wanted),
      total: lists[collection!]!.length,
      tookMs: 1,
      notice: null,
      shownFor: null,
    }),
    { query: 'q', mode: 'hybrid', topK, offset, filter: {} },
    ['a', 'b', 'c'],
  );

it('merges by relevance, keeps the order of each collection, and pages without gap or repetition', async () => {
  const all = (await page(0, 10)).hits.map(({ docId }) => docId);
  const paged = await Promise.all([0, 1, 2, 3, 4].map(async (offset) => (await page(offset, 1)).hits[0]!.docId));

  expect(all).toEqual(['a0', 'b0', 'b1', 'a1', 'a2']);
  expect(paged).toEqual(all);
  expect((await page(0, 1)).total).toBe(5);
});
