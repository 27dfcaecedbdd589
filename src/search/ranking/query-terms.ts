/** A query as weighted index terms: as written, and with typing errors repaired. */
import { stopWords } from '../analysis/stop-words.ts';
import { postingsOf, type TermPostings } from './scorer.ts';
import type { SynonymTerm } from './synonyms.ts';
import { inFoundValue, type Reading, soundAlikes, type SoundsAndWords } from './sound-alikes.ts';
import { swappedCharacters } from './swapped-characters.ts';
import type { Segment } from '../index/segments.ts';
import { termsOf, type Token } from '../analysis/tokens.ts';
import { stemOf } from '../analysis/stems.ts';
import { editDistance, type WordNeighbours } from '../analysis/vocabulary.ts';

export type QueryTerm = {
  readonly term: string;
  readonly weight: number;
  readonly postings: TermPostings;
  /** The term of the question that this is a reading of. */
  readonly repairs?: string;
};

/** Longest query that is read; the rest is ignored. */
const queryUnitsMax = 4000;
/** Distinct terms that are looked up: those of a page of English, or of some 500 Chinese characters. */
const queryTermsMax = 1024;
/** Postings that one question may cost, about 0.2 s; in a large index the commonest terms of a long text are left out. */
const postingsMax = 30_000_000;
/** Readings of a mistyped word. */
const readingsMax = 3;
/** A word that some text has is still taken for a typing error when a neighbour is this many times as common. */
const commonerBy = 100;

/** The words of a query. */
export function queryWords(query: string): Token[] {
  return termsOf(query.slice(0, queryUnitsMax));
}

/** Those of them that are looked for: no stop words unless there is nothing else. */
export function tellingWords(words: readonly Token[]): readonly Token[] {
  const telling = words.filter((token) => token.kind !== 'stop');
  return telling.length > 0 ? telling : words;
}

/** The terms of a query as it was written, and its words as the wholes of identifiers. */
export function writtenTerms(tokens: readonly Token[], segments: readonly Segment[]): QueryTerm[] {
  const written = lookUp(countTerms(tokens), segments);
  return affordable([...written, ...wholeWords(tokens, written, segments)]);
}

/**
 * `YouTube` in a text is You, Tube and their whole, which is not stemmed, as identifiers are: `youtube` is the same word. Only where no text has the word
 * as such: a whole may also be the stem of another (`cylinder`, of cylinderical), which would count as a rare word (cranfield 0.4014 for 0.4037).
 */
function wholeWords(tokens: readonly Token[], written: readonly QueryTerm[], segments: readonly Segment[]): QueryTerm[] {
  const known = new Map(written.map((term) => [term.term, term]));
  const wholes = new Map<string, QueryTerm>();
  for (const { kind, term, surface } of tokens) {
    const word = known.get(term);
    if (kind !== 'word' || word?.postings.chunks !== 0 || known.has(surface) || wholes.has(surface)) continue;
    const postings = postingsOf(surface, segments);
    if (postings.chunks > 0) wholes.set(surface, { term: surface, weight: word.weight, postings, repairs: term });
  }
  return [...wholes.values()];
}

/** The rarest terms, as many as one question may cost, in their order: sums are rounded as they are added up, and no other texts may tell how. */
export function affordable(terms: readonly QueryTerm[]): QueryTerm[] {
  let left = postingsMax;
  const byCost = terms.toSorted((a, b) => a.postings.chunks - b.postings.chunks);
  const kept = new Set(byCost.filter(({ postings }) => (left -= postings.chunks) >= 0));
  return terms.filter((term) => kept.has(term));
}

/** What is put in the place of a part of the question that no text has. */
export type Replacement = { readonly start: number; readonly end: number; readonly by: string };

export type Repaired = { readonly terms: readonly QueryTerm[]; readonly replacements: readonly Replacement[] };

/** What a question is repaired by: the words of the texts, and what the language knows. */
export type Spelling = SoundsAndWords & {
  readonly vocabulary: WordNeighbours;
  /** Whether a word of letters is one of the language, as it was written. */
  readonly isWord: (surface: string) => boolean;
};

/**
 * The same with words that no text has replaced by the nearest ones that some text has, and Chinese characters that stand in no pair that some
 * text has by those that sound like them, or two of them by each other. What the language knows is left as it is, whether or not a text has it: it was meant.
 */
