/** Makes a ZIP archive in memory of parts as they are, so that what was one file of XML goes the way of the package that it stands for. */
import { crc32 } from 'node:zlib';

export type ZipPart = { readonly name: string; readonly bytes: Uint8Array };

/** Nothing is packed: it is read again at once. Names are written in UTF-8. */
export function storedZip(parts: readonly ZipPart[]): Buffer {
  const members: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of parts) {
    const fields = Buffer.alloc(26);
    const nameBytes = Buffer.from(name);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x0800, 2);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(bytes.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    members.push(Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, place, nameBytes);
    offset += 30 + nameBytes.length + bytes.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...members, central, end]);
}
