import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeFonts } from '../../../src/parse/pdf/font-faults.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { createPdfParser, type PageReader } from '../../../src/parse/pdf/pdf-parser.ts';
import { type FontFault, makePdf, type PdfPage, type PlacedText } from '../../support/pdf-writer.ts';
import { usualLimits } from '../../support/parse.ts';
import { linesOf, pdfOfObjects, pdfStream, readByPdfium, readPlainly } from '../../support/plain-pdf.ts';
import { sentence } from '../../support/prose.ts';
import { shortTexts } from '../../support/short-texts.ts';
import { tempDir } from '../../support/temp-dir.ts';

const english = [
  'The committee approved the annual budget on Tuesday.',
  'Revenue grew by 12 % over the last year (see page 4), and costs',
  'fell in each region; the board will meet again in September.',
];
const chinese = [
  '委员会于星期二批准了年度预算，全年收入比上年增长百分之十二。',
  '各地区的成本均有所下降；董事会将于九月再次开会讨论投资计划。',
  '本公司对所提供资料的真实性、准确性和完整性承担法律责任。',
];
const mixed = ['合同编号 HT-2026-118，甲方应在收到发票后三十日内付款。', '联系人：李明，电话 010-62345678，邮箱 li@example.org。'];

const faults: readonly [FontFault, string, readonly string[]][] = [
  ['bytes', 'Chinese', chinese],
  ['bytes', 'both', mixed],
  ['pairs', 'Chinese', chinese],
  ['pairs', 'both', mixed],
  ['shifted', 'English', english],
  // PDFium takes what stands 29 below a wide comma for an Arabic letter, and gives another form of it.
  ['shifted', 'Chinese', chinese.map((line) => line.replaceAll('，', '、'))],
  ['numbers', 'English', english],
];

/** The reader of plain pages leaves fonts that say no characters to PDFium. */
const inBoth = faults.filter(([fault]) => fault !== 'numbers');

/** Lines one under the other. */
function pageOf(lines: readonly string[], fault?: FontFault, from = 700): PdfPage {
  const texts = lines.map((text, line): PlacedText => ({
    text,
    x: 60,
    y: from - 9 * line,
    size: 7,
    ...(fault === undefined ? {} : { fault }),
  }));
  return { texts };
}

type Reading = {
  readonly ocr?: PageReader;
  /** Without a password that anyone needs to know, which is PDFium's to read. */ readonly encrypted?: boolean;
  readonly onProgress?: (done: number) => void;
};

async function read(
  pages: readonly PdfPage[],
  { ocr, encrypted, onProgress = () => undefined }: Reading = {},
): Promise<ParsedDocument> {
  await using dir = await tempDir();
  const path = join(dir.path, 'a.pdf');
  const bytes = makePdf({ pages, ...(encrypted === true ? { userPassword: '' } : {}) });
  await writeFile(path, bytes);
  const parser = createPdfParser(ocr === undefined ? {} : { ocr });
  const rest = { declaredMediaType: null, limits: usualLimits, onProgress };
  return await parser.parse({ path, fileBytes: bytes.length, filename: 'a.pdf', ...rest });
}

const bare = (text: string): string => text.replace(/\s+/g, '');

