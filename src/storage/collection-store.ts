/** Port: which collections there are, and what is said of each; what is in them the index and the tasks know. */
import type { Collection } from '../documents/collection.ts';

/**
 * One that is being removed is in neither `all` nor `get`, in no process, from the return of `beginRemoval` on, and cannot be made
 * again before `endRemoval`.
 */
export interface CollectionStore {
  /** By their names. Cheap while nothing changes, however many there are. */
  all(): Promise<readonly Collection[]>;
  get(name: string): Promise<Collection | null>;
  /** Those whose records cannot be read. They count as there, with nothing said of them, so that their documents are not lost with that. */
  damaged(): Promise<readonly string[]>;
  /** Makes or changes it. Durable. False: it is being removed. */
  put(collection: Collection): Promise<boolean>;
  /** Durable. Safe twice. False when there is none. */
  beginRemoval(name: string): Promise<boolean>;
  /** Those whose removal has begun and not ended: whoever finds one may go on with it. */
  removals(): Promise<readonly string[]>;
  /** Durable. Safe twice. */
  endRemoval(name: string): Promise<void>;
}
