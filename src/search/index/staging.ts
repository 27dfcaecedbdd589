/**
 * The folder in which an attempt leaves its result and from which the index takes it: `content.md` (the Markdown),
 * `chunks.ndjson` (one chunk a line), `vectors.bin` (float32, little-endian, row after row), `pages.ndjson` (what
 * pages look like, one a line, of formats that need it), `meta.json` (written last).
 * Files rather than messages, so that a document of any size passes from thread to thread in bounded memory, and so that
 * an index can be rebuilt from what is published.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Chunk } from '../../chunk/chunk.ts';
import type { DocumentPart } from '../../documents/document-part.ts';
import { digestPlain, openPlain, readPlain } from '../../documents/plain-file.ts';
import { hasErrno } from '../../errors.ts';
import { descriptionShapes } from '../../tasks/given.ts';
import { isTaskId, type Version } from '../../tasks/task.ts';
import { readRecords } from '../../records.ts';
import { completeDocument, type IndexedDocument } from '../document-index.ts';

export type StagedChunk = { readonly chunk: Chunk; readonly vector: Float32Array | null };

/** The parts that are made of the original. */
export const madeParts = ['content.md', 'chunks.ndjson', 'vectors.bin', 'pages.ndjson'] as const satisfies readonly DocumentPart[];
export type MadePart = (typeof madeParts)[number];

/** Size and SHA-256 (lower-case hex) of a part as it was written. */
export type PartFacts = { readonly bytes: number; readonly sha256: string };

/** `meta.json`: the document as the index will show it, and its vectors' width (0: it has none). */
export type StagedMeta = {
  readonly document: IndexedDocument;
  readonly dimensions: number;
  /** Of each part that there is beside the original. Absent in what version 0.1.0 wrote, until it was checked once. */
  readonly parts?: Readonly<Partial<Record<MadePart, PartFacts>>>;
};

/** A `meta.json` that is not as it was written. */
export class DamagedMeta extends Error {
  override readonly name = 'DamagedMeta';
}

const metaBytesMax = 16 * 1024 * 1024;

/** @throws ENOENT when the folder was not completed; NotPlainFile, DamagedMeta when it was tampered with. */
export async function readStagedMeta(folder: string): Promise<StagedMeta> {
  return parseStagedMeta(await readPlain(join(folder, 'meta.json'), metaBytesMax));
}

/** @throws DamagedMeta for anything but what an attempt writes. */
export function parseStagedMeta(text: string): StagedMeta {
  let meta: StagedMeta;
  try {
    meta = JSON.parse(text) as StagedMeta;
  } catch (cause) {
    throw new DamagedMeta('meta.json is not JSON', { cause });
  }
  if (!isRecord(meta) || !isRecord(meta.document)) throw new DamagedMeta('meta.json describes no document');
  const wrong = Object.entries(shape).find(([field, fits]) => !fits(meta.document[field as keyof IndexedDocument]));
  if (wrong !== undefined) throw new DamagedMeta(`meta.json has a wrong ${wrong[0]}`);
  if (!isCount(meta.dimensions)) throw new DamagedMeta('meta.json has wrong dimensions');
  if (meta.parts !== undefined && !isParts(meta.parts)) throw new DamagedMeta('meta.json has wrong parts');
  return { ...meta, document: completeDocument(meta.document) };
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isSha256 = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const shape: Readonly<Record<keyof IndexedDocument, (value: unknown) => boolean>> = {
  docId: isText,
  version: (value) => typeof value === 'string' && isTaskId(value),
  filename: isText,
  mediaType: isText,
  fileBytes: isCount,
  sha256: isSha256,
  title: isTextOrNull,
  givenTitle: (value) => value === undefined || isTextOrNull(value),
  author: isTextOrNull,
  language: isTextOrNull,
  pages: (value) => value === null || isCount(value),
  chunks: isCount,
  characters: isCount,
  ...descriptionShapes,
  insertedAt: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  embedder: isText,
  ordinal: (value) => value === undefined || isCount(value),
  declaredMediaType: (value) => value === undefined || isTextOrNull(value),
  reading: (value) => value === undefined || isTextOrNull(value),
  warnings: (value) => value === undefined || (Array.isArray(value) && value.every(isText)),
};

function isParts(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.entries(value as object).every(
      ([part, facts]) =>
        madeParts.some((made) => made === part) &&
        isRecord(facts) &&
        isCount((facts as PartFacts).bytes) &&
        isSha256((facts as PartFacts).sha256),
    )
  );
}

