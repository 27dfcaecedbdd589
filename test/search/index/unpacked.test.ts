import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PostingWriter } from '../../../src/search/index/posting-blocks.ts';
import { countAmong } from '../../../src/search/index/segments.ts';
import { eachPosting, KeptList, unpack } from '../../../src/search/index/unpacked.ts';
import { makeSegment, randomFrom } from '../../support/memory-segment.ts';

/** Far apart too, where an unpacked list needs more postings than rows. */
const someRows = fc.uniqueArray(fc.oneof(fc.nat(300), fc.nat(100_000)), { minLength: 1, maxLength: 200 });

describe('a list that is kept unpacked', () => {
  it('is the same list for whoever goes through it, counts it or reads its bytes', () => {
    fc.assert(
      fc.property(someRows, fc.infiniteStream(fc.integer({ min: 1, max: 15 })), (unsorted, counts) => {
        const rows = unsorted.toSorted((a, b) => a - b);
        const writer = new PostingWriter();
        for (const row of rows) writer.add(row, counts.next().value!);
        const packed = writer.list();
        const kept = new KeptList(packed, unpack(packed));
        const among = new Uint8Array(packed.lastRow + 1).map((_, row) => row % 2);

        expect(Buffer.from(kept.bytes)).toEqual(Buffer.from(packed.bytes));
        expect(all(kept)).toEqual(all(packed));
        expect(countAmong(kept, among)).toBe(countAmong(packed, among));
        for (const row of [0, ...rows, ...rows.map((each) => each + 1)]) expect(kept.has(row)).toBe(rows.includes(row));
      }),
    );
  });

  it('is found without a block being read', () => {
    const made = makeSegment(500, 4, () => [['common', 1] as const], randomFrom(1));
    const segment = made.open(2 ** 20);
    for (let time = 0; time < 2; time += 1) segment.unpacked('common', segment.find('common')!);
    const place = segment.placeOf('common')!;
    const before = made.reads();

    expect(segment.listAt('common', place)).toBeInstanceOf(KeptList);
    expect(made.reads()).toBe(before);
  });

  it('is kept by whoever has it, when others take its place', () => {
    const made = makeSegment(500, 4, () => [['common', 1] as const, ['other', 1] as const], randomFrom(1));
    const segment = made.open(5000);
    for (let time = 0; time < 2; time += 1) segment.unpacked('common', segment.find('common')!);
    const list = segment.find('common')!;
    for (let time = 0; time < 2; time += 1) segment.unpacked('other', segment.find('other')!);

    expect(segment.find('common')).not.toBeInstanceOf(KeptList);
    expect(segment.unpacked('common', list)).toBe((list as KeptList).unpacked);
  });
});

function all(list: Parameters<typeof eachPosting>[0]): [number, number][] {
  const found: [number, number][] = [];
  eachPosting(list, (row, count) => found.push([row, count]));
  return found;
}
