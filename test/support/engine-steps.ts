/** What a front end and a dispatcher do with an engine, in words that tests can use. */
import { watchedLogger } from './leaks.ts';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { v7 } from 'uuid';
import type { Engine } from '../../src/storage/engine.ts';
import type { Receipt } from '../../src/storage/file-store.ts';
import type { Logger } from '../../src/logger.ts';
import type { Lease } from '../../src/tasks/task-queue.ts';
import type { IndexedDocument } from '../../src/search/document-index.ts';
import {
  type NewTask,
  type Task,
  type TaskId,
  type TaskLane,
  taskLanes,
  type TaskOutcome,
  type TaskResult,
} from '../../src/tasks/task.ts';
import { undescribed } from '../../src/tasks/given.ts';

export const newId = (): TaskId => v7() as TaskId;

export const silentLogger: Logger = watchedLogger();

export type UploadChoices = {
  readonly id?: TaskId;
  readonly docId?: string;
  readonly lane?: TaskLane;
  readonly attemptsMax?: number;
  readonly filename?: string;
  readonly caller?: string;
  readonly createdAt?: string;
};

/** Uploads `text` and returns its waiting task. */
export async function upload(engine: Engine, text: string, choices: UploadChoices = {}): Promise<Task> {
  const receipt = await engine.files.receive({ bytesMax: 10_000_000, bytesExpected: text.length });
  try {
    receipt.stream.end(text);
    await finished(receipt.stream);
    return await engine.submit(newTask(receipt, choices), receipt);
  } catch (error) {
    await receipt.discard();
    throw error;
  }
}

/** The fields of a task for a received file. */
export function newTask(receipt: Receipt, choices: UploadChoices = {}): NewTask {
  const id = choices.id ?? newId();
  return {
    id,
    docId: choices.docId ?? `doc-${id}`,
    filename: choices.filename ?? '报告.txt',
    fileBytes: receipt.bytes,
    sha256: receipt.sha256,
    declaredMediaType: 'text/plain',
    ...undescribed,
    keyId: null,
    ...(choices.caller === undefined ? {} : { caller: choices.caller }),
    callbackUrl: null,
    lane: choices.lane ?? 'small',
    attemptsMax: choices.attemptsMax ?? 3,
    createdAt: choices.createdAt ?? new Date().toISOString(),
  };
}

/** The next task, which must be there within `deadlineMs`. */
export async function claimNext(engine: Engine, lanes: readonly TaskLane[] = taskLanes, deadlineMs = 120_000): Promise<Lease> {
  const lease = await engine.queue.claim(lanes, AbortSignal.timeout(deadlineMs));
  if (lease === null) throw new Error(`nothing to claim within ${deadlineMs} ms`);
  return lease;
}

/** The next task, begun. */
export async function beginNext(engine: Engine): Promise<{ lease: Lease; task: Task }> {
  const lease = await claimNext(engine);
  const begun = await engine.tasks.begin(lease.taskId);
  if (begun.outcome !== 'started') throw new Error(`expected to begin, got ${begun.outcome}`);
  return { lease, task: begun.task };
}

export const failedOutcome: TaskOutcome = {
  status: 'failed',
  error: { code: 'no_text', message: 'No text found in 报告.txt', retryable: false },
};

export function completedOutcome(task: Task): TaskOutcome {
  const result: TaskResult = {
    message: 'Document processed successfully',
    filename: task.filename,
    mediaType: 'text/plain',
    title: null,
    pages: null,
    chunks: 1,
    characters: task.fileBytes,
    unchanged: false,
    superseded: false,
    warnings: [],
  };
  return { status: 'completed', result };
}

export function indexedDocument(task: Task): IndexedDocument {
  return {
    docId: task.docId,
    version: task.id,
    ordinal: task.ordinal,
    filename: task.filename,
    mediaType: 'text/plain',
    fileBytes: task.fileBytes,
    sha256: task.sha256,
    title: null,
    givenTitle: null,
    author: null,
    language: null,
    pages: null,
    chunks: 1,
    characters: task.fileBytes,
    ...undescribed,
    insertedAt: new Date().toISOString(),
    embedder: 'none',
    declaredMediaType: task.declaredMediaType,
    reading: null,
    warnings: [],
  };
}

/** A finished scratch folder, as a worker thread leaves it. */
export async function stage(engine: Engine, task: Task): Promise<string> {
  const folder = await engine.files.scratch(task.id);
  await writeFile(join(folder, 'content.md'), `# ${task.filename}\n`);
  await writeFile(join(folder, 'chunks.ndjson'), '');
  await writeFile(join(folder, 'meta.json'), JSON.stringify({ document: indexedDocument(task), dimensions: 0 }));
  return folder;
}

/** Everything a dispatcher does after a document was read. Returns how the task ended. */
export async function settle(engine: Engine, lease: Lease, task: Task): Promise<'completed' | 'failed' | 'fenced'> {
  await engine.files.publish(task.docId, task, await stage(engine, task));
  const meta = await engine.files.localPath({ kind: 'document', docId: task.docId, version: task.id, part: 'meta.json' });
  const switched = meta === null ? 'stale' : await engine.index.replace(indexedDocument(task), dirname(meta));
  if (switched === 'ok') await engine.files.settle(task.docId, task);
  else await engine.files.unpublish(task.docId, task.id);
  const outcome = switched === 'revoked' ? failedOutcome : completedOutcome(task);
  if ((await engine.tasks.finish(task.id, task.attempts, outcome)) === 'fenced') return 'fenced';
  await lease.ack();
  return outcome.status;
}
