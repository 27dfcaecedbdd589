/**
 * Cuts a sheet into the tables that a person sees on it: at empty rows, and at empty columns where both sides are tables of their
 * own (XY-cut); a label column is never cut from its values. Titles above a table become paragraphs.
 */
import type { BlockWriter } from './block-writer.ts';
import { columnName, type GridRow } from './sheet-grid.ts';

const cutsMax = 8;
/** A region this large and emptier than one cell in twenty is written cell by cell: as a table it would be mostly bars. */
const denseCellsMin = 20_000;
const densityMin = 0.05;

/** Writes the rows of one sheet (consumed in order) as tables and paragraphs. */
export function writeRegions(rows: readonly GridRow[], out: BlockWriter): void {
  for (const region of cutRows(rows, 0)) writeRegion(region, out);
}

function* cutRows(rows: readonly GridRow[], depth: number): Generator<readonly GridRow[]> {
  let start = 0;
  for (let at = 1; at <= rows.length; at++) {
    if (at < rows.length && !isGap(rows, at, start)) continue;
    yield* cutColumns(rows.slice(start, at), depth);
    start = at;
  }
}

/** Single rows with one empty row between each are a table in wide spacing, not tables of one row. */
function isGap(rows: readonly GridRow[], at: number, start: number): boolean {
  const gap = rows[at]!.number - rows[at - 1]!.number;
  if (gap <= 1) return false;
  const isSpaced = (index: number) => index + 1 >= rows.length || rows[index + 1]!.number - rows[index]!.number === 2;
  const isSoFar = at - 1 === start || rows[at - 1]!.number - rows[at - 2]!.number === 2;
  return !(gap === 2 && isSoFar && isSpaced(at) && rows[at]!.columns.length > 1 && rows[at - 1]!.columns.length > 1);
}

function* cutColumns(rows: readonly GridRow[], depth: number): Generator<readonly GridRow[]> {
  const groups = depth < cutsMax ? columnGroups(rows) : [];
  if (groups.length < 2) {
    const corner = depth < cutsMax ? cornerOf(rows) : null;
    if (corner === null) yield rows;
    else {
      yield* cutColumns(rows.slice(0, corner), depth + 1);
      yield* cutColumns(rows.slice(corner), depth + 1);
    }
    return;
  }
  for (const [first, last] of groups) {
    const part = rows.map((row) => within(row, first, last)).filter((row) => row.columns.length > 0);
    yield* cutRows(part, depth + 1);
  }
}

/** First and last column of each group; a group of one column stays with its neighbour. */
function columnGroups(rows: readonly GridRow[]): [number, number][] {
  const used = usedColumns(rows);
  const groups: { first: number; last: number; width: number }[] = [];
  for (const column of used) {
    const group = groups.at(-1);
    if (group !== undefined && column === group.last + 1) {
      group.last = column;
      group.width++;
    } else groups.push({ first: column, last: column, width: 1 });
  }
  const joined: typeof groups = [];
  for (const group of groups) {
    const before = joined.at(-1);
    if (before !== undefined && (before.width === 1 || group.width === 1)) {
      before.last = group.last;
      before.width += group.width;
    } else joined.push(group);
  }
  return joined.map(({ first, last }) => [first, last]);
}

/** Where two tables touch only at their corners: the row at which the second begins; null when there is no such place. */
function cornerOf(rows: readonly GridRow[]): number | null {
  const below: { first: number; last: number }[] = [];
  let range = { first: Infinity, last: 0 };
  for (const row of rows.toReversed()) {
    range = { first: Math.min(range.first, row.columns[0]!), last: Math.max(range.last, row.columns.at(-1)!) };
    below.push(range);
  }
  below.reverse();
  range = { first: Infinity, last: 0 };
  for (let at = 0; at < rows.length - 2; at++) {
    range = { first: Math.min(range.first, rows[at]!.columns[0]!), last: Math.max(range.last, rows[at]!.columns.at(-1)!) };
    const next = below[at + 1]!;
    const areTables = at >= 1 && range.last > range.first && next.last > next.first;
    if (areTables && (range.last < next.first || range.first > next.last)) return at + 1;
  }
  return null;
}

function usedColumns(rows: readonly GridRow[]): number[] {
  const used = new Set<number>();
  for (const row of rows) for (const column of row.columns) used.add(column);
  return [...used].sort((a, b) => a - b);
}

function within(row: GridRow, first: number, last: number): GridRow {
  const from = row.columns.findIndex((column) => column >= first);
  const start = from === -1 ? row.columns.length : from;
  let end = start;
  while (end < row.columns.length && row.columns[end]! <= last) end++;
  return { ...row, columns: row.columns.slice(start, end), texts: row.texts.slice(start, end) };
}

function writeRegion(rows: readonly GridRow[], out: BlockWriter): void {
  const columns = usedColumns(rows);
  const cells = rows.reduce((sum, row) => sum + row.columns.length, 0);
  const area = rows.length * columns.length;
  if (area > denseCellsMin && cells < area * densityMin) {
    writeSparse(rows, out);
    return;
  }
  let titles = 0;
  if (columns.length > 1) while (titles < rows.length && isTitle(rows[titles]!)) titles++;
  for (const row of rows.slice(0, titles)) out.paragraph(row.texts[0] ?? '');
  const body = rows.slice(titles);
  if (body.length === 1 && body[0]!.columns.length === 1) out.paragraph(body[0]!.texts[0] ?? '');
  else if (body.length > 0) {
    const used = titles === 0 ? columns : usedColumns(body);
    out.table(tableRows(body, used), used.length);
  }
}

/** One text alone in its row, or merged over it. */
function isTitle(row: GridRow): boolean {
  return row.columns.length - (row.repeated === null ? 0 : row.columns.filter((column) => row.repeated!.has(column)).length) === 1;
}

function* tableRows(rows: readonly GridRow[], columns: readonly number[]): Generator<string[]> {
  const places = new Map(columns.map((column, at) => [column, at]));
  for (const row of rows) {
    const texts: string[] = Array.from({ length: columns.length }, () => '');
    row.columns.forEach((column, at) => {
      texts[places.get(column)!] = row.texts[at]!;
    });
    yield texts;
  }
}

function writeSparse(rows: readonly GridRow[], out: BlockWriter): void {
  for (const row of rows) {
    out.item({
      text: row.columns.map((column, at) => `${columnName(column)}${row.number}: ${row.texts[at]!}`).join('; '),
      level: 0,
      label: null,
      list: 'cells',
    });
  }
  out.flush();
}