/** Size and digest of each part in the folder beside the original. */
/** A part as it is written, measured on the way: what was just written need not be read again for its digest. */
export class PartWriter {
  readonly #file: number;
  readonly #hash = createHash('sha256');
  #bytes = 0;

  /** @throws EEXIST when there is one. */
  constructor(folder: string, part: MadePart) {
    this.#file = openSync(join(folder, part), 'wx');
  }

  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let from = 0; from < bytes.length;) from += writeSync(this.#file, bytes, from);
    this.#bytes += bytes.length;
  }

  facts(): PartFacts {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  close(): void {
    closeSync(this.#file);
  }
}

export async function measureParts(folder: string): Promise<NonNullable<StagedMeta['parts']>> {
  const found: Partial<Record<MadePart, PartFacts>> = {};
  for (const part of madeParts) {
    const facts = await digestPlain(join(folder, part)).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return null;
      throw error;
    });
    if (facts !== null) found[part] = facts;
  }
  return found;
}

export function versionOf({ version, ordinal }: Pick<IndexedDocument, 'version' | 'ordinal'>): Version {
  return { id: version, ordinal };
}

/** The chunks whose records lie in a slice of their file, some `bytesMax` long; `next`: where the next one begins, null after the last. */
export async function readChunkSlice(
  folder: string,
  from: number,
  bytesMax: number,
): Promise<{ chunks: Chunk[]; next: number | null }> {
  const file = await openPlain(join(folder, 'chunks.ndjson'));
  try {
    const { size } = await file.stat();
    // A record that is longer alone.
    for (let bytes = bytesMax; ; bytes *= 2) {
      const slice = Buffer.alloc(Math.min(bytes, size - from));
      await file.read(slice, 0, slice.length, from);
      const isLast = from + slice.length >= size;
      const end = isLast ? slice.length : slice.lastIndexOf(0x0a) + 1;
      if (end === 0 && !isLast) continue;
      const records = slice.subarray(0, end).toString('utf8').split('\n');
      const chunks = records.filter((record) => record !== '').map((record) => JSON.parse(record) as Chunk);
      return { chunks, next: isLast ? null : from + end };
    }
  } finally {
    await file.close();
  }
}

/** The chunks in order, `batchSize` at a time. Memory: one batch. */
export async function* readStagedChunks(folder: string, dimensions: number, batchSize = 256): AsyncGenerator<StagedChunk[]> {
  const vectors = dimensions > 0 ? await openPlain(join(folder, 'vectors.bin')) : null;
  try {
    const rows = await openPlain(join(folder, 'chunks.ndjson'));
    let batch: Chunk[] = [];
    for await (const record of readRecords(rows.createReadStream())) {
      batch.push(JSON.parse(record) as Chunk);
      if (batch.length === batchSize) {
        yield await withVectors(batch);
        batch = [];
      }
    }
    if (batch.length > 0) yield await withVectors(batch);
  } finally {
    await vectors?.close();
  }

  async function withVectors(chunks: Chunk[]): Promise<StagedChunk[]> {
    if (vectors === null) return chunks.map((chunk) => ({ chunk, vector: null }));
    const rowBytes = dimensions * 4;
    const buffer = new ArrayBuffer(rowBytes * chunks.length);
    await vectors.read(new Uint8Array(buffer), 0, buffer.byteLength, chunks[0]!.index * rowBytes);
    return chunks.map((chunk, row) => ({ chunk, vector: new Float32Array(buffer, row * rowBytes, dimensions) }));
  }
}
