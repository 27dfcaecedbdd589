/** Writes small documents of Word's binary formats (MS-DOC): text in pieces, looks on pages of their own, tables of everything else. */
import { compoundFile } from '../../src/parse/containers/compound-writer.ts';
import { rc4 } from '../../src/parse/office/binary-encryption.ts';
import { rc4Header, rc4Key, u16, u32, u8 } from './xls-writer.ts';

/** Characters that look alike; `look` is a list of operations. */
export type DocRun = { readonly text: string; readonly look?: Uint8Array };

export type DocParagraph = {
  readonly runs: readonly DocRun[];
  readonly style?: number;
  /** Operations of the paragraph. */
  readonly look?: Uint8Array;
  /** `\r` unless given. */
  readonly end?: string;
};

export type DocParts = {
  readonly body: readonly DocParagraph[];
  readonly footnotes?: readonly DocParagraph[];
  readonly headers?: readonly DocParagraph[];
  readonly comments?: readonly DocParagraph[];
  readonly endnotes?: readonly DocParagraph[];
  readonly boxes?: readonly DocParagraph[];
  /** Tables by their place in the header's list. */
  readonly tables?: Readonly<Record<number, Uint8Array>>;
  /** What stands behind the list definitions, outside of their table. */
  readonly levels?: Uint8Array;
  /** Characters of one byte each, in this encoding, instead of Unicode. */
  readonly narrow?: (text: string) => Uint8Array;
  /** Word 6: characters of one byte, another header, tables in the same stream. */
  readonly isWord6?: boolean;
  readonly language?: number;
  readonly password?: string;
  /** Pieces in the order in which they stand in the file, as after a quick save: places of characters where the text is cut. */
  readonly cuts?: readonly number[];
  /** What stands before the table of pieces, where groups of operations are. */
  readonly prefix?: Uint8Array;
};

/** A paragraph of one run. */
export function para(text: string, rest: Omit<DocParagraph, 'runs'> = {}): DocParagraph {
  return { runs: [{ text }], ...rest };
}

export const operations = {
  style: (style: number) => op(0x4600, u16(style)),
  outline: (level: number) => op(0x2640, u8(level)),
  list: (list: number, level: number) => Buffer.concat([op(0x460b, u16(list)), op(0x260a, u8(level))]),
  inTable: (depth: number) => Buffer.concat([op(0x2416, u8(1)), op(0x6649, u32(depth))]),
  endsRow: () => op(0x2417, u8(1)),
  endsInnerCell: () => op(0x244b, u8(1)),
  endsInnerRow: () => op(0x244c, u8(1)),
  /** Edges of the cells, and the flags of each. */
  row(edges: readonly number[], flags: readonly number[] = []): Buffer {
    const cells = edges.slice(1).map((_, at) => Buffer.concat([u16(flags[at] ?? 0), Buffer.alloc(18)]));
    const operand = Buffer.concat([u8(edges.length - 1), u16(...edges), ...cells]);
    return Buffer.concat([u16(0xd608), u16(operand.length + 1), operand]);
  },
  hidden: () => op(0x083c, u8(1)),
  deleted: () => op(0x0800, u8(1)),
  font: (font: number) => op(0x4a4f, u16(font)),
  symbol: (font: number, code: number) => op(0x6a09, u16(font, code)),
};

function op(code: number, operand: Uint8Array): Buffer {
  return Buffer.concat([u16(code), operand]);
}

/** Places, then what is said of each. */
export function placeTable(places: readonly number[], entries: readonly Uint8Array[] = []): Buffer {
  return Buffer.concat([u32(...places), ...entries]);
}

/** A style sheet of paragraph styles: the number that Word has for a built-in one, its name, what it is based on, its operations. */
export function styleSheet(
  styles: readonly { readonly id: number; readonly name: string; readonly basedOn?: number; readonly look?: Uint8Array }[],
): Buffer {
  const all = styles.map(({ id, name, basedOn = 0xfff, look = Buffer.alloc(0) }, at) => {
    const base = Buffer.concat([u16(id, 1 | (basedOn << 4), 1 | (at << 4), 0, 0)]);
    const text = Buffer.concat([u16(name.length), Buffer.from(name, 'utf16le'), u16(0)]);
    const style = Buffer.concat([base, text, u16(look.length + 2, at), look]);
    return Buffer.concat([u16(style.length), style, Buffer.alloc(style.length % 2)]);
  });
  return Buffer.concat([u16(18), u16(styles.length, 10), Buffer.alloc(14), ...all]);
}

