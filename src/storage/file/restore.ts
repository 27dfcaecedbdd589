/**
 * A backup brought back. Nothing in it is taken on trust: names, sizes and digests are checked while it is copied; then what each
 * document says of itself, and every document is opened through the index, before any of it is where a server would find it. An index
 * that is damaged, or that says something else than the documents, is made anew from them.
 */
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { documentFolder } from '../file-store.ts';
import { quotedName } from '../../documents/document-name.ts';
import { digestPlain, NotPlainFile, readPlain } from '../../documents/plain-file.ts';
import { hasErrno } from '../../errors.ts';
import { isSoundIndex } from '../../search/sqlite/corruption.ts';
import type { DocumentIndex, IndexedDocument } from '../../search/document-index.ts';
import { examineVersion, type Fault } from '../../search/soundness.ts';
import { DamagedMeta, readStagedMeta, type StagedMeta, versionOf } from '../../search/index/staging.ts';
import { isLater, isTaskId, isTerminal, type Task, type TaskId } from '../../tasks/task.ts';
import { saidOf } from '../../search/said.ts';
import { requireEmpty } from './backup.ts';
import {
  asBackupError,
  BackupError,
  type BackupSummary,
  copyPlain,
  isReachedPlainly,
  makeFolder,
  type Manifest,
  parseJson,
  readList,
  readManifest,
  syncFolder,
  writeFlushed,
} from './backup-format.ts';
import { orNull } from './disk/disk.ts';
import { CorruptFile } from './disk/durable-json.ts';
import { createLayout, type Layout, recordId } from './disk/layout.ts';
import { parseTask } from './tasks/task-records.ts';

export type RestoreOptions = {
  readonly source: string;
  /** Must not exist or be empty. */
  readonly dataDir: string;
  readonly openIndex: (indexDir: string) => Promise<DocumentIndex>;
};

export type Restored = BackupSummary & {
  /** Documents that the index had to learn or forget. */
  readonly repaired: number;
  /** Documents that were damaged already when they were backed up, and are now as they were then. */
  readonly damaged: readonly string[];
};

/**
 * Brings a backup back, checking every file against its digest, and the index against the documents. Until all of it is
 * checked, nothing of it is where a server would find it. @throws BackupError
 */
export async function restoreDataDir(options: RestoreOptions): Promise<Restored> {
  const { source, dataDir } = options;
  try {
    const manifest = await readManifest(source);
    const staging = join(dataDir, '.restoring');
    await rm(staging, { recursive: true, force: true });
    await requireEmpty(dataDir);
    await copyBack(source, staging, manifest);
    const layout = createLayout(staging);
    const tasks = await examineTasks(layout);
    const { repaired, findings } = await reconcile(layout, options);
    const damaged = acceptKnown([...tasks, ...findings], manifest);
    for (const name of await readdir(staging)) await rename(join(staging, name), join(dataDir, name));
    await rmdir(staging);
    await syncFolder(dataDir);
    const { documents, files, bytes } = manifest;
    return { tasks: manifest.tasks, documents, files, bytes, repaired, damaged };
  } catch (error) {
    throw asBackupError(error);
  }
}

async function copyBack(source: string, target: string, manifest: Manifest): Promise<void> {
  const made = new Set<string>();
  const folders = new Map<string, boolean>();
  await makeFolder(target, made);
  for (const { path, bytes, sha256 } of await readList(source, manifest)) {
    const to = join(target, path);
    await makeFolder(dirname(to), made);
    const isPlain = await isReachedPlainly(source, `data/${path}`, folders);
    const copied = isPlain ? await copyPlain(join(source, 'data', path), to, bytes) : null;
    if (copied?.sha256 !== sha256 || copied.bytes !== bytes)
      throw new BackupError(`${path} is ${copied === null ? 'missing from' : 'damaged in'} this backup. Nothing was restored.`);
  }
  for (const folder of ['tasks', 'documents', 'index']) await makeFolder(join(target, folder), made);
}

