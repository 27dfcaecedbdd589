/**
 * The list at the end of a 7z archive: which stretches of it are packed by what, and which files are in them (I. Pavlov, "7zFormat.txt", in
 * the LZMA SDK; public domain). All of it is its writer's word: counts are held against the bytes that are there and against the limits.
 */
import { DocumentError } from '../../../errors.ts';
import type { ParseLimits } from '../../parser.ts';
import { Damage } from './damage.ts';

/** One method of packing. Data goes through those of a folder one after the other. */
export type Step = {
  /** The number of the method, in hexadecimal. */
  readonly method: string;
  readonly properties: Buffer;
  /** That come out of it. */
  readonly bytes: number;
};

/** Of a file in a folder; `crc` is null where none was written. */
export type Stream = { readonly bytes: number; readonly crc: number | null };

/** A stretch of packed bytes, and the files that come out of it. ("Folder" is the format's word.) */
export type Folder = {
  /** From the end of the first 32 bytes of the archive. */
  readonly packedAt: number;
  readonly packedBytes: number;
  /** In the order in which they undo each other; only the one that is not so where they are no chain. */
  readonly steps: readonly Step[];
  readonly isChain: boolean;
  readonly streams: readonly Stream[];
};

export type Entry = {
  readonly name: string;
  /** Else a folder, a link, or the mark of a file that is to be deleted. */
  readonly isFile: boolean;
  /** Whether the next stream is its content; it has none else. */
  readonly hasStream: boolean;
};

export type Header =
  /** The header is packed itself: what comes out of the first folder. */
  | { readonly kind: 'packed'; readonly folders: readonly Folder[] }
  | { readonly kind: 'plain'; readonly folders: readonly Folder[]; readonly entries: readonly Entry[] };

const ids = {
  end: 0,
  header: 1,
  archiveProperties: 2,
  additionalStreams: 3,
  mainStreams: 4,
  files: 5,
  packs: 6,
  folders: 7,
  subStreams: 8,
  size: 9,
  crc: 10,
  folder: 11,
  unpackedSizes: 12,
  streamCounts: 13,
  emptyStream: 14,
  emptyFile: 15,
  anti: 16,
  names: 17,
  attributes: 21,
  packedHeader: 23,
  dummy: 25,
} as const;

/** Of one folder; 7-Zip has no more either. */
const stepsMax = 32;
/** Streams that a folder takes its bytes from: four of BCJ2. */
const packsMax = 4;
/** Longer names are none of a file; what matters of one is its end. */
const nameCharactersMax = 4096;

/** @throws Damage; DocumentError `limit_exceeded` for too many entries */
export function readHeader(bytes: Buffer, { entriesMax }: Pick<ParseLimits, 'entriesMax'>): Header {
  const fields = new Fields(bytes, entriesMax);
  const kind = fields.number();
  if (kind === ids.packedHeader) return { kind: 'packed', folders: readStreams(fields) };
  if (kind !== ids.header) throw new Damage('header');
  let folders: readonly Folder[] = [];
  let entries: readonly Entry[] = [];
  for (const id of fields.sections()) {
    if (id === ids.archiveProperties) passOverProperties(fields);
    else if (id === ids.additionalStreams) readStreams(fields);
    else if (id === ids.mainStreams) folders = readStreams(fields);
    else if (id === ids.files) entries = readEntries(fields);
    else throw new Damage('header');
  }
  const streamCount = sumOf(folders.map((folder) => folder.streams.length));
  if (entries.filter(({ hasStream }) => hasStream).length !== streamCount) throw new Damage('streams');
  return { kind: 'plain', folders, entries };
}

function passOverProperties(fields: Fields): void {
  for (const _id of fields.sections()) fields.bytes(fields.number());
}

/* Streams: where they are, how they are packed, what is in them. */

type Packs = { readonly at: number; readonly sizes: readonly number[] };
type Coders = Pick<Folder, 'steps' | 'isChain'> & { readonly packCount: number; readonly bytes: number };
type UncutFolder = Coders & { readonly crc: number | null };

