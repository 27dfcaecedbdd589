/** What archives, mailboxes, signatures and other files around files are made of, and documents that are one file of XML. */
import { gzipSync } from 'node:zlib';
import { makeOlePackage, makeTnef, tarEntry } from '../archive-writer.ts';
import { agileEncrypted } from '../encrypted-office.ts';
import { makeDocx, makeFlatOdf } from '../office-writer.ts';
import { makeSevenZip } from '../seven-zip-writer.ts';
import type { Grammar } from './grammars.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
const entry = (name: string, type: string, data: string): string =>
  Buffer.concat(tarEntry(name, type, Buffer.from(data))).toString('latin1');

const mbox: Grammar = {
  filename: 'a.mbox',
  parts: {
    box: [
      'From a@b.c Mon Jun  1 10:00:00 2009⏎',
      'From a@b.c Mon Jun  1 10:00:00 2009⏎From: a@b.c⏎To: d@e.f⏎Subject: ¤⏎⏎a⏎⏎',
      'From ¤⏎',
      '>From a⏎',
      'Content-Type: multipart/mixed; boundary=b⏎',
      '--b⏎',
      '¤⏎',
      '⏎',
    ],
  },
  make: (text) => Buffer.from(`From a@b.c Mon Jun  1 10:00:00 2009\nFrom: a@b.c\nTo: d@e.f\nSubject: s\n\ntext\n\n${text('box')}`),
};

/** A signature around octets, of which no length is said: they go on as long as the file does. */
const cms: Grammar = {
  filename: 'a.p7m',
  parts: {
    octets: [
      '\x04\x02a ',
      '\x04\x05some ',
      '\x24\x80',
      '\0\0',
      '\x24\x80\x04\x01a\0\0',
      '\x30\x80',
      '\x04\x84\xff\xff\xff\xff',
      '\x04\0',
    ],
  },
  make: (text) =>
    Buffer.concat([
      Buffer.from('308006092a864886f70d010702a08030800201013100308006092a864886f70d010701a0802480', 'hex'),
      bytesOf('\x04\x05text '),
      bytesOf(text('octets')),
    ]),
};

const tnef: Grammar = {
  filename: 'winmail.dat',
  parts: {
    attributes: [
      '\x02\x02\x90\x06\0\0\0\0\0\0\0',
      '\x01\x0c\x80\x02\0\x02\0\0\0a \0\0',
      '\x02\x10\x80\x01\0\x02\0\0\0a\0\0\0',
      '\x02\x0f\x80\x06\0\x02\0\0\0a \0\0',
      '\x01\0\0\0\0\xff\xff\xff\xff',
      '\x01\x03\x90\x06\0\x04\0\0\0\xff\xff\xff\xff\0\0',
    ],
  },
  make: (text) =>
    Buffer.concat([makeTnef('S', 'text', [{ name: 'a.txt', data: Buffer.from('text') }]), bytesOf(text('attributes'))]),
};

const tar: Grammar = {
  filename: 'a.tar',
  parts: {
    members: [
      entry('a.txt', '0', 'a'),
      entry('a/', '5', ''),
      entry('pax', 'x', '12 path=abc\n'),
      entry('././@LongLink', 'L', 'name\0'),
      entry('link', '2', ''),
      '\0'.repeat(512),
    ],
  },
  make: (text) => Buffer.concat([Buffer.concat(tarEntry('a.txt', '0', Buffer.from('text'))), bytesOf(text('members'))]),
};

/** Each ends in a separator of paragraphs; its name stands before a sign. */
function membersOf(text: string): { name: string; data: string }[] {
  return text.split('\u2029').map((member) => {
    const [name = '', data = ''] = member.split('=', 2);
    return { name, data };
  });
}

const sevenZip: Grammar = {
  filename: 'a.7z',
  parts: {
    content: ['a', '\n', 'text ', '漢字。', 'aaaaaaaaaaaaaaaa', '№ ', '¤'],
    // Of no more files than are allowed in a file of some 100 KB.
    members: [`a№.txt=${'text '.repeat(20)}\u2029`, `${'name/'.repeat(10)}№=text\u2029`, `=${'a'.repeat(50)}\u2029`],
    lists: ['\0\0', '\x19\0', '\x19\x02\0\0', '\x0e\x01\x80', '\xff', '\x11\x03\0a\0'],
  },
  make: (text) => {
    const members = membersOf(text('members'));
    const files = [{ name: 'a.txt', data: `text\n${text('content')}` }, ...members];
    return makeSevenZip(files, { method: 'copy', moreOfList: bytesOf(text('lists')) });
  },
};

const gzip: Grammar = {
  filename: 'a.tgz',
  parts: { members: tar.parts['members']! },
  // Stored, so that its size is that of what is in it.
  make: (text) => gzipSync(tar.make(text), { level: 0 }),
};

const inPlainText = ['a', 'a⏎', '⏎⏎', '¤', '# ¤⏎'];

const olePackage: Grammar = {
  filename: 'object.bin',
  parts: { file: inPlainText, name: ['a', '\\', ' '] },
  make: (text) => makeOlePackage(`a${text('name')}.txt`, Buffer.from(`text\n${text('file')}`)),
};

