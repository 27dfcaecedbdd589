/**
 * How a picture is read, by whichever Tesseract: cleaned, as it lies; and where nobody would believe that, turned by quarters. A page that
 * lies as it should is read once. Of another the part with most text is read at each turn, and the page at the one that is believed:
 * readings of text that lies otherwise are half as sure as the worst of text that does not (`npm run bench -- ocr`).
 */
import { type GreyPicture, inkShare, readPgm, readPng, straightened, withoutSpecks, writePgm } from './grey-picture.ts';
import { asNoted, busiestPart, orientationOf, type Quarters, quarterTurned, turnedBack } from './picture-turns.ts';
import {
  believed,
  type PageMode,
  placesOf,
  type Reading,
  readSurest,
  seenSize,
  type SeenText,
  type SeenWord,
  seenWords,
  surenessOf,
  textOf,
} from './seen-page.ts';

/** A Tesseract. */
export type PictureReader = {
  /** Languages that are tried one after the other, each joined by `+`. */
  readonly attempts: readonly string[];
  /** Its table of a picture. Rejects with what ends the reading. */
  readonly recognise: (image: Uint8Array, languages: string, mode: PageMode) => Promise<string> | string;
  /** A picture of any kind; null where it is none, or nobody knows its kind. */
  readonly decode: (image: Uint8Array) => Promise<GreyPicture | null> | GreyPicture | null;
  /** Pictures are decoded only to be turned: a program reads the file itself. */
  readonly decodesLate?: boolean;
  /** Whether there is time for more than one reading of this picture. */
  readonly hasTime: () => boolean;
};

/** Places are those of the picture as browsers show it. */
export type PictureReading = {
  readonly words: readonly SeenWord[];
  /** Null where Tesseract does not say. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** There is ink, and nothing that was read of it is believed. */
  readonly isDoubtful: boolean;
};

/** Less sure readings may be of a page that lies otherwise: of those that do none came to more than 45, of others none to less than 75. */
const trusted = 70;
/** A reading of something else than text as it lies. */
const doubted = 50;
/** Less ink is a number of a page, or dust. */
const inkMin = 0.0005;

export async function readPicture(image: Uint8Array, reader: PictureReader): Promise<PictureReading> {
  const shown = await asShown(image, reader);
  const first = await readTurned(shown ?? image, 0, reader);
  if (isEnough(first) || !reader.hasTime()) return { ...first, isDoubtful: isDoubtful(first, shown) };
  const grey = shown ?? (await reader.decode(image));
  const turn = grey === null || isBlank(grey) ? 0 : await findTurn(grey, first, reader);
  const second = turn === 0 || grey === null ? first : await readTurned(grey, turn, reader);
  const best = second.sureness > first.sureness ? second : first;
  return { ...best, isDoubtful: isDoubtful(best, grey) };
}

/** The picture as browsers show it; null where that is the file as it is, and its points are not known. */
async function asShown(image: Uint8Array, { decode, decodesLate = false }: PictureReader): Promise<GreyPicture | null> {
  const orientation = orientationOf(image);
  const own = readPgm(image) ?? readPng(image);
  const grey = own ?? (decodesLate && orientation === 1 ? null : await decode(image));
  return grey === null ? null : asNoted(grey, orientation);
}

type SizedReading = Reading & Pick<PictureReading, 'size'>;

async function readTurned(
  picture: GreyPicture | Uint8Array,
  turn: Quarters,
  { attempts, recognise }: PictureReader,
): Promise<SizedReading> {
  const image = picture instanceof Uint8Array ? picture : clean(quarterTurned(picture, turn));
  let size: PictureReading['size'] = null;
  const { words, sureness } = await readSurest(attempts, async (languages, mode) => {
    const table = await recognise(image, languages, mode);
    size ??= seenSize(table);
    return seenWords(table);
  });
  if (picture instanceof Uint8Array) return { words, sureness, size };
  const { width, height } = picture;
  return { words: turnedBack(words, turn, picture), sureness, size: { width, height } };
}

/** Without specks, and level. */
function clean(picture: GreyPicture): Uint8Array {
  return writePgm(straightened(withoutSpecks(picture)));
}

/** Tesseract reads English that runs down a page, but not what else there is beside it. */
function isEnough({ words, sureness }: Reading): boolean {
  return sureness >= (runsDown(words) ? believed : trusted);
}

function runsDown(words: readonly SeenWord[]): boolean {
  const long = words.filter(({ text }) => text.length > 3);
  return long.filter(({ left, right, height }) => height > right - left).length * 2 > long.length;
}

function isDoubtful({ words, sureness }: Reading, picture: GreyPicture | null): boolean {
  if (sureness >= doubted) return false;
  return words.length > 0 || (picture !== null && !isBlank(picture));
}

function isBlank(picture: GreyPicture): boolean {
  return inkShare(picture) < inkMin;
}

/** Shorter readings of a part may be sure by chance. */
const lettersMin = 6;

/** The turn at which a part of a picture is surer than the whole was; 0 where none is. Costs three readings of the part. */
async function findTurn(
  picture: GreyPicture,
  { sureness }: Reading,
  { attempts, recognise, hasTime }: PictureReader,
): Promise<Quarters> {
  const part = busiestPart(picture);
  // Whoever reads Chinese reads English well enough for this, and either script.
  const languages = attempts.find((each) => each.includes('chi_')) ?? attempts[0]!;
  let best = { turn: 0 as Quarters, sureness: Math.max(sureness, doubted) };
  for (const turn of [2, 1, 3] as const) {
    if (!hasTime()) return best.turn;
    const words = seenWords(await recognise(clean(quarterTurned(part, turn)), languages, 'one column'));
    const letters = words.reduce((sum, { text }) => sum + text.length, 0);
    const seen = letters < lettersMin ? 0 : surenessOf(words);
    if (seen > best.sureness) best = { turn, sureness: seen };
    if (seen >= believed) return turn;
  }
  return best.turn;
}

/** A reading as it is told of. */
export function seenIn({ words, size }: PictureReading): { readonly text: string; readonly seen: SeenText | null } {
  return { text: textOf(words), seen: size === null ? null : { ...size, texts: placesOf(words) } };
}
