/** The commands about the file of API keys, in words for a terminal. */
import { keysOf, KeyFileError, removeKey } from '../http/access/key-file.ts';
import { CliError, exitCodes } from './cli-error.ts';
import type { Said } from './queries.ts';
import { table } from './terminal-text.ts';

/** Where the keys of this command are. @throws CliError when nobody has said so. */
export function requireKeyFile(given: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  throw new CliError('Name the key file: --file FILE, or set API_KEYS_FILE as on the server.', exitCodes.usage);
}

export async function listKeys(path: string): Promise<Said> {
  const keys = (await inWords(keysOf(path))).map(({ name, scope, collections }) => ({ name, scope, collections }));
  const rows = keys.map(({ name, scope, collections }) => [name, scope, collections?.join(', ') ?? 'all']);
  return { json: { keys }, text: keys.length === 0 ? `${path} has no keys.` : table(['NAME', 'SCOPE', 'COLLECTIONS'], rows) };
}

/** @throws CliError when there is no such key. */
export async function revokeKey(path: string, name: string): Promise<Said> {
  if ((await inWords(removeKey(path, name))) !== 'removed') throw new CliError(`${path} has no key named ${name}.`);
  return {
    json: { revoked: name },
    text: `Revoked: ${name}. Running servers that read this file refuse it within about a second.`,
  };
}

/** What a key file refuses, as an error of the command. @throws CliError */
export async function inWords<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof KeyFileError ? new CliError(`${error.message}.`) : error;
  });
}
