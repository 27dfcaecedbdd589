/**
 * Real servers, workers and commands that are killed (SIGKILL) between what they do in the object store and what they do in the database: the
 * store says when, by having taken an object and not answered yet.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { docKeyOf } from '../../src/storage/postgres/jobs.ts';
import { runCommand, startCommand } from '../support/command.ts';
import { objectCredentials, type ObjectServer, startObjectServer } from '../support/object-server.ts';
import { ask } from '../support/postgres.ts';
import { insert, startProcess, type TestServer, type WireTask } from '../support/server.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

/** `of`: a part of the key, or some of which one is. */
type Point = { readonly method: string; readonly of: string | readonly string[]; readonly count?: number };

/** Kills when the store has come to a request of this method, with this in its key, so many times; resolves then. */
function killAt({ hooks }: ObjectServer, { method, of, count = 1 }: Point, kill: () => unknown): Promise<void> {
  const killed = Promise.withResolvers<void>();
  let left = count;
  hooks.reached = async (asked, key) => {
    if (asked !== method || ![of].flat().some((part) => key.includes(part))) return false;
    left -= 1;
    if (left > 0) return false;
    hooks.reached = null;
    await kill();
    killed.resolve();
    return true;
  };
  return killed.promise;
}

/** What the store holds for a database, beside the marker of its space, and what the database refers to. */
async function kept(objects: ObjectServer, url: string): Promise<{ there: string[]; referred: string[] }> {
  const [space] = await ask(url, 'SELECT name FROM rag_intake.object_space');
  const begin = `/${String(space!['name'])}/`;
  const keys = [...objects.objects.keys()].filter((key) => key.includes(begin) && !key.endsWith('/space'));
  const there = keys.map((key) => key.slice(key.indexOf(begin) + begin.length)).toSorted();
  const rows = await ask(url, 'SELECT object FROM rag_intake.blob');
  return { there, referred: rows.map(({ object }) => String(object)).toSorted() };
}

async function expectNothingLeft(objects: ObjectServer, url: string): Promise<void> {
  const isSwept = async (): Promise<boolean> => {
    const { there, referred } = await kept(objects, url);
    const [noted] = await ask(url, 'SELECT count(*)::int AS n FROM rag_intake.unneeded_object');
    return noted!['n'] === 0 && there.join() === referred.join();
  };
  // Which of them is wrong is said below.
  await until('what nobody refers to is swept', isSwept, 90_000).catch(() => undefined);
  const { there, referred } = await kept(objects, url);
  expect(there).toEqual(referred);
}

