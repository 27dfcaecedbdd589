/** What crosses the boundary between the worker process and one of its threads. Plain data: errors lose their class on the way. */
import { type MessagePort, threadId } from 'node:worker_threads';
import type { EmbedderSettings } from '../embed/create-embedder.ts';
import type { CollectionReading } from '../documents/collection.ts';
import type { DocumentErrorCode } from '../errors.ts';
import { cpuTimeMs } from '../parse/cpu-time.ts';
import type { OcrPages } from '../parse/images/ocr.ts';
import type { ReadingSettings } from '../parse/reading.ts';
import type { ParseLimits } from '../parse/parser.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import type { Postings } from '../search/index/postings.ts';
import type { StageCounts } from '../tasks/progress.ts';
import type { Description } from '../tasks/given.ts';
import type { TaskId } from '../tasks/task.ts';

/** What a thread is given once, when it starts. */
export type ThreadSettings = {
  readonly limits: ParseLimits;
  readonly chunkTokensMax: number;
  /** As Tesseract names them, joined by `+`; empty: English and Chinese, as far as they are installed. */
  readonly ocrLanguages: string;
  /** Absent: `textless`. */
  readonly ocrPages?: OcrPages;
  readonly embedder: EmbedderSettings;
};

/** One attempt at one document. What is said of it is what it has to all appearances; what it has at the switch decides. */
export type IngestJob = Description & {
  readonly taskId: TaskId;
  readonly ordinal: number;
  readonly docId: string;
  readonly filename: string;
  readonly fileBytes: number;
  readonly sha256: string;
  readonly declaredMediaType: string | null;
  /** Opens the file. Absent: none. */
  readonly password?: string;
  /** Absent: none. */
  readonly givenTitle?: string | null;
  readonly insertedAt: string;
  /** What its collection says of reading; null or absent where it says nothing. */
  readonly collection?: CollectionReading | null;
  /** The file to read. */
  readonly payloadPath: string;
  /** Only read: the files of `read-files.ts` are left, no chunks. Absent: false. */
  readonly onlyReads?: boolean;
  /** Then also the text without marks. Absent: false. */
  readonly withPlainText?: boolean;
  /** The empty folder to leave the result in (`staging.ts`). */
  readonly scratchDir: string;
  /** Takes `StageCounts`, as often as the thread likes; closed by the thread at the end. */
  readonly port: MessagePort;
};

export type IngestOutcome =
  | {
      readonly ok: true;
      readonly document: IndexedDocument;
      /** Absent where the document was only read. */
      readonly postings?: Postings;
      readonly stageMs: Readonly<Record<string, number>>;
    }
  | {
      readonly ok: false;
      readonly code: DocumentErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      /** For the log, when the error is the server's own. */
      readonly trace?: string;
    };

/** How a document of a collection is read: as the process reads all others, but for what the collection says. */
export function readingIn(collection: CollectionReading | null | undefined, usual: ReadingSettings): ReadingSettings {
  if (collection == null) return usual;
  const { chunkTokens, chunkOverlap, language } = collection;
  return {
    ...usual,
    chunkTokensMax: chunkTokens ?? usual.chunkTokensMax,
    ...(chunkOverlap === null ? {} : { chunkOverlap }),
    ...(language === null ? {} : { language }),
  };
}

/** Sent through the port: how far the job is, and by what its thread's time can be measured. */
export type ProgressMessage = StageCounts & {
  readonly threadId: number;
  /** Of the thread, when it said so. */
  readonly cpuMs: number;
  /** It reads a page now, or what lies between two. */
  readonly onPage: boolean;
};

/** What this thread says of itself now. */
export function progressMessage(counts: Partial<StageCounts> & Pick<StageCounts, 'stage'>, onPage: boolean): ProgressMessage {
  return {
    pagesDone: null,
    pagesTotal: null,
    chunksDone: null,
    chunksTotal: null,
    ...counts,
    threadId,
    cpuMs: cpuTimeMs(),
    onPage,
  };
}
