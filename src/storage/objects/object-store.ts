/** Port: bytes by key outside of this machine and of every transaction. */
import type { Readable } from 'node:stream';
import type { ByteRange } from '../file-store.ts';
import type { StoreFigures, StoreState } from '../engine.ts';

/** What is stored: bytes in memory, or a file of the local disk that does not change meanwhile. */
export type ObjectSource = { readonly bytes: number; readonly content: Uint8Array | { readonly path: string } };

/** Why a store cannot be used, in one sentence for its operator: the cause of what its methods throw. */
export class StoreFault extends Error {
  /** Whether it stays so until somebody changes a setting, or something at the store. */
  readonly isLasting: boolean;

  constructor(message: string, { isLasting = false, cause }: { isLasting?: boolean; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreFault';
    this.isLasting = isLasting;
  }
}

export interface ObjectStore {
  /**
   * Durable when it returns. Safe twice. What arrives is checked by its SHA-256.
   * @throws AppError `unavailable`: the store cannot be used now; `insufficient_storage`: it has no room. It may be there nevertheless.
   */
  put(key: string, source: ObjectSource): Promise<void>;
  /**
   * All of it, or a part; null when there is none, or no such part of it. `bytes`: of the whole object. Memory does not grow with it. A connection that breaks midway is made anew where
   * it broke, as long as the object is the same; what is shorter or longer than was said is an error.
   * @throws AppError `unavailable`, also from the stream.
   */
  get(key: string, range: ByteRange | null): Promise<{ readonly stream: Readable; readonly bytes: number } | null>;
  /** Safe twice, and for what was never there. @throws AppError `unavailable`. */
  delete(key: string): Promise<void>;
  /** All keys that begin so, a page at a time; what is put or deleted meanwhile may be among them or not. @throws AppError `unavailable`. */
  list(prefix: string): AsyncIterable<readonly string[]>;
  /** Asks it, at most every few seconds while all is well, more often when it failed last. Bounded by 3 s. */
  state(): Promise<StoreState>;
  figures(): StoreFigures;
}
