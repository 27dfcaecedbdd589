/** A PDF as PDFium reads it: any file that PDFium can make sense of. */
import type { Bookmark } from '../layout/headings.ts';
import { createRuleFinder } from '../layout/page-rules.ts';
import { createGlyphCollector, type PageBounds } from '../layout/page-spans.ts';
import { type View, viewOf } from '../page-view.ts';
import { bookmarkDepthMax, bookmarksMax, type PdfSource, type ReadPage, type SourcePage } from '../pdf-source.ts';
import { readDrawing } from './page-drawing.ts';
import { openForm, readFields } from './page-fields.ts';
import { readGlyphs } from './page-glyphs.ts';
import { drawPage } from './page-picture.ts';
import type { Pdfium } from './pdfium.ts';

type Pointer = number;

export type OpenPdfiumSource = PdfSource & { close(): void };

/**
 * Opens the file at `path`; to be closed before the instance opens another.
 * @param memoryMb MiB past which PDFium may not grow
 * @throws DocumentError `encrypted` | `corrupt` | `limit_exceeded`, also from everything of the source
 */
export function openPdfiumSource(pdfium: Pdfium, path: string, memoryMb: number): OpenPdfiumSource {
  const file = pdfium.openDocument(path, memoryMb);
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

function sourceOf(pdfium: Pdfium, document: Pointer, form: Pointer, pages: OpenPages): PdfSource {
  const { call } = pdfium;
  const metaText = (tag: string) =>
    pdfium.explained(() => pdfium.utf16((buffer, bytes) => call.FPDF_GetMetaText(document, pdfium.constant(tag), buffer, bytes)));
  return {
    pageCount: pdfium.explained(() => call.FPDF_GetPageCount(document)),
    title: () => metaText('Title'),
    author: () => metaText('Author'),
    language: () => pdfium.explained(() => pdfium.utf16((buffer, bytes) => call.EPDFCatalog_GetLanguage(document, buffer, bytes))),
    bookmarks: () => pdfium.explained(() => bookmarksOf(pdfium, document)),
    async readPage(number, bounds, wantsPicture) {
      return pdfium.explained(() =>
        pdfium.watched(bounds.checkTime, () => readPage(pdfium, form, pages, number, bounds, wantsPicture)),
      );
    },
  };
}

function readPage(
  pdfium: Pdfium,
  form: Pointer,
  pages: OpenPages,
  number: number,
  bounds: PageBounds,
  wantsPicture: (page: SourcePage) => boolean,
): ReadPage | undefined {
  const page = pages.open(number);
  if (page === 0) return undefined;
  bounds.checkTime();
  const view = pageView(pdfium, page);
  const finder = createRuleFinder(view);
  const { pictureShare, objectCount, isDrawing } = readDrawing(pdfium, page, view, finder, bounds.checkTime);
  const glyphs = createGlyphCollector(view, isDrawing ? [] : finder.rules);
  const fields = readFields(pdfium, form, page, view);
  const unmappedCount = readGlyphs(pdfium, page, view, glyphs, bounds);
  const read = { text: glyphs.finish(fields, unmappedCount), pictureShare, objectCount };
  return wantsPicture(read) ? { ...read, picture: drawPage(pdfium, page, view, bounds.isLate) } : read;
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
  close(): void;
};

/** Memory of PDFium past which two pages are not held at once. */
const largeBytes = 128 * 1024 * 1024;

function openPages(pdfium: Pdfium, document: Pointer): OpenPages {
  let current = 0;
  const pages: OpenPages = {
    open(number) {
      if (pdfium.bytes.length > largeBytes) pages.close();
      const page = pdfium.call.FPDF_LoadPage(document, number - 1);
      if (page === 0) return 0;
      pages.close();
      return (current = page);
    },
    close() {
      if (current !== 0) pdfium.call.FPDF_ClosePage(current);
      current = 0;
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
