/** The Redis engine for the contract suites: each engine behind a link of its own, which is cut where its process would die. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../src/engines/engine.ts';
import { openDirectoryFiles } from '../../src/engines/file/directory-files.ts';
import { openRedisEngine, type RedisEngineOptions } from '../../src/engines/redis/redis-engine.ts';
import type { EngineHarness } from '../contract/engine-harness.ts';
import { openArbiterIndex } from './arbiter-index.ts';
import { type CuttableLink, openCuttableLink } from './cuttable-link.ts';
import { newId, silentLogger } from './engine-steps.ts';
import { askRedis, type RedisServer } from './redis.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

export type RedisHarness = EngineHarness & {
  readonly prefix: string;
  /** The way of an engine to its server. */
  linkOf(engine: Engine): CuttableLink;
};

/** Settings with which tests open the engine; a lease of 2 s is the shortest there is. */
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
    openFiles: (owner) => openDirectoryFiles({ dataDir: place.dataDir, owner, diskReserveBytes: 0, now, logger: silentLogger }),
    openIndex: async () => {
      await mkdir(indexDir, { recursive: true });
      return openArbiterIndex(indexDir);
    },
    taskRetentionMs: 86_400_000,
    leaseMs: 2000,
    now,
    newId,
    logger: silentLogger,
  };
}

export async function createRedisHarness(
  server: RedisServer,
  contentOf: (dataDir: string, role: 'frontend' | 'worker') => Partial<RedisEngineOptions> = () => ({}),
): Promise<RedisHarness> {
  const dir = await tempDir();
  const prefix = `test-${newId()}`;
  const links = new Map<Engine, CuttableLink>();
  const owners = (): Promise<number> => askRedis(server.url, (redis) => redis.zcard(`{${prefix}}:owners`));

  return {
    prefix,
    linkOf: (engine) => links.get(engine)!,
    async open(role) {
      const link = await openCuttableLink(server.port);
      const place = { url: `redis://127.0.0.1:${link.port}`, prefix, dataDir: dir.path };
      const engine = await openRedisEngine({ ...redisEngineOptions(place, role), ...contentOf(dir.path, role) });
      links.set(engine, link);
      return engine;
    },
    /** Returns when the others have noticed; then the link is whole again, and the engine may try what it likes. */
    async crash(engine) {
      const before = await owners();
      links.get(engine)!.cut();
      await until('the others notice', async () => (await owners()) < before);
      links.get(engine)!.mend();
    },
    async [Symbol.asyncDispose]() {
      for (const [engine, link] of links) {
        await engine.close();
        await link[Symbol.asyncDispose]();
      }
      await dir[Symbol.asyncDispose]();
    },
  };
}
