/**
 * Postings and words as they lie in tables: compressed (Zstandard) where that saves something, since each byte of a segment goes through the
 * server's log at every merge. The server's own compression does not take most of them. What earlier versions wrote is not compressed.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

/** Of less nothing is saved. */
const bytesMin = 256;
/** How every frame begins (RFC 8878 §3.1.1). A block never does: it would have four billion terms; words begin with 0. */
const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Some 0.1 ms for what a small document has, 1 ms for 100 KiB. */
export function packed(bytes: Uint8Array): Uint8Array {
  if (bytes.length < bytesMin) return bytes;
  const smaller = zstdCompressSync(bytes);
  return smaller.length < bytes.length ? smaller : bytes;
}

/** What was `packed`. @throws Error for bytes that were not. */
export function unpacked(bytes: Uint8Array): Uint8Array {
  return magic.equals(bytes.subarray(0, magic.length)) ? zstdDecompressSync(bytes) : bytes;
}
