import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { parseBytes } from '../../support/parse.ts';

const parser = createDocumentParser({});
const markdownOf = async (filename: string, xml: string): Promise<string> =>
  (await parseBytes(parser, Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${xml}`), { filename })).markdown;

describe('feeds', () => {
  it.each([
    [
      'RSS',
      '<rss version="2.0" xmlns:content="c" xmlns:dc="d"><channel><title>News</title><link>http://example.org/</link><description>All of it</description><item><title>One</title><link>http://example.org/1</link>' +
        '<dc:creator>Ann</dc:creator><description>&lt;p&gt;Hello &lt;b&gt;you&lt;/b&gt;&lt;/p&gt;</description></item><item><title>二</title><description>plain 5 &lt; 6</description></item></channel></rss>',
      '# News\n\n- Link: http://example.org/\n\nAll of it\n\n## One\n\n- Link: http://example.org/1\n- Author: Ann\n\nHello you\n\n## 二\n\nplain 5 < 6',
    ],
    [
      'Atom',
      '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>urn:x</id><entry><title>One</title><link rel="alternate" href="http://example.org/1"/><link rel="edit" href="http://example.org/e"/>' +
        '<updated>2026-03-14</updated><author><name>Ann</name></author><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hello <b>you</b></p><ul><li>a</li></ul></div></content></entry></feed>',
      '# News\n\n## One\n\n- Link: http://example.org/1\n- Updated: 2026-03-14\n- Author: Ann\n\nHello you\n\n- a',
    ],
  ])('of %s have a heading for each entry, its facts and its text', async (_, xml, expected) => {
    expect(await markdownOf('feed.xml', xml)).toBe(expected);
  });

  it('say what their picture is called where that is not what they are called themselves', async () => {
    const feed = (said: string) =>
      `<rss version="2.0"><channel><title>News</title><image><title>${said}</title><url>http://example.org/a.gif</url><width>88</width></image></channel></rss>`;
    expect(await markdownOf('feed.xml', feed('文建會 &amp; friends'))).toBe('# News\n\n- Image: 文建會 & friends');
    expect(await markdownOf('feed.xml', feed('News'))).toBe('# News');
    const first = '<rss version="2.0"><channel><image><title>News</title></image><title>News</title></channel></rss>';
    expect(await markdownOf('feed.xml', first)).toBe('# News');
  });

  it('are read as far as they go where they break off in the middle of a text', async () => {
    const xml = '<rss version="2.0"><channel><title>News</title><description>All of';
    expect(await markdownOf('feed.xml', xml)).toBe('# News\n\nAll of');
  });
});

describe('other dialects of XML', () => {
  it('give an outline as a list, with what its items stand for', async () => {
    const xml =
      '<opml version="2.0"><head><title>Subscriptions</title></head><body><outline text="News"><outline text="Feed" type="rss" xmlUrl="http://example.org/f"/></outline><outline text="笔记" _note="kept"/></body></opml>';
    expect(await markdownOf('a.opml', xml)).toBe('# Subscriptions\n\n- News\n  - Feed (http://example.org/f)\n- 笔记\n  kept');
  });

  it('give of a drawing its title and texts, a word in pieces as one, and nothing that draws', async () => {
    const xml =
      '<svg xmlns="http://www.w3.org/2000/svg"><title>Plan</title><style>.a{fill:red}</style><text x="1" y="2"><tspan>Zeb</tspan><tspan>ra</tspan><tspan x="1" dy="9">zwei</tspan></text>' +
      '<script>go()</script><g><text>三</text></g><path d="M0 0"/><desc>How it is</desc></svg>';
    expect(await markdownOf('a.svg', xml)).toBe('# Plan\n\nZebra\nzwei\n三\nHow it is');
  });

  it('give a FictionBook by its sections and verses, without pictures and what its maker says of itself', async () => {
    const xml =
      '<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><stylesheet type="text/css">p{}</stylesheet><description><title-info><genre>novel</genre><author><first-name>A</first-name><last-name>B</last-name></author><book-title>T</book-title></title-info><document-info><program-used>x</program-used></document-info></description>' +
      '<body><section><title><p>Chapter</p><p>One</p></title><p>Some <emphasis>text</emphasis> here.</p><poem><stanza><v>line one</v><v>line two</v></stanza></poem></section></body><binary id="p" content-type="image/png">QUJD</binary></FictionBook>';
    const text = await markdownOf('a.fb2', xml);
    expect(text).toContain('# T\n\n## Chapter One\n\nSome text here.\n\nline one\n\nline two');
    expect(text).not.toMatch(/QUJD|novel|p\{\}|program/);
  });

  it('keep where links of articles lead, whichever way their elements say it', async () => {
    const xlink = 'xmlns:l="http://www.w3.org/1999/xlink"';
    const links = {
      fictionbook: `<FictionBook ${xlink}><body><section><p>See <a l:href="https://a.example/(1)">网页</a><a l:href="#n1" type="note">[1]</a>.</p></section></body></FictionBook>`,
      docbook5: `<article ${xlink}><para>See <link l:href="https://a.example/(1)">网页</link><link linkend="n1">[1]</link>.</para></article>`,
      docbook4: '<article><para>See <ulink url="https://a.example/(1)">网页</ulink>[1].</para></article>',
      jats: `<article ${xlink}><body><p>See <ext-link ext-link-type="uri" l:href="https://a.example/(1)">网页</ext-link><xref rid="n1">[1]</xref>.</p></body></article>`,
      tei: '<TEI><text><body><p>See <ref target="https://a.example/(1)">网页</ref><ref target="#n1">[1]</ref>.</p></body></text></TEI>',
      dita: '<topic><body><p>See <xref href="https://a.example/(1)" format="html">网页</xref>[1].</p></body></topic>',
      safe: '<article><para>See <ulink url="javascript:x">网页</ulink>[1].</para></article>',
    };
    for (const [name, xml] of Object.entries(links))
      expect(await markdownOf('a.xml', xml), name).toBe(
        name === 'safe' ? 'See 网页[1].' : 'See [网页](https://a.example/%281%29)[1].',
      );
  });

  it('give DocBook and JATS by their sections, lists, code and tables', async () => {
    const docbook =
      '<book xmlns="http://docbook.org/ns/docbook"><title>B</title><chapter><title>C</title><para>Hello <emphasis>you</emphasis>.</para><section><title>S</title><itemizedlist><listitem><para>one</para></listitem></itemizedlist><programlisting>int x;</programlisting></section></chapter></book>';
    expect(await markdownOf('a.xml', docbook)).toBe('# B\n\n## C\n\nHello you.\n\n### S\n\n- one\n\n```\nint x;\n```');
    const jats =
      '<article><front><article-meta><title-group><article-title>Study</article-title></title-group><abstract><p>We did.</p></abstract></article-meta></front><body><sec><title>Intro</title><p>Text.</p></sec></body></article>';
    expect(await markdownOf('a.xml', jats)).toBe('# Study\n\n## Abstract\n\nWe did.\n\n## Intro\n\nText.');
  });
});

