/** Token buckets, one for each key or address. Memory is bounded: of too many clients the longest unseen is forgotten. */
import type { Context } from 'koa';
import { AppError } from '../errors.ts';

const clientsMax = 10_000;

export interface RateLimiter {
  /**
   * Counts a request and tells the client where it stands (draft-ietf-httpapi-ratelimit-headers).
   * @throws AppError `rate_limited` with the seconds to wait.
   */
  check(ctx: Context, client: string): void;
}

/** Allows `perSecond` requests a second on average and twice that in a burst. `nowMs` must not go back. */
export function createRateLimiter(perSecond: number, nowMs: () => number): RateLimiter {
  const burst = Math.max(1, Math.ceil(perSecond * 2));
  const buckets = new Map<string, { tokens: number; atMs: number }>();

  return { check };

  function check(ctx: Context, client: string): void {
    const at = nowMs();
    const before = buckets.get(client) ?? { tokens: burst, atMs: at };
    const tokens = Math.min(burst, before.tokens + ((at - before.atMs) / 1000) * perSecond);
    const left = Math.max(0, tokens - 1);
    // Deleted first: a Map keeps insertion order, so its first entry is the longest unseen.
    buckets.delete(client);
    buckets.set(client, { tokens: tokens >= 1 ? left : tokens, atMs: at });
    if (buckets.size > clientsMax) buckets.delete(buckets.keys().next().value!);
    ctx.set('RateLimit-Policy', `"default";q=${burst};w=${Math.ceil(burst / perSecond)}`);
    ctx.set('RateLimit', `"default";r=${Math.floor(left)};t=${Math.ceil((burst - left) / perSecond)}`);
    if (tokens >= 1) return;
    throw new AppError('rate_limited', 'Too many requests; slow down.', { retryAfterSeconds: (1 - tokens) / perSecond });
  }
}
