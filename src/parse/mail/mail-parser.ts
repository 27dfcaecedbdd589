/** Mails (RFC 5322, MIME): who, when, what about; the text; then each attachment, listed and read by the parser of its own kind. */
import type { Address, Attachment, Email } from 'postal-mime';
import { DocumentError } from '../../errors.ts';
import { writeHtml } from '../html/html-writer.ts';
import { readInput } from '../input.ts';
import { createMarkdownBuilder, type MarkdownBuilder } from '../markdown/markdown-builder.ts';
import { readWholeMail, type ReadMail } from './mail-reader.ts';
import type { Block, ParsedDocument, ParseInput, Parser } from '../parser.ts';
import { normalizeLines } from '../text/encoding.ts';
import { writeParagraphs } from '../text/text-parser.ts';

/** Mails in mails in mails. */
const nestingMax = 5;
const attachmentsMax = 200;

/** `attachments` reads what is attached: the parser of all formats. */
export function createMailParser(attachments: Parser): Parser {
  return { parse: (input) => parse(input, attachments) };
}

async function parse(input: ParseInput, attachments: Parser): Promise<ParsedDocument> {
  const { email, hasMoreParts } = await readMail(await readInput(input), input);
  const builder = createMarkdownBuilder(input.limits);
  const warnings: string[] = hasMoreParts ? ['The mail has thousands of parts; the first of them were read'] : [];
  const title = email.subject?.replace(/\s+/g, ' ').trim() || null;
  builder.heading(1, title ?? '');
  builder.list(headerLines(email).map((text) => ({ text, depth: 0, ordered: false })));
  writeBody(email, builder, input);
  await writeAttachments(email, builder, input, { attachments, warnings });
  return {
    mediaType: 'message/rfc822',
    title,
    author: addressText(email.from === undefined ? [] : [email.from]) || null,
    language: null,
    pages: null,
    ...builder.finish(),
    warnings,
  };
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

type Outside = { readonly attachments: Parser; readonly warnings: string[] };

async function writeAttachments(email: Email, builder: MarkdownBuilder, input: ParseInput, outside: Outside): Promise<void> {
  const listed = email.attachments.filter((each) => !(each.related === true && each.mimeType.startsWith('image/')));
  for (const [index, attachment] of listed.slice(0, attachmentsMax).entries()) {
    const name = attachmentName(attachment, index);
    builder.heading(2, `Attachment: ${name}`);
    const refusal = await writeAttachment(attachment, name, listed.length, builder, input, outside);
    if (refusal !== null) outside.warnings.push(`The attachment ${name} was not read: ${refusal}`);
  }
  if (listed.length > attachmentsMax)
    outside.warnings.push(`Of ${listed.length} attachments the first ${attachmentsMax} were read`);
}

function attachmentName(attachment: Attachment, index: number): string {
  const name = attachment.filename?.replace(/\s+/g, ' ').trim() ?? '';
  if (name !== '') return name.slice(0, 255);
  return attachment.mimeType === 'message/rfc822' ? `message ${index + 1}.eml` : `attachment ${index + 1}`;
}

/** Null, or why it was not read. The limits of the whole are shared out. */
async function writeAttachment(
  attachment: Attachment,
  name: string,
  count: number,
  builder: MarkdownBuilder,
  input: ParseInput,
  outside: Outside,
): Promise<string | null> {
  const nesting = (input.nesting ?? 0) + 1;
  if (nesting > nestingMax) return `it is inside of more than ${nestingMax} mails`;
  const bytes = new Uint8Array(attachment.content as ArrayBuffer);
  if (bytes.length === 0) return 'it is empty';
  const { limits } = input;
  try {
    const parsed = await outside.attachments.parse({
      path: input.path,
      bytes,
      nesting,
      fileBytes: bytes.length,
      filename: name,
      declaredMediaType: attachment.mimeType,
      limits: {
        ...limits,
        unpackedBytesMax: Math.ceil(limits.unpackedBytesMax / count),
        charactersMax: Math.max(1, limits.charactersMax - builder.characters),
        pagesMax: Math.max(1, Math.ceil(limits.pagesMax / count)),
      },
      // Its pages are not the mail's, but a sign that it goes on.
      onProgress: () => input.onProgress(0, null),
      ...(input.onPages === undefined ? {} : { onPages: input.onPages }),
    });
    for (const block of parsed.blocks) copyBlock(parsed.markdown, block, builder);
    outside.warnings.push(...parsed.warnings.map((warning) => `${name}: ${warning}`));
    return null;
  } catch (error) {
    // What only failed here may be read the next time, and is not left out.
    if (error instanceof DocumentError && !error.retryable) return error.message;
    throw error;
  }
}

/** Headings go two levels down, under the attachment's own. */
function copyBlock(markdown: string, block: Block, builder: MarkdownBuilder): void {
  const text = markdown.slice(block.start, block.end);
  if (block.kind === 'heading') builder.heading((block.level ?? 1) + 2, text.replace(/^#{1,6} /, ''));
  else builder.raw(block.kind, text);
}
