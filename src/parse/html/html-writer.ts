/** HTML as Markdown blocks: the part that HTML files, the chapters of an EPUB and the bodies of mails have in common. */
import type { ListItem, MarkdownBuilder, Place } from '../markdown-builder.ts';
import {
  type HtmlBlock,
  type HtmlCell,
  type HtmlDocument,
  type HtmlLimits,
  type HtmlList,
  type HtmlTable,
  readHtmlBlocks,
} from './html-blocks.ts';

export type HtmlWriteOptions = {
  readonly limits: HtmlLimits;
  /** Where all of it stands. */
  readonly place?: Place;
  /** Added to heading levels, e.g. 1 when the HTML is a section of something larger. */
  readonly levelShift?: number;
};

/** What the HTML says about itself. */
export type HtmlMeta = Pick<HtmlDocument, 'title' | 'author' | 'language'>;

/**
 * Writes the text of an HTML document or fragment, of any size and any nesting, in linear time. Navigation is left out, unless
 * there is nothing else. @throws DocumentError `limit_exceeded` from the builder.
 */
export function writeHtml(html: string, builder: MarkdownBuilder, options: HtmlWriteOptions): HtmlMeta {
  const { limits } = options;
  const main = readHtmlBlocks(html, { limits, mainOnly: true });
  const document = main.blocks.length > 0 ? main : readHtmlBlocks(html, { limits, mainOnly: false });
  writeBlocks(document.blocks, builder, options);
  return { title: document.title, author: document.author, language: document.language };
}

/** Writes blocks as they are. @throws DocumentError `limit_exceeded` from the builder. */
export function writeBlocks(blocks: readonly HtmlBlock[], builder: MarkdownBuilder, options: HtmlWriteOptions): void {
  const { place } = options;
  for (const block of blocks) {
    if (block.kind === 'heading') builder.heading(block.level + (options.levelShift ?? 0), block.text, place);
    else if (block.kind === 'paragraph') builder.paragraph(block.text, place);
    else if (block.kind === 'code') builder.code(block.text, block.language, place);
    else if (block.kind === 'quote') writeQuote(block.blocks, builder, options);
    else if (block.kind === 'list') writeList(block, builder, options);
    else writeTable(block, builder, options);
  }
}

function writeQuote(blocks: readonly HtmlBlock[], builder: MarkdownBuilder, options: HtmlWriteOptions): void {
  const texts = blocks.map((block) => (block.kind === 'paragraph' ? block.text : null));
  if (texts.every((text) => text !== null)) builder.quote(texts.join('\n\n'), options.place);
  else writeBlocks(blocks, builder, options);
}

/** One list block; a heading, table or piece of code inside an item stands between two, since no list line can hold it. */
function writeList(list: HtmlList, builder: MarkdownBuilder, options: HtmlWriteOptions): void {
  let pending: ListItem[] = [];
  for (const each of listParts(list, 0)) {
    if ('depth' in each) {
      pending.push(each);
      continue;
    }
    builder.list(pending, options.place);
    pending = [];
    writeBlocks([each], builder, options);
  }
  builder.list(pending, options.place);
}

function* listParts(list: HtmlList, depth: number): Generator<ListItem | HtmlBlock> {
  for (const item of list.items) {
    const at = depth + item.indent;
    let text = '';
    /** After a block of its own the rest of the item is no list line any more. */
    let isBroken = false;
    let isWritten = false;
    const line = (): ListItem => ({
      text,
      depth: at,
      ordered: list.ordered,
      ...(item.number === null ? {} : { number: item.number }),
    });
    for (const block of item.blocks) {
      const inline = block.kind === 'list' ? null : inlineText(block);
      if (inline !== null && !isBroken && !isWritten) {
        text = text === '' ? inline : `${text}\n${inline}`;
        continue;
      }
      if (text !== '' && !isWritten) yield line();
      isWritten = true;
      if (block.kind === 'list') yield* listParts(block, isBroken ? depth : at + (text === '' ? 0 : 1));
      else if (inline !== null && !isBroken) yield { text: inline, depth: at + 1, ordered: false };
      else {
        isBroken = true;
        yield block;
      }
    }
    if (text !== '' && !isWritten) yield line();
  }
}

