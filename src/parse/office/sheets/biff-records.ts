/** The records that an XLS workbook is made of (MS-XLS 2.1.4): their order, what continues them, and the text inside of them. */
import { decodeAs } from '../../text/encoding.ts';
import { openRc4, openXor, protectedByPassword } from '../binary-encryption.ts';

export type BiffRecord = {
  readonly type: number;
  /** Its first piece. */
  readonly data: Buffer;
  /** What `Continue` records add: text that goes on there begins with a byte of its own. */
  readonly more: readonly Buffer[];
};

/** Of a record's number that matters in more than one file. */
export const recordTypes = { filePass: 0x2f, continue: 0x3c, eof: 0x0a } as const;

const beginnings: ReadonlySet<number> = new Set([0x0009, 0x0209, 0x0409, 0x0809]);

/** Whether a record begins a sheet, a chart, or the workbook. */
export function isBeginning(type: number): boolean {
  return beginnings.has(type);
}

/** How the text of a workbook is stored: by its version (2–5, 8) and, before Unicode, its code page. */
export type BiffText = { readonly version: number; readonly encoding: string };

/** 2, 3, 4, 5 (also for Excel 95) or 8; by the record that begins the workbook. */
export function versionOf(beginning: BiffRecord): number {
  if (beginning.type !== 0x0809) return beginning.type === 0x0009 ? 2 : beginning.type >> 8;
  return beginning.data.length >= 2 && beginning.data.readUInt16LE(0) === 0x0600 ? 8 : beginning.data.length >= 2 ? 5 : 8;
}

/** The records from `start` on, each with what continues it. Ends where the bytes end, or no longer make a record. */
export function* readRecords(stream: Buffer, start: number): Generator<BiffRecord & { readonly at: number }> {
  for (let at = start; at + 4 <= stream.length;) {
    const begun = at;
    const type = stream.readUInt16LE(at);
    const data = dataAt(stream, at);
    at += 4 + data.length;
    const more: Buffer[] = [];
    while (at + 4 <= stream.length && stream.readUInt16LE(at) === recordTypes.continue) {
      const piece = dataAt(stream, at);
      more.push(piece);
      at += 4 + piece.length;
    }
    yield { type, data, more, at: begun };
  }
}

function dataAt(stream: Buffer, at: number): Buffer {
  return stream.subarray(at + 4, at + 4 + stream.readUInt16LE(at + 2));
}

/** Records whose data is never encrypted. */
const plainRecords = new Set([0x0809, 0x0409, 0x0209, 0x0009, 0x2f, 0xe1, 0x1ae, 0x138, 0x194, 0x195, 0x196]);
const boundSheet = 0x85;
const rc4BlockBytes = 1024;

/**
 * The stream as it was before it was encrypted; the same bytes where it is not.
 * @throws DocumentError `encrypted` when none of `passwords` opens it.
 */
export function decryptStream(stream: Buffer, passwords: readonly string[]): Buffer {
  const pass = filePassOf(stream);
  if (pass === null) return stream;
  const open = openPass(pass, passwords);
  if (open === null) throw protectedByPassword(passwords);
  const plain = Buffer.from(stream);
  for (let at = 0; at + 4 <= plain.length;) {
    const type = plain.readUInt16LE(at);
    const data = dataAt(plain, at);
    // Of the place of a sheet, which comes first in its record, no program that skips over sheets shall need a key.
    if (!plainRecords.has(type)) open(data, at + 4, type === boundSheet ? 4 : 0);
    at += 4 + data.length;
  }
  return plain;
}

/** It stands among the first records, behind the one that begins the workbook. */
function filePassOf(stream: Buffer): Buffer | null {
  let count = 0;
  for (const { type, data } of readRecords(stream, 0)) {
    if (type === recordTypes.filePass) return data;
    if (type === recordTypes.eof || type === boundSheet || ++count > 50) return null;
  }
  return null;
}

type Open = (data: Buffer, position: number, skipped: number) => void;

function openPass(pass: Buffer, passwords: readonly string[]): Open | null {
  if (pass.length < 4) return null;
  if (pass.length >= 6 && pass.readUInt16LE(0) === 1) {
    const keystream = openRc4(pass.subarray(2), rc4BlockBytes, passwords);
    return keystream === null ? null : (data, position, skipped) => keystream.apply(data.subarray(skipped), position + skipped);
  }
  const at = pass.length >= 6 ? 2 : 0;
  const xor = openXor(pass.readUInt16LE(at), pass.readUInt16LE(at + 2), passwords);
  return xor === null ? null : (data, position, skipped) => xor(data.subarray(skipped), position + data.length + skipped);
}

/** A cursor over a record and what continues it. */
export interface TextCursor {
  readonly isAtEnd: boolean;
  byte(): number;
  uint16(): number;
  uint32(): number;
  skip(bytes: number): void;
  /** So many characters, in the width that the byte before them says; and again after each place where a record is continued. */
  characters(count: number, isWide: boolean): string;
}

export function createCursor({ data, more }: Pick<BiffRecord, 'data' | 'more'>, start = 0): TextCursor {
  let piece = data;
  let next = 0;
  let at = start;

  function advance(): boolean {
    while (at >= piece.length) {
      if (next >= more.length) return false;
      at -= piece.length;
      piece = more[next++]!;
    }
    return true;
  }

  function byte(): number {
    return advance() ? piece[at++]! : 0;
  }

  return {
    get isAtEnd() {
      return !advance();
    },
    byte,
    uint16: () => byte() | (byte() << 8),
    uint32: () => byte() + byte() * 0x100 + byte() * 0x10000 + byte() * 0x1000000,
    skip(bytes) {
      at += bytes;
    },
    characters(count, isWide) {
      const parts: string[] = [];
      let left = count;
      let wide = isWide;
      while (left > 0) {
        if (at >= piece.length) {
          if (!advance()) break;
          wide = (piece[at++]! & 1) === 1;
        }
        const width = wide ? 2 : 1;
        const taken = Math.min(left, Math.floor((piece.length - at) / width));
        if (taken === 0) {
          at = piece.length;
          continue;
        }
        parts.push(piece.toString(wide ? 'utf16le' : 'latin1', at, at + taken * width));
        at += taken * width;
        left -= taken;
      }
      return parts.length === 1 ? parts[0]! : parts.join('');
    },
  };
}

/** A text with two bytes (`lengthBytes`: or one) for its length before it, at `at` of a record. */
export function textAt(record: Pick<BiffRecord, 'data' | 'more'>, at: number, text: BiffText, lengthBytes: 1 | 2 = 2): string {
  const cursor = createCursor(record, at);
  const count = lengthBytes === 1 ? cursor.byte() : cursor.uint16();
  return text.version === 8
    ? unicodeText(cursor, count)
    : decodeAs(record.data.subarray(at + lengthBytes, at + lengthBytes + count), text.encoding);
}

/** MS-XLS 2.5.293: characters, with what is said of them beside (fonts, furigana) left out. */
export function unicodeText(cursor: TextCursor, count: number): string {
  const flags = cursor.byte();
  const runs = (flags & 8) === 0 ? 0 : cursor.uint16();
  const further = (flags & 4) === 0 ? 0 : cursor.uint32();
  const text = cursor.characters(count, (flags & 1) === 1);
  cursor.skip(runs * 4 + further);
  return text;
}
