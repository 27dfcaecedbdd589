/** Whoever reads pictures here: the installed Tesseract, else the one that comes with the program. */
import { createOcr, type Ocr, type OcrOptions } from './ocr.ts';
import { createWasmOcr } from './wasm-ocr.ts';

/** For the languages of `OcrOptions`: nobody reads pictures. */
const off = 'off';

/** Null where neither is there, and where the languages are `off`. */
export async function openOcr(options: OcrOptions): Promise<Ocr | null> {
  if (options.languages === off) return null;
  return (await createOcr(options)) ?? createWasmOcr(options);
}
