/**
 * Links of a page in its blocks: their texts, known since its glyphs were collected (`link-areas.ts`), are found again in the blocks that the page
 * became. So nothing of the layout depends on links, and what is not found again, or may be at several places, stays as text alone.
 */
import { linkText } from '../../markdown/link.ts';
import { createRepeats } from '../../repeats.ts';
import type { BlockLink, PageLink, Stretch } from './link-areas.ts';
import type { PageBlock, TableBlock, TextBlock } from './page-blocks.ts';

/** The address for one more link of a document; none where a long one was written too often. */
export type Addresses = (target: string) => string | undefined;

/** One for a whole document: what its blocks keep is one string for each address. */
export function createAddresses(): Addresses {
  const repeats = createRepeats();
  const known = new Map<string, string>();
  return (target) => {
    const address = known.get(target);
    if (address !== undefined) return repeats.again(address) === address ? address : undefined;
    known.set(target, target);
    return repeats.first(target);
  };
}

/** The blocks of a page with their links. `checkTime` is called for each. Linear in the text for each link. */
export function withLinks(
  blocks: readonly PageBlock[],
  links: readonly PageLink[],
  { addresses, checkTime }: { readonly addresses: Addresses; readonly checkTime: () => void },
): PageBlock[] {
  const texts = blocks.flatMap(textsOf);
  const finder = createFinder(texts.map(({ text }) => text).join('\n'));
  const placed: Stretch[] = [];
  let left = links;
  for (const way of ways) {
    const missed: (readonly PageLink[])[] = [];
    for (const alike of Map.groupBy(left, keyOf(way)).values()) {
      checkTime();
      const wanted = way(alike[0]!);
      const places = wanted === null ? [] : finder.all(wanted, alike.length);
      if (places.length === 0) missed.push(alike);
      for (const [at, place] of places.entries()) {
        const target = addresses(alike[at]!.target);
        if (target !== undefined) placed.push({ ...place, target });
      }
    }
    left = missed.flat();
  }
  return attached(blocks, texts, placed);
}

type BlockText = { readonly text: string; readonly block: number; readonly row: number; readonly column: number };

function textsOf(block: PageBlock, at: number): BlockText[] {
  if (block.kind !== 'table') return [{ text: block.text, block: at, row: 0, column: 0 }];
  return block.rows.flatMap((cells, row) => cells.map((text, column) => ({ text, block: at, row, column })));
}

/** A text and what stands beside it. */
type Wanted = Omit<PageLink, 'target'>;

/** What of a link is looked for, what tells most first; null where that tells too little. */
const ways: readonly ((link: PageLink) => Wanted | null)[] = [
  (link) => (link.before === '' && link.after === '' ? null : link),
  ({ text, after }) => (isTelling(after) ? { before: '', text, after } : null),
  ({ text, before }) => (isTelling(before) ? { before, text, after: '' } : null),
  // A word that a hyphen broke at the end of its line is mended.
  ({ text, before }) =>
    isTelling(before) && /\p{L}[-\u00ad\u2010]$/u.test(text) ? { before, text: text.slice(0, -1), after: '' } : null,
  ({ text }) => ({ before: '', text, after: '' }),
];

/** A sign or two stand beside anything. */
function isTelling(beside: string): boolean {
  return beside.trim().length > 2;
}

function keyOf(way: (link: PageLink) => Wanted | null): (link: PageLink) => string {
  return (link) => {
    const wanted = way(link);
    return wanted === null ? '' : `${wanted.before}\n${wanted.text}\n${wanted.after}`;
  };
}

type Place = { readonly start: number; readonly end: number };

function createFinder(all: string): {
  /** Places of the text that nobody has, if they are so many: any other number leaves open which of them are meant. */
  all(wanted: Wanted, count: number): Place[];
} {
  const taken = new Uint8Array(all.length);
  return {
    all({ before, text, after }, count) {
      const whole = before + text + after;
      const places: Place[] = [];
      for (let at = all.indexOf(whole); at !== -1 && places.length <= count; at = all.indexOf(whole, at + text.length)) {
        const place = { start: at + before.length, end: at + before.length + text.length };
        if (!taken.subarray(place.start, place.end).includes(1)) places.push(place);
      }
      if (places.length !== count) return [];
      for (const { start, end } of places) taken.fill(1, start, end);
      return places;
    },
  };
}

function attached(blocks: readonly PageBlock[], texts: readonly BlockText[], placed: readonly Stretch[]): PageBlock[] {
  const byBlock = new Map<number, BlockLink[]>();
  const ordered = placed.toSorted((one, other) => one.start - other.start);
  let [next, start] = [0, 0];
  for (const { text, block, row, column } of texts) {
    const end = start + text.length;
    for (; next < ordered.length && ordered[next]!.end <= end; next++) {
      const place = ordered[next]!;
      const link = { start: place.start - start, end: place.end - start, target: place.target, row, column };
      const known = byBlock.get(block);
      if (known === undefined) byBlock.set(block, [link]);
      else known.push(link);
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

/** The cells of a table with their links. */
export function linkedRows({ rows, links }: TableBlock): readonly (readonly string[])[] {
  if (links === undefined) return rows;
  const ofCells = Map.groupBy(links, ({ row, column }) => `${row} ${column}`);
  return rows.map((cells, row) => cells.map((text, column) => linkedText(text, ofCells.get(`${row} ${column}`))));
}

/** The text of a block, or of a cell, with its links as Markdown writes them. */
export function linkedText(text: string, links: readonly BlockLink[] | undefined): string {
  if (links === undefined) return text;
  let [written, done] = ['', 0];
  for (const { start, end, target } of joined(text, links)) {
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
