/** How an attempt ends when its owner is no longer who it thinks it is. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/storage/engine.ts';
import { settleFailure } from '../../src/ingest/settle.ts';
import type { TaskError } from '../../src/tasks/task.ts';
import { beginNext, settle, upload } from '../support/engine-steps.ts';
import { createFileEngineHarness, type FileEngineHarness } from '../support/file-engine-harness.ts';

const unreadable: TaskError = { code: 'no_text', message: 'No text found in 报告.txt', retryable: false };

describe('settling a failure', () => {
  let harness: FileEngineHarness;
  let front: Engine;

  beforeEach(async () => {
    harness = await createFileEngineHarness();
    front = await harness.open('frontend');
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  it('fails the task of whoever holds it, and nothing of it can become searchable', async () => {
    const worker = await harness.open('worker');
    await upload(front, 'x', { docId: 'a' });
    const { lease, task } = await beginNext(worker);

    expect(await settleFailure(worker, lease, task, unreadable)).toMatchObject({ status: 'failed', error: { code: 'no_text' } });
    expect(await lease.held()).toBe(false);
    expect(await front.tasks.counts()).toEqual({ pending: 0, processing: 0 });
  });

  it('does not revoke, by an owner that was frozen, what a new owner is running', async () => {
    const frozen = await harness.open('worker');
    await upload(front, 'x', { docId: 'a' });
    const before = await beginNext(frozen);
    await harness.crash(frozen);
    const worker = await harness.open('worker');
    const now = await beginNext(worker);

    expect(await settleFailure(frozen, before.lease, before.task, unreadable)).toBe('fenced');
    expect(now.task).toMatchObject({ id: before.task.id, attempts: 2 });
    expect(await settle(worker, now.lease, now.task)).toBe('completed');
  });
});
