/** A file read page by page: each plain one without PDFium, which is opened when the first other one comes. */
import type { PdfSource } from './pdf-source.ts';

/** Once so many pages were not plain, and they are half of all so far, the rest is asked of PDFium at once. */
const refusedMax = 4;

/** @param plain may throw anything of a page; PDFium has the last word on it then, also on what is wrong with it */
export function mixedSource(plain: PdfSource, openPdfium: () => Promise<PdfSource>): PdfSource {
  let pdfium: PdfSource | undefined;
  let refused = 0;
  let isHopeless = false;
  return {
    ...plain,
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
