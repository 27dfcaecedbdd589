/** A query as weighted index terms. */
import { tokenize, type Token } from './tokens.ts';

export type QueryTerms = {
  /** Distinct terms with how often the query has them. */
  readonly terms: ReadonlyMap<string, number>;
  readonly tokens: readonly Token[];
  /** What to mark in hits. */
  readonly marked: ReadonlySet<string>;
  /** Whether single characters are to be marked: the query has no pair. */
  readonly markChars: boolean;
};

/** Longest query that is read; the rest is ignored. */
const queryUnitsMax = 4000;
/** Distinct terms that are looked up. */
const queryTermsMax = 128;

/** Stop words are left out unless there is nothing else. */
export function queryTerms(query: string): QueryTerms {
  const all = tokenize(query.slice(0, queryUnitsMax));
  const telling = all.filter((token) => token.kind !== 'stop');
  const tokens = telling.length > 0 ? telling : all;
  const terms = new Map<string, number>();
  for (const { term } of tokens) if (terms.has(term) || terms.size < queryTermsMax) terms.set(term, (terms.get(term) ?? 0) + 1);
  return { terms, tokens, marked: new Set(terms.keys()), markChars: !tokens.some((token) => token.kind === 'pair') };
}
