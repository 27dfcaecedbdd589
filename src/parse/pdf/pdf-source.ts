/** What the parser asks of an open PDF, whoever reads it. */
import type { Bookmark } from './layout/headings.ts';
import type { FaultyFonts } from './faulty-fonts.ts';
import type { PageBounds, PageText } from './layout/page-spans.ts';
import type { SeenBox, TextCover } from './layout/text-cover.ts';

export type PdfSource = {
  readonly pageCount: number;
  /** As the document says them; empty where it does not. */
  readonly title: () => string;
  readonly author: () => string;
  readonly language: () => string;
  /** Those that the document lists, and those of the pages read so far. */
  readonly attachments: () => readonly AttachedFile[] | Promise<readonly AttachedFile[]>;
  /** At most `bookmarksMax`, in their order. */
  readonly bookmarks: () => readonly Bookmark[];
  /**
   * One page, counted from 1; undefined when it cannot be loaded.
   * @param wantedPictures asked once the rest is known: which boxes of the page are wanted as pictures too
   * @throws DocumentError `timeout` | `limit_exceeded`
   */
  readonly readPage: (
    number: number,
    bounds: PageBounds,
    wantedPictures: (page: SourcePage) => readonly SeenBox[],
  ) => Promise<ReadPage | undefined>;
  /** What was learnt of its fonts on the pages read so far. */
  readonly fonts: Pick<FaultyFonts<unknown>, 'teachers' | 'outdated'>;
};

/** A file that is attached to the document. */
export type AttachedFile = {
  readonly name: string;
  /** While the document is open. @throws DocumentError `limit_exceeded` past `bytesMax`, `corrupt` */
  readonly bytes: (bytesMax: number) => Uint8Array;
};

export type SourcePage = {
  readonly text: PageText;
  /** Glyphs whose font names other characters, which are put right in `text`. */
  readonly repairedCount: number;
  /** Share of the page that its largest picture covers, 0–1. */
  readonly pictureShare: number;
  /** Large pictures, and where there is text, as far as OCR is to read beside that. */
  readonly pictures: readonly SeenBox[];
  readonly cover?: TextCover | undefined;
  /** The page itself. */
  readonly box: SeenBox;
  /** What is drawn on it: text, lines, pictures. */
  readonly objectCount: number;
};

/** With the pictures that were wanted, in their order; undefined where there was no room for one. */
export type ReadPage = SourcePage & { readonly drawn: readonly (Uint8Array | undefined)[] };

/** An outline may loop. */
export const bookmarksMax = 5000;
/** Deeper bookmarks say nothing about headings. */
export const bookmarkDepthMax = 8;
