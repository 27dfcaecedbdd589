/**
 * Measures what is kept of a folder of real files, beside two libraries that a Node team would use:
 *
 *   node test/bench/parse-office.ts FOLDER [--each] [--alone]
 *
 * First table, by format: files, read, refused (with each sentence), failed, MB/s, files per CPU second, peak memory (of a process
 * of its own). Second table: words, headings, table cells and list items kept against the Markdown that stands in `groundtruth`
 * beside `sources` as `<name>.md`, with what that leaves out of comments, headers, notes and alternative texts, for this project, officeparser, and mammoth + turndown (of HTML: turndown alone). `--each` prints
 * every file's scores, `--alone` leaves the others out. The others are installed apart: npm ci --prefix test/bench/peers
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { DocumentError } from '../../src/errors.ts';
import { createDocumentParser } from '../../src/parse/document-parser.ts';
import { missingAsides } from './office-asides.ts';
import { f1Of, type MarkdownScore, scoreMarkdown, sumKept } from './markdown-score.ts';

const formats: Readonly<Record<string, readonly string[]>> = {
  docx: ['.docx', '.docm', '.dotx', '.dotm'],
  pptx: ['.pptx', '.pptm', '.ppsx', '.potx'],
  xlsx: ['.xlsx', '.xlsm', '.xltx'],
  odf: ['.odt', '.ods', '.odp', '.ott', '.ots', '.otp'],
  epub: ['.epub'],
  html: ['.html', '.htm', '.xhtml'],
  csv: ['.csv', '.tsv'],
  md: ['.md'],
  pdf: ['.pdf'],
};
const tools = ['rag-intake', 'officeparser', 'mammoth + turndown'] as const;
type Tool = (typeof tools)[number];

type Outcome = {
  readonly path: string;
  readonly status: 'read' | 'refused' | 'failed';
  readonly said: string;
  readonly markdown: string;
  readonly ms: number;
};
type Run = { readonly outcomes: readonly Outcome[]; readonly cpuMs: number; readonly peakMb: number; readonly startMb: number };

const peersFolder = join(dirname(fileURLToPath(import.meta.url)), 'peers');
const [folder, ...flags] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node test/bench/parse-office.ts FOLDER [--each] [--alone]');
  process.exit(2);
}
if (flags[0] === '--run') await runOne(flags[1] as Tool, folder, flags[2]!);
else await compareAll(folder);

/** The measuring process: parses the files listed in `listFile` and writes what came of it to `resultFile`. */
async function runOne(tool: Tool, listFile: string, resultFile: string): Promise<void> {
  const paths = JSON.parse(readFileSync(listFile, 'utf8')) as string[];
  const read = await readerOf(tool);
  const startMb = process.memoryUsage.rss() / 2 ** 20;
  const cpu = process.cpuUsage();
  const outcomes: Outcome[] = [];
  for (const path of paths) outcomes.push(await outcomeOf(path, read));
  const { user, system } = process.cpuUsage(cpu);
  const run: Run = { outcomes, cpuMs: (user + system) / 1000, peakMb: process.resourceUsage().maxRSS / 1024, startMb };
  writeFileSync(resultFile, JSON.stringify(run));
  process.exit(0);
}

async function outcomeOf(path: string, read: (path: string) => Promise<string>): Promise<Outcome> {
  const begun = performance.now();
  try {
    const markdown = await read(path);
    return { path, status: 'read', said: '', markdown, ms: performance.now() - begun };
  } catch (error) {
    const isExpected = error instanceof DocumentError;
    const said = isExpected ? `${error.code}: ${error.message}` : String(error).slice(0, 300);
    return { path, status: isExpected ? 'refused' : 'failed', said, markdown: '', ms: performance.now() - begun };
  }
}

