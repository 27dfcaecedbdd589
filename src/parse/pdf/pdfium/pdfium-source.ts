/** A PDF as PDFium reads it: any file that PDFium can make sense of. */
import { createFaultyFonts, type FaultyFonts } from '../faulty-fonts.ts';
import type { Bookmark } from '../layout/headings.ts';
import { createRuleFinder } from '../layout/page-rules.ts';
import { createGlyphCollector, type PageBounds, type Span } from '../layout/page-spans.ts';
import { coverFor, type SeenBox } from '../layout/text-cover.ts';
import { type View, viewOf } from '../page-view.ts';
import { bookmarkDepthMax, bookmarksMax, type PdfSource, type ReadPage, type SourcePage } from '../pdf-source.ts';
import { readDrawing } from './page-drawing.ts';
import { attachedFile, listedFiles } from './attached-files.ts';
import { openForm, readFields } from './page-fields.ts';
import { pageCharacters, readGlyphs } from './page-glyphs.ts';
import { drawPage } from './page-picture.ts';
import type { Pdfium } from './pdfium.ts';

type Pointer = number;

export type OpenPdfiumSource = PdfSource & { close(): void };

/**
 * Opens the file at `path`; to be closed before the instance opens another.
 * @param memoryMb MiB past which PDFium may not grow
 * @throws DocumentError `encrypted` | `corrupt` | `limit_exceeded`, also from everything of the source
 */
