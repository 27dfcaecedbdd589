/** Reads OpenDocument spreadsheets as events: cells hold their text as it shows, so no format has to be applied. */
import { DocumentError } from '../../../errors.ts';
import { createRepeats } from '../../repeats.ts';
import { textOf, type Attributes, type XmlHandler, type XmlNode } from '../../containers/xml.ts';
import { linkText } from '../../markdown/link.ts';
import type { BlockWriter } from '../block-writer.ts';
import { descriptionOf } from '../description.ts';
import { plainNumber } from '../sheets/number-format.ts';
import { commentText } from './odf-body.ts';
import { readPartEvents } from '../part-events.ts';
import { objectOf, type OdfObject, type OdfObjects } from './odf-text.ts';
import { columnName, createSheetGrid, type Merge, type SheetGrid } from '../sheets/sheet-grid.ts';
import { writeRegions } from '../sheets/sheet-regions.ts';

export type OdfSheetContext = {
  readonly out: BlockWriter;
  readonly cellsMax: number;
  readonly objects: OdfObjects;
  /** Called at each sheet, before its text. */ readonly onSheet: (name: string) => void;
};

type Sheet = {
  readonly grid: SheetGrid;
  readonly merges: Merge[];
  readonly after: string[];
  readonly objects: OdfObject[];
  row: number;
};
type Row = { readonly cells: { column: number; text: string }[]; column: number; readonly repeat: number };
type Cell = { readonly attributes: Attributes; readonly texts: string[] };

const mergesMax = 50_000;
const rowsMax = 1_048_576;
const columnsMax = 16_384;
const captured = new Set(['text:p', 'office:annotation', 'draw:object', 'svg:title', 'svg:desc']);
const dropped = new Set([
  'office:automatic-styles',
  'office:scripts',
  'table:tracked-changes',
  'table:content-validations',
  'office:forms',
  'office:master-styles',
  'office:binary-data',
]);

/** A handler that writes each sheet when it ends. @throws DocumentError `limit_exceeded` (MAX_CELLS). */
export function createOdfSheetReader({ out, cellsMax, objects, onSheet }: OdfSheetContext): XmlHandler {
  let sheet: Sheet | null = null;
  let row: Row | null = null;
  let cell: Cell | null = null;
  let cells = 0;
  let tables = 0;
  const repeats = createRepeats();

  return readPartEvents({
    part: 'content.xml',
    captured,
    isDropped: (name) => dropped.has(name),
    begin,
    end,
    whole(node) {
      if (node.name === 'text:p') cell?.texts.push(lineOf(node));
      else if (node.name === 'draw:object') object(node);
      else if (node.name === 'office:annotation') comment(node);
      else description(node);
    },
  });

  function begin(name: string, attributes: Attributes): void {
    switch (name) {
      case 'table:table':
        if (tables++ > 0) break;
        onSheet(attributes['table:name'] ?? '');
        sheet = { grid: createSheetGrid(), merges: [], after: [], objects: [], row: 0 };
        break;
      case 'table:table-row':
        row = { cells: [], column: 0, repeat: count(attributes['table:number-rows-repeated']) };
        break;
      case 'table:covered-table-cell':
      case 'table:table-cell':
        cell = { attributes, texts: [] };
        break;
      default:
    }
  }

  function end(name: string): void {
    if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
      endCell(name === 'table:covered-table-cell');
    } else if (name === 'table:table-row') endRow();
    else if (name === 'table:table' && --tables === 0) endSheet();
  }

  function endCell(isCovered: boolean): void {
    if (cell === null || row === null || sheet === null) return;
    const { attributes, texts } = cell;
    const text = isCovered ? '' : cellText(attributes, texts);
    const repeat = count(attributes['table:number-columns-repeated']);
    if (text !== '') {
      for (let at = 1; at <= repeat && row.column + at <= columnsMax; at++) {
        countCell();
        row.cells.push({ column: row.column + at, text: at === 1 ? repeats.first(text) : repeats.again(text) });
      }
      addMerge(attributes);
    }
    row.column += repeat;
    cell = null;
  }

  function addMerge(attributes: Attributes): void {
    const columns = count(attributes['table:number-columns-spanned']);
    const rows = count(attributes['table:number-rows-spanned']);
    if (sheet === null || row === null || (columns === 1 && rows === 1) || sheet.merges.length >= mergesMax) return;
    const top = sheet.row + 1;
    const left = row.column + 1;
    sheet.merges.push({ top, left, bottom: top + rows - 1, right: left + columns - 1 });
  }

  function endRow(): void {
    if (row === null || sheet === null) return;
    if (row.cells.length > 0) {
      for (let at = 1; at <= row.repeat && sheet.row + at <= rowsMax; at++) {
        for (const { column, text } of row.cells) {
          if (at > 1) countCell();
          sheet.grid.set(sheet.row + at, column, at === 1 ? text : repeats.again(text));
        }
      }
    }
    sheet.row += row.repeat;
    row = null;
  }

  function countCell(): void {
    if (++cells > cellsMax) {
      throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} cells with content (MAX_CELLS)`);
    }
  }

  function object(node: XmlNode): void {
    const found = objectOf(node, objects);
    if (found !== undefined) sheet?.objects.push(found);
  }

  /** What a picture shows, as its author says it. */
  function description(node: XmlNode): void {
    const text = descriptionOf(textOf(node));
    if (text !== '') sheet?.after.push(`Picture: ${repeats.first(text)}`);
  }

  function comment(node: XmlNode): void {
    const place = row === null || sheet === null ? '' : ` on ${columnName(Math.min(columnsMax, row.column + 1))}${sheet.row + 1}`;
    sheet?.after.push(commentText(node).replace(/^Comment/, `Comment${place}`));
  }

  function endSheet(): void {
    if (sheet === null) return;
    writeRegions(sheet.grid.finish(sheet.merges, repeats), out);
    for (const { title, rows } of sheet.objects) {
      out.paragraph(title);
      if (rows.length > 0) out.table(rows);
    }
    for (const text of sheet.after) out.paragraph(text);
    out.flush();
    sheet = null;
  }
}

function count(value: string | undefined): number {
  const number = Number.parseInt(value ?? '1', 10);
  return number >= 1 ? Math.min(rowsMax, number) : 1;
}

function cellText(attributes: Attributes, texts: readonly string[]): string {
  if (texts.length > 0) return texts.join('\n').trim();
  const value = attributes['office:value'];
  if (value !== undefined && Number.isFinite(Number(value))) return plainNumber(Number(value));
  return attributes['office:string-value'] ?? attributes['office:date-value'] ?? attributes['office:boolean-value'] ?? '';
}

/** A line of a cell with where its links lead; comments in it are none of its text. */
function lineOf(node: XmlNode): string {
  const parts = node.children.map((each) => {
    if (typeof each === 'string') return each;
    if (each.name === 'office:annotation') return '';
    return each.name === 'text:a' ? linkText(lineOf(each), each.attributes['xlink:href']) : lineOf(each);
  });
  return parts.length === 1 ? parts[0]! : parts.join('');
}
