/** What a reading that keeps nothing leaves in its folder, for the front end to send as it lies there: however long the text, it is never whole in that process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecognisedDocument } from '../parse/document-parser.ts';

export type ReadFiles = {
  /** The Markdown alone. */
  readonly markdownPath: string;
  /** JSON: what was read, as `POST /parse` answers it. */
  readonly answerPath: string;
  /** JSON: a list of `PageOfText`, in order; a format without pages is one page. */
  readonly pagesPath: string;
  /** The text without marks; there where it was asked for. */
  readonly plainPath: string;
};

/** UTF-16 offsets into the Markdown. */
export type PageOfText = { readonly page: number; readonly start: number; readonly end: number };

export function readFilesIn(folder: string): ReadFiles {
  const at = (name: string): string => join(folder, name);
  return {
    markdownPath: at('content.md'),
    answerPath: at('answer.json'),
    pagesPath: at('pages.json'),
    plainPath: at('plain.txt'),
  };
}

/** All but the Markdown, which is written for every document. */
export function writeReadFiles(
  folder: string,
  document: RecognisedDocument,
  { warnings, withPlainText }: { warnings: readonly string[]; withPlainText: boolean },
): void {
  const { answerPath, pagesPath, plainPath } = readFilesIn(folder);
  writeFileSync(answerPath, JSON.stringify(readAnswer(document, warnings)));
  writeFileSync(pagesPath, JSON.stringify(pagesOf(document)));
  if (withPlainText) writeFileSync(plainPath, plainText(document.markdown));
}

/** What was read, as `POST /parse` answers it: it goes to the client as it lies there, so its names are those of the wire. */
function readAnswer(
  { markdown, blocks, mediaType, title, author, language, pages }: RecognisedDocument,
  warnings: readonly string[],
): object {
  return {
    markdown,
    blocks: blocks.map(({ kind, start, end, level = null, page, pageEnd }) => ({
      kind,
      start,
      end,
      level,
      page,
      page_end: pageEnd ?? page,
    })),
    media_type: mediaType,
    title,
    author,
    language,
    pages,
    warnings,
  };
}

/** By the page on which each block begins. */
function pagesOf({ blocks }: Pick<RecognisedDocument, 'blocks'>): PageOfText[] {
  const found: { page: number; start: number; end: number }[] = [];
  for (const { start, end, page } of blocks) {
    const last = found.at(-1);
    if (last !== undefined && (page === null || last.page >= page)) last.end = end;
    else found.push({ start, end, page: page ?? 1 });
  }
  return found;
}

/** Markdown without the marks of headings, emphasis, lists and tables: what docling calls text. Linear in the text. */
function plainText(markdown: string): string {
  return (
    markdown
      .split('\n')
      // The line between a table's head and its rows.
      .filter((line) => !(line.startsWith('|') && line.includes('-') && /^[ |:-]+$/.test(line)))
      .map((line) =>
        line
          .replace(/^ {0,3}(?:#{1,6} +|> ?|[-*+] +)/, '')
          .replaceAll(/\\([\\`*_{}[\]()#+.!|<>~-])/g, '$1')
          .split('|')
          .map((cell) => cell.trim())
          .join(' ')
          .trim(),
      )
      .join('\n')
  );
}
