import { describe, expect, it } from 'vitest';
import { feedbackTerms } from '../../../src/search/ranking/feedback.ts';
import { idf, postingsOf } from '../../../src/search/ranking/scorer.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

const words = Array.from({ length: 80 }, (_, i) => `${'bcdfghjklm'[i % 10]}a${'npqrstvwxz'[Math.floor(i / 10)]}o`);

/** Segments of different sizes, each with words of its own commonness. */
function segmentsOf(seed: number) {
  const random = randomFrom(seed);
  return [3, 40, 12, 1].map((documents) => {
    const shares = words.map(() => random() ** 3);
    return makeSegment(
      documents,
      2,
      () => words.flatMap((word, i) => (random() < shares[i]! ? [[word, 1] as const] : [])),
      random,
    ).open(0);
  });
}

describe('the words that the best answers share', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('are the strongest of all as if each were looked up everywhere (%i)', (seed) => {
    const segments = segmentsOf(seed);
    const random = randomFrom(seed + 100);
    const chunks = segments.reduce((sum, segment) => sum + segment.chunks, 0);
    const collection = { chunks, averageLength: 20 };
    const best = Array.from({ length: 10 }, (_, i) => ({
      scored: { segment: segments[0]!, row: 0, chunkId: i, score: 10 - i / 5 },
      text: Array.from({ length: 30 }, () => words[Math.floor(words.length * random() ** 2)]!).join(' '),
    }));
    const options = { chunks: 10, shareMax: 0.5, postingsMax: 1e9 };

    const all = feedbackTerms(best, [], segments, collection, { ...options, terms: words.length });
    const few = feedbackTerms(best, [], segments, collection, { ...options, terms: 12 });

    expect(all.length).toBeGreaterThan(20);
    expect(few).toEqual(all.slice(0, 12));
    for (const { term, postings } of few)
      expect(idf(postings.chunks, collection)).toBe(idf(postingsOf(term, segments).chunks, collection));
  });

  it('are looked up everywhere only where they may be among them', () => {
    const segments = segmentsOf(9);
    const looked: string[] = [];
    const smallest = segments.at(-1)!;
    const find = smallest.find.bind(smallest);
    smallest.find = (term) => {
      looked.push(term);
      return find(term);
    };
    const best = Array.from({ length: 2 }, (_, i) => ({
      scored: { segment: segments[0]!, row: 0, chunkId: i, score: 10 },
      text: words.join(' '),
    }));

    const chosen = feedbackTerms(
      best,
      [],
      segments,
      { chunks: 112, averageLength: 20 },
      { chunks: 10, terms: 5, shareMax: 1, postingsMax: 1e9 },
    );

    expect(chosen).toHaveLength(5);
    expect(looked.length).toBeLessThan(words.length / 2);
  });
});
