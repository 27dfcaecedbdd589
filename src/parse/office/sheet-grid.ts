/** The filled cells of one sheet, by content and not by dimension: a cell in the last column costs what a cell in the first does. */

export type GridRow = {
  /** 1-based, as in the sheet. */ readonly number: number;
  /** 1-based columns, ascending. */ readonly columns: number[];
  readonly texts: string[];
  /** Of `columns`, those that only repeat a merged cell. */ readonly repeated: Set<number> | null;
};

export type Merge = { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number };

export interface SheetGrid {
  /** Empty text is not kept. */
  set(row: number, column: number, text: string): void;
  /** Repeats each merged cell's text over its range, within the rows and columns that hold something. */
  merge(merges: readonly Merge[]): void;
  /** In order. */
  rows(): GridRow[];
}

/** Repeats that are written at most; merges over whole columns are there for looks. */
const repeatsMax = 100_000;

export function createSheetGrid(): SheetGrid {
  const rows = new Map<number, { columns: number[]; texts: string[]; repeated: Set<number> | null; isOrdered: boolean }>();
  let lastColumn = 0;

  function add(row: number, column: number, text: string, isRepeat: boolean): void {
    let line = rows.get(row);
    if (line === undefined) rows.set(row, (line = { columns: [], texts: [], repeated: null, isOrdered: true }));
    if (column <= (line.columns.at(-1) ?? 0)) line.isOrdered = false;
    line.columns.push(column);
    line.texts.push(text);
    if (isRepeat) (line.repeated ??= new Set()).add(column);
    if (column > lastColumn) lastColumn = column;
  }

  return {
    set(row, column, text) {
      if (text.trim() !== '') add(row, column, text, false);
    },
    merge(merges) {
      const numbers = [...rows.keys()].sort((a, b) => a - b);
      const edge = lastColumn;
      let repeats = 0;
      for (const { top, left, bottom, right } of merges) {
        const source = rows.get(top);
        const at = source?.columns.indexOf(left) ?? -1;
        if (source === undefined || at === -1) continue;
        const text = source.texts[at]!;
        for (const number of numbersBetween(numbers, top, bottom)) {
          for (let column = left; column <= Math.min(right, edge); column++) {
            if (number === top && column === left) continue;
            if (++repeats > repeatsMax) return;
            if (rows.get(number)?.columns.includes(column) !== true) add(number, column, text, true);
          }
        }
      }
    },
    rows: () =>
      [...rows]
        .sort(([a], [b]) => a - b)
        .map(([number, { isOrdered, ...line }]) => (isOrdered ? { number, ...line } : ordered(number, line))),
  };
}

function* numbersBetween(numbers: readonly number[], top: number, bottom: number): Generator<number> {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < top) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < numbers.length && numbers[at]! <= bottom; at++) yield numbers[at]!;
}

/** Sorted; of two cells at one place the later one. */
function ordered(number: number, line: Omit<GridRow, 'number'>): GridRow {
  const texts = new Map(line.columns.map((column, at) => [column, line.texts[at]!]));
  const columns = [...texts.keys()].sort((a, b) => a - b);
  return { number, columns, texts: columns.map((column) => texts.get(column)!), repeated: line.repeated };
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
