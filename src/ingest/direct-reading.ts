/**
 * Reading a file without keeping it: the front end puts it into a scratch folder of its own, its worker process reads it there in one of
 * the threads that read documents, when their turn comes. Nothing is recorded, so nothing is tried again when a process ends.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, Transform, type Writable } from 'node:stream';
import { AppError, DocumentError } from '../errors.ts';
import type { FileStore, IncomingReceipt } from '../storage/file-store.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import type { TaskId } from '../tasks/task.ts';
import { undescribed } from '../tasks/given.ts';
import { type ReadFiles, readFilesIn } from './read-files.ts';
import type { RunOutcome, ThreadJob } from './thread-pool.ts';

/** What a front end asks of its worker process. */
export type ReadRequest = Pick<
  ThreadJob,
  'taskId' | 'filename' | 'fileBytes' | 'sha256' | 'declaredMediaType' | 'password' | 'payloadPath' | 'scratchDir' | 'withPlainText'
> & { /** Who asks: the threads go round among them. */ readonly caller: string };

/** Asks the worker process, whatever it is; rejects with AppError `unavailable` when there is none, or when it ends. */
export type AskWorker = (request: ReadRequest, signal: AbortSignal) => Promise<RunOutcome>;

/** A file that was read; all lies in the scratch folder until `discard`. */
export type ReadFile = ReadFiles & {
  readonly document: Pick<IndexedDocument, 'mediaType' | 'title' | 'author' | 'language' | 'pages'>;
};

/** `caller`: in words that are the same for two files of one; `withPlainText`: the text without marks is wanted too. */
export type ReadWish = {
  readonly filename: string;
  readonly declaredMediaType: string | null;
  /** Opens the file; never on a disk. Absent: none. */
  readonly password?: string;
  readonly caller: string;
  readonly withPlainText: boolean;
  readonly signal: AbortSignal;
};

/** A place for one file. */
export interface DirectReading extends IncomingReceipt {
  /**
   * After `stream` has finished.
   * @throws AppError `unavailable`; DocumentError when the document cannot be read.
   */
  read(wish: ReadWish): Promise<ReadFile>;
}

export type DirectReader = { open(): Promise<DirectReading> };

export function createDirectReader({
  files,
  ask,
  newId,
}: {
  files: Pick<FileStore, 'scratch'>;
  ask: AskWorker;
  newId: () => TaskId;
}): DirectReader {
  return {
    async open() {
      const taskId = newId();
      return new ScratchReading(taskId, await files.scratch(taskId), ask);
    },
  };
}

class ScratchReading implements DirectReading {
  readonly stream: Writable;
  bytes = 0;
  sha256 = '';
  readonly #taskId: TaskId;
  readonly #folder: string;
  readonly #ask: AskWorker;
  readonly #path: string;
  readonly #written: Promise<void>;

  constructor(taskId: TaskId, folder: string, ask: AskWorker) {
    this.#taskId = taskId;
    this.#folder = folder;
    this.#ask = ask;
    this.#path = join(folder, 'received');
    const hash = createHash('sha256');
    const file = createWriteStream(this.#path, { flags: 'wx', mode: 0o600 });
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.bytes += chunk.length;
        hash.update(chunk);
        done(null, chunk);
      },
      flush: (done) => {
        this.sha256 = hash.digest('hex');
        done();
      },
    });
    // Finished when the file is: what was only counted cannot be read yet.
    this.stream = counted;
    counted.pipe(file);
    // A stream that is given up ends without an error, which a pipe does not pass on.
    counted.once('close', () => void (counted.writableFinished || file.destroy()));
    file.once('error', (error) => counted.destroy(error));
    this.#written = new Promise<void>((resolve, reject) => finished(file, (error) => (error == null ? resolve() : reject(error))));
    this.#written.catch(() => {});
  }

  async read({ signal, ...wish }: ReadWish): Promise<ReadFile> {
    await this.#written;
    const scratchDir = join(this.#folder, 'result');
    await mkdir(scratchDir);
    const { bytes: fileBytes, sha256 } = this;
    const request = { ...wish, taskId: this.#taskId, fileBytes, sha256, payloadPath: this.#path, scratchDir };
    const outcome = await this.#ask(request, signal);
    if (!outcome.ok) throw failureFrom(outcome);
    return { ...readFilesIn(scratchDir), document: outcome.document };
  }

  async discard(): Promise<void> {
    this.stream.destroy();
    await this.#written.catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function failureFrom(outcome: Exclude<RunOutcome, { ok: true }>): Error {
  if (outcome.code === 'aborted') return new AppError('unavailable', 'The server is stopping.', { retryAfterSeconds: 5 });
  if (outcome.code === 'crashed')
    return new DocumentError('worker_crashed', 'The thread that read the document stopped unexpectedly', { retryable: true });
  return new DocumentError(outcome.code, outcome.message, { retryable: outcome.retryable });
}

/** The job of a thread that only reads. */
export function readingJob({ caller: _caller, ...request }: ReadRequest, now: string): ThreadJob {
  return { ...request, ordinal: 0, docId: '', ...undescribed, insertedAt: now, onlyReads: true };
}
