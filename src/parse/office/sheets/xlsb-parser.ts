/** Binary workbooks of Excel 2007 and later (XLSB): the package of XLSX with records in place of XML (MS-XLSB). Written as XLSX is. */
import { DocumentError } from '../../../errors.ts';
import { noParts } from '../../containers/parts.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import type { BlockWriter } from '../block-writer.ts';
import { writeEmbeddedFiles } from '../embedded-files.ts';
import { openPackage, type OfficePackage } from '../office-package.ts';
import { createCellCount, writeWorkbook, type BinarySheet } from './binary-workbook.ts';
import { boolOrError, rkNumber, type SheetContent } from './biff-sheet.ts';
import { builtinFormat, plainNumber } from './number-format.ts';
import { type CellLink, columnName, createSheetGrid, linksMax, type Merge } from './sheet-grid.ts';
import { authorCharactersMax, commentText, shownStrings } from './workbook-text.ts';
import { readXlsbRecords, richTextAt, wideTextAt, type XlsbRecord } from './xlsb-records.ts';
import { writeDrawings } from './xlsx-parser.ts';
import { createFormats, type SheetContext } from './xlsx-sheet.ts';

const kind = { name: 'workbook', usualPart: 'xl/workbook.bin', mediaType: 'application/vnd.ms-excel.sheet.binary.macroEnabled.12' };

/** A parser for binary workbooks in packages. Pages are sheets; a sheet's name is its heading. `parts` reads files inside of one. */
export function createXlsbParser(parts: Parser = noParts): Parser {
  return {
    async parse(input) {
      const office = await openPackage(input, kind);
      try {
        return await readWorkbook(office, input, parts);
      } finally {
        office.close();
      }
    },
  };
}

const types = {
  row: 0,
  rk: 2,
  error: 3,
  bool: 4,
  real: 5,
  text: 6,
  shared: 7,
  formulaText: 8,
  formulaNumber: 9,
  formulaBool: 10,
  formulaError: 11,
  sharedItem: 19,
  format: 44,
  style: 47,
  richText: 62,
  workbookProperties: 153,
  sheet: 156,
  merge: 176,
  link: 494,
  beginStyles: 617,
  endStyles: 618,
  author: 632,
  comment: 635,
  commentText: 637,
} as const;

type Sheet = { readonly name: string; readonly part: string; readonly isHidden: boolean };

async function readWorkbook(office: OfficePackage, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  const { sheets, isDate1904 } = await readGlobals(office);
  let done = 0;
  const context = await readContext(office, isDate1904, () => input.onProgress(done, sheets.length));
  const binary = sheets.map(({ name, part, isHidden }): BinarySheet => ({
    name,
    isHidden,
    async read() {
      const content = readSheet(await office.bytes(part), context, await office.linksOf(part));
      done++;
      return { ...content, comments: await readComments(office, part) };
    },
    writeMore: (out: BlockWriter) => writeDrawings(office, part, out),
  }));
  const facts = { mediaType: kind.mediaType, title: office.title, author: office.author, language: office.language };
  const parts = sheets.map(({ part }) => part);
  return writeWorkbook(binary, facts, input, async (builder, warnings) => {
    warnings.push(...office.warnings);
    await writeEmbeddedFiles(office, parts, builder, { input, parser, warnings, level: 1 });
  });
}

const sheetsListedMax = 100_000;

async function readGlobals(office: OfficePackage): Promise<{ sheets: Sheet[]; isDate1904: boolean }> {
  const relations = await office.relationsOf(office.mainPart);
  const sheets: Sheet[] = [];
  const listed = new Set<string>();
  let isDate1904 = false;
  for (const { type, data } of readXlsbRecords(await office.bytes(office.mainPart))) {
    if (type === types.workbookProperties && data.length >= 4) isDate1904 = (data.readUInt32LE(0) & 1) === 1;
    if (type !== types.sheet || data.length < 12 || sheets.length >= sheetsListedMax) continue;
    const { text: relation, end } = wideTextAt(data, 8);
    const target = relations.get(relation)?.target;
    if (target === undefined || listed.has(target)) continue;
    listed.add(target);
    sheets.push({ name: wideTextAt(data, end).text, part: target, isHidden: (data.readUInt32LE(0) & 3) !== 0 });
  }
  if (sheets.length === 0) throw new DocumentError('corrupt', 'The workbook is damaged: its list of sheets cannot be read');
  return { sheets, isDate1904 };
}

