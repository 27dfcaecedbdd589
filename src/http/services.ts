/** What the HTTP routes may ask of the rest of the product: use cases, no adapters. `app.ts` fills it. */
import type { Readable } from 'node:stream';
import type { ScopedId } from '../documents/document-name.ts';
import type { Collection, CollectionSettings } from '../documents/collection.ts';
import type { ByteRange, IncomingReceipt, Receipt } from '../storage/file-store.ts';
import type { AnswerService } from '../search/models/answer.ts';
import type {
  ChunkPage,
  CollectionStats,
  DocumentPage,
  DocumentPatch,
  DocumentQuery,
  IndexedDocument,
  SearchAnswer,
  SearcherBacklog,
  SearchQuery,
} from '../search/document-index.ts';
import type { Filter } from '../search/filters.ts';
import type { Asker } from '../search/turns.ts';
import type { Given } from '../tasks/given.ts';
import type { Task, TaskId, TaskLane, TaskSnapshot } from '../tasks/task.ts';
import type { CancelOutcome, RetryOutcome, SortedTaskFilter, TaskFilter, TaskPage } from '../tasks/task-store.ts';

export type Upload = Given & {
  readonly receipt: Receipt;
  /** Checked by the route: a collection that the caller reaches, and 1–256 characters without control characters. */
  readonly docId: ScopedId;
  /** The API key that sends it; null when no keys are in use. */
  readonly keyId: string | null;
  /** Who sends it, in words that are the same for two uploads of one: their tasks take turns with those of others. */
  readonly caller: string;
  /** Told the id of its task before anybody can work on that. */
  readonly onId?: (id: TaskId) => void;
};

/** A small file that is in memory already. */
export type WholeUpload = Omit<Upload, 'receipt'> & { readonly content: Uint8Array };

export interface UploadService {
  /**
   * Admission, then a place to write to. Call before the body is read.
   * @throws AppError `unavailable` (starting, stopping, disk refuses), `queue_full`, `insufficient_storage`.
   */
  receive(options: { bytesMax: number; bytesExpected: number | null }): Promise<IncomingReceipt>;
  /**
   * Durable when it returns. Discards the receipt when it throws.
   * @throws AppError `invalid_document` (`Invalid document: Empty file: …`), `invalid_request` (the callback URL),
   * `insufficient_storage`, `unavailable`.
   */
  submit(upload: Upload): Promise<Task>;
  /**
   * Many small files as one: each durable, or refused by itself, with an AppError of `receive` or `submit`. What finds no room in the
   * queue are the last of them. Of one doc_id the last wins. Never rejects.
   */
  submitAll(uploads: readonly WholeUpload[]): Promise<readonly PromiseSettledResult<Task>[]>;
  /** Which way a file of this size goes when the client has no preference. */
  laneOf(fileBytes: number): TaskLane;
}

