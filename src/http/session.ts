/**
 * The page's login: a signed cookie value that names a key, an end and itself. It holds across restarts and for several front
 * ends on one data directory; it ends with its time, at logout, or when its key is removed or changed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from './api-keys.ts';

export const sessionCookie = 'rag_session';

export type Session = {
  /** Unique; letters, digits and dashes. */
  readonly id: string;
  readonly key: ApiKey;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
};

/** What a session is judged by: when it ends, and what tells it from others. */
export type SessionEnd = Pick<Session, 'id' | 'expiresMs'>;

/**
 * Port: the sessions that were logged out before their time, and the one clock by which those of all front ends begin and end. What was
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

/** A value that `readSession` accepts until its end. */
export function writeSession(secret: Uint8Array, { id, key, expiresMs }: Session): string {
  const claim = `${Buffer.from(key.name).toString('base64url')}.${expiresMs.toString(36)}.${id}`;
  return `${claim}.${sign(secret, key, claim)}`;
}

/** The session behind a cookie value, or null when it is forged or its key is no more. Whether it has ended is not seen here. */
export function readSession(secret: Uint8Array, keys: readonly ApiKey[], value: string): Session | null {
  const [name = '', expires = '', id = '', signature = ''] = value.split('.');
  const key = keys.find((candidate) => candidate.name === Buffer.from(name, 'base64url').toString());
  const expiresMs = Number.parseInt(expires, 36);
  if (key === undefined || Number.isNaN(expiresMs)) return null;
  const expected = Buffer.from(sign(secret, key, `${name}.${expires}.${id}`));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) ? { id, key, expiresMs } : null;
}

/** Clocks are set right by less than this without a login ending by it. */
const correctionMs = 3_600_000;

/**
 * Whether a session's time is now. One that would last longer than any (`sessionMs`) was begun by a clock that was ahead and has been set
 * back since: it must not last until the clock is there again.
 */
export function isNow({ expiresMs }: SessionEnd, sessionMs: number, nowMs: number): boolean {
  return nowMs < expiresMs && expiresMs <= nowMs + sessionMs + correctionMs;
}

/** The key's digest takes part, so that a changed key ends its sessions. */
function sign(secret: Uint8Array, key: ApiKey, claim: string): string {
  return createHmac('sha256', secret).update(key.sha256).update(claim).digest('base64url');
}
