/**
 * The one way in which parsers write Markdown: block after block, each with its exact offsets and page, and with the limits
 * on characters and cells counted as the text grows.
 *
 * Text given here is inline text as the reader should see it. It is written to the letter, because it is searched and quoted:
 * no emphasis is added and nothing inside a line is escaped. A backslash goes only where the beginning of a line would change
 * what the block is or make text disappear: a heading's `#`, a quote's `>`, a fence, an underline, an HTML tag, a link
 * definition; and before a pipe in a table cell. List markers stay (`1. Scope` reads the same either way).
 */
import { DocumentError } from '../../errors.ts';
import type { Block, BlockKind, PageBreak, ParseLimits } from '../parser.ts';

/** Where a block stands: nothing, a page, or the pages it runs over. */
export type Place = {
  readonly page?: number | null;
  readonly pageEnd?: number;
  /** For `paragraph` and `raw`: where later pages begin, as offsets into the text that is given. */
  readonly pageBreaks?: readonly PageBreak[];
};

export type ListItem = {
  /** May hold several lines. */
  readonly text: string;
  /** 0 is outermost; never deeper than one below the item before, and brought there. */
  readonly depth: number;
  readonly ordered: boolean;
  /** Of an ordered item. */
  readonly number?: number;
};

export interface MarkdownBuilder {
  /** Levels outside 1–6 are brought inside. Empty text adds nothing; so everywhere below. */
  heading(level: number, text: string, place?: Place): void;
  paragraph(text: string, place?: Place): void;
  list(items: readonly ListItem[], place?: Place): void;
  /**
   * A GFM table; the first row is the header. Rows are padded to the widest, or to `columns` where that is given: then rows are
   * taken one by one and need not be in memory together. Of a table that is mostly padding, later rows stay short, as GFM allows.
   */
  table(rows: Iterable<readonly string[]>, place?: Place & { readonly columns?: number }): void;
  /** A fenced block; the text is kept to the letter. */
  code(text: string, language?: string, place?: Place): void;
  quote(text: string, place?: Place): void;
  /** Markdown that is already right, e.g. from a Markdown file. */
  raw(kind: BlockKind, markdown: string, place?: Place & { level?: number }): void;
  /** Characters written so far. */
  readonly characters: number;
  finish(): { markdown: string; blocks: readonly Block[] };
}

/** What a block costs beside its text: ten million paragraphs of one word took 2.8 GB (measured). */
export const blockCharacters = 100;

/** Empty cells that fill up short rows, beside those for each cell that is there: one wide row must not make a million rows wide. */
const paddingBase = 10_000;
const paddingPerCell = 2;

