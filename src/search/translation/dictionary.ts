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
    english: (word) => lookUp(english(), word),
    chinese: (phrase) => lookUp(chinese(), phrase),
    homophones(character) {
      const said = this.syllables(character).flatMap((syllable) => lookUp(pinyin(), syllable));
      return [...new Set(said)].filter((other) => other !== character);
    },
    syllables: (character) => (/^[a-z]/.test(character) ? [] : lookUp(pinyin(), character)),
  };
}

/** Each table is read when something of it is first asked for. */
type Table = () => Buffer;

function lazily(read: Table): Table {
  let value: Buffer | null = null;
  return () => (value ??= read());
}

const newline = 0x0a;
const tab = 0x09;

/** The values of a key in a table of lines `key TAB value|value|…` in the order of their bytes. About 2 µs. */
function lookUp(table: Buffer, key: string): string[] {
  const wanted = Buffer.from(`${key}\t`);
  let low = 0;
  let high = table.length;
  while (low < high) {
    const start = lineAt(table, low, (low + high) >> 1);
    const end = table.indexOf(newline, start);
    const order = table.compare(wanted, 0, wanted.length, start, Math.min(end, start + wanted.length));
    if (order === 0) return table.toString('utf8', table.indexOf(tab, start) + 1, end).split('|');
    if (order < 0) low = end + 1;
    else high = start;
  }
  return [];
}

/** Where the line begins that holds this byte, not before `from`. */
function lineAt(table: Buffer, from: number, at: number): number {
  let start = at;
  while (start > from && table[start - 1] !== newline) start--;
  return start;
}
