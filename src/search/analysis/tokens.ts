/**
 * Text to index terms, the same for documents and queries, for every language in one index.
 *
 * - Words: case, full-width forms, ligatures and accents folded (NFKC, then marks dropped); English stems by Porter.
 * - Scripts without spaces (Han, kana, Hangul, Thai …): each character and each pair of neighbours. Traditional Chinese is folded
 *   to simplified. Measured on 7,017 Chinese questions: pairs alone nDCG@10 0.954, characters and pairs 0.960, segmenters 0.935–0.952.
 * - Identifiers, part numbers, versions, e-mail addresses: whole and in parts. `fooBar`, `foo_bar` and `foo-Bar2` style wholes
 *   drop `_` and `-`, so that `AB-1234` meets `AB1234`.
 * - Numbers: thousands separators dropped. What numbers, dates, quantities and identifiers are worth stands beside them (`values.ts`).
 */
import { hanFold } from './han-fold.ts';
import { stemOf } from './stems.ts';
import { stopWords } from './stop-words.ts';
import { valuesIn } from './values.ts';
import type { WantedTerms } from './wanted-terms.ts';

/** Raise when the terms of a text change: an index made with other terms is rebuilt. */
export const tokensVersion = 4;

/**
 * What a term is: a word, a whole identifier, one character or a pair of characters of a script without spaces, a stop word, or a value
 * (`values.ts`), which stands beside the words that it is written with.
 */
export type TokenKind = 'word' | 'whole' | 'char' | 'pair' | 'stop' | 'value';

/** Where a term stands: UTF-16 offsets into the text, end exclusive. `surface` is the folded word before stemming. */
export type TokenSink = (term: string, start: number, end: number, kind: TokenKind, surface: string) => void;

export type Token = {
  readonly term: string;
  readonly start: number;
  readonly end: number;
  readonly kind: TokenKind;
  readonly surface: string;
};

/** UTF-16 units of one term; a longer run of letters is cut, since nobody looks for it whole. */
const termUnitsMax = 64;
/** Parts of one identifier beyond which its whole is not indexed (a path, a list joined by dots). */
const wholePartsMax = 10;

const SEPARATOR = 0;
const LETTER = 1;
const DIGIT = 2;
const UNSPACED = 3;
const IGNORED = 4;

/** Every term of `text`, in order of its start. About 15 MB/s of English. */
export function scanTokens(text: string, sink: TokenSink): void {
  scan(text, sink, null);
}

/** Every term of `text` as `scanTokens` gives them, and then its values: all that a text is indexed under. */
export function scanTerms(text: string, sink: TokenSink): void {
  scan(text, sink, null);
  scanValues(text, sink);
}

/**
 * The same as `scanTokens` for who looks for a few terms: what surely is none of them comes in its place, but without its letters, and a stop word as a
 * word. About 150 MB/s of English.
 */
export function scanForTokens(text: string, wanted: WantedTerms, sink: TokenSink): void {
  scan(text, sink, wanted);
}

/** The same as `scanTerms`, likewise; values that are not wanted may be missing. */
export function scanForTerms(text: string, wanted: WantedTerms, sink: TokenSink): void {
  scan(text, sink, wanted);
  if (wanted.mayHaveValues(text)) scanValues(text, sink);
}

function scanValues(text: string, sink: TokenSink): void {
  for (const { term, start, end } of valuesIn(text)) sink(term, start, end, 'value', term);
}

/** `wanted`: null for all. */
type Wanted = WantedTerms | null;

function scan(text: string, sink: TokenSink, wanted: Wanted): void {
  let at = 0;
  while (at < text.length) {
    const kind = classAt(text, at);
    if (kind === UNSPACED) at = scanUnspaced(text, at, sink, wanted);
    else if (kind === LETTER || kind === DIGIT) at = scanCompound(text, at, sink, wanted);
    else at += unitsAt(text, at);
  }
}

/** The words of a text as a list. */
export function tokenize(text: string): Token[] {
  return listed(scanTokens, text);
}

/** The words and values of a text as a list: of a query. */
export function termsOf(text: string): Token[] {
  return listed(scanTerms, text);
}

function listed(scanAll: typeof scanTokens, text: string): Token[] {
  const tokens: Token[] = [];
  scanAll(text, (term, start, end, kind, surface) => tokens.push({ term, start, end, kind, surface }));
  return tokens;
}

