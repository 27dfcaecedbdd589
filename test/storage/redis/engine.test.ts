/** The Redis engine keeps every contract. */
import { afterAll, beforeAll } from 'vitest';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { taskQueueContract } from '../../contract/task-queue-contract.ts';
import { taskStoreContract } from '../../contract/task-store-contract.ts';
import { createRedisHarness } from '../../support/redis-harness.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';

let server: RedisServer;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server[Symbol.asyncDispose]());

const create = () => createRedisHarness(server);
taskStoreContract('the Redis engine', create);
taskQueueContract('the Redis engine', create);
fileStoreContract('the Redis engine', create);
engineContract('the Redis engine', create);
