/**
 * Names in ZIP archives (PKWARE's APPNOTE 6.3.10): UTF-8, or what old systems wrote, whose encoding no field says: Chinese Windows GBK, others the
 * code page of DOS (appendix D) or their own.
 */
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { decodeAs, detectEncoding } from '../text/encoding.ts';

/** The data of the extra field with this id; null when there is none. */
export function extraField(extra: Buffer, id: number): Buffer | null {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  return null;
}

/** The bytes of the name: those in UTF-8 that stand beside it in an extra field, as long as they are about this name (4.6.9), or itself. */
export function nameBytes(name: Buffer, extra: Buffer): Buffer {
  const field = extraField(extra, 0x7075);
  if (field === null || field.length <= 5 || field.readUInt32LE(1) !== crc32(name)) return name;
  const better = field.subarray(5);
  return isUtf8(better) ? better : name;
}

const latin = /^(?:windows-125[0247]|iso-8859-(?:1|2|13|15)|macintosh|x-mac-(?:latin2|turkish)|ibm437)$/;

/** The encoding, for `decodeAs`, of names that are not UTF-8. Costs some milliseconds. */
export function encodingOfNames(names: Buffer): string {
  const guessed = detectEncoding(names);
  // One character of two bytes could be of any: of Chinese systems most are.
  const isOneWide = guessed === 'euc-kr' && names.filter((byte) => byte >= 0x80).length <= 2;
  if (!latin.test(guessed) && !isOneWide) return guessed;
  // What Western Windows packs is in the code page of DOS, which has letters where the others have signs.
  if (/^[\0-\x7b\x7d-\x7fÀ-ÖØ-öø-ÿ]*$/.test(decodeAs(names, 'ibm437'))) return 'ibm437';
  if (isGbk(names)) return 'gb18030';
  return guessed === 'windows-1252' && names.some((byte) => byte >= 0x80 && byte < 0xa0) ? 'ibm437' : guessed;
}

/** Chinese characters and their signs, not all of which would be a letter with an accent before a plain one. */
function isGbk(names: Buffer): boolean {
  const text = decodeAs(names, 'gb18030');
  if (!/^[\0-\x7f\p{Script=Han}\u2010-\u2026\u3001-\u301f\uff01-\uff5e]*$/u.test(text)) return false;
  return /[\x80-\xff](?![A-Za-z])/.test(names.toString('latin1'));
}

/** So many bytes above ASCII tell the encoding, and so many in all are weighed. */
const told = { high: 96, bytes: 8192 };

/**
 * Reads the names of one archive as they come: each by what it and those before it look like, so that the same archive has the same names each time.
 * Cost: some milliseconds for each of the first names that are not UTF-8, until their encoding is known.
 */
export function createNameReader(): (bytes: Buffer) => string {
  let sample = Buffer.alloc(0);
  let high = 0;
  let encoding = '';
  return (bytes) => {
    if (isUtf8(bytes)) return bytes.toString('utf8');
    if (high < told.high && sample.length < told.bytes) {
      sample = Buffer.concat([sample, Buffer.from('\n'), bytes]);
      high += bytes.filter((byte) => byte >= 0x80).length;
      encoding = encodingOfNames(sample);
    }
    const name = decodeAs(bytes, encoding);
    return name.includes('\ufffd') ? decodeAs(bytes, 'ibm437') : name;
  };
}
