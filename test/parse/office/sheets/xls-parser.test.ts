import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';
import { cells, makeXls, narrow, record, summaryStream, u16, u32, u8, wide, workbookStream } from '../../../support/xls-writer.ts';

const parser = createDocumentParser({});
const shared = (count: number, ...data: readonly Uint8Array[]) => record(0xfc, u32(count, count), ...data);

async function markdownOf(records: readonly Uint8Array[], globals: readonly Uint8Array[] = []): Promise<string> {
  return (await parseBytes(parser, makeXls({ sheets: [{ name: 'S', records }], globals }))).markdown;
}

describe('an XLS workbook', () => {
  it('is read a page a sheet, in order, the name as heading', async () => {
    const document = await parseBytes(
      parser,
      makeXls(
        {
          globals: [shared(2, narrow('City'), wide('北京'))],
          sheets: [
            {
              name: 'Sales',
              records: [cells.shared(0, 0, 0), cells.label(0, 1, 'Sum'), cells.shared(1, 0, 1), cells.number(1, 1, 12.5)],
            },
            { name: '备注', hidden: true, records: [cells.label(0, 0, 'done'), cells.bool(0, 1, 1), cells.bool(0, 2, 0x2a, 1)] },
            { name: 'Module', type: 6, records: [] },
          ],
        },
        { '\x05SummaryInformation': summaryStream(Buffer.from([0xd6, 0xd0]), Buffer.from('Ann'), 936) },
      ),
      { filename: 'a.xls' },
    );

    expect(document.markdown).toBe(
      '# Sales\n\n| City | Sum |\n| --- | --- |\n| 北京 | 12.5 |\n\n# 备注\n\n| done | TRUE | #N/A |\n| --- | --- | --- |',
    );
    expect(document.blocks.map((block) => block.page)).toEqual([1, 1, 2, 2]);
    expect(document).toMatchObject({
      format: 'xls',
      mediaType: 'application/vnd.ms-excel',
      pages: 2,
      title: '中',
      author: 'Ann',
      warnings: ['Hidden sheets were read too: 备注'],
    });
  });

  it('shows numbers and dates as their formats do, from 1900 or 1904', async () => {
    const styles = [0, 14, 164, 10].map((id) => record(0xe0, u16(0, id)));
    const globals = [record(0x41e, u16(164), narrow('0.0" kg"')), ...styles];
    const records = [cells.number(0, 0, 45_292, 1), cells.number(0, 1, 2.25, 2), cells.number(0, 2, 0.5, 3)];

    expect(await markdownOf(records, globals)).toContain('| 2024-01-01 | 2.3 kg | 50.00% |');
    expect(await markdownOf(records, [...globals, record(0x22, u16(1))])).toContain('| 2028-01-02 |');
  });

  it('reads every kind of number: short, several in one record, of formulas', async () => {
    const text = u8(0, 0, 0, 0, 0, 0, 0xff, 0xff);
    const records = [
      cells.rk(0, 0, (1234 << 2) | 3),
      cells.rk(0, 1, 0x40_59_00_00),
      record(0xbd, u16(0, 2), u16(0), u32((5 << 2) | 2), u16(0), u32((-6 << 2) | 2), u16(3)),
      cells.formula(0, 4, text),
      record(0x4bc, u16(0)),
      cells.text('sum'),
      cells.formula(0, 5, u8(1, 0, 1, 0, 0, 0, 0xff, 0xff)),
    ];

    expect(await markdownOf(records)).toContain('| 12.34 | 100 | 5 | -6 | sum | TRUE |');
  });

  it('reads shared strings over several records, with fonts and furigana left out', async () => {
    const rich = Buffer.concat([u16(4), u8(0x0c), u16(1), u32(6), Buffer.from('rich'), Buffer.alloc(4), Buffer.alloc(6, 0x41)]);
    const cut = Buffer.concat([u16(6), u8(0), Buffer.from('abc')]);
    const globals = [shared(3, rich, cut), record(0x3c, u8(1), Buffer.from('d北e', 'utf16le'), wide('last'))];

    expect(await markdownOf([cells.shared(0, 0, 0), cells.shared(0, 1, 1), cells.shared(0, 2, 2)], globals)).toContain(
      '| rich | abcd北e | last |',
    );
  });

  it('repeats merged cells, and writes comments and text boxes behind the cells', async () => {
    const box = (object: number, text: string) => [
      record(0x5d, u16(0x15, 0x12, 0x19, object), Buffer.alloc(14)),
      record(0x1b6, u16(0, 0, 0, 0, 0, text.length, 16, 0, 0)),
      record(0x3c, u8(0), Buffer.from(text)),
      record(0x3c, Buffer.alloc(16)),
    ];
    const records = [
      cells.label(0, 0, 'both'),
      cells.label(1, 0, 'a'),
      cells.label(1, 1, 'b'),
      record(0xe5, u16(1), u16(0, 0, 0, 1)),
      ...box(7, 'Ann:\nlook'),
      ...box(8, 'in a box'),
      record(0x1c, u16(1, 1, 0, 7), narrow('Ann'), u8(0)),
    ];

    expect(await markdownOf(records)).toBe('# S\n\nboth\n\n| a | b |\n| --- | --- |\n\nin a box\n\nComment on B2 (Ann): look');
  });

  it('reads the titles of charts, on a sheet or as a sheet', async () => {
    const chart = [
      record(0x809, u16(0x600, 0x20, 0, 0), u32(0, 0)),
      record(0x100d, u16(0), u8(5, 0), Buffer.from('Sales')),
      record(0x0a),
    ];

    expect(await markdownOf([...chart, cells.label(0, 0, 'x')])).toBe('# S\n\nx\n\nSales');
  });

  it('of Excel 95 is read in its code page', async () => {
    const label = record(0x204, u16(0, 0, 0), u16(6), Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]));
    const file = makeXls({ version: 0x500, globals: [record(0x42, u16(1251))], sheets: [{ name: 'Old', records: [label] }] });

    expect((await parseBytes(parser, file)).markdown).toBe('# Old\n\nПривет');
  });

  it('of Excel 2 to 4 is one sheet without a container', async () => {
    const excel2 = Buffer.concat([
      record(0x09, u16(2, 0x10)),
      record(0x04, u16(0, 0), u8(0, 0, 0), u8(2), Buffer.from('hi')),
      record(0x02, u16(0, 1), u8(0, 0, 0), u16(7)),
      record(0x0a),
    ]);
    const excel4 = Buffer.concat([
      record(0x409, u16(4, 0x10, 0)),
      record(0x41e, u16(0), u8(7), Buffer.from('General')),
      record(0x41e, u16(0), u8(2), Buffer.from('0%')),
      record(0x443, u8(0, 0, 0, 0)),
      record(0x443, u8(0, 1, 0, 0)),
      record(0x203, u16(0, 0, 1), Buffer.from(new Float64Array([0.25]).buffer)),
      record(0x204, u16(0, 1, 0), u16(3), Buffer.from('abc')),
      record(0x0a),
    ]);

    expect((await parseBytes(parser, excel2)).markdown).toContain('| hi | 7 |');
    expect((await parseBytes(parser, excel4)).markdown).toContain('| 25% | abc |');
  });

  it('opens under the password that nobody chose, and says so of any other', async () => {
    const workbook = {
      globals: [shared(1, narrow('secret'.repeat(300)))],
      sheets: [{ name: 'S', records: [cells.shared(0, 0, 0), cells.label(1, 0, 'below')] }],
    };

    expect((await parseBytes(parser, makeXls({ ...workbook, password: 'VelvetSweatshop' }))).markdown).toMatch(
      /^# S\n\n\| (?:secret){300} \|\n\| --- \|\n\| below \|$/,
    );
    expect((await parseBytes(parser, makeXls({ ...workbook, password: 'chosen' }), { password: 'chosen' })).markdown).toContain(
      'below',
    );
    expect(await refusalOf(parser, makeXls({ ...workbook, password: 'chosen' }), { password: 'other' })).toBe(
      'encrypted: The file is protected by a password, and the password sent with it does not open it',
    );
    expect(await refusalOf(parser, makeXls({ ...workbook, password: 'chosen' }))).toBe(
      'encrypted: The file is protected by a password: remove the password and upload it again, or send the password with it',
    );
  });

  it('is read where its list of sheets lies, each sheet once', async () => {
    const stream = workbookStream({ sheets: ['a', 'b'].map((name) => ({ name, records: [cells.label(0, 0, `in ${name}`)] })) });
    const second = stream.indexOf(record(0x809, u16(0x600, 0x10)).subarray(4), stream.indexOf('in a', 0, 'utf16le'));
    const at = stream.lastIndexOf(u16(0x85), second);
    stream.writeUInt32LE(5, at + 4);

    expect((await parseBytes(parser, stream)).markdown).toBe('# a\n\nin a\n\n# b\n\nin b');
  });

  it('is bounded in cells, strings and sheets', async () => {
    const many = makeXls({
      globals: [shared(3, narrow('a'), narrow('b'), narrow('c'))],
      sheets: ['1', '2', '3'].map((name) => ({ name, records: [cells.number(0, 0, 1), cells.number(0, 1, 2)] })),
    });

    expect(await refusalOf(parser, many, { limits: { cellsMax: 5 } })).toMatch(/^limit_exceeded: .*MAX_CELLS/);
    expect(await refusalOf(parser, many, { limits: { cellsMax: 2 } })).toMatch(/^limit_exceeded: .*different texts \(MAX_CELLS\)/);
    expect(await refusalOf(parser, many, { limits: { pagesMax: 2 } })).toMatch(/^limit_exceeded: .*MAX_PAGES/);
  });
});
