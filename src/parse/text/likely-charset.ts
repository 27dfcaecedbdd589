/**
 * Which legacy encoding a person's file most likely has, where there is too little of it for statistics of bytes: a few words, a table
 * with one degree sign. Every encoding in use is tried; its text is weighed letter by letter against what languages look like (pairs of letters,
 * learnt from `language-samples.ts`; words of Chinese and Japanese as ICU knows them), and how common the encoding is stands beside that. So a rare code
 * page needs strong evidence, and windows-1252, which browsers assume, wins where nothing speaks for another.
 */
import { languageSamples } from './language-samples.ts';

/** Natural logarithms of how likely an encoding is before its bytes are seen, and the languages that are written in it. */
const singleByte: readonly (readonly [encoding: string, prior: number, languages: string])[] = [
  ['windows-1252', 0, 'en de fr es pt it nl sv da fi'],
  ['windows-1250', -1, 'pl cs hu ro hr'],
  ['windows-1251', -1, 'ru uk bg'],
  ['windows-1253', -1, 'el'],
  ['windows-1254', -1, 'tr'],
  ['windows-1255', -1, 'he'],
  ['windows-1256', -1, 'ar'],
  ['windows-1257', -1, 'lt lv et'],
  ['windows-1258', -2, 'vi'],
  ['windows-874', -1, 'th'],
  ['iso-8859-2', -3, 'pl cs hu ro hr'],
  ['iso-8859-5', -6, 'ru bg'],
  ['iso-8859-6', -4, 'ar'],
  ['iso-8859-7', -3, 'el'],
  ['iso-8859-8', -3, 'he'],
  ['iso-8859-13', -4, 'lt lv'],
  ['iso-8859-15', -5, 'en de fr es fi'],
  ['koi8-r', -2, 'ru'],
  ['koi8-u', -3, 'uk'],
  ['ibm866', -4, 'ru bg'],
  ['ibm1125', -8, 'uk'],
  ['ibm855', -9, 'ru bg'],
  ['ibm850', -9, 'en de fr es pt it sv da fi'],
  ['ibm437', -9, 'en de fr es it sv'],
  ['ibm852', -9, 'pl cs hu ro hr'],
  ['ibm737', -9, 'el'],
  ['ibm775', -9, 'lt lv et'],
  ['ibm857', -9, 'tr'],
  ['ibm862', -9, 'he'],
  ['macintosh', -9, 'en de fr es pt it sv da'],
  ['x-mac-cyrillic', -8, 'ru uk bg'],
  ['x-mac-greek', -10, 'el'],
  ['x-mac-latin2', -10, 'pl cs hu'],
  ['x-mac-turkish', -10, 'tr'],
];

const multiByte: readonly (readonly [encoding: string, prior: number, script: Script])[] = [
  ['gb18030', 0, 'chinese'],
  ['big5', -1, 'chinese'],
  ['shift_jis', 0, 'japanese'],
  ['euc-jp', -2, 'japanese'],
  ['euc-kr', 0, 'korean'],
];

type Script = 'chinese' | 'japanese' | 'korean';

/**
 * The likeliest encoding of bytes that are not UTF-8. Weighs up to 160 bytes above ASCII with their surroundings, some milliseconds; `null` where
 * more of them are there, and statistics of bytes do better.
 */
export function likelyCharset(bytes: Uint8Array, decode: (bytes: Uint8Array, encoding: string) => string): string | null {
  const sample = surroundings(bytes);
  if (sample === null) return null;
  let best = { encoding: 'windows-1252', score: -Infinity };
  const offer = (encoding: string, score: number): void => {
    if (score > best.score) best = { encoding, score };
  };
  for (const [encoding, prior, languages] of singleByte) {
    const text = decode(sample, encoding);
    if (text.includes('\ufffd')) continue;
    const start = prior + (encoding === 'windows-1252' || countWide(text) > 2 ? 0 : fewSigns);
    for (const language of languages.split(' '))
      offer(encoding, start + weigh(text, modelOf(language), { enough: best.score - start }));
  }
  for (const [encoding, prior, script] of multiByte) {
    const text = decode(sample, encoding);
    if (!text.includes('\ufffd')) offer(encoding, prior + weighWide(text, script, best.score - prior));
  }
  return best.encoding;
}

