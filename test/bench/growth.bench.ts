/**
 * What grows with all that is there, on PostgreSQL: `npm run bench -- growth [--documents N] [--waiting N] [--postings MB]`, 200,000 documents of
 * 5 chunks, 100,000 waiting tasks and 400 MB of Chinese postings by default (half an hour). Each figure beside its own at a tenth of all this, in
 * one run and in turns. What merging costs is said of the merges that 64 uploads cause, and of Chinese segments of that size in all.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../src/config.ts';
import type { Engine } from '../../src/storage/engine.ts';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { type Database, openDatabase } from '../../src/storage/postgres/database.ts';
import { createPostgresIndex } from '../../src/storage/postgres/index/postgres-index.ts';
import { insertSegment, mergeSome } from '../../src/storage/postgres/index/segment-store.ts';
import { chunkTerms } from '../../src/search/analysis/chunk-terms.ts';
import { SegmentBuilder } from '../../src/search/index/segments.ts';
import { openFrontEndStorage, openWorkerEngine } from '../../src/open-storage.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { beginNext, completedOutcome, newId, silentLogger, upload } from '../support/engine-steps.ts';
import { ask, startPostgres, type PostgresServer } from '../support/postgres.ts';
import { stageDocument } from '../support/staged-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { fillQueue } from '../support/waiting-tasks.ts';
import type { Bench, Row } from './bench.ts';
import { fillTables } from './fill-tables.ts';
import { createText, question } from './made-text.ts';
import { percentile, residentBytes, round } from './process-figures.ts';

const rounds = 30;
const expiredRows = 1000;
const mergedUploads = 64;

type Size = { readonly documents: number; readonly waiting: number };
type Side = { readonly front: Engine; readonly worker: Engine; readonly url: string; readonly waiting: readonly TaskId[] };

export const bench: Bench = {
  title: 'PostgreSQL with much in it, beside a tenth of that',
  argsAmongAll: ['--documents', '10000', '--waiting', '5000', '--postings', '20'],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        documents: { type: 'string', default: '200000' },
        waiting: { type: 'string', default: '100000' },
        postings: { type: 'string', default: '400' },
      },
    });
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir(tmpdir()));
    const server = stack.use(await startPostgres());
    const whole = { documents: Number(values.documents), waiting: Number(values.waiting) };
    const tenth = { documents: whole.documents / 10, waiting: whole.waiting / 10 };
    const sides: Side[] = [];
    for (const size of [tenth, whole]) sides.push(await open(stack, server, size, join(path, `${size.documents}`)));
    return [...(await compare(sides, path)), await mergeChinese(await server.newDatabase(), Number(values.postings))];
  },
};

function say(progress: string): void {
  console.error(`  ${progress}`);
}

async function open(stack: AsyncDisposableStack, server: PostgresServer, size: Size, folder: string): Promise<Side> {
  const url = await server.newDatabase();
  const config = loadConfig({ DATA_DIR: folder, DATABASE_URL: url, QUEUE_MAX: '1000000' });
  await mkdir(config.dataDir, { recursive: true });
  const options = { config, now: () => new Date().toISOString(), newId, logger: silentLogger };
  const front = await (await openFrontEndStorage(options)).openEngine();
  stack.defer(() => front.close());
  await fillTables(url, size.documents, say);
  say(`${size.waiting} waiting tasks`);
  const waiting = await fillQueue(url, front, size.waiting);
  await ask(url, 'VACUUM ANALYZE');
  const worker = await openWorkerEngine(options);
  stack.defer(() => worker.close());
  return { front, worker, url, waiting };
}

/** Each figure of both sides, by turns. */
async function compare(sides: readonly Side[], folder: string): Promise<Row[]> {
  const text = createText(99);
  const questions = Array.from({ length: rounds }, (_, i) => question(text, i));
  const steps: readonly [string, number, (side: Side, round: number) => Promise<unknown>][] = [
    ['newest 50 tasks', rounds, ({ front }) => front.tasks.list({ limit: 50 })],
    ['first 50 documents', rounds, ({ front }) => front.index.list({ limit: 50 })],
    ['view of the last waiting task', rounds, ({ front, waiting }) => front.tasks.get(waiting.at(-1)!)],
    [
      'figures of the system',
      rounds,
      ({ front }) => Promise.all([front.tasks.counts(), front.tasks.oldestPending(), front.index.stats()]),
    ],
    ['upload, claimed and finished', rounds, runOne],
    ['search', rounds, ({ front }, round) => find(front, questions[round]!)],
    [`merges after ${mergedUploads} uploads`, 3, (side, round) => uploadAndMerge(side, join(folder, 'staged'), round)],
    ['purge', 5, purge],
  ];
  const rows: Row[] = [];
  for (const [figure, times, step] of steps) {
    say(figure);
    const spent = sides.map((): number[] => []);
    for (let round = -1; round < times; round += 1)
      for (const [at, side] of sides.entries()) {
        const before = performance.now();
        await step(side, Math.max(0, round));
        if (round >= 0) spent[at]!.push(performance.now() - before);
      }
    const [tenth, whole] = spent.map((each) => percentile(each, 0.5));
    rows.push({ figure, 'a tenth, ms': round(tenth!), 'all, ms': round(whole!), ratio: round(whole! / tenth!), limit: 3 });
  }
  return rows;
}

