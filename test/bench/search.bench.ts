/**
 * Indexing speed and search latency. `npm run bench -- search [CHUNKS] [FOLDER]` (100,000 by default; with FOLDER the index is
 * kept there and found again). Searches go through the threads of a server's front end: by one caller and by eight, on an idle
 * index and while another process takes documents in. Beside them, as the limit, a plain scan of all texts for the words of the
 * query; and MiniSearch, up to 200,000 chunks, since it keeps them all in memory (npm ci --prefix test/bench/peers).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { createLogger } from '../../src/logger.ts';
import type { DocumentIndex, SearchMode } from '../../src/search/document-index.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { openThreadedIndex } from '../../src/search/sqlite/threaded-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { stageDocument } from '../support/staged-document.ts';
import type { Bench, Row } from './bench.ts';
import { barsOf } from './record.ts';
import { createText, documentTexts, type MadeText, question } from './made-text.ts';
import { percentile, residentBytes, round } from './process-figures.ts';

const documentChunks = 20;
const questionsCount = 400;
const scansCount = 5;
const peerChunksMax = 200_000;
const logger = createLogger({ level: 'silent' });

export const bench: Bench = {
  title: 'documents of 20 chunks in, then questions of 2 to 8 words, as common as words are',
  argsAmongAll: ['50000'],
  async run([count = '100000', kept]) {
    const folder = kept ?? (await mkdtemp(join(tmpdir(), 'search-bench-')));
    await mkdir(folder, { recursive: true });
    const rows: Row[] = [];
    try {
      if (!existsSync(join(folder, 'index.sqlite'))) rows.push(...(await fill(folder, Number(count))));
      rows.push(...(await askAll(folder)), scan(folder));
      if (Number(count) <= peerChunksMax) rows.push(await askPeer(Number(count)));
    } finally {
      if (kept === undefined) await rm(folder, { recursive: true, force: true });
    }
    return rows;
  },
  chart: (rows) =>
    barsOf(rows, (row) => String(row['what']).replace(', ', '\n'), ['p50 ms', 'p99 ms'], {
      title: 'Answers of a search',
      unit: 'ms',
      logarithmic: true,
    }),
};

async function fill(folder: string, chunks: number): Promise<Row[]> {
  const index = openSqliteIndex({ indexDir: folder, embedder: createBuiltinEmbedder() });
  const text = createText(7);
  const documents = Math.ceil(chunks / documentChunks);
  const quarters = [0, 1, 2, 3].map(() => ({ chunks: 0, ms: 0, cpuMs: 0 }));
  for (let i = 0; i < documents; i++) {
    const quarter = quarters[Math.floor((4 * i) / documents)]!;
    const { ms, cpuMs } = await add(index, folder, i, text);
    quarter.ms += ms;
    quarter.cpuMs += cpuMs;
    quarter.chunks += documentChunks;
  }
  const { bytes } = await index.stats();
  await index.close();
  const rate = (quarter: (typeof quarters)[number], ms: number) => Math.round((quarter.chunks / ms) * 1000);
  return [
    ...quarters.map((quarter, i) => ({
      what: `indexing, quarter ${i + 1}`,
      'chunks/s': rate(quarter, quarter.ms),
      'chunks/CPU s': rate(quarter, quarter.cpuMs),
    })),
    { what: 'index on disk', 'bytes a chunk': Math.round(bytes / chunks) },
  ];
}

/** One document more; the making of its text does not count. */
async function add(index: SqliteIndex, folder: string, i: number, text: MadeText): Promise<{ ms: number; cpuMs: number }> {
  const staged = join(folder, 'staged');
  await mkdir(staged);
  const document = await stageDocument(staged, {
    docId: `d${i}`,
    version: `0190a0b0-0000-7000-8000-${String(i).padStart(12, '0')}` as TaskId,
    title: text.words(5),
    texts: documentTexts(text, documentChunks),
  });
  const started = performance.now();
  const cpu = process.cpuUsage();
  await index.replace(document, staged);
  while (index.tidy());
  const used = process.cpuUsage(cpu);
  const ms = performance.now() - started;
  await rm(staged, { recursive: true });
  return { ms, cpuMs: (used.user + used.system) / 1000 };
}

