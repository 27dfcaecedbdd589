/**
 * Fonts that name other characters than they show, and what is right instead. Two faults of programs that make PDFs are known well: codes that are
 * the bytes of a Chinese, Japanese or Korean encoding in a font of Latin letters (`ÖÐ¹ú` is 中国), and the numbers of glyphs where characters
 * should be, which in most TrueType fonts stand 29 below (`7KH` is `The`). A font is repaired only where it is certain: its text is
 * not believable as it is written, and is afterwards. Pure; knows neither of the two readers.
 */
import { decodeAs } from '../text/encoding.ts';
import { likelyCharset, likeness, shareInWords } from '../text/likely-charset.ts';

/**
 * Glyphs of one font in the order in which a page draws them: the character that the font says, the code of the glyph where it says none. Of a byte
 * that Windows-1252 lacks PDFium says a bullet, of a blank that does not break a blank, and of a soft hyphen a hyphen.
 */
export type Units = readonly number[];

/** Where they are only looked at. */
type SomeUnits = { readonly length: number; readonly [at: number]: number };

/** What stands for each glyph: '' where the one before says it too, null where nobody can tell. */
export type Repaired = readonly (string | null)[];

export type PageFonts<Font> = {
  readonly repaired: ReadonlyMap<Font, Repaired>;
  /** Fonts not known before whose fault is certain by what this page has of them. */
  readonly certain: ReadonlyMap<Font, Repair>;
  /** Glyphs of fonts whose text nobody would believe and nothing repairs. */
  readonly garbledCount: number;
};

/** What is known of the fonts of a page beside their text. */
export type Known<Font> = {
  /** Their faults are certain by other pages. */
  readonly faulty?: ReadonlyMap<Font, Repair>;
  /** Their units are no characters: they are repaired where that is certain, and never garbled. */
  readonly unnamed?: ReadonlySet<Font>;
};

/** Judges the fonts of a page. One with little text follows those that are certain. Linear; looks at the first 600 glyphs of each. */
export function judgeFonts<Font>(
  fonts: ReadonlyMap<Font, Units>,
  { faulty = new Map(), unnamed = new Set() }: Known<Font> = {},
): PageFonts<Font> {
  const repaired = new Map<Font, Repaired>();
  const certain = new Map<Font, Repair>();
  const repairs = new Map<string, Repair>();
  let looksLeft = looksMax;
  for (const [font, units] of fonts) {
    const known = faulty.get(font);
    const repair = known ?? (isOdd(units) && looksLeft-- > 0 ? certainRepair(units.slice(0, sampleUnits)) : undefined);
    const texts = repair?.apply(units);
    if (repair === undefined || texts === undefined) continue;
    repaired.set(font, texts);
    repairs.set(repair.name, repair);
    if (known === undefined) certain.set(font, repair);
  }
  let followersLeft = followersMax;
  let garbledCount = 0;
  for (const [font, units] of fonts) {
    if (repaired.has(font)) continue;
    const mayFollow = repairs.size > 0 && units.length <= shortUnits && followersLeft-- > 0;
    const texts = mayFollow
      ? repairs
          .values()
          .map((repair) => repair.follow(units))
          .find((each) => each !== undefined)
      : undefined;
    if (texts !== undefined) repaired.set(font, texts);
    else if (faulty.has(font) || (!unnamed.has(font) && isGarbled(units))) garbledCount += units.length;
  }
  return { repaired, certain, garbledCount };
}

/** Fonts of a page that are looked at closely, some milliseconds each: a page has a few, and a hostile one thousands. */
const looksMax = 50;
const followersMax = 500;
const sampleUnits = 600;
/** So few glyphs are no evidence by themselves. */
const shortUnits = 60;

/** Whether a page is worth a closer look, font by font. Quick. Piece by piece, since a font may have little of a page. */
export function isOddPage(units: SomeUnits): boolean {
  for (let start = 0; start < units.length; start += pieceUnits) if (isOdd(units, start, start + pieceUnits)) return true;
  return false;
}

const pieceUnits = 500;

