/**
 * The glyphs of one plain page, one after the other. A blank is where the file has one, and where glyphs stand apart: files often leave
 * blanks out.
 */
import { baselineOf, type Corners, directionOf, type GlyphCollector, type Style } from '../layout/page-spans.ts';
import type { View } from '../page-view.ts';
import type { Shown } from './content.ts';
import type { FontGlyph, PlainFont } from './fonts.ts';
import { type Matrix, xOf, yOf } from '../matrix.ts';

/** Gives what is shown on a page, in this order, to `into`. */
export function collectGlyphs(shown: readonly Shown[], view: View, into: GlyphCollector): void {
  const pen: Pen = { x: Infinity, y: Infinity, width: 0, size: 0 };
  const corners: Corners = { left: 0, bottom: 0, right: 0, top: 0 };
  for (const [index, each] of shown.entries()) if (!isStruckAgain(shown, index)) collectShown(each, view, pen, corners, into);
}

/** Where the last glyph ended, in user space; its width is a share of its size. */
type Pen = { x: number; y: number; width: number; size: number };

function collectShown(shown: Shown, view: View, pen: Pen, corners: Corners, into: GlyphCollector): void {
  const { font, size, matrix, glyphs, xs, widthScale } = shown;
  const spacing = spacingOf(shown);
  const style = styleOf(shown, view);
  const low = font.descent * size;
  const high = font.ascent * size;
  for (let index = 0; index < glyphs.length; index++) {
    const glyph = glyphs[index]!;
    const left = xs[index]!;
    const right = left + glyph.width * widthScale;
    const apart = index === 0 ? apartBetween(pen, glyph, style.size) : apartWithin(font, glyph) * style.size;
    const isText = !glyph.isBlank && !glyph.isUnknown;
    if (!isText || gapTo(xOf(matrix, left, 0), yOf(matrix, left, 0), pen, matrix) > apart) into.space();
    pen.x = xOf(matrix, right + spacing, 0);
    pen.y = yOf(matrix, right + spacing, 0);
    pen.width = glyph.width;
    pen.size = style.size;
    if (!isText) continue;
    const x1 = xOf(matrix, left, low);
    const y1 = yOf(matrix, left, low);
    const x2 = xOf(matrix, right, high);
    const y2 = yOf(matrix, right, high);
    corners.left = Math.min(x1, x2);
    corners.bottom = Math.min(y1, y2);
    corners.right = Math.max(x1, x2);
    corners.top = Math.max(y1, y2);
    into.glyph(textOf(glyph, style), style, corners);
  }
}

function textOf({ text }: FontGlyph, style: Style): string {
  return style.dingbats && text !== '' && text < '\x7f' ? '•' : text;
}

/** How far all glyphs are set apart: then each is no word of its own. Numbers between them may take back what the spacing gives. */
function spacingOf({ glyphs, xs, widthScale, spacing }: Shown): number {
  if (spacing <= 0) return 0;
  let least = spacing;
  for (let index = 1; index < glyphs.length; index++)
    least = Math.min(least, xs[index]! - xs[index - 1]! - glyphs[index - 1]!.width * widthScale);
  return Math.max(0, least);
}

/** How far (x, y) lies beyond the pen, along the line. */
function gapTo(x: number, y: number, pen: Pen, [a, b]: Matrix): number {
  return ((x - pen.x) * a + (y - pen.y) * b) / (Math.sqrt(a * a + b * b) || 1);
}

function styleOf({ font: { look }, size, matrix, renderMode }: Shown, view: View): Style {
  const [a, b, c, d, e, f] = matrix;
  const scale = Math.sqrt(c * c + d * d);
  const seenSize = Math.abs(size) * (scale > 0 ? scale : 1);
  const direction = directionOf(a, b, view.turns);
  return {
    bold: look.bold || renderMode === 2,
    italic: look.italic,
    mono: look.mono,
    dingbats: look.dingbats,
    baseline: baselineOf(direction, view, e, f),
    size: seenSize > 0.1 && seenSize < 2000 ? seenSize : 1,
    direction,
  };
}

/* How far two glyphs stand apart when there is a blank between them; mostly as PDFium has it. */

/** TeX's thinnest blank is a sixth of the size of type; Chinese characters may be set as far apart to fill a line. */
const thinSpace = 0.15;
const wide = 0.9;

/** In what one operator shows, in sizes of type: half a space. */
function apartWithin({ spaceWidth }: PlainFont, { width }: FontGlyph): number {
  return bounded(spaceWidth > 0 && spaceWidth <= 1 / 3 ? spaceWidth / 2 : partOf(width, 0.3, 0.5, 0.7), width);
}

/** Between what two operators show, in points: part of the wider glyph. */
function apartBetween(last: Pen, { width }: FontGlyph, size: number): number {
  return last.width > width
    ? bounded(partOf(last.width, 0.4, 0.7, 0.8), width) * last.size
    : bounded(partOf(width, 0.4, 0.7, 0.8), width) * size;
}

/** Part of a glyph's width, the smaller the wider it is. */
function partOf(width: number, small: number, middling: number, large: number): number {
  return width / (width < small ? 2 : width < middling ? 4 : width < large ? 5 : 6);
}

function bounded(apart: number, width: number): number {
  return width < wide ? Math.min(apart, thinSpace) : apart;
}

/** The same text a hair beside one of the last: bold type of a printer that has none. */
function isStruckAgain(shown: readonly Shown[], index: number): boolean {
  const each = shown[index]!;
  for (let back = index - 1; back >= 0 && back >= index - 5; back--) {
    const other = shown[back]!;
    if (other.font !== each.font || other.size !== each.size || other.glyphs.length !== each.glyphs.length) continue;
    const size = Math.abs(each.size) * Math.hypot(each.matrix[2], each.matrix[3]);
    const reach = Math.min(0.15 * size, each.glyphs[0]!.width * each.widthScale * Math.hypot(each.matrix[0], each.matrix[1]) * 0.5);
    const isNear = Math.abs(other.matrix[4] - each.matrix[4]) < reach && Math.abs(other.matrix[5] - each.matrix[5]) < reach;
    if (isNear && other.glyphs.every((glyph, at) => glyph === each.glyphs[at])) return true;
  }
  return false;
}
