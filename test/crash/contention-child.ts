/** A worker that runs tasks, four at a time, until nothing waits, then sends the ids of those it has completed. */
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { completedOutcome } from '../support/engine-steps.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';

const worker = await openFileEngine(fileEngineOptions(process.argv[2] ?? '', 'worker'));
const completed: string[] = [];
await Promise.all([1, 2, 3, 4].map(runAll));
process.send?.(completed);
await worker.close();
process.exit(0);

async function runAll(): Promise<void> {
  for (;;) {
    const lease = await worker.queue.claim(['small', 'large'], AbortSignal.timeout(3000));
    if (lease === null) return;
    const begun = await worker.tasks.begin(lease.taskId);
    if (begun.outcome === 'started') {
      const { id, attempts } = begun.task;
      if ((await worker.tasks.finish(id, attempts, completedOutcome(begun.task))) === 'ok') completed.push(id);
    }
    await lease.ack();
  }
}
