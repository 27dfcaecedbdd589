/**
 * Fonts as far as text needs them: which text a code stands for, and how wide it is set (ISO 32000-1, 9.6–9.8). A font that does
 * not say its characters in one of the usual ways is `NotPlain`.
 */
import { type CharacterTable, type Collection, collections } from '../character-tables.ts';
import { type FontLook, lookOf } from '../layout/font-look.ts';
import { readCffEncoding } from './cff-encoding.ts';
import type { PlainFile } from './file.ts';
import { characterOf, encodings } from './glyph-names.ts';
import { type Dict, Name, NotPlain, Stream, type Value } from './objects.ts';
import { standardWidths } from './standard-fonts.ts';
import { readToUnicode } from './to-unicode.ts';

/** What a code of a font stands for: a character, the letters of a ligature, or no text at all. Widths and heights are shares of the size of type. */
export type FontGlyph = {
  /** The character that the font says, the code where it says none; -1 of a text that stands for others. */
  readonly unit: number;
  readonly text: string;
  readonly isBlank: boolean;
  /** The font does not say which character it is. */
  readonly isUnknown: boolean;
  readonly width: number;
};

export type PlainFont = {
  readonly look: FontLook;
  readonly codeBytes: 1 | 2;
  /** @throws NotPlain for a script that is not set from left to right, letter by letter */
  glyphOf(code: number): FontGlyph;
  /** Of a space; 0 when the font has none. */
  readonly spaceWidth: number;
  readonly ascent: number;
  readonly descent: number;
};

/** The fonts of a file. */
export type Fonts = {
  /** The font that `value`, a dictionary or a reference to one, describes; each is read once. @throws NotPlain */
  fontOf(value: Value | undefined): PlainFont;
};

/** Says the characters of a collection. May throw what `glyphOf` is to throw. */
export type TableOf = (collection: Collection) => CharacterTable;

export function createFonts(file: PlainFile, tableOf: TableOf): Fonts {
  const fonts = new Map<Dict, PlainFont>();
  return {
    fontOf(value) {
      const dict = file.resolve(value);
      if (!(dict instanceof Map)) throw new NotPlain('a font that is not there');
      const font = fonts.get(dict) ?? readFont(file, dict, tableOf);
      fonts.set(dict, font);
      return font;
    },
  };
}

function readFont(file: PlainFile, dict: Dict, tableOf: TableOf): PlainFont {
  const subtype = nameAt(file, dict, 'Subtype');
  if (subtype === 'Type0') return compositeFont(file, dict, tableOf);
  if (subtype === 'Type1' || subtype === 'TrueType' || subtype === 'MMType1' || subtype === 'Type3')
    return simpleFont(file, dict, subtype);
  throw new NotPlain('another kind of font');
}

/** Each code is looked up once. */
function glyphsOf(textAt: (code: number) => string | undefined, widthOf: (code: number) => number): (code: number) => FontGlyph {
  const glyphs = new Map<number, FontGlyph>();
  return (code) => {
    const known = glyphs.get(code);
    if (known !== undefined) return known;
    const text = textAt(code)?.replace(/[\ufb00-\ufb06]/g, (ligature) => ligature.normalize('NFKC'));
    if (text !== undefined && hasOwnOrder.test(text)) throw new NotPlain('a script that is ordered otherwise');
    const glyph = {
      unit: text?.codePointAt(0) ?? code,
      text: text ?? '',
      isBlank: text !== undefined && blank.test(text),
      isUnknown: text === undefined,
      width: widthOf(code),
    };
    glyphs.set(code, glyph);
    return glyph;
  };
}

const blank = /^[\s\p{Cc}\ufeff\ufffe\uffff]+$/u;
/** Hebrew, Arabic and their neighbours, from right to left, and scripts in which vowels move. */
const hasOwnOrder = /[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\ufb1d-\ufdff\ufe70-\ufefc]/;

function nameAt(file: PlainFile, dict: Dict, key: string): string | undefined {
  const value = file.get(dict, key);
  return value instanceof Name ? value.text : undefined;
}

