/**
 * Searches with and without a filter that leaves 1 % of the documents, on both kinds of index: `npm run bench -- filters [CHUNKS]`. The two take
 * turns, each question once with and once without; the processor's time is this process's and, of PostgreSQL, without the database's.
 */
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { DocumentIndex, SearchMode } from '../../src/search/document-index.ts';
import type { Filter } from '../../src/search/filters.ts';
import type { Segment } from '../../src/search/index/segments.ts';
import { bestRows } from '../../src/search/ranking/best-rows.ts';
import { postingsOf, scoreInSteps } from '../../src/search/ranking/scorer.ts';
import { openSqliteIndex, type SqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import { openDatabase } from '../../src/storage/postgres/database.ts';
import { createPostgresIndex } from '../../src/storage/postgres/index/postgres-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { makeSegment, randomFrom } from '../support/memory-segment.ts';
import { ask, startPostgres } from '../support/postgres.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Bench, Row } from './bench.ts';
import { documentChunks as tableDocumentChunks, fillTables } from './fill-tables.ts';
import { createText, documentTexts, question } from './made-text.ts';
import { percentile, round } from './process-figures.ts';

const documentChunks = 50;
const questions = 100;
/** They read what is kept afterwards: an index that is asked all day has read the common words. */
const warmQuestions = 200;
const scoredChunksMax = 1_000_000;
const onePercent: Filter = { type: 'lt', key: 'percent', value: 1 };

export const bench: Bench = {
  title: `median of ${questions} searches in ms, and CPU ms of each, without a filter and with one that leaves 1 %`,
  argsAmongAll: ['10000'],
  async run([chunks = '100000']) {
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir(tmpdir()));
    const server = stack.use(await startPostgres());
    const url = await server.newDatabase();
    const embedder = createBuiltinEmbedder();
    await mkdir(join(path, 'index'));
    const file = openSqliteIndex({ indexDir: join(path, 'index'), embedder });
    stack.defer(() => file.close());
    const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
    stack.defer(() => database.close());
    await fillTables(url, Math.ceil(Number(chunks) / tableDocumentChunks), say, { metadataOf: percentOf });
    await ask(url, 'VACUUM ANALYZE');
    const table = createPostgresIndex({ database, embedder, merges: true, logger: silentLogger });
    stack.defer(() => table.close());
    await fill(file, join(path, 'staged'), Math.ceil(Number(chunks) / documentChunks));
    const rows: Row[] = [];
    for (const [name, index] of [['files', file] as const, ['PostgreSQL', table] as const])
      for (const mode of ['keyword', 'hybrid'] as const) rows.push({ what: `${name}, ${mode}`, ...(await compare(index, mode)) });
    return [...rows, ...scoring(Math.min(scoredChunksMax, 10 * Number(chunks)))];
  },
};

function say(progress: string): void {
  console.error(`  ${progress}`);
}

/** One document in a hundred has `percent` 0. */
function percentOf(number: number): { percent: number } {
  return { percent: number % 100 };
}

async function fill(index: SqliteIndex, staged: string, documents: number): Promise<void> {
  const text = createText(7);
  for (let number = 0; number < documents; number += 1) {
    await mkdir(staged);
    const document = await stageDocument(staged, {
      docId: `d${number}`,
      version: `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId,
      texts: documentTexts(text, documentChunks),
      metadata: percentOf(number),
    });
    await index.replace(document, staged);
    await rm(staged, { recursive: true });
    while (index.tidy());
    if (number % 1000 === 0) say(`${number} of ${documents} documents in files`);
  }
}

async function compare(index: DocumentIndex, mode: SearchMode): Promise<Row> {
  const text = createText(11);
  const laps = { without: { ms: [] as number[], cpuMs: [] as number[] }, with: { ms: [] as number[], cpuMs: [] as number[] } };
  for (let number = 0; number < questions + warmQuestions; number += 1) {
    const query = question(text, number);
    for (const which of ['without', 'with'] as const) {
      const [at, cpu] = [performance.now(), process.cpuUsage()];
      const filter = which === 'with' ? { filters: onePercent } : {};
      await index.search({ query, mode, topK: 10, offset: 0, filter });
      const { user, system } = process.cpuUsage(cpu);
      if (number < warmQuestions) continue;
      laps[which].ms.push(performance.now() - at);
      laps[which].cpuMs.push((user + system) / 1000);
    }
  }
  const median = (which: 'without' | 'with', what: 'ms' | 'cpuMs'): number => percentile(laps[which][what], 0.5);
  return {
    'ms without': round(median('without', 'ms')),
    'ms with': round(median('with', 'ms')),
    'CPU ms without': round(median('without', 'cpuMs')),
    'CPU ms with': round(median('with', 'cpuMs')),
    'CPU ratio': round(median('with', 'cpuMs') / median('without', 'cpuMs')),
  };
}

/** Of each common word, in which share of the chunks it is. */
const commonShares = [0.6, 0.4, 0.3, 0.2];
const scorings = 15;

/** What grows with the index, alone: four common words scored in so many chunks, by lists as they are stored, by lists that are kept unpacked, and through the filter. */
function scoring(chunks: number): Row[] {
  const random = randomFrom(3);
  const rowTerms = (): [string, number][] =>
    commonShares.flatMap((share, term): [string, number][] =>
      random() < share ? [[`t${term}`, 1 + Math.floor(random() * 4)]] : [],
    );
  const documents = Math.ceil(chunks / documentChunks);
  const made = makeSegment(documents, documentChunks, rowTerms, random);
  const may = new Uint8Array(documents * documentChunks);
  for (let row = 0; row < may.length; row += 100 * documentChunks) may.fill(1, row, row + documentChunks);
  const [stored, kept] = [made.open(0), made.open(2 ** 28)];
  const cpu = { stored: [] as number[], kept: [] as number[], filtered: [] as number[] };
  for (let time = 0; time < scorings + 3; time += 1) {
    const laps = { stored: scoreCpuMs(stored, null), kept: scoreCpuMs(kept, null), filtered: scoreCpuMs(kept, may) };
    if (time >= 3) for (const which of ['stored', 'kept', 'filtered'] as const) cpu[which].push(laps[which]);
  }
  const [asStored, asKept, filtered] = [cpu.stored, cpu.kept, cpu.filtered].map((each) => percentile(each, 0.5)) as [
    number,
    number,
    number,
  ];
  return [
    {
      what: `scoring alone, four common words in ${chunks} chunks`,
      'CPU ms, lists as stored': round(asStored),
      'CPU ms, lists unpacked': round(asKept),
      'unpacked ÷ stored': round(asKept / asStored),
      'CPU ms with': round(filtered),
      'CPU ratio': round(filtered / asKept),
      'filtered ÷ stored': round(filtered / asStored),
    },
  ];
}

function scoreCpuMs(segment: Segment, may: Uint8Array | null): number {
  const before = process.cpuUsage();
  const terms = commonShares.map((_, term) => ({ postings: postingsOf(`t${term}`, [segment]), weight: 1 }));
  const steps = scoreInSteps(terms, [segment], { chunks: segment.chunks, averageLength: 25 }, () => may);
  let step = steps.next();
  while (!step.done) step = steps.next();
  bestRows({ scores: step.value, siblingShare: 0.1 }, [segment], () => may, 256);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
