/** Comma-, tab-, semicolon- or pipe-separated values (RFC 4180 and what is written in its name) as one table, row by row. */
import { normalizeLines } from './encoding.ts';
import { readText } from './input.ts';
import { createMarkdownBuilder } from './markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from './parser.ts';

export function createCsvParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(await readText(input));
  const named = /^sep=(.)\n/.exec(text);
  const delimiter = named?.[1] ?? sniffDelimiter(text);
  const start = named?.[0].length ?? 0;
  const builder = createMarkdownBuilder(input.limits);
  builder.table(readRows(text, start, delimiter), { columns: widest(readRows(text, start, delimiter)) });
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

const sniffedRows = 100;

/** Columns of the first rows; a later row that is wider stays as wide as it is. */
function widest(rows: Iterable<readonly string[]>): number {
  return Iterator.from(rows)
    .take(sniffedRows)
    .reduce((columns, row) => Math.max(columns, row.length), 0);
}

/** The sign that cuts the first rows most evenly, then into the most columns. Of two that do it alike the rarer: commas are in numbers and prose. */
function sniffDelimiter(text: string): string {
  const head = text.slice(0, 64 * 1024);
  let best = ',';
  let bestScore = 0;
  for (const delimiter of ['\t', ';', '|', ',']) {
    const widths = [...Iterator.from(readRows(head, 0, delimiter)).take(sniffedRows)].map((row) => row.length);
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
  for (let at = start; at < text.length;) {
    if (row.length === 0 && text[at] === '\n') {
      at += 1;
      continue;
    }
    const field = text[at] === '"' ? quotedField(text, at, delimiter) : plainField(text, at, delimiter);
    row.push(field.value);
    at = field.end + 1;
    if (text[field.end] === delimiter && at < text.length) continue;
    if (row.some((cell) => cell.trim() !== '')) yield row;
    row = [];
  }
}

type Field = { readonly value: string; /** Of the delimiter or line end after it. */ readonly end: number };

function plainField(text: string, start: number, delimiter: string): Field {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n') end++;
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
