/**
 * Vectors as one bit a dimension (its sign), in memory: at 384 dimensions 48 bytes a chunk, about 5 ms of CPU to compare
 * 100,000 of them with a question. The best are to be compared exactly by whoever keeps the vectors.
 */

/** Candidates compared exactly, for each wanted. The bits of close vectors differ by chance, so more are looked at. */
const candidatesPerWanted = 4;
const candidatesMin = 200;

/** How many candidates to compare exactly for so many wanted. */
export function candidateCount(wanted: number): number {
  return Math.max(candidatesMin, wanted * candidatesPerWanted);
}

/** The signs of a document's vectors, all of one length, row after row. */
export function signsOf(vectors: readonly Float32Array[]): Uint8Array {
  const words = wordsOf(vectors[0]?.length ?? 0);
  const bits = new Uint32Array(vectors.length * words);
  for (const [i, vector] of vectors.entries()) setBits(vector, bits, i * words);
  return new Uint8Array(bits.buffer);
}

/** The bits of many documents, in the order in which they were added. */
export class VectorBits {
  readonly #words: number;
  #bits = new Uint32Array(0);
  #documents = new Int32Array(0);
  #chunks = new Float64Array(0);
  #rows = 0;
  #there: ReadonlySet<number> = new Set();

  constructor(dimensions: number) {
    this.#words = wordsOf(dimensions);
  }

  /** Adds a document's chunks, which have consecutive ids. */
  append(document: number, firstChunk: number, data: Uint8Array): void {
    const bits = new Uint32Array(data.slice().buffer);
    const count = this.#words === 0 ? 0 : bits.length / this.#words;
    this.#reserve(this.#rows + count);
    this.#bits.set(bits, this.#rows * this.#words);
    for (let i = 0; i < count; i++) {
      this.#documents[this.#rows] = document;
      this.#chunks[this.#rows++] = firstChunk + i;
    }
  }

  #reserve(rows: number): void {
    if (rows <= this.#documents.length) return;
    const size = Math.max(rows, this.#documents.length * 2, 1024);
    this.#bits = grown(this.#bits, new Uint32Array(size * this.#words));
    this.#documents = grown(this.#documents, new Int32Array(size));
    this.#chunks = grown(this.#chunks, new Float64Array(size));
  }

  /** Says which documents are there now. Closes the gaps once a quarter of the rows belongs to others. */
  keepOnly(there: ReadonlySet<number>): void {
    this.#there = there;
    let gone = 0;
    for (let row = 0; row < this.#rows; row++) if (!this.#there.has(this.#documents[row]!)) gone++;
    if (gone * 4 < this.#rows || gone === 0) return;
    let to = 0;
    for (let row = 0; row < this.#rows; row++) {
      if (!this.#there.has(this.#documents[row]!)) continue;
      this.#bits.copyWithin(to * this.#words, row * this.#words, (row + 1) * this.#words);
      this.#documents[to] = this.#documents[row]!;
      this.#chunks[to++] = this.#chunks[row]!;
    }
    this.#rows = to;
  }

  /** At most `count` chunks, the closest by their bits, in no order; of equally close ones those of the lowest ids. */
  closest(query: Float32Array, count: number, documents: ReadonlySet<number> | null): { document: number; chunkId: number }[] {
    const wanted = new Uint32Array(this.#words);
    setBits(query, wanted, 0);
    const distances = new Uint16Array(this.#rows);
    const histogram = new Uint32Array(this.#words * 32 + 1);
    const allowed = (document: number): boolean => this.#there.has(document) && (documents === null || documents.has(document));
    let document = -1;
    let skip = true;
    for (let row = 0, at = 0; row < this.#rows; row++) {
      if (this.#documents[row] !== document) {
        document = this.#documents[row]!;
        skip = !allowed(document);
      }
      if (skip) {
        distances[row] = 0xffff;
        at += this.#words;
        continue;
      }
      let distance = 0;
      for (let word = 0; word < this.#words; word++) distance += countBits(this.#bits[at++]! ^ wanted[word]!);
      distances[row] = distance;
      histogram[distance]!++;
    }
    const rows = withinCount(distances, histogram, count, this.#chunks);
    return rows.map((row) => ({ document: this.#documents[row]!, chunkId: this.#chunks[row]! }));
  }
}

function wordsOf(dimensions: number): number {
  return Math.ceil(dimensions / 32);
}

/** Rows of the smallest distances, `count` of them; of the last distance those of the lowest chunks. */
function withinCount(distances: Uint16Array, histogram: Uint32Array, count: number, chunks: Float64Array): number[] {
  let limit = 0;
  let below = 0;
  while (limit < histogram.length && below + histogram[limit]! <= count) below += histogram[limit++]!;
  const rows: number[] = [];
  const last: number[] = [];
  for (let row = 0; row < distances.length; row++) {
    const distance = distances[row]!;
    if (distance < limit) rows.push(row);
    else if (distance === limit) last.push(row);
  }
  return [...rows, ...last.sort((a, b) => chunks[a]! - chunks[b]!).slice(0, count - below)];
}

function setBits(vector: Float32Array, bits: Uint32Array, from: number): void {
  for (let i = 0; i < vector.length; i++) if (vector[i]! > 0) bits[from + (i >>> 5)]! |= 1 << (i & 31);
}

function countBits(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function grown<T extends Uint32Array | Int32Array | Float64Array>(from: T, to: T): T {
  to.set(from as never);
  return to;
}