/** Has what no text of any language has. */
function isOdd(units: SomeUnits, start = 0, end = sampleUnits): boolean {
  const stop = Math.min(units.length, end);
  let [run, signs, commonCount, shiftedSmall, small] = [0, 0, 0, 0, 0];
  for (let at = start; at < stop; at++) {
    const unit = units[at]!;
    if (isControl(unit)) return true;
    run = isHighByte(unit) ? run + 1 : 0;
    if (run >= runLeast) return true;
    if (unit >= 0x4e00 && unit < 0xff00) {
      signs += 1;
      if (commonSigns.has(unit)) commonCount += 1;
    } else if (unit >= 0x44 && unit <= 0x5d) shiftedSmall += 1;
    else if (unit >= 0x61 && unit <= 0x7a) small += 1;
  }
  if (signs >= 8) return commonCount * 20 < signs;
  const count = stop - start;
  return count >= leastLetters && shiftedSmall * 2 > count && small * 20 < count;
}

/** Letters with accents one after the other: of no language, and two Chinese characters in bytes. */
const runLeast = 4;

/** Of every few characters of Chinese or Korean prose one is among these. */
const commonSigns = new Set(
  Array.from(
    '的一是不了在人有我他这这中大来上国个到说们为子和你地出道也时年得就那要下以生会自之过家学对可里后小么多天而能好都然没日于起还发成事作当想看无开手十用主行方又如前所本见经同公三已老从动两样现分将外但身些与高意进法此实回二理' +
      '這來國個說們為時會過對裡後麼沒於還發當無開經動兩樣現將與進實' +
      '이다는의에을가고하지로기한도사리자어대서인해',
    (sign) => sign.charCodeAt(0),
  ),
);

/** Not white space, nor what PDFium says of a hyphen at the end of a line. */
function isControl(unit: number): boolean {
  return unit < 0x20 && unit > 2 && unit !== 9 && unit !== 10 && unit !== 13;
}

function isHighByte(unit: number): boolean {
  return unit >= 0x80 && byteOf(unit) !== undefined;
}

/* Repairs. */

/** What puts the text of a font right. */
export type Repair = {
  readonly name: string;
  /** Undefined where the font cannot have this fault. */
  apply(units: Units): Repaired | undefined;
  /** Of a font with little text on a page where another has this fault for certain. */
  follow(units: Units): Repaired | undefined;
};

function certainRepair(sample: Units): Repair | undefined {
  if (sample.filter(isHighByte).length >= runLeast) return bytesRepair(sample);
  if (sample.filter((unit) => unit >= 0x8140).length >= leastSigns && isCertainHan(pairs, sample)) return pairs;
  return isCertainShift(sample) ? shift : undefined;
}

/** Characters of Chinese and Japanese words, or of Korean, of which a few are proof that nobody wrote `ÖÐ¹ú`. */
function isCertainHan(repair: Repair, sample: Units): boolean {
  const texts = repair.apply(sample);
  if (texts === undefined) return false;
  const signs = texts.filter((text) => text !== null && text > '\u2e7f').length;
  return signs >= leastSigns && shareInWords(texts.join('')) >= wordsLeast && shareInWords(textOf(sample)) <= wordsMost;
}

const leastSigns = 6;
/** Different ones: of six characters of any text hardly fewer. */
const leastBytes = 6;
/** Of the Chinese characters of a text those in words: 0.5 to 1 of prose, names and tables, below 0.1 of characters by chance. */
const wordsLeast = 0.4;
const wordsMost = 0.15;

/** The bytes of a text, one by one. */
function bytesRepair(sample: Units): Repair | undefined {
  if (sample.some((unit) => byteOf(unit) === undefined)) return undefined;
  // A font may hold but the letters with accents of a text, or fractions: one or two of them again and again are a Chinese character by chance.
  if (new Set(sample.filter(isHighByte)).size < leastBytes) return undefined;
  const encoding = likelyCharset(bytesToWeigh(sample), decodeAs) ?? '';
  if (!wideEncodings.includes(encoding)) return undefined;
  const repair = ofBytes(encoding);
  if (encoding !== 'euc-kr') return isCertainHan(repair, sample) ? repair : undefined;
  const texts = repair.apply(sample)?.filter((text) => text !== null && text > '\x7f') ?? [];
  const hangul = texts.filter((text) => /[\uac00-\ud7a3]/.test(text!)).length;
  return texts.length >= leastSigns && hangul >= texts.length * 0.9 ? repair : undefined;
}

