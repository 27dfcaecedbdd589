/** A segment whose blocks lie in memory: what scoring needs, without an index. */
import { ByteWriter } from '../../src/search/index/posting-blocks.ts';
import { Segment, SegmentBuilder } from '../../src/search/index/segments.ts';
import { UnpackedLists } from '../../src/search/index/unpacked.ts';

export type MadeSegment = {
  open(listBytesMax: number): Segment;
  /** How many blocks were read so far. */
  reads(): number;
};

/** Numbers from 0 to 1, the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** `rowTerms`: how often each term is in a row. Every document has `documentChunks` rows; document n has id n + 1. */
export function makeSegment(
  documents: number,
  documentChunks: number,
  rowTerms: (row: number) => Iterable<readonly [string, number]>,
  random: () => number,
): MadeSegment {
  const builder = new SegmentBuilder();
  for (let row = 0; row < documents * documentChunks; row += 1)
    builder.add({ terms: new Map(rowTerms(row)), words: new Set(), length: 10 + Math.floor(random() * 30) });
  const built = builder.build(1, 0);
  const blocks = [...built.blocks];
  const runs = new ByteWriter();
  for (let number = 0; number < documents; number += 1) {
    for (const value of [number + 1, number * 1000, documentChunks]) runs.varint(value);
  }
  let reads = 0;
  const get = (id: number): Uint8Array => ((reads += 1), blocks[id]!.data);
  return {
    reads: () => reads,
    open(listBytesMax) {
      const heads = blocks.map(({ first }, id) => ({ id, first }));
      const source = { lists: new UnpackedLists(listBytesMax), get };
      return new Segment({ id: 1, runs: runs.take(), lengths: built.lengths, blocks: heads }, source, () => []);
    },
  };
}
