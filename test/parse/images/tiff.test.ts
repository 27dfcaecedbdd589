import { describe, expect, it } from 'vitest';
import { DocumentError } from '../../../src/errors.ts';
import { createImageParser } from '../../../src/parse/images/image-parser.ts';
import { tiffPages } from '../../../src/parse/images/tiff.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';

/** Pages of these widths, each 10 high, with nothing on them. */
function tiff(widths: readonly number[], { loop = false } = {}): Buffer {
  const size = 2 + 2 * 12 + 4;
  const bytes = Buffer.alloc(8 + widths.length * size);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  for (const [index, width] of widths.entries()) {
    const at = 8 + index * size;
    bytes.writeUInt16LE(2, at);
    for (const [entry, value] of [width, 10].entries()) {
      bytes.writeUInt16LE(256 + entry, at + 2 + entry * 12);
      bytes.writeUInt16LE(4, at + 4 + entry * 12);
      bytes.writeUInt32LE(1, at + 6 + entry * 12);
      bytes.writeUInt32LE(value, at + 10 + entry * 12);
    }
    const isLast = index === widths.length - 1;
    bytes.writeUInt32LE(isLast ? (loop ? 8 : 0) : at + size, at + size - 4);
  }
  return bytes;
}

/** Sees the width of the first page, and says so when there is another behind it. */
const ocr = {
  languages: ['eng'],
  read: async (image: Uint8Array): Promise<string> => {
    const pages = tiffPages(Buffer.from(image));
    return `width ${pages[0]!.width}${pages.length > 1 ? ', and more' : ''}`;
  },
};

describe('a TIFF of several pages', () => {
  it('is read page by page, with progress, and each page is cited', async () => {
    const progress: [number, number | null][] = [];
    const parsed = await parseBytes(createImageParser(ocr), tiff([100, 200, 300]), {
      onProgress: (done, total) => progress.push([done, total]),
    });

    expect(parsed.markdown).toBe('width 100\n\nwidth 200\n\nwidth 300');
    expect(parsed.pages).toBe(3);
    expect(progress).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('names the pages that OCR cannot read or believe, and is refused where there is no other', async () => {
    const some = {
      ...ocr,
      async read(image: Uint8Array, _onSeen?: unknown, onDoubt?: () => void): Promise<string> {
        const text = await ocr.read(image);
        if (text === 'width 200') throw new DocumentError('corrupt', 'it is damaged');
        if (text === 'width 300') onDoubt?.();
        return text;
      },
    };
    const parsed = await parseBytes(createImageParser(some), tiff([100, 200, 300]));

    expect(parsed.markdown).toBe('width 100\n\nwidth 300');
    expect(parsed.warnings).toEqual([
      'A picture on page 2 was not read by OCR: it is damaged',
      'Pages that OCR could not read with any certainty, if at all: 3',
    ]);
    expect(await refusalOf(createImageParser(some), tiff([200, 200]))).toBe('corrupt: it is damaged');
  });

  it('says that it has more than a thousand pages', async () => {
    const parsed = await parseBytes(createImageParser(ocr), tiff(Array.from({ length: 1002 }, () => 5)));

    expect(parsed.pages).toBe(1000);
    expect(parsed.warnings).toEqual(['The picture has more than 1000 pages; those behind were not read']);
  });

  it('ends where its directories lead back', () => {
    expect(tiffPages(tiff([1, 2], { loop: true })).map(({ width }) => width)).toEqual([1, 2]);
  });
});
