/**
 * Port: what is searchable, in two parts. The arbiter decides which version of a document is there, and with it a task's fate: what it has
 * not switched to was never completed. The searcher finds what the arbiter has decided.
 */
import { type Description, type MetadataScalar, undescribed } from '../tasks/given.ts';
import type { Sort } from '../tasks/ordered-page.ts';
import type { TaskId, Version } from '../tasks/task.ts';
import type { Filter } from './filters.ts';
import type { Postings } from './index/postings.ts';
import type { Stop } from './stop.ts';

/** One searchable document; at most one version of a doc_id at any moment. */
export type IndexedDocument = Description & {
  /** With its collection, as `scopedId` writes the two. */
  readonly docId: string;
  /** The task that made this version. */
  readonly version: TaskId;
  /** `Task.ordinal` of that task: a version never replaces one that was accepted later. */
  readonly ordinal: number;
  readonly filename: string;
  readonly mediaType: string;
  readonly fileBytes: number;
  readonly sha256: string;
  /** The file's own. */
  readonly title: string | null;
  /** The title that its client gave it, which is shown instead of its own. */
  readonly givenTitle: string | null;
  readonly author: string | null;
  readonly language: string | null;
  readonly pages: number | null;
  readonly chunks: number;
  readonly characters: number;
  readonly insertedAt: string;
  /** `Embedder.id` of its vectors. */
  readonly embedder: string;
  /** What the client said the file is. */
  readonly declaredMediaType: string | null;
  /** Beside the bytes, all that its text depends on (`parse/reading.ts`); null when version 0.1.0 has read it. */
  readonly reading: string | null;
  /** Sentences about what could not be read. */
  readonly warnings: readonly string[];
};

/** A document as it was kept; version 0.1.0 kept less. */
export function completeDocument(kept: Partial<Later> & Omit<IndexedDocument, keyof Later>): IndexedDocument {
  return { ...sinceThen, ...kept };
}

type Later = Description & Pick<IndexedDocument, 'ordinal' | 'givenTitle' | 'declaredMediaType' | 'reading' | 'warnings'>;

const sinceThen: Later = {
  ...undescribed,
  ordinal: 0,
  givenTitle: null,
  declaredMediaType: null,
  reading: null,
  warnings: [],
};

/** As answers show it. */
export function titleOf({ givenTitle, title }: Pick<IndexedDocument, 'givenTitle' | 'title'>): string | null {
  return givenTitle ?? title;
}

/** What a client said of a document: each of these that is absent stays as it was at the moment of the switch. */
type Said = Description & Pick<IndexedDocument, 'givenTitle'>;

/** A version on its way into the index. */
export type IncomingDocument = Omit<IndexedDocument, keyof Said> & Partial<Said>;

/** The same bytes under another name. */
export type DocumentChange = Pick<IndexedDocument, 'filename'> & Partial<Said>;

/** JSON Merge Patch (RFC 7396) of what a client says of a document. */
export type DocumentPatch = {
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** Null: the file's own again. */
  readonly title?: string | null;
  readonly filename?: string;
};

/** What a list is sorted by; ascending, or descending with a `-` before it. Equal ones are in the order of their doc_ids. */
export const documentOrders = ['inserted_at', 'filename', 'title', 'doc_id', 'media_type', 'file_size', 'pages', 'chunks'] as const;
export type DocumentOrder = (typeof documentOrders)[number];
export type DocumentSort = Sort<DocumentOrder>;

export const searchModes = ['hybrid', 'keyword', 'vector'] as const;
export type SearchMode = (typeof searchModes)[number];

export type SearchFilter = {
  /** As clients name documents: within the collection that is searched. */
  readonly docIds?: readonly string[];
  readonly filename?: string;
  readonly mediaType?: string;
  /** ISO 8601; inclusive. */
  readonly insertedAfter?: string;
  readonly insertedBefore?: string;
  /** Every pair must match. */
  readonly metadata?: Readonly<Record<string, MetadataScalar>>;
  /** What a document says of itself and its client of it (`filters.ts`), beside all of the above. */
  readonly filters?: Filter;
};

