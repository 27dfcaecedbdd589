/** The XML of one worksheet, read as events into a grid: cached values, never formulas; only what shows. */
import { DocumentError } from '../../../errors.ts';
import type { Repeats } from '../../repeats.ts';
import type { XmlHandler } from '../../containers/xml.ts';
import { compileFormat, plainNumber, type NumberFormat } from './number-format.ts';
import { type CellLink, cellPlace, createSheetGrid, linksMax, type Merge, type SheetCells } from './sheet-grid.ts';

export type SheetContext = {
  /** The shared string of that index; '' when there is none. */
  readonly sharedString: (index: number) => string;
  readonly repeats: Repeats;
  /** The format of cells by their style; undefined shows plain numbers. */
  readonly formatOf: (style: string | undefined) => NumberFormat | undefined;
  /** Called for each cell that holds something: throws when there are too many. */
  readonly onCell: () => void;
  /** Called every few thousand rows. */
  readonly onRows: () => void;
};

export interface SheetReader {
  readonly handler: XmlHandler;
  /** Call when the part has been read. */
  finish(): { cells: SheetCells; formulasWithoutValue: number };
}

/** Merged ranges of one sheet; more are there for looks, or a lie. */
const mergesMax = 50_000;
const rowsPerCall = 5000;
const formulaCharactersMax = 4000;

/** A reader for one worksheet part; `targets` are where its links lead, by their relationships. @throws DocumentError what `onCell` throws. */
export function createSheetReader(context: SheetContext, targets: ReadonlyMap<string, string>): SheetReader {
  const grid = createSheetGrid();
  const merges: Merge[] = [];
  const links: CellLink[] = [];
  let row = 0;
  let column = 0;
  let rowsRead = 0;
  let cell: { type: string; style: string | undefined; formula: string | null; value: string; inline: string } | null = null;
  /** Which text is being read; `phonetic` runs (furigana) show above the text and are no part of it. */
  let reading: 'value' | 'inline' | 'formula' | null = null;
  let phonetic = 0;
  let formulasWithoutValue = 0;

  function endCell(): void {
    if (cell === null) return;
    const text = cellText(cell, context);
    if (text !== '') {
      context.onCell();
      grid.set(row, column, text);
      const target = cell.formula === null ? undefined : /^\s*HYPERLINK\(\s*"([^"]+)"/i.exec(cell.formula)?.[1];
      if (target !== undefined && links.length < linksMax) links.push({ row, column, target });
    } else if (cell.formula !== null && cell.value === '' && cell.type !== 'str') formulasWithoutValue++;
    cell = null;
  }

  function startRow(reference: string | undefined): void {
    const given = Number(reference);
    row = Number.isInteger(given) && given >= 1 && given <= 1_048_576 ? given : row + 1;
    column = 0;
    if (++rowsRead % rowsPerCall === 0) context.onRows();
  }

  return {
    handler: {
      open(name, attributes) {
        switch (name) {
          case 'x:row':
            startRow(attributes['r']);
            break;
          case 'x:c': {
            const place = cellPlace(attributes['r'] ?? '');
            row = place?.row ?? Math.max(1, row);
            column = place?.column ?? column + 1;
            reading = null;
            cell = { type: attributes['t'] ?? 'n', style: attributes['s'], formula: null, value: '', inline: '' };
            break;
          }
          case 'x:f':
            if (cell !== null) [cell.formula, reading] = ['', 'formula'];
            break;
          case 'x:v':
            reading = cell === null ? null : 'value';
            break;
          case 'x:rPh':
            phonetic++;
            break;
          case 'x:t':
            reading = cell === null || phonetic > 0 ? null : 'inline';
            break;
          case 'x:mergeCell':
            addMerge(attributes['ref'] ?? '', merges);
            break;
          case 'x:hyperlink': {
            const place = cellPlace((attributes['ref'] ?? '').split(':')[0]!);
            const target = targets.get(attributes['r:id'] ?? '');
            if (place !== null && target !== undefined && links.length < linksMax) links.push({ ...place, target });
            break;
          }
          default:
        }
      },
      text(data) {
        if (cell === null || reading === null) return;
        if (reading === 'value') cell.value += data;
        else if (reading === 'formula') {
          // Of a formula only where it leads is of use.
          if (cell.formula!.length < formulaCharactersMax) cell.formula += data;
        } else cell.inline += data;
      },
      close(name) {
        if (name === 'x:v' || name === 'x:t' || name === 'x:f') reading = null;
        else if (name === 'x:rPh') phonetic--;
        else if (name === 'x:c') endCell();
      },
    },
    finish() {
      return { cells: grid.finish(merges, context.repeats, links), formulasWithoutValue };
    },
  };
}

