/** HTML and XHTML files. */
import { readText } from '../input.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { writeHtml } from './html-writer.ts';

export function createHtmlParser(): Parser {
  return { parse };
}

async function parse(input: ParseInput): Promise<ParsedDocument> {
  const text = readText(input, declaredCharset);
  const builder = createMarkdownBuilder(input.limits);
  const { title, author, language } = writeHtml(text, builder, { limits: input.limits });
  return {
    mediaType: 'text/html',
    title,
    author,
    language: /^[a-z]{2,3}(?=$|[-_])/.exec(language?.toLowerCase() ?? '')?.[0] ?? null,
    pages: null,
    ...builder.finish(),
    warnings: [],
  };
}

/** What `<meta charset>`, `<meta content="…; charset=…">` or `<?xml encoding?>` says, in the first 4 KiB. */
export function declaredCharset(bytes: Buffer): string | null {
  const head = bytes.toString('latin1', 0, 4096);
  return /<(?:meta\b[^>]*?charset|\?xml\b[^>]*?encoding)\s*=\s*["']?\s*([\w.:-]{1,40})/i.exec(head)?.[1] ?? null;
}
