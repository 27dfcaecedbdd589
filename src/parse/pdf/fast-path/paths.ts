/** Paths of a page: their boxes and straight pieces, which may be ruling lines (ISO 32000-1, 8.5). */
import { type Matrix, xOf, yOf } from '../matrix.ts';
import { objectsMax, type Pair, piecesMax } from '../layout/page-rules.ts';

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
  // Numbers in objects are written in place; those of a closure are allocated each time.
  const start = { x: 0, y: 0 };
  const at = { x: 0, y: 0 };
  const reached = { left: Infinity, bottom: Infinity, right: -Infinity, top: -Infinity };

  function goTo(matrix: Matrix, toX: number, toY: number): void {
    const x = xOf(matrix, toX, toY);
    const y = yOf(matrix, toX, toY);
    at.x = x;
    at.y = y;
    pieces++;
    if (x < reached.left) reached.left = x;
    if (x > reached.right) reached.right = x;
    if (y < reached.bottom) reached.bottom = y;
    if (y > reached.top) reached.top = y;
  }

  /** A line to where the path stands; `close` may come again and again. */
  function add(fromX: number, fromY: number): void {
    if (lines.length <= piecesMax) lines.push([fromX, fromY, at.x, at.y]);
  }

  const paths: Paths = {
    painted,
    moveTo(matrix, toX, toY) {
      goTo(matrix, toX, toY);
      start.x = at.x;
      start.y = at.y;
    },
    lineTo(matrix, toX, toY) {
      const { x, y } = at;
      goTo(matrix, toX, toY);
      add(x, y);
    },
    reach: goTo,
    close() {
      const { x, y } = at;
      at.x = start.x;
      at.y = start.y;
      add(x, y);
    },
    forget() {
      if (lines.length > 0) lines = [];
      pieces = 0;
      reached.left = Infinity;
      reached.bottom = Infinity;
      reached.right = -Infinity;
      reached.top = -Infinity;
    },
    paint(matrix, lineWidth) {
      const hasPath = pieces > 0;
      if (hasPath && painted.length <= objectsMax) {
        const scale = Math.sqrt(Math.abs(matrix[0] * matrix[3] - matrix[1] * matrix[2]));
        const half = ((lineWidth ?? 0) * scale) / 2;
        const { left, bottom, right, top } = reached;
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
