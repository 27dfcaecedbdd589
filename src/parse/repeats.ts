/**
 * Text that a file holds once and shows in many places: a shared string, a merged cell, a note. Written out each time it can be
 * found in each place; but a few kilobytes may ask for gigabytes, so what is repeated has a budget that grows with what is not.
 */

/** Repeats within the budget are whole, past it this long. */
const repeatedCharactersMax = 200;
const budgetBase = 1_000_000;
const budgetPerCharacter = 4;

export interface Repeats {
  /** Counts a text that is shown for the first time, and gives it back. */
  readonly first: (text: string) => string;
  /** The text for one more place, shortened when the budget is spent. */
  readonly again: (text: string) => string;
}

/** One budget for a whole file. */
export function createRepeats(): Repeats {
  let left = budgetBase;
  return {
    first(text) {
      left += text.length * budgetPerCharacter;
      return text;
    },
    again(text) {
      if (text.length <= repeatedCharactersMax) return text;
      if (text.length > left) return `${text.slice(0, repeatedCharactersMax)}…`;
      left -= text.length;
      return text;
    },
  };
}
