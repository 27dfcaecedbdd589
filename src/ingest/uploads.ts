/** Taking files in: admission before the body is read, then a durable task. Sync and async uploads are this one path. */
import { createHash } from 'node:crypto';
import { keptDocId } from '../documents/doc-id.ts';
import { collectionOf, defaultCollection } from '../documents/document-name.ts';
import type { Receipt } from '../storage/file-store.ts';
import type { Engine } from '../storage/engine.ts';
import { AppError } from '../errors.ts';
import { type Given, givenOf } from '../tasks/given.ts';
import type { Task, TaskId, TaskLane } from '../tasks/task.ts';

export type UploadsOptions = {
  readonly engine: Engine;
  /** Files strictly smaller are small. */
  readonly syncBytesMax: number;
  readonly queueTasksMax: number;
  readonly attemptsMax: number;
  readonly newId: () => TaskId;
  /** ISO 8601. */
  readonly now: () => string;
  /**
   * Where to tell of a task's end, from what its client asked for. Without it every wish for a callback is refused.
   * @throws AppError `invalid_request`.
   */
  readonly callbackUrl?: (asked: string | null) => string | null;
  /** Counts a document against what its key may bring in a day. @throws AppError `quota_exceeded`. */
  readonly countQuota?: (keyId: string | null, bytes: number) => void;
};

export type NewUpload = Given &
  Pick<Task, 'docId' | 'keyId'> & {
    readonly receipt: Receipt;
    /** Who sends it: a key, or an address. */
    readonly caller: string;
  };

export interface Uploads {
  /** @throws AppError `queue_full`, `insufficient_storage`, `unavailable`, before a byte of the body is read. */
  receive(options: { bytesMax: number; bytesExpected: number | null }): Promise<Receipt>;
  /** Durable when it returns; the receipt is gone when it throws. @throws AppError `invalid_document`, `quota_exceeded`, as `receive`. */
  submit(upload: NewUpload): Promise<Task>;
  laneOf(fileBytes: number): TaskLane;
}

export function createUploads(options: UploadsOptions): Uploads {
  const { engine } = options;
  /** On their way to being counted as pending, so that a burst cannot overrun the limit. */
  let submitting = 0;

  async function admit(more: 0 | 1): Promise<void> {
    const { small, large } = await engine.queue.waiting();
    if (small + large + submitting + more > options.queueTasksMax) {
      throw new AppError('queue_full', `The queue is full: ${options.queueTasksMax} documents are waiting. Try again later.`, {
        retryAfterSeconds: 10,
      });
    }
  }

  /** A collection that was removed while the upload came in takes it along: whoever removed it may have looked before. */
  async function requireStill(collection: string, task: Task): Promise<void> {
    if (collection === defaultCollection || (await engine.collections.get(collection)) !== null) return;
    await engine.tasks.cancel(task.id, { force: true });
    throw new AppError('not_found', 'Collection not found');
  }

  function laneOf(fileBytes: number): TaskLane {
    return fileBytes < options.syncBytesMax ? 'small' : 'large';
  }

  return {
    laneOf,
    async receive(wanted) {
      await admit(1);
      return engine.files.receive(wanted);
    },
    async submit({ receipt, docId, keyId, caller, ...said }) {
      submitting += 1;
      try {
        if (receipt.bytes === 0) throw new AppError('invalid_document', `Invalid document: Empty file: ${said.filename}`);
        const callback = (options.callbackUrl ?? noCallbacks)(said.callbackUrl);
        await admit(0);
        options.countQuota?.(keyId, receipt.bytes);
        const task = await engine.submit(
          {
            ...givenOf(said),
            id: options.newId(),
            docId: await keptDocId(docId, async (form) => (await engine.index.info(form)) !== null),
            fileBytes: receipt.bytes,
            sha256: receipt.sha256,
            keyId,
            caller: tokenOf(caller),
            callbackUrl: callback,
            lane: laneOf(receipt.bytes),
            attemptsMax: options.attemptsMax,
            createdAt: options.now(),
          },
          receipt,
        );
        await requireStill(collectionOf(task.docId), task);
        return task;
      } catch (error) {
        await receipt.discard();
        throw error;
      } finally {
        submitting -= 1;
      }
    },
  };
}

/** Too short to tell an address by, long enough to keep callers apart. */
function tokenOf(caller: string): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, 8);
}

function noCallbacks(asked: string | null): null {
  if (asked !== null) throw new AppError('invalid_request', 'callback_url: webhooks are off on this server');
  return null;
}