function addMerge(range: string, merges: Merge[]): void {
  const [from, to] = range.split(':').map(cellPlace);
  if (from === null || from === undefined || to === null || to === undefined || merges.length >= mergesMax) return;
  merges.push({ top: from.row, left: from.column, bottom: to.row, right: to.column });
}

function cellText(cell: { type: string; style: string | undefined; value: string; inline: string }, context: SheetContext): string {
  switch (cell.type) {
    case 's':
      return context.sharedString(Number(cell.value));
    case 'inlineStr':
      return unescapeCell(cell.inline === '' ? cell.value : cell.inline);
    case 'b':
      return cell.value === '' ? '' : cell.value.trim() === '0' ? 'FALSE' : 'TRUE';
    case 'str':
    case 'e':
      return unescapeCell(cell.value);
    case 'd':
      return cell.value.trim().replace(/T00:00:00(?:\.0+)?Z?$/, '');
    default:
      return numberText(cell.value.trim(), context.formatOf(cell.style));
  }
}

function numberText(value: string, format: NumberFormat | undefined): string {
  const number = Number(value);
  if (value === '' || !Number.isFinite(number)) return value;
  return format === undefined ? plainNumber(number) : format(number);
}

/** `_x000D_` stands for a character that XML cannot hold (ST_Xstring). */
export function unescapeCell(text: string): string {
  return text.includes('_x')
    ? text.replace(/_x([0-9a-f]{4})_/gi, (_, code: string) => {
        const character = String.fromCharCode(Number.parseInt(code, 16));
        return character < ' ' ? (character === '\n' || character === '\t' ? character : '') : character;
      })
    : text;
}

/** A reader of `sharedStrings.xml`. @throws DocumentError `limit_exceeded` (MAX_CELLS) for more strings than cells are allowed. */
export function createStringsReader(cellsMax: number): { readonly handler: XmlHandler; readonly strings: readonly string[] } {
  const strings: string[] = [];
  let parts: string[] = [];
  let isText = false;
  let phonetic = 0;
  return {
    strings,
    handler: {
      open(name) {
        if (name === 'x:t') isText = phonetic === 0;
        else if (name === 'x:rPh') phonetic++;
      },
      text(data) {
        if (isText) parts.push(data);
      },
      close(name) {
        if (name === 'x:t') isText = false;
        else if (name === 'x:rPh') phonetic--;
        else if (name === 'x:si') {
          if (strings.length >= cellsMax) {
            throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} different texts (MAX_CELLS)`);
          }
          strings.push(ownCopy(unescapeCell(parts.join(''))));
          parts = [];
        }
      },
    },
  };
}

/** A string of its own: a slice of the XML would keep all of that in memory. */
function ownCopy(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf8').toString('utf8');
}

/** Spreadsheet programs hold half as many. `numfmt` remembers a thousand codes; past that, each cell reads its own again (ten times as long). */
const formatsMax = 500;

/** Formats by style index, each compiled once; past the bound, numbers are plain. `formats` are number format ids by style. */
export function createFormats(
  formats: readonly string[],
  codeOf: (id: string) => string | null,
  isDate1904: boolean,
): SheetContext['formatOf'] {
  const compiled = new Map<string, NumberFormat | undefined>();
  return (style) => {
    const id = formats[Number(style ?? '0')];
    if (id === undefined) return undefined;
    if (!compiled.has(id) && compiled.size < formatsMax) {
      const code = codeOf(id);
      compiled.set(id, code === null || /^general$/i.test(code) ? undefined : compileFormat(code, isDate1904));
    }
    return compiled.get(id);
  };
}
