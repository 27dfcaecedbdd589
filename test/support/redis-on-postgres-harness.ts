/** The Redis engine with files and index in PostgreSQL, for the contract suites. */
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openPostgresContent, type PostgresContent } from '../../src/storage/postgres/content.ts';
import { silentLogger } from './engine-steps.ts';
import type { Databases } from './postgres.ts';
import type { RedisServer } from './redis.ts';
import { createRedisHarness, type RedisHarness } from './redis-harness.ts';

export async function createRedisOnPostgresHarness(redis: RedisServer, postgres: Databases): Promise<RedisHarness> {
  const url = await postgres.newDatabase();
  const harness = await createRedisHarness(redis, (workDir, role) => {
    const opened = Promise.withResolvers<PostgresContent>();
    return {
      async openFiles(owner) {
        const embedder = createBuiltinEmbedder();
        opened.resolve(await openPostgresContent({ url, owner, role, workDir, embedder, connectionsMax: 4, logger: silentLogger }));
        return (await opened.promise).files;
      },
      openIndex: async () => (await opened.promise).index,
    };
  });
  return {
    ...harness,
    async [Symbol.asyncDispose]() {
      await harness[Symbol.asyncDispose]();
      postgres.release(url);
    },
  };
}
