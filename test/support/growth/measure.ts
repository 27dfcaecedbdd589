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
import { scanTokens } from '../../../src/search/analysis/tokens.ts';
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
/** Past this for the smallest size, the largest comes last. */
const msSlow = 500;
/** From the smallest to the largest size on average. A time of a·n + b·n² that is not above it is not above 2.4 in the last doubling. */
const evenMax = 2.1;

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

/**
 * Measures a unit at the first and the last size, and at those between when they are further apart than even growth is. A doubling that
 * takes too long is measured several times, of which the shortest counts, and again from one and a half times the size on: what another
 * reading of the file costs more (behind a bound, or because a quote is closed by chance) is a step, which stands in one of the two;
 * growth stands in both. `path` is written to.
 */
export async function measureGrowth(unit: GrowthUnit, path: string, growthMax: number, sizes = growthBytes): Promise<Growth> {
  const times = new Map<number, number>();
  let outcome = '';
  let memory = 0;
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  const isMistake = (): boolean => outcome.startsWith('mistake');
  const measure = async (bytes: number): Promise<void> => {
    if (isMistake()) return;
    const file = unit.make(bytes);
    writeFileSync(path, file);
    const before = bytes === last && memory === 0 ? startPeak() : null;
    const [ms, said] = await timed(() => readOnce(path, unit.filename, file.length));
    if (before !== null) memory = (residentPeak() - before) / Math.max(bytes, file.length);
    times.set(bytes, Math.min(ms, times.get(bytes) ?? Infinity));
    outcome = said;
  };
  const isSlow = (bytes: number): boolean => times.get(bytes)! > msPatience;
  const growthAt = async (smaller: number, larger: number): Promise<number> => {
    for (const bytes of [smaller, larger]) if (!times.has(bytes)) await measure(bytes);
    for (let again = 0; again < 5 && growthBetween(times, smaller, larger) > growthMax * 0.9; again++)
      for (const bytes of [smaller, larger]) if (!isSlow(bytes)) await measure(bytes);
    return growthBetween(times, smaller, larger);
  };
  await measure(first);
  if (times.get(first)! < msSlow) await measure(last);
  for (let again = 0; again < 2 && growthBetween(times, first, last) > evenMax && !isSlow(last); again++) await measure(last);
  let growth = growthBetween(times, first, last);
  if (!times.has(last) || growth > evenMax) {
    growth = 0;
    for (const [at, bytes] of sizes.slice(1).entries()) {
      const smaller = sizes[at]!;
      if (isSlow(smaller)) break;
      const found = await growthAt(smaller, bytes);
      const isDoubted = found > growthMax && !isSlow(bytes);
      growth = Math.max(growth, isDoubted ? Math.min(found, await growthAt(smaller * 1.5, bytes * 1.5)) : found);
    }
  }
  const isGivenUp = !times.has(last) && !isMistake() && growth <= growthMax;
  return {
    name: unit.name,
    growth: isGivenUp ? Infinity : round(growth),
    memory: round(memory),
    ms: sizes.filter((bytes) => times.has(bytes)).map((bytes) => Math.round(times.get(bytes)!)),
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

/** How many times as long a file of twice the size takes, told from two sizes. */
function growthBetween(times: ReadonlyMap<number, number>, smaller: number, larger: number): number {
  const ms = times.get(larger) ?? 0;
  if (ms < msJudgedMin) return 0;
  return (ms / Math.max(msLeast, times.get(smaller) ?? 0)) ** (1 / Math.log2(larger / smaller));
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
