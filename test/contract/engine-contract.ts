/** What every Engine does as a whole: submitting, the race of a late owner with the index, stopping. */
import { defaultSettings } from '../../src/documents/collection.ts';
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/storage/file-store.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { openLastingEngine } from '../../src/storage/lasting-engine.ts';
import { settleDocument } from '../../src/ingest/settle.ts';
import { beginTask, cancelledByUser, createTask, finishTask, releaseTask, type Task, type TaskId } from '../../src/tasks/task.ts';
import {
  beginNext,
  claimNext,
  completedOutcome,
  indexedDocument,
  newId,
  newTask,
  silentLogger,
  settle,
  stage,
  upload,
} from '../support/engine-steps.ts';
import { until } from '../support/until.ts';
import type { CreateHarness, EngineHarness } from './engine-harness.ts';

/** As a process names a task at this moment of its clock (Unix time, ms). */
const idAt = (msecs: number): TaskId => v7({ msecs }) as TaskId;

export function engineContract(name: string, create: CreateHarness): void {
  describe(`${name} as a whole`, () => {
    let harness: EngineHarness;
    let front: Engine;
    let worker: Engine;

    beforeEach(async () => {
      harness = await create();
      front = await harness.open('frontend');
      worker = await harness.open('worker');
    });
    afterEach(() => harness[Symbol.asyncDispose]());

    const now = new Date().toISOString();

    /** As another engine has it. */
    async function givenTask(id: TaskId, docId: string, createdAt = now): Promise<{ task: Task; receipt: Receipt }> {
      const receipt = await front.files.receive({ bytesMax: 10, bytesExpected: 1 });
      receipt.stream.end('x');
      await finished(receipt.stream);
      return { task: createTask(newTask(receipt, { id, docId, createdAt }), 7), receipt };
    }

    /** What settling does of it, but for the record. */
    async function makeSearchable(engine: Engine, task: Task): Promise<void> {
      await engine.files.publish(task.docId, task, await stage(engine, task));
      const meta = await engine.files.localPath({ kind: 'document', docId: task.docId, version: task.id, part: 'meta.json' });
      if ((await engine.index.replace(indexedDocument(task), dirname(meta ?? ''))) === 'ok')
        await engine.files.settle(task.docId, task);
      else await engine.files.unpublish(task.docId, task.id);
    }

    it('keeps what is said of collections, for every process, and hides one from the moment that its removal begins', async () => {
      const hr = { name: 'hr', title: '人事', description: null, createdAt: now, settings: defaultSettings, rereadUpTo: null };
      const { collections } = front;

      expect([await collections.put(hr), await collections.put({ ...hr, name: 'a' })]).toEqual([true, true]);
      expect(await worker.collections.get('hr')).toEqual(hr);
      expect((await worker.collections.all()).map(({ name }) => name)).toEqual(['a', 'hr']);
      await collections.put({ ...hr, title: null });
      expect(await worker.collections.all()).toContainEqual({ ...hr, title: null });

      expect([await collections.beginRemoval('hr'), await collections.beginRemoval('none')]).toEqual([true, false]);
      expect(await worker.collections.get('hr')).toBeNull();
      expect((await worker.collections.all()).map(({ name }) => name)).toEqual(['a']);
      expect(await worker.collections.put(hr)).toBe(false);
      expect(await worker.collections.removals()).toEqual(['hr']);
      await worker.collections.endRemoval('hr');
      await worker.collections.endRemoval('hr');
      expect([await collections.removals(), await collections.get('hr'), await collections.put(hr)]).toEqual([[], null, true]);
    });

    it('is ready', async () => {
      expect(await front.state()).toEqual({ state: 'ready' });
      expect(await worker.state()).toEqual({ state: 'ready' });
    });

    it('makes an upload a task that can be claimed, read and found as soon as submit returns', async () => {
      const task = await upload(front, '正文', { docId: 'a' });

      expect((await worker.tasks.get(task.id))?.task).toEqual(task);
      expect(await worker.files.stat({ kind: 'payload', taskId: task.id })).toEqual({ bytes: 6 });
      expect((await claimNext(worker)).taskId).toBe(task.id);
    });

    it('makes nothing of an upload that is discarded', async () => {
      const receipt = await front.files.receive({ bytesMax: 10, bytesExpected: 3 });
      receipt.stream.end('abc');
      await finished(receipt.stream);
      await receipt.discard();

      expect((await front.tasks.list({ limit: 10 })).tasks).toEqual([]);
      expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 0 });
    });

    it('makes many uploads tasks together, those of one doc_id in their order, and says of each by itself what became of it', async () => {
      const texts = ['一', 'two', '三', 'four'];
      const receipts = await front.files.receiveAll(texts.map((text) => Buffer.from(text)));
      expect(receipts.map(({ bytes }) => bytes)).toEqual([3, 3, 3, 4]);
      expect(receipts[1]!.sha256).toBe(createHash('sha256').update('two').digest('hex'));
      const docIds = ['same', 'b', 'same', 'unkept'];
      const arrivals = receipts.map((receipt, i) => ({ task: newTask(receipt, { docId: docIds[i]! }), receipt }));
      // What cannot be kept: bytes that are no longer there.
      await receipts[3]!.discard();

      const results = await front.submitAll(arrivals);

      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
      const tasks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      for (const [i, task] of tasks.entries()) {
        expect((await worker.tasks.get(task.id))?.task).toEqual(task);
        expect(await worker.files.stat({ kind: 'payload', taskId: task.id })).toEqual({ bytes: Buffer.byteLength(texts[i]!) });
      }
      expect(tasks[0]!.ordinal).toBeLessThan(tasks[2]!.ordinal);
      expect(await front.tasks.counts()).toEqual({ pending: 3, processing: 0 });
      expect(await front.tasks.get(arrivals[3]!.task.id)).toBeNull();
      await receipts[0]!.discard();
      expect(await front.files.stat({ kind: 'payload', taskId: tasks[0]!.id })).toEqual({ bytes: 3 });
    });

    it('keeps an upload although its discard comes after the submit', async () => {
      const receipt = await front.files.receive({ bytesMax: 10, bytesExpected: 3 });
      receipt.stream.end('abc');
      await finished(receipt.stream);
      const task = await front.submit(newTask(receipt), receipt);

      await receipt.discard();

      expect(await front.files.stat({ kind: 'payload', taskId: task.id })).toEqual({ bytes: 3 });
    });

    it('takes a document from upload to search and leaves nothing waiting', async () => {
      await upload(front, 'a', { docId: 'a' });
      const { lease, task } = await beginNext(worker);

      expect(await settle(worker, lease, task)).toBe('completed');

      expect((await front.index.info('a'))?.version).toBe(task.id);
      expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 0 });
    });

    it('lets go of a task whose end is recorded when only that failed: the next upload of its doc_id runs', async () => {
      await upload(front, 'a', { docId: 'a' });
      const { lease, task } = await beginNext(worker);
      await upload(front, 'b', { docId: 'a' });
      const staged = { scratchDir: await stage(worker, task), document: indexedDocument(task) };
      const unlucky = { ...lease, ack: () => Promise.reject(new Error('the disk or the server was away')) };

      await expect(settleDocument(worker, unlucky, task, staged)).rejects.toThrow('was away');
      expect(await settleDocument(worker, lease, task, staged)).toMatchObject({ status: 'completed' });

      const next = await beginNext(worker);
      expect(await settle(worker, next.lease, next.task)).toBe('completed');
      expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 0 });
    });

    it('lets a task be cancelled while it waits for another attempt: its frozen owner can no longer make it searchable', async () => {
      const { id } = await upload(front, 'a', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish('a', task, await stage(worker, task));
      const published = await worker.files.localPath({ kind: 'document', docId: 'a', version: id, part: 'meta.json' });
      const other = await harness.open('worker');
      await harness.crash(worker);
      const again = await beginNext(other);
      await other.tasks.release(id, again.task.attempts, { counted: true });
      await again.lease.release();

      expect(await front.tasks.cancel(id, { force: false })).toMatchObject({ outcome: 'cancelled' });

      expect(await worker.index.replace(indexedDocument(task), dirname(published ?? ''))).toBe('revoked');
      expect(await front.index.info('a')).toBeNull();
      expect((await front.tasks.get(id))?.task.status).toBe('failed');
    });

    it('does not cancel a waiting task that its dead owner had made searchable: it is completed', async () => {
      const { id } = await upload(front, 'a', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish('a', task, await stage(worker, task));
      const meta = await worker.files.localPath({ kind: 'document', docId: 'a', version: id, part: 'meta.json' });
      await worker.index.replace(indexedDocument(task), dirname(meta ?? ''));
      const other = await harness.open('worker');
      await harness.crash(worker);
      const lease = await claimNext(other);
      await lease.release();

      expect(await front.tasks.cancel(id, { force: false })).toMatchObject({ outcome: 'processing' });

      const again = await beginNext(other);
      expect(again.task.id).toBe(id);
      expect(await other.index.wasCommitted('a', id)).toBe(true);
    });

    it.each(['in order', 'the later one first'])(
      'shows what was accepted last, though the clock that named it was thirty days behind: run %s',
      async (order) => {
        const early = await upload(front, 'early', { docId: 'a', id: idAt(Date.now() + 30_000) });
        const late = await upload(worker, 'late', { docId: 'a', id: idAt(Date.now() - 30 * 86_400_000) });
        expect(late.ordinal).toBeGreaterThan(early.ordinal);
        const runs = order === 'in order' ? [early, late] : [late, early];

        for (const task of runs) await makeSearchable(worker, task);

        expect((await front.index.info('a'))?.version).toBe(late.id);
        expect(await front.files.stat({ kind: 'document', docId: 'a', version: early.id, part: 'content.md' })).toBeNull();
        const ordinal = await worker.nextOrdinal();
        expect(await worker.index.remove('a', ordinal)).toBe(true);
        await worker.files.remove('a', ordinal);
        expect(await front.files.stat({ kind: 'document', docId: 'a', version: late.id, part: 'content.md' })).toBeNull();
        const again = await upload(front, 'again', { docId: 'a', id: idAt(1) });
        await makeSearchable(worker, again);
        expect((await worker.index.info('a'))?.version).toBe(again.id);
      },
    );

    it('gives each number once, in the order in which they are asked for, to whatever process asks', async () => {
      const other = await harness.open('frontend');
      const engines = [front, worker, other];
      let last = 0;
      for (let round = 0; round < 40; round += 1) {
        const numbers = await Promise.all(Array.from({ length: 6 }, (_, i) => engines[(round + i) % 3]!.nextOrdinal()));
        expect(new Set(numbers).size).toBe(6);
        expect(Math.min(...numbers)).toBeGreaterThan(last);
        last = Math.max(...numbers);
      }
      await harness.crash(other);
      expect(await (await harness.open('worker')).nextOrdinal()).toBeGreaterThan(last);
    });

    it('goes on after the numbers of another engine', async () => {
      const before = await worker.nextOrdinal();
      await front.continueAfter(before + 1_000_000);
      expect(await worker.nextOrdinal()).toBeGreaterThan(before + 1_000_000);
      await worker.continueAfter(5);
      expect(await front.nextOrdinal()).toBeGreaterThan(before + 1_000_000);
    });

    it('takes over a task that waited elsewhere: it waits here, with its file, its attempts and its turn', async () => {
      const [id, later] = [newId(), newId()];
      const waited = await givenTask(later, 'b', '2099-01-01T00:00:00.000Z');
      const first = releaseTask(beginTask((await givenTask(id, 'a')).task, 'elsewhere', now), now, { counted: true });
      await front.importTask(first, (await givenTask(id, 'a')).receipt);
      await front.importTask(first, (await givenTask(id, 'a')).receipt);
      await front.importTask(waited.task, waited.receipt);

      expect((await front.tasks.get(id))?.task).toEqual(first);
      expect(await front.tasks.counts()).toEqual({ pending: 2, processing: 0 });
      const { task, lease } = await beginNext(worker);
      expect(task).toMatchObject({ id, attempts: 2, status: 'processing' });
      expect(await worker.files.stat({ kind: 'payload', taskId: id })).toEqual({ bytes: 1 });
      expect(await settle(worker, lease, task)).toBe('completed');
      expect((await claimNext(worker)).taskId).toBe(later);
    });

    it('takes over a task that ended elsewhere: it is kept, does not run, and can be retried when it failed', async () => {
      const { task, receipt } = await givenTask(newId(), 'a');
      const failed = finishTask(task, { status: 'failed', error: cancelledByUser }, now);
      await front.importTask(failed, receipt);
      const done = finishTask((await givenTask(newId(), 'b')).task, completedOutcome(task), now);
      await front.importTask(done, null);

      expect((await worker.tasks.list({ limit: 10 })).tasks.map((snapshot) => snapshot.task)).toEqual([done, failed]);
      expect((await worker.tasks.list({ limit: 10, status: 'completed' })).tasks).toHaveLength(1);
      expect(await worker.tasks.counts()).toEqual({ pending: 0, processing: 0 });
      expect(await worker.tasks.retry(failed.id)).toBe('ok');
      expect((await claimNext(worker)).taskId).toBe(failed.id);
    });

    it('publishes a document that brings its original along', async () => {
      const version = newId();
      const { task } = await givenTask(version, 'a');
      const folder = await stage(front, task);
      await writeFile(join(folder, 'original'), 'as uploaded');
      await front.files.publish(task.docId, task, folder);

      const key = { kind: 'document', docId: task.docId, version, part: 'original' } as const;
      expect(await worker.files.stat(key)).toEqual({ bytes: 11 });
    });

    it('knows the processes beside it, until they end', async () => {
      expect(await front.others()).toHaveLength(1);
      await worker.close();
      expect(await front.others()).toEqual([]);
    });

    it('can last: declared dead, it takes part again as a new owner, refuses meanwhile, and tells what was missed', async () => {
      const owners: Engine[] = [];
      const lasting = await openLastingEngine({
        async open() {
          owners.push(await harness.open('frontend'));
          return owners.at(-1)!;
        },
        now: () => new Date().toISOString(),
        logger: silentLogger,
      });
      const told = new Map<TaskId, string>();
      lasting.tasks.watch(null, ({ task }) => void told.set(task.id, task.status));
      const before = await upload(lasting, 'before');
      const begun = await beginNext(worker);
      const receipt = await lasting.files.receive({ bytesMax: 10, bytesExpected: 1 });
      receipt.stream.end('x');
      await finished(receipt.stream);

      const dying = harness.crash(owners[0]!);
      await settle(worker, begun.lease, begun.task);
      await dying;
      await until('it takes part again', async () => owners.length > 1 && (await lasting.state()).state === 'ready');
      const late = lasting.submit(newTask(receipt, {}), receipt);
      await expect(late).rejects.toMatchObject({ code: 'unavailable' });
      const after = await upload(lasting, 'after');
      const next = await beginNext(worker);
      await settle(worker, next.lease, next.task);

      await until('both ends were told', () => [before, after].every(({ id }) => told.get(id) === 'completed'));
      expect(owners).toHaveLength(2);
      expect(owners[0]!.lost.aborted).toBe(true);
      expect(lasting.lost.aborted).toBe(false);
      await lasting.close();
      await expect(lasting.files.receive({ bytesMax: 10, bytesExpected: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    });

    it('can be closed twice, and refuses uploads afterwards', async () => {
      await front.close();
      await front.close();

      await expect(front.files.receive({ bytesMax: 10, bytesExpected: 1 })).rejects.toMatchObject({ code: 'unavailable' });
    });

    it('keeps everything for whoever opens it next', async () => {
      const waiting = await upload(front, 'a', { docId: 'a' });
      await front.close();
      await worker.close();

      const next = await harness.open('worker');

      expect((await next.tasks.get(waiting.id))?.task).toEqual(waiting);
      expect((await claimNext(next)).taskId).toBe(waiting.id);
    });
  });
}
