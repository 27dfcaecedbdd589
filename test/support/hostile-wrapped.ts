/** Archives, mailboxes, wrappers and files with files in them that mean harm: bombs, files inside of themselves, sizes that lie, halves. */
import { gzipSync } from 'node:zlib';
import { makeEnveloped, makeOlePackage, makeTar, tarEntry } from './archive-writer.ts';
import type { HostileFile } from './hostile-file.ts';
import { agileEncrypted } from './encrypted-office.ts';
import { makeDocx, makeFlatOdf, makeOdf } from './office-writer.ts';
import { createLzmaEncoder, lzma2Chunk, usualSettings } from './lzma-encoder.ts';
import { makePdf } from './pdf-writer.ts';
import { byte, filesOf, makeSevenZip, number, sevenZipOf, streamsOf, type WrittenFolder } from './seven-zip-writer.ts';
import { makeZip } from './zip-writer.ts';

const mebibyte = 1024 * 1024;
const text = Buffer.from('Some text.');
const said = /^(?:read|corrupt: |no_text: |limit_exceeded: |unsupported_format: |encrypted: )/;

export function hostileWrappedFiles(): HostileFile[] {
  return [
    ...archives(),
    ...mailboxes(),
    ...wrappers(),
    ...lines(),
    ...officeXml(),
    ...flatOpenDocument(),
    ...books(),
    ...objects(),
  ];
}

/** The same file in a file, `depth` times. */
function nested(depth: number, inner: Buffer, wrap: (bytes: Buffer) => Buffer): Buffer {
  let bytes = inner;
  for (let level = 0; level < depth; level++) bytes = wrap(bytes);
  return bytes;
}

function archives(): HostileFile[] {
  const zipOf = (bytes: Buffer): Buffer => makeZip([{ name: 'in.zip', data: bytes }]);
  const tarOf = (bytes: Buffer): Buffer => makeTar([{ name: 'in.tar', data: bytes }]);
  return [
    {
      name: '40-mb-of-zeros.zip',
      bytes: () => makeZip([{ name: 'a.txt', data: Buffer.alloc(40 * mebibyte, 'a ') }]),
      ends: /^(?:no_text|limit_exceeded): .*MAX_UNPACK_RATIO/s,
      quick: { unpackedBytesMax: 16 * mebibyte },
    },
    { name: 'zip-in-zip-40-deep.zip', bytes: () => nested(40, makeZip([{ name: 'a.txt', data: text }]), zipOf), ends: said },
    { name: 'tar-in-tar-40-deep.tar', bytes: () => nested(40, makeTar([{ name: 'a.txt', data: text }]), tarOf), ends: said },
    {
      name: '2000-files.zip',
      bytes: () => makeZip(Array.from({ length: 2000 }, (_, at) => ({ name: `${at}.txt`, data: text }))),
      ends: 'read',
    },
    {
      name: 'half.zip',
      bytes: () =>
        makeZip([
          { name: 'a.txt', data: text },
          { name: 'b.txt', data: text },
        ]).subarray(0, 70),
      ends: said,
    },
    { name: 'says-8-gb.tar', bytes: () => Buffer.concat(tarEntry('a.txt', '0', text, 8 * 1024 * mebibyte - 1)), ends: said },
    { name: 'half.tar', bytes: () => makeTar([{ name: 'a.txt', data: Buffer.alloc(5000, 'a ') }]).subarray(0, 2000), ends: said },
    {
      name: 'no-end-of-names.tar',
      bytes: () => Buffer.concat(tarEntry('././@LongLink', 'L', Buffer.alloc(mebibyte, 'n'))),
      ends: said,
    },
    {
      name: '40-mb-of-zeros.gz',
      bytes: () => gzipSync(Buffer.alloc(40 * mebibyte)),
      ends: /^(?:limit_exceeded|no_text|corrupt|unsupported_format): /,
      quick: { unpackedBytesMax: 16 * mebibyte },
    },
    {
      name: 'nothing-but-a-head.7z',
      bytes: () => Buffer.from('377abcaf271c0004ffffffffffffffffffffffff', 'hex'),
      ends: /^corrupt: The 7z archive/,
    },
    ...sevenZips(),
  ];
}

