/** Text for the search benchmark: the same for the same seed. */

export type MadeText = { words(count: number): string };

const vocabulary = 50_000;

/** Made words, as common as Zipf says: the 100 commonest fill half of the text, 50,000 others the rest. */
export function createText(seed: number): MadeText {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    words: (count) => Array.from({ length: count }, () => word(Math.floor(Math.exp(random() * Math.log(vocabulary))))).join(' '),
  };
}

const syllables = 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' ');

function word(rank: number): string {
  let rest = rank + 400;
  let made = '';
  while (rest > 0) {
    made += syllables[rest % syllables.length]!;
    rest = Math.floor(rest / syllables.length);
  }
  return made;
}

/** The texts of one document of the benchmark. */
export function documentTexts(text: MadeText, chunks: number): string[] {
  return Array.from({ length: chunks }, () => text.words(180));
}

/** Question number `i`: 2 to 8 words, as common as words are. */
export function question(text: MadeText, i: number): string {
  return text.words(2 + (i % 7));
}
