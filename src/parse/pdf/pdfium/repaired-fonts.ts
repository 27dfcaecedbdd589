/** Which text is right where fonts of a page that PDFium has open name other characters than they show. */
import { isOddPage, judgeFonts, type Known, type Repair } from '../font-faults.ts';
import type { Pdfium } from './pdfium.ts';

type Pointer = number;

export type Repairs = {
  /** By the place among the characters of the page; null where nobody can tell. */
  readonly repaired: ReadonlyMap<number, string | null>;
  readonly certain: ReadonlyMap<Pointer, Repair>;
  readonly garbledCount: number;
};

/** Fonts of the page that is open. */
export type KnownFonts = Required<Known<Pointer>>;

/**
 * Asks for the fonts of all characters only where some of them are odd, or fonts of other pages are faulty.
 * @param codes of the characters of the page
 */
export function repairsOf(pdfium: Pdfium, text: Pointer, codes: Uint32Array, known: KnownFonts): Repairs {
  const repaired = new Map<number, string | null>();
  if (known.faulty.size === 0 && !isOddPage(codes)) return { repaired, certain: new Map(), garbledCount: 0 };
  const places = placesOf(pdfium, text, codes.length);
  const units = new Map(places.entries().map(([font, some]) => [font, some.map((place) => codes[place]!)]));
  const judged = judgeFonts(units, known);
  for (const [font, texts] of judged.repaired)
    for (const [at, place] of places.get(font)!.entries()) repaired.set(place, texts[at]!);
  return { repaired, certain: judged.certain, garbledCount: judged.garbledCount };
}

/** Of each font where its characters are, without the blanks and ends of lines that PDFium adds. */
function placesOf({ call }: Pdfium, text: Pointer, count: number): Map<Pointer, number[]> {
  const places = new Map<Pointer, number[]>();
  for (let place = 0; place < count; place++) {
    if (call.FPDFText_IsGenerated(text, place) === 1) continue;
    const object = call.FPDFText_GetTextObject(text, place);
    const font = object === 0 ? 0 : call.FPDFTextObj_GetFont(object);
    if (font === 0) continue;
    const some = places.get(font);
    if (some === undefined) places.set(font, [place]);
    else some.push(place);
  }
  return places;
}
