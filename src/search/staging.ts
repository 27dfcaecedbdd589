/**
 * The folder in which an attempt leaves its result and from which the index takes it: `content.md` (the Markdown),
 * `chunks.ndjson` (one chunk a line), `vectors.bin` (float32, little-endian, row after row), `meta.json` (written last).
 * Files rather than messages, so that a document of any size passes from thread to thread in bounded memory, and so that
 * an index can be rebuilt from what is published.
 */
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Chunk } from '../chunk/chunk.ts';
import type { IndexedDocument } from './document-index.ts';

export type StagedChunk = { readonly chunk: Chunk; readonly vector: Float32Array | null };

/** `meta.json`: the document as the index will show it, and its vectors' width (0: it has none). */
export type StagedMeta = { readonly document: IndexedDocument; readonly dimensions: number };

/** @throws when the folder was not completed. */
export async function readStagedMeta(folder: string): Promise<StagedMeta> {
  return JSON.parse(await readFile(join(folder, 'meta.json'), 'utf8')) as StagedMeta;
}

/** The chunks in order, `batchSize` at a time. Memory: one batch. */
export async function* readStagedChunks(folder: string, dimensions: number, batchSize = 256): AsyncGenerator<StagedChunk[]> {
  const vectors = dimensions > 0 ? await open(join(folder, 'vectors.bin'), 'r') : null;
  try {
    const lines = createInterface({ input: createReadStream(join(folder, 'chunks.ndjson'), 'utf8'), crlfDelay: Infinity });
    let batch: Chunk[] = [];
    for await (const line of lines) {
      if (line !== '') batch.push(JSON.parse(line) as Chunk);
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
