/** A small file of every format that is read, to be damaged by tests. */
import { gzipSync } from 'node:zlib';
import { makeMbox, makeOlePackage, makeSigned, makeTar, makeTnef } from './archive-writer.ts';
import { agileEncrypted } from './encrypted-office.ts';
import { bmpOfText } from './image-writer.ts';
import { makeDocx, makeEpub, makeFlatOdf, makeOdf, makePptx, makeXlsx } from './office-writer.ts';
import { makeOfd, makeSeal, ofdLine, ofdText } from './ofd-writer.ts';
import { docSample, msgSample, pptSample, xlsSample, xlsbSample } from './binary-samples.ts';
import { makePdf } from './pdf-writer.ts';
import { hiddenFont, makeFont, makeXps, xpsGlyphs, xpsLine, xpsPicture } from './xps-writer.ts';
import { smallFiles } from './text-fixtures.ts';
import { makeSevenZip } from './seven-zip-writer.ts';
import { makeZip } from './zip-writer.ts';

/** One of each office format, with what is odd in it: merged cells, notes, formulas, nested lists. */
export const officeSamples: Readonly<Record<string, () => Buffer>> = {
  docx: () =>
    makeDocx({
      title: 'T',
      paragraphs: [{ text: 'Head', style: 'Heading1' }, '中文 paragraph', '☒ box'],
      body: '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl><w:p><m:oMath><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den/></m:f></m:oMath></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>',
      numbering:
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="1"><w:start w:val="3"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>',
    }),
  pptx: () =>
    makePptx({
      slides: [
        { title: 'One', lines: ['a', 'b'], notes: 'note' },
        {
          title: 'Two',
          shapes:
            '<p:grpSp><p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr><a:tc gridSpan="2"/></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame></p:grpSp>',
        },
      ],
    }),
  xlsx: () =>
    makeXlsx({
      sheets: [
        {
          name: 'S',
          rows: [
            ['a', 1, true],
            ['中', 45_000.5, { xml: '<f>A1</f><v>x</v>', attributes: 't="str" s="1"' }],
          ],
          merged: ['A1:B2'],
        },
        { name: 'T', rows: [[1]], state: 'hidden' },
      ],
      styles:
        '<numFmts><numFmt numFmtId="170" formatCode="[Red]#,##0.00;-0&quot;x&quot;"/></numFmts><cellXfs><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>',
    }),
  doc: docSample,
  msg: msgSample,
  ppt: pptSample,
  xls: xlsSample,
  xlsb: xlsbSample,
  ods: () =>
    makeOdf({
      kind: 'spreadsheet',
      body: '<table:table table:name="S"><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-spanned="2"><text:p>a</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>',
    }),
  odt: () =>
    makeOdf({
      kind: 'text',
      body: '<text:h text:outline-level="1">H</text:h><text:list><text:list-item><text:p>a<text:s text:c="3"/>b</text:p></text:list-item></text:list><table:table><table:table-row><table:table-cell><text:p>c</text:p></table:table-cell></table:table-row></table:table>',
    }),
  odp: () =>
    makeOdf({
      kind: 'presentation',
      body: '<draw:page draw:name="P"><draw:frame presentation:class="title"><draw:text-box><text:p>Title</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:list><text:list-item><text:p>item</text:p><text:list><text:list-item><text:p>深</text:p></text:list-item></text:list></text:list-item></text:list></draw:text-box></draw:frame><draw:frame><table:table><table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>c</text:p></table:table-cell></table:table-row></table:table></draw:frame><presentation:notes><draw:frame><draw:text-box><text:p>note</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>',
    }),
  xps: () =>
    makeXps({
      title: 'T',
      pages: [
        xpsGlyphs({
          x: 80,
          y: 100,
          text: 'text 中文',
          more: { Indices: ',50;3,50;(2:1)4,90', 'FixedPage.NavigateUri': 'https://a.b' },
        }) + `<Canvas RenderTransform="1,0,0,1,9,9">${xpsLine(80, 120, 400, 120)}${xpsPicture('/p.png', 1, 1, 9, 9)}</Canvas>`,
        [],
      ],
      outline: '<OutlineEntry OutlineLevel="1" Description="text" OutlineTarget="#a"/>',
      members: [hiddenFont(makeFont({ widths: { a: 500, 中: 1000 } }))],
    }),
  ofd: () =>
    makeOfd({
      title: 'T',
      templates: { t: ofdText({ x: 20, y: 20, text: '表头' }) },
      pages: [
        {
          head: '<ofd:Template TemplateID="t"/>',
          objects: ofdText({ x: 20, y: 40, text: 'text 中文', deltaX: 'g 3 2 2 4', id: '7' }) + ofdLine(20, 50, 80, 50),
          annotations: '<ofd:Annot Creator="A"><ofd:Remark>r</ofd:Remark></ofd:Annot>',
        },
        ['second'],
      ],
      tags: '<t><No><ObjectRef PageRef="p0">7</ObjectRef></No></t>',
      attachments: [{ name: 'a', file: 'a.xml', data: '<a>b</a>' }],
      seal: makeSeal('章'),
    }),
  epub: () =>
    makeEpub({
      title: 'B',
      chapters: [{ body: '<h1>一</h1><p>text</p>' }, { body: '<ul><li>x</li></ul>' }],
      nav: [{ chapter: 1, label: 'L' }],
    }),
};

