/** Bytes in the database, in rows of at most 1 MiB, so that memory grows neither here nor there with the file. */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { StoreState } from '../engine.ts';
import type { ByteRange } from '../file-store.ts';
import type { Database } from './database.ts';

export const blobRowBytes = 1024 * 1024;

/** Bytes that arrive and are a blob once somebody keeps them. One call at a time. */
export interface ArrivingBlob {
  write(chunk: Buffer): Promise<void>;
  /** All of them are there. */
  finish(): Promise<void>;
  /** In the caller's transaction, again when that is done again. @throws Error when they are no longer there. */
  store(): Promise<number>;
  /** Nobody will keep them. Safe twice. */
  drop(): Promise<void>;
}

export interface Blobs {
  /** Begins to receive bytes on behalf of a process. Memory does not grow with them. */
  arrive(owner: string): ArrivingBlob;
  /** Whether a new blob can be kept: does what an upload does. @throws what an upload would meet. */
  tryRoom(owner: string): Promise<void>;
  /**
   * Does what storing these files takes and no transaction needs; within one, nothing. They must not change until they are stored or
   * their folder is forgotten.
   */
  prepare(paths: readonly string[]): Promise<void>;
  /** Those of these files that were prepared, as blobs, by their paths, in the caller's transaction. */
  storePrepared(paths: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What was prepared in this folder and not stored is not needed. Safe twice. */
  forget(folder: string): Promise<void>;
  /** A whole file of the local disk as a blob, in the caller's transaction. */
  store(path: string): Promise<number>;
  /** Bytes as a blob, at most 1 MiB of them, in the caller's transaction. */
  storeBytes(bytes: Buffer): Promise<number>;
  /** As `storeBytes`, several in one statement; their ids in the same order. */
  storeAll(contents: readonly Buffer[]): Promise<readonly number[]>;
  /**
   * All of it, or a part: only the rows that hold the part are read. `bytes`: how long the whole is where it lies, null when that cannot
   * differ from what the database says. Null: what it refers to is gone. @throws AppError `unavailable`.
   */
  open(blob: number, range: ByteRange | null): Promise<{ readonly stream: Readable; readonly bytes: number | null } | null>;
  /** Writes it to the local disk; nothing where its bytes are gone. */
  fetch(blob: number, path: string): Promise<void>;
  /** Removes those that nothing refers to. */
  drop(blobs: readonly number[]): Promise<void>;
  /** What processes began that are gone: of one that has just been found so, or of all. */
  sweep(dead?: string): Promise<number>;
  /** Whether what lies outside the database can be used. */
  state(): Promise<StoreState>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

/** Of blobs that nothing refers to. */
export const unreferredSql = `NOT EXISTS (SELECT 1 FROM task WHERE payload = blob.id)
        AND NOT EXISTS (SELECT 1 FROM document_part WHERE document_part.blob = blob.id)`;

export function createBlobs(database: Database): Blobs {
  async function append(blob: number, seq: number, data: Uint8Array): Promise<void> {
    await database.run('INSERT INTO blob_chunk(blob, seq, data) VALUES ($1, $2, $3)', [blob, seq, data]);
  }

  async function* rows(blob: number): AsyncGenerator<Buffer> {
    for (let seq = 0; ; seq += 1) {
      const [row] = await database.query('SELECT data FROM blob_chunk WHERE blob = $1 AND seq = $2', [blob, seq]);
      if (row === undefined) return;
      yield row['data'] as Buffer;
    }
  }

  /** Rows have no fixed size; asking for their lengths reads none of their bytes. */
  async function* rowsWithin(blob: number, { first, last }: ByteRange): AsyncGenerator<Buffer> {
    const lengths = await database.query('SELECT seq, octet_length(data) AS bytes FROM blob_chunk WHERE blob = $1 ORDER BY seq', [
      blob,
    ]);
    let at = 0;
    for (const row of lengths) {
      const bytes = row['bytes'] as number;
      if (at + bytes > first && at <= last) {
        const [found] = await database.query('SELECT data FROM blob_chunk WHERE blob = $1 AND seq = $2', [blob, row['seq']]);
        if (found === undefined) return;
        yield (found['data'] as Buffer).subarray(Math.max(0, first - at), last - at + 1);
      }
      at += bytes;
    }
  }

  const streamOf = (blob: number, range: ByteRange | null): Readable =>
    Readable.from(range === null ? rows(blob) : rowsWithin(blob, range), { objectMode: false });

  /** As one value that the server cuts: the driver writes an array of bytes as hexadecimal text, which takes twice the room. */
  async function storeAll(contents: readonly Buffer[]): Promise<readonly number[]> {
    if (contents.length === 0) return [];
    const lengths = contents.map((content) => content.length);
    let end = 1;
    const starts = lengths.map((length) => (end += length) - length);
    const sql = `WITH given AS MATERIALIZED (
        SELECT nextval('blob_id_seq') AS id, at, substring($1::bytea FROM start FOR length) AS data
        FROM unnest($2::integer[], $3::integer[]) WITH ORDINALITY AS cut(start, length, at)),
      head AS (INSERT INTO blob(id, bytes) OVERRIDING SYSTEM VALUE SELECT id, octet_length(data) FROM given),
      body AS (INSERT INTO blob_chunk(blob, seq, data) SELECT id, 0, data FROM given WHERE octet_length(data) > 0)
      SELECT id FROM given ORDER BY at`;
    const rows = await database.query(sql, [Buffer.concat(contents), starts, lengths]);
    return rows.map((row) => row['id'] as number);
  }

  const storeBytes = async (bytes: Buffer): Promise<number> => (await storeAll([bytes]))[0]!;

  async function drop(blobs: readonly number[]): Promise<void> {
    const sql = `DELETE FROM blob WHERE id = ANY($1::bigint[]) AND ${unreferredSql}`;
    if (blobs.length > 0) await database.run(sql, [blobs]);
  }

  /** It belongs to a process until it is `adopt`ed. */
  async function begin(owner: string): Promise<number> {
    const [row] = await database.query('INSERT INTO blob(owner) VALUES ($1) RETURNING id', [owner]);
    return row!['id'] as number;
  }

  /** It belongs to what refers to it now. In the caller's transaction. False when it is gone. */
  async function adopt(blob: number, bytes: number): Promise<boolean> {
    return (await database.run('UPDATE blob SET owner = NULL, bytes = $2 WHERE id = $1', [blob, bytes])) === 1;
  }

  return {
    arrive: (owner) => new ArrivingRows({ begin: () => begin(owner), append, adopt, storeBytes, drop }),
    async tryRoom(owner) {
      const blob = await database.transaction(async () => {
        const begun = await begin(owner);
        await append(begun, 0, randomBytes(blobRowBytes));
        await database.run('UPDATE task SET cancel = cancel WHERE false');
        return begun;
      });
      await drop([blob]);
    },
    prepare: () => Promise.resolve(),
    storePrepared: () => Promise.resolve(new Map()),
    forget: () => Promise.resolve(),
    state: () => Promise.resolve({ state: 'ready' }),
    close: () => Promise.resolve(),
    storeAll,
    storeBytes,
    async store(path) {
      const [row] = await database.query('INSERT INTO blob DEFAULT VALUES RETURNING id');
      const blob = row!['id'] as number;
      let seq = 0;
      let bytes = 0;
      for await (const chunk of createReadStream(path, { highWaterMark: blobRowBytes })) {
        await append(blob, seq, chunk as Buffer);
        seq += 1;
        bytes += (chunk as Buffer).length;
      }
      await database.run('UPDATE blob SET bytes = $2 WHERE id = $1', [blob, bytes]);
      return blob;
    },
    open: (blob, range) => Promise.resolve({ stream: streamOf(blob, range), bytes: null }),
    fetch: (blob, path) => pipeline(streamOf(blob, null), createWriteStream(path)),
    drop,
    sweep: () =>
      database.run('DELETE FROM blob WHERE owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.id = blob.owner)'),
  };
}

type Rows = {
  readonly begin: () => Promise<number>;
  readonly append: (blob: number, seq: number, data: Uint8Array) => Promise<void>;
  readonly adopt: (blob: number, bytes: number) => Promise<boolean>;
  readonly storeBytes: Blobs['storeBytes'];
  readonly drop: Blobs['drop'];
};

/** What is small has no row of its own before somebody keeps it. */
class ArrivingRows implements ArrivingBlob {
  readonly #rows: Rows;
  #blob: number | null = null;
  #bytes = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** All of it, where it is small; null while it is not whole, and when it is dropped. */
  #held: Buffer | null = null;
  #seq = 0;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#bytes += chunk.byteLength;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes >= blobRowBytes) await this.#flush();
  }

  async finish(): Promise<void> {
    if (this.#blob === null) this.#held = Buffer.concat(this.#waiting);
    else await this.#flush();
  }

  async store(): Promise<number> {
    if (this.#held !== null) return this.#rows.storeBytes(this.#held);
    if (this.#blob !== null && (await this.#rows.adopt(this.#blob, this.#bytes))) return this.#blob;
    throw new Error('the upload is no longer there');
  }

  async drop(): Promise<void> {
    const blob = this.#blob;
    this.#blob = null;
    this.#held = null;
    if (blob !== null) await this.#rows.drop([blob]);
  }

  async #flush(): Promise<void> {
    this.#blob ??= await this.#rows.begin();
    const data = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (let at = 0; at < data.length; at += blobRowBytes) {
      await this.#rows.append(this.#blob, this.#seq, data.subarray(at, at + blobRowBytes));
      this.#seq += 1;
    }
  }
}
