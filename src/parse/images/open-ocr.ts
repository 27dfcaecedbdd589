/** Whoever reads pictures here: the installed Tesseract, else the one that comes with the program. */
import { createOcr, type Ocr, type OcrOptions } from './ocr.ts';
import { createWasmOcr } from './wasm-ocr.ts';

/** For the languages of `OcrOptions`: nobody reads pictures. */
const off = 'off';

/** Null where neither is there, and where languages or pages are `off`. */
export async function openOcr(options: OcrOptions): Promise<Ocr | null> {
  if (options.languages === off || options.pages === 'off') return null;
  const ocr = (await createOcr(options)) ?? createWasmOcr(options);
  return ocr === null || options.pages !== 'all' ? ocr : { ...ocr, readsAll: true };
}
