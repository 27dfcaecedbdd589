/** What Outlook puts around a mail's attachments and text (`winmail.dat`, MS-OXTNEF). Written as the mail that it was. */
import type { Attachment, Email } from 'postal-mime';
import { DocumentError } from '../../errors.ts';
import { noParts } from '../containers/parts.ts';
import { readInput } from '../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { createRtfParser } from '../rtf/rtf-parser.ts';
import { decodeText } from '../text/encoding.ts';
import { unpackRtf } from './compressed-rtf.ts';
import { writeMail } from './mail-parser.ts';

/** A signature and a key. */
const headerBytes = 6;
const attributesMax = 100_000;

/** Numbers of attributes, and of the properties inside of some. */
const attributes = {
  subject: 0x8004,
  body: 0x800c,
  attachData: 0x800f,
  attachTitle: 0x8010,
  begins: 0x9002,
  properties: 0x9003,
  attachProperties: 0x9005,
} as const;
const properties = { subject: 0x37, body: 0x1000, rtf: 0x1009, html: 0x1013, attachData: 0x3701, attachName: 0x3707 } as const;

/** `parts` reads what is attached: the parser of all formats. */
export function createTnefParser(parts: Parser = noParts): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const message = readTnef(readInput(input));
  const { own } = message;
  const html = own.get(properties.html);
  const text = textOf(own.get(properties.body)) || message.body;
  const packed = own.get(properties.rtf);
  const rtf = packed === undefined ? null : unpackRtf(packed, input.limits.unpackedBytesMax);
  const body =
    rtf === null || html !== undefined || text.trim() !== ''
      ? null
      : await createRtfParser().parse({ ...input, bytes: rtf, fileBytes: rtf.length });
  const email: Email = {
    headers: [],
    headerLines: [],
    messageId: '',
    subject: message.subject || textOf(own.get(properties.subject)),
    ...(html === undefined ? {} : { html: decodeText(html, null, null).text }),
    text,
    attachments: message.attachments.flatMap(attachmentOf),
  };
  const parsed = await writeMail(email, {
    input,
    attachments: parts,
    mediaType: 'application/vnd.ms-tnef',
    warnings: [],
    facts: [],
    body,
  });
  if (parsed.blocks.length === 0) throw new DocumentError('no_text', `No text found in ${input.filename}`);
  return parsed;
}

type Properties = ReadonlyMap<number, Buffer>;
type Attached = { title: string; data: Buffer | null; own: Properties };
type Message = { subject: string; body: string; own: Properties; readonly attachments: Attached[] };

/** Attributes one after the other: level, number, length, data, sum. Those of an attachment follow the one that begins it. */
function readTnef(bytes: Buffer): Message {
  const message: Message = { subject: '', body: '', own: new Map(), attachments: [] };
  let count = 0;
  for (let at = headerBytes; at + 9 <= bytes.length && count < attributesMax; count++) {
    const id = bytes.readUInt16LE(at + 1);
    const length = bytes.readUInt32LE(at + 5);
    const data = bytes.subarray(at + 9, at + 9 + length);
    at += 9 + length + 2;
    const attached = message.attachments.at(-1);
    if (id === attributes.begins) message.attachments.push({ title: '', data: null, own: new Map() });
    else if (id === attributes.subject) message.subject = textOf(data);
    else if (id === attributes.body) message.body = textOf(data);
    else if (id === attributes.properties) message.own = readProperties(data);
    else if (attached === undefined) continue;
    else if (id === attributes.attachTitle) attached.title = textOf(data);
    else if (id === attributes.attachData) attached.data = data;
    else if (id === attributes.attachProperties) attached.own = readProperties(data);
  }
  return message;
}

function attachmentOf({ title, data, own }: Attached): Attachment[] {
  // An attached message stands behind the number of its interface.
  const inner = own.get(properties.attachData)?.subarray(16);
  const content = data ?? inner;
  if (content === undefined) return [];
  const filename = textOf(own.get(properties.attachName)) || title || (inner === undefined ? null : 'message.dat');
  return [{ filename, mimeType: 'application/octet-stream', disposition: 'attachment', content: new Uint8Array(content).buffer }];
}

/** Texts of bytes end with a zero; others are UTF-16 already turned into UTF-8 by `readProperties`. */
function textOf(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : decodeText(bytes, null, null).text.replace(/\0+$/, '');
}

const fixedBytes: Readonly<Record<number, number>> = {
  0x02: 4,
  0x03: 4,
  0x04: 4,
  0x05: 8,
  0x06: 8,
  0x07: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
};
const wideText = 0x1f;
const variable = new Set([0x0d, 0x1e, wideText, 0x102]);

/** The first value of each property, by number (MS-OXTNEF 2.1.3.4). Ends where a value is of no known kind. */
function readProperties(bytes: Buffer): Properties {
  const found = new Map<number, Buffer>();
  const count = bytes.length < 4 ? 0 : Math.min(attributesMax, bytes.readUInt32LE(0));
  let at = 4;
  for (let index = 0; index < count && at + 8 <= bytes.length; index++) {
    const type = bytes.readUInt16LE(at);
    const id = bytes.readUInt16LE(at + 2);
    at += 4;
    if (id >= 0x8000) at = behindName(bytes, at);
    const kind = type & 0x0fff;
    const size = fixedBytes[kind];
    if (size === undefined && !variable.has(kind)) break;
    const isMany = (type & 0x1000) !== 0 || size === undefined;
    const values = isMany ? uint32(bytes, at) : 1;
    if (isMany) at += 4;
    for (let value = 0; value < values && at < bytes.length; value++) {
      const length = size ?? uint32(bytes, at);
      if (size === undefined) at += 4;
      const data = bytes.subarray(at, at + length);
      if (value === 0 && !found.has(id)) found.set(id, kind === wideText ? Buffer.from(data.toString('utf16le')) : data);
      at += length + ((4 - (length % 4)) % 4);
    }
  }
  return found;
}

function behindName(bytes: Buffer, at: number): number {
  const kind = uint32(bytes, at + 16);
  if (kind === 0) return at + 24;
  const length = uint32(bytes, at + 20);
  return at + 24 + length + ((4 - (length % 4)) % 4);
}

function uint32(bytes: Buffer, at: number): number {
  return at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0;
}