/** @throws DocumentError `limit_exceeded` from any method, naming the setting, when a limit is met. */
export function createMarkdownBuilder(limits: Pick<ParseLimits, 'charactersMax' | 'cellsMax'>): MarkdownBuilder {
  const parts: string[] = [];
  const blocks: Block[] = [];
  let length = 0;
  let cells = 0;

  function write(text: string): void {
    length += text.length;
    if (length + blocks.length * blockCharacters > limits.charactersMax) {
      throw new DocumentError(
        'limit_exceeded',
        `The document has more than ${limits.charactersMax} characters of text, ${blockCharacters} counted for each paragraph (MAX_CHARACTERS)`,
      );
    }
    parts.push(text);
  }

  function countCells(count: number): void {
    cells += count;
    if (cells > limits.cellsMax) {
      throw new DocumentError('limit_exceeded', `The document has more than ${limits.cellsMax} table cells (MAX_CELLS)`);
    }
  }

  /** Runs `writeText` as one block. */
  function block(
    kind: BlockKind,
    place: Place & { level?: number },
    writeText: (start: number) => readonly PageBreak[] | undefined,
  ) {
    if (blocks.length > 0) write('\n\n');
    const start = length;
    const pageBreaks = writeText(start);
    blocks.push({
      kind,
      start,
      end: length,
      page: place.page ?? null,
      ...(place.pageEnd === undefined || place.pageEnd === place.page ? {} : { pageEnd: place.pageEnd }),
      ...(place.level === undefined ? {} : { level: place.level }),
      ...(pageBreaks === undefined || pageBreaks.length === 0 ? {} : { pageBreaks }),
    });
  }

  function add(kind: BlockKind, text: string, place: Place & { level?: number } = {}): void {
    if (!/\S/.test(text)) return;
    block(kind, place, (start) => {
      write(text);
      return place.pageBreaks?.map(({ offset, page }) => ({ offset: start + offset, page }));
    });
  }

  return {
    heading(level, text, place) {
      const bounded = Math.min(6, Math.max(1, Math.round(level) || 1));
      const line = oneLine(text);
      if (line !== '') add('heading', `${'#'.repeat(bounded)} ${line}`, { ...place, level: bounded });
    },
    paragraph(text, place = {}) {
      const trimmed = text.trim();
      if (place.pageBreaks === undefined) return add('paragraph', escapeLines(trimmed), place);
      const lead = text.length - text.trimStart().length;
      const added = escapedAt(trimmed);
      const pageBreaks = place.pageBreaks.map(({ offset, page }) => {
        const inside = Math.max(0, Math.min(offset - lead, trimmed.length));
        return { offset: inside + added.filter((at) => at < inside).length, page };
      });
      add('paragraph', escapeLines(trimmed), { ...place, pageBreaks });
    },
    list: (items, place) => add('list', listText(items), place),
    table(rows, place = {}) {
      const known = place.columns;
      const source = known === undefined ? [...rows] : rows;
      const columns = known ?? (source as readonly (readonly string[])[]).reduce((widest, row) => Math.max(widest, row.length), 0);
      if (columns === 0 || (Array.isArray(source) && !source.some(hasText))) return;
      countCells(0);
      block('table', { page: place.page ?? null, ...(place.pageEnd === undefined ? {} : { pageEnd: place.pageEnd }) }, () => {
        let index = 0;
        let paddingLeft = paddingBase;
        for (const row of source) {
          paddingLeft += row.length * paddingPerCell;
          const width = Math.max(row.length, Math.min(columns, row.length + paddingLeft));
          paddingLeft -= width - row.length;
          countCells(width);
          write(`${index === 0 ? '' : '\n'}${rowText(row, width)}`);
          if (index === 0) write(`\n|${' --- |'.repeat(columns)}`);
          index += 1;
        }
        return undefined;
      });
    },
    code(text, language = '', place) {
      const body = trimLines(text);
      const fence = '`'.repeat(Math.max(3, longestRun(body, '`') + 1));
      if (body !== '') add('code', `${fence}${language.replace(/[\s`]+/g, '')}\n${body}\n${fence}`, place);
    },
    quote(text, place) {
      const lines = escapeLines(text.trim()).split('\n');
      add('quote', lines.length === 1 && lines[0] === '' ? '' : lines.map((line) => `> ${line}`.trimEnd()).join('\n'), place);
    },
    raw: add,
    get characters() {
      return length;
    },
    /* A lone surrogate would come back from disk as U+FFFD: be the same from the start. */
    finish: () => ({ markdown: parts.join('').toWellFormed(), blocks }),
  };
}

/** What must not stand unescaped at the beginning of a line of text; see the module comment. */
const structural =
  /^(?=[ \t]{0,3}(?:#{1,6}(?:[ \t]|$)|>|`{3}|~{3}|[<][A-Za-z/!?]|\[[^\]\n]{1,200}\]:|(?:=+|-{2,}|-|\*{3,}|_{3,})[ \t]*$))[ \t]{0,3}/gm;

function escapeLines(text: string): string {
  return mayBeStructural(text) ? text.replace(structural, (lead) => `${lead}\\`) : text;
}

/** The offsets in `text` before which `escapeLines` puts a backslash. */
function escapedAt(text: string): number[] {
  return mayBeStructural(text) ? [...text.matchAll(structural)].map((match) => match.index + match[0].length) : [];
}

/** A quick no for most text. */
function mayBeStructural(text: string): boolean {
  return /[#>`~<[\-=*_]/.test(text);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function trimLines(text: string): string {
  const first = text.search(/\S/);
  return first === -1 ? '' : text.slice(text.lastIndexOf('\n', first) + 1).trimEnd();
}

/** Deeper items stand on this level: indentation alone could make a file a hundred times its size. */
const listDepthMax = 20;

/** An item's children stand where its text begins, as CommonMark wants it, however wide its marker is. */
function listText(items: readonly ListItem[]): string {
  const lines: string[] = [];
  const columns: number[] = [0];
  for (const item of items) {
    const text = item.text.trim();
    if (text === '') continue;
    const depth = Math.max(0, Math.min(Math.round(item.depth), columns.length - 1, listDepthMax));
    const marker = item.ordered ? `${Math.max(0, Math.min(999_999_999, Math.round(item.number ?? 1)))}. ` : '- ';
    const column = columns[depth]!;
    columns.length = depth + 1;
    columns.push(column + marker.length);
    const [first = '', ...more] = escapeLines(text)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
    lines.push(`${' '.repeat(column)}${marker}${first}`);
    for (const line of more) lines.push(`${' '.repeat(column + marker.length)}${line}`);
  }
  return lines.join('\n');
}

function hasText(row: readonly string[]): boolean {
  return row.some((cell) => /\S/.test(cell));
}

function rowText(row: readonly string[], columns: number): string {
  let line = '|';
  for (let column = 0; column < Math.max(columns, row.length); column++) line += ` ${cellText(row[column] ?? '')} |`;
  return line;
}

function cellText(cell: string): string {
  if (cell === '') return '';
  const line = oneLine(cell);
  return line.includes('|') ? line.replaceAll('|', '\\|') : line;
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    run = text[at - 1] === character ? run + 1 : 1;
    if (run > longest) longest = run;
  }
  return longest;
}
