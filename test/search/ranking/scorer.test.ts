import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Segment } from '../../../src/search/index/segments.ts';
import { UnpackedLists } from '../../../src/search/index/unpacked.ts';
import { type Collection, letGo, postingsOf, scoreInSteps, type Scores } from '../../../src/search/ranking/scorer.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

function scoresOf(segment: Segment, terms: readonly string[], may: Uint8Array | null): Scores {
  return scoresIn([segment], terms, { chunks: segment.chunks, averageLength: 20 }, may);
}

function scoresIn(
  segments: readonly Segment[],
  terms: readonly string[],
  collection: Collection,
  may: Uint8Array | null = null,
): Scores {
  const asked = terms.map((term) => ({ postings: postingsOf(term, segments), weight: 1 }));
  const steps = scoreInSteps(asked, segments, collection, () => may);
  let step = steps.next();
  while (!step.done) step = steps.next();
  // As questions do, whose arrays the next one uses again.
  const scores = step.value.map((own) => own.slice());
  letGo(step.value, segments, () => may);
  return scores;
}

const documentChunks = 4;

/** Terms as common as `shares` say, the first one in none of 8,400 rows; and which documents a filter lets through. */
const questions = fc
  .record({
    documents: fc.integer({ min: 100, max: 3000 }),
    shares: fc.array(fc.constantFrom(0.9, 0.5, 0.1, 0.02, 0.001), { minLength: 1, maxLength: 4 }),
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    filtered: fc.constantFrom(0.9, 0.2, 0.05, 0.01, 0),
  })
  .map(({ documents, shares, seed, filtered }) => {
    const random = randomFrom(seed);
    const has = (share: number, term: number, row: number): boolean => random() < share && !(term === 0 && row > 600 && row < 9000);
    const rowTerms = (row: number): [string, number][] =>
      shares.flatMap((share, term): [string, number][] =>
        has(share, term, row) ? [[`t${term}`, 1 + Math.floor(random() * 20)]] : [],
      );
    const made = makeSegment(documents, documentChunks, rowTerms, random);
    const may = new Uint8Array(documents * documentChunks);
    for (let row = 0; row < may.length; row += documentChunks) if (random() < filtered) may.fill(1, row, row + documentChunks);
    return { made, terms: shares.map((_, term) => `t${term}`), may };
  });

it('scores are the same to the last bit, whether lists are unpacked or not, and whether what a filter leaves out is passed over or looked at, and whatever was scored before', () => {
  fc.assert(
    fc.property(questions, ({ made, terms, may }) => {
      const [plain, kept] = [made.open(0), made.open(2 ** 24)];
      for (let time = 0; time < 3; time += 1) {
        const all = scoresOf(plain, terms, null)[0]!;
        expect(scoresOf(kept, terms, null)[0]).toEqual(all);
        const filtered = scoresOf(kept, terms, may);
        expect(filtered[0]).toEqual(all.map((score, row) => (may[row] === 1 ? score : 0)));
      }
    }),
    { numRuns: 40 },
  );
});

it('the lists that are kept take no more than their bound, whatever is asked for', () => {
  const terms = Array.from({ length: 50 }, (_, term) => `t${term}`);
  const segment = makeSegment(500, 4, () => terms.map((term) => [term, 1] as const), randomFrom(1)).open(0);
  const bytesMax = 20_000;
  const lists = new UnpackedLists(bytesMax);
  for (let time = 0; time < 4; time += 1)
    for (const term of terms) {
      lists.get(term, segment.find(term)!);
      expect(lists.bytes).toBeLessThanOrEqual(bytesMax);
    }
  expect(lists.bytes).toBeGreaterThan(bytesMax / 2);
});

it('how common a term is is counted once, in however many segments it is', () => {
  const segments = Array.from({ length: 5 }, () =>
    makeSegment(10, 1, () => [['a', 1] as const, ['b', 2] as const], randomFrom(1)).open(0),
  );
  const counted: (string | undefined)[] = [];
  const chunksWith: Collection['chunksWith'] = ({ term, chunks }) => (counted.push(term), chunks);

  const scores = scoresIn(segments, ['a', 'b'], { chunks: 500, averageLength: 20, chunksWith });
  expect(counted).toEqual(['a', 'b']);
  expect(scores).toEqual(scoresIn(segments, ['a', 'b'], { chunks: 500, averageLength: 20 }));
});
