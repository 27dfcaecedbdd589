/**
 * What Tesseract saw of one page, and the strategy by which a page is read: English first, then each Chinese script, and the surest
 * reading wins, since several languages at once cost Chinese (two thirds of a page of simplified characters, measured by
 * `npm run bench -- ocr`). Tesseract takes the gaps at Chinese marks for gutters and tears lines apart: Chinese lines are taken as one
 * column, unless their words do stand in columns.
 */

import type { PageLook, PlacedText } from '../parser.ts';
import { isOfOneScript } from './chinese-script.ts';

/** A picture's words and where they stand in it. */
export type SeenText = Omit<PageLook, 'page' | 'lines'>;

/** A word and its place, in points of the picture. */
export type SeenWord = {
  /** Alike for the words of one line, one paragraph. */
  readonly line: string;
  readonly paragraph: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly height: number;
  /** 0–100 */
  readonly sureness: number;
  readonly text: string;
};

/** How Tesseract looks for lines: its page segmentation modes 4 and 3. */
export type PageMode = 'one column' | 'columns';

export const pageModes: Readonly<Record<PageMode, number>> = { 'one column': 4, columns: 3 };

/** Reads a page once. Rejects with what ends the reading. */
export type Recognise = (languages: string, mode: PageMode) => SeenWord[] | Promise<SeenWord[]>;

/** Above this a reading in English is believed without another; one of Chinese comes to some 50. */
export const believed = 85;

/** Languages that are tried one after the other, each joined by `+`. English by itself keeps its spaces; Chinese models know Latin letters as well. */
export function attemptsOf(languages: readonly string[]): string[] {
  const latin = languages.filter((language) => !language.startsWith('chi_'));
  const chinese = languages.filter((language) => language.startsWith('chi_'));
  const first = latin.length > 0 ? [latin.join('+')] : [];
  return [...first, ...chinese.map((language) => [language, ...latin].join('+'))];
}

/** What was read, and how sure it is, 0–100. */
export type Reading = { readonly words: readonly SeenWord[]; readonly sureness: number };

/** A page by the surest reading. Costs one reading for English, three for Chinese. */
export async function readSurest(attempts: readonly string[], recognise: Recognise): Promise<Reading> {
  let best = { languages: '', words: [] as SeenWord[], sureness: -1 };
  for (const languages of attempts) {
    const isChinese = languages.includes('chi_');
    const words = await recognise(languages, isChinese ? 'one column' : 'columns');
    const sureness = surenessOf(words);
    const isOtherScript = isChinese && best.languages.includes('chi_');
    const isSurer = isOtherScript ? isSurerWhere(words, best.words) : sureness > best.sureness;
    if (isSurer) best = { languages, words, sureness };
    if (sureness >= believed && !isChinese) break;
  }
  if (!best.languages.includes('chi_') || !standInColumns(best.words)) return best;
  const words = await recognise(best.languages, 'columns');
  const sureness = surenessOf(words);
  return sureness < best.sureness - columnsMayCost ? best : { words, sureness };
}

/** Columns are read in their order even when that reading is a little less sure. */
const columnsMayCost = 10;

/** A row of Tesseract's table is level, page, block, paragraph, line, word, left, top, width, height, sureness, text. */
export function seenWords(table: string): SeenWord[] {
  return table.split('\n').flatMap((row) => {
    const [level, page, block, paragraph, line, , left, top, width, height, sureness, ...text] = row.split('\t');
    const word = text.join('\t');
    if (level !== wordLevel || word.trim() === '') return [];
    return {
      line: `${page} ${block} ${paragraph} ${line}`,
      paragraph: `${page} ${block} ${paragraph}`,
      left: Number(left),
      right: Number(left) + Number(width),
      top: Number(top),
      height: Number(height),
      sureness: Number(sureness),
      text: word,
    };
  });
}

const wordLevel = '5';
const pageLevel = '1';

/** How large the page is, in points; null where the table does not say. */
export function seenSize(table: string): { readonly width: number; readonly height: number } | null {
  const [, , , , , , , , width, height] =
    table
      .split('\n')
      .map((row) => row.split('\t'))
      .find(([level]) => level === pageLevel) ?? [];
  return Number(width) > 0 && Number(height) > 0 ? { width: Number(width), height: Number(height) } : null;
}

/** Words as a page shows where they are. */
export function placesOf(words: readonly SeenWord[]): PlacedText[] {
  return words.map(({ text, left, top, right, height }) => [text, left, top, right, top + height]);
}