function sevenZips(): HostileFile[] {
  /** One file, packed by `coders`, which say what they like. */
  const claiming = (coders: WrittenFolder['coders'], packed: Buffer = text): Buffer => {
    const { bytes } = coders[0]!;
    const streams =
      bytes > 2 ** 30
        ? [
            { bytes: 4, crc: 0 },
            { bytes: bytes - 4, crc: 0 },
          ]
        : [{ bytes, crc: 0 }];
    const named = filesOf(streams.map((_, at) => ({ name: `${at}.txt`, data: text })));
    const folder = { coders, packedBytes: packed.length, streams };
    return sevenZipOf(packed, Buffer.concat([byte(1, 4), streamsOf(0, [folder]), named, byte(0)]));
  };
  const coder = (id: string, properties: string, bytes: number): WrittenFolder['coders'][number] => {
    return { id, properties: Buffer.from(properties, 'hex'), bytes };
  };
  const whole = makeSevenZip(
    [
      { name: 'a.txt', data: text },
      { name: 'b.txt', data: 'more' },
    ],
    { packedList: true },
  );
  const cuts = Array.from({ length: whole.length - 2 }, (_, at) => at + 2);
  const sevenOf = (bytes: Buffer): Buffer => makeSevenZip([{ name: 'in.7z', data: bytes }]);
  return [
    {
      name: '40-mb-of-zeros.7z',
      bytes: () => claiming([coder('21', '18', 40_000_000)], lzma2OfZeros(40)),
      ends: /^(?:no_text|limit_exceeded): .*MAX_UNPACK_RATIO/s,
    },
    {
      name: '40-mb-of-zeros-by-bzip2.7z',
      bytes: () => claiming([coder('040202', '', 40_000_000)], bzip2OfZeros),
      ends: /^(?:no_text|limit_exceeded): .*MAX_UNPACK_RATIO/s,
    },
    { name: '7z-in-7z-40-deep.7z', bytes: () => nested(40, whole, sevenOf), ends: said },
    { name: 'dictionary-of-4-gb.7z', bytes: () => claiming([coder('21', '28', 2 ** 50)]), ends: /^no_text: .*dictionary/ },
    {
      name: 'dictionary-of-4-gb-lzma.7z',
      bytes: () => claiming([coder('030101', '5dffffffff', 2 ** 40)]),
      ends: /^no_text: .*dictionary/,
    },
    { name: 'memory-of-4-gb.7z', bytes: () => claiming([coder('030401', '40ffffffff', 1000)]), ends: /^no_text: .*dictionary/ },
    { name: 'says-4-gb.7z', bytes: () => claiming([coder('00', '', 2 ** 32)]), ends: 'read' },
    {
      name: 'rounds-2-to-the-62.7z',
      bytes: () => claiming([coder('00', '', 16), coder('06f10701', '3e00', 16)]),
      ends: /^encrypted: /,
    },
    {
      name: 'thirty-dictionaries.7z',
      bytes: () => claiming(Array.from({ length: 30 }, () => coder('21', '18', 2 ** 24))),
      ends: /^no_text: .*dictionary/,
    },
    {
      name: 'counts-beyond-all.7z',
      bytes: () => sevenZipOf(text, Buffer.concat([byte(1, 4, 6, 0), number(2n ** 62n), byte(9)])),
      ends: /^corrupt: /,
    },
    {
      name: 'files-beyond-all.7z',
      bytes: () => sevenZipOf(text, Buffer.concat([byte(1, 5), number(2 ** 50)])),
      ends: /^limit_exceeded: .*MAX_ARCHIVE_ENTRIES/,
    },
    {
      name: 'circle.7z',
      bytes: () => sevenZipOf(text, byte(0x17, 6, 0, 1, 9, 1, 0, 7, 11, 1, 0, 3, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 12, 1, 1, 1, 0, 0)),
      ends: /^corrupt: /,
    },
    {
      name: 'cut-everywhere.zip',
      bytes: () =>
        makeZip([{ name: 'a.txt', data: text }, ...cuts.map((at) => ({ name: `${at}.7z`, data: whole.subarray(0, at) }))]),
      ends: 'read',
    },
    { name: 'half.7z', bytes: () => whole.subarray(0, whole.length / 2), ends: /^corrupt: / },
  ];
}

