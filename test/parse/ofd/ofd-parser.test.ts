import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import type { ParsedDocument } from '../../../src/parse/parser.ts';
import { makeOfd, makeSeal, ofdLine, type OfdParts, ofdText } from '../../support/ofd-writer.ts';
import { parseBytes, refusalOf } from '../../support/parse.ts';

const parser = createDocumentParser({});
const read = (parts: OfdParts): Promise<ParsedDocument> => parseBytes(parser, makeOfd(parts), { filename: 'a.ofd' });
const textOf = async (...objects: string[]): Promise<string> => (await read({ pages: [{ objects: objects.join('') }] })).markdown;

describe('an OFD', () => {
  it('is read page by page, each block with its page, its title and offsets true', async () => {
    const parsed = await read({ pages: [['增值税发票 一'], ['The second page.'], []], title: '电子发票' });

    expect(parsed.markdown).toBe('增值税发票 一\n\nThe second page.');
    expect(parsed.blocks.map((block) => block.page)).toEqual([1, 2]);
    expect([parsed.mediaType, parsed.title, parsed.pages]).toEqual(['application/ofd', '电子发票', 3]);
    expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
  });

  it('is recognised by what it holds, whatever it is called', async () => {
    expect((await parseBytes(parser, makeOfd({ pages: [['text']] }), { filename: 'a.zip' })).mediaType).toBe('application/ofd');
  });

  it('is read in the order in which its lines stand on the page, not in that of the file', async () => {
    const lines = ['first line', 'second line', 'third line'].map((text, at) => ofdText({ x: 20, y: 40 + at * 6, text }));

    expect(await textOf(lines[2]!, lines[0]!, lines[1]!)).toMatch(/^first line\s+second line\s+third line$/);
  });

  it('takes steps between characters as they are said, repeated, with new lines among them', async () => {
    expect(await textOf(ofdText({ x: 10, y: 20, text: '0500017', deltaX: 'g 3 2 2 g 2 2', size: 4 }))).toBe('0500017');
    // After three characters back to the start, a line below.
    const code = ofdText({ x: 10, y: 20, text: 'abcdef', deltaX: 'g 2 2 -4 g 2 2', deltaY: 'g 2 0 5 g 2 0', size: 4 });
    expect((await textOf(code)).split(/\s+/)).toEqual(['abc', 'def']);
  });

  it('sees a blank where characters stand far apart, none where all stand apart evenly', async () => {
    expect(await textOf(ofdText({ x: 10, y: 20, text: 'abcd', deltaX: '2 6 2', size: 4 }))).toBe('ab cd');
    expect(await textOf(ofdText({ x: 10, y: 20, text: '通知书', deltaX: 'g 2 6', size: 4 }))).toBe('通知书');
  });

  it('reads text that is turned, scaled or written downwards', async () => {
    expect(await textOf(ofdText({ x: 50, y: 50, text: '左右', ctm: '0 1 -1 0 0 0' }))).toBe('左右');
    expect(await textOf(ofdText({ x: 50, y: 50, text: 'scaled words', ctm: '2 0 0 2 0 0', size: 2 }))).toBe('scaled words');
    const columns = ['竖排文字', '第二行字'].map((text, at) =>
      ofdText({ x: 100 - at * 8, y: 50, text, deltaX: 'g 3 0', deltaY: 'g 3 4' }),
    );
    expect((await textOf(...columns)).replace(/\s/g, '')).toBe('竖排文字第二行字');
  });

  it('makes a table of text between ruling lines', async () => {
    const lines = [10, 20, 30].map((y) => ofdLine(20, y, 100, y)).concat([20, 60, 100].map((x) => ofdLine(x, 10, x, 30)));
    const cells = [
      ['品名', '金额'],
      ['zebrafish', '1850.50'],
    ].flatMap((row, down) => row.map((text, across) => ofdText({ x: 22 + across * 40, y: 17 + down * 10, text })));

    expect(await textOf(...cells, ...lines)).toBe('| 品名 | 金额 |\n| --- | --- |\n| zebrafish | 1850.50 |');
  });

  it('puts templates behind pages, drawings where they are used, and leaves out what does not show or lies outside', async () => {
    const parsed = await read({
      templates: { t: ofdText({ x: 20, y: 20, text: 'Form no. 7' }) },
      resources:
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="u"><ofd:Content>' +
        `${ofdText({ x: 0, y: 0, text: 'drawn elsewhere' })}<ofd:CompositeObject ResourceID="u" Boundary="0 5 9 9"/></ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>`,
      pages: [
        {
          head: '<ofd:Area><ofd:PhysicalBox>0 0 100 60</ofd:PhysicalBox></ofd:Area><ofd:Template TemplateID="t"/>',
          objects:
            ofdText({ x: 20, y: 30, text: 'filled in' }) +
            ofdText({ x: 20, y: 200, text: 'outside' }) +
            ofdText({ x: 20, y: 35, text: 'hidden' }).replace('<ofd:TextObject', '<ofd:TextObject Visible="false"') +
            '<ofd:CompositeObject ResourceID="u" Boundary="20 45 9 9"/>',
        },
      ],
    });

    expect(parsed.markdown).toMatch(/^Form no\. 7\s+filled in\s+drawn elsewhere/);
    expect(parsed.markdown).not.toMatch(/outside|hidden/);
  });

  it('keeps what is drawn and said for annotations, on their page', async () => {
    const parsed = await read({
      pages: [
        ['page one'],
        {
          objects: ofdText({ x: 20, y: 30, text: 'page two' }),
          annotations: `<ofd:Annot Type="Stamp" Creator="李"><ofd:Remark>please check</ofd:Remark><ofd:Appearance Boundary="20 60 50 10">${ofdText({ x: 0, y: 5, text: 'RECEIVED' })}</ofd:Appearance></ofd:Annot>`,
        },
      ],
    });

    expect(parsed.markdown).toBe('page one\n\npage two\n\nRECEIVED\n\nComment (李): please check');
    expect(parsed.blocks.map((block) => block.page)).toEqual([1, 2, 2, 2]);
  });

  it('keeps the names of seals, and their text where they are files themselves', async () => {
    expect((await read({ pages: [['text'], ['more']], seal: makeSeal('某某公司财务专用章') })).markdown).toBe(
      'text\n\nStamp: 某某公司财务专用章, 20260102030405Z\n\nmore',
    );
    const picture = { kind: 'ofd', data: makeOfd({ pages: [['某公司 No. 42']] }) };
    expect((await read({ pages: [['text']], seal: makeSeal('某公司', picture) })).markdown).toContain('某公司 No. 42');
  });

  it('keeps the data of an invoice by its names, and its attached files', async () => {
    const parsed = await read({
      pages: [{ objects: ofdText({ x: 20, y: 30, text: '12235358', id: '70' }) }],
      info: '<ofd:CustomDatas><ofd:CustomData Name="合计金额">1850.50</ofd:CustomData><ofd:CustomData Name="producer">x</ofd:CustomData></ofd:CustomDatas>',
      tags: '<fp:eInvoice xmlns:fp="urn:x"><fp:InvoiceNo><fp:ObjectRef PageRef="p0">70</fp:ObjectRef></fp:InvoiceNo><fp:Buyer><fp:BuyerName>个人</fp:BuyerName></fp:Buyer><fp:Note><fp:ObjectRef PageRef="p0">404</fp:ObjectRef></fp:Note></fp:eInvoice>',
      attachments: [
        { name: 'original_invoice', file: 'original_invoice.xml', data: '<eInvoice><Payee>张一诺</Payee></eInvoice>' },
        { name: 'tool', file: 'tool.exe', data: Buffer.from([0, 1, 2, 3]) },
      ],
    });

    expect(parsed.markdown).toBe(
      [
        '12235358',
        '- 合计金额: 1850.50',
        '- InvoiceNo: 12235358',
        '- BuyerName: 个人',
        '## Attached file: original_invoice.xml',
        'payee: 张一诺',
        '## Attached file: tool.exe',
      ].join('\n\n'),
    );
    expect(parsed.warnings).toEqual(['The attached file tool.exe was not read: Unsupported file format: tool.exe']);
  });

  it('takes headings from its outline', async () => {
    const { blocks } = await read({
      pages: [['第一章', 'text of it']],
      outlines: '<ofd:Outlines><ofd:OutlineElem Title="第一章"/></ofd:Outlines>',
    });

    expect(blocks.map((block) => block.kind)).toEqual(['heading', 'paragraph']);
  });

  it('reads a page that is a picture by OCR, and says which pages nobody read', async () => {
    const resources =
      '<ofd:MultiMedias><ofd:MultiMedia ID="m"><ofd:MediaFile>scan.png</ofd:MediaFile></ofd:MultiMedia></ofd:MultiMedias>';
    const bytes = makeOfd({
      resources,
      pages: [{ objects: '<ofd:ImageObject ResourceID="m" Boundary="0 0 210 297"/>' }, ['written']],
      members: [{ name: 'Doc_0/Res/scan.png', data: 'picture' }],
    });
    const ocr = { languages: ['eng'], read: (image: Uint8Array) => Promise.resolve(`seen: ${Buffer.from(image).toString()}`) };

    expect((await parseBytes(createDocumentParser({ ocr }), bytes)).markdown).toBe('seen: picture\n\nwritten');
    expect((await parseBytes(parser, bytes)).warnings).toEqual(['Pages that look scanned and need OCR, which is not installed: 1']);
  });

  it('says what is wrong with a file that it cannot read', async () => {
    const broken = makeOfd({ pages: [['x']], members: [{ name: 'Doc_0/Document.xml', data: '<nothing' }] });
    expect(await refusalOf(parser, broken)).toMatch(/^(?:corrupt|no_text): /);
    expect(await refusalOf(parser, makeOfd({ pages: [['x']], members: [{ name: 'Encryptions.xml', data: '<x/>' }] }))).toMatch(
      /^encrypted: /,
    );
    expect(await refusalOf(parser, makeOfd({ pages: [[], []] }))).toBe('no_text: No text found: the pages of the OFD are empty');
    expect(await refusalOf(parser, makeOfd({ pages: [['x'], ['y']] }), { limits: { pagesMax: 1 } })).toMatch(
      /^limit_exceeded: .*MAX_PAGES/,
    );
  });

  it('reads the pages that are there where others are missing or broken', async () => {
    const bytes = makeOfd({
      pages: [['one'], ['two']],
      members: [{ name: 'Doc_0/Pages/Page_0/Content.xml', data: '<!DOCTYPE a [<!ENTITY b "c">]><a/>' }],
    });
    const parsed = await parseBytes(parser, bytes);

    expect(parsed.markdown).toBe('two');
    expect(parsed.warnings).toEqual([expect.stringMatching(/^The part Doc_0\/Pages\/Page_0\/Content\.xml was not read: /)]);
  });

  it('keeps the numbers of the pages behind one that is not in the file, and says which are not', async () => {
    const gone = (bytes: Buffer, page: number): Buffer =>
      Buffer.from(bytes.toString('latin1').replaceAll(`Page_${page}/Content.xml`, `Page_${page}/Content.bak`), 'latin1');
    const parsed = await parseBytes(parser, gone(makeOfd({ pages: [['one'], ['two'], ['three']] }), 1));

    expect(parsed.blocks.map(({ page }) => page)).toEqual([1, 3]);
    expect(parsed.warnings).toEqual(['Pages that are missing in the file: 2']);
    expect(await refusalOf(parser, gone(makeOfd({ pages: [['one']] }), 0))).toBe(
      'corrupt: The OFD file is damaged: its pages are missing',
    );
  });

  it('reads a page that is listed again and again in the first places only, and says so', async () => {
    const listed = '<ofd:Page ID="p" BaseLoc="Pages/Page_0/Content.xml"/>'.repeat(30);
    const data = `<ofd:Document xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Pages>${listed}</ofd:Pages></ofd:Document>`;
    const parsed = await parseBytes(
      parser,
      makeOfd({ pages: [{ objects: ofdText({ x: 20, y: 150, text: 'one' }) }], members: [{ name: 'Doc_0/Document.xml', data }] }),
    );

    expect([parsed.pages, parsed.blocks.length]).toEqual([30, 20]);
    expect(parsed.warnings).toEqual([
      expect.stringMatching(/Content\.xml is named in more than 20 places; it was read in the first of them$/),
    ]);
  });

  it('tells where type and lines stand, in millimetres from the upper left corner, in pieces without a gap', async () => {
    const objects = [
      ofdText({ x: 20, y: 30, text: '灯塔亮', deltaX: '4 10' }),
      ofdText({ x: 50, y: 60, text: '竖排', deltaY: '5' }),
      ofdLine(20, 40, 120, 40),
    ].join('');
    const { looks } = await parseBytes(parser, makeOfd({ pages: [{ objects }] }));

    expect(looks).toEqual([
      {
        page: 1,
        width: 210,
        height: 297,
        texts: [
          ['灯塔', 20, 26.6, 28, 30.6],
          ['亮', 34, 26.6, 38, 30.6],
          ['竖', 50, 56.6, 54, 60.6],
          ['排', 50, 61.6, 54, 65.6],
        ],
        lines: [[20, 40, 120, 40]],
      },
    ]);
  });
});

