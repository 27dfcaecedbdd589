/**
 * Which blocks are headings, and of which level: from the outline where a bookmark names the block, otherwise from type that
 * stands out against the body of the whole document, not from any bold line.
 */
import { type Look, type PageBlock, type TextBlock } from './page-blocks.ts';

/** A bookmark of the document. */
export type Bookmark = {
  readonly title: string;
  /** 0 is outermost. */ readonly depth: number;
};

/** The level, 1–6, of each block that is a heading. */
export function headingLevels(blocks: readonly PageBlock[], bookmarks: readonly Bookmark[]): Map<PageBlock, number> {
  const texts = blocks.filter((block) => block.kind === 'text');
  const body = bodyLook(blocks);
  const outline = outlineDepths(bookmarks);
  const byOutline = new Map<TextBlock, number>();
  const candidates: TextBlock[] = [];
  for (const [index, block] of texts.entries()) {
    const depth = outline.size === 0 || block.lineCount > 4 ? undefined : outline.get(keyOf(fullText(block)));
    if (depth !== undefined && (block.size >= body.size * 0.98 || block.bold)) byOutline.set(block, depth);
    else if (standsOut(block, body) && isTitleLike(block, texts[index + 1])) candidates.push(block);
  }
  const levels = levelsOf(candidates, byOutline, body);
  return new Map([...levels].sort(([one], [other]) => one.page - other.page));
}

/** The block's text with its marker, which in a heading is its number. */
export function fullText(block: TextBlock): string {
  return block.marker === undefined ? block.text : `${block.marker.symbol} ${block.text}`;
}

/** The size in which most characters are set, and whether most are bold. */
function bodyLook(blocks: readonly PageBlock[]): Look {
  const sizes = new Map<number, number>();
  const count = (size: number, weight: number) =>
    sizes.set(Math.round(size * 2) / 2, (sizes.get(Math.round(size * 2) / 2) ?? 0) + weight);
  let bold = 0;
  let all = 0;
  for (const block of blocks) {
    if (block.kind === 'table')
      count(
        block.size,
        block.rows.flat().reduce((sum, cell) => sum + cell.length, 0),
      );
    if (block.kind !== 'text') continue;
    // Long blocks are prose; many short ones may be labels.
    const weight = block.text.length * (block.lineCount >= 2 ? 2 : 1);
    count(block.size, weight);
    all += weight;
    if (block.bold) bold += weight;
  }
  const size = [...sizes].reduce((most, each) => (each[1] > most[1] ? each : most), [10, 0] as [number, number])[0];
  return { size, bold: bold * 2 > all, italic: false, mono: false };
}

function standsOut(block: TextBlock, body: Look): boolean {
  if (block.mono) return false;
  if (block.size >= body.size * 1.14 + 0.2) return true;
  if (block.size < body.size * 0.97 - 0.3) return false;
  return block.bold && !body.bold;
}

/** Short, not a sentence, with letters, and not a lone number or formula. */
function isTitleLike(block: TextBlock, next: TextBlock | undefined): boolean {
  const text = fullText(block);
  if (block.lineCount > 3 || text.length > 160) return false;
  if ((text.match(/\p{L}/gu)?.length ?? 0) < 2) return false;
  if (/[.。,，;；:：]$/.test(text) && !/^\d+(\.\d+)*\.?$/.test(text)) return false;
  if (block.marker !== undefined && block.marker.number === null) return false;
  if (/^(figure|fig\.|table|图|表)\s*\d/i.test(text)) return false;
  // A heading announces something: alone at the end it is a label or a signature.
  return next !== undefined || block.lineCount === 1;
}

/** Bookmark titles by their letters; ambiguous depths take the outermost. */
function outlineDepths(bookmarks: readonly Bookmark[]): Map<string, number> {
  const depths = new Map<string, number>();
  for (const { title, depth } of bookmarks) {
    const key = keyOf(title);
    if (key.length >= 2) depths.set(key, Math.min(depth, depths.get(key) ?? depth));
  }
  return depths;
}

/** Letters only: numbering and punctuation differ between outline and page. */
function keyOf(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/^[\d.\s]+/, '')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Larger looks come before smaller ones, bold before plain; a section number says how deep it lies. */
function levelsOf(candidates: readonly TextBlock[], byOutline: ReadonlyMap<TextBlock, number>, body: Look): Map<TextBlock, number> {
  const looks = new Map<string, TextBlock>();
  for (const block of candidates) looks.set(lookKey(block), block);
  const ranked = [...looks.values()]
    .sort((one, other) => other.size - one.size || Number(other.bold) - Number(one.bold))
    .map(lookKey);
  const levels = new Map<TextBlock, number>();
  const largest = candidates.reduce((most, block) => Math.max(most, block.size), 0);
  for (const block of candidates) {
    const rank = ranked.indexOf(lookKey(block)) + 1;
    const depth = numberDepth(fullText(block));
    const level = depth === 0 ? rank : depth + (block.size > body.size * 1.14 && rank === 1 ? 0 : 1);
    levels.set(block, Math.min(6, Math.max(1, level)));
  }
  for (const [block, depth] of byOutline)
    levels.set(block, Math.min(6, depth + 1 + (ranked.length > 0 && largest > block.size * 1.2 ? 1 : 0)));
  return levels;
}

function lookKey(block: Look): string {
  return `${Math.round(block.size)} ${block.bold}`;
}

/** `2` → 1, `2.3` → 2; 0 without a number. */
function numberDepth(text: string): number {
  const number = /^(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s/.exec(text);
  return number === null ? 0 : number[1]!.split('.').length;
}
