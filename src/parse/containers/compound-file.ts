/**
 * OLE compound files (MS-CFB): the container of the old binary Office formats, of Outlook messages, of objects inside of documents, and
 * of every password-protected OOXML file. Believes nothing that the file says of itself: chains that loop, sizes that lie and sectors
 * that are not there end where the file's own bytes end.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DocumentError } from '../../errors.ts';

export type CompoundKind = 'encrypted-ooxml' | 'doc' | 'xls' | 'ppt' | 'msg' | 'works' | 'ole-package' | 'unknown';

/** A folder of a compound file. */
export interface CompoundStorage {
  readonly name: string;
  readonly storages: readonly CompoundStorage[];
  readonly streams: readonly CompoundStream[];
  /** By its name, in whatever case. */
  storage(name: string): CompoundStorage | null;
  stream(name: string): CompoundStream | null;
}

export type CompoundStream = {
  readonly name: string;
  /** As the directory says. */
  readonly bytes: number;
  /**
   * Its content, as far as the file holds it: shorter than `bytes` in a file that breaks off.
   * @throws DocumentError `limit_exceeded` (MAX_UNPACKED_BYTES) when all that was read of the file together is too much.
   */
  read(): Buffer;
};

/** The bytes of the file; `read` gives fewer at the end. */
type Source = { readonly bytes: number; read(at: number, bytes: number): Buffer };

const signature = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const headerBytes = 512;
const entryBytes = 128;
const sectorMax = 0xfffffffa; // this and everything above is a mark, not a sector
const noEntry = 0xffffffff;
/** Entries of the directory that are looked at: a message with thousands of recipients has some hundred thousand. */
const entriesMax = 500_000;
/** Storages in storages. Each embedded message is two deeper. */
const depthMax = 100;

/** True when the bytes begin as a compound file does. */
export function isCompoundFile(head: Uint8Array): boolean {
  return head.length >= 8 && signature.equals(head.subarray(0, 8));
}

/**
 * What the compound file is, by the names of its streams; `unknown` for any other file, and when its directory cannot be read.
 * Give a path where possible: in a mere head of the file the directory may lie beyond the end.
 */
export function describeCompoundFile(file: string | Uint8Array): CompoundKind {
  if (typeof file !== 'string') return kindOf(rootOf(sourceOf(file), () => {}));
  const fd = openSync(file, 'r');
  try {
    const read = (at: number, bytes: number): Buffer => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, at));
    };
    return kindOf(rootOf({ bytes: fstatSync(fd).size, read }, () => {}));
  } finally {
    closeSync(fd);
  }
}

/**
 * The root of a compound file in memory. `bytesMax` bounds what its streams give, all together.
 * @throws DocumentError `corrupt` when it has no directory.
 */
export function openCompoundFile(bytes: Uint8Array, bytesMax: number): CompoundStorage {
  let left = bytesMax;
  const root = rootOf(sourceOf(bytes), (count) => {
    left -= count;
    if (left < 0) throw new DocumentError('limit_exceeded', `The file unpacks to more than ${bytesMax} bytes (MAX_UNPACKED_BYTES)`);
  });
  if (root === null) throw new DocumentError('corrupt', 'The file is damaged: its directory cannot be read');
  return root;
}

function sourceOf(bytes: Uint8Array): Source {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer.length, read: (at, count) => buffer.subarray(at, Math.max(at, at + count)) };
}

const kinds: readonly (readonly [stream: string, kind: CompoundKind])[] = [
  ['EncryptedPackage', 'encrypted-ooxml'],
  ['EncryptionInfo', 'encrypted-ooxml'],
  ['WordDocument', 'doc'],
  ['Workbook', 'xls'],
  ['Book', 'xls'],
  ['PowerPoint Document', 'ppt'],
  ['PP97_DUALSTORAGE', 'ppt'],
  ['__properties_version1.0', 'msg'],
  ['MatOST', 'works'],
  ['\u0001Ole10Native', 'ole-package'],
  ['Package', 'ole-package'],
  ['EmbeddedOdf', 'ole-package'],
  ['CONTENTS', 'ole-package'],
];

