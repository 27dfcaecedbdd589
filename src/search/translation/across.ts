/**
 * Answers in the other language: a question's words are looked for as their translations, each word as one term (its translations'
 * counts added, their chunks counted once), among the chunks that are in the other language and by those chunks' statistics.
 *
 * How much of the question the best answers of either language have (`coverage`) says how many places the other language gets: its scores
 * and those of the question's own language are not of one scale, and ranks say nothing of how good the first is. In an index of both the
 * difference, as a share of the greater, is −0.35 to 0.78 where the other language has the answer and −0.83 to −0.11 where it has not
 * (5 % and 95 %; with the thresholds below 80 % of the former are found in ten, and the latter lose 0.002 nDCG@10).
 */
import type { Token } from '../analysis/tokens.ts';
import type { Segment } from '../index/segments.ts';
import { bestRows, topRows } from '../ranking/best-rows.ts';
import { chunksWith, type Collection, idf, letGo, type Scored, scoreInSteps, type TermPostings } from '../ranking/scorer.ts';
import { type Asked, forWeighing } from '../ranking/relevance.ts';
import { read, type RankingSteps } from '../ranking/steps.ts';
import { hasLanguage, type LanguageRows, learnLanguages, markersOf, rowsIn } from './chunk-languages.ts';
import { charactersOf, conceptsOf, languageOfQuestion, namesOf, type Concept, type Language, type Wording } from './concepts.ts';
import type { Dictionary } from './dictionary.ts';
import { hearNames, type SoundedNames } from './names-by-sound.ts';
import { hasRow, lookUpOnce, unionOf, type WordingPostings, wordingsThere } from './union-postings.ts';

export const tuning = {
  /** Translations of one word that are looked for: the first that some text has. */
  translations: 6,
  /** Answers of either language whose coverage counts. */
  coverageChunks: 3,
  /** How far its coverage lies above that of the question's own language, as a share of the greater: from here on it gets places, … */
  somePlaces: -0.25,
  /** … and from here on all of them. */
  allPlaces: 0.5,
};

const rating = {
  /** Worth of a part of a phrase, as a share of that part. */
  partly: 0.7,
  /** Worth of a translation that met another word of the question before. */
  again: 0.5,
  /**
   * By the language of the question. `later`: worth of a translation beside that of the one before it in the dictionary; `power`: of the BM25
   * weight; `doubt`: as many words that no text has; `stretch`: what stands near each other, some fifty English words or forty Chinese ones.
   */
  of: {
    zh: { later: 0.8, power: 1, doubt: 1.5, stretch: { units: 300, share: 0.5 }, usual: 0.217 },
    en: { later: 0.85, power: 0.5, doubt: 0.5, stretch: { units: 80, share: 0.8 }, usual: 0.168 },
  },
};

/** Postings that the translations of one question may cost; the commonest words are left out. */
const postingsMax = 5_000_000;

export type AcrossInput = {
  /** The words of the question. */
  readonly words: readonly Token[];
  readonly segments: readonly Segment[];
  readonly allowed: (segment: Segment) => Uint8Array | null;
  readonly limit: number;
  /** Postings of terms that were looked up before. */
  readonly known: ReadonlyMap<string, TermPostings>;
  /** Opened only where there is something to translate into; null where there is none. */
  readonly dictionary: () => Dictionary | null;
  readonly siblingShare: number;
};

export type Across = {
  /** Chunks of the other language, best first. */
  readonly top: readonly Scored[];
  /** Chunks of the other language that have a word of it. */
  readonly total: number;
  /** Index terms of the translations that were found, to be marked in the hits. */
  readonly marks: readonly string[];
  /** What the translated question asks for, to rate these answers by. */
  readonly asked: Asked;
  /** Share of the places that these answers get among those of the question's own language: from 0 to 1. */
  readonly share: number;
};

