/**
 * Tables that are drawn: a grid of ruling lines gives cells, and a stack of horizontal lines of one width (as in books) gives a
 * region whose columns are where white space runs down. What does not make a convincing table is left as text.
 */
import type { Rule } from './page-rules.ts';
import type { Frame, Span } from './page-spans.ts';
import { lineOf, rowsOf, type Row } from './reading-order.ts';

/** A table and where it stands in its frame. */
export type FoundTable = {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly rows: readonly (readonly string[])[];
  /** Of its type. */
  readonly size: number;
};

/** Points within which lines count as touching, or as one. */
const near = 3;
/** A page with more lines than these is a drawing. */
const linesMax = 1500;

/** The tables of a frame, and the spans that belong to none. Cost: lines², bounded by `linesMax`. */
export function takeRuledTables(frame: Frame): { tables: FoundTable[]; rest: readonly Span[] } {
  const across = mergeLines(frame.rules.filter((rule) => rule.x2 - rule.x1 > rule.y2 - rule.y1).map(acrossLine));
  const down = mergeLines(frame.rules.filter((rule) => rule.x2 - rule.x1 <= rule.y2 - rule.y1).map(downLine));
  if (across.length + down.length > linesMax || across.length < 2) return { tables: [], rest: frame.spans };
  const tables: FoundTable[] = [];
  let rest = frame.spans;
  const used = new Set<Line>();
  const take = (found: { table: FoundTable; spans: ReadonlySet<Span> } | undefined) => {
    if (found === undefined) return false;
    tables.push(found.table);
    rest = rest.filter((span) => !found.spans.has(span));
    return true;
  };
  for (const grid of gridsOf(across, down)) {
    if (take(tableOfGrid(grid, rest))) for (const line of grid.across) used.add(line);
  }
  for (const stack of stacksOf(across.filter((line) => !used.has(line)))) {
    if (!tables.some((table) => table.top < stack.at(-1)!.at && table.bottom > stack[0]!.at && overlaps(table, stack[0]!))) {
      take(tableOfStack(stack, rest));
    }
  }
  return { tables, rest };
}

function overlaps(table: FoundTable, line: Line): boolean {
  return table.left < line.to && table.right > line.from;
}

/* Lines. */

/** A line at `at` across the other axis, running `from`–`to`. */
type Line = { readonly at: number; readonly from: number; readonly to: number };

function acrossLine(rule: Rule): Line {
  return { at: (rule.y1 + rule.y2) / 2, from: rule.x1, to: rule.x2 };
}

function downLine(rule: Rule): Line {
  return { at: (rule.x1 + rule.x2) / 2, from: rule.y1, to: rule.y2 };
}

/** Pieces of one line, drawn cell by cell or twice, become one. */
function mergeLines(lines: readonly Line[]): Line[] {
  const merged: Line[] = [];
  for (const line of [...lines].sort((one, other) => one.at - other.at || one.from - other.from)) {
    const index = lastTouching(merged, line);
    if (index === -1) merged.push(line);
    else {
      const each = merged[index]!;
      merged[index] = { at: each.at, from: Math.min(each.from, line.from), to: Math.max(each.to, line.to) };
    }
  }
  return merged;
}

/** Of lines in order of `at`, the last that `line` goes on with; -1 for none. */
function lastTouching(merged: readonly Line[], line: Line): number {
  for (let index = merged.length - 1; index >= 0; index--) {
    const each = merged[index]!;
    if (each.at < line.at - 1.5) return -1;
    if (line.from <= each.to + near && line.to >= each.from - near) return index;
  }
  return -1;
}

/* Grids. */

type Grid = { readonly across: Line[]; readonly down: Line[] };

/** Lines that touch each other, in groups with at least two across and one down. */
function gridsOf(across: readonly Line[], down: readonly Line[]): Grid[] {
  const groups = new Map<Line, Grid>();
  for (const line of across) groups.set(line, { across: [line], down: [] });
  for (const upright of down) {
    let grid: Grid | undefined;
    for (const line of across) {
      if (!touch(line, upright)) continue;
      const other = groups.get(line)!;
      if (grid === undefined) grid = other;
      else if (other !== grid) {
        grid.across.push(...other.across);
        grid.down.push(...other.down);
        for (const moved of other.across) groups.set(moved, grid);
      }
    }
    grid?.down.push(upright);
  }
  return [...new Set(groups.values())].filter((grid) => grid.across.length >= 2 && grid.down.length >= 1);
}

function touch(across: Line, down: Line): boolean {
  return (
    down.at >= across.from - near && down.at <= across.to + near && across.at >= down.from - near && across.at <= down.to + near
  );
}

