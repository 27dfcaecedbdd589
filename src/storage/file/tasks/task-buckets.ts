/**
 * The tasks in bulk: listing, expiry, and the seal of a finished bucket, a small index of it (`index.json`) that can be
 * made anew at any time. Buckets are directories of 65.5 s, named so that their order is the order of time.
 */
import type { DirectorySync } from '../disk/directory-sync.ts';
import { collectionOf } from '../../../documents/document-name.ts';
import { join } from 'node:path';
import { AppError, hasErrno } from '../../../errors.ts';
import { isTerminal, readTask, type Task, type TaskId, type TaskSnapshot, isTaskId, withOrdinal } from '../../../tasks/task.ts';
import type { TaskFilter, TaskKeys, TaskPage } from '../../../tasks/task-store.ts';
import { type NamedTask, toKeys } from '../../sorted-tasks.ts';
import { type Disk, orNull, removeTree, unlinkIfThere } from '../disk/disk.ts';
import {
  bucketEndMs,
  bucketMs,
  bucketName,
  collectionKey,
  documentKey,
  idOfName,
  isBucketName,
  type Layout,
  parseMarker,
  recordId,
} from '../disk/layout.ts';
import type { LiveMarkers } from './live-markers.ts';
import type { Owner } from '../ownership/owner.ts';
import type { PendingMarkers } from '../queue/pending-markers.ts';
import type { RecordLog } from './record-log.ts';
import type { TaskRecords } from './task-records.ts';

export interface TaskBuckets {
  /** @throws AppError `invalid_request` for a foreign cursor. */
  list(filter: TaskFilter, snapshot: (task: Task) => Promise<TaskSnapshot>): Promise<TaskPage>;
  /** Every task of a filter, bucket by bucket; of sealed buckets with its keys. */
  named(filter: TaskFilter): AsyncIterable<readonly NamedTask[]>;
  /** As `TaskStore.expire`. */
  expire(before: Date): Promise<number>;
  /** As `TaskStore.remove`. */
  remove(id: TaskId): Promise<boolean>;
  /** The least and the greatest number of all tasks that are kept; null when there is none. Cost: one read a record outside sealed buckets. */
  ordinals(): Promise<{ readonly lowest: number; readonly highest: number } | null>;
  /** Seals what has ended and is older than two minutes. */
  seal(nowMs: number): Promise<void>;
  /** A task of this bucket is about to live again. */
  unseal(id: TaskId): Promise<void>;
  /**
   * Live tasks (not terminal) that nothing marks as waiting or running; removes payloads whose task is completed or was never
   * recorded. Cost: one read a record outside sealed buckets.
   */
  scrub(marked: () => Promise<Set<TaskId>>): Promise<Task[]>;
}

/** What listing and expiry need of an ended task; seals of earlier versions have no more keys than the id. */
type Summary = Pick<Task, 'id' | 'ordinal' | 'docId' | 'status'> & Partial<TaskKeys> & { readonly finishedAt: string };

const sealAgeMs = 120_000;
/** A busier bucket is read record by record: its index would be tens of megabytes. */
const sealedTasksMax = 10_000;
const readsAtOnce = 16;

