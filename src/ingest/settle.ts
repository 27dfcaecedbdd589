/**
 * The last steps of an attempt, in the one order that survives a crash between any two of them: publish the files, switch
 * the index, note the version, finish the record, drop the queue entry. Each is idempotent by (doc_id, task_id), and the
 * index decides: a task it has switched to is completed, whatever became of its owner; a task it has revoked never will be.
 * An engine that can does them as one (`together`); then there is no between.
 */
import { copyFile, link, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Engine } from '../storage/engine.ts';
import { hasErrno } from '../errors.ts';
import type { Lease } from '../tasks/task-queue.ts';
import { type IncomingDocument, type IndexedDocument, titleOf } from '../search/document-index.ts';
import type { Postings } from '../search/index/postings.ts';
import { examineMade } from '../search/soundness.ts';
import { descriptionOf, keptDescription, withoutDescription } from '../tasks/given.ts';
import { madeParts } from '../search/index/staging.ts';
import { cancelledByUser, outcomeOf, type Task, type TaskError, type TaskOutcome, type TaskResult } from '../tasks/task.ts';
import { isSaidAlike, storeSaid } from './said.ts';

/** How it ended: the outcome that was recorded, or `fenced` when the task belongs to another process by now. */
export type Settled = TaskOutcome | 'fenced';

export const documentDeleted: TaskError = {
  code: 'document_deleted',
  message: 'The document was deleted while this upload was waiting or running',
  retryable: false,
};

type StagedVersion = {
  readonly scratchDir: string;
  readonly document: IndexedDocument;
  /** Absent: the index makes them from the chunks. */
  readonly postings?: Postings | undefined;
};

/** A document that was read: makes it searchable, then completes its task. */
export async function settleDocument(engine: Engine, lease: Lease, task: Task, staged: StagedVersion): Promise<Settled> {
  await engine.files.prepare(staged.scratchDir);
  return engine.transaction(() => switchTo(engine, lease, task, staged));
}

async function switchTo(engine: Engine, lease: Lease, task: Task, staged: StagedVersion): Promise<Settled> {
  await engine.files.publish(task.docId, task, staged.scratchDir);
  const meta = await engine.files.localPath({ kind: 'document', docId: task.docId, version: task.id, part: 'meta.json' });
  const switched =
    meta === null ? 'stale' : await engine.index.replace(incoming(staged.document, task), dirname(meta), staged.postings);
  if (switched === 'ok') {
    await engine.files.settle(task.docId, task);
    return finish(engine, lease, task, completed(await noteKept(engine, staged.document), {}));
  }
  await engine.files.unpublish(task.docId, task.id);
  if (switched === 'revoked') return finish(engine, lease, task, { status: 'failed', error: cancelledByUser });
  return settleStale(engine, lease, task, staged.document);
}

/** What this upload does not say stays as it is at the moment of the switch, which may be another than when it was read. */
function incoming({ givenTitle: _givenTitle, ...document }: IndexedDocument, task: Task): IncomingDocument {
  return { ...withoutDescription(document), ...descriptionOf(task) };
}

/** The document as it was switched to, which its stored file then says too. */
async function noteKept(engine: Engine, staged: IndexedDocument): Promise<IndexedDocument> {
  const now = await engine.index.info(staged.docId);
  if (now === null || now.version !== staged.version) return staged;
  if (!isSaidAlike(now, staged)) await storeSaid(engine, now);
  return now;
}

/**
 * The same bytes are searchable already: nothing is read again, but the version becomes this task's, with its file name and
 * metadata. Null when they no longer are.
 */
export async function settleUnchanged(engine: Engine, lease: Lease, task: Task, current: IndexedDocument): Promise<Settled | null> {
  const staged = await stageAgain(engine, task, current);
  if (staged === null) return null;
  await engine.files.prepare(staged.scratchDir);
  return engine.transaction(() => renameTo(engine, lease, task, staged));
}

async function renameTo(
  engine: Engine,
  lease: Lease,
  task: Task,
  { document, scratchDir }: StagedVersion,
): Promise<Settled | null> {
  await engine.files.publish(task.docId, task, scratchDir);
  const touched = await engine.index.touch(task.docId, task, { filename: task.filename, ...descriptionOf(task) });
  if (touched !== 'ok') {
    await engine.files.unpublish(task.docId, task.id);
    return null;
  }
  await engine.files.settle(task.docId, task);
  return finish(engine, lease, task, completed(await noteKept(engine, document), { unchanged: true }));
}

