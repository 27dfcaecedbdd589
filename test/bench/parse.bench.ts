/**
 * What the parsers read, and how fast: `npm run bench -- parse [FOLDER]`. First by format, each in a process of its own: files read,
 * refused with a sentence (each is listed) and failed, speed, peak memory. Then the PDFs in one thread and four, beside pdftotext
 * and mutool on the same files; then what LangChain's loaders read, in chunks, beside them. Speed for each second of CPU time
 * compares one core with another; a process a file, with its start, is how the commands are used.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { detectFormat } from '../../src/parse/detect.ts';
import { makeDocx, makeEpub, makeOdf, makePptx, makeXlsx } from '../support/office-writer.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import { smallFiles } from '../support/text-fixtures.ts';
import type { Bench, Row } from './bench.ts';
import { barsOf } from './record.ts';
import {
  inputOf,
  langChainFormats,
  type Outcome,
  peersFolder,
  readAll,
  type Reading,
  type Tool,
  warmRounds,
  warmSpeed,
} from './parse-run.ts';
import { round } from './process-figures.ts';

/** Real documents that may lie beside a checkout. */
const usualFolder = new URL('../../../shared/corpus/documents', import.meta.url).pathname;
const threadCounts = [1, 4];

export const bench: Bench = {
  title: 'files read, refused and failed by format; speed beside pdftotext, mutool and LangChain',
  async run([chosen]) {
    const made = chosen === undefined && !existsSync(usualFolder) ? makeSamples() : null;
    const folder = chosen ?? made ?? usualFolder;
    try {
      const groups = await byFormat(folder);
      const read = new Map<string, string[]>();
      const rows: Row[] = [];
      for (const [format, paths] of groups) {
        const [reading] = await readAll({ tool: 'ours', threads: 1, rounds: 1, paths });
        rows.push(formatRow(format, reading!));
        read.set(format, pathsRead(reading!));
        for (const each of reading!.outcomes)
          if (each.outcome !== 'read') console.log(`${each.outcome} ${relative(folder, each.path)}: ${each.sentence}`);
      }
      return [...rows, ...(await besideCommands(read.get('pdf') ?? [])), ...(await besideLangChain(read))];
    } finally {
      if (made !== null) rmSync(made, { recursive: true });
    }
  },
  chart: (rows) =>
    barsOf(
      rows.filter((row) => String(row['what']).startsWith('PDF, 1 at once')),
      (row) => String(row['what']).replace('PDF, 1 at once: ', ''),
      ['pages/CPU s'],
      { title: 'PDF to text: pages for each second of CPU time', unit: 'pages/CPU s' },
    ),
};

async function byFormat(folder: string): Promise<[string, string[]][]> {
  const groups = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const format = await detectFormat(inputOf(path)).catch(() => 'broken archive');
    groups.set(format, [...(groups.get(format) ?? []), path]);
  }
  return [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function pathsRead({ outcomes }: Reading): string[] {
  return outcomes.filter(({ outcome }) => outcome === 'read').map(({ path }) => path);
}

function formatRow(format: string, reading: Reading): Row {
  const count = (kind: Outcome['outcome']): number => reading.outcomes.filter(({ outcome }) => outcome === kind).length;
  return {
    what: format,
    files: reading.outcomes.length,
    read: count('read'),
    refused: count('refused'),
    failed: count('failed'),
    ...speedOf(reading),
    'slowest ms': Math.round(Math.max(0, ...reading.outcomes.map(({ ms }) => ms))),
    'peak MB': reading.peakMb,
  };
}

type Speed = Pick<Reading, 'cpuSeconds' | 'wallSeconds'>;

function speedOf(reading: Reading): Row {
  const pages = reading.outcomes.reduce((sum, each) => sum + each.pages, 0);
  return speedRow(pages, megabytesOf(reading.outcomes.map(({ path }) => path)), reading);
}

function speedRow(pages: number, megabytes: number, { cpuSeconds, wallSeconds }: Speed): Row {
  return {
    pages,
    'pages/s': round(pages / wallSeconds),
    'MB/s': round(megabytes / wallSeconds),
    'pages/CPU s': round(pages / cpuSeconds),
    'CPU s': round(cpuSeconds),
  };
}

function megabytesOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
}

/* Beside commands. */

const commands = [
  { name: 'pdftotext', words: (path: string) => ['-q', path, '/dev/null'] },
  { name: 'mutool', words: (path: string) => ['draw', '-q', '-F', 'txt', '-o', '/dev/null', path] },
];

