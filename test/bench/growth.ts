/**
 * How the cost of each format grows with its size: units of it, repeated to 100, 200, 400 and 800 KB, in processes of their own.
 *
 *   node test/bench/growth.ts FORMAT [COUNT [SEED]]
 *
 * prints the units of one format (150 of them) that grow too fast or take too much memory, then the worst there was.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { growthBytes, measureGrowth, measureMemory, type Growth } from '../support/growth/measure.ts';
import { growthUnits } from '../support/growth/units.ts';

/** Twice as much may take at most so many times as long, and a file at most so many times its size in memory. */
export const growthMax = 2.6;
export const memoryMax = 300;
const unitMs = 120_000;
/** What a process holds from other files counts too, so a figure above this is measured again by itself. */
const memoryDoubted = 150;

export type UnitsOfFormat = {
  readonly format: string;
  readonly count: number;
  readonly seed: number;
  readonly sizes?: readonly number[];
};
type Job = UnitsOfFormat & { readonly from: number; readonly alone: boolean };

/** All units of a format, measured. A unit that ends its process, or takes minutes, has no growth but Infinity. */
export async function growthOfFormat(job: UnitsOfFormat): Promise<Growth[]> {
  const units = growthUnits(job.format, job.count, job.seed);
  const found: Growth[] = [];
  while (found.length < units.length) {
    const more = await runChild({ ...job, from: found.length, alone: false });
    found.push(...more);
    if (found.length < units.length) {
      const name = units[found.length]!.name;
      found.push({ name, growth: Infinity, memory: 0, ms: [], outcome: `ended its process, or took longer than ${unitMs} ms` });
    }
  }
  for (const [at, each] of found.entries()) {
    if (each.memory <= memoryDoubted) continue;
    const [again] = await runChild({ ...job, from: at, alone: true });
    found[at] = { ...each, memory: again?.memory ?? Infinity };
  }
  return found;
}

/** What is wrong with it, as a sentence; null when nothing is. */
export function faultOf({ name, growth, memory, ms, outcome }: Growth): string | null {
  if (growth > growthMax) return `takes ${growth} times as long when twice as long (ms: ${ms.join(', ')}): ${name}`;
  if (memory > memoryMax) return `takes ${memory} times its size in memory: ${name}`;
  return outcome.startsWith('mistake') ? `${outcome}: ${name}` : null;
}

/** The unit that is worst in a figure. */
export function worstOf(all: readonly Growth[], figure: 'growth' | 'memory'): Growth {
  return all.reduce((most, each) => (each[figure] > most[figure] ? each : most));
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
  const sizes = job.sizes ?? growthBytes;
  try {
    const units = growthUnits(job.format, job.count, job.seed).slice(job.from, job.alone ? job.from + 1 : undefined);
    for (const unit of units) {
      const growth = job.alone
        ? { name: unit.name, growth: 0, memory: await measureMemory(unit, path, sizes.at(-1)!), ms: [], outcome: '' }
        : await measureGrowth(unit, path, growthMax, sizes);
      await new Promise((resolve) => process.send!(growth, resolve));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.main && process.send !== undefined) {
  process.once('message', (job: Job) => void serve(job).then(() => process.exit(0)));
} else if (import.meta.main) {
  const [format = 'text', count = '150', seed = '1'] = process.argv.slice(2);
  const all = await growthOfFormat({ format, count: Number(count), seed: Number(seed) });
  const faults = all.map(faultOf).filter((fault) => fault !== null);
  for (const fault of faults) console.log(fault);
  const slowest = all.reduce((most, each) => (Math.max(...each.ms) > Math.max(...most.ms) ? each : most));
  console.log(`${format}: ${all.length} units, ${faults.length} at fault`);
  for (const figure of ['growth', 'memory'] as const)
    console.log(`worst ${figure} ${worstOf(all, figure)[figure]}: ${worstOf(all, figure).name}`);
  console.log(`slowest ${slowest.ms.join(', ')} ms: ${slowest.name}`);
  process.exit(faults.length === 0 ? 0 : 1);
}
