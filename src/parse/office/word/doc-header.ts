/** The header of a DOC file (MS-DOC 2.5, FIB): which Word wrote it, where its tables stand, how long each of its texts is. */
import { DocumentError } from '../../../errors.ts';
import type { CompoundStorage } from '../../containers/compound-file.ts';
import { openRc4, protectedByPassword } from '../binary-encryption.ts';

/** A stretch of a stream. */
export type Stretch = { readonly at: number; readonly bytes: number };

/** Texts that stand one behind the other, in this order. */
export const storyNames = ['body', 'footnotes', 'headers', 'macros', 'comments', 'endnotes', 'boxes', 'headerBoxes'] as const;
export type StoryName = (typeof storyNames)[number];

/** From a character on, up to but not with another. */
export type Story = { readonly start: number; readonly end: number };

export type DocHeader = {
  /** 6 is Word 6 and 95, 8 is Word 97 and later. */
  readonly version: 6 | 8;
  /** What holds the text. */
  readonly main: Buffer;
  /** What holds the tables: a stream of its own, since Word 97. */
  readonly tables: Buffer;
  /** What holds what was too large for the others; empty where there is none. */
  readonly data: Buffer;
  readonly stories: Readonly<Record<StoryName, Story>>;
  /** Windows' number of the language of the program that wrote it. */
  readonly language: number;
  /** Text without a table of pieces. */
  readonly plainText: Stretch;
  /** A table by its place in the list of all; empty where the file says nothing of it. */
  readonly table: (index: number) => Buffer;
  /** From where a table begins, to the end of its stream: some go on behind their end. */
  readonly tableOnwards: (index: number) => Buffer;
};

/** Places of tables in the list of Word 97 (FibRgFcLcb97). */
export const tableIndex = {
  styles: 1,
  footnoteMarks: 2,
  footnotes: 3,
  commentMarks: 4,
  comments: 5,
  headers: 11,
  characterRuns: 12,
  paragraphRuns: 13,
  fonts: 15,
  pieces: 33,
  commentAuthors: 36,
  boxAnchors: 40,
  endnoteMarks: 46,
  endnotes: 47,
  boxes: 56,
  lists: 73,
  listOverrides: 74,
} as const;

/** Where Word 6 has the same tables in its header. */
const places6: Readonly<Record<number, number>> = {
  [tableIndex.styles]: 0x60,
  [tableIndex.footnoteMarks]: 0x68,
  [tableIndex.footnotes]: 0x70,
  [tableIndex.commentMarks]: 0x78,
  [tableIndex.comments]: 0x80,
  [tableIndex.headers]: 0xb0,
  [tableIndex.characterRuns]: 0xb8,
  [tableIndex.paragraphRuns]: 0xc0,
  [tableIndex.fonts]: 0xd0,
  [tableIndex.pieces]: 0x160,
  [tableIndex.endnoteMarks]: 0x1d2,
  [tableIndex.endnotes]: 0x1da,
};

const tablesAt97 = 0x9a;
const headerBytes97 = 0x382;
const firstOf97 = 106;
const isComplex = 0x0004;
const isEncrypted = 0x0100;
const isSecondTable = 0x0200;
const isObfuscated = 0x8000;

/** Reads the header, and decrypts what it belongs to. @throws DocumentError `corrupt`, `encrypted`. */
export function readDocHeader(root: CompoundStorage, passwords: readonly string[]): DocHeader {
  const stream = checked(root.stream('WordDocument')?.read() ?? Buffer.alloc(0), 0x1a2);
  const kind = stream.readUInt16LE(0);
  const written = stream.readUInt16LE(2);
  const isOld = kind === 0xa5dc || (kind !== 0xa5ec && written < firstOf97);
  const flags = stream.readUInt16LE(0x0a);
  return isOld ? header6(stream, flags, places6) : header97(root, stream, { flags, passwords });
}

/** The header of a file of Word for Windows 1 or 2, of which only the text is read. @throws DocumentError as `readDocHeader` does. */
export function readDocHeader2(file: Buffer): DocHeader {
  return header6(checked(file, 0x80), file.readUInt16LE(0x0a), {});
}

