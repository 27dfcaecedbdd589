/**
 * The file of API keys (API_KEYS_FILE): a key added to it, taken out of it, and what is in it. Servers follow it without a restart.
 * Each change is whole or not at all, is on the disk when it returns, and waits for those of other processes.
 */
import { access, chmod, chown, constants, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lock } from 'proper-lockfile';
import { hasErrno } from '../../errors.ts';
import { entriesOf, parseApiKeys, type ApiKey } from './api-keys.ts';

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

/**
 * Adds a line of `writeApiKey`. `makes`: the file is made when there is none; a running server must not: one that is being exchanged would
 * lose all other keys. @throws KeyFileError
 */
export function addKey(given: string, name: string, line: string, { makes = true } = {}): Promise<void> {
  return alone(given, async (path, replace) => {
    const before = await textOf(path);
    if (before === null && !makes) throw new KeyFileError('unusable', `${path} does not exist`);
    const text = before ?? '';
    if (keysIn(path, text).some((key) => key.name === name))
      throw new KeyFileError('taken', `${path} has a key named ${name}: choose another name, or revoke that key first`);
    await replace(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
  });
}

/** `mayLeave` is asked, while nobody else changes the file, about the keys that would be left in it. @throws KeyFileError `unusable`. */
export function removeKey(
  given: string,
  name: string,
  mayLeave: (left: readonly ApiKey[]) => boolean = () => true,
): Promise<'removed' | 'absent' | 'needed'> {
  return alone(given, async (path, replace) => {
    const text = (await textOf(path)) ?? '';
    const keys = keysIn(path, text);
    const left = keys.filter((key) => key.name !== name);
    if (left.length === keys.length) return 'absent';
    if (!mayLeave(left)) return 'needed';
    const kept = text.split('\n').flatMap((line) => withoutKey(line, name));
    await replace(kept.join('\n'));
    return 'removed';
  });
}

/** None when there is no file. @throws KeyFileError `unusable`. */
export async function keysOf(path: string): Promise<readonly ApiKey[]> {
  return keysIn(path, (await textOf(path)) ?? '');
}

type Work<T> = (path: string, replace: (text: string) => Promise<void>) => Promise<T>;

/** Of a file behind a link it is the file that is changed: others read it by its own name. */
async function alone<T>(given: string, work: Work<T>): Promise<T> {
  const path = await realpath(given).catch(() => given);
  // What no waiting helps against is not taken for a lock that somebody holds.
  await access(dirname(path), constants.W_OK).catch((error: unknown) => {
    throw unusable(path, 'cannot be written', error);
  });
  let isLost = false;
  // A process that was stopped for longer than the lock is good for must not write over what another has written since.
  const onCompromised = (): void => void (isLost = true);
  const release = await lock(path, { realpath: false, stale: staleMs, retries: tries, onCompromised }).catch((error: unknown) => {
    throw unusable(path, 'cannot be written', error);
  });
  try {
    return await work(path, (text) => replaceText(path, text, () => isLost));
  } finally {
    await release().catch(() => undefined);
  }
}

/** A line may hold several keys between commas, and a comment after them. */
function withoutKey(line: string, name: string): string[] {
  const keys = entriesOf(line).length;
  const kept = line.split(',').filter((entry, at) => at >= keys || !isNamed(entry, name));
  if (kept.length === line.split(',').length) return [line];
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

/** Null when there is no file. */
async function textOf(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return null;
    throw unusable(path, 'cannot be read', error);
  });
}

/** As readable as it was, by its owner alone when it is new: who changes it as root must not take it from the server. */
async function replaceText(path: string, text: string, isLost: () => boolean): Promise<void> {
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
    if (isLost()) throw new Error('another process has taken the lock over');
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true }).catch(() => undefined);
    throw unusable(path, 'cannot be written', error);
  }
}

function unusable(path: string, what: string, error: unknown): KeyFileError {
  return new KeyFileError('unusable', `${path} ${what}: ${(error as Error).message}`, { cause: error });
}
