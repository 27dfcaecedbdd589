/**
 * What OCR reads of pages that have text: large pictures without text over them, each put where it stands, or whatever of the whole page
 * the text does not say. Nothing here ends a document: what cannot be read is noted for a warning.
 */
import { DocumentError } from '../../../errors.ts';
import type { Ocr } from '../../images/ocr.ts';
import { asChineseIsWritten, type SeenText } from '../../images/seen-page.ts';
import type { PlacedText } from '../../parser.ts';
import { addRefused, partsMax, type SeeingNotes } from './seeing-notes.ts';
import { largeMax, type SeenBox, type TextCover } from './text-cover.ts';

/** What was seen in a place of a page: paragraphs lie between empty lines. */
export type SeenPart = SeenBox & { readonly text: string };

/** A picture of a place of a page; null where nobody can make one. */
export type PartPicture = SeenBox & { readonly picture: () => Promise<Uint8Array | null> | Uint8Array | null };

/** Of a picture: with more text over it, it is a background, or a scan whose text is known. */
const coverMax = 0.01;
/** Parts that are read, from top to bottom, and whether there are more. */
export type ScannedParts<Part> = { readonly parts: readonly Part[]; readonly isCrowded: boolean };

/** Of a page without large pictures. */
export const noScannedParts: ScannedParts<never> = { parts: [], isCrowded: false };

/** Those of the large pictures of a page that are read beside its text; of those that lie upon each other the first. */
export function scannedParts<Part extends SeenBox>(pictures: readonly Part[], cover: TextCover): ScannedParts<Part> {
  const parts: Part[] = [];
  for (const picture of pictures.slice(0, largeMax))
    if (cover.share(picture) <= coverMax && !parts.some((part) => lieUpon(part, picture))) parts.push(picture);
  return {
    parts: parts.slice(0, partsMax).toSorted((one, other) => one.top - other.top),
    isCrowded: parts.length > partsMax || pictures.length > largeMax,
  };
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
  readonly notes: SeeingNotes;
  /** Called behind each picture. */
  readonly onRead: () => void;
};

/** What is seen in each. @throws DocumentError that may end otherwise another time */
export async function readParts(parts: readonly PartPicture[], options: PartsOptions): Promise<SeenPart[]> {
  const seen: SeenPart[] = [];
  for (const { picture, ...box } of parts) {
    const { text, isDoubtful } = await readPicture(picture, options);
    const said = paragraphsOf(text).filter(saysSomething).join('\n\n');
    if (said === '') continue;
    seen.push({ ...box, text: said });
    // Of a photograph nothing is expected.
    if (isDoubtful) options.notes.doubtful.push(options.page);
  }
  return seen;
}

/** What is seen of a whole page and its text does not have already. Errors as above. */
export async function readBeside(
  picture: PartPicture['picture'],
  known: { readonly cover: TextCover; readonly text: string },
  options: PartsOptions,
): Promise<SeenPart[]> {
  const { text, seen, isDoubtful } = await readPicture(picture, options);
  if (isDoubtful && saysSomething(text)) options.notes.doubtful.push(options.page);
  if (seen !== null) return unknownParts(seen, known.cover);
  const { width, height } = known.cover;
  const bare = withoutBlanks(known.text);
  const said = paragraphsOf(text).filter((paragraph) => saysSomething(paragraph) && !bare.includes(withoutBlanks(paragraph)));
  return said.length === 0 ? [] : [{ left: 0, top: height, right: width, bottom: height, text: said.join('\n\n') }];
}

/** What was seen in a picture, and whether nobody would believe it. */
export type SeenPicture = { readonly text: string; readonly seen: SeenText | null; readonly isDoubtful: boolean };

const nothingSeen: SeenPicture = { text: '', seen: null, isDoubtful: false };

/** What is seen in a picture; '' where nobody can make or read one, of which the latter is noted. Errors as above. */
export async function readPicture(
  picture: PartPicture['picture'],
  { ocr, page, notes, onRead }: PartsOptions,
): Promise<SeenPicture> {
  try {
    const bytes = await picture();
    return bytes === null ? nothingSeen : await seePicture(ocr, bytes);
  } catch (error) {
    if (!(error instanceof DocumentError) || error.retryable) throw error;
    addRefused(notes, page, error.message);
    return nothingSeen;
  } finally {
    onRead();
  }
}

/** Errors of the reader. */
export async function seePicture(ocr: Pick<Ocr, 'read'>, picture: Uint8Array): Promise<SeenPicture> {
  let seen: SeenText | null = null;
  let isDoubtful = false;
  const text = await ocr.read(
    picture,
    (places) => {
      seen = places;
    },
    () => {
      isDoubtful = true;
    },
  );
  return { text, seen, isDoubtful };
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
