/** Pictures of grey points, a byte each, and what a scanner does to them and no writer: specks, and a page that lies aslant. */
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

/** A4 at 400 dpi has 15 million; with its colours and rows a larger one would fill the thread's memory. */
const pointsMax = 20_000_000;

/** Bytes of a point by the colour type of a PNG: grey, colours, grey and colours with transparency. */
const pngChannels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** A PNG of 8 bits a colour, not interlaced (RFC 2083), as grey points; null for any other, for a damaged one, and above 20 million points. */
export function readPng(bytes: Uint8Array): GreyPicture | null {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = png.length < 33 || png.toString('latin1', 12, 16) !== 'IHDR' ? null : png.subarray(16, 29);
  const channels = header === null ? undefined : pngChannels[header[9]!];
  // Eight bits, deflate, the usual filters, no interlace.
  if (header === null || channels === undefined || header[8] !== 8 || header.readUIntBE(10, 3) !== 0) return null;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  if (width * height > pointsMax) return null;
  const rowBytes = width * channels;
  const rows = inflated(pngData(png), (rowBytes + 1) * height);
  if (rows?.length !== (rowBytes + 1) * height) return null;
  return { width, height, points: greyOf(unfiltered(rows, rowBytes, height, channels), channels) };
}

/** By the weights of ITU-R BT.601, on white where it is transparent. */
function greyOf(bytes: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return bytes;
  const points = new Uint8Array(bytes.length / channels);
  const hasAlpha = channels % 2 === 0;
  for (let at = 0, from = 0; at < points.length; at++, from += channels) {
    const [red, green, blue] =
      channels > 2 ? [bytes[from]!, bytes[from + 1]!, bytes[from + 2]!] : [bytes[from]!, bytes[from]!, bytes[from]!];
    const grey = 0.299 * red + 0.587 * green + 0.114 * blue;
    const alpha = hasAlpha ? bytes[from + channels - 1]! / 255 : 1;
    points[at] = grey * alpha + 255 * (1 - alpha);
  }
  return points;
}

/** Null for damaged data. */
function inflated(parts: readonly Buffer[], bytesMax: number): Buffer | null {
  try {
    return inflateSync(Buffer.concat(parts), { maxOutputLength: bytesMax });
  } catch {
    return null;
  }
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
function unfiltered(rows: Uint8Array, rowBytes: number, height: number, channels: number): Uint8Array {
  const bytes = new Uint8Array(rowBytes * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (rowBytes + 1)]!;
    const [from, to] = [y * (rowBytes + 1) + 1, y * rowBytes];
    for (let x = 0; x < rowBytes; x++) {
      const left = x >= channels ? bytes[to + x - channels]! : 0;
      const above = y > 0 ? bytes[to + x - rowBytes]! : 0;
      const corner = x >= channels && y > 0 ? bytes[to + x - rowBytes - channels]! : 0;
      bytes[to + x] = rows[from + x]! + foretold(filter, left, above, corner);
    }
  }
  return bytes;
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
  // The slice of a Buffer would be the same points.
  const clean = new Uint8Array(points);
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

/** Steps of the search for the angle at which the lines lie, in degrees. */
const [angleMax, coarse, fine] = [5, 0.25, 0.05];
/** Below this Tesseract reads a line as it lies. */
const angleMin = 0.3;
/** Points looked at across the picture. */
const columnsLookedAt = 800;

/** The same picture turned so that its lines lie level, when they are up to 5° aslant. Linear in the points. */
export function straightened(picture: GreyPicture): GreyPicture {
  const degrees = slantOf(picture);
  return Math.abs(degrees) < angleMin ? picture : turned(picture, degrees);
}

/** Where lines are level, rows are either full of ink or empty: the angle at which the squares of what rows hold are most. */
function slantOf(picture: GreyPicture): number {
  const ink = inkOf(picture);
  if (ink.length === 0) return 0;
  const rough = bestAngle(ink, -angleMax, angleMax, coarse);
  return bestAngle(ink, rough - coarse, rough + coarse, fine);
}

type Place = { readonly x: number; readonly y: number };

function inkOf({ width, height, points }: GreyPicture): Place[] {
  const step = stepOf({ width });
  let sum = 0;
  for (const point of points) sum += point;
  const dark = (0.6 * sum) / points.length;
  const ink: Place[] = [];
  for (let y = 0; y < height; y += step)
    for (let x = 0; x < width; x += step) if (points[y * width + x]! < dark) ink.push({ x: x / step, y: y / step });
  return ink;
}

function stepOf({ width }: Pick<GreyPicture, 'width'>): number {
  return Math.max(1, Math.floor(width / columnsLookedAt));
}

function bestAngle(ink: readonly Place[], from: number, to: number, step: number): number {
  let best = { degrees: 0, score: rowScore(ink, 0) };
  for (let degrees = from; degrees <= to; degrees += step) {
    const score = rowScore(ink, degrees);
    if (score > best.score) best = { degrees, score };
  }
  return best.degrees;
}

function rowScore(ink: readonly Place[], degrees: number): number {
  const slope = Math.tan((degrees * Math.PI) / 180);
  const rows = new Map<number, number>();
  for (const { x, y } of ink) {
    const row = Math.round(y - x * slope);
    rows.set(row, (rows.get(row) ?? 0) + 1);
  }
  let score = 0;
  for (const count of rows.values()) score += count * count;
  return score;
}

/** About its middle; what comes in from outside is white. Between four points their mean by nearness. */
function turned({ width, height, points }: GreyPicture, degrees: number): GreyPicture {
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const level = new Uint8Array(points.length).fill(255);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const [dx, dy] = [x - width / 2, y - height / 2];
      const [fromX, fromY] = [dx * cosine - dy * sine + width / 2, dx * sine + dy * cosine + height / 2];
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) continue;
      const [right, down] = [fromX - left, fromY - top];
      const from = top * width + left;
      const above = points[from]! * (1 - right) + points[from + 1]! * right;
      const below = points[from + width]! * (1 - right) + points[from + width + 1]! * right;
      level[at] = above * (1 - down) + below * down;
    }
  }
  return { width, height, points: level };
}

/** Share of a picture that is ink, 0–1, by a sample of its points. */
export function inkShare(picture: GreyPicture): number {
  const step = stepOf(picture);
  return inkOf(picture).length / (Math.ceil(picture.width / step) * Math.ceil(picture.height / step));
}
