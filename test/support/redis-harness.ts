/** The Redis engine for the contract suites. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDirectoryFiles } from '../../src/storage/file/content/directory-files.ts';
import { openRedisEngine, type RedisEngineOptions } from '../../src/storage/redis/engine.ts';
import { openArbiterIndex } from './arbiter-index.ts';
import { newId, silentLogger } from './engine-steps.ts';
import { createLinkedHarness, type LinkedHarness } from './linked-harness.ts';
import { askRedis, type RedisServer } from './redis.ts';

export type RedisHarness = LinkedHarness & { readonly prefix: string };

/** Settings with which tests open the engine. A lease of 3 s: every test that waits for one to end waits that long. */
export function redisEngineOptions(
  place: { url: string; prefix: string; dataDir: string },
  role: 'frontend' | 'worker',
): RedisEngineOptions {
  const now = (): string => new Date().toISOString();
  const indexDir = join(place.dataDir, 'index');
  return {
    url: place.url,
    prefix: place.prefix,
    role,
    openFiles: (owner) =>
      openDirectoryFiles({
        dataDir: place.dataDir,
        owner,
        diskReserveBytes: 0,
        now: () => new Date().toISOString(),
        logger: silentLogger,
      }),
    openIndex: async () => {
      await mkdir(indexDir, { recursive: true });
      return openArbiterIndex(indexDir);
    },
    taskRetentionMs: 86_400_000,
    leaseMs: 3000,
    now,
    newId,
    logger: silentLogger,
  };
}

export async function createRedisHarness(
  server: RedisServer,
  contentOf: (dataDir: string, role: 'frontend' | 'worker') => Partial<RedisEngineOptions> = () => ({}),
): Promise<RedisHarness> {
  const prefix = `test-${newId()}`;
  const harness = await createLinkedHarness({
    serverPort: server.port,
    openEngine(role, port, dataDir, clock) {
      const place = { url: `redis://127.0.0.1:${port}`, prefix, dataDir };
      return openRedisEngine({ ...redisEngineOptions(place, role), ...contentOf(dataDir, role), ...clock });
    },
    owners: () => askRedis(server.url, (redis) => redis.zcard(`{${prefix}}:owners`)),
  });
  return { ...harness, prefix };
}
