/** Port: the first answers to requests with an `Idempotency-Key`, kept so that the same request again gets the same answer. */

/** An answer, as it was first given. */
export type KeptReply = {
  readonly status: number;
  /** The `Location` header. */
  readonly location: string | null;
  readonly body: object;
};

/** An answer, and what it was the answer to. */
export type KeptAnswer = {
  readonly fingerprint: string;
  readonly reply: KeptReply;
};

/** Where answers are kept, and how long they have been: only the store's own clock tells. */
export interface IdempotencyStore {
  /** Null also when it was kept longer ago than `maxMs`. */
  get(key: string, maxMs: number): Promise<KeptAnswer | null>;
  /** Durable when it returns. */
  put(key: string, answer: KeptAnswer): Promise<void>;
  /**
   * Keeps everybody else who shares the store from answering the same key at the same time. Null when somebody does; what a
   * killed process holds is free again after seconds. Returns the way to let go; it never rejects.
   */
  hold(key: string): Promise<(() => Promise<void>) | null>;
  /** Removes what was kept longer ago than `maxMs`. Returns how many went. */
  expire(maxMs: number): Promise<number>;
}
