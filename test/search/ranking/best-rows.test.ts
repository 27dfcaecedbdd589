import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Segment } from '../../../src/search/index/segments.ts';
import { bestRows, type Worth, worthOfChosen, worthOfRow } from '../../../src/search/ranking/best-rows.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** What every row is worth, each worked out by itself, as single precision keeps it. */
function worthOfAll({ scores, siblingShare, beside }: Worth, at: number, segment: Segment, may: Uint8Array | null): number[] {
  const own = scores[at]!;
  return Array.from(own, (score, row) => {
    if (may !== null && may[row] === 0) return 0;
    const { firstRow, chunks } = segment.runAt(row);
    const others = own.slice(firstRow, firstRow + chunks).filter((_, place) => firstRow + place !== row);
    const lifted = score === 0 ? 0 : Math.fround(score + siblingShare * Math.max(0, ...others));
    return beside === undefined ? lifted : Math.fround(lifted + beside.weight * beside.scores[at]![row]!);
  });
}

/** Scores with many equal ones, many rows without any, and few documents that are far better than others. */
function scoresOf(rows: number, random: () => number, share: number): Float32Array {
  return Float32Array.from({ length: rows }, () => {
    if (random() >= share) return 0;
    const coarse = Math.ceil(random() * 8) / 3;
    return random() < 0.02 ? coarse * 3 : coarse + (random() < 0.5 ? 0 : random() / 1e6);
  });
}

const cases = fc.record({
  documents: fc.integer({ min: 1, max: 120 }),
  documentChunks: fc.constantFrom(1, 2, 5, 30),
  segments: fc.integer({ min: 1, max: 3 }),
  share: fc.constantFrom(0, 0.05, 0.5, 1),
  siblingShare: fc.constantFrom(0, 0.1, 0.9),
  beside: fc.constantFrom(null, 0.01, 1, 50),
  hidden: fc.constantFrom(null, 0.01, 0.5, 0.95),
  limit: fc.constantFrom(1, 10, 256),
  seed: fc.integer({ min: 1, max: 2 ** 31 }),
});

it('the best rows and their scores are those of working out every row, however many documents are passed over', () => {
  fc.assert(
    fc.property(cases, ({ documents, documentChunks, segments: count, share, siblingShare, beside, hidden, limit, seed }) => {
      const random = randomFrom(seed);
      const segments = Array.from({ length: count }, () =>
        makeSegment(documents, documentChunks, () => [['t', 1]], random).open(0),
      );
      const rows = documents * documentChunks;
      const masks = new Map(
        segments.map((segment) => {
          const may = new Uint8Array(rows);
          for (const { firstRow, chunks } of segment.runs) if (random() >= (hidden ?? 0)) may.fill(1, firstRow, firstRow + chunks);
          return [segment, hidden === null ? null : may];
        }),
      );
      const allowed = (segment: Segment): Uint8Array | null => masks.get(segment)!;
      const scores = segments.map(() => scoresOf(rows, random, share));
      const besides = segments.map(() => scoresOf(rows, random, share / 4));
      const worth: Worth = {
        scores,
        siblingShare,
        ...(beside === null ? {} : { beside: { scores: besides, weight: beside } }),
      };

      const all = segments.map((segment, at) => worthOfAll(worth, at, segment, allowed(segment)));
      const expected = all.flat().filter((score) => score > 0);
      const { top, total } = bestRows(worth, segments, allowed, limit);
      expect(total).toBe(expected.length);
      expect(top.map(({ score }) => score)).toEqual(expected.toSorted((a, b) => b - a).slice(0, limit));
      for (const { segment, row, score } of top) expect(score).toBe(all[segments.indexOf(segment)]![row]);

      const chosen = segments.map(() => Uint8Array.from({ length: rows }, () => (random() < 0.3 ? 1 : 0)));
      const ofChosen = worthOfChosen(worth, segments, allowed, chosen);
      expect(ofChosen.map((each) => [...each])).toEqual(all.map((each, at) => each.map((score, row) => score * chosen[at]![row]!)));
      for (const [at, segment] of segments.entries())
        for (const { firstRow } of segment.runs.slice(0, 5))
          if (allowed(segment)?.[firstRow] !== 0) expect(worthOfRow(worth, at, segment, firstRow)).toBe(all[at]![firstRow]);
    }),
    { numRuns: 60 },
  );
});

it('of rows that are worth the same those whose chunks have the lower ids come first', () => {
  const segment = makeSegment(50, 4, () => [['t', 1]], randomFrom(1)).open(0);
  const scores = [new Float32Array(200).fill(1)];
  const { top } = bestRows({ scores, siblingShare: 0.1 }, [segment], () => null, 10);
  expect(top.map(({ chunkId }) => chunkId)).toEqual([0, 1, 2, 3, 1000, 1001, 1002, 1003, 2000, 2001]);
});
