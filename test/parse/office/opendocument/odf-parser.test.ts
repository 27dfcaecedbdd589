import { describe, expect, it } from 'vitest';
import { createOdfParser } from '../../../../src/parse/office/opendocument/odf-parser.ts';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { makeFlatOdf, makeOdf, odfNamespaces, type OdfParts } from '../../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';

const parser = createOdfParser();

async function markdownOf(kind: OdfParts['kind'], body: string, rest: Partial<OdfParts> = {}): Promise<string> {
  return (await parseBytes(parser, makeOdf({ kind, body, ...rest }))).markdown;
}

function cell(text: string, attributes = ''): string {
  return `<table:table-cell ${attributes}><text:p>${text}</text:p></table:table-cell>`;
}

function row(...cells: string[]): string {
  return `<table:table-row>${cells.join('')}</table:table-row>`;
}

describe('an OpenDocument text', () => {
  it('gives title, author and media type, and has no pages', async () => {
    const document = await parseBytes(parser, makeOdf({ kind: 'text', body: '<text:p>Text</text:p>', title: 'T', author: '王' }));

    expect(document).toMatchObject({
      mediaType: 'application/vnd.oasis.opendocument.text',
      title: 'T',
      author: '王',
      pages: null,
      markdown: 'Text',
    });
  });

  it('has headings by outline level below a title by style, numbered as the outline says', async () => {
    const automaticStyles =
      '<style:style style:name="P1" style:parent-style-name="Title"/><text:outline-style style:name="Outline"><text:outline-level-style text:level="1" style:num-format="1" style:num-suffix="."/><text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/></text:outline-style>';
    const styles = `<office:document-styles xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:styles>${automaticStyles}</office:styles></office:document-styles>`;
    const body =
      '<text:p text:style-name="P1">The book</text:p><text:h text:outline-level="1">One</text:h><text:h text:outline-level="2">Part</text:h><text:h text:outline-level="1">二</text:h>';

    expect(await markdownOf('text', body, { members: [{ name: 'styles.xml', data: styles }] })).toBe(
      '# The book\n\n## 1. One\n\n### 1.1 Part\n\n## 2. 二',
    );
  });

  it('has lists in lists, numbers, and items of several paragraphs', async () => {
    const automaticStyles =
      '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/><text:list-level-style-bullet text:level="2" text:bullet-char="•"/></text:list-style>';
    const item = (...inner: string[]) => `<text:list-item>${inner.join('')}</text:list-item>`;
    const p = (text: string) => `<text:p>${text}</text:p>`;
    const body = `<text:list text:style-name="L1">${item(p('first'), p('more'), `<text:list>${item(p('sub'))}</text:list>`)}${item(p('second'))}</text:list>${p('end')}`;

    expect(await markdownOf('text', body, { automaticStyles })).toBe('1. first\n   more\n   - sub\n2. second\n\nend');
  });

  it('keeps where links lead, but for places in the file itself', async () => {
    const body =
      '<text:p>See <text:a xlink:href="https://example.org/list">the <text:span>list</text:span></text:a> or <text:a xlink:href="#x">below</text:a>, <text:a xlink:href="mailto:a@b.example">a@b.example</text:a>.</text:p>';

    expect(await markdownOf('text', body)).toBe('See [the list](https://example.org/list) or below, a@b.example.');
  });

  it('keeps spaces and breaks, drops comments, tracked deletions and ruby, and writes notes after the block', async () => {
    const body = [
      '<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region></text:tracked-changes>',
      '<text:p>a<text:s text:c="2"/>b<text:line-break/><text:ruby><text:ruby-base>漢</text:ruby-base><text:ruby-text>かん</text:ruby-text></text:ruby>',
      '<office:annotation><text:p>hm</text:p></office:annotation><text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>Source</text:p></text:note-body></text:note></text:p>',
    ].join('');

    expect(await markdownOf('text', body)).toBe('a  b\n漢[^1]\n\n[^1]: Source');
  });

  it('repeats merged cells, and keeps lists inside cells apart from lists around them', async () => {
    const table = `<table:table>${row(cell('Head', 'table:number-columns-spanned="2"'), '<table:covered-table-cell/>')}${row(
      cell('x', 'table:number-rows-spanned="2"'),
      cell('1'),
    )}${row('<table:covered-table-cell/>', '<table:table-cell><text:list><text:list-item><text:p>in</text:p></text:list-item></text:list></table:table-cell>')}</table:table>`;

    expect(await markdownOf('text', table)).toBe('| Head | Head |\n| --- | --- |\n| x | 1 |\n| x | - in |');
  });

  it('reads text in frames, charts by their table, and formulas as their author typed them', async () => {
    const ns =
      'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:chart="urn:oasis:names:tc:opendocument:xmlns:chart:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"';
    const chart = `<office:document-content ${ns}><office:body><office:chart><chart:chart><chart:title><text:p>Ducks</text:p></chart:title><table:table>${row(cell(''), cell('Lake'))}${row(cell('2020'), cell('4'))}</table:table></chart:chart></office:chart></office:body></office:document-content>`;
    const math =
      '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>E</mi><annotation>E = m c^2</annotation></semantics></math>';
    const frame = (inner: string) => `<draw:frame>${inner}</draw:frame>`;
    const body = `<text:p>see ${frame('<draw:object xlink:href="./Object 2"/>')}</text:p><text:p>${frame('<draw:text-box><text:p>boxed</text:p></draw:text-box>')}${frame('<draw:object xlink:href="./Object 1"/>')}</text:p>`;

    const markdown = await markdownOf('text', body, {
      members: [
        { name: 'Object 1/content.xml', data: chart },
        { name: 'Object 2/content.xml', data: math },
      ],
    });

    expect(markdown).toBe('see $E = m c^2$\n\nboxed\n\nDucks\n\n|  | Lake |\n| --- | --- |\n| 2020 | 4 |');
  });
});

