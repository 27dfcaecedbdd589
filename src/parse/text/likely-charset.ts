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

/** How likely a letter is, and a letter after another. */
type Model = { readonly pairs: ReadonlyMap<string, number>; readonly letters: ReadonlyMap<string, number>; readonly size: number };

const models = new Map<string, Model>();

function modelOf(language: string): Model {
  let model = models.get(language);
  if (model === undefined) models.set(language, (model = learn(languageSamples[language]!)));
  return model;
}

function learn(sample: string): Model {
  const [pairs, letters] = [new Map<string, number>(), new Map<string, number>()];
  const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  let before = ' ';
  let size = 0;
  for (const sign of sample.replace(/\s+/g, ' ')) {
    const now = classOf(sign);
    count(letters, now);
    count(pairs, before + now);
    before = now;
    size += 1;
  }
  return { pairs, letters, size };
}

/** Letters stay, in lower case; what says nothing about a language is one sign for each kind. */
function classOf(sign: string): string {
  let known = classes.get(sign);
  if (known === undefined) classes.set(sign, (known = classify(sign)));
  return known;
}

/** One entry a character of the encodings above: some 30,000 at most. */
const classes = new Map<string, string>();

function classify(sign: string): string {
  if (/\s/.test(sign)) return ' ';
  if (/[0-9]/.test(sign)) return '0';
  if (/[!-~]/.test(sign) && !/[a-z]/i.test(sign)) return '.';
  if (usualSigns.has(sign)) return '“';
  return sign.toLowerCase();
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
  /** The sign before the text. */ readonly after?: string;
  /** Scores only fall: at this one it is not the best, and what follows is left. */ readonly enough?: number;
};

function weigh(text: string, model: Model, { after = ' ', enough = -Infinity }: Weighing = {}): number {
  let score = 0;
  let before = classOf(after);
  let signBefore = after;
  for (const sign of text) {
    if (score <= enough) break;
    const now = classOf(sign);
    score += costOfSign(before, now, model);
    if (sign > '\x7f' || signBefore > '\x7f') score -= strangeness(signBefore, sign);
    before = now;
    signBefore = sign;
  }
  return score;
}

function costOfSign(before: string, now: string, model: Model): number {
  if (now === '“') return usualSign;
  const seen = model.letters.get(now);
  if (seen !== undefined) {
    const pairs = (model.pairs.get(before + now) ?? 0) / (model.letters.get(before) ?? 1);
    return Math.log(0.7 * pairs + 0.3 * (seen / model.size));
  }
  // Names and units in Latin letters stand in texts of every script.
  const english = model === modelOf('en') ? undefined : modelOf('en').letters.get(now);
  if (english !== undefined) return Math.log(0.2 * (english / modelOf('en').size));
  if (now <= '\x7f') return now < ' ' ? control : unseenLetter;
  return /[\p{L}\p{M}]/u.test(now) ? foreignLetter : /\p{Cc}/u.test(now) ? control : oddSign;
}

/** What no language does: a capital after a small letter, a sign inside a word, a letter of another script beside one. */
function strangeness(before: string, now: string): number {
  if (before === 'µ') return 0;
  if (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(now)) return 6;
  if (/\p{L}/u.test(before) && /\p{L}/u.test(now) && isLatin(before) !== isLatin(now)) return 6;
  if (/\p{L}/u.test(before) && /[\p{S}\p{P}]/u.test(now) && !/[’”»“°.,;:!?()\-–—…€]/u.test(now)) return now > '\x7f' ? 3 : 0;
  if (/[”“„]/u.test(before) && /\p{Ll}/u.test(now)) return 2;
  return 0;
}

function isLatin(sign: string): boolean {
  return /\p{Script=Latin}/u.test(sign);
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
    const ascii = sign < '\x80' ? weigh(sign, modelOf('en'), { after: before < '\x80' ? before : ' ' }) : 0;
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

/** Where characters of words of two or more stand. */
function placesInWords(text: string, script: 'chinese' | 'japanese'): Set<number> {
  const places = new Set<number>();
  for (const { segment, index } of segmenterOf(script === 'chinese' ? 'zh' : 'ja').segment(text))
    if (segment.length > 1 && /^\p{Script=Han}+$/u.test(segment))
      for (let at = 0; at < segment.length; at++) places.add(index + at);
  return places;
}
