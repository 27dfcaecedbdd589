/** One question to several collections: each answers by its own statistics, and their hits are put in one order. */
import type { SearchAnswer, SearchHit, SearchQuery } from './document-index.ts';

/** `relevance`: no more than that of any hit before it in its own list, so that each list keeps its order. */
type Placed = { readonly hit: SearchHit; readonly relevance: number; readonly place: number; readonly collection: number };

/**
 * The page of hits that several collections have together. Scores of two collections cannot be compared, relevance can: hits are ordered by
 * it, each list in its own order, and equally relevant ones by their places. Memory: one page, and the answer of one collection.
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
  const shownFor: (string | null)[] = [];
  for (const [at, collection] of collections.entries()) {
    const answer = await search({ ...query, collection, offset: 0, topK: wanted });
    let least = 1;
    const placed = answer.hits.map((hit, place) => {
      least = Math.min(least, hit.relevance);
      return { hit, relevance: least, place, collection: at };
    });
    best = [...best, ...placed].sort(inOrder).slice(0, wanted);
    total += answer.total;
    tookMs += answer.tookMs;
    notice ??= answer.notice;
    shownFor.push(answer.shownFor);
  }
  // As the collection has read it whose hit comes first: another may have its words as they are written.
  return {
    hits: best.slice(query.offset).map(({ hit }) => hit),
    total,
    tookMs,
    notice,
    shownFor: shownFor[best[0]?.collection ?? 0] ?? null,
  };
}

function inOrder(a: Placed, b: Placed): number {
  return b.relevance - a.relevance || a.place - b.place || a.collection - b.collection;
}
