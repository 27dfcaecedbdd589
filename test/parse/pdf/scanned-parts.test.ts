/** Pages of text that hold a scanned part, and pages that OCR reads beside their text. */
import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { DocumentError } from '../../../src/errors.ts';
import type { Ocr } from '../../../src/parse/images/ocr.ts';
import { createWasmOcr } from '../../../src/parse/images/wasm-ocr.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { bmpOfText } from '../../support/image-writer.ts';
import { makeOfd, ofdText } from '../../support/ofd-writer.ts';
import { parseBytes } from '../../support/parse.ts';
import { makePdf, type PdfPage } from '../../support/pdf-writer.ts';
import { makeXps, xpsGlyphs, xpsPicture } from '../../support/xps-writer.ts';

const above = ['The text above the picture tells of lighthouses, of the tides and of the birds.', 'It is long enough.'];
const below = { text: 'And the text below the picture goes on about the curlew and its nest.', x: 72, y: 200 };
const part = { at: [72, 300, 520, 700] as const };
const said = `${above.join(' ')}`;

/** What it was given, and what it says. */
function seeing(text: string | ((image: Buffer) => string), more: Partial<Ocr> = {}): Ocr & { readonly pictures: Buffer[] } {
  const pictures: Buffer[] = [];
  return {
    languages: ['eng'],
    pictures,
    async read(image) {
      pictures.push(Buffer.from(image));
      return typeof text === 'string' ? text : text(Buffer.from(image));
    },
    ...more,
  };
}

function read(page: PdfPage, ocr: Ocr): Promise<ParsedDocument> {
  return parseBytes(createDocumentParser({ ocr }), makePdf({ pages: [page] }), { filename: 'a.pdf' });
}

/** The first line of a PGM: `P5 width height`. */
function sizeOf(picture: Buffer): string {
  return picture.toString('latin1', 0, 16).split('\n', 2).join(' ');
}

