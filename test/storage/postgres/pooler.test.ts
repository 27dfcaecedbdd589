/** A pooler that shares connections between transactions stands before the database, and notifications go past it. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { settleDocument } from '../../../src/ingest/settle.ts';
import { openDatabase, settlePooler } from '../../../src/storage/postgres/database.ts';
import { openPostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { beginNext, silentLogger, upload } from '../../support/engine-steps.ts';
import { type Pooler, startPooler } from '../../support/pooler.ts';
import { postgresEngineOptions } from '../../support/postgres-harness.ts';
import { ask, type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { makeDataDir, removeDir } from '../../support/server.ts';
import { stageDocument } from '../../support/staged-document.ts';

let server: PostgresServer;
let url: string;
let pooler: Pooler;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.newDatabase();
  pooler = await startPooler(url, 2);
});
afterAll(async () => {
  await pooler[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it('whoever starts before the tables can be found through it is told what to do', async () => {
  const dir = await makeDataDir();
  onTestFinished(() => removeDir(dir));
  const started = openPostgresEngine({ ...postgresEngineOptions(pooler.through(url), 'worker', dir), directUrl: url });
  await expect(started).rejects.toMatchObject({ message: expect.stringContaining('RECONNECT in PgBouncer') });
});

it('two processes take in, settle and find documents over two connections of the server', async () => {
  const direct = await openDatabase({ url, connectionsMax: 1, idleInTransactionMs: 0, logger: silentLogger });
  await settlePooler(direct);
  await direct.close();
  // RECONNECT, from the other side.
  await ask(
    url,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  const dir = await makeDataDir();
  const through = pooler.through(url);
  const worker = await openPostgresEngine({ ...postgresEngineOptions(through, 'worker', `${dir}/worker`), directUrl: url });
  const front = await openPostgresEngine({ ...postgresEngineOptions(through, 'frontend', `${dir}/front`), directUrl: url });
  onTestFinished(async () => {
    await front.close();
    await worker.close();
    await removeDir(dir);
  });
  const names = ['heron', 'otter', 'kingfisher', 'bittern', 'newt', 'pike'];
  await Promise.all(names.map((docId) => upload(front, docId, { docId })));

  await Promise.all(
    names.map(async () => {
      const { lease, task } = await beginNext(worker);
      const scratchDir = await worker.files.scratch(task.id);
      const document = await stageDocument(scratchDir, {
        docId: task.docId,
        version: task.id,
        texts: [`a ${task.docId} in the reeds`],
      });
      await settleDocument(worker, lease, task, { scratchDir, document });
    }),
  );

  const found = await Promise.all(
    names.map(async (query) => (await front.index.search({ query, mode: 'keyword', topK: 5, offset: 0, filter: {} })).hits),
  );
  expect(found.map((hits) => hits.map(({ docId }) => docId))).toEqual(names.map((name) => [name]));
  const [row] = await ask(url, `SELECT count(*)::integer AS n FROM pg_stat_activity WHERE datname = current_database()`);
  // Two of the pooler's, one of each process for notifications, and the one that asks.
  expect(row!['n']).toBe(5);
});