it('front ends, workers, sweeps and moves that are killed leave no orphan and no document without its files', async () => {
  await using postgres = await sharedPostgres();
  await using objects = await startObjectServer();
  await using dir = await tempDir();
  const [url, other] = [await postgres.newDatabase(), await postgres.newDatabase()];
  const env = {
    FILES_URL: objects.filesUrl('kills'),
    AWS_ACCESS_KEY_ID: objectCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: objectCredentials.secretAccessKey,
    LOG_LEVEL: 'error',
  };
  const start = (name: string, ...args: string[]): Promise<TestServer> =>
    startProcess({ dataDir: join(dir.path, name), engineEnv: { DATABASE_URL: url, ...env }, args });
  const startFront = async (): Promise<TestServer> => {
    const front = await start('front', '--role', 'api');
    await until('the front end is ready', async () => (await fetch(`${front.url}/ready`)).ok);
    return front;
  };
  let worker = await start('worker', 'worker');
  let front = await startFront();
  const acknowledged: string[] = [];

  /** Uploads, and kills somebody at this point; what was answered is acknowledged. */
  async function doomed(docId: string, point: Point, victim: () => TestServer, bytes = `The text of ${docId}.`): Promise<void> {
    const killed = killAt(objects, point, () => victim().kill());
    const answer = await insert(front.url, docId, { name: 'a.txt', bytes }, { prefer: 'respond-async' }).catch(() => null);
    if (answer?.ok) acknowledged.push(docId);
    await killed;
  }
  const anotherFront = async (): Promise<void> => {
    await front.kill();
    front = await startFront();
  };

  expect((await insert(front.url, 'deleted', { name: 'a.txt', bytes: 'The text of deleted.' })).status).toBe(200);
  await doomed('small', { method: 'PUT', of: '/frontend-' }, () => front);
  await anotherFront();
  await doomed('large', { method: 'PUT', of: '/frontend-' }, () => front, 'The text of large. '.repeat(120_000));
  await anotherFront();
  // The worker fetches it: the transaction is there, whoever has heard of it.
  await doomed('unheard', { method: 'GET', of: '/frontend-' }, () => front);
  await anotherFront();
  // Of this document's objects: others are deleted when what is left of a front end that is gone is found.
  const parts = await ask(
    url,
    `SELECT object FROM rag_intake.blob WHERE id IN (SELECT blob FROM rag_intake.document_part WHERE doc_key = $1)`,
    [docKeyOf('deleted')],
  );
  expect(parts.length).toBeGreaterThan(0);
  const deleting = killAt(objects, { method: 'DELETE', of: parts.map(({ object }) => String(object)) }, () => front.kill());
  await fetch(`${front.url}/documents/deleted`, { method: 'DELETE' }).catch(() => undefined);
  await deleting;
  await anotherFront();
  // All parts are there, and nothing refers to them.
  await doomed('by worker', { method: 'PUT', of: '/worker-', count: 3 }, () => worker);
  worker = await start('worker', 'worker');

  expect(acknowledged).toContain('by worker');
  const tasks = async (): Promise<WireTask[]> =>
    ((await (await fetch(`${front.url}/tasks?limit=100`)).json()) as { tasks: WireTask[] }).tasks;
  const isDone = async (): Promise<boolean> => (await tasks()).every(({ status }) => status === 'completed');
  await until('every task has completed', isDone, 180_000);
  expect(new Set((await tasks()).map(({ doc_id: docId }) => docId))).toEqual(new Set(['deleted', 'unheard', ...acknowledged]));
  await expectNothingLeft(objects, url);
  const read = async (docId: string, part: string): Promise<[number, string]> => {
    const answer = await fetch(`${front.url}/documents/${encodeURIComponent(docId)}/${part}`);
    return [answer.status, await answer.text()];
  };
  for (const docId of new Set(['unheard', ...acknowledged]))
    for (const part of ['file', 'content'])
      expect(await read(docId, part)).toEqual([200, expect.stringContaining(`The text of ${docId}`)]);
  for (const docId of ['small', 'large', 'deleted']) expect((await read(docId, 'file'))[0]).toBe(404);
  await Promise.all([front.stop(), worker.stop()]);

  const orphans = ['frontend-gone/1', 'frontend-gone/2', 'worker-gone/3'];
  const [own] = [...objects.objects.keys()].filter((key) => key.endsWith('/space'));
  for (const orphan of orphans) objects.objects.set(own!.replace(/space$/, orphan), Buffer.from('x'));
  const module = fileURLToPath(new URL('sweep-child.ts', import.meta.url));
  const sweep = (): ReturnType<typeof fork> => fork(module, [JSON.stringify({ url, filesUrl: env.FILES_URL })]);
  const first = sweep();
  await killAt(objects, { method: 'DELETE', of: '-gone/', count: 2 }, () => first.kill('SIGKILL'));
  expect((await kept(objects, url)).there.filter((key) => key.includes('-gone/')).length).toBeGreaterThan(0);
  expect(await once(sweep(), 'exit')).toEqual([0, null]);
  await expectNothingLeft(objects, url);

  const move = ['move', '--from', url, '--to', other];
  const settings = { DATA_DIR: join(dir.path, 'move'), ...env };
  const before = await kept(objects, url);
  for (const count of [2, 5]) {
    const moving = startCommand(move, settings);
    await killAt(objects, { method: 'PUT', of: '/worker-', count }, () => moving.process.kill('SIGKILL'));
    await moving.result;
  }
  expect(await runCommand(move, settings)).toMatchObject({ code: 0, stdout: expect.stringContaining('Everything was copied.') });
  expect(await kept(objects, url)).toEqual(before);
  await expectNothingLeft(objects, other);
  expect((await kept(objects, other)).referred.length).toBe(before.referred.length);
}, 600_000);