/** One or two signs above ASCII say little for any encoding of single bytes but the usual one. */
const fewSigns = -4;

function countWide(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length && count < 3; at++) if (text.charCodeAt(at) > 0x7f) count++;
  return count;
}

const placesMax = 160;
const aroundBytes = 24;

/** The bytes above ASCII with what stands around them, as lines; null when there are many. */
function surroundings(bytes: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let places = 0;
  let [from, to] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at]! < 0x80) continue;
    if (++places > placesMax) return null;
    if (at - aroundBytes > to && to > 0) {
      parts.push(bytes.subarray(from, to), Uint8Array.of(0x0a));
      from = at - aroundBytes;
    } else if (to === 0) from = Math.max(0, at - aroundBytes);
    to = Math.min(bytes.length, at + aroundBytes);
  }
  return Buffer.concat([...parts, bytes.subarray(from, to)]);
}

/** What letters cost: each after each other of the language, and where what stands before is none of its. */
type Model = {
  readonly places: ReadonlyMap<number, number>;
  readonly pairs: Float64Array;
  readonly alone: Float64Array;
  /** Of signs that the sample lacks, once they were met. */ readonly others: Map<number, number>;
};

const models = new Map<string, Model>();

function modelOf(language: string): Model {
  let model = models.get(language);
  if (model === undefined) models.set(language, (model = learn(languageSamples[language]!)));
  return model;
}

function learn(sample: string): Model {
  const text = sample.replace(/\s+/g, ' ');
  const places = new Map<number, number>();
  for (let at = 0; at < text.length; at++) {
    const sign = classOf(text.charCodeAt(at));
    if (!places.has(sign)) places.set(sign, places.size);
  }
  const [letters, pairs] = [new Float64Array(places.size), new Float64Array(places.size ** 2)];
  let before = places.get(space)!;
  for (let at = 0; at < text.length; at++) {
    const now = places.get(classOf(text.charCodeAt(at)))!;
    letters[now]! += 1;
    pairs[before * places.size + now]! += 1;
    before = now;
  }
  const share = (place: number): number => 0.3 * (letters[place]! / text.length);
  return {
    places,
    pairs: pairs.map((count, at) => Math.log(0.7 * (count / letters[Math.floor(at / places.size)]!) + share(at % places.size))),
    alone: letters.map((_, place) => Math.log(share(place))),
    others: new Map(),
  };
}

const [space, digit, mark, usual] = Array.from(' 0.“', (sign) => sign.charCodeAt(0)) as [number, number, number, number];

/** Letters stay, in lower case; what says nothing about a language is one sign for each kind. A unit of UTF-16 as all signs here. */
function classOf(unit: number): number {
  return (classes[unit] ||= classify(unit));
}

const classes = new Uint16Array(0x1_0000);

function classify(unit: number): number {
  const sign = String.fromCharCode(unit);
  if (/\s/.test(sign)) return space;
  if (/[0-9]/.test(sign)) return digit;
  if (/[!-~]/.test(sign) && !/[a-z]/i.test(sign)) return mark;
  if (usualSigns.has(sign)) return usual;
  const small = sign.toLowerCase();
  return small.length === 1 ? small.charCodeAt(0) : unit;
}

/** Signs that texts of every language have. */
const usualSigns = new Set('“”„‚‘’‹›«»–—…•·€£¥§°ºª©®™±²³µ¼½¾¿¡×÷№\u00a0');

/** Of a letter that the sample lacks: of the language's alphabet or not, nobody can tell. */
const unseenLetter = Math.log(2e-4);
const foreignLetter = Math.log(2e-6);
const oddSign = Math.log(1e-6);
const usualSign = Math.log(1e-2);
const control = Math.log(1e-8);

type Weighing = {
  /** The sign before the text. */ readonly after?: number;
  /** Scores only fall: at this one it is not the best, and what follows is left. */ readonly enough?: number;
};

