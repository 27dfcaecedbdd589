import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotPlain } from '../../../../src/parse/pdf/fast-path/objects.ts';
import { openPlainSource } from '../../../../src/parse/pdf/fast-path/plain-source.ts';
import type { SourcePage } from '../../../../src/parse/pdf/pdf-source.ts';
import { pageLines } from '../../../support/prose.ts';
import { makePdf, namelessGlyph, type PdfOptions } from '../../../support/pdf-writer.ts';
import {
  characterTables,
  linesOf,
  pdfOfContent,
  pdfOfObjects,
  pdfStream,
  readByPdfium,
  type Reading,
  readPlainly,
} from '../../../support/plain-pdf.ts';

let folder: string;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plain-source-'));
  path = join(folder, 'file.pdf');
});
afterAll(() => rm(folder, { recursive: true }));

async function read(bytes: Buffer, pagesMax?: number): Promise<Reading> {
  await writeFile(path, bytes);
  return readPlainly(path, pagesMax);
}

/** What both readers read. */
async function readByBoth(options: PdfOptions): Promise<Reading> {
  const plain = await read(makePdf(options));
  expect(plain).toEqual(await readByPdfium(path));
  return plain;
}

const textsOf = (reading: Reading) => reading.pages.map(linesOf);

describe('A plain source reads what PDFium reads', () => {
  it('of English pages', async () => {
    const pages = [1, 2, 3].map((number) => pageLines(number, 40));
    expect(textsOf(await readByBoth({ pages }))).toEqual(pages);
  });

  it('of Chinese pages, through a ToUnicode map', async () => {
    const lines = ['今天的天气非常好，我们一起去公园散步。', '第二行：日本語한국어', 'Ωμέγα'];
    expect(textsOf(await readByBoth({ pages: [lines] }))).toEqual([lines]);
  });

  it('of bold type, large type and headings', async () => {
    const reading = await readByBoth({
      pages: [
        {
          texts: [
            { text: 'Annual Report', x: 72, y: 780, size: 24 },
            { text: '1 Introduction', x: 72, y: 740, size: 16, bold: true },
            { text: '简介', x: 72, y: 700, bold: true },
            { text: 'Plain words.', x: 72, y: 660 },
          ],
        },
      ],
    });
    expect(reading.pages[0]!.spans).toEqual([
      ['Annual Report (24 at 62)', '*1 Introduction* (16 at 102)', '*简介* (11 at 142)', 'Plain words. (11 at 182)'],
    ]);
  });

  it.each([90, 180, 270])('of pages shown rotated by %i degrees, and of text turned so', async (angle) => {
    const texts = [{ text: 'Turned words of a table', x: 300, y: 400, angle }];
    const rules = [[100, 100, 300, 100] as const];
    const reading = await readByBoth({ pages: [{ lines: ['Upright words'], rotate: angle, rules }, { texts }] });
    expect(textsOf(reading)).toEqual([['Upright words'], ['Turned words of a table']]);
  });

  it('of a page that is seen in part', async () => {
    const texts = [
      { text: 'Visible', x: 100, y: 500 },
      { text: 'Cut away', x: 100, y: 100 },
    ];
    expect(textsOf(await readByBoth({ pages: [{ texts, cropBox: [50, 300, 500, 900] }] }))).toEqual([['Visible']]);
  });

  it('of tables, with their lines', async () => {
    const texts = ['Austria', 'Vienna', 'France', 'Paris'].map((text, cell) => ({
      text,
      x: 100 + (cell % 2) * 120,
      y: 600 - Math.floor(cell / 2) * 20,
    }));
    const across = [614, 594, 574].map((y) => [95, y, 335, y] as const);
    const down = [95, 215, 335].map((x) => [x, 574, x, 614] as const);
    const reading = await readByBoth({ pages: [{ texts, rules: [...across, ...down] }] });
    expect(textsOf(reading)).toEqual([['Austria', 'Vienna', 'France', 'Paris']]);
    expect(reading.pages[0]!.rules.flat()).toHaveLength(6);
  });

  it('of pages with hidden text, a picture, and nothing', async () => {
    const scan = { picture: true, texts: [{ text: 'Seen by OCR', x: 72, y: 700, invisible: true }] };
    expect(textsOf(await readByBoth({ pages: [scan, []] }))).toEqual([['Seen by OCR'], []]);
  });

  it('of what the file says of itself', async () => {
    const outline = [
      { title: 'Chapter one', page: 1 },
      { title: '第二章', page: 2 },
    ];
    const reading = await readByBoth({ pages: [['One'], ['Two']], title: '年度报告', author: 'Ann Ö.', outline });
    expect(reading.said).toEqual(['年度报告', 'Ann Ö.', '']);
    expect(reading.bookmarks).toEqual(outline.map(({ title }) => ({ title, depth: 0 })));
  });

  it('where few glyphs are of no known character', async () => {
    const line = (number: number) => `第${number}行：今年的预算由董事会批准，明年的也是。`;
    const lines = Array.from({ length: 8 }, (_, index) => line(index + 1));
    const reading = await readByBoth({ pages: [[...lines, `前${namelessGlyph}后`]] });
    expect(textsOf(reading)).toEqual([[...lines, '前', '后']]);
  });
});

