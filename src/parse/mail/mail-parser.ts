/** Mails (RFC 5322, MIME): who, when, what about; the text; then each attachment, listed and read by the parser of its own kind. */
import type { Address, Attachment, Email } from 'postal-mime';
import { DocumentError } from '../../errors.ts';
import { writeHtml } from '../html/html-writer.ts';
import { readInput } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import { readWholeMail, type ReadMail } from './mail-reader.ts';
import { type PartHost, writePart } from '../containers/parts.ts';
import type { Block, ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { decodeAs, decodeText, normalizeLines } from '../text/encoding.ts';
import { writeParagraphs } from '../text/text-parser.ts';

const attachmentsMax = 200;

/** `attachments` reads what is attached: the parser of all formats. */
export function createMailParser(attachments: Parser): Parser {
  return { parse: (input) => parse(input, attachments) };
}

async function parse(input: ParseInput, attachments: Parser): Promise<ParsedDocument> {
  const { email, hasMoreParts } = await readMail(mailBytes(readInput(input)), input);
  const warnings = hasMoreParts ? ['The mail has thousands of parts; only the first ones were read'] : [];
  return writeMail(email, { input, attachments, mediaType: 'message/rfc822', warnings, facts: [], body: null });
}

/** A mail, or a box of them, saved in UTF-16, as Windows does, in the bytes that mails have. */
export function mailBytes(bytes: Buffer): Buffer {
  const { text, encoding } = decodeText(bytes.subarray(0, 4096));
  return /^utf-(?:16|32)/.test(encoding) && text !== '' ? Buffer.from(decodeAs(bytes, encoding)) : bytes;
}

export type MailWriting = {
  readonly input: ParseInput;
  readonly attachments: Parser;
  readonly mediaType: string;
  readonly warnings: string[];
  /** Lines below sender, recipients and date. */
  readonly facts: readonly string[];
  /** The text, where the mail itself has none. */
  readonly body: ParsedDocument | null;
};

/** Writes a mail of whatever format, and what is attached to it. @throws DocumentError */
export async function writeMail(
  email: Email,
  { input, attachments, mediaType, warnings, facts, body }: MailWriting,
): Promise<ParsedDocument> {
  const builder = createMarkdownBuilder(input.limits);
  const title = email.subject?.replace(/\s+/g, ' ').trim() || null;
  builder.heading(1, title ?? '');
  builder.list([...headerLines(email), ...facts].map((text) => ({ text, depth: 0, ordered: false })));
  writeBody(email, builder, input);
  for (const block of body?.blocks ?? []) builder.raw(block.kind, body!.markdown.slice(block.start, block.end), levelOf(block));
  await writeAttachments(email, { input, builder, parser: attachments, warnings, kind: 'attachment' });
  return {
    mediaType,
    title,
    author: addressText(email.from === undefined ? [] : [email.from]) || null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings,
  };
}

function levelOf({ level }: Block): { level?: number } {
  return level === undefined ? {} : { level };
}

async function readMail(bytes: Buffer, input: ParseInput): Promise<ReadMail> {
  try {
    return await readWholeMail(bytes, input.limits.depthMax);
  } catch (error) {
    if (/nesting depth/i.test((error as Error).message)) {
      throw new DocumentError('limit_exceeded', `The mail is nested deeper than ${input.limits.depthMax} parts (MAX_NESTING)`, {
        cause: error,
      });
    }
    throw new DocumentError('corrupt', 'The mail is damaged and cannot be read', { cause: error });
  }
}

function headerLines(email: Email): string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['From', addressText(email.from === undefined ? [] : [email.from])],
    ['To', addressText(email.to ?? [])],
    ['Cc', addressText(email.cc ?? [])],
    ['Date', email.date ?? ''],
  ];
  return rows.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}`);
}

const addressesMax = 100;

function addressText(addresses: readonly Address[]): string {
  return addresses
    .slice(0, addressesMax)
    .flatMap((each) => each.group ?? [each])
    .map(({ name, address }) =>
      name === '' ? (address ?? '') : address === undefined || address === '' ? name : `${name} (${address})`,
    )
    .filter((text) => text !== '')
    .join(', ');
}

/** HTML where there is any text in it, since it has the structure; else the plain text. */
function writeBody(email: Email, builder: MarkdownBuilder, input: ParseInput): void {
  const before = builder.characters;
  if (email.html !== undefined) writeHtml(normalizeLines(email.html), builder, { limits: input.limits, levelShift: 1 });
  if (builder.characters === before) writeParagraphs(normalizeLines(email.text ?? ''), builder);
}

async function writeAttachments(email: Email, host: PartHost): Promise<void> {
  const listed = email.attachments.filter((each) => !(each.related === true && each.mimeType.startsWith('image/')));
  for (const [index, attachment] of listed.slice(0, attachmentsMax).entries()) {
    const name = attachmentName(attachment, index);
    const part = { name, mediaType: attachment.mimeType, bytes: () => new Uint8Array(attachment.content as ArrayBuffer) };
    await writePart(part, host, 2, `Attachment: ${name}`);
  }
  if (listed.length > attachmentsMax)
    host.warnings.push(`Of ${listed.length} attachments, only the first ${attachmentsMax} were read`);
}

function attachmentName(attachment: Attachment, index: number): string {
  const name = attachment.filename?.replace(/\s+/g, ' ').trim() ?? '';
  if (name !== '') return name.slice(0, 255);
  return attachment.mimeType === 'message/rfc822' ? `message ${index + 1}.eml` : `attachment ${index + 1}`;
}
