/**
 * Reads ZIP archives member by member, believing nothing that the archive says about itself: real unpacked bytes are counted
 * while they are unpacked, entries are counted where they stand, names that leave the archive are left out, and an archive
 * whose directory is damaged is read from the headers before its members. Writes nothing to disk.
 */
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { DocumentError } from '../../errors.ts';
import type { ParseInput, ParseLimits } from '../parser.ts';
import { decodeAs } from '../text/encoding.ts';
import { type ByteSource, openSource, piecesOf } from './byte-source.ts';
import { createUnpackMeter } from './unpack-meter.ts';
import { encodingOfNames, nameBytes } from './zip-names.ts';

export type ZipLimits = Pick<ParseLimits, 'unpackedBytesMax' | 'entriesMax' | 'ratioMax'>;

/** An open archive. Names use `/`; each is there once. */
export interface Zip {
  /** In the order of the directory; without folders, and without names that would leave the archive. */
  readonly names: readonly string[];
  /** Sentences about damage that could be read around. Grows while members are read. */
  readonly warnings: readonly string[];
  /** The member's own spelling of `name`, compared without regard to case and percent signs (as OPC does); null when there is none. */
  find(name: string): string | null;
  /**
   * The unpacked member in pieces of some 64 KiB, so that its size does not matter; nothing for an unknown name.
   * @throws DocumentError `limit_exceeded` naming the setting, `encrypted`, `corrupt`.
   */
  chunks(name: string): AsyncIterable<Buffer>;
  /** The whole member, or null when there is none. Same errors; `limit_exceeded` past `bytesMax` too. */
  read(name: string, bytesMax?: number): Promise<Buffer | null>;
  close(): void;
}

type Entry = {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  /** Of the local header, from the start of the file. */
  readonly offset: number;
  /** False when made from a local header that leaves its sizes to a data descriptor. */
  readonly isChecked: boolean;
};

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const descriptorSignature = 0x08074b50;
const mebibyte = 1024 * 1024;
/** Members packed into less are unpacked in one call, which costs a tenth of a stream; unless they turn out large. */
const smallPackedBytes = 512 * 1024;
const smallBytes = 4 * mebibyte;
const directoryBytesMax = 64 * mebibyte;

/**
 * Opens an archive, in a file or in memory, and reads its directory. Close it when done.
 * @throws DocumentError `corrupt` when it is no ZIP archive or its members overlap; `limit_exceeded` for too many entries.
 */
export function openZip(input: Pick<ParseInput, 'path' | 'bytes' | 'inside'>, limits: ZipLimits): Zip {
  const source = openSource(input);
  try {
    return zipOver(source, limits, input.inside);
  } catch (error) {
    source.close();
    throw error;
  }
}

function zipOver(source: ByteSource, limits: ZipLimits, inside: ParseInput['inside']): Zip {
  const warnings: string[] = [];
  const directory = readDirectory(source, limits.entriesMax);
  const found = withKnownNames(directory ?? scanHeaders(source, limits.entriesMax));
  if (found.length === 0) throw new DocumentError('corrupt', 'The archive is damaged: it has no readable entry');
  if (directory === null) warnings.push('The directory of the archive is damaged; its entries were found by searching');
  else refuseOverlaps(found);

  const entries = new Map<string, Entry>();
  const spellings = new Map<string, string>();
  for (const entry of found) {
    const name = safeName(entry.name);
    if (name === null) continue;
    entries.set(name, entry);
    spellings.set(name.toLowerCase(), name);
  }
  for (const name of entries.keys()) {
    if (!name.includes('%')) continue;
    const plain = unescapePath(name).toLowerCase();
    if (!spellings.has(plain)) spellings.set(plain, name);
  }
  const meter = createUnpackMeter(limits, inside);
  let isOpen = true;

  async function* chunks(name: string): AsyncGenerator<Buffer> {
    const entry = entries.get(name);
    if (entry === undefined) return;
    refuseUnreadable(entry, name);
    const start = dataOffset(source, entry);
    const count = meter.of(name, entry.packedBytes);
    let crc = 0;
    for await (const chunk of unpacked(source, entry, start, name)) {
      count(chunk.length);
      crc = crc32(chunk, crc);
      yield chunk;
    }
    if (entry.isChecked && crc !== entry.crc) warnings.push(`The part ${name} is damaged (its checksum is wrong)`);
  }

  return {
    names: [...entries.keys()],
    warnings,
    find: (name) => (entries.has(name) ? name : (spellings.get(name.toLowerCase()) ?? null)),
    chunks,
    async read(name, bytesMax = limits.unpackedBytesMax) {
      if (!entries.has(name)) return null;
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of chunks(name)) {
        bytes += chunk.length;
        if (bytes > bytesMax) {
          throw new DocumentError(
            'limit_exceeded',
            `The part ${name} has more than ${bytesMax} bytes, the most that is read of it`,
          );
        }
        parts.push(chunk);
      }
      return parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts);
    },
    close() {
      if (isOpen) source.close();
      isOpen = false;
    },
  };
}

