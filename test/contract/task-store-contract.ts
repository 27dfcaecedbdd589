/** What every TaskStore does, whatever it keeps tasks in. */
import { scopedId } from '../../src/documents/document-name.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/storage/engine.ts';
import type { Task, TaskId, TaskProgress, TaskSnapshot } from '../../src/tasks/task.ts';
import { type SortedTaskFilter, type TaskFilter, type TaskOrder, taskOrders, type TaskSort } from '../../src/tasks/task-store.ts';
import { beginNext, claimNext, completedOutcome, failedOutcome, newId, settle, upload } from '../support/engine-steps.ts';
import { until } from '../support/until.ts';
import type { CreateHarness, EngineHarness } from './engine-harness.ts';

const halfway: TaskProgress = {
  stage: 'embedding',
  percent: 50,
  pagesDone: 3,
  pagesTotal: 3,
  chunksDone: 1,
  chunksTotal: 9,
};

export function taskStoreContract(name: string, create: CreateHarness): void {
  describe(`${name} as a task store`, () => {
    let harness: EngineHarness;
    let front: Engine;
    let worker: Engine;

    beforeEach(async () => {
      harness = await create();
      front = await harness.open('frontend');
      worker = await harness.open('worker');
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    async function taskOf(id: TaskId, engine = front): Promise<Task> {
      const snapshot = await engine.tasks.get(id);
      if (snapshot === null) throw new Error(`no task ${id}`);
      return snapshot.task;
    }

    async function failOne(docId?: string): Promise<Task> {
      await upload(front, 'x', docId === undefined ? {} : { docId });
      const { lease, task } = await beginNext(worker);
      await worker.tasks.finish(task.id, task.attempts, failedOutcome);
      await lease.ack();
      return taskOf(task.id);
    }

    it('shows a new task as pending, to every process, with all that was said of it', async () => {
      const task = await upload(front, 'some text', { docId: '合同/2026', filename: '报告 2026.pdf' });

      const seen = await worker.tasks.get(task.id);

      expect(seen?.task).toEqual(task);
      expect(seen?.task).toMatchObject({
        status: 'pending',
        docId: '合同/2026',
        filename: '报告 2026.pdf',
        attempts: 0,
        result: null,
        error: null,
      });
      expect(seen?.progress).toMatchObject({ stage: 'queued', percent: 0 });
      expect(seen?.queuePosition).toBe(0);
    });

    it('knows nothing of an id that was never given, however it is written', async () => {
      for (const id of [newId(), '../../meta', '', 'x'.repeat(300), 'ABC', '..%2f']) {
        expect(await front.tasks.get(id as TaskId)).toBeNull();
        expect(await front.tasks.cancel(id as TaskId, { force: false })).toEqual({ outcome: 'gone' });
        expect(await front.tasks.retry(id as TaskId)).toBe('gone');
      }
    });

    it('counts an attempt before it runs and ends a task for good', async () => {
      const { id } = await upload(front, 'x');
      const { lease, task } = await beginNext(worker);
      expect(await taskOf(id)).toMatchObject({ status: 'processing', attempts: 1, startedAt: expect.any(String) as string });

      expect(await worker.tasks.finish(id, task.attempts, completedOutcome(task))).toBe('ok');
      expect(await lease.ack()).toBe('ok');

      expect(await taskOf(id)).toMatchObject({ status: 'completed', owner: null, error: null, result: { chunks: 1 } });
      expect(await worker.tasks.finish(id, task.attempts, failedOutcome)).toBe('fenced');
      expect(await taskOf(id)).toMatchObject({ status: 'completed' });
    });

    it('lets the revision grow with every durable change', async () => {
      const { id } = await upload(front, 'x');
      const revisions = [(await taskOf(id)).revision];
      const { lease, task } = await beginNext(worker);
      revisions.push((await taskOf(id)).revision);
      await worker.tasks.finish(id, task.attempts, failedOutcome);
      await lease.ack();
      revisions.push((await taskOf(id)).revision);
      await front.tasks.retry(id);
      revisions.push((await taskOf(id)).revision);

      expect(revisions).toEqual([1, 2, 3, 4]);
    });

    it('refuses the end of an attempt that is not the current one', async () => {
      const { id } = await upload(front, 'x');
      const { task } = await beginNext(worker);

      expect(await worker.tasks.finish(id, task.attempts + 1, completedOutcome(task))).toBe('fenced');
      expect(await front.tasks.finish(id, task.attempts, completedOutcome(task))).toBe('fenced');
      expect(await worker.tasks.progress(id, task.attempts + 1, halfway)).toBe('fenced');

      expect(await taskOf(id)).toMatchObject({ status: 'processing', attempts: 1 });
    });

    it('shows progress to every process, and forgets it at the end', async () => {
      const { id } = await upload(front, 'x');
      const { lease, task } = await beginNext(worker);

      expect(await worker.tasks.progress(id, task.attempts, halfway)).toBe('ok');

      await until('the front end sees the progress', async () => (await front.tasks.get(id))?.progress.percent === 50);
      expect((await worker.tasks.get(id))?.progress).toEqual(halfway);
      await settle(worker, lease, task);
      expect((await front.tasks.get(id))?.progress).toMatchObject({ stage: 'done', percent: 100 });
    });

    it('gives an attempt back after a graceful stop, and counts it after a failure', async () => {
      const { id } = await upload(front, 'x');
      const first = await beginNext(worker);
      await worker.tasks.release(id, first.task.attempts, { counted: false });
      await first.lease.release();
      expect(await taskOf(id)).toMatchObject({ status: 'pending', attempts: 0 });

      const second = await beginNext(worker);
      await worker.tasks.release(id, second.task.attempts, { counted: true });
      await second.lease.release();
      expect(await taskOf(id)).toMatchObject({ status: 'pending', attempts: 1 });
    });

    it('says when all attempts are used up, and takes the end that is decided then', async () => {
      const { id } = await upload(front, 'x', { attemptsMax: 1 });
      const first = await beginNext(worker);
      await worker.tasks.release(id, first.task.attempts, { counted: true });
      await first.lease.release();

      const lease = await claimNext(worker);
      const begun = await worker.tasks.begin(id);

      expect(begun.outcome).toBe('exhausted');
      expect(await worker.tasks.finish(id, 1, failedOutcome)).toBe('ok');
      await lease.ack();
      expect(await taskOf(id)).toMatchObject({ status: 'failed', attempts: 1 });
    });

    it('cancels a pending task: nobody runs it afterwards', async () => {
      const { id } = await upload(front, 'x');
      const other = await upload(front, 'y');

      const cancelled = await front.tasks.cancel(id, { force: false });

      expect(cancelled).toMatchObject({ outcome: 'cancelled', task: { status: 'failed', error: { code: 'cancelled' } } });
      expect((await taskOf(id)).error?.message).toBe('Task cancelled by user');
      expect((await claimNext(worker)).taskId).toBe(other.id);
      expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 1 });
    });

    it('lets exactly one of cancel and claim win', async () => {
      const rounds = 40;
      const outcomes: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const { id } = await upload(front, 'x');
        const giveUp = new AbortController();
        const [cancelled, lease] = await Promise.all([
          front.tasks.cancel(id, { force: false }).finally(() => giveUp.abort()),
          worker.queue.claim(['small'], giveUp.signal),
        ]);
        const begun = lease === null ? null : await worker.tasks.begin(id);
        expect([cancelled.outcome === 'cancelled', begun?.outcome === 'started']).toContain(true);
        expect(cancelled.outcome === 'cancelled' && begun?.outcome === 'started').toBe(false);
        outcomes.push(cancelled.outcome);
        if (begun?.outcome === 'started') await worker.tasks.finish(id, begun.task.attempts, failedOutcome);
        await lease?.ack();
      }

      expect(outcomes).toHaveLength(rounds);
    });

    it('answers a cancel of anything else with what it is', async () => {
      const failed = await failOne();
      const { id } = await upload(front, 'x');
      await beginNext(worker);

      expect(await front.tasks.cancel(failed.id, { force: true })).toMatchObject({ outcome: 'final', task: { status: 'failed' } });
      expect(await front.tasks.cancel(id, { force: false })).toMatchObject({
        outcome: 'processing',
        task: { status: 'processing' },
      });
    });

    it('tells the owner of a running task to stop, from another process', async () => {
      const { id } = await upload(front, 'x');
      const { lease } = await beginNext(worker);
      expect(lease.signal.aborted).toBe(false);

      expect(await front.tasks.cancel(id, { force: true })).toMatchObject({ outcome: 'processing' });

      await until('the owner is told', () => lease.signal.aborted);
      expect(lease.signal.reason).toBe('cancel');
    });

    it('does not tell the next attempt of a retried task to stop', async () => {
      const { id } = await upload(front, 'x');
      const { lease, task } = await beginNext(worker);
      await front.tasks.cancel(id, { force: true });
      await until('the owner is told', () => lease.signal.aborted);
      await worker.tasks.finish(id, task.attempts, failedOutcome);
      await lease.ack();

      expect(await front.tasks.retry(id)).toBe('ok');

      const again = await beginNext(worker);
      expect(again.task.id).toBe(id);
      expect(again.lease.signal.aborted).toBe(false);
    });

    it('retries a failed task with all attempts before it, and only a failed one', async () => {
      const failed = await failOne();
      const waiting = await upload(front, 'y');

      expect(await front.tasks.retry(waiting.id)).toBe('not_failed');
      expect(await front.tasks.retry(failed.id)).toBe('ok');
      expect(await front.tasks.retry(failed.id)).toBe('not_failed');

      expect(await taskOf(failed.id)).toMatchObject({ status: 'pending', attempts: 0, error: null, finishedAt: null });
      expect((await beginNext(worker)).task.id).toBe(failed.id);
    });

    it('retries once when several processes ask at the same time', async () => {
      const failed = await failOne();

      const answers = await Promise.allSettled([
        front.tasks.retry(failed.id),
        worker.tasks.retry(failed.id),
        front.tasks.retry(failed.id),
      ]);

      expect(answers.filter((answer) => answer.status === 'fulfilled' && answer.value === 'ok')).toHaveLength(1);
      await beginNext(worker);
      expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 1 });
    });

    it('lists newest first, page by page, without a gap or a repetition', async () => {
      const uploaded: TaskId[] = [];
      for (let count = 0; count < 7; count += 1) uploaded.push((await upload(front, 'x')).id);

      const seen: TaskId[] = [];
      let cursor: string | undefined;
      do {
        const page = await worker.tasks.list(cursor === undefined ? { limit: 3 } : { limit: 3, cursor });
        seen.push(...page.tasks.map(({ task }) => task.id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);

      expect(seen).toEqual([...uploaded].reverse());
    });

    it('lists by status and by doc_id', async () => {
      const failed = await failOne('a');
      const waiting = await upload(front, 'x', { docId: 'a' });
      await upload(front, 'x', { docId: 'b', lane: 'large' });
      const running = await beginNext(worker);
      const ids = async (filter: object): Promise<TaskId[]> =>
        (await front.tasks.list({ limit: 100, ...filter })).tasks.map(({ task }) => task.id);

      expect(running.task.id).toBe(waiting.id);
      expect(await ids({ docId: 'a' })).toEqual([waiting.id, failed.id]);
      expect(await ids({ status: 'failed' })).toEqual([failed.id]);
      expect(await ids({ status: 'processing', docId: 'a' })).toEqual([waiting.id]);
      expect(await ids({ status: 'pending', docId: 'a' })).toEqual([]);
      expect(await ids({ status: 'pending' })).toHaveLength(1);
      expect(await ids({ status: 'completed' })).toEqual([]);
    });

    it('lists by collection, whatever lives in others, with every other filter', async () => {
      const inHr = (docId: string): string => scopedId({ collection: 'hr', docId });
      const failed = await failOne(inHr('a'));
      await failOne('a');
      const waiting = await upload(front, 'x', { docId: inHr('b') });
      const elsewhere = await upload(front, 'x', { docId: 'b' });
      const ids = async (filter: Omit<TaskFilter, 'limit'>) =>
        (await front.tasks.list({ ...filter, limit: 1000 })).tasks.map(({ task }) => task.id).sort();

      expect(await ids({ collection: 'hr' })).toEqual([failed.id, waiting.id].sort());
      expect(await ids({ collection: 'hr', status: 'pending' })).toEqual([waiting.id]);
      expect(await ids({ collection: 'hr', status: 'failed' })).toEqual([failed.id]);
      expect(await ids({ collection: 'hr', docId: inHr('b') })).toEqual([waiting.id]);
      expect(await ids({ collection: 'default', status: 'pending' })).toEqual([elsewhere.id]);
      expect(await ids({ collection: 'default' })).toHaveLength(2);
      expect(await ids({ collection: 'nowhere' })).toEqual([]);
    });

    it('removes a task that has ended, with its file, and never a live one', async () => {
      const { id } = await failOne();
      const live = await upload(front, 'x', { docId: 'live' });

      expect(await front.tasks.remove(id)).toBe(true);
      expect(await front.tasks.remove(id)).toBe(false);
      expect(await front.tasks.remove(live.id)).toBe(false);

      expect(await worker.tasks.get(id)).toBeNull();
      expect(await front.files.stat({ kind: 'payload', taskId: id })).toBeNull();
      expect(await taskOf(live.id)).toMatchObject({ status: 'pending' });
    });

    describe('sorted', () => {
      type Sorted = Omit<SortedTaskFilter, 'limit' | 'cursor' | 'accepts'> & Partial<Pick<SortedTaskFilter, 'accepts'>>;

      /** Names that differ in case, width and composition, and sizes that several share. */
      const listed = [
        ['b.pdf', 'zeta', 3],
        ['A.pdf', 'alpha', 3],
        ['a.pdf', 'Beta', 1],
        ['Ａ.pdf', 'hr', 12],
        ['é.txt', 'e1', 3],
        ['e\u0301.txt', 'e2', 2],
        ['合同.docx', '合同', 3],
        ['a.pdf', 'again', 20],
        ['Z.md', 'z', 1],
      ] as const;

      async function uploadListed(): Promise<Task[]> {
        const tasks: Task[] = [];
        for (const [filename, docId, bytes] of listed) tasks.push(await upload(front, 'x'.repeat(bytes), { docId, filename }));
        return tasks;
      }

      async function pagesOf(sorted: Sorted, limit: number, between: () => Promise<void> = async () => {}): Promise<Task[]> {
        const seen: Task[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const page = await worker.tasks.listSorted({
            accepts: () => true,
            ...sorted,
            limit,
            ...(cursor === undefined ? {} : { cursor }),
          });
          expect(page.tasks.length).toBeLessThanOrEqual(limit);
          seen.push(...page.tasks.map(({ task }) => task));
          cursor = page.nextCursor;
          await between();
        }
        return seen;
      }

      const valueOf: Record<TaskOrder, (task: Task) => string | number> = {
        created_at: (task) => task.createdAt,
        filename: (task) => task.filename.normalize('NFKC').toLowerCase(),
        doc_id: (task) => task.docId,
        file_size: (task) => task.fileBytes,
      };
      const inOrder = (tasks: readonly Task[], { by, descending }: TaskSort): TaskId[] =>
        [...tasks]
          .map((task) => [valueOf[by](task), task.id] as const)
          .sort(([a, idA], [b, idB]) => (a < b ? -1 : a > b ? 1 : idA < idB ? -1 : 1) * (descending ? -1 : 1))
          .map(([, id]) => id);

      it.each(taskOrders.flatMap((by) => [false, true].map((descending) => ({ by, descending }))))(
        'by $by, descending: $descending, page by page as the one list',
        async (sort) => {
          const tasks = await uploadListed();

          for (const limit of [1, 2, 4, 100])
            expect(
              (await pagesOf({ sort }, limit)).map(({ id }) => id),
              `limit ${limit}`,
            ).toEqual(inOrder(tasks, sort));
        },
      );

      it('of a status, a document, a collection, and of what is accepted', async () => {
        const failed = await failOne('gone');
        const tasks = await uploadListed();
        const elsewhere = await upload(front, 'x', { docId: scopedId({ collection: 'hr', docId: 'b' }), filename: 'b.pdf' });
        const sort = { by: 'filename', descending: false } as const;
        const ids = async (sorted: Omit<Sorted, 'sort'>): Promise<TaskId[]> =>
          (await pagesOf({ sort, ...sorted }, 2)).map(({ id }) => id);

        expect(await ids({ status: 'failed' })).toEqual([failed.id]);
        expect(await ids({ status: 'failed', collection: 'hr' })).toEqual([]);
        expect(await ids({ status: 'pending', collection: 'default' })).toEqual(inOrder(tasks, sort));
        expect(await ids({ status: 'pending', collection: 'hr' })).toEqual([elsewhere.id]);
        expect(await ids({ collection: 'hr' })).toEqual([elsewhere.id]);
        expect(await ids({ docId: 'zeta' })).toEqual([tasks[0]?.id]);
        expect(await ids({ accepts: ({ fileBytes }) => fileBytes > 5 })).toEqual([tasks[3]?.id, tasks[7]?.id]);
      });

      it('without a repetition or a gap while tasks come, end and go between the pages', async () => {
        const leaving = await failOne('leaving');
        const tasks = await uploadListed();
        const sort = { by: 'file_size', descending: true } as const;
        let round = 0;

        const seen = await pagesOf({ sort }, 2, async () => {
          round += 1;
          await upload(front, 'x'.repeat(round), { docId: `new-${round}` });
          if (round === 1) await settle(worker, ...(await settled()));
          if (round === 2) await front.tasks.remove(leaving.id);
          expect(round).toBeLessThan(30);
        });

        const ids = seen.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids.filter((id) => tasks.some((task) => task.id === id))).toEqual(inOrder(tasks, sort));
      });

      async function settled(): Promise<[Awaited<ReturnType<typeof beginNext>>['lease'], Task]> {
        const { lease, task } = await beginNext(worker);
        return [lease, task];
      }

      it('refuses a cursor of another order', async () => {
        await uploadListed();
        const accepts = (): boolean => true;
        const { nextCursor } = await front.tasks.listSorted({ limit: 2, sort: { by: 'filename', descending: false }, accepts });

        for (const sort of [
          { by: 'filename', descending: true },
          { by: 'doc_id', descending: false },
        ] as const)
          await expect(front.tasks.listSorted({ limit: 2, sort, accepts, cursor: nextCursor! })).rejects.toMatchObject({
            code: 'invalid_request',
          });
        await expect(front.tasks.list({ limit: 2, cursor: nextCursor! })).rejects.toMatchObject({ code: 'invalid_request' });
      });
    });

    it('refuses a cursor that it never gave', async () => {
      await expect(front.tasks.list({ limit: 10, cursor: '../x' })).rejects.toMatchObject({ code: 'invalid_request' });
    });

    it('counts what waits and what runs, over all processes', async () => {
      expect(await front.tasks.oldestPending()).toBeNull();
      const tasks = [await upload(front, 'x'), await upload(front, 'y', { lane: 'large' }), await upload(worker, 'z')];
      const { taskId } = await claimNext(worker);
      const [oldest] = tasks.map(({ id }) => id).filter((id) => id !== taskId);
      await until('the oldest is found', async () => (await front.tasks.oldestPending())?.id === oldest);

      await until('both processes agree', async () =>
        [await front.tasks.counts(), await worker.tasks.counts()].every(
          ({ pending, processing }) => pending === 2 && processing === 1,
        ),
      );
    });

    it('expires what ended before a moment, with its files, and never a live task', async () => {
      const old = newId();
      const failed = await failOne();
      const waiting = await upload(front, 'x', { id: old });

      expect(await front.tasks.expire(new Date(0))).toBe(0);
      expect(await front.tasks.expire(new Date(Date.now() + 86_400_000))).toBe(1);

      expect(await front.tasks.get(failed.id)).toBeNull();
      expect(await front.files.stat({ kind: 'payload', taskId: failed.id })).toBeNull();
      expect(await taskOf(waiting.id)).toMatchObject({ status: 'pending' });
      expect(await front.files.stat({ kind: 'payload', taskId: waiting.id })).toEqual({ bytes: 1 });
    });

    it('tells a watcher of one task every state to the last, whoever changed it', async () => {
      const seen: TaskSnapshot[] = [];
      const { id } = await upload(front, 'x');
      const stop = front.tasks.watch(id, (snapshot) => seen.push(snapshot));

      const { lease, task } = await beginNext(worker);
      await worker.tasks.progress(id, task.attempts, halfway);
      await until('progress is told', () => seen.some(({ progress }) => progress.percent === 50));
      await settle(worker, lease, task);
      await until('the end is told', () => seen.at(-1)?.task.status === 'completed');
      stop();

      const revisions = seen.map(({ task }) => task.revision);
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
      expect(seen.every(({ task }) => task.id === id)).toBe(true);
    });

    it('tells a watcher of everything how each task ended, exactly once', async () => {
      const ended: TaskId[] = [];
      const stop = front.tasks.watch(null, ({ task }) => {
        if (task.status === 'completed') ended.push(task.id);
      });
      const uploaded: TaskId[] = [];
      for (let count = 0; count < 5; count += 1) uploaded.push((await upload(front, 'x')).id);
      for (let count = 0; count < 5; count += 1) {
        const { lease, task } = await beginNext(worker);
        await settle(worker, lease, task);
      }

      await until('all ends are told', () => ended.length >= 5);
      stop();
      expect([...ended].sort()).toEqual(uploaded);
    });

    it('tells nobody anything after they stopped listening', async () => {
      const { id } = await upload(front, 'x');
      let told = 0;
      front.tasks.watch(id, () => (told += 1))();
      let end = false;
      front.tasks.watch(id, ({ task }) => (end = task.status === 'failed'));

      await front.tasks.cancel(id, { force: false });

      await until('the other listener is told', () => end);
      expect(told).toBe(0);
    });
  });
}
