/**
 * The one way in which parsers write Markdown: block after block, each with its exact offsets and page, and with the limits
 * on characters and cells counted as the text grows. Text given here is inline text as the reader should see it; what
 * would change the structure of the block (a pipe in a cell, a line break in a heading) is made harmless here.
 */
import { DocumentError } from '../errors.ts';
import type { Block, BlockKind, ParseLimits } from './parser.ts';

/** Where a block stands: nothing, a page, or the pages it runs over. */
export type Place = { readonly page?: number | null; readonly pageEnd?: number };

export type ListItem = {
  readonly text: string;
  /** 0 is outermost. */ readonly depth: number;
  readonly ordered: boolean;
  /** Of an ordered item. */ readonly number?: number;
};

export interface MarkdownBuilder {
  /** Levels outside 1–6 are brought inside. Empty text adds nothing; so everywhere below. */
  heading(level: number, text: string, place?: Place): void;
  paragraph(text: string, place?: Place): void;
  list(items: readonly ListItem[], place?: Place): void;
  /** A GFM table; the first row is the header. Rows are padded to the widest. */
  table(rows: readonly (readonly string[])[], place?: Place): void;
  /** A fenced block; the text is kept to the letter. */
  code(text: string, language?: string, place?: Place): void;
  quote(text: string, place?: Place): void;
  /** Markdown that is already right, e.g. from a Markdown file. */
  raw(kind: BlockKind, markdown: string, place?: Place & { level?: number }): void;
  /** Characters written so far. */
  readonly characters: number;
  finish(): { markdown: string; blocks: readonly Block[] };
}

/** @throws DocumentError `limit_exceeded` from any method, naming the setting, when a limit is met. */
export function createMarkdownBuilder(limits: Pick<ParseLimits, 'charactersMax' | 'cellsMax'>): MarkdownBuilder {
  const parts: string[] = [];
  const blocks: Block[] = [];
  let length = 0;
  let cells = 0;

  function add(kind: BlockKind, text: string, place: Place & { level?: number } = {}): void {
    if (text.trim() === '') return;
    const gap = blocks.length === 0 ? '' : '\n\n';
    const start = length + gap.length;
    length = start + text.length;
    if (length > limits.charactersMax) {
      throw new DocumentError(
        'limit_exceeded',
        `The document holds more than ${limits.charactersMax} characters of text (MAX_CHARACTERS)`,
      );
    }
    parts.push(gap, text);
    blocks.push({
      kind,
      start,
      end: length,
      page: place.page ?? null,
      ...(place.pageEnd === undefined || place.pageEnd === place.page ? {} : { pageEnd: place.pageEnd }),
      ...(place.level === undefined ? {} : { level: place.level }),
    });
  }

  return {
    heading(level, text, place) {
      const bounded = Math.min(6, Math.max(1, Math.round(level)));
      const line = oneLine(text);
      if (line !== '') add('heading', `${'#'.repeat(bounded)} ${line}`, { ...place, level: bounded });
    },
    paragraph: (text, place) => add('paragraph', text.trim(), place),
    list: (items, place) =>
      add(
        'list',
        items
          .map(listLine)
          .filter((line) => line !== '')
          .join('\n'),
        place,
      ),
    table(rows, place) {
      const columns = rows.reduce((widest, row) => Math.max(widest, row.length), 0);
      cells += columns * rows.length;
      if (cells > limits.cellsMax)
        throw new DocumentError('limit_exceeded', `The document holds more than ${limits.cellsMax} table cells (MAX_CELLS)`);
      if (columns > 0 && rows.some((row) => row.some((cell) => cell.trim() !== ''))) add('table', tableText(rows, columns), place);
    },
    code(text, language = '', place) {
      const body = text.replace(/\n+$/, '');
      const fence = '`'.repeat(Math.max(3, longestRun(body, '`') + 1));
      if (body.trim() !== '') add('code', `${fence}${language}\n${body}\n${fence}`, place);
    },
    quote: (text, place) =>
      add(
        'quote',
        text.trim() === ''
          ? ''
          : text
              .trim()
              .split('\n')
              .map((line) => `> ${line}`.trimEnd())
              .join('\n'),
        place,
      ),
    raw: add,
    get characters() {
      return length;
    },
    finish: () => ({ markdown: parts.join(''), blocks }),
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function listLine(item: ListItem): string {
  const text = item.text.trim();
  if (text === '') return '';
  const marker = item.ordered ? `${item.number ?? 1}.` : '-';
  const indent = '    '.repeat(item.depth);
  return `${indent}${marker} ${text.replace(/\s*\n\s*/g, `\n${indent}  `)}`;
}

function tableText(rows: readonly (readonly string[])[], columns: number): string {
  const lines = rows.map((row) => {
    const line = Array.from({ length: columns }, (_, column) => cellText(row[column] ?? ''));
    return `| ${line.join(' | ')} |`;
  });
  lines.splice(1, 0, `|${' --- |'.repeat(columns)}`);
  return lines.join('\n');
}

function cellText(cell: string): string {
  return oneLine(cell).replaceAll('|', '\\|');
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const each of text) {
    run = each === character ? run + 1 : 0;
    if (run > longest) longest = run;
  }
  return longest;
}
