/**
 * The last steps of an attempt, in the one order that survives a crash between any two of them: publish the files, switch
 * the index, note the version, finish the record, drop the queue entry. Each is idempotent by (doc_id, task_id), and the
 * index decides: a task it has switched to is completed, whatever became of its owner; a task it has revoked never will be.
 */
import { dirname } from 'node:path';
import type { Engine } from '../engines/engine.ts';
import type { Lease } from '../queue/task-queue.ts';
import type { IndexedDocument } from '../search/document-index.ts';
import { cancelledByUser, type Task, type TaskError, type TaskOutcome, type TaskResult } from '../tasks/task.ts';

/** How it ended: the outcome that was recorded, or `fenced` when the task belongs to another process by now. */
export type Settled = TaskOutcome | 'fenced';

export const documentDeleted: TaskError = {
  code: 'document_deleted',
  message: 'The document was deleted while this upload was waiting or running',
  retryable: false,
};

/** A document that was read: makes it searchable, then completes its task. */
export async function settleDocument(
  engine: Engine,
  lease: Lease,
  task: Task,
  staged: { scratchDir: string; document: IndexedDocument; warnings: readonly string[] },
): Promise<Settled> {
  await engine.files.publish(task.docId, task.id, staged.scratchDir);
  const meta = await engine.files.localPath({ kind: 'document', docId: task.docId, version: task.id, part: 'meta.json' });
  const switched = meta === null ? 'stale' : await engine.index.replace(staged.document, dirname(meta));
  if (switched === 'ok') {
    await engine.files.settle(task.docId, task.id);
    return finish(engine, lease, task, completed(staged.document, { warnings: staged.warnings }));
  }
  await engine.files.unpublish(task.docId, task.id);
  if (switched === 'revoked') return finish(engine, lease, task, { status: 'failed', error: cancelledByUser });
  return settleStale(engine, lease, task, staged.document);
}

/** The same bytes are searchable already: only the fence, the name and the metadata move. Null when they no longer are. */
export async function settleUnchanged(engine: Engine, lease: Lease, task: Task, current: IndexedDocument): Promise<Settled | null> {
  const touched = await engine.index.touch(task.docId, task.id, { filename: task.filename, metadata: task.metadata });
  if (touched !== 'ok') return null;
  return finish(engine, lease, task, completed({ ...current, filename: task.filename }, { unchanged: true }));
}

/** An earlier attempt got as far as the index before its process died: finishes what is left to do. Null when none did. */
export async function rollForward(engine: Engine, lease: Lease, task: Task): Promise<Settled | null> {
  if (!(await engine.index.wasCommitted(task.docId, task.id))) return null;
  const current = await engine.index.info(task.docId);
  if (current?.version === task.id) {
    await engine.files.settle(task.docId, task.id);
    return finish(engine, lease, task, completed(current, {}));
  }
  if (current === null) return finish(engine, lease, task, { status: 'failed', error: documentDeleted });
  const unchanged = current.sha256 === task.sha256;
  return finish(engine, lease, task, completed(current, unchanged ? { unchanged } : { superseded: true }));
}

/** A document that will not be read: after this it can never become searchable. An attempt that already did is completed. */
export async function settleFailure(engine: Engine, lease: Lease, task: Task, error: TaskError): Promise<Settled> {
  if ((await engine.index.revoke(task.docId, task.id)) === 'committed') {
    const settled = await rollForward(engine, lease, task);
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
  if ((await engine.tasks.finish(task.id, task.attempts, outcome)) === 'fenced') return 'fenced';
  await lease.ack();
  return outcome;
}

function completed(
  document: IndexedDocument,
  extra: Partial<Pick<TaskResult, 'unchanged' | 'superseded' | 'warnings'>>,
): TaskOutcome {
  return {
    status: 'completed',
    result: {
      message: 'Document processed successfully',
      filename: document.filename,
      mediaType: document.mediaType,
      title: document.title,
      pages: document.pages,
      chunks: document.chunks,
      characters: document.characters,
      unchanged: false,
      superseded: false,
      warnings: [],
      ...extra,
    },
  };
}
