/**
 * XPS and OpenXPS (ECMA-388), the fixed pages that Windows prints to: they are read and laid out as those of a PDF are, with their
 * outlines, links and properties.
 */
import { DocumentError } from '../../errors.ts';
import { child, descendants, elements, textOf, type XmlNode } from '../containers/xml.ts';
import { openZip } from '../containers/zip.ts';
import { cpuTimer } from '../cpu-time.ts';
import { type NoOcr, noOcr, type Ocr } from '../images/ocr.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import { languageTag } from '../office/office-package.ts';
import type { PageLook, ParsedDocument, Parser } from '../parser.ts';
import type { Bookmark } from '../pdf/layout/headings.ts';
import type { PageBlock } from '../pdf/layout/page-blocks.ts';
import { blocksOfPage, seenBlocks, warningOfMissing, writePages } from '../pdf/layout/page-layout.ts';
import { type Addresses, createAddresses, withLinks } from '../pdf/layout/page-links.ts';
import {
  noScannedParts,
  type PartsOptions,
  readParts,
  readPicture,
  scannedParts,
  type SeenPart,
} from '../pdf/layout/scanned-parts.ts';
import { createSeeingNotes, pagesNamed, type SeeingNotes, warningsOfSeeing } from '../pdf/layout/seeing-notes.ts';
import { bookmarkDepthMax, bookmarksMax } from '../pdf/pdf-source.ts';
import type { FontFile } from './font-file.ts';
import { type PageContent, readPageContent } from './page-content.ts';
import { type Dictionary, readResources, type Resources } from './resources.ts';
import { openXps, type XpsDocument, type XpsPackage, type XpsPage } from './xps-package.ts';

export type XpsParserOptions = {
  /** Reads pages that are pictures; without it they stay empty. */
  readonly ocr?: Pick<Ocr, 'read' | 'readsAll'>;
  /** Why there is none. Absent: it is not installed. */
  readonly withoutOcr?: NoOcr;
};

export function createXpsParser(options: XpsParserOptions): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        const parsed = await readPackage(await openXps(zip, input), options);
        return { ...parsed, warnings: [...zip.warnings, ...parsed.warnings] };
      } finally {
        zip.close();
      }
    },
  };
}

/** What is gathered while pages are read. */
type Reading = {
  readonly xps: XpsPackage;
  readonly options: XpsParserOptions;
  readonly addresses: Addresses;
  readonly pageCount: number;
  readonly blocks: PageBlock[];
  /** Numbers of pages that look scanned and gave no text. */
  readonly unseen: number[];
  /** Numbers of pages that are listed and not in the file. */
  readonly missing: number[];
  readonly notes: SeeingNotes;
  readonly looks: PageLook[];
  /** Dictionaries of what several pages use, read already, by part. */
  readonly dictionaries: Map<string, Dictionary>;
  page: number;
  glyphsLeft: number;
  /** Objects that pages may still draw from repeated drawings. */
  sharedLeft: number;
  /** Runs of type and lines that may still be kept to show pages as they look. */
  marksLeft: number;
};

/** Of one page, and of all; as many as of an OFD. */
const pageSharedMax = 100_000;
const sharedMax = 1_000_000;
const pageSharesTooMuch = `One page draws more than ${pageSharedMax} objects of repeated drawings (a fixed limit, in addition to MAX_CELLS)`;
const fileSharesTooMuch = `The pages draw more than ${sharedMax} objects of repeated drawings (a fixed limit, in addition to MAX_CELLS)`;
const marksMax = 1_000_000;

