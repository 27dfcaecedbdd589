/**
 * The encoding that is built into a font program in Compact Font Format, as TeX embeds its own: which glyph name stands for which code
 * (Adobe Technical Note 5176). No more of the program is read.
 */
import { NotPlain } from './objects.ts';

/** Glyph names by code; undefined when it is the standard encoding. @throws NotPlain for a program of another kind, or damaged */
export function readCffEncoding(program: Buffer): ReadonlyMap<number, string> | undefined {
  try {
    return encodingOf(program);
  } catch (error) {
    throw new NotPlain('an odd font program', { cause: error });
  }
}

const charsetOperator = 15;
const encodingOperator = 16;
const charStringsOperator = 17;
const keyedByCid = 12 * 256 + 30;

function encodingOf(program: Buffer): ReadonlyMap<number, string> | undefined {
  const names = indexAt(program, program[2]!);
  const tops = indexAt(program, names.end);
  const strings = indexAt(program, tops.end);
  const top = dictOf(program.subarray(...tops.items[0]!));
  if (top.has(keyedByCid)) throw new NotPlain('a font without names');
  const encoding = top.get(encodingOperator) ?? 0;
  if (encoding === 0) return undefined;
  if (encoding === 1) throw new NotPlain('an expert font');
  const charStrings = top.get(charStringsOperator);
  if (charStrings === undefined) throw new NotPlain('a font without glyphs');
  const glyphCount = indexAt(program, charStrings).items.length;
  const charset = charsetAt(program, top.get(charsetOperator) ?? 0, glyphCount);
  const nameOf = (id: number): string => {
    const own = strings.items[id - standardStringCount];
    return own === undefined ? (standardNames[id] ?? '.notdef') : program.toString('latin1', ...own);
  };
  return namesByCode(program, encoding, (glyph) => nameOf(charset[glyph] ?? 0));
}

type Index = { readonly items: readonly (readonly [number, number])[]; readonly end: number };

/** Places of the items of an INDEX. */
function indexAt(bytes: Buffer, at: number): Index {
  const count = bytes.readUInt16BE(at);
  if (count === 0) return { items: [], end: at + 2 };
  const size = bytes.readUInt8(at + 2);
  const base = at + 2 + (count + 1) * size;
  const offset = (index: number): number => base + bytes.readUIntBE(at + 3 + index * size, size);
  return {
    items: Array.from({ length: count }, (_, index) => [offset(index), offset(index + 1)] as const),
    end: offset(count),
  };
}

/** The last operand of each operator. */
function dictOf(bytes: Buffer): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  let operand = 0;
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at++]!;
    if (code === 12) values.set(12 * 256 + bytes.readUInt8(at++), operand);
    else if (code <= 21) values.set(code, operand);
    else if (code === 28) {
      operand = bytes.readInt16BE(at);
      at += 2;
    } else if (code === 29) {
      operand = bytes.readInt32BE(at);
      at += 4;
    } else if (code === 30) while ((bytes.readUInt8(at++) & 0xf) !== 0xf);
    else if (code <= 246) operand = code - 139;
    else if (code <= 250) operand = (code - 247) * 256 + bytes.readUInt8(at++) + 108;
    else operand = -(code - 251) * 256 - bytes.readUInt8(at++) - 108;
  }
  return values;
}

/** The string number of each glyph's name. */
function charsetAt(bytes: Buffer, at: number, glyphCount: number): readonly number[] {
  if (at === 0) return standardNames.map((_, index) => index);
  if (at <= 2) throw new NotPlain('an expert font');
  const format = bytes.readUInt8(at++);
  const ids = [0];
  while (ids.length < glyphCount) {
    let id = bytes.readUInt16BE(at);
    at += 2;
    if (format === 0) ids.push(id);
    else {
      const more = format === 1 ? bytes.readUInt8(at) : bytes.readUInt16BE(at);
      at += format;
      for (let left = more; left >= 0 && ids.length < glyphCount; left--) ids.push(id++);
    }
  }
  return ids;
}

function namesByCode(bytes: Buffer, start: number, nameOf: (glyph: number) => string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  let at = start;
  const format = bytes.readUInt8(at++);
  const count = bytes.readUInt8(at++);
  let glyph = 1;
  for (let index = 0; index < count; index++) {
    const first = bytes.readUInt8(at++);
    const more = (format & 0x7f) === 0 ? 0 : bytes.readUInt8(at++);
    for (let code = first; code <= first + more; code++) names.set(code, nameOf(glyph++));
  }
  if ((format & 0x80) !== 0) throw new NotPlain('an encoding with a supplement');
  return names;
}

const standardStringCount = 391;

/** Those of the standard strings that name glyphs of text (appendix A), by number. */
const standardNames =
  `.notdef space exclam quotedbl numbersign dollar percent ampersand quoteright parenleft parenright asterisk plus comma
hyphen period slash zero one two three four five six seven eight nine colon semicolon less equal greater question at A B C D E F G H I J
K L M N O P Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore quoteleft a b c d e f g h i j k l m n o p q r
s t u v w x y z braceleft bar braceright asciitilde exclamdown cent sterling fraction yen florin section currency quotesingle
quotedblleft guillemotleft guilsinglleft guilsinglright fi fl endash dagger daggerdbl periodcentered paragraph bullet quotesinglbase
quotedblbase quotedblright guillemotright ellipsis perthousand questiondown grave acute circumflex tilde macron breve dotaccent dieresis
ring cedilla hungarumlaut ogonek caron emdash AE ordfeminine Lslash Oslash OE ordmasculine ae dotlessi lslash oslash oe germandbls
onesuperior logicalnot mu trademark Eth onehalf plusminus Thorn onequarter divide brokenbar degree thorn threequarters twosuperior
registered minus eth multiply threesuperior copyright Aacute Acircumflex Adieresis Agrave Aring Atilde Ccedilla Eacute Ecircumflex
Edieresis Egrave Iacute Icircumflex Idieresis Igrave Ntilde Oacute Ocircumflex Odieresis Ograve Otilde Scaron Uacute Ucircumflex
Udieresis Ugrave Yacute Ydieresis Zcaron aacute acircumflex adieresis agrave aring atilde ccedilla eacute ecircumflex edieresis egrave
iacute icircumflex idieresis igrave ntilde oacute ocircumflex odieresis ograve otilde scaron uacute ucircumflex udieresis ugrave yacute
ydieresis zcaron exclamsmall Hungarumlautsmall dollaroldstyle dollarsuperior ampersandsmall Acutesmall parenleftsuperior
parenrightsuperior twodotenleader onedotenleader zerooldstyle oneoldstyle twooldstyle threeoldstyle fouroldstyle fiveoldstyle
sixoldstyle sevenoldstyle eightoldstyle nineoldstyle commasuperior threequartersemdash periodsuperior questionsmall asuperior bsuperior
centsuperior dsuperior esuperior isuperior lsuperior msuperior nsuperior osuperior rsuperior ssuperior tsuperior ff ffi ffl`.split(
    /\s+/,
  );
