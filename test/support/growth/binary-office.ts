/** What the old binary office formats are made of, for files that repeat it: whole records, as characters of one byte each. */
import { atom, container, group, linked, makePptRecords, shape, text as pptText } from '../ppt-writer.ts';
import { docStreams, operations } from '../doc-writer.ts';
import { compoundFile } from '../../../src/parse/containers/compound-writer.ts';
import { binaryCells, binaryRecord, makeXlsb, wideText } from '../xlsb-writer.ts';
import { cells, f64, makeXls, narrow, record, u16, u32, u8, wide } from '../xls-writer.ts';
import type { Grammar } from './grammars.ts';

/** Bytes as text, and back. */
const latin = (...bytes: readonly Uint8Array[]): string => Buffer.concat(bytes).toString('latin1');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

const cellRecords = new Set([0xfd, 0x204, 0x203, 0x27e, 0x205, 0x06]);

/** Puts the cells of a stream one behind the other, eight in a row. */
function spreadCells(stream: Buffer): Buffer {
  let count = 0;
  for (let at = 0; at + 8 <= stream.length; at += 4 + stream.readUInt16LE(at + 2)) {
    if (!cellRecords.has(stream.readUInt16LE(at)) || stream.readUInt16LE(at + 4) !== 0) continue;
    stream.writeUInt16LE((count >> 3) & 0xffff, at + 4);
    stream.writeUInt16LE(count++ & 7, at + 6);
  }
  return stream;
}

const textResult = u8(0, 0, 0, 0, 0, 0, 0xff, 0xff);

const xls: Grammar = {
  filename: 'a.xls',
  parts: {
    sheet: [
      latin(cells.shared(0, 0, 0)),
      latin(cells.shared(0, 0, 1)),
      latin(cells.label(0, 0, 'ab')),
      latin(cells.number(0, 0, 1.5, 1)),
      latin(cells.number(0, 0, 45_000, 2)),
      latin(cells.rk(0, 0, 6)),
      latin(cells.bool(0, 0, 1)),
      latin(cells.formula(0, 0, textResult), cells.text('x')),
      latin(cells.formula(0, 0, f64(2))),
      latin(cells.label(1, 0, 'a')),
      latin(record(0xbd, u16(0, 0), u16(0), u32(6), u16(0), u32(10), u16(1))),
      latin(record(0xe5, u16(1), u16(0, 0xffff, 0, 255))),
      latin(record(0xe5, u16(2), u16(0, 3, 0, 3), u16(4, 9, 0, 7))),
      latin(record(0x1b8, u16(0, 0, 0, 0), Buffer.alloc(16), u32(2, 0x103, 9), bytesOf('h\0t\0t\0p\0:\0/\0/\0a\0\0\0'))),
      latin(record(0x1c, u16(1, 1, 0, 7), narrow('Ann'), u8(0))),
      latin(record(0x5d, u16(0x15, 0x12, 0x19, 7)), record(0x1b6, u16(0, 0, 0, 0, 0, 3)), record(0x3c, u8(0), bytesOf('abc'))),
      latin(record(0x809, u16(0x600, 0x20))),
      latin(record(0x0a)),
      latin(record(0x809, u16(0x600, 0x20)), record(0x100d, u16(0), u8(1, 0), bytesOf('T')), record(0x0a)),
      latin(record(0x3c, u8(0), bytesOf('more'))),
      latin(record(0x208, u16(0, 0, 255))),
    ],
    globals: [
      latin(record(0x41e, u16(164), narrow('0.0'))),
      latin(record(0xe0, u16(0, 164))),
      latin(record(0x85, u32(0), u8(0, 0), u8(1, 0), bytesOf('S'))),
      latin(record(0xfc, u32(9, 9), narrow('a'), wide('b'))),
      latin(record(0x3c, narrow('ab'))),
      latin(record(0x3c, u8(1), bytesOf('a\0'))),
      latin(record(0x3c, u16(1), u8(0x0c), u16(1), u32(2), bytesOf('a'), Buffer.alloc(6))),
    ],
  },
  once: [
    [['globals', latin(record(0xfc, u32(0xfff_ffff, 0xfff_ffff), narrow('a'))), latin(record(0x3c, narrow('a'))), '']],
    [['sheet', '', latin(record(0x809, u16(0x600, 0x10))), '']],
  ],
  make(text) {
    const styles = [0, 164, 14].map((id) => record(0xe0, u16(0, id)));
    const shared = record(0xfc, u32(2, 2), narrow('shared'), narrow('x'.repeat(300)));
    const globals = [...styles, shared, bytesOf(text('globals'))];
    return makeXls({ globals, sheets: [{ name: 'S', records: [spreadCells(bytesOf(text('sheet')))] }] });
  },
};

