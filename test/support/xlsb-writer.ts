/** Writes small binary workbooks in packages (MS-XLSB). */
import { makeZip, type ZipMember } from './zip-writer.ts';
import { f64, u16, u32, u8 } from './xls-writer.ts';

/** One record: its number and its length in one byte or more, its data. */
export function binaryRecord(type: number, ...data: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(data);
  const head = type < 0x80 ? [type] : [(type & 0x7f) | 0x80, type >> 7];
  let length = all.length;
  for (; length >= 0x80; length >>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), all]);
}

/** A text with its length before it. */
export function wideText(text: string): Buffer {
  return Buffer.concat([u32(text.length), Buffer.from(text, 'utf16le')]);
}

export const binaryCells = {
  row: (row: number) => binaryRecord(0, u32(row), Buffer.alloc(13)),
  text: (column: number, text: string) => binaryRecord(6, u32(column, 0), wideText(text)),
  shared: (column: number, index: number) => binaryRecord(7, u32(column, 0, index)),
  number: (column: number, value: number, style = 0) => binaryRecord(5, u32(column, style), f64(value)),
  rk: (column: number, rk: number) => binaryRecord(2, u32(column, 0, rk)),
  bool: (column: number, value: number) => binaryRecord(4, u32(column, 0), u8(value)),
  error: (column: number, code: number) => binaryRecord(3, u32(column, 0), u8(code)),
  formulaText: (column: number, text: string) => binaryRecord(8, u32(column, 0), wideText(text), u16(0)),
  merge: (top: number, bottom: number, left: number, right: number) => binaryRecord(176, u32(top, bottom, left, right)),
};

export type BinarySheetRecords = {
  readonly name: string;
  readonly records: readonly Uint8Array[];
  readonly hidden?: boolean;
  /** Records of its comments. */ readonly comments?: readonly Uint8Array[];
  /** Addresses outside, by the name of the relationship. */ readonly links?: Readonly<Record<string, string>>;
};

export function makeXlsb(parts: {
  readonly sheets: readonly BinarySheetRecords[];
  readonly strings?: readonly string[];
  readonly styles?: readonly Uint8Array[];
  readonly date1904?: boolean;
}): Buffer {
  const relations = (all: readonly (readonly [id: string, type: string, target: string])[]) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${all.map(([id, type, target]) => `<Relationship Id="${id}" Type="x/${type}" Target="${target}"/>`).join('')}</Relationships>`;
  const bundle = parts.sheets.map(({ name, hidden }, at) =>
    binaryRecord(156, u32(hidden === true ? 1 : 0, at + 1), wideText(`s${at}`), wideText(name)),
  );
  const workbook = [binaryRecord(153, u32(parts.date1904 === true ? 1 : 0, 0), wideText('')), ...bundle];
  const sheets = parts.sheets.flatMap(({ records, comments, links = {} }, at): ZipMember[] => [
    { name: `xl/worksheets/sheet${at}.bin`, data: Buffer.concat(records) },
    ...(comments === undefined ? [] : [{ name: `xl/comments${at}.bin`, data: Buffer.concat(comments) }]),
    {
      name: `xl/worksheets/_rels/sheet${at}.bin.rels`,
      data: relations([
        ...(comments === undefined ? [] : [['c', 'comments', `../comments${at}.bin`] as const]),
        ...Object.entries(links).map(([id, target]) => [id, 'hyperlink', `${target}" TargetMode="External`] as const),
      ]),
    },
  ]);
  return makeZip([
    { name: '[Content_Types].xml', data: '<Types/>' },
    { name: '_rels/.rels', data: relations([['w', 'officeDocument', 'xl/workbook.bin']]) },
    { name: 'xl/workbook.bin', data: Buffer.concat(workbook) },
    {
      name: 'xl/_rels/workbook.bin.rels',
      data: relations([
        ['strings', 'sharedStrings', 'sharedStrings.bin'],
        ['styles', 'styles', 'styles.bin'],
        ...parts.sheets.map((_, at): [string, string, string] => [`s${at}`, 'worksheet', `worksheets/sheet${at}.bin`]),
      ]),
    },
    {
      name: 'xl/sharedStrings.bin',
      data: Buffer.concat((parts.strings ?? []).map((text) => binaryRecord(19, u8(0), wideText(text)))),
    },
    { name: 'xl/styles.bin', data: Buffer.concat(parts.styles ?? []) },
    ...sheets,
  ]);
}
