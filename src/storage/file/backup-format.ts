/**
 * What a backup consists of: `data/` with the copied files, `files.ndjson` with the size and SHA-256 of each, and `manifest.json`,
 * written last. What is read back is believed in nothing: it may have been cut, changed, or made by somebody else.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isCollectionName } from '../../documents/document-name.ts';
import { type DocumentPart, everyPart } from '../../documents/document-part.ts';
import { digestPlain, isPlainFolder, NotPlainFile, openPlain, readPlain } from '../../documents/plain-file.ts';
import { hasErrno } from '../../errors.ts';
import { isTaskId } from '../../tasks/task.ts';
import { isDeliveryId } from '../delivery.ts';
import { orNull } from './disk/disk.ts';
import { bucketName } from './disk/layout.ts';

export type BackupSummary = { readonly tasks: number; readonly documents: number; readonly files: number; readonly bytes: number };

export type Manifest = BackupSummary & {
  readonly format: number;
  readonly createdAt: string;
  readonly listSha256: string;
  /** What was damaged before it was copied: documents by doc_id or the name of their folder, tasks as `task ID`. Absent: nothing. */
  readonly damaged?: readonly string[];
};

export type ListedFile = { readonly path: string; readonly bytes: number; readonly sha256: string };

export const backupFormat = 1;
export const indexFile = 'index.sqlite';

/** What stands in the way of a backup or a restore, in a sentence for whoever runs it. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

const manifestBytesMax = 16 * 1024 * 1024;
const listLineBytesMax = 1024;

/** @throws BackupError */
export async function readManifest(source: string): Promise<Manifest> {
  const path = join(source, 'manifest.json');
  const text = await orNull(readPlain(path, manifestBytesMax));
  if (text === null) throw new BackupError(`${source} has no finished backup (there is no manifest.json).`);
  const manifest = asRecord(parseJson(text));
  if (manifest === null) throw new BackupError(`The manifest.json in ${source} is damaged.`);
  if (Number.isInteger(manifest['format']) && manifest['format'] !== backupFormat)
    throw new BackupError(`This backup has format ${String(manifest['format'])}; this version reads ${backupFormat}.`);
  if (!isManifest(manifest)) throw new BackupError(`The manifest.json in ${source} is damaged.`);
  return manifest;
}

function isManifest(record: Record<string, unknown>): record is Record<string, unknown> & Manifest {
  const { format, createdAt, listSha256, damaged } = record;
  return (
    format === backupFormat &&
    typeof createdAt === 'string' &&
    isSha256(listSha256) &&
    ['tasks', 'documents', 'files', 'bytes'].every((field) => isCount(record[field])) &&
    (damaged === undefined || (Array.isArray(damaged) && damaged.every((name) => typeof name === 'string')))
  );
}

/** Every listed file, each with a path that a backup can have, none twice. @throws BackupError */
export async function readList(source: string, manifest: Manifest): Promise<ListedFile[]> {
  const path = join(source, 'files.ndjson');
  const handle = await orNull(openPlain(path));
  if (handle === null) throw new BackupError('The list of files of this backup is missing.');
  const { size } = await handle.stat();
  await handle.close();
  const found = size <= manifest.files * listLineBytesMax ? await digestPlain(path) : null;
  if (found?.sha256 !== manifest.listSha256) throw new BackupError('The list of files of this backup was changed or is damaged.');
  const lines = (await readPlain(path, size)).split('\n').filter((line) => line !== '');
  const files = lines.map((line) => asRecord(parseJson(line))).filter((record) => record !== null && isListedFile(record));
  const paths = new Set(files.map((file) => (file as ListedFile).path));
  if (files.length !== lines.length || paths.size !== lines.length || lines.length !== manifest.files)
    throw new BackupError('The list of files of this backup is damaged.');
  return files as ListedFile[];
}

function isListedFile(record: Record<string, unknown>): record is ListedFile {
  const { path, bytes, sha256 } = record;
  return typeof path === 'string' && isBackupPath(path) && isCount(bytes) && isSha256(sha256);
}

/** What is said of a collection, or that it is being removed. */
export function isCollectionFile(name: string): boolean {
  const [collection = '', ending = '', ...rest] = name.split('.');
  return isCollectionName(collection) && (ending === 'json' || ending === 'removing') && rest.length === 0;
}

/** Whether a backup of this program can hold a file of this name. */
function isBackupPath(path: string): boolean {
  const [top, folder = '', name = '', part = '', ...more] = path.split('/');
  if (more.length > 0) return false;
  if (top === 'documents' && /^[0-9a-f]{64}$/.test(folder))
    return part === '' ? path === `documents/${folder}/current.json` : isTaskId(name) && everyPart.includes(part as DocumentPart);
  if (part !== '') return false;
  if (top === 'order') return name === '' && /^\d{1,15}(\.kept)?$/.test(folder);
  if (top === 'collections') return name === '' && isCollectionFile(folder);
  if (top === 'index') return path === `index/${indexFile}`;
  const [id = '', ending = '', ...rest] = name.split('.');
  if (rest.length > 0) return false;
  if (top === 'tasks') return isTaskId(id) && folder === bucketName(id) && (ending === 'json' || ending === 'bin');
  return top === 'webhooks' && (folder === 'waiting' || folder === 'ended') && isDeliveryId(id) && ending === 'json';
}

/**
 * Copies and digests in one pass; null when there is nothing to copy, or no file of its own. Flushed when it returns. Stops after
 * `bytesMax`, so that what grew since it was listed fills no disk.
 */
export async function copyPlain(
  from: string | FileHandle,
  to: string,
  bytesMax = Infinity,
): Promise<{ bytes: number; sha256: string } | null> {
  const source = typeof from === 'string' ? await orNull(openPlain(from)) : from;
  if (source === null) return null;
  const hash = createHash('sha256');
  let bytes = 0;
  const target = await open(to, 'w', 0o640);
  try {
    for await (const piece of source.createReadStream({ highWaterMark: 1024 * 1024 })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes > bytesMax) break;
      await target.writeFile(piece as Buffer);
    }
    await target.datasync();
  } finally {
    await target.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

export async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

export async function makeFolder(path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return;
  await mkdir(path, { recursive: true, mode: 0o750 });
  made.add(path);
}

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Says of what the disk answers what it means to whoever runs this. */
export function asBackupError(error: unknown): unknown {
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) return new BackupError('There is no space left on the disk. Nothing was finished.');
  if (hasErrno(error, 'EACCES', 'EROFS', 'EPERM')) return new BackupError(`A file cannot be read or written: ${messageOf(error)}.`);
  if (hasErrno(error, 'EIO')) return new BackupError(`The disk failed: ${messageOf(error)}.`);
  if (error instanceof NotPlainFile) return new BackupError('There is something other than a file where a file should be.');
  return error;
}

/** Whether all folders on the way from `root` down to a file are folders of their own. `known`: those that were looked at. */
export async function isReachedPlainly(root: string, path: string, known: Map<string, boolean>): Promise<boolean> {
  let folder = root;
  for (const part of path.split('/').slice(0, -1)) {
    folder = join(folder, part);
    let isPlain = known.get(folder);
    if (isPlain === undefined) known.set(folder, (isPlain = await isPlainFolder(folder)));
    if (!isPlain) return false;
  }
  return true;
}

function messageOf(error: unknown): string {
  return (error as Error).message;
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSha256(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
