/**
 * Links of a page in its blocks: their texts, known since its glyphs were collected (`link-areas.ts`), are found again in the blocks that the page
 * became. So nothing of the layout depends on links, and what is not found again stays as text alone.
 */
import { linkText } from '../../markdown/link.ts';
import type { BlockLink, PageLink, Stretch } from './link-areas.ts';
import type { PageBlock, TextBlock } from './page-blocks.ts';

/** The blocks of a page with their links. `checkTime` is called for each. Linear in the text for each link. */
export function withLinks(blocks: readonly PageBlock[], links: readonly PageLink[], checkTime: () => void): PageBlock[] {
  const texts = blocks.flatMap(textsOf);
  const finder = createFinder(texts.map(({ text }) => text).join('\n'));
  const placed: (Stretch | undefined)[] = links.map((link) => {
    checkTime();
    const start = finder.besideOthers(link);
    return start === undefined ? undefined : { ...start, target: link.target };
  });
  // What stands alone is believed where there are as many of it as links.
  const lone = Map.groupBy(
    links.filter((_, at) => placed[at] === undefined),
    ({ text }) => text,
  );
  for (const [text, some] of lone) {
    checkTime();
    const places = finder.all(text, some.length);
    for (const [at, place] of places.entries()) placed.push({ ...place, target: some[at]!.target });
  }
  return attached(blocks, texts, placed);
}

type BlockText = { readonly text: string; readonly block: number; readonly row: number; readonly column: number };

function textsOf(block: PageBlock, at: number): BlockText[] {
  if (block.kind === 'text') return [{ text: block.text, block: at, row: 0, column: 0 }];
  if (block.kind === 'code') return [];
  return block.rows.flatMap((cells, row) => cells.map((text, column) => ({ text, block: at, row, column })));
}

type Place = { readonly start: number; readonly end: number };

function createFinder(all: string): {
  besideOthers(link: PageLink): Place | undefined;
  /** Places of the text that nobody has, if they are so many. */
  all(text: string, count: number): Place[];
} {
  const taken = new Uint8Array(all.length);
  const take = (place: Place): Place => {
    taken.fill(1, place.start, place.end);
    return place;
  };
  const isFree = ({ start, end }: Place): boolean => taken[start] === 0 && taken[end - 1] === 0;
  const find = (before: string, text: string, after: string): Place | undefined => {
    for (let at = all.indexOf(before + text + after); at !== -1; at = all.indexOf(before + text + after, at + 1)) {
      const place = { start: at + before.length, end: at + before.length + text.length };
      if (isFree(place)) return take(place);
    }
    return undefined;
  };
  return {
    besideOthers({ text, before, after }) {
      const whole = before === '' && after === '' ? undefined : find(before, text, after);
      if (whole !== undefined) return whole;
      if (isTelling(after)) {
        const place = find('', text, after);
        if (place !== undefined) return place;
      }
      if (!isTelling(before)) return undefined;
      // A word that a hyphen broke at the end of its line is mended.
      return find(before, text, '') ?? (/\p{L}[-\u00ad\u2010]$/u.test(text) ? find(before, text.slice(0, -1), '') : undefined);
    },
    all(text, count) {
      const places: Place[] = [];
      for (let at = all.indexOf(text); at !== -1 && places.length <= count; at = all.indexOf(text, at + text.length)) {
        const place = { start: at, end: at + text.length };
        if (isFree(place)) places.push(place);
      }
      return places.length === count ? places.map(take) : [];
    },
  };
}

/** A sign or two stand beside anything. */
function isTelling(beside: string): boolean {
  return beside.trim().length > 2;
}

function attached(
  blocks: readonly PageBlock[],
  texts: readonly BlockText[],
  placed: readonly (Stretch | undefined)[],
): PageBlock[] {
  const byBlock = new Map<number, BlockLink[]>();
  const ordered = placed.filter((place) => place !== undefined).sort((one, other) => one.start - other.start);
  let [next, start] = [0, 0];
  for (const { text, block, row, column } of texts) {
    const end = start + text.length;
    for (; next < ordered.length && ordered[next]!.end <= end; next++) {
      const place = ordered[next]!;
      const link = { start: place.start - start, end: place.end - start, target: place.target, row, column };
      byBlock.set(block, [...(byBlock.get(block) ?? []), link]);
    }
    start = end + 1;
  }
  return blocks.map((block, at) => {
    const links = byBlock.get(at);
    return links === undefined || block.kind === 'code' ? block : { ...block, links };
  });
}

/** Of a text that goes on in another: what both lead to, where they stand in the whole. */
export function joinedLinks(above: TextBlock, below: TextBlock, whole: string): Pick<TextBlock, 'links'> {
  const shift = whole.length - below.text.length;
  const links = [
    // A hyphen at its end may be gone.
    ...(above.links ?? []).map((link) => ({ ...link, end: Math.min(link.end, shift) })),
    ...(below.links ?? []).map((link) => ({ ...link, start: link.start + shift, end: link.end + shift })),
  ];
  return links.length === 0 ? {} : { links };
}

/** The text of a block, or of a cell, with its links as Markdown writes them. */
export function linkedText(text: string, links: readonly BlockLink[] | undefined, row = 0, column = 0): string {
  if (links === undefined) return text;
  let [written, done] = ['', 0];
  for (const { start, end, target } of joined(
    text,
    links.filter((link) => link.row === row && link.column === column),
  )) {
    const label = text.slice(start, end);
    written += text.slice(done, start) + (isPartOf(label, target) ? label : linkText(label, target));
    done = end;
  }
  return written + text.slice(done);
}

/** A link that goes over several lines is one area a line. */
function joined(text: string, links: readonly BlockLink[]): Stretch[] {
  const whole: Stretch[] = [];
  for (const link of links.toSorted((one, other) => one.start - other.start)) {
    const before = whole.at(-1);
    if (before?.target === link.target && text.slice(before.end, link.start).trim() === '')
      whole[whole.length - 1] = { ...before, end: link.end };
    else whole.push(link);
  }
  return whole;
}

/** An address that is written out, over several lines or a piece of it. */
function isPartOf(label: string, target: string): boolean {
  const bare = label.replace(/\s+/g, '');
  return /[./@]/.test(bare) && target.toLowerCase().includes(bare.toLowerCase());
}
