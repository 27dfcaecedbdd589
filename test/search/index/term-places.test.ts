import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../../../src/search/index/posting-blocks.ts';
import { Segment, SegmentBuilder } from '../../../src/search/index/segments.ts';
import { placesIn, rememberPlaces } from '../../../src/search/index/term-places.ts';
import { UnpackedLists } from '../../../src/search/index/unpacked.ts';

const nothing = new Uint8Array(4);

/** A segment of these terms in one block, which is read when it is `there`; `reads` counts how often it was asked for. */
function segmentOf(terms: readonly string[], block = { there: true, reads: 0 }) {
  const builder = new SegmentBuilder();
  for (const term of terms) builder.add({ terms: new Map([[term, 1]]), words: new Set(), length: 1 });
  const { blocks, lengths } = builder.build(1, 0);
  const [stored] = [...blocks];
  const runs = new ByteWriter();
  for (const value of [1, 0, terms.length]) runs.varint(value);
  const get = () => {
    block.reads += 1;
    return block.there ? stored!.data : nothing;
  };
  const head = { id: 1, runs: runs.take(), lengths, blocks: [{ id: 0, first: stored!.first }] };
  return new Segment(head, { lists: new UnpackedLists(0), get }, () => []);
}

function remembering(segments: readonly Segment[], before: readonly Segment[] = []) {
  rememberPlaces(segments, before);
  return placesIn(segments)!;
}

describe('places of terms', () => {
  it('are those that each segment has, asked once or again', () => {
    const segments = [segmentOf(['apple', 'pear']), segmentOf(['pear', '梨']), segmentOf(['apple'])];
    const places = remembering(segments);

    for (const term of ['apple', '梨', 'quince', 'apple', 'pear', 'quince', '梨'])
      expect(places.lists(term)).toEqual(segments.map((segment) => segment.find(term)));
    expect(places.listIn('pear', 1)).toEqual(segments[1]!.find('pear'));
  });

  it('are asked for nowhere again where a segment has not the term', () => {
    const block = { there: true, reads: 0 };
    const places = remembering([segmentOf(['apple', 'pear'], block)]);
    places.lists('banana');
    const { reads } = block;

    expect(places.lists('banana')).toEqual([null]);
    expect(block.reads).toBe(reads);
  });

  it('are not remembered while what tells them is not there', () => {
    const block = { there: false, reads: 0 };
    const segment = segmentOf(['apple'], block);
    const places = remembering([segment]);

    expect(places.lists('apple')).toEqual([null]);
    block.there = true;
    expect(places.lists('apple')).toEqual([segment.find('apple')]);
    block.there = false;
    expect(places.lists('apple')).toEqual([null]);
    block.there = true;
    expect(places.lists('apple')).toEqual([segment.find('apple')]);
  });

  it('follow the segments that stay when others come and go', () => {
    const [gone, stays, fresh] = [segmentOf(['apple', 'pear']), segmentOf(['pear', 'plum']), segmentOf(['apple', 'fig'])];
    const before = [gone, stays];
    const earlier = remembering(before);
    for (const term of ['apple', 'pear', 'plum']) earlier.lists(term);
    const now = [stays, fresh];
    const places = remembering(now, before);

    for (const term of ['apple', 'pear', 'plum', 'fig'])
      expect(places.lists(term)).toEqual(now.map((segment) => segment.find(term)));
  });

  it('are remembered of the latest terms alone', () => {
    const segments = [segmentOf(['apple'])];
    const places = remembering(segments);

    for (let number = 0; number < 20_000; number += 1) places.lists(`word${number}`);

    expect(places.size).toBeLessThan(10_000);
    expect(places.lists('apple')).toEqual([segments[0]!.find('apple')]);
  });
});
