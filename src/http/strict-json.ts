/**
 * JSON from strangers: no duplicate keys (two readers would see two documents), no keys that reach a prototype, no nesting
 * that overflows whoever writes it out again (`JSON.parse` takes two million levels, `JSON.stringify` does not).
 */
import { AppError } from '../errors.ts';

const depthMax = 32;
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype']);

/** The value of a JSON text. @throws AppError `bad_request`. Linear in the text. */
export function parseStrictJson(text: string): unknown {
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

/** Walks the tokens of a text that is known to be valid JSON. */
function checkStructure(text: string): void {
  const open: (Set<string> | null)[] = [];
  for (const { 0: token, 1: isKey } of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null);
      if (open.length > depthMax) throw new AppError('bad_request', `The JSON is nested deeper than ${depthMax} levels.`);
    } else if (token === '}' || token === ']') open.pop();
    else if (isKey !== undefined) addKey(open.at(-1), JSON.parse(token.slice(0, -isKey.length)) as string);
  }
}

function addKey(keys: Set<string> | null | undefined, key: string): void {
  if (forbiddenKeys.has(key)) throw new AppError('bad_request', `The key ${key} is not allowed.`);
  if (keys?.has(key)) throw new AppError('bad_request', 'A key appears twice in one object.');
  keys?.add(key);
}
