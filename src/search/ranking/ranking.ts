/**
 * The order of the answers.
 *
 * - keyword: BM25 of the words as written, a little of it shared between the chunks of one document.
 * - hybrid: typing errors repaired, then BM25 plus a second opinion: the embedder's vectors where there is one, else the words
 *   that the best answers share. The first ones are put in order by how close together they have the words of the query.
 * - vector: the second opinion alone.
 *
 * What has a quoted part of the query word for word comes first. Nothing here depends on how the index lies in segments: a page
 * asked for before a merge and the next one asked for after it show each hit once.
 *
 * Weights by measurement (`npm run eval`), with known-item questions as the counterweight: feedback that helps where many texts
 * answer (cranfield +0.025 nDCG@10) must not hurt where one does (drcd; titles against abstracts; a sentence against its text). What tells
 * the two apart is whether one of the best answers has all that was asked for.
 */
import type { SearchMode } from '../document-index.ts';
import { contextReadings, placesOf } from './context-readings.ts';
import { feedbackTerms } from './feedback.ts';
import { fuse } from './fusion.ts';
import { hasPhrases, type Phrase, phrasesOf, rowsThatMayHave } from './phrases.ts';
import { nearnessOf, wordPairs } from './proximity.ts';
import {
  affordable,
  queryWords,
  readAs,
  repairedTerms,
  replaced,
  tellingWords,
  withSynonyms,
  type Repaired,
  type Spelling,
  writtenTerms,
  type QueryTerm,
} from './query-terms.ts';
import { inFoundValue } from './sound-alikes.ts';
import { synonymTerms } from './synonyms.ts';
import { type Asked, askedNothing, askedOf, ratings } from './relevance.ts';
import { bestRows, topRows, type Worth, worthOfRow } from './best-rows.ts';
import { byScore, letGo, rarity, scoreInSteps, type Scored, type Scores } from './scorer.ts';
import { read, type RankingSteps } from './steps.ts';
import { type Allowed, mayRuns } from '../index/allowed.ts';
import type { Segment } from '../index/segments.ts';
import type { Searched } from '../index/snapshot.ts';
import type { Stop } from '../stop.ts';
import type { Token } from '../analysis/tokens.ts';
import type { Near } from '../index/vectors.ts';
import { answersAcross, interleave } from '../translation/across.ts';
import { weighedIn } from '../translation/chunk-languages.ts';
import { clearLanguage, isEnglishWord, segmentChinese } from '../translation/concepts.ts';
import type { Dictionary } from '../translation/dictionary.ts';
import type { WordNeighbours } from '../analysis/vocabulary.ts';

export const tuning = {
  /** Share of a document's best other chunk in each of its chunks' scores. */
  siblingShare: 0.1,
  feedback: { chunks: 10, terms: 20, shareMax: 0.2, postingsMax: 1_000_000 },
  /** Terms of a query beyond which it says enough by itself: feedback weighs less, by the square of that proportion. */
  feedbackTerms: 12,
  /** Weight of the feedback where nothing of the question is in the best answers and the tenth is as good as the first; less in proportion. */
  feedbackWeight: 2,
  /** Its least weight: what shares only such words is still found, behind. */
  feedbackLeast: 0.01,
  /** Best answers of which one that has all of the question says that no more words are needed. */
  coveringChunks: 3,
  /** Best answers that are looked into for what a question may have meant. */
  contextChunks: 16,
  nearWeight: 0.15,
  nearChunks: 32,
  /** Nearest vectors that are looked up. */
  nearestChunks: 200,
};

/** Texts that are read in one step. */
const textsAtOnce = 16;

export type Ranked = {
  readonly top: readonly Scored[];
  /** Chunks that match, those included that share only what widens the query. */
  readonly total: number;
  /** What to mark in the hits. */
  readonly terms: readonly Pick<QueryTerm, 'term'>[];
  readonly tokens: readonly Token[];
  /** What the question asks for, by which passages are rated. */
  readonly asked: Asked;
  /** The same in the other language, for what was found by the translation of the question. */
  readonly askedAcross: Asked;
  /** The question as it was read, where words were put in the place of what no text has; else null. */
  readonly shownFor: string | null;
};

export type RankingInput = {
  /** The text of the chunk that a row stands for. */
  readonly text: (scored: Scored) => string;
  readonly snapshot: Searched;
  readonly vocabulary: WordNeighbours;
  /** The chunks nearest by vector, best first; null where the embedder makes none. */
  readonly near: ((limit: number) => readonly Near[]) | null;
  readonly query: string;
  readonly mode: SearchMode;
  readonly allowed: Allowed;
  /** Rows to return at most. */
  readonly limit: number;
  /** Groups of words that stand for each other. */
  readonly synonyms?: readonly (readonly string[])[];
  /** What questions are translated with in `hybrid`, opened when first needed; null where there is none. */
  readonly dictionary: () => Dictionary | null;
};

