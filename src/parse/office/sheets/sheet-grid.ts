/**
 * The filled cells of one sheet, by content and not by dimension: a cell in the last column costs what a cell in the first does.
 * Kept in flat arrays, since a million rows as objects took a gigabyte (measured); a cell here takes 15 bytes and its text.
 */
import { linkText } from '../../markdown/link.ts';
import type { Repeats } from '../../repeats.ts';

export type Merge = { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number };

/** Where a cell leads; 1-based as in the sheet. */
export type CellLink = { readonly row: number; readonly column: number; readonly target: string };

/** Links of one sheet that are kept; others have their text alone. */
export const linksMax = 100_000;

/** Cells in order of rows and columns; rows and columns are 1-based as in the sheet, `row` in arguments is an index into the filled rows. */
export interface SheetCells {
  /** How many rows hold something. */
  readonly rowCount: number;
  readonly cellCount: number;
  /** The sheet's number of a filled row. */
  numberOf(row: number): number;
  /** The cells of a row between two columns, both included: from `first` up to, but not with, `end`. */
  span(row: number, left: number, right: number): { first: number; end: number };
  column(cell: number): number;
  text(cell: number): string;
  /** True where the cell only repeats the text of a merged one. */
  isRepeat(cell: number): boolean;
}

export interface SheetGrid {
  /** Empty text is not kept; of two texts for one cell the later one is. */
  set(row: number, column: number, text: string): void;
  /**
   * All cells, each merged one's text repeated over its range within the rows and columns that hold something, and where a cell leads behind
   * its own text, once. Call once, at the end.
   */
  finish(merges: readonly Merge[], repeats: Repeats, links?: readonly CellLink[]): SheetCells;
}

/** Repeats that are written at most; merges over whole columns are there for looks. */
const repeatsMax = 100_000;

export function createSheetGrid(): SheetGrid {
  const store = createStore();
  return {
    set(row, column, text) {
      if (text.trim() !== '') store.add(row, column, text, false);
    },
    finish(merges, repeats, links = []) {
      let cells = store.index();
      if (merges.length > 0 && cells.rowCount > 0) {
        repeatMerged(cells, merges, (row, column, text) => store.add(row, column, repeats.again(text), true));
        cells = store.index();
      }
      const linked = new Set<number>();
      const shown = new Set<string>();
      for (const link of links) {
        const cell = cellAt(cells, link);
        if (cell === null || linked.has(cell)) continue;
        linked.add(cell);
        // A hundred thousand cells may lead to the one long address that a file has.
        if (shown.has(link.target) && repeats.again(link.target) !== link.target) continue;
        shown.add(link.target);
        store.rewrite(cell, linkText(cells.text(cell), link.target));
      }
      return cells;
    },
  };
}

type Store = {
  add(row: number, column: number, text: string, isRepeat: boolean): void;
  index(): SheetCells;
  /** Of a cell as `index` numbered it, and in what that gave. */
  rewrite(cell: number, text: string): void;
};

function cellAt(cells: SheetCells, { row, column }: CellLink): number | null {
  const at = lowest(0, cells.rowCount, (index) => cells.numberOf(index) >= row);
  if (at >= cells.rowCount || cells.numberOf(at) !== row) return null;
  const { first, end } = cells.span(at, column, column);
  return first < end ? first : null;
}

