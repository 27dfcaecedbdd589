/** `rag-intake parse FILE`: the Markdown and the metadata of one file, for people who want only that. Starts no server. */
import { CliError } from './cli-error.ts';
import { hasErrno } from '../errors.ts';
import type { ParsedDocument } from '../parse/parser.ts';

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

/** What the file system said of the file, in words; what is no expected answer of it comes back as it is. */
export function unreadable(path: string, error: unknown): unknown {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return new CliError(`There is no file ${path}.`);
  if (hasErrno(error, 'EISDIR'))
    return new CliError(`${path} is a folder. Name a file, or send the folder to a server: rag-intake ingest ${path}`);
  if (hasErrno(error, 'EACCES', 'EPERM')) return new CliError(`${path} cannot be read by this user.`);
  return error;
}
