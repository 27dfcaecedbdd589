/**
 * Tables without ruling lines, and tables of contents: lines whose pieces stand in columns, row after row. A wrong table is worse
 * than none, so a run of lines must convince in number, filling, shortness and alignment.
 */
import { standsAlone } from './page-spans.ts';
import type { Column, Line } from './reading-order.ts';
import { cellsAt, gapsIn } from './ruled-tables.ts';

/** Lines of a column, and the tables among them, in order. */
export type Piece = { readonly lines: readonly Line[] } | { readonly rows: readonly (readonly string[])[]; readonly size: number };

/** Cuts a column at the tables found in it. */
export function piecesOf(column: Column): Piece[] {
  const pieces: Piece[] = [];
  let plain: Line[] = [];
  let index = 0;
  while (index < column.lines.length) {
    const found = contentsAt(column.lines, index) ?? tableAt(column.lines, index);
    if (found === undefined) plain.push(column.lines[index++]!);
    else {
      if (plain.length > 0) pieces.push({ lines: plain });
      plain = [];
      pieces.push({ rows: found.rows, size: column.lines[index]!.size });
      index += found.lineCount;
    }
  }
  if (plain.length > 0) pieces.push({ lines: plain });
  return pieces;
}

type Found = { readonly rows: string[][]; readonly lineCount: number };

/* Tables of contents. */

const leader = /^(.*?\S)\s*(?:[.…·_]\s?){4,}\s*(\d{1,5}|[ivxlc]{1,7})$/i;

/** Longer than any line of a table of contents; the expression takes time as its square. */
const leaderCharactersMax = 500;

/** Looks for dots first: the expression alone would try every space of every line. */
function hasLeader(text: string): boolean {
  return text.length <= leaderCharactersMax && /[.…·_]\s?[.…·_]\s?[.…·_]/.test(text) && leader.test(text);
}

/** Titles with dots that lead to page numbers: at least three in a row, a title may run over two lines. */
function contentsAt(lines: readonly Line[], from: number): Found | undefined {
  if (!hasLeader(lines[from]!.text)) return undefined;
  const rows: string[][] = [];
  let index = from;
  let end = from;
  let carried = '';
  while (index < lines.length) {
    const text = lines[index]!.text;
    const match = hasLeader(text) ? leader.exec(text) : null;
    if (match !== null) {
      rows.push([`${carried} ${match[1]!}`.trim(), match[2]!]);
      carried = '';
      end = index + 1;
    } else if (carried === '' && index > from && lines[index + 1] !== undefined && hasLeader(lines[index + 1]!.text))
      carried = text;
    else break;
    index++;
  }
  return rows.length >= 3 ? { rows, lineCount: end - from } : undefined;
}

/* Tables by alignment. */

function tableAt(lines: readonly Line[], from: number): Found | undefined {
  if (cellCount(lines[from]!) < 2) return undefined;
  let end = from + 1;
  while (end < lines.length && follows(lines, end)) end++;
  while (end > from && cellCount(lines[end - 1]!) < 2) end--;
  const run = lines.slice(from, end);
  if (run.length < 3) return undefined;
  const rows = run.map((line) => ({
    spans: [...line.spans].sort((one, other) => one.left - other.left),
    baseline: line.baseline,
    size: line.size,
  }));
  const gaps = gapsIn(rows, 0.9);
  if (gaps.length === 0) return undefined;
  const cells = rows.map((row) => cellsAt(row, gaps));
  if (!convinces(cells, run)) return undefined;
  const rightToLeft = run.filter((line) => line.rightToLeft).length * 2 > run.length;
  return { rows: rightToLeft ? cells.map((row) => row.reverse()) : cells, lineCount: run.length };
}

/** Pieces with a wide gap between them. */
function cellCount(line: Line): number {
  if (line.mono || (line.spans[0] !== undefined && standsAlone(line.spans[0]))) return 0;
  let count = 1;
  const spans = [...line.spans].sort((one, other) => one.left - other.left);
  for (let index = 1; index < spans.length; index++) if (spans[index]!.left - spans[index - 1]!.right > line.size) count++;
  return count;
}

/** One line alone may interrupt the columns: a cell that runs on, or a row of one cell. */
function follows(lines: readonly Line[], index: number): boolean {
  const [above, line, below] = [lines[index - 1]!, lines[index]!, lines[index + 1]];
  if (line.baseline - above.baseline > line.size * 3 || line.mono) return false;
  if (Math.abs(line.size - above.size) > line.size * 0.25) return false;
  return cellCount(line) >= 2 || (below !== undefined && cellCount(above) >= 2 && cellCount(below) >= 2);
}

const label = /^(?:[•◦▪‣●○■□◆▶►✓–—*-]|\(?[\da-z]{1,3}[.)]|\[\d+\])$/i;

function convinces(cells: readonly (readonly string[])[], lines: readonly Line[]): boolean {
  const columns = cells[0]!.length;
  if (cells.length < (columns >= 3 ? 3 : 4)) return false;
  const full = cells.filter((row) => row.filter((cell) => cell !== '').length >= 2).length;
  if (full < cells.length * 0.7) return false;
  const filled = cells.flat().filter((cell) => cell !== '');
  if (filled.length < cells.flat().length * 0.6) return false;
  const lengths = filled.map((cell) => cell.length).sort((one, other) => one - other);
  if (lengths[Math.floor(lengths.length / 2)]! > 25 || lengths.at(-1)! > 80) return false;
  // A column of bullets or numbers belongs to a list, and so do cells that begin with one.
  if (cells.filter((row) => label.test(row[0]!)).length > cells.length * 0.5) return false;
  if (filled.filter((cell) => label.test(cell.split(' ', 1)[0]!) && cell.includes(' ')).length > filled.length * 0.5) return false;
  if (columns === 2 && medianLength(cells.map((row) => row[1]!)) > 16) return false;
  return alignedShare(lines) >= 0.7;
}

function medianLength(texts: readonly string[]): number {
  return texts.map((text) => text.length).sort((one, other) => one - other)[Math.floor(texts.length / 2)]!;
}

/** Share of the lines that begin, or that end, at the most usual place. */
function alignedShare(lines: readonly Line[]): number {
  return Math.max(shareAtOnePlace(lines.map((line) => line.left)), shareAtOnePlace(lines.map((line) => line.right)));
}

function shareAtOnePlace(places: readonly number[]): number {
  const most = Math.max(...places.map((place) => places.filter((other) => Math.abs(other - place) <= 2.5).length));
  return most / places.length;
}
