import { describe, expect, it } from 'vitest';
import { createDisk } from '../../../../src/storage/file/disk/disk.ts';
import { beginNext, settle, upload } from '../../../support/engine-steps.ts';
import { faultyDisk } from '../../../support/faulty-disk.ts';
import { createFileEngineHarness } from '../../../support/file-engine-harness.ts';

describe('a task that is read while it ends in another process', () => {
  it('is not seen to go back to its first stage', async () => {
    await using harness = await createFileEngineHarness();
    const worker = await harness.open('worker');
    let beforeProgress = async (): Promise<void> => {};
    const disk = faultyDisk(createDisk(), {
      before: ({ at }) => (at === 'progress.read' ? beforeProgress() : undefined),
    });
    const frontend = await harness.open('frontend', { disk });
    const { id } = await upload(frontend, 'read me');
    const { lease, task } = await beginNext(worker);

    beforeProgress = async () => {
      beforeProgress = async () => {};
      await settle(worker, lease, task);
    };
    const seen = await frontend.tasks.get(id);

    expect(seen).toMatchObject({ task: { status: 'completed' }, progress: { stage: 'done', percent: 100 } });
  });
});