export function createTaskBuckets(options: {
  disk: Disk;
  layout: Layout;
  owner: Owner;
  records: TaskRecords;
  markers: LiveMarkers;
  pending: PendingMarkers;
  syncDirectory: DirectorySync;
  log: Pick<RecordLog, 'forget'>;
  /** Unix time in milliseconds. */
  wallMs: () => number;
}): TaskBuckets {
  const { disk, layout, owner, records, markers, pending, syncDirectory, log, wallMs } = options;
  /** Whatever was accepted before this number and has ended is due, when a clock that was ahead wrote its end. */
  let dueBelow = 0;
  const sealPath = (bucket: string) => join(layout.tasks, bucket, 'index.json');

  async function bucketNames(): Promise<string[]> {
    return (await disk.list(layout.tasks, 'buckets.list')).filter(isBucketName).sort();
  }

  async function idsIn(bucket: string): Promise<TaskId[]> {
    const names = (await orNull(disk.list(join(layout.tasks, bucket), 'bucket.list'))) ?? [];
    return names.map(recordId).filter((id) => id !== null);
  }

  async function readSeal(bucket: string): Promise<Summary[] | null> {
    const text = await orNull(disk.read(sealPath(bucket), 'seal.read'));
    if (text === null) return null;
    try {
      return (JSON.parse(text) as Summary[]).map((summary) => withOrdinal<Summary>(summary));
    } catch {
      return null;
    }
  }

  async function list(filter: TaskFilter, snapshot: (task: Task) => Promise<TaskSnapshot>): Promise<TaskPage> {
    const after = filter.cursor ?? null;
    if (after !== null && !isTaskId(after)) throw new AppError('invalid_request', 'cursor: not from this server');
    const tasks: TaskSnapshot[] = [];
    for await (const ids of candidates(filter, after)) {
      for (const task of await inBatches(
        ids,
        (id) => records.read(id),
        readsAtOnce,
        enough(filter, filter.limit + 1 - tasks.length),
      )) {
        if (task !== null && matches(task, filter)) tasks.push(await snapshot(task));
        if (tasks.length > filter.limit) break;
      }
      if (tasks.length > filter.limit) break;
    }
    const page = tasks.slice(0, filter.limit);
    return { tasks: page, nextCursor: tasks.length > filter.limit ? page.at(-1)!.task.id : null };
  }

  /** Ids that may match, newest first, all smaller than `after`. */
  async function* candidates(filter: TaskFilter, after: string | null): AsyncGenerator<TaskId[]> {
    if (filter.status === 'pending' || filter.status === 'processing') return yield older(await liveIds(filter), after);
    for (const bucket of (await bucketNames()).reverse()) {
      if (after !== null && bucket > after.slice(0, 8)) continue;
      const filtered = isFiltered(filter);
      const seal = filtered ? await readSeal(bucket) : null;
      const ids = seal === null ? await idsIn(bucket) : seal.filter((summary) => matches(summary, filter)).map(({ id }) => id);
      yield older(ids, after);
    }
  }

  async function* named(filter: TaskFilter): AsyncGenerator<NamedTask[]> {
    if (filter.status === 'pending' || filter.status === 'processing') return yield await liveIds(filter);
    for (const bucket of await bucketNames()) {
      const seal = await readSeal(bucket);
      if (seal !== null) yield seal.filter((summary) => matches(summary, filter)).map(namedTask);
      else if (filter.status === undefined) yield await idsIn(bucket);
      // Which of them have ended only their records tell.
      else yield (await summarize(bucket)).filter((summary) => matches(summary, filter)).map(namedTask);
    }
  }

  /** Markers alone tell, and their names say which doc_id they are for: ended tasks cost nothing here. */
  async function liveIds(filter: TaskFilter): Promise<TaskId[]> {
    const isWanted = wantedKeys(filter);
    await pending.refresh();
    const names = [...pending.names('small'), ...pending.names('large')];
    const waiting = (isWanted === null ? names : names.filter((name) => isWanted(parseMarker(name)?.docKey ?? ''))).map(idOfName);
    const running = (await markers.processing()).filter(({ docKey }) => isWanted === null || isWanted(docKey)).map(({ id }) => id);
    return [...new Set([...waiting, ...running])];
  }

  async function expire(before: Date): Promise<number> {
    let removed = 0;
    const now = new Date(wallMs());
    for (const bucket of await bucketNames()) {
      const isAhead = bucketEndMs(bucket) > now.getTime() + bucketMs;
      if (bucketEndMs(bucket) < before.getTime() || isAhead) removed += await expireBucket(bucket, before, now);
    }
    return removed;
  }

  /**
   * An end later than now was written by a clock that was ahead, and would be kept until the clock is there again. It goes when the end of a
   * task that was accepted later is due: no clock tells how long ago it was, but the order of acceptance does, nearly enough.
   */
  function isDue({ status, finishedAt, ordinal }: Summary, before: Date, now: Date): boolean {
    if (!isTerminal(status)) return false;
    return finishedAt < before.toISOString() || (finishedAt > now.toISOString() && ordinal < dueBelow);
  }

  async function expireBucket(bucket: string, before: Date, now: Date): Promise<number> {
    const summaries = (await readSeal(bucket)) ?? (await summarize(bucket));
    const due = summaries.filter((summary) => isDue(summary, before, now));
    for (const { ordinal, finishedAt } of due) if (finishedAt <= now.toISOString()) dueBelow = Math.max(dueBelow, ordinal);
    if (due.length < summaries.length) {
      for (const { id } of due) await expireTask(id);
      return due.length;
    }
    return (await expireWhole(bucket, due)) ? due.length : 0;
  }

  /**
   * The whole directory in one rename, then a second look: only a failed task can have become live meanwhile, by a retry,
   * and a retry after the rename finds nothing.
   */
  async function expireWhole(bucket: string, due: readonly Summary[]): Promise<boolean> {
    const trash = owner.temp();
    const path = join(layout.tasks, bucket);
    if ((await orNull(disk.rename(path, trash, 'expire.bucket').then(() => true))) === null) return false;
    for (const { id, status } of due) {
      if (status !== 'failed') continue;
      const text = await orNull(disk.read(join(trash, `${id}.json`), 'expire.look'));
      if (text === null || isTerminal(readTask(text).status)) continue;
      await disk.rename(trash, path, 'expire.return');
      return false;
    }
    await log.forget(due.map(({ id }) => id));
    await owner.discard(trash);
    return true;
  }

  async function removeTask(id: TaskId): Promise<boolean> {
    const task = await records.read(id);
    if (task === null || !isTerminal(task.status)) return false;
    const removed = await expireTask(id);
    if (removed) await log.forget([id], { always: true });
    if (removed) await syncDirectory(join(layout.tasks, bucketName(id)), 'expire.sync');
    return removed;
  }

  async function expireTask(id: TaskId): Promise<boolean> {
    // The payload goes first: a crash in between leaves an ended task without its file, not a file without a task.
    const payload = owner.temp();
    await orNull(disk.rename(layout.payload(id), payload, 'expire.payload'));
    const record = owner.temp();
    if ((await orNull(disk.rename(layout.record(id), record, 'expire.record').then(() => true))) === null) {
      await owner.discard(payload);
      return false;
    }
    const text = await disk.read(record, 'expire.look');
    if (!isTerminal(readTask(text).status)) {
      await orNull(disk.rename(payload, layout.payload(id), 'expire.return-payload'));
      await disk.rename(record, layout.record(id), 'expire.return');
      return false;
    }
    await log.forget([id]);
    await unseal(id);
    await owner.discard(record);
    await owner.discard(payload);
    return true;
  }

  async function summarize(bucket: string): Promise<Summary[]> {
    const tasks = await inBatches(await idsIn(bucket), (id) => records.read(id), readsAtOnce);
    return tasks.filter((task) => task !== null).map(summaryOf);
  }

  async function seal(nowMs: number): Promise<void> {
    for (const bucket of await bucketNames()) {
      if (bucketEndMs(bucket) + sealAgeMs > nowMs) continue;
      if ((await orNull(disk.stat(sealPath(bucket), 'seal.stat'))) === null) await sealBucket(bucket);
    }
  }

  async function sealBucket(bucket: string): Promise<void> {
    const ids = await idsIn(bucket);
    if (ids.length > sealedTasksMax) return;
    const before = await stamps(ids);
    const summaries = await summarize(bucket);
    if (summaries.some(({ status }) => !isTerminal(status))) return;
    if (summaries.length === 0) return removeEmpty(bucket);
    const temp = owner.temp();
    const file = await disk.create(temp, 'seal.create');
    try {
      await file.write([Buffer.from(JSON.stringify(summaries))]);
      await file.sync();
    } finally {
      await file.close();
    }
    await orNull(disk.rename(temp, sealPath(bucket), 'seal.rename'));
    // A retry removes the seal after it has written its record: whichever of the two came later, the seal does not outlive it.
    // So does an upload whose id, by a clock that was set back, belongs here.
    if ((await stamps(await idsIn(bucket))) !== before) await unlinkIfThere(disk, sealPath(bucket), 'seal.remove');
  }

  /** Changes when any record of the bucket is written anew. */
  async function stamps(ids: readonly TaskId[]): Promise<string> {
    const entries = await inBatches(ids, (id) => orNull(disk.stat(layout.record(id), 'seal.stamp')), readsAtOnce);
    return entries.map((entry) => entry?.inode ?? 0n).join();
  }

  /** What is left of a bucket without records: payloads of uploads that broke off. A directory in use has a record or soon refuses `rmdir`. */
  async function removeEmpty(bucket: string): Promise<void> {
    const path = join(layout.tasks, bucket);
    const marked = await markers.everywhere();
    for (const name of await disk.list(path, 'bucket.list')) {
      const id = name.slice(0, 36) as TaskId;
      if (!marked.has(id)) await removeTree(disk, join(path, name), 'bucket.orphan');
    }
    await disk.rmdir(path, 'bucket.remove').catch((error: unknown) => {
      if (!hasErrno(error, 'ENOTEMPTY', 'ENOENT')) throw error;
    });
  }

  /** Tasks without a marker that are live, or whose payload nobody needs. */
  async function suspectsIn(bucket: string, marks: ReadonlySet<TaskId>): Promise<TaskId[]> {
    const names = new Set((await orNull(disk.list(join(layout.tasks, bucket), 'bucket.list'))) ?? []);
    const ids = [...new Set([...names].map((name) => name.slice(0, 36)))].filter(isTaskId).filter((id) => !marks.has(id));
    const tasks = await inBatches(ids, (id) => records.read(id), readsAtOnce);
    return ids.filter((id, position) => {
      const task = tasks[position] ?? null;
      return task === null || !isTerminal(task.status) || (task.status === 'completed' && names.has(`${id}.bin`));
    });
  }

  async function unseal(id: TaskId): Promise<void> {
    await unlinkIfThere(disk, sealPath(bucketName(id)), 'seal.remove');
  }

  return {
    list,
    named,
    expire,
    remove: removeTask,
    seal,
    unseal,

    async ordinals() {
      let [lowest, highest] = [Infinity, -Infinity];
      for (const bucket of await bucketNames()) {
        for (const { ordinal } of (await readSeal(bucket)) ?? (await summarize(bucket)))
          [lowest, highest] = [Math.min(lowest, ordinal), Math.max(highest, ordinal)];
      }
      return lowest === Infinity ? null : { lowest, highest };
    },

    async scrub(marked) {
      const suspects: TaskId[] = [];
      const marks = await marked();
      for (const bucket of await bucketNames()) {
        if ((await orNull(disk.stat(sealPath(bucket), 'seal.stat'))) === null) suspects.push(...(await suspectsIn(bucket, marks)));
      }
      if (suspects.length === 0) return [];
      // What was on its way from one place to another at the first look is marked, or ended, at the second.
      const again = await marked();
      const unmarked = suspects.filter((id) => !again.has(id));
      const tasks = await inBatches(unmarked, (id) => records.read(id), readsAtOnce);
      for (const [position, id] of unmarked.entries()) {
        const status = tasks[position]?.status;
        if (status === undefined || status === 'completed') await unlinkIfThere(disk, layout.payload(id), 'scrub.payload');
      }
      return tasks.filter((task) => task !== null).filter((task) => !isTerminal(task.status));
    },
  };
}

