import { describe, expect, it } from 'vitest';
import * as schemas from '../../../src/http/wire/schemas.ts';
import { fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';

const post = (server: TestServer, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/search`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });

type Reply = { hits: { text: string; highlights: [number, number][]; citation: { doc_id: string; url: string } }[] };

describe('POST /search', () => {
  it('gives hits with their citations', async () => {
    await using server = await startHttpServer();
    await insert(server, '报告', fileForm('今年的报告说明了一切。', '报告 2026.txt'));

    const answer = await post(server, { query: '报告' });
    const body = schemas.searchReply.parse(await json(answer));

    expect(answer.status).toBe(200);
    expect(body).toMatchObject({ query: '报告', mode: 'hybrid', total: 1, notice: null });
    const [hit] = body.hits;
    const [[start, end]] = hit!.highlights as [[number, number]];
    expect(hit!.text.slice(start, end)).toBe('报告');
    expect(hit!.citation).toMatchObject({
      doc_id: '报告',
      filename: '报告 2026.txt',
      page: 1,
      section: ['Part one'],
      char_start: 0,
    });
    const content = await (await fetch(server.url + hit!.citation.url.split('#')[0]!)).text();
    expect(content.slice(hit!.citation.char_start, hit!.citation.char_end)).toBe(hit!.text);
  });

  it('takes doc_ids, top_k, offset and mode', async () => {
    await using server = await startHttpServer();
    for (const docId of ['a', 'b', 'c']) await insert(server, docId, fileForm('same words'));

    const body = await json<Reply & { mode: string }>(
      post(server, { query: 'words', mode: 'keyword', doc_ids: ['a', 'c'], top_k: 1, offset: 1 }),
    );

    expect(body.mode).toBe('keyword');
    expect(body.hits.map(({ citation }) => citation.doc_id)).toEqual(['c']);
  });

  it.each([
    ['no query', {}],
    ['an empty query', { query: '  ' }],
    ['a query that is no text', { query: 7 }],
    ['a query of half a character', '{"query":"\\ud800"}'],
    ['top_k 0', { query: 'x', top_k: 0 }],
    ['top_k 101', { query: 'x', top_k: 101 }],
    ['another mode', { query: 'x', mode: 'magic' }],
    ['doc_ids that are no list', { query: 'x', doc_ids: 'a' }],
    ['nested metadata', { query: 'x', metadata: { a: { b: 1 } } }],
    ['a time that is none', { query: 'x', inserted_after: 'yesterday' }],
  ])('answers 422 for %s', async (_name, body) => {
    await using server = await startHttpServer();

    const answer = await post(server, body);

    expect(answer.status).toBe(422);
    expect((await json<{ errors: unknown[] }>(answer)).errors).not.toEqual([]);
  });

  it.each([
    ['broken JSON', '{"query":', 400],
    ['no object', '"text"', 400],
    ['an empty body', '', 400],
    ['nesting', `{"query":"x","a":${'['.repeat(40)}${']'.repeat(40)}}`, 400],
    ['100,000 levels', `{"query":"x","a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400],
    ['a key twice', '{"query":"x","query":"y"}', 400],
    ['__proto__', '{"query":"x","__proto__":{"polluted":true}}', 400],
    ['an escaped __proto__', '{"query":"x","\\u005f_proto__":{"polluted":true}}', 400],
    ['constructor', '{"query":"x","constructor":{"prototype":{"polluted":true}}}', 400],
    ['more than 64 KB', JSON.stringify({ query: 'x', a: 'x'.repeat(70_000) }), 413],
  ])('refuses JSON with %s [S34]', async (_name, body, status) => {
    await using server = await startHttpServer();

    expect((await post(server, body)).status).toBe(status);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('answers 413 for a body that turns out too large, without a length', async () => {
    await using server = await startHttpServer();
    const body = new Blob([JSON.stringify({ query: 'x'.repeat(80_000) })]).stream();

    const answer = await fetch(`${server.url}/search`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'Content-Type': 'application/json' },
    });

    expect(answer.status).toBe(413);
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])('answers 415 for %s', async (type) => {
    await using server = await startHttpServer();

    expect((await post(server, { query: 'x' }, { 'Content-Type': type })).status).toBe(415);
  });
});

describe('GET /search', () => {
  it('is the same search', async () => {
    await using server = await startHttpServer();
    for (const docId of ['a', 'b', 'c']) await insert(server, docId, fileForm('same words'));

    const one = await json<Reply>(fetch(`${server.url}/search?q=words&doc_id=b`));
    const two = await json<Reply>(fetch(`${server.url}/search?q=words&doc_id=a&doc_id=b&top_k=5&mode=vector`));

    expect(one.hits.map(({ citation }) => citation.doc_id)).toEqual(['b']);
    expect(two.hits.map(({ citation }) => citation.doc_id)).toEqual(['a', 'b']);
  });

  it.each(['', 'q=', 'q=%20', 'q=x&top_k=0', 'q=x&mode=magic', 'q=x&q=y'])('answers 422 for ?%s', async (query) => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/search?${query}`)).status).toBe(422);
  });
});
