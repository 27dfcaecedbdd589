/** What a deployment with PostgreSQL and an object store does for a client, from upload to restart. */
import { expect, it } from 'vitest';
import { objectCredentials, startObjectServer } from '../support/object-server.ts';
import { ask } from '../support/postgres.ts';
import { insert, makeDataDir, removeDir, search, startServer, type WireTask } from '../support/server.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { until } from '../support/until.ts';

it('with files in an object store, documents are taken in, found, given back, replaced, kept over a restart and deleted [S77]', async () => {
  await using postgres = await sharedPostgres();
  await using objects = await startObjectServer();
  const dataDir = await makeDataDir();
  const url = await postgres.newDatabase();
  const place = {
    dataDir,
    engineEnv: { DATABASE_URL: url, FILES_URL: objects.filesUrl('served') },
    env: {
      LOG_LEVEL: 'debug',
      AWS_ACCESS_KEY_ID: objectCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: objectCredentials.secretAccessKey,
    },
  };
  let server = await startServer(place);
  const get = async (path: string): Promise<string> => (await fetch(`${server.url}/documents/manual/${path}`)).text();
  const put = async (bytes: string): Promise<void> => {
    const task = (await (await insert(server.url, 'manual', { name: 'manual.txt', bytes })).json()) as WireTask;
    expect(task).toMatchObject({ status: 'completed' });
  };
  const counted = async (sql: string): Promise<number> => Number((await ask(url, `SELECT count(*) AS n FROM ${sql}`))[0]!['n']);
  /** That of the space is always there. */
  const kept = (): number => objects.objects.size - 1;

  await put('The walrus and the carpenter walked along the beach.');
  expect(await search(server.url, 'walrus')).toMatchObject([{ citation: { doc_id: 'manual' } }]);
  await put('The oysters were invited to a pleasant talk.');
  expect(await search(server.url, 'walrus', { mode: 'keyword' })).toEqual([]);
  await until('the objects of the version before are deleted', async () => kept() === (await counted('rag_intake.blob')));
  const first = server.log();
  await server.stop();

  server = await startServer(place);
  expect(await search(server.url, 'oysters')).toMatchObject([{ citation: { doc_id: 'manual' } }]);
  expect(await get('file')).toBe('The oysters were invited to a pleasant talk.');
  expect(await get('content')).toContain('The oysters were invited');
  expect(await counted('rag_intake.blob_chunk')).toBe(0);
  expect((await fetch(`${server.url}/documents/manual`, { method: 'DELETE' })).ok).toBe(true);
  expect(await search(server.url, 'oysters')).toEqual([]);
  await until('no object is left', () => Promise.resolve(kept() === 0));
  await server.stop();
  expect((first + server.log()).includes(objectCredentials.secretAccessKey)).toBe(false);
  await removeDir(dataDir);
});