function numberAt(file: PlainFile, dict: Dict, key: string, otherwise: number): number {
  const value = file.get(dict, key);
  return typeof value === 'number' ? value : otherwise;
}

/** From the descriptor. */
function shapeOf(file: PlainFile, dict: Dict, baseFont: string): Pick<PlainFont, 'look' | 'ascent' | 'descent'> {
  const descriptor = file.get(dict, 'FontDescriptor');
  const known = descriptor instanceof Map ? descriptor : new Map<string, Value>();
  const ascent = numberAt(file, known, 'Ascent', 750) / 1000;
  const descent = numberAt(file, known, 'Descent', -250) / 1000;
  return {
    look: lookOf(baseFont, numberAt(file, known, 'Flags', 0)),
    ascent: ascent > 0.2 && ascent < 3 ? ascent : 0.75,
    descent: descent <= 0 && descent > -2 ? descent : -0.25,
  };
}

/** What `ToUnicode` says of a code, if it says something. */
function unicodeMap(file: PlainFile, dict: Dict): ReadonlyMap<number, string> | undefined {
  const stream = file.get(dict, 'ToUnicode');
  if (!(stream instanceof Stream)) return undefined;
  const texts = readToUnicode(file.bytesOf(stream), file.budget);
  return new Map([...texts].filter(([, text]) => text !== '' && !/[\0\ufffd]/.test(text)));
}

/* Fonts of two-byte codes. */

function compositeFont(file: PlainFile, dict: Dict, tableOf: TableOf): PlainFont {
  if (nameAt(file, dict, 'Encoding') !== 'Identity-H') throw new NotPlain('another CMap');
  const isUnicode = saysUnicode(file, dict);
  const texts = unicodeMap(file, dict);
  const descendants = file.get(dict, 'DescendantFonts');
  const descendant = Array.isArray(descendants) ? file.resolve(descendants[0]) : null;
  if (!(descendant instanceof Map)) throw new NotPlain('a font without its glyphs');
  const collection = collectionOf(file, descendant);
  if (texts === undefined && collection === undefined && !isUnicode) throw new NotPlain('a font that does not say its characters');
  const characterOfCid = (cid: number): string | undefined =>
    (collection === undefined ? undefined : tableOf(collection)[cid]) || undefined;
  const widths = cidWidths(file, file.get(descendant, 'W'));
  const usual = numberAt(file, descendant, 'DW', 1000) / 1000;
  const widthOf = (code: number): number => widths.get(code) ?? usual;
  return {
    ...shapeOf(file, descendant, nameAt(file, dict, 'BaseFont') ?? ''),
    codeBytes: 2,
    glyphOf: glyphsOf((code) => (isUnicode ? characterOfUnit(code) : (texts?.get(code) ?? characterOfCid(code))), widthOf),
    spaceWidth: isUnicode ? widthOf(0x20) : texts === undefined ? widthOf(spaceCid) : spaceWidthOf(texts, widthOf),
  };
}

/** `ToUnicode` is the name of a map that leaves codes as they are: they are Unicode already. Some writers say so instead of a stream. */
function saysUnicode(file: PlainFile, dict: Dict): boolean {
  const name = nameAt(file, dict, 'ToUnicode');
  return name === 'Identity-H' || name === 'Identity-V';
}

function characterOfUnit(code: number): string | undefined {
  return code === 0 || (code >= 0xd800 && code <= 0xdfff) || code === 0xfffd ? undefined : String.fromCharCode(code);
}

/** Of each collection. */
const spaceCid = 1;

/** Adobe's, whose glyphs are known by their numbers (Adobe Technical Notes 5078, 5079, 5080, 5093). */
function collectionOf(file: PlainFile, descendant: Dict): Collection | undefined {
  const system = file.get(descendant, 'CIDSystemInfo');
  if (!(system instanceof Map) || file.get(system, 'Registry') !== 'Adobe') return undefined;
  const ordering = file.get(system, 'Ordering');
  return collections.find((each) => each === ordering);
}

