/**
 * JSON and JSON Lines as something a person can read: records of the same keys as a table, everything else as nested lists of
 * `key: value`, the upper keys as headings. A notebook's cells come as its text and code. What is not valid JSON stays as it is.
 */
import { DocumentError } from '../../errors.ts';
import { hintOf } from '../detect.ts';
import { normalizeLines } from './encoding.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder, type ListItem, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import { writeMarkdown } from '../markdown/markdown-parser.ts';
import type { ParsedDocument, ParseInput, ParseLimits, Parser } from '../parser.ts';

type Json = null | boolean | number | string | readonly Json[] | JsonObject;
type JsonObject = { readonly [key: string]: Json };

export function createJsonParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = readText(input);
  const builder = createMarkdownBuilder(input.limits);
  const warnings: string[] = [];
  const values = readValues(text, input.limits);
  if (values === null) {
    warnings.push('The file is not valid JSON; its text was kept as it is');
    builder.code(normalizeLines(text));
  } else if (isNotebook(values, input)) {
    writeNotebook(values[0] as JsonObject, builder, input.limits);
  } else {
    writeValue(values.length === 1 ? values[0]! : values, '', 1, builder);
  }
  const root = values?.length === 1 && isObject(values[0]!) ? values[0] : {};
  return {
    mediaType: values !== null && values.length > 1 ? 'application/x-ndjson' : 'application/json',
    title: stringOf(root['title']) ?? null,
    author: stringOf(root['author']) ?? null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings,
  };
}

/** One value, or those of JSON Lines; null when the text is neither. @throws DocumentError `limit_exceeded`. */
function readValues(text: string, limits: ParseLimits): readonly Json[] | null {
  checkSize(text, limits);
  const whole = numberRepeats(text);
  try {
    return [parseJson(whole)];
  } catch {
    return readLines(whole);
  }
}

/** Numbers as they are written: 1.10 is not 1.1, and one of twenty digits keeps them all. */
function parseJson(text: string): Json {
  const asWritten = (_key: string, value: unknown, { source }: { source?: string } = {}): unknown =>
    typeof value === 'number' ? (source ?? value) : value;
  return JSON.parse(text, asWritten) as Json;
}

function readLines(text: string): readonly Json[] | null {
  const values: Json[] = [];
  try {
    for (let at = 0; at < text.length;) {
      const next = text.indexOf('\n', at);
      const end = next === -1 ? text.length : next;
      const line = text.slice(at, end);
      if (line.trim() !== '') values.push(parseJson(line));
      at = end + 1;
    }
  } catch {
    return null;
  }
  return values.length > 1 ? values : null;
}

/**
 * Counts brackets and commas outside strings before anything is built: a wide or deep array would otherwise take the whole process with it.
 */
function checkSize(text: string, limits: ParseLimits): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) at = stringEnd(text, at);
    else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      values += 1;
      if (depth > limits.depthMax) {
        throw new DocumentError('limit_exceeded', `The JSON is nested deeper than ${limits.depthMax} levels (MAX_NESTING)`);
      }
    } else if (unit === 0x5d || unit === 0x7d) depth = Math.max(0, depth - 1);
    else if (unit === 0x2c) values += 1;
    if (values > limits.cellsMax) {
      throw new DocumentError('limit_exceeded', `The JSON has more than ${limits.cellsMax} values (MAX_CELLS)`);
    }
  }
}

/** What stands between a key that an object has once more and its number: in a key of the file itself it means nothing to a person either. */
const repeatMark = '\0';

/**
 * Keys that come again in their object with a number behind them, since JSON.parse would keep the last of them alone, and a person sees
 * them all. Linear; the text itself where there are none.
 */
function numberRepeats(text: string): string {
  const open: (Map<string, number> | null)[] = [];
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x7b) open.push(new Map());
    else if (unit === 0x5b) open.push(null);
    else if (unit === 0x7d || unit === 0x5d) open.pop();
    else if (unit === 0x22) {
      const end = stringEnd(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && keys !== null && isKey(text, end)) {
        const key = keyOf(text.slice(at + 1, end));
        const times = keys.get(key) ?? 0;
        keys.set(key, times + 1);
        if (times > 0) {
          pieces.push(text.slice(copied, end), `\\u0000${times}`);
          copied = end;
        }
      }
      at = end;
    }
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(copied);
}

/** As JSON reads it: `\\u0061` is `a`. */
function keyOf(written: string): string {
  if (!written.includes('\\')) return written;
  try {
    return JSON.parse(`"${written}"`) as string;
  } catch {
    return written;
  }
}

function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (next < text.length && text.charCodeAt(next) <= 0x20) next++;
  return text.charCodeAt(next) === 0x3a;
}

function shownKey(key: string): string {
  const mark = key.indexOf(repeatMark);
  return mark === -1 ? key : key.slice(0, mark);
}

/** Of the closing quote. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) at += 1;
    else if (unit === 0x22 || unit === 0x0a) return at;
  }
  return text.length;
}

/** Keys down to this level become headings; below they are list items. */
const headingLevels = 3;