const xlsb: Grammar = {
  filename: 'a.xlsb',
  parts: {
    sheet: [
      latin(binaryCells.shared(0, 0), binaryCells.shared(1, 1)),
      latin(binaryCells.text(2, 'ab')),
      latin(binaryCells.number(3, 1.5, 1)),
      latin(binaryCells.rk(4, 6), binaryCells.bool(5, 1), binaryCells.error(6, 7)),
      latin(binaryCells.formulaText(7, 'x')),
      latin(binaryCells.merge(0, 1_000_000, 0, 16_000)),
      latin(binaryCells.merge(0, 3, 0, 3)),
      latin(binaryRecord(494, u32(0, 0, 0, 0), wideText('l'))),
      latin(binaryCells.row(0)),
      latin(binaryCells.row(1_000_000)),
      latin(binaryRecord(62, u32(8, 0), u8(1), wideText('rich'))),
    ],
    strings: [latin(binaryRecord(19, u8(0), wideText('a'))), latin(binaryRecord(19, u8(3), wideText('b'), u32(1, 0)))],
    styles: [latin(binaryRecord(44, u16(164), wideText('0.0'))), latin(binaryRecord(47, u16(0, 164)))],
  },
  make(text) {
    const styles = [binaryRecord(617, u32(1)), bytesOf(text('styles'))];
    const strings = [...text('strings').matchAll(/[ab]/g)].map(([letter]) => letter);
    const records = [binaryCells.row(0), bytesOf(text('sheet'))];
    return makeXlsb({
      strings: ['shared', 'x'.repeat(300), ...strings],
      styles,
      sheets: [{ name: 'S', records, links: { l: 'http://a' } }],
    });
  },
};

/** Characters, and how all of their paragraphs look. */
const doc: Grammar = {
  filename: 'a.doc',
  parts: {
    body: [
      'a', 'ab ', '\r', 'a\r', '\x07', 'a\x07', 'a\x07b\x07\x07', '\f', '\v', '\t', '\x13', '\x14', '\x15', '\x13 PAGE \x141\x15',
      '\x13 EQ \\o(a,b)\x15', '\x13 SYMBOL 97 \\f "Symbol"\x15', '\x01', '\x02', '\x05', '\x08', '\x1e', '\x1f', '• a\r', '1. a\r', '\xe9',
    ], // prettier-ignore
    look: [
      latin(operations.inTable(1)),
      latin(operations.inTable(20)),
      latin(operations.endsRow()),
      latin(operations.endsInnerCell()),
      latin(operations.list(1, 0)),
      latin(operations.list(1, 8)),
      latin(operations.outline(1)),
      latin(operations.row([0, 100, 200])),
      latin(operations.row(Array.from({ length: 60 }, (_, at) => at * 100))),
    ],
    notes: ['a', '\r', '\x02', 'a\r', '\x13'],
    places: [latin(u32(1)), latin(u32(0xffff_ffff)), latin(u32(9))],
    pieces: [latin(u8(1), u16(3), u8(1, 2, 3)), latin(u8(2))],
  },
  once: [
    [['body', '', '\x13', '']],
    [['body', '', 'a\x07', ''], ['look', '', latin(operations.inTable(20)), '']],
  ], // prettier-ignore
  make(text) {
    const look = bytesOf(text('look'));
    const notes = text('notes');
    const far = Buffer.concat([u16(Math.min(0xffff, look.length)), look]);
    const streams = docStreams({
      body: [{ runs: [{ text: text('body') }], look: Buffer.concat([u16(0x6646), u32(0)]) }],
      footnotes: notes === '' ? [] : [{ runs: [{ text: notes }] }],
      narrow: (characters) => Buffer.from(characters, 'latin1'),
      tables: {
        2: placesOf(text('places'), 2),
        3: placesOf(text('places'), 0),
        5: placesOf(text('places'), 0),
      },
      prefix: bytesOf(text('pieces')),
    });
    return compoundFile({ streams: { ...streams, Data: far } });
  },
};

