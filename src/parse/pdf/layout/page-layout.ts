/**
 * From the text of pages, wherever it comes from, to Markdown: blocks of each page in reading order, then headings, lists and running
 * heads of the document as a whole. Serves every format whose pages are fixed.
 */
import type { MarkdownBuilder, ListItem } from '../../markdown/markdown-builder.ts';
import { type Bookmark, fullText, headingLevels } from './headings.ts';
import { blocksOf, endsSentence, joinText, plainBlocks, type PageBlock, type TextBlock } from './page-blocks.ts';
import { joinedLinks, linkedRows, linkedText } from './page-links.ts';
import type { Frame, PageText, Span } from './page-spans.ts';
import type { SeenPart } from './scanned-parts.ts';
import { pagesNamed } from './seeing-notes.ts';
import { columnsOf } from './reading-order.ts';
import { type FoundTable, takeRuledTables } from './ruled-tables.ts';
import { withoutRunningHeads } from './running-heads.ts';

/**
 * Writes the blocks of all pages. Returns the first heading of the first two pages, or null.
 * @throws DocumentError `limit_exceeded` from the builder.
 */
export function writePages(
  blocks: readonly PageBlock[],
  pageCount: number,
  bookmarks: readonly Bookmark[],
  builder: MarkdownBuilder,
): string | null {
  const body = joinAcross(withoutRunningHeads(blocks, pageCount));
  const levels = headingLevels(body, bookmarks);
  write(body, levels, builder);
  return firstHeading(body, levels);
}

/** The blocks of one page in reading order, with what was `seen` in its pictures; `checkTime` is called often. */
export function blocksOfPage(text: PageText, number: number, checkTime: () => void, seen: readonly SeenPart[] = []): PageBlock[] {
  const blocks: PageBlock[] = [];
  for (const [index, frame] of text.frames.entries()) {
    const { tables, rest } = takeRuledTables(frame);
    const parts = index === 0 ? seen.map((part) => spanOfPart(part, frame)) : [];
    for (const column of columnsOf([...rest, ...tables.map(spanOfTable), ...parts])) {
      checkTime();
      blocks.push(...blocksOf(column, number, frame.height));
    }
  }
  return blocks;
}

/** What OCR saw of a page: paragraphs lie between empty lines. */
export function seenBlocks(text: string, page: number): TextBlock[] {
  return plainBlocks(text, page, 10);
}

/** What is said beside a page (a remark, a stamp), as paragraphs in the smallest type of that page's `blocks`, and so never headings. */
export function remarkBlocks(text: string, page: number, blocks: readonly PageBlock[]): TextBlock[] {
  let size = Infinity;
  for (let at = blocks.length - 1; at >= 0 && blocks[at]!.page === page; at--) {
    const block = blocks[at]!;
    if (block.kind === 'text') size = Math.min(size, block.size);
  }
  return plainBlocks(text, page, size === Infinity ? 10 : size);
}

/** Stands where the table stands, so that reading order places it. */
function spanOfTable(table: FoundTable): Span {
  const plain = { text: '', bold: false, italic: false, mono: false, rightToLeft: false, words: [] };
  return { ...plain, left: table.left, right: table.right, baseline: table.top + 1, size: table.size, table: table.rows };
}

/** The same of a picture, in the size of type that is usual around it, and no wider than the text: how full its lines are must stay true. */
function spanOfPart({ text, left, top, right }: SeenPart, { spans }: Frame): Span {
  const sizes = spans.map(({ size }) => size).sort((one, other) => one - other);
  const plain = { text: '', bold: false, italic: false, mono: false, rightToLeft: false, words: [] };
  const [first, last] = spans.reduce(
    ([from, to], span) => [Math.min(from, span.left), Math.max(to, span.right)] as const,
    spans.length === 0 ? ([left, right] as const) : ([Infinity, -Infinity] as const),
  );
  const start = Math.min(Math.max(left, first), last);
  const end = Math.max(start, Math.min(right, last));
  return { ...plain, left: start, right: end, baseline: top + 1, size: sizes[sizes.length >> 1] ?? 10, seen: text };
}