function scanUnspaced(text: string, from: number, sink: TokenSink, wanted: Wanted): number {
  let at = from;
  let before = '';
  let beforeAt = from;
  while (at < text.length && classAt(text, at) === UNSPACED) {
    const end = at + unitsAt(text, at);
    const mayBe = wanted === null || wanted.mayHaveCharacter(text.charCodeAt(at));
    const folded = mayBe ? foldUnspaced(text.slice(at, end)) : '';
    sink(folded, at, end, 'char', folded);
    if (at > from) {
      const pair = before === '' || folded === '' ? '' : before + folded;
      sink(pair, beforeAt, end, 'pair', pair);
    }
    before = folded;
    beforeAt = at;
    at = end;
  }
  return at;
}

function foldUnspaced(character: string): string {
  const code = character.charCodeAt(0);
  if (character.length === 1 && code >= 0x3400 && code <= 0x9fff) return String.fromCharCode(hanFold[code]!);
  const normal = character.normalize('NFKC');
  return normal.length === 1 ? String.fromCharCode(hanFold[normal.charCodeAt(0)]!) : normal;
}

/** A run of letters and digits, with connectors between them. */
function scanCompound(text: string, from: number, sink: TokenSink, wanted: Wanted): number {
  let at = from;
  let plain = true;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isAsciiLower(code)) at++;
    else if (isWordAt(text, at)) {
      plain = plain && at === from && isAsciiUpper(code);
      at += unitsAt(text, at);
    } else if (isConnectorAt(text, at)) {
      plain = false;
      at++;
    } else break;
  }
  if (!plain) emitCompound(text, from, at, sink);
  else if (wanted === null || wanted.mayBeWord(text, from, at)) emitWord(text.slice(from, at), from, at, sink);
  else sink('', from, at, 'word', '');
  return emitSuffixed(text, from, at, sink);
}

/** `C++`, `C#`, `F#`: one letter and its sign. */
function emitSuffixed(text: string, from: number, at: number, sink: TokenSink): number {
  if (at - from !== 1) return at;
  const end = text.startsWith('++', at) ? at + 2 : text[at] === '#' ? at + 1 : at;
  if (end > at) emitWhole(text.slice(from, end).toLowerCase(), from, end, sink);
  return end;
}

function emitCompound(text: string, from: number, to: number, sink: TokenSink): void {
  const runs = splitRuns(text, from, to);
  if (isNumber(text, from, to)) {
    emitNumber(text, from, to, sink);
    return;
  }
  const parts = runs.flatMap(([start, end]) => splitRun(text, start, end));
  const raw = text.slice(from, to);
  const identifier = /[_@.&\p{N}]/u.test(raw) || parts.length > runs.length;
  if (identifier && parts.length > 1 && parts.length <= wholePartsMax) emitWholes(raw, from, to, sink);
  if (raw.includes('@')) emitAddressHalves(text, from, to, sink);
  for (const [start, end] of parts) emitWord(text.slice(start, end), start, end, sink);
}

