import { describe, expect, it } from 'vitest';
import { createDocxParser } from '../../../../src/parse/office/word/docx-parser.ts';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { makeDocx, makeXlsx, wordNamespaces, wordParagraph, type DocxParts } from '../../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';
import { makeZip } from '../../../support/zip-writer.ts';

const parser = createDocxParser();

async function markdownOf(parts: DocxParts): Promise<string> {
  return (await parseBytes(parser, makeDocx(parts))).markdown;
}

function run(text: string, properties = ''): string {
  return `<w:r>${properties === '' ? '' : `<w:rPr>${properties}</w:rPr>`}<w:t xml:space="preserve">${text}</w:t></w:r>`;
}

function style(id: string, name: string, rest = ''): string {
  return `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/>${rest}</w:style>`;
}

function cell(text: string, properties = ''): string {
  return `<w:tc><w:tcPr>${properties}</w:tcPr>${wordParagraph(text)}</w:tc>`;
}

function listParagraph(text: string, level = 0, numId = '1'): string {
  return `<w:p><w:pPr><w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="${numId}"/></w:numPr></w:pPr>${run(text)}</w:p>`;
}

function level(at: number, format: string, text: string, rest = ''): string {
  return `<w:lvl w:ilvl="${at}"><w:start w:val="1"/><w:numFmt w:val="${format}"/>${rest}<w:lvlText w:val="${text}"/></w:lvl>`;
}

function numbering(...levels: string[]): string {
  return `<w:abstractNum w:abstractNumId="0">${levels.join('')}</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>`;
}

describe('a Word document', () => {
  it('gives title, author, media type and no pages', async () => {
    const document = await parseBytes(parser, makeDocx({ title: 'Jahresbericht', author: '王小明', paragraphs: ['Text'] }));

    expect(document).toMatchObject({
      mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      title: 'Jahresbericht',
      author: '王小明',
      pages: null,
      warnings: [],
    });
    expect(document.blocks).toEqual([{ kind: 'paragraph', start: 0, end: 4, page: null }]);
  });

  it('reads the strict namespaces and any prefix', async () => {
    const strict = makeZip([
      {
        name: 'word/document.xml',
        data: '<q:document xmlns:q="http://purl.oclc.org/ooxml/wordprocessingml/main"><q:body><q:p><q:r><q:t>Some text</q:t></q:r></q:p></q:body></q:document>',
      },
    ]);

    expect((await parseBytes(parser, strict)).markdown).toBe('Some text');
  });
});

describe('headings', () => {
  it('follow the names of styles in many languages, and the styles these are based on', async () => {
    const markdown = await markdownOf({
      styles: [
        style('a', 'heading 1'),
        style('b', '标题 2'),
        style('c', 'Überschrift 3'),
        style('d', 'Kapitel', '<w:basedOn w:val="a"/>'),
        style('e', 'Überschriften'),
      ].join(''),
      paragraphs: [
        { text: 'One', style: 'a' },
        { text: '第二', style: 'b' },
        { text: 'Drei', style: 'c' },
        { text: 'Vier', style: 'd' },
        { text: 'body', style: 'e' },
      ],
    });

    expect(markdown).toBe('# One\n\n## 第二\n\n### Drei\n\n# Vier\n\nbody');
  });

  it('follow outline levels, and stand below a title', async () => {
    const markdown = await markdownOf({
      styles: style('t', 'Title') + style('x', 'My chapter', '<w:pPr><w:outlineLvl w:val="0"/></w:pPr>'),
      paragraphs: [
        { text: 'The book', style: 't' },
        { text: 'Chapter', style: 'x' },
      ],
      body: `<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr>${run('Section')}</w:p>`,
    });

    expect(markdown).toBe('# The book\n\n## Chapter\n\n### Section');
  });

  it('carry their automatic numbers', async () => {
    const link = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>';
    const markdown = await markdownOf({
      numbering: numbering(
        level(0, 'chineseCounting', '第%1章', '<w:pStyle w:val="h1"/>'),
        level(1, 'decimal', '%1.%2', '<w:isLgl/><w:pStyle w:val="h2"/>'),
      ),
      styles: style('h1', 'heading 1', link) + style('h2', 'heading 2', link),
      paragraphs: [
        { text: '总则', style: 'h1' },
        { text: '范围', style: 'h2' },
        { text: '附则', style: 'h1' },
        { text: 'Dates', style: 'h2' },
        { text: 'Places', style: 'h2' },
      ],
    });

    expect(markdown).toBe('# 第一章 总则\n\n## 1.1 范围\n\n# 第二章 附则\n\n## 2.1 Dates\n\n## 2.2 Places');
  });

  it('are not made of styles that are based on themselves', async () => {
    const markdown = await markdownOf({
      styles: style('a', 'A', '<w:basedOn w:val="b"/>') + style('b', 'B', '<w:basedOn w:val="a"/>'),
      paragraphs: [{ text: 'round', style: 'a' }],
    });

    expect(markdown).toBe('round');
  });
});

