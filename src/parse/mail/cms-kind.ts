/** What kind of CMS (RFC 5652) some bytes are, which is what mails and files are signed and encrypted in; and whether they are PGP's. */
import { type DerNode, derTags, readDer } from '../containers/der.ts';

/** Object identifiers in hexadecimal: RSA's and those of GM/T 0010. */
const kinds: Readonly<Record<string, 'signed' | 'encrypted' | 'compressed'>> = {
  '2a864886f70d010702': 'signed',
  '2a811ccf550601040202': 'signed',
  '2a864886f70d010703': 'encrypted',
  '2a864886f70d010704': 'encrypted',
  '2a811ccf550601040203': 'encrypted',
  '2a864886f70d0109100117': 'encrypted',
  '2a864886f70d0109100109': 'compressed',
};

/** Whether bytes begin as such a file does, in binary or as text. */
export function isCms(head: Buffer): boolean {
  return isPgpMessage(head) || kindOf(readDer(binaryOf(head))) !== null;
}

/** Text that PGP encrypted (RFC 9580 6.2). What it only signed can be read as it is. */
export function isPgpMessage(head: Buffer): boolean {
  return /^\s*-----BEGIN PGP MESSAGE-----\s/.test(head.toString('latin1', 0, 100));
}

/** Text of base64, with or without lines before and after it, as bytes. */
export function binaryOf(bytes: Buffer): Buffer {
  if (bytes[0] === derTags.sequence) return bytes;
  const head = bytes.toString('latin1', 0, 64).trimStart();
  if (!/^(?:-----BEGIN (?:PKCS7|CMS|PKCS #7 SIGNED DATA)-----|MII)/.test(head)) return Buffer.alloc(0);
  return Buffer.from(bytes.toString('latin1').replace(/-----[^-\n]*-----/g, ''), 'base64');
}

/** By its object identifier; null where it is none. */
export function kindOf(root: DerNode | null): 'signed' | 'encrypted' | 'compressed' | null {
  if (root?.tag !== derTags.sequence) return null;
  const type = root.parts()[0];
  return type?.tag === derTags.id ? (kinds[type.content.toString('hex')] ?? null) : null;
}
