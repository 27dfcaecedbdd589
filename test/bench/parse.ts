/**
 * `node test/bench/parse.ts FOLDER [--list]`: reads every file below FOLDER, each format in a process of its own so that its peak
 * memory is its own, and prints a table by format: files, read, refused with a sentence, failed (a bug, a crash, more than
 * `fileMs`), pages/s, MB/s (CPU time), peak memory. `--list` names what was refused and why.
 */
import { fork } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { loadConfig } from '../../src/config.ts';
import { DocumentError } from '../../src/errors.ts';
import { detectFormat } from '../../src/parse/detect.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { createOcr } from '../../src/parse/ocr.ts';
import type { ParseInput } from '../../src/parse/parser.ts';

const fileMs = 20_000;
type Outcome = {
  readonly path: string;
  readonly outcome: 'read' | 'refused' | 'failed';
  readonly sentence: string;
  readonly pages: number;
  readonly characters: number;
};
type Report = { readonly outcomes: readonly Outcome[]; readonly cpuSeconds: number; readonly peakMb: number };

if (process.send === undefined) await main();
else
  process.once('message', (paths: string[]) => void readAll(paths).then((report) => process.send!(report, () => process.exit(0))));

async function main(): Promise<void> {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('Name a folder: node test/bench/parse.ts FOLDER [--list]');
  const groups = new Map<string, string[]>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const format = await detectFormat(inputOf(path)).catch(() => 'archive, broken');
    groups.set(format, [...(groups.get(format) ?? []), path]);
  }
  const rows = [];
  const notes: string[] = [];
  for (const [format, paths] of [...groups].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
    const { outcomes, cpuSeconds, peakMb } = await readInProcess(paths);
    const count = (kind: Outcome['outcome']): number => outcomes.filter((each) => each.outcome === kind).length;
    const sum = (pick: (each: Outcome) => number): number => outcomes.reduce((total, each) => total + pick(each), 0);
    const mb = sum((each) => statSync(each.path).size) / 1e6;
    rows.push({
      format,
      files: paths.length,
      read: count('read'),
      refused: count('refused'),
      failed: paths.length - count('read') - count('refused'),
      pages: sum((each) => each.pages),
      'pages/s': Math.round(sum((each) => each.pages) / cpuSeconds),
      'files/s': Math.round(paths.length / cpuSeconds),
      'MB/s': Number((mb / cpuSeconds).toFixed(1)),
      'peak MB': peakMb,
    });
    for (const each of outcomes)
      if (each.outcome !== 'read') notes.push(`${each.outcome} ${relative(folder, each.path)}: ${each.sentence}`);
  }
  console.table(rows);
  if (process.argv.includes('--list')) console.log(notes.join('\n'));
}

/** The files of one format; a process that dies on one is started again after it. */
async function readInProcess(paths: readonly string[]): Promise<Report> {
  const outcomes: Outcome[] = [];
  let cpuSeconds = 0;
  let peakMb = 0;
  for (let left = [...paths]; left.length > 0;) {
    const child = fork(import.meta.filename, { serialization: 'advanced', execArgv: [] });
    const report = await new Promise<Report | null>((resolve) => {
      child.once('message', (message) => resolve(message as Report));
      child.once('exit', () => resolve(null));
      child.send(left);
    });
    if (report === null) {
      outcomes.push({
        path: left[0]!,
        outcome: 'failed',
        sentence: 'the process died on this file or on a later one',
        pages: 0,
        characters: 0,
      });
      left = left.slice(1);
      continue;
    }
    outcomes.push(...report.outcomes);
    cpuSeconds += report.cpuSeconds;
    peakMb = Math.max(peakMb, report.peakMb);
    left = [];
  }
  return { outcomes, cpuSeconds: Math.max(cpuSeconds, 0.001), peakMb };
}

async function readAll(paths: readonly string[]): Promise<Report> {
  const parser = createDocumentParser({
    ocr: process.argv.includes('--ocr') ? await createOcr({ languages: '', timeoutMs: fileMs }) : null,
  });
  const outcomes: Outcome[] = [];
  const before = process.cpuUsage();
  for (const path of paths) outcomes.push(await read(path));
  const used = process.cpuUsage(before);
  return { outcomes, cpuSeconds: (used.user + used.system) / 1e6, peakMb: Math.round(process.resourceUsage().maxRSS / 1024) };

  async function read(path: string): Promise<Outcome> {
    const start = performance.now();
    try {
      const parsed = await parser.parse(inputOf(path));
      const late = performance.now() - start > fileMs;
      return {
        path,
        outcome: late ? 'failed' : 'read',
        sentence: late ? 'too slow' : '',
        pages: parsed.pages ?? 1,
        characters: parsed.markdown.length,
      };
    } catch (error) {
      const known = error instanceof DocumentError;
      return {
        path,
        outcome: known ? 'refused' : 'failed',
        sentence: known ? `${error.code}: ${error.message}` : String((error as Error).stack),
        pages: 0,
        characters: 0,
      };
    }
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