/** A table of places, with something to say of each. */
function placesOf(places: string, bytes: number): Buffer {
  const count = Math.max(0, places.length / 4 - 1);
  return Buffer.concat([bytesOf(places), Buffer.alloc(count * bytes)]);
}

const anchored = (words: string, left: number, top: number) =>
  shape(pptText(4, [words]), { anchor: [left, top, 999_999, 999_999] });

const ppt: Grammar = {
  filename: 'a.ppt',
  parts: {
    slide: [
      latin(shape(pptText(4, ['a']))),
      latin(shape(pptText(0, ['T']), { placeholder: 13 })),
      latin(shape(pptText(1, ['a', 'b'], [{ level: 0, bullet: true }, { level: 4 }]))),
      latin(shape(atom(3998, u32(0)))),
      latin(shape(Buffer.concat([pptText(4, ['a']), linked(0, 1, 1)]))),
      latin(group([shape(pptText(4, ['g']))])),
      latin(group([anchored('c', 0, 0)], true)),
      latin(anchored('c', 5, 5)),
      latin(container(0xf003, [])),
      latin(u16(0x0f, 0xf003), u32(0xffff_ffff)),
      latin(u16(0x0f, 0xf003), u32(0)),
      latin(atom(4056, u32(0))),
      latin(container(12_000, [atom(4026, bytesOf('a\0'), 1)])),
    ],
    cells: [latin(anchored('c', 0, 0)), latin(anchored('d', 1, 2)), latin(shape(pptText(4, ['e']), { anchor: [3, 1, 4, 9] }))],
    outline: [
      latin(pptText(1, ['a'])),
      latin(atom(3999, u32(1))),
      latin(atom(4000, bytesOf('a\0\r\0'))),
      latin(atom(4001, Buffer.alloc(10))),
      latin(linked(0, 1, 1)),
    ],
    list: [latin(atom(1011, u32(1, 0, 0, 256, 0))), latin(atom(1011, u32(2, 0, 0, 300, 0)))],
  },
  once: [
    [['list', '', latin(atom(1011, u32(1, 0, 0, 256, 0))), ''], ['slide', '', latin(shape(pptText(4, ['a']))), '']],
  ], // prettier-ignore
  make: (text) =>
    makePptRecords({
      shapes: [bytesOf(text('slide')), group([bytesOf(text('cells'))], true)],
      outline: bytesOf(text('outline')),
      list: bytesOf(text('list')),
    }),
};

const msg: Grammar = {
  filename: 'a.msg',
  parts: {
    body: ['a', 'a\n', ' ', '\n\n', '\xe9', 'a@b.c '],
    html: ['<p>a', '<b>', '<img src="cid:a">', '<td>', 'cid:', 'a'],
    list: [latin(u16(0x1f, 0x37), u32(6, 1, 0)), latin(u16(0x03, 0x3ffd), u32(6, 1252, 0)), latin(Buffer.alloc(8))],
    rtf: [
      '\0\0\0\0\0\0\0\0\0',
      '\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff\x0c\xff',
      '\0{\\b a}{ ',
      '\0\\par a \\u1',
    ],
    names: [latin(u32(0x8208), u16(12, 0)), latin(u32(0x820d), u16(12, 1))],
  },
  make(text) {
    const html = text('html') === '' ? {} : { '__substg1.0_10130102': bytesOf(text('html')) };
    const packed = bytesOf(text('rtf'));
    return compoundFile({
      streams: {
        '__properties_version1.0': Buffer.concat([Buffer.alloc(32), bytesOf(text('list'))]),
        '__substg1.0_0037001F': bytesOf('S\0'),
        '__substg1.0_001A001F': Buffer.from('IPM.Appointment', 'utf16le'),
        '__substg1.0_1000001E': bytesOf(text('body')),
        '__substg1.0_10090102': Buffer.concat([u32(packed.length + 12, 1, 0x75465a4c, 0), packed]),
        ...html,
      },
      storages: { '__nameid_version1.0': { streams: { '__substg1.0_00030102': bytesOf(text('names')) } } },
    });
  },
};

/** By format. */
export const binaryOfficeGrammars: Readonly<Record<string, Grammar>> = { doc, msg, ppt, xls, xlsb };
