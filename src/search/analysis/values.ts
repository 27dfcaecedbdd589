/**
 * Numbers, dates, times, quantities and identifiers of a text as one term each, however they are written: `500万元`, `五百万` and
 * `5,000,000`; `2024年3月15日`, `March 15, 2024` and `2024.03.15`; `220 V` and `220伏`. Each term is the plainest way of writing it, which is
 * also what the text's own words give where it is written so (`5000000`, `20240315`, `220v`). They stand beside those words, never instead.
 */
import { formal, numeralSigns, readNumeral } from './chinese-numerals.ts';
import { stemOf } from './stems.ts';
import { unitOf, unitWords } from './units.ts';

/** UTF-16 offsets into the text, end exclusive. */
export type Value = { readonly term: string; readonly start: number; readonly end: number };

/** The terms that a match gives, whose groups have the signs of the text again. */
type Rule = { readonly pattern: RegExp; readonly terms: (match: readonly (string | undefined)[]) => readonly (string | null)[] };

const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const monthName = `(${months})(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\\.?`;
const day = '(\\d{1,2})(?:st|nd|rd|th)?';
const number = '(\\d{1,3}(?:,\\d{3})+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?)';
const wideNumber = new RegExp(`(?<![\\d.,])${number}(?![\\d.,])`, 'gu');
/** Signs of Chinese numerals in a folded text: one range, which a search passes over 30 times as fast as a class of 34 signs. */
const firstSign = 0xe000;
const signRange = `\\u{e000}-\\u{${(firstSign + numeralSigns.length - 1).toString(16)}}`;
const numeral = `[${signRange}]`;
/** Not inside a longer number or word. */
const before = '(?<![a-z\\d.,])';
const alone = '(?![a-z\\d])';

const unitTable = foldUnits();

/** Filled by a plain loop: every thread does it as it starts, and a function for each unit takes twenty times as long. */
function foldUnits(): Uint16Array {
  const table = new Uint16Array(65_536);
  for (let unit = 0; unit < table.length; unit += 1) table[unit] = unit;
  for (let ascii = 0x21; ascii <= 0x7e; ascii += 1) table[ascii + 0xfee0] = ascii;
  for (let small = 0x61; small <= 0x7a; small += 1) {
    table[small - 0x20] = small;
    table[small - 0x20 + 0xfee0] = small;
  }
  table[0x3000] = 0x20;
  for (let at = 0; at < numeralSigns.length; at += 1) {
    table[firstSign + at] = 0x20;
    table[numeralSigns[at]!.charCodeAt(0)] = firstSign + at;
  }
  return table;
}

const privateSigns = new RegExp(numeral, 'gu');

