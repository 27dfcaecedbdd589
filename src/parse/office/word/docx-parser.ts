/**
 * Word documents (DOCX, DOCM, DOTX): body, lists, tables, notes, comments, text boxes, equations, charts, files inside of it; headers once
 * before the text, footers once behind it.
 */
import { DocumentError } from '../../../errors.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import { firstOf } from '../../containers/first-of.ts';
import { noParts } from '../../containers/parts.ts';
import { isPageNumber, withoutPageNumbers } from '../../page-number.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { type BlockWriter, createBlockWriter, createTextWriter } from '../block-writer.ts';
import { readDrawings } from '../drawing.ts';
import { readInsertedFiles, writeEmbeddedFiles } from '../embedded-files.ts';
import { openPackage, type OfficePackage } from '../office-package.ts';
import { createWordReader, readWordComments, readWordNotes, type WordContext } from './word-body.ts';
import { readWordNumbering } from './word-numbering.ts';
import { readWordStyles } from './word-styles.ts';

const kind = {
  name: 'Word document',
  usualPart: 'word/document.xml',
  mediaType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

/** A parser for Word documents. They have no pages of their own: every block's page is null. `parts` reads files inside of one. */
export function createDocxParser(parts: Parser = noParts): Parser {
  return {
    async parse(input) {
      const office = await openPackage(input, kind);
      try {
        return await readDocument(office, input, parts);
      } finally {
        office.close();
      }
    },
  };
}

async function readDocument(office: OfficePackage, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  const builder = createMarkdownBuilder(input.limits);
  const out = createBlockWriter(builder);
  const warnings: string[] = [];
  const files = { input, parser, warnings };
  const inserted = await readInsertedFiles(office, office.mainPart, files);
  let missing = 0;
  const { context, otherComments } = await readContext(office, (id) => {
    if (!inserted.has(id)) missing++;
    return inserted.get(id) ?? null;
  });
  const edges = await marginParts(office, warnings);
  const shown = new Set<string>();
  for (const part of edges.headers) await writeMargin(office, part, { context, shown, out });
  const end = await office.events(office.mainPart, createWordReader(out, context));
  for (const comment of otherComments()) out.remark(comment);
  for (const part of edges.footers) await writeMargin(office, part, { context, shown, out });
  out.flush();
  if (end?.hasRoot !== true) {
    throw new DocumentError('corrupt', 'The Word document is damaged: the part that holds its text cannot be read');
  }
  await writeEmbeddedFiles(office, [office.mainPart, ...edges.headers, ...edges.footers], builder, { ...files, level: 1 });
  if (missing > 0) warnings.push(`${missing} inserted file(s) of another format (altChunk) were not read`);
  const { markdown, blocks } = builder.finish();
  return {
    mediaType: office.mediaType,
    title: office.title,
    author: office.author,
    language: office.language,
    pages: null,
    markdown,
    blocks,
    warnings: [...office.warnings, ...warnings],
  };
}

/** Headers and footers of one document that are read: three for each section. */
const marginsMax = 300;

type MarginParts = { readonly headers: readonly string[]; readonly footers: readonly string[] };

async function marginParts(office: OfficePackage, warnings: string[]): Promise<MarginParts> {
  const relations = [...(await office.relationsOf(office.mainPart)).values()];
  const targets = (type: string): string[] => [
    ...new Set(relations.filter((each) => each.type === type).map((each) => each.target)),
  ];
  return {
    headers: firstOf(targets('header'), { most: marginsMax, what: 'headers', warnings }),
    footers: firstOf(targets('footer'), { most: marginsMax, what: 'footers', warnings }),
  };
}

type Margin = { readonly context: WordContext; readonly shown: Set<string>; readonly out: BlockWriter };

/** What stands at the edge of pages, each line once; what only counts pages is left out. */
async function writeMargin(office: OfficePackage, part: string, { context, shown, out }: Margin): Promise<void> {
  const writer = createTextWriter();
  await office.events(
    part,
    createWordReader(writer, { ...context, part, drawings: await readDrawings(office, part), links: await office.linksOf(part) }),
  );
  for (const line of writer.text().split('\n')) {
    const text = line.replace(/\s+/g, ' ').trim();
    const pattern = withoutPageNumbers(text);
    if (text === '' || isPageNumber(text) || shown.has(pattern)) continue;
    shown.add(pattern);
    out.paragraph(text);
  }
}

type Context = {
  readonly context: WordContext;
  /** Those that no place in the text asked for. */
  readonly otherComments: () => readonly string[];
};

async function readContext(office: OfficePackage, inserted: WordContext['inserted']): Promise<Context> {
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
    comment: () => null,
    inserted,
    cellsMax: office.limits.cellsMax,
    repeats,
    part,
    drawings: await readDrawings(office, part),
    links: await office.linksOf(part),
  };
  /** Each part has links of its own. */
  const beside = async (type: string): Promise<WordContext> => {
    const target = await office.relatedPart(part, type);
    return { ...plain, links: target === null ? new Map() : await office.linksOf(target) };
  };
  const notes = {
    footnote: readWordNotes(await related('footnotes'), 'w:footnote', await beside('footnotes')),
    endnote: readWordNotes(await related('endnotes'), 'w:endnote', await beside('endnotes')),
  };
  const comments = new Map(readWordComments(await related('comments'), await beside('comments')));
  const shown = new Set<string>();
  const context: WordContext = {
    ...plain,
    noteText(kind, id) {
      const text = notes[kind].get(id) ?? null;
      if (text === null || shown.has(`${kind} ${id}`)) return text === null ? null : repeats.again(text);
      shown.add(`${kind} ${id}`);
      return repeats.first(text);
    },
    comment(id) {
      const text = comments.get(id) ?? null;
      comments.delete(id);
      return text;
    },
  };
  return { context, otherComments: () => [...comments.values()] };
}
