/** Writes small workbooks of BIFF records (MS-XLS), of any version, plain or encrypted. */
import { createHash } from 'node:crypto';
import { compoundFile } from '../../src/parse/containers/compound-writer.ts';
import { rc4 } from '../../src/parse/office/binary-encryption.ts';

/** One record: its number, two bytes of length, its data. */
export function record(type: number, ...data: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(data);
  return Buffer.concat([u16(type), u16(all.length), all]);
}

export function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16LE(value & 0xffff, at * 2));
  return bytes;
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32LE(value >>> 0, at * 4));
  return bytes;
}

export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** A text of Unicode with its length in two bytes before it. */
export function wide(text: string): Buffer {
  return Buffer.concat([u16(text.length), u8(1), Buffer.from(text, 'utf16le')]);
}

/** The same in one byte a character. */
export function narrow(text: string): Buffer {
  return Buffer.concat([u16(text.length), u8(0), Buffer.from(text, 'latin1')]);
}

export const cells = {
  shared: (row: number, column: number, index: number) => record(0xfd, u16(row, column, 0), u32(index)),
  label: (row: number, column: number, text: string) => record(0x204, u16(row, column, 0), wide(text)),
  number: (row: number, column: number, value: number, style = 0) => record(0x203, u16(row, column, style), f64(value)),
  rk: (row: number, column: number, rk: number, style = 0) => record(0x27e, u16(row, column, style), u32(rk)),
  bool: (row: number, column: number, value: number, isError = 0) => record(0x205, u16(row, column, 0), u8(value, isError)),
  formula: (row: number, column: number, result: Uint8Array) => record(0x06, u16(row, column, 0), result, Buffer.alloc(8)),
  text: (text: string) => record(0x207, wide(text)),
};

export type SheetRecords = {
  readonly name: string;
  readonly records: readonly Uint8Array[];
  readonly hidden?: boolean;
  /** Of Excel 97 and later 0 is a sheet, 2 a chart, 6 a module. */ readonly type?: number;
};

export type WorkbookRecords = {
  readonly sheets: readonly SheetRecords[];
  /** Records of the whole workbook, before the list of its sheets. */
  readonly globals?: readonly Uint8Array[];
  /** 0x600 is Excel 97 and later, 0x500 Excel 5 and 95. */
  readonly version?: number;
  /** Puts the stream under a password, by RC4 of 40 bits. */
  readonly password?: string;
};

/** The stream of records. */
export function workbookStream({ sheets, globals = [], version = 0x600, password }: WorkbookRecords): Buffer {
  const begin = (kind: number) => record(0x809, u16(version, kind, 0, 0), u32(0, 0));
  const name = (text: string) =>
    version === 0x600
      ? Buffer.concat([u8(text.length, 1), Buffer.from(text, 'utf16le')])
      : Buffer.concat([u8(text.length), Buffer.from(text, 'latin1')]);
  const pass = password === undefined ? [] : [record(0x2f, u16(1), rc4Header(password))];
  const list = (places: readonly number[]) =>
    sheets.map((sheet, at) =>
      record(0x85, u32(places[at] ?? 0), u8(sheet.hidden === true ? 1 : 0, sheet.type ?? 0), name(sheet.name)),
    );
  const head = (places: readonly number[]) => Buffer.concat([begin(5), ...pass, ...globals, ...list(places), record(0x0a)]);
  const bodies = sheets.map(({ records }) => Buffer.concat([begin(0x10), ...records, record(0x0a)]));
  let at = head([]).length;
  const places = bodies.map((body) => (at += body.length) - body.length);
  const stream = Buffer.concat([head(places), ...bodies]);
  return password === undefined ? stream : encrypted(stream, password);
}

/** A workbook in its container. */
export function makeXls(workbook: WorkbookRecords, streams: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  const name = (workbook.version ?? 0x600) === 0x600 ? 'Workbook' : 'Book';
  return compoundFile({ streams: { [name]: workbookStream(workbook), ...streams } });
}

/** The stream with title and author, in a code page. */
export function summaryStream(title: Uint8Array, author: Uint8Array, page: number): Buffer {
  const text = (bytes: Uint8Array) => Buffer.concat([u32(0x1e, bytes.length + 1), bytes, Buffer.alloc(4 - (bytes.length % 4))]);
  const values = [Buffer.concat([u32(2), u16(page), u16(0)]), text(title), text(author)];
  const ids = [1, 2, 4];
  let at = 8 + ids.length * 8;
  const places = values.map((value, index) => {
    const place = u32(ids[index]!, at);
    at += value.length;
    return place;
  });
  const set = Buffer.concat([u32(at, ids.length), ...places, ...values]);
  return Buffer.concat([u16(0xfffe, 0), u32(0), Buffer.alloc(16), u32(1), Buffer.alloc(16), u32(48), set]);
}

/** Version 1.1, salt, verifier and its hash under the password (MS-OFFCRYPTO 2.3.6.1). */
export function rc4Header(password: string): Buffer {
  const verifier = Buffer.from('a verifier of 16');
  const secret = rc4(rc4Key(password, 0), Buffer.concat([verifier, md5(verifier)]));
  return Buffer.concat([u16(1, 1), salt, secret]);
}

const salt = Buffer.from('0123456789abcdef');

export function rc4Key(password: string, block: number): Buffer {
  const short = md5(Buffer.from(password, 'utf16le')).subarray(0, 5);
  const base = md5(Buffer.concat(Array.from({ length: 16 }, () => Buffer.concat([short, salt])))).subarray(0, 5);
  return md5(Buffer.concat([base, u32(block)]));
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

function encrypted(stream: Buffer, password: string): Buffer {
  const keys = Buffer.concat(
    Array.from({ length: Math.ceil(stream.length / 1024) }, (_, block) => rc4(rc4Key(password, block), Buffer.alloc(1024))),
  );
  const out = Buffer.from(stream);
  for (let at = 0; at < stream.length;) {
    const type = stream.readUInt16LE(at);
    const end = at + 4 + stream.readUInt16LE(at + 2);
    const start = at + 4 + (type === 0x85 ? 4 : 0);
    if (type !== 0x809 && type !== 0x2f) for (let byte = start; byte < end; byte++) out[byte]! ^= keys[byte]!;
    at = end;
  }
  return out;
}
