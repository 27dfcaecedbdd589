/**
 * Puts the spans of a page into lines in the order in which a person reads them: bands from top to bottom, within a band
 * the columns of prose from left to right (right to left where the text runs so), within a column the lines.
 */
import { type Span, standsAlone } from './page-spans.ts';

/** One line of text in one column. */
export type Line = {
  readonly spans: readonly Span[];
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
  /** Of most of its glyphs. */
  readonly size: number;
  /** All of it. */
  readonly bold: boolean;
  readonly italic: boolean;
  readonly mono: boolean;
  readonly rightToLeft: boolean;
};

/** The lines of one column, top to bottom. */
export type Column = { readonly lines: readonly Line[]; readonly left: number; readonly right: number };

/** Cost: about n log n in the spans for each split; splits nest at most eight deep. */
export function columnsOf(spans: readonly Span[]): Column[] {
  const columns: Column[] = [];
  split(spans, 0, columns);
  return columns;
}

const depthMax = 8;

function split(spans: readonly Span[], depth: number, into: Column[]): void {
  if (spans.length === 0) return;
  const rows = rowsOf(spans);
  const bands = depth < depthMax && spans.length >= 6 ? bandsOf(rows) : undefined;
  if (bands === undefined) {
    into.push(columnOf(rows));
    return;
  }
  for (const band of bands) {
    if ('across' in band) split(band.across, depthMax, into);
    else for (const side of band.sides) split(side, depth + 1, into);
  }
}

/* Rows: spans on about one baseline. */

export type Row = { readonly spans: Span[]; baseline: number; size: number };

/** Spans grouped by baseline, top to bottom, each row from left to right. */
export function rowsOf(spans: readonly Span[]): Row[] {
  const rows: Row[] = [];
  for (const span of [...spans].sort((one, other) => one.baseline - other.baseline)) {
    const row = rows.at(-1);
    const alone = standsAlone(span) || (row !== undefined && standsAlone(row.spans[0]!));
    if (!alone && row !== undefined && Math.abs(span.baseline - row.baseline) <= Math.max(span.size, row.size) * 0.4) {
      row.spans.push(span);
      if (span.size > row.size) {
        row.size = span.size;
        row.baseline = span.baseline;
      }
    } else rows.push({ spans: [span], baseline: span.baseline, size: span.size });
  }
  for (const row of rows) row.spans.sort((one, other) => one.left - other.left);
  return rows;
}

/* Columns: a gutter that no line of a band crosses, with prose on both sides. */

type Band = { readonly across: Span[] } | { readonly sides: readonly [Span[], Span[]] };

/** Lines that each side of a gutter needs, to be believed. */
const linesMin = 3;

function bandsOf(rows: readonly Row[]): Band[] | undefined {
  let best: { bands: Band[]; score: number } | undefined;
  for (const gutter of guttersOf(rows)) {
    const bands = bandsAt(rows, gutter);
    const score = bands.reduce((sum, band) => sum + ('sides' in band ? band.sides[0].length + band.sides[1].length : 0), 0);
    if (score > 0 && (best === undefined || score > best.score)) best = { bands, score };
  }
  return best?.bands;
}

/** Places where the most rows have a gap, at most eight. */
function guttersOf(rows: readonly Row[]): number[] {
  const counts = new Map<number, number>();
  for (const row of rows) {
    let right = -Infinity;
    for (const span of row.spans) {
      if (right > -Infinity && span.left - right >= Math.max(5, row.size * 0.7)) {
        for (let x = Math.ceil(right / 4); x * 4 <= span.left; x++) counts.set(x * 4, (counts.get(x * 4) ?? 0) + 1);
      }
      right = Math.max(right, span.right);
    }
  }
  const ranked = [...counts].filter(([, count]) => count >= 2).sort((one, other) => other[1] - one[1]);
  const gutters: number[] = [];
  for (const [x] of ranked) {
    if (gutters.every((known) => Math.abs(known - x) > 12)) gutters.push(x);
    if (gutters.length === 8) break;
  }
  return gutters;
}

/** Points; a narrower gutter is none. */
const gutterMin = 4;

/** None when the gutter is too narrow. */
function bandsAt(rows: readonly Row[], gutter: number): Band[] {
  const clear = clearWay(rows, gutter);
  if (clear.right - clear.left < gutterMin) return [];
  const bands: Band[] = [];
  let across: Span[] = [];
  let open: Row[] = [];

  const close = () => {
    if (open.length === 0) return;
    const spans = open.flatMap((row) => row.spans);
    const left = spans.filter((span) => isLeftOf(span, gutter));
    const right = spans.filter((span) => !isLeftOf(span, gutter));
    if (areColumns(left, right, open, gutter)) {
      if (across.length > 0) bands.push({ across });
      across = [];
      bands.push({ sides: mostlyRightToLeft(spans) ? [right, left] : [left, right] });
    } else across.push(...spans);
    open = [];
  };

  for (const row of rows) {
    if (row.spans.some((span) => crosses(span, gutter, clear))) {
      close();
      across.push(...row.spans);
    } else open.push(row);
  }
  close();
  if (across.length > 0) bands.push({ across });
  return bands;
}

