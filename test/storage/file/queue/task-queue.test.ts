/** The file engine's queue where several processes claim. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createDisk, type Disk } from '../../../../src/storage/file/disk/disk.ts';
import { taskLanes } from '../../../../src/tasks/task.ts';
import { beginNext, settle, upload } from '../../../support/engine-steps.ts';
import { faultyDisk } from '../../../support/faulty-disk.ts';
import { createFileEngineHarness } from '../../../support/file-engine-harness.ts';
import { until } from '../../../support/until.ts';

/** A disk that tells its process nothing of the queue by itself, and on which it recovers nobody. */
function deafDisk(): Disk {
  const disk = faultyDisk(createDisk(), {
    before({ at }) {
      if (at === 'pending.poll' || at === 'reclaim.workers') throw new Error('not now');
    },
  });
  return { ...disk, watch: () => null };
}

it('gives the older task of a document first when another process has recovered it, however old the own list of waiting tasks is', async () => {
  await using harness = await createFileEngineHarness();
  const front = await harness.open('frontend');
  const worker = await harness.open('worker');
  const other = await harness.open('worker', { disk: deafDisk() });
  const old = await upload(front, 'old', { docId: 'a' });
  await beginNext(worker);
  const newer = await upload(front, 'new', { docId: 'a' });
  // The other process looks: only the newer task waits, and its document is busy.
  const looked = new AbortController();
  const claimed = other.queue.claim(taskLanes, looked.signal);
  looked.abort();
  expect(await claimed).toBeNull();

  await harness.crash(worker);
  await until('the front end has recovered it', async () => (await readdir(join(harness.dataDir, 'queue', 'locks'))).length === 0);
  const first = await beginNext(other);
  await settle(other, first.lease, first.task);
  const second = await beginNext(other);

  expect([first.task.id, second.task.id]).toEqual([old.id, newer.id]);
});
