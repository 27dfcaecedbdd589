import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/storage/postgres/database.ts';
import { openPostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { createSnapshots } from '../../../src/storage/postgres/task-store.ts';
import { beginNext, settle, silentLogger, upload } from '../../support/engine-steps.ts';
import { postgresEngineOptions } from '../../support/postgres-harness.ts';
import { ask, type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { fillQueue } from '../../support/waiting-tasks.ts';

let server: Databases;

beforeAll(async () => {
  server = await sharedPostgres();
});

afterAll(() => server[Symbol.asyncDispose]());

describe('a task that is read while it ends in another process', () => {
  it('is not seen to go back to its first stage', async () => {
    await using dir = await tempDir();
    const url = await server.newDatabase();
    const worker = await openPostgresEngine(postgresEngineOptions(url, 'worker', dir.path));
    const database = await openDatabase({ url, connectionsMax: 1, idleInTransactionMs: 0, logger: silentLogger });
    const { id } = await upload(worker, 'read me');
    const { lease, task } = await beginNext(worker);
    const readBefore = await ask(url, 'SELECT record FROM rag_intake.task WHERE id = $1', [id]);
    await settle(worker, lease, task);

    const seen = await createSnapshots(database, { positions: () => Promise.resolve(new Map()) })(readBefore);
    await database.close();
    await worker.close();

    expect(seen).toMatchObject([{ task: { status: 'completed' }, progress: { stage: 'done', percent: 100 } }]);
  });
});

describe('a task that waits behind many', () => {
  it('says its place, exactly among the first thousand and nearly so behind them', async () => {
    await using dir = await tempDir();
    const url = await server.newDatabase();
    const front = await openPostgresEngine(postgresEngineOptions(url, 'frontend', dir.path));
    const ids = await fillQueue(url, front, 3000);

    const places = await Promise.all(
      [0, 7, 999, 1500, 2500, 2999].map(async (at) => (await front.tasks.get(ids[at]!))!.queuePosition!),
    );
    const listed = (await front.tasks.list({ limit: 3 })).tasks.map(({ queuePosition }) => queuePosition);
    await front.close();

    expect(places.slice(0, 3)).toEqual([0, 7, 999]);
    expect(places.slice(3)).toEqual(places.slice(3).toSorted((a, b) => a - b));
    expect(places[3]).toBeGreaterThanOrEqual(1000);
    expect(places[5]).toBe(2999);
    expect(listed[0]).toBe(2999);
  });
});
