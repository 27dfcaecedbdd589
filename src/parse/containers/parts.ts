/**
 * Files inside of a file: attachments of mails and PDFs, members of archives, documents embedded in documents. Each is read by the
 * parser of its own kind and written, under a heading that names it, into the document that it is inside of. How deep they lie, how
 * many there are and what they hold is bounded for all of them together; what cannot be read is named in a warning.
 */
import { DocumentError } from '../../errors.ts';
import type { MarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { Block, Inside, ParsedDocument, ParseInput, Parser } from '../parser.ts';

/** Files in files in files. */
const depthMax = 5;
/** Of one part, and of all that are open at one time, each inside of the one before. */
const heldBytesMax = 256 * 1024 * 1024;
/** Of what unpacking may refer back to, in all archives that are open at one time. 7-Zip takes no more by itself. */
const dictionaryBytesMax = 256 * 1024 * 1024;
const nameCharactersMax = 255;

/** A file inside of another. */
export type Part = {
  /** As the file that holds it calls it; a path in an archive. Empty where it has none. */
  readonly name: string;
  readonly mediaType: string | null;
  /** Asked for once, when it is read. What unpacks it stops at `bytesMax`, the most that is read. @throws DocumentError */
  readonly bytes: (bytesMax: number) => Uint8Array | Promise<Uint8Array>;
};

/** The file that holds the parts, and how they are written into it. */
export type PartHost = {
  readonly input: ParseInput;
  readonly builder: MarkdownBuilder;
  /** Of all formats. */
  readonly parser: Parser;
  readonly warnings: string[];
  /** For warnings: `attachment`, `embedded file`, `file`. */
  readonly kind: string;
  /** Told why a part was not read, besides the warning. */
  readonly onRefused?: (error: DocumentError) => void;
};

/**
 * Writes a part under a heading of its own, its headings below that one. Returns whether it could be read; if not, a warning says why.
 * @param heading of level `level`
 * @throws DocumentError that may end otherwise another time, or that the whole document has met (MAX_CHARACTERS)
 */
export async function writePart(part: Part, host: PartHost, level: number, heading: string): Promise<boolean> {
  host.builder.heading(level, heading);
  const parsed = await readPart(part, host);
  if (parsed === null) return false;
  writeParsed(parsed, host.builder, level);
  return true;
}

/** Writes a document into another, its headings `shift` levels lower. @throws DocumentError `limit_exceeded` from the builder. */
export function writeParsed(parsed: ParsedDocument, builder: MarkdownBuilder, shift: number): void {
  for (const block of parsed.blocks) copyBlock(parsed.markdown, block, builder, shift);
}

/** A part as a document of its own, or null, and a warning that says why. Errors as above. */
export async function readPart(
  part: Part,
  host: Omit<PartHost, 'builder'> & { readonly builder?: MarkdownBuilder },
): Promise<ParsedDocument | null> {
  const name = partName(part.name);
  try {
    const parsed = await parsePart(part, host);
    host.warnings.push(...parsed.warnings.map((warning) => `${name}: ${warning}`));
    return parsed;
  } catch (error) {
    // What only failed here may be read the next time, and is not left out.
    if (!(error instanceof DocumentError) || error.retryable) throw error;
    host.onRefused?.(error);
    host.warnings.push(`The ${host.kind} ${name} was not read: ${error.message}`);
    return null;
  }
}

/** The one file that another is only a wrapper of. @throws DocumentError as if it came by itself */
export function readWrapped(part: Part, input: ParseInput, parser: Parser): Promise<ParsedDocument> {
  return parsePart(part, { input, parser, kind: 'file' });
}

async function parsePart(
  part: Part,
  host: Pick<PartHost, 'input' | 'parser' | 'kind'> & { readonly builder?: MarkdownBuilder },
): Promise<ParsedDocument> {
  const inside = insideOf(host.input);
  const { left } = inside;
  const tooMuch = (what: string): DocumentError => new DocumentError('limit_exceeded', what);
  if (inside.depth >= depthMax)
    throw tooMuch(`it is inside more than ${depthMax} ${host.kind === 'attachment' ? 'mails' : 'files'}`);
  if (left.parts <= 0) throw tooMuch(`the file has more than ${host.input.limits.entriesMax} files inside (MAX_ARCHIVE_ENTRIES)`);
  left.parts -= 1;
  const bytes = await part.bytes(left.heldBytes);
  if (bytes.length === 0) throw new DocumentError('no_text', 'it is empty');
  if (bytes.length > left.heldBytes) throw tooMuch(`it is larger than ${heldBytesMax} bytes, the limit for a file inside another`);
  left.heldBytes -= bytes.length;
  try {
    return await host.parser.parse(inputOf(part, bytes, { host, inside, name: partName(part.name) }));
  } finally {
    left.heldBytes += bytes.length;
  }
}

/** For a parser that is used by itself: no part is read, and each is named in a warning. */
export const noParts: Parser = {
  parse: () => Promise.reject(new DocumentError('unsupported_format', 'Files inside other files are not read')),
};

/** A name as headings and warnings show it. */
export function partName(name: string): string {
  const line = name.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line === '' ? 'without a name' : line.length > nameCharactersMax ? `…${line.slice(-nameCharactersMax)}` : line;
}

/** What is left for the parts of a file: its own share where it is a part itself. One for all parts of one `input`. */
export function insideOf(input: ParseInput): Inside {
  const known = input.inside ?? roots.get(input);
  if (known !== undefined) return known;
  const { entriesMax, pagesMax, unpackedBytesMax } = input.limits;
  const root: Inside = {
    depth: 0,
    left: {
      parts: entriesMax,
      pages: pagesMax,
      unpackedBytes: unpackedBytesMax,
      heldBytes: heldBytesMax,
      dictionaryBytes: dictionaryBytesMax,
    },
  };
  roots.set(input, root);
  return root;
}

const roots = new WeakMap<ParseInput, Inside>();

type Context = {
  readonly host: Pick<PartHost, 'input'> & { readonly builder?: MarkdownBuilder };
  readonly inside: Inside;
  readonly name: string;
};

function inputOf({ mediaType }: Part, bytes: Uint8Array, { host, inside, name }: Context): ParseInput {
  const { input, builder } = host;
  const { left } = inside;
  let pages = 0;
  return {
    path: input.path,
    bytes,
    fileBytes: bytes.length,
    inside: { depth: inside.depth + 1, left },
    filename: name.slice(name.lastIndexOf('/') + 1) || name,
    declaredMediaType: mediaType,
    ...(input.password === undefined ? {} : { password: input.password }),
    limits: {
      ...input.limits,
      unpackedBytesMax: Math.max(1, left.unpackedBytes),
      charactersMax: Math.max(1, input.limits.charactersMax - (builder?.characters ?? 0)),
      pagesMax: Math.max(1, left.pages),
    },
    // Its pages are not those of the file around it, but a sign that it goes on.
    onProgress(pagesDone) {
      left.pages -= Math.max(0, pagesDone - pages);
      pages = Math.max(pages, pagesDone);
      input.onProgress(0, null);
    },
    ...(input.onPages === undefined ? {} : { onPages: input.onPages }),
  };
}

function copyBlock(markdown: string, block: Block, builder: MarkdownBuilder, shift: number): void {
  const text = markdown.slice(block.start, block.end);
  if (block.kind === 'heading') builder.heading((block.level ?? 1) + shift, text.replace(/^#{1,6} /, ''));
  else builder.raw(block.kind, text);
}
