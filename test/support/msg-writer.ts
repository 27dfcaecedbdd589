/** Writes small Outlook messages (MS-OXMSG): properties, recipients, attachments. */
import { compoundFile, type CompoundContent } from '../../src/parse/containers/compound-writer.ts';
import { u16, u32 } from './xls-writer.ts';

/** By number: a text of Unicode, bytes of a text (`{ text8 }`), bytes, a number, a date. */
export type MsgProperty = string | { readonly text8: Uint8Array } | Uint8Array | number | Date;
export type MsgProperties = Readonly<Record<number, MsgProperty>>;

export type MsgParts = {
  readonly properties: MsgProperties;
  readonly recipients?: readonly MsgProperties[];
  readonly attachments?: readonly (MsgProperties | { readonly properties: MsgProperties; readonly inside: CompoundContent })[];
  /** Numbers of properties that have names, in the order of their own numbers from 0x8000 on. */
  readonly named?: readonly number[];
};

export function makeMsg(parts: MsgParts): Buffer {
  return compoundFile(msgContent(parts, 32));
}

/** The storage of a message: inside of another one it has 24 bytes before its list. */
export function msgContent(
  { properties, recipients = [], attachments = [], named = [] }: MsgParts,
  headerBytes: 24 | 32,
): CompoundContent {
  const number = (at: number) => at.toString(16).toUpperCase().padStart(8, '0');
  const names = Buffer.concat(named.map((id, at) => Buffer.concat([u32(id), u16(6 << 1, at)])));
  return {
    streams: streamsOf(properties, headerBytes),
    storages: {
      ...Object.fromEntries(recipients.map((each, at) => [`__recip_version1.0_#${number(at)}`, { streams: streamsOf(each, 8) }])),
      ...Object.fromEntries(attachments.map((each, at) => [`__attach_version1.0_#${number(at)}`, attachment(each)])),
      '__nameid_version1.0': { streams: { '__substg1.0_00030102': names } },
    },
  };
}

function attachment(each: NonNullable<MsgParts['attachments']>[number]): CompoundContent {
  if (!('inside' in each)) return { streams: streamsOf(each as MsgProperties, 8) };
  const { properties, inside } = each as { properties: MsgProperties; inside: CompoundContent };
  return { streams: streamsOf(properties, 8), storages: { '__substg1.0_3701000D': inside } };
}

function streamsOf(properties: MsgProperties, headerBytes: number): Record<string, Uint8Array> {
  const streams: Record<string, Uint8Array> = {};
  const list: Buffer[] = [Buffer.alloc(headerBytes)];
  for (const [key, value] of Object.entries(properties)) {
    const id = Number(key);
    const [type, bytes] = valueOf(value);
    const isFixed = type === 0x03 || type === 0x40;
    list.push(Buffer.concat([u16(type, id), u32(6), isFixed ? bytes : u32(bytes.length, 0)]));
    const hex = (part: number) => part.toString(16).toUpperCase().padStart(4, '0');
    if (!isFixed) streams[`__substg1.0_${hex(id)}${hex(type)}`] = bytes;
  }
  return { ...streams, '__properties_version1.0': Buffer.concat(list) };
}

function valueOf(value: MsgProperty): [type: number, bytes: Uint8Array] {
  if (typeof value === 'string') return [0x1f, Buffer.from(value, 'utf16le')];
  if (typeof value === 'number') return [0x03, u32(value, 0)];
  if (value instanceof Date) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE((BigInt(value.getTime()) + 11_644_473_600_000n) * 10_000n);
    return [0x40, bytes];
  }
  return value instanceof Uint8Array ? [0x102, value] : [0x1e, value.text8];
}

/** RTF as Outlook packs it: here letter by letter, but for the references given as `[place, length]`. */
export function packRtf(pieces: readonly (string | readonly [place: number, length: number])[]): Buffer {
  const tokens = pieces.flatMap((piece) =>
    typeof piece === 'string'
      ? [...Buffer.from(piece, 'latin1')].map((byte) => Buffer.from([byte]))
      : [reference(piece[0], piece[1])],
  );
  const out: Buffer[] = [];
  for (let at = 0; at < tokens.length; at += 8) {
    const eight = tokens.slice(at, at + 8);
    out.push(Buffer.from([eight.reduce((bits, token, bit) => bits | (token.length === 2 ? 1 << bit : 0), 0)]), ...eight);
  }
  const packed = Buffer.concat(out);
  return Buffer.concat([u32(packed.length + 12, 10_000, 0x75465a4c, 0), packed]);
}

function reference(place: number, length: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE((place << 4) | (length - 2));
  return bytes;
}
