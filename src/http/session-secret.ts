/** The secret behind login cookies: 32 random bytes in the data directory, the same for every front end on it. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../errors.ts';

const secretBytes = 32;

/** Reads the secret, or makes it (readable by this user only). Safe when several processes start at once. */
export async function loadSessionSecret(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, 'session.secret');
  await mkdir(dataDir, { recursive: true });
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(randomBytes(secretBytes));
    await file.sync();
    await file.close();
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  const secret = await readFile(path);
  // Another process is writing it this very moment, or a crash cut it short: for this run a secret of our own is safe.
  return secret.length === secretBytes ? secret : randomBytes(secretBytes);
}
