/** Unpacks a folder of a 7z archive, method by method, as its bytes are asked for; what it holds in memory is bounded. */
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { DocumentError } from '../../../errors.ts';
import { type ByteSource, piecesOf } from '../../containers/byte-source.ts';
import { decrypt, type Keys } from './aes.ts';
import { Damage } from './damage.ts';
import { unpackBzip2 } from './bzip2.ts';
import { undoDelta, undoX86 } from './filters.ts';
import type { Folder, Step } from './header.ts';
import { ppmdMemoryBytes, unpackPpmd } from './ppmd.ts';
import { lzma2DictionaryBytes, lzmaDictionaryBytes, unpackLzma, unpackLzma2 } from './lzma.ts';

const headBytes = 32;
const aes = '06f10701';

type Pieces = AsyncIterable<Buffer>;

type Method = {
  readonly unpack: (packed: Pieces, step: Step) => AsyncGenerator<Buffer>;
  /** What it may refer back to, in bytes; null where its properties are none. Absent: nothing. */
  readonly windowBytes?: (step: Step) => number | null;
};

const methods: Readonly<Record<string, Method>> = {
  '00': { unpack: copied },
  '03': { unpack: (packed, { properties }) => undoDelta(packed, properties) },
  '04': { unpack: undoX86 },
  '21': {
    unpack: (packed, step) => unpackLzma2(packed, windowOf(step)),
    windowBytes: ({ properties, bytes }) => noMoreThan(bytes, lzma2DictionaryBytes(properties)),
  },
  '030101': {
    unpack: (packed, step) => unpackLzma(packed, step.properties, { bytes: step.bytes, windowBytes: windowOf(step) }),
    windowBytes: ({ properties, bytes }) => noMoreThan(bytes, lzmaDictionaryBytes(properties)),
  },
  '030401': {
    unpack: (packed, { properties, bytes }) => unpackPpmd(packed, properties, bytes),
    windowBytes: ({ properties }) => ppmdMemoryBytes(properties),
  },
  '03030103': { unpack: undoX86 },
  '040108': { unpack: inflated },
  '040202': { unpack: unpackBzip2 },
};

function noMoreThan(bytes: number, dictionaryBytes: number | null): number | null {
  return dictionaryBytes === null ? null : Math.min(dictionaryBytes, bytes);
}

/** Others that 7-Zip and its kin write, for the sentence. */
const otherNames: Readonly<Record<string, string>> = {
  '05': 'PPC',
  '06': 'IA64',
  '07': 'ARM',
  '08': 'ARMT',
  '09': 'SPARC',
  '0a': 'ARM64',
  '0b': 'RISCV',
  '020302': 'Swap2',
  '020304': 'Swap4',
  '0303011b': 'BCJ2',
  '03030205': 'PPC',
  '03030401': 'IA64',
  '03030501': 'ARM',
  '03030701': 'ARMT',
  '03030805': 'SPARC',
  '040109': 'Deflate64',
  '04f71101': 'Zstandard',
  '04f71102': 'Brotli',
  '04f71104': 'LZ4',
};

export function isEncrypted(folder: Folder): boolean {
  return folder.steps.some(({ method }) => method === aes);
}

/**
 * Bytes that unpacking takes for what it may refer back to, at most.
 * @param keys null where no password was sent
 * @throws DocumentError `encrypted` without a password, `unsupported_format` naming a method that is not read; Damage
 */
export function windowBytesOf(folder: Folder, keys: Keys | null): number {
  if (isEncrypted(folder) && keys === null) throw needsPassword();
  const bytes = folder.steps.reduce((sum, step) => sum + windowOf(step), 0);
  if (!folder.isChain) throw new Damage('coders');
  return bytes;
}

/**
 * What comes out of a folder, once its window is known, of the size that its header says.
 * @throws Damage, and DocumentError as above; `limit_exceeded` for a key that costs too much
 */
export async function* unpackFolder(source: ByteSource, folder: Folder, keys: Keys | null): AsyncGenerator<Buffer> {
  let pieces: Pieces = copied(piecesOf(source, headBytes + folder.packedAt, folder.packedBytes));
  for (const step of folder.steps) {
    const from = pieces;
    const out = step.method === aes ? decrypt(from, keys!.of(step.properties)) : methodOf(step).unpack(from, step);
    pieces = exactly(out, step.bytes);
  }
  yield* pieces;
}

function needsPassword(): DocumentError {
  return new DocumentError(
    'encrypted',
    'The file is protected by a password: remove the password and upload it again, or send the password with it',
  );
}

function methodOf(step: Step): Method {
  const method = methods[step.method];
  if (method !== undefined) return method;
  const name = otherNames[step.method] ?? step.method;
  throw new DocumentError(
    'unsupported_format',
    `it is packed by ${name}, which is not read: pack it by LZMA2 or as ZIP and upload that`,
  );
}

function windowOf(step: Step): number {
  if (step.method === aes) return 0;
  const { windowBytes = () => 0 } = methodOf(step);
  return windowBytes(step) ?? damaged();
}

function damaged(): never {
  throw new Damage('properties');
}

async function* copied(packed: Pieces | Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* packed;
}

async function* inflated(packed: Pieces): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw({ chunkSize: 64 * 1024 });
  const from = Readable.from(packed);
  from.on('error', (error) => inflate.destroy(error)).pipe(inflate);
  try {
    for await (const piece of inflate) yield piece as Buffer;
  } catch (error) {
    if (error instanceof DocumentError || error instanceof Damage) throw error;
    throw new Damage('deflate', { cause: error });
  } finally {
    from.destroy();
    inflate.destroy();
  }
}

/** The first `bytes`; it is damage where there are fewer. */
async function* exactly(pieces: Pieces, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  if (left === 0) return;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= Math.min(left, piece.length);
    if (left === 0) return;
  }
  throw new Damage('end');
}
