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
 * answer (cranfield +3 %) must not hurt where one does (drcd; titles against abstracts; half a text against its other half).
 */
import type { SearchMode } from '../document-index.ts';
import { hasPhrases, type Phrase, phrasesOf, rowsThatMayHave } from './phrases.ts';
import { nearness, wordPairs } from './proximity.ts';
import { feedbackTerms, queryTokens, repairedTerms, replaced, withSynonyms, writtenTerms, type QueryTerm } from './query-terms.ts';
import { synonymTerms } from './synonyms.ts';
import { type Asked, askedNothing, askedOf } from './relevance.ts';
import { addSiblings, bestRows, byScore, idf, scoreInSteps, type Scored, type Scores } from './scorer.ts';
import { read, type RankingSteps } from './steps.ts';
import type { Segment } from '../index/segments.ts';
import type { Snapshot } from '../index/snapshot.ts';
import type { Stop } from '../stop.ts';
import type { Token } from '../analysis/tokens.ts';
import type { Near } from '../index/vectors.ts';
import { answersAcross, interleave } from '../translation/across.ts';
import type { Dictionary } from '../translation/dictionary.ts';
import type { Vocabulary } from '../analysis/vocabulary.ts';

export const tuning = {
  /** Share of a document's best other chunk in each of its chunks' scores. */
  siblingShare: 0.1,
  feedback: { chunks: 10, terms: 20, shareMax: 0.2, postingsMax: 1_000_000 },
  /** Share of the feedback where the tenth answer is as good as the first; less, by the square, where it is not. */
  feedbackWeight: 0.3,
  feedbackPower: 2,
  /** Terms of a query beyond which it says enough by itself: feedback weighs less, in proportion. */
  feedbackTerms: 12,
  nearWeight: 0.15,
  nearChunks: 32,
  /** Best of each ranking that are fused, and the usual constant of reciprocal rank fusion. */
  nearestChunks: 200,
  rankOffset: 60,
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
  readonly snapshot: Snapshot;
  readonly vocabulary: Vocabulary;
  /** The chunks nearest by vector, best first; null where the embedder makes none. */
  readonly near: ((limit: number) => readonly Near[]) | null;
  readonly query: string;
  readonly mode: SearchMode;
  readonly allowed: (segment: Segment) => Uint8Array | null;
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
  const { snapshot } = input;
  const { segments, collection } = snapshot;
  const tokens = queryTokens(input.query);
  const { terms, replacements } = yield* read(() => {
    const written = writtenTerms(tokens, segments);
    const { terms: read, replacements } =
      input.mode === 'keyword' ? { terms: written, replacements: [] } : repairedTerms(tokens, written, segments, repairing(input));
    return { terms: withSynonyms(read, synonymTerms(input.query, input.synonyms ?? []), segments), replacements };
  });
  const asked = askedOf(tokens, terms, collection);
  const shownFor = replaced(input.query, replacements);
  if (input.mode === 'vector' && input.near !== null) {
    const top = nearRows(input, input.near);
    return { top, total: top.length, terms, tokens, asked, askedAcross: askedNothing, shownFor };
  }
  const scores = yield* scoreInSteps(terms, segments, collection, input.allowed);
  addSiblings(scores, segments, tuning.siblingShare);
  const phrases = phrasesOf(input.query);
  const quoted = phrases.length === 0 ? [] : yield* withPhrases(phrases, input, scores);
  const ranked = yield* rankScored(input, scores, terms, tokens);
  const { top, total, marks, askedAcross } = yield* withOtherLanguage(input, ranked);
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

function repairing({ vocabulary, dictionary }: RankingInput) {
  return { vocabulary, homophones: (character: string) => dictionary()?.homophones(character) ?? [] };
}

/** The same with what the other language answers to the translated question, where it has a better answer or one nearly as good. */
function* withOtherLanguage(
  input: RankingInput,
  ranked: { readonly top: readonly Scored[]; readonly total: number },
): RankingSteps<{ top: readonly Scored[]; total: number; marks: readonly string[]; askedAcross: Asked }> {
  const { segments } = input.snapshot;
  const across =
    input.mode === 'hybrid' ? yield* answersAcross({ ...input, segments, siblingShare: tuning.siblingShare }, ranked.top) : null;
  if (across === null) return { ...ranked, marks: [], askedAcross: askedNothing };
  const top = interleave(ranked.top, across, input.limit);
  return { top, total: Math.max(ranked.total, across.total, top.length), marks: across.marks, askedAcross: across.asked };
}

/** The rows, best first, whose texts have every phrase; a few texts at a time. */
function* withPhrases(phrases: readonly Phrase[], input: RankingInput, scores: Scores): RankingSteps<Scored[]> {
  const { segments } = input.snapshot;
  const found: Scored[] = [];
  const candidates = yield* read(() => rowsThatMayHave(phrases, { ...input, scores, segments }));
  for (let from = 0; from < candidates.length; from += textsAtOnce) {
    const few = candidates.slice(from, from + textsAtOnce);
    found.push(...(yield* read(() => few.filter((scored) => hasPhrases(input.text(scored), phrases)))));
  }
  return found;
}

function* rankScored(
  input: RankingInput,
  scores: Scores,
  terms: readonly QueryTerm[],
  tokens: readonly Token[],
): RankingSteps<{ top: readonly Scored[]; total: number }> {
  const { allowed, limit } = input;
  const first = bestRows(scores, input.snapshot.segments, allowed, Math.max(limit, tuning.feedback.chunks));
  if (input.mode === 'keyword') return first;
  if (input.near !== null) {
    const near = nearRows(input, input.near);
    const top = fuse(yield* byNearness(input, first.top, terms, tokens), near, limit);
    return { top, total: first.total + countUnscored(near, scores, input.snapshot.segments) };
  }
  const widened = yield* addFeedback(input, scores, first, terms);
  return input.mode === 'hybrid' ? { ...widened, top: yield* byNearness(input, widened.top, terms, tokens) } : widened;
}

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

/** How many of them no word of the query found. */
function countUnscored(near: readonly Scored[], scores: Scores, segments: readonly Segment[]): number {
  const scoresOf = new Map(segments.map((segment, at) => [segment, scores[at]!]));
  return near.filter(({ segment, row }) => scoresOf.get(segment)![row]! <= 0).length;
}

/** Reciprocal ranks added up: no scale to tune between two kinds of scores. */
function fuse(first: readonly Scored[], second: readonly Scored[], limit: number): Scored[] {
  const fused = new Map<number, Scored>();
  for (const list of [first, second]) {
    for (const [rank, scored] of list.slice(0, tuning.nearestChunks).entries()) {
      const score = (fused.get(scored.chunkId)?.score ?? 0) + 1 / (tuning.rankOffset + rank + 1);
      fused.set(scored.chunkId, { ...scored, score });
    }
  }
  const rest = first
    .slice(tuning.nearestChunks)
    .map((scored, i) => ({ ...scored, score: 1 / (2 * (tuning.rankOffset + tuning.nearestChunks + i)) }));
  const unique = rest.filter(({ chunkId }) => !fused.has(chunkId));
  return [...fused.values()].sort(byScore).concat(unique).slice(0, limit);
}

/** The second opinion without vectors. In `vector` mode it weighs as much as the first. */
function* addFeedback(
  input: RankingInput,
  scores: Scores,
  first: { readonly top: readonly Scored[]; readonly total: number },
  terms: readonly QueryTerm[],
): RankingSteps<{ top: readonly Scored[]; total: number }> {
  const { segments, collection } = input.snapshot;
  const { top } = first;
  const best = yield* read(() => top.slice(0, tuning.feedback.chunks).map((scored) => ({ scored, text: input.text(scored) })));
  const feedback = yield* read(() => feedbackTerms(best, terms, segments, collection, tuning.feedback));
  if (feedback.length === 0) return first;
  const second = yield* scoreInSteps(feedback, segments, collection, input.allowed);
  const evenness = top[Math.min(top.length, tuning.feedback.chunks) - 1]!.score / top[0]!.score;
  const need = Math.min(1, tuning.feedbackTerms / terms.length);
  const weight = input.mode === 'vector' ? 1 : tuning.feedbackWeight * need * evenness ** tuning.feedbackPower;
  const combined = combine(scores, second, (weight * top[0]!.score) / highest(second, input));
  return bestRows(combined, segments, input.allowed, input.limit);
}

/** The best score of a row that may be found; 1 when there is none. */
function highest(scores: Scores, input: RankingInput): number {
  let best = 0;
  for (const [at, segment] of input.snapshot.segments.entries()) {
    const allowed = input.allowed(segment);
    const list = scores[at]!;
    for (let row = 0; row < list.length; row++) {
      if (list[row]! > best && (allowed === null || allowed[row] === 1)) best = list[row]!;
    }
  }
  return best === 0 ? 1 : best;
}

function combine(first: Scores, second: Scores, weight: number): Scores {
  for (const [at, scores] of first.entries()) {
    const others = second[at]!;
    for (let row = 0; row < scores.length; row++) scores[row]! += weight * others[row]!;
  }
  return first;
}

/** Puts the first answers in order again by how near each other they have the words of the query. */
function* byNearness(
  input: RankingInput,
  top: readonly Scored[],
  terms: readonly QueryTerm[],
  tokens: readonly Token[],
): RankingSteps<readonly Scored[]> {
  const { collection } = input.snapshot;
  const weights = new Map(terms.map(({ term, postings }) => [term, postings.chunks === 0 ? 0 : idf(postings.chunks, collection)]));
  const pairs = wordPairs(tokens, (term) => weights.get(term) ?? 0);
  if (pairs.length === 0 || top.length === 0) return top;
  const scale = tuning.nearWeight * top[0]!.score;
  const first = yield* read(() => top.slice(0, tuning.nearChunks).map((scored) => ({ scored, text: input.text(scored) })));
  const near = first.map(({ scored, text }) => ({ ...scored, score: scored.score + scale * nearness(text, pairs) }));
  return [...near.sort(byScore), ...top.slice(tuning.nearChunks)];
}