function checked(stream: Buffer, bytesMin: number): Buffer {
  if (stream.length >= bytesMin) return stream;
  throw new DocumentError('corrupt', 'The document is damaged: the part that holds its text is missing or cut off');
}

type Protection = { readonly flags: number; readonly passwords: readonly string[] };

function header97(root: CompoundStorage, stream: Buffer, protection: Protection): DocHeader {
  const { flags } = protection;
  const name = (flags & isSecondTable) === 0 ? '0Table' : '1Table';
  const other = name === '0Table' ? '1Table' : '0Table';
  const table = (root.stream(name) ?? root.stream(other))?.read() ?? Buffer.alloc(0);
  const data = root.stream('Data')?.read() ?? Buffer.alloc(0);
  const opened =
    (flags & isEncrypted) === 0
      ? { main: stream, tables: table, data }
      : decrypted({ main: stream, tables: table, data }, protection);
  const { main, tables } = opened;
  const place = (index: number): Stretch => {
    const at = tablesAt97 + index * 8;
    return at + 8 <= Math.min(main.length, headerBytes97 + 0x400)
      ? { at: main.readUInt32LE(at), bytes: main.readUInt32LE(at + 4) }
      : nowhere;
  };
  return {
    version: 8,
    ...opened,
    stories: storiesFrom(main, 0x4c),
    language: main.readUInt16LE(6),
    plainText: plainStretch(main),
    table: (index) => stretchOf(tables, place(index)),
    tableOnwards: (index) => tables.subarray(place(index).at),
  };
}

function header6(stream: Buffer, flags: number, places: Readonly<Record<number, number>>): DocHeader {
  // That of Word 6 is not opened, whatever came with the file.
  if ((flags & isEncrypted) !== 0) throw protectedByPassword([]);
  const place = (index: number): Stretch => {
    const at = places[index];
    // Whatever was not saved quickly has no table of pieces, but what stands there.
    if (at === undefined || at + 8 > stream.length || (index === tableIndex.pieces && (flags & isComplex) === 0)) return nowhere;
    return { at: stream.readUInt32LE(at), bytes: stream.readUInt32LE(at + 4) };
  };
  return {
    version: 6,
    main: stream,
    tables: stream,
    data: Buffer.alloc(0),
    stories: storiesFrom(stream, 0x34),
    language: stream.readUInt16LE(6),
    plainText: plainStretch(stream),
    table: (index) => stretchOf(stream, place(index)),
    tableOnwards: (index) => stream.subarray(place(index).at),
  };
}

const nowhere: Stretch = { at: 0, bytes: 0 };

function stretchOf(stream: Buffer, { at, bytes }: Stretch): Buffer {
  return stream.subarray(at, Math.max(at, at + bytes));
}

function plainStretch(main: Buffer): Stretch {
  const at = main.readUInt32LE(0x18);
  return { at, bytes: Math.max(0, main.readUInt32LE(0x1c) - at) };
}

function storiesFrom(main: Buffer, at: number): Record<StoryName, Story> {
  let start = 0;
  const stories = storyNames.map((name, index): [StoryName, Story] => {
    const count = Math.max(0, main.readInt32LE(at + index * 4));
    start += count;
    return [name, { start: start - count, end: start }];
  });
  return Object.fromEntries(stories) as Record<StoryName, Story>;
}

const blockBytes = 512;
/** So much of the header is never encrypted. */
const plainHeaderBytes = 68;

type Streams = Pick<DocHeader, 'main' | 'tables' | 'data'>;

function decrypted({ main, tables, data }: Streams, { flags, passwords }: Protection): Streams {
  const headerSize = main.readUInt32LE(0x0e);
  const isXor = (flags & isObfuscated) !== 0;
  const of = (bytes: Buffer, plain: number): Buffer => {
    const keystream = isXor ? null : openRc4(tables.subarray(0, headerSize), blockBytes, passwords);
    if (keystream === null) throw protectedByPassword(passwords);
    const copy = Buffer.from(bytes);
    keystream.apply(copy.subarray(plain), plain);
    return copy;
  };
  return { main: of(main, plainHeaderBytes), tables: of(tables, headerSize), data: of(data, 0) };
}
