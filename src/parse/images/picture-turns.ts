/** Pictures turned by quarters: as the camera's note says, as their text wants it, and places taken back onto the picture as it was. */
import { imageType } from '../detect.ts';
import type { GreyPicture } from './grey-picture.ts';
import type { SeenWord } from './seen-page.ts';

/** Quarter turns clockwise. */
export type Quarters = 0 | 1 | 2 | 3;

/** Costs nothing for none; else linear in the points. */
export function quarterTurned(picture: GreyPicture, quarters: Quarters): GreyPicture {
  const { width, height, points } = picture;
  if (quarters === 0) return picture;
  const size = quarters === 2 ? { width, height } : { width: height, height: width };
  // Where the first point comes from, and how far apart those of a row and of a column lie there.
  const [first, across, down] = {
    1: [(height - 1) * width, -width, 1],
    2: [points.length - 1, -1, -width],
    3: [width - 1, width, -1],
  }[quarters] as [number, number, number];
  const turned = new Uint8Array(points.length);
  for (let y = 0, at = 0; y < size.height; y++)
    for (let x = 0, from = first + y * down; x < size.width; x++, from += across) turned[at++] = points[from]!;
  return { ...size, points: turned };
}

/** Places on a picture that was turned, as places on that of `width` and `height` before. */
export function turnedBack(
  words: readonly SeenWord[],
  quarters: Quarters,
  { width, height }: { readonly width: number; readonly height: number },
): readonly SeenWord[] {
  if (quarters === 0) return words;
  return words.map((word) => {
    const { left, right, top } = word;
    const bottom = top + word.height;
    const box = {
      1: { left: top, right: bottom, top: height - right, height: right - left },
      2: { left: width - right, right: width - left, top: height - bottom, height: word.height },
      3: { left: width - bottom, right: width - top, top: left, height: right - left },
    }[quarters];
    return { ...word, ...box };
  });
}

/** As the camera's note says that it is shown (Exif 2.32, 4.6.5: 1–8); costs nothing for 1. */
export function asNoted(picture: GreyPicture, orientation: number): GreyPicture {
  const [isMirrored, quarters] = notes[orientation] ?? [false, 0];
  return quarterTurned(isMirrored ? mirrored(picture) : picture, quarters);
}

/** First mirrored, then turned. */
const notes: Readonly<Record<number, readonly [isMirrored: boolean, Quarters]>> = {
  2: [true, 0],
  3: [false, 2],
  4: [true, 2],
  5: [true, 3],
  6: [false, 1],
  7: [true, 1],
  8: [false, 3],
};

function mirrored({ width, height, points }: GreyPicture): GreyPicture {
  const other = new Uint8Array(points);
  for (let y = 0; y < height; y++) other.subarray(y * width, (y + 1) * width).reverse();
  return { width, height, points: other };
}

/** What the camera's note says of a JPEG, a PNG or a WebP, 1–8; 1 where there is none. Of a TIFF it is no note, and every reader turns it. */
export function orientationOf(image: Uint8Array): number {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  try {
    const note = noteIn(bytes);
    return note === null ? 1 : orientationIn(note);
  } catch (error) {
    if (error instanceof RangeError) return 1; // it ends inside its note
    throw error;
  }
}

function noteIn(bytes: Buffer): Buffer | null {
  switch (imageType(bytes)) {
    case 'image/jpeg':
      return jpegNote(bytes);
    case 'image/png':
      return chunkIn(bytes, { from: 8, name: 'eXIf', isNamedFirst: false });
    case 'image/webp':
      return chunkIn(bytes, { from: 12, name: 'EXIF', isNamedFirst: true });
    default:
      return null;
  }
}

const exifHead = 'Exif\0\0';
const [jpegApp1, jpegScan] = [0xe1, 0xda];

/** Before the picture itself there are segments, each with its length. */
function jpegNote(bytes: Buffer): Buffer | null {
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== jpegScan; at += 2 + Math.max(2, bytes.readUInt16BE(at + 2))) {
    const data = bytes.subarray(at + 4, at + 2 + bytes.readUInt16BE(at + 2));
    if (bytes[at + 1] === jpegApp1 && data.toString('latin1', 0, exifHead.length) === exifHead)
      return data.subarray(exifHead.length);
  }
  return null;
}

