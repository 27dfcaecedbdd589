/** Running heads and feet: what stands at the top or bottom of page after page is kept once, page numbers not at all. */
import { isPageNumber } from '../../page-number.ts';
import type { PageBlock, TextBlock } from './page-blocks.ts';

/** Pages on which a line must recur to count as running. */
const pagesMin = 3;
/** Share of the page's height, at either end, in which heads and feet stand. */
const zone = 0.12;

/** The blocks without repeated heads and feet and without page numbers, in the same order. */
export function withoutRunningHeads(blocks: readonly PageBlock[], pageCount: number): PageBlock[] {
  if (pageCount < pagesMin) return [...blocks];
  const sizeMax = medianSize(blocks) * 1.15;
  const pages = new Map<string, Set<number>>();
  for (const block of blocks) {
    if (!isMarginal(block, sizeMax)) continue;
    const key = patternOf(block);
    const seen = pages.get(key);
    if (seen === undefined) pages.set(key, new Set([block.page]));
    else seen.add(block.page);
  }
  const kept = new Set<string>();
  return blocks.filter((block) => {
    if (!isMarginal(block, sizeMax)) return true;
    const key = patternOf(block);
    if ((pages.get(key)?.size ?? 0) < pagesMin) return true;
    if (isPageNumber(block.text) || kept.has(key)) return false;
    kept.add(key);
    return true;
  });
}

/** Larger type is a title, of a slide perhaps, even when it recurs. */
function isMarginal(block: PageBlock, sizeMax: number): block is TextBlock {
  return (
    block.kind === 'text' &&
    block.size <= sizeMax &&
    block.lineCount <= 3 &&
    block.text.length <= 200 &&
    (block.bottom <= zone || block.top >= 1 - zone)
  );
}

function medianSize(blocks: readonly PageBlock[]): number {
  const sizes = blocks.flatMap((block) => (block.kind === 'text' ? [block.size] : [])).sort((one, other) => one - other);
  return sizes[Math.floor(sizes.length / 2)] ?? 0;
}

/** Digits and Roman page numbers count as the same; where it stands matters to the nearest twentieth of the page. */
function patternOf(block: TextBlock): string {
  const text = (block.marker === undefined ? '' : block.marker.symbol) + block.text;
  return `${Math.round(block.top * 20)} ${text.replace(/\d+/g, '#').replace(/^[ivxlc]+$/i, '#')}`;
}
