/** `rag-intake parse FILE`: the Markdown and the metadata of one file, for people who want only that. Starts no server. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createDocumentParser } from '../parse/document-parser.ts';
import type { Ocr } from '../parse/images/ocr.ts';
import type { ParsedDocument, ParseLimits } from '../parse/parser.ts';

export type ParseFileOptions = {
  readonly limits: ParseLimits;
  /** Null: pictures and scans end in a sentence. */
  readonly ocr: Ocr | null;
  readonly onProgress?: (pagesDone: number, pagesTotal: number | null) => void;
};

/** @throws DocumentError with the sentence that an upload of the file would end in; ENOENT and its like from the file system. */
export async function parseFile(path: string, options: ParseFileOptions): Promise<ParsedDocument> {
  const { size } = await stat(path);
  return createDocumentParser({ ocr: options.ocr }).parse({
    path,
    fileBytes: size,
    filename: basename(path),
    declaredMediaType: null,
    limits: options.limits,
    onProgress: options.onProgress ?? (() => {}),
  });
}

/** What goes to stdout (the Markdown) and to stderr (what is known about it, a line each). */
export function showParsed(parsed: ParsedDocument): { readonly markdown: string; readonly about: string } {
  const rows: readonly (readonly [string, string | number | null])[] = [
    ['type', parsed.mediaType],
    ['title', parsed.title],
    ['author', parsed.author],
    ['language', parsed.language],
    ['pages', parsed.pages],
    ['blocks', parsed.blocks.length],
    ['characters', parsed.markdown.length],
    ...parsed.warnings.map((warning) => ['warning', warning] as const),
  ];
  return {
    markdown: `${parsed.markdown}\n`,
    about: rows
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  };
}
