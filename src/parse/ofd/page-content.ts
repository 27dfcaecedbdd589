/**
 * What is drawn on a page of an OFD, as glyphs and ruling lines for the layout that PDFs use: objects in their boxes, each with a
 * matrix of its own, drawings that are used in several places, and text set character by character (GB/T 33190-2016, 7 to 13).
 */
import { DocumentError } from '../../errors.ts';
import { child, elements, textOf, type XmlNode } from '../containers/xml.ts';
import type { FontLook } from '../pdf/layout/font-look.ts';
import { plainLook } from '../pdf/layout/font-look.ts';
import { createRuleFinder, objectsMax, type Pair } from '../pdf/layout/page-rules.ts';
import {
  baselineOf,
  createGlyphCollector,
  directionOf,
  type GlyphCollector,
  type PageBounds,
  type PageText,
  type Style,
  vertical,
} from '../pdf/layout/page-spans.ts';
import type { PlacedText } from '../parser.ts';
import { apply, identity, type Matrix, multiply } from '../pdf/matrix.ts';
import { type View, viewOf } from '../pdf/page-view.ts';
import { numbersOf, type OfdResources } from './ofd-package.ts';
import { segmentsOf } from './path-data.ts';
import { placeCharacters, type PlacedCharacter, type TextCode } from './text-code.ts';

export type PageContent = {
  readonly text: PageText;
  /** Share of the page that its largest picture covers, 0–1, and that picture's id. */
  readonly pictureShare: number;
  readonly pictureId: string | null;
  readonly objectCount: number;
  /** Characters drawn, blanks among them, wherever they stand. */
  readonly characterCount: number;
  /** Objects drawn that are written elsewhere: in drawings that are used in several places, and in templates. */
  readonly sharedCount: number;
  /** Runs of type and straight pieces of drawings, where a reader sees them, in millimetres from the upper left corner; more than `marksMax`: none. */
  readonly texts: readonly PlacedText[];
  readonly lines: readonly Pair[];
};

export type Layer = {
  readonly node: XmlNode;
  readonly matrix: Matrix;
  /** A template, which other pages draw too. */
  readonly isShared?: boolean;
};

export type OfdPageBounds = PageBounds & {
  /** Of the whole file, of which `glyphsMax` are left. */
  readonly charactersMax: number;
  /** Objects that are written elsewhere. */
  readonly sharedMax: number;
  /** The sentence when there are more. */
  readonly tooManyShared: string;
  /** Runs of type and lines that are kept, together. */
  readonly marksMax: number;
};

export type PageParts = {
  /** Elements whose children are drawn, in their order: contents of templates, page and annotations. */
  readonly layers: readonly Layer[];
  /** Millimetres. */
  readonly size: { readonly width: number; readonly height: number };
  readonly resources: OfdResources;
  readonly bounds: OfdPageBounds;
  /** Called with the text of each text object that has an id. */
  readonly onText: (id: string, text: string) => void;
};

const pointsPerMillimetre = 72 / 25.4;
/** Drawings in drawings. */
const unitDepthMax = 8;
const timeCheckedEvery = 256;
const charactersTimedEvery = 4096;
/** A gap between characters that is a blank, in sizes of type. */
const blankMin = 0.25;

