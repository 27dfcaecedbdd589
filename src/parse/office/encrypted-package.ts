/**
 * Office Open XML files under a password (MS-OFFCRYPTO: standard and agile encryption). Excel writes a password of its own where somebody
 * only forbade changes; that one is tried first, then the one that came with the file.
 */
import { createDecipheriv, createHash, timingSafeEqual } from 'node:crypto';
import { DocumentError } from '../../errors.ts';
import { descend, elements, createTreeBuilder, createXmlCounts, readXmlText, type XmlNode } from '../containers/xml.ts';
import { openCompoundFile } from '../containers/compound-file.ts';
import { readInput } from '../input.ts';
import type { ParseInput } from '../parser.ts';

/** What Excel encrypts with where nobody gave a password (MS-OFFCRYPTO 2.4.2.3). */
const passwordNobodySet = 'VelvetSweatshop';
/** Rounds of hashing that a file may ask for; office programs ask for 100,000. */
const spinMax = 1_000_000;
const segmentBytes = 4096;

/**
 * The package inside.
 * @throws DocumentError `encrypted` when no password fits, `corrupt`, and what reading the container throws
 */
export async function decryptPackage(input: ParseInput): Promise<Buffer> {
  const root = openCompoundFile(readInput(input), input.limits.unpackedBytesMax);
  const info = root.stream('EncryptionInfo')?.read() ?? Buffer.alloc(0);
  const packed = root.stream('EncryptedPackage')?.read() ?? Buffer.alloc(0);
  if (info.length < 8 || packed.length < 8)
    throw new DocumentError('corrupt', 'The protected file is damaged: its key or its content is missing');
  const opened = openWith(info, packed, input);
  if (opened !== null) return opened;
  throw new DocumentError(
    'encrypted',
    input.password === undefined
      ? 'The file is protected by a password: remove the password and upload it again, or send the password with it'
      : 'The file is protected by a password, and the password sent with it does not open it',
  );
}

/** Null where no password fits. What says how it is encrypted is the file's word: ciphers, hashes and keys may be none. */
function openWith(info: Buffer, packed: Buffer, input: ParseInput): Buffer | null {
  try {
    const scheme = schemeOf(info, input);
    for (const password of [passwordNobodySet, ...(input.password === undefined ? [] : [input.password])]) {
      const key = scheme.keyFor(password);
      if (key !== null) return scheme.decrypt(packed.subarray(8), key).subarray(0, Number(packed.readBigUInt64LE(0)));
    }
    return null;
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    throw new DocumentError('corrupt', 'The protected file is damaged: its encryption settings cannot be read', {
      cause: error,
    });
  }
}

type Scheme = {
  /** Null where the password is another one. */
  keyFor(password: string): Buffer | null;
  decrypt(packed: Buffer, key: Buffer): Buffer;
};

function schemeOf(info: Buffer, input: ParseInput): Scheme {
  const [major, minor] = [info.readUInt16LE(0), info.readUInt16LE(2)];
  if (major === 4 && minor === 4) return agile(info.subarray(8), input);
  if (minor === 2) return standard(info.subarray(8));
  throw new DocumentError(
    'encrypted',
    'The file is protected by a password in a way that is not supported: remove the password and upload it again',
  );
}

/* Standard encryption (2.3.4): AES in blocks, SHA-1. */

function standard(bytes: Buffer): Scheme {
  const headerBytes = bytes.readUInt32LE(0);
  const keyBytes = (bytes.readUInt32LE(4 + 16) || 128) / 8;
  const verifier = bytes.subarray(4 + headerBytes);
  const salt = verifier.subarray(4, 20);
  const [encrypted, encryptedHash] = [verifier.subarray(20, 36), verifier.subarray(40, 72)];
  const decrypt = (packed: Buffer, key: Buffer): Buffer => blocks(`aes-${keyBytes * 8}-ecb`, key, null, packed);
  return {
    decrypt,
    keyFor(password) {
      let hash = hashOf('sha1', salt, Buffer.from(password, 'utf16le'));
      for (let round = 0; round < 50_000; round++) hash = hashOf('sha1', uint32(round), hash);
      const final = hashOf('sha1', hash, uint32(0));
      const mixed = (fill: number): Buffer => {
        const block = Buffer.alloc(64, fill);
        for (let at = 0; at < final.length; at++) block[at]! ^= final[at]!;
        return hashOf('sha1', block);
      };
      const key = Buffer.concat([mixed(0x36), mixed(0x5c)]).subarray(0, keyBytes);
      const expected = hashOf('sha1', decrypt(encrypted, key));
      return isSame(expected, decrypt(encryptedHash, key).subarray(0, expected.length)) ? key : null;
    },
  };
}

