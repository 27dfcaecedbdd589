/** UTF-16 units of the longest chunk, however little of it counts as a token: what an answer holds stays small, whatever the text. */
export const chunkCharactersMax = 8000;

/** A chunk: the piece of a document that search finds and a citation points at. */
export type Chunk = {
  /** 0-based position in the document. */
  readonly index: number;
  /** UTF-16 offsets into the document's Markdown, end exclusive: `text === markdown.slice(start, end)`; at most `chunkCharactersMax` apart. */
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

/** The beginning of `text`: at most `unitsMax` UTF-16 units, and no half of a character at its end. */
export function beginningOf(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const last = text.charCodeAt(unitsMax - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? unitsMax - 1 : unitsMax);
}

/** A title, a heading or a name as it is shown: whole where it is short, else its beginning and `…`. */
export function shortened(text: string, unitsMax: number): string {
  return text.length <= unitsMax ? text : `${beginningOf(text, unitsMax - 1)}…`;
}
