/** Words that the best answers of a question share and the question lacks (pseudo-relevance feedback). */
import { scanTokens } from '../analysis/tokens.ts';
import type { Segment } from '../index/segments.ts';
import type { QueryTerm } from './query-terms.ts';
import { chunksWith, type Collection, idf, postingsIn, postingsOf, type Scored } from './scorer.ts';

export type FeedbackOptions = {
  /** Best answers that are read. */
  readonly chunks: number;
  readonly terms: number;
  /** Terms that more than this share of all chunks have say nothing. */
  readonly shareMax: number;
  /** What the terms may cost together; the commonest ones of a large index are left out. */
  readonly postingsMax: number;
};

/** Candidates whose rarity is looked up. */
const candidatesMax = 120;

type BestAnswers = readonly { readonly scored: Scored; readonly text: string }[];

/** A term that answers share, by what they make of it. */
type Candidate = { readonly term: string; readonly weight: number };

/**
 * The shared terms, strongest first, the strongest weighing 1. An answer counts by the fifth power of its score: with a clear winner only its words
 * count, and the ranking hardly moves.
 */
export function feedbackTerms(
  best: BestAnswers,
  query: readonly QueryTerm[],
  segments: readonly Segment[],
  collection: Collection,
  options: FeedbackOptions,
): QueryTerm[] {
  const candidates = sharedTerms(best, new Set(query.map(({ term }) => term)), collection);
  let left = options.postingsMax;
  const chosen = strongest(candidates, segments, collection, options).filter(({ postings }) => (left -= postings.chunks) >= 0);
  const most = chosen[0]?.weight ?? 1;
  return chosen.map(({ term, postings, weight }) => ({ term, postings, weight: weight / most }));
}

function sharedTerms(best: BestAnswers, asked: ReadonlySet<string>, { averageLength }: Collection): Candidate[] {
  const sums = new Map<string, { weight: number; chunks: number }>();
  const highest = best[0]?.scored.score ?? 1;
  for (const { scored, text } of best) {
    const share = (scored.score / highest) ** 5;
    const counts = countText(text);
    let length = 0;
    for (const count of counts.values()) length += count;
    for (const [term, count] of counts) {
      if (asked.has(term)) continue;
      const worth = share * ((count * 2.2) / (count + 0.3 + (0.9 * length) / averageLength));
      const sum = sums.get(term);
      if (sum === undefined) sums.set(term, { weight: worth, chunks: 1 });
      else {
        sum.weight += worth;
        sum.chunks += 1;
      }
    }
  }
  return [...sums]
    .filter(([, { chunks }]) => chunks >= 2)
    .sort((a, b) => b[1].weight - a[1].weight)
    .slice(0, candidatesMax)
    .map(([term, { weight }]) => ({ term, weight }));
}

function countText(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  scanTokens(text, (term, _start, _end, kind) => {
    if (kind !== 'stop' && kind !== 'char') counts.set(term, (counts.get(term) ?? 0) + 1);
  });
  return counts;
}

/**
 * The strongest by how telling they are. A term is as common as in the largest segment at least: that is looked up first, and those that cannot be
 * among the strongest by it are not looked up in all the others.
 */
function strongest(
  candidates: readonly Candidate[],
  segments: readonly Segment[],
  collection: Collection,
  { terms, shareMax }: FeedbackOptions,
): QueryTerm[] {
  const found: (QueryTerm & { readonly place: number })[] = [];
  const weights = new Highest(terms);
  for (const { term, weight, place, most } of mostFirst(candidates, segments, collection)) {
    if (most < weights.least) break;
    const postings = postingsOf(term, segments);
    const chunks = chunksWith(postings, collection);
    if (chunks > shareMax * collection.chunks) continue;
    const telling = weight * idf(chunks, collection);
    weights.add(telling);
    found.push({ term, postings, weight: telling, place });
  }
  return found.sort((a, b) => b.weight - a.weight || a.place - b.place).slice(0, terms);
}

/** The candidates by what they are worth at most. */
function mostFirst(candidates: readonly Candidate[], segments: readonly Segment[], collection: Collection) {
  const largest = segments.reduce((place, { chunks }, at) => (chunks > segments[place]!.chunks ? at : place), 0);
  return candidates
    .map(({ term, weight }, place) => {
      const atLeast = chunksWith(postingsIn(term, segments, largest), collection);
      return { term, weight, place, most: weight * idf(atLeast, collection) };
    })
    .sort((a, b) => b.most - a.most);
}

/** The so many highest of some numbers. */
class Highest {
  readonly #count: number;
  readonly #numbers: number[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  /** What is lower is not among them. */
  get least(): number {
    return this.#numbers.length < this.#count ? -Infinity : this.#numbers.at(-1)!;
  }

  add(number: number): void {
    if (number < this.least) return;
    const place = this.#numbers.findLastIndex((other) => other >= number) + 1;
    this.#numbers.splice(place, 0, number);
    this.#numbers.length = Math.min(this.#numbers.length, this.#count);
  }
}
