/** The one way in which a parser gets at the bytes of its file. */
import { readFile } from 'node:fs/promises';
import type { ParseInput } from './parser.ts';

/** The whole file in memory; never more than the upload limit. A view on `input.bytes` when those are given. */
export async function readInput(input: Pick<ParseInput, 'path' | 'bytes'>): Promise<Buffer> {
  if (input.bytes === undefined) return readFile(input.path);
  return Buffer.from(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength);
}
