/**
 * Archives of files (ZIP, tar, 7z): one document, in which each file stands under a heading with its path and is read by the parser of its
 * own kind. What cannot be read is named in a warning.
 */
import { DocumentError } from '../../errors.ts';
import { type Part, partName, readPart, writeParsed } from '../containers/parts.ts';
import { openZip } from '../containers/zip.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

/** `parts` reads the files: the parser of all formats. */
export function createZipParser(parts: Parser): Parser {
  return {
    async parse(input) {
      const zip = openZip(input, input.limits);
      try {
        const members = zip.names.map((name): Part => ({
          name,
          mediaType: null,
          bytes: async (bytesMax) => (await zip.read(name, bytesMax)) ?? Buffer.alloc(0),
        }));
        const parsed = await readMembers(members, { input, parts, mediaType: 'application/zip' });
        return { ...parsed, warnings: [...zip.warnings, ...parsed.warnings] };
      } finally {
        zip.close();
      }
    },
  };
}

/** What systems put into archives beside files. */
const systemFile = /(?:^|\/)(?:__MACOSX\/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._[^/]*$)/i;

type Archive = { readonly input: ParseInput; readonly parts: Parser; readonly mediaType: string };

/**
 * Reads the files of an archive one after the other.
 * @throws DocumentError `no_text` or `encrypted` when none of them can be read, and what `readPart` throws
 */
export async function readMembers(
  members: Iterable<Part> | AsyncIterable<Part>,
  { input, parts, mediaType }: Archive,
): Promise<ParsedDocument> {
  const builder = createMarkdownBuilder(input.limits);
  const warnings: string[] = [];
  const refusals: DocumentError[] = [];
  let count = 0;
  for await (const member of members) {
    if (systemFile.test(member.name)) continue;
    count += 1;
    const parsed = await readPart(member, {
      input,
      parser: parts,
      warnings,
      kind: 'file',
      builder,
      onRefused: (error) => refusals.push(error),
    });
    if (parsed === null) continue;
    builder.heading(1, partName(member.name));
    writeParsed(parsed, builder, 1);
  }
  if (builder.characters === 0) throw nothingRead(count, { warnings, refusals });
  return { mediaType, title: null, author: null, language: null, pages: null, ...builder.finish(), warnings };
}

/** Where a password is missing, that is said as of one file. */
function nothingRead(
  count: number,
  { warnings, refusals }: { readonly warnings: readonly string[]; readonly refusals: readonly DocumentError[] },
): DocumentError {
  if (count === 0) return new DocumentError('no_text', 'The archive has no files');
  const locked = refusals.find(({ code }) => code === 'encrypted');
  if (locked !== undefined) return locked;
  // Empty files are in many archives, and the reason in none.
  const reason = warnings.find((warning) => !warning.endsWith(': it is empty')) ?? warnings[0];
  return new DocumentError('no_text', `None of the ${count} file(s) in the archive could be read. ${reason ?? ''}`.trim());
}
