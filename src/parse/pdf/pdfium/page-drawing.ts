/** Reads what is drawn on a page: its ruling lines, for tables, and how much of it a picture covers. */
import { apply, identity, type Matrix, multiply } from '../matrix.ts';
import { objectsMax, type Pair, piecesMax, type RuleFinder } from '../layout/page-rules.ts';
import { addLarge, seenBox, type SeenBox } from '../layout/text-cover.ts';
import type { View } from '../page-view.ts';
import type { Pdfium } from './pdfium.ts';

/** What is drawn on a page besides its text. */
export type Drawing = {
  /** Too much for its lines to be those of tables. */
  readonly isDrawing: boolean;
  /** Share of the page that its largest picture covers, 0–1. */
  readonly pictureShare: number;
  /** The large ones. */
  readonly pictures: readonly SeenBox[];
  readonly objectCount: number;
};

/**
 * Ruling lines, as seen, and pictures of a page from `FPDF_LoadPage`, inside forms too. Cost: about 1 µs an object, at most `objectsMax`.
 * @param checkTime called often; may throw
 */
export function readDrawing(pdfium: Pdfium, page: number, view: View, rules: RuleFinder, checkTime: () => void): Drawing {
  const { call } = pdfium;
  const objectCount = call.FPDFPage_CountObjects(page);
  let pictureShare = 0;
  const pictures: SeenBox[] = [];
  let seen = 0;
  const visit = (object: Pointer, matrix: Matrix, depth: number) => {
    if ((++seen & 255) === 0) checkTime();
    if (seen > objectsMax) return;
    const type = call.FPDFPageObj_GetType(object);
    if (type === pathObject) readPath(pdfium, object, matrix, rules);
    else if (type === imageObject) {
      const bounds = boundsOf(pdfium, object, matrix) ?? [0, 0, 0, 0];
      const [x1, y1, x2, y2] = bounds;
      pictureShare = Math.max(pictureShare, Math.abs((x2 - x1) * (y2 - y1)) / (view.width * view.height));
      addLarge(pictures, seenBox(bounds, view), view);
    } else if (type === formObject && depth < formsMax) {
      const inner = multiply(matrixOf(pdfium, object), matrix);
      const children = call.FPDFFormObj_CountObjects(object);
      for (let index = 0; index < children && seen <= objectsMax; index++) {
        visit(call.FPDFFormObj_GetObject(object, index), inner, depth + 1);
      }
    }
  };
  for (let index = 0; index < objectCount && seen <= objectsMax; index++) visit(call.FPDFPage_GetObject(page, index), identity, 0);
  return { isDrawing: seen > objectsMax, pictureShare: Math.min(1, pictureShare), pictures, objectCount };
}

/** Opposite corners in user space. */
function boundsOf(pdfium: Pdfium, object: Pointer, matrix: Matrix): [number, number, number, number] | undefined {
  const { call, scratch } = pdfium;
  if (call.FPDFPageObj_GetBounds(object, scratch, scratch + 4, scratch + 8, scratch + 12) !== 1) return undefined;
  const left = pdfium.float(scratch);
  const bottom = pdfium.float(scratch + 4);
  const right = pdfium.float(scratch + 8);
  const top = pdfium.float(scratch + 12);
  return matrix === identity ? [left, bottom, right, top] : [...apply(matrix, left, bottom), ...apply(matrix, right, top)];
}

type Pointer = number;

const pathObject = 2;
const imageObject = 3;
const formObject = 5;
/** Forms in forms that are looked into. */
const formsMax = 3;

function readPath(pdfium: Pdfium, path: Pointer, matrix: Matrix, rules: RuleFinder): void {
  const box = boundsOf(pdfium, path, matrix);
  if (box !== undefined) rules.addPath(box, () => strokesOf(pdfium, path, matrix));
}

function strokesOf(pdfium: Pdfium, path: Pointer, matrix: Matrix): Pair[] {
  const { call, scratch } = pdfium;
  const count = call.FPDFPath_CountSegments(path);
  if (count < 2 || count > piecesMax) return [];
  if (call.FPDFPath_GetDrawMode(path, scratch, scratch + 4) !== 1 || pdfium.bytes[scratch + 4] === 0) return [];
  return readStrokes(pdfium, path, count, multiply(matrixOf(pdfium, path), matrix));
}

const lineTo = 0;
const moveTo = 2;

function readStrokes(pdfium: Pdfium, path: Pointer, count: number, matrix: Matrix): Pair[] {
  const { call, scratch } = pdfium;
  const lines: Pair[] = [];
  let from: [number, number] | undefined;
  let start: [number, number] | undefined;
  for (let index = 0; index < count; index++) {
    const segment = call.FPDFPath_GetPathSegment(path, index);
    if (call.FPDFPathSegment_GetPoint(segment, scratch, scratch + 4) !== 1) continue;
    const to = apply(matrix, pdfium.float(scratch), pdfium.float(scratch + 4));
    const type = call.FPDFPathSegment_GetType(segment);
    if (type === moveTo) start = to;
    else if (type === lineTo && from !== undefined) lines.push([...from, ...to]);
    from = to;
    if (call.FPDFPathSegment_GetClose(segment) === 1 && start !== undefined) {
      lines.push([...to, ...start]);
      from = start;
    }
  }
  return lines;
}

function matrixOf(pdfium: Pdfium, object: Pointer): Matrix {
  const { call, scratch } = pdfium;
  if (call.FPDFPageObj_GetMatrix(object, scratch) !== 1) return identity;
  return [0, 4, 8, 12, 16, 20].map((offset) => pdfium.float(scratch + offset)) as unknown as Matrix;
}
