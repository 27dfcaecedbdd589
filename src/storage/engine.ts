/** Port: one place to keep everything: tasks, queue, files and index, and the two steps that span them. */
import type { CollectionStore } from './collection-store.ts';
import type { FileStore, Receipt } from './file-store.ts';
import type { TaskQueue } from '../tasks/task-queue.ts';
import type { DocumentIndex } from '../search/document-index.ts';
import type { NewTask, Task } from '../tasks/task.ts';
import type { TaskStore } from '../tasks/task-store.ts';

/** Whether uploads can be taken now. `reason` is for operators, never for clients. */
export type StoreState =
  | { readonly state: 'ready' }
  | { readonly state: 'full' | 'read_only' | 'unusable'; readonly reason: string };

/** `lagMs`: how long ago the primary was where it is now, at most; null: not known, or longer than a minute. `asked`: whether it is. */
export type Standby = { readonly name: string; readonly lagMs: number | null; readonly asked: boolean };

/** A received file and the task that is to be made of it. */
export type Arrival = { readonly task: NewTask; readonly receipt: Receipt };

export type StoreOperation = 'put' | 'get' | 'delete' | 'list' | 'probe';

/** What an object store was asked since this process began; tries are counted one by one. */
export type StoreFigures = {
  /** `outcome`: `ok`, `absent`, the status of a refusal, `silent` (no answer in time) or `broken` (no connection, or not to its end). */
  readonly requests: readonly { readonly operation: StoreOperation; readonly outcome: string; readonly count: number }[];
  /** Until the answer began: of what is got, its bytes come after that. */
  readonly seconds: readonly { readonly operation: StoreOperation; readonly seconds: number }[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
};

export interface Engine {
  readonly tasks: TaskStore;
  readonly queue: TaskQueue;
  readonly files: FileStore;
  readonly index: DocumentIndex;
  readonly collections: CollectionStore;
  /**
   * The next number of the order in which uploads and removals are accepted here (`submit` takes one itself): greater than all that
   * any process was given before, and never given again, whatever crashes and whatever the clocks say.
   * @throws AppError `unavailable`
   */
  nextOrdinal(): Promise<number>;
  /** All numbers from now on are greater than this one: for what comes from another engine. Durable. Safe twice. */
  continueAfter(ordinal: number): Promise<void>;
  /**
   * Keeps a received file and makes it a task that waits in the queue: all of it durable (file, record, queue entry and
   * their directories) when this returns, none of it visible when it throws.
   * @throws AppError `insufficient_storage` (no room), `unavailable` (the disk refuses writes).
   */
  submit(task: NewTask, receipt: Receipt): Promise<Task>;
  /**
   * `submit` of many small files, which share what that costs where the engine can: each is durable, or refused and not visible,
   * by itself. Those of one doc_id keep their order.
   */
  submitAll(arrivals: readonly Arrival[]): Promise<readonly PromiseSettledResult<Task>[]>;
  /**
   * Does the steps of `work` on this engine as one, where it can: all of them or none become visible, and none when this process
   * was declared dead meanwhile. The file engine does them one after the other; each is idempotent. May run `work` again.
   */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Takes over a task of another engine as it is, with its id, its state and its file (null: it needs none): one that waited waits
   * here, one that ended is kept. Never one that runs. Durable when it returns. Safe twice, also after a crash in the middle.
   */
  importTask(task: Task, receipt: Receipt | null): Promise<void>;
  /** Processes beside this one that use the same place and have not been found dead. */
  others(): Promise<readonly string[]>;
  /** Standbys of the database that answer questions, as they were found at the last look. */
  standbys?(): readonly Standby[];
  /** Checked now, cheaply. */
  state(): Promise<StoreState>;
  /** Aborts when another process has declared this one dead: stop at once, write nothing more. */
  readonly lost: AbortSignal;
  /** Gives up what this process holds; safe twice. */
  close(): Promise<void>;
}
