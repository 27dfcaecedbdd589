/**
 * The best rows of a question, and how many there are. A row profits from the best other row of its document: a document that was cut in two is
 * as good an answer as it was whole. That is worked out only for documents that may have one of the best rows, and one comparison a row
 * tells which: about 1 ns a row where 15 were needed to work it out for all.
 */
import { type Allowed, mayRuns } from '../index/allowed.ts';
import type { Run, Segment } from '../index/segments.ts';
import { byScore, type Scored, type Scores } from './scorer.ts';

/** What a row is worth: its own score, a share of the best other one of its document, and what it has beside. */
export type Worth = {
  readonly scores: Scores;
  readonly siblingShare: number;
  /** Other scores, so many times. */
  readonly beside?: { readonly scores: Scores; readonly weight: number };
};

/** The best `limit` rows, best first, and how many are worth anything. `allowed` has 0 for rows that may not be found. */
export function bestRows(
  worth: Worth,
  segments: readonly Segment[],
  allowed: Allowed,
  limit: number,
): { top: Scored[]; total: number } {
  return { top: topRows(worth, segments, allowed, limit), total: countRows(worth, segments, allowed) };
}

/** The best `limit` rows alone, best first. */
export function topRows(worth: Worth, segments: readonly Segment[], allowed: Allowed, limit: number): Scored[] {
  const best = new BestRows(limit);
  for (const [at, segment] of segments.entries()) {
    const may = allowed(segment);
    const rows = worthOfRows(worth, at);
    for (const { from, to } of stretches(segment, may)) offerBest({ segment, rows, may }, from, to, best);
  }
  return best.sorted();
}

/** How many rows are worth anything. */
function countRows(worth: Worth, segments: readonly Segment[], allowed: Allowed): number {
  let total = 0;
  for (const [at, segment] of segments.entries()) {
    const may = allowed(segment);
    const rows = worthOfRows(worth, at);
    for (const { from, to } of stretches(segment, may)) total += countWorthy(rows, may, from, to);
  }
  return total;
}

/** What any row of a segment is worth: goes through the rows of its document. `at`: the place of the segment. */
export function worthOfRow(worth: Worth, at: number, segment: Segment, row: number): number {
  const rows = worthOfRows(worth, at);
  return worthIn(rows, bestTwo(rows.own, segment.runAt(row)), row);
}

/** The scores of those rows that `chosen` has 1 for, with what they profit from each other; 0 for all others. */
export function worthOfChosen(worth: Worth, segments: readonly Segment[], allowed: Allowed, chosen: readonly Uint8Array[]): Scores {
  return segments.map((segment, at) => {
    const rows = worthOfRows(worth, at);
    const scores = new Float32Array(segment.chunks);
    for (const run of mayRuns(segment, allowed(segment))) {
      const two = bestTwo(rows.own, run);
      for (let row = run.firstRow; row < run.firstRow + run.chunks; row++)
        if (chosen[at]![row] === 1) scores[row] = worthIn(rows, two, row);
    }
    return scores;
  });
}

type Rows = {
  readonly own: Float32Array;
  readonly share: number;
  readonly beside: Float32Array | null;
  readonly weight: number;
};

function worthOfRows({ scores, siblingShare, beside }: Worth, at: number): Rows {
  return { own: scores[at]!, share: siblingShare, beside: beside?.scores[at] ?? null, weight: beside?.weight ?? 0 };
}

/** The rows to go through: all of them at once, or of few documents that may be found those of each. */
function stretches(segment: Segment, may: Uint8Array | null): Iterable<{ readonly from: number; readonly to: number }> {
  const runs = mayRuns(segment, may);
  if (runs.length === segment.runs.length) return [{ from: 0, to: segment.chunks }];
  return runs.values().map(({ firstRow, chunks }) => ({ from: firstRow, to: firstRow + chunks }));
}

/** Without branches: half of the rows of a common word have it, and a branch on that is taken wrongly half of the time. */
function countWorthy({ own, beside }: Rows, may: Uint8Array | null, from: number, to: number): number {
  // Of a float that is not negative the bits are 0 where it is 0, and else a positive number.
  const bits = new Int32Array(own.buffer, own.byteOffset, own.length);
  const others = beside === null ? bits : new Int32Array(beside.buffer, beside.byteOffset, beside.length);
  let count = 0;
  if (may === null) for (let row = from; row < to; row++) count += -(bits[row]! | others[row]!) >>> 31;
  else for (let row = from; row < to; row++) count += (-(bits[row]! | others[row]!) >>> 31) & may[row]!;
  return count;
}

type Where = { readonly segment: Segment; readonly rows: Rows; readonly may: Uint8Array | null };

/** A document none of whose rows reaches the bar by itself has none of the best: what its rows profit from each other is no more than a share of that. */
function offerBest({ segment, rows, may }: Where, from: number, to: number, best: BestRows): void {
  for (let row = from; ;) {
    row = nextAtBar(rows, barOf(rows, best), row, to);
    if (row === to) return;
    const run = segment.runAt(row);
    if (may === null || may[run.firstRow] === 1) offerRun(segment, run, rows, best);
    row = run.firstRow + run.chunks;
  }
}

/** The next row that reaches the bar, or `to`. */
function nextAtBar({ own, beside, weight }: Rows, bar: number, from: number, to: number): number {
  let row = from;
  if (beside === null) while (row < to && own[row]! < bar) row++;
  else while (row < to && own[row]! + weight * beside[row]! < bar) row++;
  return row;
}

/** Scores are of single precision: what is as near as this may be equal. */
const roundedDown = 1 - 1e-6;

function barOf({ share }: Rows, { worst }: BestRows): number {
  return Math.max(Number.MIN_VALUE, (worst.score / (1 + share)) * roundedDown);
}

function offerRun(segment: Segment, run: Run, rows: Rows, best: BestRows): void {
  const two = bestTwo(rows.own, run);
  let { score: least, chunkId: leastId } = best.worst;
  for (let row = run.firstRow; row < run.firstRow + run.chunks; row++) {
    const score = worthIn(rows, two, row);
    if (score < least || score === 0) continue;
    const chunkId = run.firstChunk + row - run.firstRow;
    if (score > least || chunkId < leastId) ({ score: least, chunkId: leastId } = best.offer({ segment, row, chunkId, score }));
  }
}

type BestTwo = { readonly highest: number; readonly second: number };

/** The two highest scores of a document's rows; they may be equal. */
function bestTwo(scores: Float32Array, { firstRow, chunks }: Run): BestTwo {
  let highest = 0;
  let second = 0;
  for (let row = firstRow; row < firstRow + chunks; row++) {
    const score = scores[row]!;
    if (score <= second) continue;
    second = Math.min(score, highest);
    highest = Math.max(score, highest);
  }
  return { highest, second };
}

/** Rounded as scores are kept, after each sum. */
function worthIn({ own, share, beside, weight }: Rows, { highest, second }: BestTwo, row: number): number {
  const score = own[row]!;
  const lifted = score === 0 ? 0 : Math.fround(score + share * (score === highest ? second : highest));
  return beside === null ? lifted : Math.fround(lifted + weight * beside[row]!);
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
