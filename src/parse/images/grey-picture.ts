/** Pictures of grey points, a byte each, and the specks on them that a scanner makes and no writer. */
import { inflateSync } from 'node:zlib';

export type GreyPicture = { readonly width: number; readonly height: number; readonly points: Uint8Array };

/** Netpbm's grey format with a byte a point (P5), as `writePgm` writes it; null for anything else. */
export function readPgm(bytes: Uint8Array): GreyPicture | null {
  const head = /^P5\n(\d+) (\d+)\n255\n/.exec(Buffer.from(bytes.subarray(0, 40)).toString('latin1'));
  if (head === null) return null;
  const [width, height] = [Number(head[1]), Number(head[2])];
  const points = bytes.subarray(head[0].length);
  return points.length === width * height ? { width, height, points } : null;
}

export function writePgm({ width, height, points }: GreyPicture): Buffer {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), points]);
}

/** A PNG of grey points of 8 bits, not interlaced (RFC 2083); null for any other, and for a damaged one. */
export function readGreyPng(bytes: Uint8Array): GreyPicture | null {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = png.length < 33 || png.toString('latin1', 12, 16) !== 'IHDR' ? null : png.subarray(16, 29);
  // Eight bits, grey, deflate, the usual filters, no interlace.
  if (header === null || header.subarray(8).toString('hex') !== '0800000000') return null;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(Buffer.concat(pngData(png)), { maxOutputLength: (width + 1) * height });
  return rows.length === (width + 1) * height ? { width, height, points: unfiltered(rows, width, height) } : null;
}

function pngData(png: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
  }
  return parts;
}

/** Each row says by what its bytes were foretold: nothing, left, above, their mean, or Paeth's choice. */
function unfiltered(rows: Uint8Array, width: number, height: number): Uint8Array {
  const points = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (width + 1)]!;
    const [from, to] = [y * (width + 1) + 1, y * width];
    for (let x = 0; x < width; x++) {
      const left = x > 0 ? points[to + x - 1]! : 0;
      const above = y > 0 ? points[to + x - width]! : 0;
      const corner = x > 0 && y > 0 ? points[to + x - width - 1]! : 0;
      points[to + x] = rows[from + x]! + foretold(filter, left, above, corner);
    }
  }
  return points;
}

function foretold(filter: number, left: number, above: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return above;
  if (filter === 3) return (left + above) >> 1;
  const [toLeft, toAbove, toCorner] = [Math.abs(above - corner), Math.abs(left - corner), Math.abs(left + above - 2 * corner)];
  return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
}

/** A point that is darker than all but one of those around it by so much is a speck: strokes have two neighbours at least. */
const speckContrast = 48;
/** Of all points, on a picture that is cleaned: on a clean one a full stop may look like a speck. */
const speckShareMin = 0.0005;

/** The same picture without specks of one or two points, where there are many. Strokes stay as they are. Linear in the points. */
export function withoutSpecks(picture: GreyPicture): GreyPicture {
  const { width, height, points } = picture;
  const clean = points.slice();
  const around = [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];
  let specks = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at++) {
      let [darkest, dark] = [255, 255];
      for (const offset of around) {
        const other = points[at + offset]!;
        if (other < darkest) [darkest, dark] = [other, darkest];
        else if (other < dark) dark = other;
      }
      if (points[at]! >= dark - speckContrast) continue;
      clean[at] = dark;
      specks += 1;
    }
  }
  return specks < speckShareMin * points.length ? picture : { width, height, points: clean };
}
