/** Dify's external knowledge, with the bodies that Dify sends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';

const key = 'dify-key-0123456789';
const admin = 'admin-key-0123456789';
let server: TestServer;

type Records = { records: { content: string; score: number; title: string; metadata: Record<string, unknown> }[] };

beforeAll(async () => {
  server = await startServer({ dataDir: await makeDataDir(), env: { API_KEYS: `admin:admin:${admin},dify:read@hr:${key}` } });
  await send('PUT', '/collections/hr', '{}', 'application/json');
  await put('a', '年假规定：员工每年有十五天年假。', { year: 2024, tags: ['假期', '规定'], category: 'leave policy' });
  await put('b', '出差规定：差旅费在三十天内报销。', { year: 2022, category: 'travel' });
  await put('c', 'Annual leave policy: fifteen days of annual leave.', { year: 2023 });
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe("Dify's external knowledge (POST /retrieval)", () => {
  it('gets passages with their relevance as the score', async () => {
    const { status, body } = await retrieve({ query: '年假有多少天', retrieval_setting: { top_k: 2, score_threshold: 0.1 } });
    const { records } = body as Records;

    expect(status).toBe(200);
    expect(records[0]).toMatchObject({
      content: expect.stringContaining('十五天年假') as string,
      title: 'a.txt',
      metadata: { doc_id: 'a', year: 2024 },
    });
    expect(records.length).toBeLessThanOrEqual(2);
    for (const { score } of records) expect(score).toBeGreaterThanOrEqual(0.1);
  });

  it('leaves out what is less relevant than asked', async () => {
    const { body } = await retrieve({ query: '量子引力', retrieval_setting: { top_k: 5, score_threshold: 0.9 } });

    expect((body as Records).records).toEqual([]);
  });

  it.each([
    [{ name: ['year'], comparison_operator: '=', value: '2022' }, ['b']],
    [{ name: ['year'], comparison_operator: '≥', value: 2023 }, ['a', 'c']],
    [{ name: ['year'], comparison_operator: '<', value: '2023' }, ['b']],
    [{ name: ['category'], comparison_operator: 'contains', value: 'policy' }, ['a']],
    [{ name: ['tags'], comparison_operator: 'contains', value: '假期' }, ['a']],
    [{ name: ['category'], comparison_operator: 'not contains', value: 'policy' }, ['b', 'c']],
    [{ name: ['category'], comparison_operator: 'start with', value: 'tra' }, ['b']],
    [{ name: ['category'], comparison_operator: 'end with', value: 'policy' }, ['a']],
    [{ name: ['category'], comparison_operator: 'is', value: 'travel' }, ['b']],
    [{ name: ['category'], comparison_operator: 'is not', value: 'travel' }, ['a', 'c']],
    [{ name: ['category'], comparison_operator: 'in', value: ['travel', 'other'] }, ['b']],
    [{ name: ['category'], comparison_operator: 'empty', value: null }, ['c']],
    [{ name: ['category'], comparison_operator: 'not empty' }, ['a', 'b']],
  ])('filters by %j', async (condition, ids) => {
    const { body } = await retrieve({
      query: '规定 annual leave policy',
      retrieval_setting: { top_k: 10, score_threshold: 0 },
      metadata_condition: { logical_operator: 'and', conditions: [condition] },
    });
    const found = (body as Records).records.map(({ metadata }) => metadata['doc_id']);

    expect([...new Set(found.map(String))].toSorted()).toEqual(ids);
  });

  it('gets the error codes that Dify knows', async () => {
    const ask = { query: 'x', retrieval_setting: { top_k: 1, score_threshold: 0 } };

    expect(await retrieve(ask, 'Basic abc')).toMatchObject({ status: 403, body: { error_code: 1001 } });
    expect(await retrieve(ask, '')).toMatchObject({ status: 403, body: { error_code: 1001 } });
    expect(await retrieve(ask, 'Bearer wrong-key-0123456789')).toMatchObject({ status: 403, body: { error_code: 1002 } });
    expect(await retrieve({ ...ask, knowledge_id: 'finance' })).toEqual({
      status: 404,
      body: { error_code: 2001, error_msg: 'The knowledge does not exist' },
    });
    expect(await retrieve({ ...ask, retrieval_setting: {}, query: '' })).toMatchObject({ status: 422, body: { error_code: 422 } });
  });
});

async function retrieve(more: object, authorization = `Bearer ${key}`): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}/retrieval`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
    body: JSON.stringify({ knowledge_id: 'hr', ...more }),
  });
  return { status: response.status, body: await response.json() };
}

async function put(id: string, text: string, metadata: object): Promise<void> {
  const query = `collection=hr&filename=${id}.txt&metadata=${encodeURIComponent(JSON.stringify(metadata))}`;
  expect((await send('PUT', `/documents/${id}?${query}`, text, 'text/plain')).status).toBe(200);
}

function send(method: string, path: string, body: string, type: string): Promise<Response> {
  return fetch(server.url + path, { method, body, headers: { authorization: `Bearer ${admin}`, 'content-type': type } });
}
