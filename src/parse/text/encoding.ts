/**
 * Bytes to text: byte order marks, UTF-16 and UTF-32 by their pattern, ISO-2022 by its escapes, UTF-8 by its validity, then what
 * the file says of itself, then jschardet's statistics over the first bytes that are not ASCII. Decoding is `TextDecoder`'s, and
 * `legacy-charsets.ts` for what it lacks.
 */
import { isUtf8 } from 'node:buffer';
import { chardet } from 'jschardet';
import { likelyCharset, shareInWords } from './likely-charset.ts';
import { decodeLegacy, isEucTw, isLegacyCharset } from './legacy-charsets.ts';

export type DecodedText = {
  /** Without byte order mark; line ends as they were. */
  readonly text: string;
  /** Lower case; a name that `decodeAs` takes. */
  readonly encoding: string;
};

/**
 * The text of a file in whatever encoding. `declared` is what its header says (a `charset`, an XML declaration); it is believed
 * only where the bytes allow it, and less than `given`, what was sent with the file. Never throws: what cannot be decoded becomes U+FFFD. Linear.
 */
export function decodeText(bytes: Uint8Array, declared: string | null = null, given: string | null = null): DecodedText {
  const encoding = byMark(bytes) ?? byWord(bytes, given) ?? detectEncoding(bytes, declared);
  return { text: decodeAs(bytes, encoding), encoding };
}

/** The encoding's name; at most the first megabyte is weighed, but validity of UTF-8 is checked to the end. */
export function detectEncoding(bytes: Uint8Array, declared: string | null = null): string {
  return (
    byMark(bytes) ??
    byShortWide(bytes) ??
    byZeros(bytes) ??
    byEscapes(bytes) ??
    byUtf8(bytes) ??
    byParity(bytes) ??
    byDeclaration(bytes, declared) ??
    byStatistics(bytes)
  );
}

/** `encoding` as `canonicalEncoding` or `detectEncoding` gives it. A byte order mark is dropped. */
export function decodeAs(bytes: Uint8Array, encoding: string): string {
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return decodeUtf32(bytes, encoding === 'utf-32le');
  if (isLegacyCharset(encoding)) return decodeLegacy(bytes, encoding);
  return new TextDecoder(encoding).decode(bytes);
}

/** The name under which this encoding is decoded here, by any of its common labels; null when it cannot be. */
export function canonicalEncoding(label: string): string | null {
  const name = label.trim().toLowerCase();
  const known = aliases[name] ?? name;
  if (known.startsWith('utf-32') || isLegacyCharset(known)) return known;
  try {
    return new TextDecoder(known).encoding;
  } catch {
    return null;
  }
}

/** `\n` line ends everywhere, form feeds and vertical tabs too, and no NUL. */
export function normalizeLines(text: string): string {
  return /[\r\0\f\v\u2028\u2029\u0085]/.test(text)
    ? text
        .replace(/\r\n?|[\v\u2028\u0085]/g, '\n')
        .replace(/[\f\u2029]/g, '\n\n')
        .replaceAll('\0', '')
    : text;
}

/** jschardet's and others' names for what is decoded here under another. Supersets stand in for their subsets. */
const aliases: Readonly<Record<string, string>> = {
  ascii: 'utf-8',
  'us-ascii': 'utf-8',
  'utf-8-sig': 'utf-8',
  'utf-16': 'utf-16le',
  'utf-16-le': 'utf-16le',
  'utf-16-be': 'utf-16be',
  'utf-32': 'utf-32le',
  'utf-32-le': 'utf-32le',
  'utf-32-be': 'utf-32be',
  gb2312: 'gb18030',
  gbk: 'gb18030',
  cp936: 'gb18030',
  'x-gbk': 'gb18030',
  big5hkscs: 'big5',
  cp950: 'big5',
  cp932: 'shift_jis',
  shift_jis_2004: 'shift_jis',
  shift_jisx0213: 'shift_jis',
  'euc-jis-2004': 'euc-jp',
  'euc-jisx0213': 'euc-jp',
  'iso2022-jp-1': 'iso-2022-jp',
  'iso2022-jp-2': 'iso-2022-jp',
  'iso2022-jp-2004': 'iso-2022-jp',
  'iso2022-jp-ext': 'iso-2022-jp',
  'iso2022-kr': 'iso-2022-kr',
  cp949: 'euc-kr',
  uhc: 'euc-kr',
  cp1361: 'johab',
  'x-johab': 'johab',
  euctw: 'euc-tw',
  'x-euc-tw': 'euc-tw',
  cp874: 'windows-874',
  'mac-cyrillic': 'x-mac-cyrillic',
  maccyrillic: 'x-mac-cyrillic',
  'mac-roman': 'macintosh',
  macroman: 'macintosh',
  'mac-iceland': 'macintosh',
  'mac-greek': 'x-mac-greek',
  'mac-latin2': 'x-mac-latin2',
  'mac-turkish': 'x-mac-turkish',
  ...Object.fromEntries([437, 737, 775, 850, 852, 855, 857, 862, 866, 1125].map((page) => [`cp${page}`, `ibm${page}`])),
  cp858: 'ibm850',
  cp856: 'ibm862',
  ...Object.fromEntries([1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => [`cp${page}`, `windows-${page}`])),
};

