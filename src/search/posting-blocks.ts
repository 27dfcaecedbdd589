/**
 * Posting lists as bytes. A block holds terms in ascending order (by UTF-16 unit, as JavaScript compares strings):
 *
 *   term bytes length · term (UTF-8) · chunks that have it · last row · postings length · postings
 *
 * all numbers as base-128 varints. A posting is `(row − row before) << 4 | count`, rows being positions in the segment and
 * counts ending at 15, where BM25 has long levelled off. A block is about 16 KiB, or one longer list alone.
 */

/** Bytes after which a block is closed. */
const blockBytesMin = 16 * 1024;
export const countMax = 15;

export type PostingList = {
  /** Rows of the segment that have the term. */
  readonly rows: number;
  readonly lastRow: number;
  readonly bytes: Uint8Array;
};

export type Block = { readonly first: string; readonly data: Uint8Array };

/** Bytes that grow. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  length = 0;

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A text, led by its length in bytes. */
  text(value: string): void {
    const units = value.length;
    this.#reserve(units * 3 + 8);
    if (isAscii(value)) {
      this.varint(units);
      for (let i = 0; i < units; i++) this.bytes[this.length++] = value.charCodeAt(i);
    } else {
      const encoded = Buffer.from(value, 'utf8');
      this.varint(encoded.length);
      this.append(encoded);
    }
  }

  /** A copy of what was written. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Reads what a `ByteWriter` wrote. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  varint(): number {
    const bytes = this.bytes;
    let byte = bytes[this.at++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = bytes[this.at++]!;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }

  text(): string {
    const length = this.varint();
    const start = this.at;
    this.at += length;
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  done(): boolean {
    return this.at >= this.bytes.length;
  }
}

/** One term's postings, rows ascending. */
export class PostingWriter {
  readonly #out = new ByteWriter();
  #before = 0;
  rows = 0;

  add(row: number, count: number): void {
    this.#out.varint((row - this.#before) * 16 + Math.min(count, countMax));
    this.#before = row;
    this.rows++;
  }

  /** Another list, its rows moved up by `base`. The cost does not depend on its length. */
  addAll(list: PostingList, base: number): void {
    const reader = new ByteReader(list.bytes);
    const head = reader.varint();
    this.#out.varint((Math.floor(head / 16) + base - this.#before) * 16 + (head % 16));
    this.#out.append(list.bytes.subarray(reader.at));
    this.#before = base + list.lastRow;
    this.rows += list.rows;
  }

  list(): PostingList {
    return { rows: this.rows, lastRow: this.#before, bytes: this.#out.bytes.subarray(0, this.#out.length) };
  }
}

/** Packs terms, given in ascending order, into blocks. */
export class BlockWriter {
  readonly #emit: (block: Block) => void;
  #out = new ByteWriter();
  #first: string | null = null;

  constructor(emit: (block: Block) => void) {
    this.#emit = emit;
  }

  add(term: string, list: PostingList): void {
    if (this.#out.length > 0 && this.#out.length + list.bytes.length > blockBytesMin) this.flush();
    this.#first ??= term;
    this.#out.text(term);
    this.#out.varint(list.rows);
    this.#out.varint(list.lastRow);
    this.#out.varint(list.bytes.length);
    this.#out.append(list.bytes);
  }

  flush(): void {
    if (this.#first === null) return;
    this.#emit({ first: this.#first, data: this.#out.take() });
    this.#out = new ByteWriter();
    this.#first = null;
  }
}

/** The postings of `term` in this block, or null. */
export function findInBlock(data: Uint8Array, term: Uint8Array): PostingList | null {
  const reader = new ByteReader(data);
  while (!reader.done()) {
    const length = reader.varint();
    const start = reader.at;
    reader.at += length;
    const rows = reader.varint();
    const lastRow = reader.varint();
    const bytes = reader.varint();
    if (length === term.length && sameBytes(data, start, term)) {
      return { rows, lastRow, bytes: data.subarray(reader.at, reader.at + bytes) };
    }
    reader.at += bytes;
  }
  return null;
}

/** Every term of a block with its postings, in order. */
export function* termsOfBlock(data: Uint8Array): Generator<[string, PostingList]> {
  const reader = new ByteReader(data);
  while (!reader.done()) {
    const term = reader.text();
    const rows = reader.varint();
    const lastRow = reader.varint();
    const length = reader.varint();
    yield [term, { rows, lastRow, bytes: data.subarray(reader.at, reader.at + length) }];
    reader.at += length;
  }
}

/** Calls `visit` for each row of a list and its count. */
export function forEachPosting(list: PostingList, visit: (row: number, count: number) => void): void {
  const reader = new ByteReader(list.bytes);
  let row = 0;
  while (!reader.done()) {
    const value = reader.varint();
    row += Math.floor(value / 16);
    visit(row, value % 16);
  }
}

function sameBytes(data: Uint8Array, start: number, term: Uint8Array): boolean {
  for (let i = 0; i < term.length; i++) if (data[start + i] !== term[i]) return false;
  return true;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
