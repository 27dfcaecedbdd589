import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';
import { binaryCells as cells, binaryRecord, makeXlsb, wideText } from '../../../support/xlsb-writer.ts';
import { u16, u32, u8 } from '../../../support/xls-writer.ts';

const parser = createDocumentParser({});

describe('an XLSB workbook', () => {
  it('is read a page a sheet, with every kind of cell', async () => {
    const document = await parseBytes(
      parser,
      makeXlsb({
        strings: ['City', '北京'],
        sheets: [
          {
            name: 'Sales',
            records: [
              cells.row(0),
              cells.shared(0, 0),
              cells.text(1, 'Sum'),
              cells.formulaText(2, 'of text'),
              cells.row(1),
              cells.shared(0, 1),
              cells.rk(1, (1234 << 2) | 3),
              cells.bool(2, 1),
              cells.row(2),
              cells.error(0, 0x07),
              cells.number(1, 2.5),
            ],
          },
          {
            name: '备注',
            hidden: true,
            records: [
              cells.row(4),
              cells.text(0, 'both'),
              cells.row(5),
              cells.text(0, 'a'),
              cells.text(1, 'b'),
              cells.merge(4, 4, 0, 1),
            ],
          },
        ],
      }),
      { filename: 'a.xlsb' },
    );

    expect(document.markdown).toBe(
      '# Sales\n\n| City | Sum | of text |\n| --- | --- | --- |\n| 北京 | 12.34 | TRUE |\n| #DIV/0! | 2.5 |  |\n\n# 备注\n\nboth\n\n| a | b |\n| --- | --- |',
    );
    expect(document).toMatchObject({
      format: 'xlsb',
      mediaType: 'application/vnd.ms-excel.sheet.binary.macroEnabled.12',
      pages: 2,
      warnings: ['Hidden sheets were read too: 备注'],
    });
  });

  it('shows numbers and dates as their formats do', async () => {
    const styles = [
      binaryRecord(44, u16(164), wideText('0.0" kg"')),
      binaryRecord(47, u16(0, 9)),
      binaryRecord(617, u32(3)),
      ...[14, 164, 10].map((id) => binaryRecord(47, u16(0, id), Buffer.alloc(12))),
      binaryRecord(618),
    ];
    const records = [cells.row(0), cells.number(0, 45_292, 0), cells.number(1, 2.25, 1), cells.number(2, 0.5, 2)];
    const sheets = [{ name: 'S', records }];

    expect((await parseBytes(parser, makeXlsb({ sheets, styles }))).markdown).toContain('| 2024-01-01 | 2.3 kg | 50.00% |');
    expect((await parseBytes(parser, makeXlsb({ sheets, styles, date1904: true }))).markdown).toContain('| 2028-01-02 |');
  });

  it('is read with its comments', async () => {
    const comments = [
      binaryRecord(632, wideText('Ann')),
      binaryRecord(635, u32(0, 1, 1, 2, 2), Buffer.alloc(16)),
      binaryRecord(637, u8(0), wideText('Ann:\nlook')),
    ];
    const sheets = [{ name: 'S', records: [cells.row(0), cells.text(0, 'x')], comments }];

    expect((await parseBytes(parser, makeXlsb({ sheets }))).markdown).toBe('# S\n\nx\n\nComment on C2 (Ann): look');
  });

  it('is bounded in cells, strings and sheets, and in what its records claim', async () => {
    const records = [cells.row(0), cells.number(0, 1), cells.number(1, 2)];
    const many = makeXlsb({ strings: ['a', 'b', 'c'], sheets: [1, 2, 3].map((at) => ({ name: `${at}`, records })) });
    const lying = [
      cells.row(0),
      cells.text(0, 'read'),
      cells.row(0xffff_ffff),
      cells.text(1, 'x'),
      Buffer.from([6, 0xff, 0xff, 0xff, 0x7f, 1]),
    ];

    expect(await refusalOf(parser, many, { limits: { cellsMax: 5 } })).toMatch(/^limit_exceeded: .*MAX_CELLS/);
    expect(await refusalOf(parser, many, { limits: { cellsMax: 2 } })).toMatch(/^limit_exceeded: .*different texts \(MAX_CELLS\)/);
    expect(await refusalOf(parser, many, { limits: { pagesMax: 2 } })).toMatch(/^limit_exceeded: .*MAX_PAGES/);
    expect((await parseBytes(parser, makeXlsb({ sheets: [{ name: 'S', records: lying }] }))).markdown).toBe('# S\n\nread');
    expect(await refusalOf(parser, makeXlsb({ sheets: [] }))).toMatch(/^corrupt: /);
  });
});
