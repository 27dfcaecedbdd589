/** What every TaskQueue does, whatever carries the ids. */
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/storage/engine.ts';
import type { Lease } from '../../src/tasks/task-queue.ts';
import type { Task, TaskId } from '../../src/tasks/task.ts';
import { beginNext, claimNext, failedOutcome, settle, upload } from '../support/engine-steps.ts';
import { until } from '../support/until.ts';
import type { CreateHarness, EngineHarness } from './engine-harness.ts';

export function taskQueueContract(name: string, create: CreateHarness): void {
  describe(`${name} as a queue`, () => {
    let harness: EngineHarness;
    let front: Engine;
    let worker: Engine;

    beforeEach(async () => {
      harness = await create();
      front = await harness.open('frontend');
      worker = await harness.open('worker');
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    /** What cannot be claimed now: a claim that is given up before it finds anything. */
    async function nothingToClaim(engine: Engine): Promise<boolean> {
      const lease = await engine.queue.claim(['small', 'large'], AbortSignal.timeout(300));
      return lease === null;
    }

    it('gives tasks in the order of their arrival', async () => {
      const uploaded = [await upload(front, 'a'), await upload(front, 'b'), await upload(front, 'c')];

      const claimed: TaskId[] = [];
      for (let count = 0; count < 3; count += 1) claimed.push((await claimNext(worker)).taskId);

      expect(claimed).toEqual(uploaded.map(({ id }) => id));
    });

    it('gives them in that order whatever the clocks said that named them', async () => {
      const days = [0, 3650, -30, 0, 3650, 1];
      const from = (days: number) => {
        const at = Date.now() + days * 86_400_000;
        return { id: v7({ msecs: at }) as TaskId, createdAt: new Date(at).toISOString() };
      };
      const uploaded: Task[] = [];
      for (const [count, ahead] of days.entries())
        uploaded.push(await upload(front, 'x', { ...from(ahead), caller: count % 2 === 0 ? 'aaaaaaaa' : 'bbbbbbbb' }));
      await until('all of them are seen', async () => (await worker.queue.waiting()).small === days.length);
      const places = await Promise.all(uploaded.map(async ({ id }) => (await front.tasks.get(id))?.queuePosition));
      const order: TaskId[] = [];
      for (let count = 0; count < days.length; count += 1) {
        const { lease, task } = await beginNext(worker);
        order.push(task.id);
        await worker.index.revoke(task.docId, task);
        await worker.tasks.finish(task.id, task.attempts, failedOutcome);
        await lease.ack();
      }

      expect(places).toEqual([0, 0, 2, 2, 4, 4]);
      expect(order).toEqual(uploaded.map(({ id }) => id));
    });

    it('gives a retried task no later because the clock that named it was ahead', async () => {
      const at = Date.now() + 3650 * 86_400_000;
      const ahead = { id: v7({ msecs: at }) as TaskId, createdAt: new Date(at).toISOString() };
      const { id } = await upload(front, 'x', ahead);
      const { lease, task } = await beginNext(worker);
      await worker.index.revoke(task.docId, task);
      await worker.tasks.finish(id, task.attempts, failedOutcome);
      await lease.ack();
      await upload(front, 'later');
      await front.index.reinstate(task.docId, id);

      expect(await front.tasks.retry(id)).toBe('ok');
      await until('both are seen', async () => (await worker.queue.waiting()).small === 2);
      expect((await claimNext(worker)).taskId).toBe(id);
    });

    it('lets callers take turns, each with its oldest task, however many another has sent before', async () => {
      for (let count = 0; count < 6; count += 1) await upload(front, 'x', { docId: `many ${count}`, caller: 'aaaaaaaa' });
      for (let count = 0; count < 2; count += 1) await upload(front, 'x', { docId: `few ${count}`, caller: '11111111' });
      await upload(front, 'x', { docId: 'old', caller: '' });
      await upload(front, 'x', { docId: 'one', caller: 'ffffffff' });
      await until('all of them are seen', async () => (await worker.queue.waiting()).small === 10);

      const order: string[] = [];
      for (let count = 0; count < 10; count += 1) {
        const { lease, task } = await beginNext(worker);
        order.push(task.docId);
        await settle(worker, lease, task);
      }

      expect(order.slice(0, 4).toSorted()).toEqual(['few 0', 'many 0', 'old', 'one']);
      expect(order.slice(4, 6).toSorted()).toEqual(['few 1', 'many 1']);
      expect(order.slice(6)).toEqual(['many 2', 'many 3', 'many 4', 'many 5']);
    });

    it('gives the next thread to whoever has the fewest running', async () => {
      for (let count = 0; count < 4; count += 1) await upload(front, 'x', { docId: `many ${count}`, caller: 'aaaaaaaa' });
      const first = await beginNext(worker);
      for (let count = 0; count < 3; count += 1) await upload(front, 'x', { docId: `few ${count}`, caller: '11111111' });
      await until('all of them are seen', async () => (await worker.queue.waiting()).small === 6);

      for (let count = 0; count < 3; count += 1) {
        const { lease, task } = await beginNext(worker);
        expect(task.docId).toBe(`few ${count}`);
        await settle(worker, lease, task);
      }
      expect((await beginNext(worker)).task.docId).toBe('many 1');
      await settle(worker, first.lease, first.task);
    });

    it('says how many go before a task when the others have their turns', async () => {
      const many: TaskId[] = [];
      for (let count = 0; count < 5; count += 1)
        many.push((await upload(front, 'x', { docId: `many ${count}`, caller: 'aaaaaaaa' })).id);
      const one = await upload(front, 'x', { docId: 'one', caller: 'ffffffff' });
      const places = await Promise.all([...many, one.id].map(async (id) => (await front.tasks.get(id))?.queuePosition));

      expect(places).toEqual([0, 2, 3, 4, 5, 0]);
    });

    it('takes from the first lane first, and from the other when that is empty', async () => {
      const large = await upload(front, 'a', { lane: 'large' });
      const small = await upload(front, 'b', { lane: 'small' });

      expect((await claimNext(worker, ['small', 'large'])).taskId).toBe(small.id);
      expect((await claimNext(worker, ['small', 'large'])).taskId).toBe(large.id);
    });

    it('leaves a lane alone that it was not asked for', async () => {
      await upload(front, 'a', { lane: 'large' });

      expect(await worker.queue.claim(['small'], AbortSignal.timeout(200))).toBeNull();
      expect(await worker.queue.waiting()).toEqual({ small: 0, large: 1 });
    });

    it('wakes a claim that waits when another process uploads', async () => {
      const waiting = claimNext(worker);

      const task = await upload(front, 'a');

      expect((await waiting).taskId).toBe(task.id);
    });

    it('gives up when it is told to', async () => {
      const giveUp = new AbortController();
      const waiting = worker.queue.claim(['small'], giveUp.signal);

      giveUp.abort();

      expect(await waiting).toBeNull();
    });

    it('gives each task to exactly one of many claimers', async () => {
      const other = await harness.open('worker');
      const uploaded: TaskId[] = [];
      for (let count = 0; count < 40; count += 1) uploaded.push((await upload(front, 'x')).id);

      const claims = Array.from({ length: 40 }, (_, position) => claimNext(position % 2 === 0 ? worker : other));
      const claimed = (await Promise.all(claims)).map(({ taskId }) => taskId);

      expect([...claimed].sort()).toEqual(uploaded);
    });

    it('never gives a task away before it can be begun', async () => {
      const begun: string[] = [];
      for (let count = 0; count < 30; count += 1) {
        const [lease] = await Promise.all([claimNext(worker), upload(front, 'x')]);
        begun.push((await worker.tasks.begin(lease.taskId)).outcome);
      }

      expect(new Set(begun)).toEqual(new Set(['started']));
    });

    it('never runs two tasks of one doc_id at once, in whatever process', async () => {
      const other = await harness.open('worker');
      await upload(front, 'old', { docId: '合同' });
      const newer = await upload(front, 'new', { docId: '合同' });
      const first = await beginNext(worker);

      expect(await nothingToClaim(other)).toBe(true);
      expect(await nothingToClaim(worker)).toBe(true);
      await settle(worker, first.lease, first.task);

      expect((await claimNext(other)).taskId).toBe(newer.id);
    });

    it('passes over a busy doc_id to what comes after it', async () => {
      await upload(front, 'old', { docId: 'busy' });
      await upload(front, 'new', { docId: 'busy' });
      const free = await upload(front, 'x', { docId: 'free' });
      await claimNext(worker);

      expect((await claimNext(worker)).taskId).toBe(free.id);
    });

    it('makes a task claimable again that was given back', async () => {
      const task = await upload(front, 'a');
      const lease = await claimNext(worker);

      expect(await lease.release()).toBe('ok');

      expect((await claimNext(worker)).taskId).toBe(task.id);
    });

    it('drops a task that was acked', async () => {
      await upload(front, 'a');
      const { lease, task } = await beginNext(worker);
      await worker.tasks.finish(task.id, task.attempts, failedOutcome);

      expect(await lease.ack()).toBe('ok');

      expect(await nothingToClaim(worker)).toBe(true);
    });

    it('gives the tasks of a dead process to another, the attempt counted', async () => {
      const task = await upload(front, 'a');
      const { lease } = await beginNext(worker);
      const other = await harness.open('worker');

      await harness.crash(worker);

      const again = await beginNext(other);
      expect(again.task).toMatchObject({ id: task.id, attempts: 2, status: 'processing' });
      await until('the dead process knows', () => lease.signal.aborted);
      expect(lease.signal.reason).toBe('lost');
      expect(worker.lost.aborted).toBe(true);
    });

    it('lets a dead process that wakes change nothing', async () => {
      await upload(front, 'a');
      const { lease, task } = await beginNext(worker);
      const other = await harness.open('worker');
      await harness.crash(worker);
      const again = await beginNext(other);

      expect(await worker.tasks.finish(task.id, task.attempts, failedOutcome)).toBe('fenced');
      expect(await worker.tasks.release(task.id, task.attempts, { counted: true })).toBe('fenced');
      expect(await lease.ack()).toBe('lost');
      expect(await lease.release()).toBe('lost');

      expect(await settle(other, again.lease, again.task)).toBe('completed');
      expect((await front.tasks.get(task.id))?.task).toMatchObject({ status: 'completed', attempts: 2 });
    });

    it('frees the doc_id of a dead process for the next task', async () => {
      await upload(front, 'old', { docId: 'a' });
      const { task } = await beginNext(worker);
      const newer = await upload(front, 'new', { docId: 'a' });
      const other = await harness.open('worker');
      await harness.crash(worker);

      const first = await beginNext(other);
      await settle(other, first.lease, first.task);
      const second = await beginNext(other);

      expect([first.task.id, second.task.id]).toEqual([task.id, newer.id]);
    });

    it('hands back on a close what it still held', async () => {
      const task = await upload(front, 'a');
      const other = await harness.open('worker');
      await beginNext(worker);

      await worker.close();

      expect((await claimNext(other)).taskId).toBe(task.id);
    });

    it('keeps a request to cancel for the next owner when the first one dies', async () => {
      const { id } = await upload(front, 'a');
      await beginNext(worker);
      const other = await harness.open('worker');
      await harness.crash(worker);
      const { outcome } = await front.tasks.cancel(id, { force: true });
      // Its task may wait again by now, and is cancelled at once.
      if (outcome === 'cancelled') return expect((await front.tasks.get(id))?.task.error?.code).toBe('cancelled');

      const lease: Lease | null = await other.queue.claim(['small'], AbortSignal.timeout(20_000));

      // Cancelled while it waited again, or told to its next owner: either way it does not run on.
      if (lease === null) expect((await front.tasks.get(id))?.task.error?.code).toBe('cancelled');
      else await until('the next owner is told', () => lease.signal.aborted && lease.signal.reason === 'cancel');
    });
  });
}