const rules: readonly Rule[] = [
  // 2024年3月15日, 2024年3月
  rule(`(\\d{4})年(\\d{1,2})月(?:(\\d{1,2})[日号])?`, (m) => datesOf(m[1], m[2], m[3])),
  rule(`(${numeral}{4})年(${numeral}{1,2})月(?:(${numeral}{1,3})[日号])?`, (m) =>
    datesOf(readNumeral(m[1]!), readNumeral(m[2]!), m[3] === undefined ? undefined : readNumeral(m[3])),
  ),
  rule(`(?<![年\\d])(\\d{1,2})月(\\d{1,2})[日号]`, (m) => [monthDay(m[1], m[2])]),
  rule(`(?<![年${signRange}])(${numeral}{1,2})月(${numeral}{1,3})[日号]`, (m) => [
    monthDay(readNumeral(m[1]!), readNumeral(m[2]!)),
  ]),
  // 2024-03-15, 2024.3.15, 2024/3/15; 15.03.2024, 3/15/2024: either way where it is not clear
  rule(`(?<![\\d.])(\\d{4})([-./])(\\d{1,2})\\2(\\d{1,2})(?![\\d]|[-./]\\d)`, (m) => datesOf(m[1], m[3], m[4])),
  rule(`(?<![\\d.])(\\d{1,2})([-./])(\\d{1,2})\\2(\\d{4})(?!\\d)`, (m) => [
    ...datesOf(m[4], m[3], m[1]),
    ...datesOf(m[4], m[1], m[3]),
  ]),
  // March 15, 2024; 15 March 2024; March 2024; March 15
  rule(`\\b${monthName}\\s+${day}(?:,\\s*|\\s+)(\\d{4})\\b`, (m) => datesOf(m[3], monthOf(m[1]!), m[2])),
  rule(`\\b${day}(?:\\s+of)?\\s+${monthName},?\\s+(\\d{4})\\b`, (m) => datesOf(m[3], monthOf(m[2]!), m[1])),
  rule(`\\b${monthName},?\\s+(\\d{4})\\b`, (m) => datesOf(m[2], monthOf(m[1]!), undefined)),
  rule(`\\b${monthName}\\s+${day}\\b(?!,?\\s*\\d{4})`, (m) => [monthDay(monthOf(m[1]!), m[2])]),
  rule(`\\b${day}(?:\\s+of)?\\s+${monthName}(?!\\p{L})(?!,?\\s*\\d{4})`, (m) => [monthDay(monthOf(m[2]!), m[1])]),
  // 14:30, 2:30 pm, 下午2点30分, 下午两点半
  rule(`(?<![\\d:.])(\\d{1,2}):(\\d{2})(?::\\d{2})?\\s*([ap]\\.?m\\b)?(?![:\\d])`, (m) => [
    time(m[1], m[2], m[3]?.[0] === 'p', m[3]?.[0] === 'a'),
  ]),
  rule(`(?<![\\d:.])(\\d{1,2})\\s*([ap])\\.?m\\b`, (m) => [time(m[1], '0', m[2] === 'p', m[2] === 'a')]),
  rule(
    `(上午|早上|凌晨|中午|下午|晚上|傍晚)?(\\d{1,2}|${numeral}{1,3})[点點时時](?:(半)|(\\d{2}|${numeral}{2,3})分?|(\\d|${numeral})分)?(?![\\d${signRange}])`,
    (m) => [m.slice(3).every((part) => part === undefined) && m[1] === undefined ? null : chineseTime(m)],
  ),
  // 12.5%, 百分之十二点五, 12.5 percent
  rule(`${before}${number}\\s*(?:%|percent\\b|per cent\\b)`, (m) => [`${plain(m[1]!)}%`]),
  rule(`百分之(?:(\\d+(?:\\.\\d+)?)|(${numeral}+(?:[点點]${numeral}+)?))`, (m) => [percent(m[1] ?? decimal(m[2]!))]),
  rule(`(?<![${signRange}])(${numeral}{1,6})成`, (m) => [percent(scaled(readNumeral(m[1]!), 1))]),
  // 220 V, 5公里, 10 m²
  rule(`${before}${number}\\s?(${unitWords})(?![a-z\\d])`, (m) => [quantity(plain(m[1]!), m[2]!)]),
  rule(`(?<![${signRange}])(${numeral}+(?:[点點]${numeral}+)?)(${unitWords})`, (m) => [quantity(decimal(m[1]!), m[2]!)]),
  // 500万, 1.5亿, 12 million
  rule(`${before}${number}\\s?(万亿|[万萬亿億]|thousand\\b|million\\b|billion\\b|trillion\\b)`, (m) => [
    scaled(plain(m[1]!), magnitudes.get(formal(m[2]!))!),
  ]),
  // 五百万, 第三条, 二〇二四, 三点五
  rule(`第(${numeral}+)`, (m) => [readNumeral(m[1]!)]),
  rule(`(?<![${signRange}第])(${numeral}{2,})(?![${signRange}])`, (m) => [readNumeral(m[1]!)]),
  rule(`(?<![${signRange}])(${numeral}+[点點]${numeral}+)(?![${signRange}])`, (m) => [decimal(m[1]!)]),
  // 1st, 22nd
  rule(`${before}(\\d{1,4})(?:st|nd|rd|th)\\b`, (m) => [m[1]!]),
  // 0x80070005
  rule(`(?<![a-z\\d])0x([\\da-f]{2,32})${alone}`, (m) => [m[1]!]),
  // ABC-1234/5, 京A·88B21: signs between letters and digits dropped
  rule(`(?<![a-z\\d])[a-z\\d]+(?:[-/·•_][a-z\\d]+){1,6}${alone}`, ([whole = '']) => [
    /\d/.test(whole) && /[/·•]/.test(whole) ? joined(whole) : null,
  ]),
  // Node.js, .NET apart
  rule(`(?<![\\p{L}\\d.@])([a-z]+(?:\\.[a-z]+){1,2})(?![\\p{L}\\d@]|\\.\\p{L})`, (m) => [joined(m[1]!), stemOf(joined(m[1]!))]),
  // 138 0013 8000, (010) 6255-1234, +86 138…
  rule(
    `(?<![\\p{L}\\d.,:/-])(?:\\+?\\d{1,4}|\\(\\+?\\d{1,5}\\))(?:[\\s-]{1,2}\\d{1,12}|[\\s-]{0,2}\\(\\d{1,5}\\)[\\s-]{0,2}\\d{1,12}){1,6}${alone}(?![.,:/]\\d)`,
    ([whole = '']) => telephone(whole),
  ),
  // C plus plus, C sharp
  rule(`\\b([a-z]) ?(plus ?plus|sharp)\\b`, (m) => [m[1]! + (m[2] === 'sharp' ? '#' : '++')]),
];

