/**
 * A copy of a data directory, taken while servers work in it, and the way back. Tasks are copied first, then the index (by
 * SQLite's own backup, in one consistent state), then the documents: so whatever a copied task still calls unfinished is done
 * again, and whatever the index does not know yet is put in from the documents' own files when it is restored. A version of a
 * document never changes once published, so each is copied whole or not at all.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { backup as backupDatabase, DatabaseSync } from 'node:sqlite';
import { hasErrno } from '../../errors.ts';
import { documentFolder } from '../../documents/file-store.ts';
import { readRecords } from '../../records.ts';
import type { DocumentIndex, IndexedDocument } from '../../search/document-index.ts';
import { isTerminal, type Task, type TaskId, isTaskId } from '../../tasks/task.ts';
import { orNull } from './disk.ts';
import { createLayout, isBucketName, type Layout, recordId } from './layout.ts';

export type BackupSummary = { readonly tasks: number; readonly documents: number; readonly files: number; readonly bytes: number };

/** `manifest.json`, written last: a backup without it was not finished. */
type Manifest = BackupSummary & { readonly format: number; readonly createdAt: string; readonly listSha256: string };

type ListedFile = { readonly path: string; readonly bytes: number; readonly sha256: string };

const format = 1;
const indexFile = 'index.sqlite';
const looksMax = 5;

/** What stands in the way of a backup or a restore, in a sentence for whoever runs it. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/**
 * Copies `dataDir` into `target`, which must not exist or be empty. Every copied file is flushed and listed with its digest.
 * @throws BackupError
 */
export async function backupDataDir({
  dataDir,
  target,
  now,
}: {
  dataDir: string;
  target: string;
  now: () => string;
}): Promise<BackupSummary> {
  const layout = createLayout(dataDir);
  if ((await orNull(readdir(layout.tasks))) === null) throw new BackupError(`${dataDir} is not a data directory.`);
  await requireEmpty(target);
  const list = await openList(target);
  const tasks = await copyTasks(layout, list);
  await copyIndex(layout, list);
  const documents = await copyDocuments(layout, list);
  for (const folder of ['waiting', 'ended']) await copyFolder(join(dataDir, 'webhooks', folder), `webhooks/${folder}`, list);
  const { files, bytes, sha256: listSha256 } = await list.close();
  const manifest: Manifest = { format, createdAt: now(), tasks, documents, files, bytes, listSha256 };
  await writeFlushed(join(target, 'manifest.json'), JSON.stringify(manifest, null, 2));
  return { tasks, documents, files, bytes };
}

export type RestoreOptions = {
  readonly source: string;
  /** Must not exist or be empty. */
  readonly dataDir: string;
  readonly openIndex: (indexDir: string) => Promise<DocumentIndex>;
  /** The id of a task that would be created now: a fence. */
  readonly newId: () => TaskId;
};

/**
 * Brings a backup back, checking every file against its digest, and the index against the documents. Until all of it is
 * checked, nothing of it is where a server would find it. @throws BackupError
 */
export async function restoreDataDir({
  source,
  dataDir,
  openIndex,
  newId,
}: RestoreOptions): Promise<BackupSummary & { repaired: number }> {
  const manifest = await readManifest(source);
  const staging = join(dataDir, '.restoring');
  await rm(staging, { recursive: true, force: true });
  await requireEmpty(dataDir);
  await copyBack(source, staging, manifest);
  const layout = createLayout(staging);
  const index = await openIndex(layout.index);
  let repaired: number;
  try {
    repaired = await reconcile(layout, index, newId);
  } finally {
    await index.close();
  }
  for (const name of await readdir(staging)) await rename(join(staging, name), join(dataDir, name));
  await rmdir(staging);
  await syncFolder(dataDir);
  const { tasks, documents, files, bytes } = manifest;
  return { tasks, documents, files, bytes, repaired };
}

/** Records, and the files of those that may have to be read again. A task that ends meanwhile is looked at once more. */
async function copyTasks(layout: Layout, list: FileList): Promise<number> {
  let count = 0;
  for (const bucket of (await readdir(layout.tasks)).filter(isBucketName).sort()) {
    const names = (await orNull(readdir(join(layout.tasks, bucket)))) ?? [];
    for (const id of names.map(recordId).filter((found) => found !== null)) {
      if (await copyTask(layout, id, list)) count += 1;
    }
  }
  return count;
}

