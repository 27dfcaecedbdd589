/**
 * A task: one uploaded file on its way to being searchable. Pure data and the only legal steps between
 * its statuses; nothing here touches a disk, a clock or the network.
 *
 *   pending ──begin──▶ processing ──finish──▶ completed | failed
 *      ▲                  │ release (stop: attempt not counted; crash: counted)
 *      └──────────────────┘
 *   pending ──cancel──▶ failed          failed ──retry──▶ pending
 */
import type { DocumentErrorCode } from '../errors.ts';
import type { Description, Given } from './given.ts';

/** UUIDv7 in lower case: a name, whose order is that of the clocks of those who gave it. What came first `Task.ordinal` tells. */
export type TaskId = string & { readonly __brand: 'TaskId' };

export const taskStatuses = ['pending', 'processing', 'completed', 'failed'] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export const taskStages = ['queued', 'parsing', 'chunking', 'embedding', 'indexing', 'done'] as const;
export type TaskStage = (typeof taskStages)[number];

/** Which of the two queues a task waits in: small files go first, large ones are never starved. */
export const taskLanes = ['small', 'large'] as const;
export type TaskLane = (typeof taskLanes)[number];

/** What a completed task says. What its document has now, given with this upload or kept, is absent of tasks that ended before it was noted. */
export type TaskResult = Partial<Description> & {
  readonly message: 'Document processed successfully';
  readonly filename: string;
  readonly mediaType: string;
  readonly title: string | null;
  /** Pages, slides or sheets; null where the format has none. */
  readonly pages: number | null;
  readonly chunks: number;
  readonly characters: number;
  /** The same bytes were already searchable under this doc_id; nothing was done again. */
  readonly unchanged: boolean;
  /** A newer upload of the same doc_id was completed first; this version was not made searchable. */
  readonly superseded: boolean;
  readonly warnings: readonly string[];
};

export type TaskError = {
  readonly code: DocumentErrorCode;
  /** One sentence for the person who uploaded the file. */
  readonly message: string;
  /** Whether `POST /task/{id}/retry` may end better. */
  readonly retryable: boolean;
};

/** The durable record. Times are ISO 8601 UTC with milliseconds; sizes are bytes. */
export type Task = Given & {
  readonly id: TaskId;
  /**
   * Its place in the order in which the store has accepted uploads and removals, whatever any clock says: the greater was later. 0: it
   * was accepted by version 0.1.0, before all that have a number; those are in the order of their ids.
   */
  readonly ordinal: number;
  /** With its collection, as `scopedId` writes the two. */
  readonly docId: string;
  readonly fileBytes: number;
  /** Of the file's bytes, lower-case hex. */
  readonly sha256: string;
  /** Which API key uploaded it; null when no keys are in use. */
  readonly keyId: string | null;
  /** Whose turn it is when it runs: a token that says only whether two tasks are of the same key or address. Tasks of version 0.1.0 have none. */
  readonly caller?: string;
  readonly lane: TaskLane;
  readonly status: TaskStatus;
  /** Attempts begun, this one included; stored durably before the attempt runs. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** The process that runs it, while processing. */
  readonly owner: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly result: TaskResult | null;
  readonly error: TaskError | null;
  /** Grows by one with every durable write of the record. */
  readonly revision: number;
};

/** How far an attempt has come; advisory, never durable. */
export type TaskProgress = {
  readonly stage: TaskStage;
  /** 0–100; never goes back within an attempt. */
  readonly percent: number;
  readonly pagesDone: number | null;
  readonly pagesTotal: number | null;
  readonly chunksDone: number | null;
  readonly chunksTotal: number | null;
};

/** A task as a reader sees it: the record, and how far it has come. */
export type TaskSnapshot = {
  readonly task: Task;
  readonly progress: TaskProgress;
  /** Tasks that will be taken before it, while pending (an estimate); null otherwise. */
  readonly queuePosition: number | null;
};

/** The upload that one version of a document was made of, and so which of two versions is the newer one. */
export type Version = Pick<Task, 'id' | 'ordinal'>;

/** What makes a new task, when it is accepted; the rest follows. */
export type NewTask = Given &
  Pick<Task, 'id' | 'docId' | 'fileBytes' | 'sha256' | 'keyId' | 'caller' | 'lane' | 'attemptsMax' | 'createdAt'>;

