/** Word documents (DOCX, DOCM, DOTX): body, lists, tables, notes, text boxes, equations, charts. Headers and footers are left out. */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { createBlockWriter } from '../block-writer.ts';
import { readDrawings } from '../drawing.ts';
import { openPackage, type OfficePackage } from '../office-package.ts';
import { createWordReader, readWordNotes, type WordContext } from './word-body.ts';
import { readWordNumbering } from './word-numbering.ts';
import { readWordStyles } from './word-styles.ts';

const kind = {
  name: 'Word document',
  usualPart: 'word/document.xml',
  mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

/** A parser for Word documents. They have no pages of their own: every block's page is null. */
export function createDocxParser(): Parser {
  return {
    async parse(input) {
      const office = await openPackage(input, kind);
      try {
        return await readDocument(office, input);
      } finally {
        office.close();
      }
    },
  };
}

async function readDocument(office: OfficePackage, input: ParseInput): Promise<ParsedDocument> {
  const builder = createMarkdownBuilder(input.limits);
  const out = createBlockWriter(builder);
  let foreignParts = 0;
  const context = await readContext(office, () => foreignParts++);
  const end = await office.events(office.mainPart, createWordReader(out, context));
  out.flush();
  if (end?.hasRoot !== true) {
    throw new DocumentError('corrupt', 'The Word document is damaged: the part that holds its text cannot be read');
  }
  const { markdown, blocks } = builder.finish();
  const foreign = foreignParts === 0 ? [] : [`${foreignParts} inserted file(s) of another format (altChunk) were not read`];
  return {
    mediaType: office.mediaType,
    title: office.title,
    author: office.author,
    language: office.language,
    pages: null,
    markdown,
    blocks,
    warnings: [...office.warnings, ...foreign],
  };
}

async function readContext(office: OfficePackage, onForeignPart: () => void): Promise<WordContext> {
  const part = office.mainPart;
  const related = async (type: string) => {
    const target = await office.relatedPart(part, type);
    return target === null ? null : office.tree(target);
  };
  const repeats = createRepeats();
  const plain: WordContext = {
    styles: readWordStyles(await related('styles')),
    numbering: readWordNumbering(await related('numbering')),
    noteText: () => null,
    cellsMax: office.limits.cellsMax,
    repeats,
    part,
    drawings: await readDrawings(office, part),
    onForeignPart,
  };
  const notes = {
    footnote: readWordNotes(await related('footnotes'), 'w:footnote', plain),
    endnote: readWordNotes(await related('endnotes'), 'w:endnote', plain),
  };
  const shown = new Set<string>();
  return {
    ...plain,
    noteText(kind, id) {
      const text = notes[kind].get(id) ?? null;
      if (text === null || shown.has(`${kind} ${id}`)) return text === null ? null : repeats.again(text);
      shown.add(`${kind} ${id}`);
      return repeats.first(text);
    },
  };
}