/** A list of nine levels with these texts (`\0` … `\x08` are numbers) and formats; and its level data. */
export function listTables(levels: readonly { readonly format: number; readonly text: string; readonly start?: number }[]): {
  definitions: Buffer;
  levels: Buffer;
  overrides: Buffer;
} {
  const nine = Array.from({ length: 9 }, (_, at) => levels[at] ?? { format: 0, text: '' });
  return {
    definitions: Buffer.concat([u16(1), u32(77, 0), u16(...Array.from({ length: 9 }, () => 0xfff)), u16(0)]),
    levels: Buffer.concat(
      nine.map(({ format, text, start = 1 }) =>
        Buffer.concat([
          u32(start),
          u8(format, 0),
          Buffer.alloc(18),
          u8(0, 0, 0, 0),
          u16(text.length),
          Buffer.from(text, 'utf16le'),
        ]),
      ),
    ),
    overrides: Buffer.concat([u32(1), u32(77, 0, 0, 0), u32(0xffff_ffff)]),
  };
}

const storyOrder = ['body', 'footnotes', 'headers', 'macros', 'comments', 'endnotes', 'boxes', 'headerBoxes'] as const;
const textAt = 0x600;

/** The streams of a document. */
export function docStreams(parts: DocParts): Record<string, Buffer> {
  const stories = storyOrder.map((name): readonly DocParagraph[] =>
    name === 'macros' || name === 'headerBoxes' ? [] : (parts[name] ?? []),
  );
  const text = stories.map((story) => story.map(textOf).join(''));
  const isNarrow = parts.narrow !== undefined || parts.isWord6 === true;
  const width = isNarrow ? 1 : 2;
  const encode = parts.narrow ?? ((each: string) => Buffer.from(each, isNarrow ? 'latin1' : 'utf16le'));
  const characters = text.join('');
  const cuts = [0, ...(parts.cuts ?? []), characters.length];
  // The last piece stands first in the file.
  const pieces = cuts.slice(1).map((end, at) => ({ start: cuts[at]!, end, at: 0 }));
  let at = textAt;
  for (const piece of pieces.toReversed()) {
    piece.at = at;
    at += (piece.end - piece.start) * width;
  }
  const placeOf = (character: number): number => {
    const piece = pieces.find(({ end }) => character < end) ?? pieces.at(-1)!;
    return piece.at + (character - piece.start) * width;
  };
  const body = Buffer.concat(pieces.toReversed().map(({ start, end }) => encode(characters.slice(start, end))));
  const main: Buffer[] = [Buffer.alloc(textAt), body, Buffer.alloc(512 - ((textAt + body.length) % 512))];
  const firstPage = Math.ceil((textAt + body.length + 1) / 512);
  const looks = looksOf(stories.flat(), placeOf, width, parts.isWord6 === true);
  const pageTable = (runs: readonly { start: number; end: number }[], first: number) =>
    placeTable(
      [...runs.map(({ start }) => start), runs.at(-1)?.end ?? 0],
      runs.map((_, index) => (parts.isWord6 === true ? u16(first + index) : u32(first + index))),
    );
  main.push(...looks.paragraphs.map(({ page }) => page), ...looks.characters.map(({ page }) => page));
  const fc = ({ at: place }: { at: number }) => (isNarrow && parts.isWord6 !== true ? ((place * 2) | 0x4000_0000) >>> 0 : place);
  const pieceTable = placeTable(
    [0, ...pieces.map(({ end }) => end)],
    pieces.map((piece) => Buffer.concat([u16(0), u32(fc(piece)), u16(0)])),
  );
  const tables: Record<number, Uint8Array> = {
    12: pageTable(looks.characters, firstPage + looks.paragraphs.length),
    13: pageTable(looks.paragraphs, firstPage),
    33: Buffer.concat([parts.prefix ?? Buffer.alloc(0), u8(2), u32(pieceTable.length), pieceTable]),
    ...parts.tables,
  };
  const counts = text.map((each) => each.length);
  return parts.isWord6 === true ? word6(main, tables, counts, parts) : word97(main, tables, counts, parts);
}

export function makeDoc(parts: DocParts, streams: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return compoundFile({ streams: { ...docStreams(parts), ...streams } });
}

function textOf({ runs, end = '\r' }: DocParagraph): string {
  return runs.map(({ text }) => text).join('') + end;
}

type Look = { readonly start: number; readonly end: number; readonly page: Buffer };

