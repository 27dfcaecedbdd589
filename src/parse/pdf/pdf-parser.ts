/**
 * PDF to Markdown: every page is read in reading order, then the document as a whole says what is a heading, a list or a running
 * head. Pages are read one after the other and kept only as blocks.
 */
import { cpuTimer } from '../cpu-time.ts';
import { DocumentError } from '../../errors.ts';
import { noParts, type PartHost, partName, writePart } from '../containers/parts.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import { guessLanguage } from '../text/language.ts';
import { type NoOcr, noOcr, type Ocr } from '../images/ocr.ts';
import type { PageLook, ParsedDocument, ParseInput, Parser } from '../parser.ts';
import type { CharacterTable, CharacterTables, Collection } from './character-tables.ts';
import { blocksOfPage, seenBlocks, writePages } from './layout/page-layout.ts';
import type { PageBlock } from './layout/page-blocks.ts';
import { type Addresses, createAddresses, withLinks } from './layout/page-links.ts';
import type { PageBounds } from './layout/page-spans.ts';
import { type PartsOptions, readBeside, readParts, scannedParts, seePicture, type SeenPart } from './layout/scanned-parts.ts';
import { joinedNotes, pagesNamed, type SeeingNotes, warningsOfSeeing } from './layout/seeing-notes.ts';
import type { SeenBox } from './layout/text-cover.ts';
import { loadPdfium, type Pdfium } from './pdfium/pdfium.ts';
import { readCharacterTable } from './pdfium/character-table.ts';
import { openPdfiumSource, type OpenPdfiumSource } from './pdfium/pdfium-source.ts';
import { mixedSource } from './mixed-source.ts';
import type { AttachedFile, PdfSource, ReadPage, SourcePage } from './pdf-source.ts';
import { openPlainSource, plainBytesMax } from './fast-path/plain-source.ts';

/** Reads text from a picture. */
export type PageReader = Pick<Ocr, 'read' | 'readsAll'>;

export type PdfParserOptions = {
  /** For pages without text of their own, which stay empty without it, and for those whose text nobody would believe. */
  readonly ocr?: PageReader;
  /** Why there is none. Absent: it is not installed. */
  readonly withoutOcr?: NoOcr;
  /** Reads attached files; without it each is named in a warning. */
  readonly parts?: Parser;
};

/**
 * Plain files and pages are read without PDFium. One file at a time uses PDFium's instance; a second one at the same time gets its own.
 * An instance that aborted or grew large is not used again.
 */
export function createPdfParser(options: PdfParserOptions = {}): Parser {
  let idle: Pdfium | undefined;
  const tables = new Map<Collection, CharacterTable>();

  async function withPdfium<T>(use: (takePdfium: () => Promise<Pdfium>) => Promise<T>): Promise<T> {
    let pdfium: Pdfium | undefined;
    try {
      return await use(async () => {
        pdfium ??= idle ?? (await loadPdfium());
        idle = undefined;
        return pdfium;
      });
    } finally {
      if (pdfium?.reusable === true) idle = pdfium;
    }
  }

  function tablesFrom(takePdfium: () => Promise<Pdfium>): CharacterTables {
    return {
      get: (collection) => tables.get(collection),
      load: async (collection) => void tables.set(collection, readCharacterTable(await takePdfium(), collection)),
    };
  }

  return {
    parse: (input) =>
      withPdfium(async (takePdfium) => {
        let opened: OpenPdfiumSource | undefined;
        const openPdfium = async () =>
          (opened = openPdfiumSource(await takePdfium(), input.path, input.limits.pdfMemoryMb, input.password));
        try {
          const plain = plainSource(input, tablesFrom(takePdfium));
          return await readDocument(plain === undefined ? await openPdfium() : mixedSource(plain, openPdfium), input, options);
        } finally {
          opened?.close();
        }
      }),
  };
}