/** Lines end in a line feed, paragraphs in an empty line. */
export function textOf(words: readonly SeenWord[]): string {
  let text = '';
  for (const [index, word] of words.entries()) {
    const before = words[index - 1];
    text += before === undefined ? '' : before.line === word.line ? ' ' : before.paragraph === word.paragraph ? '\n' : '\n\n';
    text += word.text;
  }
  return asChineseIsWritten(text).trim();
}

/** Long words say more. */
export function surenessOf(words: readonly SeenWord[]): number {
  let [sum, weight] = [0, 0];
  for (const { sureness, text } of words) {
    sum += sureness * text.length;
    weight += text.length;
  }
  return weight === 0 ? 0 : sum / weight;
}

/**
 * Whether one Chinese reading of a page is surer than the other of the words that they read otherwise: both know most characters, and how sure
 * they are of those says nothing. Characters that only one script has count three times, at which the other one's reader guesses.
 */
function isSurerWhere(words: readonly SeenWord[], others: readonly SeenWord[]): boolean {
  const own = surenessWhere(words, others) ?? -1;
  return own > (surenessWhere(others, words) ?? -1);
}

/** Null where they differ in nothing. */
function surenessWhere(words: readonly SeenWord[], others: readonly SeenWord[]): number | null {
  const known = new Set(others.map((word) => placed(word, 0, 0)));
  let [sum, weight] = [0, 0];
  for (const word of words) {
    if (neighbours.some(([x, y]) => known.has(placed(word, x, y)))) continue;
    const characters = Array.from(word.text);
    const count = characters.length + 2 * characters.filter(isOfOneScript).length;
    sum += word.sureness * count;
    weight += count;
  }
  return weight === 0 ? null : sum / weight;
}

/** Points within which two readings see a word in the same place. */
const placePoints = 16;
const neighbours = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => [x, y] as const));

function placed({ text, left, right, top }: SeenWord, across: number, down: number): string {
  const place = (points: number): number => Math.round(points / placePoints);
  return `${text} ${place((left + right) / 2) + across} ${place(top) + down}`;
}

/** A gap between two words of a line that no space explains, in heights of their line. */
const gapHeightsMin = 1.5;
/** Of all lines, at least so many have such a gap at the same place, and words on both sides of it. */
const gapShareMin = 0.4;
const gapLinesMin = 4;

/** Whether many lines have a gap in the same place: two columns, or a table. */
export function standInColumns(words: readonly SeenWord[]): boolean {
  const lines = Map.groupBy(words, ({ line }) => line);
  const step = Math.max(1, median(words.map(({ height }) => height)) / 2);
  const gapsAt = new Map<number, number>();
  for (const line of lines.values()) {
    for (const [index, { left }] of line.entries()) {
      const before = line[index - 1];
      if (before === undefined || left - before.right < gapHeightsMin * 2 * step) continue;
      for (let at = Math.ceil(before.right / step); at * step < left; at++) gapsAt.set(at, (gapsAt.get(at) ?? 0) + 1);
    }
  }
  return Math.max(0, ...gapsAt.values()) >= Math.max(gapLinesMin, gapShareMin * lines.size);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const wide = '\\p{Script=Han}\\u3000-\\u303f\\uff00-\\uff60';
const spacesInWide = new RegExp(`(?<=[${wide}]) +(?=[${wide}])`, 'gu');
const narrowMark = new RegExp(`(?<=[\\p{Script=Han}\\u3001-\\u301f]) ?([,;:!?])(?: ?(?=[${wide}])|$)`, 'gmu');
const wideMarks: Readonly<Record<string, string>> = { ',': '，', ';': '；', ':': '：', '!': '！', '?': '？' };
const numerals = '〇一二三四五六七八九十';
const zeroInNumerals = new RegExp(`(?<![A-Za-z0-9])[0O]+(?=[${numerals}])|(?<=[${numerals}])[0O]+(?![A-Za-z0-9])`, 'gu');

/** Tesseract puts spaces between Chinese characters, takes their marks for narrow ones, and 〇 for a letter or a digit. */
export function asChineseIsWritten(text: string): string {
  return text
    .replace(spacesInWide, '')
    .replace(narrowMark, (_, mark: string) => wideMarks[mark]!)
    .replace(zeroInNumerals, (zeros) => '〇'.repeat(zeros.length));
}
