/** What every Engine does as a whole: submitting, the race of a late owner with the index, stopping. */
import { finished } from 'node:stream/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { beginNext, claimNext, indexedDocument, newTask, settle, stage, upload } from '../support/engine-steps.ts';
import type { CreateHarness, EngineHarness } from './engine-harness.ts';

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

    it('lets a task be cancelled while it waits for another attempt: its frozen owner can no longer make it searchable', async () => {
      const { id } = await upload(front, 'a', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish('a', id, await stage(worker, task));
      const published = await worker.files.localPath({ kind: 'document', docId: 'a', version: id, part: 'meta.json' });
      const other = await harness.open('worker');
      await harness.crash(worker);
      const again = await beginNext(other);
      await other.tasks.release(id, again.task.attempts, { counted: true });
      await again.lease.giveBack();

      expect(await front.tasks.cancel(id, { force: false })).toMatchObject({ outcome: 'cancelled' });

      expect(await worker.index.replace(indexedDocument(task), dirname(published ?? ''))).toBe('revoked');
      expect(await front.index.info('a')).toBeNull();
      expect((await front.tasks.get(id))?.task.status).toBe('failed');
    });

    it('does not cancel a waiting task that its dead owner had made searchable: it is completed', async () => {
      const { id } = await upload(front, 'a', { docId: 'a' });
      const { task } = await beginNext(worker);
      await worker.files.publish('a', id, await stage(worker, task));
      const meta = await worker.files.localPath({ kind: 'document', docId: 'a', version: id, part: 'meta.json' });
      await worker.index.replace(indexedDocument(task), dirname(meta ?? ''));
      const other = await harness.open('worker');
      await harness.crash(worker);
      const lease = await claimNext(other);
      await lease.giveBack();

      expect(await front.tasks.cancel(id, { force: false })).toMatchObject({ outcome: 'processing' });

      const again = await beginNext(other);
      expect(again.task.id).toBe(id);
      expect(await other.index.wasCommitted('a', id)).toBe(true);
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
