/** What of a document is in every answer about it has a bound; it is kept where the document is read and where it is shown. */
import { shortened } from '../chunk/chunk.ts';

/** Of a title, an author, a file's name. */
const namingCharactersMax = 300;

type Named = { readonly title: string | null; readonly author: string | null };

/** The same with its title and author cut to what an answer may hold, and its file name where it has one. */
export function withinBounds<T extends Named & { readonly filename?: string }>(document: T): T {
  const { title, author, filename } = document;
  return {
    ...document,
    title: title === null ? null : shortened(title, namingCharactersMax),
    author: author === null ? null : shortened(author, namingCharactersMax),
    ...(filename === undefined ? {} : { filename: shortened(filename, namingCharactersMax) }),
  };
}