/** Distinct positions, and the ends of the lines that cross them where no line closes the table. */
function stopsOf(lines: readonly Line[], crossing: readonly Line[]): number[] {
  const stops: number[] = [];
  for (const at of lines.map((line) => line.at).sort((one, other) => one - other)) {
    if (stops.length === 0 || at - stops.at(-1)! > near) stops.push(at);
  }
  const first = Math.min(...crossing.map((line) => line.from));
  const last = Math.max(...crossing.map((line) => line.to));
  if (first < stops[0]! - 8) stops.unshift(first);
  if (last > stops.at(-1)! + 8) stops.push(last);
  return stops;
}

type Cell = { readonly lines: readonly string[]; readonly baselines: readonly number[] };

function tableOfGrid(grid: Grid, spans: readonly Span[]): { table: FoundTable; spans: ReadonlySet<Span> } | undefined {
  const xs = stopsOf(grid.down, grid.across);
  const ys = stopsOf(grid.across, grid.down);
  const [columns, rows] = [xs.length - 1, ys.length - 1];
  if (columns < 2 || rows < 2 || columns > 60 || rows > 400) return undefined;
  const inside = spansInside(spans, xs[0]!, ys[0]!, xs.at(-1)!, ys.at(-1)!);
  const owner = ownersOf(grid, xs, ys);
  const contents = new Map<number, Span[]>();
  for (const span of inside) {
    const column = slotOf(xs, (span.left + span.right) / 2);
    const row = slotOf(ys, span.baseline - span.size * 0.3);
    const cell = owner[row * columns + column]!;
    const some = contents.get(cell);
    if (some === undefined) contents.set(cell, [span]);
    else some.push(span);
  }
  const cells = Array.from({ length: rows * columns }, (_, index) => cellOf(contents.get(index) ?? []));
  const sizes = new Map<number, number>();
  for (const cell of owner) sizes.set(cell, (sizes.get(cell) ?? 0) + 1);
  if (!isTable(cells, columns, sizes.size) || isMostlyMono(inside)) return undefined;
  // A merged cell's text stands in its first place only: said again in each, it would be found again in each.
  const texts = Array.from({ length: rows }, (_, row) => {
    const owners = owner.slice(row * columns, (row + 1) * columns);
    const alone = owners.every((cell) => sizes.get(cell) === 1);
    const own = cells.slice(row * columns, (row + 1) * columns);
    return alone ? splitRow(own) : [own.map((cell) => joinCell(cell.lines))];
  });
  return {
    table: {
      left: xs[0]!,
      right: xs.at(-1)!,
      top: ys[0]!,
      bottom: ys.at(-1)!,
      rows: inReadingOrder(withoutEmpty(texts.flat()), inside),
      size: sizeOf(inside),
    },
    spans: new Set(inside),
  };
}

/** The first column of a right-to-left table is its rightmost. */
function inReadingOrder(rows: readonly (readonly string[])[], spans: readonly Span[]): readonly (readonly string[])[] {
  return spans.filter((span) => span.rightToLeft).length * 2 > spans.length ? rows.map((row) => [...row].reverse()) : rows;
}

function sizeOf(spans: readonly Span[]): number {
  return spans.map((span) => span.size).sort((one, other) => one - other)[Math.floor(spans.length / 2)]!;
}

/** Code in a box. */
function isMostlyMono(spans: readonly Span[]): boolean {
  return spans.filter((span) => span.mono).length * 2 > spans.length;
}

function spansInside(spans: readonly Span[], left: number, top: number, right: number, bottom: number): Span[] {
  return spans.filter((span) => {
    const x = (span.left + span.right) / 2;
    const y = span.baseline - span.size * 0.3;
    return x > left && x < right && y > top && y < bottom;
  });
}

function slotOf(stops: readonly number[], at: number): number {
  let slot = 0;
  while (slot < stops.length - 2 && at >= stops[slot + 1]!) slot++;
  return slot;
}

/** For each cell of the plain grid, the first cell of the merged one that it belongs to. */
function ownersOf(grid: Grid, xs: readonly number[], ys: readonly number[]): number[] {
  const [columns, rows] = [xs.length - 1, ys.length - 1];
  const owner = Array.from({ length: columns * rows }, (_, index) => index);
  const find = (index: number): number => (owner[index] === index ? index : find(owner[index]!));
  const join = (one: number, other: number) => {
    const [a, b] = [find(one), find(other)];
    owner[Math.max(a, b)] = Math.min(a, b);
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = (xs[column]! + xs[column + 1]!) / 2;
      const y = (ys[row]! + ys[row + 1]!) / 2;
      const index = row * columns + column;
      if (column + 1 < columns && !hasLine(grid.down, xs[column + 1]!, y)) join(index, index + 1);
      if (row + 1 < rows && !hasLine(grid.across, ys[row + 1]!, x)) join(index, index + columns);
    }
  }
  return owner.map((_, index) => find(index));
}

