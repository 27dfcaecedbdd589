/** What the terms of one question may cost. */
import { expect, it } from 'vitest';
import type { Segment } from '../../../src/search/index/segments.ts';
import { type QueryTerm, readAs } from '../../../src/search/ranking/query-terms.ts';

const rowsOf: Readonly<Record<string, number>> = { 审: 2_000_000, 审判: 40 };
/** A segment of so many postings that nobody makes it. */
const segment = {
  find: (term: string) => ({ rows: rowsOf[term], lastRow: 0, bytes: new Uint8Array() }),
  liveRowsOf: (term: string) => rowsOf[term],
} as unknown as Segment;

const written = (term: string, chunks: number): QueryTerm => ({ term, weight: 1, postings: { lists: [null], chunks } });
const reading = (term: string) => ({ term, weight: 1, of: '申', replacement: null });

it('counts what a wrong character is read as, and leaves out what is too common together', () => {
  const known = { terms: [written('法院', 28_500_000), written('申判', 0)], replacements: [] };

  const { terms } = readAs(known, [reading('审'), reading('审判')], [segment]);
  expect(terms.map(({ term }) => term)).toEqual(['申判', '审', '审判']);
});
