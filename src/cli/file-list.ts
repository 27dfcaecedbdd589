/** Which files a command line means, and the doc_id of each: the same files always have the same ones, so that a run can be resumed. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { hasErrno } from '../errors.ts';
import { CliError, exitCodes } from './cli-error.ts';

export type ListedFile = { readonly path: string; readonly docId: string; readonly bytes: number };

export type FileList = {
  readonly files: readonly ListedFile[];
  /** What a folder holds that is left out: links, devices, names that begin with a dot. */
  readonly passedOver: readonly string[];
};

/**
 * Files as they are, folders with all that is in them. A file's doc_id is its name, below a folder the path from (and with)
 * that folder, with `/` and in Unicode's composed form, so that it does not depend on the machine.
 * @throws CliError `usage` when a path is not there, or two files would have one doc_id.
 */
export async function listFiles(paths: readonly string[], prefix: string): Promise<FileList> {
  const files: ListedFile[] = [];
  const passedOver: string[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw new CliError(`There is no such file or folder: ${path}`, exitCodes.usage);
      throw error;
    });
    if (!info.isDirectory()) files.push({ path, docId: docIdOf(prefix, [basename(path)]), bytes: info.size });
    else await walk(path, [basename(await realpath(path))]);
  }
  refuseTwins(files);
  return { files, passedOver };

  async function walk(folder: string, names: readonly string[]): Promise<void> {
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      const info = await lstat(path);
      if (name.startsWith('.') || (!info.isFile() && !info.isDirectory())) passedOver.push(relative('.', path));
      else if (info.isDirectory()) await walk(path, [...names, name]);
      else files.push({ path, docId: docIdOf(prefix, [...names, name]), bytes: info.size });
    }
  }
}

function docIdOf(prefix: string, names: readonly string[]): string {
  return `${prefix}${names.flatMap((name) => name.split(sep)).join('/')}`.normalize('NFC');
}

function refuseTwins(files: readonly ListedFile[]): void {
  const seen = new Map<string, string>();
  for (const { path, docId } of files) {
    const other = seen.get(docId);
    if (other !== undefined)
      throw new CliError(
        `${other} and ${path} would both be the document ${docId}; ingest them apart, with --prefix.`,
        exitCodes.usage,
      );
    seen.set(docId, path);
  }
}
