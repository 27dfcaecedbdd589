/** The bytes of a container, in a file or in memory, from any place: large archives are never whole in memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ParseInput } from '../parser.ts';

/** `read` gives a copy or a view of at most `bytes`, fewer at the end. */
export type ByteSource = { readonly bytes: number; read(at: number, bytes: number): Buffer; close(): void };

/** Opens the bytes of a document. Close it when done. */
export function openSource(input: Pick<ParseInput, 'path' | 'bytes'>): ByteSource {
  return input.bytes === undefined ? fileSource(input.path) : memorySource(input.bytes);
}

const pieceBytes = 64 * 1024;

/** `bytes` from `start` on, as far as there are some, in pieces of 64 KiB. */
export function* piecesOf(source: ByteSource, start: number, bytes: number): Generator<Buffer> {
  const end = Math.min(source.bytes, start + bytes);
  for (let at = start; at < end; at += pieceBytes) yield source.read(at, Math.min(pieceBytes, end - at));
}

function fileSource(path: string): ByteSource {
  const fd = openSync(path, 'r');
  const { size } = fstatSync(fd);
  return { bytes: size, read: (at, bytes) => readAt(fd, at, Math.max(0, Math.min(bytes, size - at))), close: () => closeSync(fd) };
}

function memorySource(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes: buffer.length, read: (at, count) => buffer.subarray(at, at + Math.max(0, count)), close: () => {} };
}

function readAt(fd: number, at: number, wanted: number): Buffer {
  const buffer = Buffer.allocUnsafe(wanted);
  let done = 0;
  while (done < wanted) {
    const count = readSync(fd, buffer, done, wanted - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}
