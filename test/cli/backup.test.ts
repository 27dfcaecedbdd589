import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runCommand, startCommand } from '../support/command.ts';
import {
  ended,
  getTask,
  insert,
  makeDataDir,
  removeDir,
  search,
  startProcess,
  startServer,
  type TestServer,
  type WireTask,
} from '../support/server.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 240_000 });

const running: TestServer[] = [];
let folders: string[];
let dataDir: string;
let backupDir: string;
let restoredDir: string;

beforeEach(async () => {
  folders = await Promise.all([makeDataDir(), makeDataDir(), makeDataDir()]);
  [dataDir, backupDir, restoredDir] = folders as [string, string, string];
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await Promise.all(folders.map(removeDir));
});

it('a backup taken under full load, restored: everything done before it is there, everything that waited is done, nothing is torn', async () => {
  const server = await serve(dataDir);
  const before = await insertAll(server, 'before', 12);
  await Promise.all(before.map((id) => ended(server.url, id)));
  // Meanwhile documents come, are replaced and go.
  let stop = false;
  const load = (async () => {
    for (let round = 0; !stop; round += 1) {
      await insert(server.url, `during-${round}`, { name: `during-${round}.txt`, bytes: `during ${round} zebra` });
      await insert(server.url, 'before-3', { name: 'before-3.txt', bytes: `before 3 replaced ${round} giraffe` });
      if (round % 3 === 2) await fetch(`${server.url}/documents/during-${round - 1}`, { method: 'DELETE' });
    }
  })();
  await until('the load runs', async () => (await search(server.url, 'giraffe')).length > 0);
  const backup = await runCommand(['--json', 'backup', backupDir, '--data-dir', dataDir]);
  stop = true;
  await load;
  expect(backup).toMatchObject({ code: 0, stderr: '' });

  const restore = await runCommand(['--json', 'restore', backupDir, '--data-dir', restoredDir]);
  expect(restore).toMatchObject({ code: 0, stderr: '' });
  const again = await serve(restoredDir);
  const pages = await fetch(`${again.url}/documents?limit=1000`);
  const { documents } = (await pages.json()) as { documents: { doc_id: string; links: { content: string } }[] };

  await until(
    'nothing waits',
    async () => ((await (await fetch(`${again.url}/tasks?status=pending`)).json()) as { tasks: WireTask[] }).tasks.length === 0,
  );
  for (let number = 1; number <= 12; number += 1) expect(documents.map(({ doc_id }) => doc_id)).toContain(`before-${number}`);
  expect(documents.length).toBeGreaterThanOrEqual((JSON.parse(backup.stdout) as { documents: number }).documents);
  for (const { doc_id, links } of documents) {
    const content = await (await fetch(`${again.url}${links.content}`)).text();
    const [hit] = await search(again.url, content.slice(0, 60), { doc_ids: [doc_id] });
    expect(hit?.text, doc_id).toBe(content.slice(hit?.citation.char_start, hit?.citation.char_end));
  }
  for (const id of before) expect(await getTask(again.url, id)).toMatchObject({ status: 'completed' });
});

it('tasks that wait when the backup is taken are done after the restore', async () => {
  const server = await serve(dataDir);
  await fetch(`${server.url}/ready`);
  const done = await insertAll(server, 'done', 2);
  await Promise.all(done.map((id) => ended(server.url, id)));
  await server.stop();
  running.length = 0;
  // A front end alone: what it takes in waits.
  const frontend = await startProcess({ dataDir, env: { MAX_CONCURRENT_TASKS: '1' }, rigged: true });
  running.push(frontend);
  await until('it is ready', async () => (await fetch(`${frontend.url}/ready`)).status === 200);
  await insert(frontend.url, 'slow', { name: 'wait-60000.txt', bytes: 'slow' }, { prefer: 'respond-async' });
  const waiting = await insertAll(frontend, 'waiting', 3);

  await runCommand(['backup', backupDir, '--data-dir', dataDir]);
  await frontend.kill();
  running.length = 0;
  await runCommand(['restore', backupDir, '--data-dir', restoredDir]);
  const again = await serve(restoredDir);

  for (const id of waiting) expect(await ended(again.url, id)).toMatchObject({ status: 'completed' });
  expect((await search(again.url, 'waiting 2')).length).toBeGreaterThan(0);
});

