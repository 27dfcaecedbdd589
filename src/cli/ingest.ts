/**
 * Brings files to a server and says what became of each. Nothing is remembered here: what a run before this one achieved is
 * asked from the server (documents with the same bytes, tasks still on their way), so the same command again goes on where
 * it stopped, from any machine.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { type ApiClient, problemOf, sentenceOf } from './api-client.ts';
import { CliError } from './cli-error.ts';
import { descriptionIn, type DescriptionOptions, descriptionQuery, isSaidOf } from './description-options.ts';
import type { ListedFile, UnreadableEntry } from './file-list.ts';
import type { IngestProgress } from './ingest-progress.ts';
import type { FileOutcome, IngestReport } from './ingest-report.ts';
import { fileSize } from './terminal-text.ts';
import { createSmallFiles, type SmallFiles } from './small-files.ts';
import type { WireDocument, WireServerConfig, WireTask, WireTaskPage } from './wire-records.ts';

export type IngestOptions = DescriptionOptions & {
  readonly client: ApiClient;
  readonly files: readonly ListedFile[];
  /** What cannot be sent; it is in the report as failed. */
  readonly unreadable: readonly UnreadableEntry[];
  /** Documents on their way at once. */
  readonly parallel: number;
  /** Send everything, whatever is there already. */
  readonly again: boolean;
  readonly callbackUrl: string | null;
  /** Opens those that are protected; null: none. */
  readonly password?: string | null;
  readonly progress: IngestProgress;
  /** Longest time that one request waits for the end of a task. */
  readonly waitSeconds: number;
  /** Aborts: nothing new is begun. */
  readonly signal: AbortSignal;
};

/** So many small files are on their way where one large one would be: the lines of one batch. */
const smallAtOnce = 4;
const smallAtOnceMax = 64;

/** 100,000 tasks: as many as a full day may leave. */
const taskPagesMax = 100;

/** Never throws for one file's sake: whatever happens to it is in the report. What ends the whole run is `stopped`, in words. */
export async function ingest(options: IngestOptions): Promise<{ report: IngestReport; stoppedBy: CliError | null }> {
  const { client, files, progress, signal } = options;
  const startedAt = performance.now();
  const outcomes = new Map<ListedFile, FileOutcome>();
  let stoppedBy: CliError | null = null;
  try {
    const config = await client.json<WireServerConfig>({ path: ['config'] });
    const earlier = options.again ? new Map<string, WireTask>() : await newestTasks(options);
    progress.begin(files.length);
    const small = createSmallFiles(client, { password: options.password ?? null, ...descriptionIn(options) });
    // A line of a batch says nothing of where to tell of its end.
    const isSmall = (file: ListedFile): boolean => options.callbackUrl === null && small.takes(file);
    const bringOne = async (file: ListedFile): Promise<void> => {
      if (signal.aborted || stoppedBy !== null) return;
      try {
        const sendIt = isSmall(file) ? () => sendSmall(file, small, options) : () => send(file, options);
        outcomes.set(file, await bring(file, { config, earlier: earlier.get(file.docId), send: sendIt }, options));
      } catch (error) {
        // The server is gone or refuses the key: that is no one file's fault.
        if (error instanceof CliError) return void (stoppedBy ??= error);
        outcomes.set(file, outcome(file, 'failed', { error: `The file could not be sent: ${(error as Error).message}` }));
      }
      progress.done(outcomes.get(file)!);
    };
    const { smalls = [], others = [] } = Object.groupBy(files, (file) => (isSmall(file) ? 'smalls' : 'others'));
    await Promise.all([
      inParallel(smalls, Math.min(options.parallel * smallAtOnce, smallAtOnceMax), bringOne),
      inParallel(others, options.parallel, bringOne),
    ]);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    stoppedBy = error;
  } finally {
    progress.end();
  }
  const documents = [
    ...files.map((file) => outcomes.get(file) ?? outcome(file, 'not_sent')),
    ...options.unreadable.map(({ path, error }) => ({
      ...outcome({ path, docId: '' }, 'failed', { error }),
      doc_id: null,
    })),
  ];
  const count = (wanted: FileOutcome['outcome']): number => documents.filter((document) => document.outcome === wanted).length;
  return {
    stoppedBy,
    report: {
      files: documents.length,
      inserted: count('inserted'),
      present: count('present'),
      failed: count('failed'),
      not_sent: count('not_sent'),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      stopped: stoppedBy?.message ?? (signal.aborted ? 'Interrupted.' : null),
      documents,
    },
  };
}

async function bring(
  file: ListedFile,
  { config, earlier, send: sendIt }: { config: WireServerConfig; earlier: WireTask | undefined; send: () => Promise<FileOutcome> },
  options: IngestOptions,
): Promise<FileOutcome> {
  const { progress } = options;
  progress.at(file.path, 'checking', 0);
  if (Array.from(file.docId).length > 256)
    return outcome(file, 'failed', { error: 'The doc_id would be longer than 256 characters.' });
  if (file.bytes > config.file_bytes_max)
    return outcome(file, 'failed', {
      error: `The file is too large: the server accepts ${fileSize(config.file_bytes_max)} at most.`,
    });
  if (!options.again) {
    const known = await whatIsKnown(file, earlier, options);
    if (known instanceof Error) return outcome(file, 'failed', { error: known.message });
    if (known?.outcome !== undefined) return known.outcome;
    if (known?.taskId !== undefined) return follow(file, known.taskId, options);
  }
  progress.at(file.path, 'sending', 0);
  return sendIt();
}

