/**
 * Measures the PDF parser over a folder of real files, beside pdftotext and mutool where they are installed:
 *
 *   node test/bench/parse-pdf.ts FOLDER [--each] [--refused]
 *
 * Prints files read and refused (with the sentence), pages a second, CPU beside pdftotext, peak memory, token F1 against pdftotext
 * where it and mutool agree (≥ 0.9), files in Chinese, Japanese or Korean apart; and, where a folder `groundtruth` beside
 * `sources` holds `<name>.md`, words, headings, table cells and list items kept against it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { createPdfParser } from '../../src/parse/pdf/pdf-parser.ts';
import type { ParseLimits } from '../../src/parse/parser.ts';
import { warmRounds, warmSpeed } from './parse-run.ts';
import { cjkShare, f1Of, type Kept, type MarkdownScore, scoreMarkdown, scoreText, sumKept } from './markdown-score.ts';

const limits: ParseLimits = {
  unpackedBytesMax: 1024 ** 3,
  entriesMax: 10_000,
  ratioMax: 200,
  depthMax: 256,
  pagesMax: 10_000,
  cellsMax: 2_000_000,
  charactersMax: 120_000_000,
  pixelsMax: 100_000_000,
  pdfMemoryMb: 512,
  pageMs: 20_000,
};

const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node test/bench/parse-pdf.ts FOLDER [--each]');
  process.exit(2);
}

type Read = { readonly path: string; readonly markdown: string; readonly pages: number; readonly ms: number };

const files = pdfsIn(folder);
const parser = createPdfParser();
const { read, refused, cpuMs, wallMs } = await parseAll(files);
const peakMb = process.resourceUsage().maxRSS / 1024;
// Again and again, without what was refused, as pdftotext is asked below: a service compiles once, a command line each time.
const rounds: { cpuSeconds: number; wallSeconds: number }[] = [];
for (let round = 1; round < warmRounds; round++) {
  const again = await parseAll(read.map(({ path }) => path));
  rounds.push({ cpuSeconds: again.cpuMs / 1000, wallSeconds: again.wallMs / 1000 });
}
const warm = { cpuMs: warmSpeed(rounds).cpuSeconds * 1000, wallMs: warmSpeed(rounds).wallSeconds * 1000 };
const pages = read.reduce((sum, each) => sum + each.pages, 0);

console.log(`files ${files.length}, read ${read.length}, refused ${refused.length}`);
for (const [sentence, some] of Map.groupBy(refused, (each) => `${each.code}: ${each.message}`))
  console.log(`  ${some.length} × ${sentence}`);
if (flags.includes('--refused')) for (const each of refused) console.log(`    ${each.code} ${relative(folder, each.path)}`);
console.log(
  `pages ${pages}, ${(pages / (wallMs / 1000)).toFixed(0)} pages/s cold, ${(pages / (warm.wallMs / 1000)).toFixed(0)} warm; ` +
    `CPU ${(cpuMs / pages).toFixed(2)} ms a page cold, ${(warm.cpuMs / pages).toFixed(2)} warm; peak ${peakMb.toFixed(0)} MB`,
);
const slowest = [...read].sort((one, other) => other.ms - one.ms).slice(0, 3);
console.log(`slowest: ${slowest.map((each) => `${basename(each.path)} ${each.ms.toFixed(0)} ms`).join(', ')}`);
compareWithPeers(read);
compareWithExpected(read);

function pdfsIn(root: string): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => name.toLowerCase().endsWith('.pdf'))
    .map((name) => join(root, name))
    .sort();
}

async function parseAll(paths: readonly string[]) {
  const read: Read[] = [];
  const refused: { path: string; code: string; message: string }[] = [];
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (const path of paths) {
    const begun = performance.now();
    try {
      const document = await parser.parse({
        path,
        fileBytes: statSync(path).size,
        filename: basename(path),
        declaredMediaType: null,
        limits,
        onProgress: () => undefined,
      });
      read.push({ path, markdown: document.markdown, pages: document.pages ?? 0, ms: performance.now() - begun });
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      refused.push({ path, code: code ?? `BUG ${(error as Error).stack}`, message });
    }
  }
  const used = process.cpuUsage(cpu);
  return { read, refused, cpuMs: (used.user + used.system) / 1000, wallMs: performance.now() - started };
}

/** Text of the peers, file by file; CPU of pdftotext is taken from its own processes, start-up included, as a caller pays it. */
function compareWithPeers(read: readonly Read[]): void {
  if (spawnSync('pdftotext', ['-v']).error !== undefined) return console.log('pdftotext is not installed');
  const mine = new Map(read.map((each) => [each.path, each]));
  const scores: { path: string; kept: Kept; cjk: boolean }[] = [];
  let theyRead = 0;
  let bothRead = 0;
  for (const path of files) {
    const theirs = textOf('pdftotext', ['-q', path, '-']);
    if (theirs === undefined || theirs.trim() === '') continue;
    theyRead++;
    const each = mine.get(path);
    if (each === undefined) {
      console.log(`  pdftotext alone reads ${relative(folder!, path)} (${theirs.trim().length} characters)`);
      continue;
    }
    bothRead++;
    const third = textOf('mutool', ['draw', '-q', '-F', 'txt', path]);
    if (third === undefined || f1Of(scoreText(third, theirs)) < 0.9) continue;
    scores.push({ path, kept: scoreText(each.markdown, theirs), cjk: cjkShare(theirs) > 0.2 });
  }
  console.log(
    `pdftotext reads ${theyRead}; of these read here ${bothRead} (${((100 * bothRead) / Math.max(1, theyRead)).toFixed(1)} %)`,
  );
  console.log(`token F1 where pdftotext and mutool agree: ${meanF1(scores)} over ${scores.length} files`);
  const wide = scores.filter((each) => each.cjk);
  if (wide.length > 0) console.log(`  of these Chinese, Japanese, Korean: ${meanF1(wide)} over ${wide.length} files`);
  for (const each of [...scores]
    .sort((one, other) => f1Of(one.kept) - f1Of(other.kept))
    .slice(0, flags.includes('--each') ? 40 : 6)) {
    const { matched, got, expected } = each.kept;
    console.log(
      `    ${f1Of(each.kept).toFixed(3)} (got ${got}, expected ${expected}, same ${matched}) ${relative(folder!, each.path)}`,
    );
  }
  const paths = read.map((each) => each.path);
  const theirMs = childCpuMs(() => {
    for (const path of paths) spawnSync('pdftotext', ['-q', path, '/dev/null'], { stdio: 'ignore' });
  });
  console.log(
    `CPU beside pdftotext on the same files: ${cpuMs.toFixed(0)} ms cold, ${warm.cpuMs.toFixed(0)} ms warm, to ${theirMs.toFixed(0)} ms; ` +
      `ratio ${(cpuMs / theirMs).toFixed(2)} cold, ${(warm.cpuMs / theirMs).toFixed(2)} warm`,
  );
}

