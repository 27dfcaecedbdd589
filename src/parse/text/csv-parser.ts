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
  builder.table(readRows(text, start, delimiter), { columns: Math.max(0, ...widthsOf(readRows(text, start, delimiter))) });
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

/** Columns of each of the first rows. */
function widthsOf(rows: Iterable<readonly string[]>): number[] {
  return Iterator.from(rows)
    .take(sniffedRows)
    .map((row) => row.length)
    .toArray();
}

/**
 * The sign that cuts the first rows most evenly, then into the most columns. Of two that do it alike the rarer: commas are in numbers
 * and prose. Rows are looked at whole, however long they are: a piece of a first row must not decide for all others.
 */
function sniffDelimiter(text: string): string {
  let best = ',';
  let bestScore = 0;
  for (const delimiter of ['\t', ';', '|', ',']) {
    const widths = widthsOf(readRows(text, 0, delimiter));
    const counts = new Map<number, number>();
    for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
    const [width = 1, rows = 0] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0] ?? [];
    const score = width < 2 ? 0 : (rows / widths.length) * (1 + Math.min(width, 20) / 100);
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

/** Rows with any text in them. A quote that is never closed ends at the end of its line. Linear. */
function* readRows(text: string, start: number, delimiter: string): Generator<string[]> {
  let row: string[] = [];
  for (let at = behindLineEnds(text, start); at < text.length;) {
    const field = text[at] === '"' ? quotedField(text, at, delimiter) : plainField(text, at, delimiter);
    row.push(field.value);
    at = field.end + 1;
    if (text[field.end] === delimiter && at < text.length) continue;
    if (row.some((cell) => cell.trim() !== '')) yield row;
    row = [];
    at = behindLineEnds(text, at);
  }
}

const lineEnd = 0x0a;

function behindLineEnds(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === lineEnd) at++;
  return at;
}

type Field = { readonly value: string; /** Of the delimiter or line end after it. */ readonly end: number };

function plainField(text: string, start: number, delimiter: string): Field {
  const code = delimiter.charCodeAt(0);
  let end = start;
  while (end < text.length && text.charCodeAt(end) !== code && text.charCodeAt(end) !== lineEnd) end++;
  return { value: text.slice(start, end), end };
}

/** A field longer than this is a quote that was opened and forgotten. */
const quotedCharactersMax = 1024 * 1024;

function quotedField(text: string, start: number, delimiter: string): Field {
  const limit = Math.min(text.length, start + quotedCharactersMax);
  for (let at = text.indexOf('"', start + 1); at !== -1 && at < limit; at = text.indexOf('"', at + 1)) {
    if (text[at + 1] === '"') {
      at += 1;
      continue;
    }
    const rest = plainField(text, at + 1, delimiter);
    return { value: text.slice(start + 1, at).replaceAll('""', '"') + rest.value, end: rest.end };
  }
  return plainField(text, start, delimiter);
}
