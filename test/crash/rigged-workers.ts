/** Worker processes that die and freeze where a task tells them to (`rigged-worker.ts`), and are started again; and such tasks. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Engine } from '../../src/storage/engine.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { upload } from '../support/engine-steps.ts';
import { until } from '../support/until.ts';
import { randomFrom } from './random.ts';
import { settlePoints, type WorkerReport } from './rigged-worker.ts';

export type RiggedWorkers = {
  readonly reports: readonly WorkerReport[];
  /** When workers were killed by a signal. */
  readonly deaths: readonly number[];
  /** Workers that were declared dead while they lived. */
  losses(): number;
  /** Workers that ended by themselves, having begun to work. */
  crashes(): number;
  reported(what: WorkerReport['what'], id: TaskId): Promise<void>;
  /** Of the last such report. */
  timeOf(what: WorkerReport['what'], id: TaskId): number;
  /** Lets frozen workers go on. */
  thaw(): void;
  stop(): Promise<void>;
};

/** @param module the file beside this one that they run, with `order` as JSON. */
export async function startRiggedWorkers(module: string, order: object, count: number): Promise<RiggedWorkers> {
  const children = new Set<ChildProcess>();
  const reports: WorkerReport[] = [];
  const deaths: number[] = [];
  let losses = 0;
  let crashes = 0;
  let closing = false;

  function start(): Promise<unknown> {
    const child = fork(fileURLToPath(new URL(module, import.meta.url)), [JSON.stringify(order)]);
    children.add(child);
    let ready = false;
    child.on('message', (message) => {
      if (message === 'ready') ready = true;
      else reports.push(message as WorkerReport);
    });
    child.on('exit', (code, signal) => {
      children.delete(child);
      if (signal === 'SIGKILL') deaths.push(Date.now());
      if (code === 70) losses += 1;
      else if (code !== 0 && signal === null && ready) crashes += 1;
      if (!closing) void start();
    });
    return once(child, 'message');
  }

  await Promise.all(Array.from({ length: count }, start));
  return {
    reports,
    deaths,
    losses: () => losses,
    crashes: () => crashes,
    reported: (what, id) => until(`${what} is reported`, () => reports.some((report) => report.what === what && report.id === id)),
    timeOf: (what, id) => reports.findLast((report) => report.what === what && report.id === id)?.time ?? NaN,
    thaw: () => children.forEach((child) => child.kill('SIGCONT')),
    async stop() {
      closing = true;
      await Promise.all([...children].map(stop));
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGCONT');
  child.send('stop', () => undefined);
  await ended;
}

/**
 * Uploads of which some kill, at each step of settling in turn, the worker that comes there first; the server is killed and started
 * again between them.
 */
export async function uploadDoomed(
  front: Engine,
  server: { killAndRestart(): Promise<void> },
  { tasks, kills, restarts, seed }: { tasks: number; kills: number; restarts: number; seed: number },
): Promise<{ acknowledged: TaskId[]; restarted: number }> {
  const random = randomFrom(seed);
  const numbers = Array.from({ length: tasks }, (_, number) => number);
  const doomed = random.sample(numbers, kills);
  const acknowledged: TaskId[] = [];
  let restarted = 0;
  for (const number of numbers) {
    const place = doomed.indexOf(number);
    const filename = place < 0 ? 'plain' : `SIGKILL ${settlePoints[place % settlePoints.length]}`;
    // A version that is superseded or unchanged does not come to every step.
    const docId = place < 0 ? `doc-${random.whole(1, Math.ceil(tasks / 2))}` : `doomed-${number}`;
    // What is refused while the server is away was promised nothing, and is sent again.
    await until('the upload is accepted', async () => {
      const { id } = await upload(front, `text ${number}`, { filename, docId, attemptsMax: 1000 });
      return acknowledged.push(id) > 0;
    });
    if (number * (restarts + 1) >= (restarted + 1) * tasks) {
      restarted += 1;
      await server.killAndRestart();
    }
  }
  return { acknowledged, restarted };
}