/** Takes all steps at once, until it is stopped. Call inside a read transaction. */
export function runSteps<T>(stop: Stop, steps: RankingSteps<T>): T {
  let step = steps.next();
  while (!step.done) {
    stop.check();
    step = steps.next(step.value());
  }
  return step.value;
}

/** Ranks the chunks that may be found. What is read may not be at hand at once: whoever drives it may run a step as often as it takes. */
export function* rankInSteps(input: RankingInput): RankingSteps<Ranked> {
  const words = queryWords(input.query);
  const { segments } = input.snapshot;
  const collection = yield* weighedIn(clearLanguage(words), input.snapshot);
  return yield* rankQuestion({ ...input, words, snapshot: { segments, collection } });
}

/** `snapshot`: with the figures of what the question is weighed by. */
type QuestionInput = RankingInput & { readonly words: readonly Token[] };

function* rankQuestion(input: QuestionInput): RankingSteps<Ranked> {
  const { segments, collection } = input.snapshot;
  const tokens = tellingWords(input.words);
  const known = yield* readTerms(input, tokens, segments);
  if (input.mode === 'vector' && input.near !== null) return nearestOf(input, input.near, tokens, known);
  const written = yield* worthBy(input, known.terms);
  const understood = input.mode === 'keyword' ? known : yield* readInContext(input, tokens, known, written);
  const { terms, replacements } = understood;
  const asked = askedOf(tokens, terms, collection);
  const shownFor = replaced(input.query, replacements);
  const worth = understood === known ? written : yield* worthBy(input, terms);
  const phrases = phrasesOf(input.query);
  const quoted = phrases.length === 0 ? [] : yield* withPhrases(phrases, input, worth);
  const ranked = yield* rankScored(input, worth, { terms, tokens, asked });
  const { top, total, marks, askedAcross } = yield* withOtherLanguage(input, terms, ranked);
  for (const { scores } of new Set([written, worth])) letGo(scores, segments, input.allowed);
  return {
    top: inFront(quoted, top, input.limit),
    total,
    terms: [...terms, ...marks.map((term) => ({ term }))],
    tokens,
    asked,
    askedAcross,
    shownFor,
  };
}

/** What vectors alone find; the words only mark and rate it. */
function nearestOf(
  input: RankingInput,
  near: (limit: number) => readonly Near[],
  tokens: readonly Token[],
  { terms, replacements }: Repaired,
): Ranked {
  const top = nearRows(input, near);
  const asked = askedOf(tokens, terms, input.snapshot.collection);
  const shownFor = replaced(input.query, replacements);
  return { top, total: top.length, terms, tokens, asked, askedAcross: askedNothing, shownFor };
}

function* worthBy({ snapshot, allowed }: RankingInput, terms: readonly QueryTerm[]): RankingSteps<Worth> {
  const scores = yield* scoreInSteps(terms, snapshot.segments, snapshot.collection, allowed);
  return { scores, siblingShare: tuning.siblingShare };
}

/** The same with what the best answers have where the question has what none of them has. */
function* readInContext(input: RankingInput, tokens: readonly Token[], known: Repaired, worth: Worth): RankingSteps<Repaired> {
  const { segments } = input.snapshot;
  const chunksOf = new Map(known.terms.map(({ term, postings }) => [term, postings.chunks]));
  const isInValue = inFoundValue(tokens, chunksOf);
  const isReplaced = ({ start, end }: Token): boolean => known.replacements.some((one) => one.start < end && start < one.end);
  const isSettled = (character: Token): boolean => isReplaced(character) || isInValue(character);
  const spots = placesOf({ tokens, chunksOf, isSettled });
  if (spots.length === 0) return known;
  const top = topRows(worth, segments, input.allowed, tuning.contextChunks);
  const shareOf = ({ score }: Scored): number => (score / top[0]!.score) ** 2;
  const best = yield* read(() => top.map((scored) => ({ text: input.text(scored), share: shareOf(scored) })));
  const readings = contextReadings(spots, best, { tokens, wordsOf: repairing(input).wordsOf });
  return readings.length === 0 ? known : yield* read(() => readAs(known, readings, segments));
}

