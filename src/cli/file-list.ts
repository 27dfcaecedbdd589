/** Which files a command line means, and the doc_id of each: the same files always have the same ones, so that a run can be resumed. */
import { isUtf8 } from 'node:buffer';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { hasErrno } from '../errors.ts';
import { CliError, exitCodes } from './cli-error.ts';

export type ListedFile = {
  readonly path: string;
  readonly docId: string;
  readonly bytes: number;
  /** As it was looked at: `signatureOf`. */
  readonly signature: string;
};

/** What is there and cannot be sent, and why. */
export type UnreadableEntry = { readonly path: string; readonly error: string };

/** A folder of the command line. */
export type ListedFolder = {
  readonly path: string;
  /** What the doc_id of every file in it begins with. */
  readonly docIdPrefix: string;
  /** False when something in it could not be looked at: what is not seen may be there all the same. */
  readonly isWhole: boolean;
};

export type FileList = {
  readonly files: readonly ListedFile[];
  readonly unreadable: readonly UnreadableEntry[];
  readonly folders: readonly ListedFolder[];
  /** What a folder holds that is left out: links, devices, names that begin with a dot. */
  readonly passedOver: readonly string[];
  /** The doc_id of all that was seen, whether it is sent or not. */
  readonly seen: ReadonlySet<string>;
};

/**
 * Files as they are, folders with all that is in them. A file's doc_id is its name, below a folder the path from (and with)
 * that folder, with `/` and in Unicode's composed form, so that it does not depend on the machine. One entry that cannot be
 * read keeps no other from being listed.
 * @throws CliError `usage` when the only path is not there, or two files named one by one would have one doc_id.
 */
export async function listFiles(paths: readonly string[], prefix: string): Promise<FileList> {
  const files: ListedFile[] = [];
  const unreadable: UnreadableEntry[] = [];
  const folders: ListedFolder[] = [];
  const passedOver: string[] = [];
  const seen = new Map<string, string>();
  for (const path of paths) await listPath(path);
  return { files, unreadable, folders, passedOver, seen: new Set(seen.keys()) };

  async function listPath(path: string): Promise<void> {
    try {
      const info = await stat(path, { bigint: true });
      if (info.isDirectory()) await listFolder(path);
      else if (info.isFile()) addNamed(path, info);
      else unreadable.push({ path, error: 'It is not a file but a pipe, a socket or a device.' });
    } catch (error) {
      if (error instanceof CliError) throw error;
      if (paths.length === 1 && hasErrno(error, 'ENOENT', 'ENOTDIR'))
        throw new CliError(`There is no such file or folder: ${path}`, exitCodes.usage);
      unreadable.push({ path, error: reasonOf(error) });
    }
  }

  async function listFolder(path: string): Promise<void> {
    const name = basename(await realpath(path));
    const before = unreadable.length;
    await walk(path, [name]);
    folders.push({ path, docIdPrefix: docIdOf(prefix, [name, '']), isWhole: unreadable.length === before });
  }

  async function walk(folder: string, names: readonly string[]): Promise<void> {
    const entries = await readdir(folder, { encoding: 'buffer' }).catch((error: unknown) => {
      unreadable.push({ path: folder, error: `The folder could not be read: ${reasonOf(error)}` });
      return [];
    });
    for (const entry of entries.toSorted((a, b) => Buffer.compare(a, b))) await visit(folder, entry, names);
  }

  async function visit(folder: string, entry: Buffer, names: readonly string[]): Promise<void> {
    const name = entry.toString('utf8');
    const path = join(folder, name);
    if (!isUtf8(entry)) return void unreadable.push({ path, error: 'Its name is not UTF-8; rename it.' });
    const docId = docIdOf(prefix, [...names, name]);
    try {
      const info = await lstat(path, { bigint: true });
      if (info.isDirectory() && !name.startsWith('.')) return await walk(path, [...names, name]);
      const twin = seen.get(docId);
      if (twin !== undefined) unreadable.push({ path, error: `It would have the doc_id ${docId}, as ${twin} has.` });
      else if (name.startsWith('.') || !info.isFile()) passedOver.push(relative('.', path));
      else files.push(listed(path, docId, info));
      seen.set(docId, twin ?? path);
    } catch (error) {
      unreadable.push({ path, error: reasonOf(error) });
    }
  }

  function addNamed(path: string, info: BigIntStats): void {
    const docId = docIdOf(prefix, [basename(path)]);
    const twin = seen.get(docId);
    if (twin !== undefined)
      throw new CliError(
        `${twin} and ${path} would both have the doc_id ${docId}; ingest them separately, with --prefix.`,
        exitCodes.usage,
      );
    seen.set(docId, path);
    files.push(listed(path, docId, info));
  }
}

function listed(path: string, docId: string, info: BigIntStats): ListedFile {
  return { path, docId, bytes: Number(info.size), signature: signatureOf(info) };
}

/**
 * What changes when a file is written, or another takes its name: as far as the file system's clock tells two writings apart, two
 * equal signatures mean the same content.
 */
export function signatureOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

function docIdOf(prefix: string, names: readonly string[]): string {
  return `${prefix}${names.flatMap((name) => name.split(sep)).join('/')}`.normalize('NFC');
}

/** What the system said, in words where there are any. */
function reasonOf(error: unknown): string {
  if (hasErrno(error, 'ENOENT')) return 'It no longer exists.';
  if (hasErrno(error, 'EACCES', 'EPERM')) return 'This user has no permission to read it.';
  if (hasErrno(error, 'ELOOP')) return 'It is a link that leads back to itself.';
  return error instanceof Error ? error.message : String(error);
}
