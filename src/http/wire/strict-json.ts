/**
 * JSON from strangers: no duplicate keys (two readers would see two documents), no keys that reach a prototype, no nesting
 * that overflows whoever writes it out again (`JSON.parse` takes two million levels, `JSON.stringify` does not).
 */
import { AppError } from '../../errors.ts';

const depthMax = 32;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** JSON has none, but Windows programs write one before it; a reader may pass over it (RFC 8259 §8.1). */
const byteOrderMark = '\ufeff';

/** The value of a JSON text. @throws AppError `bad_request`. Linear in the text. */
export function parseStrictJson(given: string): unknown {
  const text = given.startsWith(byteOrderMark) ? given.slice(1) : given;
  const value = parse(text);
  checkStructure(text);
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('bad_request', 'The body is not valid JSON.', { cause: error });
  }
}

/** Walks the tokens of a text that is known to be valid JSON. Strings are found by their quotes: one may be megabytes long. */
function checkStructure(text: string): void {
  const open: (Set<string> | null)[] = [];
  const tokens = /["{}[\]]/g;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    if (token[0] === '"') {
      const end = stringEnd(text, token.index);
      if (isKey(text, end)) addKey(open.at(-1), JSON.parse(text.slice(token.index, end)) as string);
      tokens.lastIndex = end;
    } else if (token[0] === '{' || token[0] === '[') {
      open.push(token[0] === '{' ? new Set() : null);
      if (open.length > depthMax) throw new AppError('bad_request', `The JSON is nested deeper than ${depthMax} levels.`);
    } else open.pop();
  }
}

/** The place after the string whose first quote is at `start`. */
function stringEnd(text: string, start: number): number {
  let end = start;
  do end = text.indexOf('"', end + 1);
  while (isEscaped(text, end));
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

/** Whether what ends at `end` is followed by a colon. */
function isKey(text: string, end: number): boolean {
  const colon = /[ \t\r\n]*:/y;
  colon.lastIndex = end;
  return colon.test(text);
}

function addKey(keys: Set<string> | null | undefined, key: string): void {
  if (forbiddenKeys.has(key))
    throw new AppError('bad_request', `The name ${key} is not allowed for a member of JSON; use another name.`);
  if (keys?.has(key))
    throw new AppError('bad_request', `The name ${JSON.stringify(key.slice(0, 64))} appears twice in one JSON object.`);
  keys?.add(key);
}
