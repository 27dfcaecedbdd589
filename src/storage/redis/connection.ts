/**
 * The connections to Redis: one for commands, one that hears what other processes publish. What Redis refuses, and a server
 * that is away, come out as errors that callers know.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { inOurWords, notReady } from '../../trouble.ts';

export interface Connection {
  readonly redis: Redis;
  /** Whether commands can be sent now. */
  readonly up: boolean;
  /**
   * Runs commands. @throws AppError `unavailable` (no answer, a server that takes no writes), `insufficient_storage` (its
   * memory is full). After `unavailable` it is not known whether they were done.
   */
  run<T>(work: (redis: Redis) => Promise<T>): Promise<T>;
  /** Whether the server lets in so many who come now. */
  letsIn(count: number): Promise<boolean>;
  /**
   * Hears from now on what is published on `channel`. `onListening` runs each time when that begins (now, and after each
   * interruption): messages before it were missed.
   */
  listen(channel: string, onMessage: (message: string) => void, onListening: () => void): Promise<void>;
  close(): void;
}

/** A command that is not answered for so long counts as failed. */
const answerMs = 3000;
const connectMs = 5000;
const reconnectMsMax = 500;
/** Valkey 8 says 7. */
const majorVersionMin = 7;

/**
 * Connects, and goes on connecting.
 * @throws AppError `unavailable` when the server cannot be reached or does not keep what is written to it.
 */
export async function connect(url: string, logger: Logger): Promise<Connection> {
  const { Redis: Client } = await import('ioredis');
  const redis: Redis = new Client(url, clientOptions);
  const listener: Redis = new Client(url, clientOptions);
  const scripts = rememberScripts(redis);
  let lastError: Error | null = null;
  for (const client of [redis, listener])
    client.on('error', (error) => {
      lastError = error;
      logger.debug({ err: error }, 'a connection to Redis is down; connecting again');
    });
  try {
    await redis.connect();
    await requireDurability(redis, logger);
  } catch (error) {
    redis.disconnect();
    // The client itself says only that it has none.
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', 'QUEUE_URL: Redis cannot be reached', { cause: lastError ?? error });
  }
  return {
    redis,
    get up() {
      return redis.status === 'ready';
    },
    run: (work) =>
      guard(redis, () => work(redis)).catch(async (error: unknown) => {
        await scripts.makeKnown(error);
        throw error;
      }),
    letsIn: async (count) =>
      (await Promise.all(Array.from({ length: count }, () => letsIn(new Client(url, clientOptions))))).every(Boolean),
    async listen(channel, onMessage, onListening) {
      const subscribe = (): Promise<void> => listener.subscribe(channel).then(onListening);
      listener.on('message', (_channel, message) => onMessage(message));
      await guard(listener, () => listener.connect().then(subscribe));
      listener.on('ready', () => void subscribe().catch(() => undefined));
    },
    close() {
      listener.disconnect();
      redis.disconnect();
    },
  };
}

async function letsIn(client: Redis): Promise<boolean> {
  client.on('error', () => client.disconnect());
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** A command whose connection broke is not sent again: whoever sent it must look whether it was done. */
const clientOptions = {
  protocol: 2,
  lazyConnect: true,
  autoResubscribe: false,
  connectTimeout: connectMs,
  commandTimeout: answerMs,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: null,
  retryStrategy: (times: number) => Math.min(reconnectMsMax, 50 * times),
} satisfies RedisOptions;

/**
 * The client takes a script for known to the server once it has sent it, although the transaction around it was refused; later ones
 * would fail for ever. So after such a refusal the server is told of all scripts, once a connection.
 */
function rememberScripts(redis: Redis): { makeKnown(error: unknown): Promise<void> } {
  const sources = new Set<string>();
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) => {
    sources.add(definition.lua);
    return define(name, definition);
  };
  let known = false;
  redis.on('ready', () => (known = false));
  return {
    async makeKnown(error) {
      const word = error instanceof AppError && error.cause instanceof Error ? error.cause.message.split(' ', 1)[0] : '';
      if (word !== 'NOSCRIPT' && (word !== 'EXECABORT' || known)) return;
      known = true;
      await Promise.all([...sources].map((lua) => redis.script('LOAD', lua))).catch(() => (known = false));
    },
  };
}

/** Whatever is said to a client that is not connected yet keeps it out: for too many of them Redis has no code. */
async function guard<T>(client: Redis, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw client.status !== 'ready' || isOfClient(error) ? notReady(error) : inOurWords(error);
  }
}

/** What the server says is a ReplyError; the client's own errors say that nobody answered, or that it gave up. BullMQ's have numbers. */
function isOfClient(error: unknown): boolean {
  if (!(error instanceof Error) || 'code' in error) return false;
  return Object.getPrototypeOf(error) === Error.prototype || ['AbortError', 'MaxRetriesPerRequestError'].includes(error.name);
}

/**
 * An acknowledged task must be there after a crash of the server, and nothing may be evicted. What cannot be asked (a server
 * whose CONFIG is forbidden) is warned of.
 */
async function requireDurability(redis: Redis, logger: Logger): Promise<void> {
  const version = field(await redis.info('server'), 'redis_version') ?? '';
  if (Number.parseInt(version, 10) < majorVersionMin)
    throw refusal(`it has version ${version}, and at least ${majorVersionMin} is required`);
  const persistence = await redis.info('persistence');
  if (field(persistence, 'aof_enabled') !== '1')
    throw refusal('it has no append-only file, so a crash would lose tasks: set `appendonly yes` and `appendfsync always` on it');
  const policy = field(await redis.info('memory'), 'maxmemory_policy');
  if (policy !== 'noeviction')
    throw refusal(`it may evict tasks (maxmemory-policy ${policy}): set \`maxmemory-policy noeviction\` on it`);
  const [, appendfsync = 'unknown'] = await redis.config('GET', 'appendfsync').then(
    (answer) => answer as string[],
    () => [],
  );
  if (appendfsync !== 'always')
    logger.warn({ appendfsync }, 'Redis may lose up to a second of acknowledged tasks in a crash: set `appendfsync always` on it');
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** Why a Redis is not used, for a person who starts a server. */
export function refusal(reason: string): AppError {
  return new AppError('unavailable', `QUEUE_URL: this Redis cannot be used: ${reason}`, { cause: reason });
}