/** The parts of the current version once more, under this task's name; null when that version is gone, or no longer whole. */
async function stageAgain(engine: Engine, task: Task, current: IndexedDocument): Promise<StagedVersion | null> {
  const meta = await engine.files.localPath({ kind: 'document', docId: task.docId, version: current.version, part: 'meta.json' });
  if (meta === null) return null;
  const scratchDir = await engine.files.scratch(task.id);
  try {
    const { faults, meta: staged } = await examineMade(dirname(meta), current);
    if (staged === null || faults.length > 0) return null;
    for (const name of madeParts)
      if (staged.parts?.[name] !== undefined) await linkOrCopy(join(dirname(meta), name), join(scratchDir, name));
    const document = {
      ...staged.document,
      version: task.id,
      ordinal: task.ordinal,
      filename: task.filename,
      ...keptDescription(task, current),
      givenTitle: current.givenTitle,
    };
    await writeFile(join(scratchDir, 'meta.json'), JSON.stringify({ ...staged, document }));
    return { scratchDir, document };
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

/** The parts of a version never change, so two versions may share them. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: unknown) => {
    if (!hasErrno(error, 'EXDEV', 'EMLINK', 'EPERM')) throw error;
    return copyFile(from, to);
  });
}

/** An earlier attempt got as far as the index before its process died: finishes what is left to do. Null when none did. */
export function rollForward(engine: Engine, lease: Lease, task: Task): Promise<Settled | null> {
  return engine.transaction(() => finishSwitched(engine, lease, task));
}

async function finishSwitched(engine: Engine, lease: Lease, task: Task): Promise<Settled | null> {
  if (!(await engine.index.wasCommitted(task.docId, task.id))) return null;
  const current = await engine.index.info(task.docId);
  if (current?.version === task.id) {
    await engine.files.settle(task.docId, task);
    await storeSaid(engine, current);
    return finish(engine, lease, task, completed(current, {}));
  }
  if (current === null) return finish(engine, lease, task, { status: 'failed', error: documentDeleted });
  const unchanged = current.sha256 === task.sha256;
  return finish(engine, lease, task, completed(current, unchanged ? { unchanged } : { superseded: true }));
}

/**
 * A document that will not be read: after this it can never become searchable. An attempt that already did is completed. The
 * index knows no owners, so whoever slept through the end of its lease must find that out before it revokes.
 */
export function settleFailure(engine: Engine, lease: Lease, task: Task, error: TaskError): Promise<Settled> {
  return engine.transaction(() => revoke(engine, lease, task, error));
}

async function revoke(engine: Engine, lease: Lease, task: Task, error: TaskError): Promise<Settled> {
  if (!(await lease.held())) return 'fenced';
  if ((await engine.index.revoke(task.docId, task)) === 'committed') {
    const settled = await finishSwitched(engine, lease, task);
    if (settled !== null) return settled;
  }
  await engine.files.unpublish(task.docId, task.id);
  return finish(engine, lease, task, { status: 'failed', error });
}

/** A newer version is there, or the document was deleted after this upload. */
export async function settleStale(engine: Engine, lease: Lease, task: Task, document: IndexedDocument): Promise<Settled> {
  const current = await engine.index.info(task.docId);
  return current === null
    ? finish(engine, lease, task, { status: 'failed', error: documentDeleted })
    : finish(engine, lease, task, completed(document, { superseded: true }));
}

async function finish(engine: Engine, lease: Lease, task: Task, outcome: TaskOutcome): Promise<Settled> {
  if ((await engine.tasks.finish(task.id, task.attempts, outcome)) === 'fenced') return letGo(engine, lease, task);
  await lease.ack();
  return outcome;
}

/**
 * An end that an earlier try has recorded, but not let go of: nobody else would, since its holder lives, and later uploads of the
 * doc_id would wait for ever.
 */
async function letGo(engine: Engine, lease: Lease, { id }: Task): Promise<Settled> {
  const outcome = (await lease.held()) ? outcomeOf((await engine.tasks.get(id))?.task) : null;
  if (outcome === null) return 'fenced';
  await lease.ack();
  return outcome;
}

function completed(document: IndexedDocument, extra: Partial<Pick<TaskResult, 'unchanged' | 'superseded'>>): TaskOutcome {
  return {
    status: 'completed',
    result: {
      message: 'Document processed successfully',
      filename: document.filename,
      mediaType: document.mediaType,
      title: titleOf(document),
      pages: document.pages,
      chunks: document.chunks,
      characters: document.characters,
      ...descriptionOf(document),
      unchanged: false,
      superseded: false,
      warnings: document.warnings,
      ...extra,
    },
  };
}
