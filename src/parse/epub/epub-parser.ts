/** Books (EPUB 2 and 3): their XHTML files in the order of reading, with titles from the table of contents where a file has none. */
import { DocumentError } from '../../errors.ts';
import { decodeText } from '../text/encoding.ts';
import { readHtmlBlocks, type HtmlBlock } from '../html/html-blocks.ts';
import { declaredCharset } from '../html/html-parser.ts';
import { writeBlocks } from '../html/html-writer.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import { languageTag } from '../office/office-package.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { openZip, type Zip } from '../containers/zip.ts';
import { readEpubPackage, type EpubPackage } from './epub-package.ts';

/** A chapter is read whole; no book has a larger one. */
const chapterBytesMax = 64 * 1024 * 1024;

/** A parser for books. They have no pages: lines run as the screen lets them. */
export function createEpubParser(): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        return await readBook(zip, input);
      } finally {
        zip.close();
      }
    },
  };
}

async function readBook(zip: Zip, input: ParseInput): Promise<ParsedDocument> {
  const book = await readEpubPackage(zip, input.limits);
  const builder = createMarkdownBuilder(input.limits);
  const damaged: string[] = [];
  for (const [index, part] of book.chapters.entries()) {
    if (!(await writeChapter(zip, part, { book, builder, input }))) damaged.push(part);
    input.onProgress(index + 1, book.chapters.length);
  }
  if (damaged.length === book.chapters.length)
    throw new DocumentError('corrupt', 'The book is damaged: none of its chapters can be unpacked');
  const { markdown, blocks } = builder.finish();
  return {
    mediaType: 'application/epub+zip',
    title: book.title,
    author: book.author,
    language: languageTag(book.language ?? ''),
    pages: null,
    markdown,
    blocks,
    warnings: [
      ...zip.warnings,
      ...book.missing.slice(0, namedMax).map((href) => `The chapter ${href} is missing from the book`),
      ...damaged.slice(0, namedMax).map((part) => `The chapter ${part} is damaged and could not be unpacked`),
      ...unnamed(
        book.missing.length + damaged.length,
        Math.min(namedMax, book.missing.length) + Math.min(namedMax, damaged.length),
      ),
    ],
  };
}

/** Missing and damaged chapters, each, that are named one by one. */
const namedMax = 20;

function unnamed(count: number, named: number): string[] {
  return count === named ? [] : [`${count - named} more chapters are missing or damaged`];
}

/** False when the chapter cannot be unpacked. */
async function writeChapter(
  zip: Zip,
  part: string,
  { book, builder, input }: { book: EpubPackage; builder: MarkdownBuilder; input: ParseInput },
): Promise<boolean> {
  let bytes: Buffer;
  try {
    bytes = (await zip.read(part, chapterBytesMax)) ?? Buffer.alloc(0);
  } catch (error) {
    if (error instanceof DocumentError && error.code === 'corrupt') return false;
    throw error;
  }
  const { text } = decodeText(bytes, declaredCharset(bytes));
  const { blocks } = readHtmlBlocks(text, { limits: input.limits, mainOnly: false });
  const title = book.titles.get(part);
  if (title !== undefined && blocks.length > 0 && !blocks.some(hasHeading)) builder.heading(1, title);
  writeBlocks(blocks, builder, { limits: input.limits });
  return true;
}

function hasHeading(block: HtmlBlock): boolean {
  return block.kind === 'heading' || (block.kind === 'quote' && block.blocks.some(hasHeading));
}