describe('lists', () => {
  it('nest, number, and keep labels that are more than a number', async () => {
    const markdown = await markdownOf({
      numbering: numbering(level(0, 'decimal', '%1.'), level(1, 'lowerLetter', '(%2)'), level(2, 'bullet', '•')),
      body: [
        listParagraph('first'),
        listParagraph('sub', 1),
        listParagraph('deep', 2),
        listParagraph('other', 1),
        listParagraph('second'),
      ].join(''),
    });

    expect(markdown).toBe('1. first\n   - (a) sub\n     - deep\n   - (b) other\n2. second');
  });

  it('go on counting after a paragraph, and begin again where the file says so', async () => {
    const markdown = await markdownOf({
      numbering: `${numbering(level(0, 'decimal', '%1.'))}<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride></w:num>`,
      body: [listParagraph('a'), wordParagraph('between'), listParagraph('b'), listParagraph('c', 0, '2')].join(''),
    });

    expect(markdown).toBe('1. a\n\nbetween\n\n2. b\n\n1. c');
  });

  it('include typed check boxes', async () => {
    expect(await markdownOf({ paragraphs: ['☒ done', '☐ open'] })).toBe('- [x] done\n- [ ] open');
  });
});

describe('tables', () => {
  it('repeat merged cells, so that rows and columns can be read alone', async () => {
    const row = (...cells: string[]) => `<w:tr>${cells.join('')}</w:tr>`;
    const markdown = await markdownOf({
      body: `<w:tbl>${row(cell('Region'), cell('Sales', '<w:gridSpan w:val="2"/>'))}${row(
        cell('North', '<w:vMerge w:val="restart"/>'),
        cell('1'),
        cell('2'),
      )}${row(cell('', '<w:vMerge/>'), cell('3'), cell('a|b'))}</w:tbl>`,
    });

    expect(markdown).toBe('| Region | Sales | Sales |\n| --- | --- | --- |\n| North | 1 | 2 |\n| North | 3 | a\\|b |');
  });

  it('hold nested tables as text, and leave deleted rows out', async () => {
    const inner = `<w:tbl><w:tr>${cell('x')}${cell('y')}</w:tr></w:tbl>`;
    const markdown = await markdownOf({
      body: `<w:tbl><w:tr><w:tc>${wordParagraph('outer')}${inner}</w:tc>${cell('z')}</w:tr><w:tr><w:trPr><w:del/></w:trPr>${cell('gone')}</w:tr></w:tbl>`,
    });

    expect(markdown).toBe('| outer x y | z |\n| --- | --- |');
  });

  it('of one cell are frames around text, not tables', async () => {
    const body = `<w:tbl><w:tr><w:tc>${wordParagraph('Note', 'Heading2')}${wordParagraph('Mind the gap.')}</w:tc></w:tr></w:tbl>`;

    expect(await markdownOf({ body })).toBe('## Note\n\nMind the gap.');
  });
});

