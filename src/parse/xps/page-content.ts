/**
 * What is drawn on a page of an XPS (ECMA-388, 10 to 13), as glyphs and ruling lines for the layout that PDFs use: canvases in canvases,
 * each with a transform of its own, type, paths, and brushes that are pictures or drawings themselves.
 */
import { DocumentError } from '../../errors.ts';
import { child, elements, type XmlNode } from '../containers/xml.ts';
import { numbersOf } from '../ofd/ofd-package.ts';
import { type FontLook, plainLook } from '../pdf/layout/font-look.ts';
import { areaOf, type LinkArea, linkAreasMax } from '../pdf/layout/link-areas.ts';
import { objectsMax, type Pair } from '../pdf/layout/page-rules.ts';
import type { PageBounds, PageText } from '../pdf/layout/page-spans.ts';
import { boxOf, characterBox, createDrawnPage, type PageMarks, type PlacedRun } from '../pdf/layout/placed-runs.ts';
import { addLarge, coverFor, seenBox, type SeenBox, type TextCover } from '../pdf/layout/text-cover.ts';
import { apply, type Matrix, multiply } from '../pdf/matrix.ts';
import type { FontFile } from './font-file.ts';
import { type GlyphRun, placeGlyphs } from './glyph-run.ts';
import { type Segment, segmentsOf, segmentsOfGeometry } from './path-data.ts';
import { referenced, type Resources, valueOf } from './resources.ts';

export type PageContent = PageMarks & {
  readonly text: PageText;
  /** Share of the page that its largest picture covers, 0–1, and the path of that picture. */
  readonly pictureShare: number;
  readonly picture: string | null;
  /** Large pictures, and where there is text, as far as OCR is to read beside that. */
  readonly pictures: readonly DrawnPicture[];
  readonly cover: TextCover | undefined;
  /** Characters drawn, blanks among them, wherever they stand. */
  readonly characterCount: number;
  /** Objects of drawings that are used by a key. */
  readonly sharedCount: number;
};

/** Where a picture stands, and its path. */
export type DrawnPicture = SeenBox & { readonly source: string };

export type XpsPageBounds = PageBounds & {
  /** Of the whole file, of which `glyphsMax` are left. */
  readonly charactersMax: number;
  /** Objects of drawings that are used by a key. */
  readonly sharedMax: number;
  /** The sentence when there are more. */
  readonly tooManyShared: string;
  /** Runs of type and lines that are kept, together. */
  readonly marksMax: number;
};

export type PageParts = {
  readonly root: XmlNode;
  /** In 1/96 inch. */
  readonly size: { readonly width: number; readonly height: number };
  readonly resources: Resources;
  /** Fonts of the page by the path that names them. */
  readonly fontOf: (uri: string) => FontFile | null;
  readonly bounds: XpsPageBounds;
};

const pointsPerUnit = 72 / 96;
/** Drawings in drawings that are used by a key, and elements in each other with all of them: more would not fit the stack of a thread. */
const brushDepthMax = 8;
const levelsMax = 1500;
const timeCheckedEvery = 256;

type Run = { readonly matrix: Matrix; readonly look: FontLook; readonly glyphs: GlyphRun; readonly target: string | undefined };

/** Where something is drawn: its space, where it leads, and whether it is written elsewhere, how many times over. */
type Place = { readonly matrix: Matrix; readonly target: string | undefined; readonly depth: number };

