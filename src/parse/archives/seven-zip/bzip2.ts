/**
 * What bzip2 packs, block by block (J. Tsai, "BZIP2 Format Specification", 2016; J. Seward's description of the format). A block is 900 KB
 * of text at most before runs in it are written out, and is whole in memory, packed and unpacked.
 */
import { createPieceReader, type PieceReader } from '../piece-reader.ts';
import { Damage } from './damage.ts';

/** Of a block: so many symbols of 20 bits, and its tables. */
const packedBlockBytesMax = 2_400_000;
const pieceBytes = 256 * 1024;
const blockMark = 0x3141_5926_5359;
const endMark = 0x1772_4538_5090;
const groupSymbols = 50;
const levelSymbols = 100_000;
const symbolsMax = 9 * levelSymbols;

/** One stream, or several one behind the other. @throws Damage */
export async function* unpackBzip2(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const bits = new Bits(createPieceReader(packed));
  await bits.fill();
  // For all blocks, of which a file may have one every thirty bytes.
  const column = new Uint32Array(symbolsMax);
  do {
    const level = bits.take(24) === 0x425a68 ? bits.take(8) - 0x30 : 0;
    if (level < 1 || level > 9) throw new Damage('bzip2');
    for (let mark = bits.mark(); mark !== endMark; mark = bits.mark()) {
      if (mark !== blockMark) throw new Damage('block');
      yield* withoutRuns(readBlock(bits, column.subarray(0, level * levelSymbols)));
      await bits.fill();
    }
    bits.take(24);
    bits.take(8);
    bits.alignToByte();
    await bits.fill();
  } while (!bits.isAtEnd);
}

/** The text of a block, in which runs of four are followed by how many more there are. */
function readBlock(bits: Bits, column: Uint32Array): Buffer {
  bits.take(24);
  bits.take(8); // a checksum: 7z has its own
  if (bits.take(1) !== 0) throw new Damage('randomised');
  const origin = bits.take(24);
  const alphabet = readAlphabet(bits);
  const tableCount = bits.take(3);
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, alphabet.length + 2));
  const sorted = readSymbols(bits, { alphabet, selectors, tables, column });
  if (origin >= sorted.length) throw new Damage('origin');
  return unsorted(sorted, origin);
}

/** The bytes that occur, as two levels of marks. */
function readAlphabet(bits: Bits): Buffer {
  const rows = bits.take(16);
  const bytes: number[] = [];
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const marks = bits.take(16);
    for (let column = 0; column < 16; column++) if ((marks & (0x8000 >> column)) !== 0) bytes.push(16 * row + column);
  }
  if (bytes.length === 0) throw new Damage('alphabet');
  return Buffer.from(bytes);
}

/** Which table each fifty symbols are written by, as places in a list to whose front each moves. */
function readSelectors(bits: Bits, tableCount: number): Uint8Array {
  const count = bits.take(15);
  if (tableCount < 2 || tableCount > 6 || count === 0) throw new Damage('tables');
  const front = Uint8Array.from({ length: tableCount }, (_, table) => table);
  return Uint8Array.from({ length: count }, () => {
    let place = 0;
    while (bits.take(1) === 1) if (++place >= tableCount) throw new Damage('selector');
    return toFront(front, place);
  });
}

function toFront(front: Uint8Array, place: number): number {
  const value = front[place]!;
  front.copyWithin(1, 0, place);
  front[0] = value;
  return value;
}

/** A canonical code: symbols by their length, and where those of each length begin. */
type Table = { readonly symbols: Uint16Array; readonly limits: Int32Array; readonly offsets: Int32Array };

const codeBitsMax = 20;

function readTable(bits: Bits, symbolCount: number): Table {
  let length = bits.take(5);
  const lengths = Uint8Array.from({ length: symbolCount }, () => {
    while (bits.take(1) === 1) length += bits.take(1) === 0 ? 1 : -1;
    if (length < 1 || length > codeBitsMax) throw new Damage('code');
    return length;
  });
  const symbols = Uint16Array.from({ length: symbolCount }, (_, symbol) => symbol).sort(
    (a, b) => lengths[a]! - lengths[b]! || a - b,
  );
  // The code behind the last of each length, and what is to be added to a code for the place of its symbol.
  const limits = new Int32Array(codeBitsMax + 1);
  const offsets = new Int32Array(codeBitsMax + 1);
  let [code, place] = [0, 0];
  for (let size = 1; size <= codeBitsMax; size++) {
    code <<= 1;
    offsets[size] = place - code;
    for (; place < symbolCount && lengths[symbols[place]!] === size; place++) code += 1;
    limits[size] = code;
  }
  return { symbols, limits, offsets };
}