/** What an earlier run left of this very file: its end, or a task to follow. Null: it must be sent. An Error: it cannot be read. */
async function whatIsKnown(
  file: ListedFile,
  earlier: WireTask | undefined,
  options: IngestOptions,
): Promise<{ outcome?: FileOutcome; taskId?: string } | null | Error> {
  const document = await documentOf(file, options.client);
  const sameSize = document?.file_size === file.bytes || earlier?.file_size === file.bytes;
  if (!sameSize) return null;
  const sha256 = await digest(file.path).catch((error: unknown) => error as Error);
  if (sha256 instanceof Error) return new Error(`The file could not be read: ${sha256.message}`);
  // The server finds the bytes unchanged then, and takes what is said of them.
  if (!isSaidOf(document, options)) return null;
  if (document?.sha256 === sha256)
    return { outcome: outcome(file, 'present', { task_id: document.task_id, pages: document.pages, chunks: document.chunks }) };
  if (earlier?.sha256 !== sha256) return null;
  if (earlier.status === 'pending' || earlier.status === 'processing') return { taskId: earlier.task_id };
  // The same bytes would fail again in the same way.
  return earlier.status === 'failed' && earlier.retryable !== true ? { outcome: ended(file, earlier) } : null;
}

async function documentOf(file: ListedFile, client: ApiClient): Promise<WireDocument | null> {
  const reply = await client.send({ path: ['documents', file.docId] });
  return reply.status === 200 ? (JSON.parse(reply.text) as WireDocument) : null;
}

/** With others, and by itself where that leaves open what became of it. */
async function sendSmall(file: ListedFile, small: SmallFiles, options: IngestOptions): Promise<FileOutcome> {
  const answer = await small.send(file);
  if (answer === null) return send(file, options);
  if ('task_id' in answer) return follow(file, answer.task_id, options);
  return outcome(file, 'failed', { error: answer.error.detail, error_code: answer.error.code });
}

async function send(file: ListedFile, options: IngestOptions): Promise<FileOutcome> {
  const reply = await options.client.send({
    method: 'PUT',
    path: ['documents', file.docId],
    query: { filename: basename(file.path), callback_url: options.callbackUrl ?? undefined, ...descriptionQuery(options) },
    headers: { prefer: 'respond-async', 'content-type': 'application/octet-stream', ...passwordHeader(options.password ?? null) },
    file,
  });
  const body = problemOf(reply);
  if (reply.status === 200 || reply.status === 202) return follow(file, String(body?.['task_id']), options);
  const { task_id, error_code, code } = body ?? {};
  return outcome(file, 'failed', {
    error: sentenceOf(reply),
    task_id: typeof task_id === 'string' ? task_id : null,
    error_code: typeof error_code === 'string' ? error_code : typeof code === 'string' ? code : null,
  });
}

/** In UTF-8, which a header carries as bytes. */
function passwordHeader(password: string | null): Record<string, string> {
  return password === null ? {} : { 'x-document-password': Buffer.from(password).toString('latin1') };
}

async function follow(
  file: ListedFile,
  taskId: string,
  { client, progress, waitSeconds, signal }: IngestOptions,
): Promise<FileOutcome> {
  for (;;) {
    const reply = await client.send({ path: ['task', taskId], query: { wait: waitSeconds } });
    if (reply.status !== 200) return outcome(file, 'failed', { task_id: taskId, error: sentenceOf(reply) });
    const task = JSON.parse(reply.text) as WireTask;
    if (task.status === 'completed' || task.status === 'failed') return ended(file, task);
    progress.at(file.path, task.stage, task.progress.percent);
    // It goes on without us; the next run finds it.
    if (signal.aborted) return outcome(file, 'not_sent', { task_id: taskId, error: 'Still being processed.' });
  }
}

function ended(file: ListedFile, task: WireTask): FileOutcome {
  if (task.status === 'failed')
    return outcome(file, 'failed', { task_id: task.task_id, error: task.error, error_code: task.error_code });
  return outcome(file, 'inserted', {
    task_id: task.task_id,
    pages: task.result?.pages ?? null,
    chunks: task.result?.chunks ?? null,
  });
}

function outcome(
  file: Pick<ListedFile, 'path' | 'docId'>,
  kind: FileOutcome['outcome'],
  more: Partial<FileOutcome> = {},
): FileOutcome {
  const nothing = { task_id: null, error: null, error_code: null, pages: null, chunks: null };
  return { path: file.path, doc_id: file.docId, outcome: kind, ...nothing, ...more };
}

/** The newest task of each of the files' documents. */
async function newestTasks({ client, files }: IngestOptions): Promise<Map<string, WireTask>> {
  const wanted = new Set(files.map(({ docId }) => docId));
  const newest = new Map<string, WireTask>();
  let cursor: string | undefined;
  for (let pages = 0; pages < taskPagesMax; pages += 1) {
    const page = await client.json<WireTaskPage>({ path: ['tasks'], query: { limit: 1000, cursor } });
    for (const task of page.tasks) if (wanted.has(task.doc_id) && !newest.has(task.doc_id)) newest.set(task.doc_id, task);
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  return newest;
}

/** Its SHA-256, in hexadecimal. */
export async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

async function inParallel<T>(items: readonly T[], parallel: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}