/** Reads a page. Characters are placed when they are laid out, a run at a time. @throws DocumentError `limit_exceeded`, and from `bounds.checkTime`. */
export function readPageContent({ layers, size, resources, bounds, onText }: PageParts): PageContent {
  const [width, height] = [size.width * pointsPerMillimetre, size.height * pointsPerMillimetre];
  const view = viewOf({ left: 0, bottom: 0, right: width, top: height }, 0);
  const toPage: Matrix = [pointsPerMillimetre, 0, 0, -pointsPerMillimetre, 0, height];
  const finder = createRuleFinder(view);
  const texts: TextRun[] = [];
  const lines: Pair[] = [];
  let glyphsLeft = bounds.glyphsMax;
  let objectCount = 0;
  let sharedCount = 0;
  let picture: { share: number; id: string } | null = null;

  for (const { node, matrix, isShared = false } of layers) draw(node, multiply(matrix, toPage), { depth: 0, isShared });
  const { text: laidOut, marks } = layOut();
  return {
    text: laidOut,
    pictureShare: picture === null ? 0 : Math.min(1, (picture as { share: number }).share),
    pictureId: picture === null ? null : (picture as { id: string }).id,
    objectCount,
    characterCount: bounds.glyphsMax - glyphsLeft,
    sharedCount,
    texts: marks ?? [],
    lines: marks === null ? [] : lines,
  };

  /** `marks` is null when there are more than are kept. */
  function layOut(): { readonly text: PageText; readonly marks: readonly PlacedText[] | null } {
    const collector = createGlyphCollector(view, finder.rules);
    const pen: Pen = { x: Infinity, y: Infinity };
    const marks: PlacedText[] = [];
    let untimed = 0;
    for (const run of texts) {
      untimed += 1 + run.code.text.length;
      if (untimed > charactersTimedEvery) {
        untimed = 0;
        bounds.checkTime();
      }
      const placed = { ...run, ...placeCharacters(run.code) };
      collect(placed, view, pen, collector);
      if (marks.length + lines.length <= bounds.marksMax) for (const mark of placedTexts(placed, height)) marks.push(mark);
    }
    return { text: collector.finish([], 0), marks: marks.length + lines.length > bounds.marksMax ? null : marks };
  }

  function draw(node: XmlNode, matrix: Matrix, from: DrawnFrom): void {
    for (const each of elements(node)) {
      if (each.attributes['Visible'] === 'false') continue;
      if (++objectCount % timeCheckedEvery === 0) bounds.checkTime();
      if (from.isShared && ++sharedCount > bounds.sharedMax) throw new DocumentError('limit_exceeded', bounds.tooManyShared);
      switch (each.name) {
        case 'Content':
        case 'Layer':
        case 'PageBlock':
          draw(each, matrix, from);
          break;
        case 'TextObject':
          text(each, placeOf(each, matrix));
          break;
        case 'PathObject':
          path(each, placeOf(each, matrix));
          break;
        case 'ImageObject':
          image(each, matrix);
          break;
        case 'CompositeObject':
          composite(each, placeOf(each, matrix), from);
          break;
        default:
      }
    }
  }

  function text(node: XmlNode, matrix: Matrix): void {
    const { attributes } = node;
    const size = numberOr(attributes['Size'], 0);
    const look = lookOf(attributes['Font'], attributes, resources);
    const codes = elements(node, 'TextCode');
    let [x, y] = [0, 0];
    const said: string[] = [];
    for (const code of codes) {
      x = numberOr(code.attributes['X'], x);
      y = numberOr(code.attributes['Y'], y);
      const written = textOf(code);
      glyphsLeft -= written.length;
      if (glyphsLeft < 0) throw tooMuchText(bounds.charactersMax);
      said.push(written);
      const { DeltaX: deltaX, DeltaY: deltaY } = code.attributes;
      const hScale = numberOr(attributes['HScale'], 1);
      texts.push({ matrix, size, look, code: { text: written, x, y, deltaX, deltaY, size, hScale } });
    }
    if (attributes['ID'] !== undefined) onText(attributes['ID'], said.join(''));
  }

  function path(node: XmlNode, matrix: Matrix): void {
    if (objectCount > objectsMax) return;
    const isStroked = node.attributes['Stroke'] !== 'false';
    if (!isStroked && node.attributes['Fill'] !== 'true') return;
    const segments = segmentsOf(textOf(child(node, 'AbbreviatedData'))).map(([x1, y1, x2, y2]): Pair => [
      ...apply(matrix, x1, y1),
      ...apply(matrix, x2, y2),
    ]);
    const box = boxOf(segments);
    if (box === null) return;
    finder.addPath(box, () => (isStroked ? segments : []));
    for (const [x1, y1, x2, y2] of segments)
      if (lines.length < linesMax) lines.push([...seenFrom(height, x1, y1), ...seenFrom(height, x2, y2)]);
  }

  function image(node: XmlNode, matrix: Matrix): void {
    const [x, y, across, down] = numbersOf(node.attributes['Boundary'], 4) ?? [0, 0, 0, 0];
    const box = boxOf([[...apply(matrix, x!, y!), ...apply(matrix, x! + across!, y! + down!)]]);
    const share = box === null ? 0 : Math.abs((box[2] - box[0]) * (box[3] - box[1])) / (width * height);
    if (picture === null || share > picture.share) picture = { share, id: node.attributes['ResourceID'] ?? '' };
  }

  function composite(node: XmlNode, matrix: Matrix, { depth }: DrawnFrom): void {
    const unit = resources.units.get(node.attributes['ResourceID'] ?? '');
    const content = child(unit, 'Content');
    if (content !== undefined && depth < unitDepthMax) draw(content, matrix, { depth: depth + 1, isShared: true });
  }
}

/** How many drawings are open, and whether what is drawn is written elsewhere. */
type DrawnFrom = { readonly depth: number; readonly isShared: boolean };

function tooMuchText(count: number): DocumentError {
  return new DocumentError('limit_exceeded', `The file has more than ${count} characters of text (MAX_CHARACTERS)`);
}

/** From an object's own space into that of the page: its matrix, then its box. */
function placeOf({ attributes }: XmlNode, matrix: Matrix): Matrix {
  const own = numbersOf(attributes['CTM'], 6);
  const [x = 0, y = 0] = numbersOf(attributes['Boundary'], 4) ?? [];
  const moved: Matrix = [1, 0, 0, 1, x, y];
  return multiply(own === null ? moved : multiply(own as unknown as Matrix, moved), matrix);
}