/** `head -c 40000000 /dev/zero | bzip2 -9`. */
const bzip2OfZeros = Buffer.from('QlpoOTFBWSZTWdjs3f4BMl9ACMAAABAACCAAMMwJqmmgSlFbUBKUV4u5IpwoSGx2bv8A', 'base64');

/** Packed as tightly as LZMA2 can, two million at a time. */
function lzma2OfZeros(millions: number): Buffer {
  const encoder = createLzmaEncoder(usualSettings);
  encoder.write({ byte: 0 });
  while (encoder.unpacked.length < 2_000_000 - 273) encoder.write({ repeat: 0, length: 273 });
  while (encoder.unpacked.length < 2_000_000) encoder.write('again');
  const chunk = lzma2Chunk(0xe0, { bytes: 2_000_000, packed: encoder.flush() });
  return Buffer.concat([...Array.from({ length: millions / 2 }, () => chunk), Buffer.from([0])]);
}

function mailboxes(): HostileFile[] {
  const mail = 'From a@example.org Thu Jan  1 00:00:00 2026\nFrom: a@example.org\nTo: b@example.org\nSubject: s\n\ntext\n\n';
  const attached = (bytes: Buffer): Buffer =>
    Buffer.from(
      `From: a@example.org\nTo: b@example.org\nSubject: s\nMIME-Version: 1.0\nContent-Type: application/mbox\nContent-Transfer-Encoding: base64\n\n${bytes.toString('base64')}\n`,
    );
  return [
    {
      name: '20000-mails.mbox',
      bytes: () => Buffer.from(mail.repeat(20_000)),
      ends: /^(?:read|limit_exceeded: )/,
      quick: { entriesMax: 200 },
    },
    {
      name: 'nothing-but-separators.mbox',
      bytes: () => Buffer.from('From a@example.org Thu Jan  1 00:00:00 2026\n\n'.repeat(20_000)),
      ends: said,
    },
    { name: 'half.mbox', bytes: () => Buffer.from(mail.repeat(3)).subarray(0, 300), ends: said },
    { name: 'mail-in-mailbox-20-deep.eml', bytes: () => nested(20, Buffer.from(mail), attached), ends: said },
  ];
}

