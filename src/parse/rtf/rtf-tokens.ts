/** RTF as a row of tokens (Rich Text Format 1.9.1, "Conventions of an RTF Reader"). Linear; knows nothing of what words mean. */

export type RtfToken =
  | { readonly kind: 'open' | 'close' }
  /** `\word` with its number, null without one; `\*` and other signs are words of one character. */
  | { readonly kind: 'word'; readonly word: string; readonly value: number | null }
  /** Text of the current code page: raw bytes and `\'hh`. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' };

const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const wordLettersMax = 32;

export function* readTokens(data: Buffer): Generator<RtfToken> {
  for (let at = 0; at < data.length;) {
    const byte = data[at]!;
    if (byte === openBrace || byte === closeBrace) {
      yield { kind: byte === openBrace ? 'open' : 'close' };
      at += 1;
    } else if (byte === 0x0a || byte === 0x0d || byte === 0) at += 1;
    else if (byte !== backslash) {
      const end = textEnd(data, at);
      yield { kind: 'bytes', bytes: data.subarray(at, end) };
      at = end;
    } else if (data[at + 1] === 0x27) {
      const code = Number.parseInt(data.toString('latin1', at + 2, at + 4), 16);
      if (!Number.isNaN(code)) yield { kind: 'bytes', bytes: Uint8Array.of(code) };
      at += 4;
    } else {
      const word = wordAt(data, at + 1);
      at = word.end;
      if (word.word === 'bin') at += Math.max(0, word.value ?? 0);
      else if (word.word !== '') yield { kind: 'word', word: word.word, value: word.value };
    }
  }
  yield { kind: 'end' };
}

function textEnd(data: Buffer, start: number): number {
  let end = start;
  while (end < data.length) {
    const byte = data[end]!;
    if (byte === backslash || byte === openBrace || byte === closeBrace || byte === 0x0a || byte === 0x0d || byte === 0) break;
    end += 1;
  }
  return end;
}

/** From after the backslash; the one space that ends a word belongs to it. */
function wordAt(data: Buffer, start: number): { word: string; value: number | null; end: number } {
  let end = start;
  while (end < data.length && end - start < wordLettersMax && isLetter(data[end]!)) end += 1;
  if (end === start) return { word: data.toString('latin1', start, start + 1), value: null, end: start + 1 };
  const word = data.toString('latin1', start, end);
  let digits = end;
  if (data[digits] === 0x2d) digits += 1;
  while (digits < data.length && digits - end < 11 && data[digits]! >= 0x30 && data[digits]! <= 0x39) digits += 1;
  const value = Number.parseInt(data.toString('latin1', end, digits), 10);
  const hasValue = !Number.isNaN(value);
  const next = hasValue ? digits : end;
  return { word, value: hasValue ? value : null, end: data[next] === 0x20 ? next + 1 : next };
}

function isLetter(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a);
}