const encrypted: Grammar = {
  filename: 'a.docx',
  parts: { body: ['<w:p><w:r><w:t>¤</w:t></w:r></w:p>', '<w:p>', '</w:p>', '<w:tbl>', '¤'] },
  make: (text) => agileEncrypted(makeDocx({ body: text('body') }), 'VelvetSweatshop', 1),
};

const officeXml: Grammar = {
  filename: 'a.xml',
  parts: {
    body: [
      '<w:p><w:r><w:t>¤</w:t></w:r></w:p>',
      '<w:p><w:pPr><w:listPr><w:ilvl w:val="0"/><w:ilfo w:val="1"/></w:listPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>',
      '<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>',
      '<w:tbl>',
      '<w:p>',
      '</w:p>',
      '<wx:sect>',
      '<w:binData w:name="№">QUJD</w:binData>',
    ],
    lists: [
      '<w:listDef w:listDefId="№">',
      '<w:list w:ilfo="1"><w:ilst w:val="0"/></w:list>',
      '<w:lvl w:ilvl="0"><w:lvlText w:val="%1"/></w:lvl>',
    ],
  },
  make: (text) =>
    Buffer.from(
      `<w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml" xmlns:wx="x"><w:lists>${text('lists')}</w:lists><w:body><w:p><w:r><w:t>a</w:t></w:r></w:p>${text('body')}`,
    ),
};

const officePackage: Grammar = {
  filename: 'a.xml',
  parts: {
    parts: [
      '<pkg:part pkg:name="/a№.bin"><pkg:binaryData>QUJD</pkg:binaryData></pkg:part>',
      '<pkg:part pkg:name="/word/a№.xml"><pkg:xmlData><a>¤</a></pkg:xmlData></pkg:part>',
      '<pkg:part>',
      '<pkg:xmlData>',
      '</pkg:part>',
      '¤',
    ],
    body: ['<w:p><w:r><w:t>¤</w:t></w:r></w:p>', '<w:p>', '</w:p>'],
  },
  make: (text) =>
    Buffer.from(
      '<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage"><pkg:part pkg:name="/word/document.xml"><pkg:xmlData>' +
        `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${text('body')}</w:body></w:document></pkg:xmlData></pkg:part>${text('parts')}</pkg:package>`,
    ),
};

const sheetXml: Grammar = {
  filename: 'a.xml',
  parts: {
    rows: [
      '<Row>',
      '</Row>',
      '<Cell><Data ss:Type="String">¤</Data></Cell>',
      '<Cell ss:Index="9" ss:MergeAcross="3" ss:MergeDown="9"><Data ss:Type="Number">1</Data></Cell>',
      '<Cell ss:StyleID="S№"><Data ss:Type="Number">1.5</Data></Cell>',
      '<Row><Cell><Data ss:Type="DateTime">2020-01-01T00:00:00.000</Data><Comment><Data>¤</Data></Comment></Cell></Row>',
    ],
    styles: ['<Style ss:ID="S№"><NumberFormat ss:Format="0.0"/></Style>', '<Style ss:ID="S№" ss:Parent="S0">'],
  },
  make: (text) =>
    Buffer.from(
      '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">' +
        `<Styles>${text('styles')}</Styles><Worksheet ss:Name="S"><Table><Row><Cell><Data ss:Type="String">a</Data></Cell></Row>${text('rows')}`,
    ),
};

const book: Grammar = {
  filename: 'a.fb2',
  parts: {
    body: [
      '<section>',
      '</section>',
      '<section><title><p>¤</p></title><p>a</p></section>',
      '<p>¤</p>',
      '<poem><stanza><v>a</v></stanza></poem>',
      '<emphasis>',
      '<a type="note" href="#n№">1</a>',
      '<table><tr><td>a</td></tr></table>',
    ],
    binary: ['<binary id="№" content-type="image/png">QUJD</binary>', '<binary>'],
  },
  make: (text) =>
    Buffer.from(
      `<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description><title-info><book-title>T</book-title></title-info></description><body><p>a</p>${text('body')}</body>${text('binary')}`,
    ),
};

/** By format; `body` of flat OpenDocument is made of what packed ones are. */
export function wrappedGrammars(odfBody: readonly string[], odfSheet: readonly string[]): Readonly<Record<string, Grammar>> {
  const flat = (kind: 'text' | 'spreadsheet', filename: string, body: readonly string[]): Grammar => ({
    filename,
    parts: { body },
    make: (text) =>
      Buffer.from(makeFlatOdf({ kind, body: kind === 'text' ? text('body') : `<table:table>${text('body')}</table:table>` })),
  });
  return {
    book,
    cms,
    'encrypted-ooxml': encrypted,
    'flat-odf': flat('text', 'a.fodt', odfBody),
    'flat-odf sheet': flat('spreadsheet', 'a.fods', odfSheet),
    gzip,
    mbox,
    'office-xml': officeXml,
    'office-xml package': officePackage,
    'ole-package': olePackage,
    '7z': sevenZip,
    'sheet-xml': sheetXml,
    tar,
    tnef,
  };
}