describe('a page of text with a large picture', () => {
  it.each(['Seen in the\npicture itself.\n\nA second paragraph.', '图中可见的\n文字。\n\n第二段文字。'])(
    'has what is seen in it where the picture stands: %s',
    async (text) => {
      const ocr = seeing(text);
      const parsed = await read({ lines: above, texts: [below], pictures: [part] }, ocr);

      const [first, second] = text.split('\n\n').map((paragraph) => paragraph.replace('\n', /[a-z]/.test(paragraph) ? ' ' : ''));
      expect(parsed.markdown).toBe([said, first, second, below.text].join('\n\n'));
      expect(parsed.blocks.every(({ page }) => page === 1)).toBe(true);
      // Of the part alone, in 300 dots per inch: 448 × 400 points.
      expect(ocr.pictures.map(sizeOf)).toEqual(['P5 1867 1667']);
    },
  );

  it('is not read where it is small, has text over it, or lies upon another', async () => {
    const small = seeing('small');
    await read({ lines: above, pictures: [{ at: [72, 300, 172, 400] }] }, small);
    const background = seeing('background');
    await read({ lines: [...above, ...above, ...above], pictures: [{ at: [0, 0, 595, 842] }] }, background);
    const twice = seeing('once');
    await read({ lines: above, pictures: [part, { at: [80, 310, 510, 690] }] }, twice);

    expect([small, background, twice].map(({ pictures }) => pictures.length)).toEqual([0, 0, 1]);
  });

  it.each(['हिन्दी में', 'ที่นี่', 'Ελλάδα', '조선', 'ひらがな', '1234'])('has it in any script: %s', async (text) => {
    expect((await read({ lines: above, texts: [below], pictures: [part] }, seeing(text))).markdown).toBe(
      [said, text, below.text].join('\n\n'),
    );
  });

  it('is left out when nothing but specks is seen, and named when it cannot be read; the text stays', async () => {
    const specks = await read({ lines: above, pictures: [part] }, seeing('. ~ ‘\n\n| = —'));
    expect([specks.markdown, specks.warnings]).toEqual([said, []]);

    const late = () => {
      throw new DocumentError('timeout', 'took too long');
    };
    const parsed = await read({ lines: above, pictures: [part] }, seeing(late));
    expect([parsed.markdown, parsed.warnings]).toEqual([said, ['A picture on page 1 was not read by OCR: took too long']]);

    const stalled = () => {
      throw new DocumentError('stalled', 'no progress', { retryable: true });
    };
    await expect(read({ lines: above, pictures: [part] }, seeing(stalled))).rejects.toMatchObject({ code: 'stalled' });
  });

  /** Upright strips of a fifth of the page each, and so many more that lie upon two of them in part. */
  const strips = (more: number): PdfPage => ({
    width: 500,
    height: 1000,
    lines: [],
    texts: [],
    pictures: [
      ...[0, 1, 2, 3, 4].map((at) => ({ at: [at * 100, 0, at * 100 + 100, 1000] as const })),
      ...Array.from({ length: more }, (_, at) => ({ at: [at * 100 + 50, 0, at * 100 + 150, 1000] as const })),
    ],
  });

  it('is read wherever there is room for it, and tells of each', async () => {
    const ocr = seeing((image) => `part of ${image.length} pixels`);
    const seen: number[] = [];
    const scan = { ...strips(0), texts: [{ text: 'Words that lie on the margin of it all, some.', x: 0, y: 1, size: 2 }] };
    const bytes = makePdf({ pages: [scan] });
    const { warnings } = await parseBytes(createDocumentParser({ ocr }), bytes, { onProgress: (done) => seen.push(done) });

    expect(ocr.pictures).toHaveLength(5);
    expect(seen).toEqual([0, 0, 0, 0, 0, 1]);
    expect(warnings).toEqual([]);
  });

  it('is left out behind the fifth of a page, which is said once, by the numbers of the pages', async () => {
    const ocr = seeing('seen in it');
    const crowded = { ...strips(2), texts: [{ text: 'Words that lie on the margin of it all, some.', x: 0, y: 1, size: 2 }] };
    const plain = { lines: above };
    const { warnings } = await parseBytes(createDocumentParser({ ocr }), makePdf({ pages: [crowded, plain, crowded] }));

    expect(ocr.pictures).toHaveLength(10);
    expect(warnings).toEqual(['Pages with more than 5 large pictures without text, of which OCR read 5: 1, 3']);
  });

  it('is read by the OCR that comes with the program', async () => {
    const bmp = Buffer.from(bmpOfText('FILE TITLE LEFT', 8));
    const [width, height] = [bmp.readInt32LE(18), bmp.readInt32LE(22)];
    const rowBytes = Math.ceil((width * 3) / 4) * 4;
    const pixels = Buffer.alloc(width * height * 3, 0xff);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) pixels[(y + height) * width + x] = bmp[54 + (height - 1 - y) * rowBytes + x * 3]!;
    const ocr = createWasmOcr({ languages: 'eng', timeoutMs: 120_000 })!;
    const image = { width, height: height * 3, pixels };

    expect((await read({ lines: above, texts: [below], pictures: [{ at: [72, 400, 520, 650], image }] }, ocr)).markdown).toBe(
      [said, 'FILE TITLE LEFT', below.text].join('\n\n'),
    );
  });

  it('is read in an OFD and in an XPS as well', async () => {
    const ocr = seeing((image) => `看到的 ${image.toString()}`);
    const line = 'words that stand above the picture, and enough of them';
    const ofd = makeOfd({
      resources:
        '<ofd:MultiMedias><ofd:MultiMedia ID="m"><ofd:MediaFile>part.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>',
      pages: [
        {
          objects: `${ofdText({ x: 20, y: 30, text: line, size: 3 })}<ofd:ImageObject ResourceID="m" Boundary="20 50 170 100"/>${ofdText({ x: 20, y: 170, text: 'below', size: 3 })}`,
        },
      ],
      members: [{ name: 'Doc_0/Res/part.png', data: 'part' }],
    });
    const xps = makeXps({
      pages: [
        xpsGlyphs({ x: 80, y: 100, text: line, size: 12 }) +
          xpsPicture('/part.png', 80, 150, 640, 500) +
          xpsGlyphs({ x: 80, y: 700, text: 'below', size: 12 }),
      ],
      members: [{ name: 'part.png', data: 'part' }],
    });

    for (const bytes of [ofd, xps]) {
      const { markdown, looks } = await parseBytes(createDocumentParser({ ocr }), bytes);
      expect(markdown).toBe(`${line}\n\n看到的 part\n\nbelow`);
      expect(looks).toHaveLength(1);
    }
  });
});