/** What the other language answers; null where the index has no other, or nothing in it answers. `top`: the answers in the question's own. */
export function* answersAcross(input: AcrossInput, top: readonly Scored[]): RankingSteps<Across | null> {
  const { segments } = input;
  yield* learnLanguages(yield* read(() => markersOf(segments)));
  const own = languageOfQuestion(input.words);
  const other = own === 'zh' ? 'en' : 'zh';
  const dictionary = hasLanguage(other, segments) ? input.dictionary() : null;
  if (dictionary === null) return null;
  const [ownRows, rows] = [rowsIn(own, segments), rowsIn(other, segments)];
  const looked = yield* lookedUp(conceptsOf(input.words, dictionary), input);
  const written = yield* writtenWords(looked, segments, ownRows);
  const ownCoverage = coverage(top, written, segments, ownRows);
  const words = yield* translatedWords(looked, segments, rows, (most) => shareOfPlaces(ownCoverage, most) > 0);
  if (words === null) return null;
  const found = words.filter(({ postings }) => postings.chunks > 0);
  const scores = yield* scoreInSteps(found, segments, rows.collection);
  const worth = { scores, siblingShare: input.siblingShare };
  const first = topRows(worth, segments, input.allowed, tuning.coverageChunks);
  const share = first.length === 0 ? 0 : shareOfPlaces(ownCoverage, coverage(first, words, segments, rows));
  const answers = share === 0 ? null : bestRows(worth, segments, input.allowed, input.limit);
  letGo(scores, segments);
  if (answers === null) return null;
  const { top: best, total } = answers;
  return {
    top: best.map((scored) => ({ ...scored, across: true })),
    total,
    marks: found.flatMap(({ wordings }) => wordings.flat()),
    asked: askedAcross(words, forWeighing(rows.collection), own, own === 'zh' ? namesOf(input.words, dictionary) : new Map()),
    share,
  };
}

/**
 * A later translation is less likely to be what was meant, a part of a phrase less so than all of it, and one word that is met may be so by
 * chance. Its place is that in the dictionary, whatever texts have, so that a passage is rated alike among few texts and among many. A name
 * that sounds like one of the question meets all words that it was cut into.
 */
function askedAcross(words: readonly Word[], collection: Collection, own: Language, names: SoundedNames): Asked {
  const { later, power, doubt, stretch, usual } = rating.of[own];
  const parts = [...names.values()].flat().map(({ characters }) => characters);
  const needs = words.map(({ concept, weight, postings }) => {
    const ways = concept.translations.map((terms, at) => ({ terms, worth: later ** at, partly: rating.partly }));
    const name = nameTerm(charactersOf(concept.own));
    const isNamed = parts.some((part) => part.includes(charactersOf(concept.own)));
    return {
      weight: weight * idf(postings.chunks, collection) ** power,
      ways: isNamed ? [{ terms: [name], worth: 1, partly: 0 }, ...ways] : ways,
    };
  });
  const written = words.map(({ concept }) => charactersOf(concept.own));
  return {
    needs,
    doubt: doubt * idf(1, collection) ** power,
    again: rating.again,
    stretch,
    more: (text, take) =>
      hearNames(text, names, (name, at) => {
        for (const word of written) if (name.includes(word)) take(nameTerm(word), at);
      }),
    usual,
  };
}

/** The terms that `answersAcross` would look for in the other language, where the texts have them. */
export function termsAcross(question: readonly Token[], dictionary: Dictionary, segments: readonly Segment[]): string[] {
  const lookUp = lookUpOnce(segments, new Map());
  const words = conceptsOf(question, dictionary).flatMap(({ translations }) =>
    wordingsThere(translations, lookUp, tuning.translations),
  );
  return [...new Set(words.flatMap(({ wording }) => wording))];
}

/** Stands for a word of the question whose name a text has; no text has the term itself. */
function nameTerm(word: string): string {
  return `\0${word}`;
}

function shareOfPlaces(own: number, other: number): number {
  const ahead = (other - own) / Math.max(own, other, Number.MIN_VALUE);
  return Math.min(1, Math.max(0, (ahead - tuning.somePlaces) / (tuning.allPlaces - tuning.somePlaces)));
}

/**
 * One list of both: each keeps its order, and the other language has `share` of the places. Scores are those of the question's own
 * language, and between them where a place is taken.
 */
export function interleave(top: readonly Scored[], across: Pick<Across, 'top' | 'share'>, limit: number): Scored[] {
  const listed = new Set<number>();
  const merged: Scored[] = [];
  let [own, other, due] = [0, 0, 0];
  while (merged.length < limit && (own < top.length || other < across.top.length)) {
    due += across.share;
    const takesOther = own >= top.length || (other < across.top.length && due >= 1 - 1e-9);
    if (takesOther) due -= 1;
    const next = takesOther ? across.top[other++]! : top[own++]!;
    if (listed.has(next.chunkId)) continue;
    listed.add(next.chunkId);
    merged.push(next);
  }
  return withScores(merged, top[0]?.score ?? across.top[0]?.score ?? 0);
}

/** Scores that go down along the list: those of the own language as they are, the others spread over the gaps between them. */
function withScores(merged: readonly Scored[], highest: number): Scored[] {
  const scored = [...merged];
  let above = highest * 1.01;
  for (let at = 0; at < scored.length;) {
    let end = at;
    while (end < scored.length && scored[end]!.across === true) end++;
    const below = scored[end]?.score ?? above / 2;
    for (let i = at; i < end; i++) scored[i] = { ...scored[i]!, score: above - ((above - below) * (i - at + 1)) / (end - at + 1) };
    above = below;
    at = end + 1;
  }
  return scored;
}

