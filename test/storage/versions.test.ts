/** Processes of another version in the same place: whoever comes last is told so, and nothing of the newer one is touched. */
import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { layoutName } from '../../src/storage/file/other-versions.ts';
import { openRedisEngine } from '../../src/storage/redis/engine.ts';
import { createLogger } from '../../src/logger.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import { newId } from '../support/engine-steps.ts';
import { createFileEngineHarness, type FileEngineHarness, fileEngineOptions } from '../support/file-engine-harness.ts';
import { redisEngineOptions } from '../support/redis-harness.ts';
import { askRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';

describe('a data directory', () => {
  let harness: FileEngineHarness;
  beforeEach(async () => void (harness = await createFileEngineHarness()));
  afterEach(() => harness[Symbol.asyncDispose]());

  const workers = (): string => join(harness.dataDir, 'workers');

  /** As version 0.1.0 wrote it: without a layout. */
  async function makeOld(owner: string): Promise<void> {
    const path = join(workers(), owner);
    const { layout, ...card } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    expect(layout).toBe(layoutName);
    writeFileSync(path, JSON.stringify(card));
  }

  it('is not opened beside living processes of another version, and is when they are gone', async () => {
    const old = await harness.open('worker');
    const [owner] = (await readdir(workers())).filter((name) => !name.endsWith('.lock'));
    await makeOld(owner!);

    const refused = openFileEngine(fileEngineOptions(harness.dataDir, 'frontend'));
    await expect(refused).rejects.toThrow(/servers of another version are using it \(process \d+ on .*\): stop them/);
    expect((await readdir(workers())).filter((name) => !name.startsWith(owner!))).toEqual([]);

    await harness.crash(old);
    const front = await harness.open('frontend');
    expect(await front.state()).toEqual({ state: 'ready' });
  });

  it('says which format it has before anything is written, so that an older version does not start', async () => {
    let seen: unknown;
    await harness.open('frontend', {
      async openIndex(indexDir) {
        seen = JSON.parse(await readFile(join(harness.dataDir, 'meta.json'), 'utf8'));
        return fileEngineOptions(harness.dataDir, 'frontend').openIndex(indexDir);
      },
    });

    expect(seen).toMatchObject({ format: 3 });
  });
});

it('an index of a newer version is refused with a sentence, and not set aside', async () => {
  await using dir = await tempDir();
  const options = {
    indexDir: dir.path,
    embedder: { kind: 'builtin' },
    threads: 1,
    logger: createLogger({ level: 'silent' }),
  } as const;
  await (await openThreadedIndex(options)).close();
  const database = new DatabaseSync(join(dir.path, 'index.sqlite'));
  database.exec(`UPDATE meta SET value = '99.1' WHERE key = 'format'`);
  database.close();

  await expect(openThreadedIndex(options)).rejects.toThrow(
    'The index was made by a newer version of this program; start that version.',
  );
  expect(existsSync(join(dir.path, 'damaged.sqlite'))).toBe(false);
});

describe('a Redis', () => {
  let server: RedisServer;
  let dataDir: Awaited<ReturnType<typeof tempDir>>;
  beforeEach(async () => void ([server, dataDir] = await Promise.all([startRedis(), tempDir()])));
  afterEach(() => Promise.all([server[Symbol.asyncDispose](), dataDir[Symbol.asyncDispose]()]));

  function open(): ReturnType<typeof openRedisEngine> {
    return openRedisEngine(redisEngineOptions({ url: server.url, prefix: 'test', dataDir: dataDir.path }, 'frontend'));
  }

  it('is not used beside living processes of another version, nor when a newer one has written to it', async () => {
    await mkdir(dataDir.path, { recursive: true });
    const owner = `worker-${newId()}`;
    await askRedis(server.url, async (redis) => {
      const [seconds] = await redis.time();
      await redis.zadd('{test}:owners', Number(seconds) * 1000, owner);
    });
    await expect(open()).rejects.toThrow(/servers of another version are using it \(1 processes\): stop them/);

    await askRedis(server.url, (redis) => redis.zrem('{test}:owners', owner));
    await (await open()).close();
    await askRedis(server.url, (redis) => redis.incr('{test}:layout'));
    await expect(open()).rejects.toThrow(/a newer version has written to it/);
  });
});