/** Each record is one, and the file that its task would read is the one that was uploaded. */
async function examineTasks(layout: Layout): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const bucket of await readdir(layout.tasks)) {
    for (const id of (await readdir(join(layout.tasks, bucket))).map(recordId).filter((found) => found !== null)) {
      const what = await faultOfTask(layout, id);
      if (what !== null) findings.push({ name: `task ${id}`, docId: null, what });
    }
  }
  return findings;
}

async function faultOfTask(layout: Layout, id: TaskId): Promise<string | null> {
  let task: Task;
  try {
    task = parseTask(parseJson(await readPlain(layout.record(id), 64 * 1024 * 1024)), id);
  } catch (error) {
    if (error instanceof CorruptFile || error instanceof NotPlainFile) return 'its record is changed';
    throw error;
  }
  const payload = await orNull(digestPlain(layout.payload(id)));
  if (payload === null) return isTerminal(task.status) ? null : 'its file is missing';
  return payload.sha256 === task.sha256 ? null : 'its file is changed';
}

type Finding = { readonly name: string; readonly docId: string | null; readonly what: string };

type Reconciled = { readonly repaired: number; readonly findings: readonly Finding[] };

/** The copied index says something that the documents do not. */
class Contradiction extends Error {}

/** With the index that was copied, or, where that cannot be believed, with a new one. */
async function reconcile(layout: Layout, options: RestoreOptions): Promise<Reconciled> {
  if (isSoundIndex(layout.index)) {
    try {
      return await reconcileWith(layout, options, false);
    } catch (error) {
      if (error instanceof BackupError || hasErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
    }
  }
  for (const name of await readdir(layout.index)) await rm(join(layout.index, name), { recursive: true, force: true });
  return reconcileWith(layout, options, true);
}

/** Puts into the index what only the documents have, and takes out what only the index has. `isNew`: it holds nothing yet. */
async function reconcileWith(layout: Layout, { openIndex }: RestoreOptions, isNew: boolean): Promise<Reconciled> {
  const index = await openIndex(layout.index);
  try {
    let repaired = 0;
    const findings: Finding[] = [];
    const present = new Set<string>();
    for (const name of (await readdir(layout.documents)).sort()) {
      const found = await reconcileDocument(join(layout.documents, name), name, index, isNew);
      if (found.is === 'damaged') findings.push({ name, docId: found.docId, what: found.what });
      if (found.is === 'learnt') repaired += 1;
      if (found.is !== 'gone') present.add(name);
    }
    return { repaired: repaired + (await removeStrays(index, present)), findings };
  } finally {
    await index.close();
  }
}

type Found =
  | { readonly is: 'same' | 'learnt' | 'gone' }
  | { readonly is: 'damaged'; readonly docId: string | null; readonly what: string };

async function reconcileDocument(folder: string, name: string, index: DocumentIndex, isNew: boolean): Promise<Found> {
  const metas = await readVersions(folder, name);
  const versions = [...metas.values()].map(({ document }) => versionOf(document));
  const newest = versions.find((one) => !versions.some((other) => isLater(other, one)))?.id;
  if (newest === undefined) return { is: 'damaged', docId: null, what: 'it has no complete version' };
  const { docId } = metas.get(newest)!.document;
  const note = await readNote(folder, metas);
  const wanted = note !== null && note !== 'damaged' ? note.version : note === 'damaged' || isNew ? newest : null;
  const learnt = wanted === null ? 'same' : await learn(index, join(folder, wanted), metas.get(wanted)!);
  if (typeof learnt === 'object') return { is: 'damaged', docId, what: inWords(learnt) };
  const known = await index.info(docId);
  if (known === null) {
    // Deleted just before it was copied, or not switched to yet; then its task does it again.
    await rm(folder, { recursive: true });
    return { is: 'gone' };
  }
  const stored = metas.get(known.version);
  if (stored === undefined || !isSame(stored.document, known)) throw new Contradiction(docId);
  const { faults } = await examineVersion(join(folder, known.version), known);
  if (faults.length > 0) return { is: 'damaged', docId, what: inWords(faults) };
  await writeFlushed(join(folder, 'current.json'), JSON.stringify({ version: known.version, ordinal: known.ordinal, docId }));
  for (const other of metas.keys()) if (other !== known.version) await rm(join(folder, other), { recursive: true });
  return { is: learnt };
}

/** Versions that are what their place says. */
async function readVersions(folder: string, name: string): Promise<Map<TaskId, StagedMeta>> {
  const metas = new Map<TaskId, StagedMeta>();
  for (const version of (await readdir(folder)).filter(isTaskId)) {
    const meta = await readStagedMeta(join(folder, version)).catch((error: unknown) => {
      if (hasErrno(error, 'ENOENT') || error instanceof DamagedMeta || error instanceof NotPlainFile) return null;
      throw error;
    });
    if (meta !== null && meta.document.version === version && documentFolder(meta.document.docId) === name)
      metas.set(version, meta);
  }
  return metas;
}

async function readNote(folder: string, metas: ReadonlyMap<TaskId, StagedMeta>): Promise<{ version: TaskId } | 'damaged' | null> {
  const text = await orNull(readPlain(join(folder, 'current.json'), 65_536));
  if (text === null) return null;
  const { version } = (parseJson(text) ?? {}) as { version?: unknown };
  return typeof version === 'string' && isTaskId(version) && metas.has(version) ? { version } : 'damaged';
}

/**
 * Switches the index to a stored version, unless it knows better (a newer version, a removal). The same text under another name keeps
 * the vectors that it has in the index. The faults of a version that cannot be taken.
 */
async function learn(
  index: DocumentIndex,
  folder: string,
  { document }: StagedMeta,
): Promise<'same' | 'learnt' | readonly Fault[]> {
  const { docId, version } = document;
  const known = await index.info(docId);
  if (known?.version === version) return 'same';
  const { faults } = await examineVersion(folder, document);
  if (faults.length > 0) return faults;
  const sameText =
    known !== null && isSame({ ...document, version: known.version, ordinal: known.ordinal, ...saidOf(known) }, known);
  const answer = sameText ? await index.touch(docId, versionOf(document), saidOf(document)) : await index.replace(document, folder);
  return answer === 'ok' ? 'learnt' : 'same';
}

/** Vectors may be of another embedder in the index, by a reindex. */
function isSame(stored: IndexedDocument, indexed: IndexedDocument): boolean {
  return isDeepStrictEqual({ ...stored, embedder: '' }, { ...indexed, embedder: '' });
}

async function removeStrays(index: DocumentIndex, present: ReadonlySet<string>): Promise<number> {
  const strays: IndexedDocument[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Awaited<ReturnType<DocumentIndex['list']>> = await index.list({
      limit: 1000,
      ...(cursor === '' ? {} : { cursor }),
    });
    strays.push(...page.documents.filter(({ docId }) => !present.has(documentFolder(docId))));
    cursor = page.nextCursor;
  }
  for (const { docId, ordinal } of strays) await index.remove(docId, ordinal);
  return strays.length;
}

/** What was damaged when it was backed up is let through, and told. @throws BackupError for anything else. */
function acceptKnown(findings: readonly Finding[], { damaged = [] }: Manifest): string[] {
  const known = new Set(damaged);
  const isKnown = ({ name, docId }: Finding): boolean => known.has(name) || (docId !== null && known.has(docId));
  const unknown = findings.find((finding) => !isKnown(finding));
  if (unknown !== undefined) {
    const { name, docId, what } = unknown;
    const named = name.startsWith('task ') ? name : `document ${docId === null ? JSON.stringify(name) : quotedName(docId)}`;
    throw new BackupError(`The ${named} is damaged in this backup (${what}). Nothing was restored.`);
  }
  return findings.map(({ name, docId }) => docId ?? name);
}

function inWords(faults: readonly Fault[]): string {
  return faults.map(({ part, is }) => `${part} is ${is}`).join(', ');
}