describe('an OFD that draws what is written once again and again', () => {
  const unit = (inside: string): string =>
    `<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="u"><ofd:Content>${inside}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>`;

  it('shows a template once that a page names many times', async () => {
    const file = makeOfd({
      templates: { t: ofdText({ x: 20, y: 60, text: 'template '.repeat(100) }) },
      pages: [{ head: '<ofd:Template TemplateID="t"/>'.repeat(50), objects: ofdText({ x: 20, y: 30, text: 'own' }) }],
    });
    const { markdown } = await parseBytes(parser, file, { filename: 'a.ofd', limits: { charactersMax: 2000 } });

    expect(markdown.match(/own/g)).toHaveLength(1);
  });

  it('is refused when drawings in drawings come to more objects than a page has, before they are laid out', async () => {
    const use = '<ofd:CompositeObject ResourceID="u" Boundary="0 0 9 9"/>'.repeat(30);
    const file = makeOfd({ pages: [{ objects: ofdText({ x: 20, y: 30, text: 'own' }) + use }], resources: unit(use) });

    expect(await refusalOf(parser, file, { filename: 'a.ofd' })).toContain(
      'limit_exceeded: One page draws more than 100000 objects',
    );
  });

  it('is refused when its pages together draw more than a file may, and says so of the file', async () => {
    const use = '<ofd:CompositeObject ResourceID="u" Boundary="0 0 9 9"/>'.repeat(300);
    const file = makeOfd({
      pages: Array.from({ length: 12 }, () => ({ objects: use })),
      resources: unit('<ofd:TextObject Boundary="0 0 9 9"/>'.repeat(300)),
    });

    expect(await refusalOf(parser, file, { filename: 'a.ofd' })).toContain(
      'limit_exceeded: The pages draw more than 1000000 objects of templates and repeated drawings',
    );
  });

  it('is refused, not cut short, when its pages draw more characters than a file may hold', async () => {
    const file = makeOfd({
      templates: { t: ofdText({ x: 20, y: 60, text: `begin${' '.repeat(400)}end` }) },
      pages: Array.from({ length: 3 }, () => ({ head: '<ofd:Template TemplateID="t"/>', objects: '' })),
    });

    expect(await refusalOf(parser, file, { filename: 'a.ofd', limits: { charactersMax: 1000 } })).toBe(
      'limit_exceeded: The file has more than 1000 characters of text (MAX_CHARACTERS)',
    );
  });

  it('keeps how its pages look for as many as are stored, and reads the text of all', async () => {
    const zigzag = `M 0 0 ${'L 9 9 L 0 0 '.repeat(195)}`;
    const path = `<ofd:PathObject Boundary="0 0 9 9"><ofd:AbbreviatedData>${zigzag}</ofd:AbbreviatedData></ofd:PathObject>`;
    const template = path.repeat(13);
    const pages = Array.from({ length: 220 }, (_, at) => ({
      head: '<ofd:Template TemplateID="t"/>',
      objects: ofdText({ x: 20, y: 150, text: `the page ${String.fromCodePoint(0x4e00 + at)} says` }),
    }));
    const { looks = [], markdown } = await read({ templates: { t: template }, pages });

    expect(looks.length).toBeGreaterThan(150);
    expect(looks.reduce((sum, { texts, lines = [] }) => sum + texts.length + lines.length, 0)).toBeLessThanOrEqual(1_000_000);
    expect(markdown).toContain(`the page ${String.fromCodePoint(0x4e00 + 219)} says`);
  });
});
