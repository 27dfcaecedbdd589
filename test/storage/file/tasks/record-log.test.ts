import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { createDisk } from '../../../../src/storage/file/disk/disk.ts';
import { createLayout } from '../../../../src/storage/file/disk/layout.ts';
import { identifyProcess } from '../../../../src/storage/file/ownership/process-identity.ts';
import { createRecordLog } from '../../../../src/storage/file/tasks/record-log.ts';
import { beginTask, createTask, type Task, type TaskId } from '../../../../src/tasks/task.ts';
import { beginNext, newId, newTask, silentLogger as logger, upload } from '../../../support/engine-steps.ts';
import { faultyDisk } from '../../../support/faulty-disk.ts';
import { createFileEngineHarness } from '../../../support/file-engine-harness.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const now = '2026-01-01T00:00:00.000Z';

function aTask(): Task {
  const id = newId();
  const given = { docId: id, filename: 'a.txt', fileBytes: 1, sha256: '', declaredMediaType: null, metadata: null, keyId: null };
  return createTask({ id, ...given, callbackUrl: null, lane: 'small', attemptsMax: 3, createdAt: now }, 1);
}

async function openLog() {
  const dir = await tempDir();
  const steps: string[] = [];
  const disk = faultyDisk(createDisk(), { before: ({ at }) => void steps.push(at) });
  const owner = { directory: dir.path, own: (name: string) => join(dir.path, name) };
  const log = createRecordLog({ disk, layout: createLayout(dir.path), owner, bootId: 'boot', logger });
  const close = async (): Promise<void> => {
    await log.close();
    await dir[Symbol.asyncDispose]();
  };
  return { log, steps, [Symbol.asyncDispose]: close };
}

const flushes = (steps: readonly string[]): number => steps.filter((at) => at === 'log.sync').length;

describe('the log of records', () => {
  it('makes many durable by one flush, and shows none before', async () => {
    await using opened = await openLog();
    const { log, steps } = opened;

    await Promise.all(Array.from({ length: 50 }, () => log.write({ task: aTask() }, async () => void steps.push('shown'))));

    // One for the first, one for all that came while it went on.
    expect([1, 2]).toContain(flushes(steps));
    expect(steps.indexOf('shown')).toBeGreaterThan(steps.indexOf('log.sync'));
  });

  it('makes a group durable by one flush, and shows none of it before', async () => {
    await using opened = await openLog();
    const { log, steps } = opened;
    const entries = Array.from({ length: 50 }, () => ({ task: aTask() }));

    await log.writeAll(entries, async () => void steps.push('shown'));

    expect(flushes(steps)).toBe(1);
    expect(steps.indexOf('shown')).toBeGreaterThan(steps.indexOf('log.sync'));
  });

  it('shows a record before its flush only where the log has an earlier one to go back to', async () => {
    await using opened = await openLog();
    const { log, steps } = opened;
    const task = aTask();
    const show = async (): Promise<void> => void steps.push('shown');

    await log.write({ task }, show, { soon: true });
    expect(steps.indexOf('shown')).toBeGreaterThan(steps.indexOf('log.sync'));
    steps.length = 0;
    await log.write({ task: beginTask(task, 'w', now) }, show, { soon: true });

    expect(steps).toEqual(['shown']);
    await until('it is flushed', () => flushes(steps) === 1);
  });

  it('is not believed any more after a flush of it has failed', async () => {
    await using dir = await tempDir();
    let fails = true;
    const disk = faultyDisk(createDisk(), {
      before({ at }) {
        if (at === 'log.sync' && fails) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      },
    });
    const owner = { directory: dir.path, own: (name: string) => join(dir.path, name) };
    const log = createRecordLog({ disk, layout: createLayout(dir.path), owner, bootId: 'boot', logger });
    await expect(log.write({ task: aTask() }, async () => undefined)).rejects.toMatchObject({ code: 'EIO' });
    fails = false;

    await log.write({ task: aTask() }, async () => undefined);

    expect(await readdir(dir.path)).toEqual(['log.1', 'log.2']);
    await log.close();
  });
});