async function readerOf(tool: Tool): Promise<(path: string) => Promise<string>> {
  if (tool === 'rag-intake') return ourReader();
  const load = createRequire(join(peersFolder, 'package.json'));
  if (tool === 'officeparser') {
    const parser = load('officeparser') as OfficeParserModule;
    // Its front matter and heading ids are no text of the document.
    return async (path) => {
      const { value } = await (await parser.OfficeParser.parseOffice(path)).to('md', { generateIds: false });
      return value.replace(/^---\n.*?\n---\n/s, '');
    };
  }
  const mammoth = load('mammoth') as MammothModule;
  const Turndown = load('turndown') as new (options: object) => {
    use(plugin: unknown): void;
    remove(names: readonly string[]): void;
    turndown(html: string): string;
  };
  const { gfm } = load('turndown-plugin-gfm') as { gfm: unknown };
  const turndown = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced' });
  turndown.use(gfm);
  turndown.remove(['script', 'style', 'title']);
  const convertImage = mammoth.images.imgElement(() => Promise.resolve({ src: '' }));
  return async (path) => {
    const html =
      extname(path) === '.docx' ? (await mammoth.convertToHtml({ path }, { convertImage })).value : await readFile(path, 'utf8');
    return turndown.turndown(withPlainTables(html));
  };
}

type OfficeParserModule = {
  OfficeParser: { parseOffice(path: string): Promise<{ to(kind: 'md', options: object): Promise<{ value: string }> }> };
};
type MammothModule = {
  convertToHtml(input: { path: string }, options: object): Promise<{ value: string }>;
  images: { imgElement(convert: () => Promise<{ src: string }>): unknown };
};

/**
 * mammoth marks no header cells and puts paragraphs into cells; turndown leaves a table without the former as HTML and breaks its
 * rows at the latter. This gives the pair its best.
 */
function withPlainTables(html: string): string {
  return html
    .replace(/(<table[^>]*>\s*(?:<t(?:head|body)[^>]*>)?\s*)(<tr[^>]*>.*?<\/tr>)/gs, (_, open: string, row: string) => {
      return open + row.replaceAll('<td', '<th').replaceAll('</td>', '</th>');
    })
    .replace(/<t([dh])([^>]*)>(.*?)<\/t\1>/gs, (_, kind: string, attributes: string, cell: string) => {
      return `<t${kind}${attributes}>${cell.replace(/<\/?(?:p|div)\b[^>]*>|\n/g, ' ').trim()}</t${kind}>`;
    });
}

function ourReader(): (path: string) => Promise<string> {
  const parser = createDocumentParser({});
  const limits = loadConfig({});
  return async (path) => {
    const fileBytes = statSync(path).size;
    const input = { path, fileBytes, filename: basename(path), declaredMediaType: null, limits, onProgress: () => undefined };
    return (await parser.parse(input)).markdown;
  };
}

async function compareAll(root: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'parse-office-'));
  const asked = tools.filter((tool) => tool === 'rag-intake' || !flags.includes('--alone'));
  const present = asked.filter((tool) => tool === 'rag-intake' || existsSync(join(peersFolder, 'node_modules')));
  if (present.length < asked.length) console.log('The other libraries are missing: npm ci --prefix test/bench/peers\n');
  const all = (readdirSync(root, { recursive: true }) as string[]).map((name) => join(root, name)).sort();
  const runs = Object.entries(formats).flatMap(([format, extensions]) => {
    const paths = all.filter((path) => extensions.includes(extname(path).toLowerCase()) && statSync(path).isFile());
    const fit = present.filter((tool) => tool !== 'mammoth + turndown' || format === 'docx' || format === 'html');
    return paths.length === 0 ? [] : fit.map((tool) => ({ format, tool, run: measure(tool, paths, scratch) }));
  });
  rmSync(scratch, { recursive: true });
  console.log('format tool                files  read  refused failed   MB/s  files/CPU s  peak MB (at start)  slowest ms');
  for (const { format, tool, run } of runs) console.log(speedLine(format, tool, run));
  for (const { tool, run } of runs) if (tool === 'rag-intake') printRefused(run, root);
  console.log('\nagainst expected Markdown (F1)  files  words   headings  cells   items');
  for (const { format, tool, run } of runs) await printScores(format, tool, run);
}

