/** The outbox when processes are killed, or stopped, at each of its steps: nothing is lost, nothing is there twice, nothing old is shown. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import type { DocumentIndex, SearchAnswer } from '../../src/search/document-index.ts';
import { type Database, openDatabase } from '../../src/storage/postgres/database.ts';
import { createFulltextSearcher, fulltextTables } from '../../src/storage/postgres/fulltext-searcher.ts';
import { createPostgresIndex } from '../../src/storage/postgres/index/postgres-index.ts';
import { createOutbox } from '../../src/storage/postgres/outbox/outbox.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { ask, type Databases } from '../support/postgres.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { until } from '../support/until.ts';
import { type OutboxOrder, outboxSteps, type OutboxStep } from './outbox-child.ts';

const child = fileURLToPath(new URL('outbox-child.ts', import.meta.url));
const isOfFilling = (step: OutboxStep): boolean => step.includes('cleared');

let server: Databases;
let url: string;
let folder: string;
let database: Database;
/** As a front end has it, which tells the searcher nothing unless it waits in vain. */
let index: DocumentIndex;
let children: ChildProcess[];
/** The newest version that was acknowledged, by document; and documents whose removal was. */
let acknowledged: Map<string, string>;
let removed: Set<string>;
let reports: { child: ChildProcess; line: string }[];
let wrong: unknown[];
let names = 0;

beforeAll(async () => void (server = await sharedPostgres()));
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  url = await server.newDatabase();
  await ask(url, `INSERT INTO rag_intake.searcher(name) VALUES ('postgres-fulltext')`);
  folder = await mkdtemp(join(tmpdir(), 'outbox-kills-'));
  database = await openDatabase({ url, connectionsMax: 4, idleInTransactionMs: 1500, logger: silentLogger });
  const follows = { searcher: createFulltextSearcher(database), tables: fulltextTables, waitMs: 60_000 };
  index = createPostgresIndex({ database, embedder: createBuiltinEmbedder(), merges: false, logger: silentLogger, follows });
  children = [];
  acknowledged = new Map();
  removed = new Set();
  reports = [];
  wrong = [];
});

afterEach(async () => {
  await endAll();
  await index.close();
  await database.close();
  server.release(url);
  await rm(folder, { recursive: true, force: true });
});

