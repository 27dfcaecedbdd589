import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeFonts } from '../../../src/parse/pdf/font-faults.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { createPdfParser, type PageReader } from '../../../src/parse/pdf/pdf-parser.ts';
import { type FontFault, makePdf, type PdfPage, type PlacedText } from '../../support/pdf-writer.ts';
import { usualLimits } from '../../support/parse.ts';
import { linesOf, readByPdfium, readPlainly } from '../../support/plain-pdf.ts';
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

async function read(pages: readonly PdfPage[], ocr?: PageReader): Promise<ParsedDocument> {
  await using dir = await tempDir();
  const path = join(dir.path, 'a.pdf');
  const bytes = makePdf({ pages });
  await writeFile(path, bytes);
  const parser = createPdfParser(ocr === undefined ? {} : { ocr });
  const rest = { declaredMediaType: null, limits: usualLimits, onProgress: () => undefined };
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
    const { markdown, warnings } = await read([pageOf(english), pageOf(garbled)], ocr);
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
