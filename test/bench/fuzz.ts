/**
 * `npm run fuzz [-- [--only mutants|growth] [--units N] [--seed N] COUNT [FOLDER]]`:
 *
 * - damages files of every format, COUNT (500) times for each, and reads what comes out, each format in a process of its own with
 *   512 MB of heap. The files are the tests' own samples, and those below FOLDER. Anything but a document or a documented code within
 *   5 s is a failure;
 * - looks for small units of every format that, repeated from 100 to 800 KB, take more than 2.6 times as long when there is twice as
 *   much of them, or more than 300 times their size in memory: N (150) for each, put together by chance from a seed (1).
 *
 * Failures are listed, and make it exit with 1.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { DocumentError, type DocumentErrorCode } from '../../src/errors.ts';
import { detectFormat } from '../../src/parse/detect.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { grammars } from '../support/growth/grammars.ts';
import { mutate, mutateInside } from '../support/mutation.ts';
import { sampleFiles } from '../support/sample-files.ts';
import { faultOf, growthOfFormat, worstOf } from './growth.ts';
import { inputOf } from './parse-run.ts';

const fileMs = 5000;
const seedBytesMax = 300_000;
const documented: readonly DocumentErrorCode[] = [
  'unsupported_format',
  'encrypted',
  'corrupt',
  'no_text',
  'limit_exceeded',
  'timeout',
];

type Job = { readonly paths: readonly string[]; readonly from: number; readonly count: number };
/** The first is sent before anything is read: starting a process is not the parsers' time. */
type Progress = { readonly seed: number; readonly outcome: string };

if (process.send === undefined) await main();
else process.once('message', (job: Job) => void run(job).then(() => process.exit(0)));

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, units: { type: 'string', default: '150' }, seed: { type: 'string', default: '1' } },
  });
  const [count = '500', folder] = positionals;
  const failures: string[] = [];
  if (values.only !== 'growth') failures.push(...(await fuzzMutants(count, folder)));
  if (values.only !== 'mutants') failures.push(...(await fuzzGrowth(Number(values.units), Number(values.seed))));
  for (const failure of failures) console.log(failure);
  process.exit(failures.length === 0 ? 0 : 1);
}

/** Prints a table; returns what failed. */
async function fuzzGrowth(count: number, seed: number): Promise<string[]> {
  const rows: { readonly format: string; readonly [column: string]: string | number }[] = [];
  const failures: string[] = [];
  await inTurns(Object.keys(grammars), async (format) => {
    const all = await growthOfFormat({ format, count, seed });
    const [growth, memory] = [worstOf(all, 'growth'), worstOf(all, 'memory')];
    const faults = all.map(faultOf).filter((fault) => fault !== null);
    failures.push(...faults.map((fault) => `${format} ${fault}`));
    rows.push({
      format,
      units: all.length,
      failures: faults.length,
      'worst growth': growth.growth,
      'of (growth)': growth.name.slice(0, 70),
      'worst memory': memory.memory,
      'of (memory)': memory.name.slice(0, 70),
    });
    console.log(`${format}: ${all.length} units, worst growth ${growth.growth}, worst memory ${memory.memory}`);
  });
  console.log(`Units of every format (seed ${seed}): growth of CPU time a doubling, peak memory ÷ size`);
  console.table(rows.toSorted((one, other) => (one.format < other.format ? -1 : 1)));
  return failures;
}

/** As many at once as there are processors. */
async function inTurns<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = all.values();
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (const each of left) await work(each);
    }),
  );
}

/** Prints a table; returns what failed. */
async function fuzzMutants(count: string, folder: string | undefined): Promise<string[]> {
  const samples = mkdtempSync(join(tmpdir(), 'fuzz-'));
  for (const [name, make] of Object.entries(sampleFiles)) writeFileSync(join(samples, name), make());
  const groups = new Map<string, string[]>();
  for (const path of [samples, ...(folder === undefined ? [] : [folder])].flatMap(filesBelow)) {
    const format = await detectFormat(inputOf(path)).catch(() => 'unsupported');
    if (format !== 'unsupported') groups.set(format, [...(groups.get(format) ?? []), path]);
  }
  const rows: { readonly format: string; readonly [column: string]: string | number }[] = [];
  const failures: string[] = [];
  await inTurns([...groups], async ([format, paths]) => {
    const outcomes = new Map<string, number>();
    const found: string[] = [];
    for (let from = 0; from < Number(count);) from = await runChild({ paths, from, count: Number(count) }, outcomes, found);
    failures.push(...found);
    rows.push({ format, files: paths.length, mutants: Number(count), failures: found.length, ...Object.fromEntries(outcomes) });
  });
  rmSync(samples, { recursive: true });
  console.table(rows.toSorted((one, other) => (one.format < other.format ? -1 : 1)));
  return failures;
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).filter((path) => statSync(path).size <= seedBytesMax);
}

/** Runs from a seed on; returns the seed to go on with: behind the one that a process died on or hung at. */
async function runChild(job: Job, outcomes: Map<string, number>, failures: string[]): Promise<number> {
  const child = fork(import.meta.filename, { execArgv: ['--max-old-space-size=512'] });
  let at = job.from;
  let timer = setTimeout(() => {}, 0);
  await new Promise<void>((resolve) => {
    child.on('message', ({ seed, outcome }: Progress) => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), fileMs);
      if (outcome === 'ready') return;
      at = seed + 1;
      if (outcome === 'read' || documented.some((code) => code === outcome))
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      else failures.push(`seed ${seed} of ${pathFor(job, seed)}: ${outcome}`);
    });
    child.on('exit', () => resolve());
    child.send(job);
  });
  clearTimeout(timer);
  if (at < job.count) failures.push(`seed ${at} of ${pathFor(job, at)}: died or took longer than ${fileMs} ms`);
  return at < job.count ? at + 1 : at;
}

function pathFor({ paths }: Job, seed: number): string {
  return paths[seed % paths.length]!;
}

async function run(job: Job): Promise<void> {
  const parser = createDocumentParser({});
  process.send!({ seed: job.from, outcome: 'ready' } satisfies Progress);
  for (let seed = job.from; seed < job.count; seed++) {
    const path = pathFor(job, seed);
    const bytes = damaged(path, seed);
    let outcome = 'read';
    try {
      await parser.parse({ ...inputOf(path), bytes, fileBytes: bytes.length });
    } catch (error) {
      outcome = error instanceof DocumentError ? error.code : String((error as Error).stack);
    }
    await new Promise((resolve) => process.send!({ seed, outcome } satisfies Progress, resolve));
  }
}

/** Of a sample, which this project packed itself, every other time what is inside. */
function damaged(path: string, seed: number): Uint8Array {
  const whole = readFileSync(path);
  const isOurs = basename(path) in sampleFiles;
  return isOurs && seed % 4 < 2 ? mutateInside(whole, seed) : mutate(whole, seed);
}
