/**
 * Between readers that meet one paragraph after another and the Markdown: gathers list items into lists and lines of code into
 * blocks, keeps footnotes for after the block that mentions them. A second writer turns the same calls into the plain text
 * of a table cell or a note.
 */
import type { ListItem, MarkdownBuilder, Place } from '../markdown/markdown-builder.ts';
import type { ParsedDocument } from '../parser.ts';

export type Item = {
  readonly text: string;
  /** As the file counts it, from 0; how deep the item really stands is found from those before it. */ readonly level: number;
  /** `1.`, `(a)`, `第一条`; null for a bullet. */ readonly label: string | null;
  /** Items of different lists are not put into one. */ readonly list?: string;
};

export interface BlockWriter {
  heading(level: number, text: string): void;
  paragraph(text: string): void;
  item(item: Item): void;
  codeLine(text: string): void;
  /** First row: header. Rows are taken one by one where `columns` says how wide they are. */
  table(rows: Iterable<readonly string[]>, columns?: number): void;
  /** A footnote or the like, written after the block at hand. */
  note(mark: string, text: string): void;
  /** What hangs on the block at hand (a comment, what a picture shows): a paragraph after it. */
  remark(text: string): void;
  /** A document that is part of this one, in its place. */
  document(parsed: ParsedDocument): void;
  /** Ends what is being gathered. */
  flush(): void;
}

/** Writes blocks, each at the place that `place` gives when it is written. */
export function createBlockWriter(builder: MarkdownBuilder, place: () => Place = () => ({})): BlockWriter {
  let items: Item[] = [];
  let lines: string[] = [];
  /** Written after the block at hand. */
  let after: (() => void)[] = [];

  function flush(): void {
    if (items.length > 0) builder.list(nest(items), place());
    if (lines.length > 0) builder.code(lines.join('\n'), '', place());
    items = [];
    lines = [];
    for (const write of after.splice(0)) write();
  }

  return {
    heading(level, text) {
      flush();
      builder.heading(level, text, place());
    },
    paragraph(text) {
      if (text.trim() === '') return;
      flush();
      builder.paragraph(text, place());
    },
    item(item) {
      if (item.text.trim() === '') return;
      if (lines.length > 0 || startsNewList(items, item)) flush();
      items.push(item);
    },
    codeLine(text) {
      if (items.length > 0) flush();
      lines.push(text);
    },
    table(rows, columns) {
      flush();
      builder.table(rows, { ...place(), ...(columns === undefined ? {} : { columns }) });
    },
    note(mark, text) {
      // Raw: the builder would escape the bracket, and a definition is what this is.
      if (text.trim() !== '') after.push(() => builder.raw('paragraph', `[^${mark}]: ${text.trim()}`, place()));
    },
    remark: (text) => void after.push(() => builder.paragraph(text, place())),
    document(parsed) {
      flush();
      for (const { kind, start, end, level } of parsed.blocks) {
        builder.raw(kind, parsed.markdown.slice(start, end), { ...place(), ...(level === undefined ? {} : { level }) });
      }
    },
    flush,
  };
}

export interface TextWriter extends BlockWriter {
  /** All that was written, a line a block. */
  text(): string;
  /** The same calls again, for another writer: what was taken for a cell's text was a text of its own. */
  replay(out: BlockWriter): void;
}

/** Keeps what is written, to be had as lines of text or as the calls that they were. */
export function createTextWriter(): TextWriter {
  const calls: ((out: BlockWriter) => void)[] = [];
  const replay = (out: BlockWriter) => {
    for (const call of calls) call(out);
  };
  return {
    heading: (level, text) => calls.push((out) => out.heading(level, text)),
    paragraph: (text) => calls.push((out) => out.paragraph(text)),
    item: (item) => calls.push((out) => out.item(item)),
    codeLine: (text) => calls.push((out) => out.codeLine(text)),
    table: (rows, columns) => calls.push((out) => out.table(rows, columns)),
    note: (mark, text) => calls.push((out) => out.note(mark, text)),
    remark: (text) => calls.push((out) => out.remark(text)),
    document: (parsed) => calls.push((out) => out.document(parsed)),
    flush: () => calls.push((out) => out.flush()),
    text: () => linesOf(replay).join('\n'),
    replay,
  };
}

function linesOf(write: (out: BlockWriter) => void): string[] {
  const lines: string[] = [];
  const notes: string[] = [];
  const add = (text: string) => {
    if (text.trim() !== '') lines.push(text.trim());
  };
  write({
    heading: (_level, text) => add(text),
    paragraph: add,
    item: (item) => add(item.text.trim() === '' ? '' : `${item.label ?? '-'} ${item.text}`),
    codeLine: add,
    table(rows) {
      for (const row of rows) add(row.filter((cell, at) => cell.trim() !== '' && cell !== row[at - 1]).join(' '));
    },
    note: (mark, text) => notes.push(`[^${mark}]: ${text.trim()}`),
    remark: (text) => notes.push(text.trim()),
    document: (parsed) => add(parsed.markdown),
    flush() {
      for (const note of notes.splice(0)) lines.push(note);
    },
  });
  return [...lines, ...notes];
}

/** Another numbered list at the same outermost level begins a list of its own. */
function startsNewList(items: readonly Item[], item: Item): boolean {
  const first = items[0];
  const last = items.at(-1);
  if (first === undefined || last === undefined || first.list === item.list || last.list === item.list) return false;
  return item.level <= first.level;
}

/** Depths as Markdown needs them: one more than the item they stand under, whatever level numbers the file uses. */
function nest(items: readonly Item[]): ListItem[] {
  const above: number[] = [];
  return items.map((item) => {
    while (above.length > 0 && above.at(-1)! >= item.level) above.pop();
    const depth = above.length;
    above.push(item.level);
    const number = /^\(?(\d{1,9})[.)、．]?$/.exec(item.label ?? '')?.[1];
    if (number !== undefined) return { text: item.text, depth, ordered: true, number: Number(number) };
    return { text: item.label === null ? item.text : `${item.label} ${item.text}`, depth, ordered: false };
  });
}
