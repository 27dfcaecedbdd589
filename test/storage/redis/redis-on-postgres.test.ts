/** The Redis engine with files and index in PostgreSQL, as on several hosts, keeps the contracts that these have a part in. */
import { afterAll, beforeAll } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { openPostgresContent, type PostgresContent } from '../../../src/storage/postgres/content.ts';
import { contentFilesContract } from '../../contract/content-files-contract.ts';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { createRedisOnPostgresHarness } from '../../support/redis-on-postgres-harness.ts';

let redis: RedisServer;
let postgres: Databases;
beforeAll(async () => void ([redis, postgres] = await Promise.all([startRedis(), sharedPostgres()])));
afterAll(() => Promise.all([redis, postgres].map((server) => server[Symbol.asyncDispose]())));

const create = () => createRedisOnPostgresHarness(redis, postgres);

fileStoreContract('Redis with PostgreSQL', create);
engineContract('Redis with PostgreSQL', create);

contentFilesContract('files in PostgreSQL', async () => {
  const dir = await tempDir();
  const url = await postgres.newDatabase();
  const options = { url, role: 'worker', workDir: dir.path, connectionsMax: 4, logger: silentLogger } as const;
  const open = (id: string): Promise<PostgresContent> =>
    openPostgresContent({ ...options, owner: { id, lost: new AbortController().signal }, embedder: createBuiltinEmbedder() });
  const [{ files: own }, { files: ofAnother }] = [await open('worker-1'), await open('worker-2')];
  return {
    own,
    ofAnother,
    async close() {
      await Promise.all([own.close(), ofAnother.close()]);
      postgres.release(url);
      await dir[Symbol.asyncDispose]();
    },
  };
});