async function runOne({ front, worker }: Side): Promise<void> {
  await upload(front, 'x');
  const { lease, task } = await beginNext(worker);
  await worker.transaction(async () => {
    await worker.tasks.finish(task.id, task.attempts, completedOutcome(task));
    await lease.ack();
  });
}

function find(front: Engine, query: string): Promise<unknown> {
  return front.index.search({ query, mode: 'hybrid', topK: 10, offset: 0, filter: {} });
}

async function uploadAndMerge({ url }: Side, folder: string, round: number): Promise<void> {
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  const index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger });
  for (let n = 0; n < mergedUploads; n += 1) {
    await mkdir(folder);
    const staged = await stageDocument(folder, { docId: `m${round}x${n}`, version: newId(), texts: [`merged ${round} ${n}`] });
    await index.replace(staged, folder);
    await rm(folder, { recursive: true });
  }
  while (await mergeSome(database, new Set()));
  await index.close();
  await database.close();
}

async function purge({ url, front }: Side): Promise<void> {
  const sql = `INSERT INTO rag_intake.committed(version, ordinal, outdated) SELECT gen_random_uuid(), 0, true FROM generate_series(1, ${expiredRows})`;
  await ask(url, sql);
  await front.index.purge(1);
}

/** Chinese segments of so many megabytes in all, merged while the event loop is watched. */
async function mergeChinese(url: string, megabytes: number): Promise<Row> {
  const database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 0, logger: silentLogger });
  let bytes = 0;
  for (let document = 1; document <= 8; document += 1) {
    say(`Chinese segment ${document} of 8`);
    bytes += await insertChinese(database, document, (megabytes * 1e6) / 8);
  }
  const before = residentBytes(process.pid);
  let peak = before;
  let heldMs = 0;
  let seenAt = performance.now();
  const timer = setInterval(() => {
    heldMs = Math.max(heldMs, performance.now() - seenAt - 5);
    seenAt = performance.now();
    peak = Math.max(peak, residentBytes(process.pid));
  }, 5);
  const startedAt = performance.now();
  seenAt = startedAt;
  const merged = await mergeSome(database, new Set());
  clearInterval(timer);
  const [left] = await database.query('SELECT count(*) AS n FROM segment');
  await database.close();
  return {
    figure: `merge of ${Math.round(bytes / 1e6)} MB of Chinese postings: ${merged && left!['n'] === 1 ? 'done' : 'NOT DONE'}`,
    'all, ms': round(performance.now() - startedAt),
    'memory, MB': Math.round((peak - before) / 1e6),
    'loop held, ms': round(heldMs),
  };
}

async function insertChinese(database: Database, document: number, bytesMin: number): Promise<number> {
  const builder = new SegmentBuilder();
  let bytes = 0;
  for (let chunk = 0; chunk < 62_000 && bytes < bytesMin; chunk += 1) {
    const terms = chunkTerms({ text: chinese(document * 100_000 + chunk), context: '', section: [] }, null);
    builder.add(terms);
    // A posting takes some two bytes, a term that few chunks have its text as well.
    bytes += terms.terms.size * 2.5;
  }
  let written = 0;
  const { blocks, ...head } = builder.build(document, document * 2 ** 20);
  const counted = Iterator.from(blocks).map((block) => {
    written += block.data.length;
    return block;
  });
  await database.transaction(() => insertSegment(database, 'default', { ...head, blocks: counted }));
  return written;
}

/** 800 characters of the 3,000 commonest, as common as characters are. */
function chinese(seed: number): string {
  let state = (Math.imul(seed, 2_654_435_761) + 12_345) >>> 0;
  let made = '';
  for (let n = 0; n < 800; n += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    made += String.fromCharCode(0x4e00 + Math.floor(Math.exp((state / 2 ** 32) * Math.log(3000))));
  }
  return made;
}
