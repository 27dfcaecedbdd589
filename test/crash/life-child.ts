/** A process that lives `life.ts` on a disk that fails, stops or kills it at one named point. Arguments: one JSON object. */
import { createDisk } from '../../src/storage/file/disk/disk.ts';
import { errnoError, faultyDisk } from '../support/faulty-disk.ts';
import { openBoth } from './aftermath.ts';
import { openJournal } from './history.ts';
import { live } from './life.ts';

export type LifeOrder = {
  readonly dataDir: string;
  readonly journal: string;
  /** The point at which it happens, the first time it is reached. */
  readonly at: string;
  readonly action: FaultAction;
};

export type FaultAction = 'SIGKILL' | 'SIGSTOP' | 'EIO' | 'ENOSPC';

const order = JSON.parse(process.argv[2] ?? '') as LifeOrder;
let done = false;
const disk = faultyDisk(createDisk(), {
  before(operation) {
    if (done || operation.at !== order.at) return;
    done = true;
    if (order.action === 'SIGKILL' || order.action === 'SIGSTOP') process.kill(process.pid, order.action);
    else throw errnoError(order.action, operation);
  },
});

try {
  const [front, worker] = await openBoth(order.dataDir, { disk });
  await live(front, worker, openJournal(order.journal));
  await Promise.all([front.close(), worker.close()]);
  process.exit(front.lost.aborted || worker.lost.aborted ? 70 : 0);
} catch {
  // A fault in the first steps: the process could not start. Its operator would see why.
  process.exit(1);
}
