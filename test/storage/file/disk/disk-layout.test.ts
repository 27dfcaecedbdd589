/** What only an engine of files can do wrong: damaged, lost and foreign files in its directory. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { v7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDisk } from '../../../../src/storage/file/disk/disk.ts';
import { openFileEngine } from '../../../../src/storage/file/engine.ts';
import { createLayout } from '../../../../src/storage/file/disk/layout.ts';
import type { Engine } from '../../../../src/storage/engine.ts';
import type { TaskId } from '../../../../src/tasks/task.ts';
import { beginNext, claimNext, newId, settle, upload } from '../../../support/engine-steps.ts';
import { faultyDisk } from '../../../support/faulty-disk.ts';
import { fakeClock } from '../../../support/fake-clock.ts';
import { createFileEngineHarness, fileEngineOptions, type FileEngineHarness } from '../../../support/file-engine-harness.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const hourMs = 3_600_000;

describe('the file engine', () => {
  let harness: FileEngineHarness;

  beforeEach(async () => {
    harness = await createFileEngineHarness();
  });
  afterEach(() => harness[Symbol.asyncDispose]());

  it('puts a damaged record aside and answers for its task: failed, with a reason', async () => {
    const front = await harness.open('frontend');
    const layout = createLayout(harness.dataDir);
    const { id } = await upload(front, 'x', { docId: '合同', filename: '报告.pdf' });
    const whole = await readFile(layout.record(id), 'utf8');
    await writeFile(layout.record(id), whole.slice(0, whole.length - 40));

    const seen = await front.tasks.get(id);
    const { tasks } = await front.tasks.list({ limit: 10 });

    expect(seen?.task).toMatchObject({
      id,
      docId: '合同',
      filename: '报告.pdf',
      status: 'failed',
      error: { code: 'record_corrupt' },
    });
    expect(tasks.map(({ task }) => task.status)).toEqual(['failed']);
    expect(await readdir(layout.corrupt)).toEqual([`${id}.json`]);
  });

  it('does not run a task whose record was damaged', async () => {
    const front = await harness.open('frontend');
    const worker = await harness.open('worker');
    const { id } = await upload(front, 'x');
    await writeFile(createLayout(harness.dataDir).record(id), '{"id":');

    const lease = await claimNext(worker);

    expect((await worker.tasks.begin(id)).outcome).toBe('finished');
    expect(await lease.ack()).toBe('ok');
  });

  it('finds tasks again when the whole queue directory is deleted', async () => {
    const first = await harness.open('frontend');
    const { id } = await upload(first, 'x');
    await first.close();
    await rm(join(harness.dataDir, 'queue'), { recursive: true });
    await rm(join(harness.dataDir, 'meta.json'), { force: true });

    const worker = await harness.open('worker');

    expect((await claimNext(worker)).taskId).toBe(id);
  });

  it('finds a task whose marker alone is gone', async () => {
    const first = await harness.open('frontend');
    const { id } = await upload(first, 'x');
    await first.close();
    const layout = createLayout(harness.dataDir);
    for (const name of await readdir(layout.pending.small)) await unlink(join(layout.pending.small, name));

    const worker = await harness.open('worker');

    expect((await claimNext(worker)).taskId).toBe(id);
  });

  it('removes what a dead process left: half an upload, temporary files, a scratch folder', async () => {
    const front = await harness.open('frontend');
    const worker = await harness.open('worker');
    const receipt = await front.files.receive({ bytesMax: 100, bytesExpected: null });
    await new Promise((resolve) => receipt.stream.write('half', resolve));
    const { id } = await upload(front, 'x');
    await beginNext(worker);
    await writeFile(join(await worker.files.scratch(id), 'content.md'), 'half');
    await harness.crash(front);
    await harness.crash(worker);

    const next = await harness.open('worker');

    await beginNext(next);
    await until('only the living have a lease', async () => (await readdir(join(harness.dataDir, 'queue', 'active'))).length === 1);
    expect(await readdir(join(harness.dataDir, 'queue', 'reclaim'))).toEqual([]);
  });

  it('goes on with a recovery that was cut short', async () => {
    const front = await harness.open('frontend');
    const worker = await harness.open('worker');
    const { id } = await upload(front, 'x');
    await beginNext(worker);
    await harness.crash(worker);
    const layout = createLayout(harness.dataDir);
    const dead = (await readdir(layout.active)).find((name) => name.startsWith('w-')) ?? '';
    await rename(join(layout.active, dead), join(layout.reclaim, dead)).catch(() => undefined);

    const next = await harness.open('worker');

    expect((await beginNext(next)).task).toMatchObject({ id, attempts: 2 });
  });

  it('refuses a data directory with a symbolic link inside, or of a newer format [S2]', async () => {
    await using dir = await tempDir();
    await using elsewhere = await tempDir();
    await symlink(elsewhere.path, join(dir.path, 'documents'));
    await expect(openFileEngine(fileEngineOptions(dir.path, 'frontend'))).rejects.toMatchObject({ code: 'unavailable' });
    await unlink(join(dir.path, 'documents'));
    await writeFile(join(dir.path, 'meta.json'), '{"format":99}');

    await expect(openFileEngine(fileEngineOptions(dir.path, 'frontend'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('says full below its reserve, and refuses uploads', async () => {
    const front = await harness.open('frontend', { diskReserveBytes: Number.MAX_SAFE_INTEGER });

    expect(await front.state()).toMatchObject({ state: 'full' });
    await expect(front.files.receive({ bytesMax: 10, bytesExpected: 1 })).rejects.toMatchObject({ code: 'insufficient_storage' });
  });

  it('expires nothing early when the clock is set ten years forward', async () => {
    const clock = fakeClock();
    const front = await harness.open('frontend', { now: clock.now });
    const { id } = await upload(front, 'x', { id: v7({ msecs: Date.now() - hourMs }) as TaskId });
    await front.tasks.cancel(id, { force: false });
    const worker = await harness.open('worker', { now: clock.now });
    const other = await upload(front, 'y');
    const { lease, task } = await beginNext(worker);

    clock.advance(10 * 365 * 24 * hourMs);
    await until('the leader has met the new time', () => existsSync(join(harness.dataDir, 'meta.json')));

    expect(await settle(worker, lease, task)).toBe('completed');
    expect((await front.tasks.get(id))?.task.status).toBe('failed');
    expect((await front.tasks.get(other.id))?.task.status).toBe('completed');
    expect(worker.lost.aborted).toBe(false);
  });

  it('keeps no task for ten years that a clock ahead has ended: it goes with those that were accepted after it', async () => {
    const clock = fakeClock(Date.now() + 10 * 365 * 24 * hourMs);
    const front = await harness.open('frontend', { now: clock.now });
    const endedOne = async (): Promise<TaskId> => {
      const msecs = Date.parse(clock.now());
      const { id } = await upload(front, 'x', { id: v7({ msecs }) as TaskId, createdAt: clock.now() });
      await front.tasks.cancel(id, { force: false });
      return id;
    };
    const isKept = (ids: readonly TaskId[]): Promise<boolean[]> =>
      Promise.all(ids.map(async (id) => (await front.tasks.get(id)) !== null));
    const ahead = await endedOne();
    clock.advance(-10 * 365 * 24 * hourMs);
    const next = await endedOne();
    clock.advance(12 * hourMs);
    const last = await endedOne();

    const expire = (): Promise<number> => front.tasks.expire(new Date(Date.parse(clock.now()) - 24 * hourMs));
    expect(await expire()).toBe(0);
    clock.advance(13 * hourMs);
    expect(await expire()).toBe(2);
    expect(await isKept([ahead, next, last])).toEqual([false, false, true]);
  });

  it('lists from sealed buckets what it lists without them', async () => {
    const front = await harness.open('frontend');
    const old = Date.now() - 2 * hourMs;
    for (const docId of ['a', 'b', 'a']) {
      const { id } = await upload(front, 'x', { docId, id: v7({ msecs: old, seq: Math.floor(Math.random() * 1e9) }) as TaskId });
      await front.tasks.cancel(id, { force: false });
    }
    const listed = () => front.tasks.list({ limit: 10, docId: 'a', status: 'failed' });
    const sort = { by: 'doc_id', descending: true } as const;
    const sorted = (engine: Engine) => engine.tasks.listSorted({ limit: 2, status: 'failed', sort, accepts: () => true });
    const before = await listed();
    const sortedBefore = await sorted(front);
    const layout = createLayout(harness.dataDir);
    const bucket = layout.bucket(v7({ msecs: old }) as TaskId);
    await front.close();
    const next = await harness.open('frontend');
    await until('the bucket is sealed', () => existsSync(join(bucket, 'index.json')));

    expect(await next.tasks.list({ limit: 10, docId: 'a', status: 'failed' })).toEqual(before);
    expect(before.tasks).toHaveLength(2);
    expect(sortedBefore.tasks.map(({ task }) => task.docId)).toEqual(['b', 'a']);
    expect(await sorted(next)).toEqual(sortedBefore);
    // As earlier versions have sealed.
    const seal = JSON.parse(await readFile(join(bucket, 'index.json'), 'utf8')) as Record<string, unknown>[];
    const bare = seal.map(({ id, ordinal, docId, status, finishedAt }) => ({ id, ordinal, docId, status, finishedAt }));
    expect(bare).not.toEqual(seal);
    await writeFile(join(bucket, 'index.json'), JSON.stringify(bare));
    expect(await sorted(next)).toEqual(sortedBefore);
    const retried = before.tasks[0]!.task.id;
    expect(await next.tasks.retry(retried)).toBe('ok');
    expect(existsSync(join(bucket, 'index.json'))).toBe(false);
    expect((await next.tasks.list({ limit: 10, docId: 'a', status: 'failed' })).tasks).toHaveLength(1);
  });

  it('is not fooled by foreign files in its directories', async () => {
    const front = await harness.open('frontend');
    const worker = await harness.open('worker');
    const layout = createLayout(harness.dataDir);
    await writeFile(join(layout.pending.small, 'README'), '');
    await mkdir(join(layout.tasks, 'lost+found'));
    await writeFile(join(layout.documents, 'stray'), '');
    const { id } = await upload(front, 'x');

    expect((await claimNext(worker)).taskId).toBe(id);
    expect((await front.tasks.list({ limit: 10 })).tasks).toHaveLength(1);
  });

  it('keeps a live owner whose lock file looks stale by the wall clock', async () => {
    const front = await harness.open('frontend', { leaseMs: 10_000 });
    const worker = await harness.open('worker', { leaseMs: 10_000 });
    await upload(front, 'x');
    await beginNext(worker);
    const workers = join(harness.dataDir, 'workers');
    const lock = (await readdir(workers)).find((name) => name.startsWith('w-') && name.endsWith('.lock')) ?? '';
    const longAgo = new Date(Date.now() - 2 * hourMs);
    await utimes(join(workers, lock), longAgo, longAgo);

    const observer = await harness.open('worker', { leaseMs: 10_000 });
    await until('the owner has shown itself again', async () => existsSync(join(workers, lock)));

    expect(await observer.queue.claim(['small', 'large'], AbortSignal.timeout(600))).toBeNull();
    expect(worker.lost.aborted).toBe(false);
  });

  it('lets nobody claim a task whose record is not written yet', async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const disk = faultyDisk(createDisk(), {
      async before({ at }) {
        if (at !== 'record.create') return;
        reached.resolve();
        await goOn.promise;
      },
    });
    const front = await harness.open('frontend', { disk });
    const worker = await harness.open('worker');
    const uploading = upload(front, 'x');
    await reached.promise;

    const early = await worker.queue.claim(['small'], AbortSignal.timeout(300));
    goOn.resolve();

    expect(early).toBeNull();
    expect((await beginNext(worker)).task.id).toBe((await uploading).id);
  });

  it('gives ids that it never saw the same answer, fast', async () => {
    const front = await harness.open('frontend');

    expect(await Promise.all(Array.from({ length: 50 }, () => front.tasks.get(newId())))).toEqual(
      Array.from({ length: 50 }, () => null),
    );
  });
});
