/**
 * Reading one file as a function, for programs that want only that: the export `rag-intake/parse` of the package, and
 * `rag-intake parse`. A server reads through `document-parser.ts` instead, in a thread that it can end.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createDocumentParser, type RecognisedDocument } from './document-parser.ts';
import type { NoOcr, Ocr } from './images/ocr.ts';
import { usualLimits } from './limits.ts';
import type { ParseLimits } from './parser.ts';

export { DocumentError } from '../errors.ts';
export { createOcr, whyNoOcr } from './images/ocr.ts';
export { lackingLanguages, lackingSentence, openOcr } from './images/open-ocr.ts';
export type { NoOcr, Ocr } from './images/ocr.ts';
export type { Block, ParseLimits } from './parser.ts';
export type { RecognisedDocument } from './document-parser.ts';

export type ReadOptions = {
  /** Those left out are `usualLimits`. */
  readonly limits?: Partial<ParseLimits>;
  /** Reads pictures and scanned pages; without it they end in a sentence. */
  readonly ocr?: Ocr | null;
  /** Why there is none (`whyNoOcr`). Absent: it is not installed. */
  readonly withoutOcr?: NoOcr;
  /** A hint after the content, and the name in messages; the last part of the path when left out. */
  readonly filename?: string;
  /** What somebody has said of the file, as `text/csv; charset=gbk`: a hint after the content. */
  readonly mediaType?: string | null;
  /** Opens a protected file. */
  readonly password?: string;
  readonly onProgress?: (pagesDone: number, pagesTotal: number | null) => void;
};

/**
 * The text of a file as Markdown, with its blocks and pages. It computes in the thread that calls it: for files of unknown origin
 * call it in a worker thread or process that may be ended.
 * @throws DocumentError with the sentence that an upload of the file would end in; ENOENT and its like from the file system.
 */
export async function readDocument(path: string, options: ReadOptions = {}): Promise<RecognisedDocument> {
  const { size } = await stat(path);
  const { ocr = null, withoutOcr } = options;
  return createDocumentParser({ ocr, ...(withoutOcr === undefined ? {} : { withoutOcr }) }).parse({
    path,
    fileBytes: size,
    filename: options.filename ?? basename(path),
    declaredMediaType: options.mediaType ?? null,
    ...(options.password === undefined ? {} : { password: options.password }),
    limits: { ...usualLimits, ...options.limits },
    onProgress: options.onProgress ?? (() => {}),
  });
}
