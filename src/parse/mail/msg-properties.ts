/** The properties of an Outlook message, its recipients and its attachments (MS-OXMSG 2.1, 2.4): each a storage with a list and streams. */
import type { CompoundStorage } from '../containers/compound-file.ts';
import { encodingOfLanguage, encodingOfPage } from '../text/code-pages.ts';
import { decodeText } from '../text/encoding.ts';

export interface MsgProperties {
  /** A text, by its number; '' where there is none. Of several numbers the first that has one. */
  text(...ids: readonly number[]): string;
  /** Bytes, or the bytes of a text. */
  bytes(id: number): Buffer | null;
  number(id: number): number | null;
  date(id: number): Date | null;
}

const listName = '__properties_version1.0';
const types = { short: 0x02, long: 0x03, boolean: 0x0b, date: 0x40, text8: 0x1e, text: 0x1f, binary: 0x102 } as const;
const entryBytes = 16;

/** `headerBytes` stand before the list of a recipient's or an attachment's; a message has 24 or 32. `encoding` is that of its texts of bytes. */
export function readMsgProperties(storage: CompoundStorage, kind: 'message' | 'other', encoding: string | null): MsgProperties {
  const list = storage.stream(listName)?.read() ?? Buffer.alloc(0);
  const headerBytes = kind === 'other' ? 8 : list.length % entryBytes === 0 ? 32 : 24;
  const fixed = new Map<number, { type: number; value: Buffer }>();
  for (let at = headerBytes; at + entryBytes <= list.length; at += entryBytes) {
    const id = list.readUInt16LE(at + 2);
    if (!fixed.has(id)) fixed.set(id, { type: list.readUInt16LE(at), value: list.subarray(at + 8, at + 16) });
  }
  const stream = (id: number, type: number): Buffer | null => storage.stream(`__substg1.0_${hex(id)}${hex(type)}`)?.read() ?? null;
  const of = (id: number, type: number): Buffer | null => {
    const found = fixed.get(id);
    return found?.type === type ? found.value : null;
  };

  function textOf(id: number): string {
    const wide = stream(id, types.text);
    if (wide !== null) return clean(wide.toString('utf16le', 0, wide.length & ~1));
    const narrow = stream(id, types.text8);
    if (narrow === null) return '';
    return clean(decodeText(narrow, null, encoding).text);
  }

  return {
    text(...ids) {
      for (const id of ids) {
        const text = textOf(id);
        if (text.trim() !== '') return text;
      }
      return '';
    },
    bytes: (id) => stream(id, types.binary) ?? stream(id, types.text8),
    number: (id) =>
      of(id, types.long)?.readInt32LE(0) ?? of(id, types.short)?.readInt16LE(0) ?? of(id, types.boolean)?.readUInt16LE(0) ?? null,
    date: (id) => dateOf(of(id, types.date)),
  };
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(4, '0');
}

function clean(text: string): string {
  return text.replace(/\0+$/, '');
}

const ticksPerMs = 10_000n;
const from1601 = 11_644_473_600_000n;
const datesMax = 8_640_000_000_000_000n;

/** Tenths of microseconds since 1601. */
function dateOf(value: Buffer | null): Date | null {
  if (value === null) return null;
  const ms = value.readBigUInt64LE(0) / ticksPerMs - from1601;
  return ms > -datesMax && ms < datesMax && value.readBigUInt64LE(0) !== 0n ? new Date(Number(ms)) : null;
}

const ids = { messageCodePage: 0x3ffd, internetCodePage: 0x3fde, language: 0x3ff1 } as const;

/** The encoding of texts of bytes, and of an HTML body; null where the message does not say. */
export function encodingsOf(message: CompoundStorage): { readonly texts: string | null; readonly html: string | null } {
  const properties = readMsgProperties(message, 'message', null);
  // 20127 is ASCII, which says nothing of the bytes beyond it.
  const named = (page: number | null): string | null =>
    page === null || page === 0 || page === 20_127 ? null : encodingOfPage(page);
  const language = properties.number(ids.language);
  const ofLanguage = language === null || language === 0 ? null : (encodingOfLanguage(language) ?? 'windows-1252');
  const [own, html] = [named(properties.number(ids.messageCodePage)), named(properties.number(ids.internetCodePage))];
  // Texts of two bytes a character are no texts of bytes.
  const texts = [own, ofLanguage, html].find((each) => each !== null && !each.startsWith('utf-16')) ?? null;
  return { texts, html };
}

const namedIds = '__substg1.0_00030102';
const firstNamed = 0x8000;

/** Numbers of properties that programs name themselves, by the numbers that those have everywhere (MS-OXMSG 2.2.3). */
export function readNamedProperties(root: CompoundStorage): (name: number) => number | null {
  const entries = root.storage('__nameid_version1.0')?.stream(namedIds)?.read() ?? Buffer.alloc(0);
  const known = new Map<number, number>();
  for (let at = 0; at + 8 <= entries.length; at += 8) {
    const isNumber = (entries.readUInt16LE(at + 4) & 1) === 0;
    if (isNumber) known.set(entries.readUInt32LE(at), firstNamed + entries.readUInt16LE(at + 6));
  }
  return (name) => known.get(name) ?? null;
}
