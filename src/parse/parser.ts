/** Port: what every parser takes and gives. A parser reads one file, and nothing else: no network, no other file. */

/** What a piece of the Markdown is. */
export type BlockKind = 'heading' | 'paragraph' | 'list' | 'table' | 'code' | 'quote' | 'break';

/** One piece of the Markdown, `markdown.slice(start, end)`. Blocks are in order and do not overlap; only white space lies between. */
export type Block = {
  readonly kind: BlockKind;
  /** UTF-16 offsets into the Markdown, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** 1–6, for headings. */
  readonly level?: number;
  /** 1-based page, slide or sheet that the block starts on; null where the format has none. */
  readonly page: number | null;
  /** The page the block ends on, when another one. */
  readonly pageEnd?: number;
  /** Where its later pages begin, in order, when the parser knows: offsets into the Markdown inside the block. */
  readonly pageBreaks?: readonly PageBreak[];
};

/** From `offset` on, the text stands on `page`. */
export type PageBreak = { readonly offset: number; readonly page: number };

/** A piece of text and where it stands: from the upper left corner of its page, in units of that page. */
export type PlacedText = readonly [text: string, left: number, top: number, right: number, bottom: number];

/** What a page looks like, as far as its text and its lines go; nothing of it is needed to search or cite. */
export type PageLook = {
  /** 1-based. */
  readonly page: number;
  /** In the unit of all places on it: points of a picture, or millimetres. */
  readonly width: number;
  readonly height: number;
  /** In reading order: words of a scan, runs of type of a fixed page. */
  readonly texts: readonly PlacedText[];
  /** Straight pieces of what is drawn, of formats that browsers do not draw. */
  readonly lines?: readonly (readonly [x1: number, y1: number, x2: number, y2: number])[];
};

/** A document as text. */
export type ParsedDocument = {
  /** The media type recognised from the content, e.g. `application/pdf`. */
  readonly mediaType: string;
  readonly title: string | null;
  readonly author: string | null;
  /** BCP 47 primary tag (`en`, `zh`, …) as far as the document or its script says. */
  readonly language: string | null;
  /** Pages, slides or sheets; null where the format has none. */
  readonly pages: number | null;
  /** CommonMark with GFM tables, `\n` line ends, NFC left as it was. */
  readonly markdown: string;
  readonly blocks: readonly Block[];
  /** Of pages whose text was seen in a picture, or that only a reader of the format could draw. Absent: of none. */
  readonly looks?: readonly PageLook[];
  /** Sentences about what could not be read, for the task's result. */
  readonly warnings: readonly string[];
};

/** The bounds of one parse; each is a setting. */
export type ParseLimits = {
  /** Bytes unpacked from archives and streams, all together. */
  readonly unpackedBytesMax: number;
  /** Members of an archive. */
  readonly entriesMax: number;
  /** Unpacked ÷ packed, past the first mebibyte. */
  readonly ratioMax: number;
  /** Nesting of elements, lists, brackets. */
  readonly depthMax: number;
  readonly pagesMax: number;
  /** Cells of all tables and sheets together. */
  readonly cellsMax: number;
  /** Characters of Markdown. */
  readonly charactersMax: number;
  /** Pixels of one picture. */
  readonly pixelsMax: number;
  /** MiB of memory that PDFium may use for one PDF. */
  readonly pdfMemoryMb: number;
  /** Milliseconds of processor time that one page may take. */
  readonly pageMs: number;
};

export type ParseInput = {
  /** The file; read it here, in the thread, by `readInput` (parse/input.ts). */
  readonly path: string;
  /** The content, when it is already in memory (an attachment inside a mail); then `path` is not read. */
  readonly bytes?: Uint8Array;
  readonly fileBytes: number;
  /** Of a file that is inside of another: where, and what it may take. */
  readonly inside?: Inside;
  /** For a protected file; in memory only, never written or logged. */
  readonly password?: string;
  /** The client's name: a hint after the content, and for messages. */
  readonly filename: string;
  readonly declaredMediaType: string | null;
  readonly limits: ParseLimits;
  /** Call often (each page, or every few hundred milliseconds); it is throttled by its receiver. */
  readonly onProgress: (pagesDone: number, pagesTotal: number | null) => void;
  /** From `true` to `false` pages are read, each in its time; `onProgress` tells of the end of each. */
  readonly onPages?: (begins: boolean) => void;
};

/** A place inside of other files. */
export type Inside = {
  /** How many files it is inside of; 1 for an attachment. */
  readonly depth: number;
  /** What all parts of the outermost file together may still take; counted down as they are read. */
  readonly left: {
    parts: number;
    pages: number;
    unpackedBytes: number;
    /** In memory at one time. */
    heldBytes: number;
    /** Held besides, of what was unpacked last, to unpack the rest. */
    dictionaryBytes: number;
  };
};

/** Reads one format. @throws {DocumentError} with the sentence that the task will show. */
export interface Parser {
  parse(input: ParseInput): Promise<ParsedDocument>;
}