export type SearchQuery = {
  readonly query: string;
  readonly mode: SearchMode;
  /** 1–100. */
  readonly topK: number;
  /** Hits to pass over, for paging. */
  readonly offset: number;
  readonly filter: SearchFilter;
  /** Leaves out what is less relevant, 0–1. */
  readonly minRelevance?: number;
  /** One hit a document. */
  readonly groupBy?: 'document';
  /** Chunks whose texts are wanted before and after each hit, 0–5. */
  readonly context?: number;
  /** Groups of words that stand for each other; absent: none. */
  readonly synonyms?: readonly (readonly string[])[];
  /** Where to look, and whose statistics and words count; absent: in `default`. */
  readonly collection?: string;
};

export type SearchHit = Description & {
  /** Higher is better; comparable within one answer only. */
  readonly score: number;
  /** 0–1: how well this passage answers this question, comparable across questions and sizes of collection (`ranking/relevance.ts`). */
  readonly relevance: number;
  /** Where documents are grouped: how many more chunks of this one were ranked beside it. */
  readonly more?: number;
  /** The texts before and after it in its document, where they were asked for. */
  readonly context?: { readonly before: readonly string[]; readonly after: readonly string[] };
  readonly docId: string;
  readonly version: TaskId;
  readonly filename: string;
  readonly title: string | null;
  /** Exactly `content.slice(start, end)`. */
  readonly text: string;
  /** UTF-16 offsets into `text`, end exclusive, in order, not overlapping: the words that matched. */
  readonly highlights: readonly (readonly [number, number])[];
  /** Where else the very same text was found, at most five places; absent where it was not. */
  readonly alsoIn?: readonly Pick<SearchHit, 'docId' | 'filename' | 'title' | 'page'>[];
  /** Whether it was found by the translation of the question, in the other language. */
  readonly acrossLanguages: boolean;
  readonly chunkIndex: number;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly pageEnd: number | null;
  readonly section: readonly string[];
};

export type SearchAnswer = {
  readonly hits: readonly SearchHit[];
  /** Chunks that matched; a lower bound when the search stopped early. */
  readonly total: number;
  readonly tookMs: number;
  /** Set when the answer is less than it could be (e.g. the index is being rebuilt, the embedder changed). */
  readonly notice: string | null;
  /** The question as it was read, where words of it that no text has were repaired; else null. */
  readonly shownFor: string | null;
};

export type DocumentPage = { readonly documents: readonly IndexedDocument[]; readonly nextCursor: string | null };

export type ListOptions = {
  /** 1–1000. */
  readonly limit: number;
  /** Opaque, from the page before; an unknown one throws AppError `invalid_request`. */
  readonly cursor?: string;
  /** The list begins behind this one, which may be gone; of lists by `inserted_at` alone, and beside no cursor. */
  readonly after?: Pick<IndexedDocument, 'docId' | 'insertedAt'>;
  /** Absent: in all of them. */
  readonly collection?: string;
};

export type DocumentQuery = ListOptions & {
  readonly filters?: Filter;
  /** Parts of a doc_id, a file name or a title, in any case. */
  readonly q?: string;
  /** Absent: newest first. */
  readonly sort?: DocumentSort;
};

/** `bytes`: of the files as they were uploaded. */
export type CollectionStats = { readonly documents: number; readonly chunks: number; readonly bytes: number };

/** A chunk of a document as it is listed; its text is `content.slice(start, end)`. */
export type ListedChunk = Pick<SearchHit, 'text' | 'chunkIndex' | 'start' | 'end' | 'page' | 'pageEnd' | 'section'>;
/** Some chunks of the version that is there. */
export type ChunkPage = { readonly document: IndexedDocument; readonly chunks: readonly ListedChunk[] };

/** What a searcher that follows has not taken in: changes that wait, how long the first has, and documents that it refuses. */
export type SearcherBacklog = { readonly waiting: number; readonly seconds: number; readonly refused: number };

/** `backlog`: absent where nobody follows. */
export type IndexStats = {
  readonly documents: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly backlog?: SearcherBacklog;
};