/** A sentence cut by the end of a column or page goes on in the next block. */
function joinAcross(blocks: readonly PageBlock[]): PageBlock[] {
  const joined: PageBlock[] = [];
  for (const block of blocks) {
    const above = joined.at(-1);
    if (above?.kind === 'text' && block.kind === 'text' && continuesIn(above, block)) {
      const text = joinText(above.text, block.text);
      joined[joined.length - 1] = {
        ...above,
        text,
        ...joinedLinks(above, block, text),
        lineCount: above.lineCount + block.lineCount,
        bottom: block.bottom,
        open: block.open,
        ...(block.page === above.page ? {} : { pageEnd: block.page }),
      };
    } else joined.push(block);
  }
  return joined;
}

function continuesIn(above: TextBlock, block: TextBlock): boolean {
  if (block.marker !== undefined) return false;
  if (!above.open || endsSentence(above.text) || above.bold !== block.bold) return false;
  if (Math.abs(above.size - block.size) > above.size * 0.05) return false;
  const apart = block.page !== above.page || block.top < above.top;
  return apart && !/^\p{Lu}/u.test(block.text) && above.lineCount >= 2;
}

/* Writing. */

function write(blocks: readonly PageBlock[], levels: ReadonlyMap<PageBlock, number>, builder: MarkdownBuilder): void {
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]!;
    const place = { page: block.page, ...('pageEnd' in block && block.pageEnd !== undefined ? { pageEnd: block.pageEnd } : {}) };
    const level = levels.get(block);
    if (block.kind === 'code') builder.code(block.text, '', place);
    else if (block.kind === 'table') builder.table(linkedRows(block), place);
    else if (level !== undefined) builder.heading(level, fullText(linked(block)), place);
    else if (block.marker !== undefined) {
      const run = listRun(blocks, levels, index);
      if (run.length > 0) {
        const last = run.at(-1)!;
        const end = last.pageEnd ?? last.page;
        builder.list(itemsOf(run), { page: block.page, ...(end === block.page ? {} : { pageEnd: end }) });
        index += run.length - 1;
      } else builder.paragraph(fullText(linked(block)), place);
    } else builder.paragraph(linked(block).text, place);
  }
}

function linked(block: TextBlock): TextBlock {
  return block.links === undefined ? block : { ...block, text: linkedText(block.text, block.links) };
}

/** The items from here on that make a list; empty when what begins here is a paragraph that only looks like an item. */
function listRun(blocks: readonly PageBlock[], levels: ReadonlyMap<PageBlock, number>, from: number): TextBlock[] {
  const run: TextBlock[] = [];
  for (let index = from; index < blocks.length; index++) {
    const block = blocks[index]!;
    if (block.kind !== 'text' || block.marker === undefined || levels.has(block)) break;
    run.push(block);
  }
  const marker = run[0]!.marker!;
  const certain = marker.number === null && !/^[-–—*]$/.test(marker.symbol);
  return certain || run.length >= 2 ? run : [];
}

/** Depths from where the markers stand. */
function itemsOf(run: readonly TextBlock[]): ListItem[] {
  const stops: number[] = [];
  return run.map((block) => {
    const { left, number } = block.marker!;
    while (stops.length > 0 && stops.at(-1)! > left + 3) stops.pop();
    if (stops.length === 0 || left > stops.at(-1)! + 6) stops.push(left);
    return { text: linked(block).text, depth: stops.length - 1, ordered: number !== null, ...(number === null ? {} : { number }) };
  });
}

function firstHeading(blocks: readonly PageBlock[], levels: ReadonlyMap<PageBlock, number>): string | null {
  const heading = blocks.find((block): block is TextBlock => block.kind === 'text' && levels.has(block) && block.page <= 2);
  return heading === undefined ? null : fullText(heading);
}

/** One sentence where pages that a file lists are not in it; none otherwise. */
export function warningOfMissing(pages: readonly number[]): string[] {
  if (pages.length === 0) return [];
  return [`Pages that are missing in the file: ${pagesNamed(pages)}`];
}