const word2003 = 'http://schemas.microsoft.com/office/word/2003/wordml';

describe('office documents in one file of XML', () => {
  it('are read as what they stand for: Word 2003, with headings, lists, tables and headers', async () => {
    const xml =
      `<?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="${word2003}" xmlns:wx="http://schemas.microsoft.com/office/word/2003/auxHint">` +
      '<w:lists><w:listDef w:listDefId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:nfc w:val="0"/><w:lvlText w:val="%1."/></w:lvl></w:listDef><w:list w:ilfo="1"><w:ilst w:val="0"/></w:list></w:lists>' +
      '<w:styles><w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style></w:styles>' +
      '<w:body><wx:sect><w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr><w:r><w:t>Head 标题</w:t></w:r></w:p><w:p><w:pPr><w:listPr><w:ilvl w:val="0"/><w:ilfo w:val="1"/></w:listPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>' +
      '<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>' +
      '<w:sectPr><w:hdr w:type="odd"><w:p><w:r><w:t>Example Ltd</w:t></w:r></w:p></w:hdr></w:sectPr></wx:sect></w:body></w:wordDocument>';
    expect(await markdownOf('a.xml', xml)).toBe('Example Ltd\n\n# Head 标题\n\n1. item\n\n| a | b |\n| --- | --- |');
  });

  it('are read as what they stand for: packages written flat', async () => {
    const relationships = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
    const part = (name: string, xml: string): string =>
      `<pkg:part pkg:name="${name}" pkg:contentType="application/xml"><pkg:xmlData>${xml}</pkg:xmlData></pkg:part>`;
    const xml = `<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">${part('/_rels/.rels', `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="${relationships}/officeDocument" Target="word/document.xml"/></Relationships>`)}${part('/word/document.xml', '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Flat 文本</w:t></w:r></w:p></w:body></w:document>')}</pkg:package>`;
    expect(await markdownOf('a.xml', xml)).toBe('Flat 文本');
  });

  it('are read as what they stand for: workbooks of Excel 2003, with places, formats, merged cells and comments', async () => {
    const xml =
      '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles><Style ss:ID="p"><NumberFormat ss:Format="Percent"/></Style></Styles>' +
      '<Worksheet ss:Name="Costs"><Table><Row><Cell ss:MergeAcross="1"><Data ss:Type="String">Head</Data></Cell><Cell><Data ss:Type="String">Share</Data></Cell></Row>' +
      '<Row ss:Index="2"><Cell><Data ss:Type="String">上海</Data><Comment ss:Author="Ann"><ss:Data>check</ss:Data></Comment></Cell><Cell><Data ss:Type="DateTime">2026-03-14T00:00:00.000</Data></Cell><Cell ss:StyleID="p"><Data ss:Type="Number">0.125</Data></Cell></Row></Table></Worksheet></Workbook>';
    expect(await markdownOf('a.xml', xml)).toBe(
      '# Costs\n\n| Head | Head | Share |\n| --- | --- | --- |\n| 上海 | 2026-03-14 | 12.50% |\n\nComment on A2 (Ann): check',
    );
  });
});
