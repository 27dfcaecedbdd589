import { describe, expect, it } from 'vitest';
import { createDocumentParser } from '../../../../src/parse/document-parser.ts';
import { makeXlsx } from '../../../support/office-writer.ts';
import { parseBytes } from '../../../support/parse.ts';
import { binaryCells, binaryRecord, makeXlsb, wideText } from '../../../support/xlsb-writer.ts';
import { cells, makeXls, record, u16, u32 } from '../../../support/xls-writer.ts';

const parser = createDocumentParser({});
const form = 'https://a.example/form?a=1';
const folder = 'file:///c:/forms';

const urlClass = Buffer.from('e0c9ea79f9bace118c8200aa004ba90b', 'hex');
const fileClass = Buffer.from('0303000000000000c000000000000046', 'hex');
const nulEnded = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf16le');

/** A record of a link from one cell: the cells it is for, a class, a version, what there is, and that. */
function xlsLink(row: number, column: number, has: number, ...data: readonly Uint8Array[]): Buffer {
  return record(0x1b8, u16(row, row, column, column), Buffer.alloc(16), u32(2, has), ...data);
}

const counted = (text: string): Buffer => Buffer.concat([u32(text.length + 1), nulEnded(text)]);
const moniker = (url: string): Buffer => Buffer.concat([urlClass, u32(nulEnded(url).length), nulEnded(url)]);

const xls = makeXls({
  sheets: [
    {
      name: 'S',
      records: [
        cells.label(0, 0, '表格'),
        cells.label(0, 1, 'mail'),
        cells.label(1, 0, 'here'),
        cells.label(1, 1, 'folder'),
        xlsLink(0, 0, 0x03 | 0x14 | 0x80, counted('表格'), counted('_top'), moniker(form)),
        xlsLink(0, 1, 0x103, counted('mailto:hr@a.example')),
        xlsLink(1, 0, 0x08, counted('S!A1')),
        xlsLink(1, 1, 0x03, fileClass, u16(0), u32(4), Buffer.from('c:/\0')),
        // One that says more than there is.
        record(0x1b8, u16(1, 1, 0, 0), Buffer.alloc(16), u32(2, 0x103, 0xffff_ffff)),
      ],
    },
  ],
});

const xlsb = makeXlsb({
  sheets: [
    {
      name: 'S',
      links: { a: form, b: 'mailto:hr@a.example', d: folder },
      records: [
        binaryCells.row(0),
        binaryCells.text(0, '表格'),
        binaryCells.text(1, 'mail'),
        binaryCells.row(1),
        binaryCells.text(0, 'here'),
        binaryCells.text(1, 'folder'),
        ...['a', 'b', '', 'd'].map((id, at) =>
          binaryRecord(494, u32(at >> 1, at >> 1, at & 1, at & 1), wideText(id), wideText(''), wideText(''), wideText('')),
        ),
        binaryRecord(494, u32(0, 0)),
      ],
    },
  ],
});

const outward = (id: string, target: string) => ({ id, type: 'hyperlink', target, external: true });
const xlsx = makeXlsx({
  sheets: [
    {
      name: 'S',
      rows: [
        ['表格', 'mail'],
        ['here', 'folder'],
      ],
      after:
        '<hyperlinks><hyperlink ref="A1:A1" r:id="a"/><hyperlink ref="B1" r:id="b"/><hyperlink ref="A2" location="S!A1"/>' +
        '<hyperlink ref="B2" r:id="d"/><hyperlink ref="C9" r:id="a"/><hyperlink ref="?" r:id="a"/><hyperlink ref="A2" r:id="none"/></hyperlinks>',
      relationships: [outward('a', form), outward('b', 'mailto:hr@a.example'), outward('d', folder)],
    },
  ],
});

const cell = (text: string, href: string): string => `<Cell ss:HRef="${href}"><Data ss:Type="String">${text}</Data></Cell>`;
const sheetXml = Buffer.from(
  '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="S"><Table>' +
    `<Row>${cell('表格', form)}${cell('mail', 'mailto:hr@a.example')}</Row><Row>${cell('here', '#S!A1')}${cell('folder', folder)}</Row></Table></Worksheet></Workbook>`,
);

describe('links of cells are kept, but for places in the workbook and files,', () => {
  it.each([
    ['xls', xls],
    ['xlsb', xlsb],
    ['xlsx', xlsx],
    ['xml', sheetXml],
  ])('in a workbook of %s', async (ending, bytes) => {
    const { markdown } = await parseBytes(parser, bytes, { filename: `a.${ending}` });

    expect(markdown).toBe(`# S\n\n| [表格](${form}) | [mail](mailto:hr@a.example) |\n| --- | --- |\n| here | folder |`);
  });

  it('and where a formula says it', async () => {
    const linked = { xml: `<f>HYPERLINK("${form}", "表格")</f><v>表格</v>`, attributes: 't="str"' };
    const other = { xml: '<f>IF(A1="HYPERLINK(",1,2)</f><v>2</v>' };
    const { markdown } = await parseBytes(parser, makeXlsx({ sheets: [{ name: 'S', rows: [[linked, other]] }] }));

    expect(markdown).toContain(`| [表格](${form}) | 2 |`);
  });

  it('but not each time when one long address is shown in very many cells, nor from a cell in the formula of another', async () => {
    const count = 3000;
    const references = Array.from({ length: count }, (_, at) => `<hyperlink ref="A${at + 1}" r:id="a"/>`).join('');
    const long = `https://a.example/${'x'.repeat(1900)}`;
    const sheet = {
      name: 'S',
      rows: Array.from({ length: count }, () => ['here']),
      after: `<hyperlinks>${references}</hyperlinks>`,
      relationships: [outward('a', long)],
    };
    const { markdown } = await parseBytes(parser, makeXlsx({ sheets: [sheet] }));
    expect(markdown).toContain(`| [here](${long}) |`);
    expect(markdown.length).toBeLessThan(2_000_000);

    const nested = {
      name: 'S',
      rows: [],
      sheetData: '<sheetData><row><c><f><c r="B1" t="str">x</c></f><v>1</v></c></row></sheetData>',
    };
    expect((await parseBytes(parser, makeXlsx({ sheets: [nested] }))).markdown).toBe('# S');
  });
});