function start(role: OutboxOrder['role'], at: OutboxOrder['at'] = null): ChildProcess {
  const order: OutboxOrder = { url, folder, name: `w${names++ % 4}`, role, at };
  const started = spawn(process.execPath, [child, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(started);
  createInterface({ input: started.stdout }).on('line', (line) => {
    const [what, docId, version] = line.split(' ') as [string, string, string];
    if (what === 'there' && version > (acknowledged.get(docId) ?? '')) acknowledged.set(docId, version);
    if (what === 'gone') removed.add(docId);
    reports.push({ child: started, line });
  });
  return started;
}

async function endAll(): Promise<void> {
  for (const each of children) each.kill('SIGKILL');
  await until('the processes are gone', () => children.every(isGone));
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

const find = (query: string, docId?: string): Promise<SearchAnswer> =>
  index.search({ query, mode: 'keyword', topK: 100, offset: 0, filter: docId === undefined ? {} : { docIds: [docId] } });

/** Whatever is found at this moment: whole documents, each in one version, none older than what was acknowledged before, none that was removed. */
async function checkReader(): Promise<void> {
  // Who waits for something looks again after a failure: what was wrong for a moment is kept for the end.
  await checkMoment().catch((error: unknown) => void wrong.push(error));
}

async function checkMoment(): Promise<void> {
  const [before, gone] = [new Map(acknowledged), new Set(removed)];
  const { hits, notice, total } = await find('heron');
  expect(total, 'all is on one page').toBeLessThanOrEqual(100);
  for (const { docId } of hits) expect(gone.has(docId), `${docId} was removed`).toBe(false);
  if (notice !== null) {
    expect(notice).toMatch(/is being filled|is behind/);
    return;
  }
  for (const [docId, version] of before) {
    const mine = hits.filter((hit) => hit.docId === docId);
    if (docId.includes('passing') && mine.length === 0) continue;
    expect(new Set(mine.map((hit) => hit.version)).size, docId).toBe(1);
    expect(mine[0]!.version >= version, `${docId} is as it was acknowledged`).toBe(true);
    const chunks = Number(/of (\d+) chunks/.exec(mine[0]!.text)![1]);
    expect(mine.map(({ chunkIndex }) => chunkIndex).toSorted((a, b) => a - b)).toEqual(Array.from({ length: chunks }, (_, i) => i));
  }
}

/** Once nobody works any more: every document is found by its words, in English and in Chinese, and the searcher has nothing else. */
async function checkAll(): Promise<void> {
  await endAll();
  const left = start('teller');
  await until('everything was told', async () => (await index.stats()).backlog!.waiting === 0);
  left.kill('SIGKILL');
  await checkReader();
  expect(wrong).toEqual([]);
  for (const docId of acknowledged.keys()) {
    const document = await index.info(docId);
    if (document === null) continue;
    for (const query of ['heron', '苍鹭']) {
      const { hits, total } = await find(query, docId);
      expect([hits.length, total, new Set(hits.map(({ version }) => version))]).toEqual([
        document.chunks,
        document.chunks,
        new Set([document.version]),
      ]);
    }
  }
  const [row] = await ask(
    url,
    `SELECT (SELECT count(*) FROM rag_intake.fulltext_chunk)::int AS had, (SELECT sum(chunks) FROM rag_intake.document)::int AS there`,
  );
  expect(row!['had']).toBe(row!['there']);
  expect(await index.checkSearcher!(false)).toMatchObject({ missing: 0, extra: 0, backlog: { waiting: 0, refused: 0 } });
}

it('loses nothing, shows nothing twice and nothing old when a process dies at each step, also while all is told anew', async () => {
  start('writer');
  await until('something is there', () => acknowledged.size > 0);
  for (const step of outboxSteps) {
    for (const visit of isOfFilling(step) ? [1] : [1, 4]) {
      const victim = start('writer', { step, visit, signal: 'SIGKILL' });
      // While some are told anew, others die before they are: a filling is what it is however often it was begun.
      if (isOfFilling(step) || visit === 4) await until('it has begun', () => reports.some((report) => report.child === victim));
      await until(`it died ${step}`, async () => {
        if (isOfFilling(step) && (await createOutbox(database).filling()).left === 0) await createOutbox(database).noteAll();
        await checkReader();
        return isGone(victim);
      });
      expect(reports.filter((report) => report.child === victim).map(({ line }) => line)).toContain(`at ${step}`);
    }
  }
  await createOutbox(database).noteAll();
  await checkAll();
});

it('is told on by others where a front end dies that had begun to', async () => {
  const writer = start('writer', { step: 'after the commit, before the nudge', visit: 3, signal: 'SIGKILL' });
  await until('the only worker died with something in the outbox', () => isGone(writer));
  const asker = start('asker', { step: 'after the searcher was told, before the row is removed', visit: 1, signal: 'SIGKILL' });
  await until('the front end that asked has told it, and died', () => isGone(asker));
  await checkReader();
  await checkAll();
});

it('takes nothing from a process that was frozen while it told, once another has told on', async () => {
  const frozen = start('writer', { step: 'before the searcher is told', visit: 3, signal: 'SIGSTOP' });
  await until('it stands still', () => reports.some(({ line }) => line === 'at before the searcher is told'));
  start('writer');
  const count = acknowledged.size;
  await until('another tells on', async () => {
    await checkReader();
    return acknowledged.size > count + 1;
  });
  frozen.kill('SIGCONT');
  await until('it was refused', () => reports.some((report) => report.child === frozen && report.line === 'refused'));
  await checkAll();
});
