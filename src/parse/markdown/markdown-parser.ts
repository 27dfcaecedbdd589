/**
 * Markdown (CommonMark with GFM tables and front matter): the text stays as it is to the letter; a scanner of its lines finds the
 * blocks, so that each has its exact place. What is inside a block (emphasis, links) is none of its business. Only blocks of HTML
 * are rewritten, as the tables and lists that they are.
 */
import { normalizeLines } from '../text/encoding.ts';
import { writeHtml } from '../html/html-writer.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from './markdown-builder.ts';
import type { BlockKind, ParsedDocument, ParseInput, ParseLimits, Parser } from '../parser.ts';

export function createMarkdownParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(readText(input));
  const builder = createMarkdownBuilder(input.limits);
  const fields = frontMatter(text);
  let heading: string | null = null;
  writeMarkdown(text, builder, { limits: input.limits, onTitle: (title) => (heading ??= title) });
  return {
    mediaType: 'text/markdown',
    title: fields.get('title') ?? heading,
    author: fields.get('author') ?? null,
    language: /^[a-z]{2,3}/.exec((fields.get('lang') ?? fields.get('language') ?? '').toLowerCase())?.[0] ?? null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

export type MarkdownWriteOptions = {
  readonly limits: ParseLimits;
  /** Told of each heading of level 1. */
  readonly onTitle?: (title: string) => void;
};

/** Writes the blocks of a Markdown text. Linear. */
export function writeMarkdown(text: string, builder: MarkdownBuilder, options: MarkdownWriteOptions): void {
  for (const block of scanBlocks(text)) {
    const markdown = text.slice(block.start, block.end);
    if (block.kind === 'html') {
      writeHtml(markdown, builder, { limits: options.limits });
      continue;
    }
    builder.raw(block.kind, markdown, block.level === undefined ? {} : { level: block.level });
    if (block.level === 1) options.onTitle?.(headingText(markdown));
  }
}

function headingText(markdown: string): string {
  const line = markdown.slice(0, 1000).split('\n', 1)[0]!.trim();
  return line.replace(/^#\s+/, '').replace(/\s#+$/, '').trim();
}

type Found = { readonly kind: BlockKind | 'html'; readonly start: number; readonly end: number; readonly level?: number };

const matter = /^---[ \t]*\n(?:(?!---[ \t]*$|\.\.\.[ \t]*$)[^\n]*\n){0,200}(?:---|\.\.\.)[ \t]*(?:\n|$)/m;

function frontMatterEnd(text: string): number {
  const match = text.startsWith('---') ? matter.exec(text.slice(0, 64 * 1024)) : null;
  return match?.index === 0 && /^[\w-]+[ \t]*:/m.test(match[0]) ? match[0].length : 0;
}

/** The one-line fields of YAML front matter, keys lower case, quotes taken off. */
function frontMatter(text: string): ReadonlyMap<string, string> {
  const lines = text.slice(0, frontMatterEnd(text)).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [, key, value] = /^([\w-]{1,40})[ \t]*:[ \t]*(\S.*)$/.exec(line) ?? [];
      return key === undefined ? [] : [[key.toLowerCase(), value!.trim().replace(/^(["'])(.*)\1$/, '$2')] as const];
    }),
  );
}

function* scanBlocks(text: string): Generator<Found> {
  const closings = createClosings(text);
  const metaEnd = frontMatterEnd(text);
  if (metaEnd > 0) yield { kind: 'code', start: 0, end: text.slice(0, metaEnd).trimEnd().length };
  for (let at = metaEnd; at < text.length;) {
    const line = lineAt(text, at);
    if (isBlank(line.text)) {
      at = line.next;
      continue;
    }
    const block = blockAt(text, at, closings);
    yield block;
    at = lineAt(text, Math.max(block.end - 1, at)).next;
  }
}

type Line = { readonly text: string; readonly start: number; readonly end: number; readonly next: number };

/** At most this much of a line is looked at to tell what it begins. */
const lineLookMax = 2000;

function lineAt(text: string, start: number): Line {
  const newline = text.indexOf('\n', start);
  const end = newline === -1 ? text.length : newline;
  return { text: text.slice(start, Math.min(end, start + lineLookMax)), start, end, next: end + 1 };
}

function blockAt(text: string, start: number, closings: Closings): Found {
  const line = lineAt(text, start);
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(line.text)?.[1];
  if (fence !== undefined) return { kind: 'code', start, end: fenceEnd(text, line, fence) };
  const hashes = /^ {0,3}(#{1,6})(?:[ \t]|$)/.exec(line.text)?.[1];
  if (hashes !== undefined) return { kind: 'heading', start, end: line.end, level: hashes.length };
  if (isRule(line.text)) return { kind: 'break', start, end: line.end };
  if (/^(?: {4}|\t)/.test(line.text)) return { kind: 'code', start, end: indentedEnd(text, line) };
  if (/^ {0,3}>/.test(line.text)) return { kind: 'quote', start, end: runEnd(text, line, () => true) };
  if (isListItem(line.text)) return { kind: 'list', start, end: listEnd(text, line) };
  if (/^ {0,3}<!--/.test(line.text)) return { kind: 'html', start, end: lineEndAfter(text, line, closings('-->')) };
  if (htmlStart.test(line.text)) return { kind: 'html', start, end: htmlEnd(text, line, closings) };
  if (isTable(text, line)) return { kind: 'table', start, end: runEnd(text, line, (next) => !startsBlock(next)) };
  return paragraphAt(text, line);
}

function paragraphAt(text: string, first: Line): Found {
  let end = first.end;
  for (let line = lineAt(text, first.next); line.start < text.length && !isBlank(line.text); line = lineAt(text, line.next)) {
    const underline = /^ {0,3}(=+|-+)[ \t]*$/.exec(line.text)?.[1];
    if (underline !== undefined) return { kind: 'heading', start: first.start, end: line.end, level: underline[0] === '=' ? 1 : 2 };
    if (startsBlock(line.text) || (line.text.includes('|') && isTable(text, line))) break;
    end = line.end;
  }
  return { kind: 'paragraph', start: first.start, end };
}

/** Lines up to a blank one, as long as they `belong`. */
function runEnd(text: string, first: Line, belongs: (line: string) => boolean): number {
  let end = first.end;
  for (let line = lineAt(text, first.next); line.start < text.length; line = lineAt(text, line.next)) {
    if (isBlank(line.text) || !belongs(line.text)) break;
    end = line.end;
  }
  return end;
}

function fenceEnd(text: string, first: Line, fence: string): number {
  let end = first.end;
  for (let line = lineAt(text, first.next); line.start < text.length; line = lineAt(text, line.next)) {
    end = line.end;
    const closing = /^[ \t]*(`+|~+)[ \t]*$/.exec(line.text)?.[1] ?? '';
    if (closing[0] === fence[0] && closing.length >= fence.length) break;
  }
  return end;
}

/** A list goes on over blank lines as long as what follows is indented or another item; fences inside are passed over whole. */
function listEnd(text: string, first: Line): number {
  let end = first.end;
  let afterBlank = false;
  for (let line = first; line.start < text.length;) {
    if (isBlank(line.text)) {
      afterBlank = true;
      line = lineAt(text, line.next);
      continue;
    }
    const isIndented = /^(?: {2,}|\t)/.test(line.text);
    if (line !== first && !isIndented && (afterBlank ? !isListItem(line.text) : startsBlock(line.text) && !isListItem(line.text)))
      break;
    if (line !== first && isRule(line.text) && !isIndented) break;
    const fence = /^\s*(?:(?:[-+*]|\d{1,9}[.)])\s+)?(`{3,}|~{3,})/.exec(line.text)?.[1];
    end = fence === undefined ? line.end : fenceEnd(text, line, fence);
    afterBlank = false;
    line = lineAt(text, end + 1);
  }
  return end;
}

function indentedEnd(text: string, first: Line): number {
  let end = first.end;
  for (let line = lineAt(text, first.next); line.start < text.length; line = lineAt(text, line.next)) {
    if (isBlank(line.text)) continue;
    if (!/^(?: {4}|\t)/.test(line.text)) break;
    end = line.end;
  }
  return end;
}

/** CommonMark's HTML blocks of kinds 1 and 6. */
const htmlStart =
  /^ {0,3}<\/?(?:address|article|aside|blockquote|body|center|dd|details|dialog|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|iframe|li|main|menu|nav|ol|option|p|pre|script|section|style|summary|table|tbody|td|tfoot|th|thead|tr|ul)(?:[\s>]|\/>|$)/i;

/** Up to a blank line; a table and what is raw up to its end tag, as far as there is one. */
function htmlEnd(text: string, first: Line, closings: Closings): number {
  const name = /^ {0,3}<(table|pre|script|style)\b/i.exec(first.text)?.[1];
  return name === undefined ? runEnd(text, first, () => true) : lineEndAfter(text, first, closings(`</${name.toLowerCase()}>`));
}

/** How far a closing sign is looked for. */
const closingSearchMax = 1024 * 1024;

/** Where `sign` stands next at or after an offset, in letters of either case; the end of the text when nowhere. */
type Closings = (sign: string) => (from: number) => number;

/** Each sign is looked for once over the whole text, however many blocks ask: offsets asked for must only grow. */
function createClosings(text: string): Closings {
  const finders = new Map<string, (from: number) => number>();
  const finderOf = (sign: string): ((from: number) => number) => {
    const pattern = new RegExp(sign, 'gi');
    let found = -1;
    return (from) => {
      if (found >= from) return found;
      pattern.lastIndex = from;
      return (found = pattern.exec(text)?.index ?? text.length);
    };
  };
  return (sign) => {
    const finder = finders.get(sign) ?? finderOf(sign);
    finders.set(sign, finder);
    return finder;
  };
}

/** The end of the line that holds the closing sign; of the lines up to a blank one when there is none near. */
function lineEndAfter(text: string, first: Line, closing: (from: number) => number): number {
  const at = closing(first.start);
  const isNear = at < text.length && at - first.start < closingSearchMax;
  return isNear ? lineAt(text, at).end : runEnd(text, first, () => true);
}

function isTable(text: string, line: Line): boolean {
  if (!line.text.includes('|')) return false;
  const second = lineAt(text, line.next).text;
  return /^[ \t|:-]+$/.test(second) && second.includes('-') && (second.includes('|') || line.text.trim().startsWith('|'));
}

/** What ends a paragraph without a blank line before it. */
function startsBlock(line: string): boolean {
  return /^ {0,3}(?:#{1,6}(?:[ \t]|$)|>|`{3}|~{3}|[-+*][ \t]+\S|1[.)][ \t]+\S)/.test(line) || isRule(line);
}

function isListItem(line: string): boolean {
  return /^ {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)/.test(line) && !isRule(line);
}

function isRule(line: string): boolean {
  return /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/.test(line);
}

function isBlank(line: string): boolean {
  return !/\S/.test(line);
}
