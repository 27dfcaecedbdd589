import { describe, expect, it } from 'vitest';
import { beginTask, createTask, finishTask, isTerminal, releaseTask, retryTask, type TaskId } from '../../src/tasks/task.ts';

const fresh = createTask(
  {
    id: '018f0000-0000-7000-8000-000000000001' as TaskId,
    docId: 'report',
    filename: '报告 2026.pdf',
    fileBytes: 3,
    sha256: 'ab',
    declaredMediaType: null,
    metadata: null,
    keyId: null,
    callbackUrl: null,
    lane: 'small',
    attemptsMax: 3,
    createdAt: '2026-01-01T00:00:00.000Z',
  },
  1,
);
const later = '2026-01-01T00:00:01.000Z';
const error = { code: 'corrupt', message: 'broken', retryable: false } as const;

describe('a task', () => {
  it('begins as pending, with no attempt made', () => {
    expect(fresh).toMatchObject({ status: 'pending', attempts: 0, result: null, error: null, owner: null });
  });

  it('counts an attempt when it begins, before it runs', () => {
    expect(beginTask(fresh, 'me', later)).toMatchObject({ status: 'processing', attempts: 1, owner: 'me', startedAt: later });
  });

  it('gives the attempt back when it is handed back by a graceful stop, and keeps it otherwise', () => {
    const begun = beginTask(fresh, 'me', later);

    expect(releaseTask(begun, later, { counted: false })).toMatchObject({ status: 'pending', attempts: 0, owner: null });
    expect(releaseTask(begun, later, { counted: true })).toMatchObject({ status: 'pending', attempts: 1, owner: null });
  });

  it('carries either a result or an error when it has ended, never both', () => {
    const failed = finishTask(beginTask(fresh, 'me', later), { status: 'failed', error }, later);

    expect(failed).toMatchObject({ status: 'failed', error, result: null, finishedAt: later, owner: null });
    expect(isTerminal(failed.status)).toBe(true);
  });

  it('has all its attempts before it again after a retry', () => {
    const failed = finishTask(beginTask(fresh, 'me', later), { status: 'failed', error }, later);

    expect(retryTask(failed, later)).toMatchObject({ status: 'pending', attempts: 0, error: null, finishedAt: null });
  });

  it('changes its revision with every step, so that readers can tell two states apart', () => {
    const begun = beginTask(fresh, 'me', later);

    expect(begun.revision).toBe(fresh.revision + 1);
    expect(releaseTask(begun, later, { counted: true }).revision).toBe(fresh.revision + 2);
  });
});
