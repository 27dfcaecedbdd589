/** What workbooks of every format say alike: strings that many cells share, comments, and remarks on what was found. */
import type { Repeats } from '../../repeats.ts';

/** Each string whole the first time; one that fills a million cells is not. */
export function shownStrings(strings: readonly string[], repeats: Repeats): (index: number) => string {
  const isShown = new Uint8Array(strings.length);
  return (index) => {
    const text = strings[index] ?? '';
    if (isShown[index] === 1) return repeats.again(text);
    isShown[index] = 1;
    return repeats.first(text);
  };
}

/** Of a name, which stands before each of its comments. */
export const authorCharactersMax = 200;

/** A comment as a paragraph, '' for one that says nothing. `reference` is its cell. */
export function commentText(reference: string | undefined, author: string, text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  // Programs begin a note with its author's name.
  const body = plain.startsWith(`${author}:`) ? plain.slice(author.length + 1).trim() : plain;
  return body === '' ? '' : `Comment on ${reference ?? '?'}${author === '' ? '' : ` (${author})`}: ${body}`;
}

/** Sentences about hidden sheets and about formulas without a value. */
export function remarks(hidden: readonly string[], formulas: number): string[] {
  return [
    ...(hidden.length === 0 ? [] : [`Hidden sheets were read too: ${hidden.slice(0, 20).join(', ')}`]),
    ...(formulas === 0
      ? []
      : [`${formulas} formula(s) have no saved value and are left empty: open and save the file in its program`]),
  ];
}