function writeValue(value: Json, name: string, level: number, builder: MarkdownBuilder): void {
  if (name !== '') builder.heading(level - 1, name);
  const table = asTable(value);
  if (table !== null) return builder.table(table.rows, { columns: table.columns });
  if (isScalar(value)) return builder.paragraph(scalarText(value));
  if (level > headingLevels) return builder.list(listItems(value));
  const entries = entriesOf(value);
  const items: ListItem[] = [];
  for (const [key, each] of entries) if (isInline(each)) addItems(key, each, 0, items);
  builder.list(items);
  for (const [key, each] of entries) if (!isInline(each)) writeValue(each, key, level + 1, builder);
}

/** Object keys; an array's records are numbered from 1, its scalars are not. */
function entriesOf(value: Json): readonly (readonly [string, Json])[] {
  if (!Array.isArray(value)) return Object.entries(value as JsonObject).map(([key, each]) => [shownKey(key), each]);
  return (value as readonly Json[]).map((each, index) => [isScalar(each) ? '' : String(index + 1), each]);
}

/** Values that need no heading of their own: scalars, short lists of scalars. */
function isInline(value: Json): boolean {
  return isScalar(value) || entriesOf(value).length === 0 || (Array.isArray(value) && value.length <= 20 && value.every(isScalar));
}

function listItems(value: Json): ListItem[] {
  const items: ListItem[] = [];
  for (const [key, each] of entriesOf(value)) addItems(key, each, 0, items);
  return items;
}

/** Into one list: generators inside generators would hand each item through all levels above it. */
function addItems(key: string, value: Json, depth: number, items: ListItem[]): void {
  const label = key === '' ? '' : `${key}: `;
  if (isScalar(value)) items.push({ text: label + scalarText(value), depth, ordered: false });
  else if (Array.isArray(value) && value.length <= 20 && value.every(isScalar)) {
    items.push({ text: label + value.map(scalarText).join(', '), depth, ordered: false });
  } else {
    items.push({ text: label.trimEnd(), depth, ordered: false });
    for (const [name, each] of entriesOf(value)) addItems(name, each, depth + 1, items);
  }
}

const tableColumnsMax = 40;

/** Two or more objects of scalars that share most of their keys, as rows under one header; else null. */
function asTable(value: Json): { readonly columns: number; readonly rows: Iterable<string[]> } | null {
  if (!Array.isArray(value) || value.length < 2) return null;
  const records = value as readonly Json[];
  const columns = new Set<string>();
  let filled = 0;
  for (const record of records) {
    if (!isObject(record)) return null;
    for (const [key, cell] of Object.entries(record)) {
      if (!isScalar(cell) && !(Array.isArray(cell) && cell.every(isScalar))) return null;
      columns.add(key);
      filled += 1;
    }
    if (columns.size > tableColumnsMax) return null;
  }
  if (columns.size === 0 || filled < records.length * columns.size * 0.5) return null;
  return { columns: columns.size, rows: tableRows([...columns], records) };
}

function* tableRows(header: string[], records: readonly Json[]): Generator<string[]> {
  yield header.map(shownKey);
  for (const record of records) yield header.map((key) => cellText((record as JsonObject)[key] ?? null));
}

function cellText(cell: Json): string {
  return Array.isArray(cell) ? cell.map(scalarText).join(', ') : scalarText(cell);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: Json): value is null | boolean | number | string {
  return typeof value !== 'object' || value === null;
}

function scalarText(value: Json): string {
  return isScalar(value) && value !== null ? String(value) : '';
}

function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function isNotebook(values: readonly Json[], input: ParseInput): boolean {
  return hintOf(input) === 'ipynb' && isObject(values[0]) && Array.isArray(values[0]['cells']);
}

/** Jupyter's nbformat 4: Markdown cells as they are, code cells fenced, text output fenced. */
function writeNotebook(notebook: JsonObject, builder: MarkdownBuilder, limits: ParseLimits): void {
  const language = stringOf(valueAt(notebook, 'metadata', 'kernelspec', 'language')) ?? 'python';
  for (const cell of notebook['cells'] as readonly Json[]) {
    if (!isObject(cell)) continue;
    const source = linesText(cell['source']);
    if (cell['cell_type'] === 'code') {
      builder.code(source, language);
      for (const output of Array.isArray(cell['outputs']) ? (cell['outputs'] as readonly Json[]) : []) {
        builder.code(linesText(valueAt(output, 'text')) || linesText(valueAt(output, 'data', 'text/plain')));
      }
    } else {
      writeMarkdown(source, builder, { limits });
    }
  }
}

function valueAt(value: Json, ...path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const key of path) at = isObject(at) ? at[key] : undefined;
  return at;
}

function linesText(value: Json | undefined): string {
  return Array.isArray(value) ? value.filter((line) => typeof line === 'string').join('') : (stringOf(value) ?? '');
}