/** Undefined when the file is not plain, whatever that showed itself in: PDFium has the last word then, also on what is wrong with it. */
function plainSource({ path, fileBytes, limits }: ParseInput, tables: CharacterTables): PdfSource | undefined {
  try {
    return fileBytes > plainBytesMax ? undefined : openPlainSource(path, limits.pagesMax, tables);
  } catch {
    return undefined;
  }
}

async function readDocument(
  source: PdfSource,
  input: ParseInput,
  { ocr, withoutOcr = noOcr.notInstalled, parts = noParts }: PdfParserOptions,
): Promise<ParsedDocument> {
  const { pageCount } = source;
  if (pageCount > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The PDF has ${pageCount} pages, more than ${input.limits.pagesMax} (MAX_PAGES)`);
  }
  const read = await readPages(source, input, ocr);
  const missing = ocr === undefined ? withoutOcr : null;
  const builder = createMarkdownBuilder(input.limits);
  const heading = writePages(read.blocks, pageCount, source.bookmarks(), builder);
  const attached: string[] = [];
  for (const file of await source.attachments())
    await writeAttached(file, { input, builder, parser: parts, warnings: attached, kind: 'attachment' });
  const { markdown, blocks } = builder.finish();
  if (markdown === '') throw emptyError(pageCount, read, missing);
  return {
    mediaType: 'application/pdf',
    title: cleanMeta(source.title()) ?? heading,
    author: cleanMeta(source.author()),
    language: languageOf(source.language()) ?? guessLanguage(markdown),
    pages: pageCount,
    markdown,
    blocks,
    looks: read.looks,
    warnings: [...warningsOf(read, missing), ...attached],
  };
}

async function writeAttached(file: AttachedFile, host: PartHost): Promise<void> {
  const part = { name: file.name, mediaType: null, bytes: file.bytes };
  await writePart(part, host, 1, `Attachment: ${partName(file.name)}`);
}

function emptyError(pageCount: number, read: PagesRead, missing: NoOcr | null): DocumentError {
  if (pageCount === 0 || read.unread.length === pageCount) {
    return new DocumentError('corrupt', 'The PDF is damaged: none of its pages could be read');
  }
  if (read.unseen.length === 0) return new DocumentError('no_text', 'No text found: the pages of the PDF are empty');
  return new DocumentError('no_text', missing?.scanSentence ?? 'No text found, neither as text nor by OCR');
}

function warningsOf(read: PagesRead, missing: NoOcr | null): string[] {
  const warnings = warningsOfSeeing(read.notes);
  if (read.unread.length > 0) warnings.push(`Damaged pages that could not be read: ${pagesNamed(read.unread)}`);
  if (read.unseen.length > 0 && missing !== null) warnings.push(`${missing.pagesSentence}: ${pagesNamed(read.unseen)}`);
  if (read.unmapped.length > 0)
    warnings.push(`Pages with letters missing, because their font does not identify them: ${pagesNamed(read.unmapped)}`);
  if (read.garbled.length > 0)
    warnings.push(
      `Pages with wrong letters, because their fonts name other characters than they show: ${pagesNamed(read.garbled)}`,
    );
  return warnings;
}

/* Pages. */

type PagesRead = {
  readonly blocks: PageBlock[];
  /** Of pages that were read as pictures. */
  readonly looks: PageLook[];
  /** Pages that could not be loaded, 1-based. */
  readonly unread: number[];
  /** Pages that look scanned and gave no text. */
  readonly unseen: number[];
  /** Pages from whose text glyphs of no known character were left out. */
  readonly unmapped: number[];
  /** Pages with text that nobody would believe. */
  readonly garbled: number[];
  /** About pictures. */
  readonly notes: SeeingNotes;
};

/** One page as it was read. */
type Reading = { readonly of: PagesRead } & Counts;

/** Glyphs, those put right, and those that nobody would believe. */
type Counts = { readonly glyphCount: number; readonly repairedCount: number; readonly garbledCount: number };

function countsOf(page: ReadPage | undefined): Counts {
  const { glyphCount, garbledCount } = page?.text ?? { glyphCount: 0, garbledCount: 0 };
  return { glyphCount, garbledCount, repairedCount: page?.repairedCount ?? 0 };
}

function isBetter(one: Counts, other: Counts): boolean {
  const more = one.repairedCount - other.repairedCount;
  return more > 0 || (more === 0 && one.garbledCount > other.garbledCount);
}

async function readPages(source: PdfSource, input: ParseInput, ocr: PageReader | undefined): Promise<PagesRead> {
  const context: ReadingContext = { source, input, ocr, addresses: createAddresses() };
  const readings: Reading[] = [];
  let glyphsLeft = input.limits.charactersMax;
  for (let number = 1; number <= source.pageCount; number++) {
    const onRead = (): void => input.onProgress(number - 1, source.pageCount);
    const reading = await readOne(number, glyphsLeft, { ...context, onRead });
    glyphsLeft -= reading.glyphCount;
    readings.push(reading);
    input.onProgress(number, source.pageCount);
  }
  await readAgain(readings, glyphsLeft, context);
  return joined(readings.map((reading) => reading.of));
}

type ReadingContext = {
  readonly source: PdfSource;
  readonly input: ParseInput;
  readonly ocr: PageReader | undefined;
  readonly addresses: Addresses;
  readonly onRead?: () => void;
};

async function readOne(
  number: number,
  glyphsMax: number,
  { source, input, ocr, addresses, onRead = () => undefined }: ReadingContext,
): Promise<Reading> {
  const of: PagesRead = joined([]);
  const { bounds, page } = await readPage(source, number, { glyphsMax, ...input.limits }, ocr);
  if (page === undefined) of.unread.push(number);
  else await addPage(page, of, { number, ocr, addresses, checkTime: bounds.checkTime, onRead });
  return { of, ...countsOf(page) };
}

function joined(pages: readonly PagesRead[]): PagesRead {
  return {
    blocks: pages.flatMap(({ blocks }) => blocks),
    looks: pages.flatMap(({ looks }) => looks),
    unread: pages.flatMap(({ unread }) => unread),
    unseen: pages.flatMap(({ unseen }) => unseen),
    unmapped: pages.flatMap(({ unmapped }) => unmapped),
    garbled: pages.flatMap(({ garbled }) => garbled),
    notes: joinedNotes(pages.map(({ notes }) => notes)),
  };
}

/**
 * Reads the pages again, once, that were read before it was known which fonts are faulty, and takes those of which more is known now. OCR
 * is asked only for these. One that cannot be read again stays as it was.
 */
async function readAgain(readings: Reading[], glyphsLeft: number, context: ReadingContext): Promise<void> {
  const { source, input } = context;
  const onRead = (): void => input.onProgress(source.pageCount, source.pageCount);
  for (const number of source.fonts.outdated()) {
    const first = readings[number - 1]!;
    if (first.of.looks.length > 0) continue;
    const glyphsMax = glyphsLeft + first.glyphCount;
    try {
      const { page } = await readPage(source, number, { glyphsMax, ...input.limits }, undefined);
      if (!isBetter(countsOf(page), first)) continue;
      const better = await readOne(number, glyphsMax, { ...context, onRead });
      glyphsLeft = glyphsMax - better.glyphCount;
      readings[number - 1] = better;
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      return;
    } finally {
      onRead();
    }
  }
}

type PageContext = {
  readonly number: number;
  readonly ocr: PageReader | undefined;
  readonly addresses: Addresses;
  readonly checkTime: () => void;
  /** Called behind each picture that was read. */
  readonly onRead: () => void;
};

async function addPage(page: ReadPage, read: PagesRead, { number, ocr, addresses, checkTime, onRead }: PageContext): Promise<void> {
  const isScan = looksScanned(page);
  const isPicture = isScan || isMostlyGarbled(page);
  if (page.drawn.includes(undefined)) read.notes.undrawn.push(number);
  const [picture] = page.drawn;
  const sight = isPicture && picture !== undefined ? await seePicture(ocr!, picture) : null;
  if (sight?.isDoubtful === true) read.notes.doubtful.push(number);
  const seen = seenBlocks(sight?.text ?? '', number);
  if (seen.length > 0) {
    const places = sight?.seen ?? null;
    if (places !== null) read.looks.push({ page: number, ...places });
    read.blocks.push(...seen);
    return;
  }
  const options = { ocr: ocr!, page: number, notes: read.notes, onRead };
  const parts = isPicture || page.drawn.length === 0 ? [] : await seenBeside(page, options);
  const plain = blocksOfPage(page.text, number, checkTime, parts);
  read.blocks.push(...(page.text.links === undefined ? plain : withLinks(plain, page.text.links, { addresses, checkTime })));
  if (isScan) read.unseen.push(number);
  else if (page.text.unmappedCount > 0) read.unmapped.push(number);
  if (page.text.garbledCount > 0) read.garbled.push(number);
}

/** What OCR sees beside the text of a page, in the pictures that were drawn of it. */
function seenBeside(page: ReadPage, options: PartsOptions & { readonly ocr: PageReader }): Promise<SeenPart[]> {
  const cover = page.cover!;
  const drawn = (at: number) => (): Uint8Array | null => page.drawn[at] ?? null;
  if (options.ocr.readsAll === true) {
    const known = page.text.frames.flatMap(({ spans }) => spans.map(({ text }) => text)).join(' ');
    return readBeside(drawn(0), { cover, text: known }, options);
  }
  const { parts, isCrowded } = scannedParts(page.pictures, cover);
  if (isCrowded) options.notes.crowded.push(options.page);
  return readParts(
    parts.map((part, at) => ({ ...part, picture: drawn(at) })),
    options,
  );
}

/** What of a page is drawn for OCR. */
function wantedPictures(page: SourcePage, ocr: PageReader | undefined): readonly SeenBox[] {
  if (ocr === undefined) return [];
  if (ocr.readsAll === true || looksScanned(page) || isMostlyGarbled(page)) return [page.box];
  return page.cover === undefined ? [] : scannedParts(page.pictures, page.cover).parts;
}

type PageLimits = Pick<PageBounds, 'glyphsMax' | 'charactersMax'> & { readonly pageMs: number };

/** `page` is undefined when it cannot be loaded. @throws DocumentError `timeout` | `limit_exceeded` */
async function readPage(
  source: PdfSource,
  number: number,
  { glyphsMax, charactersMax, pageMs }: PageLimits,
  ocr: PageReader | undefined,
): Promise<{ readonly page: ReadPage | undefined; readonly bounds: PageBounds }> {
  const isLate = cpuTimer(pageMs);
  const checkTime = () => {
    if (isLate()) throw new DocumentError('timeout', `Page ${number} took longer than ${pageMs} ms to read (PAGE_TIMEOUT_MS)`);
  };
  const seeing = ocr === undefined ? {} : ({ seeing: ocr.readsAll === true ? 'pages' : 'parts' } as const);
  const bounds: PageBounds = { glyphsMax, charactersMax, checkTime, isLate, ...seeing };
  return { bounds, page: await source.readPage(number, bounds, (read) => wantedPictures(read, ocr)) };
}

/** A picture over most of the page with at most a stamp of text; drawings only, since letters may be shapes; or nameless letters. */
function looksScanned({ text: { glyphCount, unmappedCount }, pictureShare, objectCount }: SourcePage): boolean {
  return (glyphCount < 40 && pictureShare > 0.5) || (glyphCount === 0 && objectCount > 0) || unmappedCount > glyphCount;
}

function isMostlyGarbled({ text: { glyphCount, garbledCount } }: SourcePage): boolean {
  return garbledCount * 2 > glyphCount;
}

/* What the document says of itself. */

/** Null for what programs write when nobody gave a title. */
function cleanMeta(text: string): string | null {
  const clean = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return clean === '' || /^(untitled|microsoft word - |.*\.(docx?|dvi|tex|indd|qxd|pdf)$)/i.test(clean) ? null : clean;
}

function languageOf(tag: string): string | null {
  return /^[a-z]{2,3}(?=$|[-_])/i.exec(tag)?.[0].toLowerCase() ?? null;
}
