/** The Redis engine with files and index in PostgreSQL, as on several hosts, keeps the contracts that these have a part in. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createBuiltinEmbedder } from '../../../src/embed/builtin-embedder.ts';
import { openPostgresContent, type PostgresContent } from '../../../src/storage/postgres/content.ts';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { newId, silentLogger } from '../../support/engine-steps.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { createRedisOnPostgresHarness } from '../../support/redis-on-postgres-harness.ts';

let redis: RedisServer;
let postgres: Databases;
beforeAll(async () => void ([redis, postgres] = await Promise.all([startRedis(), sharedPostgres()])));
afterAll(() => Promise.all([redis, postgres].map((server) => server[Symbol.asyncDispose]())));

const create = () => createRedisOnPostgresHarness(redis, postgres);

fileStoreContract('Redis with PostgreSQL', create);
engineContract('Redis with PostgreSQL', create);

/** Files in the database, with a version of the document `a` in them that is not current yet. */
async function published() {
  const dir = await tempDir();
  const url = await postgres.newDatabase();
  const options = { url, role: 'worker', workDir: dir.path, connectionsMax: 4, logger: silentLogger } as const;
  const open = (id: string): Promise<PostgresContent> =>
    openPostgresContent({ ...options, owner: { id, lost: new AbortController().signal }, embedder: createBuiltinEmbedder() });
  const [{ files }, { files: ofAnother }] = [await open('worker-1'), await open('worker-2')];
  onTestFinished(async () => {
    await files.close();
    await ofAnother.close();
    postgres.release(url);
    await dir[Symbol.asyncDispose]();
  });
  const version = { id: newId(), ordinal: 1 };
  const scratch = await files.scratch(version.id);
  for (const part of ['original', 'content.md', 'meta.json']) await writeFile(join(scratch, part), part);
  await files.publish('a', version, scratch);
  return {
    settle: () => files.settle('a', version),
    sweep: (whose: 'own' | 'another', isLive: () => Promise<boolean>) =>
      (whose === 'own' ? files : ofAnother).sweep({
        isAlive: async () => true,
        needsPayload: async () => true,
        isLive,
        isCurrent: async () => true,
      }),
    original: () => files.stat({ kind: 'document', docId: 'a', version: version.id, part: 'original' }),
  };
}

it('a sweep leaves a version alone that this process is publishing, though no task is there yet, as in a move', async () => {
  const { settle, sweep, original } = await published();
  await sweep('own', async () => false);
  await settle();

  expect(await original()).toEqual({ bytes: 8 });
});

it('the sweep of another process leaves a version alone that became current after it was looked at, and before its task was asked for', async () => {
  const { settle, sweep, original } = await published();
  await sweep('another', async () => {
    await settle();
    return false;
  });

  expect(await original()).toEqual({ bytes: 8 });
});
