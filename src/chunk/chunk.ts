/** A chunk: the piece of a document that search finds and a citation points at. */
export type Chunk = {
  /** 0-based position in the document. */
  readonly index: number;
  /** UTF-16 offsets into the document's Markdown, end exclusive: `text === markdown.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What a reader of this chunk alone would miss (a table's header row); indexed and embedded with it, never shown. */
  readonly context: string;
  /** Headings above it, outermost first. */
  readonly section: readonly string[];
  /** 1-based pages, slides or sheets; null where the format has none. */
  readonly page: number | null;
  readonly pageEnd: number | null;
};