function emitWholes(raw: string, from: number, to: number, sink: TokenSink): void {
  const whole = fold(raw).replace(/[-_‐‑'’,]/g, '');
  emitWhole(/^(\p{L}\.)+\p{L}$/u.test(whole) ? whole.replaceAll('.', '') : whole, from, to, sink);
  if (/^v\d/.test(whole)) emitWhole(whole.slice(1), from + 1, to, sink);
}

function emitAddressHalves(text: string, from: number, to: number, sink: TokenSink): void {
  const at = text.indexOf('@', from);
  for (const [start, end] of [
    [from, at],
    [at + 1, to],
  ] as const) {
    const half = text.slice(start, end);
    if (/[.\-_]/.test(half)) emitWholes(half, start, end, sink);
  }
}

/** `1,234.5` is 1234.5; `1.2.3` is found by `1.2` too. */
function emitNumber(text: string, from: number, to: number, sink: TokenSink): void {
  const raw = fold(text.slice(from, to)).replaceAll(',', '');
  emitWhole(raw, from, to, sink);
  const dots = raw.split('.');
  if (dots.length > 2) emitWhole(dots.slice(0, 2).join('.'), from, to, sink);
}

function emitWhole(term: string, start: number, end: number, sink: TokenSink): void {
  const cut = term.slice(0, termUnitsMax);
  sink(cut, start, end, 'whole', cut);
}

function emitWord(raw: string, start: number, end: number, sink: TokenSink): void {
  const surface = fold(raw.length > termUnitsMax ? raw.slice(0, termUnitsMax) : raw);
  if (surface === '') return;
  if (stopWords.has(surface)) sink(surface, start, end, 'stop', surface);
  else sink(stemOf(surface), start, end, 'word', surface);
}

/**
 * Case folded in full (Unicode 3.13: ß is ss, ς is σ; ı is i besides, as its capital is I), compatibility forms resolved, accents dropped
 * (é is e, but й stays й: its mark makes another letter).
 */
function fold(raw: string): string {
  if (isAscii(raw)) return raw.toLowerCase();
  return raw
    .normalize('NFKD')
    .replace(/(\p{Script=Latin}|\p{Script=Greek})\p{M}+/gu, '$1')
    .normalize('NFKC')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, '');
}

/** The pieces between connectors. What follows an apostrophe in `it's`, `don't`, `we'll` is dropped. */
function splitRuns(text: string, from: number, to: number): [number, number][] {
  const runs: [number, number][] = [];
  let start = from;
  for (let at = from; at <= to; at++) {
    if (at < to && !isConnector(text.charCodeAt(at))) continue;
    if (at > start) runs.push([start, at]);
    start = at + 1;
  }
  return runs.filter(([begin, end]) => begin === from || !/^['’](s|t|d|m|re|ve|ll)$/i.test(text.slice(begin - 1, end)));
}

/**
 * `camelCase` into camel, Case; `HTTPServer` into HTTP, Server; letters and digits apart where both sides have two or more, and the one digit that a word ends
 * with: `Windows7`, `Python3.12` (but not that of `MP3`, `H2O`).
 */
function splitRun(text: string, from: number, to: number): [number, number][] {
  const run = text.slice(from, to);
  if (!/[\p{Lu}\p{N}]/u.test(run)) return [[from, to]];
  const pieces = run.split(
    /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll}{2})|(?<=\p{L}{2})(?=\p{N}{2})|(?<=\p{N}{2})(?=\p{L}{2})|(?<=\p{L}{3})(?=\p{N}(?![\p{L}\p{N}]))/u,
  );
  let at = from;
  return pieces.map((piece) => {
    const start = at;
    at += piece.length;
    return [start, at];
  });
}

function isNumber(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (classes[code] !== DIGIT && code !== 0x2e && code !== 0x2c) return false;
  }
  return true;
}

/** A sign that holds a compound together: between two letters or digits; `,` between groups of digits only. */
function isConnectorAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (!isConnector(code) || at + 1 >= text.length || !isWordAt(text, at + 1)) return false;
  if (code !== 0x2c) return true;
  return classes[text.charCodeAt(at - 1)] === DIGIT && /^\d{3}(?!\d)/.test(text.slice(at + 1, at + 5));
}

function isConnector(code: number): boolean {
  return (
    code === 0x2d || // -
    code === 0x5f || // _
    code === 0x2e || // .
    code === 0x40 || // @
    code === 0x26 || // &
    code === 0x27 || // '
    code === 0x2c || // ,
    code === 0x2010 ||
    code === 0x2011 ||
    code === 0x2019
  );
}

function isWordAt(text: string, at: number): boolean {
  const kind = classAt(text, at);
  return kind === LETTER || kind === DIGIT || kind === IGNORED;
}

function isAsciiLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

function isAsciiUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}

function classAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && unit <= 0xdfff) return classOf(String.fromCodePoint(text.codePointAt(at)!));
  const known = classes[unit]!;
  return known === UNKNOWN ? (classes[unit] = classOf(String.fromCharCode(unit))) : known;
}

/** One class per UTF-16 unit, learnt when it is met first: all of them take about 20 ms, in each thread of each process that starts. */
const UNKNOWN = 255;
const classes = new Uint8Array(65_536).fill(UNKNOWN);

function classOf(character: string): number {
  if (/^[\u00ad\u200b-\u200d\u2060\ufeff]$/.test(character)) return IGNORED;
  if (
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー]$/u.test(
      character,
    )
  )
    return /^[\p{L}\p{N}\p{M}]$/u.test(character) ? UNSPACED : SEPARATOR;
  if (/^\p{N}$/u.test(character)) return DIGIT;
  return /^[\p{L}\p{M}]$/u.test(character) ? LETTER : SEPARATOR;
}
