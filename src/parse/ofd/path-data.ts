/** `AbbreviatedData` of paths (GB/T 33190-2016, 9.1): moves, lines and curves as letters and numbers. */

export type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

/** Numbers behind each letter; of curves the last two are where they end. */
const operands: Readonly<Record<string, number>> = { S: 2, M: 2, L: 2, Q: 4, B: 6, A: 7, C: 0 };
/** A path of more pieces is a picture. */
const piecesMax = 400;

/** Its pieces, curves as straight lines between their ends; none of a path with more than 400. Linear. */
export function segmentsOf(data: string): Segment[] {
  const words = data.trim().split(/[\s,]+|(?<=[A-Z])(?=[-\d.])|(?<=\d)(?=[A-Z])/);
  const segments: Segment[] = [];
  let [x, y, startX, startY] = [0, 0, 0, 0];
  for (let at = 0; at < words.length;) {
    const operator = words[at]!;
    const count = operands[operator];
    if (count === undefined) {
      at++;
      continue;
    }
    const numbers = words.slice(at + 1, at + 1 + count).map(Number);
    if (numbers.length < count || !numbers.every(Number.isFinite)) return segments;
    at += 1 + count;
    const [endX, endY] = operator === 'C' ? [startX, startY] : [numbers.at(-2)!, numbers.at(-1)!];
    if (operator === 'M' || operator === 'S') [startX, startY] = [endX, endY];
    else segments.push([x, y, endX, endY]);
    [x, y] = [endX, endY];
    if (segments.length > piecesMax) return [];
  }
  return segments;
}
