import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParsedDocument, ParseLimits } from '../../../src/parse/parser.ts';
import { createPdfParser, type PdfParserOptions } from '../../../src/parse/pdf/pdf-parser.ts';
import { pdfOfContent } from '../../support/plain-pdf.ts';
import { makePdf, namelessGlyph, type PdfOptions } from '../../support/pdf-writer.ts';

const limits: ParseLimits = {
  unpackedBytesMax: 1024 ** 3,
  entriesMax: 10_000,
  ratioMax: 200,
  depthMax: 256,
  pagesMax: 1000,
  cellsMax: 100_000,
  charactersMax: 1_000_000,
  pixelsMax: 100_000_000,
  pdfMemoryMb: 512,
  pageMs: 20_000,
};

let folder: string;
const parser = createPdfParser();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdf-parser-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function parseBytes(
  bytes: Buffer,
  more: { limits?: Partial<ParseLimits>; options?: PdfParserOptions; onProgress?: (done: number, all: number | null) => void } = {},
): Promise<ParsedDocument> {
  const path = join(folder, 'file.pdf');
  await writeFile(path, bytes);
  const using = more.options === undefined ? parser : createPdfParser(more.options);
  return using.parse({
    path,
    fileBytes: bytes.length,
    filename: 'file.pdf',
    declaredMediaType: 'application/pdf',
    limits: { ...limits, ...more.limits },
    onProgress: more.onProgress ?? (() => undefined),
  });
}

const parse = (options: PdfOptions, limits: Partial<ParseLimits> = {}) => parseBytes(makePdf(options), { limits });

/** Words enough for a full line of prose, different each time. */
function prose(lines: number, seed: number): string[] {
  const words = ['river', 'mountain', 'harvest', 'winter', 'letter', 'garden', 'copper', 'silence', 'window', 'morning'];
  return Array.from({ length: lines }, (_, line) =>
    Array.from({ length: 6 }, (_, word) => words[(line * 7 + word * 3 + seed) % words.length]).join(' '),
  );
}