async function copyTask(layout: Layout, id: TaskId, list: FileList): Promise<boolean> {
  const record = `tasks/${id.slice(0, 8)}/${id}.json`;
  for (let look = 0; look < looksMax; look += 1) {
    const text = await orNull(readFile(layout.record(id), 'utf8'));
    if (text === null) return false;
    const task = readTask(text);
    const needsFile = task !== null && task.status !== 'completed';
    const copied = needsFile && (await list.copy(layout.payload(id), record.replace(/json$/, 'bin')));
    if (needsFile && !copied && !isTerminal(task.status)) continue;
    await list.write(record, text);
    return true;
  }
  return false;
}

async function copyIndex(layout: Layout, list: FileList): Promise<void> {
  const path = join(layout.index, indexFile);
  if ((await orNull(readdir(layout.index)))?.includes(indexFile) !== true) return;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 });
  try {
    await list.make('index/index.sqlite', (target) => backupDatabase(database, target, { rate: 1000 }));
  } finally {
    database.close();
  }
}

async function copyDocuments(layout: Layout, list: FileList): Promise<number> {
  let count = 0;
  for (const name of (await readdir(layout.documents)).sort()) if (await copyDocument(layout, name, list)) count += 1;
  return count;
}

/** The current version and its note; a version that is replaced while it is copied is left, and the newer one taken. */
async function copyDocument(layout: Layout, name: string, list: FileList): Promise<boolean> {
  const folder = join(layout.documents, name);
  for (let look = 0; look < looksMax; look += 1) {
    const note = await orNull(readFile(join(folder, 'current.json'), 'utf8'));
    const versions = ((await orNull(readdir(folder))) ?? []).filter(isTaskId);
    for (const version of versions) await copyVersion(folder, name, version, list);
    // A version without its note: its task is unfinished in this copy, and is finished after the restore.
    if (note === null) return false;
    const version = currentVersion(note);
    if (version === null || !versions.includes(version) || !list.has(`documents/${name}/${version}/meta.json`)) continue;
    await list.write(`documents/${name}/current.json`, note);
    return true;
  }
  return false;
}

async function copyVersion(folder: string, name: string, version: string, list: FileList): Promise<void> {
  if (list.has(`documents/${name}/${version}/meta.json`)) return;
  const copied = await copyFolder(join(folder, version), `documents/${name}/${version}`, list);
  // `meta.json` names what belongs together; without it the rest is of no use.
  if (!copied.includes('meta.json') || (await orNull(readdir(join(folder, version)))) === null)
    await list.drop(`documents/${name}/${version}/`);
}

async function copyFolder(folder: string, path: string, list: FileList): Promise<string[]> {
  const copied: string[] = [];
  for (const name of (await orNull(readdir(folder))) ?? [])
    if (await list.copy(join(folder, name), `${path}/${name}`)) copied.push(name);
  return copied;
}

/** Puts into the index what only the documents have, and takes out what only the index has. Returns how many. */
async function reconcile(layout: Layout, index: DocumentIndex, newId: () => TaskId): Promise<number> {
  let repaired = 0;
  const present = new Set<string>();
  for (const name of (await orNull(readdir(layout.documents))) ?? []) {
    const folder = join(layout.documents, name);
    const note = await orNull(readFile(join(folder, 'current.json'), 'utf8'));
    const version = note === null ? null : currentVersion(note);
    if (version === null) continue;
    const { document } = JSON.parse(await readFile(join(folder, version, 'meta.json'), 'utf8')) as { document: IndexedDocument };
    present.add(name);
    const known = await index.info(document.docId);
    if (known?.sha256 === document.sha256) continue;
    await index.replace(document, join(folder, version));
    repaired += 1;
  }
  return repaired + (await removeStrays(index, present, newId));
}

