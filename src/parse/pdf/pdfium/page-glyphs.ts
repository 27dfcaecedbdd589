/** Reads the glyphs of one page out of PDFium. */
import { DocumentError } from '../../../errors.ts';
import type { Repair } from '../font-faults.ts';
import { type FontLook, lookOf, plainLook } from '../layout/font-look.ts';
import {
  baselineOf,
  type Corners,
  directionOf,
  type Doubts,
  type GlyphCollector,
  type PageBounds,
  type Style,
  vertical,
} from '../layout/page-spans.ts';
import type { View } from '../page-view.ts';
import type { Pdfium } from './pdfium.ts';
import { repairsOf } from './repaired-fonts.ts';

type Pointer = number;

export type GlyphsRead = {
  readonly doubts: Doubts;
  /** Fonts that are certainly faulty by this page. */
  readonly certain: ReadonlyMap<Pointer, Repair>;
  readonly repairedCount: number;
};

/**
 * Gives the glyphs to `into`.
 * @param page from `FPDF_LoadPage`
 * @param faulty fonts that are certain by other pages
 * @returns of how many is not known or not to be believed which characters they are, or is known better than their font says
 * @throws DocumentError `limit_exceeded` | `timeout`
 */
export function readGlyphs(
  pdfium: Pdfium,
  page: Pointer,
  view: View,
  into: GlyphCollector,
  bounds: PageBounds,
  faulty: ReadonlyMap<Pointer, Repair>,
): GlyphsRead {
  const text = pdfium.call.FPDFText_LoadPage(page);
  if (text === 0) return { doubts: { unmappedCount: 0, garbledCount: 0 }, certain: new Map(), repairedCount: 0 };
  return pdfium.closing(
    () => {
      bounds.checkTime();
      return readText(pdfium, text, view, into, bounds, faulty);
    },
    () => pdfium.call.FPDFText_ClosePage(text),
  );
}

/** The characters of a page without white space. */
export function pageCharacters(pdfium: Pdfium, page: Pointer): string {
  const text = pdfium.call.FPDFText_LoadPage(page);
  if (text === 0) return '';
  return pdfium.closing(
    () => {
      const codes = codesOf(pdfium, text, pdfium.call.FPDFText_CountChars(text));
      return Array.from(codes, (code) => String.fromCodePoint(code))
        .join('')
        .replace(/\s+/g, '');
    },
    () => pdfium.call.FPDFText_ClosePage(text),
  );
}

function readText(
  pdfium: Pdfium,
  text: Pointer,
  view: View,
  into: GlyphCollector,
  bounds: PageBounds,
  faulty: ReadonlyMap<Pointer, Repair>,
): GlyphsRead {
  const { call, scratch } = pdfium;
  const count = call.FPDFText_CountChars(text);
  if (count > bounds.glyphsMax) {
    throw new DocumentError('limit_exceeded', `The PDF has more than ${bounds.charactersMax} characters of text (MAX_CHARACTERS)`);
  }
  const fonts = new Map<Pointer, FontLook>();
  const codes = codesOf(pdfium, text, count);
  const numbered = numberedFonts(pdfium, text, codes);
  const { repaired, certain, garbledCount } = repairsOf(pdfium, text, codes, { faulty, unnamed: numbered });
  let unmappedCount = 0;
  let object = 0;
  let style: Style | undefined;
  let floats = pdfium.floats;
  const at = scratch >> 2;
  const corners: Corners = { left: 0, bottom: 0, right: 0, top: 0 };

  for (let index = 0; index < count; index++) {
    if ((index & 1023) === 1023) bounds.checkTime();
    const code = codes[index]!;
    const right = repaired.get(index);
    if (right === undefined ? isBlank(code) : right === ' ') {
      into.space();
      continue;
    }
    if (right === undefined && (code === 13 || code === 10)) {
      if (call.FPDFText_IsGenerated(text, index) === 1) into.end();
      else into.space();
      continue;
    }
    if (right === undefined && isNothing(code)) continue;
    const of = call.FPDFText_GetTextObject(text, index);
    if (of !== object || style === undefined) {
      object = of;
      style = styleOf(pdfium, text, index, of, view, fonts);
    }
    if (right === null || (right === undefined && isNumbered(pdfium, text, index, of, numbered))) {
      unmappedCount++;
      into.space();
      continue;
    }
    call.FPDFText_GetLooseCharBox(text, index, scratch);
    if (floats.length === 0) floats = pdfium.floats;
    const character = right ?? characterOf(code, style);
    corners.left = floats[at]!;
    corners.bottom = floats[at + 3]!;
    corners.right = floats[at + 2]!;
    corners.top = floats[at + 1]!;
    into.glyph(character, style, corners);
  }
  return { doubts: { unmappedCount, garbledCount }, certain, repairedCount: repaired.size };
}

