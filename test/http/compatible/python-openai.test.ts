/** OpenAI's Python package by what it was recorded to send (`record-python-openai.ts`): here whether each of its requests gets what it reads. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import type { RecordedRequest } from './record-python-openai.ts';

type Answer = Record<string, unknown> & { id: string; object: string };

const key = 'python-key-0123456789';

it("OpenAI's Python package stores a file, waits for it and finds it, by the requests that it sends", async () => {
  const recorded = JSON.parse(await readFile(new URL('python-openai.json', import.meta.url), 'utf8')) as RecordedRequest[];
  const server = await startServer({ dataDir: await makeDataDir(), env: { API_KEYS: `python:write:${key}` } });
  const ids = new Map<string, string>();
  const filled = (text: string): string => [...ids].reduce((so, [name, id]) => so.replaceAll(name, id), text);
  const send = async ({ method, path, headers, body }: RecordedRequest): Promise<Answer> => {
    const answer = await fetch(server.url + filled(path), {
      method,
      headers: { ...headers, authorization: `Bearer ${key}` },
      ...(body === '' ? {} : { body: filled(body) }),
    });
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([
      path,
      200,
      expect.stringContaining('application/json'),
    ]);
    const value = (await answer.json()) as Answer;
    if (!ids.has(`{${value.object}}`)) ids.set(`{${value.object}}`, value.id);
    return value;
  };
  try {
    const [store, file, attach, poll, search] = recorded.filter(
      ({ method, path }, at) => recorded.findIndex((other) => other.method === method && other.path === path) === at,
    );
    expect(recorded[0]!.headers['user-agent']).toMatch(/^OpenAI\/Python/);
    expect(await send(store!)).toMatchObject({
      object: 'vector_store',
      name: 'handbooks',
      created_at: expect.any(Number) as number,
    });
    expect(await send(file!)).toMatchObject({ object: 'file', filename: 'seal.txt', purpose: 'assistants' });
    expect(await send(attach!)).toMatchObject({ object: 'vector_store.file', id: ids.get('{file}') });
    await until('the file is read', async () => (await send(poll!))['status'] === 'completed');
    expect(await send(search!)).toMatchObject({
      object: 'vector_store.search_results.page',
      data: [{ filename: 'seal.txt', content: [{ type: 'text', text: expect.stringContaining('每月润滑密封') as string }] }],
      has_more: false,
    });
  } finally {
    await server.stop();
    await removeDir(server.dataDir);
  }
});