describe('A font that names other characters than it shows', () => {
  it.each(faults)('is repaired: %s, %s', async (fault, _language, lines) => {
    const { markdown, warnings } = await read([pageOf(lines, fault)]);
    expect([bare(markdown), warnings]).toEqual([bare(lines.join('')), []]);
    if (lines === english) expect(markdown.replace(/\s+/g, ' ')).toBe(lines.join(' '));
  });

  it.each(inBoth)('is repaired by both readers: %s, %s', async (fault, _language, lines) => {
    await using dir = await tempDir();
    const path = join(dir.path, 'a.pdf');
    await writeFile(path, makePdf({ pages: [pageOf(lines, fault)] }));
    const [plain, pdfium] = [await readPlainly(path), await readByPdfium(path)];
    expect(bare(linesOf(plain.pages[0]!).join(''))).toBe(bare(lines.join('')));
    expect(bare(linesOf(pdfium.pages[0]!).join(''))).toBe(bare(lines.join('')));
  });

  it('is repaired on each page where it is certain, beside fonts that say what they show', async () => {
    const good = pageOf(english, undefined, 400).texts!;
    const pages = [{ texts: [...pageOf(chinese, 'bytes').texts!, ...good] }, pageOf(english), pageOf(chinese, 'bytes')];
    const { markdown } = await read(pages);
    expect(bare(markdown)).toBe(bare([...chinese, ...english, ...english, ...chinese].join('')));
  });

  it('follows another of the page where it has too little text to be certain by itself', async () => {
    const heading: PlacedText = { text: '目录', x: 60, y: 760, size: 20, fault: 'pairs' };
    const { markdown } = await read([{ texts: [heading, ...pageOf(chinese, 'pairs').texts!] }]);
    expect(markdown).toContain('目录');
  });

  it('has letters missing, and named so, where PDFium gives others for them', async () => {
    const { markdown, warnings } = await read([pageOf(chinese, 'shifted')]);
    expect(markdown).toContain('批准了年度预算 全年收入');
    expect(warnings).toEqual(['Pages with letters missing, because their font does not identify them: 1']);
  });

  it('is left as it is where nothing tells that it is wrong', async () => {
    const texts = ['ABC-1200', 'Café Élysée', 'XK 77', 'ÀÉ 12'].map((text, line): PlacedText => ({
      text,
      x: 60,
      y: 700 - 40 * line,
    }));
    const { markdown, warnings } = await read([{ texts }]);
    expect([bare(markdown), warnings]).toEqual([bare(texts.map(({ text }) => text).join('')), []]);
  });
});

/** A title, a long page, and a last page with little text, as the fault makes of them. */
const shortPages: readonly [FontFault, string, string, readonly string[], string][] = [
  ['bytes', 'Chinese', '仓库目录', chinese, '附件：王建国 2026-118'],
  ['pairs', 'Chinese', '仓库目录', chinese, '附件：王建国 2026-118'],
  ['shifted', 'Chinese', '仓库目录', chinese.map((line) => line.replaceAll('，', '、')), '附件、王建国 2026-118'],
  ['shifted', 'English', 'Price list 2026', english, 'Invoice 2026-118: total 1,250.00 EUR'],
  ['shifted', 'English, one word', 'Prices', english, 'Page 3'],
  ['bytes', 'both', 'HT-2026 合同', mixed, '甲方'],
];

const readers: readonly [string, boolean][] = [
  ['the reader of plain pages', false],
  ['PDFium', true],
];

