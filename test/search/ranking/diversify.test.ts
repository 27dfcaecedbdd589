import { describe, expect, it } from 'vitest';
import type { Segment } from '../../../src/search/index/segments.ts';
import { spreadOut } from '../../../src/search/ranking/diversify.ts';
import type { Scored } from '../../../src/search/ranking/scorer.ts';

/** The first fourteen hits are of one document, each other one of its own. */
const segment = { runAt: (row: number) => ({ document: row < 14 ? 0 : row }) } as unknown as Segment;

function ranked(scoreOfOthers: number): Scored[] {
  return Array.from({ length: 20 }, (_, row) => ({ segment, row, chunkId: row, score: row < 14 ? 8 - row / 10 : scoreOfOthers }));
}

describe('the hits of one document', () => {
  it('leave places to others that fit nearly as well', () => {
    const rows = spreadOut(ranked(6)).map(({ row }) => row);

    expect(rows.slice(0, 10).filter((row) => row < 14)).toEqual([0, 1, 2, 3]);
    expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });

  it('stay before those that have hardly anything of the question', () => {
    expect(spreadOut(ranked(0.01)).map(({ row }) => row)).toEqual(Array.from({ length: 20 }, (_, row) => row));
  });
});
