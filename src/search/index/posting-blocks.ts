/**
 * Posting lists as bytes. A block holds terms in ascending order (by UTF-16 unit, as JavaScript compares strings):
 *
 *   terms (uint32) · where each entry starts (uint32 each, little-endian) · entries
 *   entry: term bytes length · term (UTF-8) · chunks that have it · last row · postings length · postings
 *
 * all numbers of an entry as base-128 varints. A posting is `(row − row before) << 4 | count`, rows being positions in the
 * segment and counts ending at 15, where BM25 has long levelled off. A block is about 16 KiB, or one longer list alone.
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
  /** Made where a text is read: most readers read numbers alone. */
  #buffer: Buffer | null = null;
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
    const { bytes } = this;
    this.#buffer ??= Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#buffer.toString(isAsciiAt(bytes, start, length) ? 'latin1' : 'utf8', start, this.at);
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
  #entries = new ByteWriter();
  #starts: number[] = [];
  #first: string | null = null;

  constructor(emit: (block: Block) => void) {
    this.#emit = emit;
  }

  add(term: string, list: PostingList): void {
    if (this.#entries.length > 0 && this.#entries.length + list.bytes.length > blockBytesMin) this.flush();
    this.#first ??= term;
    this.#starts.push(this.#entries.length);
    this.#entries.text(term);
    this.#entries.varint(list.rows);
    this.#entries.varint(list.lastRow);
    this.#entries.varint(list.bytes.length);
    this.#entries.append(list.bytes);
  }

  flush(): void {
    if (this.#first === null) return;
    const head = 4 + 4 * this.#starts.length;
    const data = new Uint8Array(head + this.#entries.length);
    const view = new DataView(data.buffer);
    view.setUint32(0, this.#starts.length, true);
    for (const [i, start] of this.#starts.entries()) view.setUint32(4 + 4 * i, head + start, true);
    data.set(this.#entries.bytes.subarray(0, this.#entries.length), head);
    this.#emit({ first: this.#first, data });
    this.#entries.length = 0;
    this.#starts = [];
    this.#first = null;
  }
}

/** A term as blocks have it. */
export type EncodedTerm = Uint8Array;

/** A term is looked for in one segment after the other. */
let latest: { readonly term: string; readonly bytes: EncodedTerm } = { term: '', bytes: new Uint8Array(0) };

export function encodeTerm(term: string): EncodedTerm {
  if (term !== latest.term) latest = { term, bytes: Buffer.from(term, 'utf8') };
  return latest.bytes;
}

/** Where the postings of a term are in a block, and what they are. */
export type PostingPlace = Omit<PostingList, 'bytes'> & { readonly start: number; readonly end: number };

/** Where this block has the postings of a term, or null. Compares bytes: to make a string of each term that is looked at costs ten times that. */
export function placeInBlock(data: Uint8Array, term: EncodedTerm): PostingPlace | null {
  let low = 0;
  let high = uint32At(data, 0) - 1;
  const reader = new ByteReader(data);
  while (low <= high) {
    const middle = (low + high) >> 1;
    reader.at = uint32At(data, 4 + 4 * middle);
    const length = reader.varint();
    const order = compareTerms(data, reader.at, length, term);
    reader.at += length;
    if (order === 0) return readPlace(reader);
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** Whether a block has terms: one without stands for what is not at hand yet. */
export function hasTerms(data: Uint8Array): boolean {
  return uint32At(data, 0) > 0;
}

export function listAt(data: Uint8Array, { rows, lastRow, start, end }: PostingPlace): PostingList {
  return { rows, lastRow, bytes: data.subarray(start, end) };
}

/** Below 0 where what stands in `data` comes first, by UTF-16 units. */
function compareTerms(data: Uint8Array, start: number, length: number, term: EncodedTerm): number {
  const shared = Math.min(length, term.length);
  for (let i = 0; i < shared; i++) {
    const [a, b] = [data[start + i]!, term[i]!];
    if (a !== b) return placeOfByte(a) - placeOfByte(b);
  }
  return length - term.length;
}

/** What UTF-8 begins with F0 or more is two surrogates in UTF-16, which come before what begins with EE and EF. */
function placeOfByte(byte: number): number {
  return byte === 0xee || byte === 0xef ? byte + 0x10 : byte;
}

function uint32At(data: Uint8Array, at: number): number {
  return (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
}

/** Every term of a block with its postings, in order. */
export function* termsOfBlock(data: Uint8Array): Generator<[string, PostingList]> {
  const reader = new ByteReader(data);
  reader.at = 4 + 4 * new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(0, true);
  while (!reader.done()) {
    const term = reader.text();
    const place = readPlace(reader);
    reader.at = place.end;
    yield [term, listAt(data, place)];
  }
}

function readPlace(reader: ByteReader): PostingPlace {
  const [rows, lastRow, length] = [reader.varint(), reader.varint(), reader.varint()];
  return { rows, lastRow, start: reader.at, end: reader.at + length };
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function isAsciiAt(bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[start + i]! > 0x7f) return false;
  return true;
}