/** What the terms of a question depend on. */
type TermsInput = Pick<RankingInput, 'query' | 'mode' | 'synonyms' | 'vocabulary' | 'dictionary'>;

/**
 * The terms of a question: repaired, but not in `keyword`, and with what stands for them. How common the words are is known before anything is
 * repaired: while postings are not at hand each seems to be one that no text has.
 */
export function* readTerms(input: TermsInput, tokens: readonly Token[], segments: readonly Segment[]): RankingSteps<Repaired> {
  const written = yield* read(() => writtenTerms(tokens, segments));
  return yield* read(() => {
    const { terms, replacements } =
      input.mode === 'keyword' ? { terms: written, replacements: [] } : repairedTerms(tokens, written, segments, repairing(input));
    const synonyms = synonymTerms(input.query, input.synonyms ?? []);
    return { terms: affordable(withSynonyms(terms, synonyms, segments)), replacements };
  });
}

/** The dictionary is opened when something is about to be repaired. */
function repairing({ vocabulary, dictionary }: TermsInput): Spelling {
  return {
    vocabulary,
    homophones: (character) => dictionary()?.homophones(character) ?? [],
    isWord(surface) {
      const known = dictionary();
      return known !== null && isEnglishWord(surface, known);
    },
    wordsOf(run) {
      const known = dictionary();
      return known === null ? Array.from(run) : segmentChinese(run, known);
    },
  };
}

/** The same with what the other language answers to the translated question, where it has a better answer or one nearly as good. */
function* withOtherLanguage(
  input: QuestionInput,
  terms: readonly QueryTerm[],
  ranked: { readonly top: readonly Scored[]; readonly total: number },
): RankingSteps<{ top: readonly Scored[]; total: number; marks: readonly string[]; askedAcross: Asked }> {
  if (input.mode !== 'hybrid') return { ...ranked, marks: [], askedAcross: askedNothing };
  const { segments } = input.snapshot;
  const known = new Map(terms.map(({ term, postings }) => [term, postings]));
  const across = yield* answersAcross({ ...input, segments, known, siblingShare: tuning.siblingShare }, ranked.top);
  if (across === null) return { ...ranked, marks: [], askedAcross: askedNothing };
  const top = interleave(ranked.top, across, input.limit);
  return { top, total: Math.max(ranked.total, across.total, top.length), marks: across.marks, askedAcross: across.asked };
}

/** The rows, best first, whose texts have every phrase; a few texts at a time. */
function* withPhrases(phrases: readonly Phrase[], input: RankingInput, worth: Worth): RankingSteps<Scored[]> {
  const { segments } = input.snapshot;
  const found: Scored[] = [];
  const candidates = yield* read(() => rowsThatMayHave(phrases, { ...input, worth, segments }));
  for (let from = 0; from < candidates.length; from += textsAtOnce) {
    const few = candidates.slice(from, from + textsAtOnce);
    found.push(...(yield* read(() => few.filter((scored) => hasPhrases(input.text(scored), phrases)))));
  }
  return found;
}

function* rankScored(
  input: RankingInput,
  worth: Worth,
  question: Question,
): RankingSteps<{ top: readonly Scored[]; total: number }> {
  const { terms, tokens, asked } = question;
  const { allowed, limit, near } = input;
  const { segments, collection } = input.snapshot;
  if (input.mode === 'keyword') return bestRows(worth, segments, allowed, limit);
  if (near === null) {
    const widened = yield* addFeedback(input, worth, question);
    return input.mode === 'hybrid' ? { ...widened, top: yield* byNearness(input, widened.top, terms, tokens) } : widened;
  }
  const first = bestRows(worth, segments, allowed, limit);
  const byVector = nearRows(input, near);
  const byWords = yield* byNearness(input, first.top, terms, tokens);
  const texts = yield* read(() => byWords.slice(0, tuning.coveringChunks).map(input.text));
  const wordsOf = scoreOf(worth, segments);
  const opinions = { byWords, byVector, wordsOf, covered: coverage(texts, asked), chunks: collection.chunks };
  const unscored = byVector.filter((scored) => wordsOf(scored) <= 0).length;
  return { top: fuse(opinions).slice(0, limit), total: first.total + unscored };
}

/** A question as it was read. */
type Question = Pick<Ranked, 'tokens' | 'asked'> & { readonly terms: readonly QueryTerm[] };

