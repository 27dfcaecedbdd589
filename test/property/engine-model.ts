/** Any order of commands on an engine against a naive model of it; for every engine, as the contract suites are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CreateHarness } from '../contract/engine-harness.ts';
import type { Engine } from '../../src/storage/engine.ts';
import type { Lease } from '../../src/tasks/task-queue.ts';
import { type TaskId, taskLanes, type TaskStatus } from '../../src/tasks/task.ts';
import { completedOutcome, failedOutcome, upload } from '../support/engine-steps.ts';
import { until } from '../support/until.ts';

type Expected = { readonly id: TaskId; status: TaskStatus; attempts: number; readonly docId: string };
type Model = { readonly tasks: Expected[]; readonly running: Map<TaskId, Lease> };
type Real = { readonly front: Engine; readonly worker: Engine };
type Command = fc.AsyncCommand<Model, Real>;

export function engineModel(name: string, create: CreateHarness, options: { numRuns: number; seed?: number }): void {
  describe(`${name} against a model`, () => {
    it('agrees after any sequence of commands', async () => {
      await fc.assert(
        fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
          await using harness = await create();
          const real = { front: await harness.open('frontend'), worker: await harness.open('worker') };
          const setup = () => ({ model: { tasks: [], running: new Map() } as Model, real });
          await fc.asyncModelRun(setup, sequence);
          await real.worker.close();
        }),
        options,
      );
    }, 600_000);
  });
}

const commands = [
  fc.record({ docId: fc.constantFrom('a', '合同', 'c'), lane: fc.constantFrom(...taskLanes) }).map(({ docId, lane }): Command => ({
    check: () => true,
    async run(model, { front }) {
      const { id } = await upload(front, 'x', { docId, lane });
      model.tasks.push({ id, docId, status: 'pending', attempts: 0 });
      await agree(model, front);
    },
    toString: () => `upload(${docId}, ${lane})`,
  })),
  onTask('cancel', async (model, { front }, task) => {
    const { outcome } = await front.tasks.cancel(task.id, { force: false });
    const expected = { pending: 'cancelled', processing: 'processing', completed: 'final', failed: 'final' }[task.status];
    expect(outcome).toBe(expected);
    if (outcome === 'cancelled') task.status = 'failed';
    await agree(model, front);
  }),
  onTask('retry', async (model, { front }, task) => {
    if (task.status === 'failed') await front.index.reinstate(task.docId, task.id);
    expect(await front.tasks.retry(task.id)).toBe(task.status === 'failed' ? 'ok' : 'not_failed');
    if (task.status === 'failed') Object.assign(task, { status: 'pending', attempts: 0 });
    await agree(model, front);
  }),
  fc.constant<Command>({
    check: ({ tasks }) => tasks.some(({ status }) => status === 'pending'),
    async run(model, { worker }) {
      const busy = new Set(model.tasks.filter(({ status }) => status === 'processing').map(({ docId }) => docId));
      const free = model.tasks.filter(({ status, docId }) => status === 'pending' && !busy.has(docId));
      const lease = await worker.queue.claim(taskLanes, AbortSignal.timeout(free.length === 0 ? 50 : 20_000));
      if (free.length === 0) return expect(lease).toBeNull();
      const task = free.find(({ id }) => id === lease?.taskId);
      expect(task, 'a waiting task of a free document').toBeDefined();
      expect((await worker.tasks.begin(task!.id)).outcome).toBe('started');
      Object.assign(task!, { status: 'processing', attempts: task!.attempts + 1 });
      model.running.set(task!.id, lease!);
      await agree(model, worker);
    },
    toString: () => 'claim and begin',
  }),
  ...(['complete', 'fail', 'give back'] as const).map((end) =>
    fc.nat().map((pick): Command => ({
      check: ({ running }) => running.size > 0,
      async run(model, { worker }) {
        const [id, lease] = [...model.running][pick % model.running.size]!;
        const task = model.tasks.find((candidate) => candidate.id === id)!;
        const snapshot = await worker.tasks.get(id);
        if (end === 'give back') {
          expect(await worker.tasks.release(id, task.attempts, { counted: false })).toBe('ok');
          expect(await lease.release()).toBe('ok');
          Object.assign(task, { status: 'pending', attempts: task.attempts - 1 });
        } else {
          const outcome = end === 'complete' ? completedOutcome(snapshot!.task) : failedOutcome;
          expect(await worker.tasks.finish(id, task.attempts, outcome)).toBe('ok');
          expect(await lease.ack()).toBe('ok');
          task.status = outcome.status;
        }
        model.running.delete(id);
        await agree(model, worker);
      },
      toString: () => `${end}(${pick})`,
    })),
  ),
];

function onTask(name: string, work: (model: Model, real: Real, task: Expected) => Promise<void>): fc.Arbitrary<Command> {
  return fc.nat().map((pick) => ({
    check: ({ tasks }) => tasks.length > 0,
    run: (model, real) => work(model, real, model.tasks[pick % model.tasks.length]!),
    toString: () => `${name}(${pick})`,
  }));
}

/** Every task is as the model has it, one by one, in the list and in the counts. */
async function agree(model: Model, engine: Engine): Promise<void> {
  const { tasks } = await engine.tasks.list({ limit: 1000 });
  const seen = tasks.map(({ task: { id, status, attempts } }) => ({ id, status, attempts }));
  const expected = model.tasks.map(({ id, status, attempts }) => ({ id, status, attempts })).reverse();
  expect(seen).toEqual(expected);
  const count = (status: TaskStatus): number => model.tasks.filter((task) => task.status === status).length;
  await until('the counts agree', async () => {
    const { pending, processing } = await engine.tasks.counts();
    return pending === count('pending') && processing === count('processing');
  });
}