describe.each(readers)('A font that is certainly wrong on one page, for %s,', (_reader, encrypted) => {
  it.each(shortPages)('is repaired on those before and after it too: %s, %s', async (fault, _language, title, lines, last) => {
    const pages = [pageOf([title], fault), pageOf(english), pageOf(lines, fault), pageOf(english), pageOf([last], fault)];
    const { markdown, warnings, blocks } = await read(pages, { encrypted });
    expect([bare(markdown), warnings]).toEqual([bare([title, ...english, ...lines, ...english, last].join('')), []]);
    expect([...new Set(blocks.map(({ page }) => page))]).toEqual([1, 2, 3, 4, 5]);
  });

  it('leaves other fonts of short pages as they are', async () => {
    const texts = ['ABC-1200', 'Café Élysée', 'ÀÉ 12', '仓'].map((text, line): PlacedText => ({ text, x: 60, y: 700 - 40 * line }));
    const pages = [{ texts }, pageOf(chinese, 'bytes'), pageOf(english, 'shifted'), pageOf(chinese, 'pairs'), { texts }];
    const { markdown } = await read(pages, { encrypted });
    const short = texts.map(({ text }) => text).join('');
    expect(bare(markdown).replaceAll('#', '')).toBe(bare([short, ...chinese, ...english, ...chinese, short].join('')));
  });

  it('is not taken for another that comes when its page is gone', async () => {
    const faults: FontFault[] = ['pairs', 'shifted'];
    const other: PlacedText = { text: '语文', x: 60, y: 700 };
    const pages = Array.from({ length: 12 }, (_, at) => [
      { texts: [other] },
      pageOf(faults[at % 2] === 'pairs' ? chinese : english, faults[at % 2]),
      pageOf(['ABC 12']),
    ]).flat();
    const { markdown } = await read(pages, { encrypted });
    expect(markdown.match(/语文/g)).toHaveLength(12);
    expect(markdown.match(/ABC 12/g)).toHaveLength(12);
    expect(bare(markdown).split(bare(chinese.join('')))).toHaveLength(7);
  });

  it.each([
    ['wrong letters', '合同ÿ'],
    ['letters missing', '合同ÿA甲方'],
  ])('is named where it has %s all the same', async (named, text) => {
    const { warnings } = await read([pageOf([text], 'bytes'), pageOf(chinese, 'bytes')], { encrypted });
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`${named}.*: 1$`))]);
  });

  it('moves on page by page, and never back', async () => {
    const seen: number[] = [];
    const pages = [pageOf(['目录'], 'pairs'), pageOf(chinese, 'pairs'), pageOf(['附件'], 'pairs')];
    await read(pages, { encrypted, onProgress: (done) => seen.push(done) });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect([...new Set(seen)]).toEqual([1, 2, 3]);
  });
});

