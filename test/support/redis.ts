/** A Redis server of the test's own: in a temporary folder, on a free port, with an append-only file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

export type RedisServer = AsyncDisposable & {
  readonly port: number;
  readonly url: string;
  /** SIGKILL to the server, then started again on the same folder. */
  killAndRestart(): Promise<void>;
};

/** `durable`: every write is flushed, as a server in earnest does. `settings` as on the command line, the last one wins. */
export async function startRedis(
  options: { durable?: boolean; settings?: readonly string[]; program?: string; password?: string } = {},
): Promise<RedisServer> {
  const program = options.program ?? findProgram();
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-redis-'));
  const port = await freePort();
  const { password } = options;
  const url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
  const keys = password === undefined ? [] : ['--requirepass', password];
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  const appendfsync = ['--appendfsync', options.durable ? 'always' : 'no'];
  let server: ChildProcess;

  async function start(): Promise<void> {
    server = spawn(program, [...fixed, ...appendfsync, ...keys, ...(options.settings ?? [])], { stdio: 'ignore' });
    await once(server, 'spawn');
    await until('the Redis server answers', () => answers(url));
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  }

  await start();
  return {
    port,
    url,
    async killAndRestart() {
      await end('SIGKILL');
      await start();
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One conversation on a connection of its own. */
export async function askRedis<T>(url: string, talk: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await talk(redis);
  } finally {
    redis.disconnect();
  }
}

async function answers(url: string): Promise<boolean> {
  return askRedis(url, (redis) => redis.ping()).then(
    () => true,
    () => false,
  );
}

function findProgram(): string {
  for (const program of ['redis-server', 'valkey-server']) if (spawnSync(program, ['--version']).status === 0) return program;
  throw new Error('These tests need a Redis or Valkey server: sh test/support/install-tools.sh, or apt-get install redis-server');
}
