/** Outlook messages (MSG; MS-OXMSG): mails, appointments, tasks and people, written as mails are, each attachment by the parser of its kind. */
import type { Address, Attachment, Email } from 'postal-mime';
import { openCompoundFile, type CompoundStorage } from '../containers/compound-file.ts';
import { compoundFile, contentOf } from '../containers/compound-writer.ts';
import { noParts } from '../containers/parts.ts';
import { declaredCharset } from '../html/html-parser.ts';
import { readInput } from '../input.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { createRtfParser } from '../rtf/rtf-parser.ts';
import { decodeText } from '../text/encoding.ts';
import { unpackRtf } from './compressed-rtf.ts';
import { writeMail } from './mail-parser.ts';
import { encodingsOf, readMsgProperties, readNamedProperties, type MsgProperties } from './msg-properties.ts';

/** `parts` reads what is attached, and bodies that are only RTF: the parser of all formats. */
export function createMsgParser(parts: Parser = noParts): Parser {
  return { parse: (input) => parse(input, parts) };
}

const ids = {
  messageClass: 0x1a,
  subject: 0x37,
  clientSubmit: 0x39,
  representingName: 0x42,
  representingAddress: 0x65,
  recipientType: 0xc15,
  senderName: 0xc1a,
  senderAddress: 0xc1f,
  displayCc: 0xe03,
  displayTo: 0xe04,
  delivery: 0xe06,
  body: 0x1000,
  rtf: 0x1009,
  html: 0x1013,
  displayName: 0x3001,
  address: 0x3003,
  created: 0x3007,
  attachData: 0x3701,
  attachName: 0x3704,
  attachLongName: 0x3707,
  attachType: 0x370e,
  attachId: 0x3712,
  smtpAddress: 0x39fe,
  senderSmtp: 0x5d01,
  representingSmtp: 0x5d02,
  isHidden: 0x7ffe,
} as const;

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const root = openCompoundFile(readInput(input), input.limits.unpackedBytesMax);
  const encodings = encodingsOf(root);
  const properties = readMsgProperties(root, 'message', encodings.texts);
  const html = htmlOf(properties, encodings.html);
  const text = properties.text(ids.body);
  const recipients = storagesNamed(root, '__recip_version1.0_').map((each) => readMsgProperties(each, 'other', encodings.texts));
  const shown = new Set(Array.from((html ?? '').matchAll(/cid:([^"'\s>)]{1,500})/gi), ([, id]) => id!));
  const email: Email = {
    headers: [],
    headerLines: [],
    messageId: '',
    subject: properties.text(ids.subject),
    from: senderOf(properties),
    to: addressesOf(recipients, recipientKinds.to, properties.text(ids.displayTo)),
    cc: addressesOf(recipients, recipientKinds.cc, properties.text(ids.displayCc)),
    ...dateOf(properties),
    ...(html === null ? {} : { html }),
    text,
    attachments: storagesNamed(root, '__attach_version1.0_').flatMap((each, at) => attachmentOf(each, at, encodings.texts, shown)),
  };
  const rtf = html === null && text.trim() === '' ? rtfOf(properties, input) : null;
  const body = rtf === null ? null : await createRtfParser().parse({ ...input, bytes: rtf, fileBytes: rtf.length });
  const facts = [...factsOf(properties, readNamedProperties(root))];
  return writeMail(email, { input, attachments: parts, mediaType: 'application/vnd.ms-outlook', warnings: [], facts, body });
}

/** So many recipients and attachments of one message are looked at. */
const storagesMax = 10_000;

function storagesNamed(root: CompoundStorage, prefix: string): CompoundStorage[] {
  return root.storages.filter(({ name }) => name.toLowerCase().startsWith(prefix)).slice(0, storagesMax);
}

/** Bytes in most files, a text in some. */
function htmlOf(properties: MsgProperties, encoding: string | null): string | null {
  const bytes = properties.bytes(ids.html);
  const html = bytes === null ? properties.text(ids.html) : decodeText(bytes, declaredCharset(bytes) ?? encoding, encoding).text;
  return html.trim() === '' ? null : html;
}

function rtfOf(properties: MsgProperties, { limits }: ParseInput): Buffer | null {
  const packed = properties.bytes(ids.rtf);
  return packed === null ? null : unpackRtf(packed, limits.unpackedBytesMax);
}

function senderOf(properties: MsgProperties): Address {
  const name = properties.text(ids.senderName, ids.representingName);
  const address = [ids.senderSmtp, ids.representingSmtp, ids.senderAddress, ids.representingAddress]
    .map((id) => properties.text(id))
    .find(isMailAddress);
  return addressOf(name, address ?? '');
}

/** Within an organisation Outlook keeps paths of its directory (`/O=…/CN=…`), which are nobody's address outside. */
function isMailAddress(text: string): boolean {
  return text.includes('@') && !text.startsWith('/');
}

/** The name of somebody is often only the address again. */
function addressOf(name: string, address: string): Address {
  const plain = name.trim().replace(/^'(.*)'$/, '$1');
  return { name: plain === address ? '' : plain, address };
}

const recipientKinds = { to: 1, cc: 2 } as const;

function addressesOf(recipients: readonly MsgProperties[], kind: number, shown: string): Address[] {
  const found = recipients
    .filter((each) => (each.number(ids.recipientType) ?? recipientKinds.to) === kind)
    .map((each) => {
      const address = [ids.smtpAddress, ids.address].map((id) => each.text(id)).find(isMailAddress) ?? '';
      return addressOf(each.text(ids.displayName), address);
    });
  return found.length > 0 || shown.trim() === '' ? found : [{ name: shown.trim(), address: '' }];
}

function dateOf(properties: MsgProperties): { date?: string } {
  const date = properties.date(ids.clientSubmit) ?? properties.date(ids.delivery);
  return date === null ? {} : { date: date.toISOString() };
}

/** Nothing for what is part of the body: pictures that it shows. */
function attachmentOf(storage: CompoundStorage, at: number, encoding: string | null, shown: ReadonlySet<string>): Attachment[] {
  const properties = readMsgProperties(storage, 'other', encoding);
  const inside = storage.storage('__substg1.0_3701000D');
  const id = properties.text(ids.attachId);
  const mimeType = properties.text(ids.attachType) || (inside === null ? 'application/octet-stream' : '');
  const name = properties.text(ids.attachLongName, ids.attachName, ids.displayName);
  const isShown = id !== '' && (shown.has(id) || properties.number(ids.isHidden) === 1);
  const isPicture = mimeType.startsWith('image/') || /\.(?:png|jpe?g|gif|bmp)$/i.test(name);
  const content = inside === null ? properties.bytes(ids.attachData) : null;
  return [
    {
      filename: name === '' && inside !== null ? `message ${at + 1}.msg` : name || null,
      mimeType: isPicture && isShown ? 'image/any' : mimeType,
      disposition: 'attachment',
      related: isShown,
      content: inside === null ? ownBuffer(content ?? Buffer.alloc(0)) : ownBuffer(compoundFile(contentOf(inside))),
    },
  ];
}

function ownBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** What appointments, tasks and people have besides a text: [named property or number, what it is called]. */
const namedFacts: readonly (readonly [name: number, label: string, kind: 'text' | 'date'])[] = [
  [0x8208, 'Location', 'text'],
  [0x820d, 'Start', 'date'],
  [0x820e, 'End', 'date'],
  [0x8104, 'Start', 'date'],
  [0x8105, 'Due', 'date'],
  [0x8083, 'E-mail', 'text'],
  [0x801a, 'Home address', 'text'],
  [0x801b, 'Business address', 'text'],
];
const personFacts: readonly (readonly [id: number, label: string])[] = [
  [0x3001, 'Name'],
  [0x3a16, 'Company'],
  [0x3a17, 'Job title'],
  [0x3a18, 'Department'],
  [0x3a08, 'Business phone'],
  [0x3a1c, 'Mobile phone'],
  [0x3a09, 'Home phone'],
];

function* factsOf(properties: MsgProperties, named: (name: number) => number | null): Generator<string> {
  const kind = properties.text(ids.messageClass).toLowerCase();
  if (kind.startsWith('ipm.contact')) {
    for (const [id, label] of personFacts) {
      const text = properties.text(id).trim();
      if (text !== '') yield `${label}: ${text}`;
    }
  }
  if (!/^ipm\.(?:appointment|schedule|task|contact)/.test(kind)) return;
  for (const [name, label, type] of namedFacts) {
    const id = named(name);
    if (id === null) continue;
    const text = type === 'date' ? (properties.date(id)?.toISOString() ?? '') : properties.text(id).trim();
    if (text !== '') yield `${label}: ${text.replace(/\s+/g, ' ')}`;
  }
}
