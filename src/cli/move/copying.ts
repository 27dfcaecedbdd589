/**
 * Documents and tasks from one engine to another, through their ports alone. Every step is done whole or not at all and is safe
 * twice, so that a run that was killed anywhere is finished by the next one.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Receipt } from '../../storage/file-store.ts';
import { quotedName } from '../../documents/document-name.ts';
import { everyPart } from '../../documents/document-part.ts';
import type { Engine } from '../../storage/engine.ts';
import type { IndexedDocument } from '../../search/document-index.ts';
import { examineVersion } from '../../search/soundness.ts';
import { readStagedMeta, versionOf } from '../../search/index/staging.ts';
import { isTerminal, type Task } from '../../tasks/task.ts';

/** Why a move cannot go on, in a sentence for the person. */
export class MoveError extends Error {
  override readonly name = 'MoveError';
}

const pageSize = 1000;

/**
 * Every document, in the order in which they became searchable, so that equally good answers keep their order. Memory grows with
 * their number, by what the index says of each.
 */
export async function documentsOf(engine: Engine): Promise<IndexedDocument[]> {
  const found: IndexedDocument[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await engine.index.list({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.documents);
    if (page.nextCursor === null) return found.reverse();
    cursor = page.nextCursor;
  }
}

/** The tasks that are kept, oldest first. */
export async function tasksOf(engine: Engine): Promise<Task[]> {
  const found: Task[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await engine.tasks.list({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.tasks.map(({ task }) => task));
    if (page.nextCursor === null) return found.reverse();
    cursor = page.nextCursor;
  }
}

/** With what is said of them. */
export async function copyCollections(from: Engine, to: Engine): Promise<void> {
  for (const collection of await from.collections.all()) {
    if (!(await to.collections.put(collection)))
      throw new MoveError(`The collection ${collection.name} is being deleted on the target; it was not copied.`);
  }
}

/** Published, searchable and noted as current at the target when it returns. */
export async function copyDocument(from: Engine, to: Engine, indexed: IndexedDocument): Promise<void> {
  const { docId, version, embedder } = indexed;
  const meta = { kind: 'document', docId, version, part: 'meta.json' } as const;
  if ((await to.index.info(docId))?.version === version && (await to.files.stat(meta)) !== null)
    return to.files.settle(docId, versionOf(indexed));
  const scratch = await to.files.scratch(version);
  for (const part of everyPart) {
    const file = await from.files.open({ kind: 'document', docId, version, part });
    if (file !== null) await pipeline(file.stream, createWriteStream(join(scratch, part)));
  }
  await requireWhole(scratch, indexed);
  const { document } = await readStagedMeta(scratch);
  if (document.embedder !== embedder)
    throw new MoveError(
      `The document ${quotedName(docId)} got its vectors by reindex, after it was stored; they cannot be moved. Upload it again first.`,
    );
  await to.files.prepare(scratch);
  const switched = await to.transaction(async () => {
    await to.files.publish(docId, versionOf(indexed), scratch);
    const path = await to.files.localPath(meta);
    const answer = path === null ? 'stale' : await to.index.replace(document, dirname(path));
    if (answer === 'ok') await to.files.settle(docId, versionOf(indexed));
    return answer;
  });
  await rm(scratch, { recursive: true, force: true });
  if (switched !== 'ok')
    throw new MoveError(
      `The target already has a newer version of the document ${quotedName(docId)}, or has deleted it (${switched}); it was not copied.`,
    );
}

/** What is damaged is not brought as if it were whole. */
async function requireWhole(folder: string, document: IndexedDocument): Promise<void> {
  const { faults } = await examineVersion(folder, document);
  if (faults.length === 0) return;
  const what = faults.map(({ part, is }) => `${part} ${is}`).join(', ');
  throw new MoveError(
    `The document ${quotedName(document.docId)} is damaged (${what}), or was changed meanwhile: "rag-intake doctor --repair" on the source restores what its original allows; otherwise upload it again, or delete it.`,
  );
}

/** With its file, where it still has one. */
export async function copyTask(from: Engine, to: Engine, task: Task): Promise<void> {
  if ((await to.tasks.get(task.id)) !== null) return;
  await to.importTask(task, await copyPayload(from, to, task));
}

async function copyPayload(from: Engine, to: Engine, task: Task): Promise<Receipt | null> {
  const file = await from.files.open({ kind: 'payload', taskId: task.id });
  if (file === null && isTerminal(task.status)) return null;
  if (file === null) throw damagedUpload(task);
  const receipt = await to.files.receive({ bytesMax: file.bytes, bytesExpected: file.bytes });
  await pipeline(file.stream, receipt.stream);
  if (receipt.sha256 === task.sha256) return receipt;
  await receipt.discard();
  throw damagedUpload(task);
}

function damagedUpload({ id, docId }: Task): MoveError {
  return new MoveError(
    `The file of the task ${id} (${quotedName(docId)}) is damaged or gone: cancel it on the source, then upload it again.`,
  );
}
