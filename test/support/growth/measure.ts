/**
 * What it costs to read a file to the end of what a document goes through in a thread: recognised, parsed, cut into chunks, scanned
 * for terms. In CPU time of this thread alone, so that a busy machine changes it little; start Node with `--single-threaded-gc` and
 * `--expose-gc`, so that collecting garbage is counted too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { splitDocument } from '../../../src/chunk/splitter.ts';
import { loadConfig } from '../../../src/config.ts';
import { DocumentError } from '../../../src/errors.ts';
import { createDocumentParser } from '../../../src/parse/document-parser.ts';
import { scanTokens } from '../../../src/search/tokens.ts';
import type { GrowthUnit } from './units.ts';

export type Growth = {
  readonly name: string;
  /** How many times as long twice as much took, at worst; 0 where all was too quick to tell. */
  readonly growth: number;
  /** Peak memory ÷ bytes of the largest file; 0 where it was not measured. */
  readonly memory: number;
  /** Thread CPU milliseconds by size. */
  readonly ms: readonly number[];
  /** `read`, the code of a refusal, or what was thrown by mistake. */
  readonly outcome: string;
};

/** Twice one after the other. */
export const growthBytes: readonly number[] = [100_000, 200_000, 400_000, 800_000];
/** Below this, what twice as much takes says nothing about a parser. */
const msJudgedMin = 60;
/** A shorter time counts as this long: 3 ms and 9 ms are the same to a clock of a busy machine. */
const msLeast = 15;
/** Past this, a size is not measured again, nor the next larger one at all. */
const msPatience = 4000;

const parser = createDocumentParser({});
const limits = loadConfig({});

/** Reads `file` once. Returns how it ended. */
export async function readOnce(path: string, filename: string, fileBytes: number): Promise<string> {
  try {
    const parsed = await parser.parse({ path, fileBytes, filename, declaredMediaType: null, limits, onProgress() {} });
    let terms = 0;
    for (const chunk of splitDocument(parsed, { tokensMax: 320 })) {
      for (const text of [chunk.text, chunk.context, ...chunk.section]) scanTokens(text, () => terms++);
    }
    return 'read';
  } catch (error) {
    return error instanceof DocumentError ? error.code : `mistake: ${String((error as Error).stack)}`;
  }
}

/** Measures a unit at each size, the suspicious ones several times, of which the shortest counts. `path` is written to. */
export async function measureGrowth(unit: GrowthUnit, path: string, growthMax: number, sizes = growthBytes): Promise<Growth> {
  const times: number[] = [];
  let outcome = '';
  let memory = 0;
  for (const [at, bytes] of sizes.entries()) {
    const file = unit.make(bytes);
    writeFileSync(path, file);
    const before = at === sizes.length - 1 ? startPeak() : null;
    const [ms, said] = await timed(() => readOnce(path, unit.filename, file.length));
    if (before !== null) memory = (residentPeak() - before) / Math.max(bytes, file.length);
    times.push(ms);
    outcome = said;
    if (said.startsWith('mistake')) break;
    for (let again = 0; again < 5 && at > 0 && growthBetween(times, sizes, at) > growthMax * 0.9; again++) {
      for (const back of [0, 1]) {
        if (times[at - back]! > msPatience) continue;
        const same = unit.make(sizes[at - back]!);
        writeFileSync(path, same);
        times[at - back] = Math.min(times[at - back]!, (await timed(() => readOnce(path, unit.filename, same.length)))[0]);
      }
    }
    if (times[at]! > msPatience) break;
  }
  const isGivenUp = times.length < sizes.length && growthOf(times, sizes) <= growthMax && !outcome.startsWith('mistake');
  return {
    name: unit.name,
    growth: isGivenUp ? Infinity : growthOf(times, sizes),
    memory: round(memory),
    ms: times.map(Math.round),
    outcome,
  };
}

/** Peak memory ÷ bytes, in a process that has read nothing else. */
export async function measureMemory(unit: GrowthUnit, path: string, bytes: number): Promise<number> {
  const small = unit.make(1000);
  writeFileSync(path, small);
  await readOnce(path, unit.filename, small.length);
  const file = unit.make(bytes);
  writeFileSync(path, file);
  const fileBytes = file.length;
  const before = startPeak();
  await readOnce(path, unit.filename, fileBytes);
  return round((residentPeak() - before) / Math.max(bytes, fileBytes));
}

function growthOf(times: readonly number[], sizes: readonly number[]): number {
  return round(times.reduce((worst, _, at) => Math.max(worst, growthBetween(times, sizes, at)), 0));
}

/** How many times as long a file of twice the size takes, told from a size and the one before it. */
function growthBetween(times: readonly number[], sizes: readonly number[], at: number): number {
  if (at === 0 || times[at]! < msJudgedMin) return 0;
  return (times[at]! / Math.max(msLeast, times[at - 1]!)) ** (1 / Math.log2(sizes[at]! / sizes[at - 1]!));
}

async function timed<T>(work: () => Promise<T>): Promise<[number, T]> {
  globalThis.gc?.();
  const begun = process.threadCpuUsage();
  const result = await work();
  const { user, system } = process.threadCpuUsage(begun);
  return [(user + system) / 1000, result];
}

/** Peak memory counts from now on (proc(5): clear_refs). Returns what is held already. */
function startPeak(): number {
  globalThis.gc?.();
  writeFileSync('/proc/self/clear_refs', '5');
  return residentPeak();
}

function residentPeak(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
