/**
 * What the arbiter tells whoever finds, in the transaction of the decision: the index in segments takes it in at once, an outbox notes it
 * for a searcher that follows.
 */
import type { Postings } from '../../../search/index/postings.ts';
import type { StagedChunk } from '../../../search/index/staging.ts';
import type { DocumentArbiter, DocumentSearcher } from '../../../search/document-index.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { CatalogEntry } from './index-catalog.ts';

/** A version on its way: its chunks in order, which the arbiter keeps itself, then that these were all. */
export interface Arriving {
  take(batch: readonly StagedChunk[]): Promise<void>;
  done(): Promise<void>;
}

export interface Finder extends DocumentSearcher {
  /** A version became the current one of its document. `postings`: as its reader made them; absent: they are to be made. */
  begin(entry: CatalogEntry, postings: Postings | undefined): Arriving;
  /** A version is not there any more. The arbiter has dropped its row and its chunks. */
  drop(entry: CatalogEntry): Promise<void>;
  /** After the commit of a transaction in which one was added. */
  added(): void;
  /** Nothing is waited for: time to put in order what is left of many removals. */
  tidy(): void;
  /** Tables whose sizes are the index's, beside those of the arbiter. */
  readonly tables: readonly string[];
  /** Absent: nobody follows. */
  readonly outbox?: Pick<Outbox, 'backlog'>;
  readonly check?: NonNullable<DocumentArbiter['checkSearcher']>;
  close(): Promise<void>;
}