function hasLine(lines: readonly Line[], at: number, through: number): boolean {
  return lines.some((line) => Math.abs(line.at - at) <= near && line.from <= through && line.to >= through);
}

function cellOf(spans: readonly Span[]): Cell {
  const rows = rowsOf(spans);
  return { lines: rows.map((row) => lineOf(row).text), baselines: rows.map((row) => row.baseline) };
}

/** Enough cells with something in them, and none with an essay. */
function isTable(cells: readonly Cell[], columns: number, cellCount: number): boolean {
  const lengths = cells.map((cell) => cell.lines.reduce((sum, line) => sum + line.length, 0));
  const filled = lengths.filter((length) => length > 0).length;
  const rowsFilled = new Set(lengths.flatMap((length, index) => (length > 0 ? [Math.floor(index / columns)] : []))).size;
  const all = lengths.reduce((sum, length) => sum + length, 0);
  const columnsFilled = new Set(lengths.flatMap((length, index) => (length > 0 ? [index % columns] : []))).size;
  if (filled < 3 || rowsFilled < 2 || columnsFilled < 2 || cellCount < 4) return false;
  // Boxes of a drawing make a grid too, but one of odd sizes, mostly empty.
  if (cellCount < cells.length * 0.5 || filled < cellCount * (cellCount < 12 ? 0.6 : 0.4)) return false;
  return all / filled < 350 && Math.max(...lengths) < 2500;
}

/** A drawn row may hold several rows of text, each with its own baseline in most of its cells: columns of short entries. */
function splitRow(row: readonly Cell[]): string[][] {
  const counts = row.map((cell) => cell.lines.length);
  const most = Math.max(...counts);
  const full = row.filter((cell) => cell.lines.length === most);
  const filled = counts.filter((count) => count > 0).length;
  const rest = row.filter((cell) => cell.lines.length > 0 && cell.lines.length < most);
  const aligned = full.every((cell) => cell.baselines.every((at, index) => Math.abs(at - full[0]!.baselines[index]!) < 2));
  const short = full.every((cell) => cell.lines.every((line) => line.length <= 24));
  if (
    most >= 2 &&
    full.length >= 3 &&
    full.length >= filled * 0.6 &&
    aligned &&
    short &&
    rest.every((cell) => cell.lines.length === 1)
  ) {
    return Array.from({ length: most }, (_, index) =>
      row.map((cell) => (cell.lines.length === most ? cell.lines[index]! : index === 0 ? (cell.lines[0] ?? '') : '')),
    );
  }
  return [row.map((cell) => joinCell(cell.lines))];
}

/** Lines of a cell: as lines of a paragraph, without mending of hyphens, which in cells are often part of a name. */
function joinCell(lines: readonly string[]): string {
  return lines.reduce((text, line) => {
    const wide = /[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]$/.test(text) && /^[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef]/.test(line);
    return text === '' || wide ? text + line : `${text} ${line}`;
  }, '');
}

/** Rows and columns in which nothing stands say nothing. */
function withoutEmpty(rows: readonly (readonly string[])[]): string[][] {
  const filled = rows.filter((row) => row.some((cell) => cell !== ''));
  const columns = filled[0]!.map((_, column) => filled.some((row) => row[column] !== ''));
  return filled.map((row) => row.filter((_, column) => columns[column]));
}

/* Stacks of horizontal lines. */

/** Lines of the same extent, one under the other, at least two. */
function stacksOf(across: readonly Line[]): Line[][] {
  const stacks: Line[][] = [];
  for (const line of [...across].sort((one, other) => one.at - other.at)) {
    if (line.to - line.from < 60) continue;
    const stack = stacks.find(
      (each) =>
        Math.abs(each[0]!.from - line.from) <= 5 && Math.abs(each[0]!.to - line.to) <= 5 && line.at - each.at(-1)!.at > near,
    );
    if (stack === undefined) stacks.push([line]);
    else stack.push(line);
  }
  return stacks.filter((stack) => stack.length >= 2);
}

