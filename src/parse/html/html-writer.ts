/** HTML as Markdown blocks: the part that HTML files, the chapters of an EPUB and the bodies of mails have in common. */
import type { ListItem, MarkdownBuilder, Place } from '../markdown/markdown-builder.ts';
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
  const writer: ListWriter = {
    line: (item) => void pending.push(item),
    block(block) {
      builder.list(pending, options.place);
      pending = [];
      writeBlocks([block], builder, options);
    },
  };
  writeItems(list, 0, writer);
  builder.list(pending, options.place);
}

type ListWriter = { readonly line: (item: ListItem) => void; readonly block: (block: HtmlBlock) => void };

/** Calls, not a generator of generators: those would hand each line of the deepest list through all lists around it. */
function writeItems(list: HtmlList, depth: number, to: ListWriter): void {
  for (const item of list.items) {
    const at = depth + item.indent;
    let text = '';
    /** After a block of its own the rest of the item is no list line any more. */
    let isBroken = false;
    let isWritten = false;
    const writeLine = (): void => {
      if (text === '' || isWritten) return;
      to.line({ text, depth: at, ordered: list.ordered, ...(item.number === null ? {} : { number: item.number }) });
    };
    for (const block of item.blocks) {
      const inline = block.kind === 'list' ? null : inlineText(block);
      if (inline !== null && !isBroken && !isWritten) {
        text = text === '' ? inline : `${text}\n${inline}`;
        continue;
      }
      writeLine();
      isWritten = true;
      if (block.kind === 'list') writeItems(block, isBroken ? depth : at + (text === '' ? 0 : 1), to);
      else if (inline !== null && !isBroken) to.line({ text: inline, depth: at + 1, ordered: false });
      else {
        isBroken = true;
        to.block(block);
      }
    }
    writeLine();
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
    return cell.blocks.length >= 4 || (cell.blocks.length >= 2 && charactersLeft(cell.blocks, layoutCellCharacters) < 0);
  });
}

/** What is left of `characters` after the text of the blocks; looks no further once it is below 0, however much lies inside. */
function charactersLeft(blocks: readonly HtmlBlock[], characters: number): number {
  let left = characters;
  for (const block of blocks) {
    if (left < 0) break;
    for (const inner of blocksInside(block)) if (left >= 0) left = charactersLeft(inner, left);
    if ('text' in block) left -= block.text.length + 1;
  }
  return left;
}

function blocksInside(block: HtmlBlock): readonly (readonly HtmlBlock[])[] {
  if (block.kind === 'quote') return [block.blocks];
  if (block.kind === 'list') return block.items.map((item) => item.blocks);
  return block.kind === 'table' ? block.rows.flatMap((row) => row.map((cell) => cell.blocks)) : [];
}

/** A spanned cell's text is repeated in each place up to this length: a column's header belongs to all its columns. */
const repeatedCharactersMax = 200;

/** Cells that spans may add to a table, beside those for each cell that is there: a few kilobytes can ask for billions. */
const spannedCellsBase = 50_000;
const spannedCellsPerCell = 4;

/**
 * The rows with their spans written out, one at a time. A row that holds nothing but the beginnings of longer cells is left out:
 * all it says stands in the rows below.
 */
function* gridRows(table: HtmlTable, textOf: (cell: HtmlCell) => string): Generator<string[]> {
  let above: { text: string; rows: number }[] = [];
  let spansLeft = spannedCellsBase;
  for (const [index, row] of table.rows.entries()) {
    spansLeft += row.length * spannedCellsPerCell;
    const cells: string[] = [];
    const next: typeof above = [];
    const place = (text: string, rows: number): void => {
      if (rows > 1 && spansLeft > 0) {
        next[cells.length] = { text: repeatable(text), rows: rows - 1 };
        spansLeft -= 1;
      }
      cells.push(text);
    };
    const carry = (): void => {
      for (let held = above[cells.length]; held !== undefined; held = above[cells.length]) place(held.text, held.rows);
    };
    for (const cell of row) {
      carry();
      const text = textOf(cell);
      const columns = Math.min(cell.columns, Math.max(1, spansLeft));
      spansLeft -= columns - 1;
      for (let column = 0; column < columns; column++) place(column === 0 ? text : repeatable(text), cell.rows);
    }
    while (cells.length < above.length && spansLeft > 0) {
      const held = above[cells.length];
      if (held === undefined) spansLeft -= 1;
      place(held?.text ?? '', held?.rows ?? 1);
    }
    above = next;
    const isOnlyBeginnings =
      spansLeft > 0 && row.length > 0 && row.every((cell) => cell.rows > 1 && textOf(cell).length <= repeatedCharactersMax);
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
  const pieces: string[] = [];
  addFlat(blocks, pieces);
  return pieces.join('');
}

/** Into one list of pieces, since a text put together at each level would be copied as often as it is deep. */
function addFlat(blocks: readonly HtmlBlock[], pieces: string[]): void {
  let isFirst = true;
  for (const block of blocks) {
    const before = pieces.length;
    if (!isFirst) pieces.push(' ');
    const start = pieces.length;
    if ('text' in block) pieces.push(block.text);
    else
      for (const [at, inner] of blocksInside(block).entries()) {
        if (at > 0) pieces.push(block.kind === 'list' ? '; ' : ' ');
        addFlat(inner, pieces);
      }
    if (pieces.length === start) pieces.length = before;
    else isFirst = false;
  }
}
