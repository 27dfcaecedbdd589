/** The headings of a whole document, for its table of contents; of a workbook these are its sheets. Pure. */
import { blocksOf } from './blocks.ts';

export type OutlineEntry = {
  /** UTF-16 offset into the text. */
  readonly start: number;
  /** From 0 for the outermost of this document. */
  readonly depth: number;
  readonly title: string;
};

/** Of a longer document the first headings are listed. */
export const outlineEntriesMax = 2000;

export function outlineOf(text: string): readonly OutlineEntry[] {
  const headings = blocksOf(text)
    .flatMap((block) => (block.kind === 'heading' ? [block] : []))
    .slice(0, outlineEntriesMax);
  const least = Math.min(...headings.map(({ level }) => level));
  return headings.map(({ start, level, leaf }) => ({
    start,
    depth: level - least,
    title: leaf.map(([from, to]) => text.slice(from, to)).join(''),
  }));
}
