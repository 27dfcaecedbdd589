/** Geometry of an XPS (ECMA-388, 11.2): abbreviated, or as elements; moves, lines and curves. */
import { elements, type XmlNode } from '../containers/xml.ts';
import { piecesMax } from '../pdf/layout/page-rules.ts';

export type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

/** Numbers behind each letter, again and again; of curves the last two are where they end. */
const operands: Readonly<Record<string, number>> = { M: 2, L: 2, H: 1, V: 1, Q: 4, S: 4, C: 6, A: 7, Z: 0 };

/** Its pieces, curves as straight lines between their ends; none of a path with more than 400. Linear. */
export function segmentsOf(data: string): Segment[] {
  const words = data.match(/[a-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? [];
  const segments: Segment[] = [];
  let [x, y, startX, startY] = [0, 0, 0, 0];
  let letter = '';
  for (let at = 0; at < words.length;) {
    if (segments.length > piecesMax) return [];
    const word = words[at]!;
    if (/^[a-z]/i.test(word)) {
      letter = word;
      at++;
      // The rule by which it is filled.
      if (/^f$/i.test(letter)) at++;
      else if (/^z$/i.test(letter)) {
        segments.push([x, y, startX, startY]);
        [x, y] = [startX, startY];
      }
      continue;
    }
    const upper = letter.toUpperCase();
    const count = operands[upper] ?? 0;
    if (count === 0) return segments;
    const numbers = words.slice(at, at + count).map(Number);
    if (numbers.length < count || !numbers.every(Number.isFinite)) return segments;
    at += count;
    const isRelative = letter !== upper;
    const endX = upper === 'V' ? x : numbers.at(upper === 'H' ? -1 : -2)! + (isRelative ? x : 0);
    const endY = upper === 'H' ? y : numbers.at(-1)! + (isRelative ? y : 0);
    if (upper === 'M') {
      [startX, startY] = [endX, endY];
      // What follows without a letter are lines.
      letter = isRelative ? 'l' : 'L';
    } else segments.push([x, y, endX, endY]);
    [x, y] = [endX, endY];
  }
  return segments.length > piecesMax ? [] : segments;
}

/** The same of a `PathGeometry`. */
export function segmentsOfGeometry(geometry: XmlNode): Segment[] {
  const figures = geometry.attributes['Figures'];
  return figures === undefined ? segmentsOf(elements(geometry, 'PathFigure').map(abbreviated).join(' ')) : segmentsOf(figures);
}

const stepOf: Readonly<Record<string, string>> = {
  PolyLineSegment: 'L',
  PolyBezierSegment: 'C',
  PolyQuadraticBezierSegment: 'Q',
};

function abbreviated(figure: XmlNode): string {
  const steps = elements(figure).map(({ name, attributes }) => {
    // Of an arc only its end is of use here.
    if (name === 'ArcSegment') return `L ${attributes['Point'] ?? ''}`;
    const step = stepOf[name];
    return step === undefined ? '' : `${step} ${attributes['Points'] ?? ''}`;
  });
  const end = figure.attributes['IsClosed'] === 'true' ? ' Z' : '';
  return `M ${figure.attributes['StartPoint'] ?? ''} ${steps.join(' ')}${end}`;
}
