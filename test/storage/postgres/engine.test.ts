/** The PostgreSQL engine keeps every contract. */
import { afterAll, beforeAll } from 'vitest';
import { engineContract } from '../../contract/engine-contract.ts';
import { fileStoreContract } from '../../contract/file-store-contract.ts';
import { taskQueueContract } from '../../contract/task-queue-contract.ts';
import { taskStoreContract } from '../../contract/task-store-contract.ts';
import { createPostgresHarness } from '../../support/postgres-harness.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';

let server: Databases;
beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

const create = () => createPostgresHarness(server);
taskStoreContract('the PostgreSQL engine', create);
taskQueueContract('the PostgreSQL engine', create);
fileStoreContract('the PostgreSQL engine', create);
engineContract('the PostgreSQL engine', create);
