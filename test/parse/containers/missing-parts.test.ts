/** Packages of every kind from which a part was taken that says something, and from which one was taken that does not. */
import { describe, expect, it } from 'vitest';
import { openZip, type Zip } from '../../../src/parse/containers/zip.ts';
import { createMissingParts } from '../../../src/parse/containers/missing-parts.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import type { ParseInput } from '../../../src/parse/parser.ts';
import { makeDocx, makeOdf, makePptx, makeXlsx } from '../../support/office-writer.ts';
import { makeOfd } from '../../support/ofd-writer.ts';
import { parseBytes, usualLimits } from '../../support/parse.ts';
import { makeXps } from '../../support/xps-writer.ts';
import { makeZip, type ZipMember } from '../../support/zip-writer.ts';

const relation = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const word = (id: string, type: string, target: string) => ({ id, type: `${relation}/${type}`, target });
const annotation = '<ofd:Annot Type="Stamp"><ofd:Remark>看过</ofd:Remark></ofd:Annot>';

/** A package as it should be, a part of it that says something, and how a warning names that. */
const saying: readonly [kind: string, bytes: Buffer, part: string, named: string][] = [
  ...(['header', 'footer', 'footnotes', 'comments', 'chart', 'diagramData'] as const).map(
    (type): [string, Buffer, string, string] => [
      `DOCX, ${type}`,
      makeDocx({
        paragraphs: ['text'],
        relationships: [word('r9', type, `${type}9.xml`)],
        members: [{ name: `word/${type}9.xml`, data: '<a/>' }],
      }),
      `word/${type}9.xml`,
      `word/${type}9.xml`,
    ],
  ),
  ['PPTX, slide', makePptx({ slides: [{ title: 'one' }, { title: '二' }] }), 'ppt/slides/slide2.xml', 'ppt/slides/slide2.xml'],
  [
    'PPTX, list of parts',
    makePptx({ slides: [{ title: 'one' }] }),
    'ppt/slides/_rels/slide1.xml.rels',
    'ppt/slides/_rels/slide1.xml.rels',
  ],
  [
    'DOCX, list of parts',
    makeDocx({ body: '<w:p><w:r><w:t>text</w:t><w:footnoteReference w:id="1"/></w:r></w:p>' }),
    'word/_rels/document.xml.rels',
    'word/_rels/document.xml.rels',
  ],
  [
    'XLSX, list of parts',
    makeXlsx({ sheets: [{ name: '表', rows: [['y']] }] }),
    'xl/_rels/workbook.xml.rels',
    'xl/_rels/workbook.xml.rels',
  ],
  [
    'PPTX, notes',
    makePptx({ slides: [{ title: 'one', notes: '备注' }] }),
    'ppt/notesSlides/notes0.xml',
    'ppt/notesSlides/notes0.xml',
  ],
  [
    'XLSX, sheet',
    makeXlsx({
      sheets: [
        { name: 'a', rows: [['x']] },
        { name: '表', rows: [['y']] },
      ],
    }),
    'xl/worksheets/sheet2.xml',
    'xl/worksheets/sheet2.xml',
  ],
  [
    'ODT, object',
    makeOdf({
      kind: 'text',
      body: '<text:p>text</text:p><text:p><draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>',
      members: [{ name: 'Object 1/content.xml', data: '<a/>' }],
    }),
    'Object 1/content.xml',
    'Object 1',
  ],
  ['OFD, annotations', makeOfd({ pages: [{ objects: '', annotations: annotation }, ['text']] }), 'Doc_0/Annots/0.xml', '0.xml'],
  [
    'XPS, dictionary',
    makeXps({
      pages: [
        '<FixedPage.Resources><ResourceDictionary Source="/shared.dict"/></FixedPage.Resources><Glyphs OriginX="90" OriginY="90" FontRenderingEmSize="16" FontUri="/Fonts/plain.ttf" UnicodeString="text"/>',
      ],
      members: [{ name: 'shared.dict', data: '<ResourceDictionary/>' }],
    }),
    'shared.dict',
    '/shared.dict',
  ],
];

