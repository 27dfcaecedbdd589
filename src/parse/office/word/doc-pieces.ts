/**
 * The characters of a DOC file (MS-DOC 2.4.1): they stand in pieces, which a quick save leaves in any order. Pieces that together are
 * longer than the file can hold are a lie and are read no further.
 */
import { decodeAs } from '../../text/encoding.ts';
import { encodingOfLanguage } from '../../text/code-pages.ts';
import { tableIndex, type DocHeader } from './doc-header.ts';

/** Characters from `start` to `end`, which stand at `at` in the file, each `width` bytes wide. */
export type Piece = {
  readonly start: number;
  readonly end: number;
  readonly at: number;
  readonly width: 1 | 2;
  /** Changes of the look of the whole piece: the operations themselves. */
  readonly changes: Buffer;
};

export type DocText = {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** False where pieces were left out. */
  readonly isWhole: boolean;
};

/** The piece of a character; undefined behind the last. */
export function pieceAt(pieces: readonly Piece[], place: number): Piece | undefined {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle]!.end > place) high = middle;
    else low = middle + 1;
  }
  return pieces[low];
}

/** All characters, of the body and what stands behind it. `encoding` is that of characters of one byte. */
export function readDocText(header: DocHeader, encoding: string): DocText {
  const { pieces, isWhole } = readPieces(header);
  const decode = singleByteDecoder(header.version === 8 ? encoding97(header, pieces) : encoding);
  const texts = pieces.map(({ start, end, at, width }) => {
    const bytes = header.main.subarray(at, at + (end - start) * width);
    const text = width === 2 ? bytes.toString('utf16le') : decode(bytes);
    return text.length < end - start ? text.padEnd(end - start, '\0') : text.slice(0, end - start);
  });
  return { text: texts.join(''), pieces, isWhole };
}

const sampleBytes = 64 * 1024;

/**
 * Since Word 97 characters of one byte are Windows' western ones (MS-DOC 2.9.73). Other programs write those of their own language: where
 * nearly all letters are beyond ASCII, they are no western text.
 */
function encoding97(header: DocHeader, pieces: readonly Piece[]): string {
  const own = encodingOfLanguage(header.language);
  if (own === null) return 'windows-1252';
  let [letters, beyond, left] = [0, 0, sampleBytes];
  for (const { start, end, at, width } of pieces) {
    if (width === 2 || left <= 0) continue;
    const bytes = header.main.subarray(at, at + Math.min(left, end - start));
    left -= bytes.length;
    for (const byte of bytes) {
      if (byte >= 0xc0) beyond += 1;
      else if ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) letters += 1;
    }
  }
  return beyond > letters ? own : 'windows-1252';
}

/** One character for each byte, so that places stay what they are; those of two bytes leave a gap behind them. */
function singleByteDecoder(encoding: string): (bytes: Buffer) => string {
  const isMultiByte = ['gb18030', 'gbk', 'big5', 'shift_jis', 'euc-kr', 'johab'].includes(encoding);
  if (!isMultiByte) return (bytes) => decodeAs(bytes, encoding);
  return (bytes) => {
    const parts: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const isPair = bytes[at]! >= 0x81 && bytes[at]! !== 0xff && at + 1 < bytes.length && bytes[at + 1]! >= 0x40;
      const text = isPair ? decodeAs(bytes.subarray(at, at + 2), encoding) : String.fromCharCode(bytes[at]!);
      parts.push(isPair && text.length === 1 ? `${text}\0` : text.slice(0, isPair ? 2 : 1));
      at += isPair ? 2 : 1;
    }
    return parts.join('');
  };
}

/** Of a group of operations: any number of pieces may name the same, and each reads it again. */
const groupBytesMax = 512;

function readPieces(header: DocHeader): { pieces: Piece[]; isWhole: boolean } {
  const { main, version } = header;
  const clx = header.table(tableIndex.pieces);
  const groups: Buffer[] = [];
  let at = 0;
  while (at + 3 <= clx.length && clx[at] === 1) {
    const bytes = clx.readUInt16LE(at + 1);
    groups.push(clx.subarray(at + 3, at + 3 + Math.min(groupBytesMax, bytes)));
    at += 3 + bytes;
  }
  const table = at + 5 <= clx.length && clx[at] === 2 ? clx.subarray(at + 5, at + 5 + clx.readUInt32LE(at + 1)) : Buffer.alloc(0);
  const count = Math.floor((table.length - 4) / 12);
  if (count <= 0) return { pieces: plainPieces(header), isWhole: true };
  const pieces: Piece[] = [];
  let left = main.length;
  for (let index = 0; index < count; index++) {
    const [start, end] = [table.readUInt32LE(index * 4), table.readUInt32LE(index * 4 + 4)];
    const place = (count + 1) * 4 + index * 8;
    const { at: from, width } = placeOf(table.readUInt32LE(place + 2), version);
    const length = Math.min(end - start, Math.floor((main.length - from) / width));
    if (start !== (pieces.at(-1)?.end ?? 0) || length < 0 || (left -= length * width) < 0) return { pieces, isWhole: false };
    pieces.push({
      start,
      end: start + length,
      at: from,
      width,
      changes: changesOf(table.readUInt16LE(place + 6), groups, version),
    });
    if (length < end - start) return { pieces, isWhole: false };
  }
  return { pieces, isWhole: true };
}

function placeOf(fc: number, version: 6 | 8): { at: number; width: 1 | 2 } {
  if (version === 6) return { at: fc, width: 1 };
  const isNarrow = (fc & 0x4000_0000) !== 0;
  const at = fc & 0x3fff_ffff;
  return isNarrow ? { at: at >> 1, width: 1 } : { at, width: 2 };
}

/** A document that was never saved quickly has one piece, from the first character to the last. */
function plainPieces({ main, plainText, stories, version }: DocHeader): Piece[] {
  const length = stories.headerBoxes.end;
  const width = version === 8 && plainText.bytes >= length * 2 && length > 0 ? 2 : 1;
  const end = Math.min(Math.max(length, 0) || plainText.bytes, Math.floor(Math.max(0, main.length - plainText.at) / width));
  return [{ start: 0, end, at: plainText.at, width, changes: Buffer.alloc(0) }];
}

/** MS-DOC 2.9.214 (Prm): one short operation, or the number of a group of them. */
function changesOf(change: number, groups: readonly Buffer[], version: 6 | 8): Buffer {
  if ((change & 1) === 1) return groups[change >> 1] ?? Buffer.alloc(0);
  const operation = shortOperations[(change >> 1) & 0x7f];
  if (version === 6 || operation === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(3);
  bytes.writeUInt16LE(operation);
  bytes.writeUInt8(change >> 8, 2);
  return bytes;
}

/** Of those that matter here (MS-DOC 2.9.215). */
const shortOperations: Readonly<Record<number, number>> = { 0x18: 0x2416, 0x19: 0x2417, 0x41: 0x0800 };
