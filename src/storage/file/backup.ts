/**
 * A copy of a data directory, taken while servers work in it (`restore.ts` is the way back). Tasks are copied first, then the index
 * (by SQLite's own backup, in one consistent state), then the documents: so whatever a copied task still calls unfinished is done
 * again, and whatever the index does not know yet is put in from the documents' own files when it is restored. A version of a
 * document never changes once published, so each is copied whole or not at all.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { backup as backupDatabase, DatabaseSync } from 'node:sqlite';
import { everyPart } from '../../documents/document-part.ts';
import { digestPlain, isPlainFolder, openPlain, readPlain } from '../../documents/plain-file.ts';
import { hasErrno } from '../../errors.ts';
import { sqliteCodeOf } from '../../trouble.ts';
import { madeParts, parseStagedMeta } from '../../search/index/staging.ts';
import { isTerminal, type Task, type TaskId, isTaskId } from '../../tasks/task.ts';
import {
  isCollectionFile,
  asBackupError,
  backupFormat,
  BackupError,
  type BackupSummary,
  copyPlain,
  indexFile,
  type ListedFile,
  makeFolder,
  type Manifest,
  parseJson,
  syncFolder,
  writeFlushed,
} from './backup-format.ts';
import { orNull } from './disk/disk.ts';
import { CorruptFile } from './disk/durable-json.ts';
import { createLayout, isBucketName, type Layout, recordId } from './disk/layout.ts';
import { parseTask } from './tasks/task-records.ts';

/** What moves while it is looked at is looked at again, so often at most, a little later each time. */
const looksMax = 200;
const lookPauseMsMax = 50;
/** A version that has stayed incomplete for so many looks is damaged, not in motion. */
const damagedAfterLooks = 8;
/** Versions of one document that are opened at once; one or two are usual. */
const versionsMax = 16;
const recordBytesMax = 64 * 1024 * 1024;

export type BackupOptions = {
  readonly dataDir: string;
  /** Must not exist or be empty. */
  readonly target: string;
  /** ISO 8601. */
  readonly now: () => string;
  /** Called between any two steps; what goes on in the data directory meanwhile is copied as it was at some moment. */
  readonly between?: () => Promise<void>;
};

/**
 * Copies a data directory. Every copied file is flushed and listed with its digest. `damaged`: documents and tasks that could not
 * be copied whole, or are not what was written once; all others are there.
 * @throws BackupError
 */
export async function backupDataDir(options: BackupOptions): Promise<BackupSummary & { damaged: readonly string[] }> {
  try {
    return await copyDataDir(options);
  } catch (error) {
    throw asBackupError(error);
  }
}

async function copyDataDir(options: BackupOptions): Promise<BackupSummary & { damaged: readonly string[] }> {
  const { dataDir, target, now, between = () => Promise.resolve() } = options;
  const layout = createLayout(dataDir);
  for (const folder of [layout.tasks, layout.documents])
    if (!(await isPlainFolder(folder))) throw new BackupError(`${dataDir} is not a data directory.`);
  await requireEmpty(target);
  const list = await openList(target);
  await between();
  const damaged: string[] = [];
  const tasks = await copyTasks(layout, { list, between, damaged });
  await between();
  await copyIndex(layout, list);
  // Once more afterwards: a document that was copied is in a collection that is there.
  await copyCollections(layout, list);
  const documents = await copyDocuments(layout, { list, between, damaged });
  await copyCollections(layout, list);
  for (const state of ['waiting', 'ended']) await copyDeliveries(join(dataDir, 'webhooks', state), `webhooks/${state}`, list);
  // Last: greater than every number that was copied.
  for (const name of (await orNull(readdir(layout.order))) ?? []) await list.write(`order/${name}`, '');
  const { files, bytes, sha256: listSha256 } = await list.close();
  const manifest: Manifest = { format: backupFormat, createdAt: now(), tasks, documents, files, bytes, listSha256, damaged };
  await writeFlushed(join(target, 'manifest.json'), JSON.stringify(manifest, null, 2));
  await syncFolder(target);
  return { tasks, documents, files, bytes, damaged };
}

type Between = () => Promise<void>;

type Work = {
  readonly list: FileList;
  readonly between: Between;
  /** Takes the names of what was damaged before. */
  readonly damaged: string[];
};

/** Records, and the files of those that may have to be read again. A task that ends meanwhile is looked at once more. */
async function copyTasks(layout: Layout, work: Work): Promise<number> {
  let count = 0;
  for (const bucket of (await readdir(layout.tasks)).filter(isBucketName).sort()) {
    const names = (await orNull(readdir(join(layout.tasks, bucket)))) ?? [];
    for (const id of names.map(recordId).filter((found) => found !== null)) {
      await work.between();
      if (await copyTask(layout, id, work)) count += 1;
    }
  }
  return count;
}