export function openPdfiumSource(pdfium: Pdfium, path: string, memoryMb: number, password?: string): OpenPdfiumSource {
  const file = pdfium.openDocument(path, memoryMb, passwordBytes(password));
  try {
    const pages = openPages(pdfium, file.document);
    const form = pdfium.explained(() => openForm(pdfium, file.document));
    return {
      ...sourceOf(pdfium, file.document, form.form, pages),
      close() {
        try {
          if (!pdfium.broken) pdfium.explained(() => [pages.close(), form.close()]);
        } finally {
          file.close();
        }
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Up to PDF 1.7 passwords are in Latin-1, since then in UTF-8 (ISO 32000-2, 7.6.4.3). */
function passwordBytes(password: string | undefined): Uint8Array[] {
  if (password === undefined) return [];
  return [Buffer.from(password, 'utf8'), Buffer.from(password, 'latin1')];
}

function sourceOf(pdfium: Pdfium, document: Pointer, form: Pointer, pages: OpenPages): PdfSource {
  const { call } = pdfium;
  const files = new Set<Pointer>();
  const faulty = createFaultyFonts<Pointer>();
  const metaText = (tag: string) =>
    pdfium.explained(() => pdfium.utf16((buffer, bytes) => call.FPDF_GetMetaText(document, pdfium.constant(tag), buffer, bytes)));
  return {
    pageCount: pdfium.explained(() => call.FPDF_GetPageCount(document)),
    title: () => metaText('Title'),
    author: () => metaText('Author'),
    language: () => pdfium.explained(() => pdfium.utf16((buffer, bytes) => call.EPDFCatalog_GetLanguage(document, buffer, bytes))),
    attachments: () => {
      const all = pdfium.explained(() => [...listedFiles(pdfium, document), ...files]);
      return [...new Set(all)].map((each) => attachedFile(pdfium, each));
    },
    bookmarks: () => pdfium.explained(() => bookmarksOf(pdfium, document)),
    fonts: faulty,
    async readPage(number, bounds, wantedPictures) {
      return pdfium.explained(() =>
        pdfium.watched(bounds.checkTime, () =>
          readPage(pdfium, { document, form, pages, files, faulty }, number, bounds, wantedPictures),
        ),
      );
    },
  };
}

type OpenDocument = {
  readonly document: Pointer;
  readonly form: Pointer;
  readonly pages: OpenPages;
  /** Attachments met on pages. */ readonly files: Set<Pointer>;
  readonly faulty: FaultyFonts<Pointer>;
};

function readPage(
  pdfium: Pdfium,
  { document, form, pages, files, faulty }: OpenDocument,
  number: number,
  bounds: PageBounds,
  wantedPictures: (page: SourcePage) => readonly SeenBox[],
): ReadPage | undefined {
  let page = pages.open(number);
  if (page === 0) return undefined;
  bounds.checkTime();
  const view = pageView(pdfium, page);
  const fields = readFields(pdfium, { document, form }, page, view);
  for (const file of fields.files) files.add(file);
  // What signatures and stamps show becomes part of the page; so does what fields show, which is then there twice.
  if (fields.isSealed) page = pages.flattened(number);
  const finder = createRuleFinder(view);
  const { pictureShare, pictures, objectCount, isDrawing } = readDrawing(pdfium, page, view, finder, bounds.checkTime);
  const cover = coverFor(bounds, pictures, view);
  const glyphs = createGlyphCollector(view, isDrawing ? [] : finder.rules, fields.areas, cover);
  const { doubts, certain, repairedCount } = readGlyphs(pdfium, page, view, glyphs, bounds, faulty.repairs);
  faulty.learn(number, certain, () => pages.keep());
  const unseen = fields.isSealed ? withoutShown(fields.spans, pdfium, page) : fields.spans;
  // They are drawn with a page that is read as a whole. Upon a picture they are no sign that its text is known.
  if (bounds.seeing === 'pages') for (const { left, top, right, bottom } of fields.boxes) cover?.add(left, top, right, bottom);
  const box = { left: 0, top: 0, right: view.width, bottom: view.height };
  const read = { text: glyphs.finish(unseen, doubts), repairedCount, pictureShare, pictures, cover, box, objectCount };
  return { ...read, drawn: wantedPictures(read).map((part) => drawPage(pdfium, page, { view, part }, bounds.isLate)) };
}

/** The values that the page's own text does not have. */
function withoutShown(spans: Span[], pdfium: Pdfium, page: Pointer): Span[] {
  const shown = pageCharacters(pdfium, page);
  return spans.filter(({ text }) => !shown.includes(text.replace(/\s+/g, '')));
}

function pageView(pdfium: Pdfium, page: Pointer): View {
  const { call, scratch } = pdfium;
  call.FPDF_GetPageBoundingBox(page, scratch);
  const box = {
    left: pdfium.float(scratch),
    top: pdfium.float(scratch + 4),
    right: pdfium.float(scratch + 8),
    bottom: pdfium.float(scratch + 12),
  };
  return viewOf(box, call.FPDFPage_GetRotation(page));
}

/**
 * Opens page after page. A page is closed only when the next is open, since its fonts would be read anew for each page otherwise;
 * where pages are large, before.
 */
type OpenPages = {
  /** 0 when it cannot be loaded. */
  open(number: number): Pointer;
  /** The open page anew, with what lies over it made part of it. */
  flattened(number: number): Pointer;
  /** The open page stays so until all are closed, and its fonts what and where they are. @returns false where there is no room */
  keep(): boolean;
  /** All. */
  close(): void;
};

/** `FLAT_NORMALDISPLAY`: not what is only printed. */
const asDisplayed = 0;

/** Memory of PDFium past which two pages are not held at once. */
const largeBytes = 128 * 1024 * 1024;

/** Pages that are kept open for their fonts: PDFium may give the place of a font that no open page has to the next. */
const keptMax = 100;

function openPages(pdfium: Pdfium, document: Pointer): OpenPages {
  let current = 0;
  const kept = new Set<Pointer>();
  const closePage = (page: Pointer): void => void (page !== 0 && pdfium.call.FPDF_ClosePage(page));
  const leave = (): void => {
    if (!kept.has(current)) closePage(current);
    current = 0;
  };
  const pages: OpenPages = {
    open(number) {
      if (pdfium.bytes.length > largeBytes) leave();
      const page = pdfium.call.FPDF_LoadPage(document, number - 1);
      if (page === 0) return 0;
      leave();
      return (current = page);
    },
    flattened(number) {
      pdfium.call.FPDFPage_Flatten(current, asDisplayed);
      leave();
      return pages.open(number);
    },
    keep() {
      if (kept.size >= keptMax || pdfium.bytes.length > largeBytes) return false;
      kept.add(current);
      return true;
    },
    close() {
      leave();
      for (const page of kept) closePage(page);
      kept.clear();
    },
  };
  return pages;
}

function bookmarksOf(pdfium: Pdfium, document: Pointer): Bookmark[] {
  const { call } = pdfium;
  const bookmarks: Bookmark[] = [];
  const stack: { pointer: Pointer; depth: number }[] = [{ pointer: call.FPDFBookmark_GetFirstChild(document, 0), depth: 0 }];
  while (stack.length > 0 && bookmarks.length < bookmarksMax) {
    const { pointer, depth } = stack.pop()!;
    if (pointer === 0 || depth > bookmarkDepthMax) continue;
    bookmarks.push({ title: pdfium.utf16((buffer, bytes) => call.FPDFBookmark_GetTitle(pointer, buffer, bytes)).trim(), depth });
    stack.push({ pointer: call.FPDFBookmark_GetNextSibling(document, pointer), depth });
    stack.push({ pointer: call.FPDFBookmark_GetFirstChild(document, pointer), depth: depth + 1 });
  }
  return bookmarks;
}
