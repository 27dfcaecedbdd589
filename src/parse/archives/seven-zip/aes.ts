/**
 * 7z's AES: a key of 256 bits from many rounds of SHA-256 over salt, password and the number of the round, and blocks that are chained
 * (as described in 7-Zip's "Methods.txt" and by its source's constants; nothing in it says whether the password is right).
 */
import { createDecipheriv, createHash } from 'node:crypto';
import { DocumentError } from '../../../errors.ts';
import { Damage } from './damage.ts';

/** Of all keys of one archive together. 7-Zip asks for half a million, and for the same key all over an archive. */
const roundsMax = 1 << 20;

/** The keys of one archive: each is made once. */
export type Keys = { of(properties: Buffer): { readonly key: Buffer; readonly vector: Buffer } };

/** @throws (`of`) Damage; DocumentError `limit_exceeded` for too many rounds */
export function createKeys(password: string): Keys {
  const bytes = Buffer.from(password, 'utf16le');
  const made = new Map<string, Buffer>();
  let roundsLeft = roundsMax;
  return {
    of(properties) {
      const { power, salt, vector } = settingsOf(properties);
      const name = `${power} ${salt.toString('hex')}`;
      let key = made.get(name);
      if (key === undefined) {
        const rounds = power === unhashed ? 0 : 2 ** power;
        if (rounds > roundsLeft)
          throw new DocumentError('limit_exceeded', `Opening the file takes more than ${roundsMax} rounds of hashing`);
        roundsLeft -= rounds;
        key = power === unhashed ? unhashedKey(salt, bytes) : hashedKey(salt, bytes, rounds);
        made.set(name, key);
      }
      return { key, vector };
    },
  };
}

/** In place of a power of two: the password is the key. */
const unhashed = 0x3f;

function settingsOf(properties: Buffer): { power: number; salt: Buffer; vector: Buffer } {
  const [flags, sizes = 0] = properties;
  if (flags === undefined) throw new Damage('aes');
  const saltBytes = (flags >>> 7) + (sizes >>> 4);
  const vectorBytes = ((flags >>> 6) & 1) + (sizes & 15);
  const rest = properties.subarray(2);
  if (rest.length !== saltBytes + vectorBytes) throw new Damage('aes');
  const vector = Buffer.concat([rest.subarray(saltBytes), Buffer.alloc(16)]).subarray(0, 16);
  return { power: flags & 0x3f, salt: rest.subarray(0, saltBytes), vector };
}

function unhashedKey(salt: Buffer, password: Buffer): Buffer {
  return Buffer.concat([salt, password, Buffer.alloc(32)]).subarray(0, 32);
}

/** Rounds are hashed many at a time: a call for each would cost ten times as much as the hashing. */
function hashedKey(salt: Buffer, password: Buffer, rounds: number): Buffer {
  const one = Buffer.concat([salt, password, Buffer.alloc(8)]);
  const many = Math.min(rounds, 1024);
  const block = Buffer.concat(Array.from({ length: many }, () => one));
  const hash = createHash('sha256');
  for (let round = 0; round < rounds; round += many) {
    for (let at = 0; at < many; at++) block.writeUInt32LE(round + at, (at + 1) * one.length - 8);
    hash.update(block);
  }
  return hash.digest();
}

/** Blocks of 16 bytes; a rest that is none is damage. */
export async function* decrypt(
  pieces: AsyncIterable<Buffer>,
  { key, vector }: { readonly key: Buffer; readonly vector: Buffer },
): AsyncGenerator<Buffer> {
  const decipher = createDecipheriv('aes-256-cbc', key, vector).setAutoPadding(false);
  for await (const piece of pieces) yield decipher.update(piece);
}
