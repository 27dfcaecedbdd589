/** What an engine needs of a file store that is not its own: bytes by task, kept before their task exists. */
import type { CollectionStore } from './collection-store.ts';
import type { FileStore, Receipt } from './file-store.ts';
import type { TaskId } from '../tasks/task.ts';
import type { StoreState } from './engine.ts';

export interface ContentFiles extends FileStore {
  /** Kept beside the files. */
  readonly collections: CollectionStore;
  /** Makes a whole receipt the payload of a task that is about to be created. Durable when it returns. */
  keep(receipt: Receipt, taskId: TaskId): Promise<void>;
  /** Safe twice. */
  dropPayload(taskId: TaskId): Promise<void>;
  /** Removes what attempts at a task have left in this process's own space. */
  tidy(taskId: TaskId): Promise<void>;
  /** The owner is gone: what it has not published yet never will be. Safe twice. */
  fence(owner: string): Promise<void>;
  /**
   * Removes what crashes left: payloads that no task needs, versions that no index shows and no live task will, and the space of
   * owners that are gone. Returns how many were removed.
   */
  sweep(questions: {
    readonly isAlive: (owner: string) => Promise<boolean>;
    readonly needsPayload: (id: TaskId) => Promise<boolean>;
    readonly isLive: (id: TaskId) => Promise<boolean>;
    readonly isCurrent: (docId: string, version: TaskId) => Promise<boolean>;
  }): Promise<number>;
  /** Does what frees room, with what is kept back for it when there is none. `work` is safe twice. */
  makeRoom<T>(work: () => Promise<T>): Promise<T>;
  /** Checked now, cheaply. */
  state(): Promise<StoreState>;
  /** Gives up this process's own space; nothing is received afterwards. Safe twice. */
  close(): Promise<void>;
}

/** The process on whose behalf files are written. `lost` aborts when it was declared dead. */
export type ContentOwner = { readonly id: string; readonly lost: AbortSignal };
