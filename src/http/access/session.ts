/**
 * The page's login: a signed cookie value that names a key, an end and itself. It holds across restarts and for several front
 * ends on one data directory; it ends with its time, at logout, or when its key is removed or changed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SessionEnd } from '../../storage/ended-sessions.ts';
import type { ApiKey } from './api-keys.ts';
import { holderNamed, type UserRule } from './users.ts';

export const sessionCookie = 'rag_session';

export type Session = {
  /** Unique; letters, digits and dashes. */
  readonly id: string;
  readonly key: ApiKey;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
};

/** A value that `readSession` accepts until its end. */
export function writeSession(secret: Uint8Array, { id, key, expiresMs }: Session): string {
  const claim = `${Buffer.from(key.name).toString('base64url')}.${expiresMs.toString(36)}.${id}`;
  return `${claim}.${sign(secret, key, claim)}`;
}

/** The session behind a cookie value, or null when it is forged or its key or person is no more. Whether it has ended is not seen here. */
export function readSession(
  secret: Uint8Array,
  keys: readonly ApiKey[],
  value: string,
  users: readonly UserRule[] = [],
): Session | null {
  const [name = '', expires = '', id = '', signature = ''] = value.split('.');
  const holder = Buffer.from(name, 'base64url').toString();
  const key = keys.find((candidate) => candidate.name === holder) ?? holderNamed(users, holder);
  const expiresMs = Number.parseInt(expires, 36);
  if (key === null || Number.isNaN(expiresMs)) return null;
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
