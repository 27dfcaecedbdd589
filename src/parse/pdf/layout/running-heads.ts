/** Running heads and feet: what stands at the top or bottom of page after page is kept once, page numbers not at all. */
import { isPageNumber, withoutPageNumbers } from '../../page-number.ts';
import type { PageBlock, TextBlock } from './page-blocks.ts';

/** Pages on which a line must recur to count as running. */
const pagesMin = 3;
/** Share of the page's height, at either end, in which heads and feet stand. */
const zone = 0.12;

/**
 * The blocks without repeated heads and feet and without page numbers, in the same order. Of lines that differ in their numbers only those are the
 * same whose numbers count the pages: others are told apart by nothing but them (orders, payslips, chapters), and all are kept.
 */
export function withoutRunningHeads(blocks: readonly PageBlock[], pageCount: number): PageBlock[] {
  if (pageCount < pagesMin) return [...blocks];
  const sizeMax = medianSize(blocks) * 1.15;
  const marginal = blocks.filter((block): block is TextBlock => isMarginal(block, sizeMax));
  const dropped = new Set<PageBlock>();
  for (const alike of groupsOf(marginal, (block) => patternOf(block).replace(/\d+/g, '#'))) {
    if (isPageNumber(alike[0]!.text)) for (const block of pageNumbersOf(alike, pageCount)) dropped.add(block);
    else for (const same of sameBut(alike)) for (const block of same.slice(1)) dropped.add(block);
  }
  return blocks.filter((block) => !dropped.has(block));
}

/** A bare number counts pages where it goes up with them, or begins again in a file put together of several. */
function pageNumbersOf(alike: readonly TextBlock[], pageCount: number): readonly TextBlock[] {
  const bare = alike.filter(({ text }) => /^\d+$/.test(text));
  const usual = commonest(bare.map(({ text, page }) => Number(text) - page));
  const others = new Set(bare.filter(({ text, page }) => Number(text) > pageCount && Number(text) - page !== usual));
  return alike.filter((block) => !others.has(block));
}

/** Those of lines alike but for their numbers that say the same: word for word, or but for the numbers of their pages. */
function* sameBut(alike: readonly TextBlock[]): Generator<readonly TextBlock[]> {
  const [inStep, others] = parted(alike, stepsWith(alike));
  if (pagesOf(inStep) < pagesMin) return yield* groupsOf(alike, patternOf);
  yield inStep;
  yield* groupsOf(others, patternOf);
}

function parted<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const { first = [], second = [] } = Object.groupBy(all, (one) => (isFirst(one) ? 'first' : 'second'));
  return [first, second];
}

/** Groups that are on enough pages. */
function groupsOf(blocks: readonly TextBlock[], keyOf: (block: TextBlock) => string): TextBlock[][] {
  return [...Map.groupBy(blocks, keyOf).values()].filter((group) => pagesOf(group) >= pagesMin);
}

function pagesOf(blocks: readonly TextBlock[]): number {
  return new Set(blocks.map(({ page }) => page)).size;
}

/** Whether the numbers of a line that are not the same in all go up with the pages, as most of theirs do, where a page's number may stand. */
function stepsWith(alike: readonly TextBlock[]): (block: TextBlock) => boolean {
  const numbers = new Map(alike.map((block) => [block, [...block.text.matchAll(/\d+|#/g)]]));
  const [first] = numbers.values();
  const varying = first!.flatMap((_, at) => (new Set([...numbers.values()].map((each) => each[at]![0])).size > 1 ? [at] : []));
  const ahead = (block: TextBlock, at: number): number => Number(numbers.get(block)![at]![0]) - block.page;
  const usual = new Map(varying.map((at) => [at, commonest(alike.map((block) => ahead(block, at)))]));
  return (block) =>
    varying.length > 0 &&
    varying.every((at) => {
      const match = numbers.get(block)![at]!;
      return ahead(block, at) === usual.get(at) && mayCountPages(block.text, match.index, match[0].length, ahead(block, at));
    });
}

/** NaN where none is common. */
function commonest(numbers: readonly number[]): number {
  const counts = new Map<number, number>([[Number.NaN, pagesMin - 1]]);
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** A number of up to five digits that is named or set apart as a page's, or begins or ends the line and is near the count of pages. */
function mayCountPages(text: string, at: number, length: number, ahead: number): boolean {
  if (length > 5) return false;
  const [before, after] = [text.slice(0, at), text.slice(at + length)];
  const marked = withoutPageNumbers(`${before}${'1'.repeat(length)}${after}`);
  if (marked !== withoutPageNumbers(`${before}x${after}`) && marked.includes('#')) return true;
  if (/\s[-–—|]\s$/.test(before) ? after === '' : before === '' && /^\s[-–—|]\s/.test(after)) return true;
  if (ahead < -60 || ahead > 500) return false;
  if (before === '') return /^\s/.test(after);
  return after === '' && /[\p{L}\p{N}]\s+$/u.test(before) && !numbered.test(before);
}

/** What has numbers of its own. */
const numbered =
  /(?:^|[^\p{L}])(?:no|nr|number|order|invoice|customer|chapter|section|part|appendix|article|case|lesson|unit|module|exhibit|figure|table|step|day|week|month|lot|item|id|kapitel|abschnitt|teil|rechnung|auftrag)\s*$/iu;

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

/** Roman page numbers count as the same; where it stands matters to the nearest twentieth of the page. */
function patternOf(block: TextBlock): string {
  const text = (block.marker === undefined ? '' : block.marker.symbol) + block.text;
  return `${Math.round(block.top * 20)} ${text.replace(/^[ivxlc]+$/i, '#')}`;
}