const wideEncodings: readonly string[] = ['gb18030', 'big5', 'euc-kr', 'euc-jp'];

/** As many as `likelyCharset` weighs, pair by pair. */
function bytesToWeigh(units: Units): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < units.length && bytes.length < 150; at++) {
    const byte = byteOf(units[at]!)!;
    const trail = byte < 0x80 ? undefined : trailOf(units[at + 1]);
    bytes.push(byte);
    if (trail === undefined) continue;
    bytes.push(trail);
    at += 1;
  }
  return Uint8Array.from(bytes);
}

const repairsOfBytes = new Map<string, Repair>();

function ofBytes(encoding: string): Repair {
  const known = repairsOfBytes.get(encoding) ?? makeOfBytes(encoding);
  repairsOfBytes.set(encoding, known);
  return known;
}

function makeOfBytes(encoding: string): Repair {
  const characterOf = pairsOf(encoding);
  const apply = (units: Units): Repaired | undefined => {
    const texts: (string | null)[] = [];
    let [paired, strays] = [0, 0];
    for (let at = 0; at < units.length; at++) {
      const lead = byteOf(units[at]!);
      if (lead === undefined) return undefined;
      const trail = lead < 0x80 ? undefined : trailOf(units[at + 1]);
      if (trail !== undefined) {
        const isVague = units[at] === bullet || units[at + 1] === bullet;
        texts.push(isVague ? null : characterOf(lead * 256 + trail), '');
        paired += 1;
        at += 1;
      } else {
        if (lead >= 0x80) strays += 1;
        texts.push(lead >= 0x80 ? null : isControl(lead) ? '' : String.fromCharCode(lead));
      }
    }
    return strays * 50 > paired ? undefined : texts;
  };
  const follow = (units: Units): Repaired | undefined => {
    const texts = apply(units);
    return texts?.includes('') === true && texts.every((text) => text !== null) ? texts : undefined;
  };
  return { name: encoding, apply, follow };
}

const bullet = 0x2022;

/** What two bytes stand for, each pair asked once. */
function pairsOf(encoding: string): (pair: number) => string | null {
  const decoded = new Map<number, string | null>();
  return (pair) => {
    const known = decoded.get(pair);
    if (known !== undefined) return known;
    const text = decodeAs(Uint8Array.of(pair >> 8, pair & 255), encoding);
    const character = text.includes('\ufffd') ? null : text;
    decoded.set(pair, character);
    return character;
  };
}

/** Where PDFium says a hyphen or a blank, the soft or unbreakable one was meant: no other can be here. */
function trailOf(unit: number | undefined): number | undefined {
  const byte = unit === undefined ? undefined : unit === 0x2d ? 0xad : unit === 0x20 ? 0xa0 : byteOf(unit);
  return byte !== undefined && byte >= 0x40 && byte !== 0x7f && byte < 0xff ? byte : undefined;
}

/** Which byte Windows-1252 shows as this character. */
function byteOf(unit: number): number | undefined {
  return unit <= 0xff ? unit : windowsBytes.get(unit);
}

const windowsBytes: ReadonlyMap<number, number> = new Map(
  Array.from(
    decodeAs(
      Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at),
      'windows-1252',
    ),
    (sign, at) => [sign.charCodeAt(0), 0x80 + at],
  ),
);

const ofGbk = pairsOf('gb18030');

/** The bytes of GBK, two in each code. */
const pairs: Repair = {
  name: 'pairs',
  apply(units) {
    if (units.some((unit) => unit >= 0x80 && (unit < 0x8140 || unit > 0xfefe))) return undefined;
    const texts = units.map((unit) => (unit >= 0x80 ? ofGbk(unit) : isControl(unit) ? '' : String.fromCharCode(unit)));
    return texts.filter((text) => text === null).length * 50 > texts.length ? undefined : texts;
  },
  follow(units) {
    const texts = pairs.apply(units);
    return texts?.every((text) => text !== null) === true && units.some((unit) => unit >= 0xa000) ? texts : undefined;
  },
};

