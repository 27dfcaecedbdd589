/**
 * Passwords of the old binary formats (MS-OFFCRYPTO 2.3.5 to 2.3.7): RC4 with a key of 40 bits, RC4 of CryptoAPI, and the XOR of Excel.
 * Besides the one that came with the file, passwords that nobody chose are tried: none, and the one that Excel itself sets for a workbook
 * with protected cells.
 */
import { createHash } from 'node:crypto';
import { DocumentError } from '../../errors.ts';

/** Excel writes a workbook whose structure is protected under this password, and opens it without asking. */
const unchosenPasswords: readonly string[] = ['VelvetSweatshop', ''];

/** What is tried on a file, in this order; `given` came with it. */
export function passwordsFor({ password }: { readonly password?: string }): readonly string[] {
  return password === undefined ? unchosenPasswords : [password, ...unchosenPasswords];
}

/** The refusal of a file that none of `passwords` opens: those that `passwordsFor` gives. */
export function protectedByPassword(passwords: readonly string[]): DocumentError {
  return new DocumentError(
    'encrypted',
    passwords.length > unchosenPasswords.length
      ? 'The file is protected by a password, and the password sent with it does not open it'
      : 'The file is protected by a password: remove the password and upload it again, or send the password with it',
  );
}

/** Bytes to be combined with those of a stream from a place on; combined twice they are as they were. */
export interface Keystream {
  /** Decrypts `bytes` in place; they stand at `position` in their stream. Places must not go back far: each block is made again then. */
  apply(bytes: Buffer, position: number): void;
}

/**
 * The key to a file by what stands in its header, from the version on (MS-OFFCRYPTO EncryptionVersionInfo); a new key is made for every
 * `blockBytes`. Null where no password that is tried opens it, or the kind is not known.
 */
export function openRc4(header: Buffer, blockBytes: number, passwords: readonly string[]): Keystream | null {
  const keyOf = keyOfBlocks(header, passwords);
  return keyOf === null ? null : createKeystream(keyOf, blockBytes);
}

/** The same for files whose blocks are of any length: gives what a numbered block was before it was encrypted. */
export function openRc4Blocks(header: Buffer, passwords: readonly string[]): ((block: number, bytes: Buffer) => Buffer) | null {
  const keyOf = keyOfBlocks(header, passwords);
  return keyOf === null ? null : (block, bytes) => rc4(keyOf(block), bytes);
}

function keyOfBlocks(header: Buffer, passwords: readonly string[]): KeyOfBlock | null {
  return readCryptoApi(header, passwords) ?? readRc4(header, passwords);
}

type KeyOfBlock = (block: number) => Buffer;

function createKeystream(keyOf: KeyOfBlock, blockBytes: number): Keystream {
  let block = -1;
  let stream: Buffer = Buffer.alloc(0);
  return {
    apply(bytes, position) {
      for (let at = 0; at < bytes.length;) {
        const place = position + at;
        const wanted = Math.floor(place / blockBytes);
        if (wanted !== block) {
          block = wanted;
          stream = rc4(keyOf(block), Buffer.alloc(blockBytes));
        }
        const offset = place % blockBytes;
        const count = Math.min(bytes.length - at, blockBytes - offset);
        for (let index = 0; index < count; index++) bytes[at + index]! ^= stream[offset + index]!;
        at += count;
      }
    },
  };
}

/** MS-OFFCRYPTO 2.3.6: version 1.1, salt, verifier, hash of the verifier. */
function readRc4(header: Buffer, passwords: readonly string[]): KeyOfBlock | null {
  if (header.length < 52 || header.readUInt16LE(0) !== 1 || header.readUInt16LE(2) !== 1) return null;
  const salt = header.subarray(4, 20);
  const secret = header.subarray(20, 52);
  for (const password of passwords) {
    const short = md5(Buffer.from(password, 'utf16le')).subarray(0, 5);
    const base = md5(Buffer.concat(Array.from({ length: 16 }, () => Buffer.concat([short, salt])))).subarray(0, 5);
    const keyOf: KeyOfBlock = (block) => md5(Buffer.concat([base, uint32(block)]));
    const plain = rc4(keyOf(0), secret);
    if (md5(plain.subarray(0, 16)).equals(plain.subarray(16, 32))) return keyOf;
  }
  return null;
}

const rc4Algorithm = 0x6801;