/** Reads a page. @throws DocumentError `limit_exceeded`, and from `bounds.checkTime`. */
export function readPageContent({ root, size, resources, fontOf, bounds }: PageParts): PageContent {
  const [width, height] = [size.width * pointsPerUnit, size.height * pointsPerUnit];
  const page = createDrawnPage<Run>({ width, height });
  const areas: LinkArea[] = [];
  const geometries = new Map<XmlNode, readonly Segment[]>();
  let glyphsLeft = bounds.glyphsMax;
  let objectCount = 0;
  let sharedCount = 0;
  let level = 0;
  let largest: { share: number; source: string } | null = null;
  const pictures: DrawnPicture[] = [];

  draw(root, { matrix: [pointsPerUnit, 0, 0, -pointsPerUnit, 0, height], target: undefined, depth: 0 });
  const cover = coverFor(bounds, pictures, page.view);
  const { text, marks } = page.layOut({ place, bounds, areas, cover });
  const picture = largest as { share: number; source: string } | null;
  return {
    text,
    ...marks,
    pictureShare: picture === null ? 0 : Math.min(1, picture.share),
    picture: picture?.source ?? null,
    pictures,
    cover,
    characterCount: bounds.glyphsMax - glyphsLeft,
    sharedCount,
  };

  function draw(parent: XmlNode, place: Place): void {
    level++;
    for (const node of elements(parent)) {
      if (++objectCount % timeCheckedEvery === 0) bounds.checkTime();
      if (place.depth > 0 && ++sharedCount > bounds.sharedMax) throw new DocumentError('limit_exceeded', bounds.tooManyShared);
      switch (node.name) {
        case 'Canvas':
          draw(node, placeOf(node, place));
          break;
        case 'Glyphs':
          type(node, placeOf(node, place));
          break;
        case 'Path':
          path(node, placeOf(node, place));
          break;
        case 'AlternateContent':
          // Nothing beyond the format itself is understood.
          draw(child(node, 'Fallback') ?? child(node, 'Choice') ?? node, place);
          break;
        default:
      }
    }
    level--;
  }

  function placeOf(node: XmlNode, { matrix, target, depth }: Place): Place {
    const own = matrixOf(node, 'RenderTransform', resources);
    const leads = node.attributes['FixedPage.NavigateUri'];
    return {
      matrix: own === null ? matrix : multiply(own, matrix),
      target: leads === undefined ? target : outward(leads),
      depth,
    };
  }

  function type(node: XmlNode, { matrix, target }: Place): void {
    const { attributes } = node;
    const written = attributes['UnicodeString'] ?? '';
    // In front of a text that begins with a brace.
    const text = written.startsWith('{}') ? written.slice(2) : written;
    const indices = attributes['Indices'] ?? '';
    glyphsLeft -= Math.max(text.length, text === '' ? indices.split(';').length : 0);
    if (glyphsLeft < 0) throw tooMuchText(bounds.charactersMax);
    const font = fontOf(attributes['FontUri'] ?? '');
    const glyphs: GlyphRun = {
      text,
      indices,
      x: numberOr(attributes['OriginX'], 0),
      y: numberOr(attributes['OriginY'], 0),
      size: numberOr(attributes['FontRenderingEmSize'], 0),
      isLeftwards: numberOr(attributes['BidiLevel'], 0) % 2 === 1,
      isSideways: attributes['IsSideways'] === 'true',
      font,
    };
    const run: Run = { matrix, look: lookOf(font, attributes['StyleSimulations'] ?? ''), glyphs, target };
    page.addRun(run);
    // Where it leads has to be known before any text is laid out.
    if (target !== undefined && areas.length < linkAreasMax) {
      const placed = place(run);
      const box = boxAround(placed);
      if (box !== null) areas.push(areaOf(box, page.view, target));
    }
  }

  function path(node: XmlNode, { matrix, target, depth }: Place): void {
    const segments = geometryOf(node, depth > 0).map(([x1, y1, x2, y2]): Pair => [
      ...apply(matrix, x1, y1),
      ...apply(matrix, x2, y2),
    ]);
    const box = boxOf(segments);
    if (box === null) return;
    if (target !== undefined && areas.length < linkAreasMax) areas.push(areaOf(box, page.view, target));
    const fill = valueOf(node, 'Fill', resources);
    if (fill?.name === 'ImageBrush') image(fill, box);
    else if (fill?.name === 'VisualBrush') visual(fill, { matrix, target, depth });
    else if (objectCount <= objectsMax) {
      const isStroked = isSeen(node, 'Stroke');
      if (isStroked || isSeen(node, 'Fill')) page.addPath(segments, isStroked);
    }
  }

  /** What may be drawn again is read once. */
  function geometryOf(node: XmlNode, isRepeated: boolean): readonly Segment[] {
    const geometry = valueOf(node, 'Data', resources);
    if (geometry === undefined && !isRepeated) return segmentsOf(node.attributes['Data'] ?? '');
    const known = geometries.get(geometry ?? node) ?? readGeometry(node, geometry);
    geometries.set(geometry ?? node, known);
    return known;
  }

  function readGeometry(node: XmlNode, geometry: XmlNode | undefined): readonly Segment[] {
    if (geometry === undefined) return segmentsOf(node.attributes['Data'] ?? '');
    return movedBy(segmentsOfGeometry(geometry), matrixOf(geometry, 'Transform', resources));
  }

  function image(brush: XmlNode, box: Pair): void {
    const [left, bottom, right, top] = box;
    const source = sourceOf(brush);
    const share = ((right - left) * (top - bottom)) / (width * height);
    if (largest === null || share > largest.share) largest = { share, source };
    addLarge(pictures, { ...seenBox(box, page.view), source }, page.view);
  }

  /** Its first tile. */
  function visual(brush: XmlNode, { matrix, target, depth }: Place): void {
    if (depth >= brushDepthMax || level > levelsMax) return;
    const own = child(brush, 'VisualBrush.Visual');
    const used = own === undefined ? referenced(brush.attributes['Visual'], resources) : undefined;
    const moved = matrixOf(brush, 'Transform', resources);
    const placed = multiply(tileMatrix(brush), moved === null ? matrix : multiply(moved, matrix));
    if (own !== undefined) draw(own, { matrix: placed, target, depth });
    else if (used !== undefined) draw({ name: '', attributes: {}, children: [used] }, { matrix: placed, target, depth: depth + 1 });
  }
}