function weigh(text: string, model: Model, { after = space, enough = -Infinity }: Weighing = {}): number {
  const { places, pairs, alone } = model;
  let score = 0;
  let row = places.get(classOf(after));
  let before = after;
  for (let at = 0; at < text.length; at++) {
    if (score <= enough) break;
    const unit = text.charCodeAt(at);
    const now = classOf(unit);
    const column = places.get(now);
    if (now === usual) score += usualSign;
    else if (column === undefined) score += costOfOther(now, model);
    else score += row === undefined ? alone[column]! : pairs[row * places.size + column]!;
    if (unit > 0x7f || before > 0x7f) score -= strangeness(before, unit);
    row = column;
    before = unit;
  }
  return score;
}

function costOfOther(sign: number, model: Model): number {
  let cost = model.others.get(sign);
  if (cost === undefined) model.others.set(sign, (cost = costOfForeign(sign, model)));
  return cost;
}

function costOfForeign(unit: number, model: Model): number {
  // Names and units in Latin letters stand in texts of every script.
  const english = modelOf('en');
  const place = model === english ? undefined : english.places.get(unit);
  if (place !== undefined) return english.alone[place]! + Math.log(0.2 / 0.3);
  const sign = String.fromCharCode(unit);
  if (sign <= '\x7f') return sign < ' ' ? control : unseenLetter;
  return /[\p{L}\p{M}]/u.test(sign) ? foreignLetter : /\p{Cc}/u.test(sign) ? control : oddSign;
}

/** What no language does: a capital after a small letter, a sign inside a word, a letter of another script beside one. */
function strangeness(before: number, now: number): number {
  const [first, then] = [traitsOf(before), traitsOf(now)];
  if ((first & traits.micro) !== 0) return 0;
  if ((first & traits.small) !== 0 && (then & traits.capital) !== 0) return 6;
  if ((first & then & traits.letter) !== 0 && ((first ^ then) & traits.latin) !== 0) return 6;
  if ((first & traits.letter) !== 0 && (then & traits.inWord) !== 0) return now > 0x7f ? 3 : 0;
  if ((first & traits.quote) !== 0 && (then & traits.small) !== 0) return 2;
  return 0;
}

const traits = { known: 1, letter: 2, small: 4, capital: 8, latin: 16, quote: 32, micro: 64, inWord: 128 } as const;
const kinds: readonly (readonly [trait: number, pattern: RegExp])[] = [
  [traits.letter, /\p{L}/u],
  [traits.small, /\p{Ll}/u],
  [traits.capital, /\p{Lu}/u],
  [traits.latin, /\p{Script=Latin}/u],
  [traits.quote, /[”“„]/u],
  [traits.micro, /µ/u],
  // A sign that stands inside of no word.
  [traits.inWord, /(?![’”»“°.,;:!?()\-–—…€])[\p{S}\p{P}]/u],
];

const traitsKnown = new Uint8Array(0x1_0000);

function traitsOf(unit: number): number {
  let known = traitsKnown[unit]!;
  if (known !== 0) return known;
  known = traits.known;
  for (const [trait, pattern] of kinds) if (pattern.test(String.fromCharCode(unit))) known |= trait;
  return (traitsKnown[unit] = known);
}

/** Of a Chinese character that is part of a longer word that ICU knows; of one beside others; of one among signs of other scripts; of a rare one. */
const inWord = -6.6;
const besideOthers = -8.8;
const single = -12;
const rareHan = -15;
/** Characters that stand alone after a number or before one. */
const usualSingle = new Set(
  '年月日時时分秒元円圆个個件人名万萬千百次号號第章条條页頁台只米克吨斤度点點是否男女有无無上下左右大中小高低甲乙丙丁左右内外前后後',
);
const kanaCost = { japanese: -4.3, chinese: -9, korean: -12 };
const hangulUsual = -5.3;
const hangulRare = -12;
const wideSign = -5;
/** A Chinese character between Latin letters is mostly a mistaken letter with an accent. */
const betweenLatin = -7;

/** Made when a text is weighed: they cost more than everything else that every process loads of this. */
const segmenters = new Map<string, Intl.Segmenter>();

function segmenterOf(language: 'zh' | 'ja'): Intl.Segmenter {
  const known = segmenters.get(language) ?? new Intl.Segmenter(language, { granularity: 'word' });
  segmenters.set(language, known);
  return known;
}

