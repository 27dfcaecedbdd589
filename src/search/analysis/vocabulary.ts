/**
 * The words of the indexed texts, for queries with typing errors: a word that no text has is read as its nearest
 * neighbours that some text has. Measured on cranfield with one typing error a query: BM25 nDCG@10 0.349 → 0.370.
 */
import type { Segment } from '../index/segments.ts';

/** Words shorter than this have too many neighbours. */
const repairedUnitsMin = 4;
/** From this length on, two errors are allowed where one finds nothing. */
const twoErrorsUnitsMin = 8;
const neighboursMax = 24;

/** Whoever knows the words of the texts. */
export type WordNeighbours = Pick<Vocabulary, 'neighbours'>;

/** The same choice among words that were looked up elsewhere. */
export function neighboursAmong(words: readonly string[], word: string, isThere: (word: string) => boolean): string[] {
  if (!isRepaired(word)) return [];
  for (const errors of errorsOf(word)) {
    const near = words.filter((each) => each !== word && editDistance(word, each, errors) <= errors);
    const there = near.sort().values().filter(isThere).take(neighboursMax).toArray();
    if (there.length > 0) return there;
  }
  return [];
}

/** Whether a word is long enough to be taken for an error. */
export function isRepaired(word: string): boolean {
  return word.length >= repairedUnitsMin;
}

function errorsOf(word: string): number[] {
  return word.length >= twoErrorsUnitsMin ? [1, 2] : [1];
}

/** Words of one segment: one text, cut by offsets, with the set of letters of each. About 20 bytes a word. */
type WordTable = { readonly text: string; readonly ends: Uint32Array; readonly letters: Uint32Array };

/** Follows the segments: reads the words of new ones when they are first asked for. */
export class Vocabulary {
  readonly #tables = new Map<number, WordTable>();

  /**
   * Words at the least distance (1, or 2 for long ones) from `word` that a text still has (`isThere`), in alphabetical order; none
   * for short ones. About 3 ms for a million words.
   */
  neighbours(word: string, segments: readonly Segment[], isThere: (word: string) => boolean): string[] {
    if (!isRepaired(word)) return [];
    const tables = this.#follow(segments);
    for (const errors of errorsOf(word)) {
      const found = new Set<string>();
      for (const table of tables) addNeighbours(table, word, errors, found);
      const there = [...found].sort().values().filter(isThere).take(neighboursMax).toArray();
      if (there.length > 0) return there;
    }
    return [];
  }

  #follow(segments: readonly Segment[]): WordTable[] {
    const listed = new Set(segments.map((segment) => segment.id));
    for (const id of this.#tables.keys()) if (!listed.has(id)) this.#tables.delete(id);
    return segments.map((segment) => {
      let table = this.#tables.get(segment.id);
      if (table === undefined) this.#tables.set(segment.id, (table = toTable(segment.words())));
      return table;
    });
  }
}

function toTable(words: readonly string[]): WordTable {
  const kept = words.filter((word) => word.length >= repairedUnitsMin - 1);
  const ends = new Uint32Array(kept.length);
  let end = 0;
  for (const [i, word] of kept.entries()) ends[i] = end += word.length;
  return { text: kept.join(''), ends, letters: Uint32Array.from(kept, lettersOf) };
}

/** One error changes at most two bits of the set of letters, which rules nearly all words out before they are compared. */
function addNeighbours(table: WordTable, word: string, errors: number, found: Set<string>): void {
  const letters = lettersOf(word);
  let start = 0;
  for (let i = 0; i < table.ends.length; i++) {
    const end = table.ends[i]!;
    const lengthGap = Math.abs(end - start - word.length);
    if (lengthGap <= errors && bitsOf(table.letters[i]! ^ letters) <= 2 * errors) {
      const candidate = table.text.slice(start, end);
      if (candidate !== word && editDistance(word, candidate, errors) <= errors) found.add(candidate);
    }
    start = end;
  }
}

function lettersOf(word: string): number {
  let letters = 0;
  for (let i = 0; i < word.length; i++) {
    const code = word.charCodeAt(i);
    letters |= 1 << (code >= 0x61 && code <= 0x7a ? code - 0x61 : 26 + (code % 6));
  }
  return letters >>> 0;
}

function bitsOf(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment); `max + 1` for anything farther. */
export function editDistance(a: string, b: string, max: number): number {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, beforeLast[j - 2]! + 1);
      row.push(distance);
      least = Math.min(least, distance);
    }
    if (least > max) return max + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