describe('a page of an OFD or an XPS that is a picture', () => {
  const stamp = 'Received 2026-03-15';
  const letter = 'A letter that tells of lighthouses, of the tides and of the birds, in few words. '.repeat(3).trim();
  const ofd = makeOfd({
    resources: '<ofd:MultiMedias><ofd:MultiMedia ID="m"><ofd:MediaFile>scan.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>',
    pages: [
      ofdText({ x: 20, y: 30, text: 'first page', size: 3 }),
      `<ofd:ImageObject ResourceID="m" Boundary="0 0 210 297"/>${ofdText({ x: 20, y: 270, text: stamp, size: 3 })}`,
    ].map((objects) => ({ objects })),
    members: [{ name: 'Doc_0/Res/scan.png', data: 'scan' }],
  });
  const xps = makeXps({
    pages: [
      xpsGlyphs({ x: 80, y: 100, text: 'first page', size: 12 }),
      xpsPicture('/scan.png', 0, 0, 794, 1123) + xpsGlyphs({ x: 80, y: 1000, text: stamp, size: 12 }),
    ],
    members: [{ name: 'scan.png', data: 'scan' }],
  });

  it.each([
    ['OFD', ofd],
    ['XPS', xps],
  ])('keeps what is stamped upon it, which is not in the picture: %s', async (_kind, bytes) => {
    const { markdown } = await parseBytes(createDocumentParser({ ocr: seeing(letter) }), bytes);

    expect(markdown).toBe(`first page\n\n${letter}\n\n${stamp}`);
  });

  it.each([
    ['OFD', ofd],
    ['XPS', xps],
  ])('is named where nobody can read it, and the others stay: %s', async (_kind, bytes) => {
    const broken = () => {
      throw new DocumentError('corrupt', 'of a kind that OCR cannot read');
    };
    const { markdown, warnings } = await parseBytes(createDocumentParser({ ocr: seeing(broken) }), bytes);

    expect([markdown, warnings]).toEqual([
      `first page\n\n${stamp}`,
      ['A picture on page 2 was not read by OCR: of a kind that OCR cannot read'],
    ]);
  });
});

