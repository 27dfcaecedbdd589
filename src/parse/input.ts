/** The one way in which a parser gets at the bytes of its file. */
import { readFileSync } from 'node:fs';
import { decodeText } from './text/encoding.ts';
import type { ParseInput } from './parser.ts';

/** The whole file in memory; never more than the upload limit. A view on `input.bytes` when those are given. */
export function readInput(input: Pick<ParseInput, 'path' | 'bytes'>): Buffer {
  if (input.bytes === undefined) return readFileSync(input.path);
  return Buffer.from(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength);
}

/**
 * The text of a file. Its encoding is what its byte order mark says, else the charset that was sent with it, where the bytes allow it,
 * else what the file says of itself (`declared`), else what is likely. Linear.
 */
export function readText(input: ParseInput, declared: (bytes: Buffer) => string | null = () => null): string {
  const bytes = readInput(input);
  return decodeText(bytes, declared(bytes), charsetOf(input)).text;
}

/** The charset of a declared media type (`text/plain; charset=windows-1252`), or null. */
export function charsetOf({ declaredMediaType }: Pick<ParseInput, 'declaredMediaType'>): string | null {
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(declaredMediaType ?? '')?.[1] ?? null;
}