/** Who decides. */
export interface DocumentArbiter {
  /**
   * Resolves when all stored documents are in it: an index that was made anew, or is of an older version, is filled while it is used.
   * Absent: it is always whole. @throws AppError `unavailable` when it cannot be filled; the log says why.
   */
  filled?(): Promise<void>;
  /** Whether all stored documents are in it now: what it does not know is then stored for nothing. Absent: it is always whole. */
  isFilled?(): Promise<boolean>;
  /**
   * Makes `document` searchable in one switch and drops the version before; durable when it returns. The chunks come from
   * the folder of its version (`chunks.ndjson`, `vectors.bin`; see `search/staging.ts`), their postings from whoever has read it; they are
   * made from the chunks where absent.
   * `stale`: a newer version, or a removal newer than this version, is there. `revoked`: the task was revoked first.
   * Safe twice: the same version again answers `ok` and changes nothing.
   */
  replace(document: IncomingDocument, folder: string, postings?: Postings): Promise<'ok' | 'stale' | 'revoked'>;
  /** The same bytes under a newer task: moves the fence, the file name and the metadata, nothing else. */
  touch(docId: string, version: Version, change: DocumentChange): Promise<'ok' | 'stale' | 'revoked'>;
  /**
   * Changes what is said of a document, whatever version of it is there; null for an unknown one. Durable. Nothing is read again: the
   * words of the title stay those that were indexed.
   * @throws AppError `invalid_request` when the metadata would become too large.
   */
  change(docId: string, patch: DocumentPatch): Promise<IndexedDocument | null>;
  /**
   * After `ok` this task can never become searchable, however late its owner wakes. `committed`: too late, it already is.
   * Safe twice.
   */
  revoke(docId: string, version: Version): Promise<'ok' | 'committed'>;
  /** Takes a revocation back, for a retry: the task may become searchable again. Safe twice. Durable. */
  reinstate(docId: string, version: TaskId): Promise<void>;
  /** Removes the document and refuses every version accepted before `ordinal`, a removal's own number. True when there was one. Durable. */
  remove(docId: string, ordinal: number): Promise<boolean>;
  info(docId: string): Promise<IndexedDocument | null>;
  /** The chunks of a document from the one of this number on, in order; null for an unknown one. Cost: what it gives. */
  chunks(docId: string, from: number, limit: number): Promise<ChunkPage | null>;
  /** Whether this version was made searchable at some time (it may have been replaced since). */
  wasCommitted(docId: string, version: TaskId): Promise<boolean>;
  /** Without filters, q and sort it costs what it shows; with them also a look at what is kept in memory of each document. */
  list(query: DocumentQuery): Promise<DocumentPage>;
  stats(): Promise<IndexStats>;
  /** What collections hold: those of these names, all for null; one that holds nothing is left out. Cost: does not grow with documents. */
  collectionStats(names: readonly string[] | null): Promise<ReadonlyMap<string, CollectionStats>>;
  /** Makes what `collectionStats` says anew of the documents that are there, where it is kept apart from them. */
  recount(): Promise<void>;
  /** As `remove`, for many at once. Durable when it returns. */
  removeMany(docIds: readonly string[], ordinal: number): Promise<void>;
  /** Forgets fences and revocations that only tasks accepted before `ordinal` could meet: there is none any more. */
  purge(ordinal: number): Promise<void>;
  /** The greatest number that anything in it has; 0 when nothing has one. Reads all of its small tables. */
  highestOrdinal(): Promise<number>;
  /**
   * Holds what a searcher that follows has against what there is, and with `repair` has the difference told again. Documents that it lacks,
   * or has otherwise than whole, and those it has although they are gone; what waits to be told is not counted. Absent: nobody follows.
   */
  checkSearcher?(repair: boolean): Promise<{ readonly missing: number; readonly extra: number; readonly backlog: SearcherBacklog }>;
  close(): Promise<void>;
}

/** Who finds: whatever was decided before a question was asked, as soon as the decision has returned. */
export interface DocumentSearcher {
  /** @throws AppError `unavailable` when it was stopped. */
  search(query: SearchQuery, stop?: Stop): Promise<SearchAnswer>;
}

export interface DocumentIndex extends DocumentArbiter, DocumentSearcher {}
