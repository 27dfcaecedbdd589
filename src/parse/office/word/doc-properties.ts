/**
 * How the characters and paragraphs of a DOC file look (MS-DOC 2.4.6, 2.6): lists of operations ("sprms"), which stand on pages of 512 bytes
 * by the place of the characters in the file. Only what changes the text is read: what is hidden, deleted, a list, a heading, a table.
 */
import { tableIndex, type DocHeader } from './doc-header.ts';

export type ParagraphLook = {
  style: number;
  /** 0–8; null where nothing is said. */ outline: number | null;
  /** 1-based number of a list; 0 is none, null where nothing is said. */ list: number | null;
  listLevel: number | null;
  /** How many tables it is inside of. */ depth: number;
  /** It ends a row of the outermost table, or of one inside. */ endsRow: boolean;
  /** It ends a cell of a table inside of another. */ endsInnerCell: boolean;
  row: RowShape | null;
};

/** Where the cells of a row begin and end, in twentieths of a point, and which of them go on from others. */
export type RowShape = { readonly edges: readonly number[]; readonly merges: readonly CellMerge[] };

export type CellMerge = {
  /** It shows what is left of it. */ readonly isRestOfRow: boolean;
  /** It begins, or goes on from above. */ readonly vertical: 'start' | 'continue' | null;
};

export type CharacterLook = {
  isHidden: boolean;
  isDeleted: boolean;
  /** A character that stands for something else. */ isSpecial: boolean;
  font: number | null;
  symbol: { readonly font: number; readonly code: number } | null;
};

export function plainParagraph(): ParagraphLook {
  return { style: 0, outline: null, list: null, listLevel: null, depth: 0, endsRow: false, endsInnerCell: false, row: null };
}

export function plainCharacter(): CharacterLook {
  return { isHidden: false, isDeleted: false, isSpecial: false, font: null, symbol: null };
}

type Operation = (code: number, operand: Buffer) => void;

/** Calls `each` for every operation of a list; ends where it no longer makes sense. */
function readOperations(list: Buffer, version: 6 | 8, each: Operation): void {
  for (let at = 0; at < list.length;) {
    const code = version === 8 ? (at + 2 <= list.length ? list.readUInt16LE(at) : 0) : list[at]!;
    const start = at + (version === 8 ? 2 : 1);
    const size = version === 8 ? sizeOf97(list, code, start) : sizeOf6(list, code, start);
    if (size === null) return;
    const { skip, bytes } = size;
    const operand = list.subarray(start + skip, start + skip + bytes);
    if (operand.length < bytes) return;
    each(version === 8 ? code : (code6[code] ?? 0), operand);
    at = start + skip + bytes;
  }
}

type Size = { readonly skip: number; readonly bytes: number };

const tableDefinition = 0xd608;
const changeTabs = 0xc615;

/** MS-DOC 2.2.5.1: the size is three bits of the code; a byte before the operand where they say that it varies. */
function sizeOf97(list: Buffer, code: number, at: number): Size | null {
  const fixed = [1, 1, 2, 4, 2, 2, null, 3][code >> 13]!;
  if (fixed !== null) return { skip: 0, bytes: fixed };
  if (at >= list.length) return null;
  if (code === tableDefinition) return at + 2 <= list.length ? { skip: 2, bytes: Math.max(0, list.readUInt16LE(at) - 1) } : null;
  if (code === changeTabs && list[at] === 255) {
    const deleted = list[at + 1] ?? 0;
    const added = list[at + 2 + deleted * 4] ?? 0;
    return { skip: 1, bytes: 2 + deleted * 4 + added * 3 };
  }
  return { skip: 1, bytes: list[at]! };
}

/** Word 6 has numbers of one byte, and a table of their sizes; null for those that are not known here. */
function sizeOf6(list: Buffer, code: number, at: number): Size | null {
  if (code === 190) return at + 2 <= list.length ? { skip: 2, bytes: Math.max(0, list.readUInt16LE(at) - 1) } : null;
  const bytes = sizes6(code);
  if (bytes === null) return null;
  return bytes === 'varies' ? { skip: 1, bytes: list[at] ?? 0 } : { skip: 0, bytes };
}

