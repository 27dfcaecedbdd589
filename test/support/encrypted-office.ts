/** Office files under a password, made as MS-OFFCRYPTO says: agile and standard encryption. */
import { createCipheriv, createHash } from 'node:crypto';
import { compoundFile as writeCompoundFile } from '../../src/parse/containers/compound-writer.ts';

const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const secret = Buffer.alloc(32, 7);
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const hash = (name: string, ...parts: readonly Buffer[]): Buffer => createHash(name).update(Buffer.concat(parts)).digest();
const padded = (bytes: Buffer, to = 16): Buffer => Buffer.concat([bytes, Buffer.alloc((to - (bytes.length % to)) % to)]);
const encrypt = (cipher: string, key: Buffer, vector: Buffer | null, bytes: Buffer): Buffer => {
  const one = createCipheriv(cipher, key, vector).setAutoPadding(false);
  return Buffer.concat([one.update(padded(bytes)), one.final()]);
};

function container(info: Buffer, packed: Buffer, bytes: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes));
  return writeCompoundFile({ streams: { EncryptionInfo: info, EncryptedPackage: Buffer.concat([length, packed]) } });
}

/** AES-256 in chains, SHA-512. */
export function agileEncrypted(file: Buffer, password: string, spins = 1000): Buffer {
  let key = hash('sha512', salt, Buffer.from(password, 'utf16le'));
  for (let round = 0; round < spins; round++) key = hash('sha512', uint32(round), key);
  const lock = (blockKey: string, bytes: Buffer): string =>
    encrypt('aes-256-cbc', hash('sha512', key, Buffer.from(blockKey, 'hex')).subarray(0, 32), salt, bytes).toString('base64');
  const verifier = Buffer.alloc(16, 5);
  const cipher = `saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="${salt.toString('base64')}"`;
  const xml =
    `<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption"><keyData ${cipher}/><keyEncryptors><keyEncryptor>` +
    `<p:encryptedKey xmlns:p="x" spinCount="${spins}" ${cipher} encryptedVerifierHashInput="${lock('fea7d2763b4b9e79', verifier)}" ` +
    `encryptedVerifierHashValue="${lock('d7aa0f6d3061344e', hash('sha512', verifier))}" encryptedKeyValue="${lock('146e0be7abacd0d6', secret)}"/>` +
    '</keyEncryptor></keyEncryptors></encryption>';
  const parts: Buffer[] = [];
  for (let at = 0, index = 0; at < file.length; at += 4096, index++) {
    const vector = hash('sha512', salt, uint32(index)).subarray(0, 16);
    parts.push(encrypt('aes-256-cbc', secret, vector, file.subarray(at, at + 4096)));
  }
  return container(Buffer.concat([Buffer.from([4, 0, 4, 0, 0x40, 0, 0, 0]), Buffer.from(xml)]), Buffer.concat(parts), file.length);
}

/** AES-128 in blocks, SHA-1. */
export function standardEncrypted(file: Buffer, password: string): Buffer {
  let key = hash('sha1', salt, Buffer.from(password, 'utf16le'));
  for (let round = 0; round < 50_000; round++) key = hash('sha1', uint32(round), key);
  const final = hash('sha1', key, uint32(0));
  const block = Buffer.alloc(64, 0x36);
  for (const [at, byte] of final.entries()) block[at]! ^= byte;
  const aes = hash('sha1', block).subarray(0, 16);
  const verifier = Buffer.alloc(16, 5);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(128, 16);
  const info = Buffer.concat([
    Buffer.from([4, 0, 2, 0, 0x24, 0, 0, 0]),
    uint32(header.length),
    header,
    uint32(16),
    salt,
    encrypt('aes-128-ecb', aes, null, verifier),
    uint32(20),
    encrypt('aes-128-ecb', aes, null, padded(hash('sha1', verifier), 32)),
  ]);
  return container(info, encrypt('aes-128-ecb', aes, null, file), file.length);
}
