/**
 * Chinese characters typed for any others, read by what stands around them: a character that none of the best answers has beside its neighbours
 * in the question is read as the one that they have between the same neighbours. So one shape taken for another, a slip of the pen or of
 * a recognizer is mended as an error of sound is, without a table of what looks like what. Two characters in each other's place are read likewise.
 * What is part of a word that the language knows, or says nothing of what is asked for, is left alone.
 */
import { scanTokens, type Token } from '../analysis/tokens.ts';
import { isChineseFunctionWord } from '../translation/function-words.ts';
import { beside, charactersInWords, chineseCharacters, type Reading, type SoundsAndWords } from './sound-alikes.ts';

/** Readings of one place. */
const readingsMax = 2;
/** Share of the answers that have a reading, by how good they are, from which on it is said to have been meant. */
const clearShare = 0.6;
/** Characters on either side that are looked at. */
const contextMax = 2;
/** Characters of a question that are looked at. */
const charactersMax = 64;

/** A place of the question: one character, or two in each other's place. */
type Spot = {
  readonly written: readonly Token[];
  /** What stands beside it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Whether it makes a pair with a neighbour that no text has. */
  readonly isLacking: boolean;
};

export type ContextQuestion = {
  readonly tokens: readonly Token[];
  /** How many chunks have each term of the question. */
  readonly chunksOf: ReadonlyMap<string, number>;
  /** What is read otherwise already. */
  readonly isSettled: (character: Token) => boolean;
};

/** A text, and how good an answer it is beside the best one. */
export type BestAnswer = { readonly text: string; readonly share: number };

/** The places of a question that its best answers can tell of, two characters before one. Looks nothing up. */
export function placesOf({ tokens, chunksOf, isSettled }: ContextQuestion): Spot[] {
  const characters = chineseCharacters(tokens).slice(0, charactersMax);
  const lacks = (at: number): boolean =>
    beside(characters[at], characters[at + 1]) && (chunksOf.get(characters[at]!.term + characters[at + 1]!.term) ?? 0) === 0;
  const pairs: Spot[] = [];
  const singles: Spot[] = [];
  for (const [i, character] of characters.entries()) {
    if (isSettled(character)) continue;
    const next = characters[i + 1];
    if (beside(character, next) && !isSettled(next!))
      pairs.push(spotAt(characters, i, 2, lacks(i - 1) || lacks(i) || lacks(i + 1)));
    if (!isChineseFunctionWord(character.term)) singles.push(spotAt(characters, i, 1, lacks(i - 1) || lacks(i)));
  }
  return [...pairs, ...singles].filter(hasContext);
}

function spotAt(characters: readonly Token[], at: number, length: number, isLacking: boolean): Spot {
  const end = at + length;
  const before: string[] = [];
  for (let i = at - 1; i >= at - contextMax && beside(characters[i], characters[i + 1]); i--) before.unshift(characters[i]!.term);
  const after: string[] = [];
  for (let i = end; i < end + contextMax && beside(characters[i - 1], characters[i]); i++) after.push(characters[i]!.term);
  return { written: characters.slice(at, end), before, after, isLacking };
}

/** Between two neighbours a place can be told of; beside one alone where it makes no pair with that. */
function hasContext({ before, after, isLacking }: Spot): boolean {
  return (before.length > 0 && after.length > 0) || (isLacking && before.length + after.length > 0);
}

/** What the best answers have in these places. `wordsOf` is asked only where they have something else. About 0.1 ms a text. */
export function contextReadings(
  spots: readonly Spot[],
  best: readonly BestAnswer[],
  { tokens, wordsOf }: Pick<ContextQuestion, 'tokens'> & Pick<SoundsAndWords, 'wordsOf'>,
): Reading[] {
  const answers = best.map(({ text, share }) => ({ text: foldedCharacters(text), share }));
  const readings: Reading[] = [];
  const read = new Set<Token>();
  let inWords: ReadonlySet<Token> | null = null;
  for (const spot of spots) {
    if (spot.written.some((character) => read.has(character)) || answers.some(({ text }) => isWritten(spot, text))) continue;
    const found = likeliest(spot, answers);
    if (found.length === 0) continue;
    inWords ??= charactersInWords(chineseCharacters(tokens), wordsOf);
    if (isMeant(spot, inWords)) continue;
    readings.push(...found);
    for (const character of spot.written) read.add(character);
  }
  return readings;
}