function kindOf(root: CompoundStorage | null): CompoundKind {
  if (root === null) return 'unknown';
  return kinds.find(([name]) => root.stream(name) !== null || root.storage(name) !== null)?.[1] ?? 'unknown';
}

/** Called with the bytes that a stream is going to give. */
type Count = (bytes: number) => void;

/** One entry of the directory, as it stands there. */
type Entry = {
  readonly name: string;
  readonly isStream: boolean;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  readonly start: number;
  readonly bytes: number;
};

/** Null when it is no compound file. */
function rootOf(source: Source, count: Count): CompoundStorage | null {
  const header = source.read(0, headerBytes);
  if (header.length < headerBytes || !isCompoundFile(header)) return null;
  const sectors = createSectors(source, header);
  const entries = readEntries(sectors.chain(header.readUInt32LE(48), entriesMax * entryBytes));
  const [root] = entries;
  if (root === undefined) return null;
  const cutoff = header.readUInt32LE(56) === 0 ? 4096 : header.readUInt32LE(56);
  const mini = createMiniStream(sectors, root, header.readUInt32LE(60));
  const seen = new Set<number>([0]);
  return storageOf(root, 0);

  function storageOf(entry: Entry, depth: number): CompoundStorage {
    const storages: CompoundStorage[] = [];
    const streams: CompoundStream[] = [];
    if (depth < depthMax) {
      for (const each of entriesBelow(entry.child)) {
        if (each.isStream) streams.push(streamOf(each));
        else storages.push(storageOf(each, depth + 1));
      }
    }
    return { name: entry.name, storages, streams, storage: byName(storages), stream: byName(streams) };
  }

  /** The siblings of a tree, in the order of the tree; each entry of the file in one place only. */
  function entriesBelow(top: number): Entry[] {
    const found: Entry[] = [];
    const open: (number | Entry)[] = [top];
    while (open.length > 0) {
      const next = open.pop()!;
      if (typeof next !== 'number') {
        found.push(next);
        continue;
      }
      const entry = next === noEntry || seen.has(next) ? undefined : entries[next];
      if (entry === undefined) continue;
      seen.add(next);
      open.push(entry.right, entry, entry.left);
    }
    return found.filter(({ name }) => name !== '');
  }

  function streamOf(entry: Entry): CompoundStream {
    return {
      name: entry.name,
      bytes: entry.bytes,
      read() {
        count(Math.min(entry.bytes, source.bytes));
        return entry.bytes < cutoff ? mini(entry.start, entry.bytes) : sectors.chain(entry.start, entry.bytes);
      },
    };
  }
}

function byName<T extends { readonly name: string }>(all: readonly T[]): (name: string) => T | null {
  const known = new Map(all.toReversed().map((each) => [each.name.toUpperCase(), each]));
  return (name) => known.get(name.toUpperCase()) ?? null;
}

function readEntries(directory: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + entryBytes <= directory.length; at += entryBytes) {
    const type = directory.readUInt8(at + 66);
    const length = Math.min(64, directory.readUInt16LE(at + 64));
    const isUsed = type === 1 || type === 2 || type === 5;
    entries.push({
      name: isUsed && length >= 2 ? directory.toString('utf16le', at, at + length - 2).replace(/\0[^]*$/, '') : '',
      isStream: type === 2,
      left: directory.readUInt32LE(at + 68),
      right: directory.readUInt32LE(at + 72),
      child: directory.readUInt32LE(at + 76),
      start: directory.readUInt32LE(at + 116),
      // The upper half of the size is not cleared by writers of files with small sectors.
      bytes: directory.readUInt32LE(at + 120),
    });
  }
  return entries;
}

type Sectors = {
  /** The bytes of a chain of sectors, `bytesMax` at most; what is there of one that breaks off or comes back to itself. */
  chain(start: number, bytesMax: number): Buffer;
};