/** Parts that could not say anything: pictures where none is read, looks, settings. */
const silent: readonly [kind: string, bytes: Buffer][] = (['image', 'theme', 'fontTable', 'settings', 'customXml'] as const).map(
  (type) => [`DOCX, ${type}`, makeDocx({ paragraphs: ['text'], relationships: [word('r9', type, `gone/${type}9.xml`)] })],
);

function zipOf(bytes: Buffer): Zip {
  const input: ParseInput = {
    path: '',
    bytes,
    fileBytes: bytes.length,
    filename: 'a.zip',
    declaredMediaType: null,
    limits: usualLimits,
    onProgress: () => {},
  };
  return openZip(input, usualLimits);
}

async function without(bytes: Buffer, part: string): Promise<Buffer> {
  const zip = zipOf(bytes);
  const members: ZipMember[] = [];
  for (const name of zip.names) if (name !== part) members.push({ name, data: (await zip.read(name))! });
  expect(members.length).toBe(zip.names.length - 1);
  return makeZip(members);
}

describe('a package', () => {
  it.each(saying)(
    'names a part that it names and does not have, and nothing where all are there: %s',
    async (_kind, bytes, part, named) => {
      const parser = createDocumentParser({});
      const [whole, broken] = [await parseBytes(parser, bytes), await parseBytes(parser, await without(bytes, part))];

      expect(whole.warnings).toEqual([]);
      expect(broken.warnings).toEqual([`Parts that the file names and does not have: ${named}`]);
    },
  );

  it('may do without a list of parts where nothing in it stands elsewhere', async () => {
    const broken = await without(makeDocx({ paragraphs: ['text'] }), 'word/_rels/document.xml.rels');

    expect((await parseBytes(createDocumentParser({}), broken)).warnings).toEqual([]);
  });

  it('is asked for its list of parts wherever in a long text something stands elsewhere', async () => {
    const end = '</w:t></w:r></w:p><w:sectPr';
    // More than is unpacked at once.
    const numbers = Array.from({ length: 900_000 }, (_, n) => (n * 7919) % 100_003).join(' ');
    const make = (units: number): Buffer =>
      makeDocx({ body: `<w:p><w:r><w:t>${'x'.repeat(units)}${end} r:id="rId1"/><!--${numbers}-->` });
    const chunks: Buffer[] = [];
    for await (const chunk of zipOf(make(1)).chunks('word/document.xml')) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(1);
    // So that the end of the first piece cuts it anywhere.
    const units = chunks[0]!.length - Buffer.concat(chunks).indexOf(end) + 1 - end.length;
    for (let cut = 0; cut < 8; cut += 1) {
      const broken = await without(make(units - cut), 'word/_rels/document.xml.rels');
      const { warnings } = await parseBytes(createDocumentParser({}), broken);
      expect(warnings.join(), `cut before its ${cut}th sign`).toContain('word/_rels/document.xml.rels');
    }
  });

  it('keeps the numbers of slides behind a missing one, and is refused where none is there', async () => {
    const bytes = makePptx({ slides: [{ title: 'one' }, { title: '二' }, { title: 'three' }] });
    const parser = createDocumentParser({});
    const broken = await parseBytes(parser, await without(bytes, 'ppt/slides/slide2.xml'));

    expect(broken.pages).toBe(3);
    expect(broken.blocks.map(({ page }) => page)).toEqual([1, 3]);
    const only = await without(makePptx({ slides: [{ title: 'one' }] }), 'ppt/slides/slide1.xml');
    await expect(parseBytes(parser, only)).rejects.toMatchObject({
      code: 'corrupt',
      message: 'The presentation is damaged: the parts of its slides are missing',
    });
  });

  it.each(silent)('says nothing of one that could not say anything: %s', async (_kind, bytes) => {
    expect((await parseBytes(createDocumentParser({}), bytes)).warnings).toEqual([]);
  });

  it('names each part once, and of many how many more there are', () => {
    const missing = createMissingParts();
    for (let count = 0; count < 25; count++) for (let again = 0; again < 1000; again++) missing.add(`part ${count}`);
    missing.add('  ');

    const named = Array.from({ length: 20 }, (_, count) => `part ${count}`).join(', ');
    expect(missing.warnings()).toEqual([`Parts that the file names and does not have: ${named} and 5 more`]);
    expect(createMissingParts().warnings()).toEqual([]);
  });
});
