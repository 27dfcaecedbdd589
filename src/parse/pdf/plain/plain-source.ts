/**
 * Plain PDF pages, read without PDFium. Most are plain: their file is not encrypted and not damaged, their fonts say which characters
 * they hold. PDFium as WebAssembly does for them what text does not need: it makes an object of every stroke and looks at the outline
 * of every glyph to know its box. This takes about half its CPU time (ARCHITECTURE.md has the figures).
 *
 * What this reader is not sure of, it does not guess at: it throws, and the page, or the file, is PDFium's to read. So it needs to know
 * only the usual ways of saying a thing, and decides nothing about what is odd or hostile.
 */
import { readFileSync } from 'node:fs';
import { createRuleFinder } from '../page-rules.ts';
import { baselineOf, createGlyphCollector, directionOf, type GlyphCollector, type Style } from '../page-spans.ts';
import { type View, viewOf } from '../page-view.ts';
import type { PdfSource, SourcePage } from '../pdf-source.ts';
import { type Fonts, runContent, type Shown } from './content.ts';
import { openPlainFile, type PlainFile } from './file.ts';
import type { PlainFont } from './fonts.ts';
import type { Matrix } from './matrix.ts';
import { NotPlain } from './objects.ts';
import { bookmarksOf, contentOf, pagesOf, type PlainPage, refuseFreeText, textString } from './pages.ts';

/** A file is held in memory whole; larger ones are PDFium's. */
export const plainBytesMax = 32 * 1024 * 1024;
/** A page that takes longer is none of the usual ones. */
const pageMs = 2000;
/** Past this many objects a page is a drawing, and its lines say nothing about tables. */
const objectsMax = 20_000;

/**
 * The file at `path`, of at most `plainBytesMax` bytes.
 * @throws NotPlain here and from everything of the source; other errors too, of files that are worse
 */
export function openPlainSource(path: string, pagesMax: number): PdfSource {
  const file = openPlainFile(readFileSync(path));
  const catalog = file.get(file.trailer, 'Root');
  if (!(catalog instanceof Map)) throw new NotPlain('no catalog');
  const pages = pagesOf(file, catalog, pagesMax);
  const information = file.get(file.trailer, 'Info');
  const said = (key: string): string => textString(information instanceof Map ? file.get(information, key) : null);
  // Asked for now, so that an odd one does not show itself when all pages are read.
  const [title, author, language, bookmarks] = [
    said('Title'),
    said('Author'),
    textString(file.get(catalog, 'Lang')),
    bookmarksOf(file, catalog),
  ];
  const fonts: Fonts = new Map();
  return {
    pageCount: pages.length,
    title: () => title,
    author: () => author,
    language: () => language,
    bookmarks: () => bookmarks,
    async readPage(number, { glyphsMax }, wantsPicture) {
      const read = readPage(file, fonts, pages[number - 1]!);
      if (read.text.glyphCount > glyphsMax) throw new NotPlain('too much text');
      if (wantsPicture(read)) throw new NotPlain('a page that is wanted as a picture');
      return read;
    },
  };
}

function pageTimer(): () => void {
  const started = performance.now();
  return () => {
    if (performance.now() - started > pageMs) throw new NotPlain('a page that takes long');
  };
}

function readPage(file: PlainFile, fonts: Fonts, page: PlainPage): SourcePage {
  refuseFreeText(file, page);
  const content = runContent(file, fonts, contentOf(file, page), page.resources, pageTimer());
  const view = viewOf(page.box, page.rotation);
  const finder = createRuleFinder(view);
  for (const { box, lines } of content.paths) finder.addPath(box, () => lines);
  const glyphs = createGlyphCollector(view, content.paths.length > objectsMax ? [] : finder.rules);
  collect(content.shown, view, glyphs);
  return {
    text: glyphs.finish([], content.unknownCount),
    pictureShare: pictureShareOf(content.pictures, view),
    objectCount: content.objectCount,
  };
}