function measure(tool: Tool, paths: readonly string[], scratch: string): Run {
  const listFile = join(scratch, 'list.json');
  const resultFile = join(scratch, 'result.json');
  writeFileSync(listFile, JSON.stringify(paths));
  execFileSync(process.execPath, [fileURLToPath(import.meta.url), listFile, '--run', tool, resultFile], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return JSON.parse(readFileSync(resultFile, 'utf8')) as Run;
}

function speedLine(format: string, tool: Tool, run: Run): string {
  const { outcomes } = run;
  const count = (status: Outcome['status']) => outcomes.filter((each) => each.status === status).length;
  const megabytes = outcomes.reduce((sum, each) => sum + statSync(each.path).size, 0) / 2 ** 20;
  const seconds = outcomes.reduce((sum, each) => sum + each.ms, 0) / 1000;
  const slowest = Math.max(...outcomes.map((each) => each.ms));
  return [
    format.padEnd(6),
    tool.padEnd(18),
    String(outcomes.length).padStart(6),
    String(count('read')).padStart(5),
    String(count('refused')).padStart(8),
    String(count('failed')).padStart(6),
    (megabytes / seconds).toFixed(1).padStart(7),
    (outcomes.length / (run.cpuMs / 1000)).toFixed(1).padStart(11),
    `${run.peakMb.toFixed(0)} (${run.startMb.toFixed(0)})`.padStart(19),
    slowest.toFixed(0).padStart(11),
  ].join(' ');
}

function printRefused(run: Run, root: string): void {
  for (const { path, status, said } of run.outcomes) {
    if (status !== 'read') console.log(`  ${status}: ${relative(root, path)}: ${said}`);
  }
}

async function printScores(format: string, tool: Tool, run: Run): Promise<void> {
  const scores: { readonly path: string; readonly score: MarkdownScore }[] = [];
  for (const { path, markdown } of run.outcomes) {
    const expected = expectedFor(path);
    if (expected !== null) scores.push({ path, score: scoreWithAsides(markdown, expected, await missingAsides(path, expected)) });
  }
  if (scores.length === 0) return;
  console.log(
    scoreLine(
      `${format} ${tool}`,
      scores.map(({ score }) => score),
    ),
  );
  if (flags.includes('--each')) for (const { path, score } of scores) console.log(scoreLine(`  ${basename(path)}`, [score]));
}

/** Words against all of it; structure without the alternative texts, which may stand in a cell. */
function scoreWithAsides(markdown: string, expected: string, asides: string): MarkdownScore {
  const alternatives = asides.split('\n\n').flatMap((line) => (line.startsWith('Picture ') ? [line.replace(' ', ': ')] : []));
  const plain = alternatives.reduce((text, each) => text.replaceAll(each, ''), markdown);
  return { ...scoreMarkdown(plain, expected), tokens: scoreMarkdown(markdown, `${expected}\n\n${asides}`).tokens };
}

function expectedFor(path: string): string | null {
  if (basename(dirname(path)) !== 'sources') return null;
  const beside = join(dirname(dirname(path)), 'groundtruth');
  const expected = [basename(path), basename(path, extname(path))].map((name) => join(beside, `${name}.md`)).find(existsSync);
  return expected === undefined ? null : readFileSync(expected, 'utf8');
}

/** Words: the mean of the files; structure: all files' headings, cells and items together, since many files have none. */
function scoreLine(name: string, scores: readonly MarkdownScore[]): string {
  const words = scores.reduce((sum, each) => sum + f1Of(each.tokens), 0) / scores.length;
  const structure = (['headings', 'cells', 'items'] as const).map((part) => {
    const kept = sumKept(scores.map((each) => each[part]));
    return kept.got + kept.expected === 0 ? '   -  ' : f1Of(kept).toFixed(3).padStart(6);
  });
  return `${name.padEnd(32)} ${String(scores.length).padStart(4)}  ${words.toFixed(3)}   ${structure.join('   ')}`;
}
