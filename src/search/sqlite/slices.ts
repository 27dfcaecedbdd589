/**
 * A large document on its way into an index file: in slices, between which small ones pass, and which nobody sees until one switch lists all
 * of them. A note (`unlisted.ts`) says whose rows they are. Whoever was taken for dead finds its note gone, and begins anew.
 */
import { join } from 'node:path';
import type { Chunk } from '../../chunk/chunk.ts';
import { openPlain } from '../../documents/plain-file.ts';
import { AppError } from '../../errors.ts';
import type { TaskId } from '../../tasks/task.ts';
import type { IncomingDocument } from '../document-index.ts';
import type { Block } from '../index/posting-blocks.ts';
import { blocksFrom, type Postings } from '../index/postings.ts';
import { readChunkSlice } from '../index/staging.ts';
import { insertBlock } from '../index/segments.ts';
import { signsOf } from '../index/vector-bits.ts';
import { insertVectorRows } from '../index/vectors.ts';
import type { IndexDatabase } from './database.ts';

/** Ids that are its own already, and of its note. */
export type Arrival = {
  readonly note: number;
  readonly document: number;
  readonly firstChunk: number;
  readonly segment: number;
};

export type Verdict = 'ok' | 'stale' | 'revoked';

/** What a slice may hold: some 20 ms of the thread that commits. */
const sliceBytes = 256 * 1024;

/** A document of more chunks comes in slices. */
export const wholeChunksMax = 500;

export type ChunkSlice = {
  /** Where the next one begins, in bytes; null after the last. */
  readonly next: number | null;
  /** Of its vectors; empty where there are none. */
  readonly signs: Uint8Array;
};

/** What goes with the slices in the switch. */
export type Rest = Pick<Postings, 'lengths' | 'words'> & { readonly signs: Uint8Array | null };

/** The steps of one replace; each is a job of the thread that commits. */
export interface SliceSteps {
  readonly beginSlices: (document: IncomingDocument, chunks: number) => Promise<Arrival | Verdict>;
  readonly addChunks: (
    arrival: Arrival,
    folder: string,
    slice: { readonly from: number; readonly bytesMax: number },
  ) => Promise<ChunkSlice>;
  readonly addBlocks: (arrival: Arrival, blocks: readonly Block[]) => Promise<void>;
  readonly listSlices: (arrival: Arrival, document: IncomingDocument, rest: Rest) => Promise<Verdict>;
  readonly dropSlices: (arrival: Arrival) => Promise<void>;
}

/** `DocumentIndex.replace`, slice by slice. Nothing is seen of it before the last step, or ever when one fails. */
export async function replaceInSlices(
  steps: SliceSteps,
  document: IncomingDocument,
  { folder, postings, bytesMax = sliceBytes }: { readonly folder: string; readonly postings: Postings; readonly bytesMax?: number },
): Promise<Verdict> {
  const arrival = await steps.beginSlices(document, postings.chunks);
  if (typeof arrival === 'string') return arrival;
  try {
    const signs: Uint8Array[] = [];
    for (let from: number | null = 0; from !== null;) {
      const slice: ChunkSlice = await steps.addChunks(arrival, folder, { from, bytesMax });
      if (slice.signs.length > 0) signs.push(slice.signs);
      from = slice.next;
    }
    for (let from = 0; from < postings.ends.length;) {
      const blocks = blocksFrom(postings, from, bytesMax);
      await steps.addBlocks(arrival, blocks);
      from += blocks.length;
    }
    const { lengths, words } = postings;
    return await steps.listSlices(arrival, document, { lengths, words, signs: signs.length === 0 ? null : Buffer.concat(signs) });
  } catch (error) {
    // Not done now, it is found by whoever looks for the dead.
    await steps.dropSlices(arrival).catch(() => undefined);
    throw error;
  }
}

