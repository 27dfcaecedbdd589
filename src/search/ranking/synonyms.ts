/** Words that stand for each other in a collection: a question that has one of a group is looked for by the others too. Pure. */
import { type Token, termsOf } from '../analysis/tokens.ts';

/** A term of a word that is looked for beside one of the question's. */
export type SynonymTerm = { readonly term: string; readonly of: string };

/** Terms that one question may get by synonyms. */
const termsMax = 256;

/**
 * The terms of the other members of each group that has a member in the question. Case, width and composition do not matter; a member of
 * letters must stand as words of its own. Linear in the question and the groups.
 */
export function synonymTerms(query: string, groups: readonly (readonly string[])[]): SynonymTerm[] {
  if (groups.length === 0) return [];
  const question = fold(query);
  const found = new Map<string, SynonymTerm>();
  for (const group of groups) {
    const asked = group.find((member) => hasWord(question, fold(member)));
    const [of] = asked === undefined ? [] : tellingTerms(asked);
    if (of === undefined) continue;
    for (const member of group)
      if (member !== asked)
        for (const { term } of tellingTerms(member))
          if (found.size < termsMax && !found.has(term)) found.set(term, { term, of: of.term });
  }
  return [...found.values()];
}

function tellingTerms(text: string): readonly Token[] {
  const terms = termsOf(text);
  const telling = terms.filter(({ kind }) => kind !== 'stop');
  return telling.length > 0 ? telling : terms;
}

function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim();
}

function hasWord(question: string, member: string): boolean {
  if (member === '') return false;
  for (let at = question.indexOf(member); at >= 0; at = question.indexOf(member, at + 1)) {
    const before = question.slice(0, at).at(-1) ?? ' ';
    const after = question[at + member.length] ?? ' ';
    if (!(isLetter(before) && isLetter(member[0]!)) && !(isLetter(after) && isLetter(member.at(-1)!))) return true;
  }
  return false;
}

/** Of a script that writes words apart. */
function isLetter(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character) && !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(character);
}
