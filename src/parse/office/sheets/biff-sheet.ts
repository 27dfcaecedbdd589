/** The records of one XLS sheet (MS-XLS 2.1.7.20.5): cached values, never formulas; merged cells, comments, text boxes, titles of charts. */
import { decodeAs } from '../../text/encoding.ts';
import { plainNumber } from './number-format.ts';
import { type CellLink, columnName, createSheetGrid, linksMax, type Merge, type SheetCells } from './sheet-grid.ts';
import type { SheetContext } from './xlsx-sheet.ts';
import { createCursor, isBeginning, readRecords, recordTypes, textAt, type BiffRecord, type BiffText } from './biff-records.ts';
import { linkTarget } from './link-record.ts';
import { commentText } from './workbook-text.ts';

export type SheetContent = {
  readonly cells: SheetCells;
  /** Of text boxes and charts. */
  readonly texts: readonly string[];
  readonly comments: readonly string[];
};

const types = {
  boolErr: 0x205,
  boolErr2: 0x05,
  formula: 0x06,
  formula3: 0x206,
  formula4: 0x406,
  integer2: 0x02,
  label: 0x204,
  label2: 0x04,
  labelShared: 0xfd,
  link: 0x1b8,
  merged: 0xe5,
  multipleRk: 0xbd,
  note: 0x1c,
  number: 0x203,
  number2: 0x03,
  object: 0x5d,
  richLabel: 0xd6,
  rk: 0x27e,
  seriesText: 0x100d,
  string: 0x207,
  string2: 0x07,
  textBox: 0x1b6,
} as const;

/** Merged ranges of one sheet; more are there for looks, or a lie. */
const mergesMax = 50_000;
/** Comments and text boxes of one sheet. */
const notesMax = 100_000;
const recordsPerCall = 20_000;

type Note = { readonly place: string; readonly author: string; readonly object: number; readonly text: string | null };

/** The sheet whose records begin at `at`, and where the last of them stands. @throws DocumentError what `onCell` throws. */
export function readSheet(
  stream: Buffer,
  at: number,
  text: BiffText,
  context: SheetContext,
): SheetContent & { readonly end: number } {
  const reader = createReader(text, context);
  let depth = 0;
  let count = 0;
  let end = at;
  for (const record of readRecords(stream, at)) {
    end = record.at;
    if (isBeginning(record.type)) depth++;
    else if (record.type === recordTypes.eof && --depth <= 0) break;
    else if (depth === 1) reader.record(record);
    else if (record.type === types.seriesText) reader.record(record);
    if (++count % recordsPerCall === 0) context.onRows();
  }
  return { ...reader.finish(), end };
}