function spaceWidthOf(texts: ReadonlyMap<number, string>, widthOf: (code: number) => number): number {
  for (const [code, text] of texts) if (text === ' ') return widthOf(code);
  return 0;
}

/** `W`: `first [w …]` and `first last w`. */
function cidWidths(file: PlainFile, value: Value): ReadonlyMap<number, number> {
  const widths = new Map<number, number>();
  const list = Array.isArray(value) ? value.map((each) => file.resolve(each)) : [];
  for (let index = 0; index + 1 < list.length;) {
    const [first, next, width] = [list[index], list[index + 1], list[index + 2]];
    if (typeof first !== 'number') throw new NotPlain('odd widths');
    if (Array.isArray(next)) {
      for (const [offset, each] of next.entries()) widths.set(first + offset, numberOf(file.resolve(each)) / 1000);
      index += 2;
    } else {
      if (typeof next !== 'number' || typeof width !== 'number' || next - first > 0xffff) throw new NotPlain('odd widths');
      file.budget.spend(Math.max(0, next - first));
      for (let code = first; code <= next; code++) widths.set(code, width / 1000);
      index += 3;
    }
  }
  return widths;
}

function numberOf(value: Value): number {
  if (typeof value !== 'number') throw new NotPlain('odd widths');
  return value;
}

/* Fonts of one-byte codes. */

/** Fonts of TeX's in which lines, circles and arrow heads are glyphs. */
const isDrawn = /^(?:[A-Z]{6}\+)?(?:line|lcircle|xy[a-z]{4})w?\d*(?:-Medium)?$/i;

function simpleFont(file: PlainFile, dict: Dict, subtype: string): PlainFont {
  const baseFont = nameAt(file, dict, 'BaseFont') ?? '';
  const texts = unicodeMap(file, dict);
  const encoding = isDrawn.test(baseFont) ? () => '' : encodingOf(file, dict, subtype);
  const textAt = (code: number): string | undefined => texts?.get(code) ?? encoding(code);
  const widthOf = simpleWidths(file, dict, subtype, baseFont, textAt);
  return {
    ...shapeOf(file, dict, baseFont),
    codeBytes: 1,
    glyphOf: glyphsOf(textAt, widthOf),
    spaceWidth: textAt(32) === ' ' ? widthOf(32) : 0,
  };
}

function simpleWidths(
  file: PlainFile,
  dict: Dict,
  subtype: string,
  baseFont: string,
  textAt: (code: number) => string | undefined,
): (code: number) => number {
  const list = file.get(dict, 'Widths');
  if (Array.isArray(list)) {
    const first = numberAt(file, dict, 'FirstChar', 0);
    const descriptor = file.get(dict, 'FontDescriptor');
    const missing = descriptor instanceof Map ? numberAt(file, descriptor, 'MissingWidth', 0) : 0;
    const scale = subtype === 'Type3' ? type3Scale(file, dict) : 0.001;
    const widths = list.map((each) => numberOf(file.resolve(each)) * scale);
    return (code) => widths[code - first] ?? missing * scale;
  }
  const known = standardWidths(baseFont.replace(/^[A-Z]{6}\+/, ''));
  if (known === undefined) throw new NotPlain('a font without widths');
  return (code) => {
    const width = known(textAt(code) ?? '');
    if (width === undefined) throw new NotPlain('a character of no known width');
    return width / 1000;
  };
}

function type3Scale(file: PlainFile, dict: Dict): number {
  const matrix = file.get(dict, 'FontMatrix');
  const scale = Array.isArray(matrix) ? file.resolve(matrix[0]) : null;
  if (typeof scale !== 'number' || scale === 0) throw new NotPlain('a font without a matrix');
  return Math.abs(scale);
}

