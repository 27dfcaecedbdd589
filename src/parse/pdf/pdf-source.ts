/** What the parser asks of an open PDF, whoever reads it. */
import type { Bookmark } from './layout/headings.ts';
import type { PageBounds, PageText } from './layout/page-spans.ts';

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
   * @param wantsPicture asked once the rest is known: whether the page is wanted as a picture too
   * @throws DocumentError `timeout` | `limit_exceeded`
   */
  readonly readPage: (
    number: number,
    bounds: PageBounds,
    wantsPicture: (page: SourcePage) => boolean,
  ) => Promise<ReadPage | undefined>;
};

/** A file that is attached to the document. */
export type AttachedFile = {
  readonly name: string;
  /** While the document is open. @throws DocumentError `limit_exceeded` past `bytesMax`, `corrupt` */
  readonly bytes: (bytesMax: number) => Uint8Array;
};

export type SourcePage = {
  readonly text: PageText;
  /** Share of the page that its largest picture covers, 0–1. */
  readonly pictureShare: number;
  /** What is drawn on it: text, lines, pictures. */
  readonly objectCount: number;
};

/** With the picture where it was wanted and there was room for it. */
export type ReadPage = SourcePage & { readonly picture?: Uint8Array | undefined };

/** An outline may loop. */
export const bookmarksMax = 5000;
/** Deeper bookmarks say nothing about headings. */
export const bookmarkDepthMax = 8;
