/** A 7z archive: finds its list of files, and gives their content in order, a folder unpacked once however many files are in it. */
import { crc32 } from 'node:zlib';
import { DocumentError } from '../../../errors.ts';
import { type ByteSource, openSource } from '../../containers/byte-source.ts';
import { insideOf } from '../../containers/parts.ts';
import { createUnpackMeter, type UnpackMeter } from '../../containers/unpack-meter.ts';
import type { ParseInput } from '../../parser.ts';
import { createPieceReader } from '../piece-reader.ts';
import { createKeys, type Keys } from './aes.ts';
import { Damage } from './damage.ts';
import { isEncrypted, unpackFolder, windowBytesOf } from './folder.ts';
import { type Entry, type Folder, type Header, readHeader, type Stream } from './header.ts';

/** A file of the archive. */
export type SevenZipMember = {
  readonly name: string;
  /** Asked for once, before the next member is. @throws DocumentError as readers of archives do */
  readonly bytes: (bytesMax: number) => Promise<Buffer>;
};

export type SevenZip = {
  /** In the order of the list; without folders, links, and marks of deleted files. */
  members(): AsyncGenerator<SevenZipMember>;
  /** Sentences about damage that could be read around. Grows while members are read. */
  readonly warnings: readonly string[];
  close(): void;
};

type Archive = {
  readonly source: ByteSource;
  readonly input: ParseInput;
  readonly meter: UnpackMeter;
  readonly keys: Keys | null;
  readonly warnings: string[];
  /** Whether something that the password was for came out right. */
  isOpened: boolean;
};

const headBytes = 32;
const headerBytesMax = 64 * 1024 * 1024;
/** A packed list may be in a packed list. */
const packedMax = 4;

/**
 * Opens an archive, in a file or in memory, and reads its list of files. Close it when done.
 * @throws DocumentError `corrupt`; `encrypted` where the list needs a password or another one; `limit_exceeded`
 */
export async function openSevenZip(input: ParseInput): Promise<SevenZip> {
  const source = openSource(input);
  const archive: Archive = {
    source,
    input,
    meter: createUnpackMeter(input.limits, input.inside),
    keys: input.password === undefined ? null : createKeys(input.password),
    warnings: [],
    isOpened: false,
  };
  try {
    const header = await readList(archive);
    return { members: () => membersOf(archive, header), warnings: archive.warnings, close: () => source.close() };
  } catch (error) {
    source.close();
    throw error instanceof Damage ? unreadableList() : error;
  }
}

type PlainHeader = Extract<Header, { kind: 'plain' }>;

async function readList(archive: Archive): Promise<PlainHeader> {
  let bytes = listOf(archive.source);
  if (bytes.length === 0) return { kind: 'plain', folders: [], entries: [] };
  for (let depth = 0; depth < packedMax; depth++) {
    const header = readHeader(bytes, archive.input.limits);
    if (header.kind === 'plain') return header;
    const [folder] = header.folders;
    if (folder === undefined) return { kind: 'plain', folders: [], entries: [] };
    bytes = await unpackList(archive, folder);
  }
  throw new Damage('packed lists');
}

/** Where the list is and what it sums up to stands at the beginning of the file. */
function listOf(source: ByteSource): Buffer {
  const head = source.read(0, headBytes);
  if (head.length < headBytes) throw cutShort();
  if (crc32(head.subarray(12)) !== head.readUInt32LE(8)) throw new Damage('head');
  const [at, bytes] = [Number(head.readBigUInt64LE(12)), Number(head.readBigUInt64LE(20))];
  if (headBytes + at + bytes > source.bytes) throw cutShort();
  if (bytes > headerBytesMax) throw new Damage('size of the list');
  const list = source.read(headBytes + at, bytes);
  if (crc32(list) !== head.readUInt32LE(28)) throw new Damage('list');
  return list;
}

/** @throws Damage, and DocumentError as `openSevenZip` does */
async function unpackList(archive: Archive, folder: Folder): Promise<Buffer> {
  const [stream] = folder.streams;
  if (stream === undefined || stream.bytes > headerBytesMax) throw new Damage('size of the list');
  const opened = openFolder(archive, folder);
  try {
    const bytes = await opened.read(stream, 0, headerBytesMax);
    if (!matches(bytes, stream)) throw new Damage('list');
    archive.isOpened ||= isEncrypted(folder);
    return bytes;
  } catch (error) {
    throw error instanceof Damage && isEncrypted(folder) && archive.keys !== null ? wrongPassword() : error;
  } finally {
    await opened.close();
  }
}

