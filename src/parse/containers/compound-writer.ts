/**
 * Writes compound files (MS-CFB): a message or a document that stands as a storage inside of another file becomes a file of its own,
 * so that it is read in the way in which any other is.
 */
import type { CompoundStorage } from './compound-file.ts';

/** What is to be written. */
export type CompoundContent = {
  readonly streams: Readonly<Record<string, Uint8Array>>;
  readonly storages?: Readonly<Record<string, CompoundContent>>;
};

const sectorBytes = 512;
const miniSectorBytes = 64;
const miniBytesMax = 4096;
const endOfChain = 0xfffffffe;
const tableSector = 0xfffffffd;
const tableOfTable = 0xfffffffc;
const none = 0xffffffff;

/** All of a storage. @throws DocumentError `limit_exceeded`, as reading its streams does. */
export function contentOf(storage: CompoundStorage): CompoundContent {
  return {
    streams: Object.fromEntries(storage.streams.map((stream) => [stream.name, stream.read()])),
    storages: Object.fromEntries(storage.storages.map((each) => [each.name, contentOf(each)])),
  };
}

type Entry = { name: string; type: number; left: number; right: number; child: number; start: number; bytes: number };

/** The bytes of a file with these streams and storages in its root. */
export function compoundFile(content: CompoundContent): Buffer {
  const sectors = createSectors();
  const entries: Entry[] = [];
  const mini: Uint8Array[] = [];
  const miniTable: number[] = [];
  addEntry('Root Entry', 5);
  addChildren(0, content);
  const root = entries[0]!;
  const miniContent = Buffer.concat(mini);
  root.start = sectors.add(miniContent);
  root.bytes = miniContent.length;
  const miniTableStart = sectors.add(uint32s(miniTable));
  const directoryStart = sectors.add(directoryBytes(entries));
  return sectors.finish({ directoryStart, miniTableStart, miniTableSectors: Math.ceil((miniTable.length * 4) / sectorBytes) });

  function addEntry(name: string, type: number): Entry {
    const entry = { name, type, left: none, right: none, child: none, start: 0, bytes: 0 };
    entries.push(entry);
    return entry;
  }

  function addChildren(parent: number, { streams, storages = {} }: CompoundContent): void {
    const children: number[] = [];
    for (const [name, bytes] of Object.entries(streams)) {
      children.push(entries.length);
      addStream(addEntry(name, 2), bytes);
    }
    for (const [name, storage] of Object.entries(storages)) {
      const index = entries.length;
      children.push(index);
      addEntry(name, 1).start = 0;
      addChildren(index, storage);
    }
    entries[parent]!.child = treeOf(children.sort((a, b) => compareNames(entries[a]!.name, entries[b]!.name)));
  }

  /** A balanced tree of entries that are in order. Returns its root. */
  function treeOf(sorted: readonly number[]): number {
    if (sorted.length === 0) return none;
    const middle = sorted.length >> 1;
    const top = sorted[middle]!;
    entries[top]!.left = treeOf(sorted.slice(0, middle));
    entries[top]!.right = treeOf(sorted.slice(middle + 1));
    return top;
  }

  function addStream(entry: Entry, bytes: Uint8Array): void {
    entry.bytes = bytes.length;
    entry.start = endOfChain;
    if (bytes.length >= miniBytesMax) entry.start = sectors.add(bytes);
    else if (bytes.length > 0) {
      entry.start = miniTable.length;
      const count = Math.ceil(bytes.length / miniSectorBytes);
      for (let at = 1; at <= count; at++) miniTable.push(at === count ? endOfChain : miniTable.length + 1);
      mini.push(bytes, Buffer.alloc(count * miniSectorBytes - bytes.length));
    }
  }
}

/** By length first, then by upper case letters (MS-CFB 2.6.4). */
function compareNames(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length;
  const [a, b] = [one.toUpperCase(), other.toUpperCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}

function uint32s(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32LE(value, at * 4));
  return bytes;
}

