/**
 * Files that somebody else may have put there: never what a symbolic link points at, never a pipe that is waited for, never more than
 * was asked for.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { hasErrno } from '../errors.ts';

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

/** Size and digest of a file; memory: one piece. @throws NotPlainFile. */
export async function digestPlain(path: string): Promise<{ bytes: number; sha256: string }> {
  const handle = await openPlain(path);
  const hash = createHash('sha256');
  let bytes = 0;
  // The stream closes the handle.
  for await (const piece of handle.createReadStream({ highWaterMark: 1024 * 1024 })) {
    hash.update(piece as Buffer);
    bytes += (piece as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Whether there is a folder of that name itself, and not a link to one. */
export async function isPlainFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
  return found?.isDirectory() ?? false;
}