/** For what stands in a box of its own, from its corner. */
export function boxMatrix({ attributes }: XmlNode): Matrix {
  const [x, y] = numbersOf(attributes['Boundary'], 4) ?? [];
  return x === undefined || y === undefined ? identity : [1, 0, 0, 1, x, y];
}

function boxOf(segments: readonly Pair[]): Pair | null {
  if (segments.length === 0) return null;
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x1, y1, x2, y2] of segments) {
    left = Math.min(left, x1, x2);
    right = Math.max(right, x1, x2);
    bottom = Math.min(bottom, y1, y2);
    top = Math.max(top, y1, y2);
  }
  return [left, bottom, right, top];
}

function lookOf(font: string | undefined, attributes: XmlNode['attributes'], { fonts }: OfdResources): FontLook {
  const look = fonts.get(font ?? '') ?? plainLook;
  const isBold = numberOr(attributes['Weight'], 400) >= 600;
  const isItalic = attributes['Italic'] === 'true';
  return isBold || isItalic ? { ...look, bold: look.bold || isBold, italic: look.italic || isItalic } : look;
}

function numberOr(text: string | undefined, otherwise: number): number {
  const number = Number.parseFloat(text ?? '');
  return Number.isFinite(number) ? number : otherwise;
}

/* Characters to glyphs. */

type TextRun = {
  readonly matrix: Matrix;
  readonly size: number;
  readonly look: FontLook;
  readonly code: TextCode;
};

type PlacedRun = TextRun & {
  readonly characters: readonly PlacedCharacter[];
  readonly isDown: boolean;
};

/** Where the last glyph ended, in user space. */
type Pen = { x: number; y: number };

function collect({ matrix, size, look, characters, isDown }: PlacedRun, view: View, pen: Pen, into: GlyphCollector): void {
  const [a, b, c, d] = matrix;
  const scale = Math.hypot(c, d) || 1;
  const seenSize = bounded(size * scale);
  const direction = isDown ? vertical : directionOf(a, b, view.turns);
  const along = Math.hypot(a, b) || 1;
  let style: Style | null = null;
  let styleY = NaN;
  for (const { text, x, y, advance } of characters) {
    const [startX, startY] = apply(matrix, x, y);
    const isBlank = text.trim() === '' || text < ' ';
    const gap = ((startX - pen.x) * a + (startY - pen.y) * b) / along;
    if (isBlank || gap > seenSize * blankMin) into.space();
    const [endX, endY] = apply(matrix, x + advance, y);
    pen.x = endX;
    pen.y = endY;
    if (isBlank) continue;
    if (style === null || y !== styleY) {
      style = { ...look, direction, size: seenSize, baseline: baselineOf(direction, view, startX, startY) };
      styleY = y;
    }
    const corner = apply(matrix, x, y + size * 0.15);
    const opposite = apply(matrix, x + advance, y - size * 0.85);
    into.glyph(text, style, {
      left: Math.min(corner[0], opposite[0]),
      bottom: Math.min(corner[1], opposite[1]),
      right: Math.max(corner[0], opposite[0]),
      top: Math.max(corner[1], opposite[1]),
    });
  }
}

/** Lines of one page that are drawn. */
const linesMax = 5000;

/** A place in points from the lower left corner, in hundredths of a millimetre from the upper left one. */
function seenFrom(height: number, x: number, y: number): [number, number] {
  return [rounded(x / pointsPerMillimetre), rounded((height - y) / pointsPerMillimetre)];
}

function rounded(millimetres: number): number {
  return Number.isFinite(millimetres) ? Math.round(millimetres * 100) / 100 : 0;
}

/** A run in pieces that lie without a gap; of what goes down the page each character. */
function placedTexts({ matrix, size, characters, isDown }: PlacedRun, height: number): PlacedText[] {
  const pieces: { text: string; box: Pair }[] = [];
  let endX = NaN;
  let endY = NaN;
  for (const { text, x, y, advance } of characters) {
    if (text.trim() === '' || text < ' ') {
      endX = NaN;
      continue;
    }
    const box = boxOf([[...apply(matrix, x, y + size * 0.15), ...apply(matrix, x + advance, y - size * 0.85)]])!;
    const open = pieces.at(-1);
    if (open !== undefined && !isDown && y === endY && Math.abs(x - endX) <= size * blankMin) {
      open.text += text;
      open.box = boxOf([open.box, box])!;
    } else pieces.push({ text, box });
    [endX, endY] = [x + advance, y];
  }
  return pieces.map(({ text, box: [left, bottom, right, top] }) => [
    text,
    ...seenFrom(height, left, top),
    ...seenFrom(height, right, bottom),
  ]);
}

function bounded(size: number): number {
  return size > 0.1 && size < 2000 ? size : 1;
}