function readStreams(fields: Fields): readonly Folder[] {
  let packs: Packs = { at: 0, sizes: [] };
  let uncut: readonly UncutFolder[] = [];
  let cut: readonly (readonly Stream[])[] | null = null;
  for (const id of fields.sections()) {
    if (id === ids.packs) packs = readPacks(fields);
    else if (id === ids.folders) uncut = readFolders(fields);
    else if (id === ids.subStreams) cut = readSubStreams(fields, uncut);
    else throw new Damage('streams');
  }
  let pack = 0;
  let end = packs.at;
  return uncut.map(({ steps, isChain, packCount, bytes, crc }, index) => {
    const packedAt = end;
    for (const last = pack + packCount; pack < last; pack++) end = checked(end + (packs.sizes[pack] ?? Number.NaN));
    return { packedAt, packedBytes: end - packedAt, steps, isChain, streams: cut?.[index] ?? [{ bytes, crc }] };
  });
}

function readPacks(fields: Fields): Packs {
  const at = fields.number();
  const count = fields.count();
  fields.refuseTooMany(count / packsMax);
  let sizes: readonly number[] = [];
  for (const id of fields.sections()) {
    if (id === ids.size) sizes = fields.times(count, () => fields.number());
    else if (id === ids.crc) fields.crcs(count);
    else throw new Damage('packed streams');
  }
  return { at, sizes };
}

function readFolders(fields: Fields): readonly UncutFolder[] {
  if (fields.number() !== ids.folder) throw new Damage('folders');
  const count = fields.count();
  fields.refuseTooMany(count);
  fields.refuseExternal();
  const chains = fields.times(count, () => readFolder(fields));
  if (fields.number() !== ids.unpackedSizes) throw new Damage('folders');
  const coders = chains.map((chain) => chain(fields));
  let crcs: readonly (number | null)[] = [];
  for (const id of fields.sections()) {
    if (id !== ids.crc) throw new Damage('folders');
    crcs = fields.crcs(count);
  }
  return coders.map((each, index) => ({ ...each, crc: crcs[index] ?? null }));
}

type Coder = { readonly method: string; readonly properties: Buffer; readonly inputs: number; readonly outputs: number };

/** Gives what reads the sizes of the folder: they stand behind all folders. */
function readFolder(fields: Fields): (fields: Fields) => Coders {
  const coders = fields.times(fields.count(stepsMax), () => readCoder(fields));
  const inputs = sumOf(coders.map((coder) => coder.inputs));
  const outputs = sumOf(coders.map((coder) => coder.outputs));
  if (outputs === 0 || outputs > stepsMax || inputs > stepsMax || inputs < outputs) throw new Damage('coders');
  const bonds = new Map(fields.times(outputs - 1, () => [fields.below(inputs), fields.below(outputs)] as const));
  const packCount = inputs - (outputs - 1);
  if (packCount > 1) fields.times(packCount, () => fields.below(inputs));
  const odd = coders.find((coder) => coder.inputs !== 1 || coder.outputs !== 1);
  const order = odd === undefined ? chainOf(coders.length, bonds) : [];
  return (sizesOf) => {
    const sizes = sizesOf.times(outputs, () => sizesOf.number());
    const step = ({ method, properties }: Coder, bytes: number): Step => ({ method, properties, bytes });
    if (odd !== undefined) return { steps: [step(odd, 0)], isChain: false, packCount, bytes: sizes.at(-1)! };
    const steps = order.map((index) => step(coders[index]!, sizes[index]!));
    return { steps, isChain: true, packCount, bytes: steps.at(-1)!.bytes };
  };
}

function readCoder(fields: Fields): Coder {
  const flags = fields.byte();
  const method = fields.bytes(flags & 15).toString('hex');
  const isSimple = (flags & 16) === 0;
  const inputs = isSimple ? 1 : fields.count(stepsMax);
  const outputs = isSimple ? 1 : fields.count(stepsMax);
  const properties = (flags & 32) === 0 ? Buffer.alloc(0) : fields.bytes(fields.number());
  if ((flags & 0xc0) !== 0) throw new Damage('coder');
  return { method, properties, inputs, outputs };
}

