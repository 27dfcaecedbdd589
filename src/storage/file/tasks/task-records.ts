/** The durable record of each task: one lowdb document a file, read with suspicion, written through the fence. */
import type { Low } from 'lowdb';
import { join } from 'node:path';
import { hasErrno } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import {
  createTask,
  finishTask,
  type NewTask,
  type Task,
  type TaskError,
  type TaskId,
  taskLanes,
  taskStatuses,
  withOrdinal,
} from '../../../tasks/task.ts';
import { type Description, descriptionShapes, undescribed } from '../../../tasks/given.ts';
import { type Disk, orNull } from '../disk/disk.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import { commit, CorruptFile, createDocument } from '../disk/durable-json.ts';
import { bucketName, type Layout } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';
import type { RecordLog } from './record-log.ts';

export interface TaskRecords {
  /** Null: there is no such task. A record that cannot be read as one is put aside and answers as a failed task. */
  readonly read: (id: TaskId) => Promise<Task | null>;
  /** As `read`, but null for a record that cannot be read as one, which stays where it is. */
  peek(id: TaskId): Promise<Task | null>;
  /** Durable when it returns, by its own file. */
  write(task: Task): Promise<void>;
  /** Durable by the log of this process: when it returns, or `soon` after (`RecordLog.write`). A task with a password is not put into a log. */
  note(task: Task, options?: { readonly soon: boolean }): Promise<void>;
  /** In place; what makes it durable is the caller's affair. */
  readonly show: (task: Task) => Promise<void>;
  /** In place, but durable only after `syncDirectory` of its bucket. */
  readonly place: (task: Task) => Promise<void>;
  /** Makes the directory of a task's files, durably, once for each process. */
  ensureBucket(id: TaskId): Promise<void>;
}

const recordCorrupt: TaskError = {
  code: 'record_corrupt',
  message: 'The record of this task is damaged; upload the file again',
  retryable: false,
};

export function createTaskRecords(options: {
  disk: Disk;
  layout: Layout;
  owner: Owner;
  syncDirectory: DirectorySync;
  log: Pick<RecordLog, 'write'>;
  now: () => string;
  logger: Logger;
}): TaskRecords {
  const { disk, layout, owner, syncDirectory, log, logger } = options;
  const buckets = new Set<string>();

  function documentOf(id: TaskId, sync: DirectorySync, flushes = true): Low<Task | null> {
    return createDocument({
      disk,
      path: layout.record(id),
      temp: () => owner.temp(id),
      discard: owner.discard,
      parse: (data) => parseTask(data, id),
      syncDirectory: sync,
      flushes,
      at: 'record',
    });
  }

  async function read(id: TaskId): Promise<Task | null> {
    const document = documentOf(id, syncDirectory);
    try {
      await document.read();
    } catch (error) {
      if (!(error instanceof CorruptFile)) throw error;
      return quarantine(id, error);
    }
    return document.data;
  }

  /** Keeps the damaged file for its operator and puts a record in its place that its owner can understand. */
  async function quarantine(id: TaskId, reason: CorruptFile): Promise<Task> {
    const aside = join(layout.corrupt, `${id}.json`);
    const text = (await orNull(disk.read(layout.record(id), 'corrupt.read'))) ?? '';
    await disk.link(layout.record(id), aside, 'corrupt.link').catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST', 'ENOENT')) throw error;
    });
    const payload = await orNull(disk.stat(layout.payload(id), 'corrupt.payload'));
    const task = finishTask(
      salvage(id, text, payload?.bytes ?? 0, options.now()),
      { status: 'failed', error: recordCorrupt },
      options.now(),
    );
    await write(task);
    logger.error({ err: reason, taskId: id, aside }, 'a task record was damaged; it was set aside, and the task failed');
    return task;
  }

  async function write(task: Task): Promise<void> {
    await commit(documentOf(task.id, syncDirectory), task);
  }

  async function show(task: Task): Promise<void> {
    await commit(documentOf(task.id, nobody, false), task);
  }

  return {
    read,
    async peek(id) {
      const document = documentOf(id, syncDirectory);
      await document.read().catch((error: unknown) => {
        if (!(error instanceof CorruptFile)) throw error;
      });
      return document.data;
    },
    write,
    note: (task, how) => (task.password === undefined ? log.write({ task }, () => show(task), how) : write(task)),
    show,
    place: (task) => commit(documentOf(task.id, nobody), task),
    async ensureBucket(id) {
      const name = bucketName(id);
      if (buckets.has(name)) return;
      await disk.mkdir(layout.bucket(id), 'bucket.create');
      await syncDirectory(layout.tasks, 'bucket.sync');
      buckets.add(name);
      if (buckets.size > 64) buckets.delete(buckets.values().next().value as string);
    },
  };
}

