/** Plain text in any encoding: paragraphs at blank lines, nothing guessed. Source code and settings files become one code block. */
import { hintOf } from '../detect.ts';
import { codeLanguage } from './code-languages.ts';
import { normalizeLines } from './encoding.ts';
import { readText } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder, type Place } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

export function createTextParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = normalizeLines(readText(input));
  const builder = createMarkdownBuilder(input.limits);
  const language = codeLanguage(hintOf(input), input.filename, text);
  if (language === undefined) writeParagraphs(text, builder);
  else builder.code(text, language);
  return {
    mediaType: 'text/plain',
    title: null,
    author: null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

/** A paragraph for each run of lines between blank ones. Linear. */
export function writeParagraphs(text: string, builder: MarkdownBuilder, place: Place = {}): void {
  const blank = /\n[ \t\u3000\u00a0]*(?=\n)/g;
  let start = 0;
  for (let match = blank.exec(text); match !== null; match = blank.exec(text)) {
    if (match.index > start) builder.paragraph(text.slice(start, match.index), place);
    start = blank.lastIndex;
  }
  builder.paragraph(text.slice(start), place);
}