function tableOfStack(stack: readonly Line[], spans: readonly Span[]): { table: FoundTable; spans: ReadonlySet<Span> } | undefined {
  const { from, to, at } = stack[0]!;
  const bottom = stack.at(-1)!.at;
  const inside = spansInside(spans, from - near, at, to + near, bottom);
  const rows = rowsOf(inside);
  if (rows.length < 2 || rows.length > 400) return undefined;
  const columns = gapsIn(rows, 0.45);
  if (columns.length < 1) return undefined;
  const cells = rows.map((row) => cellsAt(row, columns));
  if (!isConvincing(cells, rows) || isMostlyMono(inside)) return undefined;
  return {
    table: {
      left: from,
      right: to,
      top: at,
      bottom,
      rows: inReadingOrder(withoutEmpty(joinRows(cells, rows, stack)), inside),
      size: sizeOf(inside),
    },
    spans: new Set(inside),
  };
}

/** At least two rows fill two cells, most rows do, and cells are not lines of prose. */
function isConvincing(cells: readonly (readonly string[])[], rows: readonly Row[]): boolean {
  const several = cells.filter((row) => row.filter((cell) => cell !== '').length >= 2).length;
  if (several < 2 || several < rows.length * 0.5) return false;
  const lengths = cells
    .flat()
    .filter((cell) => cell !== '')
    .map((cell) => cell.length);
  if (lengths.length < cells.flat().length * 0.5) return false;
  lengths.sort((one, other) => one - other);
  return lengths[Math.floor(lengths.length / 2)]! <= 45;
}

/**
 * The x positions that cut the rows into columns: where white space runs down through at least nine rows of ten.
 * @param widthMin of a gap, in sizes of type
 */
export function gapsIn(rows: readonly Row[], widthMin: number): number[] {
  const words = rows.map((row) => row.spans.flatMap((span) => span.words));
  const left = Math.floor(Math.min(...words.flat().map((word) => word.left)));
  const right = Math.ceil(Math.max(...words.flat().map((word) => word.right)));
  const covered = new Uint16Array(Math.max(1, Math.min(5000, right - left + 1)));
  for (const row of words) {
    let reached = -1;
    for (const word of row) {
      const start = Math.max(reached + 1, Math.floor(word.left) - left);
      const end = Math.min(covered.length - 1, Math.ceil(word.right) - left - 1);
      for (let x = start; x <= end; x++) covered[x]!++;
      reached = Math.max(reached, end);
    }
  }
  const crossingsMax = Math.floor(rows.length * 0.1);
  const size = rows.map((row) => row.size).sort((one, other) => one - other)[Math.floor(rows.length / 2)]!;
  const gaps: number[] = [];
  let start = -1;
  for (let x = 0; x < covered.length; x++) {
    if (covered[x]! <= crossingsMax) {
      if (start < 0) start = x;
    } else {
      if (start > 0 && x - start >= Math.max(3, size * widthMin)) gaps.push(left + (start + x) / 2);
      start = -1;
    }
  }
  return gaps;
}

/** The texts of a row between the gaps; a word over a gap goes where its middle is. */
export function cellsAt(row: Row, gaps: readonly number[]): string[] {
  const cells = Array.from({ length: gaps.length + 1 }, () => '');
  const ends = cells.map(() => -Infinity);
  for (const span of row.spans) {
    for (const word of span.words) {
      let slot = 0;
      while (slot < gaps.length && (word.left + word.right) / 2 > gaps[slot]!) slot++;
      // Words of one span have a space between them; a new span may be an index of the word before.
      const apart = word !== span.words[0] || word.left - ends[slot]! > span.size * 0.15;
      cells[slot] += apart && cells[slot] !== '' ? ` ${word.text}` : word.text;
      ends[slot] = word.right;
    }
  }
  return cells;
}

/** The header is what stands above the second line, up to three rows of text; later rows without a first cell go on with the one above. */
function joinRows(cells: readonly (readonly string[])[], rows: readonly Row[], stack: readonly Line[]): string[][] {
  const header = rows.filter((row) => row.baseline < stack[1]!.at).length;
  const joined: string[][] = [];
  const merge = (row: readonly string[]) => {
    const above = joined.at(-1)!;
    joined[joined.length - 1] = above.map((cell, column) => joinCell([cell, row[column]!].filter((text) => text !== '')));
  };
  for (const [index, row] of cells.entries()) {
    const inHeader = stack.length > 2 && header <= 3 && index < header;
    const ruledOff = stack.some((line) => index > 0 && line.at > rows[index - 1]!.baseline && line.at < rows[index]!.baseline);
    const close = index > 0 && rows[index]!.baseline - rows[index - 1]!.baseline < rows[index]!.size * 1.35;
    if (index > 0 && inHeader) merge(row);
    else if (index > header && !ruledOff && close && row[0] === '' && row.filter((cell) => cell !== '').length < row.length - 1)
      merge(row);
    else joined.push([...row]);
  }
  return joined;
}