/** Takes ids for a document and its chunks, which no other will get. An earlier try at this version is left to be swept. */
export function beginSlices(database: IndexDatabase, version: TaskId, chunks: number): Arrival {
  return database.tidy(() => {
    database.run('UPDATE unlisted SET version = NULL WHERE version = ?', version);
    const document = take(database, 'document', 1);
    const firstChunk = take(database, 'chunk', chunks);
    const segment = take(database, 'segment', 1);
    const { id: note } = database.run(
      'INSERT INTO unlisted(version, document, first_chunk, chunks, segment, moved) VALUES (?, ?, ?, ?, ?, 0)',
      version,
      document,
      firstChunk,
      chunks,
      segment,
    );
    return { note, document, firstChunk, segment };
  });
}

/** The chunks that begin in a slice of their file, and their vectors. */
export async function addChunkSlice(
  database: IndexDatabase,
  arrival: Arrival,
  { folder, dimensions, from, bytesMax }: { folder: string; dimensions: number; from: number; bytesMax: number },
): Promise<ChunkSlice> {
  const { chunks, next } = await readChunkSlice(folder, from, bytesMax);
  const vectors = dimensions === 0 || chunks.length === 0 ? [] : await readVectors(folder, dimensions, chunks);
  moveOn(database, arrival, () => {
    for (const chunk of chunks) insertChunk(database, arrival.firstChunk + chunk.index, arrival.document, chunk);
    if (vectors.length > 0) insertVectorRows(database, arrival.firstChunk + chunks[0]!.index, vectors);
  });
  return { next, signs: signsOf(vectors) };
}

export function addBlockSlice(database: IndexDatabase, arrival: Arrival, blocks: readonly Block[]): void {
  moveOn(database, arrival, () => {
    for (const block of blocks) insertBlock(database, arrival.segment, block);
  });
}

/** Whether the rows of an arrival are still its own; ends its note, which the caller's transaction then lists. */
export function endArrival(database: IndexDatabase, { note }: Arrival): void {
  const kept = database.run('DELETE FROM unlisted WHERE id = ? AND version IS NOT NULL', note).changes === 1;
  if (!kept) throw takenForDead();
}

/** Gives its rows up to be swept. Call inside a write transaction. */
export function giveUpArrival(database: IndexDatabase, { note }: Arrival): void {
  database.run('UPDATE unlisted SET version = NULL WHERE id = ?', note);
}

export function insertChunk(database: IndexDatabase, id: number, document: number, chunk: Chunk): void {
  database.run(
    'INSERT INTO chunk(id, document, start, "end", page, page_end, section, context, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    id,
    document,
    chunk.start,
    chunk.end,
    chunk.page,
    chunk.pageEnd,
    JSON.stringify(chunk.section),
    chunk.context,
    chunk.text,
  );
}

/** One slice, which says with it that its process lives. @throws AppError `unavailable` when it was taken for dead. */
function moveOn(database: IndexDatabase, { note }: Arrival, work: () => void): void {
  database.tidy(() => {
    if (database.run('UPDATE unlisted SET moved = moved + 1 WHERE id = ? AND version IS NOT NULL', note).changes === 0)
      throw takenForDead();
    work();
  });
}

function takenForDead(): AppError {
  return new AppError('unavailable', 'Indexing of this document was interrupted; try again in a moment.');
}

/** The first of so many ids that no other row of the table will get. */
function take(database: IndexDatabase, table: 'document' | 'chunk' | 'segment', count: number): number {
  database.run(
    'INSERT INTO sqlite_sequence(name, seq) SELECT ?, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)',
    table,
    table,
  );
  database.run('UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ?', count, table);
  return (database.get('SELECT seq FROM sqlite_sequence WHERE name = ?', table)!['seq'] as number) - count + 1;
}

async function readVectors(folder: string, dimensions: number, chunks: readonly Chunk[]): Promise<Float32Array[]> {
  const file = await openPlain(join(folder, 'vectors.bin'));
  try {
    const rowBytes = dimensions * 4;
    const buffer = new ArrayBuffer(rowBytes * chunks.length);
    await file.read(new Uint8Array(buffer), 0, buffer.byteLength, chunks[0]!.index * rowBytes);
    return chunks.map((_, row) => new Float32Array(buffer, row * rowBytes, dimensions));
  } finally {
    await file.close();
  }
}