function readSymbol(bits: Bits, { symbols, limits, offsets }: Table): number {
  let code = 0;
  for (let size = 1; size <= codeBitsMax; size++) {
    code = (code << 1) | bits.take(1);
    if (code < limits[size]!) return symbols[code + offsets[size]!] ?? noSymbol();
  }
  return noSymbol();
}

function noSymbol(): never {
  throw new Damage('code');
}

type Symbols = {
  readonly alphabet: Buffer;
  readonly selectors: Uint8Array;
  readonly tables: readonly Table[];
  /** Room for what comes out. */
  readonly column: Uint32Array;
};

/** The last column of the sorted rotations, below in each number, from places in a list to whose front each byte moves. */
function readSymbols(bits: Bits, { alphabet, selectors, tables, column: out }: Symbols): Uint32Array {
  const front = Uint8Array.from(alphabet);
  const end = alphabet.length + 1;
  let count = 0;
  let [run, weight] = [0, 1];
  for (let read = 0; ; read++) {
    const table = tables[selectors[Math.floor(read / groupSymbols)] ?? noSymbol()]!;
    const symbol = readSymbol(bits, table);
    if (symbol < 2) {
      // A number whose digits are 1 and 2, the lowest first.
      run += weight << symbol;
      weight *= 2;
      if (run > out.length) throw new Damage('run');
      continue;
    }
    if (count + run + 1 > out.length + (symbol === end ? 1 : 0)) throw new Damage('block');
    out.fill(front[0]!, count, count + run);
    count += run;
    [run, weight] = [0, 1];
    if (symbol === end) return out.subarray(0, count);
    out[count++] = toFront(front, symbol - 1);
  }
}

/** Undoes the Burrows–Wheeler transform: each place learns, above its byte, where the next one stands. */
function unsorted(column: Uint32Array, origin: number): Buffer {
  const places = new Uint32Array(257);
  for (const byte of column) places[byte + 1]! += 1;
  for (let byte = 0; byte < 256; byte++) places[byte + 1]! += places[byte]!;
  for (let at = 0; at < column.length; at++) {
    const byte = column[at]! & 0xff;
    column[places[byte]!]! |= at << 8;
    places[byte]! += 1;
  }
  const text = Buffer.allocUnsafe(column.length);
  let next = column[origin]! >>> 8;
  for (let at = 0; at < text.length; at++) {
    text[at] = column[next]! & 0xff;
    next = column[next]! >>> 8;
  }
  return text;
}

/** Four bytes alike are followed by how many more of them there are. */
function* withoutRuns(block: Buffer): Generator<Buffer> {
  let out = Buffer.allocUnsafe(pieceBytes + 255);
  let [filled, alike, before] = [0, 0, -1];
  for (const byte of block) {
    if (alike === 4) {
      out.fill(before, filled, filled + byte);
      filled += byte;
      alike = 0;
      before = -1;
    } else {
      alike = byte === before ? alike + 1 : 1;
      before = byte;
      out[filled++] = byte;
    }
    if (filled < pieceBytes) continue;
    yield out.subarray(0, filled);
    out = Buffer.allocUnsafe(pieceBytes + 255);
    filled = 0;
  }
  if (filled > 0) yield out.subarray(0, filled);
}

/** Takes bits, the highest first, of bytes that are there for a whole block. */
class Bits {
  readonly #reader: PieceReader;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #held = 0;
  #heldCount = 0;
  #isAll = false;

  constructor(reader: PieceReader) {
    this.#reader = reader;
  }

  /** Makes sure that the next block is here, or all that is left. */
  async fill(): Promise<void> {
    const missing = packedBlockBytesMax - (this.#bytes.length - this.#at);
    if (missing <= 0 || this.#isAll) return;
    const more = await this.#reader.take(missing + packedBlockBytesMax);
    this.#isAll = more.length < missing + packedBlockBytesMax;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), more]);
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length && this.#heldCount < 8;
  }

  /** Up to 24. */
  take(count: number): number {
    while (this.#heldCount < count) {
      if (this.#at === this.#bytes.length) throw new Damage('end');
      this.#held = (this.#held << 8) | this.#bytes[this.#at++]!;
      this.#heldCount += 8;
    }
    this.#heldCount -= count;
    return (this.#held >>> this.#heldCount) & ((1 << count) - 1);
  }

  mark(): number {
    return this.take(24) * 2 ** 24 + this.take(24);
  }

  alignToByte(): void {
    this.#heldCount -= this.#heldCount % 8;
  }
}