/** A concept of the question and where it is looked for: as it is written, and translated. */
type Looked = {
  readonly concept: Concept;
  readonly own: readonly WordingPostings[];
  /** Of its translations, those that some text has. */
  readonly across: readonly WordingPostings[];
};

/** A word of the question among the chunks of a language. */
type Weighed = { readonly weight: number; readonly postings: TermPostings };

type Word = Weighed & { readonly concept: Concept; readonly wordings: readonly Wording[] };

/** The concepts with their postings, as many as a question may cost, in their order. */
function* lookedUp(
  concepts: readonly Concept[],
  { segments, known }: Pick<AcrossInput, 'segments' | 'known'>,
): RankingSteps<Looked[]> {
  const looked = yield* read(() => {
    const lookUp = lookUpOnce(segments, known);
    return concepts.map((concept) => ({
      concept,
      own: wordingsThere([concept.own], lookUp, 1),
      across: wordingsThere(concept.translations, lookUp, tuning.translations),
    }));
  });
  let left = postingsMax;
  const byCost = looked.toSorted((a, b) => costOf(a) - costOf(b));
  const tooCostly = byCost.findIndex((word) => (left -= costOf(word)) < 0);
  const kept = new Set(tooCostly < 0 ? byCost : byCost.slice(0, tooCostly));
  return looked.filter((word) => kept.has(word));
}

/** A word of one term has the lists that the index keeps, with rows of every language. */
function* writtenWords(
  looked: readonly Looked[],
  segments: readonly Segment[],
  { rows, collection }: LanguageRows,
): RankingSteps<Weighed[]> {
  const words: Weighed[] = [];
  for (const { concept, own } of looked) {
    yield () => undefined;
    const [term, ...more] = own[0]?.terms ?? [];
    const isOneTerm = term !== undefined && more.length === 0;
    const postings = isOneTerm ? { lists: term.lists, chunks: chunksWith(term, collection) } : unionOf(own, segments, rows);
    words.push({ weight: concept.weight, postings });
  }
  return words;
}

/**
 * The words as the chunks of the other language have them, or null where so many of them are missing or common there that the answers do not matter:
 * `matters` is told the greatest share of the question that one may have, after each word.
 */
function* translatedWords(
  looked: readonly Looked[],
  segments: readonly Segment[],
  { rows, collection }: LanguageRows,
  matters: (most: number) => boolean,
): RankingSteps<Word[] | null> {
  const words: Word[] = [];
  const absent = idf(0, collection);
  let [there, missing] = [0, 0];
  for (const { concept, across } of looked)
    if (across.length > 0) there += concept.weight * absent;
    else missing += concept.weight * absent;
  for (const { concept, across } of looked) {
    if (!matters((there / (there + missing)) * roundedUp)) return null;
    yield () => undefined;
    const { weight } = concept;
    const postings = unionOf(across, segments, rows);
    words.push({ concept, weight, postings, wordings: across.map(({ wording }) => wording) });
    if (across.length === 0) continue;
    there -= weight * absent;
    if (postings.chunks > 0) there += weight * idf(postings.chunks, collection);
    else missing += weight * absent;
  }
  return matters((there / (there + missing)) * roundedUp) ? words : null;
}

/** What is added up in another order may differ in its last digits. */
const roundedUp = 1 + 1e-9;

function costOf(word: { readonly own: readonly WordingPostings[]; readonly across: readonly WordingPostings[] }): number {
  return [...word.own, ...word.across].reduce((sum, { terms }) => sum + terms.reduce((all, term) => all + term.chunks, 0), 0);
}

/** The greatest share of the question, by what each word tells in that language, that one of the first answers has. */
function coverage(
  answers: readonly Scored[],
  words: readonly Weighed[],
  segments: readonly Segment[],
  { rows, collection }: LanguageRows,
): number {
  const first = answers.slice(0, tuning.coverageChunks);
  const sums = first.map(() => 0);
  let whole = 0;
  for (const { weight, postings } of words) {
    const telling = weight * idf(postings.chunks, collection);
    whole += telling;
    for (const [i, { segment, row }] of first.entries()) {
      const at = segments.indexOf(segment);
      const list = postings.lists[at];
      if (list && rows[at]![row] === 1 && hasRow(list, row)) sums[i]! += telling;
    }
  }
  return whole === 0 ? 0 : Math.max(0, ...sums) / whole;
}
