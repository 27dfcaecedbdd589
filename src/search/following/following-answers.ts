/**
 * Answers where a searcher follows: it is asked for the terms of a question, and what it finds is put in order by our own ranking, which
 * reads the candidates as the arbiter has them. Costs the searcher three questions, and here the cutting of some hundred texts.
 */
import type { Embedder } from '../../embed/embedder.ts';
import type { DocumentSearcher, SearchQuery } from '../document-index.ts';
import type { Reranker } from '../models/reranker.ts';
import { poolHits } from '../ranking/diversify.ts';
import { pageRows, type PageRow } from '../ranking/page.ts';
import type { Ranked } from '../ranking/ranking.ts';
import { type AskIndex, type IndexAnswer, Searcher } from '../ranking/searcher.ts';
import type { Stop } from '../stop.ts';
import { dictionaryFor } from '../translation/dictionary.ts';
import { type Candidate, createTermCutter, rowsBehind, searchedAmong } from './candidates.ts';
import { CollectionFacts } from './collection-facts.ts';
import { drive, rankedCandidates, readQuestion, type Scene, wideningTerms } from './following-ranking.ts';
import type { FollowingSearcher, Found, TermQuestion } from './following-searcher.ts';

export type { AskIndex, Candidate, IndexAnswer };

/** What the arbiter says of a collection now. */
export type ArbiterView = {
  chunks(): Promise<number>;
  /** Those of these chunks that are still there, in any order. */
  candidates(ids: readonly number[]): Promise<readonly Candidate[]>;
};

/** `hasGone`: the searcher has found what is not there any more. `ranked` is null where nothing can be found. */
export type FollowingAnswer = {
  readonly rows: readonly PageRow[];
  readonly ranked: Ranked | null;
  readonly total: number;
  readonly hasGone: boolean;
};

type Where = {
  readonly collection: string;
  /** Those that may be found; null for all. */
  readonly documents: ReadonlySet<number> | null;
  readonly view: ArbiterView;
  readonly stop: Stop;
};

export interface FollowingAnswers {
  answer(query: SearchQuery, where: Where): Promise<FollowingAnswer>;
  /** From a question to a page of hits, with the second reading of the first ones. */
  searchBy(ask: AskIndex): DocumentSearcher['search'];
}

/**
 * Chunks that our own ranking puts in order, the same ones for every page: what is found besides lies behind them in the searcher's order, and
 * more of it is asked for a later page.
 */
const rankedMax = poolHits;
/** Chunks of the other language that are looked at. */
const acrossMax = 128;

export function createFollowingAnswers(
  searcher: FollowingSearcher,
  options: { readonly embedder: Embedder; readonly reranker?: Reranker | null; readonly translates?: boolean },
): FollowingAnswers {
  const dictionary = dictionaryFor(options.translates);

  async function answer(query: SearchQuery, { collection, documents, view, stop }: Where): Promise<FollowingAnswer> {
    const chunks = await view.chunks();
    if (chunks === 0) return nothing;
    const facts = new CollectionFacts(searcher, collection);
    const known = new Map<number, Candidate>();
    const cut = createTermCutter();

    const find = async (terms: TermQuestion['terms'], limit: number): Promise<Found> => {
      stop.check();
      const found = terms.length === 0 ? { chunks: [], total: 0 } : await searcher.find({ collection, terms, documents, limit });
      const fresh = found.chunks.filter((id) => !known.has(id));
      for (const candidate of fresh.length === 0 ? [] : await view.candidates(fresh)) known.set(candidate.id, candidate);
      return found;
    };
    const sceneOf = async (ids: readonly number[]): Promise<Scene> => {
      const candidates = ids.flatMap((id) => known.get(id) ?? []);
      const searched = searchedAmong(candidates, await cut(candidates), chunks, facts);
      const text = (id: number): string => known.get(id)!.text;
      const headings = (id: number): string => known.get(id)!.section.join('\n');
      return { searched, facts, text, headings, dictionary };
    };

    const blank = await sceneOf([]);
    const { own, across } = await drive(blank, stop, readQuestion(query, blank));
    if (own.length + across.length === 0) return nothing;
    facts.assumeMarkers();
    const limit = pageRows(query);
    const widens = query.mode !== 'keyword';
    let found = await find(own, widens ? rankedMax : limit);
    if (widens && found.total > 0) {
      const first = await sceneOf(found.chunks);
      const wider = await drive(first, stop, wideningTerms(query, first));
      if (wider.length > 0 || (found.total > rankedMax && limit > rankedMax)) found = await find([...own, ...wider], limit);
    }
    const translated = await find(across, acrossMax);
    const ids = new Set([...found.chunks.slice(0, rankedMax), ...translated.chunks]);
    const behind = found.chunks.slice(rankedMax).filter((id) => !ids.has(id));
    const last = await sceneOf([...ids]);
    const among = {
      ranked: rankedMax + acrossMax,
      behind: rowsBehind(
        behind.flatMap((id) => known.get(id) ?? []),
        facts,
      ),
    };
    const { rows, ranked, total } = await drive(last, stop, rankedCandidates(query, last, among));
    return {
      rows,
      ranked,
      total: query.minRelevance === undefined ? Math.max(total, found.total) : total,
      hasGone: [...ids, ...behind].some((id) => !known.has(id)),
    };
  }

  return {
    answer,
    searchBy(ask) {
      const asking = new Searcher(ask, options.embedder, options.reranker ?? null);
      return (query, stop) => asking.search(query, stop);
    },
  };
}

const nothing: FollowingAnswer = { rows: [], ranked: null, total: 0, hasGone: false };
