/** Disk operations of three processes in any order that a scheduler picks; `ENGINE_MODEL_RUNS=300` asks more of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDisk, type Disk } from '../../src/storage/file/disk/disk.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { taskLanes } from '../../src/tasks/task.ts';
import { completedOutcome, upload } from '../support/engine-steps.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { createFileEngineHarness } from '../support/file-engine-harness.ts';
import { until } from '../support/until.ts';
import { modelRuns } from './model-runs.ts';

describe('the file engine', () => {
  it('brings every task to one end, in whatever order the disk operations of three processes happen', async () => {
    await fc.assert(fc.asyncProperty(fc.scheduler(), interleave), modelRuns({ part: 1 / 3 }));
  }, 300_000);
});

/** One front end uploads, cancels and retries while two workers run; the scheduler holds each disk operation back until its turn. */
async function interleave(scheduler: fc.Scheduler): Promise<void> {
  await using harness = await createFileEngineHarness();
  let over = false;
  const turns = (who: string): Disk =>
    faultyDisk(createDisk(), { before: () => (over ? undefined : scheduler.schedule(Promise.resolve(), who)) });
  const letThemPass = passAll(scheduler, () => over);
  const [front, one, other] = await Promise.all(
    (['frontend', 'worker', 'worker'] as const).map((role, number) => harness.open(role, { disk: turns(`${role} ${number}`) })),
  );
  const completions: TaskId[] = [];
  const cancelled: TaskId[] = [];
  const stop = new AbortController();
  const runners = [one!, other!].map(async (worker) => {
    for (;;) {
      const lease = await worker.queue.claim(taskLanes, stop.signal);
      if (lease === null) return;
      const begun = await worker.tasks.begin(lease.taskId);
      if (begun.outcome === 'started') {
        const { task } = begun;
        if ((await worker.tasks.finish(task.id, task.attempts, completedOutcome(task))) === 'ok') completions.push(task.id);
      }
      await lease.ack();
    }
  });
  const ids = await Promise.all(
    ['a', '合同', 'a', 'c'].map(async (docId) => {
      const { id } = await upload(front!, 'x', { docId });
      if ((await front!.tasks.cancel(id, { force: false })).outcome === 'cancelled') cancelled.push(id);
      return id;
    }),
  );
  await until('every task has ended', async () => {
    const { pending, processing } = await front!.tasks.counts();
    return pending + processing === 0;
  });
  stop.abort();
  await Promise.all(runners);
  over = true;
  await letThemPass;
  expect([...completions, ...cancelled].sort()).toEqual([...ids].sort());
  const ends = await Promise.all(ids.map((id) => one!.tasks.get(id)));
  expect(ends.map((end) => end?.task.status)).toEqual(ids.map((id) => (cancelled.includes(id) ? 'failed' : 'completed')));
}

/** Lets one operation after the other go on, in the order that the scheduler picks. */
async function passAll(scheduler: fc.Scheduler, over: () => boolean): Promise<void> {
  while (!over() || scheduler.count() > 0) {
    if (scheduler.count() > 0) await scheduler.waitOne();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}