describe('A font that is certainly wrong on one page', () => {
  // Vertical text is not plain.
  const upright: PlacedText = { text: '竖排', x: 500, y: 700, vertical: true };
  const withUpright = ({ texts = [] }: PdfPage): PdfPage => ({ texts: [...texts, upright] });
  const [title, long, last] = [pageOf(['仓库目录'], 'pairs'), pageOf(chinese, 'pairs'), pageOf(['消防检查表'], 'pairs')];

  it.each([
    ['long', [title, withUpright(long), last]],
    ['first', [withUpright(title), long, last]],
    ['last', [title, long, withUpright(last)]],
  ])('is repaired on all of them where two readers share the file: PDFium has the %s', async (_which, pages) => {
    const { markdown, warnings } = await read(pages);
    const expected = bare(['仓库目录', ...chinese, '消防检查表'].join(''));
    expect([bare(markdown).replace(/#?竖排/, ''), warnings]).toEqual([expected, []]);
  });

  it('is known by its place in the file where it has no number', async () => {
    await using dir = await tempDir();
    const path = join(dir.path, 'a.pdf');
    const contents = ['b2d6bfe2', 'd6d0b9fac8cbc3f1b9b2bacdb9facdf2cbea'.repeat(3)].map(
      (codes) => `BT /F 12 Tf 60 700 Td <${codes}> Tj ET`,
    );
    const font = '<< /Type /Font /Subtype /TrueType /BaseFont /Song /Encoding /WinAnsiEncoding >>';
    const page = (content: number) => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${content} 0 R >>`;
    const bytes = pdfOfObjects([
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count 2 /Kids [3 0 R 4 0 R] /Resources << /Font << /F ${font} >> >> >>`,
      page(5),
      page(6),
      ...contents.map((content) => pdfStream(content)),
    ]);
    await writeFile(path, bytes);
    const rest = { declaredMediaType: null, limits: usualLimits, onProgress: () => undefined };
    const { markdown } = await createPdfParser().parse({ path, fileBytes: bytes.length, filename: 'a.pdf', ...rest });
    expect(bare(markdown)).toBe(`仓库${'中国人民共和国万岁'.repeat(3)}`);
  });

  it('is repaired beside a scan on an earlier page, which OCR reads', async () => {
    const ocr: PageReader = { read: async () => '印章' };
    const scan = { at: [60, 100, 560, 500] as const };
    const { markdown } = await read([{ ...title, pictures: [scan] }, long], { ocr });
    expect(bare(markdown)).toBe(bare(['仓库目录', '印章', ...chinese].join('')));
  });
});

/** Russian in KOI8-R, shown as Latin letters. */
const garbled = [
  'ëÏÍÉÔÅÔ ÕÔ×ÅÒÄÉÌ ÇÏÄÏ×ÏÊ ÂÀÄÖÅÔ ×Ï ×ÔÏÒÎÉË,',
  'É ÒÁÓÈÏÄÙ ÓÎÉÚÉÌÉÓØ ×Ï ×ÓÅÈ ÒÅÇÉÏÎÁÈ ÓÔÒÁÎÙ.',
  'óÌÅÄÕÀÝÅÅ ÚÁÓÅÄÁÎÉÅ ÓÏÓÔÏÉÔÓÑ ÞÅÒÅÚ ÍÅÓÑÃ.',
];

describe('A page whose text nobody would believe', () => {
  it('is named in a warning', async () => {
    const { warnings } = await read([pageOf(english), pageOf(garbled)]);
    expect(warnings).toEqual(['Pages with wrong letters, because their fonts name other characters than they show: 2']);
  });

  it.each([
    ['Комитет утвердил годовой бюджет', []],
    ['', [expect.stringContaining('wrong letters')]],
  ])('is read by OCR, and kept where that reads nothing: %j', async (seen, expected) => {
    const pictures: number[] = [];
    const ocr: PageReader = { read: async (picture) => (pictures.push(picture.length), seen) };
    const { markdown, warnings } = await read([pageOf(english), pageOf(garbled)], { ocr });
    expect(pictures).toHaveLength(1);
    expect(markdown).toContain(seen === '' ? 'ëÏÍÉÔÅÔ' : seen);
    expect(warnings).toEqual(expected);
  });
});

it('Numbers of glyphs that happen to be those of Chinese characters are believed by nobody', () => {
  const numbers = Array.from({ length: 300 }, (_, at) => 0x4e00 + ((at * 7919) % 8000));
  expect(judgeFonts(new Map([['font', numbers]]))).toMatchObject({ repaired: new Map(), garbledCount: 300 });
});

const unitsOf = (text: string): number[] => Array.from(text.replace(/\s+/g, ''), (sign) => sign.codePointAt(0)!);
const judged = (text: string) => judgeFonts(new Map([['font', unitsOf(text)]]));

describe('Text that says what it shows', () => {
  it.each(shortTexts)('is believed in $language', ({ texts }) => {
    for (const text of [...texts, texts.join(' '), texts.join(' ').toUpperCase()]) {
      const { repaired, garbledCount } = judged(text);
      expect([text, repaired.size, garbledCount]).toEqual([text, 0, 0]);
    }
  });

  it.each([
    ['numbers', Array.from({ length: 80 }, (_, at) => `${(at * 7919) % 100_000}.${at % 10}0`).join(' ')],
    [
      'numbers of parts',
      Array.from({ length: 60 }, (_, at) => `${'KQXWZBTR'[at % 8]}${'DFGHJLMN'[(at * 3) % 8]}-${at * 37}-XZ`).join(' '),
    ],
    ['capitals', sentence(3).toUpperCase().repeat(4)],
    ['formulas', 'f(x)=ax²+bx+c,∂f/∂x=2ax+b,λ₁>λ₂≥0,Ax=b,∑xᵢ=0 '.repeat(6)],
    ['base64', Buffer.from(sentence(5).repeat(4)).toString('base64')],
    ['lines of a frame', '┌──┬──┐│  │  │├──┼──┤└──┴──┘'.repeat(6)],
    ['names', '张三李四王五赵六孙七周八吴九郑十冯一陈二褚三卫四蒋五沈六韩七杨八朱九秦十'],
    [
      'names of a class',
      '陈梓涵 褚一凡 蒋欣怡 沈浩然 韩诗涵 杨宇航 朱若曦 秦子墨 尤梦琪 许嘉怡 吕思远 施雨欣 赵梓睿 钱奕辰 孙沐宸 李浩轩 周梓萱 吴雨泽 郑晨曦 王诗琪 冯俊熙 陈瑾瑜 蒋梦洁 沈佳怡 韩雨萱 杨梓豪 朱皓轩 秦紫涵 尤思淼 许昕妍 何奕萱 吕沐阳 施宇轩 张欣妍 孔梓晨 曹芷若 严语嫣 华子萱 金鑫淼 魏煜祺',
    ],
    [
      'chemical elements',
      '氢氦锂铍硼碳氮氧氟氖钠镁铝硅磷硫氯氩钾钙钪钛钒铬锰铁钴镍铜锌镓锗砷硒溴氪铷锶钇锆铌钼锝钌铑钯银镉铟锡锑碲碘氙铯钡镧铈镨钕钷钐铕钆铽镝钬铒铥镱镥铪钽钨铼锇铱铂金汞铊铅铋钋砹氡钫镭锕钍镤铀镎钚镅锔锫锎锿镄钔锘铹',
    ],
    [
      'family names',
      '趙錢孫李周吳鄭王馮陳褚衛蔣沈韓楊朱秦尤許何呂施張孔曹嚴華金魏陶姜戚謝鄒喻柏水竇章雲蘇潘葛奚范彭郎魯韋昌馬苗鳳花方俞任袁柳酆鮑史唐費廉岑薛雷賀倪湯滕殷羅畢郝鄔安常樂于時傅皮卞齊康伍余元卜顧孟平黃和穆蕭尹',
    ],
  ])('is believed: %s', (_name, text) => {
    const { repaired, garbledCount } = judged(text);
    expect([repaired.size, garbledCount]).toEqual([0, 0]);
  });

  it('is believed of a font that holds a few letters with accents and nothing else, however often', () => {
    for (const letters of ['À', 'Å', 'Ç', 'Ä', 'ÅÄÖ', 'ÇÃÕ', '½¼¾', 'éèà'])
      for (const length of [12, 20, 40, 61, 120, 600]) {
        const { repaired } = judged(letters.repeat(length / letters.length));
        expect([letters, length, repaired.size]).toEqual([letters, length, 0]);
      }
  });

  it('may be of codes that are no characters, since a font numbers its glyphs as it likes', () => {
    const shifted = Array.from('The committee approved the annual budget on Tuesday', (sign) => sign.charCodeAt(0) - 29);
    for (const code of [0x11_0000, 0x7fff_ffff, 0xffff_ffff]) {
      const { repaired } = judgeFonts(new Map([['font', [...shifted, code]]]));
      expect(repaired.get('font')?.slice(0, 3)).toEqual(['T', 'h', 'e']);
    }
  });

  it('has a text for each glyph after any repair, whatever the glyphs are', () => {
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0x8140, max: 0xfefe }),
      fc.integer({ min: 0, max: 0x10ffff }),
    );
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 300 }), fc.array(unit, { maxLength: 30 }), (units, more) => {
        const fonts = new Map([
          ['one', units],
          ['certain', unitsOf('ÖÐ¹úÈËÃñ¹²ºÍ¹úÍòËê£¬ÊÀ½çÈËÃñ´óÍÅ½áÍòËê')],
          ['short', more],
        ]);
        const { repaired, garbledCount } = judgeFonts(fonts);
        expect(repaired.get('certain')!.join('')).toBe('中国人民共和国万岁，世界人民大团结万岁');
        for (const [font, texts] of repaired) expect(texts).toHaveLength(fonts.get(font)!.length);
        expect(garbledCount).toBeLessThanOrEqual(units.length + more.length);
      }),
    );
  });
});