describe('A PDF with text', () => {
  it('becomes paragraphs, each with its page and exact offsets', async () => {
    const document = await parse({ pages: [['First page of the report.'], ['Second page of the report.']] });
    expect(document.pages).toBe(2);
    expect(document.blocks.map((block) => [block.page, document.markdown.slice(block.start, block.end)])).toEqual([
      [1, 'First page of the report.'],
      [2, 'Second page of the report.'],
    ]);
  });

  it('joins wrapped lines, mends hyphens, and joins Chinese lines without a space', async () => {
    const document = await parse({
      pages: [
        ['The quick brown fox jumps over the lazy dog and con-', 'tinues on its way.'],
        ['今天的天气非常好我们一起去公园', '散步吧。'],
      ],
    });
    expect(document.markdown).toBe(
      'The quick brown fox jumps over the lazy dog and continues on its way.\n\n今天的天气非常好我们一起去公园散步吧。',
    );
  });

  it('reads two columns one after the other', async () => {
    const [left, right] = [prose(12, 0), prose(12, 5)];
    const document = await parse({
      pages: [
        {
          texts: [
            { text: 'A heading over both of the columns', x: 150, y: 780, size: 18 },
            ...left.flatMap((text, line) => [
              { text, x: 60, y: 740 - line * 14 },
              { text: right[line]!, x: 330, y: 740 - line * 14 },
            ]),
          ],
        },
      ],
    });
    expect(document.markdown).toBe(`# A heading over both of the columns\n\n${left.join(' ')}\n\n${right.join(' ')}`);
  });

  it('reads vertical Chinese columns from the right', async () => {
    const document = await parse({
      pages: [
        {
          texts: [
            { text: '春眠不覺曉處處聞啼鳥', x: 400, y: 700, vertical: true },
            { text: '夜來風雨聲花落知多少', x: 380, y: 700, vertical: true },
          ],
        },
      ],
    });
    expect(document.markdown.replace(/\s/g, '')).toBe('春眠不覺曉處處聞啼鳥夜來風雨聲花落知多少');
  });

  it('leaves nothing on the global object, which would hold on to the memory of a bomb', async () => {
    const names = Object.getOwnPropertyNames(globalThis);
    await parseBytes(makePdf({ pages: [['A page.']] }), { options: {} });
    expect(Object.getOwnPropertyNames(globalThis).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('leaves out glyphs whose font does not say which characters they are, and says where', async () => {
    const document = await parse({ pages: [['Whole page.'], [`今年的预算${namelessGlyph}由董事会批准。`]] });
    expect(document.markdown).toBe('Whole page.\n\n今年的预算 由董事会批准。');
    expect(document.warnings).toEqual(['Pages with letters missing, because their font does not identify them: 2']);
  });

  it('gives a page to OCR when most of its glyphs are of no known character', async () => {
    const bytes = makePdf({ pages: [[`预算${namelessGlyph.repeat(5)}`]] });
    const ocr = { read: () => Promise.resolve('预算由董事会批准') };
    expect((await parseBytes(bytes, { options: { ocr } })).markdown).toBe('预算由董事会批准');
    expect((await parseBytes(bytes)).warnings).toEqual(['Pages that look scanned and need OCR, which is not installed: 1']);
  });

  it('reads through a predefined CMap without a ToUnicode map', async () => {
    const document = await parse({ pages: [{ texts: [{ text: '简体中文内容', x: 72, y: 700, cmap: 'UniGB-UCS2-H' }] }] });
    expect(document.markdown).toBe('简体中文内容');
  });

  it.each([90, 180, 270])('reads a page shown rotated by %i degrees', async (rotate) => {
    const document = await parse({ pages: [{ lines: ['Upright text line one', 'and the second line.'], rotate }] });
    expect(document.markdown).toBe('Upright text line one and the second line.');
  });

  it.each([90, 180, 270])('reads text that is itself turned by %i degrees', async (angle) => {
    const step = { 90: [14, 0], 180: [0, 14], 270: [-14, 0] }[angle]!;
    const texts = ['A landscape table note', 'that runs over two lines.'].map((text, line) => ({
      text,
      x: 300 + step[0]! * line,
      y: 400 + step[1]! * line,
      angle,
    }));
    expect((await parse({ pages: [{ texts }] })).markdown).toBe('A landscape table note that runs over two lines.');
  });

  it('reads fonts that give only the numbers of their glyphs, whatever else reads the file', async () => {
    const system = '/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >>';
    const objects = [
      '<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [7 0 R] >>',
      `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Song ${system} >>`,
      '<< /Type /Annot /Subtype /FreeText /Rect [72 600 172 612] /Contents (A note) >>',
    ];
    const content = 'BT /F2 10 Tf 72 700 Td <11CF0753> Tj ET';
    const plain = await parseBytes(pdfOfContent(content, { fonts: '/F2 6 0 R', objects }));
    const noted = await parseBytes(pdfOfContent(content, { fonts: '/F2 6 0 R', objects, page: '/Annots [8 0 R]' }));
    expect([plain.markdown, noted.markdown]).toEqual(['中国', expect.stringContaining('中国')]);
  });

  it('leaves out what lies outside the page box', async () => {
    const document = await parse({
      pages: [
        {
          texts: [
            { text: 'Visible', x: 100, y: 500 },
            { text: 'Cut away', x: 100, y: 100 },
          ],
          cropBox: [0, 300, 595, 842],
        },
      ],
    });
    expect(document.markdown).toBe('Visible');
  });

  it('takes title and author from the document, or the title from the first heading', async () => {
    const named = await parse({ pages: [['Text']], title: '年度报告', author: '王小明' });
    expect([named.title, named.author]).toEqual(['年度报告', '王小明']);
    const unnamed = await parse({
      pages: [{ texts: [{ text: 'The Great Report', x: 72, y: 780, size: 24 }], lines: ['', '', '', ...prose(6, 1)] }],
    });
    expect(unnamed.title).toBe('The Great Report');
  });

  it('tells of each page once, also when a late one is not as plain as those before it', async () => {
    const late = { texts: [{ text: '简体中文内容', x: 72, y: 700, cmap: 'UniGB-UCS2-H' }] };
    const bytes = makePdf({ pages: [['The first page.'], ['The second page.'], late, ['The last page.']] });
    const progress: [number, number | null][] = [];
    const document = await parseBytes(bytes, { onProgress: (...page) => progress.push(page) });
    expect(progress).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
    expect(document.markdown).toBe('The first page.\n\nThe second page.\n\n简体中文内容\n\nThe last page.');
  });
});

describe('The structure of a PDF', () => {
  const bodyAt = (y: number, seed: number) => prose(4, seed).map((text, line) => ({ text, x: 72, y: y - line * 14 }));

  it('shows in headings by size, and in bold lines only where they stand out', async () => {
    const document = await parse({
      pages: [
        {
          texts: [
            { text: 'Annual Report', x: 72, y: 780, size: 24 },
            { text: '1 Introduction', x: 72, y: 740, size: 16 },
            ...bodyAt(710, 0),
            { text: 'Scope', x: 72, y: 640, bold: true },
            ...bodyAt(620, 3),
            { text: '2 Results', x: 72, y: 540, size: 16 },
            ...bodyAt(510, 5),
          ],
        },
      ],
    });
    expect(document.markdown.match(/^#.*$/gm)).toEqual(['# Annual Report', '## 1 Introduction', '### Scope', '## 2 Results']);
  });

  it('has a heading where a bookmark says so', async () => {
    const document = await parse({
      pages: [{ texts: [{ text: 'Plain words that are a chapter', x: 72, y: 780 }, ...bodyAt(740, 0)] }],
      outline: [{ title: 'Plain words that are a chapter', page: 1 }],
    });
    expect(document.markdown).toMatch(/^# Plain words that are a chapter\n/);
  });

  it('shows in lists, with bullets far from their text and items nested by their place', async () => {
    const item = (marker: string, text: string, x: number, y: number) => [
      { text: marker, x, y },
      { text, x: x + 24, y },
    ];
    const document = await parse({
      pages: [
        {
          texts: [
            ...bodyAt(780, 0),
            ...item('•', 'first point', 72, 700),
            ...item('•', 'its detail', 96, 684),
            ...item('•', 'second point', 72, 668),
            ...bodyAt(640, 2),
            ...item('1.', 'open the box', 72, 560),
            ...item('2.', 'close it', 72, 544),
          ],
        },
      ],
    });
    expect(document.markdown).toContain('- first point\n  - its detail\n- second point');
    expect(document.markdown).toContain('1. open the box\n2. close it');
  });

  const cells = [
    ['Country', 'Capital', 'People'],
    ['Austria', 'Vienna', '8.9'],
    ['France', 'Paris', '67.4'],
    ['日本', '東京', '125'],
  ];
  const markdown =
    '| Country | Capital | People |\n| --- | --- | --- |\n| Austria | Vienna | 8.9 |\n| France | Paris | 67.4 |\n| 日本 | 東京 | 125 |';
  const placed = cells.flatMap((row, line) => row.map((text, column) => ({ text, x: 100 + column * 120, y: 600 - line * 20 })));

  it('shows in tables drawn as a grid', async () => {
    const across = [0, 1, 2, 3, 4].map((line) => [95, 614 - line * 20, 455, 614 - line * 20] as const);
    const down = [0, 1, 2, 3].map((column) => [95 + column * 120, 534, 95 + column * 120, 614] as const);
    const document = await parse({ pages: [{ texts: [...bodyAt(780, 0), ...placed], rules: [...across, ...down] }] });
    expect(document.markdown).toContain(markdown);
    expect(document.blocks.map((block) => block.kind)).toEqual(['paragraph', 'table']);
  });

  it('shows in tables between horizontal lines, as in books', async () => {
    const rules = [614, 594, 534].map((y) => [95, y, 455, y] as const);
    expect((await parse({ pages: [{ texts: placed, rules }] })).markdown).toBe(markdown);
  });

  it('shows in tables without lines', async () => {
    expect((await parse({ pages: [{ texts: [...bodyAt(780, 0), ...placed] }] })).markdown).toContain(markdown);
  });

  it('shows in a table of contents', async () => {
    const lines = ['Preface . . . . . . . . . . iv', 'One . . . . . . . . . . . . 1', 'Two . . . . . . . . . . . . 17'];
    expect((await parse({ pages: [lines] })).markdown).toBe('| Preface | iv |\n| --- | --- |\n| One | 1 |\n| Two | 17 |');
  });

  it('does not show in running heads: they are kept once, page numbers not at all', async () => {
    const pages = [1, 2, 3, 4].map((number) => ({
      texts: [{ text: 'The Handbook of Rivers', x: 72, y: 810 }, ...bodyAt(700, number), { text: String(number), x: 300, y: 30 }],
    }));
    const { markdown } = await parse({ pages });
    expect(markdown.match(/Handbook of Rivers/g)).toHaveLength(1);
    expect(markdown).not.toMatch(/^\d$/m);
  });

  it('goes over pages: a sentence cut by the end of a page is one paragraph on two pages', async () => {
    const full = 'This line of prose is as wide as the column and then goes on without';
    const document = await parse({
      pages: [
        [full, full, full],
        ['any stop on the next page until it ends.', 'A second sentence follows here.'],
      ],
    });
    expect(document.blocks).toHaveLength(1);
    expect(document.blocks[0]).toMatchObject({ page: 1, pageEnd: 2 });
  });

  it('includes what was filled into a form, beside its label', async () => {
    const document = await parse({
      pages: [{ texts: [{ text: 'Name:', x: 150, y: 305 }], fields: [{ name: 'name', value: '陈大文 Chan', y: 300 }] }],
    });
    expect(document.markdown).toBe('Name: 陈大文 Chan');
  });
});

describe('A scanned page', () => {
  it('is given to OCR as a picture in 300 dots per inch', async () => {
    const pictures: string[] = [];
    const ocr = {
      async read(image: Uint8Array) {
        pictures.push(Buffer.from(image.subarray(0, 16)).toString('latin1').split('\n', 2).join(' '));
        return 'Seen on\nthe page.\n\nA second paragraph.';
      },
    };
    const document = await parseBytes(makePdf({ pages: [{ picture: true }, ['Text of its own, long enough to need no OCR.']] }), {
      options: { ocr },
    });
    expect(pictures).toEqual(['P5 2479 3508']);
    expect(document.markdown).toBe('Seen on the page.\n\nA second paragraph.\n\nText of its own, long enough to need no OCR.');
  });

  it('is named in a warning when OCR is not there but other pages have text', async () => {
    const document = await parse({ pages: [['Some text'], { picture: true }] });
    expect(document.warnings).toEqual(['Pages that look scanned and need OCR, which is not installed: 2']);
  });
});

describe('A PDF that cannot be read', () => {
  it('says that it is protected by a password', async () => {
    await expect(parse({ pages: [['Secret']], userPassword: 'open sesame' })).rejects.toMatchObject({
      code: 'encrypted',
      message: 'The PDF is protected by a password: remove the password and upload it again, or send the password with it',
    });
  });

  it('is read when it is encrypted with no user password', async () => {
    expect((await parse({ pages: [['Not so secret']], userPassword: '' })).markdown).toBe('Not so secret');
  });

  it('says that a scan needs OCR', async () => {
    await expect(parse({ pages: [{ picture: true }] })).rejects.toMatchObject({
      code: 'no_text',
      message: 'No text found: this looks like a scan and OCR is not installed',
    });
  });

  it('says that it is empty', async () => {
    await expect(parse({ pages: [[]] })).rejects.toMatchObject({
      code: 'no_text',
      message: 'No text found: the pages of the PDF are empty',
    });
  });

  it('says that it is damaged', async () => {
    await expect(parseBytes(Buffer.from('%PDF-1.7\nnothing here'))).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('names the limit on pages', async () => {
    await expect(parse({ pages: [['a'], ['b'], ['c']] }, { pagesMax: 2 })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: 'The PDF has 3 pages, more than 2 (MAX_PAGES)',
    });
  });

  it('names the limit on characters, not what earlier pages left of it', async () => {
    await expect(parse({ pages: [['abcdefgh'], ['ijklmnop'], ['qrst']] }, { charactersMax: 19 })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: 'The PDF has more than 19 characters of text (MAX_CHARACTERS)',
    });
  });

  it('is read as far as possible when its end is missing', async () => {
    const whole = makePdf({ pages: [['Kept in spite of all']] });
    const cut = whole.subarray(0, whole.lastIndexOf('xref'));
    expect((await parseBytes(cut)).markdown).toBe('Kept in spite of all');
  });
});
