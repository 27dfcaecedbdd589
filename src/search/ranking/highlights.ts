/** Which parts of a hit's text matched. */
import { scanTerms, type TokenKind } from '../analysis/tokens.ts';

/**
 * Ranges of `text` (UTF-16, end exclusive, in order, joined where they touch or overlap) whose terms are among `terms`. Single
 * characters of a script without spaces are marked only when the query had nothing longer to offer (`chars`). `onTerm` is told every term and where it begins.
 */
export function highlight(
  text: string,
  terms: ReadonlySet<string>,
  options: { readonly chars: boolean; readonly onTerm?: (term: string, start: number) => void },
): [number, number][] {
  const ranges: [number, number][] = [];
  scanTerms(text, (term, start, end, kind: TokenKind) => {
    options.onTerm?.(term, start);
    if (!terms.has(term) || (kind === 'char' && !options.chars)) return;
    ranges.push([start, end]);
  });
  return joinRanges(ranges);
}

function joinRanges(ranges: [number, number][]): [number, number][] {
  const joined: [number, number][] = [];
  for (const range of ranges.sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
    else joined.push([...range]);
  }
  return joined;
}
