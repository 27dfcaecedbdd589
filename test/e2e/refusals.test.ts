/** One set of answers to odd requests, whichever engine is behind: no request is 500 on one of them and 200 on another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { search, startServer, type TestServer } from '../support/server.ts';

const cursorOf = (value: unknown): string => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
const time = '2026-01-01T00:00:00.000Z';

/** Each with what it is answered everywhere, beside one document that all searches find. */
const addresses: readonly [string, number][] = [
  ['/search?q=x&media_type=a%00', 422],
  ['/search?q=x&filename=a%00', 422],
  ['/search?q=x&filename=%C2%85', 422],
  ['/search?q=%00', 200],
  ['/search?q=x%00y%EF%BF%BF', 200],
  ['/search?q=x&doc_id=a%00', 422],
  ['/search?q=x&media_type=%F0%9F%92%A9', 200],
  [`/search?q=x&filename=${'%25'.repeat(300)}`, 200],
  ["/search?q=x&filename=';--", 200],
  ['/search?q=x&inserted_after=0000-01-01T00:00:00Z', 200],
  ['/search?q=x&inserted_after=0000-01-01T00:00:00%2B14:00', 200],
  ['/search?q=x&inserted_before=9999-12-31T23:59:59-23:59', 200],
  ['/search?q=x&inserted_before=%2B010000-01-01T00:00:00Z', 422],
  [`/documents?limit=5&cursor=${cursorOf(['a\0', 'b'])}`, 422],
  [`/documents?cursor=${cursorOf([time, 'b\0'])}`, 422],
  [`/documents?cursor=${cursorOf([time, '\ud800'])}`, 422],
  [`/documents?cursor=${cursorOf([time])}`, 422],
  [`/documents?cursor=${cursorOf([time, 'b', 'c'])}`, 422],
  [`/documents?cursor=${cursorOf(['yesterday', 'b'])}`, 422],
  [`/documents?cursor=${cursorOf({ 0: time, 1: 'b' })}`, 422],
  [`/documents?cursor=${cursorOf([time, 'b'])}=`, 422],
  [`/documents?cursor=${cursorOf([time, 'b'])}`, 200],
  ['/documents?cursor=garbage', 422],
  ['/documents?cursor=%00', 422],
  ['/tasks?cursor=garbage', 422],
  ['/tasks?cursor=%00', 422],
  ['/tasks?doc_id=a%00', 422],
  ['/tasks?doc_id=%F0%9F%92%A9', 200],
  ['/task/%00', 404],
  ['/task/%00/events', 404],
  ['/documents/%00', 422],
  ['/documents/%F0%9F%92%A9', 404],
  ['/documents/..%2Fx/content', 404],
  ['/documents/a%5Cb/file', 404],
];

const bodies: readonly [object, number][] = [
  [{ query: 'x', metadata: { 'a\0': 'b' } }, 422],
  [{ query: 'x', metadata: { a: 'b\0' } }, 422],
  [{ query: 'x', metadata: { a: '\ud800' } }, 422],
  [{ query: 'x', metadata: { '\udc00': 1 } }, 422],
  [{ query: 'x', metadata: { a: '💩', b: 1e308, c: -0, d: 0.1, e: null, f: true } }, 200],
  [{ query: 'x', metadata: { "a' OR 1": '%_$1?' } }, 200],
  [{ query: 'x', doc_ids: [] }, 200],
  [{ query: 'x', doc_ids: ['\ud800'] }, 422],
  [{ query: 'x', media_type: '\ud800' }, 422],
  [{ query: 'x', filename: 'a\0' }, 422],
  [{ query: '\0\ufffe', mode: 'keyword' }, 200],
];

describe.each(engines)('on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  const put = (docId: string, text: string, query = ''): Promise<Response> =>
    fetch(`${server.url}/documents/${encodeURIComponent(docId)}${query}`, { method: 'PUT', body: text });

  beforeAll(async () => {
    engine = await open();
    server = await startServer(await engine.newPlace());
    await put('known', 'timeword');
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  it('odd addresses, filters and cursors are answered as everywhere', async () => {
    const answered: [string, number][] = [];
    for (const [path] of addresses) answered.push([path, (await fetch(server.url + path)).status]);

    expect(answered).toEqual(addresses);
  });

  it('odd searches, and odd metadata of an upload, too', async () => {
    const answered: [object, number][] = [];
    for (const [body] of bodies) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      answered.push([body, (await fetch(`${server.url}/search`, init)).status]);
    }
    const form = new FormData();
    form.append('metadata', JSON.stringify({ a: 'b\0' }));
    form.append('file', new Blob(['x']), 'x.txt');

    expect(answered).toEqual(bodies);
    expect((await fetch(`${server.url}/insert?doc_id=m`, { method: 'POST', body: form })).status).toBe(422);
  });

  it('a bound at the end of time lets through what lies before it', async () => {
    for (const [name, bound, hits] of [
      ['inserted_before', '9999-12-31T23:59:59Z', 1],
      ['inserted_before', '9999-12-31T23:59:59-05:00', 1],
      ['inserted_after', '9999-12-31T23:59:59-05:00', 0],
      ['inserted_after', '0000-01-01T00:00:00+14:00', 1],
      ['inserted_before', '0000-01-01T00:00:00+14:00', 0],
    ] as const)
      expect((await search(server.url, 'timeword', { [name]: bound })).length, `${name} ${bound}`).toBe(hits);
  });

  it('names compare in their composed form, and come back as they were stored', async () => {
    const [composed, decomposed] = ['F\u00f6rmlich', 'Fo\u0308rmlich'];
    await put('named', 'nfdbody', `?filename=${encodeURIComponent(`${decomposed}.txt`)}`);
    await put(`${decomposed} id`, 'first');
    await put(`${composed} id`, 'second');
    const { documents } = (await (await fetch(`${server.url}/documents`)).json()) as {
      documents: { doc_id: string; filename: string }[];
    };
    const found = await search(server.url, 'nfdbody', { filename: `${composed}.txt` });

    expect(found.map(({ citation }) => citation.filename)).toEqual([`${decomposed}.txt`]);
    expect(await search(server.url, 'nfdbody', { filename: `${decomposed}.txt` })).toHaveLength(1);
    expect(documents.map(({ doc_id: docId }) => docId).filter((docId) => docId.endsWith(' id'))).toEqual([`${composed} id`]);
    for (const form of [composed, decomposed]) {
      const path = encodeURIComponent(`${form} id`);
      expect(await (await fetch(`${server.url}/documents/${path}/content`)).text()).toBe('second');
      expect(await search(server.url, 'second', { doc_ids: [`${form} id`] })).toHaveLength(1);
      const { tasks } = (await (await fetch(`${server.url}/tasks?doc_id=${path}`)).json()) as { tasks: unknown[] };
      expect(tasks).toHaveLength(2);
    }
    expect((await fetch(`${server.url}/documents/${encodeURIComponent(`${decomposed} id`)}`, { method: 'DELETE' })).status).toBe(
      200,
    );
    expect((await fetch(`${server.url}/documents/${encodeURIComponent(`${composed} id`)}`)).status).toBe(404);
  });
});
