/** A page as a picture, for OCR. */
import { DocumentError } from '../../../errors.ts';
import type { SeenBox } from '../layout/text-cover.ts';
import type { View } from '../page-view.ts';
import type { Pdfium } from './pdfium.ts';

/** What OCR engines are trained on. */
const dotsPerInch = 300;
/** Pixels of one picture: larger pages get fewer dots per inch. */
const pixelsMax = 24_000_000;
/** FPDFBitmap_Gray. */
const gray = 1;
/** FPDF_ANNOT | FPDF_GRAYSCALE. */
const flags = 0x01 | 0x08;
const toBeContinued = 1;

/**
 * Draws a part of a page from `FPDF_LoadPage` in shades of grey. Memory: one byte a pixel in PDFium and one in the result.
 * @param isLate asked while drawing; true ends it
 * @returns a PGM file; undefined when PDFium has no room for it
 * @throws DocumentError `timeout`
 */
export function drawPage(
  pdfium: Pdfium,
  page: number,
  { view, part }: { readonly view: View; readonly part: SeenBox },
  isLate: () => boolean,
): Uint8Array | undefined {
  const { call } = pdfium;
  const [across, down] = [part.right - part.left, part.bottom - part.top];
  const scale = Math.min(dotsPerInch / 72, Math.sqrt(pixelsMax / (across * down)));
  const scaled = (points: number): number => Math.max(1, Math.round(points * scale));
  const [width, height] = [scaled(across), scaled(down)];
  const [left, top] = [-Math.round(part.left * scale), -Math.round(part.top * scale)];
  const bitmap = call.FPDFBitmap_CreateEx(width, height, gray, 0, 0);
  if (bitmap === 0) return undefined;
  return pdfium.closing(
    () => {
      call.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xffffffff);
      const status = pdfium.pausable(isLate, (pause) =>
        call.FPDF_RenderPageBitmap_Start(bitmap, page, left, top, scaled(view.width), scaled(view.height), 0, flags, pause),
      );
      call.FPDF_RenderPage_Close(page);
      if (status === toBeContinued) {
        throw new DocumentError('timeout', 'Drawing a page for OCR took longer than allowed (PAGE_TIMEOUT_MS)');
      }
      return pgmOf(pdfium, bitmap, width, height);
    },
    () => call.FPDFBitmap_Destroy(bitmap),
  );
}

function pgmOf(pdfium: Pdfium, bitmap: number, width: number, height: number): Uint8Array {
  const { call } = pdfium;
  const head = Buffer.from(`P5\n${width} ${height}\n255\n`);
  const image = Buffer.allocUnsafe(head.length + width * height);
  head.copy(image);
  const start = call.FPDFBitmap_GetBuffer(bitmap);
  const stride = call.FPDFBitmap_GetStride(bitmap);
  for (let row = 0; row < height; row++) {
    image.set(pdfium.bytes.subarray(start + row * stride, start + row * stride + width), head.length + row * width);
  }
  return image;
}
