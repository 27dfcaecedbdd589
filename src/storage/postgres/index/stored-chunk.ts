/** A chunk as its table keeps it. */
import type { ChunkRow } from '../../../search/ranking/hits.ts';

/** `context`: the header of the table that it is part of, where it is; rows of before 0.3 have none. The text is its last member. */
export type StoredChunk = ChunkRow & { readonly context?: string };