it('documents uploaded twice unchanged are still readable after a restore', async () => {
  const server = await serve(dataDir);
  for (let count = 0; count < 2; count += 1) await insert(server.url, 'twice', { name: 'twice.txt', bytes: 'the same bytes' });
  // A re-upload of the same bytes used to point the document at a version that had no files.
  expect(await (await fetch(`${server.url}/documents/twice/file`)).text()).toBe('the same bytes');

  await runCommand(['backup', backupDir, '--data-dir', dataDir]);
  await runCommand(['restore', backupDir, '--data-dir', restoredDir]);
  const again = await serve(restoredDir);

  expect((await fetch(`${again.url}/documents/twice/content`)).status).toBe(200);
});

it('refuses what is damaged, unfinished or in the way, and leaves the data directory alone', async () => {
  const server = await serve(dataDir);
  await ended(server.url, (await insertAll(server, 'one', 1))[0]!);
  await runCommand(['backup', backupDir, '--data-dir', dataDir]);
  const list = (await readFile(join(backupDir, 'files.ndjson'), 'utf8')).split('\n');
  const original = (JSON.parse(list.find((line) => line.includes('/original'))!) as { path: string }).path;

  const onto = await runCommand(['restore', backupDir, '--data-dir', dataDir]);
  const overIt = await runCommand(['backup', backupDir, '--data-dir', dataDir]);
  const nothing = await runCommand(['restore', restoredDir, '--data-dir', join(restoredDir, 'x')]);
  const noData = await runCommand(['backup', join(restoredDir, 'y'), '--data-dir', restoredDir]);
  await truncate(join(backupDir, 'data', original), 1);
  const damaged = await runCommand(['restore', backupDir, '--data-dir', join(restoredDir, 'z')]);
  await rm(join(backupDir, 'data', original));
  const missing = await runCommand(['restore', backupDir, '--data-dir', join(restoredDir, 'z')]);
  await writeFile(join(backupDir, 'files.ndjson'), list.join('\n').replace('original', '../original'));
  const forged = await runCommand(['restore', backupDir, '--data-dir', join(restoredDir, 'z')]);

  expect([onto, overIt, nothing, noData, damaged, missing, forged].map(({ code }) => code)).toEqual([1, 1, 1, 78, 1, 1, 1]);
  expect(onto.stderr).toContain('is not empty');
  expect(overIt.stderr).toContain('is not empty');
  expect(nothing.stderr).toContain('has no finished backup');
  expect(noData.stderr).toContain('is not a data directory');
  expect(damaged.stderr).toContain(`${original} is damaged in this backup. Nothing was restored.`);
  expect(missing.stderr).toContain(`${original} is missing from this backup. Nothing was restored.`);
  expect(forged.stderr).toContain('was changed or is damaged');
  expect((await readdir(join(restoredDir, 'z'))).filter((name) => !name.startsWith('.'))).toEqual([]);
});

it('a restore that was killed is begun anew', async () => {
  const server = await serve(dataDir);
  const ids = await insertAll(server, 'many', 10);
  await Promise.all(ids.map((id) => ended(server.url, id)));
  await runCommand(['backup', backupDir, '--data-dir', dataDir]);

  const killed = startCommand(['restore', backupDir, '--data-dir', restoredDir]);
  await until('it has begun', async () => (await readdir(restoredDir)).length > 0);
  killed.process.kill('SIGKILL');
  await killed.result;
  if ((await readdir(restoredDir)).includes('tasks')) await cp(restoredDir, restoredDir, { recursive: true });
  else expect(await runCommand(['restore', backupDir, '--data-dir', restoredDir])).toMatchObject({ code: 0 });

  expect((await readdir(restoredDir)).sort()).toEqual(expect.arrayContaining(['documents', 'index', 'tasks']));
});

async function serve(folder: string): Promise<TestServer> {
  const server = await startServer({ dataDir: folder });
  running.push(server);
  return server;
}

async function insertAll({ url }: TestServer, name: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const docId = `${name}-${number}`;
    const reply = await insert(
      url,
      docId,
      { name: `${docId}.txt`, bytes: `${name} ${number} 文档 about pumps` },
      { prefer: 'respond-async' },
    );
    ids.push(((await reply.json()) as WireTask).task_id);
  }
  return ids;
}