describe('text', () => {
  it('keeps insertions, drops deletions, and joins paragraphs whose mark was deleted', async () => {
    const body = `<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>${run('One ')}<w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins>${run('new ')}</w:ins></w:p>${wordParagraph('line')}`;

    expect(await markdownOf({ body })).toBe('One new line');
  });

  it('shows what fields show, not their codes, and survives one that never ends', async () => {
    const field = (type: string) => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
    const code = '<w:r><w:instrText> DATE </w:instrText></w:r>';
    const body = [
      `<w:p>${run('On ')}${field('begin')}${code}${run('ignored')}${field('separate')}${run('1 May')}${field('end')}</w:p>`,
      `<w:p>${field('begin')}${code}</w:p>`,
      wordParagraph('after'),
    ].join('');

    expect(await markdownOf({ body })).toBe('On 1 May\n\nafter');
  });

  it('keeps where links lead, in fields and relationships of each part', async () => {
    const field = (code: string, text: string): string =>
      `<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> ${code} </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>${run(text)}<w:r><w:fldChar w:fldCharType="end"/></w:r>`;
    const link = { id: 'l', type: 'hyperlink', target: 'https://example.org/a(b)?c=1&d', external: true };

    expect(
      await markdownOf({
        body: `<w:p>${run('See ')}<w:hyperlink r:id="l">${run('the ')}${run('list ')}</w:hyperlink>${run('and ')}${field('HYPERLINK "mailto:ann@example.org" \\o "x"', 'Ann')}${run(', ')}${field('HYPERLINK \\l "here"', 'below')}${run(', ')}<w:fldSimple w:instr="HYPERLINK &quot;http://example.org&quot;">${run('home')}</w:fldSimple>${run(', ')}<w:hyperlink r:id="none" w:anchor="a">${run('there')}</w:hyperlink>${run(', ')}<w:hyperlink r:id="l">${run('example.org/a(b)')}</w:hyperlink></w:p>`,
        relationships: [link],
      }),
    ).toBe(
      'See [the list](https://example.org/a%28b%29?c=1&d) and [Ann](mailto:ann@example.org), below, [home](http://example.org), there, [example.org/a(b)](https://example.org/a%28b%29?c=1&d)',
    );
  });

  it('reads a text box once, though it is written twice', async () => {
    const box = `<w:txbxContent>${wordParagraph('in the box')}</w:txbxContent>`;
    const body = `<w:p>${run('beside')}<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>${box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>${box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`;

    expect(await markdownOf({ body })).toBe('beside\n\nin the box');
  });

  it('leaves out hidden text and the reading aids of ruby', async () => {
    const ruby = `<w:r><w:ruby><w:rt>${run('とうきょう')}</w:rt><w:rubyBase>${run('東京')}</w:rubyBase></w:ruby></w:r>`;
    const body = `<w:p>${ruby}${run('secret', '<w:vanish/>')}${run('へ')}</w:p>`;

    expect(await markdownOf({ body })).toBe('東京へ');
  });

  it('writes equations as LaTeX, in the line and by themselves', async () => {
    const math = (inner: string) => `<m:oMath>${inner}</m:oMath>`;
    const r = (text: string) => `<m:r><m:t>${text}</m:t></m:r>`;
    const square = math(`<m:sSup><m:e>${r('c')}</m:e><m:sup>${r('2')}</m:sup></m:sSup>`);
    const root = math(`${r('x=')}<m:rad><m:deg/><m:e><m:f><m:num>${r('π')}</m:num><m:den>${r('2')}</m:den></m:f></m:e></m:rad>`);
    const body = `<w:p>${run('with ')}${square}${run(' known')}</w:p><w:p><m:oMathPara>${root}</m:oMathPara></w:p>`;

    expect(await markdownOf({ body })).toBe('with $c^{2}$ known\n\n$$x=\\sqrt{\\frac{\\pi }{2}}$$');
  });

  it('puts footnotes and endnotes after the block that mentions them', async () => {
    const note = (kind: string, text: string) => ({
      name: `word/${kind}s.xml`,
      data: `<w:${kind}s ${wordNamespaces}><w:${kind} w:type="separator" w:id="0">${wordParagraph('---')}</w:${kind}><w:${kind} w:id="2">${wordParagraph(text)}</w:${kind}></w:${kind}s>`,
    });
    const body = `<w:p>${run('Claim')}<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:endnoteReference w:id="2"/></w:r></w:p>${wordParagraph('next')}`;
    const markdown = await markdownOf({
      body,
      members: [note('footnote', 'Source'), note('endnote', 'See also')],
      relationships: [
        { id: 'f', type: 'footnotes', target: 'footnotes.xml' },
        { id: 'e', type: 'endnotes', target: 'endnotes.xml' },
      ],
    });

    expect(markdown).toBe('Claim[^1][^e1]\n\n[^1]: Source\n\n[^e1]: See also\n\nnext');
  });

  it('keeps code as code', async () => {
    const mono = (text: string) => `<w:p>${run(text, '<w:rFonts w:ascii="Consolas"/>')}</w:p>`;
    const body = [mono('def f(x):'), mono('    return x'), wordParagraph('prose'), mono('a memo in type')].join('');

    expect(await markdownOf({ body })).toBe('```\ndef f(x):\n    return x\n```\n\nprose\n\na memo in type');
  });

  it('shows a chart by its cached values', async () => {
    const points = (...texts: string[]) => texts.map((text, at) => `<c:pt idx="${at}"><c:v>${text}</c:v></c:pt>`).join('');
    const chart = `<c:chartSpace ${wordNamespaces}><c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Ducks</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser><c:tx>${points('Lake')}</c:tx><c:cat>${points('2019', '2020')}</c:cat><c:val>${points('4', '5.6000000000000005')}</c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>`;
    const markdown = await markdownOf({
      body: '<w:p><w:r><w:drawing><c:chart r:id="c"/></w:drawing></w:r></w:p>',
      relationships: [{ id: 'c', type: 'chart', target: 'charts/chart1.xml' }],
      members: [{ name: 'word/charts/chart1.xml', data: chart }],
    });

    expect(markdown).toBe('Ducks\n\n|  | Lake |\n| --- | --- |\n| 2019 | 4 |\n| 2020 | 5.6 |');
  });
});

