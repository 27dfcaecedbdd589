import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createDisk } from '../../../src/storage/file/disk/disk.ts';
import { createLayout } from '../../../src/storage/file/disk/layout.ts';
import { loggedBytesMax } from '../../../src/storage/file/tasks/record-log.ts';
import type { NewTask } from '../../../src/tasks/task.ts';
import { newTask } from '../../support/engine-steps.ts';
import { faultyDisk } from '../../support/faulty-disk.ts';
import { createFileEngineHarness } from '../../support/file-engine-harness.ts';

/** What was flushed for one group of these, after another has made the log and the folders. */
async function flushesOf(contents: readonly Buffer[], more: Partial<NewTask> = {}) {
  await using harness = await createFileEngineHarness();
  const points: string[] = [];
  let fails = false;
  const disk = faultyDisk(createDisk(), {
    before({ method, at }) {
      if (method === 'sync' || method === 'sync-directory') points.push(at);
      if (at === 'log.sync' && fails) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    },
  });
  const front = await harness.open('frontend', { disk });
  const submit = async (bytes: readonly Buffer[]) => {
    const receipts = await front.files.receiveAll(bytes);
    return front.submitAll(receipts.map((receipt) => ({ task: { ...newTask(receipt), ...more }, receipt })));
  };
  await submit([Buffer.from('first')]);
  points.length = 0;
  const results = await submit(contents);
  const made = [...points];
  const layout = createLayout(harness.dataDir);
  const kept = await Promise.all(
    results.map(async (result) => (result.status === 'fulfilled' ? readFile(layout.payload(result.value.id)) : null)),
  );
  fails = true;
  const refused = await submit(contents);
  fails = false;
  return { made, kept, refused, counts: await front.tasks.counts() };
}

describe('uploads made tasks together', () => {
  it('wait for one flush, that of the log, and none of them is there when that fails', async () => {
    const contents = Array.from({ length: 20 }, (_, n) => Buffer.from(`text ${n}`));

    const { made, kept, refused, counts } = await flushesOf(contents);

    expect(made.filter((at) => at.startsWith('group.') || at.startsWith('record.'))).toEqual([]);
    expect(made.filter((at) => at === 'log.sync').length).toBe(1);
    expect(kept).toEqual(contents);
    expect(refused.map(({ status }) => status)).toEqual(contents.map(() => 'rejected'));
    expect(counts).toEqual({ pending: 21, processing: 0 });
  });

  it('are flushed as files where the log takes them not: large ones, and those with a password', async () => {
    const large = await flushesOf([Buffer.alloc(loggedBytesMax + 1, 'x')]);
    expect(large.made).toEqual(expect.arrayContaining(['group.sync', 'record.sync', 'group.sync-bucket', 'group.sync-pending']));
    const secret = await flushesOf([Buffer.from('small')], { password: 'open sesame' });
    expect(secret.made).toEqual(
      expect.arrayContaining(['group.sync-payload', 'record.sync', 'group.sync-bucket', 'group.sync-pending']),
    );
    expect(secret.made).not.toContain('log.sync');
  });
});