function directoryBytes(entries: readonly Entry[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil((entries.length * 128) / sectorBytes) * sectorBytes);
  for (let at = 0; at < bytes.length; at += 128) bytes.fill(0xff, at + 68, at + 80);
  entries.forEach(({ name, type, left, right, child, start, bytes: size }, index) => {
    const at = index * 128;
    const written = bytes.write(name.slice(0, 31), at, 'utf16le');
    bytes.writeUInt16LE(written + 2, at + 64);
    bytes.writeUInt8(type, at + 66);
    bytes.writeUInt8(1, at + 67);
    bytes.writeUInt32LE(left, at + 68);
    bytes.writeUInt32LE(right, at + 72);
    bytes.writeUInt32LE(child, at + 76);
    bytes.writeUInt32LE(start, at + 116);
    bytes.writeUInt32LE(size, at + 120);
  });
  return bytes;
}

type Places = { readonly directoryStart: number; readonly miniTableStart: number; readonly miniTableSectors: number };

function createSectors() {
  const pieces: Uint8Array[] = [];
  const table: number[] = [];
  return {
    /** Returns the first sector; the mark of an empty chain for nothing. */
    add(bytes: Uint8Array): number {
      if (bytes.length === 0) return endOfChain;
      const start = table.length;
      const count = Math.ceil(bytes.length / sectorBytes);
      for (let at = 1; at <= count; at++) table.push(at === count ? endOfChain : start + at);
      pieces.push(bytes, Buffer.alloc(count * sectorBytes - bytes.length));
      return start;
    },
    finish({ directoryStart, miniTableStart, miniTableSectors }: Places): Buffer {
      const { tableSectors, furtherSectors } = tableSize(table.length);
      const first = table.length;
      for (let at = 0; at < tableSectors; at++) table.push(tableSector);
      for (let at = 0; at < furtherSectors; at++) table.push(tableOfTable);
      const tableBytes = Buffer.alloc(tableSectors * sectorBytes, 0xff);
      table.forEach((value, at) => tableBytes.writeUInt32LE(value, at * 4));
      const named = Array.from({ length: tableSectors }, (_, at) => first + at);
      const header = Buffer.alloc(sectorBytes, 0xff);
      Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(header);
      header.fill(0, 8, 76);
      for (const [at, value] of [[24, 0x3e], [26, 3], [28, 0xfffe], [30, 9], [32, 6]] as const) header.writeUInt16LE(value, at); // prettier-ignore
      header.writeUInt32LE(tableSectors, 44);
      header.writeUInt32LE(directoryStart, 48);
      header.writeUInt32LE(miniBytesMax, 56);
      header.writeUInt32LE(miniTableStart, 60);
      header.writeUInt32LE(miniTableSectors, 64);
      header.writeUInt32LE(furtherSectors === 0 ? endOfChain : first + tableSectors, 68);
      header.writeUInt32LE(furtherSectors, 72);
      named.slice(0, 109).forEach((sector, at) => header.writeUInt32LE(sector, 76 + at * 4));
      return Buffer.concat([header, ...pieces, tableBytes, furtherTable(named.slice(109), first + tableSectors)]);
    },
  };
}

/** The table has its own sectors in it. */
function tableSize(sectors: number): { tableSectors: number; furtherSectors: number } {
  let tableSectors = 0;
  let furtherSectors = 0;
  while (tableSectors * 128 < sectors + tableSectors + furtherSectors) {
    tableSectors++;
    furtherSectors = Math.ceil(Math.max(0, tableSectors - 109) / 127);
  }
  return { tableSectors, furtherSectors };
}

function furtherTable(sectors: readonly number[], start: number): Buffer {
  const count = Math.ceil(sectors.length / 127);
  const bytes = Buffer.alloc(count * sectorBytes, 0xff);
  sectors.forEach((sector, at) => bytes.writeUInt32LE(sector, Math.floor(at / 127) * sectorBytes + (at % 127) * 4));
  for (let at = 0; at < count; at++) bytes.writeUInt32LE(at + 1 < count ? start + at + 1 : endOfChain, (at + 1) * sectorBytes - 4);
  return bytes;
}
