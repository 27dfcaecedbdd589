/** Workbooks of Excel 2003 in one file of XML: one page a sheet, as for the other formats of workbooks. */
import { createXmlCounts, readXmlText, type XmlHandler } from '../../containers/xml.ts';
import { declaredCharset } from '../../html/html-parser.ts';
import { readText } from '../../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { type BinarySheet, createCellCount, writeWorkbook } from './binary-workbook.ts';
import { compileFormat, type NumberFormat, plainNumber } from './number-format.ts';
import { type CellLink, createSheetGrid, linksMax, type Merge, type SheetGrid } from './sheet-grid.ts';
import { commentText } from './workbook-text.ts';

const sheetMl = 'urn:schemas-microsoft-com:office:spreadsheet';
const namespaces = { [sheetMl]: 'ss', 'urn:schemas-microsoft-com:office:office': 'o', 'http://www.w3.org/TR/REC-html40': 'html' };

/** A parser for workbooks whose root is `Workbook` in Excel's own namespace of 2003. */
export function createSheetXmlParser(): Parser {
  return { parse };
}

type Sheet = {
  readonly name: string;
  readonly grid: SheetGrid;
  readonly merges: Merge[];
  readonly links: CellLink[];
  readonly comments: string[];
  isHidden: boolean;
};

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = readText(input, declaredCharset);
  const reader = createReader(createCellCount(input.limits.cellsMax));
  const end = readXmlText(text, reader.handler, {
    namespaces,
    limits: input.limits,
    counts: createXmlCounts(),
    part: input.filename,
  });
  const repeats = createRepeats();
  const sheets = reader.sheets.map(({ name, isHidden, grid, merges, links, comments }): BinarySheet => ({
    name,
    isHidden,
    read: () => ({ cells: grid.finish(merges, repeats, links), texts: [], comments, end: 0 }),
  }));
  const facts = {
    mediaType: 'application/vnd.ms-excel',
    title: reader.said['o:Title'] ?? null,
    author: reader.said['o:Author'] ?? null,
  };
  return writeWorkbook(sheets, { ...facts, language: null }, input, (_, warnings) => {
    if (end.isCutShort) warnings.push('The file is incomplete; it was read as far as possible');
    return Promise.resolve();
  });
}

/** Merged ranges of one sheet, and columns and rows as Excel has them; more is a lie. */
const mergesMax = 50_000;
const columnsMax = 16_384;
const rowsMax = 1_048_576;

type Reader = { readonly handler: XmlHandler; readonly sheets: Sheet[]; readonly said: Record<string, string> };

function createReader(onCell: () => void): Reader {
  const sheets: Sheet[] = [];
  const said: Record<string, string> = {};
  const formats = new Map<string, NumberFormat>();
  let style = '';
  let row = 0;
  let column = 0;
  let cell = { style: '', type: '', right: 0 };
  let comment: { readonly author: string } | null = null;
  /** The text of the element that is being read, null outside of those that have one. */
  let parts: string[] | null = null;

  function openCell(attributes: Readonly<Record<string, string>>): void {
    column = place(attributes['ss:Index'], column, columnsMax);
    const across = Math.max(0, Math.min(columnsMax - column, Number(attributes['ss:MergeAcross']) || 0));
    cell = { style: attributes['ss:StyleID'] ?? '', type: '', right: column + across };
    const down = Math.min(rowsMax, Number(attributes['ss:MergeDown']) || 0);
    const merges = sheets.at(-1)?.merges;
    if ((across > 0 || down > 0) && merges !== undefined && merges.length < mergesMax)
      merges.push({ top: row, left: column, bottom: row + down, right: column + across });
    const target = attributes['ss:HRef'];
    const links = sheets.at(-1)?.links;
    if (target !== undefined && links !== undefined && links.length < linksMax) links.push({ row, column, target });
  }

  const handler: XmlHandler = {
    open(name, attributes) {
      if (name === 'ss:Worksheet')
        sheets.push({
          name: attributes['ss:Name'] ?? '',
          grid: createSheetGrid(),
          merges: [],
          links: [],
          comments: [],
          isHidden: false,
        });
      else if (name === 'ss:Table') [row, column] = [0, 0];
      else if (name === 'ss:Row') [row, column] = [place(attributes['ss:Index'], row, rowsMax), 0];
      else if (name === 'ss:Cell') openCell(attributes);
      else if (name === 'ss:Comment') comment = { author: attributes['ss:Author'] ?? '' };
      else if (name === 'ss:Style') style = attributes['ss:ID'] ?? '';
      else if (name === 'ss:NumberFormat')
        formats.set(style, compileFormat(namedFormats[attributes['ss:Format'] ?? ''] ?? attributes['ss:Format'] ?? ''));
      else if (name === 'ss:Data') {
        cell.type = attributes['ss:Type'] ?? '';
        parts = [];
      } else if (name === 'o:Title' || name === 'o:Author' || name.endsWith(':Visible')) parts = [];
    },
    text: (data) => void parts?.push(data),
    close(name) {
      if (parts !== null && name === 'ss:Data') {
        const value = parts.join('');
        if (comment === null) {
          onCell();
          sheets.at(-1)?.grid.set(row, column, shown(value, cell.type, formats.get(cell.style)));
        } else sheets.at(-1)?.comments.push(commentText(reference(row, column), comment.author, value));
        parts = null;
      } else if (name === 'ss:Comment') comment = null;
      else if (name === 'ss:Cell') column = cell.right;
      else if (parts !== null && (name === 'o:Title' || name === 'o:Author')) {
        said[name] ??= parts.join('').trim().slice(0, 1000);
        parts = null;
      } else if (parts !== null && name.endsWith(':Visible')) {
        const sheet = sheets.at(-1);
        if (sheet !== undefined) sheet.isHidden = /Hidden/.test(parts.join(''));
        parts = null;
      }
    },
  };
  return { handler, sheets, said };
}

/** The next place, or the one that is said. */
function place(said: string | undefined, before: number, most: number): number {
  const number = Number(said);
  return Math.min(most, Number.isInteger(number) && number > before ? number : before + 1);
}

function reference(row: number, column: number): string {
  let letters = '';
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26))
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters;
  return `${letters}${row}`;
}

/** Formats that Excel 2003 calls by name. */
const namedFormats: Readonly<Record<string, string>> = {
  'General Number': 'General',
  'General Date': 'yyyy-mm-dd hh:mm',
  'Long Date': 'd mmmm yyyy',
  'Medium Date': 'd-mmm-yy',
  'Short Date': 'yyyy-mm-dd',
  'Long Time': 'h:mm:ss',
  'Medium Time': 'h:mm AM/PM',
  'Short Time': 'hh:mm',
  Currency: '#,##0.00',
  'Euro Currency': '€#,##0.00',
  Fixed: '0.00',
  Standard: '#,##0.00',
  Percent: '0.00%',
  Scientific: '0.00E+00',
};

const dayMs = 86_400_000;
const excelEpoch = Date.UTC(1899, 11, 30);

function shown(value: string, type: string, format: NumberFormat | undefined): string {
  if (type === 'Boolean') return value.trim() === '1' ? 'TRUE' : 'FALSE';
  if (type === 'DateTime') {
    const time = Date.parse(`${value.trim().replace(/Z$/, '')}Z`);
    if (Number.isNaN(time)) return value;
    return format === undefined
      ? value
          .trim()
          .replace(/T00:00:00(?:\.0+)?$/, '')
          .replace('T', ' ')
      : format((time - excelEpoch) / dayMs);
  }
  if (type !== 'Number') return value;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) return value;
  return format === undefined ? plainNumber(number) : format(number);
}
