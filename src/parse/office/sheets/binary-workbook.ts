/** Writes a workbook of a binary format: one page a sheet, as for XLSX. */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput } from '../../parser.ts';
import { createBlockWriter, type BlockWriter } from '../block-writer.ts';
import { writeRegions } from './sheet-regions.ts';
import type { SheetContent } from './biff-sheet.ts';
import { remarks } from './workbook-text.ts';

export type BinarySheet = {
  readonly name: string;
  readonly isHidden: boolean;
  read(): SheetContent | Promise<SheetContent>;
  /** Writes what lies on the sheet besides. */
  writeMore?(out: BlockWriter): Promise<void>;
};

/** What is known of the workbook as a whole. */
export type WorkbookFacts = Pick<ParsedDocument, 'mediaType' | 'title' | 'author' | 'language'>;

/** Pages are sheets; a sheet's name is its heading; `writeRest` writes what is inside of the workbook. @throws DocumentError `limit_exceeded` (MAX_PAGES, and what the builder counts). */
export async function writeWorkbook(
  sheets: readonly BinarySheet[],
  facts: WorkbookFacts,
  input: ParseInput,
  writeRest: (builder: MarkdownBuilder, warnings: string[]) => Promise<void>,
): Promise<ParsedDocument> {
  if (sheets.length > input.limits.pagesMax)
    throw new DocumentError('limit_exceeded', `The workbook has more than ${input.limits.pagesMax} sheets (MAX_PAGES)`);
  const builder = createMarkdownBuilder(input.limits);
  let page = 0;
  const out = createBlockWriter(builder, () => ({ page }));
  for (const sheet of sheets) {
    page++;
    out.heading(1, sheet.name);
    const { cells, texts, comments } = await sheet.read();
    writeRegions(cells, out);
    await sheet.writeMore?.(out);
    for (const text of [...texts, ...comments]) out.paragraph(text.replace(/\r\n?/g, '\n'));
    input.onProgress(page, sheets.length);
  }
  out.flush();
  const hidden = sheets.filter(({ isHidden }) => isHidden).map(({ name }) => name);
  const warnings = remarks(hidden, 0);
  await writeRest(builder, warnings);
  return { ...facts, pages: sheets.length, ...builder.finish(), warnings };
}

/** Counts cells. @throws DocumentError `limit_exceeded` (MAX_CELLS) from the one that is too much on. */
export function createCellCount(cellsMax: number): () => void {
  let cells = 0;
  return () => {
    if (++cells > cellsMax)
      throw new DocumentError('limit_exceeded', `The workbook has more than ${cellsMax} cells with content (MAX_CELLS)`);
  };
}
