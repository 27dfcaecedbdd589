/** One small file of each of the old binary office formats, with what is odd in it, to be damaged by tests. */
import { listTables, makeDoc, operations, para, placeTable, styleSheet } from './doc-writer.ts';
import { makeMsg, msgContent, packRtf } from './msg-writer.ts';
import { atom, container, group, makePpt, shape, text } from './ppt-writer.ts';
import { binaryCells, binaryRecord, makeXlsb, wideText } from './xlsb-writer.ts';
import { cells, makeXls, narrow, record, summaryStream, u16, u32, u8, wide } from './xls-writer.ts';

export function xlsSample(): Buffer {
  const box = [
    record(0x5d, u16(0x15, 0x12, 0x19, 7), Buffer.alloc(14)),
    record(0x1b6, u16(0, 0, 0, 0, 0, 3, 16, 0, 0)),
    record(0x3c, u8(0), Buffer.from('box')),
    record(0x1c, u16(1, 1, 0, 7), narrow('Ann'), u8(0)),
  ];
  const records = [
    cells.shared(0, 0, 0),
    cells.shared(0, 1, 1),
    cells.number(1, 0, 45_000.5, 1),
    cells.rk(1, 1, 0x40_59_00_00),
    cells.formula(2, 0, u8(0, 0, 0, 0, 0, 0, 0xff, 0xff)),
    cells.text('of a formula'),
    record(0xbd, u16(2, 1), u16(0), u32(6), u16(1), u32(10), u16(2)),
    record(0xe5, u16(1), u16(0, 1, 0, 1)),
    ...box,
  ];
  const globals = [
    record(0x42, u16(1200)),
    record(0x41e, u16(164), narrow('[Red]#,##0.00;-0"x"')),
    ...[0, 164].map((id) => record(0xe0, u16(0, id))),
    record(0xfc, u32(2, 2), narrow('shared'), wide('中')),
    record(0x3c, u8(0), Buffer.from('文')),
  ];
  const sheets = [
    { name: 'S', records },
    { name: 'T', records: [cells.label(0, 0, 'x')], hidden: true },
  ];
  return makeXls({ globals, sheets }, { '\x05SummaryInformation': summaryStream(Buffer.from('T'), Buffer.from('A'), 1252) });
}

export function xlsbSample(): Buffer {
  const records = [
    binaryCells.row(0),
    binaryCells.shared(0, 0),
    binaryCells.number(1, 45_000.5, 0),
    binaryCells.row(1),
    binaryCells.formulaText(0, 'x'),
    binaryCells.merge(0, 1, 0, 1),
  ];
  const comments = [
    binaryRecord(632, wideText('Ann')),
    binaryRecord(635, u32(0, 1, 1, 2, 2), Buffer.alloc(16)),
    binaryRecord(637, u8(0), wideText('look')),
  ];
  const styles = [binaryRecord(44, u16(164), wideText('0.0')), binaryRecord(617, u32(1)), binaryRecord(47, u16(0, 164))];
  return makeXlsb({ strings: ['北京'], styles, sheets: [{ name: 'S', records, comments }] });
}

export function docSample(): Buffer {
  const lists = listTables([
    { format: 0, text: '\0.' },
    { format: 4, text: '\x01)' },
  ]);
  const inRow = operations.inTable(1);
  const cell = (words: string) => para(words, { look: inRow, end: '\x07' });
  return makeDoc({
    body: [
      para('Head', { style: 1 }),
      para('Text\x02 with \x13 PAGE \x147\x15'),
      para('item', { look: operations.list(1, 0) }),
      para('below', { look: operations.list(1, 1) }),
      cell('a'),
      cell('中'),
      para('', { look: Buffer.concat([inRow, operations.endsRow(), operations.row([0, 100, 300])]), end: '\x07' }),
      para('end'),
    ],
    footnotes: [para('\x02 Note')],
    headers: [para('Head of the page')],
    levels: lists.levels,
    cuts: [9, 20],
    tables: {
      1: styleSheet([
        { id: 0, name: 'Normal' },
        { id: 1, name: 'heading 1', basedOn: 0 },
      ]),
      2: placeTable([9, 50], [u16(1)]),
      3: placeTable([0, 7, 8]),
      11: placeTable([0, 0, 0, 0, 0, 0, 0, 17, 17]),
      73: lists.definitions,
      74: lists.overrides,
    },
  });
}

export function pptSample(): Buffer {
  const cell = (words: string, anchor: readonly number[]) => shape(text(4, [words]), { anchor });
  const words = (value: string, instance: number) => atom(4026, Buffer.from(value, 'utf16le'), instance);
  const comment = container(0x1388, [container(0x138a, [atom(0x138b, container(12_000, [words('Ann', 0), words('Why?', 1)]))])]);
  return makePpt({
    master: { 1: [true, true] },
    slides: [
      {
        shapes: [
          shape(text(0, ['One']), { placeholder: 13 }),
          shape(text(1, ['a', '深'], [{ level: 0 }, { level: 1 }])),
          group([cell('wide', [0, 0, 200, 10]), cell('b', [0, 10, 100, 20])], true),
        ],
        notes: [shape(text(2, ['note']), { placeholder: 12 })],
        more: [comment],
      },
      { shapes: [shape(atom(3998, u32(0)))], outline: [text(4, ['outline'])], hidden: true },
    ],
    objects: [xlsSample()],
  });
}

export function msgSample(): Buffer {
  return makeMsg({
    properties: {
      0x37: 'Subject 主题',
      0xc1a: { text8: Buffer.from('Anné', 'latin1') },
      0x39: new Date('2024-05-06T07:08:09.000Z'),
      0x1009: packRtf(['{\\rtf1 Packed ', [0, 6], '}']),
    },
    recipients: [{ 0x3001: 'Bob', 0x39fe: 'bob@b.example', 0xc15: 1 }],
    attachments: [
      { 0x3707: 'list.csv', 0x3701: Buffer.from('a,b\n1,2\n') },
      { properties: { 0x3001: 'Inner' }, inside: msgContent({ properties: { 0x37: 'Inner', 0x1000: 'deep' } }, 24) },
    ],
  });
}