function isBlank(code: number): boolean {
  return code === 32 || code === 0xa0 || code === 9;
}

function isNothing(code: number): boolean {
  return (code < 32 && code !== 2) || code === 0xfffe || code === 0xffff || code === 0xfeff;
}

function characterOf(code: number, { dingbats }: Style): string {
  return code === 2 ? '-' : dingbats && code < 0x7f ? '•' : String.fromCodePoint(code);
}

function isNumbered(pdfium: Pdfium, text: Pointer, index: number, object: Pointer, numbered: ReadonlySet<Pointer>): boolean {
  return numbered.size > 0 && isUnmapped(pdfium, text, index) && numbered.has(pdfium.call.FPDFTextObj_GetFont(object));
}

function codesOf({ call }: Pdfium, text: Pointer, count: number): Uint32Array {
  const codes = new Uint32Array(Math.max(0, count));
  for (let index = 0; index < count; index++) codes[index] = call.FPDFText_GetUnicode(text, index);
  return codes;
}

/**
 * Fonts of many glyphs that do not say which characters some of these are. PDFium gives the number of the glyph instead, which read
 * as a character is any letter of any script. A font of up to 256 glyphs is numbered by its letters more often than not.
 */
function numberedFonts(pdfium: Pdfium, text: Pointer, codes: Uint32Array): ReadonlySet<Pointer> {
  const { call } = pdfium;
  const fonts = new Set<Pointer>();
  for (let index = 0; index < codes.length; index++) {
    if (codes[index]! <= 0xff || !isUnmapped(pdfium, text, index)) continue;
    const object = call.FPDFText_GetTextObject(text, index);
    if (object !== 0) fonts.add(call.FPDFTextObj_GetFont(object));
  }
  return fonts;
}

function isUnmapped(pdfium: Pdfium, text: Pointer, index: number): boolean {
  return pdfium.call.FPDFText_HasUnicodeMapError(text, index) === 1;
}

function styleOf(pdfium: Pdfium, text: Pointer, index: number, object: Pointer, view: View, fonts: Map<Pointer, FontLook>): Style {
  const { call } = pdfium;
  const [a, b, c, d, e, f] = matrixAt(pdfium, text, index);
  const scale = Math.sqrt(c * c + d * d);
  const size = call.FPDFText_GetFontSize(text, index) * (scale > 0 ? scale : 1);
  const look = object === 0 ? plainLook : fontLook(pdfium, object, fonts);
  const upright = directionOf(a, b, view.turns);
  return {
    italic: look.italic,
    mono: look.mono,
    dingbats: look.dingbats,
    baseline: baselineOf(upright, view, e, f),
    size: size > 0.1 && size < 2000 ? size : 1,
    direction: upright === 0 && isVertical(pdfium, text, index, object, view) ? vertical : upright,
    bold: look.bold || (object !== 0 && call.FPDFTextObj_GetTextRenderMode(object) === 2),
  };
}

function matrixAt(pdfium: Pdfium, text: Pointer, index: number): readonly [number, number, number, number, number, number] {
  if (pdfium.call.FPDFText_GetMatrix(text, index, pdfium.scratch) !== 1) return [1, 0, 0, 1, 0, 0];
  const { floats } = pdfium;
  const at = pdfium.scratch >> 2;
  return [floats[at]!, floats[at + 1]!, floats[at + 2]!, floats[at + 3]!, floats[at + 4]!, floats[at + 5]!];
}

/** Two neighbours of one text object stand one under the other although the text is not turned. */
function isVertical(pdfium: Pdfium, text: Pointer, index: number, object: Pointer, view: View): boolean {
  const { call, scratch } = pdfium;
  if (object === 0 || call.FPDFText_GetTextObject(text, index + 1) !== object) return false;
  const middle = (at: number): [number, number] => {
    call.FPDFText_GetLooseCharBox(text, at, scratch);
    const x = (pdfium.float(scratch) + pdfium.float(scratch + 8)) / 2;
    const y = (pdfium.float(scratch + 4) + pdfium.float(scratch + 12)) / 2;
    return [view.x(x, y), view.y(x, y)];
  };
  const [x1, y1] = middle(index);
  const [x2, y2] = middle(index + 1);
  return y2 - y1 > Math.abs(x2 - x1) * 2 + 1;
}

function fontLook(pdfium: Pdfium, object: Pointer, fonts: Map<Pointer, FontLook>): FontLook {
  const font = pdfium.call.FPDFTextObj_GetFont(object);
  if (font === 0) return plainLook;
  const known = fonts.get(font);
  if (known !== undefined) return known;
  const name = pdfium.utf8((buffer, bytes) => pdfium.call.FPDFFont_GetBaseFontName(font, buffer, bytes));
  const look = lookOf(name, pdfium.call.FPDFFont_GetFlags(font));
  fonts.set(font, look);
  return look;
}
