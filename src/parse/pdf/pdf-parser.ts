/**
 * PDF to Markdown: every page is read in reading order, then the document as a whole says what is a heading, a list or a running
 * head. Pages are read one after the other and kept only as blocks.
 */
import { DocumentError } from '../../errors.ts';
import { createMarkdownBuilder, type ListItem, type MarkdownBuilder } from '../markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { type Bookmark, fullText, headingLevels } from './headings.ts';
import { blocksOf, endsSentence, joinText, type PageBlock, type TextBlock } from './page-blocks.ts';
import { readPageText, type Span } from './page-spans.ts';
import { loadPdfium, type Pdfium } from './pdfium.ts';
import { columnsOf } from './reading-order.ts';
import { type FoundTable, takeRuledTables } from './ruled-tables.ts';
import { withoutRunningHeads } from './running-heads.ts';

/** Reads text from a picture. */
export type PageReader = { read(image: Uint8Array): Promise<string> };

export type PdfParserOptions = {
  /** For pages without text of their own; without it they stay empty. */
  readonly ocr?: PageReader;
};

/**
 * One file at a time uses PDFium's instance; a second one at the same time gets its own. An instance that aborted or grew
 * large is not used again.
 */
export function createPdfParser(options: PdfParserOptions = {}): Parser {
  let idle: Pdfium | undefined;
  return {
    async parse(input) {
      const pdfium = idle ?? (await loadPdfium());
      idle = undefined;
      try {
        return await pdfium.withDocument(input.path, (document) => readDocument(pdfium, document, input, options));
      } finally {
        if (pdfium.reusable) idle = pdfium;
      }
    },
  };
}

