/** Text that can be searched for: made sentences, the same for the same number. */

const subjects = [
  'The harbour',
  'A quiet valley',
  'Our northern office',
  'The copper mine',
  'Every night train',
  'An old lighthouse',
  'The river bridge',
];
const verbs = ['reports', 'measures', 'delivers', 'records', 'replaces', 'inspects', 'forecasts'];
const objects = [
  'grain prices',
  'steel girders',
  'weather balloons',
  'insurance claims',
  'turbine blades',
  'school budgets',
  'water levels',
];

/** One English sentence. */
export function sentence(seed: number): string {
  return `${pick(subjects, seed)} ${pick(verbs, seed * 3 + 1)} ${pick(objects, seed * 5 + 2)} in section ${seed}.`;
}

/** A word that stands on one page only, made of letters so that no tokenizer cuts it. */
export function marker(seed: number): string {
  const letters = 'bcdfghjklmnpqrstvwxz';
  return `zq${Array.from(String(seed))
    .map((digit) => `${letters[Number(digit)]}o${letters[(Number(digit) * 7 + 3) % letters.length]}a`)
    .join('')}`;
}

/** `count` lines of page `page`, the marker of the page in one of them. */
export function pageLines(page: number, count: number): string[] {
  return Array.from({ length: count }, (_, line) =>
    line === 2 ? `The code word here is ${marker(page)}.` : sentence(page * 100 + line),
  );
}

function pick(words: readonly string[], seed: number): string {
  return words[seed % words.length]!;
}
