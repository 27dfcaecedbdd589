/**
 * From upload to searchable, over a folder: `npm run bench -- ingest [FOLDER]` (documents made on the spot without one). Beside
 * it, as the limit, the same files through the pool alone: parse, chunk and embed, with no server, queue, disk records or index.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.ts';
import { embedderSettings } from '../../src/embed/create-embedder.ts';
import { createThreadPool, type RunOutcome } from '../../src/ingest/thread-pool.ts';
import { createLogger } from '../../src/logger.ts';
import { newId } from '../support/engine-steps.ts';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import { insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { barsOf } from './record.ts';
import { childrenOf, cpuSeconds, round } from './process-figures.ts';
import { undescribed } from '../../src/tasks/given.ts';

const fileBytesMax = 100 * 1024 * 1024;
const threads = Math.min(4, availableParallelism());
/** More than there are threads, so that none of them waits for an upload. */
const uploadsAtOnce = 3 * threads;
const stages = ['parse', 'chunk', 'embed', 'terms', 'index'] as const;

type Sample = { readonly name: string; readonly bytes: Buffer };
type Run = { readonly wallMs: number; readonly cpuMs: number; readonly pages: number; readonly stageMs: Record<string, number> };

export const bench: Bench = {
  title: `upload to searchable, ${threads} threads, beside the pool alone`,
  async run([folder]) {
    const files = folder === undefined ? makeSamples() : await readSamples(folder);
    const limit = await throughPool(files);
    const ours = await throughServer(files);
    return [
      toRow('ours', files, ours, limit),
      toRow('limit: the pool alone', files, limit, limit),
      ...stages.map((stage) => ({ who: `ours, ${stage}`, 'share of thread time': share(ours, [stage]) })),
      { who: 'ours, all but index (goal 0.7)', 'share of thread time': share(ours, ['parse', 'chunk', 'embed', 'terms']) },
    ];
  },
  chart: (rows) =>
    barsOf(rows, (row) => String(row['who']), ['share of thread time'], {
      title: 'From upload to searchable: where the threads spend their time',
      unit: 'share',
    }),
};

/** PDFs, Markdown and text of 10 to 60 pages, in English and Chinese. */
function makeSamples(): Sample[] {
  return Array.from({ length: 90 }, (_, number) => {
    const pages = Array.from({ length: 10 + (number % 6) * 10 }, (_unused, page) => pageLines(number * 100 + page, 45));
    if (number % 3 === 0) return { name: `report-${number}.pdf`, bytes: makePdf({ pages }) };
    const heading = number % 3 === 1 ? '第' : 'Chapter ';
    const text = pages.map((lines, page) => `# ${heading}${page}\n\n${lines.join('\n')}`).join('\n\n');
    return { name: number % 3 === 1 ? `报告-${number}.md` : `notes-${number}.txt`, bytes: Buffer.from(text) };
  });
}

async function readSamples(folder: string): Promise<Sample[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const samples = await Promise.all(
    paths.toSorted().map(async (path) => ({ name: relative(folder, path), bytes: await readFile(path) })),
  );
  return samples.filter(({ bytes }) => bytes.length > 0 && bytes.length < fileBytesMax);
}

async function throughServer(files: readonly Sample[]): Promise<Run> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'info', MAX_CONCURRENT_TASKS: String(threads) } });
  try {
    const cpuBefore = cpuOf(server);
    const startedAt = performance.now();
    const tasks = await inParallel(files, uploadsAtOnce, (file, number) => send(server, file, number));
    const wallMs = performance.now() - startedAt;
    const pages = tasks.reduce((sum, task) => sum + (task.result?.pages ?? (task.status === 'completed' ? 1 : 0)), 0);
    return { wallMs, cpuMs: cpuOf(server) - cpuBefore, pages, stageMs: stagesIn(server.log()) };
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

async function send(server: TestServer, { name, bytes }: Sample, number: number): Promise<WireTask> {
  const response = await insert(server.url, `doc-${number}`, { name, bytes }, { prefer: 'respond-async' });
  const { task_id: id } = (await response.json()) as { task_id: string };
  for (;;) {
    const task = (await (await fetch(`${server.url}/task/${id}?wait=30`)).json()) as WireTask;
    if (task.status === 'completed' || task.status === 'failed') return task;
  }
}

/** User and system time of the front end and its worker, in milliseconds. */
function cpuOf(server: TestServer): number {
  return [server.process.pid!, ...childrenOf(server.process.pid!)].reduce((sum, pid) => sum + cpuSeconds(pid) * 1000, 0);
}

function stagesIn(log: string): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const line of log.split('\n').filter((each) => each.includes('"task finished"'))) {
    const fields = JSON.parse(line) as Record<string, unknown>;
    for (const stage of stages) totals[stage] = (totals[stage] ?? 0) + Number(fields[stage] ?? 0);
  }
  return totals;
}

async function throughPool(files: readonly Sample[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-bench-'));
  const config = loadConfig({ DATA_DIR: folder });
  const pool = createThreadPool({
    threads,
    filename: fileURLToPath(new URL('../../workers/ingest.ts', import.meta.url)),
    settings: {
      limits: config,
      chunkTokensMax: config.chunkTokens,
      ocrLanguages: config.ocrLanguages,
      embedder: embedderSettings(config),
    },
    threadMemoryMb: config.threadMemoryMb,
    deadlines: config,
    logger: createLogger({ level: 'silent' }),
  });
  await pool.ready();
  const usedBefore = process.cpuUsage();
  const startedAt = performance.now();
  const outcomes = await inParallel(files, threads, async ({ name, bytes }, number): Promise<RunOutcome> => {
    const payloadPath = join(folder, `payload-${number}`);
    await writeFile(payloadPath, bytes);
    const scratchDir = await mkdtemp(join(folder, 'scratch-'));
    const document = {
      docId: `doc-${number}`,
      filename: name,
      fileBytes: bytes.length,
      sha256: '',
      declaredMediaType: null,
      ...undescribed,
    };
    const job = { ...document, taskId: newId(), ordinal: 0, insertedAt: new Date().toISOString(), payloadPath, scratchDir };
    return pool.run(job, { signal: new AbortController().signal, onProgress: () => {} });
  });
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(usedBefore);
  await pool.close();
  await rm(folder, { recursive: true });
  const read = outcomes.filter((outcome) => outcome.ok);
  return {
    wallMs,
    cpuMs: (user + system) / 1000,
    pages: read.reduce((sum, { document }) => sum + (document.pages ?? 1), 0),
    stageMs: {},
  };
}

async function inParallel<T, R>(items: readonly T[], width: number, work: (item: T, position: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let position = next++; position < items.length; position = next++)
        results[position] = await work(items[position]!, position);
    }),
  );
  return results;
}

/** Of all the time that the threads had. */
function share({ stageMs, wallMs }: Run, of: readonly string[]): number {
  return round(of.reduce((sum, stage) => sum + (stageMs[stage] ?? 0), 0) / (wallMs * threads));
}

function toRow(who: string, files: readonly Sample[], run: Run, limit: Run): Row {
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const seconds = run.wallMs / 1000;
  return {
    who,
    'documents/s': round(files.length / seconds),
    'pages/s': round(run.pages / seconds),
    'MB/s': round(bytes / 1e6 / seconds),
    'cores busy': round(run.cpuMs / run.wallMs),
    '÷ limit': round(limit.wallMs / run.wallMs),
  };
}