describe('A plain source is not sure', () => {
  const texts = (text: string, more = {}) => makePdf({ pages: [{ texts: [{ text, x: 72, y: 700, ...more }] }] });
  const annotated = (annotation: string) =>
    pdfOfContent('BT /F1 11 Tf (Text) Tj ET', { page: '/Annots [6 0 R]', objects: [`<< /Type /Annot ${annotation} >>`] });
  const damaged = makePdf({ pages: [['Text']] });
  const packed = damaged.lastIndexOf('>>\nstream\n') + 10;
  damaged.fill(0, packed + 4, packed + 8);
  const withCount = (count: number) =>
    pdfOfObjects([
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count ${count} /Kids [3 0 R] >>`,
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>',
      pdfStream(''),
    ]);

  it.each([
    ['Hebrew, which runs from right to left', texts('שלום עולם')],
    ['Arabic, which runs from right to left', texts('مرحبا بالعالم')],
    ['Devanagari, whose vowels move', texts('नमस्ते')],
    ['vertical writing', texts('春眠不覺曉', { vertical: true })],
    ['a predefined CMap', texts('简体中文', { cmap: 'UniGB-UCS2-H' })],
    ['many glyphs of no known character', makePdf({ pages: [[`今年的预算${namelessGlyph}由董事会批准。`]] })],
    ['a form with fields', makePdf({ pages: [{ fields: [{ name: 'name', value: 'Ann', y: 300 }] }] })],
    ['text written onto a page', annotated('/Subtype /FreeText /Rect [0 0 100 100] /Contents (Mine)')],
    ['a field on a page', annotated('/Subtype /Widget /Rect [0 0 100 100]')],
    ['an encrypted file', makePdf({ pages: [['Secret']], userPassword: '' })],
    ['a file that needs a password', makePdf({ pages: [['Secret']], userPassword: 'open sesame' })],
    ['more pages than the file has', withCount(2)],
    ['fewer pages than the file has', withCount(0)],
    ['a damaged stream', damaged],
    ['a file cut short', makePdf({ pages: [['Text']] }).subarray(0, -30)],
    ['a page of no size', pdfOfContent('', { page: '/CropBox [600 0 700 842]' })],
    ['a page turned by half a quarter', pdfOfContent('', { page: '/Rotate 45' })],
    ['a file that is none', Buffer.from('%PDF-1.7\nnothing here')],
  ])('of %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toThrow(NotPlain);
  });

  it('of more pages than it may read', async () => {
    const bytes = makePdf({ pages: [['One'], ['Two'], ['Three']] });
    expect(textsOf(await read(bytes, 3))).toEqual([['One'], ['Two'], ['Three']]);
    await expect(read(bytes, 2)).rejects.toThrow(NotPlain);
    await expect(read(bytes, 1)).rejects.toThrow(NotPlain);
  });

  it('of a page that is wanted as a picture or has too many glyphs, but reads the others', async () => {
    await writeFile(path, makePdf({ pages: [['One'], { picture: true }] }));
    const source = openPlainSource(path, 10, characterTables);
    const bounds = { glyphsMax: 100, charactersMax: 100, checkTime: () => undefined, isLate: () => false };
    const pictures = ({ pictureShare, box }: SourcePage) => (pictureShare > 0.5 ? [box] : []);
    expect((await source.readPage(1, bounds, pictures))?.text.glyphCount).toBe(3);
    await expect(source.readPage(1, { ...bounds, glyphsMax: 2 }, pictures)).rejects.toThrow(NotPlain);
    await expect(source.readPage(2, bounds, pictures)).rejects.toThrow(NotPlain);
  });

  it('of nothing in a file with harmless notes and an empty form', async () => {
    await read(annotated('/Subtype /Link /Rect [0 0 100 100]'));
    await read(pdfOfContent('', { catalog: '/AcroForm << /Fields [] >>' }));
  });
});

describe('A page whose font is of a collection', () => {
  const font = `<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [7 0 R] >>`;
  const descendant = `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song
/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> >>`;
  const bytes = pdfOfContent('BT /F2 10 Tf 72 700 Td <11CF> Tj ET', { fonts: '/F2 6 0 R', objects: [font, descendant] });

  it('is read once its table is there, which is loaded once', async () => {
    await writeFile(path, bytes);
    const loaded: string[] = [];
    const ready = new Set<string>();
    const source = openPlainSource(path, 10, {
      get: (collection) => (ready.has(collection) ? ['', ' ', ...Array.from({ length: 5000 }, () => '中')] : undefined),
      load: async (collection) => {
        loaded.push(collection);
        ready.add(collection);
      },
    });
    const bounds = { glyphsMax: 100, charactersMax: 100, checkTime: () => undefined, isLate: () => false };
    for (let times = 0; times < 2; times++)
      expect((await source.readPage(1, bounds, () => []))?.text.frames[0]?.spans[0]?.text).toBe('中');
    expect(loaded).toEqual(['GB1']);
  });

  it('fails when its table cannot be loaded', async () => {
    await writeFile(path, bytes);
    const load = () => Promise.reject(new Error('no memory'));
    const source = openPlainSource(path, 10, { get: () => undefined, load });
    const bounds = { glyphsMax: 100, charactersMax: 100, checkTime: () => undefined, isLate: () => false };
    await expect(source.readPage(1, bounds, () => [])).rejects.toThrow('no memory');
  });
});
