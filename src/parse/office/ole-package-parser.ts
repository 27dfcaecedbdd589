/**
 * Objects that office documents keep as OLE: a file of any kind in a wrapper (`Ole10Native`, as "Package" writes it), an office document
 * (`Package`, `EmbeddedOdf`), or what another program keeps (`CONTENTS`). What is inside is read as if it came by itself.
 */
import { DocumentError } from '../../errors.ts';
import { openCompoundFile, type CompoundStorage } from '../containers/compound-file.ts';
import { readWrapped } from '../containers/parts.ts';
import { readInput } from '../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

/** `parts` reads the file inside: the parser of all formats. */
export function createOlePackageParser(parts: Parser): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const root = openCompoundFile(readInput(input), input.limits.unpackedBytesMax);
  const inner = wrappedFile(root) ?? plainStream(root, input.filename);
  if (inner === null) throw new DocumentError('unsupported_format', `Unsupported file format: ${input.filename}`);
  return readWrapped({ name: inner.name, mediaType: null, bytes: () => inner.bytes }, input, parts);
}

type Inner = { readonly name: string; readonly bytes: Buffer };

function plainStream(root: CompoundStorage, filename: string): Inner | null {
  for (const name of ['Package', 'EmbeddedOdf', 'CONTENTS']) {
    const bytes = root.stream(name)?.read();
    if (bytes !== undefined && bytes.length > 0) return { name: filename.replace(/\.(?:bin|ole)$/i, ''), bytes };
  }
  return null;
}

const nameBytesMax = 4096;

/** Length, flags, label, path, two numbers, a path of the original's copy, length, the file. Texts end with a zero. */
function wrappedFile(root: CompoundStorage): Inner | null {
  const bytes = root.stream('\u0001Ole10Native')?.read();
  if (bytes === undefined || bytes.length < 8) return null;
  const label = textAt(bytes, 6);
  const path = textAt(bytes, label.end);
  const pathLengthAt = path.end + 4;
  if (pathLengthAt + 4 > bytes.length) return { name: 'object', bytes: bytes.subarray(4) };
  const sizeAt = pathLengthAt + 4 + bytes.readUInt32LE(pathLengthAt);
  // Some writers keep the content alone, behind its length.
  if (sizeAt + 4 > bytes.length) return { name: 'object', bytes: bytes.subarray(4) };
  const size = bytes.readUInt32LE(sizeAt);
  const file = bytes.subarray(sizeAt + 4, sizeAt + 4 + size);
  const name = label.text !== '' ? label.text : path.text.slice(path.text.lastIndexOf('\\') + 1);
  return { name: name === '' ? 'object' : name, bytes: file };
}

function textAt(bytes: Buffer, at: number): { readonly text: string; readonly end: number } {
  const end = bytes.indexOf(0, at);
  if (end === -1 || end - at > nameBytesMax) return { text: '', end: Math.min(bytes.length, at) };
  return { text: bytes.toString('latin1', at, end), end: end + 1 };
}