function createReader(text: BiffText, context: SheetContext): { record(record: BiffRecord): void; finish(): SheetContent } {
  const grid = createSheetGrid();
  const merges: Merge[] = [];
  const links: CellLink[] = [];
  const notes: Note[] = [];
  /** Texts of boxes by the number of their object, which a comment names. */
  const boxes = new Map<number, string>();
  const titles = new Set<string>();
  const { version } = text;
  /** The cell of a formula whose value is a text in a record of its own. */
  let waiting: { row: number; column: number } | null = null;
  let object = 0;

  function set(row: number, column: number, value: string): void {
    if (value.trim() === '') return;
    context.onCell();
    grid.set(row + 1, column + 1, value);
  }

  function number(row: number, column: number, style: number, value: number): void {
    const format = context.formatOf(String(style));
    set(row, column, format === undefined ? (Number.isFinite(value) ? plainNumber(value) : '') : format(value));
  }

  function cell(record: BiffRecord): void {
    const { type, data } = record;
    const [row, column] = [data.readUInt16LE(0), data.readUInt16LE(2)];
    // Excel 2 has three bytes of looks where later ones have the number of a style.
    const style = version === 2 ? data.readUInt8(4) & 0x3f : data.readUInt16LE(4);
    const value = version === 2 ? 7 : 6;
    switch (type) {
      case types.labelShared:
        if (data.length >= 10) set(row, column, context.sharedString(data.readUInt32LE(6)));
        break;
      case types.label:
      case types.label2:
      case types.richLabel:
        if (data.length > value) set(row, column, textAt(record, value, text, version === 2 ? 1 : 2));
        break;
      case types.number:
      case types.number2:
        if (data.length >= value + 8) number(row, column, style, data.readDoubleLE(value));
        break;
      case types.integer2:
        if (data.length >= 9) number(row, column, style, data.readUInt16LE(7));
        break;
      case types.rk:
        if (data.length >= 10) number(row, column, style, rkNumber(data.readUInt32LE(6)));
        break;
      case types.boolErr:
      case types.boolErr2:
        if (data.length >= value + 2) set(row, column, boolOrError(data.readUInt8(value), data.readUInt8(value + 1) === 1));
        break;
      default:
        if (data.length >= value + 8) formula(row, column, style, data.subarray(value, value + 8));
    }
  }

  /** MS-XLS 2.5.133: a number, or what it is instead. */
  function formula(row: number, column: number, style: number, value: Buffer): void {
    if (value.readUInt16LE(6) !== 0xffff) return number(row, column, style, value.readDoubleLE(0));
    const kind = value.readUInt8(0);
    if (kind === 0) waiting = { row, column };
    else if (kind === 1 || kind === 2) set(row, column, boolOrError(value.readUInt8(2), kind === 2));
  }

  function multiple(data: Buffer): void {
    const row = data.readUInt16LE(0);
    let column = data.readUInt16LE(2);
    for (let at = 4; at + 8 <= data.length; at += 6, column++)
      number(row, column, data.readUInt16LE(at), rkNumber(data.readUInt32LE(at + 2)));
  }

  function merge(data: Buffer): void {
    const count = data.readUInt16LE(0);
    for (let index = 0, at = 2; index < count && at + 8 <= data.length && merges.length < mergesMax; index++, at += 8) {
      const [top, bottom, left, right] = [0, 2, 4, 6].map((offset) => data.readUInt16LE(at + offset) + 1) as [
        number,
        number,
        number,
        number,
      ];
      merges.push({ top, left, bottom, right });
    }
  }

  function link({ data, more }: BiffRecord): void {
    const target = linkTarget(more.length === 0 ? data : Buffer.concat([data, ...more]));
    if (target !== null && links.length < linksMax)
      links.push({ row: data.readUInt16LE(0) + 1, column: data.readUInt16LE(4) + 1, target });
  }

  function note(record: BiffRecord): void {
    const { data } = record;
    if (notes.length >= notesMax) return;
    const [row, column, third] = [data.readUInt16LE(0), data.readUInt16LE(2), data.readUInt16LE(4)];
    if (version === 8) {
      const author = data.length > 10 ? textAt(record, 8, text).slice(0, 200) : '';
      notes.push({ place: placeName(row, column), author, object: data.length >= 8 ? data.readUInt16LE(6) : 0, text: null });
      return;
    }
    const body = decodeAs(data.subarray(6, 6 + third), text.encoding);
    const before = notes.at(-1);
    // A long comment goes on in records for no cell at all.
    if (row === 0xffff && before !== undefined) notes[notes.length - 1] = { ...before, text: `${before.text}${body}` };
    else notes.push({ place: placeName(row, column), author: '', object: 0, text: body });
  }

  function textBox({ data, more }: BiffRecord): void {
    if (data.length < 12 || more.length === 0 || boxes.size >= notesMax) return;
    const cursor = createCursor({ data: more[0]!, more: more.slice(1) });
    const isWide = (cursor.byte() & 1) === 1;
    const shown = cursor.characters(data.readUInt16LE(10), isWide);
    if (shown.trim() !== '') boxes.set(object, shown);
  }

  return {
    record(record) {
      const { type, data } = record;
      if (data.length < 4) return;
      switch (type) {
        case types.string:
        case types.string2:
          if (waiting !== null) set(waiting.row, waiting.column, textAt(record, 0, text, version === 2 ? 1 : 2));
          waiting = null;
          break;
        case types.multipleRk:
          multiple(data);
          break;
        case types.merged:
          merge(data);
          break;
        case types.link:
          if (data.length >= 8) link(record);
          break;
        case types.note:
          if (data.length >= 6) note(record);
          break;
        case types.object:
          if (data.length >= 8) object = data.readUInt16LE(6);
          break;
        case types.textBox:
          textBox(record);
          break;
        case types.seriesText:
          if (titles.size < notesMax) titles.add(textAt(record, 2, text, 1));
          break;
        default:
          if (cellTypes.has(type) && data.length >= 7) cell(record);
      }
    },
    finish() {
      const ofComments = new Set(notes.map((each) => each.object));
      const comments = notes.map((each) => commentText(each.place, each.author, each.text ?? boxes.get(each.object) ?? ''));
      const free = [...boxes].filter(([id]) => !ofComments.has(id)).map(([, shown]) => shown);
      return { cells: grid.finish(merges, context.repeats, links), texts: [...free, ...titles], comments };
    },
  };
}

const cellTypes: ReadonlySet<number> = new Set([
  types.labelShared,
  types.label,
  types.label2,
  types.richLabel,
  types.number,
  types.number2,
  types.integer2,
  types.rk,
  types.boolErr,
  types.boolErr2,
  types.formula,
  types.formula3,
  types.formula4,
]);

function placeName(row: number, column: number): string {
  return `${columnName(column + 1)}${row + 1}`;
}

/** MS-XLS 2.5.217: 30 bits of a number, or of an integer; maybe of its hundredfold. */
export function rkNumber(rk: number): number {
  let value: number;
  if ((rk & 2) !== 0) value = rk >> 2;
  else {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE((rk & 0xfffffffc) >>> 0, 4);
    value = bytes.readDoubleLE(0);
  }
  return (rk & 1) !== 0 ? value / 100 : value;
}

const errors: Readonly<Record<number, string>> = {
  0x00: '#NULL!',
  0x07: '#DIV/0!',
  0x0f: '#VALUE!',
  0x17: '#REF!',
  0x1d: '#NAME?',
  0x24: '#NUM!',
  0x2a: '#N/A',
  0x2b: '#GETTING_DATA',
};

/** What a cell shows of a value that is no number. */
export function boolOrError(value: number, isError: boolean): string {
  if (isError) return errors[value] ?? '#N/A';
  return value === 0 ? 'FALSE' : 'TRUE';
}