function sizes6(code: number): number | 'varies' | null {
  const two = new Set([2, 16, 17, 18, 19, 21, 22, 26, 27, 28, 30, 31, 32, 33, 34, 35, 36, 38, 39, 40, 41, 42, 43, 45, 46, 47, 48, 49, 69, 72, 80, 93, 96, 97, 99, 101, 107, 110]); // prettier-ignore
  const varying = new Set([3, 12, 15, 23, 68, 74, 81, 83, 95, 103, 105, 108, 187, 188]);
  if (varying.has(code)) return 'varies';
  if (two.has(code)) return 2;
  if (code === 20 || code === 70) return 4;
  if (code === 73) return 3;
  return (code >= 4 && code <= 64) || (code >= 65 && code <= 117) ? 1 : null;
}

/** What the numbers of Word 6 are called since Word 97. */
const code6: Readonly<Record<number, number>> = {
  2: 0x4600,
  24: 0x2416,
  25: 0x2417,
  65: 0x0800,
  92: 0x083c,
  93: 0x4a4f,
  190: tableDefinition,
};

const inTable = 0x2416;
const endsRow = 0x2417;

/** Applies a list of operations to a paragraph. */
export function changeParagraph(look: ParagraphLook, operations: Buffer, version: 6 | 8): void {
  readOperations(operations, version, (code, operand) => {
    switch (code) {
      case 0x4600:
        look.style = operand.readUInt16LE(0);
        break;
      case 0x2640:
        look.outline = operand[0]!;
        break;
      case 0x460b:
        look.list = operand.readInt16LE(0);
        break;
      case 0x260a:
        look.listLevel = operand[0]!;
        break;
      case inTable:
        look.depth = operand[0] === 0 ? 0 : Math.max(1, look.depth);
        break;
      case 0x6649:
        look.depth = Math.max(0, operand.readInt32LE(0));
        break;
      case endsRow:
      case 0x244c:
        look.endsRow = operand[0] === 1;
        break;
      case 0x244b:
        look.endsInnerCell = operand[0] === 1;
        break;
      case tableDefinition:
        look.row = readRow(operand, version);
        break;
      default:
    }
  });
}

/** Applies a list of operations to characters. */
export function changeCharacter(look: CharacterLook, operations: Buffer, version: 6 | 8): void {
  readOperations(operations, version, (code, operand) => {
    switch (code) {
      case 0x0800:
        look.isDeleted = isOn(operand[0]!, look.isDeleted);
        break;
      case 0x083c:
        look.isHidden = isOn(operand[0]!, look.isHidden);
        break;
      case 0x0855:
        look.isSpecial = operand[0] === 1;
        break;
      case 0x4a4f:
        look.font = operand.readUInt16LE(0);
        break;
      case 0x6a09:
        look.symbol = { font: operand.readUInt16LE(0), code: operand.readUInt16LE(2) };
        break;
      default:
    }
  });
}

/** 0 and 1 say it, 128 is what the style says, 129 its opposite (styles hide nothing here). */
function isOn(value: number, before: boolean): boolean {
  return value === 1 || value === 0x81 || (value === 0x80 && before);
}

/** Word has 63 columns. */
const cellsOfRowMax = 63;

function readRow(operand: Buffer, version: 6 | 8): RowShape | null {
  const count = Math.min(cellsOfRowMax, operand[0] ?? 0);
  if (operand.length < 1 + (count + 1) * 2) return null;
  const edges = Array.from({ length: count + 1 }, (_, at) => operand.readInt16LE(1 + at * 2));
  const start = 1 + (operand[0]! + 1) * 2;
  const cellBytes = version === 8 ? 20 : 10;
  const merges = Array.from({ length: count }, (_, at): CellMerge => {
    const place = start + at * cellBytes;
    const flags = place + 2 <= operand.length ? operand.readUInt16LE(place) : 0;
    const vertical = version === 8 ? (flags >> 5) & 3 : 0;
    // In Word 6 and 97 the second bit of a row's merge is that of the rest.
    return {
      isRestOfRow: (flags & 3) === 2,
      vertical: vertical === 1 ? 'continue' : vertical === 3 || vertical === 2 ? 'start' : null,
    };
  });
  return { edges, merges };
}