describe('a Word document that is not right', () => {
  it('is refused when the part with its text is missing or nothing', async () => {
    expect(await refusalOf(parser, makeZip([{ name: 'word/styles.xml', data: '<a/>' }]))).toMatch(/^corrupt: .*is missing/);
    expect(await refusalOf(parser, makeZip([{ name: 'word/document.xml', data: 'no markup' }]))).toMatch(
      /^corrupt: .*cannot be read/,
    );
  });

  it('is read up to where it breaks off, and says so', async () => {
    const xml = `<w:document ${wordNamespaces}><w:body>${wordParagraph('first')}${wordParagraph('second').slice(0, -30)}`;

    const document = await parseBytes(parser, makeZip([{ name: 'word/document.xml', data: xml }]));

    expect(document.markdown).toMatch(/^first/);
    expect(document.warnings).toEqual(['The part word/document.xml is incomplete; it was read as far as possible']);
  });

  it('says which inserted files it did not read', async () => {
    const document = await parseBytes(parser, makeDocx({ paragraphs: ['text'], body: '<w:altChunk r:id="x"/>' }));

    expect(document.warnings).toEqual(['1 inserted file(s) of another format (altChunk) were not read']);
  });
});

describe('what hangs on a Word document', () => {
  const parser = createDocumentParser({});
  const ns = wordNamespaces;
  const part = (root: string, content: string): string => `<w:${root} ${ns}>${content}</w:${root}>`;

  it('keeps comments after the paragraphs that they are about, with their authors, those of no place at the end', async () => {
    const bytes = makeDocx({
      body: '<w:p><w:r><w:t>The price.</w:t></w:r><w:r><w:commentReference w:id="7"/></w:r></w:p><w:p><w:r><w:t>More.</w:t></w:r></w:p>',
      relationships: [{ id: 'c', type: 'comments', target: 'comments.xml' }],
      members: [
        {
          name: 'word/comments.xml',
          data: part(
            'comments',
            `<w:comment w:id="7" w:author="李 Ann">${wordParagraph('too high')}${wordParagraph('much')}</w:comment><w:comment w:id="8">${wordParagraph('lost')}</w:comment>`,
          ),
        },
      ],
    });

    const parsed = await parseBytes(parser, bytes, { filename: 'a.docx' });

    expect(parsed.markdown).toBe('The price.\n\nComment (李 Ann): too high much\n\nMore.\n\nComment: lost');
  });

  it('keeps headers before the text and footers behind it, each line once, without page numbers', async () => {
    const bytes = makeDocx({
      paragraphs: ['Body.'],
      relationships: [
        { id: 'h1', type: 'header', target: 'header1.xml' },
        { id: 'h2', type: 'header', target: 'header2.xml' },
        { id: 'f1', type: 'footer', target: 'footer1.xml' },
      ],
      members: [
        { name: 'word/header1.xml', data: part('hdr', wordParagraph('Contract no. 4471')) },
        { name: 'word/header2.xml', data: part('hdr', wordParagraph('Contract no. 4471') + wordParagraph('第 3 页')) },
        { name: 'word/footer1.xml', data: part('ftr', wordParagraph('Page 2 of 9') + wordParagraph('保密 Confidential')) },
      ],
    });

    expect((await parseBytes(parser, bytes)).markdown).toBe('Contract no. 4471\n\nBody.\n\n保密 Confidential');
  });

  it('keeps the headers of each section that differ in a number', async () => {
    const heads = ['Contract no. 4471', 'Contract no. 4472', '合同 | 3', '合同 | 4'];
    const bytes = makeDocx({
      paragraphs: ['Body.'],
      relationships: heads.map((_, at) => ({ id: `h${at}`, type: 'header', target: `header${at}.xml` })),
      members: heads.map((head, at) => ({ name: `word/header${at}.xml`, data: part('hdr', wordParagraph(head)) })),
    });

    expect((await parseBytes(parser, bytes)).markdown).toBe('Contract no. 4471\n\nContract no. 4472\n\n合同 | 3\n\nBody.');
  });

  it('reads a document of headers alone', async () => {
    const bytes = makeDocx({
      paragraphs: [''],
      relationships: [{ id: 'h', type: 'header', target: 'header1.xml' }],
      members: [{ name: 'word/header1.xml', data: part('hdr', wordParagraph('Letterhead')) }],
    });

    expect((await parseBytes(parser, bytes)).markdown).toBe('Letterhead');
  });

  it.each([
    ['chunk.html', '<html><body><h1>Report</h1><p>inserted words</p></body></html>', '# Report\n\ninserted words'],
    ['chunk.rtf', '{\\rtf1\\ansi inserted words\\par}', 'inserted words'],
    ['chunk.txt', 'inserted words', 'inserted words'],
    ['chunk.docx', makeDocx({ paragraphs: ['inserted words'] }), 'inserted words'],
  ])('reads an inserted %s in its place', async (name, data, expected) => {
    const bytes = makeDocx({
      body: `${wordParagraph('Before.')}<w:altChunk r:id="a"/>${wordParagraph('After.')}`,
      relationships: [{ id: 'a', type: 'aFChunk', target: name }],
      members: [{ name: `word/${name}`, data }],
    });

    const parsed = await parseBytes(parser, bytes, { filename: 'a.docx' });

    expect(parsed.markdown).toBe(`Before.\n\n${expected}\n\nAfter.`);
    expect(parsed.blocks.map((block) => parsed.markdown.slice(block.start, block.end)).join('\n\n')).toBe(parsed.markdown);
  });

  it('names an inserted or embedded file that cannot be read, and reads those that can', async () => {
    const bytes = makeDocx({
      body: `${wordParagraph('Text.')}<w:altChunk r:id="a"/>`,
      relationships: [
        { id: 'a', type: 'aFChunk', target: 'chunk.bin' },
        { id: 'e', type: 'package', target: 'embeddings/prices.xlsx' },
      ],
      members: [
        { name: 'word/chunk.bin', data: Buffer.alloc(100) },
        { name: 'word/embeddings/prices.xlsx', data: makeXlsx({ sheets: [{ name: 'Costs', rows: [['zebrafish', 7]] }] }) },
      ],
    });

    const parsed = await parseBytes(parser, bytes, { filename: 'a.docx' });

    expect(parsed.markdown).toContain('Text.\n\n# Embedded file: prices.xlsx\n\n## Costs\n\n');
    expect(parsed.markdown).toContain('zebrafish');
    expect(parsed.warnings).toEqual(['The inserted file chunk.bin was not read: Unsupported file format: chunk.bin']);
  });

  it('keeps what pictures show, once, but no names of files and no bare word for a picture', async () => {
    const picture = (text: string): string =>
      `<w:p><w:r><w:drawing><wp:inline><wp:docPr id="1" name="Picture 1" descr="${text}"/></wp:inline></w:drawing></w:r></w:p>`;
    const bytes = makeDocx({
      body: picture('A bridge over a river') + picture('IMG_0001.png') + picture('Picture 4') + picture('图片') + picture(''),
    });

    expect((await parseBytes(parser, bytes)).markdown).toBe('Picture: A bridge over a river');
  });

  it('reads the text where what the file says about itself declares entities', async () => {
    const bytes = makeDocx({
      paragraphs: ['Text.'],
      members: [{ name: 'docProps/core.xml', data: '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>' }],
    });

    const parsed = await parseBytes(parser, bytes);

    expect(parsed.markdown).toBe('Text.');
    expect(parsed.warnings).toEqual([expect.stringMatching(/^The properties of the file were not read: /)]);
  });
});
