/** Reads ToUnicode maps: which text a code of a font stands for (ISO 32000-1, 9.10.3). */
import { type Budget, createLexer, NotPlain, type Value, Word } from './objects.ts';

/** Of one `beginbfrange` or the like; the standard allows 100. */
const operandsMax = 10_000;

/** Text by code; what it holds is spent from `budget`. @throws NotPlain */
export function readToUnicode(bytes: Buffer, budget: Budget): ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  const lexer = createLexer(bytes, budget);
  let operands: Value[] = [];
  for (let token = lexer.next(); token !== undefined; token = lexer.next()) {
    if (!(token instanceof Word)) {
      if (operands.push(token) > operandsMax) throw new NotPlain('an odd map');
      continue;
    }
    if (token.text === 'endbfchar') addCharacters(texts, operands, budget);
    else if (token.text === 'endbfrange') addRanges(texts, operands, budget);
    else if (token.text === 'usecmap') throw new NotPlain('a map that goes on elsewhere');
    operands = [];
  }
  return texts;
}

function addCharacters(texts: Map<number, string>, operands: readonly Value[], budget: Budget): void {
  budget.spend(operands.length);
  for (let index = 0; index + 1 < operands.length; index += 2) {
    const [code, text] = [operands[index], operands[index + 1]];
    if (typeof code !== 'string' || typeof text !== 'string') throw new NotPlain('an odd map');
    texts.set(codeOf(code), textOf(text));
  }
}

function addRanges(texts: Map<number, string>, operands: readonly Value[], budget: Budget): void {
  for (let index = 0; index + 2 < operands.length; index += 3) {
    const [low, high, to] = [operands[index], operands[index + 1], operands[index + 2]];
    if (typeof low !== 'string' || typeof high !== 'string') throw new NotPlain('an odd map');
    const [first, last] = [codeOf(low), codeOf(high)];
    if (last - first > 0xffff) throw new NotPlain('too large a map');
    budget.spend(Math.max(0, last - first) + 1);
    if (typeof to === 'string') addRange(texts, first, last, textOf(to));
    else if (Array.isArray(to)) {
      for (const [offset, text] of to.entries()) if (typeof text === 'string') texts.set(first + offset, textOf(text));
    } else throw new NotPlain('an odd map');
  }
}

/** The last character counts up. */
function addRange(texts: Map<number, string>, first: number, last: number, text: string): void {
  const characters = Array.from(text);
  const counting = characters.pop()?.codePointAt(0);
  if (counting === undefined) return;
  const lead = characters.join('');
  for (let code = first; code <= last; code++) {
    const point = counting + code - first;
    if (point > 0x10ffff) throw new NotPlain('an odd map');
    texts.set(code, lead + String.fromCodePoint(point));
  }
}

function codeOf(bytes: string): number {
  let code = 0;
  for (let index = 0; index < bytes.length; index++) code = code * 256 + bytes.charCodeAt(index);
  return code;
}

/** UTF-16BE; one byte alone is meant as a character. */
function textOf(bytes: string): string {
  if (bytes.length === 1) return bytes;
  let text = '';
  for (let index = 0; index + 1 < bytes.length; index += 2)
    text += String.fromCharCode(bytes.charCodeAt(index) * 256 + bytes.charCodeAt(index + 1));
  return text;
}
