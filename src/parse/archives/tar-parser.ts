/** tar archives, plain or in gzip, and single files in gzip. */
import { Readable } from 'node:stream';
import { DocumentError } from '../../errors.ts';
import { type Part, readWrapped } from '../containers/parts.ts';
import { readInput } from '../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { readMembers } from './archive-parser.ts';
import { gunzip, isTar, memberBytesMax, tarMembers } from './tar.ts';

/** `parts` reads the files: the parser of all formats. */
export function createTarParser(parts: Parser): Parser {
  return { parse: async (input) => readTar(whole(readInput(input)), input, parts, 'application/x-tar') };
}

/** What gzip holds: an archive, or one file, which is read as if it came by itself. */
export function createGzipParser(parts: Parser): Parser {
  return { parse: (input) => readGzip(input, parts) };
}

async function readTar(
  source: AsyncIterable<Buffer>,
  input: ParseInput,
  parts: Parser,
  mediaType: string,
): Promise<ParsedDocument> {
  return readMembers(membersOf(source, input), { input, parts, mediaType });
}

async function* membersOf(source: AsyncIterable<Buffer>, input: ParseInput): AsyncGenerator<Part> {
  for await (const { name, bytes } of tarMembers(source, input.limits.entriesMax)) {
    yield { name, mediaType: null, bytes: () => bytes ?? tooLarge() };
  }
}

function tooLarge(): never {
  throw new DocumentError('limit_exceeded', `it is larger than ${memberBytesMax} bytes, the limit for a file inside another`);
}

function whole(bytes: Buffer): AsyncIterable<Buffer> {
  return Readable.from([bytes]);
}

async function readGzip(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const pieces = gunzip(readInput(input), input);
  const first = await pieces.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  if (isTar(head)) return readTar(continued(head, pieces), input, parts, 'application/gzip');
  const bytes: Buffer[] = [head];
  let length = head.length;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > memberBytesMax) tooLarge();
    bytes.push(piece);
  }
  const part: Part = { name: input.filename.replace(/\.gz$/i, ''), mediaType: null, bytes: () => Buffer.concat(bytes) };
  return readWrapped(part, input, parts);
}

async function* continued(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}
