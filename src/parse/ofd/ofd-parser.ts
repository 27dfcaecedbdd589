/**
 * OFD (GB/T 33190-2016), the fixed-layout format of Chinese offices and invoices: its pages are read and laid out as those of a PDF
 * are; seals and remarks stand behind the text of their page, data and attached files behind all pages.
 */
import { DocumentError } from '../../errors.ts';
import { child, descend, elements, textOf, type XmlNode } from '../containers/xml.ts';
import { firstOf } from '../containers/first-of.ts';
import { openZip } from '../containers/zip.ts';
import { type PartHost, partName, readPart, writePart } from '../containers/parts.ts';
import { cpuTimer } from '../cpu-time.ts';
import { type NoOcr, noOcr, type Ocr } from '../images/ocr.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { PageLook, ParsedDocument, Parser } from '../parser.ts';
import type { Bookmark } from '../pdf/layout/headings.ts';
import type { PageBlock } from '../pdf/layout/page-blocks.ts';
import { blocksOfPage, remarkBlocks, seenBlocks, warningOfMissing, writePages } from '../pdf/layout/page-layout.ts';
import { noScannedParts, type PartsOptions, readParts, readPicture, scannedParts } from '../pdf/layout/scanned-parts.ts';
import { createSeeingNotes, pagesNamed, type SeeingNotes, warningsOfSeeing } from '../pdf/layout/seeing-notes.ts';
import { identity } from '../pdf/matrix.ts';
import { bookmarkDepthMax, bookmarksMax } from '../pdf/pdf-source.ts';
import { annotationParts, readAnnotations } from './annotations.ts';
import { type CustomTag, readCustomTags } from './custom-tags.ts';
import { type OfdDocument, openOfd, type OfdPackage, type OfdPage, pageSize } from './ofd-package.ts';
import { boxMatrix, type Layer, type PageContent, readPageContent } from './page-content.ts';
import { readSeals, type Seal } from './seals.ts';

export type OfdParserOptions = {
  /** Of all formats, for attached files. */
  readonly parts: Parser;
  /** Reads pages that are pictures; without it they stay empty. */
  readonly ocr?: Pick<Ocr, 'read' | 'readsAll'>;
  /** Why there is none. Absent: it is not installed. */
  readonly withoutOcr?: NoOcr;
};

export function createOfdParser(options: OfdParserOptions): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        const ofd = await openOfd(zip, input);
        const parsed = await readPackage(ofd, options);
        return { ...parsed, warnings: [...zip.warnings, ...parsed.warnings] };
      } finally {
        zip.close();
      }
    },
  };
}

/** What is gathered while pages are read. */
type Reading = {
  readonly ofd: OfdPackage;
  readonly options: OfdParserOptions;
  readonly pageCount: number;
  readonly blocks: PageBlock[];
  readonly bookmarks: Bookmark[];
  /** Numbers of pages that look scanned and gave no text. */
  readonly unseen: number[];
  /** Numbers of pages that are listed and not in the file. */
  readonly missing: number[];
  readonly notes: SeeingNotes;
  readonly data: PageData[];
  readonly looks: PageLook[];
  page: number;
  glyphsLeft: number;
  /** Objects that pages may still draw from templates and repeated drawings. */
  sharedLeft: number;
  /** Runs of type and lines that may still be kept to show pages as they look. */
  marksLeft: number;
};

/** Of one page, and of all: as many as a form of 500 objects makes on each of 2,000 pages, in some fifteen seconds. */
const pageSharedMax = 100_000;
const sharedMax = 1_000_000;
const pageSharesTooMuch = `One page draws more than ${pageSharedMax} objects of templates and repeated drawings (a fixed limit, in addition to MAX_CELLS)`;
const fileSharesTooMuch = `The pages draw more than ${sharedMax} objects of templates and repeated drawings (a fixed limit, in addition to MAX_CELLS)`;
/** About as many as fit into what is stored of one document's looks; those of pages behind are not kept there either. */
const marksMax = 1_000_000;

/** Facts of a document that are found by their names, and where they stand. */
type PageData = { readonly text: string; readonly page: number | null };

