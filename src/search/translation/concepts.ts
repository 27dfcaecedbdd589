/** A question as what it speaks of: words and names, each with its own index terms and with its translations into the other language. */
import { stemOf } from '../analysis/stems.ts';
import type { Token } from '../analysis/tokens.ts';
import { dictionaryForm } from './dictionary-form.ts';
import type { Dictionary } from './dictionary.ts';
import { isChineseFunctionWord } from './function-words.ts';
import { soundedNames, type SoundedNames } from './names-by-sound.ts';

export type Language = 'zh' | 'en';

/** Terms that a text has together where it has the word: one of English, the pairs of characters of a Chinese word. */
export type Wording = readonly string[];

export type Concept = {
  /** As the question has it. */
  readonly own: Wording;
  /** The likeliest first; none where the dictionary lacks the word. A name or a number stands for itself in every language. */
  readonly translations: readonly Wording[];
  /** Less than 1 for a single Chinese character, which may be part of a name. */
  readonly weight: number;
};

/** Characters of a question that are read for its concepts, and concepts kept of it. */
const charactersMax = 600;
const conceptsMax = 48;
/** Words of a phrase, and characters of a word, that are looked up as one. */
const phraseWordsMax = 4;
const wordCharactersMax = 8;
/** A character that stands alone says less than a word: measured from 0.3 to 1 on both halves of xling-zh-en. */
const characterWeight = 0.5;

/** What a question of these words speaks of, in the order of the question, each concept once. Pure but for the dictionary. About 1 ms for 20 words. */
export function conceptsOf(words: readonly Token[], dictionary: Dictionary): Concept[] {
  const tokens = beginningOf(words);
  const concepts = languageOf(tokens) === 'zh' ? fromChinese(tokens, dictionary) : fromEnglish(tokens, dictionary);
  const distinct = new Map(concepts.map((concept) => [concept.own.join(' '), concept]));
  return [...distinct.values()].slice(0, conceptsMax);
}

/** Whether the dictionary has an English word by itself, in any of its forms. */
export function isEnglishWord(surface: string, dictionary: Dictionary): boolean {
  return dictionaryForm(surface) !== null || dictionary.chinese(stemOf(surface)).length > 0;
}

/** The Chinese of a question that may be names written by their sound. */
export function namesOf(words: readonly Token[], dictionary: Dictionary): SoundedNames {
  return soundedNames(runsOf(beginningOf(words)), dictionary);
}

/** The characters of a Chinese word, out of its pieces. */
export function charactersOf([first = '', ...rest]: Wording): string {
  return first + rest.map((pair) => Array.from(pair).at(-1)!).join('');
}

/** What a question is written in; of one that has neither Chinese nor words, English. */
export function languageOfQuestion(words: readonly Token[]): Language {
  return languageOf(beginningOf(words));
}

/** The same; null for numbers alone, and for a script that has neither Chinese characters nor words with spaces between them. */
export function clearLanguage(words: readonly Token[]): Language | null {
  const isClear = ({ kind, term }: Token): boolean =>
    kind === 'char' ? isChinese(term) : (kind === 'word' || kind === 'stop') && /\p{L}/u.test(term);
  return words.some(isClear) ? languageOfQuestion(words) : null;
}

function beginningOf(words: readonly Token[]): readonly Token[] {
  return words.filter(({ end }) => end <= charactersMax);
}

function isChinese(character: string): boolean {
  return /\p{Script=Han}/u.test(character);
}

/** A question with Chinese characters is Chinese unless most of its words are English ones. */
function languageOf(tokens: readonly Token[]): Language {
  let characters = 0;
  let words = 0;
  for (const { kind, term } of tokens) {
    if (kind === 'char' && isChinese(term)) characters++;
    else if (kind === 'word' || kind === 'stop') words++;
  }
  return characters > 0 && characters >= words ? 'zh' : 'en';
}

function fromChinese(tokens: readonly Token[], dictionary: Dictionary): Concept[] {
  const words = runsOf(tokens).flatMap((run) => segmentChinese(run, dictionary));
  const concepts = words
    .filter((word) => !isChineseFunctionWord(word))
    .map((word) => ({
      own: piecesOf(word),
      translations: dictionary.english(word).map((phrase) => phrase.split(' ')),
      weight: word.length === 1 ? characterWeight : 1,
    }));
  const literals = tokens
    .filter(({ kind }) => kind === 'word' || kind === 'whole' || kind === 'value')
    .map(({ term }) => literal([term]));
  return [...concepts, ...literals];
}

