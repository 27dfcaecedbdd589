/**
 * The blocks of a stretch of parsed text: what is a heading, a list, a table, code, a quote. The text is the Markdown that the server
 * writes, and every part that is shown is a range of it, so that offsets of citations stay exact; marks of Markdown (`#`, `|`, fences,
 * backslashes before them) are what lies between. A stretch may begin and end anywhere between two lines. Pure; linear.
 */

/** A range of the text, UTF-16 offsets, end exclusive. */
export type Run = readonly [start: number, end: number];

/** Text without marks: its ranges in order. */
export type Leaf = readonly Run[];

export type ListItem = { readonly marker: string; readonly depth: number; readonly leaf: Leaf };

export type Block =
  | { readonly kind: 'heading'; readonly start: number; readonly level: number; readonly leaf: Leaf }
  | { readonly kind: 'plain' | 'quote' | 'code'; readonly start: number; readonly leaf: Leaf }
  | { readonly kind: 'list'; readonly start: number; readonly items: readonly ListItem[] }
  | {
      readonly kind: 'table';
      readonly start: number;
      readonly head: readonly Leaf[] | null;
      readonly rows: readonly (readonly Leaf[])[];
    };

type Line = { readonly start: number; readonly end: number; readonly text: string };

const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/;
const heading = /^(#{1,6})[ \t]+/;
const item = /^([ \t]*)([-*+]|\d{1,9}[.)])[ \t]+(?=\S)/;
const tableRule = /^\|(?:\s*:?-{3,}:?\s*\|)+\s*$/;
/** A backslash that stands there only because the line would be something else without it. */
const escaped = /^[ \t]{0,3}(?=\\[#>`~<[=\-*_])/;

export function blocksOf(text: string): readonly Block[] {
  const lines = linesOf(text);
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] as Line;
    if (line.text.trim() === '') {
      at += 1;
      continue;
    }
    const end = endOfBlock(lines, at);
    blocks.push(toBlock(lines.slice(at, end), text));
    at = end;
  }
  return blocks;
}

function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const line of text.split('\n')) {
    lines.push({ start, end: start + line.length, text: line });
    start += line.length + 1;
  }
  return lines;
}

/** The line after the block that begins with line `at`. */
function endOfBlock(lines: readonly Line[], at: number): number {
  const first = lines[at] as Line;
  const opening = fence.exec(first.text)?.[1];
  if (opening !== undefined) {
    const isClosing = ({ text }: Line): boolean => text.trim().startsWith(opening) && fence.test(text);
    const closing = lines.findIndex((line, index) => index > at && isClosing(line));
    return closing === -1 ? lines.length : closing + 1;
  }
  if (heading.test(first.text)) return at + 1;
  let end = at + 1;
  while (end < lines.length && goesOn(first.text, (lines[end] as Line).text)) end += 1;
  return end;
}

function goesOn(first: string, next: string): boolean {
  if (next.trim() === '' || fence.test(next) || heading.test(next)) return false;
  return first.startsWith('|') === next.startsWith('|');
}

function toBlock(lines: readonly Line[], text: string): Block {
  const first = lines[0] as Line;
  const { start } = first;
  if (fence.test(first.text)) {
    const last = lines.at(-1) as Line;
    const isClosed = lines.length > 1 && fence.test(last.text);
    return { kind: 'code', start, leaf: filled([[Math.min(first.end + 1, last.end), isClosed ? last.start - 1 : last.end]]) };
  }
  const [marks, hashes] = heading.exec(first.text) ?? [];
  if (marks !== undefined && hashes !== undefined)
    return { kind: 'heading', start, level: hashes.length, leaf: filled([[start + marks.length, first.end]]) };
  if (first.text.startsWith('|')) return tableOf(lines, text);
  if (/^ {0,3}>/.test(first.text)) return { kind: 'quote', start, leaf: leafOf(lines, text, /^ {0,3}> ?/) };
  if (item.test(first.text)) return { kind: 'list', start, items: itemsOf(lines, text) };
  return { kind: 'plain', start, leaf: leafOf(lines, text, /^/) };
}

/** The lines without `lead` and without backslashes that only guard the beginning of one. Their line ends belong to the text. */
function leafOf(lines: readonly Line[], text: string, lead: RegExp): Leaf {
  const runs: Run[] = [];
  for (const [index, line] of lines.entries()) {
    const from = line.start + (lead.exec(line.text)?.[0].length ?? 0);
    const to = index === lines.length - 1 ? line.end : line.end + 1;
    const guard = escaped.exec(text.slice(from, line.end));
    if (guard === null) runs.push([from, to]);
    else runs.push([from, from + guard[0].length], [from + guard[0].length + 1, to]);
  }
  return filled(runs);
}

function filled(runs: Leaf): Leaf {
  return runs.filter(([from, to]) => to > from);
}

function itemsOf(lines: readonly Line[], text: string): readonly ListItem[] {
  const items: { marker: string; indent: number; lines: Line[] }[] = [];
  for (const line of lines) {
    const [, indent = '', marker] = item.exec(line.text) ?? [];
    if (marker === undefined) items.at(-1)?.lines.push(line);
    else items.push({ marker, indent: indent.length, lines: [line] });
  }
  const indents: number[] = [];
  return items.map(({ marker, indent, lines: own }) => {
    while (indents.length > 0 && (indents.at(-1) ?? 0) >= indent) indents.pop();
    indents.push(indent);
    const [first, ...more] = own as [Line, ...Line[]];
    const runs = [
      ...leafOf([first], text, item),
      // A line's end is the one letter before it.
      ...more.flatMap((line): Leaf => [[line.start - 1, line.start], ...leafOf([line], text, /^[ \t]*/)]),
    ];
    return { marker, depth: indents.length - 1, leaf: runs };
  });
}

function tableOf(lines: readonly Line[], text: string): Block {
  const isHeaded = lines[1] !== undefined && tableRule.test(lines[1].text);
  const rows = lines.filter((line) => !tableRule.test(line.text)).map((line) => cellsOf(line, text));
  const [first, ...rest] = rows;
  const { start } = lines[0] as Line;
  return isHeaded && first !== undefined
    ? { kind: 'table', start, head: first, rows: rest }
    : { kind: 'table', start, head: null, rows };
}

/** Cut at pipes that no backslash stands before. */
function cellsOf(line: Line, text: string): readonly Leaf[] {
  const cells: Leaf[] = [];
  let runs: Run[] = [];
  let from = line.start + 1;
  for (let at = from; at <= line.end; at += 1) {
    const letter = at === line.end ? '|' : text[at];
    if (letter === '\\' && text[at + 1] === '|' && at + 1 < line.end) {
      runs.push([from, at]);
      from = at + 1;
      at += 1;
    } else if (letter === '|') {
      runs.push([from, at]);
      // After the last pipe there is no cell.
      if (at < line.end || text.slice(from, at).trim() !== '') cells.push(trimmed(runs, text));
      runs = [];
      from = at + 1;
    }
  }
  return cells;
}

function trimmed(runs: readonly Run[], text: string): Leaf {
  return filled(
    runs.map(([from, to], index): Run => {
      const part = text.slice(from, to);
      const lead = index === 0 ? part.length - part.trimStart().length : 0;
      const tail = index === runs.length - 1 ? part.length - part.trimEnd().length : 0;
      return [from + lead, Math.max(from + lead, to - tail)];
    }),
  );
}
