/**
 * Reads WordprocessingML as events: one paragraph at a time becomes a tree and then text, so that a document's length does not
 * matter; tables and their cells are followed as they open and close. The same reader serves the body, notes and text boxes.
 */
import { DocumentError } from '../../../errors.ts';
import type { ParsedDocument } from '../../parser.ts';
import type { Repeats } from '../../repeats.ts';
import { child, elements, replay, type XmlHandler, type XmlNode } from '../../containers/xml.ts';
import type { Drawings } from '../drawing.ts';
import { readPartEvents } from '../part-events.ts';
import { createTextWriter, type BlockWriter, type TextWriter } from '../block-writer.ts';
import type { WordNumbering } from './word-numbering.ts';
import { numberOr, outlineLevel, toggle, type WordStyle, type WordStyles } from './word-styles.ts';
import { readWordText, type OpenFields, type WordText } from './word-text.ts';

export type WordContext = {
  readonly styles: WordStyles;
  readonly numbering: WordNumbering;
  /** The text of a footnote or endnote; null when there is none. */
  readonly noteText: (kind: 'footnote' | 'endnote', id: string) => string | null;
  readonly cellsMax: number;
  readonly repeats: Repeats;
  /** For messages. */ readonly part: string;
  readonly drawings: Drawings;
  /** `Comment (author): text`; null when there is none or it has stood already. */
  readonly comment: (id: string) => string | null;
  /** A document of any format that stands in this one's place (`w:altChunk`), by its relationship; null where it was not read. */
  readonly inserted: (id: string) => ParsedDocument | null;
  /** Where links of this part lead, by their relationships. */
  readonly links: ReadonlyMap<string, string>;
};

type Counts = { footnote: number; endnote: number; cells: number };
type Cell = { readonly writer: TextWriter; readonly span: number; readonly merge: 'start' | 'continue' | null };
type Row = { readonly cells: Cell[]; before: number; isDeleted: boolean };
type Table = {
  readonly rows: string[][];
  above: (string | undefined)[];
  row: Row | null;
  /** The only cell so far: a table of one cell is a frame around text, not a table. */ single: TextWriter | null;
};

/** Word allows 63 columns; a wider span is a lie that would be filled with text. */
const spanMax = 63;
const dropped = new Set(['w:del', 'w:moveFrom', 'w:sectPr', 'w:sdtPr', 'w:sdtEndPr', 'w:tblGrid', 'w:tblPr', 'w:altChunk']);
const captured = new Set(['w:p', 'w:trPr', 'w:tcPr']);
const headingDepthMax = 9;

