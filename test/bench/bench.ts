/**
 * `npm run bench -- NAME [args]`: each benchmark is a file beside this one that exports `run(args)` and gives rows of figures,
 * always beside a peer or a limit measured in the same run. Without a name, all of them run, some at a smaller size: under 10 minutes. `--record` keeps the figures
 * in docs/benchmarks.md; `--draw` draws the charts of what was kept again.
 */
import { readdir } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { type Chart, record, redraw } from './record.ts';

export type Row = Readonly<Record<string, string | number>>;
export type Bench = {
  readonly title: string;
  /** Arguments when all benchmarks run one after the other, where the usual size takes too long for that. */
  readonly argsAmongAll?: readonly string[];
  run(args: readonly string[]): Promise<readonly Row[]>;
  chart?(rows: readonly Row[]): Chart;
};

const folder = new URL('.', import.meta.url);

/** The names of all benchmarks: files that hold one are called `<name>.bench.ts`. */
async function names(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.replace('.bench.ts', ''))
    .toSorted();
}

if (import.meta.main) {
  const [name, ...args] = process.argv.slice(2).filter((word) => word !== '--record' && word !== '--draw');
  const [recorded, drawn] = [process.argv.includes('--record'), process.argv.includes('--draw')];
  const all = await names();
  if (name !== undefined && !all.includes(name)) {
    console.error(`There is no benchmark ${name}. There are: ${all.join(', ')}`);
    process.exit(2);
  }
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  console.log(machine);
  for (const each of name === undefined ? all : [name]) {
    const { bench } = (await import(new URL(`${each}.bench.ts`, folder).href)) as { bench: Bench };
    if (drawn) {
      if (bench.chart !== undefined) redraw(each, (rows) => bench.chart!(rows));
      continue;
    }
    console.log(`\n${each}: ${bench.title}`);
    const chosen = name === undefined ? (bench.argsAmongAll ?? []) : args;
    const rows = await bench.run(chosen);
    console.table(rows);
    if (recorded) record({ name: each, args: chosen, machine, rows, chart: bench.chart?.(rows) ?? null });
  }
  process.exit(0);
}
