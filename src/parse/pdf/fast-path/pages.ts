/** The pages of a plain file, and what the file says of itself (ISO 32000-1, 7.7.3, 12.3.3 and 14.3). */
import type { Bookmark } from '../layout/headings.ts';
import { targetCharactersMax } from '../../markdown/link.ts';
import { annotationsMax, areaOf, type LinkArea, linkAreasMax, linesMax } from '../layout/link-areas.ts';
import type { PageBox, View } from '../page-view.ts';
import { bookmarkDepthMax, bookmarksMax } from '../pdf-source.ts';
import type { PlainFile } from './file.ts';
import { type Dict, Name, NotPlain, Stream, type Value } from './objects.ts';

/** One page; what it does not say itself is said by the tree above it. */
export type PlainPage = {
  readonly dict: Dict;
  readonly resources: Dict;
  /** What is seen of it. */
  readonly box: PageBox;
  /** Quarter turns clockwise. */
  readonly rotation: number;
};

const treeDepthMax = 40;
const inherited = ['Resources', 'MediaBox', 'CropBox', 'Rotate'];

/** @throws NotPlain, also when the tree has another number of pages than it says, or more than `pagesMax` */
export function pagesOf(file: PlainFile, catalog: Dict, pagesMax: number): readonly PlainPage[] {
  const pages: PlainPage[] = [];
  const visit = (node: Value, above: Dict, depth: number): void => {
    if (!(node instanceof Map) || depth > treeDepthMax || pages.length >= pagesMax) throw new NotPlain('an odd tree of pages');
    const own = new Map([...above, ...inherited.flatMap((key) => (node.has(key) ? [[key, node.get(key)!] as const] : []))]);
    const kids = file.get(node, 'Kids');
    if (Array.isArray(kids)) for (const kid of kids) visit(file.resolve(kid), own, depth + 1);
    else pages.push(pageOf(file, node, own));
  };
  const root = file.get(catalog, 'Pages');
  visit(root, new Map(), 0);
  if (!(root instanceof Map) || file.get(root, 'Count') !== pages.length) throw new NotPlain('another number of pages than said');
  return pages;
}

function pageOf(file: PlainFile, dict: Dict, own: Dict): PlainPage {
  const resources = file.get(own, 'Resources');
  const media = boxOf(file, file.get(own, 'MediaBox'));
  if (media === undefined) throw new NotPlain('a page of no size');
  const crop = boxOf(file, file.get(own, 'CropBox')) ?? media;
  const box = {
    left: Math.max(media.left, crop.left),
    bottom: Math.max(media.bottom, crop.bottom),
    right: Math.min(media.right, crop.right),
    top: Math.min(media.top, crop.top),
  };
  if (box.right - box.left < 1 || box.top - box.bottom < 1) throw new NotPlain('a page of no size');
  const rotate = file.get(own, 'Rotate') ?? 0;
  if (typeof rotate !== 'number' || rotate % 90 !== 0) throw new NotPlain('an odd rotation');
  return { dict, resources: resources instanceof Map ? resources : new Map(), box, rotation: rotate / 90 };
}

function boxOf(file: PlainFile, value: Value): PageBox | undefined {
  const [x1, y1, x2, y2] = Array.isArray(value) ? value.map((each) => file.resolve(each)) : [];
  if (typeof x1 !== 'number' || typeof y1 !== 'number' || typeof x2 !== 'number' || typeof y2 !== 'number') return undefined;
  return { left: Math.min(x1, x2), bottom: Math.min(y1, y2), right: Math.max(x1, x2), top: Math.max(y1, y2) };
}

/** The bytes of all content streams of a page, with a blank between them. @param checkTime called for each; throws when the page's time is over */
export function contentOf(file: PlainFile, page: PlainPage, checkTime: () => void): Buffer {
  const value = file.get(page.dict, 'Contents');
  const streams = Array.isArray(value) ? value.map((each) => file.resolve(each)) : value === null ? [] : [value];
  return Buffer.concat(
    streams.flatMap((stream) => {
      if (!(stream instanceof Stream)) throw new NotPlain('content that is no stream');
      checkTime();
      return [file.bytesOf(stream), Buffer.from('\n')];
    }),
  );
}

/** @throws NotPlain for fields, and for text that was written onto the page: those values are PDFium's to find */
export function refuseWrittenOn(file: PlainFile, page: PlainPage): void {
  for (const annotation of annotationsOf(file, page)) {
    const subtype = file.get(annotation, 'Subtype');
    if (subtype instanceof Name && /^(?:FreeText|Widget|Stamp|FileAttachment)$/.test(subtype.text))
      throw new NotPlain('text that was written onto the page');
  }
}

