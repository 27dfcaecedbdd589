/**
 * Looks into an OLE compound file (MS-CFB) only far enough to say what it is: the container of the old binary formats, of
 * Outlook messages, and of every password-protected OOXML file. Reads its directory; nothing of its content.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export type CompoundKind = 'encrypted-ooxml' | 'doc' | 'xls' | 'ppt' | 'msg' | 'unknown';

const signature = Buffer.from('d0cf11e0a1b11ae1', 'hex');
const directoryEntryBytes = 128;
/** A directory chain longer than this is a loop or a file that is none of these. 1,024 sectors hold 4,096 names or more. */
const directorySectorsMax = 1024;
const endOfChain = 0xfffffffa; // this and everything above is a mark, not a sector

/** True when the bytes begin as a compound file does. */
export function isCompoundFile(head: Uint8Array): boolean {
  return head.length >= 8 && signature.equals(head.subarray(0, 8));
}

/**
 * What the compound file is, by the names of its streams; `unknown` for any other file, and when its directory cannot be read.
 * Give a path where possible: in a mere head of the file the directory may lie beyond the end. Reads at most 4 MiB.
 */
export function describeCompoundFile(file: string | Uint8Array): CompoundKind {
  if (typeof file !== 'string') return describe((at, bytes) => Buffer.from(file.subarray(at, at + bytes)));
  const fd = openSync(file, 'r');
  try {
    return describe((at, bytes) => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(fd, buffer, 0, bytes, at));
    });
  } finally {
    closeSync(fd);
  }
}

type Read = (at: number, bytes: number) => Buffer;

function describe(read: Read): CompoundKind {
  const header = read(0, 512);
  if (header.length < 512 || !isCompoundFile(header)) return 'unknown';
  const names = new Set(streamNames(read, header));
  const kinds: readonly (readonly [string, CompoundKind])[] = [
    ['EncryptedPackage', 'encrypted-ooxml'],
    ['EncryptionInfo', 'encrypted-ooxml'],
    ['WordDocument', 'doc'],
    ['Workbook', 'xls'],
    ['Book', 'xls'],
    ['PowerPoint Document', 'ppt'],
    ['__properties_version1.0', 'msg'],
  ];
  return kinds.find(([name]) => names.has(name))?.[1] ?? 'unknown';
}

function* streamNames(read: Read, header: Buffer): Generator<string> {
  const shift = header.readUInt16LE(30);
  const sectorBytes = shift === 12 ? 4096 : 512;
  let sector = header.readUInt32LE(48);
  for (let count = 0; count < directorySectorsMax && sector < endOfChain; count++) {
    const bytes = read((sector + 1) * sectorBytes, sectorBytes);
    for (let at = 0; at + directoryEntryBytes <= bytes.length; at += directoryEntryBytes) {
      const length = bytes.readUInt16LE(at + 64);
      if (length >= 2 && length <= 64) yield bytes.toString('utf16le', at, at + length - 2);
    }
    sector = nextSector(read, header, sector, sectorBytes);
  }
}

/** The FAT's word for what follows `sector`; only the 109 FAT sectors that the header lists are asked (7 MB of file or more). */
function nextSector(read: Read, header: Buffer, sector: number, sectorBytes: number): number {
  const perSector = sectorBytes / 4;
  const index = Math.floor(sector / perSector);
  if (index >= 109) return endOfChain;
  const fatSector = header.readUInt32LE(76 + index * 4);
  if (fatSector >= endOfChain) return endOfChain;
  const entry = read((fatSector + 1) * sectorBytes + (sector % perSector) * 4, 4);
  return entry.length === 4 ? entry.readUInt32LE(0) : endOfChain;
}