/** Looks by the place of characters in the file. */
export interface Runs {
  /** The operations of what stands at a place, and where the next begins; null where the file says nothing of it. */
  at(place: number): Run | null;
}

export type Run = { readonly end: number; readonly style: number; readonly operations: Buffer };

const pageBytes = 512;

/** The runs of paragraphs or of characters; pages are read when they are asked for, each once. */
export function readRuns(header: DocHeader, kind: 'paragraphs' | 'characters'): Runs {
  const table = header.table(kind === 'paragraphs' ? tableIndex.paragraphRuns : tableIndex.characterRuns);
  const numberBytes = header.version === 8 ? 4 : 2;
  const count = Math.max(0, Math.floor((table.length - 4) / (4 + numberBytes)));
  const edge = (index: number): number => table.readUInt32LE(index * 4);
  const pages = new Map<number, Buffer>();

  function pageOf(index: number): Buffer {
    const at = (count + 1) * 4 + index * numberBytes;
    const number = numberBytes === 4 ? table.readUInt32LE(at) & 0x3f_ffff : table.readUInt16LE(at);
    let page = pages.get(number);
    if (page === undefined) pages.set(number, (page = header.main.subarray(number * pageBytes, (number + 1) * pageBytes)));
    return page;
  }

  return {
    at(place) {
      let [low, high] = [0, count];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (edge(middle + 1) > place) high = middle;
        else low = middle + 1;
      }
      if (low >= count || edge(low) > place) return null;
      const found = runIn(pageOf(low), place, kind, header.version);
      return found === null ? { end: edge(low + 1), style: -1, operations: Buffer.alloc(0) } : found;
    },
  };
}

function runIn(page: Buffer, place: number, kind: 'paragraphs' | 'characters', version: 6 | 8): Run | null {
  const count = page.length === pageBytes ? page[pageBytes - 1]! : 0;
  const entryBytes = kind === 'characters' ? 1 : version === 8 ? 13 : 7;
  if ((count + 1) * 4 + count * entryBytes > pageBytes) return null;
  for (let index = 0; index < count; index++) {
    const end = page.readUInt32LE(index * 4 + 4);
    if (place >= end || place < page.readUInt32LE(index * 4)) continue;
    const at = page[(count + 1) * 4 + index * entryBytes]! * 2;
    if (at === 0) return { end, style: kind === 'paragraphs' ? 0 : -1, operations: Buffer.alloc(0) };
    return { end, ...(kind === 'characters' ? charactersAt(page, at) : paragraphAt(page, at, version)) };
  }
  return null;
}

function charactersAt(page: Buffer, at: number): Omit<Run, 'end'> {
  return { style: -1, operations: page.subarray(at + 1, at + 1 + page[at]!) };
}

function paragraphAt(page: Buffer, at: number, version: 6 | 8): Omit<Run, 'end'> {
  let start = at + 1;
  let bytes = page[at]! * 2 - 1;
  if (version === 8 && page[at] === 0) {
    start += 1;
    bytes = (page[at + 1] ?? 0) * 2;
  }
  const list = page.subarray(start, Math.max(start, Math.min(pageBytes - 1, start + bytes)));
  if (version === 6) return { style: list[0] ?? 0, operations: list.subarray(1) };
  return { style: list.length >= 2 ? list.readUInt16LE(0) : 0, operations: list.subarray(2) };
}

/** Operations that stand elsewhere because they are too many for a page (`sprmPHugePapx`); the same ones where they are not. */
export function inFull(operations: Buffer, { data, version }: DocHeader): Buffer {
  if (version !== 8) return operations;
  let full = operations;
  readOperations(operations, version, (code, operand) => {
    if (code !== 0x6646 && code !== 0x6645) return;
    const at = operand.readUInt32LE(0);
    if (at + 2 <= data.length) full = data.subarray(at + 2, at + 2 + data.readUInt16LE(at));
  });
  return full;
}