/** `my%20pages` is `my pages`; as it is where it is no such writing. */
export function unescapePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function refuseUnreadable(entry: Entry, name: string): void {
  if (entry.isEncrypted) {
    throw new DocumentError('encrypted', 'The file is an encrypted archive; save it without a password and upload it again');
  }
  if (entry.method !== 0 && entry.method !== 8) {
    throw new DocumentError('corrupt', `The part ${name} is compressed by method ${entry.method}, which is not supported`);
  }
}

async function* unpacked(source: ByteSource, entry: Entry, start: number, name: string): AsyncGenerator<Buffer> {
  if (entry.method === 0) {
    yield* piecesOf(source, start, entry.packedBytes);
    return;
  }
  const small = unpackSmall(source, entry, start);
  if (small !== null) {
    yield small;
    return;
  }
  // Z_SYNC_FLUSH: a truncated member gives what there is; its checksum then says that it is damaged.
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 64 * 1024 });
  const packed = Readable.from(piecesOf(source, start, entry.packedBytes));
  packed.on('error', (error) => inflate.destroy(error)).pipe(inflate);
  try {
    for await (const chunk of inflate) yield chunk as Buffer;
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    throw new DocumentError('corrupt', `The part ${name} is damaged and cannot be unpacked`, { cause: error });
  } finally {
    packed.destroy();
    inflate.destroy();
  }
}

