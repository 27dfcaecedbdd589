/** Title and author of old Office files: the stream `\x05SummaryInformation` of a compound file (MS-OLEPS). */
import { encodingOfPage } from '../text/code-pages.ts';
import { decodeAs } from '../text/encoding.ts';
import type { CompoundStorage } from './compound-file.ts';

export type Summary = { readonly title: string | null; readonly author: string | null };

const propertiesMax = 1000;
const textBytesMax = 4000;
const nothing: Summary = { title: null, author: null };

/** Nulls where the file says nothing, or nothing that can be read. */
export function readSummary(root: CompoundStorage): Summary {
  const bytes = root.stream('\x05SummaryInformation')?.read();
  if (bytes === undefined || bytes.length < 48) return nothing;
  const set = bytes.readUInt32LE(44);
  if (set + 8 > bytes.length) return nothing;
  const places = new Map<number, number>();
  const count = Math.min(propertiesMax, bytes.readUInt32LE(set + 4));
  for (let index = 0, at = set + 8; index < count && at + 8 <= bytes.length; index++, at += 8)
    places.set(bytes.readUInt32LE(at), set + bytes.readUInt32LE(at + 4));
  const page = places.get(1);
  const encoding = encodingOfPage(page !== undefined && page + 6 <= bytes.length ? bytes.readUInt16LE(page + 4) : 1252);
  return { title: textAt(bytes, places.get(2), encoding), author: textAt(bytes, places.get(4), encoding) };
}

function textAt(bytes: Buffer, at: number | undefined, encoding: string): string | null {
  if (at === undefined || at + 8 > bytes.length) return null;
  const type = bytes.readUInt16LE(at);
  const length = Math.min(textBytesMax, bytes.readUInt32LE(at + 4) * (type === 0x1f ? 2 : 1));
  if (type !== 0x1e && type !== 0x1f) return null;
  const raw = bytes.subarray(at + 8, at + 8 + length);
  const text = decodeAs(raw, type === 0x1f ? 'utf-16le' : encoding);
  const plain = text
    .replace(/\0[^]*$/, '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain === '' ? null : plain.slice(0, 1000);
}
