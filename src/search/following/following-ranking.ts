/** Our own ranking over what another engine found: which terms to ask it for, and the order of what it answers. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SearchQuery } from '../document-index.ts';
import type { Searched } from '../index/snapshot.ts';
import { type Among, pageInSteps, type RankedPage } from '../ranking/page.ts';
import { feedbackTerms } from '../ranking/feedback.ts';
import { queryWords, type QueryTerm, tellingWords } from '../ranking/query-terms.ts';
import { readTerms, tuning } from '../ranking/ranking.ts';
import { bestRows } from '../ranking/best-rows.ts';
import { idf, scoreInSteps } from '../ranking/scorer.ts';
import { read, type RankingSteps } from '../ranking/steps.ts';
import type { Token } from '../analysis/tokens.ts';
import type { Stop } from '../stop.ts';
import { termsAcross } from '../translation/across.ts';
import { weighedIn } from '../translation/chunk-languages.ts';
import { clearLanguage } from '../translation/concepts.ts';
import type { Dictionary } from '../translation/dictionary.ts';
import type { CollectionFacts } from './collection-facts.ts';
import type { TermQuestion } from './following-searcher.ts';

/** Distinct terms that an engine is asked for at once; of a longer question the commonest are left out. */
const termsMax = 256;
/** What widens a question beside what was asked. */
const widerShare = 0.02;

/** Candidates with their texts, and what is known of their collection. */
export type Scene = {
  readonly searched: Searched;
  readonly facts: CollectionFacts;
  readonly text: (chunk: number) => string;
  readonly headings: (chunk: number) => string;
  /** What questions are translated with; null where there is nothing. */
  readonly dictionary: () => Dictionary | null;
};

/** Takes each step until it lacked nothing. */
export async function drive<T>({ facts }: Scene, stop: Stop, steps: RankingSteps<T>): Promise<T> {
  let step = steps.next();
  while (!step.done) {
    await nextTurn();
    stop.check();
    const work = step.value;
    step = steps.next(await facts.complete(work));
  }
  return step.value;
}

type Terms = TermQuestion['terms'];

/** What a question asks for, before anything was found: its words, repaired and with what stands for them, and those of the other language. */
export type Reading = { readonly own: Terms; readonly across: Terms };

export function* readQuestion(query: SearchQuery, scene: Scene): RankingSteps<Reading> {
  const { segments } = scene.searched;
  const words = queryWords(query.query);
  const collection = yield* weighedIn(clearLanguage(words), scene.searched);
  const terms = yield* termsOf(query, words, scene);
  const dictionary = query.mode === 'hybrid' ? scene.dictionary() : null;
  const across = dictionary === null ? [] : yield* read(() => termsAcross(words, dictionary, segments));
  const weighed = (term: string, weight: number): Terms[number] => ({
    term,
    weight: weight * idf(Math.min(collection.chunks, scene.facts.count(term)), collection),
  });
  return {
    own: rarest(terms.map(({ term, weight }) => weighed(term, weight))),
    across: rarest(across.map((term) => weighed(term, 1))),
  };
}

function rarest(terms: Terms): Terms {
  return terms.toSorted((a, b) => b.weight - a.weight).slice(0, termsMax);
}

function* termsOf(
  query: SearchQuery,
  words: readonly Token[],
  { searched, facts, dictionary }: Scene,
): RankingSteps<readonly QueryTerm[]> {
  const input = { ...query, vocabulary: facts, dictionary };
  const { terms } = yield* readTerms(input, tellingWords(words), searched.segments);
  return terms.filter(({ postings }) => postings.chunks > 0);
}

/** What the best candidates share and the question lacks. */
export function* wideningTerms(query: SearchQuery, scene: Scene): RankingSteps<Terms> {
  const { segments } = scene.searched;
  const words = queryWords(query.query);
  const collection = yield* weighedIn(clearLanguage(words), scene.searched);
  const terms = yield* termsOf(query, words, scene);
  const scores = yield* scoreInSteps(terms, segments, collection);
  const { top } = bestRows({ scores, siblingShare: tuning.siblingShare }, segments, () => null, tuning.feedback.chunks);
  const best = top.map((scored) => ({ scored, text: scene.text(scored.chunkId) }));
  const wider = yield* read(() => feedbackTerms(best, terms, segments, collection, tuning.feedback));
  return wider.map(({ term, weight }) => ({ term, weight: weight * widerShare }));
}

export function rankedCandidates(
  { filter: _filter, collection: _collection, context: _context, ...asked }: SearchQuery,
  { searched, facts, text, headings, dictionary }: Scene,
  among: Among,
): RankingSteps<RankedPage> {
  return pageInSteps({
    text: ({ chunkId }) => text(chunkId),
    headings: ({ chunkId }) => headings(chunkId),
    snapshot: searched,
    vocabulary: facts,
    near: null,
    asked,
    allowed: () => null,
    dictionary,
    among,
  });
}