function boxAround(run: PlacedRun): Pair | null {
  let box: Pair | null = null;
  for (const character of run.characters) {
    const own = characterBox(run, character);
    box = box === null ? own : boxOf([box, own]);
  }
  return box;
}

function place({ matrix, look, glyphs }: Run): PlacedRun {
  const isDown = glyphs.isSideways && Math.abs(matrix[1]) > Math.abs(matrix[0]);
  return { matrix, size: glyphs.size, look, characters: placeGlyphs(glyphs), isDown };
}

function tooMuchText(count: number): DocumentError {
  return new DocumentError('limit_exceeded', `The file has more than ${count} characters of text (MAX_CHARACTERS)`);
}

/** Places in the file itself are no addresses. */
function outward(target: string): string | undefined {
  return /^\s*(?:https?|ftp|mailto):/i.test(target) ? target.trim() : undefined;
}

function lookOf(font: FontFile | null, simulations: string): FontLook {
  const look = font?.look ?? plainLook;
  const isBold = simulations.includes('Bold');
  const isItalic = simulations.includes('Italic');
  return isBold || isItalic ? { ...look, bold: look.bold || isBold, italic: look.italic || isItalic } : look;
}

/** Of a transform that is written out, an element, or used by a key. */
function matrixOf(node: XmlNode, property: string, resources: Resources): Matrix | null {
  const value = valueOf(node, property, resources)?.attributes['Matrix'] ?? node.attributes[property];
  return numbersOf(value, 6) as Matrix | null;
}

function movedBy(segments: readonly Segment[], matrix: Matrix | null): readonly Segment[] {
  if (matrix === null) return segments;
  return segments.map(([x1, y1, x2, y2]) => [...apply(matrix, x1, y1), ...apply(matrix, x2, y2)] as const);
}

/** From the box of what is drawn into the box that it fills. */
function tileMatrix({ attributes }: XmlNode): Matrix {
  const [fromX, fromY, fromWidth, fromHeight] = numbersOf(attributes['Viewbox'], 4) ?? [0, 0, 1, 1];
  const [x, y, width, height] = numbersOf(attributes['Viewport'], 4) ?? [0, 0, 1, 1];
  const [across, down] = [width! / (fromWidth! || 1), height! / (fromHeight! || 1)];
  return [across, 0, 0, down, x! - fromX! * across, y! - fromY! * down];
}

/** `/page.png`, or `{ColorConvertedBitmap /page.png profile.icc}`. */
function sourceOf({ attributes }: XmlNode): string {
  const source = attributes['ImageSource'] ?? '';
  return /^\s*\{ColorConvertedBitmap\s+(\S+)/.exec(source)?.[1] ?? source;
}

/** Whether a path is filled or stroked with a colour that is not wholly transparent. */
function isSeen(node: XmlNode, property: 'Fill' | 'Stroke'): boolean {
  const colour = node.attributes[property];
  if (colour === undefined) return child(node, `Path.${property}`) !== undefined;
  return !/^\s*#00[0-9a-f]{6}\s*$/i.test(colour);
}

function numberOr(text: string | undefined, otherwise: number): number {
  const number = Number.parseFloat(text ?? '');
  return Number.isFinite(number) ? number : otherwise;
}
