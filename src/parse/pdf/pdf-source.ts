/** What the parser asks of an open PDF, whoever reads it. */
import type { Bookmark } from './layout/headings.ts';
import type { PageBounds, PageText } from './layout/page-spans.ts';

export type PdfSource = {
  readonly pageCount: number;
  /** As the document says them; empty where it does not. */
  readonly title: () => string;
  readonly author: () => string;
  readonly language: () => string;
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
