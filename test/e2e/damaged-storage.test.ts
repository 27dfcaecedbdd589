/** What somebody does to the data directory under a running server is never blamed on a document, nor served as if it were whole. */
import { mkdir, readdir, rm, truncate, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentFolder } from '../../src/storage/file-store.ts';
import { ended, getTask, insert, makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let documents: string;

beforeAll(async () => {
  const dataDir = await makeDataDir();
  documents = join(dataDir, 'documents');
  server = await startServer({ dataDir, rigged: true, env: { MAX_CONCURRENT_TASKS: '1', LOG_LEVEL: 'warn' } });
});

afterAll(async () => {
  await server.kill();
  await removeDir(server.dataDir);
});

async function partOf(docId: string, name: string): Promise<string> {
  const folder = join(documents, documentFolder(docId));
  const [version] = (await readdir(folder)).filter((each) => each !== 'current.json');
  return join(folder, version!, name);
}

describe('a stored part that was cut short', () => {
  it.each([
    ['content', 'content.md'],
    ['file', 'original'],
  ])('is an error of the server (%s), until the document is sent again', async (route, name) => {
    const docId = `cut ${name}`;
    const file = { name: '报告.txt', bytes: `报告 zebrafish ${name}` };
    await insert(server.url, docId, file);
    const path = await partOf(docId, name);
    await truncate(path, (await stat(path)).size - 1);
    const url = `${server.url}/documents/${encodeURIComponent(docId)}/${route}`;

    const answer = await fetch(url);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ code: 'internal', detail: expect.stringContaining('damaged') });

    expect((await insert(server.url, docId, file)).status).toBe(200);
    expect(await (await fetch(url)).text()).toBe(file.bytes);
  });
});

describe('documents/ removed under a running server', () => {
  it('is not ready, blames no upload, and goes on when the folder is back', async () => {
    const slow = await insert(server.url, 'slow', { name: 'wait-300.txt', bytes: 'slow' }, { prefer: 'respond-async' });
    const { task_id: taskId } = (await slow.json()) as { task_id: string };
    await rm(documents, { recursive: true });

    const answer = await insert(server.url, 'new', { name: 'new.txt', bytes: 'new' });
    expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([503, 'RAG service is not ready.']);
    expect((await fetch(`${server.url}/ready`)).status).toBe(503);
    await until('the worker has met it', () => server.log().includes('a task step could not be recorded'));
    expect(await getTask(server.url, taskId)).toMatchObject({ status: 'processing', error: null });

    await mkdir(documents);
    expect(await ended(server.url, taskId)).toMatchObject({ status: 'completed', attempts: 1 });
    expect((await insert(server.url, 'new', { name: 'new.txt', bytes: 'new' })).status).toBe(200);
  });
});
