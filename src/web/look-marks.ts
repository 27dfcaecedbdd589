/** Where a passage stands on a page of which the server knows the places of its texts: boxes as shares of the page. */
import { locatePassage, type Span } from './passage.ts';
import type { WirePageLook } from './wire.ts';

export type LookMark = {
  readonly kind: 'passage' | 'word';
  /** 0–1, of the page's width and height. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};

/** Empty when the passage is not on this page. */
export function marksOn(
  { texts, width, height }: WirePageLook,
  passage: { readonly text: string; readonly highlights: readonly (readonly [number, number])[] },
): readonly LookMark[] {
  const located = locatePassage(
    texts.map(({ text }) => text),
    passage.text,
    passage.highlights,
  );
  const toMark =
    (kind: LookMark['kind']) =>
    ({ item, start, end }: Span): LookMark[] => {
      const found = texts[item];
      if (found === undefined) return [];
      const [left = 0, top = 0, right = 0, bottom = 0] = found.box;
      // Of a word that is marked in part: as far as its letters are as wide as one another.
      const share = (at: number): number => Math.min(1, at / Math.max(1, found.text.length));
      const from = left + (right - left) * share(start);
      const to = left + (right - left) * share(end);
      return [{ kind, left: from / width, top: top / height, width: (to - from) / width, height: (bottom - top) / height }];
    };
  return [...located.passage.flatMap(toMark('passage')), ...located.words.flatMap(toMark('word'))];
}

/** One element over a page for all marks; null when there are none. */
export function drawMarks(marks: readonly LookMark[]): HTMLElement | null {
  if (marks.length === 0) return null;
  const host = document.createElement('div');
  host.className = 'marks';
  for (const { kind, left, top, width, height } of marks) {
    const mark = document.createElement('div');
    mark.className = `mark-${kind}`;
    mark.style.left = `${left * 100}%`;
    mark.style.top = `${top * 100}%`;
    mark.style.width = `${width * 100}%`;
    mark.style.height = `${height * 100}%`;
    host.append(mark);
  }
  return host;
}
