/** Documents of Word 6 to 2003 (DOC, DOT, and WPS of Kingsoft): headings, lists, tables, notes, comments, text boxes, running heads once. */
import { isCompoundFile, openCompoundFile, type CompoundStorage } from '../../containers/compound-file.ts';
import { compoundFile, contentOf } from '../../containers/compound-writer.ts';
import { noParts, writePart, type PartHost } from '../../containers/parts.ts';
import { readSummary } from '../../containers/property-set.ts';
import { normalizeLines } from '../../text/encoding.ts';
import { readInput } from '../../input.ts';
import { createMarkdownBuilder } from '../../markdown/markdown-builder.ts';
import { isPageNumber, withoutPageNumbers } from '../../page-number.ts';
import type { ParsedDocument, ParseInput, Parser } from '../../parser.ts';
import { createRepeats } from '../../repeats.ts';
import { passwordsFor } from '../binary-encryption.ts';
import { createBlockWriter, createTextWriter, type BlockWriter } from '../block-writer.ts';
import { writeStory, type DocContext } from './doc-body.ts';
import { readDocHeader, readDocHeader2, type Story } from './doc-header.ts';
import { encodingOfText, readFonts } from './doc-fonts.ts';
import { readDocLists } from './doc-lists.ts';
import { readNotes, type DocNotes } from './doc-notes.ts';
import { createParagraphs, type Hung } from './doc-paragraphs.ts';
import { readDocText } from './doc-pieces.ts';
import { readDocStyles } from './doc-styles.ts';
import { createCells } from './doc-tables.ts';

/** A parser for Word's binary documents. They have no pages: where one ends is known only to who prints it. */
export function createDocParser(parts: Parser = noParts): Parser {
  return { parse: (input) => parse(input, parts) };
}

const paragraphsPerCall = 5000;

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const bytes = readInput(input);
  const root = isCompoundFile(bytes) ? openCompoundFile(bytes, input.limits.unpackedBytesMax) : null;
  const header = root === null ? readDocHeader2(bytes) : readDocHeader(root, passwordsFor(input));
  const fonts = readFonts(header);
  const encoding = encodingOfText(header, fonts);
  const content = readDocText(header, encoding);
  const styles = readDocStyles(header, encoding);
  const notes = readNotes(header, encoding);
  const builder = createMarkdownBuilder(input.limits);
  const repeats = createRepeats();
  const marks = createMarks();
  let paragraphs = 0;
  const context: DocContext = {
    paragraphs: createParagraphs({
      header,
      content,
      styles,
      fonts: fonts.map(({ name }) => name),
      hungAt: notes.hungAt,
      markOf: marks,
    }),
    styles,
    numbering: readDocLists(header),
    repeats,
    onCells: createCells(input.limits.cellsMax),
    onParagraph() {
      if (++paragraphs % paragraphsPerCall === 0) input.onProgress(0, null);
    },
    writeHung: (hung, out) => writeHung(hung, notes, marks, context, out),
  };
  const out = createBlockWriter(builder);
  const edges = { context, shown: new Set<string>(), out };
  writeEdges('Header', notes, edges);
  writeStory(header.stories.body, context, out);
  for (const story of notes.freeBoxes()) writeStory(story, context, out);
  writeEdges('Footer', notes, edges);
  out.flush();
  const warnings = content.isWhole ? [] : ['The document is damaged: its text was read as far as possible'];
  if (root !== null) await writeObjects(root, { input, builder, parser: parts, warnings, kind: 'embedded file' });
  return {
    mediaType: 'application/msword',
    ...(root === null ? { title: null, author: null } : readSummary(root)),
    language: null,
    pages: null,
    ...builder.finish(),
    warnings,
  };
}

/** The mark of a note: `[^1]` of a footnote, `[^e1]` of an endnote; nothing is shown of the others. */
function createMarks(): (hung: Hung) => string {
  return ({ kind, index }) => (kind === 'footnote' ? `[^${index + 1}]` : kind === 'endnote' ? `[^e${index + 1}]` : '');
}

function writeHung(hung: Hung, notes: DocNotes, marks: (hung: Hung) => string, context: DocContext, out: BlockWriter): void {
  const story = notes.storyOf(hung);
  if (story === null) return;
  if (hung.kind === 'box') return writeStory(story, context, out);
  const text = textOf(story, context);
  if (hung.kind !== 'comment') return out.note(marks(hung).slice(2, -1), text);
  const author = notes.authorOf(hung.index);
  if (text !== '') out.remark(author === '' ? `Comment: ${text}` : `Comment (${author}): ${text}`);
}

function textOf(story: Story, context: DocContext): string {
  const writer = createTextWriter();
  writeStory(story, context, writer);
  return normalizeLines(writer.text()).replace(/\s+/g, ' ').trim();
}

/** Each line of running heads (or feet) once; what only counts pages is left out. */
function writeEdges(name: 'Header' | 'Footer', notes: DocNotes, { context, shown, out }: Edges): void {
  for (const head of notes.runningHeads) {
    if (head.name !== name) continue;
    const writer = createTextWriter();
    writeStory(head.story, context, writer);
    for (const line of writer.text().split('\n')) {
      const text = line.replace(/\s+/g, ' ').trim();
      const pattern = withoutPageNumbers(text);
      if (text === '' || isPageNumber(text) || shown.has(pattern)) continue;
      shown.add(pattern);
      out.paragraph(text);
    }
  }
}

type Edges = { readonly context: DocContext; readonly shown: Set<string>; readonly out: BlockWriter };

/** Documents that lie inside of this one, each a storage of its own. */
async function writeObjects(root: CompoundStorage, host: PartHost): Promise<void> {
  let equations = 0;
  for (const storage of root.storage('ObjectPool')?.storages ?? []) {
    if (storage.stream('Equation Native') !== null) {
      equations += 1;
      continue;
    }
    const name = storage.name.replace(/^_/, 'object ');
    const part = { name, mediaType: null, bytes: () => compoundFile(contentOf(storage)) };
    await writePart(part, host, 1, `Embedded file: ${name}`);
  }
  if (equations > 0) host.warnings.push(`${equations} equation(s) of an old equation editor were not read`);
}