describe('an OpenDocument spreadsheet', () => {
  it('is a page a sheet, with cells as they show and repeats only where something is', async () => {
    const body = `<table:table table:name="销售">${row(cell('City'), cell('Sum', 'table:number-columns-repeated="2"'))}<table:table-row table:number-rows-repeated="2">${cell('A')}${cell('1.50 €', 'office:value="1.5"')}<table:table-cell table:number-columns-repeated="16000"/></table:table-row><table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row></table:table><table:table table:name="Two">${row('<table:table-cell office:value="3"/>')}</table:table>`;
    const document = await parseBytes(parser, makeOdf({ kind: 'spreadsheet', body }));

    expect(document.markdown).toBe(
      '# 销售\n\n| City | Sum | Sum |\n| --- | --- | --- |\n| A | 1.50 € |  |\n| A | 1.50 € |  |\n\n# Two\n\n3',
    );
    expect(document.pages).toBe(2);
  });

  it('keeps where links in cells lead', async () => {
    const link = (href: string, text: string) => `<text:a xlink:href="${href}">${text}</text:a>`;
    const body = `<table:table table:name="S">${row(cell('Part'), cell('Form'))}${row(
      cell('Pump'),
      cell(`${link('https://a.example/f?a=1&amp;b=(2)', '表格')} or ${link('#S.A1', 'above')}`),
    )}</table:table>`;

    expect(await markdownOf('spreadsheet', body)).toBe(
      '# S\n\n| Part | Form |\n| --- | --- |\n| Pump | [表格](https://a.example/f?a=1&b=%282%29) or above |',
    );
  });

  it('adds comments with their cell, and repeats merged cells', async () => {
    const body = `<table:table table:name="S">${row(cell('a'), cell('wide', 'table:number-columns-spanned="2"'), '<table:covered-table-cell/>')}${row(
      cell('1'),
      '<table:table-cell><office:annotation><dc:creator>Ann</dc:creator><text:p>why?</text:p></office:annotation><text:p>2</text:p></table:table-cell>',
      cell('3'),
    )}</table:table>`;

    expect(await markdownOf('spreadsheet', body)).toBe(
      '# S\n\n| a | wide | wide |\n| --- | --- | --- |\n| 1 | 2 | 3 |\n\nComment on B2 (Ann): why?',
    );
  });

  it('is refused for more cells than are allowed, repeated ones counted', async () => {
    const body = `<table:table><table:table-row table:number-rows-repeated="1000">${cell('x', 'table:number-columns-repeated="1000"')}</table:table-row></table:table>`;

    expect(await refusalOf(parser, makeOdf({ kind: 'spreadsheet', body }), { limits: { cellsMax: 5000 } })).toBe(
      'limit_exceeded: The workbook has more than 5000 cells with content (MAX_CELLS)',
    );
  });
});

describe('an OpenDocument presentation', () => {
  it('is a page a slide, titles as headings, notes after, numbers of pages left out', async () => {
    const frame = (role: string, text: string) =>
      `<draw:frame presentation:class="${role}"><draw:text-box><text:p>${text}</text:p></draw:text-box></draw:frame>`;
    const body = `<draw:page>${frame('title', 'Start')}${frame('outline', 'Hello')}${frame('page-number', '1')}<presentation:notes>${frame('notes', 'Smile')}</presentation:notes></draw:page><draw:page>${frame('outline', 'No title')}</draw:page>`;
    const document = await parseBytes(parser, makeOdf({ kind: 'presentation', body }));

    expect(document.markdown).toBe('# Start\n\nHello\n\nNotes: Smile\n\nNo title');
    expect(document.blocks.map((block) => block.page)).toEqual([1, 1, 1, 2]);
    expect(document.pages).toBe(2);
  });
});

