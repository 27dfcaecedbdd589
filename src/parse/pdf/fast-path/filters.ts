/**
 * Decodes the data of streams: Flate with PNG predictors, which nearly all files use, and ASCII85 around it, as ReportLab writes it
 * (ISO 32000-1, 7.4.3 and 7.4.4); the rest is `NotPlain`.
 */
import { constants, inflateSync } from 'node:zlib';
import { type Dict, Name, NotPlain, type Value } from './objects.ts';

const filtersMax = 2;
/** Of text in ASCII85, which is read byte by byte; that of a page is far smaller. */
const ascii85BytesMax = 4 * 1024 * 1024;

/**
 * @param get the dictionary's values, references followed
 * @param bytesMax of the result, also of what one of several filters gives to the next
 * @throws NotPlain for another filter, damaged data, and more bytes than these
 */
export function decodeStream(data: Buffer, dict: Dict, get: (dict: Dict, key: string) => Value, bytesMax: number): Buffer {
  if (dict.has('F')) throw new NotPlain('data in another file');
  const filters = listOf(get(dict, 'Filter'));
  if (filters.length > filtersMax) throw new NotPlain('filters on filters');
  const parameters = listOf(get(dict, 'DecodeParms'));
  return filters.reduce<Buffer>((from, filter, index) => {
    const name = filter instanceof Name ? filter.text : '';
    if (name === 'ASCII85Decode') return decodeAscii85(from, bytesMax);
    if (name !== 'FlateDecode') throw new NotPlain('another filter');
    const inflated = inflate(from, bytesMax);
    const own = parameters[index] ?? null;
    return own instanceof Map ? unpredict(inflated, (key) => get(own, key)) : inflated;
  }, data);
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

const [firstDigit, lastDigit, fourZeros, tilde] = [0x21, 0x75, 0x7a, 0x7e];

/** Five digits to the base of 85 are four bytes; at the end one digit less is one byte less. */
function decodeAscii85(data: Buffer, bytesMax: number): Buffer {
  const room = ascii85Bytes(data);
  if (data.length > ascii85BytesMax || room > bytesMax + 4) throw new NotPlain('too much data');
  const bytes = Buffer.alloc(room);
  let length = 0;
  let value = 0;
  let digits = 0;
  const give = (count: number): void => {
    if (value > 0xffff_ffff) throw new NotPlain('damaged data');
    bytes.writeUInt32BE(value, length);
    length += count;
    value = 0;
    digits = 0;
  };
  for (let at = 0; at < data.length; at++) {
    const code = data[at]!;
    if (code >= firstDigit && code <= lastDigit) {
      value = value * 85 + code - firstDigit;
      if (++digits === 5) give(4);
    } else if (code === fourZeros && digits === 0) give(4);
    else if (code === tilde && digits !== 1) {
      if (digits === 0) return bytes.subarray(0, length);
      for (let missing = digits; missing < 5; missing++) value = value * 85 + 84;
      give(digits - 1);
      return bytes.subarray(0, length);
    } else if (code > 0x20) throw new NotPlain('damaged data');
  }
  throw new NotPlain('data without an end');
}

/** As many at most, whole groups. */
function ascii85Bytes(data: Buffer): number {
  let zeros = 0;
  for (let at = 0; at < data.length; at++) if (data[at] === fourZeros) zeros++;
  return (Math.ceil((data.length - zeros) / 5) + zeros) * 4;
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