/** For a folder that is flushed later, or need not be. */
const nobody: DirectorySync = () => Promise.resolve();

/** @throws CorruptFile for anything but a whole record of this task. */
export function parseTask(data: unknown, id: TaskId): Task {
  const task = data as Task;
  const whole =
    typeof data === 'object' &&
    data !== null &&
    task.id === id &&
    [task.docId, task.filename].every(isText) &&
    /^([0-9a-f]{64})?$/.test(String(task.sha256)) &&
    [task.declaredMediaType, task.keyId, task.callbackUrl, task.owner, task.password].every(
      (value) => value == null || isText(value),
    ) &&
    [task.createdAt, task.updatedAt].every(isTime) &&
    [task.startedAt, task.finishedAt].every((value) => value == null || isTime(value)) &&
    Object.entries(descriptionShapes).every(([name, fits]) => fits(task[name as keyof Description] ?? null)) &&
    taskStatuses.includes(task.status) &&
    taskLanes.includes(task.lane) &&
    [task.fileBytes, task.attempts, task.attemptsMax, task.revision, task.ordinal ?? 0].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    ) &&
    (task.status === 'completed' ? isResult(task.result) : task.result == null) &&
    (task.status === 'failed' ? isError(task.error) : task.error == null);
  if (!whole) throw new CorruptFile('not the record of this task');
  return withOrdinal(task);
}

function isResult(result: Task['result']): boolean {
  if (result === null || typeof result !== 'object') return false;
  const { message, filename, mediaType, title, pages, chunks, characters, unchanged, superseded, warnings } = result;
  return (
    [message, filename, mediaType].every(isText) &&
    (title === null || isText(title)) &&
    [pages ?? 0, chunks, characters].every((value) => Number.isSafeInteger(value) && value >= 0) &&
    [unchanged, superseded].every((value) => typeof value === 'boolean') &&
    Array.isArray(warnings) &&
    warnings.every(isText)
  );
}

function isError(error: Task['error']): boolean {
  return (
    error !== null &&
    typeof error === 'object' &&
    isText(error.code) &&
    isText(error.message) &&
    typeof error.retryable === 'boolean'
  );
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** What can still be made out of a damaged record. */
function salvage(id: TaskId, text: string, fileBytes: number, now: string): Task {
  const field = (name: string): string => {
    const found = new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*")`).exec(text)?.[1];
    try {
      return found === undefined ? '' : (JSON.parse(found) as string);
    } catch {
      return '';
    }
  };
  const fields: NewTask = {
    id,
    docId: field('docId'),
    filename: field('filename'),
    fileBytes,
    sha256: field('sha256'),
    declaredMediaType: null,
    ...undescribed,
    keyId: field('keyId') || null,
    callbackUrl: field('callbackUrl') || null,
    lane: 'small',
    attemptsMax: 1,
    createdAt: field('createdAt') || now,
  };
  return createTask(fields, Number(/"ordinal":(\d{1,15})[,}]/.exec(text)?.[1] ?? 0));
}