/** MS-OFFCRYPTO 2.3.5: version 2.2 to 4.2, header, verifier. */
function readCryptoApi(info: Buffer, passwords: readonly string[]): KeyOfBlock | null {
  if (info.length < 12 || info.readUInt16LE(0) < 2 || info.readUInt16LE(0) > 4 || info.readUInt16LE(2) !== 2) return null;
  const headerBytes = info.readUInt32LE(8);
  const verifier = info.subarray(12 + headerBytes);
  if (headerBytes < 20 || verifier.length < 60) return null;
  const algorithm = info.readUInt32LE(12 + 8);
  if (algorithm !== rc4Algorithm && algorithm !== 0) return null;
  const bits = info.readUInt32LE(12 + 16);
  const keyBytes = bits >= 40 && bits <= 128 ? bits >> 3 : 5;
  const salt = verifier.subarray(4, 20);
  const secret = Buffer.concat([verifier.subarray(20, 36), verifier.subarray(40, 60)]);
  for (const password of passwords) {
    const base = sha1(Buffer.concat([salt, Buffer.from(password, 'utf16le')]));
    const keyOf: KeyOfBlock = (block) => {
      const key = sha1(Buffer.concat([base, uint32(block)])).subarray(0, keyBytes);
      // A key of 40 bits is filled up to 128.
      return keyBytes === 5 ? Buffer.concat([key, Buffer.alloc(11)]) : key;
    };
    const plain = rc4(keyOf(0), secret);
    if (sha1(plain.subarray(0, 16)).equals(plain.subarray(16, 36))) return keyOf;
  }
  return null;
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** RC4 itself, which the OpenSSL of Node no longer offers. */
export function rc4(key: Buffer, bytes: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, at) => at);
  for (let at = 0, other = 0; at < 256; at++) {
    other = (other + state[at]! + key[at % key.length]!) & 255;
    [state[at], state[other]] = [state[other]!, state[at]!];
  }
  const out = Buffer.alloc(bytes.length);
  for (let at = 0, one = 0, other = 0; at < bytes.length; at++) {
    one = (one + 1) & 255;
    other = (other + state[one]!) & 255;
    [state[one], state[other]] = [state[other]!, state[one]!];
    out[at] = bytes[at]! ^ state[(state[one]! + state[other]!) & 255]!;
  }
  return out;
}

/**
 * Undoes Excel's XOR (MS-OFFCRYPTO 2.3.7) in the data of one record, in place; `end` is the place in the stream behind it.
 */
export type Xor = (bytes: Buffer, end: number) => void;

const xorCharactersMax = 15;

/** Null where no password that is tried opens it. */
export function openXor(key: number, verifier: number, passwords: readonly string[]): Xor | null {
  const password = passwords.find(
    (each) => each !== '' && each.length <= xorCharactersMax && xorVerifier(each) === verifier && xorKey(each) === key,
  );
  if (password === undefined) return null;
  const pattern = xorPattern(password);
  return (bytes, end) => {
    for (let at = 0; at < bytes.length; at++) {
      const value = bytes[at]! ^ pattern[(end + at) % 16]!;
      bytes[at] = ((value >> 5) | (value << 3)) & 0xff;
    }
  };
}

function xorVerifier(password: string): number {
  let verifier = 0;
  for (const code of [password.length, ...Buffer.from(password, 'latin1')].toReversed())
    verifier = (((verifier & 0x4000) === 0 ? 0 : 1) | ((verifier * 2) & 0x7fff)) ^ code;
  return verifier ^ 0xce4b;
}

const initialCodes = [
  0xe1f0, 0x1d0f, 0xcc9c, 0x84c0, 0x110c, 0x0e10, 0xf1ce, 0x313e, 0x1872, 0xe139, 0xd40f, 0x84f9, 0x280c, 0xa96a, 0x4ec3,
];
const xorMatrix = [
  0xaefc, 0x4dd9, 0x9bb2, 0x2745, 0x4e8a, 0x9d14, 0x2a09, 0x7b61, 0xf6c2, 0xfda5, 0xeb6b, 0xc6f7, 0x9dcf, 0x2bbf, 0x4563, 0x8ac6,
  0x05ad, 0x0b5a, 0x16b4, 0x2d68, 0x5ad0, 0x0375, 0x06ea, 0x0dd4, 0x1ba8, 0x3750, 0x6ea0, 0xdd40, 0xd849, 0xa0b3, 0x5147, 0xa28e,
  0x553d, 0xaa7a, 0x44d5, 0x6f45, 0xde8a, 0xad35, 0x4a4b, 0x9496, 0x390d, 0x721a, 0xeb23, 0xc667, 0x9cef, 0x29ff, 0x53fe, 0xa7fc,
  0x5fd9, 0x47d3, 0x8fa6, 0x0f6d, 0x1eda, 0x3db4, 0x7b68, 0xf6d0, 0xb861, 0x60e3, 0xc1c6, 0x93ad, 0x377b, 0x6ef6, 0xddec, 0x45a0,
  0x8b40, 0x06a1, 0x0d42, 0x1a84, 0x3508, 0x6a10, 0xaa51, 0x4483, 0x8906, 0x022d, 0x045a, 0x08b4, 0x1168, 0x76b4, 0xed68, 0xcaf1,
  0x85c3, 0x1ba7, 0x374e, 0x6e9c, 0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6, 0x1dad, 0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373,
  0x06e6, 0x0dcc, 0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4,
]; // prettier-ignore

function xorKey(password: string): number {
  let key = initialCodes[password.length - 1] ?? 0;
  let element = xorMatrix.length - 1;
  for (const code of Buffer.from(password, 'latin1').toReversed()) {
    for (let bit = 0, value = code; bit < 7; bit++, value <<= 1, element--) if ((value & 0x40) !== 0) key ^= xorMatrix[element]!;
  }
  return key;
}

const padding = [0xbb, 0xff, 0xff, 0xba, 0xff, 0xff, 0xb9, 0x80, 0x00, 0xbe, 0x0f, 0x00, 0xbf, 0x0f, 0x00];

/** The sixteen bytes that a password stands for. */
function xorPattern(password: string): Uint8Array {
  const key = xorKey(password);
  const filled = [...Buffer.from(password, 'latin1'), ...padding].slice(0, 16);
  return Uint8Array.from(filled, (byte, at) => {
    const value = byte ^ (at % 2 === 0 ? key & 0xff : key >> 8);
    return ((value >> 1) | (value << 7)) & 0xff;
  });
}
