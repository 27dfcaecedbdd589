/** Workbooks of Excel 2 to 2003 (XLS, XLT, ET): one page a sheet, its tables as tables, numbers and dates as they show, comments after. */
import { DocumentError } from '../../../errors.ts';
import { isCompoundFile, openCompoundFile, type CompoundStorage } from '../../containers/compound-file.ts';
import { compoundFile, contentOf } from '../../containers/compound-writer.ts';
import { noParts, writePart } from '../../containers/parts.ts';
import { readSummary, type Summary } from '../../containers/property-set.ts';
import { readInput } from '../../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { passwordsFor } from '../binary-encryption.ts';
import type { SheetContext } from './xlsx-sheet.ts';
import { decryptStream } from './biff-records.ts';
import { readSheet } from './biff-sheet.ts';
import { readWorkbook } from './biff-workbook.ts';
import { createSheetGrid } from './sheet-grid.ts';
import { createCellCount, writeWorkbook } from './binary-workbook.ts';
import { shownStrings } from './workbook-text.ts';

/** A parser for workbooks of BIFF records, in a compound file or by themselves. Pages are sheets; a sheet's name is its heading. `parts` reads files inside of one. */
export function createXlsParser(parts: Parser = noParts): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const { root, stream, summary } = openStream(readInput(input), input);
  const workbook = readWorkbook(stream, input.limits.cellsMax);
  const repeats = createRepeats();
  let done = 0;
  let bytesLeft = 2 * stream.length;
  const nothing = { cells: createSheetGrid().finish([], repeats), texts: [], comments: [] };
  const context: SheetContext = {
    sharedString: shownStrings(workbook.strings, repeats),
    repeats,
    formatOf: workbook.formatOf,
    onCell: createCellCount(input.limits.cellsMax),
    onRows: () => input.onProgress(done, workbook.sheets.length),
  };
  const sheets = workbook.sheets.map(({ name, isHidden, at }) => ({
    name,
    isHidden,
    read() {
      done++;
      // Sheets that stand inside of one another are a lie, and would be read again and again.
      if (bytesLeft < 0) return nothing;
      const content = readSheet(stream, at, workbook.text, context);
      bytesLeft -= content.end - at;
      return content;
    },
  }));
  const facts = { mediaType: 'application/vnd.ms-excel', ...summary, language: null };
  return writeWorkbook(sheets, facts, input, async (builder, warnings) => {
    for (const storage of root?.storages ?? []) {
      if (!/^MBD[0-9A-F]{8}$/i.test(storage.name)) continue;
      const name = `object ${storage.name.slice(3)}`;
      const part = { name, mediaType: null, bytes: () => compoundFile(contentOf(storage)) };
      await writePart(part, { input, builder, parser: parts, warnings, kind: 'embedded file' }, 1, `Embedded file: ${name}`);
    }
  });
}

/** The records of the workbook, as they were before they were encrypted. */
function openStream(bytes: Buffer, input: ParseInput): { root: CompoundStorage | null; stream: Buffer; summary: Summary } {
  if (!isCompoundFile(bytes))
    return { root: null, stream: decryptStream(bytes, passwordsFor(input)), summary: { title: null, author: null } };
  const root = openCompoundFile(bytes, input.limits.unpackedBytesMax);
  // Files for Excel 95 and 97 together hold both; the newer one has all characters.
  const stream = root.stream('Workbook') ?? root.stream('Book');
  if (stream === null) throw new DocumentError('corrupt', 'The workbook is damaged: the part that holds its sheets is missing');
  return { root, stream: decryptStream(stream.read(), passwordsFor(input)), summary: readSummary(root) };
}