/** Two characters that are of words, each as it stands, are of them by chance where they make no pair with what stands around them. */
function isMeant({ written, before, after, isLacking }: Spot, inWords: ReadonlySet<Token>): boolean {
  const isAmongOthers = written.length === 2 && before.length > 0 && after.length > 0;
  return written.every((character) => inWords.has(character)) && !(isAmongOthers && isLacking);
}

/** The Chinese characters of a text as the index has them, with a space where something else stands between them. */
function foldedCharacters(text: string): string {
  let folded = '';
  let last = 0;
  scanTokens(text, (term, start, end, kind) => {
    if (kind !== 'char') return;
    folded += start === last ? term : ` ${term}`;
    last = end;
  });
  return folded;
}

function isWritten({ written, before, after }: Spot, text: string): boolean {
  const here = written.map(({ term }) => term).join('');
  return (before.length > 0 && text.includes(before.at(-1)! + here)) || (after.length > 0 && text.includes(here + after[0]!));
}

function likeliest(spot: Spot, answers: readonly BestAnswer[]): Reading[] {
  const votes = new Map<string, number>();
  for (const { text, share } of answers) {
    const here = new Set(spot.written.length === 2 ? swappedIn(text, spot) : othersIn(text, spot));
    for (const by of here) votes.set(by, (votes.get(by) ?? 0) + share);
  }
  const sum = votes.values().reduce((all, one) => all + one, 0);
  const found = [...votes].sort((a, b) => b[1] - a[1]).slice(0, readingsMax);
  return found.flatMap(([by, worth], rank) =>
    readingsAs(spot, by, { weight: worth / found[0]![1], isClear: rank === 0 && worth >= clearShare * sum }),
  );
}

/** The characters or the pair that take its place, and the pairs that they make with its neighbours. */
function readingsAs(
  { written, before, after }: Spot,
  by: string,
  { weight, isClear }: { weight: number; isClear: boolean },
): Reading[] {
  const [first, last] = [written[0]!, written.at(-1)!];
  const characters = Array.from(by);
  const replacement = isClear ? { start: first.start, end: last.end, by } : null;
  const pairs = [
    ...before.slice(-1).map((left) => ({ term: left + characters[0]!, of: left + first.term })),
    ...after.slice(0, 1).map((right) => ({ term: characters.at(-1)! + right, of: last.term + right })),
  ];
  const whole = { term: by, of: written.map(({ term }) => term).join(''), weight, replacement };
  return [whole, ...pairs.map((pair) => ({ ...pair, weight, replacement: null }))];
}

function swappedIn(text: string, { written, before, after }: Spot): string[] {
  const by = written[1]!.term + written[0]!.term;
  return text.includes((before.at(-1) ?? '') + by + (after[0] ?? '')) ? [by] : [];
}

function othersIn(text: string, { written, before, after }: Spot): string[] {
  return contextsOf(before, after)
    .flatMap(([left, right]) => between(text, left, right))
    .filter((by) => by !== written[0]!.term);
}

/**
 * The neighbours on both sides; where one of them says nothing, one character more on either side. Two characters where there is a neighbour on
 * one side alone.
 */
function contextsOf(before: readonly string[], after: readonly string[]): [string, string][] {
  const [left, right] = [before.at(-1), after[0]];
  const wider: [string, string][] = [];
  if (before.length === contextMax) wider.push([before.join(''), right ?? '']);
  if (after.length === contextMax) wider.push([left ?? '', after.join('')]);
  if (left === undefined || right === undefined) return wider;
  return wider.length > 0 && [left, right].some(isChineseFunctionWord) ? wider : [[left, right]];
}

/** The Chinese characters that stand alone between these in a text. */
function between(text: string, left: string, right: string): string[] {
  const found: string[] = [];
  const anchor = left === '' ? right : left;
  for (let at = text.indexOf(anchor); at >= 0; at = text.indexOf(anchor, at + 1)) {
    const place = left === '' ? at - 1 : at + left.length;
    const by = text[place] ?? '';
    if (/^\p{Script=Han}$/u.test(by) && text.startsWith(right, place + 1)) found.push(by);
  }
  return found;
}
