/** Signed mails and files (.p7m, CMS: RFC 5652): what was signed is read as if it came by itself. What is encrypted ends in a sentence. */
import { inflateSync } from 'node:zlib';
import { DocumentError } from '../../errors.ts';
import { type DerNode, derTags, octetsOf, readDer } from '../containers/der.ts';
import { readWrapped } from '../containers/parts.ts';
import { readInput } from '../input.ts';
import { binaryOf, isPgpMessage, kindOf } from './cms-kind.ts';
import type { ParsedDocument, ParseInput, Parser } from '../parser.ts';

export function createCmsParser(parts: Parser): Parser {
  return { parse: (input) => parse(input, parts) };
}

async function parse(input: ParseInput, parts: Parser): Promise<ParsedDocument> {
  const whole = readInput(input);
  if (isPgpMessage(whole)) throw encryptedBy('PGP');
  const root = readDer(binaryOf(whole));
  const kind = kindOf(root);
  if (kind === 'encrypted') throw encryptedBy('S/MIME');
  const content = contentOf(root);
  if (content === null) throw new DocumentError('no_text', 'The file has only a signature; upload the file that was signed');
  const bytes = kind === 'compressed' ? unpack(content, input) : content;
  return readWrapped({ name: nameOf(input.filename, bytes), mediaType: null, bytes: () => bytes }, input, parts);
}

function encryptedBy(way: string): DocumentError {
  return new DocumentError(
    'encrypted',
    `The file is encrypted for its recipients (${way}): open it in its program, save it decrypted and upload it again`,
  );
}

/** `ContentInfo { type, [0] { version, …, { type, [0] octets }, … } }`: the first such pair inside. */
function contentOf(root: DerNode | null): Buffer | null {
  const data = root?.parts()[1]?.parts()[0];
  for (const part of data?.parts().slice(0, 10) ?? []) {
    if (part.tag !== derTags.sequence) continue;
    const [type, holder] = part.parts();
    const octets = holder?.tag === 0xa0 ? holder.parts()[0] : undefined;
    if (type?.tag === derTags.id && octets !== undefined) return octetsOf(octets);
  }
  return null;
}

function unpack(packed: Buffer, { limits }: ParseInput): Buffer {
  try {
    return inflateSync(packed, {
      maxOutputLength: Math.min(limits.unpackedBytesMax, Math.max(1024 * 1024, packed.length * limits.ratioMax)),
    });
  } catch (error) {
    throw new DocumentError('corrupt', 'The packed mail is damaged, or unpacks to too much (MAX_UNPACK_RATIO)', { cause: error });
  }
}

/** A mail's own lines say what it is; else the name without what signing added. */
function nameOf(filename: string, bytes: Buffer): string {
  if (/^(?:Content-|MIME-|From:|Received:)/i.test(bytes.toString('latin1', 0, 20))) return 'message.eml';
  return filename.replace(/\.(?:p7m|p7s|p7b)$/i, '') || 'signed file';
}
