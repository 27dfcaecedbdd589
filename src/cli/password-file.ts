/** The password of protected files, from a file: what stands in a command or in the environment others can read. */
import { readFile } from 'node:fs/promises';
import { hasErrno } from '../errors.ts';
import { passwordCharactersMax } from '../tasks/given.ts';
import { CliError, exitCodes } from './cli-error.ts';

/** The first line of the file, or null when none was named. @throws CliError */
export async function readPassword(path: string | undefined): Promise<string | null> {
  if (path === undefined || path === '') return null;
  const [line = ''] = (await textOf(path)).replace(/^\ufeff/, '').split(/\r?\n/);
  if (line === '' || line.length > passwordCharactersMax)
    throw new CliError(
      `The first line of ${path} must be a password of 1 to ${passwordCharactersMax} characters.`,
      exitCodes.usage,
    );
  return line;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'EACCES', 'EISDIR')) throw error;
    throw new CliError(`The password file ${path} cannot be read.`, exitCodes.usage);
  }
}