/** An upload, its process gone with its log still there; then what a stop of the machine does to the files, and whoever comes next. */
async function afterwards(
  harm: (places: { record: string; payload: string; log: string }) => Promise<void>,
  { bootId = 'the next boot' }: { bootId?: string } = {},
): Promise<{ task: Task; found: Task | null; text: string | null }> {
  await using harness = await createFileEngineHarness();
  const front = await harness.open('frontend');
  const task = await upload(front, 'what was uploaded');
  const layout = createLayout(harness.dataDir);
  const [lease] = await readdir(layout.active);
  const logs = (await readdir(join(layout.active, lease!))).filter((name) => name.startsWith('log.'));
  const kept = join(harness.dataDir, 'kept');
  await writeFile(kept, await readFile(join(layout.active, lease!, logs[0]!)));
  await front.close();
  await harm({ record: layout.record(task.id), payload: layout.payload(task.id), log: kept });
  const dead = join(layout.reclaim, 'f-1-dead');
  await createDisk().mkdir(dead, 'test');
  await writeFile(join(dead, 'log.1'), await readFile(kept));

  const identity = { ...identifyProcess(process.pid), ...(bootId === '' ? {} : { bootId }) };
  const next = await harness.open('worker', { identity });
  const found = (await next.tasks.get(task.id))?.task ?? null;
  const text = await readFile(layout.payload(task.id), 'utf8').catch(() => null);
  return { task, found, text };
}

describe('a task whose file has a password', () => {
  it('is in no log [S73]', async () => {
    await using harness = await createFileEngineHarness();
    const front = await harness.open('frontend');
    const worker = await harness.open('worker');
    const receipt = await front.files.receive({ bytesMax: 100, bytesExpected: 3 });
    receipt.stream.end('abc');
    await finished(receipt.stream);
    const { id } = await front.submit({ ...newTask(receipt), password: 'open sesame' }, receipt);
    await upload(front, 'another');
    await beginNext(worker);
    const { active } = createLayout(harness.dataDir);
    const logs = (await readdir(active, { recursive: true })).filter((name) => name.includes('log.'));

    expect(logs).not.toEqual([]);
    for (const name of logs) expect(await readFile(join(active, name), 'utf8')).not.toContain('sesame');
    expect((await front.tasks.get(id))?.task.password).toBe('open sesame');
  });
});

describe('the log of a process that stopped with the machine', () => {
  it('brings back a record and its file that are torn, whatever else was torn in it', async () => {
    const { task, found, text } = await afterwards(async ({ record, payload, log }) => {
      await truncate(record, 20);
      await truncate(payload, 4);
      await writeFile(log, `${(await readFile(log, 'utf8')).replace('\n', '\n{"task":{"id"\n')}{"task":{"id":"01a2`);
    });

    expect(found).toMatchObject({ id: task.id, revision: task.revision, docId: task.docId });
    expect(text).toBe('what was uploaded');
  });

  it('removes what was taken back', async () => {
    const { found, text } = await afterwards(async ({ record, log }) => {
      const { id } = JSON.parse(await readFile(record, 'utf8')) as { id: TaskId };
      await writeFile(log, `${await readFile(log, 'utf8')}${JSON.stringify({ gone: id })}\n`);
    });

    expect(found).toBeNull();
    expect(text).toBeNull();
  });

  it('changes nothing where the machine has run on', async () => {
    const later = '2031-01-01T00:00:00.000Z';
    const { task, found } = await afterwards(
      async ({ record, log }) => {
        const kept = JSON.parse(await readFile(record, 'utf8')) as Task;
        const next = { ...kept, revision: kept.revision + 5, updatedAt: later };
        await writeFile(log, `${await readFile(log, 'utf8')}${JSON.stringify({ task: next })}\n`);
      },
      { bootId: '' },
    );

    expect(found).toMatchObject({ revision: task.revision, updatedAt: task.updatedAt });
  });
});
