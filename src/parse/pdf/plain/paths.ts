/** Paths of a page: their boxes and straight pieces, which may be ruling lines (ISO 32000-1, 8.5). */
import { type Matrix, xOf, yOf } from '../matrix.ts';
import { objectsMax, type Pair, piecesMax } from '../page-rules.ts';

/** In user space. */
export type PaintedPath = {
  /** Opposite corners, the width of a stroke included. */
  readonly box: Pair;
  /** Its straight pieces, each two points; none where the path is not stroked or has more pieces than `piecesMax`. */
  readonly lines: readonly Pair[];
};

/** Gathers one path after the other. Points are given before `matrix`. */
export type Paths = {
  moveTo(matrix: Matrix, x: number, y: number): void;
  lineTo(matrix: Matrix, x: number, y: number): void;
  /** A point of a curve. */
  reach(matrix: Matrix, x: number, y: number): void;
  close(): void;
  /** Ends the path without painting it. */
  forget(): void;
  /** Ends it. @param lineWidth of its stroke; undefined when it is filled only. @returns whether there was a path */
  paint(matrix: Matrix, lineWidth: number | undefined): boolean;
  readonly painted: readonly PaintedPath[];
};

export function createPaths(): Paths {
  const painted: PaintedPath[] = [];
  let lines: Pair[] = [];
  let pieces = 0;
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  let [startX, startY, x, y] = [0, 0, 0, 0];

  function goTo(nextX: number, nextY: number): void {
    x = nextX;
    y = nextY;
    pieces++;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < bottom) bottom = y;
    if (y > top) top = y;
  }

  /** A line to where the path stands; `close` may come again and again. */
  function add(fromX: number, fromY: number): void {
    if (lines.length <= piecesMax) lines.push([fromX, fromY, x, y]);
  }

  const paths: Paths = {
    painted,
    moveTo(matrix, toX, toY) {
      goTo(xOf(matrix, toX, toY), yOf(matrix, toX, toY));
      startX = x;
      startY = y;
    },
    lineTo(matrix, toX, toY) {
      const [fromX, fromY] = [x, y];
      goTo(xOf(matrix, toX, toY), yOf(matrix, toX, toY));
      add(fromX, fromY);
    },
    reach: (matrix, toX, toY) => goTo(xOf(matrix, toX, toY), yOf(matrix, toX, toY)),
    close() {
      const [fromX, fromY] = [x, y];
      x = startX;
      y = startY;
      add(fromX, fromY);
    },
    forget() {
      if (lines.length > 0) lines = [];
      pieces = 0;
      left = Infinity;
      bottom = Infinity;
      right = -Infinity;
      top = -Infinity;
    },
    paint(matrix, lineWidth) {
      const hasPath = pieces > 0;
      if (hasPath && painted.length <= objectsMax) {
        const scale = Math.sqrt(Math.abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]));
        const half = ((lineWidth ?? 0) * scale) / 2;
        painted.push({
          box: [left - half, bottom - half, right + half, top + half],
          lines: lineWidth !== undefined && pieces >= 2 && pieces <= piecesMax ? lines : [],
        });
      }
      paths.forget();
      return hasPath;
    },
  };
  return paths;
}
