import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Engine } from '../../../src/storage/engine.ts';
import { settleDocument } from '../../../src/ingest/settle.ts';
import type { EngineHarness } from '../../contract/engine-harness.ts';
import { beginNext, upload } from '../../support/engine-steps.ts';
import { createPostgresHarness } from '../../support/postgres-harness.ts';
import { type Databases } from '../../support/postgres.ts';
import { sharedPostgres } from '../../support/shared-postgres.ts';
import { stageDocument } from '../../support/staged-document.ts';

let server: Databases;
let harness: EngineHarness;

beforeAll(async () => {
  server = await sharedPostgres();
});

beforeEach(async () => {
  harness = await createPostgresHarness(server);
});

afterEach(() => harness[Symbol.asyncDispose]());
afterAll(() => server[Symbol.asyncDispose]());

/** A task that was read, up to its settling. */
async function readOne(worker: Engine) {
  const task = await upload(worker, 'x', { docId: 'whole' });
  const { lease } = await beginNext(worker);
  const scratchDir = await worker.files.scratch(task.id);
  const document = await stageDocument(scratchDir, { docId: 'whole', version: task.id, texts: ['a heron in the reeds'] });
  return { lease, task: { ...task, attempts: 1 }, staged: { scratchDir, document } };
}

it('a document whose task cannot be finished is not searchable either: settling is one transaction', async () => {
  const worker = await harness.open('worker');
  const { lease, task, staged } = await readOne(worker);
  const tasks = { ...worker.tasks, finish: () => Promise.reject(new Error('the connection was lost')) };

  await expect(settleDocument({ ...worker, tasks }, lease, task, staged)).rejects.toThrow('the connection was lost');
  expect(await worker.index.info('whole')).toBeNull();
  expect(await worker.files.stat({ kind: 'document', docId: 'whole', version: task.id, part: 'content.md' })).toBeNull();

  expect(await settleDocument(worker, lease, task, staged)).toMatchObject({ status: 'completed' });
  expect(await worker.index.info('whole')).toMatchObject({ version: task.id });
});

it('a process that was declared dead settles nothing', async () => {
  const [front, worker] = [await harness.open('frontend'), await harness.open('worker')];
  const { lease, task, staged } = await readOne(worker);
  await harness.crash(worker);

  await expect(settleDocument(worker, lease, task, staged)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await front.index.info('whole')).toBeNull();
  expect((await front.tasks.get(task.id))?.task).toMatchObject({ status: 'pending', attempts: 1 });
});
