/**
 * Which chunks are Chinese and which are in a language with spaces, read off the postings of the commonest characters and words: an
 * index says it without having been asked to keep it. Kept by segment, three bytes a row, from the first question that wants it.
 */
import type { PostingList } from '../index/posting-blocks.ts';
import { countAmong, type Segment } from '../index/segments.ts';
import type { Searched } from '../index/snapshot.ts';
import type { Collection, TermPostings } from '../ranking/scorer.ts';
import { read, type RankingSteps } from '../ranking/steps.ts';
import { rowsOf } from './union-postings.ts';
import type { Language } from './concepts.ts';

const commonest = {
  zh: '的一是在不了有和人这中大为上个国我以要他时来用们到说地出会可也你对生能而子那得于着下自之年过发后作里'.split(''),
  en: 'the of and in to a is for on with by as at that from it was are be this which or an not can'.split(' '),
};

/** Of each language the word that most of its chunks have. */
export const languageMarkers: Readonly<Record<Language, string>> = { zh: commonest.zh[0]!, en: commonest.en[0]! };

/** The words by which languages are told. */
export const markerTerms: readonly string[] = [...commonest.zh, ...commonest.en];

/** What a row is written in; a short one may say nothing of it. */
const languageByte = { unknown: 0, zh: 1, en: 2 } as const;

/** The rows of one language, or of none that is known, by segment (0 and 1), and their statistics. */
export type LanguageRows = { readonly rows: readonly Uint8Array[]; readonly collection: Collection };

/** What `ChunkLanguages` has to know of new segments: look it up in a step that may be done again. */
export type MarkerPostings = readonly {
  readonly segment: Segment;
  readonly zh: readonly (PostingList | null)[];
  readonly en: readonly (PostingList | null)[];
}[];

const known = new WeakMap<Segment, { readonly languages: Uint8Array; live: number; rows: Record<Language, RowsOfLanguage> }>();

type RowsOfLanguage = {
  readonly rows: Uint8Array;
  readonly sure: number;
  readonly chunks: number;
  readonly length: number;
  /** How many of them have a term that was asked for. */
  readonly counts: Map<string, number>;
};

/** Lists that are shorter are counted each time: that costs less than to remember it. */
const countedRowsMin = 64;
/** Terms whose rows are remembered by segment and language. */
const countedTermsMax = 2000;

/** The postings of the commonest words in segments that were not looked at before. */
export function markersOf(segments: readonly Segment[]): MarkerPostings {
  return segments
    .filter((segment) => !known.has(segment))
    .map((segment) => ({
      segment,
      zh: commonest.zh.map((term) => segment.find(term)),
      en: commonest.en.map((term) => segment.find(term)),
    }));
}

/** Remembers what the rows of these segments are written in. About 10 ns a posting, of which a million rows have twenty millions; stops in between. */
export function* learnLanguages(markers: MarkerPostings): RankingSteps<void> {
  for (const { segment, zh, en } of markers) {
    const chinese = yield* countWords(zh, segment);
    const english = yield* countWords(en, segment);
    const languages = chinese.map((count, row) =>
      count === 0 && english[row] === 0 ? languageByte.unknown : count >= english[row]! ? languageByte.zh : languageByte.en,
    );
    known.set(segment, { languages, live: segment.liveChunks, rows: rowsByLanguage(segment, languages) });
  }
}

/** The rows of a language among those that are still there. All segments must have been looked at. */
export function rowsIn(language: Language, segments: readonly Segment[]): LanguageRows {
  const parts = segments.map((segment) => liveRows(segment)[language]);
  const chunks = parts.reduce((sum, part) => sum + part.chunks, 0);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const counted = ({ lists, term, chunks: all }: TermPostings): number =>
    term === undefined
      ? all
      : segments.reduce((sum, segment, at) => sum + (lists[at] ? countIn(parts[at]!, segment, term, lists[at]) : 0), 0);
  return {
    rows: parts.map(({ rows }) => rows),
    collection: { chunks, averageLength: chunks === 0 ? 1 : length / chunks, chunksWith: counted },
  };
}

/**
 * The chunks by which a question in this language is weighed: those in it, and those of which nobody knows. All of them where the question is in no
 * language that is known, or where the texts are all in one language: a word of another is then what it is among them.
 */
export function* weighedIn(language: Language | null, searched: Searched): RankingSteps<Collection> {
  const { segments, collection } = searched;
  if (language === null) return collection;
  const { collectionIn } = searched;
  if (collectionIn !== undefined) return yield* read(() => collectionIn(language));
  yield* learnLanguages(yield* read(() => markersOf(segments)));
  return hasLanguage('zh', segments) && hasLanguage('en', segments) ? rowsIn(language, segments).collection : collection;
}

function countIn({ rows, chunks, counts }: RowsOfLanguage, segment: Segment, term: string, list: PostingList): number {
  if (chunks === segment.liveChunks) return segment.liveRowsOf(term, list);
  if (chunks === 0) return 0;
  if (list.rows < countedRowsMin) return countAmong(list, rows);
  const remembered = counts.get(term);
  if (remembered !== undefined) return remembered;
  const count = countAmong(list, rows);
  if (counts.size >= countedTermsMax) counts.clear();
  counts.set(term, count);
  return count;
}

/** Whether some chunk is surely in this language. All segments must have been looked at. */
export function hasLanguage(language: Language, segments: readonly Segment[]): boolean {
  return segments.some((segment) => liveRows(segment)[language].sure > 0);
}

/** Told anew where rows were hidden since. The segment must have been looked at. */
function liveRows(segment: Segment): Record<Language, RowsOfLanguage> {
  const entry = known.get(segment)!;
  if (entry.live !== segment.liveChunks) {
    entry.live = segment.liveChunks;
    entry.rows = rowsByLanguage(segment, entry.languages);
  }
  return entry.rows;
}

/** Postings that are gone through in one step, some milliseconds. */
const stepPostings = 500_000;

function* countWords(markers: readonly (PostingList | null)[], segment: Segment): RankingSteps<Uint8Array> {
  const counts = new Uint8Array(segment.chunks);
  let postings = 0;
  for (const list of markers) {
    if (list === null) continue;
    for (const row of rowsOf(list).rows) counts[row]!++;
    postings += list.rows;
    if (postings < stepPostings) continue;
    postings = 0;
    yield () => undefined;
  }
  return counts;
}

function rowsByLanguage(segment: Segment, languages: Uint8Array): Record<Language, RowsOfLanguage> {
  return { zh: rowsOfOne(segment, languages, languageByte.zh), en: rowsOfOne(segment, languages, languageByte.en) };
}

function rowsOfOne(segment: Segment, languages: Uint8Array, wanted: number): RowsOfLanguage {
  const { live, lengths } = segment;
  const rows = new Uint8Array(languages.length);
  let [sure, chunks, length] = [0, 0, 0];
  for (let row = 0; row < rows.length; row++) {
    const language = languages[row]!;
    if ((language !== wanted && language !== languageByte.unknown) || (live !== null && live[row] === 0)) continue;
    rows[row] = 1;
    chunks++;
    length += lengths[row]!;
    if (language === wanted) sure++;
  }
  return { rows, sure, chunks, length, counts: new Map() };
}
