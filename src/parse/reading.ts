/**
 * What the text of a document depends on beside its bytes, as one short string: two readings of the same bytes with the same string
 * give the same text and the same chunks. Raise the number of a reader in whatever change makes it read something otherwise.
 */
import { createHash } from 'node:crypto';
import type { Format } from './detect.ts';
import { hintOf } from './detect.ts';
import type { ParseInput, ParseLimits } from './parser.ts';

/** Of each format that is read; `shared` is what all of them go through: recognising, decoding, cutting into chunks. */
const readers = {
  shared: 2,
  '7z': 1,
  calendar: 1,
  cms: 1,
  contacts: 1,
  csv: 2,
  doc: 3,
  docx: 5,
  eml: 2,
  'encrypted-ooxml': 1,
  epub: 1,
  'flat-odf': 4,
  gzip: 1,
  html: 2,
  image: 3,
  json: 2,
  markdown: 1,
  msg: 2,
  mbox: 2,
  odp: 4,
  ods: 4,
  odt: 5,
  ofd: 5,
  'office-xml': 2,
  'ole-package': 1,
  pdf: 5,
  ppt: 2,
  pptx: 3,
  rtf: 4,
  'sheet-xml': 1,
  subtitles: 1,
  tar: 1,
  text: 2,
  tnef: 1,
  xls: 1,
  xlsb: 1,
  xlsx: 2,
  xml: 5,
  xps: 2,
  zip: 2,
} as const satisfies Record<ReadFormat | 'shared', number>;

export type ReadFormat = Exclude<Format, 'unsupported' | 'compound'>;

export const readFormats = Object.keys(readers).filter((name) => name !== 'shared') as readonly ReadFormat[];

/** How a process reads, the same for all documents. */
export type ReadingSettings = {
  readonly chunkTokensMax: number;
  /** Tokens that a chunk repeats of the one before it; absent: none. */
  readonly chunkOverlap?: number;
  /** Of documents that do not show theirs; absent: it stays unknown. */
  readonly language?: string;
  readonly limits: ParseLimits;
  /** What Tesseract reads; empty where there is none. */
  readonly ocrLanguages: readonly string[];
  /** Absent: only what has no text is read by OCR. */
  readonly ocrReadsAll?: boolean;
};

/** What the client has said of the file. */
export type Declared = Pick<ParseInput, 'filename' | 'declaredMediaType'>;

/** `format:digest`. */
export function readingOf(format: ReadFormat, declared: Declared, settings: ReadingSettings): string {
  const { chunkTokensMax, chunkOverlap = 0, language, limits, ocrLanguages, ocrReadsAll = false } = settings;
  const parts = {
    readers: holdsFiles(format) ? readers : [readers.shared, readers[format]],
    hint: hintOf(declared),
    declared: declared.declaredMediaType,
    chunkTokensMax,
    // Left out where there is none, as before there was any.
    ...(chunkOverlap === 0 ? {} : { chunkOverlap }),
    ...(language === undefined ? {} : { language }),
    limits: Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1)),
    ocrLanguages: seesPictures(format) ? ocrLanguages : [],
    ...(ocrReadsAll && seesPictures(format) ? { ocrReadsAll } : {}),
  };
  return `${format}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}

/**
 * Whether reading the same bytes again, as this client has declared them, could give something else than the reading before it did.
 * Null, of a version that was read by 0.1.0, could.
 */
export function readsOtherwise(before: string | null, declared: Declared, settings: ReadingSettings): boolean {
  const format = before?.split(':')[0] ?? '';
  return !isReadFormat(format) || readingOf(format, declared, settings) !== before;
}

function isReadFormat(name: string): name is ReadFormat {
  return readFormats.some((format) => format === name);
}

function seesPictures(format: ReadFormat): boolean {
  return format === 'pdf' || format === 'image' || format === 'xps' || holdsFiles(format);
}

/** Whether there may be files of any other kind inside of one. */
function holdsFiles(format: ReadFormat): boolean {
  return holders.has(format);
}

const holders: ReadonlySet<ReadFormat> = new Set(
  '7z cms doc docx eml encrypted-ooxml gzip mbox msg odp ods odt ofd office-xml ole-package pdf ppt pptx tar tnef xls xlsb xlsx zip'.split(
    ' ',
  ) as ReadFormat[],
);
