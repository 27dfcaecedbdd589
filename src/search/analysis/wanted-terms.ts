/**
 * The few terms that a text is read for, and what tells at a glance that something in it is none of them: most of what reading costs is to make a
 * string of each word, to stem and to look up.
 */
import { hanFold } from './han-fold.ts';

const [a, i, y] = [0x61, 9, 25];
/** The bit by which a small ASCII letter differs from the large one. */
const smallLetter = 0x20;
/** Letters by their place in the alphabet from 1 on, and 0 where a word has ended. */
const letters = 27;
const anyLetter: readonly number[] = Array.from({ length: letters }, (_, letter) => letter);

export class WantedTerms {
  readonly #terms: ReadonlySet<string>;
  /** What words of ASCII letters may begin with, by three letters. */
  readonly #beginnings = new Bits();
  /** The units in terms. */
  readonly #units = new Bits();
  /** Whether some term may be one of what stands beside words but for names like `Node.js`. */
  readonly #areSomeValues: boolean;

  constructor(terms: Iterable<string>) {
    this.#terms = new Set(terms);
    for (const term of this.#terms) {
      this.#addBeginnings(term);
      for (let at = 0; at < term.length; at++) this.#units.add(term.charCodeAt(at));
    }
    this.#areSomeValues = this.#terms.values().some((term) => /[\d+#]/.test(term));
  }

  has(term: string): boolean {
    return this.#terms.has(term);
  }

  /** False for a word of ASCII letters that surely is none: a stem begins as its word does, but that a `y` may become an `i`. */
  mayBeWord(text: string, from: number, to: number): boolean {
    let beginning = 0;
    for (let at = from; at < from + 3; at++)
      beginning = beginning * letters + (at < to ? (text.charCodeAt(at) | smallLetter) - a + 1 : 0);
    return this.#beginnings.has(beginning);
  }

  /** False for a character of a script without spaces that surely is in none. `unit`: its first UTF-16 unit. */
  mayHaveCharacter(unit: number): boolean {
    return unit < 0x3400 || unit > 0x9fff || this.#units.has(hanFold[unit]!);
  }

  /** False for a text of whose numbers, dates, quantities and identifiers (`values.ts`) none is wanted. */
  mayHaveValues(text: string): boolean {
    return this.#areSomeValues || lettersAsValue.test(text);
  }

  #addBeginnings(term: string): void {
    if (!/^[a-z]+$/.test(term)) return;
    const [firsts, seconds, thirds] = [0, 1, 2].map((at) => lettersAt(term, at)) as [Letters, Letters, Letters];
    for (const first of firsts)
      for (const second of seconds) for (const third of thirds) this.#beginnings.add((first * letters + second) * letters + third);
  }
}

type Letters = readonly number[];

/** What a word may have where its stem has this. */
function lettersAt(term: string, at: number): Letters {
  if (at >= term.length) return anyLetter;
  const letter = term.charCodeAt(at) - a + 1;
  return letter === i ? [i, y] : [letter];
}

/** Numbers that are surely not among some others, and most of those that are not. Half a kilobyte, since it is made several times a question. */
class Bits {
  readonly #words = new Uint32Array(bitsCount / 32);

  add(number: number): void {
    this.#words[(number % bitsCount) >>> 5]! |= 1 << (number & 31);
  }

  has(number: number): boolean {
    return ((this.#words[(number % bitsCount) >>> 5]! >>> (number & 31)) & 1) === 1;
  }
}

const bitsCount = 4096;

/** Values that may be of letters alone, of any width: `node.js`, and numbers to the base of sixteen. */
const lettersAsValue = /[a-zａ-ｚ][.．][a-zａ-ｚ]|[0０][xｘ]/iu;
