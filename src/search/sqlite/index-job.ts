/** What passes between `threaded-index.ts` and its threads: a method of the index and its arguments, as plain data. */
import type { EmbedderSettings } from '../../embed/create-embedder.ts';
import type { ErrorCode } from '../../errors.ts';
import type { RerankerSettings } from '../models/create-reranker.ts';
import type { SqliteIndex } from './sqlite-index.ts';
import type { StopFlag } from '../stop.ts';

export type IndexMethod = Exclude<keyof SqliteIndex, 'close'>;

export type IndexJob<M extends IndexMethod = IndexMethod> = {
  readonly method: M;
  readonly args: Parameters<SqliteIndex[M]>;
  /** Of a search. */
  readonly stop?: StopFlag;
};

/** Errors lose their class between threads, so an expected one travels as a value. */
export type IndexOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      readonly cause?: unknown;
    };

/** What a thread opens its index with. */
export type IndexThreadSettings = {
  readonly indexDir: string;
  readonly embedder: EmbedderSettings;
  readonly reranker?: RerankerSettings;
  readonly translates?: boolean;
};
