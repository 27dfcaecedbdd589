/** Reads what is drawn on a page: its ruling lines, for tables, and how much of it a picture covers. */
import type { View } from './page-view.ts';
import type { Pdfium } from './pdfium.ts';

/** A drawn line or thin bar, horizontal or vertical. */
export type Rule = { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };

/** What is drawn on a page besides its text. */
export type Drawing = {
  readonly rules: readonly Rule[];
  /** Share of the page that its largest picture covers, 0–1. */
  readonly pictureShare: number;
  readonly objectCount: number;
};

/**
 * Ruling lines, as seen, and pictures of a page from `FPDF_LoadPage`, inside forms too. Cost: about 1 µs an object, at most `objectsMax`.
 * @param checkTime called often; may throw
 */
export function readDrawing(pdfium: Pdfium, page: number, view: View, checkTime: () => void): Drawing {
  const { call } = pdfium;
  const objectCount = call.FPDFPage_CountObjects(page);
  const rules: Rule[] = [];
  let pictureShare = 0;
  let seen = 0;
  const visit = (object: Pointer, matrix: Matrix, depth: number) => {
    if ((++seen & 255) === 0) checkTime();
    if (seen > objectsMax) return;
    const type = call.FPDFPageObj_GetType(object);
    if (type === pathObject) readPath(pdfium, object, matrix, add);
    else if (type === imageObject) {
      const [x1, y1, x2, y2] = boundsOf(pdfium, object, matrix) ?? [0, 0, 0, 0];
      pictureShare = Math.max(pictureShare, Math.abs((x2 - x1) * (y2 - y1)) / (view.width * view.height));
    } else if (type === formObject && depth < formsMax) {
      const inner = multiply(matrixOf(pdfium, object), matrix);
      const children = call.FPDFFormObj_CountObjects(object);
      for (let index = 0; index < children && seen <= objectsMax; index++) {
        visit(call.FPDFFormObj_GetObject(object, index), inner, depth + 1);
      }
    }
  };
  const add: AddLine = (x1, y1, x2, y2) => {
    const rule = ruleOf(view, x1, y1, x2, y2);
    const across = rule.x2 - rule.x1;
    const down = rule.y2 - rule.y1;
    if (Math.min(across, down) <= thick && Math.max(across, down) >= short && rules.length < rulesMax) rules.push(rule);
  };
  for (let index = 0; index < objectCount && seen <= objectsMax; index++) visit(call.FPDFPage_GetObject(page, index), identity, 0);
  return { rules: seen > objectsMax ? [] : rules, pictureShare: Math.min(1, pictureShare), objectCount };
}

type AddLine = (x1: number, y1: number, x2: number, y2: number) => void;

function ruleOf(view: View, x1: number, y1: number, x2: number, y2: number): Rule {
  const [left, right] = [view.x(x1, y1), view.x(x2, y2)];
  const [top, bottom] = [view.y(x1, y1), view.y(x2, y2)];
  return { x1: Math.min(left, right), y1: Math.min(top, bottom), x2: Math.max(left, right), y2: Math.max(top, bottom) };
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
/** Past this many objects a page is a drawing, and its lines say nothing about tables. */
const objectsMax = 20_000;
const rulesMax = 4000;
/** A path of more pieces is a curve or a picture. */
const segmentsMax = 400;
/** A filled bar as thin as this is a line. Points. */
const thick = 3;
/** Shorter lines are ticks and dashes. Points. */
const short = 4;

type Matrix = readonly [number, number, number, number, number, number];
const identity: Matrix = [1, 0, 0, 1, 0, 0];

/** A thin bar is a line; of a stroked path, its straight pieces are. */
function readPath(pdfium: Pdfium, path: Pointer, matrix: Matrix, add: AddLine): void {
  const { call, scratch } = pdfium;
  const bounds = boundsOf(pdfium, path, matrix);
  if (bounds === undefined) return;
  const [x1, y1, x2, y2] = bounds;
  const across = Math.abs(x2 - x1);
  const down = Math.abs(y2 - y1);
  if (Math.min(across, down) <= thick) return add(x1, y1, x2, y2);
  if (Math.min(across, down) < short * 2) return;
  const count = call.FPDFPath_CountSegments(path);
  if (count < 2 || count > segmentsMax) return;
  if (call.FPDFPath_GetDrawMode(path, scratch, scratch + 4) !== 1 || pdfium.bytes[scratch + 4] === 0) return;
  readStrokes(pdfium, path, count, multiply(matrixOf(pdfium, path), matrix), add);
}

const lineTo = 0;
const moveTo = 2;

function readStrokes(pdfium: Pdfium, path: Pointer, count: number, matrix: Matrix, add: AddLine): void {
  const { call, scratch } = pdfium;
  let from: [number, number] | undefined;
  let start: [number, number] | undefined;
  for (let index = 0; index < count; index++) {
    const segment = call.FPDFPath_GetPathSegment(path, index);
    if (call.FPDFPathSegment_GetPoint(segment, scratch, scratch + 4) !== 1) continue;
    const to = apply(matrix, pdfium.float(scratch), pdfium.float(scratch + 4));
    const type = call.FPDFPathSegment_GetType(segment);
    if (type === moveTo) start = to;
    else if (type === lineTo && from !== undefined) add(...from, ...to);
    from = to;
    if (call.FPDFPathSegment_GetClose(segment) === 1 && start !== undefined) {
      add(...to, ...start);
      from = start;
    }
  }
}

function matrixOf(pdfium: Pdfium, object: Pointer): Matrix {
  const { call, scratch } = pdfium;
  if (call.FPDFPageObj_GetMatrix(object, scratch) !== 1) return identity;
  return [0, 4, 8, 12, 16, 20].map((offset) => pdfium.float(scratch + offset)) as unknown as Matrix;
}

function multiply(first: Matrix, then: Matrix): Matrix {
  const [a, b, c, d, e, f] = first;
  const [A, B, C, D, E, F] = then;
  return [a * A + b * C, a * B + b * D, c * A + d * C, c * B + d * D, e * A + f * C + E, e * B + f * D + F];
}

function apply([a, b, c, d, e, f]: Matrix, x: number, y: number): [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}
