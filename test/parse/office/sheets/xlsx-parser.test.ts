import { describe, expect, it } from 'vitest';
import { createXlsxParser } from '../../../../src/parse/office/sheets/xlsx-parser.ts';
import { makeXlsx, type SheetParts } from '../../../support/office-writer.ts';
import { parseBytes, refusalOf } from '../../../support/parse.ts';

const parser = createXlsxParser();

async function markdownOf(sheet: Partial<SheetParts>, rest: { styles?: string; sharedStrings?: string } = {}): Promise<string> {
  return (await parseBytes(parser, makeXlsx({ sheets: [{ name: 'S', rows: [], ...sheet }], ...rest }))).markdown;
}

describe('a workbook', () => {
  it('is read a page a sheet, in order, the name as heading', async () => {
    const document = await parseBytes(
      parser,
      makeXlsx({
        title: 'Zahlen',
        author: 'Ann',
        sheets: [
          {
            name: 'Sales',
            rows: [
              ['City', 'Sum'],
              ['北京', 12.5],
            ],
          },
          { name: '备注', rows: [['done', true]], state: 'hidden' },
        ],
      }),
    );

    expect(document.markdown).toBe(
      '# Sales\n\n| City | Sum |\n| --- | --- |\n| 北京 | 12.5 |\n\n# 备注\n\n| done | TRUE |\n| --- | --- |',
    );
    expect(document.blocks.map((block) => block.page)).toEqual([1, 1, 2, 2]);
    expect(document).toMatchObject({ pages: 2, title: 'Zahlen', author: 'Ann', warnings: ['Hidden sheets were read too: 备注'] });
  });

  it('shows numbers and dates as their formats do', async () => {
    const styles =
      '<numFmts><numFmt numFmtId="164" formatCode="0.0&quot; kg&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="10"/></cellXfs>';
    const cell = (value: number, style: number) => ({ xml: `<v>${value}</v>`, attributes: `s="${style}"` });

    expect(await markdownOf({ rows: [[cell(45_292, 1), cell(2.25, 2), cell(0.5, 3)]] }, { styles })).toContain(
      '| 2024-01-01 | 2.3 kg | 50.00% |',
    );
  });

  it('reads every kind of cell: shared rich text without furigana, inline text, formulas by their value, errors', async () => {
    const sharedStrings = '<si><r><t>東</t></r><r><t xml:space="preserve">京 </t></r><rPh><t>トウキョウ</t></rPh></si>';
    const rows = [
      [
        { xml: '<v>0</v>', attributes: 't="s"' },
        { xml: '<is><t>in_x000D_line</t></is>', attributes: 't="inlineStr"' },
        { xml: '<f>A1&amp;B1</f><v>sum</v>', attributes: 't="str"' },
        { xml: '<v>#N/A</v>', attributes: 't="e"' },
        { xml: '<f>1+1</f><v>2</v>' },
      ],
    ];

    expect(await markdownOf({ rows }, { sharedStrings })).toContain('| 東京 | inline | sum | #N/A | 2 |');
  });

  it('says when formulas have no saved value', async () => {
    const document = await parseBytes(parser, makeXlsx({ sheets: [{ name: 'S', rows: [['a', { xml: '<f>B2</f>' }]] }] }));

    expect(document.warnings).toEqual([
      '1 formula(s) have no saved value and are left empty: open and save the file in its program',
    ]);
  });

  it('cuts a sheet into its tables, with titles above and labels beside their values', async () => {
    const rows = [
      ['Title of all'],
      [],
      ['a', 'b', null, 'x', 'y'],
      [1, 2, null, 3, 4],
      [],
      ['label', null, null, 'value'],
      ['other', null, null, 'thing'],
    ];

    expect(await markdownOf({ rows })).toBe(
      [
        '# S',
        'Title of all',
        '| a | b |\n| --- | --- |\n| 1 | 2 |',
        '| x | y |\n| --- | --- |\n| 3 | 4 |',
        '| label | value |\n| --- | --- |\n| other | thing |',
      ].join('\n\n'),
    );
  });

  it('parts tables that touch at a corner, and keeps one in double spacing together', async () => {
    const corner = [
      ['a', 'b'],
      [1, 2],
      [null, null, 'x', 'y'],
      [null, null, 3, 4],
    ];
    const spaced = [['a', 'b'], [], [1, 2], [], [3, 4]];

    expect(await markdownOf({ rows: corner })).toBe(
      '# S\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n| x | y |\n| --- | --- |\n| 3 | 4 |',
    );
    expect(await markdownOf({ rows: spaced })).toBe('# S\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |');
  });

  it('repeats merged cells, and takes a row merged into one for a title', async () => {
    const rows = [['Report 2024'], ['k', 'sales', null], [null, 'north', 'south'], ['x', 1, 2]];

    expect(await markdownOf({ rows, merged: ['A1:C1', 'B2:C2', 'A2:A3'] })).toBe(
      '# S\n\nReport 2024\n\n| k | sales | sales |\n| --- | --- | --- |\n| k | north | south |\n| x | 1 | 2 |',
    );
  });

  it('costs no more for a cell at the far end of the sheet', async () => {
    const sheetData =
      '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>';

    expect(await markdownOf({ sheetData })).toBe('# S\n\n1\n\n2');
  });

  it('writes a sheet that is mostly empty cell by cell', async () => {
    const row = (number: number) =>
      `<row r="${number}"><c r="A${number}"><v>${number}</v></c><c r="${String.fromCharCode(66 + (number % 25))}${number}"><v>7</v></c></row>`;
    const wide = Array.from({ length: 2000 }, (_, at) => row(at + 1)).join('');
    const last = Array.from({ length: 400 }, (_, at) => `<c r="${columnOf(at + 26)}2001"><v>8</v></c>`).join('');

    const markdown = await markdownOf({ sheetData: `<sheetData>${wide}<row r="2001">${last}</row></sheetData>` });

    expect(markdown.split('\n')[2]).toBe('- A1: 1; C1: 7');
  });

  it('adds comments with their authors', async () => {
    const ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
    const comments = `<comments ${ns}><authors><author>Ann</author><author>tc={1}</author></authors><commentList><comment ref="B2" authorId="0"><text><r><t>Ann:</t></r><r><t> why?</t></r></text></comment><comment ref="C3" authorId="1"><text><t>copy</t></text></comment></commentList></comments>`;
    const document = await parseBytes(
      parser,
      makeXlsx({
        sheets: [{ name: 'S', rows: [[1]], relationships: [{ id: 'c', type: 'comments', target: '../comments1.xml' }] }],
        members: [{ name: 'xl/comments1.xml', data: comments }],
      }),
    );

    expect(document.markdown).toBe('# S\n\n1\n\nComment on B2 (Ann): why?');
  });

  it('is refused when it holds more cells or sheets than are allowed', async () => {
    const book = makeXlsx({
      sheets: [
        { name: 'A', rows: [[1, 2, 3]] },
        { name: 'B', rows: [[4]] },
      ],
    });

    expect(await refusalOf(parser, book, { limits: { cellsMax: 3 } })).toBe(
      'limit_exceeded: The workbook has more than 3 cells with content (MAX_CELLS)',
    );
    expect(await refusalOf(parser, book, { limits: { pagesMax: 1 } })).toBe(
      'limit_exceeded: The workbook has more than 1 sheets (MAX_PAGES)',
    );
  });
});

function columnOf(index: number): string {
  return index < 26
    ? String.fromCharCode(65 + index)
    : columnOf(Math.floor(index / 26) - 1) + String.fromCharCode(65 + (index % 26));
}
