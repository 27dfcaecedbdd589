/**
 * `node test/bench/fuzz.ts FOLDER [COUNT]`: damages the files below FOLDER, COUNT (500) times for each format, and reads what comes
 * out, each format in a process of its own. Anything but a document or a DocumentError within 20 s is a failure and is listed.
 */
import { fork } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { DocumentError } from '../../src/errors.ts';
import { detectFormat } from '../../src/parse/detect.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import type { ParseInput } from '../../src/parse/parser.ts';
import { mutate } from '../support/mutation.ts';

const fileMs = 20_000;
const seedBytesMax = 300_000;
type Job = { readonly paths: readonly string[]; readonly from: number; readonly count: number };
/** The first is sent before anything is read: starting a process is not the parsers' time. */
type Progress = { readonly seed: number; readonly path: string; readonly outcome: string };

if (process.send === undefined) await main();
else process.once('message', (job: Job) => void run(job).then(() => process.exit(0)));

async function main(): Promise<void> {
  const [folder, count = '500'] = process.argv.slice(2);
  if (folder === undefined) throw new Error('Name a folder: node test/bench/fuzz.ts FOLDER [COUNT]');
  const groups = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || statSync(path).size > seedBytesMax) continue;
    const format = await detectFormat(inputOf(path)).catch(() => 'unsupported');
    if (format !== 'unsupported') groups.set(format, [...(groups.get(format) ?? []), path]);
  }
  const rows = [];
  for (const [format, paths] of groups) {
    const outcomes = new Map<string, number>();
    const failures: string[] = [];
    for (let from = 0; from < Number(count);) from = await runChild({ paths, from, count: Number(count) }, outcomes, failures);
    rows.push({ format, files: paths.length, mutants: Number(count), failures: failures.length, ...Object.fromEntries(outcomes) });
    for (const failure of failures) console.log(`${format}: ${failure}`);
  }
  console.table(rows);
}

/** Runs from a seed on; returns the seed to go on with: behind the one that a process died on or hung at. */
async function runChild(job: Job, outcomes: Map<string, number>, failures: string[]): Promise<number> {
  const child = fork(import.meta.filename, { execArgv: [] });
  let at = job.from;
  let timer = setTimeout(() => {}, 0);
  await new Promise<void>((resolve) => {
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), fileMs);
    };
    child.on('message', ({ seed, path, outcome }: Progress) => {
      watch();
      if (outcome === 'ready') return;
      at = seed + 1;
      if (/^(?:read|[a-z_]+)$/.test(outcome)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      else failures.push(`seed ${seed} of ${path}: ${outcome}`);
    });
    child.on('exit', () => resolve());
    child.send(job);
  });
  clearTimeout(timer);
  if (at < job.count) failures.push(`seed ${at} of ${job.paths[at % job.paths.length]!}: died or took longer than ${fileMs} ms`);
  return at < job.count ? at + 1 : at;
}

async function run({ paths, from, count }: Job): Promise<void> {
  const parser = createDocumentParser({});
  process.send!({ seed: from, path: '', outcome: 'ready' } satisfies Progress);
  for (let seed = from; seed < count; seed++) {
    const path = paths[seed % paths.length]!;
    const bytes = mutate(readFileSync(path), seed);
    let outcome = 'read';
    try {
      await parser.parse({ ...inputOf(path), bytes, fileBytes: bytes.length });
    } catch (error) {
      outcome = error instanceof DocumentError ? error.code : String((error as Error).stack);
    }
    await new Promise((resolve) => process.send!({ seed, path, outcome }, resolve));
  }
}

function inputOf(path: string): ParseInput {
  return {
    path,
    fileBytes: statSync(path).size,
    filename: basename(path),
    declaredMediaType: null,
    limits: loadConfig({}),
    onProgress() {},
  };
}
