/** The secret behind login cookies: 32 random bytes in the data directory, the same for every front end on it. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { AppError, hasErrno } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { syncFolder } from './sync-folder.ts';

const secretBytes = 32;
/** A process that died here is not waited for any longer than this. */
const staleMs = 5000;
const patience = { retries: 100, factor: 1, minTimeout: 100 };

/**
 * Reads the secret, or makes it: readable by this user only, on the disk before it is used. One that a crash or a disk left damaged is
 * made anew, once, and the log says so: whoever was logged in has to log in again. Safe when several processes start at once.
 */
export async function loadSessionSecret(dataDir: string, logger: Logger): Promise<Uint8Array> {
  const path = join(dataDir, 'session.secret');
  await mkdir(dataDir, { recursive: true });
  const found = await readSecret(path);
  if (found !== null && isSecret(found)) return found;
  const release = await lock(path, { realpath: false, stale: staleMs, retries: patience });
  try {
    const before = await readSecret(path);
    if (before !== null && isSecret(before)) return before;
    const made = randomBytes(secretBytes);
    await replaceDurably(path, made);
    if (before !== null)
      logger.warn({ bytes: before.length }, 'session.secret was damaged and has been created again; everyone must log in again');
    await syncFolder(dataDir);
    return made;
  } finally {
    await release();
  }
}

/** What a power cut leaves may have the right length and nothing in it. */
function isSecret(bytes: Uint8Array): boolean {
  return bytes.length === secretBytes && bytes.some((byte) => byte !== bytes[0]);
}

async function readSecret(path: string): Promise<Uint8Array | null> {
  return readFile(path).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return null;
    throw new AppError('unavailable', `DATA_DIR: ${path} cannot be read`, { cause: error });
  });
}

async function replaceDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temp = `${path}.new`;
  // Only one process is here at a time; what one before it left is nobody's.
  await unlink(temp).catch(() => {});
  const file = await open(temp, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temp, path);
}
