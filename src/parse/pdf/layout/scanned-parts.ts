/**
 * What OCR reads of pages that have text: large pictures without text over them, each put where it stands, or whatever of the whole page
 * the text does not say. Nothing here ends a document: what cannot be read is named in a warning.
 */
import { DocumentError } from '../../../errors.ts';
import type { Ocr, SeenText } from '../../images/ocr.ts';
import { asChineseIsWritten } from '../../images/seen-page.ts';
import type { PlacedText } from '../../parser.ts';
import type { SeenBox, TextCover } from './text-cover.ts';

/** What was seen in a place of a page: paragraphs lie between empty lines. */
export type SeenPart = SeenBox & { readonly text: string };

/** A picture of a place of a page; null where nobody can make one. */
export type PartPicture = SeenBox & { readonly picture: () => Promise<Uint8Array | null> | Uint8Array | null };

/** Of a picture: with more text over it, it is a background, or a scan whose text is known. */
const coverMax = 0.01;
/** Of one page. */
const partsMax = 4;

/** Those of the large pictures of a page that are read beside its text, from top to bottom; of those that lie upon each other the first. */
export function scannedParts<Part extends SeenBox>(pictures: readonly Part[], cover: TextCover): Part[] {
  const parts: Part[] = [];
  for (const picture of pictures) {
    if (parts.length === partsMax) break;
    if (cover.share(picture) <= coverMax && !parts.some((part) => lieUpon(part, picture))) parts.push(picture);
  }
  return parts.toSorted((one, other) => one.top - other.top);
}

function lieUpon(one: SeenBox, other: SeenBox): boolean {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return across > 0 && down > 0 && across * down * 2 > Math.min(areaOf(one), areaOf(other));
}

function areaOf({ left, top, right, bottom }: SeenBox): number {
  return (right - left) * (bottom - top);
}

export type PartsOptions = {
  readonly ocr: Pick<Ocr, 'read'>;
  readonly page: number;
  readonly warnings: string[];
  /** Called behind each picture. */
  readonly onRead: () => void;
};

/** What is seen in each. @throws DocumentError that may end otherwise another time */
export async function readParts(parts: readonly PartPicture[], options: PartsOptions): Promise<SeenPart[]> {
  const seen: SeenPart[] = [];
  for (const { picture, ...box } of parts) {
    const { text } = await readPicture(picture, options);
    const said = paragraphsOf(text).filter(saysSomething).join('\n\n');
    if (said !== '') seen.push({ ...box, text: said });
  }
  return seen;
}

/** What is seen of a whole page and its text does not have already. Errors as above. */
export async function readBeside(
  picture: PartPicture['picture'],
  known: { readonly cover: TextCover; readonly text: string },
  options: PartsOptions,
): Promise<SeenPart[]> {
  const { text, seen } = await readPicture(picture, options);
  if (seen !== null) return unknownParts(seen, known.cover);
  const { width, height } = known.cover;
  const bare = withoutBlanks(known.text);
  const said = paragraphsOf(text).filter((paragraph) => saysSomething(paragraph) && !bare.includes(withoutBlanks(paragraph)));
  return said.length === 0 ? [] : [{ left: 0, top: height, right: width, bottom: height, text: said.join('\n\n') }];
}

/** What is seen in a picture; '' where nobody can make or read one, which a warning says. Errors as above. */
export async function readPicture(
  picture: PartPicture['picture'],
  { ocr, page, warnings, onRead }: PartsOptions,
): Promise<{ readonly text: string; readonly seen: SeenText | null }> {
  let seen: SeenText | null = null;
  try {
    const bytes = await picture();
    if (bytes === null) return { text: '', seen };
    const text = await ocr.read(bytes, (places) => {
      seen = places;
    });
    return { text, seen };
  } catch (error) {
    if (!(error instanceof DocumentError) || error.retryable) throw error;
    warnings.push(`A picture on page ${page} was not read by OCR: ${error.message}`);
    return { text: '', seen: null };
  } finally {
    onRead();
  }
}

function paragraphsOf(text: string): string[] {
  return text.split(/\n\s*\n/).filter((paragraph) => paragraph.trim() !== '');
}

function withoutBlanks(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, '').toLowerCase();
}

/** A word, and mostly letters and digits: what is seen in photographs and drawings is neither. */
function saysSomething(text: string): boolean {
  const shown = text.replace(/\s+/g, '');
  const letters = shown.match(/[\p{L}\p{M}\p{N}]/gu)?.length ?? 0;
  // In Hindi and Thai vowels are marks.
  return (
    letters * 2 >= shown.length &&
    /[\p{L}\p{M}]{3}|[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]{2}|\p{N}{2}/u.test(text)
  );
}

/** Of a word: with more text over it, it is known. */
const knownShare = 0.3;
/** Between lines of one paragraph, in heights of type. */
const leadingMax = 1.2;

/** Words of a page, in their order, that have no text over them, as paragraphs where they stand. */
function unknownParts({ texts, width, height }: SeenText, cover: TextCover): SeenPart[] {
  const [across, down] = [cover.width / width, cover.height / height];
  const parts: Draft[] = [];
  let isOpen = false;
  for (const [text, left, top, right, bottom] of texts) {
    const word: PlacedText = [text, left * across, top * down, right * across, bottom * down];
    if (cover.share(boxOf(word)) > knownShare) {
      isOpen = false;
      continue;
    }
    const open = isOpen ? parts.at(-1) : undefined;
    if (open === undefined || !goOn(open, word)) parts.push({ text, ...boxOf(word), last: word });
    else add(open, word);
    isOpen = true;
  }
  return parts
    .map(({ last: _last, ...part }) => ({ ...part, text: asChineseIsWritten(part.text) }))
    .filter(({ text }) => saysSomething(text));
}

type Draft = { text: string; left: number; top: number; right: number; bottom: number; last: PlacedText };

function boxOf([, left, top, right, bottom]: PlacedText): SeenBox {
  return { left, top, right, bottom };
}

function goOn({ last }: Draft, [, , top, , bottom]: PlacedText): boolean {
  const gap = top - last[4];
  return gap <= leadingMax * Math.max(bottom - top, last[4] - last[2]) && bottom > last[2];
}

function add(open: Draft, word: PlacedText): void {
  const [text, left, top, right, bottom] = word;
  open.text += `${top > open.last[4] || right < open.last[1] ? '\n' : ' '}${text}`;
  open.left = Math.min(open.left, left);
  open.top = Math.min(open.top, top);
  open.right = Math.max(open.right, right);
  open.bottom = Math.max(open.bottom, bottom);
  open.last = word;
}