/** What `Encoding` says of each code, or else what is built into the font. */
function encodingOf(file: PlainFile, dict: Dict, subtype: string): (code: number) => string | undefined {
  const value = file.get(dict, 'Encoding');
  if (value instanceof Name) return baseEncoding(value.text);
  const own = subtype === 'Type3' ? () => undefined : builtInEncoding(file, dict, subtype);
  if (!(value instanceof Map)) return own;
  const name = nameAt(file, value, 'BaseEncoding');
  const base = name === undefined ? own : baseEncoding(name);
  const differences = differencesOf(file, file.get(value, 'Differences'));
  return (code) => {
    const glyph = differences.get(code);
    return glyph === undefined ? base(code) : characterOf(glyph);
  };
}

function baseEncoding(name: string): (code: number) => string | undefined {
  if (name !== 'WinAnsiEncoding' && name !== 'MacRomanEncoding' && name !== 'StandardEncoding')
    throw new NotPlain('another encoding');
  const characters = encodings[name];
  return (code) => characters[code];
}

function differencesOf(file: PlainFile, value: Value): ReadonlyMap<number, string> {
  const differences = new Map<number, string>();
  let code = 0;
  for (const each of Array.isArray(value) ? value : []) {
    const item = file.resolve(each);
    if (typeof item === 'number') code = item;
    else if (item instanceof Name) differences.set(code++, item.text);
    else throw new NotPlain('odd differences');
  }
  return differences;
}

const symbolic = 4;

/** Of an embedded Type 1 font, what its program says; of a font of Latin letters that is not embedded, the standard one. */
function builtInEncoding(file: PlainFile, dict: Dict, subtype: string): (code: number) => string | undefined {
  const descriptor = file.get(dict, 'FontDescriptor');
  if (descriptor instanceof Map) {
    const program = file.get(descriptor, 'FontFile');
    if (subtype !== 'TrueType' && program instanceof Stream) return type1Encoding(file, program);
    const compact = file.get(descriptor, 'FontFile3');
    if (subtype !== 'TrueType' && compact instanceof Stream && nameAt(file, compact.dict, 'Subtype') === 'Type1C')
      return cffEncoding(file, compact);
    const isEmbedded = descriptor.has('FontFile') || descriptor.has('FontFile2') || descriptor.has('FontFile3');
    const isSymbolic = (numberAt(file, descriptor, 'Flags', 0) & symbolic) !== 0;
    if (isEmbedded || isSymbolic) return () => undefined;
  } else if (standardWidths(nameAt(file, dict, 'BaseFont') ?? '') === undefined) return () => undefined;
  return baseEncoding('StandardEncoding');
}

/** Read when it is first asked for: most fonts say their characters elsewhere too. */
function cffEncoding(file: PlainFile, program: Stream): (code: number) => string | undefined {
  let characters: ((code: number) => string | undefined) | undefined;
  return (code) => (characters ??= readNamed(readCffEncoding(file.bytesOf(program))))(code);
}

function readNamed(names: ReadonlyMap<number, string> | undefined): (code: number) => string | undefined {
  if (names === undefined) return baseEncoding('StandardEncoding');
  return (code) => {
    const name = names.get(code);
    return name === undefined ? undefined : characterOf(name);
  };
}

/** The part of a Type 1 program that is text: `/Encoding StandardEncoding def`, or `dup 65 /A put` for each code. */
function type1Encoding(file: PlainFile, program: Stream): (code: number) => string | undefined {
  let characters: ((code: number) => string | undefined) | undefined;
  return (code) => (characters ??= readType1Encoding(file.bytesOf(program)))(code);
}

function readType1Encoding(program: Buffer): (code: number) => string | undefined {
  const text = program.toString('latin1', 0, Math.min(program.length, 65_536));
  const start = text.indexOf('/Encoding');
  if (start === -1) return () => undefined;
  if (/^\/Encoding\s+StandardEncoding\b/.test(text.slice(start, start + 40))) return baseEncoding('StandardEncoding');
  const stop = text.indexOf('readonly', start);
  const names = new Map<number, string>();
  for (const [, code, name] of text.slice(start, stop === -1 ? undefined : stop).matchAll(/dup\s+(\d{1,3})\s*\/(\S+)\s+put/g))
    names.set(Number(code), name!);
  return readNamed(names);
}
