/**
 * Which processes live, and the end of those that do not. Each shows itself every second; one that was not seen for `leaseMs`, by
 * the server's own clock (or for a quarter of that, when its connection has ended as well: a killed process's does at once), is
 * declared dead by any other, for good. Every script that writes for an owner looks first whether it
 * is alive, so a process that slept through its end changes nothing.
 */
import type { Logger } from '../../logger.ts';
import type { Redis } from 'ioredis';
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

/** So many are tried to be let in at once. */
const comersMax = 16;

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
}): Promise<Membership> {
  const { connection, commands, prefix, id, role, leaseMs, logger } = options;
  const lost = new AbortController();
  /** Since when this process has shown itself without a gap: whoever was cut off itself cannot tell who else was. */
  let steadySince = performance.now();
  let seenAt = steadySince;
  let refusedAt = -Infinity;
  let serverMs = 0;
  let workerSeen = role === 'worker';
  await connection.run(async (redis) => {
    await refuseOtherVersions(redis, prefix, leaseMs);
    await redis.client('SETNAME', id);
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
    steadySince = performance.now();
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
    const now = performance.now();
    if (now - seenAt > leaseMs / 2) steadySince = now;
    seenAt = now;
    serverMs = nowMs;
    return { nowMs, cancels, strays: pairs(strays) };
  }

  async function bury(): Promise<void> {
    const at = performance.now();
    // Who could not show itself (the server is full, or takes no writes) shares the fate of the others.
    const steadyMs = at - seenAt > leaseMs / 2 ? 0 : at - steadySince;
    const silent = steadyMs < leaseMs / 2 ? [] : await silentOnes(steadyMs);
    if (silent.length === 0 || !(await doorIsOpen(silent.length))) return;
    for (const owner of await connection.run(() => commands.ownerBury(prefix, leaseMs / 4, ...silent))) {
      logger.warn({ owner }, 'a process is gone; its tasks wait again');
      await options.onDeath(owner);
    }
  }

  /** After a restart of the server every connection is a new one, and who is slow to come back is not dead. */
  async function silentOnes(steadyMs: number): Promise<string[]> {
    const silent = await connection.run(() => commands.ownerSilent(prefix, leaseMs / 4));
    if (silent.length === 0) return [];
    const long = steadyMs < leaseMs ? [] : await connection.run(() => commands.ownerSilent(prefix, leaseMs));
    const clients = String(await connection.run((redis) => redis.client('LIST')));
    return silent.filter((owner) => long.includes(owner) || !clients.includes(` name=${owner} `));
  }

  /** This process may just happen to hold a connection. Whoever was not let in gets the time to come back. Each needs two. */
  async function doorIsOpen(count: number): Promise<boolean> {
    if (!(await connection.letsIn(Math.min(2 * count, comersMax)))) refusedAt = performance.now();
    return performance.now() - refusedAt > leaseMs / 2;
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
      await bury();
      return show();
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
  if (found > layout) throw refusal(`a newer version has written to it (layout ${found}; this program knows ${layout})`);
  const [seconds] = await redis.time();
  const living = await redis.zrangebyscore(`${prefix}:owners`, Number(seconds) * 1000 - leaseMs, '+inf');
  const layouts = living.length === 0 ? [] : await redis.hmget(`${prefix}:layouts`, ...living);
  const others = living.filter((_, at) => Number(layouts[at] ?? 1) !== layout);
  if (others.length > 0)
    throw refusal(`servers of another version work on it (${others.length} processes): stop them, then start this one`);
}

function pairs(flat: readonly string[]): { id: string; owner: string }[] {
  return Array.from({ length: flat.length / 2 }, (_, at) => ({ id: flat[2 * at]!, owner: flat[2 * at + 1]! }));
}
