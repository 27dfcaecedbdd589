/**
 * Lines to the blocks of a page: paragraphs, list items, code. What is a heading is decided later, over the whole document
 * (`headings.ts`), so blocks carry their looks.
 */
import { piecesOf } from './aligned-tables.ts';
import type { BlockLink } from './link-areas.ts';
import type { Column, Line } from './reading-order.ts';

/** How the type of a block looks. */
export type Look = { readonly size: number; readonly bold: boolean; readonly italic: boolean; readonly mono: boolean };

export type TextBlock = Look & {
  readonly kind: 'text';
  readonly text: string;
  readonly page: number;
  /** The page it ends on, when joined with the next one's beginning. */
  readonly pageEnd?: number;
  readonly lineCount: number;
  /** Of the first line, from the left of the page. */
  readonly left: number;
  /** Share of the page's height, 0 at the top. */
  readonly top: number;
  readonly bottom: number;
  /** The last line is full and the sentence goes on: the next column or page may continue it. */
  readonly open: boolean;
  /** Set when it begins as an item of a list does; `text` is then without the marker. */
  readonly marker?: Marker;
  /** Where stretches of `text` lead. */
  readonly links?: readonly BlockLink[];
};

export type Marker = { readonly symbol: string; readonly number: number | null; readonly left: number };

export type CodeBlock = { readonly kind: 'code'; readonly text: string; readonly page: number };

export type TableBlock = {
  readonly kind: 'table';
  readonly rows: readonly (readonly string[])[];
  readonly page: number;
  readonly pageEnd?: number;
  /** Of its type, in points. */
  readonly size: number;
  /** Where stretches of its cells lead. */
  readonly links?: readonly BlockLink[];
};

export type PageBlock = TextBlock | CodeBlock | TableBlock;

/** The blocks of one column, in order. `height` is the page's, in points. */
export function blocksOf(column: Column, page: number, height: number): PageBlock[] {
  const typical = { leading: typicalLeading(column.lines), size: typicalSize(column.lines) };
  return piecesOf(column).flatMap((piece): PageBlock[] =>
    'rows' in piece
      ? [{ kind: 'table', rows: piece.rows, page, size: piece.size }]
      : textBlocks(piece.lines, column, typical, page, height),
  );
}

function textBlocks(lines: readonly Line[], column: Column, typical: Typical, page: number, height: number): PageBlock[] {
  const blocks: PageBlock[] = [];
  let draft: Line[] = [];
  const end = () => {
    if (draft.length > 0) blocks.push(blockOf(draft, column, page, height));
    draft = [];
  };
  for (const line of lines) {
    const table = line.spans[0]?.table;
    if (table !== undefined) {
      end();
      blocks.push({ kind: 'table', rows: table, page, size: line.size });
    }
    const seen = line.spans[0]?.seen;
    if (seen !== undefined) {
      end();
      blocks.push(...plainBlocks(seen, page, line.size));
    }
    if (line.text.trim() === '') continue;
    if (draft.length > 0 && startsBlock(draft, line, column, typical)) end();
    draft.push(line);
  }
  end();
  return blocks;
}

/** Text that has no look of its own (seen in a picture, said beside a page): its paragraphs, which lie between empty lines. */
export function plainBlocks(text: string, page: number, size: number): TextBlock[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => joinLines(paragraph.split('\n').filter((line) => line.trim() !== '')))
    .filter((paragraph) => paragraph !== '')
    .map((paragraph) => ({
      kind: 'text',
      text: paragraph,
      page,
      lineCount: 1,
      size,
      bold: false,
      italic: false,
      mono: false,
      left: 0,
      top: 0.5,
      bottom: 0.5,
      open: false,
    }));
}

/** How the lines of a column mostly are: distance between baselines in sizes of type, and size. */
type Typical = { readonly leading: number; readonly size: number };

function typicalSize(lines: readonly Line[]): number {
  const sizes = lines.flatMap((line) => (line.text === '' ? [] : [line.size])).sort((one, other) => one - other);
  return sizes[Math.floor(sizes.length / 2)] ?? 10;
}

/** The most usual distance between baselines, as a multiple of the size of type. */
function typicalLeading(lines: readonly Line[]): number {
  const ratios: number[] = [];
  for (let index = 1; index < lines.length; index++) {
    const above = lines[index - 1]!;
    const line = lines[index]!;
    const ratio = (line.baseline - above.baseline) / line.size;
    if (Math.abs(above.size - line.size) < line.size * 0.1 && ratio > 0.7 && ratio < 2.6) ratios.push(ratio);
  }
  if (ratios.length === 0) return 1.25;
  ratios.sort((one, other) => one - other);
  return ratios[Math.floor(ratios.length * 0.4)]!;
}

function startsBlock(draft: readonly Line[], line: Line, column: Column, { leading, size: typicalSize }: Typical): boolean {
  const above = draft.at(-1)!;
  const first = draft[0]!;
  const size = Math.max(line.size, above.size);
  if (line.mono !== above.mono && (line.mono || above.mono)) return true;
  if (Math.abs(line.size - above.size) > size * 0.09) return true;
  // Lines of a title are set further apart than the text around them suggests.
  const spread = size > typicalSize * 1.3 ? 1.5 : Math.max(leading, 1) * 1.28;
  if (line.baseline - above.baseline > size * spread + 0.5) return true;
  if (line.mono) return false;
  if (line.bold !== above.bold && !endsOpen(above, column)) return true;
  if (line.bold !== above.bold && draft.every((each) => each.bold === above.bold) && draft.length <= 2 && above.bold) return true;
  const marker = markerOf(line);
  if (marker !== undefined && (marker.strong || !endsOpen(above, column) || markerOf(first) !== undefined)) return true;
  return beginsAnew(draft, line, column);
}