/** What has a quoted phrase comes before what does not, and its score says so. */
function inFront(quoted: readonly Scored[], top: readonly Scored[], limit: number): readonly Scored[] {
  if (quoted.length === 0) return top;
  const chosen = new Set(quoted.map(({ chunkId }) => chunkId));
  const highest = top[0]?.score ?? 0;
  const lifted = quoted.map((scored) => ({ ...scored, score: scored.score + highest }));
  return [...lifted, ...top.filter(({ chunkId }) => !chosen.has(chunkId))].slice(0, limit);
}

function nearRows(input: RankingInput, near: (limit: number) => readonly Near[]): Scored[] {
  const rows: Scored[] = [];
  for (const { document, chunkId, similarity } of near(tuning.nearestChunks)) {
    for (const segment of input.snapshot.segments) {
      const run = segment.runsOf(document)[0];
      if (run === undefined) continue;
      rows.push({ segment, row: run.firstRow + chunkId - run.firstChunk, chunkId, score: similarity });
      break;
    }
  }
  return rows;
}

/** The score by words of any row. */
function scoreOf(worth: Worth, segments: readonly Segment[]): (scored: Scored) => number {
  const places = new Map(segments.map((segment, at) => [segment, at]));
  return ({ segment, row }) => worthOfRow(worth, places.get(segment)!, segment, row);
}

/** Share of the question, by what each part of it tells, that one of the best answers has. */
function coverage(texts: readonly string[], asked: Asked): number {
  const rate = ratings({ asked, askedAcross: askedNothing });
  return Math.max(0, ...texts.slice(0, tuning.coveringChunks).map((text) => rate({}).takeAll(text).value));
}

/** The second opinion without vectors. In `vector` mode it weighs as much as the first. */
function* addFeedback(
  input: RankingInput,
  worth: Worth,
  { terms, asked }: Question,
): RankingSteps<{ top: readonly Scored[]; total: number }> {
  const { segments, collection } = input.snapshot;
  const top = topRows(worth, segments, input.allowed, tuning.feedback.chunks);
  const best = yield* read(() => top.map((scored) => ({ scored, text: input.text(scored) })));
  const feedback = yield* read(() => feedbackTerms(best, terms, segments, collection, tuning.feedback));
  if (feedback.length === 0) return bestRows(worth, segments, input.allowed, input.limit);
  const second = yield* scoreInSteps(feedback, segments, collection, input.allowed);
  const evenness = top.at(-1)!.score / top[0]!.score;
  const covered = coverage(
    best.map(({ text }) => text),
    asked,
  );
  const weight = input.mode === 'vector' ? 1 : feedbackWeight({ covered, evenness, terms: terms.length });
  const beside = { scores: second, weight: (weight * top[0]!.score) / highest(second, input) };
  const found = bestRows({ ...worth, beside }, segments, input.allowed, input.limit);
  letGo(second, segments, input.allowed);
  return found;
}

function feedbackWeight({ covered, evenness, terms }: { covered: number; evenness: number; terms: number }): number {
  const enough = Math.min(1, tuning.feedbackTerms / terms) ** 2;
  return Math.max(tuning.feedbackLeast, tuning.feedbackWeight * (1 - covered) * evenness * enough);
}

/** The best score of a row that may be found; 1 when there is none. */
function highest(scores: Scores, input: RankingInput): number {
  let best = 0;
  for (const [at, segment] of input.snapshot.segments.entries()) {
    const allowed = input.allowed(segment);
    const list = scores[at]!;
    for (const { firstRow, chunks } of mayRuns(segment, allowed)) {
      if (allowed !== null && allowed[firstRow] === 0) continue;
      for (let row = firstRow; row < firstRow + chunks; row++) if (list[row]! > best) best = list[row]!;
    }
  }
  return best === 0 ? 1 : best;
}

/** Puts the first answers in order again by how near each other they have the words of the query. */
function* byNearness(
  input: RankingInput,
  top: readonly Scored[],
  terms: readonly QueryTerm[],
  tokens: readonly Token[],
): RankingSteps<readonly Scored[]> {
  const { collection } = input.snapshot;
  const weights = new Map(terms.map(({ term, postings }) => [term, postings.chunks === 0 ? 0 : rarity(postings, collection)]));
  const pairs = wordPairs(tokens, (term) => weights.get(term) ?? 0);
  if (pairs.length === 0 || top.length === 0) return top;
  const scale = tuning.nearWeight * top[0]!.score;
  const first = yield* read(() => top.slice(0, tuning.nearChunks).map((scored) => ({ scored, text: input.text(scored) })));
  const nearness = nearnessOf(pairs);
  const near = first.map(({ scored, text }) => ({ ...scored, score: scored.score + scale * nearness(text) }));
  return [...near.sort(byScore), ...top.slice(tuning.nearChunks)];
}
