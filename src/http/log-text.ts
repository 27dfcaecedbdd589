/** Text from strangers in the log: bounded, and without anything that a terminal or a log viewer would obey. */

const charactersMax = 256;

/** `text` on one line. JSON escapes the C0 controls itself; C1 controls and the two Unicode line separators it leaves alone. */
export function loggable(text: string): string {
  return text
    .slice(0, charactersMax)
    .replace(
      /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
