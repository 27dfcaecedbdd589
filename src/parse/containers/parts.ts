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
const nameCharactersMax = 255;

/** A file inside of another. */
export type Part = {
  /** As the file that holds it calls it; a path in an archive. Empty where it has none. */
  readonly name: string;
  readonly mediaType: string | null;
  /** Asked for once, when it is read. @throws DocumentError */
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
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
  for (const block of parsed.blocks) copyBlock(parsed.markdown, block, host.builder, level);
  return true;
}

/** A part as a document of its own, or null, and a warning that says why. Errors as above. */
export async function readPart(
  part: Part,
  host: Omit<PartHost, 'builder'> & { builder?: MarkdownBuilder },
): Promise<ParsedDocument | null> {
  const name = partName(part.name);
  const inside = insideOf(host.input);
  const refuse = (reason: string): null => {
    host.warnings.push(`The ${host.kind} ${name} was not read: ${reason}`);
    return null;
  };
  if (inside.depth >= depthMax)
    return refuse(`it is inside of more than ${depthMax} ${host.kind === 'attachment' ? 'mails' : 'files'}`);
  if (inside.left.parts <= 0)
    return refuse(`the file holds more than ${host.input.limits.entriesMax} others (MAX_ARCHIVE_ENTRIES)`);
  inside.left.parts -= 1;
  let heldBytes = 0;
  try {
    const bytes = await part.bytes();
    if (bytes.length === 0) return refuse('it is empty');
    if (bytes.length > inside.left.heldBytes)
      return refuse(`it is larger than the ${heldBytesMax} bytes that are read inside of a file`);
    heldBytes = bytes.length;
    inside.left.heldBytes -= heldBytes;
    const parsed = await host.parser.parse(inputOf(part, bytes, { host, inside, name }));
    host.warnings.push(...parsed.warnings.map((warning) => `${name}: ${warning}`));
    return parsed;
  } catch (error) {
    // What only failed here may be read the next time, and is not left out.
    if (error instanceof DocumentError && !error.retryable) return refuse(error.message);
    throw error;
  } finally {
    inside.left.heldBytes += heldBytes;
  }
}

/** For a parser that is used by itself: no part is read, and each is named in a warning. */
export const noParts: Parser = {
  parse: () => Promise.reject(new DocumentError('unsupported_format', 'Files inside of files are not read here')),
};

/** A name as headings and warnings show it. */
export function partName(name: string): string {
  const line = name.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line === '' ? 'without a name' : line.length > nameCharactersMax ? `…${line.slice(-nameCharactersMax)}` : line;
}

/** What is left for the parts of a file: its own share where it is a part itself. One for all parts of one `input`. */
function insideOf(input: ParseInput): Inside {
  const known = input.inside ?? roots.get(input);
  if (known !== undefined) return known;
  const { entriesMax, pagesMax, unpackedBytesMax } = input.limits;
  const root: Inside = {
    depth: 0,
    left: { parts: entriesMax, pages: pagesMax, unpackedBytes: unpackedBytesMax, heldBytes: heldBytesMax },
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