/** The coders from the packed bytes to the files: `bonds` say from whose output each takes its input. */
function chainOf(count: number, bonds: ReadonlyMap<number, number>): readonly number[] {
  const taken = new Set(bonds.values());
  const last = Array.from({ length: count }, (_, index) => index).filter((index) => !taken.has(index));
  if (last.length !== 1) throw new Damage('bonds');
  const order = [last[0]!];
  for (let from = bonds.get(last[0]!); from !== undefined; from = bonds.get(from)) {
    order.push(from);
    if (order.length > count) throw new Damage('bonds');
  }
  if (order.length !== count) throw new Damage('bonds');
  return order.toReversed();
}

function readSubStreams(fields: Fields, folders: readonly UncutFolder[]): readonly (readonly Stream[])[] {
  let counts: readonly number[] = folders.map(() => 1);
  let given: readonly (readonly number[])[] = folders.map(() => []);
  let crcs: readonly (number | null)[] = [];
  // The checksum of a folder is that of the one file in it.
  const knows = (index: number): boolean => counts[index] === 1 && folders[index]!.crc !== null;
  for (const id of fields.sections()) {
    if (id === ids.streamCounts) {
      counts = folders.map(() => fields.number());
      fields.refuseTooMany(sumOf(counts));
    } else if (id === ids.size) given = counts.map((count) => fields.times(count - 1, () => fields.number()));
    else if (id === ids.crc) crcs = fields.crcs(sumOf(counts.filter((_, index) => !knows(index))));
    else throw new Damage('substreams');
  }
  let next = 0;
  return folders.map(({ bytes, crc }, index) =>
    sizesOf(bytes, counts[index]!, given[index]!).map((size) => ({
      bytes: size,
      crc: knows(index) ? crc : (crcs[next++] ?? null),
    })),
  );
}

/** All sizes but the last are given, which is what is left. */
function sizesOf(bytes: number, count: number, given: readonly number[]): readonly number[] {
  if (count === 0) return [];
  const last = bytes - sumOf(given);
  if (given.length !== count - 1 || last < 0) throw new Damage('substreams');
  return [...given, last];
}

/* Files. */

function readEntries(fields: Fields): readonly Entry[] {
  const count = fields.number();
  fields.refuseTooMany(count);
  const none = Array.from<boolean>({ length: count }).fill(false);
  let [names, isEmpty, attributes]: [readonly string[], readonly boolean[], readonly number[]] = [[], none, []];
  let emptyFiles: readonly boolean[] = [];
  let anti: readonly boolean[] = [];
  for (const id of fields.sections()) {
    const property = new Fields(fields.bytes(fields.number()), fields.entriesMax);
    if (id === ids.names) names = readNames(property, count);
    else if (id === ids.emptyStream) isEmpty = property.bits(count);
    else if (id === ids.emptyFile) emptyFiles = property.bits(isEmpty.filter(Boolean).length);
    else if (id === ids.anti) anti = property.bits(isEmpty.filter(Boolean).length);
    else if (id === ids.attributes) attributes = readAttributes(property, count);
  }
  let empty = -1;
  return none.map((_, index) => {
    if (isEmpty[index]!) empty += 1;
    const isFile = isEmpty[index]! ? emptyFiles[empty] === true && anti[empty] !== true : !isFolderOrLink(attributes[index] ?? 0);
    return { name: names[index] ?? '', isFile, hasStream: !isEmpty[index]! };
  });
}

/** Texts of UTF-16, each with a zero behind it. */
function readNames(fields: Fields, count: number): readonly string[] {
  fields.refuseExternal();
  const text = fields.rest().toString('utf16le');
  let at = 0;
  return Array.from({ length: count }, () => {
    const end = text.indexOf('\0', at);
    if (end === -1) throw new Damage('names');
    const name = text.slice(Math.max(at, end - nameCharactersMax), end);
    at = end + 1;
    return safeName(name.toWellFormed());
  });
}