function createSectors(source: Source, header: Buffer): Sectors {
  const shift = header.readUInt16LE(30);
  const sectorBytes = shift >= 7 && shift <= 16 ? 1 << shift : 512;
  /** Sector 0 stands behind the header, which fills a sector. */
  const at = (sector: number): number => (sector + 1) * sectorBytes;
  const sectorCount = Math.max(0, Math.ceil(source.bytes / sectorBytes) - 1);
  const table = readTable(source, header, { sectorBytes, sectorCount, at });
  return {
    chain(start, bytesMax) {
      const pieces: Buffer[] = [];
      let left = bytesMax;
      let sector = start;
      for (let step = 0; step < sectorCount && left > 0 && sector < sectorMax; step++) {
        let sectors = 1;
        // Sectors that stand side by side are read in one piece.
        while (step + sectors < sectorCount && sectors * sectorBytes < left && table[sector + sectors - 1] === sector + sectors)
          sectors++;
        const piece = source.read(at(sector), Math.min(left, sectors * sectorBytes));
        pieces.push(piece);
        left -= piece.length;
        if (piece.length === 0) break;
        step += sectors - 1;
        sector = table[sector + sectors - 1] ?? sectorMax;
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },
  };
}

type Shape = { readonly sectorBytes: number; readonly sectorCount: number; readonly at: (sector: number) => number };

/** For each sector of the file the one that follows it. */
function readTable(source: Source, header: Buffer, { sectorBytes, sectorCount, at }: Shape): Uint32Array {
  const perSector = sectorBytes / 4;
  const table = new Uint32Array(sectorCount).fill(noEntry);
  let filled = 0;
  for (const sector of tableSectors(source, header, { sectorBytes, sectorCount, at })) {
    if (filled >= sectorCount) break;
    const bytes = sector < sectorMax ? source.read(at(sector), sectorBytes) : Buffer.alloc(0);
    for (let index = 0; index < perSector && filled + index < sectorCount && index * 4 + 4 <= bytes.length; index++)
      table[filled + index] = bytes.readUInt32LE(index * 4);
    filled += perSector;
  }
  return table;
}

/** Where the table stands: 109 of its sectors are named in the header, the others in a chain of sectors. */
function* tableSectors(source: Source, header: Buffer, { sectorBytes, sectorCount, at }: Shape): Generator<number> {
  for (let index = 0; index < 109; index++) yield header.readUInt32LE(76 + index * 4);
  let next = header.readUInt32LE(68);
  for (let step = 0; step < sectorCount && next < sectorMax; step++) {
    const bytes = source.read(at(next), sectorBytes);
    if (bytes.length < sectorBytes) return;
    for (let index = 0; index < sectorBytes / 4 - 1; index++) yield bytes.readUInt32LE(index * 4);
    next = bytes.readUInt32LE(sectorBytes - 4);
  }
}

const miniSectorBytes = 64;

/** Small streams stand in pieces of 64 bytes in the stream of the root. */
function createMiniStream(sectors: Sectors, root: Entry, tableStart: number): (start: number, bytes: number) => Buffer {
  let content: Buffer | null = null;
  let table: Buffer | null = null;
  return (start, bytes) => {
    content ??= sectors.chain(root.start, root.bytes);
    table ??= sectors.chain(tableStart, 4 * Math.ceil(content.length / miniSectorBytes));
    const pieces: Buffer[] = [];
    let left = bytes;
    let sector = start;
    const steps = Math.ceil(Math.min(bytes, content.length) / miniSectorBytes);
    for (let step = 0; step < steps && sector < sectorMax; step++) {
      const piece = content.subarray(sector * miniSectorBytes, sector * miniSectorBytes + Math.min(left, miniSectorBytes));
      if (piece.length === 0) break;
      pieces.push(piece);
      left -= piece.length;
      sector = sector * 4 + 4 <= table.length ? table.readUInt32LE(sector * 4) : sectorMax;
    }
    return Buffer.concat(pieces);
  };
}