export function repairedTerms(
  tokens: readonly Token[],
  written: readonly QueryTerm[],
  segments: readonly Segment[],
  { vocabulary, isWord, ...language }: Spelling,
): Repaired {
  const chunksOf = new Map(written.map((term) => [term.term, term.postings.chunks]));
  const repaired = new Map<string, number>();
  const repairs = new Map<string, string>();
  const isWhole = new Set(written.map((term) => term.repairs));
  const replacements: Replacement[] = [];
  const take = (term: string, weight: number, of: string): void => {
    repaired.set(term, (repaired.get(term) ?? 0) + weight);
    repairs.set(term, of);
  };
  for (const token of new Map(tokens.map((token) => [token.term, token])).values()) {
    const chunks = chunksOf.get(token.term);
    if (token.kind !== 'word' || chunks === undefined || chunks > 3 || !/^\p{L}+$/u.test(token.surface)) continue;
    if (isWhole.has(token.term)) continue;
    const found = readings(token.surface, chunks, segments, vocabulary);
    if (found.length === 0 || isWord(token.surface)) continue;
    for (const { term, weight } of found) take(term, weight, token.term);
    if (chunks === 0) replacements.push({ start: token.start, end: token.end, by: found[0]!.surface });
  }
  const isInValue = inFoundValue(tokens, chunksOf);
  const swapped = swappedCharacters(tokens, chunksOf, segments, language, isInValue);
  const isSettled = (character: Token): boolean => swapped.characters.has(character) || isInValue(character);
  const alike = soundAlikes(tokens, chunksOf, segments, language, isSettled);
  for (const { term, weight, of, replacement } of [...swapped.readings, ...alike]) {
    take(term, weight, of);
    if (replacement !== null) replacements.push(replacement);
  }
  for (const term of chunksOf.keys()) repaired.delete(term);
  const read = lookUp(repaired, segments).map((term) => ({ ...term, repairs: repairs.get(term.term)! }));
  return { terms: [...written, ...read], replacements };
}

/** The same with what else the question may have meant. */
export function readAs(known: Repaired, readings: readonly Reading[], segments: readonly Segment[]): Repaired {
  const there = new Set(known.terms.map(({ term }) => term));
  const others = new Map(readings.filter(({ term }) => !there.has(term)).map((reading) => [reading.term, reading]));
  const terms = [...others.values()].map(({ term, weight, of }) => ({
    term,
    weight,
    postings: postingsOf(term, segments),
    repairs: of,
  }));
  const replacements = readings.flatMap(({ replacement }) => replacement ?? []);
  return { terms: affordable([...known.terms, ...terms]), replacements: [...known.replacements, ...replacements] };
}

/** What a synonym is worth beside the word itself. */
const synonymWeight = 0.9;

/** The same with the words that stand for some of them. */
export function withSynonyms(
  terms: readonly QueryTerm[],
  synonyms: readonly SynonymTerm[],
  segments: readonly Segment[],
): readonly QueryTerm[] {
  const known = new Set(terms.map(({ term }) => term));
  const others = synonyms.filter(({ term }) => !known.has(term));
  if (others.length === 0) return terms;
  const found = others.map(({ term, of }) => ({ term, weight: synonymWeight, postings: postingsOf(term, segments), repairs: of }));
  return [...terms, ...found.filter(({ postings }) => postings.chunks > 0)];
}

/** The question with its replacements; null when there are none. */
export function replaced(query: string, replacements: readonly Replacement[]): string | null {
  if (replacements.length === 0) return null;
  let shown = '';
  let at = 0;
  for (const { start, end, by } of replacements.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue;
    shown += query.slice(at, start) + by;
    at = end;
  }
  return shown + query.slice(at, queryUnitsMax);
}

function readings(
  surface: string,
  chunks: number,
  segments: readonly Segment[],
  vocabulary: WordNeighbours,
): { term: string; surface: string; weight: number }[] {
  if (chunks === 0 && isStopWordMistyped(surface)) return [];
  const stems = new Map<string, number>();
  const surfaces = new Map<string, string>();
  const isThere = (word: string): boolean => postingsOf(stemOf(word), segments).chunks > 0;
  for (const word of vocabulary.neighbours(surface, segments, isThere)) {
    const likely = word[0] === surface[0] ? 2 : 1;
    if (likely > (stems.get(stemOf(word)) ?? 0)) surfaces.set(stemOf(word), word);
    stems.set(stemOf(word), Math.max(likely, stems.get(stemOf(word)) ?? 0));
  }
  const candidates = lookUp(stems, segments)
    .map(({ term, weight, postings }) => ({ term, common: weight * postings.chunks }))
    .filter(({ common }) => common > chunks * commonerBy)
    .sort((a, b) => b.common - a.common)
    .slice(0, readingsMax);
  const sum = candidates.reduce((total, { common }) => total + common, 0);
  return candidates.map(({ term, common }) => ({
    term,
    surface: surfaces.get(term)!,
    weight: (chunks === 0 ? 1 : 0.3) * (common / sum),
  }));
}

function isStopWordMistyped(surface: string): boolean {
  if (surface.length < 4) return false;
  for (const word of stopWords) if (word.length >= 4 && editDistance(surface, word, 1) <= 1) return true;
  return false;
}

function countTerms(tokens: readonly Token[]): Map<string, number> {
  const terms = new Map<string, number>();
  for (const { term } of tokens) if (terms.has(term) || terms.size < queryTermsMax) terms.set(term, (terms.get(term) ?? 0) + 1);
  return terms;
}

function lookUp(terms: ReadonlyMap<string, number>, segments: readonly Segment[]): QueryTerm[] {
  return [...terms].map(([term, weight]) => ({ term, weight, postings: postingsOf(term, segments) }));
}