type Chunks = { readonly from: number; readonly name: string; readonly isNamedFirst: boolean };

/** PNG: length, name, data, check; WebP (RIFF): name, length, data of an even length. */
function chunkIn(bytes: Buffer, { from, name, isNamedFirst }: Chunks): Buffer | null {
  for (let at = from; at + 8 <= bytes.length;) {
    const length = isNamedFirst ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (bytes.toString('latin1', isNamedFirst ? at : at + 4, (isNamedFirst ? at : at + 4) + 4) === name) {
      return data.toString('latin1', 0, exifHead.length) === exifHead ? data.subarray(exifHead.length) : data;
    }
    at += 8 + length + (isNamedFirst ? length % 2 : 4);
  }
  return null;
}

const orientationTag = 0x112;

/** A note is a TIFF without a picture. */
function orientationIn(note: Buffer): number {
  const isLittle = note[0] === 0x49;
  const short = (at: number): number => (isLittle ? note.readUInt16LE(at) : note.readUInt16BE(at));
  const directory = isLittle ? note.readUInt32LE(4) : note.readUInt32BE(4);
  for (let entry = 0; entry < short(directory); entry++) {
    const at = directory + 2 + entry * 12;
    if (short(at) === orientationTag) return short(at + 8);
  }
  return 1;
}

/** Of a part that is looked at by itself: ten lines and more, of a page as it is scanned. */
const partSideMin = 700;
const partShare = 0.3;
/** Cells across and down, of which a part has as many as fit. */
const cellsAcross = 10;
const edgeContrast = 64;

/** The part of a picture that has most edges, as text has: a fifth of a page or less; all of a small picture. Linear in its points. */
export function busiestPart(picture: GreyPicture): GreyPicture {
  const { width, height } = picture;
  const side = Math.max(partSideMin, Math.round(partShare * Math.min(width, height)));
  const [across, down] = [Math.min(width, side), Math.min(height, side)];
  if (across === width && down === height) return picture;
  const edges = edgeSums(picture);
  let best = { left: 0, top: 0, sum: -1 };
  for (let row = 0; row <= cellsAcross; row++) {
    for (let column = 0; column <= cellsAcross; column++) {
      const [left, top] = [
        Math.floor(((width - across) * column) / cellsAcross),
        Math.floor(((height - down) * row) / cellsAcross),
      ];
      const sum = edges({ left, top, across, down });
      if (sum > best.sum) best = { left, top, sum };
    }
  }
  return cutOut(picture, { ...best, across, down });
}

type Part = { readonly left: number; readonly top: number; readonly across: number; readonly down: number };

/** Points of one cell of the sums. */
const sumStep = 16;

/** Sums of edges from the upper left corner: that of any part is known at once. */
function edgeSums({ width, height, points }: GreyPicture): (part: Part) => number {
  const columns = Math.ceil(width / sumStep) + 1;
  const rows = Math.ceil(height / sumStep) + 1;
  const sums = new Uint32Array(columns * rows);
  for (let y = 1; y < height; y++)
    for (let x = 1, at = y * width + 1; x < width; x++, at++) {
      const isEdge =
        Math.abs(points[at]! - points[at - 1]!) > edgeContrast || Math.abs(points[at]! - points[at - width]!) > edgeContrast;
      if (isEdge) sums[(Math.floor(y / sumStep) + 1) * columns + Math.floor(x / sumStep) + 1]! += 1;
    }
  for (let row = 1; row < rows; row++)
    for (let column = 1; column < columns; column++)
      sums[row * columns + column]! +=
        sums[(row - 1) * columns + column]! + sums[row * columns + column - 1]! - sums[(row - 1) * columns + column - 1]!;
  const at = (x: number, y: number): number => sums[Math.floor(y / sumStep) * columns + Math.floor(x / sumStep)]!;
  return ({ left, top, across, down }) =>
    at(left + across, top + down) - at(left, top + down) - at(left + across, top) + at(left, top);
}

function cutOut({ width, points }: GreyPicture, { left, top, across, down }: Part): GreyPicture {
  const part = new Uint8Array(across * down);
  for (let y = 0; y < down; y++) {
    const from = (top + y) * width + left;
    part.set(points.subarray(from, from + across), y * across);
  }
  return { width: across, height: down, points: part };
}
