/**
 * The postings of one document as whoever reads it makes them, far from the thread that commits: everything of its segment but the ids
 * that it gets in the index. They pass from thread to thread without a copy.
 */
import type { Chunk } from '../../chunk/chunk.ts';
import { chunkTerms } from '../analysis/chunk-terms.ts';
import { type Block, ByteWriter } from './posting-blocks.ts';
import { mergedPostings, SegmentBuilder, type SegmentParts } from './segments.ts';

/** All blocks in one piece; each ends where the next begins, and has `firsts` as its first term. */
export type Postings = {
  readonly chunks: number;
  readonly lengths: Uint8Array;
  /** The distinct words in order; null for none. */
  readonly words: Uint8Array | null;
  readonly firsts: readonly string[];
  readonly ends: readonly number[];
  readonly data: Uint8Array;
};

/** Chunks whose postings are collected before they are packed: what a thread holds of them loosely. */
const packedChunks = 4096;
/** Smaller ones are copied from thread to thread: that costs less than memory that all of them share. */
const sharedBytesMin = 64 * 1024;

/** Collects the chunks of one document. Memory: its packed postings, and those of some thousand chunks. */
export class PostingsBuilder {
  readonly #title: string | null;
  readonly #packed: SegmentParts[] = [];
  #builder = new SegmentBuilder();

  /** `title`: the document's own, whose words belong to each of its chunks. */
  constructor(title: string | null) {
    this.#title = title;
  }

  add(chunk: Pick<Chunk, 'text' | 'context' | 'section'>): void {
    if (this.#builder.chunks === packedChunks) this.#pack();
    this.#builder.add(chunkTerms(chunk, this.#title));
  }

  /** What was added. Ends the builder. */
  done(): Postings {
    this.#pack();
    const [first] = this.#packed;
    return postingsOf(this.#packed.length === 1 ? first! : mergedPostings(this.#packed));
  }

  #pack(): void {
    const { blocks, ...rest } = this.#builder.parts();
    this.#packed.push({ ...rest, blocks: [...blocks] });
    this.#builder = new SegmentBuilder();
  }
}

/** The blocks from the one of this number on, at most so many bytes of them, and at least one. */
export function blocksFrom({ firsts, ends, data }: Postings, from: number, bytesMax: number): Block[] {
  const blocks: Block[] = [];
  const start = startOf(ends, from);
  for (let at = from; at < ends.length && (blocks.length === 0 || ends[at]! - start <= bytesMax); at += 1)
    blocks.push({ first: firsts[at]!, data: data.subarray(startOf(ends, at), ends[at]) });
  return blocks;
}

/** The same as a segment's parts. */
export function partsOf(postings: Postings): SegmentParts {
  const { lengths, words } = postings;
  return { lengths: new Uint16Array(lengths.slice().buffer), words, blocks: blocksFrom(postings, 0, Infinity) };
}

function startOf(ends: readonly number[], block: number): number {
  return block === 0 ? 0 : ends[block - 1]!;
}

function postingsOf({ lengths, words, blocks }: SegmentParts): Postings {
  const out = new ByteWriter();
  const firsts: string[] = [];
  const ends: number[] = [];
  for (const { first, data } of blocks) {
    out.append(data);
    firsts.push(first);
    ends.push(out.length);
  }
  const rows = new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength);
  return { chunks: lengths.length, lengths: rows, words, firsts, ends, data: passable(out) };
}

function passable(out: ByteWriter): Uint8Array {
  if (out.length < sharedBytesMin) return out.take();
  const shared = new Uint8Array(new SharedArrayBuffer(out.length));
  shared.set(out.bytes.subarray(0, out.length));
  return shared;
}