async function readContext(office: OfficePackage, isDate1904: boolean, onRows: () => void): Promise<SheetContext> {
  const { cellsMax } = office.limits;
  const strings: string[] = [];
  const stringsPart = await office.relatedPart(office.mainPart, 'sharedStrings');
  for (const { type, data } of readXlsbRecords(stringsPart === null ? Buffer.alloc(0) : await office.bytes(stringsPart))) {
    if (type !== types.sharedItem) continue;
    if (strings.length >= cellsMax)
      throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} different texts (MAX_CELLS)`);
    strings.push(richTextAt(data, 0));
  }
  const { codes, styles } = await readStyles(office);
  const repeats = createRepeats();
  return {
    sharedString: shownStrings(strings, repeats),
    repeats,
    formatOf: createFormats(styles, (id) => codes.get(id) ?? builtinFormat(Number(id)), isDate1904),
    onCell: createCellCount(cellsMax),
    onRows,
  };
}

const stylesMax = 65_536;

async function readStyles(office: OfficePackage): Promise<{ codes: ReadonlyMap<string, string>; styles: readonly string[] }> {
  const part = await office.relatedPart(office.mainPart, 'styles');
  const codes = new Map<string, string>();
  const styles: string[] = [];
  let isOfCells = false;
  for (const { type, data } of readXlsbRecords(part === null ? Buffer.alloc(0) : await office.bytes(part))) {
    if (type === types.format && data.length >= 2 && codes.size < stylesMax)
      codes.set(String(data.readUInt16LE(0)), wideTextAt(data, 2).text);
    else if (type === types.beginStyles || type === types.endStyles) isOfCells = type === types.beginStyles;
    else if (type === types.style && isOfCells && data.length >= 4 && styles.length < stylesMax)
      styles.push(String(data.readUInt16LE(2)));
  }
  return { codes, styles };
}

const mergesMax = 50_000;
const rowMax = 1_048_575;
const columnMax = 16_383;
const rowsPerCall = 5000;

function readSheet(part: Buffer, context: SheetContext, targets: ReadonlyMap<string, string>): Omit<SheetContent, 'comments'> {
  const grid = createSheetGrid();
  const merges: Merge[] = [];
  const links: CellLink[] = [];
  let row = 0;
  let rows = 0;
  for (const record of readXlsbRecords(part)) {
    const { type, data } = record;
    if (type === types.row && data.length >= 4) {
      row = data.readUInt32LE(0);
      if (++rows % rowsPerCall === 0) context.onRows();
    } else if (type === types.merge && data.length >= 16 && merges.length < mergesMax) {
      const [top, bottom, left, right] = [0, 4, 8, 12].map((at) => data.readUInt32LE(at) + 1) as [number, number, number, number];
      if (bottom <= rowMax + 1 && right <= columnMax + 1) merges.push({ top, left, bottom, right });
    } else if (type === types.link && data.length >= 20 && links.length < linksMax) {
      const target = targets.get(wideTextAt(data, 16).text);
      if (target !== undefined) links.push({ row: data.readUInt32LE(0) + 1, column: data.readUInt32LE(8) + 1, target });
    } else if (data.length >= 8 && row <= rowMax && data.readUInt32LE(0) <= columnMax) {
      const text = cellText(record, context);
      if (text.trim() === '') continue;
      context.onCell();
      grid.set(row + 1, data.readUInt32LE(0) + 1, text);
    }
  }
  return { cells: grid.finish(merges, context.repeats, links), texts: [] };
}

/** Eight bytes say where the cell stands and how it looks; then comes what it holds. */
function cellText({ type, data }: XlsbRecord, context: SheetContext): string {
  switch (type) {
    case types.rk:
      return data.length >= 12 ? numberText(data, rkNumber(data.readUInt32LE(8)), context) : '';
    case types.real:
    case types.formulaNumber:
      return data.length >= 16 ? numberText(data, data.readDoubleLE(8), context) : '';
    case types.bool:
    case types.formulaBool:
      return data.length >= 9 ? boolOrError(data[8]!, false) : '';
    case types.error:
    case types.formulaError:
      return data.length >= 9 ? boolOrError(data[8]!, true) : '';
    case types.text:
    case types.formulaText:
      return wideTextAt(data, 8).text;
    case types.richText:
      return richTextAt(data, 8);
    case types.shared:
      return data.length >= 12 ? context.sharedString(data.readUInt32LE(8)) : '';
    default:
      return '';
  }
}

function numberText(data: Buffer, value: number, { formatOf }: SheetContext): string {
  const format = formatOf(String(data.readUIntLE(4, 3)));
  return format === undefined ? (Number.isFinite(value) ? plainNumber(value) : '') : format(value);
}

const commentsMax = 100_000;

async function readComments(office: OfficePackage, part: string): Promise<string[]> {
  const target = await office.relatedPart(part, 'comments');
  if (target === null) return [];
  const authors: string[] = [];
  const comments: string[] = [];
  let open = { place: '', author: '' };
  for (const { type, data } of readXlsbRecords(await office.bytes(target))) {
    if (type === types.author && authors.length < commentsMax) authors.push(wideTextAt(data, 0).text.slice(0, authorCharactersMax));
    else if (type === types.comment && data.length >= 20)
      open = {
        place: `${columnName(Math.min(columnMax, data.readUInt32LE(12)) + 1)}${data.readUInt32LE(4) + 1}`,
        author: authors[data.readUInt32LE(0)] ?? '',
      };
    else if (type === types.commentText && comments.length < commentsMax)
      comments.push(commentText(open.place, open.author, richTextAt(data, 0)));
  }
  return comments;
}
