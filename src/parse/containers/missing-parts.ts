/** Parts that a package names and does not have, as far as they could say something: named in one sentence, each once. */

export type MissingParts = {
  /** A part by the path that names it. */
  add(path: string): void;
  warnings(): string[];
};

const namedMax = 20;
/** Of those that are told apart: a list may name any number. */
const knownMax = 10_000;
const pathCharactersMax = 200;

export function createMissingParts(): MissingParts {
  const known = new Set<string>();
  return {
    add(path) {
      const name = path.replace(/\s+/g, ' ').trim().slice(0, pathCharactersMax);
      if (name !== '' && known.size < knownMax) known.add(name);
    },
    warnings() {
      if (known.size === 0) return [];
      const more = known.size > namedMax ? ` and ${known.size - namedMax} more` : '';
      return [`Parts that the file names and does not have: ${[...known].slice(0, namedMax).join(', ')}${more}`];
    },
  };
}