/** A handler that writes what it is handed to `out`. Cells are counted over all its tables. */
export function createWordReader(
  out: BlockWriter,
  context: WordContext,
  counts: Counts = { footnote: 0, endnote: 0, cells: 0 },
): XmlHandler {
  const fields: OpenFields = [];
  const tables: Table[] = [];
  const alternatives: ('open' | 'taken')[] = [];
  let carried = '';
  let hasTitle = false;
  let wasCode = false;

  const events = readPartEvents({
    part: context.part,
    captured,
    isDropped: (name) => dropped.has(name) || isOtherChoice(name),
    begin,
    end,
    whole(node) {
      if (node.name === 'w:p') paragraph(node, writer());
      else if (node.name === 'w:tcPr') setCell(node);
      else setRow(node);
    },
  });
  return {
    ...events,
    open(name, attributes) {
      if (name === 'w:altChunk') insert(attributes['r:id'] ?? '');
      events.open(name, attributes);
    },
  };

  function insert(id: string): void {
    const parsed = context.inserted(id);
    if (parsed !== null) writer().document(parsed);
  }

  /** Around whole blocks the first choice is taken; inside a paragraph `chosen` looks closer. */
  function isOtherChoice(name: string): boolean {
    if (name !== 'mc:Choice' && name !== 'mc:Fallback') return false;
    if (alternatives.at(-1) === 'taken') return true;
    alternatives[alternatives.length - 1] = 'taken';
    return false;
  }

  function writer(): BlockWriter {
    return tables.at(-1)?.row?.cells.at(-1)?.writer ?? out;
  }

  function begin(name: string): void {
    if (name === 'mc:AlternateContent') alternatives.push('open');
    else if (name === 'w:tbl') tables.push({ rows: [], above: [], row: null, single: null });
    else if (name === 'w:tr') {
      const table = tables.at(-1);
      if (table !== undefined) table.row = { cells: [], before: 0, isDeleted: false };
    } else if (name === 'w:tc') {
      countCells(1);
      tables.at(-1)?.row?.cells.push({ writer: createTextWriter(), span: 1, merge: null });
    }
  }

  function end(name: string): void {
    if (name === 'mc:AlternateContent') alternatives.pop();
    else if (name === 'w:tr') endRow();
    else if (name === 'w:tbl') {
      const table = tables.pop();
      if (table?.single) table.single.replay(writer());
      else if (table !== undefined) writer().table(table.rows);
    }
  }

  function setRow(properties: XmlNode): void {
    const row = tables.at(-1)?.row;
    if (row === null || row === undefined) return;
    row.before = clampSpan(child(properties, 'w:gridBefore')?.attributes['w:val'], 0);
    row.isDeleted = child(properties, 'w:del') !== undefined;
  }

  function setCell(properties: XmlNode): void {
    const cells = tables.at(-1)?.row?.cells;
    const cell = cells?.at(-1);
    if (cells === undefined || cell === undefined) return;
    const vertical = child(properties, 'w:vMerge');
    const span = clampSpan(child(properties, 'w:gridSpan')?.attributes['w:val'], 1);
    const merge = vertical === undefined ? null : vertical.attributes['w:val'] === 'restart' ? 'start' : 'continue';
    countCells(span - 1);
    cells[cells.length - 1] = { writer: cell.writer, span, merge };
  }

  /** Merged cells repeat their text, so that each row and each column can be read (and found) by itself. */
  function endRow(): void {
    const table = tables.at(-1);
    const row = table?.row;
    if (table === undefined || row === null || row === undefined) return;
    table.row = null;
    if (row.isDeleted) return;
    const texts: string[] = Array.from({ length: row.before }, () => '');
    const above: (string | undefined)[] = [];
    for (const cell of row.cells) {
      const merged = cell.merge === 'continue' ? table.above[texts.length] : undefined;
      const text = merged ?? context.repeats.first(cell.writer.text());
      for (let count = 0; count < cell.span; count++) {
        if (cell.merge !== null) above[texts.length] = text;
        texts.push(count === 0 && merged === undefined ? text : context.repeats.again(text));
      }
    }
    table.single = table.rows.length === 0 && row.cells.length === 1 ? row.cells[0]!.writer : null;
    table.above = above;
    table.rows.push(texts);
  }

  function countCells(count: number): void {
    counts.cells += count;
    if (counts.cells > context.cellsMax) {
      throw new DocumentError('limit_exceeded', `The document has more than ${context.cellsMax} table cells (MAX_CELLS)`);
    }
  }

  function paragraph(node: XmlNode, to: BlockWriter): void {
    const properties = child(node, 'w:pPr');
    const style = context.styles.paragraph(child(properties, 'w:pStyle')?.attributes['w:val']);
    const read = readWordText(node, style.isMonospaced, {
      styles: context.styles,
      fields,
      nextMark,
      linkOf: (id) => context.links.get(id),
    });
    // A field whose code runs past its paragraph is broken, and would swallow the rest of the document.
    for (let at = 0; at < fields.length; at++) fields[at] = 'result';
    const isCode = looksLikeCode(style, read) || (wasCode && read.isMonospaced);
    const text = carried + (isCode ? read.text : read.text.replace(/\t[\t ]*/g, ' '));
    carried = '';
    if (runsOn(properties)) carried = text;
    else writeText(text, { style, properties, isCode }, to);
    wasCode = isCode;
    for (const latex of read.equations) to.paragraph(`$$${latex}$$`);
    for (const { kind, id, mark } of read.notes) to.note(mark, context.noteText(kind, id) ?? '');
    for (const description of read.descriptions) to.remark(`Picture: ${context.repeats.first(description)}`);
    for (const id of read.comments) to.remark(context.comment(id) ?? '');
    for (const box of read.boxes) textBox(box, to);
    for (const reference of read.references) context.drawings.write(reference, to);
  }

  function nextMark(kind: 'footnote' | 'endnote'): string {
    return kind === 'footnote' ? String(++counts.footnote) : `e${++counts.endnote}`;
  }

  function writeText(
    text: string,
    from: { style: WordStyle; properties: XmlNode | undefined; isCode: boolean },
    to: BlockWriter,
  ): void {
    const { style, properties } = from;
    const level = headingLevel(properties, style);
    const list = listOf(properties, style);
    if (text.trim() === '') {
      if (from.isCode) to.codeLine('');
      return;
    }
    const label = list === null ? null : context.numbering.next(list.numId, list.level);
    if (level !== null) {
      if (level === 0) hasTitle = true;
      to.heading(level === 0 ? 1 : level + (hasTitle ? 1 : 0), label === null ? text : `${label} ${text}`);
    } else if (list !== null && context.numbering.kind(list.numId, list.level) !== 'none') {
      to.item({ text: text.trim(), level: list.level, label, list: list.numId });
    } else if (from.isCode) {
      for (const line of text.split('\n')) to.codeLine(line);
    } else {
      bodyText(label === null ? text : `${label} ${text}`, to);
    }
  }

  /** Check boxes and bullets that were typed rather than made are items too. */
  function bodyText(text: string, to: BlockWriter): void {
    const [, mark, rest] = /^\s*([•▪‣●○■□➢➤❖◆◦☐☑☒✓])[\s\u3000]+(\S[^]*)$/.exec(text) ?? [];
    if (mark === undefined || rest === undefined) to.paragraph(text);
    else if (mark === '☐') to.item({ text: `[ ] ${rest}`, level: 0, label: null, list: 'typed' });
    else if (mark === '☑' || mark === '☒') to.item({ text: `[x] ${rest}`, level: 0, label: null, list: 'typed' });
    else to.item({ text: rest, level: 0, label: null, list: 'typed' });
  }

  function listOf(properties: XmlNode | undefined, style: WordStyle): { numId: string; level: number } | null {
    const own = child(properties, 'w:numPr');
    const numId = child(own, 'w:numId')?.attributes['w:val'] ?? style.numId;
    if (numId === null || numId === undefined || numId === '0') return null;
    const level =
      numberOr(child(own, 'w:ilvl')?.attributes['w:val']) ??
      context.numbering.levelOfStyle(numId, style.id) ??
      style.listLevel ??
      0;
    return context.numbering.kind(numId, level) === null ? null : { numId, level };
  }

  function textBox(box: XmlNode, to: BlockWriter): void {
    replay(box, createWordReader(to, context, counts));
  }
}