async function readPackage(xps: XpsPackage, options: XpsParserOptions): Promise<ParsedDocument> {
  const { input, documents, warnings, properties } = xps;
  const pageCount = documents.reduce((sum, each) => sum + each.pages.length, 0);
  if (pageCount > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The XPS has ${pageCount} pages, more than ${input.limits.pagesMax} (MAX_PAGES)`);
  }
  const reading: Reading = {
    xps,
    options,
    addresses: createAddresses(),
    pageCount,
    blocks: [],
    unseen: [],
    missing: [],
    notes: createSeeingNotes(),
    looks: [],
    dictionaries: new Map(),
    page: 0,
    glyphsLeft: input.limits.charactersMax,
    sharedLeft: sharedMax,
    marksLeft: marksMax,
  };
  for (const page of documents.flatMap(({ pages }) => pages)) {
    reading.page += 1;
    if (page === null) reading.missing.push(reading.page);
    else await readPage(page, reading);
    input.onProgress(reading.page, pageCount);
  }
  const builder = createMarkdownBuilder(input.limits);
  const heading = writePages(reading.blocks, pageCount, bookmarksOf(documents), builder);
  warnings.push(...warningOfMissing(reading.missing), ...xps.missing.warnings(), ...warningsOfSeeing(reading.notes));
  if (builder.characters === 0) throw emptyError(reading);
  if (reading.unseen.length > 0 && options.ocr === undefined) {
    const { pagesSentence } = options.withoutOcr ?? noOcr.notInstalled;
    warnings.push(`${pagesSentence}: ${pagesNamed(reading.unseen)}`);
  }
  return {
    mediaType: xps.isOpen ? 'application/oxps' : 'application/vnd.ms-xpsdocument',
    title: lineOf(properties, 'title') ?? heading,
    author: lineOf(properties, 'creator'),
    language: languageTag(textOf(child(properties, 'language'))),
    pages: pageCount,
    ...builder.finish(),
    looks: reading.looks,
    warnings,
  };
}

function emptyError({ unseen, missing, page, options }: Reading): DocumentError {
  if (page > 0 && missing.length === page) return new DocumentError('corrupt', 'The XPS file is damaged: its pages are missing');
  if (unseen.length === 0) return new DocumentError('no_text', 'No text found: the pages of the XPS are empty');
  if (options.ocr !== undefined) return new DocumentError('no_text', 'No text found, neither as text nor by OCR');
  return new DocumentError('no_text', (options.withoutOcr ?? noOcr.notInstalled).scanSentence);
}

function lineOf(node: XmlNode | null, name: string): string | null {
  const text = textOf(child(node, name)).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text.slice(0, 1000);
}

const millimetresPerUnit = 25.4 / 96;

async function readPage(page: XpsPage, reading: Reading): Promise<void> {
  const { xps, page: number, addresses } = reading;
  const { pageMs, charactersMax } = xps.input.limits;
  const isLate = cpuTimer(pageMs);
  const checkTime = (): void => {
    if (isLate()) throw new DocumentError('timeout', `Page ${number} took longer than ${pageMs} ms to read (PAGE_TIMEOUT_MS)`);
  };
  const root = await xps.tree(page.part);
  if (root === null) return;
  const size = sizeOf(root, page);
  const resources = await readResources(root, page.part, { xps, shared: reading.dictionaries });
  const content = readPageContent({
    root,
    size,
    resources,
    fontOf: await fontsOf(root, page.part, { xps, resources }),
    bounds: {
      glyphsMax: reading.glyphsLeft,
      charactersMax,
      sharedMax: Math.min(pageSharedMax, reading.sharedLeft),
      tooManyShared: reading.sharedLeft < pageSharedMax ? fileSharesTooMuch : pageSharesTooMuch,
      marksMax: reading.marksLeft,
      checkTime,
      isLate,
      ...(reading.options.ocr === undefined ? {} : { seeing: 'parts' }),
    },
  });
  reading.glyphsLeft -= content.characterCount;
  reading.sharedLeft -= content.sharedCount;
  if (content.pictures.some(({ source }) => xps.find(page.part, source) === null)) reading.notes.missing.push(number);
  const seen = await seenOf(content, page, reading);
  const plain = blocksOfPage(content.text, number, checkTime, seen === null ? await partsOf(content, page, reading) : []);
  const { links } = content.text;
  const blocks = links === undefined ? plain : withLinks(plain, links, { addresses, checkTime });
  // What is stamped upon a scan is not in its picture.
  reading.blocks.push(...(seen ?? []), ...blocks);
  // Of a scan there is a picture, which is not drawn, and no type.
  if (seen === null && content.texts.length > 0) {
    reading.marksLeft -= content.texts.length + content.lines.length;
    const [width, height] = [millimetres(size.width), millimetres(size.height)];
    reading.looks.push({ page: number, width, height, texts: content.texts, lines: content.lines });
  }
}

function millimetres(units: number): number {
  return Math.round(units * millimetresPerUnit * 100) / 100;
}

/** The page's own, else the document's, else A4. */
function sizeOf({ attributes }: XmlNode, page: XpsPage): { readonly width: number; readonly height: number } {
  const sides = [Number(attributes['Width']), Number(attributes['Height'])].map((side, at) => {
    const said = side > 0 ? side : at === 0 ? page.width : page.height;
    return said > 0 && said < sideMax ? said : [794, 1123][at]!;
  });
  return { width: sides[0]!, height: sides[1]! };
}

/** A hundred metres. */
const sideMax = 400_000;

/** The fonts that a page and the drawings beside it name, by the path that names them. */
async function fontsOf(
  root: XmlNode,
  part: string,
  { xps, resources }: { readonly xps: XpsPackage; readonly resources: Resources },
): Promise<(uri: string) => FontFile | null> {
  const namedIn = new Map<string, string>();
  for (const { attributes } of descendants(root, 'Glyphs')) namedIn.set(attributes['FontUri'] ?? '', part);
  for (const dictionary of resources.dictionaries)
    for (const uri of dictionary.fonts) if (!namedIn.has(uri)) namedIn.set(uri, dictionary.part);
  const fonts = new Map<string, FontFile | null>();
  for (const [uri, from] of namedIn) {
    const target = xps.find(from, uri);
    fonts.set(uri, target === null ? null : await xps.font(target));
  }
  return (uri) => fonts.get(uri) ?? null;
}

/** A picture over most of the page with at most a stamp of text. */
function isScan({ text, pictureShare }: PageContent): boolean {
  return text.glyphCount < 40 && pictureShare > 0.5;
}

/** What is seen of a scan, or null. */
async function seenOf(content: PageContent, page: XpsPage, reading: Reading): Promise<PageBlock[] | null> {
  if (!isScan(content)) return null;
  const { xps, options, page: number, unseen } = reading;
  if (options.ocr !== undefined) {
    const { text, isDoubtful } = await readPicture(() => bytesOf(content.picture ?? '', page, xps), ocrOf(options.ocr, reading));
    if (isDoubtful) reading.notes.doubtful.push(number);
    const seen = seenBlocks(text, number);
    if (seen.length > 0) return seen;
  }
  unseen.push(number);
  return null;
}

/** What is seen in large pictures beside the text of a page. */
async function partsOf(content: PageContent, page: XpsPage, reading: Reading): Promise<SeenPart[]> {
  const { cover, pictures } = content;
  const { parts, isCrowded } = cover === undefined || isScan(content) ? noScannedParts : scannedParts(pictures, cover);
  if (isCrowded) reading.notes.crowded.push(reading.page);
  if (parts.length === 0) return [];
  const pictured = parts.map((part) => ({ ...part, picture: () => bytesOf(part.source, page, reading.xps) }));
  return readParts(pictured, ocrOf(reading.options.ocr!, reading));
}

function ocrOf(ocr: Pick<Ocr, 'read'>, { xps, page, pageCount, notes }: Reading): PartsOptions {
  return { ocr, page, notes, onRead: () => xps.input.onProgress(page - 1, pageCount) };
}

async function bytesOf(source: string, page: XpsPage, xps: XpsPackage): Promise<Buffer | null> {
  const part = xps.find(page.part, source);
  return part === null ? null : xps.bytes(part);
}

function bookmarksOf(documents: readonly XpsDocument[]): Bookmark[] {
  const bookmarks: Bookmark[] = [];
  for (const { outline } of documents) {
    for (const { attributes } of elements(outline, 'OutlineEntry')) {
      const depth = Math.max(1, Math.trunc(Number(attributes['OutlineLevel'] ?? 1)) || 1) - 1;
      if (bookmarks.length < bookmarksMax && depth <= bookmarkDepthMax)
        bookmarks.push({ title: attributes['Description'] ?? '', depth });
    }
  }
  return bookmarks;
}
