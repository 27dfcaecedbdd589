/**
 * How the cost of each format grows: units of it, repeated to 100, 200, 400 and 800 KB, in processes of their own.
 * `node test/bench/growth.ts FORMAT [COUNT [SEED]]` prints the worst units of one format.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureGrowth, measureMemory, type Growth } from '../support/growth/measure.ts';
import { growthUnits } from '../support/growth/units.ts';

/** Twice as much may take at most so many times as long, and a file at most so many times its size in memory. */
export const growthMax = 2.6;
export const memoryMax = 300;
const unitMs = 120_000;
/** What a process holds from other files counts too, so a figure above this is measured again by itself. */
const memoryDoubted = 150;

type Job = {
  readonly format: string;
  readonly count: number;
  readonly seed: number;
  readonly from: number;
  readonly alone: boolean;
};

/** All units of a format, measured. A unit that ends its process, or takes minutes, has no growth but Infinity. */
export async function growthOfFormat(format: string, count: number, seed: number): Promise<Growth[]> {
  const units = growthUnits(format, count, seed);
  const found: Growth[] = [];
  while (found.length < units.length) {
    const more = await runChild({ format, count, seed, from: found.length, alone: false });
    found.push(...more);
    if (found.length < units.length) {
      const name = units[found.length]!.name;
      found.push({ name, growth: Infinity, memory: 0, ms: [], outcome: `ended its process, or took longer than ${unitMs} ms` });
    }
  }
  for (const [at, each] of found.entries()) {
    if (each.memory <= memoryDoubted) continue;
    const [again] = await runChild({ format, count, seed, from: at, alone: true });
    found[at] = { ...each, memory: again?.memory ?? Infinity };
  }
  return found;
}

async function runChild(job: Job): Promise<Growth[]> {
  const child = fork(import.meta.filename, {
    execArgv: ['--single-threaded-gc', '--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=2048'],
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  const found: Growth[] = [];
  let timer = setTimeout(() => {}, 0);
  await new Promise<void>((resolve) => {
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), unitMs);
    };
    child.on('message', (growth: Growth) => {
      found.push(growth);
      watch();
    });
    child.on('exit', () => resolve());
    watch();
    child.send(job);
  });
  clearTimeout(timer);
  return found;
}

async function serve(job: Job): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'growth-'));
  const path = join(folder, 'file');
  try {
    const units = growthUnits(job.format, job.count, job.seed).slice(job.from, job.alone ? job.from + 1 : undefined);
    for (const unit of units) {
      const growth = job.alone
        ? { name: unit.name, growth: 0, memory: await measureMemory(unit, path, 800_000), ms: [], outcome: '' }
        : await measureGrowth(unit, path, growthMax);
      await new Promise((resolve) => process.send!(growth, resolve));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.send !== undefined && import.meta.main)
  process.once('message', (job: Job) => void serve(job).then(() => process.exit(0)));
else if (import.meta.main) {
  const [format = 'text', count = '300', seed = '1'] = process.argv.slice(2);
  const all = await growthOfFormat(format, Number(count), Number(seed));
  const wrong = all.filter(
    (each) =>
      each.growth > growthMax || each.memory > memoryMax || each.outcome.startsWith('mistake') || Math.max(0, ...each.ms) > 2000,
  );
  for (const each of wrong) console.log(format, JSON.stringify(each));
  const worst = (of: 'growth' | 'memory') => all.reduce((most, each) => (each[of] > most[of] ? each : most));
  const slow = all.reduce((most, each) => (Math.max(...each.ms) > Math.max(...most.ms) ? each : most));
  const refused = Object.entries(Object.groupBy(all, (each) => each.outcome.slice(0, 20))).map(
    ([outcome, each]) => `${outcome} ${each!.length}`,
  );
  console.log(
    format,
    all.length,
    'units; worst growth',
    worst('growth').growth,
    worst('growth').name,
    '; memory',
    worst('memory').memory,
    worst('memory').name,
    '; slowest',
    slow.ms,
    slow.name,
    refused.join(', '),
  );
}
