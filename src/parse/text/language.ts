/** A language from a text's script, for documents that do not say theirs. */

/** BCP 47 primary tag, or null where the script alone does not tell; English by its commonest words. Looks at 20,000 characters. */
export function guessLanguage(text: string): string | null {
  const { letters, beyondLatin, words, english, ofScript } = countsOf(text.slice(0, 20_000));
  if (letters < 20) return null;
  if (beyondLatin > letters * 0.05)
    for (const [at, { language, least }] of scripts.entries()) if (ofScript[at]! / letters > least) return language;
  return words >= 20 && english / words > 0.12 ? 'en' : null;
}

type Counts = {
  /** UTF-16 units of words. */ letters: number;
  /** UTF-16 units behind the Latin ones. */ beyondLatin: number;
  words: number;
  english: number;
  /** Characters, by the place in `scripts`. */ readonly ofScript: Uint32Array;
};

function countsOf(sample: string): Counts {
  const counts: Counts = { letters: 0, beyondLatin: 0, words: 0, english: 0, ofScript: new Uint32Array(scripts.length) };
  let start = 0;
  for (let at = 0; at <= sample.length;) {
    const point = sample.codePointAt(at) ?? 0;
    const units = point > 0xffff ? 2 : 1;
    if (point > 0x24f) counts.beyondLatin += units;
    const traits = point > 0xffff ? traitsOf(point) : (known[point] ||= traitsOf(point));
    if (traits > letterOrNot) counts.ofScript[(traits >> 2) - 1]! += 1;
    if ((traits & letter) === 0) {
      if (at > start) countWord(sample, start, at, counts);
      start = at + units;
    }
    at += units;
  }
  return counts;
}

function countWord(sample: string, start: number, end: number, counts: Counts): void {
  counts.words += 1;
  counts.letters += end - start;
  if (end - start <= 5 && englishWords.has(sample.slice(start, end).toLowerCase())) counts.english += 1;
}

/** The share of letters from which on a script tells the language, asked in this order. */
const scripts: readonly { readonly language: string; readonly script: RegExp; readonly least: number }[] = [
  { language: 'ja', script: /[\p{Script=Hiragana}\p{Script=Katakana}]/u, least: 0.05 },
  { language: 'ko', script: /\p{Script=Hangul}/u, least: 0.2 },
  { language: 'zh', script: /\p{Script=Han}/u, least: 0.2 },
  { language: 'th', script: /\p{Script=Thai}/u, least: 0.3 },
  { language: 'el', script: /\p{Script=Greek}/u, least: 0.3 },
  { language: 'he', script: /\p{Script=Hebrew}/u, least: 0.3 },
  { language: 'ka', script: /\p{Script=Georgian}/u, least: 0.3 },
  { language: 'hy', script: /\p{Script=Armenian}/u, least: 0.3 },
];

/** Of characters met so far: known, a letter, and from the third bit on one more than the script's place. */
const known = new Uint8Array(0x1_0000);
const [met, letter, letterOrNot] = [1, 2, 3];

function traitsOf(point: number): number {
  const character = String.fromCodePoint(point);
  const script = scripts.findIndex((each) => each.script.test(character)) + 1;
  return met | (/\p{L}/u.test(character) ? letter : 0) | (script << 2);
}

const englishWords = new Set(
  'the of and to in is that for with as are was this be on by from it which not have has were'.split(' '),
);