describe('an OpenDocument file that is not right', () => {
  it('is refused when it is protected by a password', async () => {
    const manifest =
      '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry></manifest:manifest>';
    const file = makeOdf({ kind: 'text', body: '', members: [{ name: 'META-INF/manifest.xml', data: manifest }] });

    expect(await refusalOf(parser, file)).toMatch(/^encrypted: .*remove the password/);
  });
});

describe('what hangs on an OpenDocument text', () => {
  const masters =
    '<office:master-styles><style:master-page style:name="Standard"><style:header><text:p>Contract 4471</text:p></style:header>' +
    '<style:header-left style:display="false"><text:p>unused</text:p></style:header-left>' +
    '<style:footer><text:p>Page 3</text:p><text:p>保密</text:p></style:footer></style:master-page></office:master-styles>';

  it('keeps headers before the text and footers behind it, once, without page numbers', async () => {
    const styles = `<office:document-styles ${odfNamespaces}>${masters}</office:document-styles>`;
    const members = [{ name: 'styles.xml', data: styles }];

    expect(await markdownOf('text', '<text:p>Body.</text:p>', { members })).toBe('Contract 4471\n\nBody.\n\n保密');
  });

  it('keeps what people said beside it and what pictures show', async () => {
    const body =
      '<text:p>One<office:annotation><dc:creator>李</dc:creator><dc:date>2026-01-01</dc:date><text:p>check this</text:p></office:annotation></text:p>' +
      '<text:p><draw:frame><draw:image/><svg:title>A bridge</svg:title><svg:desc>over a river</svg:desc></draw:frame></text:p>';

    expect(await markdownOf('text', body)).toBe('One\n\nComment (李): check this\n\nPicture: A bridge\n\nPicture: over a river');
  });

  it.each([
    ['text', '<text:h text:outline-level="1">Head</text:h><text:p>Body 中文.</text:p>', '# Head\n\nBody 中文.', null],
    ['spreadsheet', `<table:table table:name="S">${row(cell('a'), cell('b'))}</table:table>`, '# S\n\n| a | b |\n| --- | --- |', 1],
    [
      'presentation',
      '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>T</text:p></draw:text-box></draw:frame></draw:page>',
      '# T',
      1,
    ],
  ] as const)('reads a %s in one file of XML as it does one in parts', async (kind, body, expected, pages) => {
    const flat = makeFlatOdf({ kind, body, title: 'Name', author: 'Ann' });
    const parsed = await parseBytes(createDocumentParser({}), Buffer.from(flat), { filename: 'a.xml' });

    expect(parsed.markdown).toBe(expected);
    expect(parsed.markdown).toBe(await markdownOf(kind, body));
    expect([parsed.title, parsed.author, parsed.pages]).toEqual(['Name', 'Ann', pages]);
    expect(parsed.mediaType).toBe(`application/vnd.oasis.opendocument.${kind}-flat-xml`);
  });

  it('reads headers, formulas and charts of a file in one piece', async () => {
    const body =
      '<text:p>E = <draw:frame><draw:object><math:math><math:annotation>m c^2</math:annotation></math:math></draw:object></draw:frame></text:p>' +
      '<text:p><draw:frame><draw:image><office:binary-data>AAAA</office:binary-data></draw:image></draw:frame></text:p>';
    const flat = makeFlatOdf({ kind: 'text', body, before: masters });
    const parsed = await parseBytes(createDocumentParser({}), Buffer.from(flat), { filename: 'a.fodt' });

    expect(parsed.markdown).toBe('Contract 4471\n\nE = $m c^2$\n\n保密');
  });
});

describe('documents inside of an OpenDocument file', () => {
  it('are read under a heading each, whatever they are, and charts are not taken for them', async () => {
    const whole = createDocumentParser({});
    const inner = (kind: string, body: string): string =>
      `<office:document-content ${odfNamespaces}><office:body><office:${kind}>${body}</office:${kind}></office:body></office:document-content>`;
    const bytes = makeOdf({
      kind: 'text',
      body: '<text:p>Outer.</text:p>',
      members: [
        {
          name: 'Object 1/content.xml',
          data: inner('spreadsheet', `<table:table table:name="S">${row(cell('zebrafish'), cell('预算'))}</table:table>`),
        },
        { name: 'Object 2/content.xml', data: inner('text', '<text:p>Inner text.</text:p>') },
        { name: 'Object 3', data: Buffer.from('not a document \0\x01\x02\x03\0\0') },
      ],
    });
    const parsed = await parseBytes(whole, bytes, { filename: 'a.odt' });

    expect(parsed.markdown).toBe(
      'Outer.\n\n# Embedded file: Object 1\n\n## S\n\n| zebrafish | 预算 |\n| --- | --- |\n\n# Embedded file: Object 2\n\nInner text.\n\n# Embedded file: Object 3',
    );
    expect(parsed.warnings).toEqual([expect.stringMatching(/^The embedded file Object 3 was not read: /)]);
  });
});