async function besideCommands(paths: readonly string[]): Promise<Row[]> {
  if (paths.length === 0) return [];
  const rows: Row[] = [];
  const megabytes = megabytesOf(paths);
  for (const threads of threadCounts) {
    const readings = await readAll({ tool: 'ours', threads, rounds: warmRounds, paths });
    const pages = readings[0]!.outcomes.reduce((sum, each) => sum + each.pages, 0);
    const peers: { readonly name: string; readonly speed: Speed }[] = [];
    for (const { name, words } of commands) {
      if (spawnSync(name, ['-v']).error === undefined) peers.push({ name, speed: await runCommand(name, words, paths, threads) });
      else console.log(`${name} is not installed`);
    }
    const inThreads = `PDF, ${threads} at once:`;
    for (const [name, reading] of [
      ['cold', readings[0]!],
      ['second time', readings[1]!],
      ['warm', { ...readings.at(-1)!, ...warmSpeed(readings) }],
    ] as const) {
      const beside = peers.map(({ name, speed }) => [`× ${name} per CPU s`, round(speed.cpuSeconds / reading.cpuSeconds)]);
      rows.push({
        what: `${inThreads} ours, ${name}`,
        ...speedRow(pages, megabytes, reading),
        'peak MB': reading.peakMb,
        ...Object.fromEntries(beside),
      });
    }
    for (const { name, speed } of peers) rows.push({ what: `${inThreads} ${name}`, ...speedRow(pages, megabytes, speed) });
  }
  return rows;
}

/** A process for each file, `atOnce` of them side by side. */
async function runCommand(
  name: string,
  words: (path: string) => string[],
  paths: readonly string[],
  atOnce: number,
): Promise<Speed> {
  const before = childCpuSeconds();
  const begun = performance.now();
  const queue = paths.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const path of queue) {
        const child = spawn(name, words(path), { stdio: 'ignore' });
        await new Promise((resolve) => child.once('close', resolve));
      }
    }),
  );
  return {
    cpuSeconds: Math.max(0.001, childCpuSeconds() - before),
    wallSeconds: Math.max(0.001, (performance.now() - begun) / 1000),
  };
}

/** Of all children that have ended, in seconds (proc(5): fields 16 and 17, in ticks of 10 ms). */
function childCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/* Beside LangChain. */

async function besideLangChain(read: ReadonlyMap<string, readonly string[]>): Promise<Row[]> {
  if (!existsSync(join(peersFolder, 'node_modules'))) {
    console.log('LangChain is not installed: npm ci --prefix test/bench/peers');
    return [];
  }
  const rows: Row[] = [];
  for (const format of langChainFormats) {
    const paths = read.get(format) ?? [];
    if (paths.length === 0) continue;
    const row = async (tool: Tool): Promise<[string, Reading]> => [
      `${format}, in chunks: ${tool === 'LangChain' ? tool : 'ours'}, warm`,
      (await readAll({ tool, threads: 1, rounds: 2, paths }))[1]!,
    ];
    const [[ourName, ours], [theirName, theirs]] = [await row('ours, in chunks'), await row('LangChain')];
    rows.push({ ...formatRow(ourName, ours), '× LangChain per CPU s': round(theirs.cpuSeconds / ours.cpuSeconds) });
    rows.push(formatRow(theirName, theirs));
  }
  return rows;
}

/* Without a folder. */

/** Some files of every format, in a temporary folder. */
function makeSamples(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parse-bench-'));
  const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes);
  for (let number = 0; number < 20; number++) {
    const pages = Array.from({ length: 10 }, (_, page) => pageLines(number * 10 + page, 45));
    const lines = pages.flat();
    write(`report-${number}.pdf`, makePdf({ pages }));
    write(`report-${number}.docx`, makeDocx({ paragraphs: lines }));
    write(
      `report-${number}.pptx`,
      makePptx({ slides: pages.map((some, page) => ({ title: `Slide ${page}`, lines: some.slice(0, 12) })) }),
    );
    write(`report-${number}.xlsx`, makeXlsx({ sheets: [{ name: 'S', rows: lines.map((line, row) => [row, line]) }] }));
    write(`report-${number}.odt`, makeOdf({ kind: 'text', body: lines.map((line) => `<text:p>${line}</text:p>`).join('') }));
    write(
      `report-${number}.epub`,
      makeEpub({ chapters: pages.map((some) => ({ body: some.map((line) => `<p>${line}</p>`).join('') })) }),
    );
    for (const [name, text] of Object.entries(smallFiles)) write(`${number}-${name}`, text);
  }
  return folder;
}
