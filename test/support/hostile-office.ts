/** Office files and archives that mean harm, made on the spot: small on disk, large in memory, deep, lying, broken, or calling home. */
import { constants, deflateRawSync } from 'node:zlib';
import { makeDocx, makeEpub, makeOdf, makePptx, makeXlsx, wordNamespaces, wordParagraph } from './office-writer.ts';
import { compoundFile as writeCompoundFile } from '../../src/parse/containers/compound-writer.ts';
import type { HostileFile } from './hostile-file.ts';
import { centralEntry, endRecords, makeZip, type ZipMember } from './zip-writer.ts';

const mebibyte = 1024 * 1024;

/** All of them. `canary` is an address that must never be asked for. */
export function hostileOfficeFiles(canary: string): HostileFile[] {
  return [...bombs(), ...liars(), ...deepFiles(), ...wideFiles(), ...callers(canary), ...brokenFiles()];
}

/** Deflated data of `count` times the same piece, without ever holding it: 1 GB costs a millisecond. */
export function repeatedDeflate(piece: Buffer, count: number, before = Buffer.alloc(0), after = Buffer.alloc(0)): Buffer {
  const part = (data: Buffer) => deflateRawSync(data, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
  const parts = [part(before), ...Array.from<Buffer>({ length: count }).fill(part(piece)), part(after), Buffer.from([3, 0])];
  return Buffer.concat(parts);
}

function docxWith(document: ZipMember): Buffer {
  return makeZip([{ name: '[Content_Types].xml', data: '<Types/>' }, document, { name: 'word/styles.xml', data: '<x/>' }]);
}

function bombs(): HostileFile[] {
  const start = Buffer.from(`<w:document ${wordNamespaces}><w:body>`);
  const paragraphs = Buffer.from(wordParagraph('boom').repeat(Math.floor(mebibyte / 60)));
  const quick = { ratioMax: 20 };
  // Whichever is met first: what comes out, or what is in it.
  const ratio = /^limit_exceeded: .*(?:MAX_UNPACK_RATIO|MAX_CHARACTERS|MAX_CELLS)/;
  const bomb = (name: string, data: Buffer): ZipMember => ({ name, data: '', packed: data, claims: { bytes: 100 } });
  const zeros = () => repeatedDeflate(Buffer.alloc(mebibyte), 1024);
  return [
    {
      name: '1-gb-document.docx',
      bytes: () => docxWith(bomb('word/document.xml', repeatedDeflate(paragraphs, 1024, start))),
      ends: ratio,
      quick,
    },
    { name: '1-gb-of-zeros.docx', bytes: () => docxWith(bomb('word/document.xml', zeros())), ends: ratio, quick },
    {
      name: '1-gb-sheet.xlsx',
      bytes: () => makeXlsx({ sheets: [], members: [bomb('xl/worksheets/sheet1.xml', zeros())] }),
      ends: ratio,
      quick,
    },
    {
      name: '1-gb-slide.pptx',
      bytes: () => makePptx({ slides: [], members: [bomb('ppt/slides/slide1.xml', zeros())] }),
      ends: ratio,
      quick,
    },
    {
      name: '1-gb-strings.xlsx',
      bytes: () =>
        makeZip([...zipMembersOfBook(), bomb('xl/sharedStrings.xml', repeatedDeflate(Buffer.from('<si/>'.repeat(200_000)), 1024))]),
      ends: ratio,
      quick,
    },
    {
      name: '1-gb-chapter.epub',
      bytes: () => makeEpub({ chapters: [{ body: '' }], members: [bomb('OPS/text/c1.xhtml', zeros())] }),
      ends: /^limit_exceeded: .*(?:MAX_UNPACK|the most that is read of it)/,
      quick,
    },
    {
      name: '1-gb-content.odt',
      bytes: () => makeOdf({ kind: 'text', body: '', members: [bomb('content.xml', zeros())] }),
      ends: ratio,
      quick,
    },
  ];
}

function zipMembersOfBook(): ZipMember[] {
  const ns = 'http://schemas.openxmlformats.org';
  return [
    { name: 'xl/workbook.xml', data: `<workbook xmlns="${ns}/spreadsheetml/2006/main"/>` },
    {
      name: 'xl/_rels/workbook.xml.rels',
      data: `<Relationships xmlns="${ns}/package/2006/relationships"><Relationship Id="s" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
    },
    { name: 'xl/worksheets/sheet1.xml', data: `<worksheet xmlns="${ns}/spreadsheetml/2006/main"/>` },
  ];
}

function liars(): HostileFile[] {
  const document = `<w:document ${wordNamespaces}><w:body>${wordParagraph('text')}</w:body></w:document>`;
  const member: ZipMember = { name: 'word/document.xml', data: document, claims: { bytes: 0xfffffff0 } };
  return [
    { name: 'says-4-gb.docx', bytes: () => docxWith(member), ends: 'read' },
    { name: 'overlapping.docx', bytes: () => overlapping(document), ends: /^corrupt: The entries of the archive overlap/ },
    {
      name: '20000-entries.docx',
      bytes: () =>
        makeDocx({
          paragraphs: ['x'],
          members: Array.from({ length: 20_000 }, (_, at) => ({ name: `junk/${at}`, data: '', stored: true })),
        }),
      ends: /^limit_exceeded: .*MAX_ARCHIVE_ENTRIES/,
    },
    {
      name: 'names-that-leave.docx',
      bytes: () => makeDocx({ paragraphs: ['x'], members: [{ name: '../../etc/passwd', data: 'x' }] }),
      ends: 'read',
    },
  ];
}

/** A thousand names for the same bytes. */
function overlapping(document: string): Buffer {
  const member: ZipMember = { name: 'word/document.xml', data: document };
  const one = makeZip([member]);
  const local = one.subarray(0, one.indexOf('PK\x01\x02'));
  const entries = Array.from({ length: 1000 }, (_, at) =>
    centralEntry(at === 0 ? member : { ...member, name: `word/${at}.xml` }, 0),
  );
  const directory = Buffer.concat(entries);
  return Buffer.concat([local, directory, endRecords(entries.length, directory.length, local.length)]);
}

function noise(index: number): string {
  return ((index * 2_654_435_761) % 4_294_967_296).toString(36);
}

function deepFiles(): HostileFile[] {
  // Noise in the first tag of each level keeps the unpack ratio honest, so that nesting is what is met.
  const deep = (open: string, close: string, inner: string) =>
    Array.from({ length: 100_000 }, (_, at) => open.replace('>', ` k="${noise(at)}${noise(at + 7)}">`)).join('') +
    inner +
    close.repeat(100_000);
  const nesting = /^limit_exceeded: .*MAX_NESTING/;
  const tables = () => deep('<w:tbl><w:tr><w:tc>', '</w:tc></w:tr></w:tbl>', wordParagraph('deep'));
  const shapes = () => deep('<p:grpSp>', '</p:grpSp>', '');
  const list = () => deep('<text:list><text:list-item>', '</text:list-item></text:list>', '<text:p>deep</text:p>');
  return [
    { name: '100000-deep-tables.docx', bytes: () => makeDocx({ body: tables() }), ends: nesting },
    {
      name: '100000-deep-controls.docx',
      bytes: () => makeDocx({ body: deep('<w:sdt><w:sdtContent>', '</w:sdtContent></w:sdt>', '') }),
      ends: nesting,
    },
    {
      name: '100000-deep-styles.docx',
      bytes: () => makeDocx({ paragraphs: ['x'], styles: deep('<w:style>', '</w:style>', '') }),
      ends: nesting,
    },
    { name: '100000-deep-groups.pptx', bytes: () => makePptx({ slides: [{ shapes: shapes() }] }), ends: nesting },
    { name: '100000-deep-lists.odt', bytes: () => makeOdf({ kind: 'text', body: list() }), ends: nesting },
    {
      name: '100000-deep-rows.xlsx',
      bytes: () => makeXlsx({ sheets: [{ name: 'S', rows: [], sheetData: deep('<row>', '</row>', '') }] }),
      ends: nesting,
    },
    {
      name: '100000-deep-lists.epub',
      bytes: () => makeEpub({ chapters: [{ body: deep('<ul><li>', '</li></ul>', 'deep') }] }),
      ends: 'read',
    },
    {
      name: '100000-deep-tables.epub',
      bytes: () => makeEpub({ chapters: [{ body: deep('<table><tr><td>', '</td></tr></table>', 'deep') }] }),
      ends: 'read',
    },
  ];
}

function wideFiles(): HostileFile[] {
  const corner = (row: number, column: string) => `<row r="${row}"><c r="${column}${row}"><v>1</v></c></row>`;
  const longText = () => Array.from({ length: 30_000 }, (_, at) => noise(at)).join(' ');
  const references = () => Array.from({ length: 2000 }, (_, at) => `<row r="${at + 1}"><c t="s"><v>0</v></c></row>`).join('');
  const distinct = () => Array.from({ length: 400_000 }, (_, at) => `<c><v>${at}</v></c>`).join('');
  const loop = (id: string, base: string) => `<w:style w:type="paragraph" w:styleId="${id}"><w:basedOn w:val="${base}"/></w:style>`;
  const cell = `<w:tc><w:tcPr><w:gridSpan w:val="2147483647"/><w:vMerge/></w:tcPr>${wordParagraph('wide')}</w:tc>`;
  return [
    {
      name: 'sparse.xlsx',
      bytes: () =>
        makeXlsx({
          sheets: [
            {
              name: 'S',
              rows: [],
              sheetData: `<sheetData>${corner(1, 'A')}${corner(1_048_576, 'XFD')}</sheetData>`,
              merged: ['A1:XFD1048576'],
            },
          ],
        }),
      ends: 'read',
    },
    {
      name: 'shared-strings.xlsx',
      bytes: () =>
        makeXlsx({
          sheets: [{ name: 'S', rows: [], sheetData: `<sheetData>${references()}</sheetData>` }],
          sharedStrings: `<si><t>${longText()}</t></si>`,
        }),
      ends: 'read',
    },
    {
      name: 'one-wide-row.xlsx',
      bytes: () =>
        makeXlsx({ sheets: [{ name: 'S', rows: [], sheetData: `<sheetData><row r="1">${distinct()}</row></sheetData>` }] }),
      ends: 'read',
    },
    {
      name: 'repeated-rows.ods',
      bytes: () =>
        makeOdf({
          kind: 'spreadsheet',
          body: '<table:table><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row></table:table>',
        }),
      ends: /^limit_exceeded: .*MAX_CELLS/,
      quick: { cellsMax: 100_000 },
    },
    { name: 'span-of-2-billion.docx', bytes: () => makeDocx({ body: `<w:tbl><w:tr>${cell}${cell}</w:tr></w:tbl>` }), ends: 'read' },
    {
      name: 'styles-in-a-circle.docx',
      bytes: () => makeDocx({ paragraphs: [{ text: 'x', style: 'a' }], styles: loop('a', 'b') + loop('b', 'a') }),
      ends: 'read',
    },
    {
      name: 'million-attributes.docx',
      bytes: () => makeDocx({ body: `<w:p ${Array.from({ length: 100_000 }, (_, at) => `k${noise(at)}="${at}"`).join(' ')}/>` }),
      ends: /^corrupt: .*attributes/,
    },
    {
      name: 'endless-attribute.docx',
      bytes: () => makeDocx({ body: `<w:p k="${Array.from({ length: 3_000_000 }, (_, at) => noise(at)).join('')}` }),
      ends: /^corrupt: .*one tag or comment/,
    },
    {
      name: 'blanks.docx',
      bytes: () => makeDocx({ paragraphs: [`a${' '.repeat(200_000)}b`, `$x$${' '.repeat(200_000)}!`] }),
      ends: 'read',
    },
    {
      name: 'open-fields.docx',
      bytes: () =>
        makeDocx({
          body: `<w:p>${Array.from({ length: 50_000 }, (_, at) => `<w:r k="${noise(at)}"><w:fldChar w:fldCharType="begin"/></w:r>`).join('')}</w:p>${wordParagraph('after')}`,
        }),
      ends: 'read',
    },
  ];
}

/** Files that ask for something from elsewhere: entities, pictures, templates, data, pages. */
function callers(canary: string): HostileFile[] {
  const external = (id: string, type: string) => ({ id, type, target: `${canary}/${type}`, external: true });
  const declared = (dtd: string, text: string) =>
    makeZip([
      {
        name: 'word/document.xml',
        data: `<?xml version="1.0"?><!DOCTYPE x [${dtd}]><w:document ${wordNamespaces}><w:body>${wordParagraph('')}${text}</w:body></w:document>`,
      },
    ]);
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('');
  const refused = /^corrupt: .*declares XML entities/;
  return [
    { name: 'laughs.docx', bytes: () => declared(`<!ENTITY l0 "ha">${laughs}`, '&l9;'), ends: refused },
    { name: 'xxe.docx', bytes: () => declared(`<!ENTITY x SYSTEM "${canary}/xxe">`, '&x;'), ends: refused },
    { name: 'xxe-file.docx', bytes: () => declared('<!ENTITY x SYSTEM "file:///etc/passwd">', '&x;'), ends: refused },
    { name: 'xxe-parameter.docx', bytes: () => declared(`<!ENTITY % x SYSTEM "${canary}/dtd">%x;`, ''), ends: refused },
    {
      name: 'external-dtd.docx',
      bytes: () =>
        makeZip([
          {
            name: 'word/document.xml',
            data: `<!DOCTYPE x SYSTEM "${canary}/dtd"><w:document ${wordNamespaces}><w:body>${wordParagraph('x')}</w:body></w:document>`,
          },
        ]),
      ends: 'read',
    },
    {
      name: 'external-parts.docx',
      bytes: () =>
        makeDocx({
          paragraphs: ['x'],
          body: '<w:altChunk r:id="a"/><w:p><w:r><w:drawing><c:chart r:id="c"/><a:blip r:link="i"/></w:drawing></w:r></w:p>',
          relationships: [
            external('a', 'aFChunk'),
            external('c', 'chart'),
            external('i', 'image'),
            external('t', 'attachedTemplate'),
            external('n', 'footnotes'),
          ],
        }),
      ends: 'read',
    },
    {
      name: 'external-data.xlsx',
      bytes: () =>
        makeXlsx({
          sheets: [
            {
              name: 'S',
              rows: [['x', { xml: `<f>WEBSERVICE("${canary}")</f><v>1</v>` }]],
              relationships: [external('d', 'drawing')],
            },
          ],
        }),
      ends: 'read',
    },
    {
      name: 'external-media.pptx',
      bytes: () => makePptx({ slides: [{ title: 'x', relationships: [external('m', 'notesSlide')] }] }),
      ends: 'read',
    },
    {
      name: 'external-objects.odt',
      bytes: () =>
        makeOdf({ kind: 'text', body: `<text:p>x<draw:frame><draw:object xlink:href="${canary}/o"/></draw:frame></text:p>` }),
      ends: 'read',
    },
    {
      name: 'external-content.epub',
      bytes: () =>
        makeEpub({
          chapters: [{ body: `<p>x</p><img src="${canary}/i"/><iframe src="${canary}/f"></iframe><link href="${canary}/c"/>` }],
        }),
      ends: 'read',
    },
  ];
}

function brokenFiles(): HostileFile[] {
  const part = (file: Buffer, share: number) => file.subarray(0, file.length * share);
  const whole = () => makeDocx({ paragraphs: Array.from({ length: 200 }, (_, at) => `Paragraph ${at} of some length`) });
  const book = () => makeXlsx({ sheets: [{ name: 'S', rows: Array.from({ length: 200 }, (_, at) => [at, `text ${at}`]) }] });
  const noiseBytes = () => Buffer.from(Array.from({ length: 50_000 }, (_, at) => (at * 2_654_435_761) >>> 24));
  return [
    { name: 'half.docx', bytes: () => part(whole(), 0.5), ends: 'read' },
    { name: 'tenth.docx', bytes: () => part(whole(), 0.1), ends: /^corrupt: / },
    { name: 'no-directory.docx', bytes: () => whole().subarray(0, whole().indexOf('PK\x01\x02')), ends: 'read' },
    { name: 'half.xlsx', bytes: () => part(book(), 0.5), ends: 'read' },
    {
      name: 'noise.docx',
      bytes: () => Buffer.concat([Buffer.from('PK\x03\x04'), noiseBytes()]),
      ends: /^(?:corrupt|unsupported_format|no_text): /,
    },
    { name: 'protected.docx', bytes: () => compoundFile(['EncryptionInfo', 'EncryptedPackage']), ends: /^(?:encrypted|corrupt): / },
    { name: 'old.doc', bytes: () => compoundFile(['WordDocument', '1Table']), ends: /^corrupt: The document is damaged/ },
    {
      name: 'protected.odt',
      bytes: () =>
        makeOdf({
          kind: 'text',
          body: '',
          members: [
            {
              name: 'META-INF/manifest.xml',
              data: '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>',
            },
          ],
        }),
      ends: /^encrypted: /,
    },
    { name: 'zip-password.docx', bytes: () => docxWith({ name: 'word/document.xml', data: 'x', flags: 1 }), ends: /^encrypted: / },
  ];
}

/** An OLE compound file with these streams in its root, each of one byte. */
export function compoundFile(streams: readonly string[]): Buffer {
  return writeCompoundFile({ streams: Object.fromEntries(streams.map((name) => [name, Buffer.alloc(1)])) });
}
