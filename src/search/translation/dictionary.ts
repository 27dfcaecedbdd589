/**
 * A Chinese–English dictionary, both ways, out of two tables that are made at build time (`scripts/build-dictionary.ts`, from CC-CEDICT).
 * A table is kept as the bytes of its file and looked up by halving, so that it costs its size, 6 MB for both, and nothing until used.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dictionaryDir } from '../../program-files.ts';

/** Words by word: keys are looked up as the index folds and stems them, and so are the values. */
export type Dictionary = {
  /** English words and phrases (terms with a space between them) for a word of simplified Chinese characters, the likeliest first. */
  english(word: string): readonly string[];
  /** Chinese words for English terms with a space between them, the likeliest first. */
  chinese(phrase: string): readonly string[];
  /** How many of these characters, from the first one on, make a word of two or more; looked for only as long as some word begins so. */
  lengthsOfWords(characters: readonly string[]): readonly number[];
  /** As many of these English terms, from the first one on, as the dictionary has as one phrase: the most of them, or the first alone. */
  longestPhrase(terms: readonly string[]): { readonly length: number; readonly chinese: readonly string[] };
  /** Characters that are said as this one is, tones aside, those of most words first. */
  homophones(character: string): readonly string[];
  /** How a character is said, without tones, as in most words first. */
  syllables(character: string): readonly string[];
};

let opened: Dictionary | null | undefined;

/** The dictionary of this program, read once when first asked for (some 10 ms); null where its tables were not made. */
function openDictionary(): Dictionary | null {
  opened ??= dictionaryIn(dictionaryDir);
  return opened;
}

/** The way to this program's dictionary, or to none where questions are not to be translated. */
export function dictionaryFor(translates = true): () => Dictionary | null {
  return translates ? openDictionary : () => null;
}

/** The tables of a folder; null where there are none. */
export function dictionaryIn(folder: string): Dictionary | null {
  const paths = ['zh-en.tsv', 'en-zh.tsv', 'pinyin.tsv'].map((name) => join(folder, name));
  if (!paths.every((path) => existsSync(path))) return null;
  const [english, chinese, pinyin] = paths.map((path) => lazily(() => readFileSync(path))) as [Table, Table, Table];
  return {
    english: (word) => valuesOf(english(), word),
    chinese: (phrase) => valuesOf(chinese(), phrase),
    lengthsOfWords: (characters) => keysAmong(english(), characters, '').flatMap(({ length }) => (length > 1 ? [length] : [])),
    longestPhrase(terms) {
      const longest = keysAmong(chinese(), terms, ' ').at(-1);
      return longest === undefined ? { length: 1, chinese: [] } : { length: longest.length, chinese: longest.values };
    },
    homophones(character) {
      const said = this.syllables(character).flatMap((syllable) => valuesOf(pinyin(), syllable));
      return [...new Set(said)].filter((other) => other !== character);
    },
    syllables: (character) => (/^[a-z]/.test(character) ? [] : valuesOf(pinyin(), character)),
  };
}

/** Each table is read when something of it is first asked for. */
type Table = () => Buffer;

function lazily(read: Table): Table {
  let value: Buffer | null = null;
  return () => (value ??= read());
}

const newline = 0x0a;

/** The values of a key in a table of lines `key TAB value|value|…` in the order of their bytes. About 1 µs. */
function valuesOf(table: Buffer, key: string): string[] {
  return lookUp(table, key, '').values;
}

/** The keys that are the first parts, joined, with their values; the shortest first. */
function keysAmong(table: Buffer, parts: readonly string[], joint: string): { length: number; values: string[] }[] {
  const found: { length: number; values: string[] }[] = [];
  for (let length = 1; length <= parts.length; length++) {
    const { values, isBeginning } = lookUp(table, parts.slice(0, length).join(joint), joint);
    if (values.length > 0) found.push({ length, values });
    if (!isBeginning) break;
  }
  return found;
}

/** The values of a key, and whether longer keys begin with it and the joint. */
function lookUp(table: Buffer, key: string, joint: string): { values: string[]; isBeginning: boolean } {
  const wanted = Buffer.from(`${key}\t`);
  const at = firstLineFrom(table, wanted);
  const isThere = startsWith(table, at, wanted);
  const end = isThere ? endOfLine(table, at) : at;
  const longer = Buffer.from(key + joint);
  return {
    values: isThere ? table.toString('utf8', at + wanted.length, end).split('|') : [],
    isBeginning: startsWith(table, isThere ? end + 1 : at, longer),
  };
}

/** Where the first line begins that does not come before these bytes. */
function firstLineFrom(table: Buffer, wanted: Buffer): number {
  let low = 0;
  let high = table.length;
  while (low < high) {
    const start = lineAt(table, low, (low + high) >> 1);
    if (isBefore(table, start, wanted)) low = endOfLine(table, start) + 1;
    else high = start;
  }
  return low;
}

function isBefore(table: Buffer, start: number, wanted: Buffer): boolean {
  let i = 0;
  while (i < wanted.length && table[start + i] === wanted[i]) i++;
  return i < wanted.length && table[start + i]! < wanted[i]!;
}

function startsWith(table: Buffer, start: number, wanted: Buffer): boolean {
  for (let i = 0; i < wanted.length; i++) if (table[start + i] !== wanted[i]) return false;
  return true;
}

/** Where the line begins that holds this byte, not before `from`. */
function lineAt(table: Buffer, from: number, at: number): number {
  let start = at;
  while (start > from && table[start - 1] !== newline) start--;
  return start;
}

function endOfLine(table: Buffer, start: number): number {
  let end = start;
  while (end < table.length && table[end] !== newline) end++;
  return end;
}
