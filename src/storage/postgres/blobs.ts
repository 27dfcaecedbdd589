/** Bytes in the database, in rows of at most 1 MiB, so that memory grows neither here nor there with the file. */
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ByteRange } from '../file-store.ts';
import type { Database } from './database.ts';

export const blobRowBytes = 1024 * 1024;

export interface Blobs {
  /** Begins a blob that belongs to a process until it is `adopt`ed. */
  begin(owner: string): Promise<number>;
  append(blob: number, seq: number, data: Uint8Array): Promise<void>;
  /** It belongs to what refers to it now. In the caller's transaction. False when it is gone. */
  adopt(blob: number, bytes: number): Promise<boolean>;
  /** A whole file of the local disk as a blob, in the caller's transaction. */
  store(path: string): Promise<number>;
  /** Bytes as a blob, at most 1 MiB of them, in the caller's transaction. */
  storeBytes(bytes: Buffer): Promise<number>;
  /** As `storeBytes`, several in one statement; their ids in the same order. */
  storeAll(contents: readonly Buffer[]): Promise<readonly number[]>;
  /** All of it, or a part: only the rows that hold the part are read. */
  open(blob: number, range: ByteRange | null): Readable;
  /** Writes it to the local disk. */
  fetch(blob: number, path: string): Promise<void>;
  /** Removes those that nothing refers to. */
  drop(blobs: readonly number[]): Promise<void>;
  /** What processes began that are gone. */
  sweep(): Promise<number>;
}

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

  const open = (blob: number, range: ByteRange | null): Readable =>
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

  return {
    storeAll,
    storeBytes: async (bytes) => (await storeAll([bytes]))[0]!,
    async begin(owner) {
      const [row] = await database.query('INSERT INTO blob(owner) VALUES ($1) RETURNING id', [owner]);
      return row!['id'] as number;
    },
    append,
    async adopt(blob, bytes) {
      return (await database.run('UPDATE blob SET owner = NULL, bytes = $2 WHERE id = $1', [blob, bytes])) === 1;
    },
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
    open,
    fetch: (blob, path) => pipeline(open(blob, null), createWriteStream(path)),
    async drop(blobs) {
      const sql = `DELETE FROM blob WHERE id = ANY($1::bigint[]) AND NOT EXISTS (SELECT 1 FROM task WHERE payload = blob.id)
        AND NOT EXISTS (SELECT 1 FROM document_part WHERE document_part.blob = blob.id)`;
      if (blobs.length > 0) await database.run(sql, [blobs]);
    },
    sweep: () =>
      database.run('DELETE FROM blob WHERE owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM owner WHERE owner.id = blob.owner)'),
  };
}
