/** Writes 7z archives for tests: plain ones, and, list by list, ones that lie. */
import { createCipheriv, createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import { packLzma, packLzma2, propertiesByte, usualSettings } from './lzma-encoder.ts';

export type SevenZipFile = {
  readonly name: string;
  /** Null for a folder. */
  readonly data: Buffer | string | null;
  /** Those of Windows. */
  readonly attributes?: number;
  /** A mark that the file is to be deleted. */
  readonly isAnti?: boolean;
  /** What the list claims instead of the truth. */
  readonly crc?: number;
};

export type SevenZipOptions = {
  /** LZMA2 when nothing is said. */
  readonly method?: keyof typeof packers;
  /** How far back each byte is taken from. */
  readonly delta?: number;
  readonly password?: string;
  /** The list is packed too, and under the password where there is one. */
  readonly packedList?: boolean;
  /** Put into the list behind what is said of the files. */
  readonly moreOfList?: Buffer;
  /** Files of one folder; all when nothing is said. */
  readonly filesPerFolder?: number;
};

type Coder = { readonly id: string; readonly properties: Buffer; readonly bytes: number };
export type WrittenFolder = {
  /** In the order of packing: the first takes what the files are. */
  readonly coders: readonly Coder[];
  readonly packedBytes: number;
  readonly streams: readonly { readonly bytes: number; readonly crc: number }[];
};

const lzmaProperties = (dictionaryBytes: number): Buffer => {
  const properties = Buffer.from([propertiesByte(usualSettings), 0, 0, 0, 0]);
  properties.writeUInt32LE(dictionaryBytes, 1);
  return properties;
};

const packers = {
  copy: { id: '00', properties: Buffer.alloc(0), pack: (data: Buffer): Buffer => data },
  lzma: { id: '030101', properties: lzmaProperties(1 << 20), pack: (data: Buffer): Buffer => packLzma(data) },
  lzma2: { id: '21', properties: Buffer.from([16]), pack: (data: Buffer): Buffer => packLzma2(data) },
  deflate: { id: '040108', properties: Buffer.alloc(0), pack: (data: Buffer): Buffer => deflateRawSync(data) },
};

/** An archive of these files, in order. */
export function makeSevenZip(files: readonly SevenZipFile[], options: SevenZipOptions = {}): Buffer {
  const full = files.filter(({ data }) => data !== null && data.length > 0);
  const perFolder = options.filesPerFolder ?? Math.max(1, full.length);
  const packed: Buffer[] = [];
  const folders: WrittenFolder[] = [];
  for (let at = 0; at < full.length; at += perFolder) {
    const group = full.slice(at, at + perFolder);
    const datas = group.map(({ data }) => Buffer.from(data as string));
    const { bytes, coders } = pack(Buffer.concat(datas), options);
    packed.push(bytes);
    const streams = datas.map((data, index) => ({ bytes: data.length, crc: group[index]!.crc ?? crc32(data) }));
    folders.push({ coders, packedBytes: bytes.length, streams });
  }
  const body = Buffer.concat(packed);
  const said = filesOf(files);
  const more = [options.moreOfList ?? Buffer.alloc(0), byte(0)];
  const list = Buffer.concat([byte(1), byte(4), streamsOf(0, folders), said.subarray(0, -1), ...more, byte(0)]);
  if (options.packedList !== true) return sevenZipOf(body, list);
  const { bytes, coders } = pack(list, options);
  const streams = [{ bytes: list.length, crc: crc32(list) }];
  const packedList = Buffer.concat([byte(0x17), streamsOf(body.length, [{ coders, packedBytes: bytes.length, streams }])]);
  return sevenZipOf(Buffer.concat([body, bytes]), packedList);
}

/** Any list behind any packed bytes, with the checksums that belong to them. */
export function sevenZipOf(packed: Buffer, list: Buffer): Buffer {
  const place = Buffer.alloc(20);
  place.writeBigUInt64LE(BigInt(packed.length));
  place.writeBigUInt64LE(BigInt(list.length), 8);
  place.writeUInt32LE(crc32(list), 16);
  const head = Buffer.from('377abcaf271c000400000000', 'hex');
  head.writeUInt32LE(crc32(place), 8);
  return Buffer.concat([head, place, packed, list]);
}

function pack(data: Buffer, { method = 'lzma2', delta, password }: SevenZipOptions): { bytes: Buffer; coders: Coder[] } {
  const coders: Coder[] = [];
  let bytes = data;
  const through = (id: string, properties: Buffer, packer: (data: Buffer) => Buffer): void => {
    coders.push({ id, properties, bytes: bytes.length });
    bytes = packer(bytes);
  };
  if (delta !== undefined) through('03', Buffer.from([delta - 1]), (plain) => differences(plain, delta));
  const { id, properties, pack: packer } = packers[method];
  through(id, properties, packer);
  if (password !== undefined) through('06f10701', aesProperties, (plain) => encrypted(plain, password));
  return { bytes, coders };
}

function differences(data: Buffer, distance: number): Buffer {
  return data.map((value, at) => (value - (data[at - distance] ?? 0)) & 0xff) as Buffer;
}

const roundsPower = 5;
const [salt, vector] = [Buffer.from('salt'), Buffer.from('a vector 8 bytes')];
const aesProperties = Buffer.concat([Buffer.from([0xc0 | roundsPower, 0x3f]), salt, vector]);

function encrypted(plain: Buffer, password: string): Buffer {
  const hash = createHash('sha256');
  for (let round = 0; round < 2 ** roundsPower; round++) {
    const count = Buffer.alloc(8);
    count.writeUInt32LE(round);
    hash.update(salt).update(Buffer.from(password, 'utf16le')).update(count);
  }
  const cipher = createCipheriv('aes-256-cbc', hash.digest(), vector).setAutoPadding(false);
  return Buffer.concat([cipher.update(Buffer.concat([plain, Buffer.alloc((16 - (plain.length % 16)) % 16)])), cipher.final()]);
}

/* Lists. */

export function byte(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

/** As the format writes numbers; always with eight bytes behind the first where it is a large one. */
export function number(value: number | bigint): Buffer {
  if (value < 0x80) return byte(Number(value));
  if (value < 0x4000) return byte(0x80 | (Number(value) >> 8), Number(value) & 0xff);
  const wide = Buffer.alloc(9, 0xff);
  wide.writeBigUInt64LE(BigInt(value), 1);
  return wide;
}

/** Where the folders are, how they are packed, and the files in them. */
export function streamsOf(at: number, folders: readonly WrittenFolder[]): Buffer {
  const packs = [
    byte(6),
    number(at),
    number(folders.length),
    byte(9),
    ...folders.map((folder) => number(folder.packedBytes)),
    byte(0),
  ];
  const sizes = folders.flatMap(({ coders }) => coders.map(({ bytes }) => number(bytes)));
  const unpacks = [byte(7, 11), number(folders.length), byte(0), ...folders.map(folderOf), byte(12), ...sizes, byte(0)];
  const counts = folders.map(({ streams }) => number(streams.length));
  const streamSizes = folders.flatMap(({ streams }) => streams.slice(0, -1).map(({ bytes }) => number(bytes)));
  const crcs = folders.flatMap(({ streams }) => streams.map(({ crc }) => uint32(crc)));
  const subs = [byte(8, 13), ...counts, byte(9), ...streamSizes, byte(10, 1), ...crcs, byte(0)];
  return Buffer.concat([...packs, ...unpacks, ...subs, byte(0)]);
}

/** Each coder takes what comes out of the one written behind it. */
function folderOf({ coders }: WrittenFolder): Buffer {
  const written = coders.map(({ id, properties }) => {
    const method = Buffer.from(id, 'hex');
    return Buffer.concat([byte(method.length | (properties.length > 0 ? 32 : 0)), method, ...sized(properties)]);
  });
  const bonds = coders.slice(1).map((_, index) => Buffer.concat([number(index), number(index + 1)]));
  return Buffer.concat([number(coders.length), ...written, ...bonds]);
}

function sized(properties: Buffer): Buffer[] {
  return properties.length === 0 ? [] : [number(properties.length), properties];
}

export function filesOf(files: readonly SevenZipFile[]): Buffer {
  const empty = files.filter(({ data }) => data === null || data.length === 0);
  const names = Buffer.from(files.map(({ name }) => `${name}\0`).join(''), 'utf16le');
  const properties = [
    property(14, bits(files.map((file) => empty.includes(file)))),
    property(15, bits(empty.map(({ data }) => data !== null))),
    property(16, bits(empty.map(({ isAnti }) => isAnti === true))),
    property(17, byte(0), names),
    property(21, byte(1, 0), ...files.map(({ attributes = 0x20 }) => uint32(attributes))),
  ];
  return Buffer.concat([byte(5), number(files.length), ...properties, byte(0)]);
}

export function property(id: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([byte(id), number(content.length), content]);
}

function bits(values: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(values.length / 8));
  values.forEach((isSet, at) => (bytes[at >> 3]! |= isSet ? 0x80 >> (at & 7) : 0));
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
