/**
 * Cuts a sheet into the tables that a person sees on it: at empty rows, and at empty columns where both sides are tables of their
 * own (XY-cut); a label column is never cut from its values. Titles above a table become paragraphs.
 */
import type { BlockWriter } from '../block-writer.ts';
import { columnName, type SheetCells } from './sheet-grid.ts';

/** Rows (indexes of filled rows, each with a cell between the columns) of a part of the sheet. */
type Region = { readonly rows: Uint32Array; readonly left: number; readonly right: number };

const cutsMax = 8;
const lastColumn = 16_384;
/** A region this large and emptier than one cell in twenty is written cell by cell: as a table it would be mostly bars. */
const denseCellsMin = 20_000;
const densityMin = 0.05;

/** Writes the cells of one sheet, in order, as tables and paragraphs. */
export function writeRegions(cells: SheetCells, out: BlockWriter): void {
  const rows = Uint32Array.from({ length: cells.rowCount }, (_, row) => row);
  for (const region of cutRows(cells, { rows, left: 1, right: lastColumn }, 0)) writeRegion(cells, region, out);
}

function* cutRows(cells: SheetCells, region: Region, depth: number): Generator<Region> {
  const { rows } = region;
  let start = 0;
  for (let at = 1; at <= rows.length; at++) {
    if (at < rows.length && !isGap(cells, region, at, start)) continue;
    if (at > start) yield* cutColumns(cells, { ...region, rows: rows.subarray(start, at) }, depth);
    start = at;
  }
}

/** Single rows with one empty row between each are a table in wide spacing, not tables of one row. */
function isGap(cells: SheetCells, { rows, left, right }: Region, at: number, start: number): boolean {
  const distance = (index: number) => cells.numberOf(rows[index]!) - cells.numberOf(rows[index - 1]!);
  const isWide = (index: number) => {
    const { first, end } = cells.span(rows[index]!, left, right);
    return end - first > 1;
  };
  const gap = distance(at);
  if (gap <= 1) return false;
  const isSpaced = at + 1 >= rows.length || distance(at + 1) === 2;
  const isSpacedSoFar = at - 1 === start || distance(at - 1) === 2;
  return !(gap === 2 && isSpacedSoFar && isSpaced && isWide(at) && isWide(at - 1));
}

function* cutColumns(cells: SheetCells, region: Region, depth: number): Generator<Region> {
  const groups = depth < cutsMax ? columnGroups(cells, region) : [];
  if (groups.length > 1) {
    const rows = rowsOfGroups(cells, region, groups);
    for (const [at, { left, right }] of groups.entries()) yield* cutRows(cells, { rows: rows[at]!, left, right }, depth + 1);
    return;
  }
  const corner = depth < cutsMax ? cornerOf(cells, region) : null;
  if (corner === null) {
    yield region;
    return;
  }
  yield* cutColumns(cells, { ...region, rows: region.rows.subarray(0, corner) }, depth + 1);
  yield* cutColumns(cells, { ...region, rows: region.rows.subarray(corner) }, depth + 1);
}

/** First and last column of each group; a group of one column stays with its neighbour. */
function columnGroups(cells: SheetCells, region: Region): { left: number; right: number }[] {
  const groups: { left: number; right: number; width: number }[] = [];
  for (const column of usedColumns(cells, region)) {
    const group = groups.at(-1);
    if (group !== undefined && column === group.right + 1) {
      group.right = column;
      group.width++;
    } else groups.push({ left: column, right: column, width: 1 });
  }
  const joined: typeof groups = [];
  for (const group of groups) {
    const before = joined.at(-1);
    if (before !== undefined && (before.width === 1 || group.width === 1)) {
      before.right = group.right;
      before.width += group.width;
    } else joined.push(group);
  }
  return joined;
}

/** For each group the rows that have a cell in it; each cell is looked at once, however many groups there are. */
function rowsOfGroups(cells: SheetCells, region: Region, groups: readonly { left: number; right: number }[]): Uint32Array[] {
  const groupOf = new Uint16Array(lastColumn + 1);
  for (const [at, { left, right }] of groups.entries()) groupOf.fill(at, left, right + 1);
  const rows = groups.map((): number[] => []);
  for (const row of region.rows) {
    const { first, end } = cells.span(row, region.left, region.right);
    for (let cell = first; cell < end; cell++) {
      const own = rows[groupOf[cells.column(cell)]!]!;
      if (own.at(-1) !== row) own.push(row);
    }
  }
  return rows.map((each) => Uint32Array.from(each));
}