/** The 250 commonest syllables of Korean prose. */
const usualHangul = new Set(
  '이다는의에을가고하지로기한도사리자어대서인해스시아은일그수정전보나들라만주상과제있으부여장동게원되문용공조니와것소생면구성안선지발을연습를관계했였될된할함분입요위더내무드비신때미교우말모방합실방물치않없재개진단경학회국민간식영중체명표반결세음달년월시군불약산행력심복품거려운러트통업건당적남북쪽호집차길번째처럼까마야네레려르른름린마막매머먼며모목못받배법변별본봐빠새색순술실싶써씨액양언얼없엇열염예올외왕욕울웃월육응익임잘저절점접종좋준줄즉즐직질집찾책천청초최추출충취타터토통투특파편평포프피필학항향허현형호화확환황후휴히',
);

function weighWide(text: string, script: Script, enough: number): number {
  const words = script === 'korean' ? new Set<number>() : placesInWords(text, script);
  let score = 0;
  let at = 0;
  let before = ' ';
  for (const sign of text) {
    if (score <= enough) break;
    const isBesideHan = isHan(before) || isHan(text[at + sign.length] ?? ' ');
    const ascii = sign < '\x80' ? weigh(sign, modelOf('en'), { after: before < '\x80' ? before.charCodeAt(0) : space }) : 0;
    score += sign < '\x80' ? ascii : costOf(sign, script, words.has(at), isBesideHan);
    if (sign > '\u2e7f' && /[a-z]/i.test(before)) score += betweenLatin;
    if (before > '\u2e7f' && /[a-z]/i.test(sign)) score += betweenLatin;
    before = sign;
    at += sign.length;
  }
  return score;
}

function isHan(sign: string): boolean {
  return sign > '\u2e7f' && /[\p{Script=Han}\u3041-\u30ff]/u.test(sign);
}

function costOf(sign: string, script: Script, isInWord: boolean, isBesideHan: boolean): number {
  if (/[\u3041-\u30ff]/.test(sign)) return kanaCost[script];
  if (/[\uff61-\uff9f]/.test(sign)) return -8;
  if (/[\uac00-\ud7a3]/.test(sign)) return script === 'korean' ? (usualHangul.has(sign) ? hangulUsual : hangulRare) : oddSign;
  if (/\p{Script=Han}/u.test(sign)) {
    if (script === 'korean' || sign > '\u9fa5' || sign < '\u4e00') return rareHan;
    return isInWord ? inWord : isBesideHan || usualSingle.has(sign) ? besideOthers : single;
  }
  if (/[\u3000-\u3020\uff01-\uff5e\uffe0-\uffe6“”‘’…—·《》]/.test(sign)) return wideSign;
  return oddSign;
}

/** How much of the Chinese characters and kana of a text belongs to words that ICU knows, in the language that knows more of them; 0 to 1. */
export function shareInWords(text: string): number {
  const signs = text.match(/[\u3041-\u30ff\u4e00-\u9fff]/g)?.length ?? 0;
  const known = (script: 'chinese' | 'japanese'): number => {
    const kana = text.match(/[\u3041-\u30ff]/g)?.length ?? 0;
    return placesInWords(text, script).size + (script === 'japanese' ? kana : 0);
  };
  return signs === 0 ? 0 : Math.max(known('chinese'), known('japanese')) / signs;
}

/** How likely the text's letters follow each other in the language that fits best: the mean of natural logarithms for each sign. */
export function likeness(text: string): number {
  let best = -Infinity;
  for (const language of Object.keys(languageSamples)) best = Math.max(best, weigh(text, modelOf(language), { enough: best }));
  return best / Math.max(1, text.length);
}

/** Where characters of words of two or more stand. */
function placesInWords(text: string, script: 'chinese' | 'japanese'): Set<number> {
  const places = new Set<number>();
  for (const { segment, index } of segmenterOf(script === 'chinese' ? 'zh' : 'ja').segment(text))
    if (segment.length > 1 && /^\p{Script=Han}+$/u.test(segment))
      for (let at = 0; at < segment.length; at++) places.add(index + at);
  return places;
}