async function copyTask(layout: Layout, id: TaskId, { list, between, damaged }: Work): Promise<boolean> {
  const record = `tasks/${id.slice(0, 8)}/${id}.json`;
  for (let look = 0; ; look += 1) {
    const text = await orNull(readPlain(layout.record(id), recordBytesMax));
    if (text === null) return false;
    await between();
    const task = readTask(text, id);
    const needsFile = task !== null && task.status !== 'completed';
    const copied = needsFile ? await list.copy(layout.payload(id), record.replace(/json$/, 'bin')) : null;
    const isMissing = needsFile && copied === null && !isTerminal(task.status);
    // It has ended meanwhile, or its file was lost before.
    if (isMissing && look < damagedAfterLooks) {
      await pause(lookPause(look));
      continue;
    }
    await list.write(record, text);
    if (task === null || isMissing || (copied !== null && copied !== task.sha256)) damaged.push(`task ${id}`);
    return true;
  }
}

function readTask(text: string, id: TaskId): Task | null {
  try {
    return parseTask(parseJson(text), id);
  } catch (error) {
    if (error instanceof CorruptFile) return null;
    throw error;
  }
}

/** In one step: begun anew at each write of another process, it might never end. */
async function copyIndex(layout: Layout, list: FileList): Promise<void> {
  const path = join(layout.index, indexFile);
  const handle = await orNull(openPlain(path));
  if (handle === null) return;
  await handle.close();
  const database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 });
  try {
    await list.make(`index/${indexFile}`, (target) => backupDatabase(database, target, { rate: 2 ** 31 - 1 }));
  } catch (error) {
    // It can be made again from the documents; a restore does.
    if (sqliteCodeOf(error) === null || hasErrno(error, 'ENOSPC')) throw error;
    await list.drop(`index/${indexFile}`);
  } finally {
    database.close();
  }
}

async function copyDocuments(layout: Layout, { list, between, damaged }: Work): Promise<number> {
  let documents = 0;
  const names = (await readdir(layout.documents)).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
  for (const name of names) {
    const copied = await copyDocument(join(layout.documents, name), name, list, between);
    if (copied.is !== 'gone') documents += 1;
    if (copied.is === 'damaged') damaged.push(copied.name);
  }
  return documents;
}

type Copied = { readonly is: 'copied' | 'gone' } | { readonly is: 'damaged'; readonly name: string };

/**
 * The current version with its note, and every other one that is there, since the index may have switched to it a moment ago. All
 * files are opened before any is copied: what is open stays readable, so a version that is replaced meanwhile is copied all the same.
 */
async function copyDocument(folder: string, name: string, list: FileList, between: Between): Promise<Copied> {
  for (let look = 0; look < looksMax; look += 1) {
    await between();
    const opened = await openDocument(folder, between);
    if (opened === null) return { is: 'gone' };
    try {
      if (!opened.isWhole && look < damagedAfterLooks) continue;
      const faults = await copyOpened(opened, name, list);
      return opened.isWhole && faults === 0 ? { is: 'copied' } : { is: 'damaged', name: opened.docId ?? name };
    } finally {
      await Promise.all(
        opened.versions.flatMap(({ parts }) => [...parts.values()].map((handle) => handle.close().catch(() => undefined))),
      );
      if (!opened.isWhole) await pause(lookPause(look));
    }
  }
  return { is: 'damaged', name };
}

type OpenedVersion = { readonly version: TaskId; readonly parts: ReadonlyMap<string, FileHandle> };

type OpenedDocument = {
  readonly note: string | null;
  readonly docId: string | null;
  readonly versions: readonly OpenedVersion[];
  /** The note names a version that is there, and every version is complete. */
  readonly isWhole: boolean;
};

async function openDocument(folder: string, between: Between): Promise<OpenedDocument | null> {
  const note = await orNull(readPlain(join(folder, 'current.json'), recordBytesMax));
  await between();
  const names = (await orNull(readdir(folder)))?.filter(isTaskId).sort().slice(-versionsMax) ?? [];
  // Gone, or published for the first time: its task is unfinished in this copy, and is finished after the restore.
  if (names.length === 0 && note === null) return null;
  const current = note === null ? null : currentOf(note);
  const versions: OpenedVersion[] = [];
  for (const version of names) {
    await between();
    versions.push({ version, parts: await openVersion(join(folder, version)) });
  }
  const isComplete = versions.every(({ parts }) =>
    ['meta.json', 'original', 'content.md', 'chunks.ndjson'].every((part) => parts.has(part)),
  );
  const isThere = note === null || names.includes(current?.version as TaskId);
  return { note, docId: current?.docId ?? null, versions, isWhole: isComplete && isThere };
}

async function openVersion(folder: string): Promise<Map<string, FileHandle>> {
  const parts = new Map<string, FileHandle>();
  if (!(await isPlainFolder(folder))) return parts;
  for (const part of everyPart) {
    const handle = await orNull(openPlain(join(folder, part)));
    if (handle !== null) parts.set(part, handle);
  }
  return parts;
}