async function askAll(folder: string): Promise<Row[]> {
  const index = await openThreadedIndex({ indexDir: folder, embedder: { kind: 'builtin' }, threads: 2, logger });
  const rows: Row[] = [];
  try {
    // Both threads read the index once before anything is measured, as a server does with its first questions.
    for (let i = 0; i < 20; i++) await ask(index, 'hybrid', 4, 8);
    for (const callers of [1, 8]) {
      for (const mode of ['keyword', 'hybrid', 'vector'] as const)
        rows.push({ what: `${mode}, ${plural(callers)}, idle`, ...(await ask(index, mode, questionsCount, callers)) });
    }
    rows.push(...(await askWhileTakingIn(index, folder)));
  } finally {
    await index.close();
  }
  return rows;
}

async function askWhileTakingIn(index: DocumentIndex, folder: string): Promise<Row[]> {
  const writer = fork(join(import.meta.dirname, 'search-writer.ts'), [folder]);
  let taken = 0;
  writer.on('message', (chunks: number) => (taken += chunks));
  await once(writer, 'message');
  const rows: Row[] = [];
  for (const callers of [1, 8]) {
    const [before, started] = [taken, performance.now()];
    const figures = await ask(index, 'hybrid', questionsCount, callers);
    const rate = Math.round(((taken - before) / (performance.now() - started)) * 1000);
    rows.push({ what: `hybrid, ${plural(callers)}, while taking in`, 'chunks/s': rate, ...figures });
  }
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  return rows;
}

async function ask(index: DocumentIndex, mode: SearchMode, count: number, callers: number): Promise<Omit<Row, 'what'>> {
  const text = createText(11);
  const questions = Array.from({ length: count }, (_, i) => question(text, i));
  const times: number[] = [];
  const started = performance.now();
  const cpu = process.cpuUsage();
  const call = async (): Promise<void> => {
    for (let query = questions.pop(); query !== undefined; query = questions.pop()) {
      const asked = performance.now();
      await index.search({ query, mode, topK: 10, offset: 0, filter: {} });
      times.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  const used = process.cpuUsage(cpu);
  return {
    ...percentiles(times),
    'questions/s': Math.round((count / (performance.now() - started)) * 1000),
    'CPU ms': round((used.user + used.system) / 1000 / count),
    'RSS MB': Math.round(residentBytes(process.pid) / 1e6),
  };
}

/** What any search without an index would cost at least. */
function scan(folder: string): Row {
  const db = new DatabaseSync(join(folder, 'index.sqlite'), { readOnly: true });
  const text = createText(11);
  const times: number[] = [];
  for (let i = 0; i < scansCount; i++) {
    const words = question(text, i).split(' ');
    const started = performance.now();
    let found = 0;
    for (const row of db.prepare('SELECT text FROM chunk').iterate()) {
      if (words.some((word) => (row['text'] as string).includes(word))) found++;
    }
    if (found < 0) throw new Error('unreachable');
    times.push(performance.now() - started);
  }
  db.close();
  return { what: 'plain scan of the texts', ...percentiles(times) };
}

async function askPeer(chunks: number): Promise<Row> {
  if (!existsSync(join(import.meta.dirname, 'peers', 'node_modules', 'minisearch')))
    return { what: 'MiniSearch is missing: npm ci --prefix test/bench/peers' };
  const peer = fork(join(import.meta.dirname, 'search-peer.ts'), [String(chunks), String(questionsCount)], {
    execArgv: ['--max-old-space-size=12000'],
  });
  const [row] = (await once(peer, 'message')) as [Row];
  peer.kill();
  return row;
}

function percentiles(times: readonly number[]): { 'p50 ms': number; 'p99 ms': number } {
  return { 'p50 ms': round(percentile(times, 0.5)), 'p99 ms': round(percentile(times, 0.99)) };
}

function plural(callers: number): string {
  return callers === 1 ? '1 caller' : `${callers} callers`;
}
