/** Token buckets, one for each client. Memory is bounded: of too many clients the longest unseen is forgotten. */
import type { Context } from 'koa';
import { AppError } from '../../errors.ts';

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
  const buckets = createBuckets({ perSecond, burst, nowMs });
  return {
    check(ctx, client) {
      const { left, waitSeconds } = buckets.take(client);
      ctx.set('RateLimit-Policy', `"default";q=${burst};w=${Math.ceil(burst / perSecond)}`);
      ctx.set('RateLimit', `"default";r=${Math.floor(left)};t=${Math.ceil((burst - left) / perSecond)}`);
      if (waitSeconds > 0) throw new AppError('rate_limited', 'Too many requests; slow down.', { retryAfterSeconds: waitSeconds });
    },
  };
}

export interface LoginLimiter {
  /** @throws AppError `rate_limited` when this client has been wrong too often, whatever it brings now. */
  check(client: string): void;
  wrong(client: string): void;
}

/** Ten wrong logins in a row, then one every three seconds: enough for a person, and nothing for who tries them out. */
export function createLoginLimiter(nowMs: () => number): LoginLimiter {
  const buckets = createBuckets({ perSecond: 1 / 3, burst: 10, nowMs });
  return {
    check(client) {
      const { waitSeconds } = buckets.look(client);
      if (waitSeconds > 0)
        throw new AppError('rate_limited', 'Too many failed logins; try again later.', { retryAfterSeconds: waitSeconds });
    },
    wrong: (client) => void buckets.take(client),
  };
}

type Standing = {
  /** Tokens that are left, once this one is taken. */
  readonly left: number;
  /** Until there is one to take; 0 when there was. */
  readonly waitSeconds: number;
};

function createBuckets({ perSecond, burst, nowMs }: { perSecond: number; burst: number; nowMs: () => number }) {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return { take, look: (client: string): Standing => standing(tokensOf(client, nowMs())) };

  function take(client: string): Standing {
    const at = nowMs();
    const tokens = tokensOf(client, at);
    // Deleted first: a Map keeps insertion order, so its first entry is the longest unseen.
    buckets.delete(client);
    buckets.set(client, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: at });
    if (buckets.size > clientsMax) buckets.delete(buckets.keys().next().value!);
    return standing(tokens);
  }

  function tokensOf(client: string, at: number): number {
    const before = buckets.get(client) ?? { tokens: burst, atMs: at };
    return Math.min(burst, before.tokens + ((at - before.atMs) / 1000) * perSecond);
  }

  function standing(tokens: number): Standing {
    return { left: Math.max(0, tokens - 1), waitSeconds: tokens >= 1 ? 0 : (1 - tokens) / perSecond };
  }
}
