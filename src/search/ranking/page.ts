/**
 * From ranked rows to the rows of a page, the same on every engine: what is relevant enough, each text once, one hit a document or several spread out,
 * and the part that was asked for.
 */
import type { SearchQuery } from '../document-index.ts';
import { inParts, poolSize, spreadOut } from './diversify.ts';
import { type Ranked, rankInSteps, type RankingInput } from './ranking.ts';
import { ratings } from './relevance.ts';
import { type AlsoIn, foldSameTexts } from './same-text.ts';
import { type RankingSteps, read } from './steps.ts';
import type { Scored } from './scorer.ts';

export type PageInput = Omit<RankingInput, 'limit' | 'query' | 'mode'> & {
  /** The headings above the chunk that a row stands for. */
  readonly headings: (scored: Scored) => string;
  /** Where to look and what to show beside a hit is not the page's affair. */
  readonly asked: Omit<SearchQuery, 'filter' | 'collection' | 'context'>;
  /** Where only some of what matches is there to be ranked: how much is ranked for every page alike, and the rows behind that, in their order. */
  readonly among?: Among;
};

export type Among = { readonly ranked: number; readonly behind: readonly Scored[] };

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

/** Rows that are gone through for a page: the first of them are the same for a later one. */
export function pageRows({ offset, topK, groupBy }: Pick<SearchQuery, 'offset' | 'topK' | 'groupBy'>): number {
  return poolSize((groupBy === undefined ? 1 : chunksOfDocument) * (offset + topK));
}

/** Pages of one question have each hit once, and together what one long page has: what is gone through for a later one only follows behind. */
export function* pageInSteps(input: PageInput): RankingSteps<RankedPage> {
  const { topK, offset, groupBy, minRelevance, query, mode, synonyms = [], ...rest } = input.asked;
  // A member of a question that has no place here yet does not compile.
  rest satisfies { readonly [name: string]: never };
  const limit = input.among?.ranked ?? pageRows(input.asked);
  const ranked = yield* rankInSteps({ ...input, query, mode, limit, synonyms });
  const all = [...ranked.top, ...behind(ranked.top, input.among?.behind ?? [])];
  const rules: HitRule[] = minRelevance === undefined ? [] : [relevance(input, ranked, minRelevance)];
  const parts = yield* allowedParts(inParts(all), rules);
  const listed =
    groupBy === undefined ? parts.flatMap(spreadOut).map((scored) => ({ scored, more: null })) : firstOfEach(parts.flat());
  const distinct = yield* foldSameTexts(listed, input.text);
  const rows = distinct.slice(offset, offset + topK);
  const matched = rules.length === 0 ? ranked.total : parts.flat().length;
  return { rows, ranked, total: rows.length === 0 ? matched : Math.max(matched, offset + rows.length) };
}

/** Their scores tell their places alone, below all that is ranked. */
function behind(ranked: readonly Scored[], rows: readonly Scored[]): Scored[] {
  const least = ranked.reduce((lowest, { score }) => Math.min(lowest, score), 1);
  return rows.map((scored, place) => ({ ...scored, score: least / (place + 2) }));
}

/** Whether a ranked row may be a hit. It may read texts: its steps are taken again until all that it read is at hand. */
type HitRule = (scored: Scored) => boolean;

function relevance(input: PageInput, ranked: Ranked, least: number): HitRule {
  const ratingOf = ratings(ranked);
  const rate = (scored: Scored): number => ratingOf(scored).takeAll(input.text(scored)).takeHeadings(input.headings(scored)).value;
  return (scored) => rate(scored) >= least;
}

/** Each part by itself: what is left out of one brings no row of the next into it. */
function* allowedParts(parts: readonly Scored[][], rules: readonly HitRule[]): RankingSteps<Scored[][]> {
  if (rules.length === 0) return [...parts];
  const allowed: Scored[][] = [];
  for (const part of parts) {
    const own: Scored[] = [];
    for (let from = 0; from < part.length; from += textsAtOnce) {
      const few = part.slice(from, from + textsAtOnce);
      own.push(...(yield* read(() => few.filter((scored) => rules.every((allows) => allows(scored))))));
    }
    allowed.push(own);
  }
  return allowed;
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