/** Returns how many parts are not what was written once. */
async function copyOpened({ note, versions }: OpenedDocument, name: string, list: FileList): Promise<number> {
  let faults = 0;
  const current = note === null ? null : currentOf(note)?.version;
  for (const { version, parts } of versions) {
    const path = `documents/${name}/${version}`;
    const digests = new Map<string, string>();
    for (const [part, handle] of parts) digests.set(part, await list.take(handle, `${path}/${part}`));
    if (current === null || version === current) faults += await countFaults(join(list.folder, path), digests);
  }
  if (note !== null) await list.write(`documents/${name}/current.json`, note);
  return faults;
}

/** What was just copied, held against what its `meta.json` says. */
async function countFaults(folder: string, digests: ReadonlyMap<string, string>): Promise<number> {
  try {
    const { document, parts } = parseStagedMeta(await readPlain(join(folder, 'meta.json'), recordBytesMax));
    const made = parts === undefined ? [] : madeParts.filter((part) => parts[part]?.sha256 !== digests.get(part));
    return made.length + (digests.get('original') === document.sha256 ? 0 : 1);
  } catch {
    return 1;
  }
}

async function copyCollections(layout: Layout, list: FileList): Promise<void> {
  for (const name of (await orNull(readdir(layout.collections))) ?? [])
    if (isCollectionFile(name)) await list.copy(join(layout.collections, name), `collections/${name}`);
}

async function copyDeliveries(folder: string, path: string, list: FileList): Promise<void> {
  if (!(await isPlainFolder(folder))) return;
  for (const name of (await readdir(folder)).filter((found) => /^msg_[0-9a-f-]{36}_\d{1,12}\.json$/.test(found)))
    await list.copy(join(folder, name), `${path}/${name}`);
}

interface FileList {
  /** Where the copies are. */
  readonly folder: string;
  /** The digest of what was copied; null when the source is not there (any more). */
  copy(from: string, path: string): Promise<string | null>;
  /** An open file, which is closed by it; returns its digest. One that was copied in an earlier look is replaced. */
  take(from: FileHandle, path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  make(path: string, work: (target: string) => Promise<unknown>): Promise<void>;
  drop(path: string): Promise<void>;
  close(): Promise<{ files: number; bytes: number; sha256: string }>;
}

/** The files of a backup in the making. Memory: one line a file. */
async function openList(target: string): Promise<FileList> {
  const data = join(target, 'data');
  const files = new Map<string, ListedFile>();
  const made = new Set<string>();
  await makeFolder(data, made);

  async function place(path: string): Promise<string> {
    const to = join(data, path);
    await makeFolder(dirname(to), made);
    return to;
  }

  return {
    folder: data,
    async copy(from, path) {
      const copied = await copyPlain(from, await place(path));
      if (copied !== null) files.set(path, { path, ...copied });
      return copied?.sha256 ?? null;
    },
    async take(from, path) {
      const copied = (await copyPlain(from, await place(path)))!;
      files.set(path, { path, ...copied });
      return copied.sha256;
    },
    async write(path, text) {
      await writeFlushed(await place(path), text);
      files.set(path, { path, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') });
    },
    async make(path, work) {
      const to = await place(path);
      await work(to);
      await syncFolder(to);
      files.set(path, { path, ...(await digestPlain(to)) });
    },
    async drop(path) {
      files.delete(path);
      await rm(join(data, path), { force: true });
    },
    async close() {
      const text = [...files.values()].map((file) => `${JSON.stringify(file)}\n`).join('');
      await writeFlushed(join(target, 'files.ndjson'), text);
      for (const folder of made) await orNull(syncFolder(folder));
      await syncFolder(target);
      const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
      return { files: files.size, bytes, sha256: createHash('sha256').update(text).digest('hex') };
    },
  };
}

/** @throws BackupError */
export async function requireEmpty(path: string): Promise<void> {
  const names = (await orNull(readdir(path))) ?? [];
  if (names.some((name) => name !== '.gitkeep')) throw new BackupError(`${path} is not empty. Use a folder that is new or empty.`);
  await mkdir(path, { recursive: true, mode: 0o750 }).catch((error: unknown) => {
    if (hasErrno(error, 'EACCES', 'EROFS', 'EPERM')) throw new BackupError(`${path} cannot be written by this user.`);
    if (hasErrno(error, 'EEXIST', 'ENOTDIR')) throw new BackupError(`${path} is not a folder.`);
    throw error;
  });
}

function currentOf(note: string): { version: TaskId; docId: string | null } | null {
  const { version, docId } = (parseJson(note) ?? {}) as { version?: unknown; docId?: unknown };
  if (typeof version !== 'string' || !isTaskId(version)) return null;
  return { version, docId: typeof docId === 'string' ? docId : null };
}

function lookPause(look: number): number {
  return Math.min(lookPauseMsMax, look);
}