function byMark(bytes: Uint8Array): string | null {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 && bytes.length % 4 === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0x84 && b === 0x31 && c === 0x95 && d === 0x33) return 'gb18030';
  return null;
}

const sampleBytes = 64 * 1024;

/**
 * UTF-32 and UTF-16 without a mark: the white space and digits that most text has show as zeros at one parity.
 */
function byZeros(bytes: Uint8Array): string | null {
  const length = Math.min(bytes.length, sampleBytes) & ~3;
  if (length < 4) return null;
  const zeros = [0, 0, 0, 0];
  for (let at = 0; at < length; at++) if (bytes[at] === 0) zeros[at & 3]! += 1;
  const quarter = length / 4;
  const [first, second, third, fourth] = zeros as [number, number, number, number];
  if (bytes.length % 4 === 0 && first + second + third + fourth > 0) {
    if (fourth === quarter && third > quarter * 0.95 && isUtf32(bytes, length, true)) return 'utf-32le';
    if (first === quarter && second > quarter * 0.95 && isUtf32(bytes, length, false)) return 'utf-32be';
  }
  if (second + fourth > 0 && isWideText(bytes, length, 1) && wellFormedUtf16(bytes, length, true)) return 'utf-16le';
  if (first + third > 0 && isWideText(bytes, length, 0) && wellFormedUtf16(bytes, length, false)) return 'utf-16be';
  return null;
}

/**
 * Whether the bytes of one parity are what high bytes are, and the others are not: nearly all of them zeros (Latin); a few values only, zero among
 * them (an alphabet with its spaces); or those of Chinese, Japanese and Korean, beside bytes of all kinds. A NUL or two in a log are neither.
 */
function isWideText(bytes: Uint8Array, length: number, parity: 0 | 1): boolean {
  const counts = new Uint32Array(256);
  let [wide, beyondAscii, otherZeros] = [0, 0, 0];
  for (let at = parity; at < length; at += 2) {
    const [high, low] = [bytes[at]!, bytes[at ^ 1]!];
    counts[high]! += 1;
    if (isHighOfCjk(high) || high === 0 || high === 0x20) wide += 1;
    if (low >= 0x80) beyondAscii += 1;
    if (low === 0) otherZeros += 1;
  }
  const half = length / 2;
  const zeros = counts[0]!;
  const commonest = counts.subarray(1).toSorted().at(-1)!;
  if (otherZeros * 20 > Math.max(zeros, 20)) return false;
  if (zeros >= half * 0.7) return true;
  if (zeros >= half * 0.02 && zeros + commonest >= half * 0.8) return true;
  return zeros >= half * 0.02 && wide >= half * 0.9 && beyondAscii >= half * 0.2;
}

function isHighOfCjk(byte: number): boolean {
  return (byte >= 0x4e && byte <= 0x9f) || byte === 0x30 || byte === 0xff || (byte >= 0xac && byte <= 0xd7);
}

/**
 * UTF-16 of Chinese, Japanese or Korean without any white space: the bytes of one parity are all high bytes of those scripts, those
 * of the other are anything, control characters too, which no text of single bytes holds.
 */