function fromEnglish(tokens: readonly Token[], dictionary: Dictionary): Concept[] {
  const words = tokens.filter(({ kind }) => kind === 'word');
  const concepts: Concept[] = [];
  for (let at = 0; at < words.length;) {
    const { length, chinese } = longestPhrase(words, at, dictionary);
    const own = words.slice(at, at + length).map(({ term }) => term);
    const itself = length === 1 ? [own] : [];
    concepts.push({ own, translations: [...itself, ...chinese.map(piecesOf)], weight: 1 });
    at += length;
  }
  const wholes = tokens.filter(({ kind }) => kind === 'whole' || kind === 'value').map(({ term }) => literal([term]));
  const chinese = runsOf(tokens).flatMap((run) => segmentChinese(run, dictionary).filter((word) => !isChineseFunctionWord(word)));
  return [...concepts, ...wholes, ...chinese.map((word) => literal(piecesOf(word)))];
}

/** What stands for itself in a text of any language. */
function literal(own: Wording): Concept {
  return { own, translations: [own], weight: 1 };
}

function longestPhrase(
  words: readonly Token[],
  at: number,
  dictionary: Dictionary,
): { length: number; chinese: readonly string[] } {
  const found = dictionary.longestPhrase(words.slice(at, at + phraseWordsMax).map(({ term }) => term));
  if (found.length > 1) return found;
  const form = dictionaryForm(words[at]!.surface);
  return form === null ? found : { length: 1, chinese: [...dictionary.chinese(form), ...found.chinese] };
}

/** The runs of Chinese characters, folded. */
function runsOf(tokens: readonly Token[]): string[] {
  const runs: string[] = [];
  let end = -1;
  for (const token of tokens) {
    if (token.kind !== 'char') continue;
    if (token.start === end) runs[runs.length - 1] += token.term;
    else runs.push(token.term);
    end = token.end;
  }
  return runs;
}

/** A word as the index has it: the pairs of its characters, or the one that it is. */
function piecesOf(word: string): string[] {
  const characters = Array.from(word);
  if (characters.length === 1) return [word];
  return characters.slice(1).map((character, i) => characters[i]! + character);
}

/** The words of a run: as few as there can be, and of those the longest ones. A question is cut to be repaired and to be translated. */
export function segmentChinese(run: string, dictionary: Dictionary): readonly string[] {
  let known = segmented.get(dictionary);
  if (known === undefined || known.size >= segmentedMax) segmented.set(dictionary, (known = new Map()));
  let words = known.get(run);
  if (words === undefined) known.set(run, (words = wordsOfRun(Array.from(run), dictionary)));
  return words;
}

/** Runs that were cut lately. */
const segmentedMax = 64;
const segmented = new WeakMap<Dictionary, Map<string, readonly string[]>>();

function wordsOfRun(characters: readonly string[], dictionary: Dictionary): string[] {
  const lengths: (readonly number[])[] = [];
  const lengthsFrom = (start: number) =>
    (lengths[start] ??= dictionary.lengthsOfWords(characters.slice(start, start + wordCharactersMax)));
  const cost = [0];
  const from = [0];
  for (let end = 1; end <= characters.length; end++) {
    cost[end] = cost[end - 1]! + characterCost;
    from[end] = end - 1;
    for (let start = Math.max(0, end - wordCharactersMax); start < end - 1; start++) {
      const price = cost[start]! + 1 - longerIsCheaper * (end - start);
      if (price >= cost[end]!) continue;
      if (!lengthsFrom(start).includes(end - start) && !isChineseFunctionWord(characters.slice(start, end).join(''))) continue;
      cost[end] = price;
      from[end] = start;
    }
  }
  const words: string[] = [];
  for (let end = characters.length; end > 0; end = from[end]!) words.unshift(characters.slice(from[end], end).join(''));
  return words;
}

const characterCost = 1.3;
const longerIsCheaper = 0.01;