/* Agile encryption (2.3.4.10): what the XML says. */

const blockKeys = {
  input: Buffer.from('fea7d2763b4b9e79', 'hex'),
  value: Buffer.from('d7aa0f6d3061344e', 'hex'),
  key: Buffer.from('146e0be7abacd0d6', 'hex'),
} as const;

function agile(bytes: Buffer, { limits }: ParseInput): Scheme {
  const tree = createTreeBuilder('EncryptionInfo');
  const local = (name: string): string => name.slice(name.indexOf(':') + 1);
  const handler = {
    open: (name: string, attributes: XmlNode['attributes']) => tree.handler.open(local(name), attributes),
    close: (name: string) => tree.handler.close(local(name)),
  };
  readXmlText(bytes.toString('utf8'), handler, { namespaces: {}, limits, counts: createXmlCounts(), part: 'EncryptionInfo' });
  const root = tree.root();
  const data = cipherOf(descend(root, 'keyData'));
  const encryptors = elements(descend(root, 'keyEncryptors')).flatMap((each) => elements(each, 'encryptedKey'));
  const own = encryptors.find(({ attributes }) => attributes['spinCount'] !== undefined);
  if (own === undefined)
    throw new DocumentError(
      'encrypted',
      'The file is encrypted with a certificate: save it without encryption and upload it again',
    );
  const lock = cipherOf(own);
  const spins = Number(own.attributes['spinCount']);
  if (!(spins <= spinMax))
    throw new DocumentError('limit_exceeded', `Opening the file takes more than ${spinMax} rounds of hashing`);
  const value = (name: string): Buffer => Buffer.from(own.attributes[name] ?? '', 'base64');
  return {
    keyFor(password) {
      let hash = hashOf(lock.hash, lock.salt, Buffer.from(password, 'utf16le'));
      for (let round = 0; round < spins; round++) hash = hashOf(lock.hash, uint32(round), hash);
      const open = (name: string, blockKey: Buffer): Buffer =>
        blocks(lock.name, sized(hashOf(lock.hash, hash, blockKey), lock.keyBytes), sized(lock.salt, lock.blockBytes), value(name));
      const verifier = open('encryptedVerifierHashInput', blockKeys.input).subarray(0, lock.salt.length);
      const expected = hashOf(lock.hash, verifier);
      const said = open('encryptedVerifierHashValue', blockKeys.value).subarray(0, expected.length);
      return isSame(expected, said) ? open('encryptedKeyValue', blockKeys.key).subarray(0, data.keyBytes) : null;
    },
    decrypt(packed, key) {
      const parts: Buffer[] = [];
      for (let at = 0, index = 0; at < packed.length; at += segmentBytes, index++) {
        const vector = sized(hashOf(data.hash, data.salt, uint32(index)), data.blockBytes);
        parts.push(blocks(data.name, key, vector, packed.subarray(at, at + segmentBytes)));
      }
      return Buffer.concat(parts);
    },
  };
}

type Cipher = {
  readonly name: string;
  readonly hash: string;
  readonly salt: Buffer;
  readonly keyBytes: number;
  readonly blockBytes: number;
};

function cipherOf(node: XmlNode | undefined): Cipher {
  const said = node?.attributes ?? {};
  const keyBits = Number(said['keyBits']);
  const mode = said['cipherChaining'] === 'ChainingModeCFB' ? 'cfb8' : 'cbc';
  if (said['cipherAlgorithm'] !== 'AES' || ![128, 192, 256].includes(keyBits)) {
    throw new DocumentError(
      'encrypted',
      'The file is protected by a password in a way that is not supported: remove the password and upload it again',
    );
  }
  return {
    name: `aes-${keyBits}-${mode}`,
    hash: (said['hashAlgorithm'] ?? 'SHA1').toLowerCase().replace('-', ''),
    salt: Buffer.from(said['saltValue'] ?? '', 'base64'),
    keyBytes: keyBits / 8,
    blockBytes: 16,
  };
}

function blocks(cipher: string, key: Buffer, vector: Buffer | null, packed: Buffer): Buffer {
  const decipher = createDecipheriv(cipher, key, vector).setAutoPadding(false);
  return Buffer.concat([decipher.update(packed.subarray(0, packed.length - (packed.length % 16))), decipher.final()]);
}

function hashOf(name: string, ...parts: readonly Buffer[]): Buffer {
  const hash = createHash(name);
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Cut, or filled up as 2.3.4.11 says. */
function sized(bytes: Buffer, length: number): Buffer {
  return bytes.length >= length ? bytes.subarray(0, length) : Buffer.concat([bytes, Buffer.alloc(length - bytes.length, 0x36)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