/** The numbers of glyphs: ASCII from 3 on, then what Macintosh has beyond (Apple's order of glyphs), and all else by the same distance. */
const shift: Repair = {
  name: 'shift',
  apply: (units) => units.map((unit) => (unit === 2 ? '-' : unit < first ? '' : shifted(unit))),
  follow(units) {
    const texts = shift.apply(units)!;
    const isText = texts.every((text) => text !== null && /^[\p{L}\p{N}\p{P} ]?$/u.test(text));
    return isText && likeness(texts.join('')) > likeness(textOf(units)) + 1 ? texts : undefined;
  },
};

const first = 3;
const distance = 29;
const lastAscii = 0x7e - distance;
const lastOfMacintosh = 0xff - 30;
const macintosh = decodeAs(
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
  'macintosh',
);

function shifted(unit: number): string | null {
  if (unit > lastAscii && unit <= lastOfMacintosh) return macintosh[unit + 30]!;
  const point = unit + distance;
  // PDFium gives Arabic letters in their plain form: which one it was is not to be known.
  if (unit >= 0x600 && unit <= 0x6ff) return null;
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? null : String.fromCodePoint(point);
}

function isCertainShift(sample: Units): boolean {
  // Those would be letters with accents.
  if (sample.filter((unit) => unit >= 0x62 && unit <= 0x7a).length * 7 > sample.length) return false;
  const text = shift.apply(sample)!.join('');
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  if (letters * 2 < sample.length) return false;
  if (isCertainHan(shift, sample)) return true;
  return letters >= leastLetters && likeness(text) > likelyLeast && likeness(text) > likeness(textOf(sample)) + likelierBy;
}

const leastLetters = 24;
/** Prose has -2.7 to -3.3, all in capitals too; numbers of parts -4 and less, -8 what is shifted. */
const likelyLeast = -3.7;
const likelierBy = 2;

function textOf(units: Units): string {
  return units.map((unit) => String.fromCodePoint(unit <= 0x10_ffff ? unit : 0xfffd)).join('');
}

/* What nobody would believe. */

/** Enough text, of many different glyphs (a font may hold but letters with accents, or pieces of large brackets), and most of it what no language has. */
function isGarbled(units: Units): boolean {
  const sample = units.slice(0, sampleUnits);
  if (sample.length < 60 || new Set(sample).size < 20) return false;
  const share = (is: (unit: number) => boolean): number => sample.filter(is).length / sample.length;
  if (share((unit) => isControl(unit) || (unit >= 0x7f && unit < 0xa0)) > 0.1) return true;
  if (share(isHighByte) > 0.6) return true;
  if (share((unit) => unit >= 0xe000 && unit < 0xf900) > 0.5) return true;
  const han = sample.filter((unit) => unit >= 0x4e00 && unit <= 0x9fff);
  return han.length >= 100 && han.length * 2 > sample.length && shareInWords(textOf(han)) < 0.08 && !isMostlyUsual(han);
}

/** A list of names or of chemical elements has no words, but characters that are in use; of the numbers of glyphs half are by chance. */
function isMostlyUsual(han: readonly number[]): boolean {
  usualSigns ??= new Set(
    usualRows.flatMap(({ encoding, leads, trails }) =>
      Array.from(decodeAs(pairsBetween(leads, trails), encoding), (sign) => sign.codePointAt(0)!),
    ),
  );
  return han.filter((unit) => usualSigns!.has(unit)).length > han.length * 0.8;
}

let usualSigns: ReadonlySet<number> | undefined;

/** GB 2312, and the first levels of Big5 and of JIS X 0208. */
const usualRows = [
  { encoding: 'gb18030', leads: [0xb0, 0xf7], trails: [0xa1, 0xfe] },
  { encoding: 'big5', leads: [0xa4, 0xc6], trails: [0x40, 0x7e] },
  { encoding: 'big5', leads: [0xa4, 0xc5], trails: [0xa1, 0xfe] },
  { encoding: 'euc-jp', leads: [0xb0, 0xcf], trails: [0xa1, 0xfe] },
] as const;

type Between = readonly [first: number, last: number];

function pairsBetween([firstLead, lastLead]: Between, [firstTrail, lastTrail]: Between): Uint8Array {
  const bytes: number[] = [];
  for (let lead = firstLead; lead <= lastLead; lead++)
    for (let trail = firstTrail; trail <= lastTrail; trail++) bytes.push(lead, trail);
  return Uint8Array.from(bytes);
}
