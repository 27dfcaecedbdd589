/**
 * An upload on its way to the disk. Bytes are taken as they come, hashed, and written behind the client's back in large pieces;
 * what is written is flushed while more arrives, so that little is left to flush at the end. A sink that writes piece by piece
 * takes 2.5 times as long for 9 MB: formidable waits for each piece before it reads on (`npm run bench -- accept`).
 */
import { createHash, hash } from 'node:crypto';
import { Writable } from 'node:stream';
import { callbackify } from 'node:util';
import type { IncomingReceipt, Receipt } from '../../file-store.ts';
import { AppError } from '../../../errors.ts';
import type { Disk } from '../disk/disk.ts';
import type { DiskFile } from '../disk/disk-file.ts';
import type { DiskHealth } from '../disk/disk-health.ts';

export type FileReceiptOptions = {
  readonly disk: Disk;
  readonly health: DiskHealth;
  readonly path: string;
  readonly bytesMax: number;
  /** Files of no more bytes are written and not flushed: whoever keeps one sees to that, or has its `content` elsewhere. */
  readonly unflushedBytesMax: number;
  /** Removes the file; fine when there is none. */
  readonly discard: (path: string) => Promise<void>;
};

/** Written at once, by one call of the system. */
const pieceBytes = 512 * 1024;
/** The client is held back while this much waits to be written. */
const waitingBytesMax = 1024 * 1024;
/** Flushed in the background each time this much was written. */
const flushBytes = 4 * 1024 * 1024;

/** Memory: two pieces at most. Errors of the disk come out of `stream` as `DiskHealth.guard` words them. */
export class FileReceipt implements IncomingReceipt {
  readonly path: string;
  readonly stream: Writable;
  kept = false;
  bytes = 0;
  sha256 = '';
  /** All bytes of a file that was not flushed; null for one that was. Known once `stream` has finished. */
  content: Buffer | null = null;
  #held: Buffer[] | null = [];
  readonly #discard: (path: string) => Promise<void>;
  readonly #closed: Promise<void>;

  constructor({ disk, health, path, bytesMax, unflushedBytesMax, discard }: FileReceiptOptions) {
    this.path = path;
    this.#discard = discard;
    const digest = createHash('sha256');
    const file = createWriteBehind(() => disk.create(path, 'upload.create'), health);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    this.stream = new Writable({
      highWaterMark: waitingBytesMax,
      write: (chunk: Buffer, _encoding, done) => {
        this.bytes += chunk.byteLength;
        if (this.bytes > bytesMax) return done(new AppError('invalid_document', 'Invalid document: File too large'));
        digest.update(chunk);
        if (this.bytes > unflushedBytesMax) this.#held = null;
        this.#held?.push(chunk);
        callbackify(() => file.write(chunk))(done);
      },
      final: (done) => {
        this.sha256 = digest.digest('hex');
        this.content = this.#held === null || this.bytes === 0 ? null : Buffer.concat(this.#held);
        this.#held = null;
        callbackify(() => file.finish({ flushes: this.content === null }))(done);
      },
      destroy: (error, done) => {
        callbackify(() => file.close())((closeError) => {
          resolve();
          done(error ?? closeError);
        });
      },
    });
    // Whoever pipes into it hears of errors there; without a listener one would end the process.
    this.stream.on('error', () => undefined);
  }

  async discard(): Promise<void> {
    if (this.kept) return;
    this.stream.destroy();
    await this.#closed;
    await this.#discard(this.path);
  }
}

/** A file that was in memory, written by one step after the other. One of at most `unflushedBytesMax` bytes is not flushed, as in `FileReceipt`. */
export class WholeReceipt implements Receipt {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** As of `FileReceipt`. */
  readonly content: Buffer | null;
  kept = false;
  readonly #discard: (path: string) => Promise<void>;

  constructor(
    path: string,
    content: Uint8Array,
    { unflushedBytesMax, discard }: Pick<FileReceiptOptions, 'unflushedBytesMax' | 'discard'>,
  ) {
    const { buffer, byteOffset, byteLength } = content;
    this.path = path;
    this.bytes = byteLength;
    this.sha256 = hash('sha256', content, 'hex');
    this.content = byteLength === 0 || byteLength > unflushedBytesMax ? null : Buffer.from(buffer, byteOffset, byteLength);
    this.#discard = discard;
  }

  async write(disk: Pick<Disk, 'create'>, content: Uint8Array): Promise<void> {
    const file = await disk.create(this.path, 'group.create');
    try {
      if (content.byteLength > 0) await file.write([content]);
      if (this.content === null) await file.sync();
    } finally {
      await file.close();
    }
  }

  async discard(): Promise<void> {
    if (!this.kept) await this.#discard(this.path);
  }
}

interface WriteBehind {
  /** Resolves when more may come. Rejects with the first error of the disk, also one of an earlier write. */
  write(chunk: Uint8Array): Promise<void>;
  /** Everything written, flushed if that is wanted, and the file closed. */
  finish(options: { readonly flushes: boolean }): Promise<void>;
  /** Closes what is open, after what is just being done. Safe twice. */
  close(): Promise<void>;
}

/** One file, created with its first bytes. After an error nothing more is written or flushed. */
function createWriteBehind(create: () => Promise<DiskFile>, health: DiskHealth): WriteBehind {
  let file: DiskFile | null = null;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let unflushedBytes = 0;
  let writing: Promise<void> | null = null;
  let flushing: Promise<void> | null = null;
  let failure: { readonly error: unknown } | null = null;

  /** What fails is kept for the next `write` or `finish`. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    if (failure !== null) return;
    await health.guard(work).catch((error: unknown) => {
      failure ??= { error };
    });
  }

  function throwFailure(): void {
    if (failure !== null) throw failure.error;
  }

  async function writeWaiting(): Promise<void> {
    const chunks = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    await attempt(async () => {
      file ??= await create();
      if (bytes > 0) await file.write(chunks);
    });
    unflushedBytes += bytes;
    if (unflushedBytes >= flushBytes) flushing ??= flush().finally(() => (flushing = null));
  }

  async function flush(): Promise<void> {
    unflushedBytes = 0;
    await attempt(() => file!.sync());
  }

  function startWriting(): Promise<void> {
    writing ??= writeWaiting().finally(() => {
      writing = null;
      if (waitingBytes >= pieceBytes) void startWriting();
    });
    return writing;
  }

  async function settled(): Promise<void> {
    while (writing !== null || flushing !== null) await (writing ?? flushing);
  }

  async function close(): Promise<void> {
    await settled();
    const open = file;
    file = null;
    await open?.close();
  }

  return {
    close,
    async write(chunk) {
      waiting.push(chunk);
      waitingBytes += chunk.byteLength;
      if (file === null || waitingBytes >= pieceBytes) void startWriting();
      while (waitingBytes >= waitingBytesMax && failure === null) await startWriting();
      throwFailure();
    },
    async finish({ flushes }) {
      await settled();
      await writeWaiting();
      await settled();
      if (flushes) await flush();
      throwFailure();
      await close();
    },
  };
}