/** For people only: nothing is ever written under it. */
function safeName(name: string): string {
  const parts = name.normalize('NFC').split(/[/\\]/);
  return parts.filter((part) => part !== '' && part !== '.' && part !== '..').join('/');
}

/** Those of Windows, and above them, where the sixteenth bit says so, the mode of a Unix file. */
function readAttributes(fields: Fields, count: number): readonly number[] {
  const areKnown = fields.optionalBits(count);
  fields.refuseExternal();
  return areKnown.map((isKnown) => (isKnown ? fields.bytes(4).readUInt32LE(0) : 0));
}

/** What comes out of a pipe into an archive is noted as a pipe, and is a file in it: whatever has content is one, but for links. */
function isFolderOrLink(attributes: number): boolean {
  const isOfUnix = (attributes & 0x8000) !== 0;
  const kind = (attributes >>> 28) & 15;
  return (attributes & 0x410) !== 0 || (isOfUnix && (kind === 4 || kind === 10));
}

/* What all of it is made of. */

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Reads a header from its beginning. Whatever is not there is damage. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;
  readonly entriesMax: number;

  constructor(bytes: Buffer, entriesMax: number) {
    this.#bytes = bytes;
    this.entriesMax = entriesMax;
  }

  byte(): number {
    return this.bytes(1)[0]!;
  }

  bytes(count: number): Buffer {
    if (count > this.#bytes.length - this.#at) throw new Damage('header ends');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** How many bits the first byte begins with that are 1, so many bytes follow; its other bits are the highest ones. */
  number(): number {
    const first = this.byte();
    let value = 0;
    let mask = 0x80;
    for (let bytes = 0; bytes < 8; bytes++, mask >>= 1) {
      if ((first & mask) === 0) return checked(value + (first & (mask - 1)) * 256 ** bytes);
      value += this.byte() * 256 ** bytes;
    }
    return checked(value);
  }

  below(end: number): number {
    const number = this.number();
    if (number >= end) throw new Damage('number');
    return number;
  }

  /** Of things that take a byte each at least. */
  count(max = Infinity): number {
    const count = this.number();
    if (count > Math.min(max, this.#bytes.length - this.#at)) throw new Damage('count');
    return count;
  }

  /** The number before each section up to the end, none of them twice. */
  *sections(): Generator<number> {
    const seen = new Set<number>();
    for (let id = this.number(); id !== ids.end; id = this.number()) {
      if (seen.has(id) && id !== ids.dummy) throw new Damage('sections');
      seen.add(id);
      yield id;
    }
  }

  refuseTooMany(count: number): void {
    if (count > this.entriesMax) throw tooManyEntries(this.entriesMax);
  }

  times<T>(count: number, read: () => T): readonly T[] {
    return Array.from({ length: Math.max(0, count) }, read);
  }

  bits(count: number): readonly boolean[] {
    const bytes = this.bytes(Math.ceil(count / 8));
    return Array.from({ length: count }, (_, index) => (bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0);
  }

  /** All are set where a byte says so. */
  optionalBits(count: number): readonly boolean[] {
    return this.byte() === 0 ? this.bits(count) : Array.from<boolean>({ length: count }).fill(true);
  }

  crcs(count: number): readonly (number | null)[] {
    return this.optionalBits(count).map((isKnown) => (isKnown ? this.bytes(4).readUInt32LE(0) : null));
  }

  /** What may stand in a stream of its own, which no writer makes use of. */
  refuseExternal(): void {
    if (this.byte() !== 0) throw new Damage('external');
  }
}

function checked(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Damage('number');
  return value;
}

function tooManyEntries(entriesMax: number): DocumentError {
  return new DocumentError('limit_exceeded', `The archive has more than ${entriesMax} entries (MAX_ARCHIVE_ENTRIES)`);
}
