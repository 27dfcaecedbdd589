/** Everything that is told a secret fails, on servers that log all they can; and nothing that they wrote shows one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.ts';
import { leaks, secretMark, watchedLogger } from '../support/leaks.ts';
import { ask, type Databases } from '../support/postgres.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { askRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { makeDataDir, removeDir, startProcess, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const secret = (name: string): string => `${secretMark}-${name}-0123456789`;
const authorization = { authorization: `Bearer ${secret('api')}` };
/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:9';

let postgres: Databases;
let redis: RedisServer;
let databaseUrl: string;
let dataDir: string;
let env: Record<string, string>;
const servers: TestServer[] = [];

beforeAll(async () => {
  [postgres, redis, dataDir] = await Promise.all([sharedPostgres(), startRedis({ password: secret('redis') }), makeDataDir()]);
  databaseUrl = await postgres.newUser(await postgres.newDatabase(), secret('postgres'));
  env = {
    LOG_LEVEL: 'debug',
    API_KEYS: `me:admin:${secret('api')}`,
    WEBHOOK_ALLOWED_HOSTS: 'http://127.0.0.1:9',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_SECRET: `whsec_${Buffer.from(secret('webhook')).toString('base64')}`,
    WEBHOOK_URL: `${nowhere}/hook?token=${secret('hook')}`,
    EMBEDDER: 'openai',
    EMBEDDINGS_URL: `http://me:${secret('embedder-url')}@127.0.0.1:9/v1/embeddings`,
    EMBEDDINGS_MODEL: 'model',
    EMBEDDINGS_DIMENSIONS: '8',
    EMBEDDINGS_KEY: secret('embedder'),
    RERANK_URL: `http://me:${secret('rerank-url')}@127.0.0.1:9/rerank`,
    RERANK_MODEL: 'model',
    RERANK_KEY: secret('rerank'),
    ANSWER_URL: `http://me:${secret('answer-url')}@127.0.0.1:9/chat`,
    ANSWER_MODEL: 'model',
    ANSWER_KEY: secret('answer'),
    ATTEMPTS_MAX: '1',
  };
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.kill()));
  await Promise.all([postgres[Symbol.asyncDispose](), redis[Symbol.asyncDispose](), removeDir(dataDir)]);
});

const engines: readonly { name: string; settings: () => Record<string, string>; rotate: () => Promise<void> }[] = [
  { name: 'files', settings: () => ({ DISK_RESERVE_BYTES: '0' }), rotate: async () => {} },
  { name: 'PostgreSQL', settings: () => ({ DATABASE_URL: databaseUrl }), rotate: rotateDatabase },
  { name: 'Redis', settings: () => ({ QUEUE_URL: redis.url, DISK_RESERVE_BYTES: '0' }), rotate: rotateRedis },
];

/** Another password for whoever comes, and whoever is there must come again. */
async function rotateDatabase(): Promise<void> {
  const admin = databaseUrl.replace(/\/\/.*@/, '//test@');
  await ask(admin, `ALTER ROLE ${new URL(databaseUrl).username} PASSWORD 'another-one'`);
  await ask(admin, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [new URL(databaseUrl).username]);
}

async function rotateRedis(): Promise<void> {
  await askRedis(redis.url, async (client) => {
    await client.config('SET', 'requirepass', 'another-one');
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  });
}

describe.each(engines)('on $name', ({ name, settings, rotate }) => {
  it('no line of any log shows a secret that was set, whatever fails [S47]', async () => {
    const place = { dataDir: `${dataDir}/${name}`, engineEnv: settings(), env };
    const server = await startServer(place);
    servers.push(server);
    const post = (path: string, body: object, headers: Record<string, string> = authorization): Promise<Response> =>
      fetch(server.url + path, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const put = (): Promise<Response> =>
      fetch(`${server.url}/documents/a`, { method: 'PUT', body: 'Some text.', headers: authorization });

    expect((await put()).status).toBeGreaterThanOrEqual(400);
    for (const path of ['/search', '/answer']) await post(path, { query: 'text', question: 'text' });
    expect((await post('/search', { query: 'text' }, { authorization: `Bearer ${secret('wrong')}` })).status).toBe(401);
    await until('the webhook has failed', () => server.log().includes('webhook'));
    await rotate();
    if (name !== 'files') {
      await until('uploads are refused', async () => (await (await put()).text()).includes('RAG service is not ready.'));
      await until('it tries to come back', () => server.log().includes('"err"'));
    }

    expect(server.log()).toContain('"level":20');
    expect(
      server
        .log()
        .split('\n')
        .filter((line) => line.includes(secretMark)),
    ).toEqual([]);
  });
});

it('nor does what a start or a command prints that is refused [S47]', async () => {
  const wrong = { ...env, DATABASE_URL: databaseUrl.replace('-0123456789@', '-wrong@'), DATA_DIR: dataDir };
  const refused = await startProcess({ dataDir, env: wrong, engineEnv: {} }).catch((error: Error) => error.message);
  const printed = [typeof refused === 'string' ? refused : refused.log()];
  for (const more of [
    {},
    { DATABASE_URL: '', QUEUE_URL: redis.url },
    { API_KEYS: `me:nobody:${secret('api')}` },
    { EMBEDDINGS_URL: '' },
  ]) {
    for (const args of [['doctor'], ['migrate'], ['move', '--from', dataDir, '--to', databaseUrl]]) {
      const { stdout, stderr } = await runCommand(args, { ...wrong, ...more });
      printed.push(stdout + stderr);
    }
  }

  expect(printed.join('\n')).toMatch(/authentication failed/);
  expect(printed.filter((text) => text.includes(secretMark))).toEqual([]);
  expect(leaks).toEqual([]);
});

it('what is checked so is what a child writes of its key file, and what a logger inside a test would write [S47]', async () => {
  const keyFile = join(dataDir, 'watched-keys');
  await writeFile(keyFile, '# keys\nme:read:a-key-of-the-file-0123\n');
  const script = 'console.log("shows a-key-of-the-file-0123")';
  const child = spawn(process.execPath, ['-e', script], { env: { API_KEYS_FILE: keyFile }, stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.resume();
  await once(child, 'close');
  watchedLogger()
    .child({ requestId: 'r' })
    .error({ err: new Error(secret('inside')) }, 'failed');

  expect(leaks.splice(0)).toEqual(['shows a-key-of-the-file-0123', expect.stringContaining(secret('inside'))]);
});
