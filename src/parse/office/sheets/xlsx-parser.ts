/** Workbooks (XLSX, XLSM, XLTX): one page a sheet, its tables as tables, numbers and dates as they show, charts and comments after. */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { child, descendants, elements, textOf, type XmlNode } from '../../containers/xml.ts';
import { noParts } from '../../containers/parts.ts';
import { createBlockWriter, type BlockWriter } from '../block-writer.ts';
import { descriptionsOf } from '../description.ts';
import { readDrawings, references } from '../drawing.ts';
import { drawingText } from '../drawing-text.ts';
import { writeEmbeddedFiles } from '../embedded-files.ts';
import { builtinFormat } from './number-format.ts';
import { openPackage, type OfficePackage } from '../office-package.ts';
import { writeRegions } from './sheet-regions.ts';
import { authorCharactersMax, commentText, remarks, shownStrings } from './workbook-text.ts';
import { createFormats, createSheetReader, createStringsReader, unescapeCell, type SheetContext } from './xlsx-sheet.ts';

const kind = {
  name: 'workbook',
  usualPart: 'xl/workbook.xml',
  mediaType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** A parser for workbooks. Pages are sheets; a sheet's name is its heading. `parts` reads files inside of one. */
export function createXlsxParser(parts: Parser = noParts): Parser {
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

type Sheet = { readonly name: string; readonly part: string; readonly isHidden: boolean };

async function readWorkbook(office: OfficePackage, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  const root = await office.tree(office.mainPart);
  const sheets = await listSheets(office, root);
  if (sheets.length > input.limits.pagesMax) {
    throw new DocumentError('limit_exceeded', `The workbook has more than ${input.limits.pagesMax} sheets (MAX_PAGES)`);
  }
  const builder = createMarkdownBuilder(input.limits);
  let page = 0;
  const out = createBlockWriter(builder, () => ({ page }));
  const context = await readContext(office, root, () => input.onProgress(page - 1, sheets.length));
  const people = await readPeople(office);
  let formulas = 0;
  for (const sheet of sheets) {
    page++;
    out.heading(1, sheet.name);
    formulas += await writeCells(office, sheet, context, out);
    await writeDrawings(office, sheet.part, out);
    await writeComments(office, sheet.part, people, out);
    input.onProgress(page, sheets.length);
  }
  const warnings: string[] = [];
  await writeEmbeddedFiles(
    office,
    sheets.map((sheet) => sheet.part),
    builder,
    { input, parser, warnings, level: 1 },
  );
  const { markdown, blocks } = builder.finish();
  return {
    mediaType: office.mediaType,
    title: office.title,
    author: office.author,
    language: office.language,
    pages: sheets.length,
    markdown,
    blocks,
    warnings: [
      ...office.warnings,
      ...warnings,
      ...remarks(
        sheets.filter((sheet) => sheet.isHidden).map((sheet) => sheet.name),
        formulas,
      ),
    ],
  };
}

async function listSheets(office: OfficePackage, root: XmlNode | null): Promise<Sheet[]> {
  const relations = await office.relationsOf(office.mainPart);
  const sheets: Sheet[] = [];
  const listed = new Set<string>();
  for (const { attributes } of elements(child(root, 'x:sheets'), 'x:sheet')) {
    const relation = relations.get(attributes['r:id'] ?? '');
    if (relation === undefined || listed.has(relation.target)) continue;
    listed.add(relation.target);
    const state = attributes['state'];
    sheets.push({ name: attributes['name'] ?? '', part: relation.target, isHidden: state === 'hidden' || state === 'veryHidden' });
  }
  if (sheets.length > 0) return sheets;
  const parts = office.partsIn('xl/worksheets/');
  if (parts.length === 0) throw new DocumentError('corrupt', 'The workbook is damaged: its list of sheets cannot be read');
  return parts.map((part) => ({ name: /([^/]+)\.xml$/.exec(part)?.[1] ?? part, part, isHidden: false }));
}

async function readContext(office: OfficePackage, root: XmlNode | null, onRows: () => void): Promise<SheetContext> {
  const { cellsMax } = office.limits;
  const strings = createStringsReader(cellsMax);
  const stringsPart = (await office.relatedPart(office.mainPart, 'sharedStrings')) ?? usualPart(office, 'sharedStrings.xml');
  if (stringsPart !== null) await office.events(stringsPart, strings.handler);
  const stylesPart = (await office.relatedPart(office.mainPart, 'styles')) ?? usualPart(office, 'styles.xml');
  const styles = stylesPart === null ? null : await office.tree(stylesPart);
  const codes = new Map(
    elements(child(styles, 'x:numFmts'), 'x:numFmt').map(({ attributes }) => [
      attributes['numFmtId'] ?? '',
      attributes['formatCode'] ?? '',
    ]),
  );
  const formats = elements(child(styles, 'x:cellXfs'), 'x:xf').map(({ attributes }) => attributes['numFmtId'] ?? '0');
  const date1904 = child(root, 'x:workbookPr')?.attributes['date1904'];
  const repeats = createRepeats();
  let cells = 0;
  return {
    sharedString: shownStrings(strings.strings, repeats),
    repeats,
    formatOf: createFormats(formats, (id) => codes.get(id) ?? builtinFormat(Number(id)), date1904 === '1' || date1904 === 'true'),
    onCell() {
      if (++cells > cellsMax) {
        throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} cells with content (MAX_CELLS)`);
      }
    },
    onRows,
  };
}

/** Where every program puts it, if the list of parts is gone. */
function usualPart(office: OfficePackage, name: string): string | null {
  return office.partsIn('xl/').find((part) => part === `xl/${name}`) ?? null;
}

/** @returns how many formulas have no saved value. */
async function writeCells(office: OfficePackage, sheet: Sheet, context: SheetContext, out: BlockWriter): Promise<number> {
  const reader = createSheetReader(context, await office.linksOf(sheet.part));
  await office.events(sheet.part, reader.handler);
  const { cells, formulasWithoutValue } = reader.finish();
  writeRegions(cells, out);
  return formulasWithoutValue;
}

/** Text boxes, charts and diagrams that lie on the sheet. */
export async function writeDrawings(office: OfficePackage, part: string, out: BlockWriter): Promise<void> {
  const target = await office.relatedPart(part, 'drawing');
  const root = target === null ? null : await office.tree(target);
  if (target === null || root === null) return;
  for (const body of descendants(root, 'xdr:txBody')) for (const line of drawingText(body)) out.paragraph(line);
  for (const text of descriptionsOf(root)) out.paragraph(`Picture: ${text}`);
  const drawings = await readDrawings(office, target);
  for (const reference of references(root)) drawings.write(reference, out);
}

async function readPeople(office: OfficePackage): Promise<ReadonlyMap<string, string>> {
  const target = await office.relatedPart(office.mainPart, 'person');
  const people = elements(target === null ? null : await office.tree(target), 'tc:person');
  return new Map(
    people.map(({ attributes }) => [attributes['id'] ?? '', (attributes['displayName'] ?? '').slice(0, authorCharactersMax)]),
  );
}

/** Notes and threads; of a thread the note is only a copy for older programs. */
async function writeComments(
  office: OfficePackage,
  part: string,
  people: ReadonlyMap<string, string>,
  out: BlockWriter,
): Promise<void> {
  for (const { type, target } of (await office.relationsOf(part)).values()) {
    if (type === 'comments') {
      const root = await office.tree(target);
      const authors = elements(child(root, 'x:authors'), 'x:author').map((author) => textOf(author).slice(0, authorCharactersMax));
      for (const comment of elements(child(root, 'x:commentList'), 'x:comment')) {
        const author = authors[Number(comment.attributes['authorId'])] ?? '';
        if (author.startsWith('tc=')) continue;
        const text = [...descendants(child(comment, 'x:text'), 'x:t')].map(textOf).join('');
        out.paragraph(commentText(comment.attributes['ref'], author, unescapeCell(text)));
      }
    } else if (type === 'threadedComment') {
      for (const comment of elements(await office.tree(target), 'tc:threadedComment')) {
        const author = people.get(comment.attributes['personId'] ?? '') ?? '';
        out.paragraph(commentText(comment.attributes['ref'], author, textOf(child(comment, 'tc:text'))));
      }
    }
  }
}
