/**
 * What is drawn on a page of an OFD, as glyphs and ruling lines for the layout that PDFs use: objects in their boxes, each with a
 * matrix of its own, drawings that are used in several places, and text set character by character (GB/T 33190-2016, 7 to 13).
 */
import { DocumentError } from '../../errors.ts';
import { child, elements, textOf, type XmlNode } from '../containers/xml.ts';
import type { FontLook } from '../pdf/layout/font-look.ts';
import { plainLook } from '../pdf/layout/font-look.ts';
import { objectsMax, type Pair } from '../pdf/layout/page-rules.ts';
import type { PageBounds, PageText } from '../pdf/layout/page-spans.ts';
import { boxOf, createDrawnPage, type PageMarks, pointsPerMillimetre } from '../pdf/layout/placed-runs.ts';
import { addLarge, coverFor, seenBox, type SeenBox, type TextCover } from '../pdf/layout/text-cover.ts';
import { apply, identity, type Matrix, multiply } from '../pdf/matrix.ts';
import { numbersOf, type OfdResources } from './ofd-package.ts';
import { segmentsOf } from './path-data.ts';
import { placeCharacters, type TextCode } from './text-code.ts';

export type PageContent = PageMarks & {
  readonly text: PageText;
  /** Share of the page that its largest picture covers, 0–1, and that picture's id. */
  readonly pictureShare: number;
  readonly pictureId: string | null;
  /** Large pictures, and where there is text, as far as OCR is to read beside that. */
  readonly pictures: readonly DrawnPicture[];
  readonly cover: TextCover | undefined;
  readonly objectCount: number;
  /** Characters drawn, blanks among them, wherever they stand. */
  readonly characterCount: number;
  /** Objects drawn that are written elsewhere: in drawings that are used in several places, and in templates. */
  readonly sharedCount: number;
};

/** Where a picture stands, and its id. */
export type DrawnPicture = SeenBox & { readonly id: string };

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

/** Drawings in drawings, and elements in each other with all of them: more would not fit the stack of a thread. */
const unitDepthMax = 8;
const levelsMax = 1500;
const timeCheckedEvery = 256;

/** Reads a page. Characters are placed when they are laid out, a run at a time. @throws DocumentError `limit_exceeded`, and from `bounds.checkTime`. */
export function readPageContent({ layers, size, resources, bounds, onText }: PageParts): PageContent {
  const [width, height] = [size.width * pointsPerMillimetre, size.height * pointsPerMillimetre];
  const toPage: Matrix = [pointsPerMillimetre, 0, 0, -pointsPerMillimetre, 0, height];
  const page = createDrawnPage<TextRun>({ width, height });
  let glyphsLeft = bounds.glyphsMax;
  let objectCount = 0;
  let sharedCount = 0;
  let level = 0;
  let picture: { share: number; id: string } | null = null;
  const pictures: DrawnPicture[] = [];

  for (const { node, matrix, isShared = false } of layers) draw(node, multiply(matrix, toPage), { depth: 0, isShared });
  const cover = coverFor(bounds, pictures, page.view);
  const { text: laidOut, marks } = page.layOut({
    cover,
    place: (run) => ({ ...run, ...placeCharacters(run.code) }),
    bounds,
  });
  return {
    text: laidOut,
    pictureShare: picture === null ? 0 : Math.min(1, (picture as { share: number }).share),
    pictureId: picture === null ? null : (picture as { id: string }).id,
    pictures,
    cover,
    objectCount,
    characterCount: bounds.glyphsMax - glyphsLeft,
    sharedCount,
    ...marks,
  };

  function draw(node: XmlNode, matrix: Matrix, from: DrawnFrom): void {
    level++;
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
    level--;
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
      page.addRun({ matrix, size, look, code: { text: written, x, y, deltaX, deltaY, size, hScale } });
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
    page.addPath(segments, isStroked);
  }

  function image(node: XmlNode, matrix: Matrix): void {
    const [x, y, across, down] = numbersOf(node.attributes['Boundary'], 4) ?? [0, 0, 0, 0];
    const box = boxOf([[...apply(matrix, x!, y!), ...apply(matrix, x! + across!, y! + down!)]]);
    const share = box === null ? 0 : Math.abs((box[2] - box[0]) * (box[3] - box[1])) / (width * height);
    const id = node.attributes['ResourceID'] ?? '';
    if (picture === null || share > picture.share) picture = { share, id };
    if (box !== null) addLarge(pictures, { ...seenBox(box, page.view), id }, page.view);
  }

  function composite(node: XmlNode, matrix: Matrix, { depth }: DrawnFrom): void {
    const unit = resources.units.get(node.attributes['ResourceID'] ?? '');
    const content = child(unit, 'Content');
    if (content !== undefined && depth < unitDepthMax && level <= levelsMax)
      draw(content, matrix, { depth: depth + 1, isShared: true });
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

type TextRun = {
  readonly matrix: Matrix;
  readonly size: number;
  readonly look: FontLook;
  readonly code: TextCode;
};
