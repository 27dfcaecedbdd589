/** What the beginning of an XLS workbook says for all of its sheets (MS-XLS 2.1.7.20.3): their names and places, shared strings, formats. */
import { DocumentError } from '../../../errors.ts';
import { encodingOfPage } from '../../text/code-pages.ts';
import { builtinFormat } from './number-format.ts';
import { createFormats, type SheetContext } from './xlsx-sheet.ts';
import {
  createCursor,
  isBeginning,
  readRecords,
  recordTypes,
  textAt,
  unicodeText,
  versionOf,
  type BiffRecord,
  type BiffText,
} from './biff-records.ts';

export type BiffSheet = {
  readonly name: string;
  readonly isHidden: boolean;
  /** Where its records begin in the stream. */
  readonly at: number;
};

export type BiffWorkbook = {
  readonly text: BiffText;
  readonly sheets: readonly BiffSheet[];
  readonly strings: readonly string[];
  readonly formatOf: SheetContext['formatOf'];
};

const types = {
  boundSheet: 0x85,
  codePage: 0x42,
  dateMode: 0x22,
  format: 0x41e,
  format2: 0x1e,
  sharedStrings: 0xfc,
  xf: 0xe0,
  xf2: 0x43,
  xf3: 0x243,
  xf4: 0x443,
} as const;

/** Cell formats of a workbook; a style's number is two bytes. */
const stylesMax = 65_536;
/** Number formats of a workbook. */
const codesMax = 10_000;
const sheetsListedMax = 100_000;

type Reading = {
  text: BiffText;
  isDate1904: boolean;
  strings: string[];
  readonly sheets: BiffSheet[];
  readonly codes: Map<string, string>;
  /** Ids of number formats, by style. */
  readonly styles: string[];
};

/**
 * Reads the globals of a workbook stream.
 * @throws DocumentError `corrupt` when it has no beginning; `limit_exceeded` (MAX_CELLS) for more strings than cells are allowed.
 */
export function readWorkbook(stream: Buffer, cellsMax: number): BiffWorkbook {
  const [first] = readRecords(stream, 0).take(1);
  if (first === undefined || !isBeginning(first.type))
    throw new DocumentError('corrupt', 'The workbook is damaged: its beginning cannot be read');
  const version = versionOf(first);
  const reading: Reading = {
    text: { version, encoding: 'windows-1252' },
    isDate1904: false,
    strings: [],
    sheets: [],
    codes: new Map(),
    styles: [],
  };
  const isWhole = version >= 5 && substreamKind(first) === workbookGlobals;
  let depth = 0;
  for (const record of readRecords(stream, 0)) {
    if (isBeginning(record.type)) depth++;
    else if (record.type === recordTypes.eof) depth--;
    // Before Excel 5 a file is one sheet, with its formats among its cells.
    if (depth <= 0 && isWhole) break;
    if (depth === 1) readGlobal(record, reading, cellsMax);
  }
  const codeOf = (id: string): string | null => reading.codes.get(id) ?? (version >= 5 ? builtinFormat(Number(id)) : null);
  return {
    text: reading.text,
    sheets: placed(reading.sheets, stream, isWhole),
    strings: reading.strings,
    formatOf: createFormats(reading.styles, codeOf, reading.isDate1904),
  };
}

const workbookGlobals = 0x0005;

function substreamKind({ data }: BiffRecord): number {
  return data.length >= 4 ? data.readUInt16LE(2) : workbookGlobals;
}

function readGlobal(record: BiffRecord, reading: Reading, cellsMax: number): void {
  const { type, data } = record;
  switch (type) {
    case types.codePage:
      if (data.length >= 2) reading.text = { ...reading.text, encoding: encodingOfPage(data.readUInt16LE(0)) };
      break;
    case types.dateMode:
      reading.isDate1904 = data.length >= 2 && data.readUInt16LE(0) === 1;
      break;
    case types.boundSheet:
      if (data.length >= 7 && reading.sheets.length < sheetsListedMax) addSheet(record, reading);
      break;
    case types.sharedStrings:
      reading.strings = readSharedStrings(record, cellsMax);
      break;
    case types.format:
    case types.format2:
      if (reading.codes.size < codesMax) addFormat(record, reading);
      break;
    case types.xf:
    case types.xf2:
    case types.xf3:
    case types.xf4:
      if (reading.styles.length < stylesMax) reading.styles.push(formatOfStyle(record));
      break;
    default:
  }
}

const visualBasic = 6;

function addSheet(record: BiffRecord, reading: Reading): void {
  const { data } = record;
  // A module of macros is no sheet.
  if (data.readUInt8(5) === visualBasic) return;
  const name = textAt(record, 6, reading.text, 1).replaceAll('\0', '');
  reading.sheets.push({ name, isHidden: (data.readUInt8(4) & 3) !== 0, at: data.readUInt32LE(0) });
}

function addFormat({ type, data, more }: BiffRecord, reading: Reading): void {
  const { text } = reading;
  if (text.version >= 5) {
    if (data.length >= 3)
      reading.codes.set(String(data.readUInt16LE(0)), textAt({ data, more }, 2, text, text.version === 8 ? 2 : 1));
  } else {
    // Counted, not numbered.
    const at = type === types.format ? 2 : 0;
    if (data.length > at) reading.codes.set(String(reading.codes.size), textAt({ data, more }, at, text, 1));
  }
}

function formatOfStyle({ type, data }: BiffRecord): string {
  if (type === types.xf) return data.length >= 4 ? String(data.readUInt16LE(2)) : '0';
  if (data.length < 2) return '0';
  return String(type === types.xf2 ? data.readUInt8(2 % data.length) & 0x3f : data.readUInt8(1));
}

/** MS-XLS 2.4.265: all strings of the cells, over as many records as they take. */
function readSharedStrings(record: BiffRecord, cellsMax: number): string[] {
  if (record.data.length < 8) return [];
  const count = record.data.readUInt32LE(4);
  const cursor = createCursor(record, 8);
  const strings: string[] = [];
  while (strings.length < count && !cursor.isAtEnd) {
    if (strings.length >= cellsMax)
      throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} different texts (MAX_CELLS)`);
    strings.push(unicodeText(cursor, cursor.uint16()));
  }
  return strings;
}

/** The sheets where they are: each place once, and where the list lies, in the order in which they stand in the file. */
function placed(listed: readonly BiffSheet[], stream: Buffer, isWhole: boolean): BiffSheet[] {
  if (!isWhole) return [{ name: '', isHidden: false, at: 0 }];
  const seen = new Set<number>();
  const good = listed.filter(({ at }) => {
    const isThere = at + 4 <= stream.length && isBeginning(stream.readUInt16LE(at)) && !seen.has(at);
    seen.add(at);
    return isThere;
  });
  if (good.length > 0 && good.length === new Set(listed.map(({ at }) => at)).size) return good;
  const found = beginningsIn(stream);
  return found.length <= good.length ? good : found.map((at, index) => ({ name: '', isHidden: false, ...listed[index], at }));
}

/** Where sheets begin, behind the globals. */
function beginningsIn(stream: Buffer): number[] {
  const found: number[] = [];
  let depth = 0;
  for (const { type, at } of readRecords(stream, 0)) {
    if (isBeginning(type)) {
      if (depth === 0 && at > 0) found.push(at);
      depth++;
    } else if (type === recordTypes.eof) depth = Math.max(0, depth - 1);
  }
  return found.slice(0, sheetsListedMax);
}
