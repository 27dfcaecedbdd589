/** Names that look like those of settings and are none: what somebody set with them has no effect, and nothing else would say so. */
import { settingsTable } from './config.ts';
import { editDistance } from './edit-distance.ts';

/** A shorter name is near to too many others that have nothing to do with this program. */
const lettersMin = 5;
/** Of such a length a name may differ in two letters. */
const lettersOfTwo = 10;

/**
 * A sentence for each variable of `env` that is no setting and is written almost as one is. It may be another program's, so it is told and no
 * start is refused for it. Pure.
 */
export function misspeltSettings(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = settingsTable().map(({ name }) => name);
  return Object.keys(env)
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name, known);
      return meant === null ? [] : [`${name} is no setting; did you mean ${meant}?`];
    });
}

function nearest(name: string, known: readonly string[]): string | null {
  const [closest] = known
    .filter((one) => one.length >= lettersMin)
    .map((one) => ({ one, slips: slipsBetween(letters(name), letters(one)) }))
    .toSorted((a, b) => a.slips - b.slips);
  return closest === undefined || closest.slips > (letters(closest.one).length < lettersOfTwo ? 1 : 2) ? null : closest.one;
}

/** Names of very different lengths are not compared: one of them is a stranger's and may be long. */
function slipsBetween(a: string, b: string): number {
  return Math.abs(a.length - b.length) > 2 ? Infinity : editDistance(a, b);
}

function letters(name: string): string {
  return name.toUpperCase().replaceAll(/[_-]/g, '');
}
