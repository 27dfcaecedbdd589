/**
 * BM25 over the segments: every posting of every query term, added up row by row, about 6 ns a posting, and 2 ns of those lists that are
 * asked for again and again. Where only some documents may be found, the postings between them are passed over.
 */
import { type Allowed, mayRuns } from '../index/allowed.ts';
import type { PostingList } from '../index/posting-blocks.ts';
import type { Run, Segment } from '../index/segments.ts';
import { placesIn } from '../index/term-places.ts';
import { ScoreArrays } from './score-arrays.ts';
import { eachPosting, stridePostings, type UnpackedList } from '../index/unpacked.ts';

/** One chunk and how well it answers. */
export type Scored = {
  readonly segment: Segment;
  readonly row: number;
  readonly chunkId: number;
  readonly score: number;
  /** Set on what was found by the translation of the question. */
  readonly across?: true;
};

/** The best first. Equally good ones by their chunks' ids, which no merge changes: where a row lies says nothing. */
export function byScore(a: Scored, b: Scored): number {
  return b.score - a.score || a.chunkId - b.chunkId;
}

/**
 * Figures of the chunks by which a question is weighed, without what was removed, so that they stay as they are when a merge drops it: of the whole
 * collection, or of what is in the question's language.
 */
export type Collection = {
  readonly chunks: number;
  readonly averageLength: number;
  /** How many of these chunks have a term; absent where they are all that are there. */
  readonly chunksWith?: (postings: TermPostings) => number;
};

/** Scores of all rows, by segment, in the order of the segments. */
export type Scores = readonly Float32Array[];

/** Where a term occurs, by segment, and in how many chunks that are still there. */
export type TermPostings = {
  readonly lists: readonly (PostingList | null)[];
  readonly chunks: number;
  /** Absent where the lists are not those that the segments keep of one term. */
  readonly term?: string;
};

/** The usual constants: how soon repetition stops counting, and how much length counts. */
const k1 = 1.2;
const b = 0.75;

/** Looks a term up everywhere. */
export function postingsOf(term: string, segments: readonly Segment[]): TermPostings {
  const lists = placesIn(segments)?.lists(term) ?? segments.map((segment) => segment.find(term));
  let chunks = 0;
  for (const [at, list] of lists.entries()) if (list !== null) chunks += segments[at]!.liveRowsOf(term, list);
  return { lists, chunks, term };
}

/** Looks a term up in the segment of this place alone. */
export function postingsIn(term: string, segments: readonly Segment[], at: number): TermPostings {
  const places = placesIn(segments);
  const list = places === undefined ? segments[at]!.find(term) : places.listIn(term, at);
  return {
    lists: segments.map((_, other) => (other === at ? list : null)),
    chunks: list === null ? 0 : segments[at]!.liveRowsOf(term, list),
    term,
  };
}

/** How telling a term is: the BM25 weight of one that `chunks` of all chunks have. */
export function idf(chunks: number, collection: Collection): number {
  return Math.log(1 + Math.max(0, collection.chunks - chunks + 0.5) / (chunks + 0.5));
}

/** In how many chunks of the collection a term is. */
export function chunksWith(postings: TermPostings, collection: Collection): number {
  return collection.chunksWith?.(postings) ?? postings.chunks;
}

/** How telling a term is in the collection. */
export function rarity(postings: TermPostings, collection: Collection): number {
  return idf(chunksWith(postings, collection), collection);
}

/** Postings and rows that are gone through in one step, some milliseconds. */
const stepRows = 500_000;

/** Of all questions of this thread. */
const arrays = new ScoreArrays();

/** Scores that are not looked at any more: their arrays are used again. `allowed` as they were made with. */
export function letGo(scores: Scores, segments: readonly Segment[], allowed: Allowed = () => null): void {
  for (const [at, segment] of segments.entries()) {
    const own = scores[at]!;
    const runs = mayRuns(segment, allowed(segment));
    if (runs.length < segment.runs.length / fewShare)
      for (const { firstRow, chunks } of runs) own.fill(0, firstRow, firstRow + chunks);
    else own.fill(0);
    arrays.giveBack(own);
  }
}

