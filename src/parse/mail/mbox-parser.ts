/** Mailboxes (RFC 4155): one document of many mails, each under its subject, with what is attached to it. */
import { DocumentError } from '../../errors.ts';
import { type Part, readPart, readWrapped, writeParsed } from '../containers/parts.ts';
import { readInput } from '../input.ts';
import { createMarkdownBuilder } from '../markdown/markdown-builder.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { mailBytes } from './mail-parser.ts';

/** `parts` reads each mail: the parser of all formats. */
export function createMboxParser(parts: Parser): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const messages = [...messagesOf(mailBytes(readInput(input)))];
  const warnings: string[] = [];
  const host = { input, parser: parts, warnings, kind: 'message' };
  // A box of one mail is that mail.
  if (messages.length === 1) return readWrapped(messagePart(messages[0]!, 0), input, parts);
  const builder = createMarkdownBuilder(input.limits);
  const { entriesMax } = input.limits;
  for (const [index, bytes] of messages.slice(0, entriesMax).entries()) {
    const parsed = await readPart(messagePart(bytes, index), { ...host, builder });
    if (parsed === null) continue;
    if (parsed.title === null) builder.heading(1, `Message ${index + 1}`);
    writeParsed(parsed, builder, 0);
  }
  if (messages.length > entriesMax) {
    warnings.push(`Of ${messages.length} messages, only the first ${entriesMax} were read (MAX_ARCHIVE_ENTRIES)`);
  }
  if (builder.characters === 0) throw new DocumentError('no_text', warnings[0] ?? 'The mailbox has no messages');
  return { mediaType: 'application/mbox', title: null, author: null, language: null, pages: null, ...builder.finish(), warnings };
}

function messagePart(bytes: Buffer, index: number): Part {
  return { name: `message ${index + 1}.eml`, mediaType: 'message/rfc822', bytes: () => bytes };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The mails, without the lines that part them: `From `, an address and a time, after an empty line. Linear. */
function* messagesOf(box: Buffer): Generator<Buffer> {
  let start = -1;
  for (let at = 0; at !== -1 && at < box.length; at = nextLine(box, at)) {
    if (!isSeparator(box, at)) continue;
    if (start !== -1) yield withoutQuotes(box.subarray(start, at));
    const next = nextLine(box, at);
    start = next === -1 ? box.length : next;
  }
  if (start !== -1 && start < box.length) yield withoutQuotes(box.subarray(start));
}

function nextLine(box: Buffer, at: number): number {
  const end = box.indexOf(lineFeed, at);
  return end === -1 ? -1 : end + 1;
}

function isSeparator(box: Buffer, at: number): boolean {
  if (box.toString('latin1', at, at + 5) !== 'From ') return false;
  const isAfterBlank =
    at === 0 ||
    (box[at - 1] === lineFeed && (box[at - 2] === lineFeed || (box[at - 2] === carriageReturn && box[at - 3] === lineFeed)));
  return (
    isAfterBlank && (at === 0 || /^From \S.*\b\d{1,2}:\d\d\b.*\d{4}\b/.test(box.toString('latin1', at, at + 200).split('\n')[0]!))
  );
}

/** A line of the text that looks like a separator has one `>` more than it was sent with. */
function withoutQuotes(message: Buffer): Buffer {
  if (!message.includes('\n>From ') && !message.includes('\n>>')) return message;
  return Buffer.from(message.toString('latin1').replace(/^>(>*From )/gm, '$1'), 'latin1');
}