/** The member when it is small both packed and unpacked, else null. */
function unpackSmall(source: ByteSource, entry: Entry, start: number): Buffer | null {
  if (entry.packedBytes > smallPackedBytes) return null;
  const packed = source.read(start, entry.packedBytes);
  try {
    return inflateRawSync(packed, { maxOutputLength: smallBytes, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return null; // too large, or damaged: the stream decides, and gives what comes before the damage
  }
}

function dataOffset(source: ByteSource, entry: Entry): number {
  const header = source.read(entry.offset, 30);
  if (header.length < 30 || header.readUInt32LE(0) !== localSignature) {
    throw new DocumentError('corrupt', 'The archive is damaged: its directory points to a place without an entry');
  }
  return entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/** Longer names are none of a file; patterns are tried on names, and Unicode's normal forms cost more than they are long. */
const nameBytesMax = 4096;

/** Null for folders and for names that would leave the archive. */
function safeName(name: string): string | null {
  const plain = name.replaceAll('\\', '/');
  if (plain === '' || plain.endsWith('/') || plain.startsWith('/') || /^[a-z]:/i.test(plain) || plain.includes('\0')) return null;
  return plain.split('/').includes('..') ? null : plain;
}

/** Members that share bytes are how a small archive unpacks to petabytes (D. Fifield, "A better zip bomb", 2019). */
function refuseOverlaps(entries: readonly Entry[]): void {
  const inOrder = [...entries].sort((a, b) => a.offset - b.offset);
  for (let index = 1; index < inOrder.length; index++) {
    const before = inOrder[index - 1]!;
    if (before.offset + 30 + before.packedBytes > inOrder[index]!.offset) {
      throw new DocumentError('corrupt', 'The entries of the archive overlap, as only those of a zip bomb or a damaged file do');
    }
  }
}

/** The entries of the central directory, or null when there is none or it breaks off. */
function readDirectory(source: ByteSource, entriesMax: number): Entry[] | null {
  const place = locateDirectory(source);
  if (place === null) return null;
  const directory = source.read(place.start, Math.min(place.bytes, directoryBytesMax));
  const entries: Entry[] = [];
  let at = 0;
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === centralSignature) {
    const next = at + 46 + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (next > directory.length) return null;
    entries.push(centralEntry(directory, at, place.shift));
    if (entries.length > entriesMax) throw tooManyEntries(entriesMax);
    at = next;
  }
  const isWhole = at === directory.length || entries.length === place.count;
  return isWhole && entries.every((entry) => entry.offset + 30 <= source.bytes) ? entries : null;
}

function centralEntry(directory: Buffer, at: number, shift: number): Entry {
  const nameLength = directory.readUInt16LE(at + 28);
  const flags = directory.readUInt16LE(at + 8);
  const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + directory.readUInt16LE(at + 30));
  const sizes = wideSizes(extra, {
    bytes: directory.readUInt32LE(at + 24),
    packedBytes: directory.readUInt32LE(at + 20),
    offset: directory.readUInt32LE(at + 42),
  });
  return {
    name: entryName(directory.subarray(at + 46, at + 46 + nameLength), extra),
    method: directory.readUInt16LE(at + 10),
    isEncrypted: (flags & 1) !== 0,
    crc: directory.readUInt32LE(at + 16),
    packedBytes: sizes.packedBytes,
    offset: sizes.offset + shift,
    isChecked: true,
  };
}

/** Replaces the values that say "see the ZIP64 extra field" (APPNOTE 4.5.3). */
function wideSizes(extra: Buffer, sizes: { bytes: number; packedBytes: number; offset: number }): typeof sizes {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    const end = Math.min(extra.length, at + 4 + extra.readUInt16LE(at + 2));
    let field = at + 4;
    const wide = (value: number) => {
      if (value !== 0xffffffff || field + 8 > end) return value;
      field += 8;
      return Number(extra.readBigUInt64LE(field - 8));
    };
    return { bytes: wide(sizes.bytes), packedBytes: wide(sizes.packedBytes), offset: wide(sizes.offset) };
  }
  return sizes;
}

function entryName(name: Buffer, extra: Buffer): string {
  const bytes = nameBytes(name, extra);
  if (bytes.length > nameBytesMax) return '';
  return isUtf8(bytes) ? bytes.toString('utf8').normalize('NFC') : legacyMark + bytes.toString('latin1');
}

/** Before a name whose bytes are no UTF-8, until all such names of the archive tell which encoding they have. */
const legacyMark = '\0';

/** The entries with readable names: of Windows and older systems, whose encoding no field of the archive says. */
function withKnownNames(entries: readonly Entry[]): readonly Entry[] {
  const legacy = entries.filter(({ name }) => name.startsWith(legacyMark));
  if (legacy.length === 0) return entries;
  const bytes = Buffer.from(legacy.map(({ name }) => name.slice(1)).join('\n'), 'latin1');
  const encoding = encodingOfNames(bytes);
  return entries.map((entry) =>
    entry.name.startsWith(legacyMark)
      ? { ...entry, name: decodeAs(Buffer.from(entry.name.slice(1), 'latin1'), encoding).normalize('NFC') }
      : entry,
  );
}

/** Where the central directory stands; `shift` is what was put before the archive (a self-extracting stub). */
function locateDirectory(source: ByteSource): { start: number; bytes: number; count: number; shift: number } | null {
  const tailBytes = Math.min(source.bytes, 22 + 65_535);
  const tailStart = source.bytes - tailBytes;
  const tail = source.read(tailStart, tailBytes);
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== endSignature) continue;
    const end = tailStart + at;
    const wide = readEnd64(source, end, tail.subarray(Math.max(0, at - 20), at));
    const bytes = wide?.bytes ?? tail.readUInt32LE(at + 12);
    const said = wide?.offset ?? tail.readUInt32LE(at + 16);
    const count = wide?.count ?? tail.readUInt16LE(at + 10);
    const real = (wide?.at ?? end) - bytes;
    if (startsDirectory(source, real)) return { start: real, bytes, count, shift: real - said };
    if (startsDirectory(source, said)) return { start: said, bytes, count, shift: 0 };
  }
  return null;
}