/** Set like code and looking like it; a memo in Courier is no program. */
function looksLikeCode(style: WordStyle, read: WordText): boolean {
  return style.isCode || (read.isMonospaced && /[;{}()=<>[\]]|^\s*(?:#|\/\/|--)/.test(read.text));
}

function headingLevel(properties: XmlNode | undefined, style: WordStyle): number | null {
  const level = outlineLevel(properties) ?? style.headingLevel;
  return level === null || level > headingDepthMax ? null : level;
}

/** Whether the next paragraph goes on in the same line: its mark was deleted, or it is a drop capital. */
function runsOn(properties: XmlNode | undefined): boolean {
  const mark = child(properties, 'w:rPr');
  if (child(mark, 'w:del') !== undefined || child(mark, 'w:moveFrom') !== undefined) return true;
  const drop = child(properties, 'w:framePr')?.attributes['w:dropCap'];
  return (drop !== undefined && drop !== 'none') || toggle(mark, 'w:specVanish') === true;
}

function clampSpan(value: string | undefined, least: number): number {
  return Math.min(spanMax, Math.max(least, numberOr(value) ?? least));
}

/** The texts of `w:footnote` or `w:endnote` elements by id, without separators. */
export function readWordNotes(root: XmlNode | null, name: string, context: WordContext): ReadonlyMap<string, string> {
  const notes = new Map<string, string>();
  for (const node of elements(root, name)) {
    if (node.attributes['w:type'] !== undefined && node.attributes['w:type'] !== 'normal') continue;
    const writer = createTextWriter();
    replay(node, createWordReader(writer, context));
    notes.set(node.attributes['w:id'] ?? '', writer.text().replaceAll('\n', ' '));
  }
  return notes;
}

/** Of a name, which stands before each of its comments. */
const authorCharactersMax = 200;

/** `Comment (author): text` of each `w:comment`, by id. */
export function readWordComments(root: XmlNode | null, context: WordContext): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  for (const node of elements(root, 'w:comment')) {
    const writer = createTextWriter();
    replay(node, createWordReader(writer, context));
    const text = writer.text().replace(/\s+/g, ' ').trim();
    const author = (node.attributes['w:author'] ?? '').replace(/\s+/g, ' ').trim().slice(0, authorCharactersMax);
    if (text !== '') comments.set(node.attributes['w:id'] ?? '', `Comment${author === '' ? '' : ` (${author})`}: ${text}`);
  }
  return comments;
}
