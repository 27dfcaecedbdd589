/** A commit that succeeds, and whose answer is lost with the connection: whoever asked for it does not know. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { openPostgresEngine } from '../../../src/storage/postgres/engine.ts';
import { taskLanes } from '../../../src/tasks/task.ts';
import { openCuttableLink } from '../../support/cuttable-link.ts';
import { beginNext, newTask, upload } from '../../support/engine-steps.ts';
import { postgresEngineOptions } from '../../support/postgres-harness.ts';
import { ask, type Databases } from '../../support/postgres.ts';
import { makeDataDir, removeDir } from '../../support/server.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { until } from '../../support/until.ts';

let server: Databases;

beforeAll(async () => {
  server = await sharedPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A process whose way to the database can lose what it answers. */
async function open() {
  const url = await server.newDatabase();
  const link = await openCuttableLink(server.port);
  const dir = await makeDataDir();
  const through = new URL(url);
  through.port = String(link.port);
  const engine = await openPostgresEngine(postgresEngineOptions(through.href, 'worker', dir));
  onTestFinished(async () => {
    await engine.close();
    await link[Symbol.asyncDispose]();
    await removeDir(dir);
    server.release(url);
  });
  const count = async (what: string): Promise<number> =>
    Number((await ask(url, `SELECT count(*) AS n FROM rag_intake.${what}`))[0]!['n']);
  return { engine, link, count };
}

it('a task that was taken so is not held for ever by a process that lives and does not know of it', async () => {
  const { engine, link, count } = await open();
  const task = await upload(engine, 'one');
  const lost = link.loseCommit();
  const claimed = engine.queue.claim(taskLanes, AbortSignal.timeout(60_000)).catch((error: unknown) => error);
  await lost;

  expect(await claimed).toMatchObject({ code: 'unavailable' });
  expect(await count('lease')).toBe(1);
  const { task: begun } = await beginNext(engine);
  expect(begun).toMatchObject({ id: task.id, attempts: 1 });
});

it('uploads that were kept so were refused, and are not there in the end', async () => {
  const { engine, link, count } = await open();
  const receipts = await engine.files.receiveAll(['one', 'two'].map((text) => new TextEncoder().encode(text)));
  const lost = link.loseCommit();
  const results = await engine.submitAll(receipts.map((receipt) => ({ task: newTask(receipt), receipt })));
  await lost;

  expect(results).toMatchObject(Array(2).fill({ status: 'rejected', reason: { code: 'unavailable' } }));
  await until('they are taken back', async () => (await count('task')) === 0);
});

it('a task whose end was kept so has ended once', async () => {
  const { engine, link, count } = await open();
  await upload(engine, 'one');
  const { lease } = await beginNext(engine);
  const lost = link.loseCommit();
  await expect(lease.ack()).rejects.toMatchObject({ code: 'unavailable' });
  await lost;

  expect(await lease.ack()).toBe('lost');
  expect(await count('lease')).toBe(0);
});
