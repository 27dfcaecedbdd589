/**
 * Chinese characters typed for others that sound like them: one whose pairs with its neighbours no text has is read as those that make pairs
 * with both neighbours that some text has. With one neighbour alone it is the end of a word as often as an error. What is part of a word that
 * the language knows is no error, though no text has the word.
 */
import { postingsOf } from './scorer.ts';
import type { Segment } from '../index/segments.ts';
import { isChineseFunctionWord } from '../translation/function-words.ts';
import type { Token } from '../analysis/tokens.ts';

/** Readings of one character, and characters of one question that are looked at. */
const readingsMax = 3;
const charactersMax = 6;
/** Characters of the same sound that are tried. */
const homophonesMax = 40;
/** Weight of a reading where the character as written stands in one pair that some text has. */
const partly = 0.5;

/** What a character of the question may have been meant for. */
export type Reading = {
  /** A pair with one of the neighbours, or the character itself. */
  readonly term: string;
  readonly weight: number;
  /** The pair or the character of the question whose place it takes. */
  readonly of: string;
  /** The likeliest reading, once a character. */
  readonly replacement: { readonly start: number; readonly end: number; readonly by: string } | null;
};

/** Whether a character is part of a number, a date or an amount that some text has, however it is written there: it was meant as it stands. */
export function inFoundValue(tokens: readonly Token[], chunksOf: ReadonlyMap<string, number>): (character: Token) => boolean {
  const values = tokens.filter(({ kind, term }) => kind === 'value' && (chunksOf.get(term) ?? 0) > 0);
  return ({ start, end }) => values.some((value) => value.start <= start && end <= value.end);
}

/** What the language knows; nothing where there is no dictionary. */
export type SoundsAndWords = {
  /** Characters that are said as this one is, the commonest first. */
  readonly homophones: (character: string) => readonly string[];
  /** A run of Chinese characters cut into words; what is in none stands alone. */
  readonly wordsOf: (run: string) => readonly string[];
};

/**
 * `chunksOf`: how many chunks have each term of the question; `isSettled`: what is read otherwise already. Readings stand for each other, the
 * likeliest with the weight of what was written; the character itself says less. Costs two looks into the index for each reading.
 */
export function soundAlikes(
  tokens: readonly Token[],
  chunksOf: ReadonlyMap<string, number>,
  segments: readonly Segment[],
  { homophones, wordsOf }: SoundsAndWords,
  isSettled: (character: Token) => boolean = () => false,
): Reading[] {
  const characters = chineseCharacters(tokens);
  const found: Reading[] = [];
  let inWords: ReadonlySet<Token> | null = null;
  let looked = 0;
  for (const [i, character] of characters.entries()) {
    const before = beside(characters[i - 1], character) ? characters[i - 1]!.term : null;
    const after = beside(character, characters[i + 1]) ? characters[i + 1]!.term : null;
    if (
      isSettled(character) ||
      isChineseFunctionWord(character.term) ||
      ![before, after].some(known) ||
      [before, after].some(isLost)
    )
      continue;
    const there = [before !== null && isThere(before, character.term), after !== null && isThere(character.term, after)];
    const neighbours = [before, after].filter((neighbour) => neighbour !== null).length;
    const kept = there.filter(Boolean).length;
    if (kept === neighbours || (inWords ??= charactersInWords(characters, wordsOf)).has(character) || ++looked > charactersMax)
      continue;
    found.push(
      ...readingsOf(character, before, after, there[0] ? 'after' : 'before').map((reading) =>
        kept === 0 ? reading : { ...reading, weight: partly * reading.weight, replacement: null },
      ),
    );
  }
  return found;

  function isThere(first: string, second: string): boolean {
    return (chunksOf.get(first + second) ?? 0) > 0;
  }

  /** A pair can only be there where its other character is. */
  function known(neighbour: string | null): boolean {
    return neighbour !== null && !isLost(neighbour);
  }

  function isLost(neighbour: string | null): boolean {
    return neighbour !== null && (chunksOf.get(neighbour) ?? 0) === 0;
  }

  /** `lacking`: with which neighbour it makes no pair, so that this is looked up first. */
  function readingsOf(character: Token, before: string | null, after: string | null, lacking: 'before' | 'after'): Reading[] {
    const candidates = homophones(character.term)
      .filter((by) => !isChineseFunctionWord(by))
      .slice(0, homophonesMax)
      .map((by) => {
        const pairs = [
          ...(before === null ? [] : [{ term: before + by, of: before + character.term }]),
          ...(after === null ? [] : [{ term: by + after, of: character.term + after }]),
        ];
        if (lacking === 'after') pairs.reverse();
        const there: { term: string; of: string; chunks: number }[] = [];
        for (const { term, of } of pairs) {
          const { chunks } = postingsOf(term, segments);
          if (chunks === 0) return { by, there: [], common: 0 };
          there.push({ term, of, chunks });
        }
        return { by, there, common: Math.min(...there.map(({ chunks }) => chunks)) };
      })
      .filter(({ common }) => common > 0)
      .sort((a, b) => b.common - a.common)
      .slice(0, readingsMax);
    const sum = candidates.reduce((total, { common }) => total + common, 0);
    const most = candidates[0]?.common ?? 1;
    return candidates.flatMap(({ by, there, common }, rank) => [
      { term: by, of: character.term, weight: common / sum, replacement: null },
      ...there.map(({ term, of }, at) => ({
        term,
        of,
        weight: common / most,
        replacement: rank === 0 && at === 0 ? { start: character.start, end: character.end, by } : null,
      })),
    ]);
  }
}

/** The Chinese characters of a question, in order. */
export function chineseCharacters(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind, term }) => kind === 'char' && /^\p{Script=Han}$/u.test(term));
}

/** Those that are part of a word of several. */
export function charactersInWords(characters: readonly Token[], wordsOf: (run: string) => readonly string[]): Set<Token> {
  const found = new Set<Token>();
  for (let from = 0; from < characters.length;) {
    let end = from + 1;
    while (beside(characters[end - 1], characters[end])) end++;
    const run = characters.slice(from, end);
    for (const word of wordsOf(run.map(({ term }) => term).join(''))) {
      const part = run.splice(0, Array.from(word).length);
      if (part.length > 1) for (const character of part) found.add(character);
    }
    from = end;
  }
  return found;
}

/** Whether nothing stands between two of them. */
export function beside(first: Token | undefined, second: Token | undefined): boolean {
  return first !== undefined && second !== undefined && first.end === second.start;
}
