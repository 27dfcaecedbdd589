/**
 * The page's login: a signed cookie value that names a key and an end. Stateless, so that it holds across restarts and for
 * several front ends on one data directory; it ends with its time, or when its key is removed or changed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ApiKey } from './api-keys.ts';

export const sessionCookie = 'rag_session';

/** A value that `readSession` accepts until `expiresMs` (milliseconds since 1970). */
export function writeSession(secret: Uint8Array, key: ApiKey, expiresMs: number): string {
  const claim = `${Buffer.from(key.name).toString('base64url')}.${expiresMs.toString(36)}`;
  return `${claim}.${sign(secret, key, claim)}`;
}

/** The key behind a cookie value, or null when it is forged, over, or its key is no more. */
export function readSession(secret: Uint8Array, keys: readonly ApiKey[], value: string, nowMs: number): ApiKey | null {
  const [name = '', expires = '', signature = ''] = value.split('.');
  const key = keys.find((candidate) => candidate.name === Buffer.from(name, 'base64url').toString());
  if (key === undefined || !(Number.parseInt(expires, 36) > nowMs)) return null;
  const expected = Buffer.from(sign(secret, key, `${name}.${expires}`));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected) ? key : null;
}

/** The key's digest takes part, so that a changed key ends its sessions. */
function sign(secret: Uint8Array, key: ApiKey, claim: string): string {
  return createHmac('sha256', secret).update(key.sha256).update(claim).digest('base64url');
}
