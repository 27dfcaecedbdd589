/**
 * What a searcher has found, as a segment in memory: so our own ranking puts in order what another engine found. The segment holds the
 * candidates alone; how common a term is in the whole collection the engine says (`collection-facts.ts`).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Chunk } from '../../chunk/chunk.ts';
import { chunkTerms, type ChunkTerms } from '../analysis/chunk-terms.ts';
import { ByteWriter, type PostingList } from '../index/posting-blocks.ts';
import { decodeWords, Segment, SegmentBuilder } from '../index/segments.ts';
import type { Searched } from '../index/snapshot.ts';
import type { Scored } from '../ranking/scorer.ts';
import { UnpackedLists } from '../index/unpacked.ts';
import type { CollectionFacts } from './collection-facts.ts';

/** A chunk that was found, as it is now. */
export type Candidate = Pick<Chunk, 'text' | 'context' | 'section'> & {
  readonly id: number;
  readonly document: number;
  readonly title: string | null;
};

/** Candidates that are cut into terms in one turn of the event loop. */
const cutAtOnce = 16;
/** Candidates by which the average length of a chunk is told: always the best ones, so that it is the same for every page. */
const averagedMax = 256;
/** What is known of a candidate that is not ranked. */
const noTerms: ChunkTerms = { terms: new Map(), words: new Set(), length: 0 };
const emptyList: PostingList = { rows: 0, lastRow: 0, bytes: new Uint8Array(0) };

/** Cuts candidates into terms, each once, however often it is found for one question. */
export function createTermCutter(): (candidates: readonly Candidate[]) => Promise<Map<number, ChunkTerms>> {
  const known = new Map<number, ChunkTerms>();
  return async (candidates) => {
    let cut = 0;
    for (const candidate of candidates) {
      if (known.has(candidate.id)) continue;
      known.set(candidate.id, chunkTerms(candidate, candidate.title));
      cut += 1;
      if (cut % cutAtOnce === 0) await nextTurn();
    }
    return known;
  };
}

/** `candidates`: the best first. `chunks`: of the whole collection. */
export function searchedAmong(
  candidates: readonly Candidate[],
  terms: ReadonlyMap<number, ChunkTerms>,
  chunks: number,
  facts: CollectionFacts,
): Searched {
  const ordered = candidates.toSorted((a, b) => a.id - b.id);
  const builder = new SegmentBuilder();
  for (const { id } of ordered) builder.add(terms.get(id)!);
  const { blocks, lengths, words } = builder.build(0, 0);
  const stored = [...blocks];
  const head = { id: 0, runs: runsOf(ordered), lengths, blocks: stored.map(({ first }, id) => ({ id, first })) };
  const source = { lists: new UnpackedLists(0), get: (id: number) => stored[id]!.data };
  const averaged = candidates.slice(0, averagedMax);
  const length = averaged.reduce((sum, { id }) => sum + terms.get(id)!.length, 0);
  const averageLength = averaged.length === 0 ? 1 : Math.max(1, length / averaged.length);
  const all = Math.max(chunks, candidates.length);
  return {
    segments: [new CountedSegment(head, source, () => decodeWords(words), facts)],
    collection: { chunks: all, averageLength },
    collectionIn(language) {
      const own = facts.chunksIn(language, all);
      return { chunks: own, averageLength, chunksWith: (postings) => Math.min(own, postings.chunks) };
    },
  };
}

/** Candidates that are not ranked, in the order in which they were found. */
export function rowsBehind(candidates: readonly Candidate[], facts: CollectionFacts): Scored[] {
  const none = new Map(candidates.map(({ id }) => [id, noTerms]));
  const [segment] = searchedAmong(candidates, none, 0, facts).segments;
  const rows = new Map(candidates.toSorted((a, b) => a.id - b.id).map(({ id }, row) => [id, row]));
  return candidates.map(({ id }) => ({ segment: segment!, row: rows.get(id)!, chunkId: id, score: 0 }));
}

function runsOf(ordered: readonly Candidate[]): Uint8Array {
  const runs = new ByteWriter();
  for (let from = 0; from < ordered.length;) {
    const { id, document } = ordered[from]!;
    let to = from + 1;
    while (to < ordered.length && ordered[to]!.document === document && ordered[to]!.id === id + to - from) to += 1;
    for (const value of [document, id, to - from]) runs.varint(value);
    from = to;
  }
  return runs.take();
}

/** A segment of which the engine says how common its terms are. */
class CountedSegment extends Segment {
  readonly #facts: CollectionFacts;

  constructor(
    head: ConstructorParameters<typeof Segment>[0],
    source: ConstructorParameters<typeof Segment>[1],
    words: () => string[],
    facts: CollectionFacts,
  ) {
    super(head, source, words);
    this.#facts = facts;
  }

  /** A term that only chunks have which are no candidates is there all the same. */
  override find(term: string): PostingList | null {
    return super.find(term) ?? (this.#facts.count(term) > 0 ? emptyList : null);
  }

  override liveRowsOf(term: string, list: PostingList): number {
    return Math.max(list.rows, this.#facts.count(term));
  }
}
