/**
 * From ranked rows to the rows of a page, the same on every engine: what is relevant enough, each text once, one hit a document or several spread out,
 * and the part that was asked for.
 */
import type { SearchQuery } from '../document-index.ts';
import { poolSize, diversify } from './diversify.ts';
import { type Ranked, rankInSteps, type RankingInput } from './ranking.ts';
import { ratings } from './relevance.ts';
import { type AlsoIn, foldSameTexts } from './same-text.ts';
import type { RankingSteps } from './steps.ts';
import type { Scored } from './scorer.ts';

export type PageInput = Omit<RankingInput, 'limit' | 'query' | 'mode'> & {
  /** The headings above the chunk that a row stands for. */
  readonly headings: (scored: Scored) => string;
  readonly asked: Pick<SearchQuery, 'query' | 'mode' | 'topK' | 'offset' | 'minRelevance' | 'groupBy' | 'synonyms'>;
};

type ListedRow = {
  readonly scored: Scored;
  /** How many more chunks of its document were ranked beside it; null where documents are not grouped. */
  readonly more: number | null;
};

export type PageRow = ListedRow & AlsoIn;

export type RankedPage = {
  readonly rows: readonly PageRow[];
  readonly ranked: Ranked;
  /** Never less than the offset and the rows together. */
  readonly total: number;
};

/** Texts that are rated in one step. */
const textsAtOnce = 16;
/** Chunks that are ranked for one document, where each is one hit. */
const chunksOfDocument = 4;

export function* pageInSteps(input: PageInput): RankingSteps<RankedPage> {
  const { topK, offset, groupBy, minRelevance, query, mode, synonyms = [] } = input.asked;
  const wanted = offset + topK;
  const limit = poolSize(groupBy === undefined ? wanted : chunksOfDocument * wanted);
  const ranked = yield* rankInSteps({ ...input, query, mode, limit, synonyms });
  const relevant = minRelevance === undefined ? ranked.top : yield* relevantRows(input, ranked, minRelevance);
  const listed = groupBy === undefined ? diversify(relevant).map((scored) => ({ scored, more: null })) : firstOfEach(relevant);
  const distinct = yield* foldSameTexts(listed, input.text);
  const rows = distinct.slice(offset, wanted);
  const matched = minRelevance === undefined ? ranked.total : relevant.length;
  return { rows, ranked, total: rows.length === 0 ? matched : Math.max(matched, offset + rows.length) };
}

function* relevantRows(input: PageInput, ranked: Ranked, least: number): RankingSteps<Scored[]> {
  const { top } = ranked;
  const ratingOf = ratings(ranked);
  const rate = (scored: Scored): number => ratingOf(scored).takeAll(input.text(scored)).takeAll(input.headings(scored)).value;
  const relevant: Scored[] = [];
  for (let from = 0; from < top.length; from += textsAtOnce) {
    const few = top.slice(from, from + textsAtOnce);
    const step = (): Scored[] => few.filter((scored) => rate(scored) >= least);
    relevant.push(...((yield step) as Scored[]));
  }
  return relevant;
}

/** The best row of each document, in order. */
function firstOfEach(ranked: readonly Scored[]): ListedRow[] {
  const documents = new Map<number, { scored: Scored; more: number }>();
  for (const scored of ranked) {
    const { document } = scored.segment.runAt(scored.row);
    const known = documents.get(document);
    if (known === undefined) documents.set(document, { scored, more: 0 });
    else known.more += 1;
  }
  return [...documents.values()];
}
