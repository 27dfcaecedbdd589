import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParsedDocument, ParseLimits } from '../../../src/parse/parser.ts';
import { createPdfParser, type PdfParserOptions } from '../../../src/parse/pdf/pdf-parser.ts';
import { makePdf, type PdfOptions } from '../../support/pdf-writer.ts';

const limits: ParseLimits = {
  unpackedBytesMax: 1024 ** 3,
  entriesMax: 10_000,
  ratioMax: 200,
  depthMax: 256,
  pagesMax: 1000,
  cellsMax: 100_000,
  charactersMax: 1_000_000,
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
  more: { limits?: Partial<ParseLimits>; options?: PdfParserOptions } = {},
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
    onProgress: () => undefined,
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
});

describe('A PDF that cannot be read', () => {
  it('says that it is protected by a password', async () => {
    await expect(parse({ pages: [['Secret']], userPassword: 'open sesame' })).rejects.toMatchObject({
      code: 'encrypted',
      message: 'The PDF is protected by a password: remove the password and send it again',
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

  it('says that it is damaged', async () => {
    await expect(parseBytes(Buffer.from('%PDF-1.7\nnothing here'))).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('names the limit on pages', async () => {
    await expect(parse({ pages: [['a'], ['b'], ['c']] }, { pagesMax: 2 })).rejects.toMatchObject({
      code: 'limit_exceeded',
      message: 'The PDF has 3 pages, more than 2 (MAX_PAGES)',
    });
  });

  it('is read as far as possible when its end is missing', async () => {
    const whole = makePdf({ pages: [['Kept in spite of all']] });
    const cut = whole.subarray(0, whole.lastIndexOf('xref'));
    expect((await parseBytes(cut)).markdown).toBe('Kept in spite of all');
  });
});
