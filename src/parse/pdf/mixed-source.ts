/** A file read page by page: each plain one without PDFium, which is opened when the first other one comes. */
import type { PdfSource } from './pdf-source.ts';

/** Once so many pages were not plain, and they are half of all so far, the rest is asked of PDFium at once. */
const refusedMax = 4;

/** @param plain may throw anything of a page; PDFium has the last word on it then, also on what is wrong with it */
export function mixedSource(plain: PdfSource, openPdfium: () => Promise<PdfSource>): PdfSource {
  let pdfium: PdfSource | undefined;
  let refused = 0;
  let isHopeless = false;
  /** The last page read. */
  let last = 0;
  const teachers = () => [...plain.fonts.teachers(), ...(pdfium?.fonts.teachers() ?? [])];
  return {
    ...plain,
    fonts: {
      teachers,
      /** Where both readers were asked, and one knows of faulty fonts, all pages: PDFium is to read them, and first those that teach it. */
      outdated() {
        if (pdfium === undefined) return plain.fonts.outdated();
        const taught = teachers();
        if (taught.length === 0) return [];
        isHopeless = true;
        return [...new Set([...taught, ...Array.from({ length: last }, (_, at) => at + 1)])];
      },
    },
    async attachments() {
      if (pdfium === undefined) {
        try {
          return await plain.attachments();
        } catch {
          pdfium = await openPdfium();
        }
      }
      return pdfium.attachments();
    },
    async readPage(number, bounds, wantedPictures) {
      last = Math.max(last, number);
      if (!isHopeless) {
        try {
          return await plain.readPage(number, bounds, wantedPictures);
        } catch {
          refused++;
          isHopeless = refused >= refusedMax && refused * 2 >= number;
        }
      }
      pdfium ??= await openPdfium();
      return pdfium.readPage(number, bounds, wantedPictures);
    },
  };
}