/** A page for each paragraph and each run, sorted by their place in the file. */
function looksOf(paragraphs: readonly DocParagraph[], placeOf: (character: number) => number, width: number, isWord6: boolean) {
  const found: { paragraphs: Look[]; characters: Look[] } = { paragraphs: [], characters: [] };
  let at = 0;
  for (const paragraph of paragraphs) {
    const { runs, style = 0, look = Buffer.alloc(0), end = '\r' } = paragraph;
    const start = at;
    for (const run of [...runs, { text: end }] as readonly DocRun[]) {
      if (run.text !== '')
        found.characters.push(
          lookPage(placeOf(at), placeOf(at + run.text.length - 1) + width, run.look ?? Buffer.alloc(0), 'run', isWord6),
        );
      at += run.text.length;
    }
    const own = isWord6 ? Buffer.concat([u8(style), look]) : Buffer.concat([u16(style), look]);
    found.paragraphs.push(lookPage(placeOf(start), placeOf(at - 1) + width, own, 'paragraph', isWord6));
  }
  const byPlace = (one: Look, other: Look) => one.start - other.start;
  return { paragraphs: found.paragraphs.sort(byPlace), characters: found.characters.sort(byPlace) };
}

function lookPage(start: number, end: number, list: Uint8Array, kind: 'run' | 'paragraph', isWord6: boolean): Look {
  const page = Buffer.alloc(512);
  u32(start, end).copy(page);
  const at = 480 - ((list.length + 2) & ~1);
  page.writeUInt8(at / 2, 8);
  if (kind === 'run') {
    page.writeUInt8(list.length, at);
    Buffer.from(list).copy(page, at + 1);
  } else if (isWord6) {
    page.writeUInt8(Math.ceil((list.length + 1) / 2), at);
    Buffer.from(list).copy(page, at + 1);
  } else {
    page.writeUInt8(0, at);
    page.writeUInt8(Math.ceil(list.length / 2), at + 1);
    Buffer.from(list).copy(page, at + 2);
  }
  page.writeUInt8(1, 511);
  return { start, end, page };
}

function word97(main: readonly Buffer[], tables: Readonly<Record<number, Uint8Array>>, counts: readonly number[], parts: DocParts) {
  const stream = Buffer.concat(main);
  stream.writeUInt16LE(0xa5ec, 0);
  stream.writeUInt16LE(193, 2);
  stream.writeUInt16LE(parts.language ?? 0x409, 6);
  stream.writeUInt16LE(0x1200 | (parts.password === undefined ? 0 : 0x0100), 0x0a);
  counts.forEach((count, at) => stream.writeUInt32LE(count, 0x4c + at * 4));
  const header = parts.password === undefined ? Buffer.alloc(0) : rc4Header(parts.password);
  const pieces: Uint8Array[] = [header];
  let at = header.length;
  for (const [index, bytes] of Object.entries(tables)) {
    stream.writeUInt32LE(at, 0x9a + Number(index) * 8);
    stream.writeUInt32LE(bytes.length, 0x9a + Number(index) * 8 + 4);
    const behind = Number(index) === 73 ? (parts.levels ?? Buffer.alloc(0)) : Buffer.alloc(0);
    pieces.push(bytes, behind);
    at += bytes.length + behind.length;
  }
  const table = Buffer.concat(pieces);
  if (parts.password === undefined) return { WordDocument: stream, '1Table': table };
  stream.writeUInt32LE(header.length, 0x0e);
  return { WordDocument: encrypted(stream, parts.password, 68), '1Table': encrypted(table, parts.password, header.length) };
}

function encrypted(bytes: Buffer, password: string, plain: number): Buffer {
  const keys = Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / 512) }, (_, block) => rc4(rc4Key(password, block), Buffer.alloc(512))),
  );
  return Buffer.from(bytes.map((byte, at) => (at < plain ? byte : byte ^ keys[at]!)));
}

const places6: Readonly<Record<number, number>> = { 1: 0x60, 2: 0x68, 3: 0x70, 11: 0xb0, 12: 0xb8, 13: 0xc0, 15: 0xd0, 33: 0x160 };

function word6(main: readonly Buffer[], tables: Readonly<Record<number, Uint8Array>>, counts: readonly number[], parts: DocParts) {
  const head = Buffer.concat(main);
  head.writeUInt16LE(0xa5dc, 0);
  head.writeUInt16LE(104, 2);
  head.writeUInt16LE(parts.language ?? 0x409, 6);
  head.writeUInt16LE(parts.cuts === undefined ? 0 : 4, 0x0a);
  head.writeUInt32LE(textAt, 0x18);
  head.writeUInt32LE(textAt + counts.reduce((sum, count) => sum + count, 0), 0x1c);
  counts.forEach((count, at) => head.writeUInt32LE(count, 0x34 + at * 4));
  let at = head.length;
  for (const [index, bytes] of Object.entries(tables)) {
    const place = places6[Number(index)];
    if (place !== undefined) {
      head.writeUInt32LE(at, place);
      head.writeUInt32LE(bytes.length, place + 4);
    }
    at += bytes.length;
  }
  return { WordDocument: Buffer.concat([head, ...Object.values(tables)]) };
}
