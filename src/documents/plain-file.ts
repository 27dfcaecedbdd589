/**
 * Files that somebody else may have put there: never what a symbolic link points at, never a pipe that is waited for, never more than
 * was asked for.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { hasErrno } from '../errors.ts';

/** Read at once of a file that is only looked through. */
const pieceBytes = 1024 * 1024;

/** A link, a folder, a pipe or a device where a file should be; or a file that is far too large for what it should be. */
export class NotPlainFile extends Error {
  override readonly name = 'NotPlainFile';
}

/** Opens a file to be read. @throws NotPlainFile; ENOENT and the like as they come. */
export async function openPlain(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (hasErrno(error, 'ELOOP', 'ENXIO')) throw new NotPlainFile('not a file', { cause: error });
    throw error;
  });
  try {
    if (!(await handle.stat()).isFile()) throw new NotPlainFile('not a file');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** All of a small file. @throws NotPlainFile, also when it has more than `bytesMax`. */
export async function readPlain(path: string, bytesMax: number): Promise<string> {
  const handle = await openPlain(path);
  try {
    if ((await handle.stat()).size > bytesMax) throw new NotPlainFile(`more than ${bytesMax} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Size and digest of a file; memory: one piece, or the file where that is less. @throws NotPlainFile. */
export async function digestPlain(path: string): Promise<{ bytes: number; sha256: string }> {
  const handle = await openPlain(path);
  try {
    const { size } = await handle.stat();
    // One byte more than a small file has, so that its end is seen by the first read.
    const buffer = Buffer.allocUnsafe(Math.min(size + 1, pieceBytes));
    const hash = createHash('sha256');
    let bytes = 0;
    for (let more = true; more;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
      more = bytesRead === buffer.length || (bytesRead > 0 && bytes < size);
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

/** Whether there is a folder of that name itself, and not a link to one. */
export async function isPlainFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
  return found?.isDirectory() ?? false;
}
