/**
 * Fonts inside of an XPS: how wide their glyphs are, which characters those stand for, and how they look. OpenType (ISO/IEC 14496-22), its
 * first 32 bytes hidden behind the name of the part where that is a GUID (ECMA-388, 9.1.7.3). Nothing is drawn with them.
 */
import { type FontLook, lookOf, plainLook } from '../pdf/layout/font-look.ts';

export type FontFile = {
  readonly look: FontLook;
  /** 0 where the font has none for it. */
  readonly glyphOf: (codePoint: number) => number;
  /** The character that a glyph stands for; '' where the font does not say. */
  readonly characterOf: (glyph: number) => string;
  /** Of 1 for the size of type. */
  readonly advanceOf: (glyph: number) => number;
  /** Characters that it has glyphs for, as far as they were read. */
  readonly characterCount: number;
};

const glyphsMax = 65_536;

/**
 * Null for what is no font that can be read. Never throws. Of its bytes nothing is kept but the widths.
 * @param charactersMax of which glyphs are looked up; a few bytes of a font may claim all there are
 */
export function readFontFile(part: string, bytes: Buffer, charactersMax: number): FontFile | null {
  try {
    return openFont(revealed(part, bytes), charactersMax);
  } catch {
    return null; // a table that ends before what it claims to hold: characters are as wide as they usually are
  }
}

/** The bytes as they were before they were hidden: from the GUID's last byte to its first, twice. */
function revealed(part: string, bytes: Buffer): Buffer {
  const name = part.slice(part.lastIndexOf('/') + 1);
  const digits = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?\./i.exec(name)?.[1]?.replaceAll('-', '');
  if (digits === undefined || isFont(bytes) || bytes.length < 32) return bytes;
  const key = Buffer.from(digits, 'hex').reverse();
  const plain = Buffer.from(bytes);
  for (let at = 0; at < 32; at++) plain[at]! ^= key[at % 16]!;
  return plain;
}

function isFont(bytes: Buffer): boolean {
  return ['\0\x01\0\0', 'OTTO', 'true', 'ttcf'].includes(bytes.toString('latin1', 0, 4));
}

function openFont(bytes: Buffer, charactersMax: number): FontFile | null {
  if (!isFont(bytes)) return null;
  const start = bytes.toString('latin1', 0, 4) === 'ttcf' ? bytes.readUInt32BE(12) : 0;
  const tables = tablesOf(bytes, start);
  const head = tables.get('head');
  const across = tables.get('hhea');
  const metrics = tables.get('hmtx');
  if (head === undefined || across === undefined || metrics === undefined) return null;
  const unitsPerEm = head.readUInt16BE(18) || 1000;
  const widthCount = Math.min(across.readUInt16BE(34), metrics.length >> 2);
  const widths = Uint16Array.from({ length: widthCount }, (_, glyph) => metrics.readUInt16BE(glyph * 4));
  const glyphs = glyphsOf(tables.get('cmap'), charactersMax);
  let characters: Uint32Array | undefined;
  return {
    look: lookFrom(tables, head),
    glyphOf: (codePoint) => glyphs.get(codePoint) ?? 0,
    characterOf(glyph) {
      characters ??= reversed(glyphs);
      const codePoint = characters[glyph] ?? 0;
      return codePoint === 0 ? '' : String.fromCodePoint(codePoint);
    },
    advanceOf: (glyph) => (widthCount === 0 ? 1 : widths[Math.min(Math.trunc(glyph), widthCount - 1)]! / unitsPerEm),
    characterCount: glyphs.size,
  };
}

function tablesOf(bytes: Buffer, start: number): Map<string, Buffer> {
  const tables = new Map<string, Buffer>();
  const count = Math.min(bytes.readUInt16BE(start + 4), 64);
  for (let index = 0; index < count; index++) {
    const at = start + 12 + index * 16;
    const offset = bytes.readUInt32BE(at + 8);
    tables.set(bytes.toString('latin1', at, at + 4), bytes.subarray(offset, offset + bytes.readUInt32BE(at + 12)));
  }
  return tables;
}

/** By its style bits, and whether all letters are as wide; its name where there is one. */
function lookFrom(tables: ReadonlyMap<string, Buffer>, head: Buffer): FontLook {
  const style = head.readUInt16BE(44);
  const post = tables.get('post');
  const named = lookOf(nameOf(tables.get('name')), 0);
  return {
    ...plainLook,
    ...named,
    bold: named.bold || (style & 1) !== 0,
    italic: named.italic || (style & 2) !== 0,
    mono: named.mono || (post !== undefined && post.length >= 16 && post.readUInt32BE(12) !== 0 && !isWide(tables)),
  };
}