/** Text in two languages, a field, a picture, a title and an outline. */
export function samplePdf(): Buffer {
  return makePdf({
    pages: [
      ['The first page.', '第一页'],
      {
        texts: [{ text: '简体', x: 72, y: 700, cmap: 'UniGB-UCS2-H' }],
        fields: [{ name: 'n', value: 'v', y: 300 }],
        picture: true,
      },
    ],
    title: 'Mutated',
    outline: [{ title: 'The first page.', page: 1 }],
  });
}

const letter = Buffer.from('From: a@example.com\nTo: b@example.com\nSubject: =?utf-8?B?5L+d?=\n\nSome text.\n');
const inside = [
  { name: 'a.txt', data: Buffer.from('Some text.') },
  { name: 'in/b.md', data: Buffer.from('# 二\n\ntext') },
];

const flatSamples: Readonly<Record<string, () => Uint8Array>> = {
  'flat.fodt': () =>
    Buffer.from(makeFlatOdf({ kind: 'text', body: '<text:h text:outline-level="1">一</text:h><text:p>a<text:tab/>b</text:p>' })),
  'flat.fods': () =>
    Buffer.from(
      makeFlatOdf({
        kind: 'spreadsheet',
        body: '<table:table table:name="S"><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>a</text:p></table:table-cell></table:table-row></table:table>',
      }),
    ),
  'flat.fodp': () =>
    Buffer.from(
      makeFlatOdf({
        kind: 'presentation',
        body: '<draw:page draw:name="P"><draw:frame><draw:text-box><text:p>item</text:p></draw:text-box></draw:frame></draw:page>',
      }),
    ),
  'book.fb2': () =>
    Buffer.from(
      '<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description><title-info><book-title>T</book-title></title-info></description><body><section><title><p>一</p></title><p>text <emphasis>b</emphasis></p><poem><stanza><v>line</v></stanza></poem></section></body><binary id="p" content-type="image/png">QUJD</binary></FictionBook>',
    ),
};

/** Files of other formats in archives, mailboxes, signatures, under the password that Excel sets by itself. */
const wrappedSamples: Readonly<Record<string, () => Uint8Array>> = {
  'sample.zip': () => makeZip(inside),
  'sample.7z': () => makeSevenZip(inside, { packedList: true }),
  'stored.7z': () => makeSevenZip(inside, { method: 'copy' }),
  'sample.tar': () => makeTar(inside),
  'sample.tgz': () => gzipSync(makeTar(inside)),
  'sample.gz': () => gzipSync(letter),
  'sample.mbox': () => Buffer.from(makeMbox([letter.toString(), letter.toString()])),
  'sample.p7m': () => makeSigned(letter),
  'open.p7m': () => makeSigned(letter, true),
  'winmail.dat': () => makeTnef('S', 'Some text.', [{ name: 'a.txt', data: Buffer.from('text 文') }]),
  'object.bin': () => makeOlePackage('a.txt', Buffer.from('Some text.')),
  'locked.xlsx': () => agileEncrypted(makeXlsx({ sheets: [{ name: 'S', rows: [['a', 1]] }] }), 'VelvetSweatshop', 1),
};

/** By the name of the file. */
export const sampleFiles: Readonly<Record<string, () => Uint8Array>> = {
  ...Object.fromEntries(Object.entries(officeSamples).map(([format, make]) => [`sample.${format}`, make])),
  ...Object.fromEntries(Object.entries(smallFiles).map(([name, text]) => [name, () => Buffer.from(text)])),
  ...flatSamples,
  ...wrappedSamples,
  'sample.pdf': samplePdf,
  'sample.bmp': () => bmpOfText('TILE'),
};
