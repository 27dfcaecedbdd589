/**
 * BM25 over the segments: every posting of every query term, added up row by row. Plain arrays and no skipping; about
 * 6 ns a posting, so a million chunks with ten ordinary words take some tens of milliseconds.
 */
import { ByteReader, type PostingList } from '../index/posting-blocks.ts';
import type { Segment } from '../index/segments.ts';

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

/** Figures of the whole collection, without what was removed, so that they stay as they are when a merge drops it. */
export type Collection = { readonly chunks: number; readonly averageLength: number };

/** Scores of all rows, by segment, in the order of the segments. */
export type Scores = readonly Float32Array[];

/** Where a term occurs, by segment, and in how many chunks that are still there. */
export type TermPostings = { readonly lists: readonly (PostingList | null)[]; readonly chunks: number };

/** The usual constants: how soon repetition stops counting, and how much length counts. */
const k1 = 1.2;
const b = 0.75;

/** Looks a term up everywhere. */
export function postingsOf(term: string, segments: readonly Segment[]): TermPostings {
  let chunks = 0;
  const lists = segments.map((segment) => {
    const list = segment.find(term);
    if (list !== null) chunks += segment.liveRowsOf(term, list);
    return list;
  });
  return { lists, chunks };
}

/** How telling a term is: the BM25 weight of one that `chunks` of all chunks have. */
export function idf(chunks: number, collection: Collection): number {
  return Math.log(1 + Math.max(0, collection.chunks - chunks + 0.5) / (chunks + 0.5));
}

/** Postings and rows that are gone through in one step, some milliseconds. */
const stepRows = 500_000;

/** BM25 of every row that `allowed` lets through (it has 0 for the others). `weight` stands beside idf. Stops between two steps, with nothing to be done. */
export function* scoreInSteps(
  terms: readonly { readonly postings: TermPostings; readonly weight: number }[],
  segments: readonly Segment[],
  collection: Collection,
  allowed: (segment: Segment) => Uint8Array | null = () => null,
): Generator<() => undefined, Scores> {
  const scores: Float32Array[] = [];
  let rows = 0;
  for (const [at, segment] of segments.entries()) {
    const own = new Float32Array(segment.chunks);
    scores.push(own);
    rows += segment.chunks;
    const may = allowed(segment);
    if (may?.includes(1) === false) continue;
    for (const { postings, weight } of terms) {
      const list = postings.lists[at];
      if (!list) continue;
      addScores(list, own, segment.lengths, weight * idf(postings.chunks, collection), collection.averageLength, may);
      rows += list.rows;
      if (rows < stepRows) continue;
      rows = 0;
      yield () => undefined;
    }
  }
  return scores;
}

/** The scores of the rows that have every one of these terms; 0 for all others. At most 255 terms are looked at. */
export function rowsWithAll(scores: Scores, terms: readonly TermPostings[]): Scores {
  const needed = terms.slice(0, 255);
  return scores.map((segmentScores, at) => {
    const counts = new Uint8Array(segmentScores.length);
    for (const { lists } of needed) if (lists[at]) countRows(lists[at], counts);
    return segmentScores.map((score, row) => (counts[row] === needed.length ? score : 0));
  });
}

/**
 * Lets each row that scored profit from the best other row of its document, by this share: a document that was cut in two
 * is as good an answer as it was whole. Changes `scores`.
 */
export function addSiblings(scores: Scores, segments: readonly Segment[], share: number): void {
  for (const [at, segment] of segments.entries()) {
    for (const run of segment.runs) if (run.chunks > 1) addBestOther(scores[at]!, run.firstRow, run.firstRow + run.chunks, share);
  }
}

function addBestOther(scores: Float32Array, from: number, to: number, share: number): void {
  let best = from;
  let second = 0;
  for (let row = from + 1; row < to; row++) {
    const score = scores[row]!;
    if (score > scores[best]!) {
      second = scores[best]!;
      best = row;
    } else if (score > second) second = score;
  }
  const highest = scores[best]!;
  for (let row = from; row < to; row++) if (scores[row]! > 0) scores[row]! += share * (row === best ? second : highest);
}

/** The best `limit` rows, best first, and how many scored at all. `allowed` has 0 for rows that may not be found. */
export function bestRows(
  scores: Scores,
  segments: readonly Segment[],
  allowed: (segment: Segment) => Uint8Array | null,
  limit: number,
): { top: Scored[]; total: number } {
  const best = new BestRows(limit);
  let total = 0;
  for (const [at, segment] of segments.entries()) total += collect(segment, scores[at]!, allowed(segment), best);
  return { top: best.sorted(), total };
}

function addScores(
  list: PostingList,
  scores: Float32Array,
  lengths: Uint16Array,
  weight: number,
  averageLength: number,
  may: Uint8Array | null,
): void {
  const base = k1 * (1 - b);
  const slope = (k1 * b) / averageLength;
  const scale = weight * (k1 + 1);
  const bytes = list.bytes;
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

function countRows(list: PostingList, counts: Uint8Array): void {
  const reader = new ByteReader(list.bytes);
  let row = 0;
  while (!reader.done()) {
    row += Math.floor(reader.varint() / 16);
    counts[row]!++;
  }
}

function collect(segment: Segment, scores: Float32Array, allowed: Uint8Array | null, best: BestRows): number {
  let matched = 0;
  let worst = best.worst;
  for (const { firstRow, chunks, firstChunk } of segment.runs) {
    // A document is let through as a whole, or not at all.
    if (allowed !== null && allowed[firstRow] === 0) continue;
    for (let row = firstRow; row < firstRow + chunks; row++) {
      const score = scores[row]!;
      if (score <= 0) continue;
      matched++;
      if (score < worst.score) continue;
      const chunkId = firstChunk + row - firstRow;
      if (score > worst.score || chunkId < worst.chunkId) worst = best.offer({ segment, row, chunkId, score });
    }
  }
  return matched;
}

const nothing = { score: 0, chunkId: 0 };

/** The best so many rows: a heap with the worst of them on top. */
class BestRows {
  readonly #limit: number;
  readonly #heap: Scored[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is no better than this is not taken any more. */
  get worst(): Pick<Scored, 'score' | 'chunkId'> {
    return this.#heap.length < this.#limit ? nothing : this.#heap[0]!;
  }

  offer(entry: Scored): Pick<Scored, 'score' | 'chunkId'> {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(entry);
      this.#up(heap.length - 1);
    } else {
      heap[0] = entry;
      this.#down(0);
    }
    return this.worst;
  }

  sorted(): Scored[] {
    return this.#heap.sort(byScore);
  }

  #up(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (byScore(heap[parent]!, heap[at]!) >= 0) return;
      [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
      at = parent;
    }
  }

  #down(from: number): void {
    const heap = this.#heap;
    for (let at = from; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && byScore(heap[child]!, heap[least]!) > 0) least = child;
      }
      if (least === at) return;
      [heap[least], heap[at]] = [heap[at]!, heap[least]!];
      at = least;
    }
  }
}
