/** tar archives (POSIX ustar and pax, GNU long names), member by member as their bytes come, and what gzip packs, with what comes out counted. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DocumentError } from '../../errors.ts';
import { createUnpackMeter } from '../containers/unpack-meter.ts';
import type { ParseInput } from '../parser.ts';
import { createPieceReader } from './piece-reader.ts';

/** `bytes` is null where there are more than are read of one file. */
export type TarMember = { readonly name: string; readonly bytes: Buffer | null };

const blockBytes = 512;
/** Of a name that stands in a block of its own. */
const nameBytesMax = 64 * 1024;
/** Of one file; it is held in memory. */
export const memberBytesMax = 256 * 1024 * 1024;

/** Whether bytes begin as a tar archive does: by its signature, or for older ones by the sum of its first block. */
export function isTar(head: Buffer): boolean {
  if (head.length < blockBytes) return false;
  return (
    head.toString('latin1', 257, 262) === 'ustar' || (head[0] !== 0 && sumOf(head) === octal(head, 148, 8) && sumOf(head) > 256)
  );
}

/** Files of an archive; folders and links are left out. @throws DocumentError `limit_exceeded` for too many entries. */
export async function* tarMembers(source: AsyncIterable<Buffer>, entriesMax: number): AsyncGenerator<TarMember> {
  const reader = createPieceReader(source);
  let longName: string | null = null;
  for (let count = 0; ; count++) {
    const header = await reader.take(blockBytes);
    if (header.length < blockBytes || header.every((byte) => byte === 0)) return;
    if (count >= entriesMax) {
      throw new DocumentError('limit_exceeded', `The archive has more than ${entriesMax} entries (MAX_ARCHIVE_ENTRIES)`);
    }
    const size = sizeOf(header);
    const type = String.fromCharCode(header[156]!);
    const isNamed = type === 'L' || type === 'x' || type === 'g';
    const isKept = isFile(type) && size <= memberBytesMax;
    const bytes = await reader.take(size, isNamed ? nameBytesMax : isKept ? size : 0);
    await reader.take((blockBytes - (size % blockBytes)) % blockBytes, 0);
    if (type === 'L') longName = textTo(bytes, 0, bytes.length);
    else if (type === 'x') longName = paxPath(bytes) ?? longName;
    else {
      if (isFile(type)) yield { name: safeName(longName ?? nameOf(header)), bytes: isKept ? bytes : null };
      if (type !== 'g') longName = null;
    }
  }
}

function isFile(type: string): boolean {
  return type === '0' || type === '\0' || type === '7';
}

/** Gzip's content as it comes out. @throws DocumentError `limit_exceeded` naming the setting, `corrupt`. */
export async function* gunzip(packed: Buffer, { limits, inside }: Pick<ParseInput, 'limits' | 'inside'>): AsyncGenerator<Buffer> {
  const stream = Readable.from([packed]).pipe(createGunzip());
  const count = createUnpackMeter(limits, inside).of(null, packed.length);
  try {
    for await (const piece of stream) {
      const chunk = piece as Buffer;
      count(chunk.length);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    throw new DocumentError('corrupt', 'The packed file is damaged and cannot be unpacked', { cause: error });
  } finally {
    stream.destroy();
  }
}

/** Octal, or for large files two's complement after a byte of 0x80. */
function sizeOf(header: Buffer): number {
  const size = header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : octal(header, 124, 12);
  return Number.isSafeInteger(size) && size >= 0 ? size : 0;
}

function octal(bytes: Buffer, at: number, length: number): number {
  const number = Number.parseInt(textTo(bytes, at, at + length).trim(), 8);
  return Number.isSafeInteger(number) ? number : 0;
}

/** Of a header's bytes, its own sum taken as blanks. */
function sumOf(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < blockBytes; at++) sum += at >= 148 && at < 156 ? 0x20 : header[at]!;
  return sum;
}

function nameOf(header: Buffer): string {
  const prefix = header.toString('latin1', 257, 262) === 'ustar' && header[262] === 0 ? textTo(header, 345, 500) : '';
  const name = textTo(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** `27 path=folder/name\n` among such lines. */
function paxPath(bytes: Buffer): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(bytes.toString('utf8'))?.[1] ?? null;
}

function textTo(bytes: Buffer, from: number, to: number): string {
  const end = bytes.indexOf(0, from);
  return bytes.toString('utf8', from, end === -1 || end > to ? to : end);
}

/** For people only: nothing is ever written under it. */
function safeName(name: string): string {
  return name
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}
