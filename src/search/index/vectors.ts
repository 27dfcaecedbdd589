/**
 * Nearest vectors in an index file: their bits in memory (`vector-bits.ts`), and the best compared exactly, from the disk. An
 * exact scan of 100,000 vectors of 384 dimensions takes 30 ms of CPU, this about 5.
 */
import { changeOf } from './segments.ts';
import type { IndexDatabase } from '../sqlite/database.ts';
import { candidateCount, signsOf, VectorBits } from './vector-bits.ts';

export type Near = { readonly document: number; readonly chunkId: number; readonly similarity: number };

/** Puts a document's vectors beside its chunks. Call inside its write transaction. */
export function insertVectors(database: IndexDatabase, owner: VectorsOwner, vectors: readonly Float32Array[]): void {
  insertVectorRows(database, owner.firstChunk, vectors);
  listVectors(database, owner, signsOf(vectors));
}

type VectorsOwner = {
  readonly collection: string;
  readonly document: number;
  readonly firstChunk: number;
  readonly embedder: string;
};

/** Exact vectors of consecutive chunks; nobody looks at them before their signs are listed. */
export function insertVectorRows(database: IndexDatabase, firstChunk: number, vectors: readonly Float32Array[]): void {
  for (const [i, vector] of vectors.entries()) {
    const data = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    database.run('INSERT INTO vector(chunk, data) VALUES (?, ?)', firstChunk + i, data);
  }
}

/** The signs of all vectors of a document, by which they are found. */
export function listVectors(database: IndexDatabase, owner: VectorsOwner, signs: Uint8Array): void {
  database.run(
    'INSERT INTO vector_bits(collection, document, first_chunk, embedder, data) VALUES (?, ?, ?, ?, ?)',
    owner.collection,
    owner.document,
    owner.firstChunk,
    owner.embedder,
    signs,
  );
}

/** Lets nobody find a document's vectors any more; the exact ones stay. */
export function unlistVectors(database: IndexDatabase, document: number): void {
  database.run('DELETE FROM vector_bits WHERE document = ?', document);
}

/** Drops a document's vectors. */
export function deleteVectors(database: IndexDatabase, document: number, firstChunk: number, chunks: number): void {
  database.run('DELETE FROM vector WHERE chunk >= ? AND chunk < ?', firstChunk, firstChunk + chunks);
  unlistVectors(database, document);
}

/** The inner product of two vectors of one length. */
export function similarity(query: Float32Array, vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < query.length; i++) sum += query[i]! * vector[i]!;
  return sum;
}

/** The nearest first; in the order of their chunks where equal. */
export function byNearness(near: Near[]): Near[] {
  return near.sort((a, b) => b.similarity - a.similarity || a.chunkId - b.chunkId);
}

/** The bits of all vectors of one collection and embedder, kept up to date by what was added since. */
export class VectorSnapshot {
  readonly #database: IndexDatabase;
  readonly #collection: string;
  readonly #embedder: string;
  readonly #bits: VectorBits;
  #seq = 0;
  #change = -1;

  constructor(database: IndexDatabase, collection: string, embedder: { readonly id: string; readonly dimensions: number }) {
    this.#database = database;
    this.#collection = collection;
    this.#embedder = embedder.id;
    this.#bits = new VectorBits(embedder.dimensions);
  }

  /** The chunks nearest to `query` (of unit length), best first. Call inside a read transaction. */
  nearest(query: Float32Array, wanted: number, documents: ReadonlySet<number> | null): Near[] {
    this.#refresh();
    const near = this.#bits
      .closest(query, candidateCount(wanted), documents)
      .map((row) => ({ ...row, similarity: this.#similarity(query, row.chunkId) }));
    return byNearness(near).slice(0, wanted);
  }

  #refresh(): void {
    const change = changeOf(this.#database, this.#collection);
    if (change === this.#change) return;
    this.#change = change;
    for (;;) {
      const rows = this.#database.all(
        'SELECT seq, document, first_chunk, data FROM vector_bits WHERE collection = ? AND embedder = ? AND seq > ? ORDER BY seq LIMIT 1000',
        this.#collection,
        this.#embedder,
        this.#seq,
      );
      for (const row of rows) {
        this.#bits.append(row['document'] as number, row['first_chunk'] as number, row['data'] as Uint8Array);
        this.#seq = row['seq'] as number;
      }
      if (rows.length < 1000) break;
    }
    const sql = 'SELECT document FROM vector_bits WHERE collection = ? AND embedder = ?';
    const there = this.#database.all(sql, this.#collection, this.#embedder);
    this.#bits.keepOnly(new Set(there.map((row) => row['document'] as number)));
  }

  #similarity(query: Float32Array, chunkId: number): number {
    const row = this.#database.get('SELECT data FROM vector WHERE chunk = ?', chunkId);
    if (row === undefined) return -1;
    return similarity(query, new Float32Array((row['data'] as Uint8Array).slice().buffer));
  }
}