async function* membersOf(archive: Archive, { folders, entries }: PlainHeader): AsyncGenerator<SevenZipMember> {
  const streams = streamsOf(folders);
  let opened: OpenFolder | null = null;
  try {
    for (const entry of entries) {
      const place = entry.hasStream ? streams.next().value : undefined;
      if (!entry.isFile) continue;
      if (place === undefined) {
        yield { name: entry.name, bytes: () => Promise.resolve(Buffer.alloc(0)) };
        continue;
      }
      if (opened?.folder !== place.folder) {
        await opened?.close();
        opened = openFolder(archive, place.folder);
      }
      yield memberOf(archive, entry, opened, place);
    }
  } finally {
    await opened?.close();
  }
}

type Place = { readonly folder: Folder; readonly stream: Stream; readonly at: number };

function* streamsOf(folders: readonly Folder[]): Generator<Place, undefined> {
  for (const folder of folders) {
    let at = 0;
    for (const stream of folder.streams) {
      yield { folder, stream, at };
      at += stream.bytes;
    }
  }
}

function memberOf(archive: Archive, { name }: Entry, opened: OpenFolder, { folder, stream, at }: Place): SevenZipMember {
  const mayBeLocked = (): boolean => isEncrypted(folder) && !archive.isOpened;
  return {
    name,
    async bytes(bytesMax) {
      try {
        const bytes = await opened.read(stream, at, bytesMax);
        const isRight = matches(bytes, stream);
        if (!isRight && mayBeLocked()) throw wrongPassword();
        if (!isRight) archive.warnings.push(`The part ${name} is damaged (its checksum is wrong)`);
        archive.isOpened ||= isEncrypted(folder) && stream.crc !== null;
        return bytes;
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        if (mayBeLocked()) throw wrongPassword();
        throw new DocumentError('corrupt', `The part ${name} is damaged and cannot be unpacked`, { cause: error });
      }
    },
  };
}

function matches(bytes: Buffer, { crc }: Stream): boolean {
  return crc === null || crc32(bytes) === crc;
}

type OpenFolder = {
  readonly folder: Folder;
  /** What stands `at` so many bytes, behind all that was read before. @throws Damage, DocumentError; the same again once it has */
  read(stream: Stream, at: number, bytesMax: number): Promise<Buffer>;
  close(): Promise<void>;
};

function openFolder(archive: Archive, folder: Folder): OpenFolder {
  const { left } = insideOf(archive.input);
  let position = 0;
  let failure: unknown = null;
  let windowBytes = 0;
  let reader: ReturnType<typeof createPieceReader> | null = null;

  function begin(): ReturnType<typeof createPieceReader> {
    const wanted = windowBytesOf(folder, archive.keys);
    if (wanted > left.dictionaryBytes) throw tooLargeDictionary(left.dictionaryBytes);
    left.dictionaryBytes -= wanted;
    windowBytes = wanted;
    return createPieceReader(
      counted(unpackFolder(archive.source, folder, archive.keys), archive.meter.of(null, folder.packedBytes)),
    );
  }

  async function read({ bytes }: Stream, at: number, bytesMax: number): Promise<Buffer> {
    if (bytes > bytesMax) {
      throw new DocumentError('limit_exceeded', `it is larger than ${bytesMax} bytes, the limit for a file inside another`);
    }
    reader ??= begin();
    await reader.take(at - position, 0);
    const taken = await reader.take(bytes);
    position = at + bytes;
    if (taken.length < bytes) throw new Damage('end');
    return taken;
  }

  return {
    folder,
    async read(stream, at, bytesMax) {
      if (failure !== null) throw failure;
      try {
        return await read(stream, at, bytesMax);
      } catch (error) {
        if (stream.bytes <= bytesMax) failure = error;
        throw error;
      }
    },
    async close() {
      left.dictionaryBytes += windowBytes;
      windowBytes = 0;
      await reader?.close();
    },
  };
}

async function* counted(pieces: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  count(0); // Where the limit is met, nothing more is unpacked.
  for await (const piece of pieces) {
    count(piece.length);
    yield piece;
  }
}

function cutShort(): DocumentError {
  return new DocumentError(
    'corrupt',
    'The 7z archive is cut short, or only the first of several volumes: the list of its files is missing',
  );
}

function unreadableList(): DocumentError {
  return new DocumentError('corrupt', 'The 7z archive is damaged: the list of its files cannot be read');
}

function wrongPassword(): DocumentError {
  return new DocumentError('encrypted', 'The file is protected by a password, and the password sent with it does not open it');
}

function tooLargeDictionary(bytesMax: number): DocumentError {
  return new DocumentError(
    'limit_exceeded',
    `Unpacking it takes a dictionary of more than ${bytesMax} bytes: pack it with a smaller one and upload it again`,
  );
}
