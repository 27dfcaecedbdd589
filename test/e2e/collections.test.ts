/** Collections through the real server, on every engine: made, filled, searched, changed, removed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Place, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

type Body = Record<string, unknown>;

describe.each(engines)('collections on $name', ({ open }) => {
  let engine: TestEngine;
  let place: Place;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    place = await engine.newPlace();
    server = await startServer({ ...place, rigged: true });
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function call(
    method: string,
    path: string,
    body?: object | string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Body }> {
    const isJson = typeof body === 'object';
    const response = await fetch(server.url + path, {
      method,
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
      headers: body === undefined ? {} : { 'content-type': isJson ? 'application/json' : 'text/plain', ...headers },
    });
    const text = await response.text();
    return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : { text }) as Body };
  }

  const put = (collection: string, docId: string, text: string, more = '') =>
    call('PUT', `/documents/${docId}?collection=${collection}&filename=${docId}.txt${more}`, text);
  const found = async (query: string, where: object): Promise<string[]> => {
    const { status, body } = await call('POST', '/search', { query, ...where });
    expect(status).toBe(200);
    return (body['hits'] as { citation: { collection: string; doc_id: string } }[]).map(
      ({ citation }) => `${citation.collection}/${citation.doc_id}`,
    );
  };

  it('has `default` from the first moment, and no other', async () => {
    const { body } = await call('GET', '/collections');

    expect(body['collections']).toMatchObject([{ name: 'default', title: null, documents: 0, created_at: null }]);
    expect((await call('GET', '/collections/default')).status).toBe(200);
    expect((await call('GET', '/collections/hr')).status).toBe(404);
    expect((await put('hr', 'a', 'x')).status).toBe(404);
    expect((await call('GET', '/documents?collection=hr')).status).toBe(404);
  });

  it('makes one with 201, changes it with 200, and keeps what is not said', async () => {
    const made = await call('PUT', '/collections/hr', { title: '人事', settings: { language: 'zh' } });
    const changed = await call('PUT', '/collections/hr', { description: 'People', settings: { synonyms: [['pay', 'salary']] } });

    expect([made.status, changed.status]).toEqual([201, 200]);
    expect(changed.body).toMatchObject({
      name: 'hr',
      title: '人事',
      description: 'People',
      settings: { chunk_tokens: null, chunk_overlap: null, language: 'zh', synonyms: [['pay', 'salary']] },
    });
    expect((await call('PUT', '/collections/HR', {})).status).toBe(422);
    expect((await call('PUT', '/collections/hr', { settings: { chunk_tokens: 64, chunk_overlap: 40 } })).status).toBe(422);
    expect((await call('PUT', '/collections/hr', { setting: {} })).body['detail']).toContain('did you mean `settings`');
  });

  it('finds a document by a word that its collection takes for the one that was asked', async () => {
    const settings = {
      synonyms: [
        ['gehalt', 'salary'],
        ['年假', '带薪休假'],
      ],
    };
    for (const name of ['words', 'plain']) await call('PUT', `/collections/${name}`, name === 'words' ? { settings } : {});
    for (const name of ['words', 'plain']) {
      await put(name, 'en', 'The salary is paid on the first day.');
      await put(name, 'zh', '员工的带薪休假为十五天。');
    }

    expect(await found('gehalt', { collection: 'words' })).toEqual(['words/en']);
    expect(await found('年假', { collection: 'words' })).toEqual(['words/zh']);
    expect(await found('gehalt', { collection: 'plain' })).toEqual([]);
    const { body } = await call('POST', '/search', { query: 'gehalt', collection: 'words' });
    expect((body['hits'] as { relevance: number }[])[0]!.relevance).toBeGreaterThan(0.5);
    for (const name of ['words', 'plain']) await call('DELETE', `/collections/${name}?confirm=${name}`);
  });

  it('keeps one doc_id in two collections apart in every route', async () => {
    await call('PUT', '/collections/hr', {});
    await call('PUT', '/collections/finance', {});
    await put('hr', 'plan', 'The albatross plan of the people');
    await put('finance', 'plan', 'The albatross plan of the money');

    expect(await found('albatross', { collection: 'hr' })).toEqual(['hr/plan']);
    expect(await found('albatross', { collection: 'finance', doc_ids: ['plan'] })).toEqual(['finance/plan']);
    expect(await found('albatross', {})).toEqual([]);
    expect((await found('albatross', { collections: ['hr', 'finance'] })).toSorted()).toEqual(['finance/plan', 'hr/plan']);
    expect((await found('albatross', { collections: ['*'] })).toSorted()).toEqual(['finance/plan', 'hr/plan']);
    expect((await call('GET', '/documents/plan')).status).toBe(404);
    const record = (await call('GET', '/documents/plan?collection=hr')).body as { links: Record<string, string>; doc_id: string };
    expect(record).toMatchObject({ doc_id: 'plan', collection: 'hr' });
    for (const link of Object.values(record.links)) expect((await call('GET', link)).status).toBe(200);
    expect((await call('GET', '/documents/plan/content?collection=finance')).body['text']).toContain('money');
    expect((await call('GET', '/tasks?collection=hr&doc_id=plan')).body['tasks']).toHaveLength(1);
    expect((await call('GET', '/tasks')).body['tasks']).toHaveLength(0);
    expect((await call('GET', '/collections/hr')).body).toMatchObject({ documents: 1, chunks: 1, bytes: 32 });
    expect((await call('DELETE', '/documents/plan?collection=finance')).status).toBe(200);
    expect(await found('albatross', { collections: ['*'] })).toEqual(['hr/plan']);
  });

  it('cuts the chunks of a collection by its settings, and again when they change, while the old text serves', async () => {
    await call('PUT', '/collections/cut', { settings: { chunk_tokens: 64 } });
    const sentences = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} is about the gannet and the sea.`).join(' ');
    await put('cut', 'long', sentences);
    await put('default', 'long', sentences);
    const chunksIn = async (collection: string) =>
      (await call('GET', `/documents/long?collection=${collection}`)).body['chunks'] as number;
    const before = await chunksIn('cut');
    expect(before).toBeGreaterThan(await chunksIn('default'));

    await call('PUT', '/collections/cut', { settings: { chunk_tokens: 200, chunk_overlap: 20 } });
    expect((await found('gannet', { collection: 'cut' })).length).toBeGreaterThan(0);

    await until('it was read again', async () => (await call('GET', '/collections/cut')).body['rereading'] === false);
    expect(await chunksIn('cut')).toBeLessThan(before);
    expect(await chunksIn('cut')).toBeGreaterThan(1);
    await call('DELETE', '/documents/long');
  });

  it('removes one with its documents, files and tasks, those that wait and run too', async () => {
    await call('PUT', '/collections/gone', {});
    await put('gone', 'a', 'The puffin');
    await put('gone', 'b', 'The puffin as well');
    const running = await call('PUT', '/documents/c?collection=gone&filename=hang.txt', 'never read', { prefer: 'respond-async' });
    expect(running.status).toBe(202);
    const waiting = await call('PUT', '/documents/c?collection=gone&filename=c.txt', 'behind it', { prefer: 'respond-async' });

    expect((await call('DELETE', '/collections/gone')).status).toBe(422);
    expect((await call('DELETE', '/collections/gone?confirm=hr')).status).toBe(422);
    expect((await call('DELETE', '/collections/gone?confirm=gone')).status).toBe(200);

    for (const path of ['/collections/gone', '/documents/a?collection=gone', `/task/${running.body['task_id'] as string}`])
      expect((await call('GET', path)).status, path).toBe(404);
    expect((await call('GET', `/task/${waiting.body['task_id'] as string}`)).status).toBe(404);
    expect((await call('DELETE', '/collections/gone?confirm=gone')).status).toBe(404);
    expect((await call('DELETE', '/collections/default?confirm=default')).status).toBe(409);
    expect((await call('PUT', '/collections/gone', {})).status).toBe(201);
    expect((await call('GET', '/collections/gone')).body).toMatchObject({ documents: 0, title: null });
    expect(await found('puffin', { collection: 'gone' })).toEqual([]);
    expect((await call('GET', '/tasks?collection=gone')).body['tasks']).toEqual([]);
  });

  it('goes on with a removal that was killed in the middle, and shows nothing of the collection meanwhile', async () => {
    await call('PUT', '/collections/killed', {});
    for (let n = 0; n < 30; n += 1) await put('killed', `d${n}`, `The razorbill ${n}`);
    const removal = call('DELETE', '/collections/killed?confirm=killed').catch(() => null);
    await until('it has begun', async () => (await call('GET', '/collections/killed')).status === 404);
    await server.kill();
    await removal;

    server = await startServer({ ...place, rigged: true });

    expect((await call('GET', '/collections/killed')).status).toBe(404);
    await until('it can be made again', async () => (await call('PUT', '/collections/killed', {})).status !== 409);
    expect((await call('GET', '/collections/killed')).body).toMatchObject({ documents: 0 });
    expect(await found('razorbill', { collection: 'killed' })).toEqual([]);
  });
});