/** Which keys of documents a filter may let through; null: all. */
function wantedKeys({ docId, collection }: TaskFilter): ((docKey: string) => boolean) | null {
  const key = docId === undefined ? null : documentKey(docId);
  if (key !== null) return (docKey) => docKey === key;
  const prefix = collection === undefined ? '' : collectionKey(collection);
  return prefix === '' ? null : (docKey) => docKey.startsWith(prefix);
}

function summaryOf(task: Task): Summary {
  const { ordinal, status, finishedAt, updatedAt } = task;
  return { ...toKeys(task), ordinal, status, finishedAt: finishedAt ?? updatedAt };
}

function namedTask(summary: Summary): NamedTask {
  return hasKeys(summary) ? toKeys(summary) : summary.id;
}

function hasKeys(summary: Summary): summary is Summary & TaskKeys {
  return summary.filename !== undefined;
}

function matches(task: Pick<Task, 'status' | 'docId'>, filter: TaskFilter): boolean {
  return (
    (filter.status === undefined || task.status === filter.status) &&
    (filter.docId === undefined || task.docId === filter.docId) &&
    (filter.collection === undefined || collectionOf(task.docId) === filter.collection)
  );
}

function isFiltered({ status, docId, collection }: TaskFilter): boolean {
  return status !== undefined || docId !== undefined || collection !== undefined;
}

function older(ids: readonly TaskId[], after: string | null): TaskId[] {
  return ids
    .filter((id) => after === null || id < after)
    .sort()
    .reverse();
}

/** Unfiltered, every record read is a hit: read no more than the page needs. */
function enough(filter: TaskFilter, wanted: number): number {
  return isFiltered(filter) ? Infinity : wanted;
}

/** Results in order, `atOnce` at a time, of the first `limit` items. */
async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>, atOnce: number, limit = Infinity): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length && from < limit; from += atOnce) {
    results.push(...(await Promise.all(items.slice(from, Math.min(from + atOnce, limit)).map(work))));
  }
  return results;
}