async function readPackage(ofd: OfdPackage, options: OfdParserOptions): Promise<ParsedDocument> {
  const { input, documents, warnings } = ofd;
  const pageCount = documents.reduce((sum, each) => sum + each.pages.length, 0);
  if (pageCount > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The OFD has ${pageCount} pages, more than ${input.limits.pagesMax} (MAX_PAGES)`);
  }
  const reading: Reading = {
    ofd,
    options,
    pageCount,
    blocks: [],
    bookmarks: [],
    unseen: [],
    missing: [],
    notes: createSeeingNotes(),
    data: [],
    looks: [],
    page: 0,
    glyphsLeft: input.limits.charactersMax,
    sharedLeft: sharedMax,
    marksLeft: marksMax,
  };
  for (const document of documents) await readDocument(document, reading);
  const builder = createMarkdownBuilder(input.limits);
  const heading = writePages(reading.blocks, pageCount, reading.bookmarks, builder);
  writeData(reading.data, builder);
  const host = { input, builder, parser: options.parts, warnings, kind: 'attached file' };
  for (const document of documents) await writeAttachments(ofd, document, host);
  warnings.push(...warningOfMissing(reading.missing), ...ofd.missing.warnings(), ...warningsOfSeeing(reading.notes));
  if (builder.characters === 0) throw emptyError(reading);
  if (reading.unseen.length > 0 && options.ocr === undefined) {
    const { pagesSentence } = options.withoutOcr ?? noOcr.notInstalled;
    warnings.push(`${pagesSentence}: ${pagesNamed(reading.unseen)}`);
  }
  const info = documents[0]?.info;
  return {
    mediaType: 'application/ofd',
    title: lineOf(info, 'Title') ?? heading,
    author: lineOf(info, 'Author'),
    language: null,
    pages: pageCount,
    ...builder.finish(),
    looks: reading.looks,
    warnings,
  };
}

function emptyError({ unseen, missing, page, options }: Reading): DocumentError {
  if (page > 0 && missing.length === page) return new DocumentError('corrupt', 'The OFD file is damaged: its pages are missing');
  if (unseen.length === 0) return new DocumentError('no_text', 'No text found: the pages of the OFD are empty');
  if (options.ocr !== undefined) return new DocumentError('no_text', 'No text found, neither as text nor by OCR');
  return new DocumentError('no_text', (options.withoutOcr ?? noOcr.notInstalled).scanSentence);
}

function lineOf(node: XmlNode | undefined, name: string): string | null {
  const text = textOf(child(node, name)).replace(/\s+/g, ' ').trim();
  return text === '' ? null : text.slice(0, 1000);
}

async function readDocument(document: OfdDocument, reading: Reading): Promise<void> {
  const { ofd } = reading;
  const tags = await readCustomTags(ofd, document);
  const seals = await readSeals(ofd, document);
  const annotated = await annotationParts(ofd, document);
  const wanted = new Set(tags.flatMap((tag) => tag.objects));
  const texts = new Map<string, PageData>();
  const templates = new Map<string, XmlNode | null>();
  const numbers = new Map<string, number>();
  const onText = (id: string, text: string): void => {
    if (wanted.has(id) && !texts.has(id)) texts.set(id, { text, page: reading.page });
  };
  for (const page of document.pages) {
    reading.page += 1;
    if (page === null) reading.missing.push(reading.page);
    else {
      numbers.set(page.id, reading.page);
      await readPage({ document, page, annotated: annotated.get(page.id) ?? [], templates, onText }, reading);
      for (const seal of seals) if (seal.pageId === page.id) await addSeal(seal, reading);
    }
    ofd.input.onProgress(reading.page, reading.pageCount);
  }
  for (const seal of seals) if (seal.pageId === null || !numbers.has(seal.pageId)) await addSeal(seal, reading);
  addBookmarks(child(document.root, 'Outlines'), 0, reading.bookmarks);
  reading.data.push(...factsOf(document), ...tags.flatMap((tag) => dataOf(tag, texts, numbers)));
}

type PageToRead = {
  readonly document: OfdDocument;
  readonly page: OfdPage;
  readonly annotated: readonly string[];
  /** Read already, by part. */
  readonly templates: Map<string, XmlNode | null>;
  readonly onText: (id: string, text: string) => void;
};

const templatesPerPageMax = 20;

async function readPage({ document, page, annotated, templates, onText }: PageToRead, reading: Reading): Promise<void> {
  const { ofd, page: number } = reading;
  const { pageMs } = ofd.input.limits;
  const isLate = cpuTimer(pageMs);
  const checkTime = (): void => {
    if (isLate()) throw new DocumentError('timeout', `Page ${number} took longer than ${pageMs} ms to read (PAGE_TIMEOUT_MS)`);
  };
  const root = await ofd.tree(page.part);
  const { behind, before } = await readTemplates(root, document, templates, ofd);
  const { appearances, remarks } = await readAnnotations(ofd, annotated);
  const size = pageSize(root, [...behind, ...before], document.root);
  const content = readPageContent({
    layers: [
      ...behind.map(sharedLayer),
      ...(root === null ? [] : [{ node: root, matrix: identity }]),
      ...before.map(sharedLayer),
      ...appearances.map((node) => ({ node, matrix: boxMatrix(node) })),
    ],
    size,
    resources: document.resources,
    bounds: {
      glyphsMax: reading.glyphsLeft,
      charactersMax: ofd.input.limits.charactersMax,
      sharedMax: Math.min(pageSharedMax, reading.sharedLeft),
      tooManyShared: reading.sharedLeft < pageSharedMax ? fileSharesTooMuch : pageSharesTooMuch,
      marksMax: reading.marksLeft,
      checkTime,
      isLate,
      ...(reading.options.ocr === undefined ? {} : { seeing: 'parts' }),
    },
    onText,
  });
  reading.glyphsLeft -= content.characterCount;
  reading.sharedLeft -= content.sharedCount;
  const blocks = await seenOrRead(content, document, reading, checkTime);
  reading.blocks.push(...blocks.found);
  // Of a scan there is a picture, which is not drawn, and no type.
  if (!blocks.isSeen && content.texts.length > 0) {
    reading.marksLeft -= content.texts.length + content.lines.length;
    reading.looks.push({ page: number, ...size, texts: content.texts, lines: content.lines });
  }
  for (const remark of remarks) reading.blocks.push(...remarkBlocks(remark, number, reading.blocks));
}

/** Trees of a page's templates, each read once for all pages; one that is named again would only be drawn over itself. */
async function readTemplates(
  root: XmlNode | null,
  document: OfdDocument,
  known: Map<string, XmlNode | null>,
  ofd: OfdPackage,
): Promise<{ readonly behind: readonly XmlNode[]; readonly before: readonly XmlNode[] }> {
  const behind: XmlNode[] = [];
  const before: XmlNode[] = [];
  const drawn = new Set<string>();
  const named = elements(root, 'Template').flatMap(({ attributes }) => {
    const part = document.templates.get(attributes['TemplateID'] ?? '');
    if (part === undefined || drawn.has(part)) return [];
    drawn.add(part);
    return [{ part, attributes }];
  });
  const read = firstOf(named, { most: templatesPerPageMax, what: 'templates on one page', warnings: ofd.warnings });
  for (const { part, attributes } of read) {
    if (!known.has(part)) known.set(part, await ofd.tree(part));
    const template = known.get(part) ?? null;
    if (template !== null) (attributes['ZOrder'] === 'Foreground' ? before : behind).push(template);
  }
  return { behind, before };
}

function sharedLayer(node: XmlNode): Layer {
  return { node, matrix: identity, isShared: true };
}

/** A picture over most of the page with at most a stamp of text is a scan. */
async function seenOrRead(
  content: PageContent,
  document: OfdDocument,
  { ofd, options, page, pageCount, unseen, notes }: Reading,
  checkTime: () => void,
): Promise<{ readonly found: PageBlock[]; readonly isSeen: boolean }> {
  const bytesOf = async (id: string): Promise<Buffer | null> => {
    const part = document.resources.pictures.get(id);
    return part === undefined ? null : ofd.bytes(part);
  };
  const onRead = (): void => ofd.input.onProgress(page - 1, pageCount);
  const reader = (ocr: PartsOptions['ocr']): PartsOptions => ({ ocr, page, notes, onRead });
  if (content.pictures.some(({ id }) => !document.resources.pictures.has(id))) notes.missing.push(page);
  if (content.text.glyphCount >= 40 || content.pictureShare <= 0.5) {
    const { cover, pictures } = content;
    const { parts, isCrowded } = cover === undefined ? noScannedParts : scannedParts(pictures, cover);
    if (isCrowded) notes.crowded.push(page);
    const pictured = parts.map((part) => ({ ...part, picture: () => bytesOf(part.id) }));
    const seen = parts.length === 0 ? [] : await readParts(pictured, reader(options.ocr!));
    return { found: blocksOfPage(content.text, page, checkTime, seen), isSeen: false };
  }
  const blocks = blocksOfPage(content.text, page, checkTime);
  if (options.ocr !== undefined) {
    const { text, isDoubtful } = await readPicture(() => bytesOf(content.pictureId ?? ''), reader(options.ocr));
    if (isDoubtful) notes.doubtful.push(page);
    const seen = seenBlocks(text, page);
    // What is stamped upon it is not in the picture.
    if (seen.length > 0) return { found: [...seen, ...blocks], isSeen: true };
  }
  unseen.push(page);
  return { found: blocks, isSeen: false };
}

async function addSeal({ name, signedAt, picture }: Seal, { ofd, options, blocks, page }: Reading): Promise<void> {
  const facts = [name, signedAt].filter((text) => text !== '').join(', ');
  if (facts !== '') blocks.push(...remarkBlocks(`Stamp: ${facts}`, page, blocks));
  if (picture === null) return;
  const part = { name: `stamp ${name}.ofd`, mediaType: null, bytes: () => picture };
  const parsed = await readPart(part, { input: ofd.input, parser: options.parts, warnings: [], kind: 'stamp' });
  // Mostly it says the name again, around a circle.
  const said = parsed?.markdown.replace(/\s+/g, ' ') ?? '';
  if (!Array.from(said).every((character) => character === ' ' || name.includes(character)))
    blocks.push(...remarkBlocks(said, page, blocks));
}

function addBookmarks(node: XmlNode | undefined, depth: number, bookmarks: Bookmark[]): void {
  for (const each of elements(node, 'OutlineElem')) {
    if (bookmarks.length >= bookmarksMax) return;
    bookmarks.push({ title: each.attributes['Title'] ?? '', depth });
    if (depth < bookmarkDepthMax) addBookmarks(each, depth + 1, bookmarks);
  }
}

/** What the file says about itself by names of its writer's own: `发票号码: 12235358`. */
function factsOf({ info }: OfdDocument): PageData[] {
  return elements(descend(info, 'CustomDatas'), 'CustomData')
    .map((each) => ({ name: each.attributes['Name'] ?? '', value: textOf(each).replace(/\s+/g, ' ').trim() }))
    .filter(({ name, value }) => value !== '' && /[^\x20-\x7e]/.test(name))
    .map(({ name, value }) => ({ text: `${name}: ${value}`, page: null }));
}

function dataOf(
  { name, objects, pageId, value }: CustomTag,
  texts: ReadonlyMap<string, PageData>,
  numbers: ReadonlyMap<string, number>,
): PageData[] {
  const found = objects.flatMap((id) => texts.get(id) ?? []);
  const said =
    value === ''
      ? found
          .map(({ text }) => text)
          .join(' ')
          .replace(/\s+/g, ' ')
          .trim()
      : value;
  const page = found[0]?.page ?? numbers.get(pageId ?? '') ?? null;
  return said === '' ? [] : [{ text: `${name}: ${said}`, page }];
}

/** Runs of facts of one page, each a list. */
function writeData(data: readonly PageData[], builder: MarkdownBuilder): void {
  for (let from = 0; from < data.length;) {
    const { page } = data[from]!;
    let to = from;
    while (to < data.length && data[to]!.page === page) to++;
    builder.list(
      data.slice(from, to).map(({ text }) => ({ text, depth: 0, ordered: false })),
      { page },
    );
    from = to;
  }
}

async function writeAttachments(ofd: OfdPackage, document: OfdDocument, host: PartHost): Promise<void> {
  const listed = ofd.need(textOf(child(document.root, 'Attachments')), document.part);
  const list = listed === null ? null : await ofd.tree(listed);
  const done = new Set<string>();
  for (const each of elements(list, 'Attachment')) {
    const path = textOf(child(each, 'FileLoc'));
    const part = ofd.find(listed!, path) ?? ofd.find(document.part, path);
    const name = nameOf(each.attributes['Name'] ?? '', part ?? path);
    if (part === null) host.warnings.push(`The attached file ${partName(name)} was not read: it is missing`);
    if (part === null || done.has(part)) continue;
    done.add(part);
    const bytes = async (): Promise<Buffer> => (await ofd.bytes(part)) ?? Buffer.alloc(0);
    await writePart({ name, mediaType: null, bytes }, host, 2, `Attached file: ${partName(name)}`);
  }
}

/** The name that people know it by, with the ending that says what it is. */
function nameOf(name: string, part: string): string {
  const file = part.slice(part.lastIndexOf('/') + 1);
  const ending = /\.[^.]{1,10}$/.exec(file)?.[0] ?? '';
  if (name.trim() === '') return file;
  return name.toLowerCase().endsWith(ending.toLowerCase()) ? name : `${name}${ending}`;
}