function startsDirectory(source: ByteSource, at: number): boolean {
  if (at < 0 || at + 4 > source.bytes) return false;
  return source.read(at, 4).readUInt32LE(0) === centralSignature;
}

function readEnd64(
  source: ByteSource,
  end: number,
  locator: Buffer,
): { at: number; bytes: number; offset: number; count: number } | null {
  if (locator.length < 20 || locator.readUInt32LE(0) !== 0x07064b50) return null;
  for (const at of [Number(locator.readBigUInt64LE(8)), end - 20 - 56]) {
    if (at < 0 || at + 56 > source.bytes) continue;
    const record = source.read(at, 56);
    if (record.readUInt32LE(0) !== end64Signature) continue;
    const number = (field: number) => Number(record.readBigUInt64LE(field));
    return { at, count: number(32), bytes: number(40), offset: number(48) };
  }
  return null;
}

/** The members found by their local headers, for archives that lost their directory (cut short in transfer, mostly). */
function scanHeaders(archive: ByteSource, entriesMax: number): Entry[] {
  const source = windowOn(archive);
  const entries: Entry[] = [];
  let at = nextSignature(source, 0, [localSignature]);
  while (at !== null) {
    const header = source.read(at, 30);
    if (header.length < 30) break;
    const flags = header.readUInt16LE(6);
    const nameLength = header.readUInt16LE(26);
    const start = at + 30 + nameLength + header.readUInt16LE(28);
    const isDescribed = (flags & 8) !== 0 && header.readUInt32LE(18) === 0;
    const end = isDescribed
      ? (nextSignature(source, start, [descriptorSignature, localSignature, centralSignature]) ?? source.bytes)
      : Math.min(source.bytes, start + header.readUInt32LE(18));
    entries.push({
      name: entryName(source.read(at + 30, nameLength), source.read(at + 30 + nameLength, header.readUInt16LE(28))),
      method: header.readUInt16LE(8),
      isEncrypted: (flags & 1) !== 0,
      crc: header.readUInt32LE(14),
      packedBytes: Math.max(0, end - start),
      offset: at,
      isChecked: !isDescribed,
    });
    if (entries.length > entriesMax) throw tooManyEntries(entriesMax);
    at = nextSignature(source, Math.max(end, at + 30), [localSignature]);
  }
  return entries;
}

/** The archive through one piece that is kept: thousands of headers side by side are not read from disk one by one. */
function windowOn(archive: ByteSource): ByteSource {
  let start = 0;
  let held: Buffer = Buffer.alloc(0);
  return {
    ...archive,
    read(at, bytes) {
      const isHeld = at >= start && at + Math.min(bytes, archive.bytes - at) <= start + held.length;
      if (!isHeld) [start, held] = [at, archive.read(at, Math.max(bytes, 2 * searchedBytes))];
      return held.subarray(at - start, at - start + bytes);
    },
  };
}

const searchedBytes = 64 * 1024;

function nextSignature(source: ByteSource, from: number, signatures: readonly number[]): number | null {
  for (let start = from; start + 4 <= source.bytes; start += searchedBytes) {
    const bytes = source.read(start, searchedBytes + 3);
    for (let at = bytes.indexOf('PK'); at !== -1 && at + 4 <= bytes.length; at = bytes.indexOf('PK', at + 1)) {
      if (signatures.includes(bytes.readUInt32LE(at))) return start + at;
    }
  }
  return null;
}

function tooManyEntries(entriesMax: number): DocumentError {
  return new DocumentError('limit_exceeded', `The archive has more than ${entriesMax} entries (MAX_ARCHIVE_ENTRIES)`);
}
