/** Standard Webhooks 1.0 signatures (https://www.standardwebhooks.com, "Signature scheme": symmetric, `v1`). */
import { createHmac } from 'node:crypto';

const prefix = 'whsec_';
const secretBytesMin = 24;
const secretBytesMax = 64;

/** The bytes of a `whsec_…` secret. @throws Error with a sentence that never repeats the secret. */
export function parseSecret(text: string): Uint8Array {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : null;
  const bytes = Buffer.from(encoded ?? '', 'base64');
  const wellFormed = encoded !== null && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  if (!wellFormed || bytes.length < secretBytesMin || bytes.length > secretBytesMax)
    throw new Error(`${prefix} and the base64 of ${secretBytesMin} to ${secretBytesMax} random bytes`);
  return bytes;
}

/** A new secret from random bytes. */
export function writeSecret(random: Uint8Array): string {
  return `${prefix}${Buffer.from(random).toString('base64')}`;
}

/** The three headers of a message; one signature for each secret, so that a receiver may hold the old or the new one. */
export function signatureHeaders(id: string, body: string, sentAt: Date, secrets: readonly Uint8Array[]): Record<string, string> {
  const timestamp = Math.floor(sentAt.getTime() / 1000);
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
