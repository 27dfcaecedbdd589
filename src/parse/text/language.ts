/** A language from a text's script, for documents that do not say theirs. */

/** BCP 47 primary tag, or null where the script alone does not tell; English by its commonest words. Looks at 20,000 characters. */
export function guessLanguage(text: string): string | null {
  const sample = text.slice(0, 20_000);
  const words = sample.match(/\p{L}+/gu) ?? [];
  const letters = words.reduce((sum, word) => sum + word.length, 0);
  if (letters < 20) return null;
  return ofScript(sample, letters) ?? (isEnglish(words) ? 'en' : null);
}

function ofScript(sample: string, letters: number): string | null {
  // Asked first because a class of one range is quick, and Latin text the most usual.
  if (count(sample, /[^\0-\u024f]/g) <= letters * 0.05) return null;
  const share = (pattern: RegExp): number => count(sample, pattern) / letters;
  if (share(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu) > 0.05) return 'ja';
  if (share(/\p{Script=Hangul}/gu) > 0.2) return 'ko';
  if (share(/\p{Script=Han}/gu) > 0.2) return 'zh';
  for (const [language, script] of oneLanguageScripts) if (share(script) > 0.3) return language;
  return null;
}

function isEnglish(words: readonly string[]): boolean {
  const english = words.filter((word) => word.length <= 5 && englishWords.has(word.toLowerCase())).length;
  return words.length >= 20 && english / words.length > 0.12;
}

const oneLanguageScripts: readonly (readonly [string, RegExp])[] = [
  ['th', /\p{Script=Thai}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['ka', /\p{Script=Georgian}/gu],
  ['hy', /\p{Script=Armenian}/gu],
];

const englishWords = new Set(
  'the of and to in is that for with as are was this be on by from it which not have has were'.split(' '),
);

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