async function readDocument(
  pdfium: Pdfium,
  document: number,
  input: ParseInput,
  options: PdfParserOptions,
): Promise<ParsedDocument> {
  const pageCount = pdfium.call.FPDF_GetPageCount(document);
  if (pageCount > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The PDF has ${pageCount} pages, more than ${input.limits.pagesMax} (MAX_PAGES)`);
  }
  const { blocks, unread } = await readPages(pdfium, document, pageCount, input, options);
  const builder = createMarkdownBuilder(input.limits);
  const body = joinAcross(withoutRunningHeads(blocks, pageCount));
  const levels = headingLevels(body, bookmarksOf(pdfium, document));
  write(body, levels, builder);
  const { markdown, blocks: written } = builder.finish();
  if (markdown === '') throw emptyError(pageCount, unread, options);
  return {
    mediaType: 'application/pdf',
    title: metaText(pdfium, document, 'Title') ?? firstHeading(body, levels),
    author: metaText(pdfium, document, 'Author'),
    language: languageOf(pdfium, document),
    pages: pageCount,
    markdown,
    blocks: written,
    warnings:
      unread.length === 0
        ? []
        : [`Pages that could not be read: ${unread.slice(0, 20).join(', ')}${unread.length > 20 ? ' …' : ''}`],
  };
}

function emptyError(pageCount: number, unread: readonly number[], options: PdfParserOptions): DocumentError {
  if (pageCount === 0 || unread.length === pageCount)
    return new DocumentError('corrupt', 'The PDF is damaged: none of its pages could be read');
  if (options.ocr !== undefined) return new DocumentError('no_text', 'No text found, neither as text nor by OCR');
  return new DocumentError('no_text', 'No text found: this looks like a scan and OCR is not installed');
}

/* Pages. */

async function readPages(
  pdfium: Pdfium,
  document: number,
  pageCount: number,
  input: ParseInput,
  _options: PdfParserOptions,
): Promise<{ blocks: PageBlock[]; unread: number[] }> {
  const blocks: PageBlock[] = [];
  const unread: number[] = [];
  for (let index = 0; index < pageCount; index++) {
    const page = pdfium.call.FPDF_LoadPage(document, index);
    if (page === 0) unread.push(index + 1);
    else {
      try {
        blocks.push(...readPage(pdfium, page, index + 1, input));
      } finally {
        pdfium.call.FPDF_ClosePage(page);
      }
    }
    input.onProgress(index + 1, pageCount);
  }
  return { blocks, unread };
}

function readPage(pdfium: Pdfium, page: number, number: number, input: ParseInput): PageBlock[] {
  const { pageMs, charactersMax } = input.limits;
  const started = performance.now();
  const checkTime = () => {
    if (performance.now() - started > pageMs) {
      throw new DocumentError('timeout', `Page ${number} took longer than ${pageMs} ms to read (PAGE_TIMEOUT_MS)`);
    }
  };
  const text = readPageText(pdfium, page, { glyphsMax: charactersMax, checkTime });
  const blocks: PageBlock[] = [];
  for (const frame of text.frames) {
    const { tables, rest } = takeRuledTables(frame);
    for (const column of columnsOf([...rest, ...tables.map(spanOfTable)])) {
      checkTime();
      blocks.push(...blocksOf(column, number, frame.height));
    }
  }
  return blocks;
}

/** Stands where the table stands, so that reading order places it. */
function spanOfTable(table: FoundTable): Span {
  const plain = { text: '', bold: false, italic: false, mono: false, rightToLeft: false, words: [] };
  return { ...plain, left: table.left, right: table.right, baseline: table.top + 1, size: table.size, table: table.rows };
}

/** A sentence cut by the end of a column or page goes on in the next block. */
function joinAcross(blocks: readonly PageBlock[]): PageBlock[] {
  const joined: PageBlock[] = [];
  for (const block of blocks) {
    const above = joined.at(-1);
    if (above?.kind === 'text' && block.kind === 'text' && continuesIn(above, block)) {
      joined[joined.length - 1] = {
        ...above,
        text: joinText(above.text, block.text),
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
    else if (block.kind === 'table') builder.table(block.rows, place);
    else if (level !== undefined) builder.heading(level, fullText(block), place);
    else if (block.marker !== undefined) {
      const run = listRun(blocks, levels, index);
      if (run.length > 0) {
        const last = run.at(-1)!;
        const end = last.pageEnd ?? last.page;
        builder.list(itemsOf(run), { page: block.page, ...(end === block.page ? {} : { pageEnd: end }) });
        index += run.length - 1;
      } else builder.paragraph(fullText(block), place);
    } else builder.paragraph(block.text, place);
  }
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
    return { text: block.text, depth: stops.length - 1, ordered: number !== null, ...(number === null ? {} : { number }) };
  });
}

/* What the document says of itself. */

function metaText(pdfium: Pdfium, document: number, tag: string): string | null {
  const text = pdfium.utf16((buffer, bytes) => pdfium.call.FPDF_GetMetaText(document, pdfium.constant(tag), buffer, bytes));
  const clean = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return clean === '' || /^(untitled|microsoft word - |.*\.(docx?|dvi|tex|indd|qxd|pdf)$)/i.test(clean) ? null : clean;
}

function languageOf(pdfium: Pdfium, document: number): string | null {
  const tag = pdfium.utf16((buffer, bytes) => pdfium.call.EPDFCatalog_GetLanguage(document, buffer, bytes));
  return /^[a-z]{2,3}(?=$|[-_])/i.exec(tag)?.[0].toLowerCase() ?? null;
}

function firstHeading(blocks: readonly PageBlock[], levels: ReadonlyMap<PageBlock, number>): string | null {
  const heading = blocks.find((block): block is TextBlock => block.kind === 'text' && levels.has(block) && block.page <= 2);
  return heading === undefined ? null : fullText(heading);
}

const bookmarksMax = 5000;

/** Walks the outline at most `bookmarksMax` steps: it may loop. */
function bookmarksOf(pdfium: Pdfium, document: number): Bookmark[] {
  const { call } = pdfium;
  const bookmarks: Bookmark[] = [];
  const stack: { pointer: number; depth: number }[] = [{ pointer: call.FPDFBookmark_GetFirstChild(document, 0), depth: 0 }];
  while (stack.length > 0 && bookmarks.length < bookmarksMax) {
    const { pointer, depth } = stack.pop()!;
    if (pointer === 0 || depth > 8) continue;
    const title = pdfium.utf16((buffer, bytes) => call.FPDFBookmark_GetTitle(pointer, buffer, bytes)).trim();
    const destination = call.FPDFBookmark_GetDest(document, pointer);
    const page = destination === 0 ? -1 : call.FPDFDest_GetDestPageIndex(document, destination);
    bookmarks.push({ title, depth, page: page < 0 ? null : page + 1 });
    stack.push({ pointer: call.FPDFBookmark_GetNextSibling(document, pointer), depth });
    stack.push({ pointer: call.FPDFBookmark_GetFirstChild(document, pointer), depth: depth + 1 });
  }
  return bookmarks;
}
