import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { runCommand, startCommand } from '../support/command.ts';
import { type Databases } from '../support/postgres.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import {
  ended,
  insert,
  makeDataDir,
  removeDir,
  search,
  type ServerOptions,
  startProcess,
  startServer,
  type TestServer,
  type WireTask,
} from '../support/server.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 240_000 });

const running: TestServer[] = [];
let database: Databases;
let root: string;
let dataDir: string;
let env: Record<string, string>;

beforeAll(async () => {
  database = await sharedPostgres();
});

afterAll(() => database[Symbol.asyncDispose]());

beforeEach(async () => {
  root = await makeDataDir();
  dataDir = join(root, 'data');
  env = { DATA_DIR: join(root, 'work'), DISK_RESERVE_BYTES: '0' };
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.kill()));
  await removeDir(root);
});

it('brings documents, answers and tasks into a database and back, killed on the way; what waited is done there', async () => {
  const first = await serve({ dataDir });
  for (let number = 1; number <= 12; number += 1) await insertText(first, `doc ${number}`, `pumps 水泵 and valve number ${number}`);
  await insertText(first, 'doc 3', 'pumps, replaced by compressors');
  const failed = await insertLater(first, 'broken.pdf', '%PDF-1.7 and no more');
  expect(await ended(first.url, failed)).toMatchObject({ status: 'failed' });
  const before = await answers(first);
  await stop(first);
  const frontEnd = await startProcess({ dataDir, args: ['--role', 'api'] });
  running.push(frontEnd);
  const waiting = [await insertLater(frontEnd, 'late 1'), await insertLater(frontEnd, 'late 2')];
  await stop(frontEnd);

  const url = await database.newDatabase();
  const killed = startCommand(['move', '--from', dataDir, '--to', url], env);
  await until('it has begun', () => killed.stderr().includes('documents'));
  killed.process.kill('SIGKILL');
  await killed.result;
  const moved = await runCommand(['--json', 'move', '--from', dataDir, '--to', url], env);
  expect(moved).toMatchObject({ code: 0, stderr: '' });
  expect(countsIn(moved.stdout)).toMatchObject({ documents: '12', 'tasks pending': '2' });
  const back = await runCommand(['move', '--from', url, '--to', join(root, 'back')], env);
  expect(back.code, back.stderr).toBe(0);
  expect(back).toMatchObject({ stdout: expect.stringMatching(/documents +12 +12 +same/) as string });

  for (const place of [{ dataDir: join(root, 'work'), engineEnv: { DATABASE_URL: url } }, { dataDir: join(root, 'back') }]) {
    const server = await serve(place);
    for (const id of waiting) expect(await ended(server.url, id)).toMatchObject({ status: 'completed', attempts: 1 });
    for (const docId of ['late 1', 'late 2'])
      await fetch(`${server.url}/documents/${encodeURIComponent(docId)}`, { method: 'DELETE' });
    expect(await answers(server)).toEqual(before);
    expect(await ended(server.url, failed)).toMatchObject({ status: 'failed' });
    await stop(server);
  }
});

it('does not begin while a server runs, into a place that holds something else, or from nothing', async () => {
  const server = await serve({ dataDir });
  await insertText(server, 'doc', 'pumps');
  const other = join(root, 'other');
  const whileRunning = await runCommand(['--patience', '0', 'move', '--from', dataDir, '--to', other], env);
  await stop(server);
  await mkdir(join(root, 'empty'));
  const fromNothing = await runCommand(['move', '--from', join(root, 'empty'), '--to', other], env);
  const ontoItself = await runCommand(['move', '--from', dataDir, '--to', `${dataDir}/`], env);
  const elsewhere = await runCommand(['move', '--from', dataDir, '--to', 'mysql://127.0.0.1/x'], env);
  const noTables = await runCommand(
    ['move', '--from', dataDir, '--to', (await database.newDatabase()).replace(/[^/]*$/, 'postgres')],
    env,
  );
  const second = await serve({ dataDir: other });
  await insertText(second, 'doc', 'compressors');
  await stop(second);
  const ontoOther = await runCommand(['move', '--from', dataDir, '--to', other], env);

  expect(whileRunning).toMatchObject({ code: 1, stderr: expect.stringContaining('is running on the source') as string });
  expect(fromNothing.stderr).toContain('is not a data directory');
  expect(ontoItself).toMatchObject({ code: 2, stderr: expect.stringContaining('the same place') as string });
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('A place is a data directory') as string });
  expect(noTables).toMatchObject({ code: 69, stderr: expect.stringContaining('Run "rag-intake migrate"') as string });
  expect(ontoOther).toMatchObject({ code: 1, stderr: expect.stringContaining('that the source does not have') as string });
});

it('does not bring vectors that belong to another text embedder than its document says', async () => {
  const server = await serve({ dataDir });
  await insertText(server, 'doc', 'pumps');
  await stop(server);
  // As reindex leaves it.
  const index = new DatabaseSync(join(dataDir, 'index', 'index.sqlite'));
  index.exec("UPDATE document SET embedder = 'newer'");
  index.close();

  expect(await runCommand(['move', '--from', dataDir, '--to', join(root, 'other')], env)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('"doc" got its vectors by reindex') as string,
  });
});

async function serve(options: ServerOptions): Promise<TestServer> {
  const server = await startServer(options);
  running.push(server);
  return server;
}

async function stop(server: TestServer): Promise<void> {
  await server.stop();
  running.splice(running.indexOf(server), 1);
}

async function insertText(server: TestServer, docId: string, text: string): Promise<void> {
  await ended(server.url, await insertLater(server, docId, text));
}

async function insertLater({ url }: TestServer, docId: string, bytes = `${docId} pumps`): Promise<string> {
  const reply = await insert(url, docId, { name: docId, bytes }, { prefer: 'respond-async' });
  return ((await reply.json()) as WireTask).task_id;
}

/** Who answers what with what text; many answer equally well here, and which of those comes first depends on merges. */
async function answers({ url }: TestServer): Promise<unknown> {
  const found = [];
  for (const query of ['pumps', '水泵', 'valve number 7', 'compressors'])
    found.push((await search(url, query, { top_k: 20 })).map(({ citation, text }) => `${citation.doc_id}: ${text}`).sort());
  return found;
}

function countsIn(stdout: string): Record<string, string> {
  const { lines } = JSON.parse(stdout) as { lines: { what: string; target: string }[] };
  return Object.fromEntries(lines.map(({ what, target }) => [what, target]));
}
