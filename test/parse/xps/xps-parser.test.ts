import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { hiddenFont, makeFont, makeXps, xpsGlyphs, xpsLine, type XpsParts, xpsPicture } from '../../support/xps-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';
import { makeZip } from '../../support/zip-writer.ts';

const parser = createDocumentParser({});
const read = (parts: XpsParts): Promise<ParsedDocument> => parseBytes(parser, makeXps(parts), { filename: 'a.xps' });
const textOf = async (...objects: string[]): Promise<string> => (await read({ pages: [objects.join('')] })).markdown;

describe('an XPS', () => {
  it('is read page by page, each block with its page, its properties and offsets true', async () => {
    const seen: (readonly [number, number | null])[] = [];
    const parsed = await parseBytes(
      parser,
      makeXps({ pages: [['合同 一'], ['The second page.'], []], title: '采购合同', author: '李' }),
      { filename: 'a.xps', onProgress: (...done) => seen.push(done) },
    );

    expect(parsed.markdown).toBe('合同 一\n\nThe second page.');
    expect(parsed.blocks.map((block) => block.page)).toEqual([1, 2]);
    expect([parsed.mediaType, parsed.title, parsed.author, parsed.pages]).toEqual([
      'application/vnd.ms-xpsdocument',
      '采购合同',
      '李',
      3,
    ]);
    expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('is recognised by what it holds, whatever it is called, also as OpenXPS and in pieces', async () => {
    const pages = [['text of it', '中文']];
    const plain = await parseBytes(parser, makeXps({ pages }), { filename: 'a.zip' });
    expect(plain.mediaType).toBe('application/vnd.ms-xpsdocument');
    const open = await parseBytes(parser, makeXps({ pages, kind: 'open' }), { filename: 'named-otherwise' });
    expect([open.mediaType, open.markdown]).toEqual(['application/oxps', plain.markdown]);
    for (const pieceBytes of [7, 100, 10_000]) {
      expect((await parseBytes(parser, makeXps({ pages, pieceBytes }), { filename: 'b' })).markdown).toBe(plain.markdown);
    }
  });

  it('is no archive of files among which are those of one', async () => {
    const parts = ['FixedDocumentSequence.fdseq', 'Documents/1/FixedDoc.fdoc', 'Documents/1/Pages/1.fpage'];
    const inside = parts.map((name) => ({ name: `unpacked/${name}`, data: '<FixedPage/>' }));
    const bytes = makeZip([{ name: 'letter.txt', data: 'The letter beside it.' }, ...inside]);

    expect((await parseBytes(parser, bytes, { filename: 'a.zip' })).markdown).toContain('The letter beside it.');
  });

  it('is read in the order in which its lines stand on the page, not in that of the file', async () => {
    const lines = ['first line', 'second line', 'third line'].map((text, at) => xpsGlyphs({ x: 80, y: 150 + at * 23, text }));

    expect(await textOf(lines[2]!, lines[0]!, lines[1]!)).toMatch(/^first line\s+second line\s+third line$/);
  });

  it('reads two columns one after the other', async () => {
    const column = (x: number, word: string): string =>
      Array.from({ length: 12 }, (_, at) => xpsGlyphs({ x, y: 120 + at * 20, text: `${word} line number ${at} of text` })).join('');
    const markdown = await textOf(column(420, 'right'), column(60, 'left'));

    expect(markdown.lastIndexOf('left')).toBeLessThan(markdown.indexOf('right'));
  });

  it('puts words together that are written in pieces, as far as widths of glyphs say so', async () => {
    // 16 units high: `Light` is 5 × 0.5 × 16 = 40 wide.
    const pieces = (gap: number): Promise<string> =>
      textOf(
        xpsGlyphs({ x: 80, y: 100, text: 'Light', more: { Indices: ',50;,50;,50;,50;,50' } }),
        xpsGlyphs({ x: 120 + gap, y: 100, text: 'house', more: { Indices: ',50;,50;,50;,50;,50' } }),
      );

    expect(await pieces(0)).toBe('Lighthouse');
    expect(await pieces(6)).toBe('Light house');
  });

  it('knows from its fonts, hidden or not, how wide letters are and which letters glyphs stand for', async () => {
    const font = makeFont({ widths: { a: 2000, b: 2000, 灯: 1000, 𠮷: 1000 }, bold: true });
    const hidden = hiddenFont(font);
    for (const { name, data } of [hidden, { name: 'Fonts/plain.ttf', data: font }]) {
      const more = { FontUri: `/${name}` };
      const objects = [
        xpsGlyphs({ x: 80, y: 100, text: 'ab', more }),
        xpsGlyphs({ x: 80 + 4 * 16, y: 100, text: 'ba', more }),
        xpsGlyphs({ x: 80, y: 200, text: '', more: { ...more, Indices: '3;4,100;1' } }),
      ];
      expect((await read({ pages: [objects.join('')], members: [{ name, data }] })).markdown).toContain('abba');
      expect((await read({ pages: [objects.join('')], members: [{ name, data }] })).markdown).toContain('灯𠮷a');
    }
  });

  it('takes any number for that of a glyph', async () => {
    const font = { name: 'Fonts/plain.ttf', data: makeFont({ widths: { a: 500, b: 500 } }) };
    for (const number of ['0.3', '1.7', '99999999999', '1e308', '-1', 'NaN']) {
      const objects = xpsGlyphs({ x: 80, y: 100, text: 'ab', more: { Indices: `${number};2` } });
      expect((await read({ pages: [objects], members: [font] })).markdown, number).toMatch(/^a ?b$/);
    }
  });

  it('looks up the characters of many fonts within one bound, so that a few bytes do not take gigabytes', async () => {
    // Each claims a quarter of a million.
    const data = makeFont({
      widths: { a: 500 },
      stretches: [0, 1, 2, 3].map((at) => [at * 65_535 + 98, at * 65_535 + 65_632, 1] as const),
    });
    const fonts = Array.from({ length: 5 }, (_, at) => ({ name: `Fonts/${at}.ttf`, data }));
    const objects = fonts.map(({ name }, at) =>
      xpsGlyphs({ x: 80, y: 100 + at * 40, text: '', more: { FontUri: `/${name}`, Indices: `${at + 2}` } }),
    );

    expect((await read({ pages: [objects.join('')], members: fonts })).markdown.replace(/\s/g, '')).toBe('cd');
  });

  it('takes ligatures, surrogates and escaped braces as they are said', async () => {
    expect(await textOf(xpsGlyphs({ x: 80, y: 100, text: 'office', more: { Indices: ',50;(3:1)9,80;,50;,50' } }))).toBe('office');
    expect(await textOf(xpsGlyphs({ x: 80, y: 100, text: '𠮷田さん', more: { Indices: '(2:1)7,100;8,100' } }))).toBe('𠮷田さん');
    expect(await textOf(xpsGlyphs({ x: 80, y: 100, text: '{}{a} & <b>' }))).toBe('{a} & <b>');
  });

  it('reads text that is turned, moved by canvases, written leftwards or downwards', async () => {
    const turned = xpsGlyphs({ x: 0, y: 0, text: '左右', more: { RenderTransform: '0,1,-1,0,200,200' } });
    expect(await textOf(turned)).toBe('左右');
    const nested = `<Canvas RenderTransform="2,0,0,2,0,0"><Canvas><Canvas.RenderTransform><MatrixTransform Matrix="1,0,0,1,20,50"/></Canvas.RenderTransform>${xpsGlyphs({ x: 0, y: 0, text: 'deep words', size: 8 })}</Canvas></Canvas>`;
    expect((await read({ pages: [nested] })).looks?.[0]?.texts[0]?.slice(0, 2)).toEqual(['deep', 10.58]);
    expect(await textOf(xpsGlyphs({ x: 400, y: 100, text: 'שלום', more: { BidiLevel: '1' } }))).toBe('שלום');
    const columns = ['竖排文字', '第二行字'].map((text, at) =>
      xpsGlyphs({ x: 0, y: 0, text, more: { IsSideways: 'true', RenderTransform: `0,1,-1,0,${400 - at * 32},200` } }),
    );
    expect((await textOf(...columns)).replace(/\s/g, '')).toBe('竖排文字第二行字');
  });

  it('makes a table of text between ruling lines, filled or stroked', async () => {
    const cells = [
      ['品名', '金额'],
      ['zebrafish', '1850.50'],
    ].flatMap((row, down) => row.map((text, across) => xpsGlyphs({ x: 88 + across * 160, y: 67 + down * 40, text })));
    const stroked = (x1: number, y1: number, x2: number, y2: number): string =>
      `<Path Stroke="#ff000000" StrokeThickness="1"><Path.Data><PathGeometry><PathFigure StartPoint="${x1},${y1}"><PolyLineSegment Points="${x2},${y2}"/></PathFigure></PathGeometry></Path.Data></Path>`;
    for (const line of [xpsLine, stroked]) {
      const lines = [40, 80, 120].map((y) => line(80, y, 400, y)).concat([80, 240, 400].map((x) => line(x, 40, x, 120)));
      expect(await textOf(...cells, ...lines)).toBe('| 品名 | 金额 |\n| --- | --- |\n| zebrafish | 1850.50 |');
    }
  });

  it('keeps where text leads, by itself or under an area, and leaves out places in the file', async () => {
    const area =
      '<Path Fill="#00ffffff" Data="M 75,130 L 300,130 300,160 75,160 Z" FixedPage.NavigateUri="https://example.com/b"/>';
    const markdown = await textOf(
      xpsGlyphs({ x: 80, y: 100, text: 'the first', more: { 'FixedPage.NavigateUri': 'https://example.com/a' } }),
      xpsGlyphs({ x: 80, y: 150, text: '第二处' }) + area,
      xpsGlyphs({ x: 80, y: 200, text: 'inside', more: { 'FixedPage.NavigateUri': '../FixedDoc.fdoc#PG_2' } }),
    );

    expect(markdown).toBe('[the first](https://example.com/a)\n\n[第二处](https://example.com/b)\n\ninside');
  });

  it('draws what is kept under keys, on its page or beside it, and brushes that are drawings', async () => {
    const glyphs = xpsGlyphs({ x: 0, y: 20, text: 'drawn by a brush' });
    const parsed = await read({
      pages: [
        `<FixedPage.Resources><ResourceDictionary Source="/Shared.dict"/></FixedPage.Resources>` +
          `<Canvas><Canvas.Resources><ResourceDictionary><MatrixTransform x:Key="m" Matrix="1,0,0,1,80,300"/></ResourceDictionary></Canvas.Resources>${xpsGlyphs({ x: 0, y: 0, text: 'moved by a key', more: { RenderTransform: '{StaticResource m}' } })}</Canvas>` +
          `<Path Data="{StaticResource box}"><Path.Fill><VisualBrush Viewbox="0,0,400,40" Viewport="80,80,400,40"><VisualBrush.Visual><Canvas>${glyphs}</Canvas></VisualBrush.Visual></VisualBrush></Path.Fill></Path>`,
      ],
      members: [
        {
          name: 'Shared.dict',
          data: '<ResourceDictionary xmlns:x="urn:x"><PathGeometry x:Key="box" Figures="M 80,80 h 400 v 40 h -400 z"/></ResourceDictionary>',
        },
      ],
    });

    expect(parsed.markdown).toBe('drawn by a brush\n\nmoved by a key');
  });

  it('knows the fonts of a drawing that is kept beside its page', async () => {
    const glyphs = xpsGlyphs({ x: 80, y: 100, text: '', more: { FontUri: '../Fonts/beside.ttf', Indices: '2;1' } });
    const { markdown } = await read({
      pages: [
        `<FixedPage.Resources><ResourceDictionary Source="/Shared/Shared.dict"/></FixedPage.Resources>` +
          '<Path Data="M 0,0 h 500 v 500 z"><Path.Fill><VisualBrush Visual="{StaticResource v}" Viewbox="0,0,1,1" Viewport="0,0,1,1"/></Path.Fill></Path>',
      ],
      members: [
        {
          name: 'Shared/Shared.dict',
          data: `<ResourceDictionary xmlns:x="urn:x"><Canvas x:Key="v">${glyphs}</Canvas></ResourceDictionary>`,
        },
        { name: 'Fonts/beside.ttf', data: makeFont({ widths: { 灯: 1000, a: 500 } }) },
      ],
    });

    expect(markdown).toBe('a灯');
  });

  it('takes headings from its outline', async () => {
    const { blocks } = await read({
      pages: [['第一章', 'text of it']],
      outline: '<OutlineEntry OutlineLevel="1" Description="第一章" OutlineTarget="../FixedDoc.fdoc#a"/>',
    });

    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph']);
  });

  it('reads a page that is a picture by OCR, and says which pages nobody read', async () => {
    const bytes = makeXps({
      pages: [xpsPicture('/Images/scan.png', 0, 0, 794, 1123), xpsGlyphs({ x: 80, y: 110, text: 'written', size: 13 })],
      members: [{ name: 'Images/scan.png', data: 'picture' }],
    });
    const ocr = { languages: ['eng'], read: (image: Uint8Array) => Promise.resolve(`seen: ${Buffer.from(image).toString()}`) };

    expect((await parseBytes(createDocumentParser({ ocr }), bytes)).markdown).toBe('seen: picture\n\nwritten');
    expect((await parseBytes(parser, bytes)).warnings).toEqual(['Pages that look scanned and need OCR, which is not installed: 1']);
  });

  it('says what is wrong with a file that it cannot read', async () => {
    const without = makeXps({ pages: [['x']], members: [{ name: 'FixedDocSeq.fdseq', data: '<nothing' }] });
    expect(await refusalOf(parser, without)).toBe('corrupt: The XPS file is damaged: the part that lists its pages cannot be read');
    expect(await refusalOf(parser, makeXps({ pages: [[], []] }))).toBe('no_text: No text found: the pages of the XPS are empty');
    expect(await refusalOf(parser, makeXps({ pages: [['x'], ['y']] }), { limits: { pagesMax: 1 } })).toMatch(
      /^limit_exceeded: .*MAX_PAGES/,
    );
  });

  it('reads the pages that are there where others are missing or broken', async () => {
    const bytes = makeXps({
      pages: [['one'], ['two']],
      members: [{ name: 'Documents/1/Pages/1.fpage', data: '<!DOCTYPE a [<!ENTITY b "c">]><a/>' }],
    });
    const parsed = await parseBytes(parser, bytes);

    expect(parsed.blocks.map(({ page }) => page)).toEqual([2]);
    expect(parsed.warnings).toEqual([expect.stringMatching(/^The part Documents\/1\/Pages\/1\.fpage was not read: /)]);
  });

  it('keeps the numbers of the pages behind one that is not in the file, and says which are not', async () => {
    const gone = (bytes: Buffer, page: number): Buffer =>
      Buffer.from(bytes.toString('latin1').replaceAll(`Pages/${page}.fpage`, `Pages/${page}.gone!`), 'latin1');
    const parsed = await parseBytes(parser, gone(makeXps({ pages: [['one'], ['two'], ['three']] }), 2));

    expect(parsed.blocks.map(({ page }) => page)).toEqual([1, 3]);
    expect(parsed.warnings).toEqual(['Pages that are missing in the file: 2']);
    expect(await refusalOf(parser, gone(makeXps({ pages: [['one']] }), 1))).toBe(
      'corrupt: The XPS file is damaged: its pages are missing',
    );
  });

  it('reads a page that is listed again and again in the first places only, and says so', async () => {
    const listed = '<PageContent Source="Pages/1.fpage"/>'.repeat(30);
    const members = [{ name: 'Documents/1/FixedDoc.fdoc', data: `<FixedDocument>${listed}</FixedDocument>` }];
    const parsed = await parseBytes(parser, makeXps({ pages: [xpsGlyphs({ x: 80, y: 500, text: 'one' })], members }));

    expect([parsed.pages, parsed.blocks.length]).toEqual([30, 20]);
    expect(parsed.warnings).toEqual([
      expect.stringMatching(/1\.fpage is named in more than 20 places; it was read in the first of them$/),
    ]);
  });

  it('tells where type and lines stand, in millimetres from the upper left corner', async () => {
    // 96 units are 25.4 mm.
    const { looks } = await read({
      pages: [xpsGlyphs({ x: 96, y: 192, text: '灯塔', size: 96, more: { Indices: ',100;,100' } }) + xpsLine(96, 288, 192, 288)],
      size: { width: 960, height: 480 },
    });

    expect(looks?.map(({ page, width, height, texts }) => ({ page, width, height, texts }))).toEqual([
      { page: 1, width: 254, height: 127, texts: [['灯塔', 25.4, 29.21, 76.2, 54.61]] },
    ]);
    expect(looks?.[0]?.lines?.[0]).toEqual([25.4, 76.2, 50.8, 76.2]);
  });
});
