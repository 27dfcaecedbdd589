/** `[a b c d e f]`: x' = a·x + c·y + e, y' = b·x + d·y + f (ISO 32000-1, 8.3.3). */
export type Matrix = readonly [number, number, number, number, number, number];

export const identity: Matrix = [1, 0, 0, 1, 0, 0];

/* By index: taking arrays apart costs as much again. */

/** First `first`, then `then`. */
export function multiply(first: Matrix, then: Matrix): Matrix {
  const a = first[0];
  const b = first[1];
  const c = first[2];
  const d = first[3];
  return [
    a * then[0] + b * then[2],
    a * then[1] + b * then[3],
    c * then[0] + d * then[2],
    c * then[1] + d * then[3],
    first[4] * then[0] + first[5] * then[2] + then[4],
    first[4] * then[1] + first[5] * then[3] + then[5],
  ];
}

/** `matrix` after a step of (x, y). */
export function moved(matrix: Matrix, x: number, y: number): Matrix {
  return [matrix[0], matrix[1], matrix[2], matrix[3], xOf(matrix, x, y), yOf(matrix, x, y)];
}

/** Where a point goes. */
export function xOf(matrix: Matrix, x: number, y: number): number {
  return matrix[0] * x + matrix[2] * y + matrix[4];
}

/** Where a point goes. */
export function yOf(matrix: Matrix, x: number, y: number): number {
  return matrix[1] * x + matrix[3] * y + matrix[5];
}

/** Where a point goes. */
export function apply(matrix: Matrix, x: number, y: number): [number, number] {
  return [xOf(matrix, x, y), yOf(matrix, x, y)];
}
