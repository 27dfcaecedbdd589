/** Writes ZIP archives for tests: plain ones, and, field by field, ones that lie. */
import { crc32, deflateRawSync } from 'node:zlib';

export type ZipMember = {
  /** Bytes where it is not in UTF-8. */ readonly name: string | Buffer;
  /** Beside the name, in both headers: extra fields. */ readonly extra?: Buffer;
  readonly data: Buffer | string;
  /** Kept as it is instead of packed. */ readonly stored?: boolean;
  /** Already packed bytes to use for `data`'s. */ readonly packed?: Buffer;
  /** What the headers claim instead of the truth. */ readonly claims?: { readonly bytes?: number; readonly packedBytes?: number };
  readonly flags?: number;
  readonly method?: number;
  /** Sizes after the data (as streaming writers do) instead of before it. */ readonly described?: boolean;
};

/** A ZIP archive of these members, in order. */
export function makeZip(members: readonly ZipMember[], options: { readonly zip64?: boolean } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const member of members) {
    const local = localEntry(member);
    directory.push(centralEntry(member, offset, options.zip64 === true));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...parts, central, endRecords(members.length, central.length, offset, options.zip64 === true)]);
}

/** The end of a directory, for tests that make their own. */
export function endRecords(count: number, bytes: number, offset: number, isZip64 = false): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(isZip64 ? 0xffff : Math.min(count, 0xffff), 8);
  end.writeUInt16LE(isZip64 ? 0xffff : Math.min(count, 0xffff), 10);
  end.writeUInt32LE(isZip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(isZip64 ? 0xffffffff : offset, 16);
  if (!isZip64) return end;
  const wide = Buffer.alloc(56);
  wide.writeUInt32LE(0x06064b50, 0);
  wide.writeBigUInt64LE(44n, 4);
  wide.writeBigUInt64LE(BigInt(count), 24);
  wide.writeBigUInt64LE(BigInt(count), 32);
  wide.writeBigUInt64LE(BigInt(bytes), 40);
  wide.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([wide, locator, end]);
}

function packedOf(member: ZipMember): Buffer {
  const data = Buffer.from(member.data as string);
  return member.packed ?? (member.stored === true ? data : deflateRawSync(data));
}

function methodOf(member: ZipMember): number {
  return member.method ?? (member.stored === true ? 0 : 8);
}

function localEntry(member: ZipMember): Buffer {
  const name = Buffer.from(member.name as string);
  const data = Buffer.from(member.data as string);
  const packed = packedOf(member);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE((member.flags ?? 0) | (member.described === true ? 8 : 0), 6);
  header.writeUInt16LE(methodOf(member), 8);
  header.writeUInt16LE(name.length, 26);
  const extra = member.extra ?? Buffer.alloc(0);
  header.writeUInt16LE(extra.length, 28);
  if (member.described !== true) writeSizes(header, 14, member, data, packed);
  if (member.described !== true) return Buffer.concat([header, name, extra, packed]);
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  writeSizes(descriptor, 4, member, data, packed);
  return Buffer.concat([header, name, extra, packed, descriptor]);
}

function writeSizes(header: Buffer, at: number, member: ZipMember, data: Buffer, packed: Buffer): void {
  header.writeUInt32LE(crc32(data), at);
  header.writeUInt32LE(member.claims?.packedBytes ?? packed.length, at + 4);
  header.writeUInt32LE(member.claims?.bytes ?? data.length, at + 8);
}

/** An entry of the directory for a member whose local header stands at `offset`. */
export function centralEntry(member: ZipMember, offset: number, isZip64 = false): Buffer {
  const name = Buffer.from(member.name as string);
  const data = Buffer.from(member.data as string);
  const packed = packedOf(member);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE((member.flags ?? 0) | (member.described === true ? 8 : 0), 8);
  header.writeUInt16LE(methodOf(member), 10);
  writeSizes(header, 16, member, data, packed);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(offset, 42);
  const given = member.extra ?? Buffer.alloc(0);
  header.writeUInt16LE(given.length, 30);
  if (!isZip64) return Buffer.concat([header, name, given]);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  extra.writeBigUInt64LE(BigInt(data.length), 4);
  extra.writeBigUInt64LE(BigInt(packed.length), 12);
  extra.writeBigUInt64LE(BigInt(offset), 20);
  header.writeUInt32LE(0xffffffff, 20);
  header.writeUInt32LE(0xffffffff, 24);
  header.writeUInt32LE(0xffffffff, 42);
  header.writeUInt16LE(extra.length + given.length, 30);
  return Buffer.concat([header, name, extra, given]);
}

/** The extra field with a name in UTF-8, and the checksum of the name that it is about (APPNOTE 4.6.9). */
export function unicodePath(name: string, about: Buffer): Buffer {
  const bytes = Buffer.from(name);
  const head = Buffer.alloc(9);
  head.writeUInt16LE(0x7075, 0);
  head.writeUInt16LE(bytes.length + 5, 2);
  head.writeUInt8(1, 4);
  head.writeUInt32LE(crc32(about), 5);
  return Buffer.concat([head, bytes]);
}
