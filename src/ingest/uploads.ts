/** Taking files in: admission before the body is read, then a durable task. Sync and async uploads are this one path. */
import { createHash } from 'node:crypto';
import { keptDocId } from '../documents/doc-id.ts';
import { collectionOf, defaultCollection } from '../documents/document-name.ts';
import type { IncomingReceipt, Receipt } from '../storage/file-store.ts';
import type { Arrival, Engine } from '../storage/engine.ts';
import { AppError } from '../errors.ts';
import { type Given, givenOf } from '../tasks/given.ts';
import type { NewTask, Task, TaskId, TaskLane } from '../tasks/task.ts';

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
    /** Told the id of its task before anybody can work on that. */
    readonly onId?: (id: TaskId) => void;
  };

/** A small file that is in memory already. */
export type WholeUpload = Omit<NewUpload, 'receipt'> & { readonly content: Uint8Array };

export interface Uploads {
  /** @throws AppError `queue_full`, `insufficient_storage`, `unavailable`, before a byte of the body is read. */
  receive(options: { bytesMax: number; bytesExpected: number | null }): Promise<IncomingReceipt>;
  /** Durable when it returns; the receipt is gone when it throws. @throws AppError `invalid_document`, `quota_exceeded`, as `receive`. */
  submit(upload: NewUpload): Promise<Task>;
  /**
   * Many small files as one: each durable, or refused by itself, with an AppError of `receive` or `submit`. What finds no room in the
   * queue are the last of them. Of one doc_id the last wins. Never rejects.
   */
  submitAll(uploads: readonly WholeUpload[]): Promise<readonly PromiseSettledResult<Task>[]>;
  laneOf(fileBytes: number): TaskLane;
}

/** How long a count of those that wait is good for while there is room by it. */
const countedMs = 1000;

export function createUploads(options: UploadsOptions): Uploads {
  const { engine } = options;
  /** On their way to being counted as pending, so that a burst cannot overrun the limit. */
  let submitting = 0;
  let submitted = 0;
  /** How many waited when they were counted last, how many had been submitted here before that, and when. */
  let counted = { pending: 0, before: 0, atMs: -Infinity };

  /** How many more may wait; below zero when there are too many on their way already. */
  async function room(): Promise<number> {
    const [before, atMs] = [submitted, performance.now()];
    const { small, large } = await engine.queue.waiting();
    counted = { pending: small + large, before, atMs };
    return options.queueTasksMax - small - large - submitting;
  }

  /** At least `more`, or `room`: not counted anew each time while there is room if all that was submitted here since still waited. */
  async function roomFor(more: number): Promise<number> {
    const left = options.queueTasksMax - (counted.pending + submitted - counted.before) - submitting;
    const isFresh = performance.now() - counted.atMs < countedMs;
    return isFresh && left >= more ? left : room();
  }

  async function admit(more: 0 | 1): Promise<void> {
    if ((await roomFor(more)) < more) throw queueFull();
  }

  function queueFull(): AppError {
    const sentence = `The queue is full: ${options.queueTasksMax} documents are waiting. Try again later.`;
    return new AppError('queue_full', sentence, { retryAfterSeconds: 10 });
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

  /** Everything that may be refused of one upload by itself is refused here. */
  async function taskOf(
    { docId, keyId, caller, onId, ...said }: Omit<NewUpload, 'receipt'>,
    { bytes, sha256 }: Pick<Receipt, 'bytes' | 'sha256'>,
  ): Promise<NewTask> {
    if (bytes === 0) throw new AppError('invalid_document', `Invalid document: Empty file: ${said.filename}`);
    const callback = (options.callbackUrl ?? noCallbacks)(said.callbackUrl);
    options.countQuota?.(keyId, bytes);
    const id = options.newId();
    onId?.(id);
    return {
      ...givenOf(said),
      id,
      docId: await keptDocId(docId, async (form) => (await engine.index.info(form)) !== null),
      fileBytes: bytes,
      sha256,
      keyId,
      caller: tokenOf(caller),
      callbackUrl: callback,
      lane: laneOf(bytes),
      attemptsMax: options.attemptsMax,
      createdAt: options.now(),
    };
  }

  /** Received together, then made tasks together. */
  async function takeIn(uploads: readonly WholeUpload[]): Promise<readonly PromiseSettledResult<Task>[]> {
    const receipts = await engine.files.receiveAll(uploads.map(({ content }) => content));
    const wanted = await Promise.allSettled(uploads.map((upload, i) => taskOf(upload, receipts[i]!)));
    const arrivals = wanted.map((want, i): Arrival | null =>
      want.status === 'fulfilled' ? { task: want.value, receipt: receipts[i]! } : null,
    );
    const [together] = await Promise.allSettled([engine.submitAll(arrivals.filter((arrival) => arrival !== null))]);
    const ends = together.status === 'fulfilled' ? together.value.values() : null;
    const results = wanted.map((want) =>
      want.status === 'rejected' ? want : (ends?.next().value ?? (together as PromiseRejectedResult)),
    );
    return Promise.all(results.map((result, i) => takenIn(result, receipts[i]!)));
  }

  async function takenIn(result: PromiseSettledResult<Task>, receipt: Receipt): Promise<PromiseSettledResult<Task>> {
    if (result.status === 'rejected') await receipt.discard();
    else {
      submitted += 1;
      const gone = await requireStill(collectionOf(result.value.docId), result.value).catch((error: unknown) => ({ error }));
      if (gone !== undefined) return { status: 'rejected', reason: gone.error };
    }
    return result;
  }

  return {
    laneOf,
    async receive(wanted) {
      await admit(1);
      return engine.files.receive(wanted);
    },
    async submitAll(uploads) {
      // Counted before the others are looked at, as in `submit`: of two groups that come at once, both may find less room than there is.
      let counted = uploads.length;
      submitting += counted;
      const all = (reason: unknown): PromiseSettledResult<Task>[] => uploads.map(() => ({ status: 'rejected', reason }));
      try {
        const taken = Math.max(0, Math.min(counted, counted + (await roomFor(0))));
        submitting -= counted - taken;
        counted = taken;
        const stored = taken === 0 ? [] : await takeIn(uploads.slice(0, taken));
        return [...stored, ...all(queueFull()).slice(taken)];
      } catch (error) {
        return all(error);
      } finally {
        submitting -= counted;
      }
    },
    async submit({ receipt, ...upload }) {
      submitting += 1;
      try {
        await admit(0);
        const task = await engine.submit(await taskOf(upload, receipt), receipt);
        submitted += 1;
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