/** Where two tables touch only at their corners: the row at which the second begins; null when there is no such place. */
function cornerOf(cells: SheetCells, { rows, left, right }: Region): number | null {
  const firsts = new Uint16Array(rows.length);
  const lasts = new Uint16Array(rows.length);
  let [first, last] = [lastColumn, 0];
  for (let at = rows.length - 1; at >= 0; at--) {
    const span = cells.span(rows[at]!, left, right);
    first = firsts[at] = Math.min(first, cells.column(span.first));
    last = lasts[at] = Math.max(last, cells.column(span.end - 1));
  }
  [first, last] = [lastColumn, 0];
  for (let at = 0; at < rows.length - 2; at++) {
    const span = cells.span(rows[at]!, left, right);
    first = Math.min(first, cells.column(span.first));
    last = Math.max(last, cells.column(span.end - 1));
    const [nextFirst, nextLast] = [firsts[at + 1]!, lasts[at + 1]!];
    const areTables = at >= 1 && last > first && nextLast > nextFirst;
    if (areTables && (last < nextFirst || first > nextLast)) return at + 1;
  }
  return null;
}

function usedColumns(cells: SheetCells, { rows, left, right }: Region): number[] {
  const used = new Set<number>();
  for (const row of rows) {
    const { first, end } = cells.span(row, left, right);
    for (let cell = first; cell < end; cell++) used.add(cells.column(cell));
  }
  return [...used].sort((a, b) => a - b);
}

function writeRegion(cells: SheetCells, region: Region, out: BlockWriter): void {
  const { rows, left, right } = region;
  const columns = usedColumns(cells, region);
  const area = rows.length * columns.length;
  if (area > denseCellsMin && cellCount(cells, region) < area * densityMin) {
    writeSparse(cells, region, out);
    return;
  }
  let titles = 0;
  if (columns.length > 1) while (titles < rows.length && isTitle(cells, region, titles)) titles++;
  for (const row of rows.subarray(0, titles)) out.paragraph(cells.text(cells.span(row, left, right).first));
  const body: Region = { rows: rows.subarray(titles), left, right };
  if (body.rows.length === 0) return;
  const used = titles === 0 ? columns : usedColumns(cells, body);
  if (body.rows.length === 1 && used.length === 1) out.paragraph(cells.text(cells.span(body.rows[0]!, left, right).first));
  else out.table(tableRows(cells, body, used), used.length);
}

function cellCount(cells: SheetCells, { rows, left, right }: Region): number {
  let count = 0;
  for (const row of rows) {
    const { first, end } = cells.span(row, left, right);
    count += end - first;
  }
  return count;
}

/** One text alone in its row, or merged over it. */
function isTitle(cells: SheetCells, { rows, left, right }: Region, at: number): boolean {
  const { first, end } = cells.span(rows[at]!, left, right);
  for (let cell = first + 1; cell < end; cell++) if (!cells.isRepeat(cell)) return false;
  return !cells.isRepeat(first);
}

function* tableRows(cells: SheetCells, { rows, left, right }: Region, columns: readonly number[]): Generator<string[]> {
  const places = new Map(columns.map((column, at) => [column, at]));
  for (const row of rows) {
    const texts: string[] = Array.from({ length: columns.length }, () => '');
    const { first, end } = cells.span(row, left, right);
    for (let cell = first; cell < end; cell++) texts[places.get(cells.column(cell))!] = cells.text(cell);
    yield texts;
  }
}

function writeSparse(cells: SheetCells, { rows, left, right }: Region, out: BlockWriter): void {
  for (const row of rows) {
    const { first, end } = cells.span(row, left, right);
    const texts: string[] = [];
    for (let cell = first; cell < end; cell++)
      texts.push(`${columnName(cells.column(cell))}${cells.numberOf(row)}: ${cells.text(cell)}`);
    out.item({ text: texts.join('; '), level: 0, label: null, list: 'cells' });
  }
  out.flush();
}
