/**
 * PDF objects and the lexer that makes them out of bytes, for files and for content streams (ISO 32000-1, 7.2, 7.3 and 7.8.2).
 * It reads what the standard says; anything else is `NotPlain`.
 */

/** The file, or this part of it, is not as plain as this reader needs it. Never seen by a user: PDFium reads it then. */
export class NotPlain extends Error {
  override readonly name = 'NotPlain';
}

/** `/Name`. */
export class Name {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** `12 0 R`. */
export class Ref {
  readonly number: number;
  constructor(number: number) {
    this.number = number;
  }
}

/** An operator or any other bare word. */
export class Word {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Dict = ReadonlyMap<string, Value>;

/** A dictionary with the bytes that follow it, which begin at `start` in the file. */
export class Stream {
  readonly dict: Dict;
  readonly start: number;
  constructor(dict: Dict, start: number) {
    this.dict = dict;
    this.start = start;
  }
}

/** A string is its bytes, one character each. */
export type Value = null | boolean | number | string | Name | Ref | Stream | readonly Value[] | Dict;

/** Reads one token after the other. */
export type Lexer = {
  /** The next object or word; undefined at the end. @throws NotPlain */
  next(): Value | Word | undefined;
  /** Where it stands. */
  position: number;
};

/** Values of hexadecimal digits. */
const noDigit = 255;
const digits = new Uint8Array(256).fill(noDigit);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  digits[digit.charCodeAt(0)] = value;
  digits[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Counts what is made out of a file, so that a small one cannot fill the memory. */
export type Budget = {
  /** @throws NotPlain when it is used up */
  spend(values: number): void;
};

export function createBudget(valuesMax: number): Budget {
  let left = valuesMax;
  return {
    spend(values) {
      left -= values;
      if (left < 0) throw new NotPlain('too many values');
    },
  };
}

const depthMax = 64;
/** Of a number; the largest double has 309 before its point. */
const digitsMax = 300;
const powers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
const [regular, blank, delimiter] = [0, 1, 2];
const kinds = new Uint8Array(256).fill(regular);
for (const code of [0, 9, 10, 12, 13, 32]) kinds[code] = blank;
for (const character of '()<>[]{}/%') kinds[character.charCodeAt(0)] = delimiter;

/* What is read again and again is made once. */
const wordsKept = 1000;
/** So many characters are one number. */
const keyLengthMax = 6;
/** Of a string with escapes, or in hexadecimal. */
const stringBytesMax = 1_000_000;
const words = new Map<number, Word>();
const names = new Map<number, Name>();

function keep<K, V>(map: Map<K, V>, key: K, value: V): V {
  if (map.size < wordsKept) map.set(key, value);
  return value;
}

const end = new Word('');
const closeArray = new Word(']');
const closeDict = new Word('>>');

/**
 * @param budget for what arrays and dictionaries hold
 * @param withRefs whether `1 0 R` is a reference: in files, not in content streams
 */
export function createLexer(bytes: Buffer, budget: Budget, withRefs = false): Lexer {
  let at = 0;

  function skipBlanks(): void {
    let next = at;
    for (;;) {
      while (kinds[bytes[next]!] === blank) next++;
      if (bytes[next] !== 0x25) break;
      while (next < bytes.length && bytes[next] !== 10 && bytes[next] !== 13) next++;
    }
    at = next;
  }

  function read(depth: number): Value | Word {
    skipBlanks();
    if (at >= bytes.length) return end;
    const code = bytes[at]!;
    if ((code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x2b) return numberOrRef();
    switch (code) {
      case 0x2f:
        return name();
      case 0x28:
        return literal();
      case 0x3c:
        if (bytes[at + 1] !== 0x3c) return hexadecimal();
        at += 2;
        return dict(depth);
      case 0x3e:
        if (bytes[at + 1] !== 0x3e) throw new NotPlain('a stray >');
        at += 2;
        return closeDict;
      case 0x5b:
        at++;
        return array(depth);
      case 0x5d:
        at++;
        return closeArray;
      default:
        return word();
    }
  }

  function numberOrRef(): number | Ref {
    const value = number();
    if (!withRefs || !Number.isInteger(value) || value < 0) return value;
    const back = at;
    skipBlanks();
    const generation = at;
    while (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) at++;
    if (at > generation) {
      skipBlanks();
      if (bytes[at] === 0x52 && kinds[bytes[at + 1] ?? 0] !== regular) {
        at++;
        return new Ref(value);
      }
    }
    at = back;
    return value;
  }

  function number(): number {
    let next = at;
    const sign = bytes[next] === 0x2d ? -1 : 1;
    if (bytes[next] === 0x2d || bytes[next] === 0x2b) next++;
    const from = next;
    let value = 0;
    for (; bytes[next]! >= 0x30 && bytes[next]! <= 0x39; next++) value = value * 10 + bytes[next]! - 0x30;
    let digits = next - from;
    if (bytes[next] === 0x2e) {
      const point = next++;
      for (; bytes[next]! >= 0x30 && bytes[next]! <= 0x39; next++) value = value * 10 + bytes[next]! - 0x30;
      const decimals = next - point - 1;
      value /= decimals < powers.length ? powers[decimals]! : 10 ** decimals;
      digits += decimals;
    }
    if (digits === 0 || digits > digitsMax || (next < bytes.length && kinds[bytes[next]!] === regular))
      throw new NotPlain('an odd number');
    at = next;
    return sign * value;
  }

  function name(): Name {
    const from = ++at;
    const key = skipRegular();
    if (at - from > keyLengthMax) return nameOf(bytes.toString('latin1', from, at));
    return names.get(key) ?? keep(names, key, nameOf(bytes.toString('latin1', from, at)));
  }

  function literal(): string {
    const from = ++at;
    for (; at < bytes.length; at++) {
      const code = bytes[at]!;
      if (code === 0x29) return bytes.toString('latin1', from, at++);
      if (code === 0x5c || code === 0x28 || code === 13) break;
    }
    at = from;
    return escapedLiteral();
  }

  function escapedLiteral(): string {
    const codes: number[] = [];
    for (let depth = 1; at < bytes.length;) {
      const code = bytes[at++]!;
      if (code === 0x29 && --depth === 0) return Buffer.from(codes).toString('latin1');
      if (code === 0x28) depth++;
      if (code === 0x5c) escape(codes);
      else if (code === 13) {
        if (bytes[at] === 10) at++;
        codes.push(10);
      } else codes.push(code);
      if (codes.length > stringBytesMax) throw new NotPlain('too long a string');
    }
    throw new NotPlain('a string without an end');
  }

  /** What follows a backslash. */
  function escape(codes: number[]): void {
    const code = bytes[at++];
    if (code === undefined) return;
    if (code >= 0x30 && code <= 0x37) {
      let value = code - 0x30;
      for (let digits = 1; digits < 3 && bytes[at]! >= 0x30 && bytes[at]! <= 0x37; digits++)
        value = value * 8 + bytes[at++]! - 0x30;
      codes.push(value & 0xff);
    } else if (code === 13 || code === 10) {
      if (code === 13 && bytes[at] === 10) at++;
    } else codes.push(escapes.get(code) ?? code);
  }

  function hexadecimal(): string {
    const codes: number[] = [];
    let high = -1;
    for (at++; at < bytes.length; at++) {
      const code = bytes[at]!;
      if (code === 0x3e) {
        at++;
        if (high >= 0) codes.push(high << 4);
        return Buffer.from(codes).toString('latin1');
      }
      if (kinds[code] === blank) continue;
      const digit = digits[code]!;
      if (digit === noDigit) throw new NotPlain('an odd hexadecimal string');
      if (high < 0) high = digit;
      else {
        if (codes.push((high << 4) | digit) > stringBytesMax) throw new NotPlain('too long a string');
        high = -1;
      }
    }
    throw new NotPlain('a string without an end');
  }

  function array(depth: number): readonly Value[] {
    if (depth > depthMax) throw new NotPlain('objects nested too deep');
    const values: Value[] = [];
    for (;;) {
      const value = read(depth + 1);
      if (value === closeArray) return values;
      budget.spend(1);
      values.push(valueOf(value));
    }
  }

  function dict(depth: number): Dict {
    if (depth > depthMax) throw new NotPlain('objects nested too deep');
    const entries = new Map<string, Value>();
    for (;;) {
      const key = read(depth + 1);
      if (key === closeDict) return entries;
      if (!(key instanceof Name)) throw new NotPlain('a key that is no name');
      budget.spend(1);
      entries.set(key.text, valueOf(read(depth + 1)));
    }
  }

  function word(): Word {
    const from = at;
    const key = skipRegular();
    if (at === from) throw new NotPlain('a stray brace');
    if (at - from > keyLengthMax) return new Word(bytes.toString('latin1', from, at));
    return words.get(key) ?? keep(words, key, new Word(bytes.toString('latin1', from, at)));
  }

  /** Goes over regular characters. @returns what they are, where they are at most `keyLengthMax` */
  function skipRegular(): number {
    let key = 0;
    let next = at;
    while (next < bytes.length && kinds[bytes[next]!] === regular) key = key * 256 + bytes[next++]!;
    at = next;
    return key;
  }

  return {
    next() {
      const value = read(1);
      if (value === end) return undefined;
      if (value === closeArray || value === closeDict) throw new NotPlain('a stray bracket');
      return value instanceof Word ? (constants.get(value.text) ?? value) : value;
    },
    get position() {
      return at;
    },
    set position(next) {
      at = next;
    },
  };
}

/** `#41` is A. */
function nameOf(raw: string): Name {
  return new Name(raw.replace(/#([\da-f]{2})/gi, (_: string, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
}

const escapes = new Map([
  [0x6e, 10],
  [0x72, 13],
  [0x74, 9],
  [0x62, 8],
  [0x66, 12],
]);

/* `null` is left a word for `next`, which cannot say it otherwise from "not there". */
const constants = new Map<string, boolean>([
  ['true', true],
  ['false', false],
]);

function valueOf(value: Value | Word): Value {
  if (!(value instanceof Word)) return value;
  if (value.text === 'null') return null;
  const constant = constants.get(value.text);
  if (constant === undefined) throw new NotPlain('a word where a value belongs');
  return constant;
}