/** Chinese fonts say of themselves that all letters are as wide, and are no type of code. */
function isWide(tables: ReadonlyMap<string, Buffer>): boolean {
  const glyphs = tables.get('maxp');
  return glyphs !== undefined && glyphs.length >= 6 && glyphs.readUInt16BE(4) > 5000;
}

const fullName = 4;

function nameOf(names: Buffer | undefined): string {
  if (names === undefined || names.length < 6) return '';
  const count = Math.min(names.readUInt16BE(2), (names.length - 6) / 12, 500);
  const texts = names.readUInt16BE(4);
  for (let index = 0; index + 1 <= count; index++) {
    const at = 6 + index * 12;
    if (names.readUInt16BE(at + 6) !== fullName) continue;
    const from = texts + names.readUInt16BE(at + 10);
    const text = names.subarray(from, from + Math.min(200, names.readUInt16BE(at + 8)));
    return text.toString('latin1').replaceAll('\0', '');
  }
  return '';
}

/** Glyphs by character: of the fullest table for Unicode. */
function glyphsOf(cmap: Buffer | undefined, charactersMax: number): Map<number, number> {
  if (cmap === undefined) return new Map();
  let best: { readonly rank: number; readonly at: number } | null = null;
  const count = Math.min(cmap.readUInt16BE(2), 50);
  for (let index = 0; index < count; index++) {
    const at = 4 + index * 8;
    const rank = ranks[`${cmap.readUInt16BE(at)}.${cmap.readUInt16BE(at + 2)}`] ?? 0;
    if (rank > (best?.rank ?? 0)) best = { rank, at: cmap.readUInt32BE(at + 4) };
  }
  if (best === null) return new Map();
  const table = cmap.subarray(best.at);
  const format = table.readUInt16BE(0);
  return format === 12 ? wideGlyphs(table, charactersMax) : format === 4 ? narrowGlyphs(table, charactersMax) : new Map();
}

/** Platform and encoding: what is best for text is highest. */
const ranks: Readonly<Record<string, number>> = {
  '3.10': 6,
  '0.6': 5,
  '0.4': 5,
  '3.1': 4,
  '0.3': 3,
  '0.2': 2,
  '0.1': 2,
  '0.0': 2,
  '3.0': 1,
};

function narrowGlyphs(table: Buffer, charactersMax: number): Map<number, number> {
  const glyphs = new Map<number, number>();
  const size = table.readUInt16BE(6);
  let next = 0;
  for (let at = 0; at < size; at += 2) {
    const end = table.readUInt16BE(14 + at);
    const start = table.readUInt16BE(16 + size + at);
    const delta = table.readUInt16BE(16 + size * 2 + at);
    const rangeAt = 16 + size * 3 + at;
    const range = table.readUInt16BE(rangeAt);
    // Stretches follow each other; those that go back would be read without end.
    for (let code = Math.max(start, next); code <= end && code < 0xffff && glyphs.size < charactersMax; code++) {
      const place = rangeAt + range + (code - start) * 2;
      const raw = range === 0 ? code : place + 2 <= table.length ? table.readUInt16BE(place) : 0;
      const glyph = raw === 0 ? 0 : (raw + delta) & 0xffff;
      if (glyph !== 0) glyphs.set(code, glyph);
    }
    next = Math.max(next, end + 1);
  }
  return glyphs;
}

function wideGlyphs(table: Buffer, charactersMax: number): Map<number, number> {
  const glyphs = new Map<number, number>();
  const count = Math.min(table.readUInt32BE(12), (table.length - 16) / 12);
  let next = 0;
  for (let index = 0; index + 1 <= count; index++) {
    const at = 16 + index * 12;
    const start = table.readUInt32BE(at);
    const end = Math.min(table.readUInt32BE(at + 4), 0x10_ffff);
    const first = table.readUInt32BE(at + 8);
    for (let code = Math.max(start, next); code <= end && glyphs.size < charactersMax; code++) {
      const glyph = first + code - start;
      if (glyph >= glyphsMax) break;
      glyphs.set(code, glyph);
    }
    next = Math.max(next, end + 1);
  }
  return glyphs;
}

/** The first character of each glyph; 0 for none. */
function reversed(glyphs: ReadonlyMap<number, number>): Uint32Array {
  const count = glyphs.values().reduce((most, glyph) => Math.max(most, glyph + 1), 0);
  const characters = new Uint32Array(count);
  for (const [codePoint, glyph] of glyphs) if (characters[glyph] === 0) characters[glyph] = codePoint;
  return characters;
}