export interface FollowedTask {
  ended(waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null>;
  /** Safe twice. */
  stop(): void;
}

export interface TaskService {
  get(id: TaskId): Promise<TaskSnapshot | null>;
  list(filter: TaskFilter): Promise<TaskPage>;
  /** @throws AppError `invalid_request` for a cursor of another order. */
  listSorted(filter: SortedTaskFilter): Promise<TaskPage>;
  /** Answers as soon as the task is terminal, after `waitMs` at the latest, or when `signal` aborts; null for an unknown id. */
  wait(id: TaskId, waitMs: number, signal: AbortSignal): Promise<TaskSnapshot | null>;
  /** As `wait`, from before the task is there (`Upload.onId`): nobody has to look whether it has ended already. */
  follow(id: TaskId): FollowedTask;
  /** With `force`, returns when the task's thread is stopped and its traces are gone, or when it turned out too late (`final`). */
  cancel(id: TaskId, options: { force: boolean }): Promise<CancelOutcome>;
  retry(id: TaskId): Promise<RetryOutcome | 'file_gone'>;
  /** Snapshots after each change, newest state last; `id: null` follows every task. Returns the way to stop. */
  watch(id: TaskId | null, listener: (snapshot: TaskSnapshot) => void, what?: 'all' | 'end'): () => void;
}

/** `bytes`: of the whole, whatever part of it the stream has. */
export type DocumentStream = { readonly stream: Readable; readonly bytes: number; readonly document: IndexedDocument };

/** Where the texts and lines of a page stand, from its upper left corner, in the unit of its size. */
export type PageLook = {
  readonly page: number;
  readonly width: number;
  readonly height: number;
  readonly texts: readonly (readonly [text: string, left: number, top: number, right: number, bottom: number])[];
  readonly lines?: readonly (readonly [x1: number, y1: number, x2: number, y2: number])[];
};

/** Chooses what is read once it is known what there is; null: all of it. */
export type PickPart = (found: Pick<DocumentStream, 'bytes' | 'document'>) => ByteRange | null;

/** What reads or changes the index waits its turn: each client has its own. @throws AppError `queue_full`, or `unavailable` when the asker has gone. */
export interface DocumentService {
  list(query: DocumentQuery & { readonly collection: string }, asker: Asker): Promise<DocumentPage>;
  /** Null for an unknown document. @throws AppError `invalid_request` when its metadata would become too large. */
  change(docId: ScopedId, patch: DocumentPatch, asker: Asker): Promise<IndexedDocument | null>;
  info(docId: ScopedId, asker: Asker): Promise<IndexedDocument | null>;
  /** The doc_id under which a document is kept, or would be: names compare in Unicode's composed form. */
  keptDocId(docId: ScopedId, asker: Asker): Promise<string>;
  /** The chunks from the one of this number on; null for an unknown document. */
  chunks(docId: ScopedId, from: number, limit: number, asker: Asker): Promise<ChunkPage | null>;
  /** The parsed text as Markdown. */
  content(docId: ScopedId, asker: Asker, pick?: PickPart): Promise<DocumentStream | null>;
  /** What a page looks like; null where that is not known, undefined for an unknown document. */
  look(docId: ScopedId, page: number, asker: Asker): Promise<PageLook | null | undefined>;
  original(docId: ScopedId, asker: Asker, pick?: PickPart): Promise<DocumentStream | null>;
  /** Gone from search, content and disk when it returns; waiting and running tasks of this doc_id are cancelled. False when unknown. */
  remove(docId: ScopedId, asker: Asker): Promise<boolean>;
  /** Removes what matches and was accepted before this, up to a bound (`more`); ends early when the asker has gone. Each removal is durable. */
  removeMatching(collection: string, filters: Filter, asker: Asker): Promise<{ readonly deleted: number; readonly more: boolean }>;
}

export type CollectionView = Collection & CollectionStats;

/** `reach`: the names that the caller may know of; null: all. `default` is always there. */
export interface CollectionService {
  exists(name: string): Promise<boolean>;
  /** Those that exist, by their names. */
  names(reach: readonly string[] | null): Promise<readonly string[]>;
  list(reach: readonly string[] | null): Promise<readonly CollectionView[]>;
  get(name: string): Promise<CollectionView | null>;
  /** Makes or changes it. Durable. @throws AppError `invalid_request`; `conflict` while one of this name is being removed. */
  put(
    name: string,
    change: Partial<Pick<Collection, 'title' | 'description'>> & { readonly settings?: Partial<CollectionSettings> },
  ): Promise<{ readonly collection: CollectionView; readonly created: boolean }>;
  /** With everything in it. Durable when it returns. False when there is none. @throws AppError `conflict` for `default`. */
  remove(name: string): Promise<boolean>;
}

/** A question to one collection or to several at once. They are always said: what a caller may not reach is nobody's default. */
export type Question = Omit<SearchQuery, 'collection'> & { readonly collections: readonly string[] };

/** A file that is read and not kept; whoever opened it discards it, and with it the files that reading it left. */
export interface FileReading extends IncomingReceipt {
  /**
   * After `stream` has finished. Waits for a thread of the worker process, which go round among callers.
   * @throws AppError `unavailable`; DocumentError when it cannot be read.
   */
  read(wish: {
    filename: string;
    declaredMediaType: string | null;
    password?: string;
    caller: string;
    /** Whether the text without marks is wanted. */
    withPlainText: boolean;
    signal: AbortSignal;
  }): Promise<{
    /** A file with the Markdown alone. */
    readonly markdownPath: string;
    /** A file with the whole answer of POST /parse. */
    readonly answerPath: string;
    /** A file with a JSON list of `{page, start, end}`: UTF-16 offsets into the Markdown, in order. */
    readonly pagesPath: string;
    /** A file with the text without marks, where it was wanted. */
    readonly plainPath: string;
    readonly document: Pick<IndexedDocument, 'mediaType' | 'title' | 'author' | 'language' | 'pages'>;
  }>;
}

export interface ReadingService {
  open(): Promise<FileReading>;
}

export interface SearchService {
  /** Waits its turn, and stops when the asker has gone. @throws AppError `queue_full`, `unavailable`. */
  search(query: Question, asker: Asker): Promise<SearchAnswer>;
}

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Figures for the status page and for metrics. */
export type SystemStatus = {
  readonly pending: number;
  readonly processing: number;
  /** ISO 8601: since when the task has waited that is next; null when none waits. */
  readonly pendingSince: string | null;
  readonly threads: number;
  readonly workerUp: boolean;
  readonly workerRestarts: number;
  /** Memory of the worker process; null where it is not known. */
  readonly workerBytes: number | null;
  readonly documents: number;
  readonly chunks: number;
  readonly indexBytes: number;
  /** Of a searcher that follows the index; null where nobody does. */
  readonly searcherBacklog: SearcherBacklog | null;
  /** Whose stored parts are no longer what was written, and how many were made good. */
  readonly documentsDamaged: number;
  readonly documentsMended: number;
  readonly diskFreeBytes: number;
  readonly diskTotalBytes: number;
  /** Standbys of the database that answer questions; `lagMs` null: not known, or longer than a minute. */
  readonly standbys: readonly { readonly name: string; readonly lagMs: number | null; readonly asked: boolean }[];
  /** Of an object store: what this front end and its worker have asked of it since they began. */
  readonly fileStore: readonly {
    readonly process: string;
    readonly figures: {
      readonly requests: readonly { readonly operation: string; readonly outcome: string; readonly count: number }[];
      readonly seconds: readonly { readonly operation: string; readonly seconds: number }[];
      readonly bytesSent: number;
      readonly bytesReceived: number;
    };
  }[];
  readonly store: 'ready' | 'full' | 'read_only' | 'unusable' | 'starting';
};

export type Services = {
  readonly reading: ReadingService;
  readonly uploads: UploadService;
  readonly tasks: TaskService;
  readonly documents: DocumentService;
  readonly collections: CollectionService;
  readonly search: SearchService;
  /** Absent unless a chat service is set. */
  readonly answers?: AnswerService;
  /** Cheap enough for every probe. */
  readiness(): Promise<Readiness>;
  /** `reach`: of these collections alone, and nothing of what all share; null: of everything. */
  status(reach: readonly string[] | null): Promise<SystemStatus>;
};
