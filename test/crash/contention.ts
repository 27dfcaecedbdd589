/**
 * Two processes against one queue of thousands of tasks, and what an operation costs when many tasks are kept.
 * `node test/crash/contention.ts [--tasks N] [--retained N]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { v7 } from 'uuid';
import type { Engine } from '../../src/engines/engine.ts';
import { openFileEngine } from '../../src/engines/file/file-engine.ts';
import { createLayout } from '../../src/engines/file/layout.ts';
import { beginTask, createTask, finishTask, type Task, type TaskId } from '../../src/tasks/task.ts';
import { beginNext, completedOutcome, failedOutcome, upload } from '../support/engine-steps.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';
import { tempDir } from '../support/temp-dir.ts';

const uploadsAtOnce = 8;

export async function runContention(options: { tasks: number; retained: number }): Promise<boolean> {
  return [await claims(options.tasks), await costs(100, options.retained)].every(Boolean);
}

/** Every task is run by exactly one of two processes. */
async function claims(tasks: number): Promise<boolean> {
  await using dir = await tempDir();
  const front = await openFileEngine(fileEngineOptions(dir.path, 'frontend'));
  const waits: number[] = [];
  let left = tasks;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: uploadsAtOnce }, async () => {
      while (left > 0) {
        left -= 1;
        const before = performance.now();
        await upload(front, 'x');
        waits.push(performance.now() - before);
      }
    }),
  );
  const uploadMs = performance.now() - startedAt;
  const workers = [0, 1].map(() => fork(fileURLToPath(new URL('contention-child.ts', import.meta.url)), [dir.path]));
  const ran = (await Promise.all(workers.map((worker) => once(worker, 'message')))).map(([ids]) => ids as string[]);
  const all = ran.flat();
  waits.sort((a, b) => a - b);
  const counts = await front.tasks.counts();
  await front.close();
  const scanMs = await startUp(dir.path);
  console.table([
    { figure: 'tasks', value: tasks },
    { figure: 'completed', value: all.length },
    { figure: 'completed twice', value: all.length - new Set(all).size },
    { figure: 'by each process', value: ran.map(({ length }) => length).join(' + ') },
    { figure: 'still waiting or running', value: counts.pending + counts.processing },
    { figure: 'uploads/s', value: Math.round((tasks / uploadMs) * 1000) },
    { figure: 'upload p99 ms', value: Math.round(waits[Math.floor(waits.length * 0.99)] ?? 0) },
    { figure: `start-up with ${tasks} retained, ms`, value: Math.round(scanMs) },
  ]);
  return all.length === tasks && new Set(all).size === tasks;
}

async function startUp(dataDir: string): Promise<number> {
  const before = performance.now();
  const engine = await openFileEngine(fileEngineOptions(dataDir, 'worker'));
  await engine.tasks.counts();
  await engine.tasks.list({ limit: 50 });
  const ms = performance.now() - before;
  await engine.close();
  return ms;
}

/** Create, status update and list-newest-50, measured in turns on a small and on a large directory, so that the noise is shared. */
async function costs(few: number, many: number): Promise<boolean> {
  await using smallDir = await tempDir();
  await using largeDir = await tempDir();
  retain(smallDir.path, few);
  retain(largeDir.path, many);
  const engines = [smallDir, largeDir].map(async ({ path }) => ({
    front: await openFileEngine(fileEngineOptions(path, 'frontend')),
    worker: await openFileEngine(fileEngineOptions(path, 'worker')),
  }));
  const [small, large] = await Promise.all(engines);
  const results = [];
  for (const [name, work] of Object.entries(operations)) {
    const times: [number[], number[]] = [[], []];
    for (let round = 0; round < 60; round += 1) {
      for (const [position, side] of [small!, large!].entries()) {
        const before = performance.now();
        await work(side.front, side.worker);
        times[position]!.push(performance.now() - before);
      }
    }
    const [fewMs, manyMs] = times.map(median);
    results.push({
      operation: name,
      [`${few} kept, ms`]: round2(fewMs!),
      [`${many} kept, ms`]: round2(manyMs!),
      ratio: round2(manyMs! / fewMs!),
    });
  }
  console.table(results);
  for (const side of [small!, large!]) {
    await side.front.close();
    await side.worker.close();
  }
  return results.every(({ ratio }) => ratio <= 1.5);
}

export const operations: Record<string, (front: Engine, worker: Engine) => Promise<unknown>> = {
  create: (front) => upload(front, 'x'),
  'status updates (begin, finish, ack)': async (_front, worker) => {
    const { lease, task } = await beginNext(worker);
    await worker.tasks.finish(task.id, task.attempts, failedOutcome);
    await lease.ack();
  },
  'list newest 50': (front) => front.tasks.list({ limit: 50 }),
};

/** Ended tasks of the last 23 hours, written as the engine writes them. */
export function retain(dataDir: string, count: number): void {
  const layout = createLayout(dataDir);
  const stepMs = Math.floor((23 * 3_600_000) / count);
  const firstMs = Date.now() - 23 * 3_600_000;
  for (let number = 0; number < count; number += 1) {
    const at = new Date(firstMs + number * stepMs).toISOString();
    const task = ended(v7({ msecs: firstMs + number * stepMs }) as TaskId, at);
    mkdirSync(layout.bucket(task.id), { recursive: true });
    writeFileSync(layout.record(task.id), JSON.stringify(task));
  }
  mkdirSync(join(dataDir, 'queue'), { recursive: true });
}

function ended(id: TaskId, at: string): Task {
  const created = createTask({
    id,
    docId: `doc-${id}`,
    filename: '报告.txt',
    fileBytes: 1,
    sha256: '0'.repeat(64),
    declaredMediaType: 'text/plain',
    metadata: null,
    keyId: null,
    callbackUrl: null,
    lane: 'small',
    attemptsMax: 3,
    createdAt: at,
  });
  return finishTask(beginTask(created, 'w-0-0', at), completedOutcome(created), at);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { tasks: { type: 'string', default: '10000' }, retained: { type: 'string', default: '100000' } },
  });
  process.exit((await runContention({ tasks: Number(values.tasks), retained: Number(values.retained) })) ? 0 : 1);
}
