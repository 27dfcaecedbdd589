/** Comma-, tab-, semicolon- or pipe-separated values (RFC 4180 and what is written in its name) as one table, row by row. */
import { normalizeLines } from './encoding.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

export function createCsvParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(withoutBreaksInRows(readText(input)));
  const named = /^sep=(.)\n/.exec(text);
  const delimiter = named?.[1] ?? sniffDelimiter(text);
  const start = named?.[0].length ?? 0;
  const builder = createMarkdownBuilder(input.limits);
  // A later row that is wider stays as wide as it is.
  builder.table(readRows(text, start, delimiter), { columns: Math.max(0, ...widthsOf(text, start, delimiter)) });
  return {
    mediaType: delimiter === '\t' ? 'text/tab-separated-values' : 'text/csv',
    title: null,
    author: null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

/** Only line ends end a row: databases write a line break in a field as a vertical tab, printers a form feed between pages. */
function withoutBreaksInRows(text: string): string {
  return text.replace(/[\v\f\u2028\u2029]/g, ' ');
}

const sniffedRows = 100;

/** Columns of each of the first rows. They are looked at for one delimiter after the other, so nothing is built of them. */
function widthsOf(text: string, start: number, delimiter: string): number[] {
  const widths: number[] = [];
  let width = 0;
  let seen = false;
  for (const field of fieldsOf(text, start, delimiter)) {
    width += 1;
    seen ||= hasText(text, field);
    if (!field.endsRow) continue;
    if (seen && widths.push(width) === sniffedRows) break;
    width = 0;
    seen = false;
  }
  return widths;
}

/**
 * The sign that cuts the first rows most evenly, then into the most columns. Of two that do it alike the rarer: commas are in numbers
 * and prose. Rows are looked at whole, however long they are: a piece of a first row must not decide for all others.
 */
function sniffDelimiter(text: string): string {
  let best = ',';
  let bestScore = 0;
  for (const delimiter of ['\t', ';', '|', ',']) {
    const widths = widthsOf(text, 0, delimiter);
    const counts = new Map<number, number>();
    for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
    const [width = 1, rows = 0] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [];
    const score = width < 2 ? 0 : (rows / widths.length) * (1 + Math.min(width, 20) / 100);
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** Rows with any text in them. */
function* readRows(text: string, start: number, delimiter: string): Generator<string[]> {
  let row: string[] = [];
  for (const field of fieldsOf(text, start, delimiter)) {
    row.push(valueOf(text, field));
    if (!field.endsRow) continue;
    if (row.some((cell) => cell.trim() !== '')) yield row;
    row = [];
  }
}

/** Where a field stands. A quote that is never closed ends at the end of its line. */
type Field = {
  readonly start: number;
  /** Of what is in quotes; null without. What stands behind a closed quote belongs to the field. */
  readonly quoteEnd: number | null;
  /** Of the delimiter or line end after it. */
  readonly end: number;
  readonly endsRow: boolean;
};

/** Linear. */
function* fieldsOf(text: string, start: number, delimiter: string): Generator<Field> {
  for (let at = behindLineEnds(text, start); at < text.length;) {
    const quoteEnd = text[at] === '"' ? quoteEndOf(text, at) : null;
    const end = fieldEnd(text, quoteEnd === null ? at : quoteEnd + 1, delimiter);
    const endsRow = text[end] !== delimiter || end + 1 >= text.length;
    yield { start: at, quoteEnd, end, endsRow };
    at = endsRow ? behindLineEnds(text, end + 1) : end + 1;
  }
}

const lineEnd = 0x0a;

function behindLineEnds(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === lineEnd) at++;
  return at;
}

function fieldEnd(text: string, start: number, delimiter: string): number {
  const code = delimiter.charCodeAt(0);
  let end = start;
  while (end < text.length && text.charCodeAt(end) !== code && text.charCodeAt(end) !== lineEnd) end++;
  return end;
}

/** A field longer than this is a quote that was opened and forgotten. */
const quotedCharactersMax = 1024 * 1024;

function quoteEndOf(text: string, start: number): number | null {
  const limit = Math.min(text.length, start + quotedCharactersMax);
  for (let at = text.indexOf('"', start + 1); at !== -1 && at < limit; at = text.indexOf('"', at + 1)) {
    if (text[at + 1] !== '"') return at;
    at += 1;
  }
  return null;
}

function valueOf(text: string, { start, quoteEnd, end }: Field): string {
  if (quoteEnd === null) return text.slice(start, end);
  return text.slice(start + 1, quoteEnd).replaceAll('""', '"') + text.slice(quoteEnd + 1, end);
}

const blank = /\s/;

/** Stops at the first character that is seen. */
function hasText(text: string, { start, quoteEnd, end }: Field): boolean {
  for (let at = quoteEnd === null ? start : start + 1; at < end; at++) {
    if (at !== quoteEnd && !blank.test(text[at]!)) return true;
  }
  return false;
}
