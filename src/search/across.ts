/** One question to several collections: each answers by its own statistics, and their hits are put in one order. */
import type { SearchAnswer, SearchHit, SearchQuery } from './document-index.ts';

type Placed = { readonly hit: SearchHit; readonly place: number; readonly collection: number };

/**
 * The page of hits that several collections have together, by their relevance: scores of two collections cannot be compared. Equally
 * relevant ones by their places in their own lists. Memory: one page, and the answer of one collection.
 */
export async function searchAcross(
  search: (query: SearchQuery) => Promise<SearchAnswer>,
  query: Omit<SearchQuery, 'collection'>,
  collections: readonly string[],
): Promise<SearchAnswer> {
  const wanted = query.offset + query.topK;
  let best: Placed[] = [];
  let [total, tookMs] = [0, 0];
  let notice: string | null = null;
  for (const [at, collection] of collections.entries()) {
    const answer = await search({ ...query, collection, offset: 0, topK: wanted });
    const placed = answer.hits.map((hit, place) => ({ hit, place, collection: at }));
    best = [...best, ...placed].sort(inOrder).slice(0, wanted);
    total += answer.total;
    tookMs += answer.tookMs;
    notice ??= answer.notice;
  }
  return { hits: best.slice(query.offset).map(({ hit }) => hit), total, tookMs, notice };
}

function inOrder(a: Placed, b: Placed): number {
  return b.hit.relevance - a.hit.relevance || a.place - b.place || a.collection - b.collection;
}
