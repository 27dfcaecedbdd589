/** The file of API keys (API_KEYS_FILE): a key added to it, taken out of it, and what is in it. Servers follow it without a restart. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { parseApiKeys } from '../http/access/api-keys.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Said } from './queries.ts';
import { table } from './terminal-text.ts';

/** Where the keys of this command are. @throws CliError when nobody has said so. */
export function requireKeyFile(given: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  throw new CliError('Say which file: --file FILE, or set API_KEYS_FILE as the server has it.', exitCodes.usage);
}

/** Adds a line; the file is made when there is none. @throws CliError when there is a key of this name. */
export async function addKey(path: string, name: string, line: string): Promise<void> {
  const before = await textOf(path);
  if (keysIn(path, before).some((key) => key.name === name))
    throw new CliError(`${path} has a key named ${name}: take another name, or revoke that one first.`);
  await replace(path, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${line}\n`);
}

export async function listKeys(path: string): Promise<Said> {
  const keys = keysIn(path, await textOf(path)).map(({ name, scope, collections }) => ({ name, scope, collections }));
  const rows = keys.map(({ name, scope, collections }) => [name, scope, collections?.join(', ') ?? 'all']);
  return { json: { keys }, text: keys.length === 0 ? `${path} has no keys.` : table(['NAME', 'SCOPE', 'COLLECTIONS'], rows) };
}

/** @throws CliError when there is no such key. */
export async function revokeKey(path: string, name: string): Promise<Said> {
  const text = await textOf(path);
  const lines = text.split('\n');
  const kept = lines.flatMap((line) => withoutKey(line, name));
  if (kept.join('\n') === text) throw new CliError(`${path} has no key named ${name}.`);
  await replace(path, kept.join('\n'));
  return {
    json: { revoked: name },
    text: `Revoked: ${name}. A running server that reads this file refuses it within about a second.`,
  };
}

/** A line may hold several keys between commas. */
function withoutKey(line: string, name: string): string[] {
  if (line.trim().startsWith('#')) return [line];
  const entries = line.split(',');
  const kept = entries.filter((entry) => entry.trim().split(':')[0] !== name);
  if (kept.length === entries.length) return [line];
  return kept.length === 0 ? [] : [kept.join(',')];
}

function keysIn(path: string, text: string): ReturnType<typeof parseApiKeys> {
  try {
    return parseApiKeys(text);
  } catch (error) {
    throw new CliError(`${path}: ${(error as Error).message}.`);
  }
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new CliError(`${path} cannot be read: ${error.message}`);
  });
}

/** Whole or not at all, readable by its owner alone. */
async function replace(path: string, text: string): Promise<void> {
  const temp = `${path}.new`;
  try {
    await rm(temp, { force: true });
    const file = await open(temp, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await file.close();
    await rename(temp, path);
  } catch (error) {
    throw new CliError(`${path} cannot be written: ${(error as Error).message}`);
  }
}