/** A block that a list line can hold. */
function inlineText(block: HtmlBlock): string | null {
  if (block.kind === 'paragraph') return block.text;
  if (block.kind === 'quote' && block.blocks.every((each) => each.kind === 'paragraph')) return flatText(block.blocks);
  if (block.kind === 'table' && block.rows.length === 1 && block.rows[0]!.length === 1) return flatText(block.rows[0]![0]!.blocks);
  return null;
}

function writeTable(table: HtmlTable, builder: MarkdownBuilder, options: HtmlWriteOptions): void {
  if (isLayout(table)) {
    for (const row of table.rows) for (const cell of row) writeBlocks(cell.blocks, builder, options);
    return;
  }
  let columns = 0;
  for (const row of gridRows(table, cellColumns)) columns = Math.max(columns, row.length);
  if (columns > 0 && table.rows.some((row) => row.some((cell) => cell.blocks.length > 0))) {
    const rows = Iterator.from(gridRows(table, cellText)).filter((row) => row.some((cell) => cell !== ''));
    builder.table(rows, { ...options.place, columns });
  }
}

/** Text that one cell holds before a table without headers is taken for the frame of a page. */
const layoutCellCharacters = 1000;

/** Old pages and mails are laid out in tables: such a table holds other structure, not rows and columns. */
function isLayout(table: HtmlTable): boolean {
  if (table.isLayout) return true;
  if (table.isData) return false;
  const cells = table.rows.flat();
  if (cells.length === 1) return true;
  return cells.some((cell) => {
    if (cell.blocks.some((block) => block.kind === 'table')) return true;
    return cell.blocks.length >= 4 || (cell.blocks.length >= 2 && flatText(cell.blocks).length > layoutCellCharacters);
  });
}

/** A spanned cell's text is repeated in each place up to this length: a column's header belongs to all its columns. */
const repeatedCharactersMax = 200;

/** Past so many cells, spans are not written out any more: a few kilobytes can ask for billions. */
const spannedCellsMax = 4_000_000;

/**
 * The rows with their spans written out, one at a time. A row that holds nothing but the beginnings of longer cells is left out:
 * all it says stands in the rows below.
 */
function* gridRows(table: HtmlTable, textOf: (cell: HtmlCell) => string): Generator<string[]> {
  let above: { text: string; rows: number }[] = [];
  let written = 0;
  for (const [index, row] of table.rows.entries()) {
    const cells: string[] = [];
    const next: typeof above = [];
    const place = (text: string, rows: number): void => {
      if (rows > 1 && written < spannedCellsMax) next[cells.length] = { text: repeatable(text), rows: rows - 1 };
      cells.push(text);
    };
    const carry = (): void => {
      for (let held = above[cells.length]; held !== undefined; held = above[cells.length]) place(held.text, held.rows);
    };
    for (const cell of row) {
      carry();
      const text = textOf(cell);
      const columns = written < spannedCellsMax ? cell.columns : 1;
      for (let column = 0; column < columns; column++) place(column === 0 ? text : repeatable(text), cell.rows);
    }
    while (cells.length < above.length) {
      const held = above[cells.length];
      place(held?.text ?? '', held?.rows ?? 1);
    }
    above = next;
    written += cells.length;
    const isOnlyBeginnings = row.length > 0 && row.every((cell) => cell.rows > 1 && textOf(cell).length <= repeatedCharactersMax);
    if (!isOnlyBeginnings || index === table.rows.length - 1) yield cells;
  }
}

function repeatable(text: string): string {
  return text.length > repeatedCharactersMax ? '' : text;
}

function cellColumns(): string {
  return '';
}

function cellText(cell: HtmlCell): string {
  return flatText(cell.blocks);
}

/** All text of the blocks on one line. */
function flatText(blocks: readonly HtmlBlock[]): string {
  if (blocks.length === 1 && blocks[0]!.kind === 'paragraph') return blocks[0]!.text;
  return blocks
    .map(blockText)
    .filter((text) => text !== '')
    .join(' ');
}

function blockText(block: HtmlBlock): string {
  if (block.kind === 'quote') return flatText(block.blocks);
  if (block.kind === 'list') return block.items.map((item) => flatText(item.blocks)).join('; ');
  if (block.kind === 'table') return block.rows.flatMap((row) => row.map((cell) => flatText(cell.blocks))).join(' ');
  return block.text;
}