/** A first-line indent, or a line after one that ends early with the end of a sentence. */
function beginsAnew(draft: readonly Line[], line: Line, column: Column): boolean {
  const above = draft.at(-1)!;
  if (line.rightToLeft || above.rightToLeft) return endsSentence(above.text) && above.left > column.left + line.size * 4;
  const width = column.right - column.left;
  const short = above.right < column.right - Math.max(width * 0.12, line.size * 2);
  if (short && endsSentence(above.text) && width > line.size * 10) return true;
  if (markerOf(draft[0]!) !== undefined) return line.left < draft[0]!.left - line.size * 0.5;
  const body = draft.length === 1 ? column.left : Math.min(...draft.slice(1).map((each) => each.left));
  const indent = line.left - body;
  return (
    indent > line.size * 0.8 && indent < line.size * 6 && endsSentence(above.text) && Math.abs(above.left - body) < line.size * 0.5
  );
}

function endsOpen(line: Line, column: Column): boolean {
  return line.right > column.right - Math.max(line.size * 3, (column.right - column.left) * 0.12) && !endsSentence(line.text);
}

/** Closing quotes and brackets may follow. */
export function endsSentence(text: string): boolean {
  return /[.!?:;。！？：；…]["'”’」』）)\]]*$/.test(text);
}

function blockOf(lines: readonly Line[], column: Column, page: number, height: number): PageBlock {
  const first = lines[0]!;
  if (lines.length >= 2 && lines.every((line) => line.mono)) return { kind: 'code', text: codeOf(lines), page };
  const last = lines.at(-1)!;
  const marker = markerOf(first);
  const text = joinLines(lines.map((line) => line.text));
  return {
    kind: 'text',
    text: marker === undefined ? text : text.slice(marker.length).trimStart(),
    page,
    lineCount: lines.length,
    size: first.size,
    bold: lines.every((line) => line.bold),
    italic: lines.every((line) => line.italic),
    mono: lines.every((line) => line.mono),
    left: first.left,
    top: (first.baseline - first.size) / height,
    bottom: last.baseline / height,
    open: endsOpen(last, column),
    ...(marker === undefined ? {} : { marker: { symbol: marker.symbol, number: marker.number, left: first.left } }),
  };
}

/** Columns of a fixed-width font become columns of characters. */
function codeOf(lines: readonly Line[]): string {
  const left = Math.min(...lines.map((line) => line.left));
  return lines
    .map((line) => {
      const advance = (line.right - line.left) / Math.max(1, line.text.length);
      return ' '.repeat(Math.min(80, Math.max(0, Math.round((line.left - left) / Math.max(1, advance))))) + line.text;
    })
    .join('\n');
}

/* Joining. */

const wide = '\\u2e80-\\u9fff\\uac00-\\ud7af\\uf900-\\ufaff\\uff00-\\uff65\\u3000-\\u303f';
const endsWide = new RegExp(`[${wide}]$`);
const startsWide = new RegExp(`^[${wide}]`);
const hangul = /[\uac00-\ud7af]/;

/** Lines of one paragraph as one: words broken by a hyphen are mended, Chinese and Japanese lines meet without a space. */
export function joinLines(lines: readonly string[]): string {
  return lines.reduce((text, line) => joinText(text, line.trim()), '');
}

/** Two pieces of one paragraph. */
export function joinText(above: string, below: string): string {
  if (above === '' || below === '') return above + below;
  if (/\p{L}[-\u00ad\u2010]$/u.test(above) && /^\p{Ll}/u.test(below)) return above.slice(0, -1) + below;
  if (/[-\u2010\u2013\u2014/]$/.test(above) && /\S[-\u2010\u2013\u2014/]$/.test(above)) return above + below;
  const meets = endsWide.test(above) && startsWide.test(below) && !(hangul.test(above.slice(-1)) && hangul.test(below[0]!));
  return meets ? above + below : `${above} ${below}`;
}

/* Markers of list items. */

type Mark = { symbol: string; number: number | null; length: number; /** Cannot be anything else. */ strong: boolean };

const bullet = /^([•◦▪▫‣⁃●○■□◆◇➢➤►▶✓✔❖\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0a8]|\u00b7)\s*(?=\S)/;
const dash = /^([-–—*])\s+(?=\S)/;
const numbered = /^(?:\((\d{1,2})\)|(\d{1,2})[.)、])\s*(?=[^\s\d.])/;
const lettered = /^(?:\(([a-z])\)|([a-z])[.)])\s+(?=\S)/;

function markerOf(line: Line): Mark | undefined {
  const text = line.text;
  const symbol = bullet.exec(text);
  if (symbol !== null) return { symbol: symbol[1]!, number: null, length: symbol[0].length, strong: true };
  const rule = dash.exec(text);
  if (rule !== null) return { symbol: rule[1]!, number: null, length: rule[0].length, strong: false };
  const number = numbered.exec(text);
  if (number !== null) {
    return { symbol: number[0].trim(), number: Number(number[1] ?? number[2]), length: number[0].length, strong: false };
  }
  const letter = lettered.exec(text);
  if (letter === null) return undefined;
  return {
    symbol: letter[0].trim(),
    number: (letter[1] ?? letter[2])!.charCodeAt(0) - 96,
    length: letter[0].length,
    strong: false,
  };
}