function pictureShareOf(pictures: readonly Matrix[], view: View): number {
  const areas = pictures.map((matrix) => {
    const [a, b, c, d] = matrix;
    return (Math.abs(a) + Math.abs(c)) * (Math.abs(b) + Math.abs(d));
  });
  return Math.min(1, areas.reduce((most, area) => Math.max(most, area), 0) / (view.width * view.height));
}

/* Glyphs. A blank is where the file has one, and where glyphs stand apart: files often leave blanks out. */

function collect(shown: readonly Shown[], view: View, into: GlyphCollector): void {
  let before: Pen | undefined;
  for (const [index, each] of shown.entries()) {
    if (isStruckAgain(shown, index)) continue;
    before = collectShown(each, view, before, into);
  }
}

/** Where the last glyph ended, in user space, and its width as a share of its size. */
type Pen = { readonly x: number; readonly y: number; readonly width: number };

function collectShown(
  { font, size, matrix, renderMode, glyphs, xs, widthScale, spacing }: Shown,
  view: View,
  pen: Pen | undefined,
  into: GlyphCollector,
): Pen {
  const [a, b, c, d, e, f] = matrix;
  const style = styleOf(font, size, matrix, renderMode, view);
  const along = Math.sqrt(a * a + b * b) || 1;
  const [low, high] = [font.descent * size, font.ascent * size];
  let [endX, endY, lastWidth] = pen === undefined ? [Infinity, Infinity, 0] : [pen.x, pen.y, pen.width];
  for (let index = 0; index < glyphs.length; index++) {
    const of = glyphs[index]!;
    const width = of.width * widthScale;
    const startX = a * xs[index]! + e;
    const startY = b * xs[index]! + f;
    const gap = ((startX - endX) * a + (startY - endY) * b) / along;
    const apart = index === 0 ? normalized(Math.max(lastWidth, of.width), 0.4, 0.7, 0.8) : apartWithin(font.spaceWidth, of.width);
    const [rightX, rightY] = [startX + a * width, startY + b * width];
    // Letters that are set apart are no words of their own.
    endX = rightX + a * spacing;
    endY = rightY + b * spacing;
    lastWidth = of.width;
    if (of.isBlank || gap > (of.width < wide ? Math.min(apart, thinSpace) : apart) * style.size) into.space();
    if (of.isBlank || of.text === '') continue;
    const [x1, y1, x2, y2] = [startX + c * low, startY + d * low, rightX + c * high, rightY + d * high];
    const text = style.dingbats && of.text < '\x7f' ? '•' : of.text;
    into.glyph(text, style, Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2));
  }
  return { x: endX, y: endY, width: lastWidth };
}

function styleOf(font: PlainFont, size: number, [a, b, c, d, e, f]: Matrix, renderMode: number, view: View): Style {
  const scale = Math.sqrt(c * c + d * d);
  const seenSize = Math.abs(size) * (scale > 0 ? scale : 1);
  const direction = directionOf(a, b, view.turns);
  return {
    bold: font.look.bold || renderMode === 2,
    italic: font.look.italic,
    mono: font.look.mono,
    dingbats: font.look.dingbats,
    baseline: baselineOf(direction, view, e, f),
    size: seenSize > 0.1 && seenSize < 2000 ? seenSize : 1,
    direction,
  };
}

/** TeX's thinnest blank is a sixth of the size of type; Chinese characters may be set as far apart to fill a line. */
const thinSpace = 0.15;
const wide = 0.9;

/** How far two glyphs of one text stand apart when there is a blank between them: half a space; as PDFium has it. */
function apartWithin(spaceWidth: number, width: number): number {
  return spaceWidth > 0 && spaceWidth <= 1 / 3 ? spaceWidth / 2 : normalized(width, 0.3, 0.5, 0.7);
}

/** Part of a glyph's width, the smaller the wider it is; as PDFium has it. */
function normalized(width: number, narrow: number, middling: number, wide: number): number {
  return width / (width < narrow ? 2 : width < middling ? 4 : width < wide ? 5 : 6);
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