/** Lengths of DER and TNEF are their writer's word. */
function wrappers(): HostileFile[] {
  const signed = Buffer.from(
    '3080 0609 2a864886f70d010702 a080 3080 020101 3100 3080 0609 2a864886f70d010701 a080 2480'.replaceAll(' ', ''),
    'hex',
  );
  const tnef = Buffer.from('789f3e220100', 'hex');
  const attribute = (length: number): Buffer => {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(1, 0);
    bytes.writeUInt32LE(0x0006_9003, 1);
    bytes.writeUInt32LE(length, 5);
    return bytes;
  };
  return [
    { name: 'endless.p7m', bytes: () => Buffer.concat([signed, Buffer.from('2480'.repeat(50_000), 'hex')]), ends: said },
    {
      name: 'says-4-gb.p7m',
      bytes: () => Buffer.concat([Buffer.from('3084ffffffff06092a864886f70d010702', 'hex'), text]),
      ends: said,
    },
    { name: 'half.p7m', bytes: () => signed, ends: said },
    { name: 'says-4-gb.dat', bytes: () => Buffer.concat([tnef, attribute(0xffff_ffff), text]), ends: said },
    {
      name: '50000-empty-attributes.dat',
      bytes: () => Buffer.concat([tnef, ...Array.from({ length: 50_000 }, () => Buffer.concat([attribute(0), Buffer.alloc(2)]))]),
      ends: said,
    },
    {
      name: 'attached-20-deep.pdf',
      bytes: () =>
        nested(20, makePdf({ pages: [['x']] }), (data) => makePdf({ pages: [['x']], files: [{ name: 'in.pdf', data }] })),
      ends: 'read',
    },
    {
      name: '60-mb-attached.pdf',
      bytes: () => makePdf({ pages: [['x']], files: [{ name: 'a.txt', data: Buffer.alloc(60 * mebibyte, 'a ') }] }),
      ends: /^(?:read|limit_exceeded: )/,
    },
    {
      name: 'objects-in-objects.odt',
      bytes: () =>
        makeOdf({
          kind: 'text',
          body: '<text:p>x</text:p>',
          members: Array.from({ length: 400 }, (_, at) => ({
            name: `${'Object 1/'.repeat(at + 1)}content.xml`,
            data: '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:text><text:p>x</text:p></office:text></office:body></office:document-content>',
          })),
        }),
      ends: 'read',
    },
  ];
}

function lines(): HostileFile[] {
  return [
    {
      name: 'one-line-of-a-megabyte.ics',
      bytes: () => Buffer.from(`BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE;${'A="'.repeat(300_000)}:x\nSUMMARY:s\n`),
      ends: said,
    },
    {
      name: '200000-attendees.ics',
      bytes: () => Buffer.from(`BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:s\n${'ATTENDEE;CN=a:b\n'.repeat(200_000)}`),
      ends: 'read',
    },
    {
      name: 'events-in-events.ics',
      bytes: () => Buffer.from(`BEGIN:VCALENDAR\n${'BEGIN:VEVENT\n'.repeat(100_000)}SUMMARY:s\n`),
      ends: said,
    },
    {
      name: 'endless-fold.vcf',
      bytes: () => Buffer.from(`BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:${'=E5=\n'.repeat(100_000)}`),
      ends: said,
    },
  ];
}

function officeXml(): HostileFile[] {
  const flat = (inside: string): Buffer =>
    Buffer.from(
      `<?xml version="1.0"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">${inside}</pkg:package>`,
    );
  return [
    { name: 'no-parts.xml', bytes: () => flat(''), ends: /^corrupt: / },
    {
      name: '20000-parts.xml',
      bytes: () => flat('<pkg:part pkg:name="/a"><pkg:xmlData/></pkg:part>'.repeat(20_000)),
      ends: /^limit_exceeded: .*MAX_ARCHIVE_ENTRIES/,
    },
    {
      name: 'part-without-end.xml',
      bytes: () => flat(`<pkg:part pkg:name="/word/document.xml"><pkg:xmlData>${'<a>'.repeat(100_000)}`),
      ends: said,
    },
    {
      name: 'far-cells.xml',
      bytes: () =>
        Buffer.from(
          `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>${'<Row ss:Index="1048576"><Cell ss:Index="16384" ss:MergeAcross="99999" ss:MergeDown="9999999"><Data ss:Type="String">x</Data></Cell></Row>'.repeat(2000)}</Table></Worksheet></Workbook>`,
        ),
      ends: said,
    },
    { name: 'outlines-5000-deep.opml', bytes: () => Buffer.from(`<opml><body>${'<outline text="a">'.repeat(5000)}`), ends: said },
    { name: 'texts-in-texts.svg', bytes: () => Buffer.from(`<svg>${'<text>a'.repeat(100_000)}`), ends: said },
    { name: 'items-in-items.rss', bytes: () => Buffer.from(`<rss><channel>${'<item><title>a'.repeat(50_000)}`), ends: said },
  ];
}

const nesting = /^(?:read|limit_exceeded: .*MAX_NESTING)/;

