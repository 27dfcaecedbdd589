/** Which parts of a hit's text matched. */
import { scanForTerms, type TokenKind } from '../analysis/tokens.ts';
import { WantedTerms } from '../analysis/wanted-terms.ts';

/**
 * Ranges of `text` (UTF-16, end exclusive, in order, joined where they touch or overlap) whose terms are among `terms`. Single
 * characters of a script without spaces are marked only when the query had nothing longer to offer (`chars`). `onTerm` is told every term of `wanted`,
 * which `terms` are among, and where it begins.
 */
export function highlight(text: string, terms: ReadonlySet<string>, options: HighlightOptions): [number, number][] {
  const { chars, wanted = new WantedTerms(terms), onTerm } = options;
  const ranges: [number, number][] = [];
  scanForTerms(text, wanted, (term, start, end, kind: TokenKind) => {
    if (wanted.has(term)) onTerm?.(term, start);
    if (!terms.has(term) || (kind === 'char' && !chars)) return;
    ranges.push([start, end]);
  });
  return joinRanges(ranges);
}

type HighlightOptions = {
  readonly chars: boolean;
  readonly wanted?: WantedTerms;
  readonly onTerm?: (term: string, start: number) => void;
};

function joinRanges(ranges: [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const range of ranges.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else joined.push([...range]);
  }
  return joined;
}
