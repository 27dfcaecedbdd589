/** Port: the page's sessions that ended before their time. */

/** What a session is judged by: when it ends, and what tells it from others. */
export type SessionEnd = {
  /** Unique; letters, digits and dashes. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
};

/**
 * The sessions that were logged out before their time, and the one clock by which those of all front ends begin and end. What was
 * logged out stays so whatever that clock says: where it is forgotten, all that end no later are refused from then on.
 */
export interface EndedSessions {
  /** Milliseconds since 1970, by the store's own clock. */
  nowMs(): Promise<number>;
  /** Whether it was logged out, or ends no later than one that was and is forgotten; and the time now. */
  look(session: SessionEnd): Promise<{ readonly hasEnded: boolean; readonly nowMs: number }>;
  /** Durable when it returns, and seen by every front end on the store. */
  add(session: SessionEnd): Promise<void>;
  /** Forgets those that would be over by now anyway. */
  sweep(): Promise<void>;
}