function byParity(bytes: Uint8Array): string | null {
  const length = Math.min(bytes.length, sampleBytes) & ~1;
  const high = [0, 0];
  const control = [0, 0];
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (isHighOfCjk(byte)) high[at & 1]! += 1;
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13) control[at & 1]! += 1;
  }
  const half = length / 2;
  const isWide = (parity: 0 | 1): boolean =>
    half >= 8 && high[parity]! >= half * 0.95 && control[1 - parity]! >= half * 0.03 && control[parity] === 0;
  if (isWide(1) && wellFormedUtf16(bytes, length, true)) return 'utf-16le';
  return isWide(0) && wellFormedUtf16(bytes, length, false) ? 'utf-16be' : null;
}

/** Up to so many bytes may be UTF-16 that has nothing to show for it but its letters. */
const shortBytes = 256;

/**
 * A few words in UTF-16 without a mark, spaces or line ends: in one order of bytes they are letters of one script and its signs, Chinese characters
 * those of words; and read by the byte they are what no text is: control characters, signs of programs, or not even UTF-8.
 */
function byShortWide(bytes: Uint8Array): string | null {
  if (bytes.length < 4 || bytes.length % 2 !== 0 || bytes.length > shortBytes) return null;
  const hasControls = bytes.some((byte) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 0x1b);
  const share = hasControls || !isUtf8(bytes) ? 0.5 : 1;
  if (share === 1 && !/[`{}|^~\\<>@#$%&*[\]\u0080-\uffff]/.test(new TextDecoder().decode(bytes))) return null;
  const fitting = wideOrders.filter((encoding) => {
    const text = decodeAs(bytes, encoding);
    const script = oneScript.find(({ some, all }) => some.test(text) && all.test(text));
    if (script === undefined) return false;
    return script === withHan ? shareInWords(text) >= share : hasControls;
  });
  return fitting.length === 1 ? fitting[0]! : null;
}

const wideOrders = ['utf-16le', 'utf-16be'] as const;

/** Letters of a script, Latin ones and signs beside them. */
function onlyOf(script: string): { readonly some: RegExp; readonly all: RegExp } {
  const beside =
    '!-~ \\n\\r\\t\\u00a0-\\u00ff\\u0300-\\u036f\\u064b-\\u065f\\u2010-\\u205e\\u20a0-\\u20bf\\u3000-\\u303f\\uff00-\\uffef';
  return { some: new RegExp(`[${script}]`, 'u'), all: new RegExp(`^[${script}${beside}]+$`, 'u') };
}

const withHan = onlyOf('\\u3041-\\u30ff\\u4e00-\\u9fff');
const oneScript = [
  withHan,
  ...['Cyrillic', 'Greek', 'Hebrew', 'Arabic', 'Thai', 'Devanagari', 'Hangul'].map((script) => onlyOf(`\\p{Script=${script}}`)),
];

function isUtf32(bytes: Uint8Array, length: number, little: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let at = 0; at < length; at += 4) {
    const point = view.getUint32(at, little);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || point === 0) return false;
  }
  return true;
}

/** No lone surrogates, no control characters but white space, no unassigned areas: binary files fail this at once. */
function wellFormedUtf16(bytes: Uint8Array, length: number, little: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let strange = 0;
  for (let at = 0; at < length; at += 2) {
    const unit = view.getUint16(at, little);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = at + 2 < length ? view.getUint16(at + 2, little) : 0xdc00;
      if (next < 0xdc00 || next > 0xdfff) strange += 1;
      at += 2;
    } else if ((unit >= 0xdc00 && unit <= 0xdfff) || unit >= 0xfff0 || (unit < 0x20 && unit !== 9 && unit !== 10 && unit !== 13)) {
      strange += 1;
    }
  }
  return strange <= length / 2 / 100;
}

/** ISO-2022 and HZ are seven-bit, so they would pass for ASCII. */
function byEscapes(bytes: Uint8Array): string | null {
  const sample = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024 * 1024));
  if (sample.includes(0x1b)) {
    const escapes = sample.toString('latin1').split('\x1b').slice(1);
    if (escapes.some((each) => each.startsWith('$)C'))) return 'iso-2022-kr';
    if (escapes.some((each) => /^\$(?:\)[AGE]|\*H)/.test(each))) return 'iso-2022-cn';
    if (escapes.some((each) => /^(?:\$[@B]|\([JI]|\$\([DOPQ])/.test(each))) return 'iso-2022-jp';
  }
  if (sample.includes('~{') && isAscii(sample)) {
    const text = sample.toString('latin1');
    const runs = text.match(/~\{(?:[\x21-\x77][\x21-\x7e]){1,200}~\}/g) ?? [];
    if (runs.length >= 2) return 'hz-gb-2312';
  }
  return null;
}

function isAscii(bytes: Uint8Array): boolean {
  return !bytes.some((byte) => byte >= 0x80);
}

/** Valid, or valid but for a few damaged bytes: no other encoding gives long runs of right UTF-8 by chance. */
function byUtf8(bytes: Uint8Array): string | null {
  if (isUtf8(bytes)) return 'utf-8';
  let right = 0;
  let wrong = 0;
  const length = Math.min(bytes.length, 1024 * 1024);
  for (let at = 0; at < length;) {
    const byte = bytes[at]!;
    const more =
      byte < 0x80 ? 0 : byte >= 0xc2 && byte < 0xe0 ? 1 : byte >= 0xe0 && byte < 0xf0 ? 2 : byte >= 0xf0 && byte < 0xf5 ? 3 : -1;
    let good = more > 0;
    for (let next = 1; next <= more; next++) good &&= ((bytes[at + next] ?? 0) & 0xc0) === 0x80;
    if (good) right += 1;
    else if (more !== 0) wrong += 1;
    at += good ? more + 1 : 1;
  }
  return right >= 10 && wrong * 20 < right ? 'utf-8' : null;
}

/** Believed when it is an encoding for more than ASCII and decodes (almost) without a fault. */
/** What was sent with the file is obeyed wherever it gives text: whoever sent it knows more than the bytes say. */
function byWord(bytes: Uint8Array, given: string | null): string | null {
  const name = given === null ? null : canonicalEncoding(given);
  if (name === null || name === 'replacement') return null;
  // The last character may be cut: only the head of a file is looked at to know its format.
  return decodeAs(bytes, name).slice(0, -2).includes('\ufffd') ? null : name;
}

function byDeclaration(bytes: Uint8Array, declared: string | null): string | null {
  const name = declared === null ? null : canonicalEncoding(declared);
  if (name === null || name.startsWith('utf-') || name === 'windows-1252' || name === 'replacement') return null;
  const sample = evidence(bytes);
  return faults(sample, name) * 200 <= sample.length ? name : null;
}

function faults(sample: Uint8Array, encoding: string): number {
  const text = decodeAs(sample, encoding);
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0xfffd || (unit >= 0x80 && unit < 0xa0)) count += 1;
  }
  return count;
}

/** Encodings that no file of today has by chance, or that are not text at all; and UTF-7, a favourite of attackers. */
const neverGuessed = [
  'utf-7',
  'cp1026',
  'cp1140',
  'cp273',
  'cp424',
  'cp500',
  'cp875',
  'cp037',
  'cp1006',
  'cp720',
  'hp-roman8',
  'koi8-t',
  'kz-1048',
  'ptcp154',
  'cp864',
];

function byStatistics(bytes: Uint8Array): string {
  const likely = likelyCharset(bytes, decodeAs);
  if (likely !== null) return likely;
  const sample = evidence(bytes);
  if (isEucTw(sample)) return 'euc-tw'; // which jschardet does not know
  const guess = chardet.detect(sample, { excludeEncodings: neverGuessed }).encoding;
  const name = guess === null ? null : canonicalEncoding(guess);
  return name === null || name.startsWith('utf-') ? 'windows-1252' : name;
}

/** Where the file stops being ASCII, as most of a file's head may be markup: up to 128 KiB around it. */
function evidence(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte >= 0x80);
  const start = Math.max(0, first - 1024);
  return bytes.subarray(start, start + 128 * 1024);
}

function decodeUtf32(bytes: Uint8Array, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = new Uint16Array(bytes.length / 2);
  let length = 0;
  for (let at = 0; at + 3 < bytes.length; at += 4) {
    const point = view.getUint32(at, little);
    if (at === 0 && point === 0xfeff) continue;
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) units[length++] = 0xfffd;
    else if (point < 0x10000) units[length++] = point;
    else {
      units[length++] = 0xd7c0 + (point >> 10);
      units[length++] = 0xdc00 + (point & 0x3ff);
    }
  }
  return new TextDecoder('utf-16le').decode(units.subarray(0, length));
}