type Way = { readonly left: number; readonly right: number };

/** How wide the gutter is for nearly all rows: a page number or an overfull line may stand in it. */
function clearWay(rows: readonly Row[], gutter: number): Way {
  const lefts: number[] = [];
  const rights: number[] = [];
  for (const row of rows) {
    if (row.spans.some((span) => span.left < gutter && span.right > gutter)) continue;
    const before = row.spans.filter((span) => span.right <= gutter).at(-1);
    const after = row.spans.find((span) => span.left >= gutter);
    if (before !== undefined) lefts.push(before.right);
    if (after !== undefined) rights.push(after.left);
  }
  lefts.sort((one, other) => one - other);
  rights.sort((one, other) => one - other);
  return { left: lefts[Math.floor(lefts.length * 0.94)] ?? gutter, right: rights[Math.floor(rights.length * 0.06)] ?? gutter };
}

function isLeftOf(span: Span, gutter: number): boolean {
  return span.right + span.left < gutter * 2;
}

function crosses(span: Span, gutter: number, clear: Way): boolean {
  if (span.left < gutter - 1 && span.right > gutter + 1) return true;
  const overlap = Math.min(span.right, clear.right) - Math.max(span.left, clear.left);
  return overlap > (clear.right - clear.left) * 0.5;
}

function mostlyRightToLeft(spans: readonly Span[]): boolean {
  return spans.filter((span) => span.rightToLeft).length * 2 > spans.length;
}

/** Prose on both sides: enough lines, and either long ones or lines that do not stand beside each other, as cells do. */
function areColumns(left: readonly Span[], right: readonly Span[], rows: readonly Row[], gutter: number): boolean {
  const lefts = rows.filter((row) => row.spans.some((span) => isLeftOf(span, gutter)));
  const rights = rows.filter((row) => row.spans.some((span) => !isLeftOf(span, gutter)));
  const fewer = Math.min(lefts.length, rights.length);
  if (fewer < linesMin) return false;
  const both = lefts.filter((row) => row.spans.some((span) => !isLeftOf(span, gutter))).length;
  if (both < fewer * 0.4) return fewer >= 5 || both === 0;
  return (isProse(left) || isList(left)) && (isProse(right) || isList(right));
}

/** Most lines begin as items do, and go on: a column of bullets alone is the margin of its list. */
function isList(spans: readonly Span[]): boolean {
  const items = spans.filter((span) => /^(?:[•◦▪‣●○■□➢►▶✓\uf0b7\uf0a7-]|\(?\d{1,2}[.)])\s+\S/.test(span.text)).length;
  return items >= 2 && items >= spans.length * 0.5;
}

function isProse(spans: readonly Span[]): boolean {
  const left = Math.min(...spans.map((span) => span.left));
  const right = Math.max(...spans.map((span) => span.right));
  const widths = spans.map((span) => span.right - span.left).sort((one, other) => one - other);
  const lengths = spans.map((span) => weightOf(span.text)).sort((one, other) => one - other);
  const middle = Math.floor(spans.length / 2);
  return widths[middle]! >= (right - left) * 0.55 && lengths[middle]! >= 16;
}

/** Characters, a wide one (CJK) counting two. */
function weightOf(text: string): number {
  return text.length + (text.match(/[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60]/g)?.length ?? 0);
}

/* Lines. */

function columnOf(rows: readonly Row[]): Column {
  const lines = rows.map(lineOf);
  return {
    lines,
    left: Math.min(...lines.map((line) => line.left)),
    right: Math.max(...lines.map((line) => line.right)),
  };
}

/** The line that the spans of a row make together. */
export function lineOf(row: Row): Line {
  const rightToLeft = mostlyRightToLeft(row.spans);
  const ordered = rightToLeft ? [...row.spans].reverse() : row.spans;
  const sizes = new Map<number, number>();
  for (const span of ordered) sizes.set(span.size, (sizes.get(span.size) ?? 0) + span.text.length);
  return {
    spans: ordered,
    text: joinSpans(ordered, rightToLeft),
    left: Math.min(...ordered.map((span) => span.left)),
    right: Math.max(...ordered.map((span) => span.right)),
    baseline: row.baseline,
    size: [...sizes].reduce((most, each) => (each[1] > most[1] ? each : most))[0],
    bold: ordered.every((span) => span.bold || span.text.trim() === ''),
    italic: ordered.every((span) => span.italic),
    mono: ordered.every((span) => span.mono),
    rightToLeft,
  };
}

function joinSpans(spans: readonly Span[], rightToLeft: boolean): string {
  let text = '';
  let previous: Span | undefined;
  for (const span of spans) {
    if (previous !== undefined) {
      const gap = rightToLeft ? previous.left - span.right : span.left - previous.right;
      if (gap > Math.min(previous.size, span.size) * 0.15) text += ' ';
    }
    text += span.text;
    previous = span;
  }
  return text;
}
