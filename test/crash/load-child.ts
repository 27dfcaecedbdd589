/** A process that uploads, cancels and runs tasks until it is told to stop (SIGTERM), telling its journal. Arguments: one JSON object. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskId } from '../../src/tasks/task.ts';
import { openBoth } from './aftermath.ts';
import { openJournal } from './history.ts';
import { look, runNext, submit } from './life.ts';
import { randomFrom } from './random.ts';

export type LoadOrder = {
  readonly dataDir: string;
  readonly journal: string;
  readonly seed: number;
  /** Pause between two uploads, milliseconds. */
  readonly pauseMs: number;
};

const order = JSON.parse(process.argv[2] ?? '') as LoadOrder;
const random = randomFrom(order.seed);
const tell = openJournal(order.journal);
let stopping = false;
process.on('SIGTERM', () => (stopping = true));

const [front, worker] = await openBoth(order.dataDir);
const lost = (): boolean => front.lost.aborted || worker.lost.aborted;
await Promise.all([uploads(), runs(), sightings()]);
const code = lost() ? 70 : 0;
await Promise.all([front.close(), worker.close()]);
process.exit(code);

async function uploads(): Promise<void> {
  while (!stopping && !lost()) {
    const id = await submit(front, tell, `text ${random.next()}`, {
      docId: `doc-${random.whole(1, 40)}`,
      lane: random.next() < 0.8 ? 'small' : 'large',
      attemptsMax: 100,
    }).catch(() => null);
    // Beside the uploads: a cancel waits for whoever holds the task's marker, who may be dead.
    if (id !== null && random.next() < 0.2) void cancelOne(id).catch(() => undefined);
    await sleep(order.pauseMs);
  }
}

async function cancelOne(id: TaskId): Promise<void> {
  tell({ op: 'cancel', id, phase: 'ask' });
  const { outcome } = await front.tasks.cancel(id, { force: random.next() < 0.7 });
  if (outcome === 'cancelled') tell({ op: 'cancel', id, phase: 'ok' });
}

async function runs(): Promise<void> {
  while (!stopping && !lost()) await runNext(worker, tell, 500).catch(() => undefined);
}

async function sightings(): Promise<void> {
  while (!stopping && !lost()) {
    await look(front, tell).catch(() => undefined);
    const search = { query: 'text', mode: 'keyword', topK: 10, offset: 0, filter: {} } as const;
    await front.index.search(search).catch(() => undefined);
    await front.tasks.list({ limit: 100, docId: `doc-${random.whole(1, 40)}` }).catch(() => undefined);
    await sleep(300);
  }
}
