/**
 * Which processes live, and the end of those that do not. Each shows itself every second; when that stays away (`failure-detector.ts`)
 * any other declares it dead, for good. Every script that writes for an owner looks first whether it is alive, so a process that
 * slept through its end changes nothing.
 */
import type { Logger } from '../../logger.ts';
import type { Redis } from 'ioredis';
import { createFailureDetector, type SignOfLife } from '../failure-detector.ts';
import { type Connection, refusal } from './connection.ts';
import type { Commands } from './scripts.ts';

/** What a process learns when it shows itself. */
export type Sight = {
  /** The server's clock, Unix time in milliseconds. */
  readonly nowMs: number;
  /** Ids of tasks whose holder is to stop. */
  readonly cancels: readonly string[];
  /** What is held by owners that are gone, and what is held by this one. */
  readonly strays: readonly { readonly id: string; readonly owner: string }[];
};

export interface Membership {
  readonly id: string;
  /** Aborts when this process was declared dead. */
  readonly lost: AbortSignal;
  /** Whether a worker, in whatever process, has shown itself lately. */
  readonly workerSeen: boolean;
  /** The server's clock as far as it is known, Unix time in milliseconds. */
  serverNowMs(): number;
  /** Shows that this process lives, and declares dead who does not. At least five times within `leaseMs`. Null: it is dead itself. */
  turn(): Promise<Sight | null>;
  /** No owner any more: what it holds is free to be taken. */
  leave(): Promise<void>;
}

/** How tasks are stored: since 2 with the order of their acceptance and whose they are. Equal in all processes that may work side by side. */
const layout = 2;

/** Joins: from here on the process must show itself. */
export async function join(options: {
  connection: Connection;
  commands: Commands;
  prefix: string;
  id: string;
  role: 'frontend' | 'worker';
  leaseMs: number;
  /** What the keys of the queues begin with. */
  queues: readonly string[];
  /** Called for each process that was declared dead. */
  onDeath: (owner: string) => Promise<void>;
  logger: Logger;
  /** A clock that never steps, in milliseconds. */
  steadyMs?: () => number;
}): Promise<Membership> {
  const { connection, commands, prefix, id, role, leaseMs, logger } = options;
  const lost = new AbortController();
  const detector = createFailureDetector({ ...options, letsIn: (count) => connection.letsIn(count) });
  let seenAt = performance.now();
  let serverMs = 0;
  let workerSeen = role === 'worker';
  await connection.run(async (redis) => {
    await refuseOtherVersions(redis, prefix, leaseMs);
    await redis.client('SETNAME', id);
    redis.on('close', () => detector.cutOff());
    redis.on('ready', comeBack);
    const [seconds, microseconds] = await redis.time();
    serverMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    await redis
      .multi()
      .set(`${prefix}:layout`, layout)
      .hset(`${prefix}:layouts`, id, layout)
      .hset(`${prefix}:roles`, id, role)
      .zadd(`${prefix}:owners`, serverMs, id)
      .exec();
  });

  /** Its name is how others see that the connection is there. */
  function comeBack(): void {
    void connection.run((redis) => redis.client('SETNAME', id)).catch(() => undefined);
  }

  async function show(): Promise<Sight | null> {
    const seen = await connection.run(() => commands.ownerShow(prefix, id, leaseMs, ...options.queues));
    if (seen.length === 0) {
      lost.abort('lost');
      return null;
    }
    const [nowMs, worker, cancels, strays] = seen;
    workerSeen = worker === 1;
    seenAt = performance.now();
    serverMs = nowMs;
    detector.shown();
    return { nowMs, cancels, strays: pairs(strays).map(([stray, owner]) => ({ id: stray, owner })) };
  }

  /** How many were declared dead. */
  async function bury(): Promise<number> {
    const silent = await detector.watch(async () => detector.dead(await signsOfOthers(), connectedOnes));
    if (silent.length === 0) return 0;
    const named = silent.flatMap(({ owner, sign }) => [owner, sign]);
    const buried = await connection.run(() => commands.ownerBury(prefix, ...named));
    for (const owner of buried) {
      logger.warn({ owner }, 'a process is gone; its tasks were queued again');
      await options.onDeath(owner);
    }
    return buried.length;
  }

  async function signsOfOthers(): Promise<SignOfLife[]> {
    const flat = await connection.run((redis) => redis.zrange(`${prefix}:owners`, '0', '-1', 'WITHSCORES'));
    const signs = pairs(flat).map(([owner, sign]) => ({ owner, sign, ageMs: serverMs - Number(sign) }));
    return signs.filter(({ owner }) => owner !== id);
  }

  async function connectedOnes(owners: readonly string[]): Promise<string[]> {
    const clients = String(await connection.run((redis) => redis.client('LIST')));
    return owners.filter((owner) => clients.includes(` name=${owner} `));
  }

  return {
    id,
    lost: lost.signal,
    get workerSeen() {
      return workerSeen;
    },
    serverNowMs: () => serverMs + performance.now() - seenAt,
    async turn() {
      if (lost.signal.aborted) return null;
      const sight = await detector.watch(show);
      // What the dead have held is to be seen at once.
      return sight !== null && (await bury()) > 0 ? show() : sight;
    },
    leave: () =>
      connection.run(async (redis) => {
        await redis.multi().hdel(`${prefix}:roles`, id).hdel(`${prefix}:layouts`, id).zrem(`${prefix}:owners`, id).exec();
      }),
  };
}

/**
 * @throws AppError `unavailable`: a newer version has written here, or processes of another version live (0.1.0 says none). Version
 * 0.1.0 does not look, and must not be started again beside this one.
 */
async function refuseOtherVersions(redis: Redis, prefix: string, leaseMs: number): Promise<void> {
  const found = Number((await redis.get(`${prefix}:layout`)) ?? 1);
  if (found > layout) throw refusal(`a newer version has written to it (layout ${found}; this program supports ${layout})`);
  const [seconds] = await redis.time();
  const living = await redis.zrangebyscore(`${prefix}:owners`, Number(seconds) * 1000 - leaseMs, '+inf');
  const layouts = living.length === 0 ? [] : await redis.hmget(`${prefix}:layouts`, ...living);
  const others = living.filter((_, at) => Number(layouts[at] ?? 1) !== layout);
  if (others.length > 0)
    throw refusal(`servers of another version are using it (${others.length} processes): stop them, then start this one`);
}

function pairs(flat: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at]!, flat[2 * at + 1]!] as const);
}
