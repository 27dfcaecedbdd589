/**
 * Port: a search engine that follows the arbiter. It is told what is there and what is gone, in order, at least once, by one follower at a time; it
 * finds chunks that have the terms of a question. All else is done here for every engine alike: which documents may be found is decided by
 * the arbiter, order, quotes, relevance and marks by our own ranking among what was found.
 *
 * What identifies a text is its document number: a version of a document gets one when it becomes the current one, no other ever has it,
 * and its text never changes. So being told twice is harmless, and whoever is told in the wrong order by a follower that was thought dead
 * needs `turn` alone to see it.
 */
import type { Chunk } from '../../chunk/chunk.ts';
import { chunkTerms, type ChunkTerms } from '../analysis/chunk-terms.ts';

/** A chunk as it is to be found, cut into our own terms, Chinese as well; `id` is the number that answers name it by. */
export type FollowedChunk = ChunkTerms & { readonly id: number };

/** `title`: of its document, whose words belong to each of its chunks. */
export function followedChunk(id: number, chunk: Pick<Chunk, 'text' | 'context' | 'section'>, title: string | null): FollowedChunk {
  return { id, ...chunkTerms(chunk, title) };
}

export type FollowedDocument = {
  /** Its number. */
  readonly id: number;
  readonly collection: string;
  readonly chunks: number;
  /** Its chunks in order, some at a time. */
  read(): AsyncIterable<readonly FollowedChunk[]>;
};

/** What became of a document number. */
export type Change = { readonly is: 'there'; readonly document: FollowedDocument } | { readonly is: 'gone'; readonly id: number };

export type TermQuestion = {
  readonly collection: string;
  /** Index terms (`search/analysis`), what each is worth beside the others. */
  readonly terms: readonly { readonly term: string; readonly weight: number }[];
  /** Only chunks of these; null: of all in the collection. */
  readonly documents: ReadonlySet<number> | null;
  /** Chunks that are wanted. */
  readonly limit: number;
};

/** Chunks that have at least one of the terms, those first that have what is worth most; `total`: how many there are. */
export type Found = { readonly chunks: readonly number[]; readonly total: number };

export interface FollowingSearcher {
  /**
   * Takes in what became of some documents: findable, or gone, and durable when it returns. Safe twice. Nothing of a question's answer lies
   * between two of them.
   * @throws AppError `unavailable`: it does not answer, or has seen a later turn than this one. Anything else: it will never take these.
   */
  apply(turn: number, changes: readonly Change[]): Promise<void>;
  /** Forgets everything, to be filled anew. Durable; safe twice. @throws as `apply`. */
  clear(turn: number): Promise<void>;
  find(question: TermQuestion): Promise<Found>;
  /** How many chunks of a collection have each of these terms; may stop counting at some thousands. */
  count(collection: string, terms: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Words of a collection's texts that may have been meant by this one, for typing errors; none where an engine cannot tell. */
  wordsLike(collection: string, word: string): Promise<readonly string[]>;
  /** What it has, in the order of the numbers from behind `after` on, at most so many. */
  documents(after: number, limit: number): Promise<readonly { readonly id: number; readonly chunks: number }[]>;
  close(): Promise<void>;
}
