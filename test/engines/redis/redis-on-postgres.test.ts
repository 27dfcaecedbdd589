/** The Redis engine with files and index in PostgreSQL, as on several hosts, keeps the contracts that these have a part in. */
import { afterAll, beforeAll } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { openPostgresContent, type PostgresContent } from '../../../src/engines/postgres/postgres-content.ts';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { createRedisHarness, type RedisHarness } from '../../support/redis-harness.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

let redis: RedisServer;
let postgres: PostgresServer;
beforeAll(async () => void ([redis, postgres] = await Promise.all([startRedis(), startPostgres()])), 60_000);
afterAll(() => Promise.all([redis, postgres].map((server) => server[Symbol.asyncDispose]())));

async function create(): Promise<RedisHarness> {
  const url = await postgres.newDatabase();
  return createRedisHarness(redis, (workDir, role) => {
    const opened = Promise.withResolvers<PostgresContent>();
    return {
      async openFiles(owner) {
        const now = (): string => new Date().toISOString();
        const embedder = createBuiltinEmbedder();
        opened.resolve(
          await openPostgresContent({ url, owner, role, workDir, embedder, connectionsMax: 4, now, logger: silentLogger }),
        );
        return (await opened.promise).files;
      },
      openIndex: async () => (await opened.promise).index,
    };
  });
}

fileStoreContract('Redis with PostgreSQL', create);
engineContract('Redis with PostgreSQL', create);