function flatOpenDocument(): HostileFile[] {
  const text = (body: string): Buffer => Buffer.from(makeFlatOdf({ kind: 'text', body }));
  const sheet = (body: string): Buffer =>
    Buffer.from(makeFlatOdf({ kind: 'spreadsheet', body: `<table:table>${body}</table:table>` }));
  const slides = (body: string): Buffer => Buffer.from(makeFlatOdf({ kind: 'presentation', body }));
  const laughs = Array.from({ length: 10 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('');
  return [
    {
      name: '100000-deep-lists.fodt',
      bytes: () => text('<text:list><text:list-item>'.repeat(100_000)),
      ends: /^(?:limit_exceeded|corrupt): /,
    },
    {
      name: 'half.fodt',
      bytes: () => text('<text:p>some text</text:p>'.repeat(2000)).subarray(0, 20_000),
      ends: said,
    },
    {
      name: 'laughs.fodt',
      bytes: () =>
        Buffer.from(
          text('<text:p>&l10;</text:p>')
            .toString()
            .replace('<office:document ', `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]><office:document `),
        ),
      ends: said,
    },
    {
      name: 'repeated-rows.fods',
      bytes: () =>
        sheet(
          '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row>'.repeat(
            50,
          ),
        ),
      ends: /^(?:read|limit_exceeded: )/,
    },
    {
      name: '100000-deep-groups.fodp',
      bytes: () => slides(`<draw:page>${'<draw:g>'.repeat(100_000)}`),
      ends: /^(?:limit_exceeded|corrupt|no_text): /,
    },
    { name: '50000-pages.fodp', bytes: () => slides('<draw:page/>'.repeat(50_000)), ends: /^(?:limit_exceeded|no_text): / },
    {
      name: '100000-deep-groups.odp',
      bytes: () => {
        // Names that differ: it packs no better than files do that are read.
        const groups = Array.from({ length: 100_000 }, (_, at) => `<draw:g draw:name="${(at * 7919) % 100_003}">`).join('');
        return makeOdf({ kind: 'presentation', body: `<draw:page>${groups}${'</draw:g>'.repeat(100_000)}</draw:page>` });
      },
      ends: nesting,
    },
  ];
}

function books(): HostileFile[] {
  const book = (body: string): Buffer =>
    Buffer.from(`<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><body>${body}`);
  return [
    { name: 'sections-100000-deep.fb2', bytes: () => book('<section><title><p>t</p></title>'.repeat(100_000)), ends: said },
    { name: 'half-a-picture.fb2', bytes: () => book(`<p>text</p></body><binary id="p">${'QUJD'.repeat(mebibyte)}`), ends: 'read' },
    {
      name: 'notes-of-notes.fb2',
      bytes: () => book('<p>text <a type="note" href="#n">1</a></p><section id="n">'.repeat(20_000)),
      ends: said,
    },
  ];
}

/** Objects inside of documents, and files under passwords: what their heads say is their writer's word too. */
function objects(): HostileFile[] {
  const ole = (bytes: Buffer): Buffer => makeOlePackage('in.bin', bytes);
  const locked = (password: string): Buffer => agileEncrypted(makeDocx({ paragraphs: ['x'] }), password);
  return [
    { name: 'object-in-object-30-deep.bin', bytes: () => nested(30, makeOlePackage('a.txt', text), ole), ends: said },
    { name: 'half.bin', bytes: () => makeOlePackage('a.txt', Buffer.alloc(100_000, 'a ')).subarray(0, 3000), ends: said },
    { name: 'locked.docx', bytes: () => locked('a secret'), ends: /^encrypted: / },
    {
      name: 'half-locked.docx',
      bytes: () => locked('VelvetSweatshop').subarray(0, 2048),
      ends: /^(?:corrupt|encrypted|unsupported_format): /,
    },
    { name: 'for-another.p7m', bytes: () => makeEnveloped(), ends: /^encrypted: / },
  ];
}