const magnitudes = new Map([
  ['万', 4],
  ['亿', 8],
  ['万亿', 12],
  ['thousand', 3],
  ['million', 6],
  ['billion', 9],
  ['trillion', 12],
]);

/** What a folded text must have to be looked at any further. */
const worthwhile = new RegExp(`[\\d${signRange}·•]|[a-z]\\.[a-z]|plus|sharp`, 'u');

/** Digits of the longest number that is written out, and UTF-16 units of a term. */
const digitsMax = 20;
const termUnitsMax = 64;

/** Every value in `text`, in the order of their starts. Linear in the text: each rule looks a bounded way ahead. */
export function valuesIn(text: string): Value[] {
  const folded = foldedUnits(text);
  if (!worthwhile.test(folded)) return [];
  const values: Value[] = [];
  for (const { pattern, terms } of rules) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(folded); match !== null; match = pattern.exec(folded)) {
      const start = match.index;
      for (const term of new Set(terms(match.map(withSigns))))
        if (term !== null && term !== '' && term.length <= termUnitsMax) values.push({ term, start, end: start + match[0].length });
    }
  }
  if (/[．，]/.test(text)) values.push(...wideNumbers(text, folded));
  const distinct = new Map(values.map((value) => [`${value.start} ${value.term}`, value]));
  return [...distinct.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Numbers with full-width points or commas in them, which part them for the words of the text. */
function wideNumbers(text: string, folded: string): Value[] {
  const found = folded.matchAll(wideNumber);
  return [...found]
    .map((match) => ({ term: plain(match[0]), start: match.index, end: match.index + match[0].length }))
    .filter(({ start, end }) => /[．，]/.test(text.slice(start, end)));
}

/**
 * The text unit by unit, so that offsets stay: full-width letters, digits and signs as ASCII, Latin letters small, the signs of numerals as
 * one range of characters for private use.
 */
function foldedUnits(text: string): string {
  const units = new Uint16Array(text.length);
  for (let at = 0; at < units.length; at++) units[at] = unitTable[text.charCodeAt(at)]!;
  return Buffer.from(units.buffer).toString('utf16le');
}

/** The signs themselves again. */
function withSigns(folded: string | undefined): string | undefined {
  return folded?.replace(privateSigns, (sign) => numeralSigns[sign.charCodeAt(0) - firstSign]!);
}

function rule(source: string, terms: Rule['terms']): Rule {
  const folded = source.replaceAll(/\p{Script=Han}/gu, foldedUnits);
  return { pattern: new RegExp(folded, 'gu'), terms };
}

/** The day, the month that it is in, and the day of any year. */
function datesOf(year: Part, month: Part, dayOfMonth: Part): (string | null)[] {
  const [y, m, d] = [Number(year), Number(month), Number(dayOfMonth)];
  if (!(y >= 1000 && y <= 2999 && m >= 1 && m <= 12)) return [];
  if (dayOfMonth === undefined) return [`${y}${two(m)}`];
  return d >= 1 && d <= 31 ? [`${y}${two(m)}${two(d)}`, `${y}${two(m)}`, monthDay(month, dayOfMonth)] : [];
}

type Part = string | null | undefined;

/** A day of any year, as ISO 8601 once wrote it. */
function monthDay(month: Part, dayOfMonth: Part): string | null {
  const [m, d] = [Number(month), Number(dayOfMonth)];
  return m >= 1 && m <= 12 && d >= 1 && d <= 31 ? `--${two(m)}-${two(d)}` : null;
}

function monthOf(name: string): string {
  return String(months.split('|').indexOf(name) + 1);
}

function time(hour: Part, minute: Part, afternoon = false, morning = false): string | null {
  const [h, m] = [Number(hour), Number(minute)];
  if (!(h >= 0 && h <= 23 && m >= 0 && m <= 59)) return null;
  const shifted = afternoon && h < 12 ? h + 12 : morning && h === 12 ? 0 : h;
  return `${two(shifted)}:${two(m)}`;
}

function chineseTime([, part, hour, half, minutes, minute]: readonly (string | undefined)[]): string | null {
  const digits = (written: string) => (/^\d/.test(written) ? written : readNumeral(written));
  const afternoon = part === '下午' || part === '晚上' || part === '傍晚';
  return time(digits(hour!), half === undefined ? digits(minutes ?? minute ?? '0') : '30', afternoon);
}

function percent(value: string | null): string | null {
  return value === null ? null : `${value}%`;
}

function quantity(value: string | null, written: string): string | null {
  return value === null ? null : value + unitOf(written);
}

/** Without this character at its end, however often it stands there. */
function withoutEnd(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}

/** A number without what only groups its digits: `5,000.50` is 5000.5. */
function plain(written: string): string {
  const digits = written.replaceAll(',', '');
  return digits.includes('.') ? withoutEnd(withoutEnd(digits, '0'), '.') : digits;
}

/** `三点一四`, or a whole number. */
function decimal(written: string): string | null {
  const [, whole = '', fraction, magnitude] = /^(.+?)(?:[点點](.*?)([万萬亿億]+)?)?$/u.exec(written) ?? [];
  const before = readNumeral(whole);
  if (fraction === undefined || before === null) return before;
  const digits = readNumeral(`〇${fraction}`);
  if (digits?.length !== fraction.length + 1) return null;
  const value = plain(`${before}.${digits.slice(1)}`);
  return magnitude === undefined ? value : scaled(value, magnitudes.get(formal(magnitude)) ?? 0);
}

/** A decimal number with its point moved so many places to the right, without losing a digit. */
function scaled(value: string | null, places: number): string | null {
  if (value === null) return null;
  const [whole = '', fraction = ''] = value.split('.');
  const moved = whole + fraction.slice(0, places).padEnd(places, '0');
  const rest = fraction.slice(places);
  if (moved.length + rest.length > digitsMax) return null;
  const digits = moved.replace(/^0+(?=\d)/, '');
  return rest === '' ? digits : plain(`${digits}.${rest}`);
}

function joined(identifier: string): string {
  return identifier.replace(/[^a-z\d]/g, '');
}

/** With the country's number and without. */
function telephone(written: string): (string | null)[] {
  const digits = written.replace(/\D/g, '');
  if (digits.length < 7 || digits.length > digitsMax || !/[\s()+-]/.test(written)) return [];
  const national = /^\+(\d{1,3})[\s-]/.exec(written);
  return [digits, national === null ? null : digits.slice(national[1]!.length)];
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