/** What leads somewhere from the page (12.5.6.5): one area a line of a link's text. */
export function linkAreasOf(file: PlainFile, page: PlainPage, view: View): LinkArea[] {
  const areas: LinkArea[] = [];
  for (const annotation of annotationsOf(file, page)) {
    if (areas.length >= linkAreasMax) break;
    const action = isNamed(file, annotation, 'Subtype', 'Link') ? file.get(annotation, 'A') : null;
    if (!(action instanceof Map) || !isNamed(file, action, 'S', 'URI')) continue;
    const target = addressString(file.get(action, 'URI'));
    if (target === '') continue;
    const quads = numbersOf(file, file.get(annotation, 'QuadPoints'), 8 * linesMax);
    const rect = numbersOf(file, file.get(annotation, 'Rect'), 5);
    if (quads.length >= 8)
      for (let at = 0; at + 8 <= quads.length; at += 8) areas.push(areaOf(quads.slice(at, at + 8), view, target));
    else if (rect.length === 4) areas.push(areaOf(rect, view, target));
  }
  return areas;
}

/** Pages may share one list of a million. */
function annotationsOf(file: PlainFile, page: PlainPage): Dict[] {
  const listed = file.get(page.dict, 'Annots');
  const first = Array.isArray(listed) ? listed.slice(0, annotationsMax) : [];
  return first.map((each) => file.resolve(each)).filter((each) => each instanceof Map);
}

function isNamed(file: PlainFile, dict: Dict, key: string, name: string): boolean {
  const value = file.get(dict, key);
  return value instanceof Name && value.text === name;
}

/** Of a list that has nothing else; the first of a long one. */
function numbersOf(file: PlainFile, value: Value, most: number): number[] {
  const numbers = Array.isArray(value) ? value.slice(0, most).map((each) => file.resolve(each)) : [];
  return numbers.every((each) => typeof each === 'number') ? numbers : [];
}

/** ASCII by the standard, UTF-8 in practice; none where it is longer than any that is written. */
function addressString(value: Value): string {
  if (typeof value !== 'string' || value.length > 4 * targetCharactersMax) return '';
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** Files inside of the file are PDFium's to unpack. @throws NotPlain */
export function refuseAttachments(file: PlainFile, catalog: Dict): void {
  const names = file.get(catalog, 'Names');
  const files = names instanceof Map ? file.get(names, 'EmbeddedFiles') : null;
  // Some writers leave a list of none.
  const isListed = (key: string): boolean => files instanceof Map && ![null, 0].includes(lengthOf(file.get(files, key)));
  if (isListed('Names') || isListed('Kids')) throw new NotPlain('attached files');
}

function lengthOf(value: Value): number | null {
  return Array.isArray(value) ? value.length : value === null ? null : Infinity;
}

/** Bookmarks in their order, outermost first; the outline may loop. */
export function bookmarksOf(file: PlainFile, catalog: Dict): Bookmark[] {
  const bookmarks: Bookmark[] = [];
  const outlines = file.get(catalog, 'Outlines');
  const stack: { readonly item: Value; readonly depth: number }[] = [];
  if (outlines instanceof Map) stack.push({ item: file.get(outlines, 'First'), depth: 0 });
  while (stack.length > 0 && bookmarks.length < bookmarksMax) {
    const { item, depth } = stack.pop()!;
    if (!(item instanceof Map) || depth > bookmarkDepthMax) continue;
    bookmarks.push({ title: textString(file.get(item, 'Title')).trim(), depth });
    stack.push({ item: file.get(item, 'Next'), depth });
    stack.push({ item: file.get(item, 'First'), depth: depth + 1 });
  }
  return bookmarks;
}

/** A text string: UTF-16 or UTF-8 with its mark, or else PDFDocEncoding (7.9.2.2). */
export function textString(value: Value): string {
  if (typeof value !== 'string') return '';
  const bytes = Buffer.from(value, 'latin1');
  if (value.startsWith('\xfe\xff')) return new TextDecoder('utf-16be').decode(bytes);
  if (value.startsWith('\xff\xfe')) return new TextDecoder('utf-16le').decode(bytes);
  if (value.startsWith('\xef\xbb\xbf')) return new TextDecoder().decode(bytes);
  return value.replace(/[^\t\n\r -~\xa1-\xff]/g, (letter) => docLetters.get(letter.charCodeAt(0)) ?? '');
}

/** PDFDocEncoding where it is not Latin-1 (annex D.2). */
const docLetters = new Map([
  ...Array.from('˘ˇˆ˙˝˛˚˜', (letter, index) => [0x18 + index, letter] as const),
  ...Array.from('•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž', (letter, index) => [0x80 + index, letter] as const),
  [0xa0, '€'] as const,
]);
