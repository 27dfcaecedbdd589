/** Whoever reads pictures here: the installed Tesseract, else the one that comes with the program. */
import { createOcr, installedLanguages, type Ocr, ocrOff, type OcrOptions } from './ocr.ts';
import { createWasmOcr, decodePicture, ownLanguages } from './wasm-ocr.ts';

/** Null where neither is there, and where languages or pages are `off`. */
export async function openOcr(options: OcrOptions): Promise<Ocr | null> {
  if (options.languages === ocrOff || options.pages === 'off') return null;
  const ocr = (await createOcr(options, (image) => decodePicture(image, options))) ?? createWasmOcr(options);
  return ocr === null || options.pages !== 'all' ? ocr : { ...ocr, readsAll: true };
}

/** `lacking`: languages that are wanted and not there; `known`: those that are, for whoever reads pictures. */
export type LackingLanguages = { readonly lacking: readonly string[]; readonly known: readonly string[] };

/** For whoever can correct it. */
export function lackingSentence({ lacking, known }: LackingLanguages): string {
  return `OCR_LANGUAGES: ${lacking.join(', ')} is not installed here; those that are: ${known.join(', ') || 'none'}. Correct the setting, or install the languages (apt install tesseract-ocr-…).`;
}

/** Null when every language that `OCR_LANGUAGES` names is there, and when it names none. */
export async function lackingLanguages({
  languages,
  command,
}: Pick<OcrOptions, 'languages' | 'command'>): Promise<LackingLanguages | null> {
  if (languages === '' || languages === ocrOff) return null;
  const wanted = languages.split('+');
  const offered = [await installedLanguages(command), ownLanguages(wanted)];
  // Whoever has one of them reads; the other's are of no use beside.
  const reading = offered.find((list) => wanted.some((language) => list.includes(language)));
  const known = (reading ?? [...new Set(offered.flat())]).filter((language) => language !== 'osd');
  const lacking = wanted.filter((language) => !known.includes(language));
  return lacking.length === 0 ? null : { lacking, known };
}