/** How an attempt ended. */
export type TaskOutcome =
  | { readonly status: 'completed'; readonly result: TaskResult }
  | { readonly status: 'failed'; readonly error: TaskError };

export const cancelledByUser: TaskError = { code: 'cancelled', message: 'Task cancelled by user', retryable: true };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Stands where a removal, which is no task, must name one. */
export const noTask = '00000000-0000-0000-0000-000000000000' as TaskId;

/** Guards every path and every query that is made from an id given by a client. */
export function isTaskId(text: string): text is TaskId {
  return uuid.test(text);
}

/** A record as it was kept. @throws SyntaxError */
export function readTask(text: string): Task {
  return withOrdinal(JSON.parse(text) as Task);
}

/** Version 0.1.0 kept tasks and documents without a number. */
export function withOrdinal<T extends { readonly ordinal: number }>(kept: Omit<T, 'ordinal'> & { readonly ordinal?: number }): T {
  return { ...kept, ordinal: kept.ordinal ?? 0 } as T;
}

/** `id`, or when that is not greater than `other` (its clock was ahead), the one after `other`. */
export function taskIdAfter(other: TaskId, id: TaskId): TaskId {
  if (id > other) return id;
  const next = (BigInt(`0x${other.replaceAll('-', '')}`) + 1n).toString(16).padStart(32, '0');
  return next.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') as TaskId;
}

/** Whether one upload was accepted after another. */
export function isLater(one: Version, other: Version): boolean {
  return one.ordinal === other.ordinal ? one.id > other.id : one.ordinal > other.ordinal;
}

/** True for statuses that a task leaves only by an explicit retry. */
export function isTerminal(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed';
}

/** A pending task that nobody has begun. */
export function createTask(fields: NewTask, ordinal: number): Task {
  return {
    ...fields,
    ordinal,
    status: 'pending',
    attempts: 0,
    owner: null,
    updatedAt: fields.createdAt,
    startedAt: null,
    finishedAt: null,
    result: null,
    error: null,
    revision: 1,
  };
}

/** The next attempt, counted before it runs so that a crash cannot hide it. */
export function beginTask(task: Task, owner: string, now: string): Task {
  return step(task, now, {
    status: 'processing',
    attempts: task.attempts + 1,
    owner,
    startedAt: now,
    finishedAt: null,
    result: null,
    error: null,
  });
}

/** The end of a task; the password of its file is forgotten with it. */
export function finishTask({ password: _password, ...task }: Task, outcome: TaskOutcome, now: string): Task {
  return step(task, now, {
    status: outcome.status,
    owner: null,
    finishedAt: now,
    result: outcome.status === 'completed' ? outcome.result : null,
    error: outcome.status === 'failed' ? outcome.error : null,
  });
}

/** How a task ended; null while it has not. */
export function outcomeOf(task: Task | undefined): TaskOutcome | null {
  if (task?.status === 'completed' && task.result !== null) return { status: 'completed', result: task.result };
  if (task?.status === 'failed' && task.error !== null) return { status: 'failed', error: task.error };
  return null;
}

/** Back to waiting. `counted: false` gives the attempt back (a graceful stop is not the document's fault). */
export function releaseTask(task: Task, now: string, options: { counted: boolean }): Task {
  const attempts = options.counted ? task.attempts : Math.max(0, task.attempts - 1);
  return step(task, now, { status: 'pending', attempts, owner: null, startedAt: null });
}

/** A failed task waits again, with all its attempts before it. */
export function retryTask(task: Task, now: string): Task {
  return step(task, now, {
    status: 'pending',
    attempts: 0,
    owner: null,
    startedAt: null,
    finishedAt: null,
    result: null,
    error: null,
  });
}

/** The progress of a task that has not reported any. */
export function idleProgress(status: TaskStatus): TaskProgress {
  const done = status === 'completed';
  return {
    stage: isTerminal(status) ? 'done' : 'queued',
    percent: done ? 100 : 0,
    pagesDone: null,
    pagesTotal: null,
    chunksDone: null,
    chunksTotal: null,
  };
}

function step(task: Task, now: string, change: Partial<Task>): Task {
  // Another host's clock, or one that was set back, may be behind.
  const updatedAt = now > task.updatedAt ? now : task.updatedAt;
  return { ...task, ...change, updatedAt, revision: task.revision + 1 };
}
