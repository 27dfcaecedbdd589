/** What the Redis engine refuses, and what it mends. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { v7 } from 'uuid';
import type { Engine } from '../../../src/storage/engine.ts';
import { openDirectoryFiles } from '../../../src/storage/file/content/directory-files.ts';
import { createLayout } from '../../../src/storage/file/disk/layout.ts';
import { openRedisEngine } from '../../../src/storage/redis/engine.ts';
import type { Logger } from '../../../src/logger.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { beginNext, claimNext, failedOutcome, newId, settle, silentLogger, upload } from '../../support/engine-steps.ts';
import { createRedisHarness, redisEngineOptions, type RedisHarness } from '../../support/redis-harness.ts';
import { askRedis, type RedisServer, startRedis } from '../../support/redis.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/until.ts';

let server: RedisServer;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server[Symbol.asyncDispose]());

describe('a Redis that does not keep what it is given', () => {
  async function open(settings: readonly string[], logger: Logger = silentLogger): Promise<void> {
    await using careless = await startRedis({ settings });
    await using dir = await tempDir();
    const place = { url: careless.url, prefix: 'test', dataDir: dir.path };
    const engine = await openRedisEngine({ ...redisEngineOptions(place, 'worker'), logger });
    await engine.close();
  }

  it('is refused without an append-only file, with the setting that it needs', async () => {
    await expect(open(['--appendonly', 'no'])).rejects.toThrow(/appendonly yes/);
  });

  it('is refused when it evicts, with the setting that it needs', async () => {
    await expect(open(['--maxmemory-policy', 'allkeys-lru'])).rejects.toThrow(/maxmemory-policy noeviction/);
  });

  it('is taken with a warning when it flushes once a second', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) } as Logger;

    await open(['--appendfsync', 'everysec'], logger);
    expect(warnings.join()).toMatch(/appendfsync always/);

    warnings.length = 0;
    await open(['--appendfsync', 'always'], logger);
    expect(warnings).toEqual([]);
  });

  it('is said to be away when it is', async () => {
    await using dir = await tempDir();
    const place = { url: 'redis://127.0.0.1:1', prefix: 'test', dataDir: dir.path };

    await expect(openRedisEngine(redisEngineOptions(place, 'worker'))).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('the Redis engine', () => {
  let harness: RedisHarness;
  let front: Engine;

  beforeEach(async () => {
    harness = await createRedisHarness(server);
    front = await harness.open('frontend');
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  it('gives a task that waits without a job its job back', async () => {
    const { id } = await upload(front, 'x');
    const prefix = `{${harness.prefix}}`;
    await askRedis(server.url, (redis) => redis.del(`${prefix}:small:wait`, `${prefix}:small:${id}`));

    const worker = await harness.open('worker');

    expect((await claimNext(worker)).taskId).toBe(id);
  });

  it('lets a task go that it was given without hearing of it', async () => {
    const worker = await harness.open('worker');
    const { id } = await upload(front, 'x');
    const owner = (await askRedis(server.url, (redis) => redis.zrange(`{${harness.prefix}}:owners`, '0', '-1'))).find((name) =>
      name.startsWith('worker-'),
    );
    // As after a `hold` whose answer was lost.
    await askRedis(server.url, (redis) => redis.hset(`{${harness.prefix}}:held`, id, owner!));

    expect((await claimNext(worker)).taskId).toBe(id);
  });

  it('refuses the end of a task that another process holds by now, before its last holder has heard of it', async () => {
    const worker = await harness.open('worker');
    await upload(front, 'x');
    const { task } = await beginNext(worker);
    await askRedis(server.url, (redis) => redis.hset(`{${harness.prefix}}:held`, task.id, 'another'));

    expect(await worker.tasks.finish(task.id, task.attempts, failedOutcome)).toBe('fenced');

    expect((await front.tasks.get(task.id))?.task.status).not.toBe('failed');
  });

  it('makes nothing of an upload that was refused since the server did not answer, however late it does', async () => {
    await askRedis(server.url, (redis) => redis.client('PAUSE', 3500, 'WRITE'));

    await expect(upload(front, 'x')).rejects.toMatchObject({ code: 'unavailable' });
    await until('the server answers', async () => (await front.tasks.cancel(newId(), { force: false })).outcome === 'gone');
    await upload(front, 'y');

    expect((await front.tasks.list({ limit: 10 })).tasks).toHaveLength(1);
  });

  it('tells a watcher what happened while its connection was down', async () => {
    const worker = await harness.open('worker');
    const { id } = await upload(front, 'x');
    const seen: string[] = [];
    front.tasks.watch(null, ({ task }) => seen.push(task.status));
    harness.linkOf(front).cut();
    const { lease, task } = await beginNext(worker);
    await settle(worker, lease, task);

    harness.linkOf(front).mend();

    await until('the end is told', () => seen.at(-1) === 'completed');
    expect((await front.tasks.get(id))?.task.status).toBe('completed');
  });

  it('is not ready while its connection is down, and is again afterwards', async () => {
    harness.linkOf(front).cut();
    await until('it is unusable', async () => (await front.state()).state === 'unusable');

    harness.linkOf(front).mend();

    await until('it is ready', async () => (await front.state()).state === 'ready');
  });
});

describe('files in a directory, for an engine that keeps tasks elsewhere', () => {
  it('lose what crashes left, and nothing that is needed, or whose task is being made by a host of another time', async () => {
    await using dir = await tempDir();
    const layout = createLayout(dir.path);
    const old = (): TaskId => v7({ msecs: Date.now() - 30 * 86_400_000 }) as TaskId;
    const [needed, forgotten, beingMade] = [old(), old(), old()];
    const owner = { id: 'worker-1', lost: new AbortController().signal };
    const files = await openDirectoryFiles({
      dataDir: dir.path,
      owner,
      diskReserveBytes: 0,
      now: () => new Date().toISOString(),
      logger: silentLogger,
    });
    const put = (id: TaskId): void => {
      mkdirSync(dirname(layout.payload(id)), { recursive: true });
      writeFileSync(layout.payload(id), 'x');
    };
    for (const id of [needed, forgotten]) put(id);
    mkdirSync(join(layout.active, 'worker-0'));

    const sweep = () =>
      files.sweep({
        isAlive: () => Promise.resolve(false),
        needsPayload: (id) => Promise.resolve(id === needed),
        isLive: () => Promise.resolve(false),
        isCurrent: () => Promise.resolve(false),
      });

    await sweep();
    put(beingMade);
    await sweep();

    expect([needed, forgotten, beingMade].map((id) => existsSync(layout.payload(id)))).toEqual([true, false, true]);
    expect(existsSync(join(layout.active, 'worker-0'))).toBe(false);
    expect(existsSync(join(layout.active, 'worker-1'))).toBe(true);
  });
});
