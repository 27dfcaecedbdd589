/**
 * The file of API keys (API_KEYS_FILE): a key added to it, taken out of it, and what is in it. Servers follow it without a restart.
 * Each change is whole or not at all, is on the disk when it returns, and waits for those of other processes.
 */
import { chmod, chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { lock } from 'proper-lockfile';
import { hasErrno } from '../../errors.ts';
import { parseApiKeys, type ApiKey } from './api-keys.ts';

/** Why a key file was not changed or read, as a sentence that says what to do. */
export class KeyFileError extends Error {
  /** `taken`: there is a key of this name. `unusable`: the file itself, or its folder. */
  readonly code: 'taken' | 'unusable';

  constructor(code: KeyFileError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KeyFileError';
    this.code = code;
  }
}

/** Longer than any change takes; a process that died with the lock holds up the next one for so long. */
const staleMs = 5000;
const tries = { retries: 30, minTimeout: 20, maxTimeout: 500, randomize: true };

/** Adds a line of `writeApiKey`; the file is made when there is none. @throws KeyFileError */
export function addKey(path: string, name: string, line: string): Promise<void> {
  return alone(path, async () => {
    const before = await textOf(path);
    if (keysIn(path, before).some((key) => key.name === name))
      throw new KeyFileError('taken', `${path} has a key named ${name}: take another name, or revoke that one first`);
    await replace(path, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${line}\n`);
  });
}

/** False when there is no such key. @throws KeyFileError `unusable`. */
export function removeKey(path: string, name: string): Promise<boolean> {
  return alone(path, async () => {
    const text = await textOf(path);
    if (!keysIn(path, text).some((key) => key.name === name)) return false;
    const kept = text.split('\n').flatMap((line) => withoutKey(line, name));
    await replace(path, kept.join('\n'));
    return true;
  });
}

/** None when there is no file. @throws KeyFileError `unusable`. */
export async function keysOf(path: string): Promise<readonly ApiKey[]> {
  return keysIn(path, await textOf(path));
}

async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const release = await lock(path, { realpath: false, stale: staleMs, retries: tries }).catch((error: unknown) => {
    throw unusable(path, 'cannot be written', error);
  });
  try {
    return await work();
  } finally {
    await release().catch(() => undefined);
  }
}

/** A line may hold several keys between commas. */
function withoutKey(line: string, name: string): string[] {
  if (line.trim().startsWith('#')) return [line];
  const entries = line.split(',');
  const kept = entries.filter((entry) => !isNamed(entry, name));
  if (kept.length === entries.length) return [line];
  return kept.length === 0 ? [] : [kept.join(',')];
}

function isNamed(entry: string, name: string): boolean {
  return parseApiKeys(entry).some((key) => key.name === name);
}

function keysIn(path: string, text: string): readonly ApiKey[] {
  try {
    return parseApiKeys(text);
  } catch (error) {
    throw new KeyFileError('unusable', `${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return '';
    throw unusable(path, 'cannot be read', error);
  });
}

/** As readable as it was, by its owner alone when it is new: who changes it as root must not take it from the server. */
async function replace(path: string, text: string): Promise<void> {
  const temp = `${path}.new`;
  try {
    const before = await stat(path).catch(() => null);
    await rm(temp, { force: true });
    const file = await open(temp, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (before !== null) await chmod(temp, before.mode & 0o777);
    if (before !== null && process.getuid?.() === 0) await chown(temp, before.uid, before.gid);
    await rename(temp, path);
  } catch (error) {
    throw unusable(path, 'cannot be written', error);
  }
}

function unusable(path: string, what: string, error: unknown): KeyFileError {
  return new KeyFileError('unusable', `${path} ${what}: ${(error as Error).message}`, { cause: error });
}
