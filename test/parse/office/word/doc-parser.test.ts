import { describe, expect, it } from 'vitest';
import { compoundFile } from '../../../../src/parse/containers/compound-writer.ts';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { listTables, makeDoc, operations, para, placeTable, styleSheet, type DocParts } from '../../../support/doc-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';
import { summaryStream, u16, u32, u8 } from '../../../support/xls-writer.ts';

const parser = createDocumentParser({});

async function markdownOf(parts: DocParts): Promise<string> {
  return (await parseBytes(parser, makeDoc(parts))).markdown;
}

describe('a DOC document', () => {
  it('is read with its title, headings by their styles or outline, and paragraphs in order', async () => {
    const styles = styleSheet([
      { id: 0, name: 'Normal' },
      { id: 1, name: 'heading 1', basedOn: 0 },
      { id: 0xffe, name: 'My own', basedOn: 1 },
      { id: 0xffe, name: '标题 2' },
    ]);
    const document = await parseBytes(
      parser,
      makeDoc(
        {
          body: [
            para('Top', { style: 1 }),
            para('Text of the 段落.'),
            para('Below', { style: 2, look: operations.outline(1) }),
            para('Same', { style: 3 }),
            para('By itself', { look: operations.outline(2) }),
          ],
          tables: { 1: styles },
        },
        { '\x05SummaryInformation': summaryStream(Buffer.from('Report'), Buffer.from('Ann'), 1252) },
      ),
      { filename: 'a.doc' },
    );

    expect(document.markdown).toBe('# Top\n\nText of the 段落.\n\n## Below\n\n## Same\n\n### By itself');
    expect(document).toMatchObject({ format: 'doc', mediaType: 'application/msword', title: 'Report', author: 'Ann', pages: null });
  });

  it('shows fields by their results, symbols by what they mean, and nothing of what is hidden or deleted', async () => {
    const fonts = Buffer.concat([u16(1, 0), u8(53, 0), Buffer.alloc(38), Buffer.from('Symbol\0', 'utf16le')]);
    const body = [
      {
        runs: [
          { text: 'Page \x13 PAGE \x14' },
          { text: '7\x15, ' },
          { text: 'gone', look: operations.hidden() },
          { text: 'gone too', look: operations.deleted() },
          { text: '(', look: operations.symbol(0, 0xf061) },
          { text: ' = a\x1eb, break\vhere, op\x1ftional' },
        ],
      },
      para('\x13 EQ \\* jc2 \\o\\ad(\\s\\up 9(とう),東京)\x15 by \x13 SYMBOL 98 \\f "Symbol" \x15'),
    ];

    expect(await markdownOf({ body, tables: { 15: fonts } })).toBe('Page 7, α = a-b, break\nhere, optional\n\n東京 by β');
  });

  it('keeps where links lead, but for places in the document itself and fields that never end', async () => {
    const body = [
      para(
        'See \x13 HYPERLINK "https://example.org/list" \\o "x" \x14the \x13 PAGE \x147\x15 lists\x15, \x13 HYPERLINK \\l "a" \x14below\x15.',
      ),
      para('\x13 HYPERLINK "https://example.org/open" \x14open'),
      para('next\x15 one'),
    ];

    expect(await markdownOf({ body })).toBe('See [the 7 lists](https://example.org/list), below.\n\nopen\n\nnext one');
  });

  it('counts its lists as they show, level by level', async () => {
    const lists = listTables([
      { format: 0, text: '\0.' },
      { format: 4, text: '\x01)' },
      { format: 23, text: '\uf0b7' },
    ]);
    const item = (text: string, level: number) => para(text, { look: operations.list(1, level) });
    const body = [item('one', 0), item('in', 1), item('in too', 1), item('point', 2), item('two', 0), item('again', 1)];

    expect(await markdownOf({ body, levels: lists.levels, tables: { 73: lists.definitions, 74: lists.overrides } })).toBe(
      '1. one\n   - a) in\n   - b) in too\n     - point\n2. two\n   - a) again',
    );
  });

  it('is read with its tables: cells over columns and rows repeat, a table in a cell is part of its text', async () => {
    const inRow = operations.inTable(1);
    const cell = (text: string) => para(text, { look: inRow, end: '\x07' });
    const row = (edges: readonly number[], flags: readonly number[] = []) =>
      para('', { look: Buffer.concat([inRow, operations.endsRow(), operations.row(edges, flags)]), end: '\x07' });
    const inner = (text: string, look: Uint8Array) => para(text, { look: Buffer.concat([operations.inTable(2), look]) });
    const body = [
      para('Before'),
      cell('A'),
      cell('wide'),
      row([0, 1000, 3000], [0x60]),
      cell(''),
      cell('b'),
      para('two', { look: inRow }),
      cell('lines'),
      row([0, 1000, 2000, 3000], [0x20]),
      inner('in', operations.endsInnerCell()),
      inner('ner', operations.endsInnerCell()),
      inner('', operations.endsInnerRow()),
      cell('x'),
      cell('y'),
      cell('z'),
      row([0, 1000, 2000, 3000]),
      para('After'),
    ];

    expect(await markdownOf({ body })).toBe(
      'Before\n\n| A | wide | wide |\n| --- | --- | --- |\n| A | b | two lines |\n| in ner x | y | z |\n\nAfter',
    );
  });

  it('puts notes and comments where they are called, text boxes by their shape, running heads once', async () => {
    const anchor = Buffer.concat([u32(1025), Buffer.alloc(22)]);
    const box = Buffer.concat([Buffer.alloc(14), u32(1025), u32(0)]);
    const mark = Buffer.concat([u16(1), Buffer.from('A', 'utf16le'), Buffer.alloc(16), u16(0), Buffer.alloc(8)]);
    const document = await markdownOf({
      body: [para('Text\x02 goes\x02 on\x05 here\x08.'), para('Some text')],
      footnotes: [para('\x02 Below')],
      endnotes: [para('\x02 Behind')],
      comments: [para('\x05Really?')],
      boxes: [para('In a box')],
      headers: [para('Confidential'), para('foot'), para('- \x13 PAGE \x143\x15 -')],
      tables: {
        2: placeTable([4, 26], [u16(1)]),
        3: placeTable([0, 8, 9]),
        4: placeTable([14, 26], [mark]),
        5: placeTable([0, 9, 10]),
        11: placeTable([0, 0, 0, 0, 0, 0, 0, 13, 13, 18, 18, 18, 35]),
        36: Buffer.concat([u16(3), Buffer.from('Ann', 'utf16le')]),
        40: placeTable([20, 26], [anchor]),
        46: placeTable([10, 26], [u16(1)]),
        47: placeTable([0, 9, 10]),
        56: placeTable([0, 9], [box]),
      },
    });

    expect(document).toBe(
      'Confidential\n\nText[^1] goes[^e1] on here.\n\n[^1]: Below\n\n[^e1]: Behind\n\nComment (Ann): Really?\n\nIn a box\n\nSome text\n\nfoot',
    );
  });

  it('is read from pieces in any order, of one or two bytes a character', async () => {
    const body = [para('The first “paragraph”.'), para('The second.')];
    const western = (text: string) => Buffer.from(text.replaceAll('“', '\x93').replaceAll('”', '\x94'), 'latin1');

    expect(await markdownOf({ body, cuts: [5, 20, 27] })).toBe('The first “paragraph”.\n\nThe second.');
    expect(await markdownOf({ body, narrow: western })).toBe('The first “paragraph”.\n\nThe second.');
  });

  it('of Word 6 and 95 is read in the encoding of its language', async () => {
    const cyrillic = () => Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x0d]);
    const chinese = () => Buffer.from([0xd6, 0xd0, 0xce, 0xc4, 0x41, 0x0d]);

    expect(await markdownOf({ isWord6: true, language: 0x419, body: [para('......')], narrow: cyrillic })).toBe('Привет');
    expect(await markdownOf({ isWord6: true, language: 0x804, body: [para('.....')], narrow: chinese })).toBe('中文A');
    const table = [para('a', { end: '\x07' }), para('b', { end: '\x07' }), para('', { end: '\x07', look: u8(25, 1) })];
    expect(
      await markdownOf({ isWord6: true, body: [...table.map((each) => ({ ...each, look: each.look ?? u8(24, 1) })), para('end')] }),
    ).toBe('| a | b |\n| --- | --- |\n\nend');
  });

  it('of Word 2 gives its text', async () => {
    const text = Buffer.from('Old text.\r\nSecond line.\r\n');
    const head = Buffer.alloc(0x180);
    u16(0xa5db, 45).copy(head);
    u32(0x180, 0x180 + text.length).copy(head, 0x18);
    u32(text.length).copy(head, 0x34);

    expect((await parseBytes(parser, Buffer.concat([head, text]), { filename: 'old.doc' })).markdown).toBe(
      'Old text.\n\nSecond line.',
    );
  });

  it('opens under no password, and says so of a chosen one', async () => {
    const body = [para('Secret '.repeat(200).trim())];

    expect(await markdownOf({ body, password: '' })).toBe('Secret '.repeat(200).trim());
    expect(await refusalOf(parser, makeDoc({ body, password: 'chosen' }))).toBe(
      'encrypted: The file is protected by a password: remove the password and upload it again, or send the password with it',
    );
  });

  it('is bounded: pieces that say more than the file holds, styles and tables that loop, cells', async () => {
    const places = Array.from({ length: 20 }, (_, at) => at * 400);
    const pieces = placeTable(
      places,
      places.slice(1).map(() => Buffer.concat([u16(0), u32(0x600), u16(0)])),
    );
    const lying = await parseBytes(
      parser,
      makeDoc({ body: [para('x'.repeat(399))], tables: { 33: Buffer.concat([u8(2), u32(pieces.length), pieces]) } }),
    );
    const loop = styleSheet([
      { id: 0xffe, name: 'a', basedOn: 1 },
      { id: 0xffe, name: 'b', basedOn: 0 },
    ]);
    const cell = para('c', { look: operations.inTable(1), end: '\x07' });

    expect(lying.warnings).toEqual(['The document is damaged: its text was read as far as possible']);
    expect(await markdownOf({ body: [para('Text', { style: 1 })], tables: { 1: loop } })).toBe('Text');
    expect(await refusalOf(parser, makeDoc({ body: [cell, cell, cell] }), { limits: { cellsMax: 2 } })).toMatch(/MAX_CELLS/);
    expect(await refusalOf(parser, compoundFile({ streams: { WordDocument: Buffer.alloc(100) } }))).toMatch(/^corrupt: /);
  });
});
