/** Pictures: their size is read from the header and checked before anything decodes them; their text needs OCR. */
import { DocumentError } from '../../errors.ts';
import { imageType } from '../detect.ts';
import { normalizeLines } from '../text/encoding.ts';
import { readInput } from '../input.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import { type NoOcr, noOcr, type Ocr } from './ocr.ts';
import type { PageLook, ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { readPicture, seePicture } from '../pdf/layout/scanned-parts.ts';
import { createSeeingNotes, warningsOfSeeing } from '../pdf/layout/seeing-notes.ts';
import { tiffPages, tiffPagesMax, turnTo } from './tiff.ts';
import { writeParagraphs } from '../text/text-parser.ts';

/** `withoutOcr`: why there is none. */
export function createImageParser(ocr: Ocr | null, withoutOcr: NoOcr = noOcr.notInstalled): Parser {
  return { parse: (input) => parse(input, ocr, withoutOcr) };
}

async function parse(input: ParseInput, ocr: Ocr | null, withoutOcr: NoOcr): Promise<ParsedDocument> {
  const bytes = readInput(input);
  const size = imageSize(bytes);
  if (size === null) throw new DocumentError('corrupt', 'The picture is damaged: its size cannot be read');
  const { pixelsMax } = input.limits;
  if (size.width * size.height > pixelsMax) {
    throw new DocumentError(
      'limit_exceeded',
      `The picture has ${size.width} × ${size.height} pixels, more than ${pixelsMax} (MAX_PICTURE_PIXELS)`,
    );
  }
  if (ocr === null) throw new DocumentError('no_text', withoutOcr.scanSentence);
  const listed = imageType(bytes) === 'image/tiff' ? tiffPages(bytes) : [];
  const pages = listed.slice(0, tiffPagesMax);
  const count = Math.max(1, pages.length);
  const builder = createMarkdownBuilder(input.limits);
  const looks: PageLook[] = [];
  const notes = createSeeingNotes();
  for (let page = 1; page <= count; page++) {
    const onRead = (): void => input.onProgress(page, count);
    const { text, seen, isDoubtful } =
      count === 1
        ? await seePicture(ocr, bytes).finally(onRead)
        : await readPicture(() => turnTo(bytes, pages[page - 1]!), { ocr, page, notes, onRead });
    if (seen !== null) looks.push({ page, ...seen });
    if (isDoubtful) notes.doubtful.push(page);
    writeParagraphs(normalizeLines(text), builder, { page });
  }
  const [refusal] = notes.refused.keys();
  if (builder.characters === 0 && refusal !== undefined) throw new DocumentError('corrupt', refusal);
  if (builder.characters === 0) throw new DocumentError('no_text', 'No text found in the picture, not even by OCR');
  return {
    mediaType: imageType(bytes)!,
    title: null,
    author: null,
    language: null,
    pages: count,
    ...builder.finish(),
    looks,
    warnings: [
      ...warningsOfSeeing(notes),
      ...(listed.length > count ? [`The picture has more than ${count} pages; those behind were not read`] : []),
    ],
  };
}

export type ImageSize = { readonly width: number; readonly height: number };

/** The size that the header declares, or null when there is none. Decodes nothing. */
export function imageSize(bytes: Buffer): ImageSize | null {
  try {
    switch (imageType(bytes)) {
      case 'image/png':
        return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
      case 'image/gif':
        return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
      case 'image/bmp':
        return { width: Math.abs(bytes.readInt32LE(18)), height: Math.abs(bytes.readInt32LE(22)) };
      case 'image/webp':
        return webpSize(bytes);
      case 'image/jpeg':
        return jpegSize(bytes);
      case 'image/tiff':
        return tiffSize(bytes);
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof RangeError) return null; // the file ends inside its header
    throw error;
  }
}

/** RFC 9649: lossy, lossless or extended header. */
function webpSize(bytes: Buffer): ImageSize | null {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (kind === 'VP8 ') return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (kind !== 'VP8L') return null;
  const packed = bytes.readUInt32LE(21);
  return { width: (packed & 0x3fff) + 1, height: ((packed >>> 14) & 0x3fff) + 1 };
}

/** The frame header (SOF0–SOF15 but DHT, JPG and DAC) after any number of other segments. */
function jpegSize(bytes: Buffer): ImageSize | null {
  for (let at = 2; at < bytes.length;) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes.readUInt8(at + 1);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
    at += marker === 1 || (marker >= 0xd0 && marker <= 0xd8) ? 2 : 2 + Math.max(2, bytes.readUInt16BE(at + 2));
  }
  return null;
}

/** The largest of its pages. */
function tiffSize(bytes: Buffer): ImageSize | null {
  const largest = tiffPages(bytes).toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  return largest === undefined ? null : { width: largest.width, height: largest.height };
}
