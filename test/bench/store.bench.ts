/**
 * What a task costs when many ended ones are kept: `npm run bench -- store [KEPT...]`. All directories are measured in turns,
 * so that the noise is shared; the limit is one file written and flushed on the same disk.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { openFileEngine } from '../../src/storage/file/engine.ts';
import { operations, retain } from '../crash/contention.ts';
import { fileEngineOptions } from '../support/file-engine-harness.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Bench, Row } from './bench.ts';
import { percentile, round } from './process-figures.ts';

const rounds = 60;

export const bench: Bench = {
  title: 'median ms of an operation, by the number of ended tasks kept',
  async run(args) {
    const kept = (args.length > 0 ? args : ['100', '1000', '10000', '100000']).map(Number);
    await using stack = new AsyncDisposableStack();
    const sides: Side[] = [];
    for (const count of kept) sides.push(await openSide(stack, count));
    const rows = [
      toRow(
        'start-up: open, count, list',
        sides.map(({ startMs }) => [startMs]),
        kept,
      ),
    ];
    for (const [name, work] of Object.entries(operations)) rows.push(toRow(name, await inTurns(sides, work), kept));
    const limit = stack.use(await tempDir());
    return [...rows, { operation: 'limit: one file written and flushed', ...columns([await writes(limit.path)], kept) }];
  },
  chart: (rows) => {
    const columns = Object.keys(rows[0]!).filter((column) => column.endsWith(' kept'));
    const series = rows.map((row) => ({ name: String(row['operation']), values: columns.map((column) => Number(row[column])) }));
    return { title: 'What a task costs, by the number of tasks kept', unit: 'ms', categories: columns, series };
  },
};

type Engine = Awaited<ReturnType<typeof openFileEngine>>;
type Side = { readonly front: Engine; readonly worker: Engine; readonly startMs: number };

async function openSide(stack: AsyncDisposableStack, count: number): Promise<Side> {
  const { path } = stack.use(await tempDir());
  retain(path, count);
  const front = await openFileEngine(fileEngineOptions(path, 'frontend'));
  stack.defer(() => front.close());
  const startedAt = performance.now();
  const worker = await openFileEngine(fileEngineOptions(path, 'worker'));
  stack.defer(() => worker.close());
  await worker.tasks.counts();
  await worker.tasks.list({ limit: 50 });
  return { front, worker, startMs: performance.now() - startedAt };
}

async function inTurns(sides: readonly Side[], work: (typeof operations)[string]): Promise<number[][]> {
  const times: number[][] = sides.map(() => []);
  for (let each = 0; each < rounds; each += 1) {
    for (const [position, { front, worker }] of sides.entries()) {
      const before = performance.now();
      await work(front, worker);
      times[position]!.push(performance.now() - before);
    }
  }
  return times;
}

async function writes(folder: string): Promise<number[]> {
  const times: number[] = [];
  for (let each = 0; each < rounds; each += 1) {
    const before = performance.now();
    const file = await open(join(folder, String(each)), 'wx');
    await file.write('x'.repeat(1024));
    await file.datasync();
    await file.close();
    times.push(performance.now() - before);
  }
  return times;
}

function toRow(operation: string, times: readonly number[][], kept: readonly number[]): Row {
  const first = percentile(times[0]!, 0.5);
  const last = percentile(times.at(-1)!, 0.5);
  return { operation, ...columns(times, kept), 'last ÷ first': round(last / first) };
}

function columns(times: readonly number[][], kept: readonly number[]): Row {
  return Object.fromEntries(times.map((each, position) => [`${kept[position]} kept`, round(percentile(each, 0.5))]));
}
