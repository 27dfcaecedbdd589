/** Decodes the data of streams: Flate with PNG predictors (ISO 32000-1, 7.4.4), which nearly all files use; the rest is `NotPlain`. */
import { constants, inflateSync } from 'node:zlib';
import { type Dict, Name, NotPlain, type Value } from './objects.ts';

/**
 * @param get the dictionary's values, references followed
 * @param bytesMax of the result
 * @throws NotPlain for another filter, damaged data, and more bytes than these
 */
export function decodeStream(data: Buffer, dict: Dict, get: (dict: Dict, key: string) => Value, bytesMax: number): Buffer {
  if (dict.has('F')) throw new NotPlain('data in another file');
  const filters = listOf(get(dict, 'Filter'));
  if (filters.length === 0) return data;
  const [filter] = filters;
  if (filters.length > 1 || !(filter instanceof Name) || filter.text !== 'FlateDecode') throw new NotPlain('another filter');
  const inflated = inflate(data, bytesMax);
  const parameters = listOf(get(dict, 'DecodeParms'))[0] ?? null;
  return parameters instanceof Map ? unpredict(inflated, (key) => get(parameters, key)) : inflated;
}

function listOf(value: Value): readonly Value[] {
  return value === null ? [] : Array.isArray(value) ? value : [value];
}

function inflate(data: Buffer, bytesMax: number): Buffer {
  try {
    return inflateSync(data, { maxOutputLength: bytesMax, finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw new NotPlain('damaged data, or too much of it', { cause: error });
  }
}

function unpredict(data: Buffer, get: (key: string) => Value): Buffer {
  const numberOf = (key: string, otherwise: number): number => {
    const value = get(key) ?? otherwise;
    if (typeof value !== 'number' || value < 1 || value > 1_000_000) throw new NotPlain('odd parameters of a filter');
    return value;
  };
  const predictor = numberOf('Predictor', 1);
  if (predictor === 1) return data;
  if (predictor < 10) throw new NotPlain('a TIFF predictor');
  const bitsAPixel = numberOf('Colors', 1) * numberOf('BitsPerComponent', 8);
  return unpredictPng(data, Math.ceil(bitsAPixel / 8), Math.ceil((bitsAPixel * numberOf('Columns', 1)) / 8));
}

/** Each row says in a byte before it how it was predicted (PNG specification, 9). */
function unpredictPng(data: Buffer, pixelBytes: number, rowBytes: number): Buffer {
  const rows = Math.ceil(data.length / (rowBytes + 1));
  const result = Buffer.alloc(rows * rowBytes);
  for (let row = 0; row < rows; row++) {
    const type = data[row * (rowBytes + 1)]!;
    const from = row * (rowBytes + 1) + 1;
    const to = row * rowBytes;
    for (let index = 0; index < rowBytes && from + index < data.length; index++) {
      const left = index < pixelBytes ? 0 : result[to + index - pixelBytes]!;
      const above = row === 0 ? 0 : result[to + index - rowBytes]!;
      const corner = row === 0 || index < pixelBytes ? 0 : result[to + index - rowBytes - pixelBytes]!;
      result[to + index] = data[from + index]! + predicted(type, left, above, corner);
    }
  }
  return result;
}

function predicted(type: number, left: number, above: number, corner: number): number {
  switch (type) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const [fromLeft, fromAbove, fromCorner] = [
        Math.abs(above - corner),
        Math.abs(left - corner),
        Math.abs(left + above - 2 * corner),
      ];
      return fromLeft <= fromAbove && fromLeft <= fromCorner ? left : fromAbove <= fromCorner ? above : corner;
    }
    default:
      throw new NotPlain('an odd predictor');
  }
}