async function removeStrays(index: DocumentIndex, present: ReadonlySet<string>, newId: () => TaskId): Promise<number> {
  const strays: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Awaited<ReturnType<DocumentIndex['list']>> = await index.list({
      limit: 1000,
      ...(cursor === '' ? {} : { cursor }),
    });
    strays.push(...page.documents.map(({ docId }) => docId).filter((docId) => !present.has(documentFolder(docId))));
    cursor = page.nextCursor;
  }
  for (const docId of strays) await index.remove(docId, newId());
  return strays.length;
}

async function readManifest(source: string): Promise<Manifest> {
  const text = await orNull(readFile(join(source, 'manifest.json'), 'utf8'));
  if (text === null) throw new BackupError(`${source} holds no finished backup (there is no manifest.json).`);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== format) throw new BackupError(`This backup has format ${manifest.format}; this version reads ${format}.`);
  return manifest;
}

async function copyBack(source: string, target: string, manifest: Manifest): Promise<void> {
  const listPath = join(source, 'files.ndjson');
  if ((await digest(listPath)) !== manifest.listSha256)
    throw new BackupError('The list of files of this backup was changed or is damaged.');
  const made = new Set<string>();
  for await (const record of readRecords(createReadStream(listPath))) {
    const { path, sha256 } = JSON.parse(record) as ListedFile;
    if (path.split('/').some((part) => part === '..' || part === ''))
      throw new BackupError('The list of files of this backup is damaged.');
    const to = join(target, path);
    await makeFolder(dirname(to), made);
    const copied = await copyFile(join(source, 'data', path), to);
    if (copied?.sha256 !== sha256)
      throw new BackupError(`${path} is ${copied === null ? 'missing from' : 'damaged in'} this backup. Nothing was restored.`);
  }
}

interface FileList {
  has(path: string): boolean;
  /** False when the source is not there (any more). */
  copy(from: string, path: string): Promise<boolean>;
  write(path: string, text: string): Promise<void>;
  make(path: string, work: (target: string) => Promise<unknown>): Promise<void>;
  drop(prefix: string): Promise<void>;
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
    has: (path) => files.has(path),
    async copy(from, path) {
      const copied = await copyFile(from, await place(path));
      if (copied !== null) files.set(path, { path, ...copied });
      return copied !== null;
    },
    async write(path, text) {
      await writeFlushed(await place(path), text);
      files.set(path, { path, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') });
    },
    async make(path, work) {
      const to = await place(path);
      await work(to);
      const handle = await open(to, 'r+');
      await handle.datasync();
      const { size: bytes } = await handle.stat();
      await handle.close();
      files.set(path, { path, bytes, sha256: await digest(to) });
    },
    async drop(prefix) {
      for (const path of files.keys()) if (path.startsWith(prefix)) files.delete(path);
      await rm(join(data, prefix), { recursive: true, force: true });
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

/** Copies and digests in one pass; null when there is nothing to copy. Flushed when it returns. */
async function copyFile(from: string, to: string): Promise<{ bytes: number; sha256: string } | null> {
  const source = await orNull(open(from, 'r'));
  if (source === null) return null;
  const hash = createHash('sha256');
  let bytes = 0;
  const target = await open(to, 'w', 0o640);
  try {
    for await (const piece of source.createReadStream({ highWaterMark: 1024 * 1024 })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
      await target.writeFile(piece as Buffer);
    }
    await target.datasync();
  } finally {
    await target.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function writeFlushed(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o640);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function makeFolder(path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return;
  await mkdir(path, { recursive: true, mode: 0o750 });
  made.add(path);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function requireEmpty(path: string): Promise<void> {
  const names = (await orNull(readdir(path))) ?? [];
  if (names.some((name) => name !== '.gitkeep')) throw new BackupError(`${path} is not empty. Give a folder that is new or empty.`);
  await mkdir(path, { recursive: true, mode: 0o750 }).catch((error: unknown) => {
    if (hasErrno(error, 'EACCES', 'EROFS', 'EPERM')) throw new BackupError(`${path} cannot be written by this user.`);
    throw error;
  });
}

function readTask(text: string): Task | null {
  try {
    return JSON.parse(text) as Task;
  } catch {
    return null;
  }
}

function currentVersion(note: string): TaskId | null {
  try {
    const { version } = JSON.parse(note) as { version: string };
    return isTaskId(version) ? version : null;
  } catch {
    return null;
  }
}
