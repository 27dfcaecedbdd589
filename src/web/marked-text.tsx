/** Text with parts of it marked, by offsets on text nodes: nothing that a server sends is ever read as HTML. */
import type { VNode } from 'preact';

export type MarkRange = readonly [start: number, end: number];

type Props = {
  readonly text: string;
  /** UTF-16 offsets into `text`, in order; what overlaps or lies outside is left out. */
  readonly ranges: readonly MarkRange[];
  /** Applied to what stands between the marks, for show. */
  readonly dress?: (piece: string) => string;
};

export function MarkedText({ text, ranges, dress = (piece) => piece }: Props): VNode {
  const parts: (string | VNode)[] = [];
  let at = 0;
  for (const [start, end] of ranges) {
    if (start < at || end > text.length || end <= start) continue;
    parts.push(dress(text.slice(at, start)), <mark key={start}>{text.slice(start, end)}</mark>);
    at = end;
  }
  parts.push(dress(text.slice(at)));
  return <>{parts}</>;
}

/** Without the marks of Markdown that say nothing in a few lines of running text: rules under table heads, hashes of headings. */
export function withoutRules(piece: string): string {
  return piece.replace(/\|(?: ?:?-{3,}:? ?\|)+/g, '').replace(/(^|\n)#{1,6} /g, '$1');
}

export type Excerpt = { readonly text: string; readonly ranges: readonly MarkRange[] };

/** The part of a long text around its first mark, cut at blanks, at most `charactersMax` long, with the offsets moved along. */
export function excerpt(text: string, ranges: readonly MarkRange[], charactersMax: number): Excerpt {
  const first = ranges[0]?.[0] ?? 0;
  const start = first < charactersMax * 0.6 ? 0 : blankBefore(text, first - Math.floor(charactersMax * 0.25));
  const end = text.length <= start + charactersMax ? text.length : blankBefore(text, start + charactersMax);
  const lead = start === 0 ? '' : '… ';
  const moved = ranges
    .filter(([from, to]) => from >= start && to <= end)
    .map(([from, to]): MarkRange => [from - start + lead.length, to - start + lead.length]);
  return { text: `${lead}${text.slice(start, end).trimEnd()}${end < text.length ? ' …' : ''}`, ranges: moved };
}

function blankBefore(text: string, at: number): number {
  for (let step = 0; step < 24 && at - step > 0; step += 1) if (/\s/.test(text[at - step] ?? '')) return at - step + 1;
  // Never between the two halves of one character.
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at + 1 : at;
}