function textOf(command: string, args: readonly string[]): string | undefined {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return result.status === 0 || (result.stdout ?? '') !== '' ? result.stdout : undefined;
}

/** CPU time of ended children: fields 16 and 17 of /proc/self/stat, in ticks. */
function childCpuMs(run: () => void): number {
  const ticks = () => {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[13]) + Number(fields[14]);
  };
  const before = ticks();
  run();
  const perSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ((ticks() - before) / perSecond) * 1000;
}

function meanF1(scores: readonly { kept: Kept }[]): string {
  return (scores.reduce((sum, each) => sum + f1Of(each.kept), 0) / Math.max(1, scores.length)).toFixed(4);
}

function compareWithExpected(read: readonly Read[]): void {
  const scores: { path: string; score: MarkdownScore }[] = [];
  for (const { path, markdown } of read) {
    const expected = join(dirname(dirname(path)), 'groundtruth', `${basename(path).replace(/\.pdf$/i, '')}.md`);
    if (existsSync(expected)) scores.push({ path, score: scoreMarkdown(markdown, readFileSync(expected, 'utf8')) });
  }
  if (scores.length === 0) return;
  console.log(`against the expected Markdown of ${scores.length} files (F1 of all together):`);
  for (const part of ['tokens', 'headings', 'cells', 'items'] as const) {
    const kept = sumKept(scores.map((each) => each.score[part]));
    console.log(`  ${part.padEnd(9)} ${f1Of(kept).toFixed(3)} (got ${kept.got}, expected ${kept.expected}, same ${kept.matched})`);
  }
  for (const { path, score } of flags.includes('--each') ? scores : []) {
    const shown = (['tokens', 'headings', 'cells', 'items'] as const).map((part) => {
      const { matched, got, expected } = score[part];
      return `${part} ${f1Of(score[part]).toFixed(2)} (${matched}/${got}/${expected})`;
    });
    console.log(`    ${basename(path)}: ${shown.join(', ')}`);
  }
}