function createStore(): Store {
  let rows = new Int32Array(1024);
  let columns = new Uint16Array(1024);
  let repeats = new Uint8Array(1024);
  let texts: string[] = [];
  let isOrdered = true;

  function grow(): void {
    const size = rows.length * 2;
    const [oldRows, oldColumns, oldRepeats] = [rows, columns, repeats];
    (rows = new Int32Array(size)).set(oldRows);
    (columns = new Uint16Array(size)).set(oldColumns);
    (repeats = new Uint8Array(size)).set(oldRepeats);
  }

  /** In order, and of cells at one place the last. */
  function order(): void {
    const later = (a: number, b: number) => rows[a]! - rows[b]! || columns[a]! - columns[b]! || a - b;
    const sorted = Uint32Array.from(texts.keys()).sort(later);
    const isLast = (cell: number, at: number) => {
      const next = sorted[at + 1];
      return next === undefined || rows[next] !== rows[cell] || columns[next] !== columns[cell];
    };
    const kept = sorted.filter(isLast);
    rows = Int32Array.from(kept, (cell) => rows[cell]!);
    columns = Uint16Array.from(kept, (cell) => columns[cell]!);
    repeats = Uint8Array.from(kept, (cell) => repeats[cell]!);
    texts = Array.from(kept, (cell) => texts[cell]!);
    isOrdered = true;
  }

  return {
    add(row, column, text, isRepeat) {
      const at = texts.length;
      if (at >= rows.length) grow();
      if (at > 0 && (row < rows[at - 1]! || (row === rows[at - 1] && column <= columns[at - 1]!))) isOrdered = false;
      rows[at] = row;
      columns[at] = column;
      repeats[at] = isRepeat ? 1 : 0;
      texts.push(text);
    },
    index() {
      if (!isOrdered) order();
      return indexed(rows, columns, repeats, texts);
    },
    rewrite(cell, text) {
      texts[cell] = text;
    },
  };
}

function indexed(rows: Int32Array, columns: Uint16Array, repeats: Uint8Array, texts: readonly string[]): SheetCells {
  const count = texts.length;
  let rowCount = 0;
  for (let at = 0; at < count; at++) if (at === 0 || rows[at] !== rows[at - 1]) rowCount++;
  const starts = new Uint32Array(rowCount + 1);
  for (let at = 0, row = 0; at < count; at++) if (at === 0 || rows[at] !== rows[at - 1]) starts[row++] = at;
  starts[rowCount] = count;
  return {
    rowCount,
    cellCount: count,
    numberOf: (row) => rows[starts[row]!]!,
    span(row, left, right) {
      const [from, to] = [starts[row]!, starts[row + 1]!];
      return { first: lowest(from, to, (at) => columns[at]! >= left), end: lowest(from, to, (at) => columns[at]! > right) };
    },
    column: (cell) => columns[cell]!,
    text: (cell) => texts[cell]!,
    isRepeat: (cell) => repeats[cell] === 1,
  };
}

/** The least number of `from` … `to` for which `holds`, where it goes on to hold for all greater ones; `to` when for none. */
function lowest(from: number, to: number, holds: (at: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function repeatMerged(cells: SheetCells, merges: readonly Merge[], add: (row: number, column: number, text: string) => void): void {
  let edge = 0;
  for (let row = 0; row < cells.rowCount; row++) edge = Math.max(edge, cells.column(cells.span(row, 1, 0xffff).end - 1));
  /** Ranges that lie over one another, or over other cells, are looked at no further than honest ones: those cover each place once. */
  let placesLeft = repeatsMax + 2 * cells.cellCount;
  for (const { top, left, bottom, right } of merges) {
    const source = lowest(0, cells.rowCount, (row) => cells.numberOf(row) >= top);
    if (source >= cells.rowCount || cells.numberOf(source) !== top) continue;
    const { first, end } = cells.span(source, left, left);
    if (first === end) continue;
    const text = cells.text(first);
    for (let row = source; row < cells.rowCount && cells.numberOf(row) <= bottom; row++) {
      for (let column = left; column <= Math.min(right, edge); column++) {
        if (--placesLeft < 0) return;
        const there = cells.span(row, column, column);
        if (there.first < there.end) continue;
        add(cells.numberOf(row), column, text);
      }
    }
  }
}

/** `B12` → column 2, row 12; null for anything else, and past the last cell of a sheet (XFD1048576). */
export function cellPlace(reference: string): { row: number; column: number } | null {
  const [, letters, digits] = /^\$?([A-Z]{1,3})\$?(\d{1,7})$/i.exec(reference) ?? [];
  if (letters === undefined || digits === undefined) return null;
  let column = 0;
  for (const letter of letters.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  const row = Number(digits);
  return column <= 16_384 && row >= 1 && row <= 1_048_576 ? { row, column } : null;
}

/** 28 → `AB`. */
export function columnName(column: number): string {
  return column <= 26
    ? String.fromCharCode(64 + column)
    : columnName(Math.floor((column - 1) / 26)) + String.fromCharCode(65 + ((column - 1) % 26));
}
