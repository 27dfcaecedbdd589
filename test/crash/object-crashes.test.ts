/** Workers killed between what they do in the object store and what they do in the database. */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { Engine } from '../../src/storage/engine.ts';
import { parseFilesUrl } from '../../src/storage/objects/files-url.ts';
import { openS3 } from '../../src/storage/objects/s3.ts';
import { openPostgresEngine } from '../../src/storage/postgres/engine.ts';
import { upload } from '../support/engine-steps.ts';
import { objectCredentials, startObjectServer } from '../support/object-server.ts';
import { postgresEngineOptions } from '../support/postgres-harness.ts';
import { ask } from '../support/postgres.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { startRiggedWorkers } from './rigged-workers.ts';

const leaseMs = 1500;

/** Where each worker dies: in the settling of a task, or where it uses the store. */
const deaths = ['publish', 'finish', 'after-put', 'before-delete'] as const;

it('workers that die between the object and the transaction leave no object that no document refers to, and no document without its files', async () => {
  await using server = await sharedPostgres();
  await using objects = await startObjectServer();
  await using dir = await tempDir(tmpdir());
  const url = await server.newDatabase();
  const filesUrl = objects.filesUrl('crashes');
  const store = await openS3({ ...parseFilesUrl(filesUrl)!, ...objectCredentials });
  const front = await openPostgresEngine({
    ...postgresEngineOptions(url, 'frontend', join(dir.path, 'front')),
    leaseMs,
    objects: store,
  });
  const workers = await startRiggedWorkers('object-child.ts', { url, dir: dir.path, leaseMs, filesUrl }, 2);

  for (const [number, point] of deaths.entries()) {
    // What is replaced is deleted after the transaction.
    await settled(front, await upload(front, `first of ${point}`, { docId: point, attemptsMax: 100 }));
    const inStore = point === 'after-put' || point === 'before-delete';
    if (inStore) await writeFile(join(dir.path, point), '');
    const filename = inStore ? 'plain' : `SIGKILL ${point}`;
    await settled(front, await upload(front, `second of ${point}`, { docId: point, filename, attemptsMax: 100 }));
    await until(`a worker has died at ${point}`, () => workers.deaths.length > number);
  }

  const keys = (): string[] =>
    [...objects.objects.keys()].filter((key) => !key.endsWith('/space')).map((key) => key.split('/').slice(-2).join('/'));
  const referred = async (): Promise<string[]> =>
    (await ask(url, 'SELECT object FROM rag_intake.blob')).map(({ object }) => String(object)).toSorted();
  const isSwept = async (): Promise<boolean> => JSON.stringify(await referred()) === JSON.stringify(keys().toSorted());
  // Which of them is wrong is said below.
  await until('what nobody refers to is swept', isSwept, 20_000).catch(() => undefined);
  expect(keys().toSorted()).toEqual(await referred());
  await until('nothing is noted to be deleted', async () => {
    const [row] = await ask(url, 'SELECT count(*)::int AS n FROM rag_intake.unneeded_object');
    return row!['n'] === 0;
  });
  expect(workers.deaths).toHaveLength(deaths.length);
  for (const point of deaths) expect(await originalOf(front, point)).toBe(`second of ${point}`);
  await workers.stop();
  await front.close();
}, 120_000);

async function settled(front: Engine, { id }: Awaited<ReturnType<typeof upload>>): Promise<void> {
  await until('the task is completed', async () => (await front.tasks.get(id))?.task.status === 'completed');
}

/** Every part of the current version is read to its end; what the original holds is given. */
async function originalOf(front: Engine, docId: string): Promise<string> {
  const version = (await front.index.info(docId))!.version;
  let original = '';
  for (const part of ['original', 'content.md', 'chunks.ndjson', 'meta.json'] as const) {
    const file = await front.files.open({ kind: 'document', docId, version, part });
    const content = file === null ? '' : await text(file.stream);
    expect(Buffer.byteLength(content), `${docId} ${part}`).toBe(file?.bytes);
    if (part === 'original') original = content;
  }
  return original;
}