/** BM25 of every row that `allowed` lets through (it has 0 for the others). `weight` stands beside idf. Stops between two steps, with nothing to be done. */
export function* scoreInSteps(
  terms: readonly { readonly postings: TermPostings; readonly weight: number }[],
  segments: readonly Segment[],
  collection: Collection,
  allowed: Allowed = () => null,
): Generator<() => undefined, Scores> {
  const scores: Float32Array[] = [];
  // Once for all segments: to count a term among some chunks goes through all of them.
  const scales = terms.map(({ postings, weight }) => weight * rarity(postings, collection) * (k1 + 1));
  let rows = 0;
  for (const [at, segment] of segments.entries()) {
    const own = arrays.take(segment.chunks);
    scores.push(own);
    rows += segment.chunks;
    const may = allowed(segment);
    const runs = mayRuns(segment, may);
    if (runs.length === 0) continue;
    for (const [index, { postings }] of terms.entries()) {
      const list = postings.lists[at];
      if (!list) continue;
      const into = { scores: own, lengths: segment.lengths, scale: scales[index]!, averageLength: collection.averageLength };
      const unpacked = postings.term === undefined ? null : segment.unpacked(postings.term, list);
      if (unpacked === null) addScores(list, into, may);
      else if (runs.length < segment.runs.length / fewShare) addScoresOfRuns(unpacked, into, runs);
      else addUnpackedScores(unpacked, into, may);
      rows += list.rows;
      if (rows < stepRows) continue;
      rows = 0;
      yield () => undefined;
    }
  }
  return scores;
}

/** Where at most one document in so many may be found, they are looked up one by one. */
const fewShare = 4;

/** Which rows have every one of these terms: 1 for those. At most 255 terms are looked at. */
export function rowsWithAll(segments: readonly Segment[], terms: readonly TermPostings[]): Uint8Array[] {
  const needed = terms.slice(0, 255);
  return segments.map(({ chunks }, at) => {
    const counts = new Uint8Array(chunks);
    for (const { lists } of needed) if (lists[at]) countRows(lists[at], counts);
    return counts.map((count) => (count === needed.length ? 1 : 0));
  });
}

/** Where scores are added up, and what a posting is worth there. */
type Into = {
  readonly scores: Float32Array;
  readonly lengths: Uint16Array;
  readonly scale: number;
  readonly averageLength: number;
};

function addScores({ bytes }: PostingList, { scores, lengths, scale, averageLength }: Into, may: Uint8Array | null): void {
  const base = k1 * (1 - b);
  const slope = (k1 * b) / averageLength;
  const end = bytes.length;
  let at = 0;
  let row = 0;
  while (at < end) {
    let byte = bytes[at++]!;
    let value = byte & 127;
    let shift = 7;
    while (byte > 127) {
      byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      shift += 7;
    }
    row += value >>> 4;
    if (may !== null && may[row] === 0) continue;
    const count = value & 15;
    scores[row]! += (scale * count) / (count + base + slope * lengths[row]!);
  }
}

/** The same sums, of a list without branches. */
function addUnpackedScores({ postings }: UnpackedList, into: Into, may: Uint8Array | null): void {
  const { scores, lengths, scale, averageLength } = into;
  const base = k1 * (1 - b);
  const slope = (k1 * b) / averageLength;
  const count = postings.length;
  let row = 0;
  if (may === null) {
    for (let at = 0; at < count; at++) {
      const posting = postings[at]!;
      row += posting >>> 4;
      const times = posting & 15;
      scores[row]! += (scale * times) / (times + base + slope * lengths[row]!);
    }
    return;
  }
  for (let at = 0; at < count; at++) {
    const posting = postings[at]!;
    row += posting >>> 4;
    const times = posting & 15;
    if (may[row] === 1) scores[row]! += (scale * times) / (times + base + slope * lengths[row]!);
  }
}

/** The same sums in the rows of some documents, whose postings are looked up. */
function addScoresOfRuns({ postings, rowsBefore }: UnpackedList, into: Into, runs: readonly Run[]): void {
  const { scores, lengths, scale, averageLength } = into;
  const base = k1 * (1 - b);
  const slope = (k1 * b) / averageLength;
  const count = postings.length;
  let at = 0;
  let before = 0;
  let stride = 0;
  for (const { firstRow, chunks } of runs) {
    const last = lastBelow(rowsBefore, firstRow, stride);
    if (last > stride && last * stridePostings > at) {
      at = last * stridePostings;
      before = rowsBefore[last]!;
    }
    stride = last;
    const end = firstRow + chunks;
    for (; at < count; at++) {
      const posting = postings[at]!;
      const row = before + (posting >>> 4);
      if (row >= end) break;
      before = row;
      if (row < firstRow) continue;
      const times = posting & 15;
      scores[row]! += (scale * times) / (times + base + slope * lengths[row]!);
    }
  }
}

/** The last place from `from` on whose row is below this one, or `from`. */
function lastBelow(rows: Uint32Array, row: number, from: number): number {
  let low = from;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle]! < row) low = middle;
    else high = middle - 1;
  }
  return low;
}

function countRows(list: PostingList, counts: Uint8Array): void {
  eachPosting(list, (row) => counts[row]!++);
}