describe('OCR of every page', () => {
  it('adds what the text of a page does not have, where it stands, and nothing twice', async () => {
    // In half points of the page: what OCR sees of its text, and of a picture that is no large one.
    const texts = [
      ['The', 144, 124, 180, 144],
      ['text', 184, 124, 220, 144],
      ['灯', 300, 900, 330, 930],
      ['塔', 332, 900, 362, 930],
      ['of', 370, 900, 400, 930],
      ['stone', 300, 940, 360, 970],
      ['~', 700, 1300, 710, 1310],
      ['And', 144, 1264, 180, 1284],
    ] as const;
    const ocr = seeing('', { readsAll: true });
    const all: Ocr = {
      ...ocr,
      async read(image, onSeen) {
        onSeen?.({ width: 1190, height: 1684, texts });
        return ocr.read(image);
      },
    };
    const parsed = await read({ lines: above, texts: [below], pictures: [{ at: [140, 360, 240, 400] }] }, all);

    expect(parsed.markdown).toBe([said, '灯塔 of stone', below.text].join('\n\n'));
    expect(ocr.pictures.map(sizeOf)).toEqual(['P5 2479 3508']);
  });

  it('does not add what was filled into a form, which is no text of the page itself', async () => {
    // In points of the page: the field as it is drawn, and what nobody knows.
    const texts = [
      ['Curlew', 202, 302, 240, 314],
      ['Island', 244, 302, 280, 314],
      ['Stamped', 100, 600, 150, 612],
    ] as const;
    const all: Ocr = {
      ...seeing('', { readsAll: true }),
      async read(_image, onSeen) {
        onSeen?.({ width: 595, height: 842, texts });
        return '';
      },
    };
    const { markdown } = await read({ lines: above, fields: [{ name: 'place', value: 'Curlew Island', y: 524 }] }, all);

    expect(markdown.match(/Curlew/g)).toHaveLength(1);
    expect(markdown).toContain('Stamped');
  });

  it('tells by the words what is there already, where a reader does not say where they stand', async () => {
    const ocr = seeing(`${above[0]}\n\nStamped on the margin`, { readsAll: true });

    expect((await read({ lines: above }, ocr)).markdown).toBe(`${said}\n\nStamped on the margin`);
  });
});

describe('what OCR does not read', () => {
  const pageCount = 25;
  const listed = `${Array.from({ length: 20 }, (_, at) => at + 1).join(', ')} and 5 more`;
  const objects = { above: 'The text above the picture tells of lighthouses, of the tides and of the birds.', below: 'below' };
  const ofd = (file: string): Buffer =>
    makeOfd({
      resources: `<ofd:MultiMedias><ofd:MultiMedia ID="m"><ofd:MediaFile>${file}</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>`,
      pages: Array.from({ length: pageCount }, () => ({
        objects: `${ofdText({ x: 20, y: 30, text: objects.above, size: 3 })}<ofd:ImageObject ResourceID="m" Boundary="20 60 150 150"/>`,
      })),
      members: [{ name: 'Doc_0/Res/scan.png', data: 'scan' }],
    });
  const xps = (file: string): Buffer =>
    makeXps({
      pages: Array.from(
        { length: pageCount },
        () => xpsGlyphs({ x: 80, y: 100, text: objects.above, size: 12 }) + xpsPicture(file, 80, 200, 600, 600),
      ),
      members: [{ name: 'scan.png', data: 'scan' }],
    });
  const pdf = makePdf({ pages: Array.from({ length: pageCount }, () => ({ lines: above, pictures: [part] })) });
  const refusing = seeing(() => {
    throw new DocumentError('corrupt', 'it is damaged');
  });
  const doubting: Ocr = {
    languages: ['eng'],
    async read(_image, _onSeen, onDoubt) {
      onDoubt?.();
      return 'hardly anything';
    },
  };

  it.each([
    ['OFD', ofd('lost.png')],
    ['XPS', xps('/lost.png')],
  ])('because it is not in the file is said once, with or without OCR: %s', async (_kind, bytes) => {
    for (const parser of [createDocumentParser({ ocr: seeing('seen') }), createDocumentParser({})])
      expect((await parseBytes(parser, bytes)).warnings).toEqual([`Pages with pictures that are missing in the file: ${listed}`]);
  });

  it.each([
    ['OFD', ofd('scan.png')],
    ['XPS', xps('/scan.png')],
    ['PDF', pdf],
  ])('because it is damaged, or not well, is said once: %s', async (_kind, bytes) => {
    expect((await parseBytes(createDocumentParser({ ocr: refusing }), bytes)).warnings).toEqual([
      `Pictures on pages ${listed} were not read by OCR: it is damaged`,
    ]);
    expect((await parseBytes(createDocumentParser({ ocr: doubting }), bytes)).warnings).toEqual([
      `Pages that OCR could not read with any certainty, if at all: ${listed}`,
    ]);
  });
});
