import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../../src/storage/engine.ts';
import { documentFolder } from '../../../../src/storage/file-store.ts';
import { beginNext, failedOutcome, newId, settle, stage, upload } from '../../../support/engine-steps.ts';
import { createFileEngineHarness } from '../../../support/file-engine-harness.ts';
import { until } from '../../../support/until.ts';

async function stored(engine: Engine): Promise<string[]> {
  const versions: string[] = [];
  for await (const { version } of engine.files.documents()) versions.push(version);
  return versions;
}

describe('the note of which version is current, which is not flushed', () => {
  it.each(['', '{"version":"01a2', '{"version":"00000000-0000-7000-8000-000000000000","ordinal":1,"docId":"a"}'])(
    'is put right by what the index shows where a power cut has left %j',
    async (left) => {
      await using harness = await createFileEngineHarness();
      const worker = await harness.open('worker');
      await upload(worker, 'old', { docId: 'a' });
      const old = await beginNext(worker);
      await settle(worker, old.lease, old.task);
      await upload(worker, 'new', { docId: 'a' });
      const { lease, task } = await beginNext(worker);
      await settle(worker, lease, task);
      const note = join(harness.dataDir, 'documents', documentFolder('a'), 'current.json');
      await worker.close();
      await writeFile(note, left);

      const next = await harness.open('worker');

      expect(await stored(next)).toEqual([task.id]);
      await until('it names the version again', async () => (await readFile(note, 'utf8')).includes(task.id));
      expect(await stored(next)).toEqual([task.id]);
    },
  );

  it('does not keep an attempt from putting its files anew where one before it was cut short', async () => {
    await using harness = await createFileEngineHarness();
    const worker = await harness.open('worker');
    await upload(worker, 'text', { docId: 'a' });
    const { lease, task } = await beginNext(worker);
    await worker.files.publish('a', task, await stage(worker, task));
    const key = { kind: 'document', docId: 'a', version: task.id, part: 'content.md' } as const;
    await truncate((await worker.files.localPath(key))!, 0);

    await settle(worker, lease, task);

    expect((await worker.files.stat(key))!.bytes).toBeGreaterThan(0);
  });

  it('is not needed by a version that is on its way without a task, as in a move: the sweep at the start leaves it', async () => {
    await using harness = await createFileEngineHarness();
    const debris = join(harness.dataDir, 'documents', documentFolder('gone'), newId());
    await (await harness.open('worker')).close();
    await mkdir(debris, { recursive: true });
    const worker = await harness.open('worker');
    await upload(worker, 'text', { docId: 'a' });
    const { lease, task } = await beginNext(worker);
    await worker.tasks.finish(task.id, task.attempts, failedOutcome);
    await lease.ack();

    await worker.files.publish('a', task, await stage(worker, task));
    await until('what a crash left is swept', () => !existsSync(debris));

    expect(await worker.files.stat({ kind: 'document', docId: 'a', version: task.id, part: 'meta.json' })).not.toBeNull();
  });
});
