/** The Redis engine with files and index in PostgreSQL, as on several hosts, keeps the contracts that these have a part in. */
import { afterAll, beforeAll } from 'vitest';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { createRedisOnPostgresHarness } from '../../support/redis-on-postgres-harness.ts';

let redis: RedisServer;
let postgres: Databases;
beforeAll(async () => void ([redis, postgres] = await Promise.all([startRedis(), sharedPostgres()])));
afterAll(() => Promise.all([redis, postgres].map((server) => server[Symbol.asyncDispose]())));

const create = () => createRedisOnPostgresHarness(redis, postgres);

fileStoreContract('Redis with PostgreSQL', create);
engineContract('Redis with PostgreSQL', create);
