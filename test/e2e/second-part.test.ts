/**
 * What is promised of strictness, collections, metadata and filters, and hits, line by line on every engine: each test is named after its
 * line. What each line means in all its corners is tested beside the code that keeps it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';

type Body = Record<string, unknown>;
type Hit = { text: string; score: number; relevance: number; more?: number; context?: unknown; citation: Body };
type Reply = { readonly status: number; readonly body: Body; readonly text: string };

const keyOf = (name: string): string => `${name}-key-0123456789abcdef`;

describe.each(engines)('the second part of the contract on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;

  beforeAll(async () => {
    engine = await open();
    const keys = [`root:admin:${keyOf('root')}`, `people:write@hr+finance:${keyOf('people')}`].join(',');
    server = await startServer({ ...(await engine.newPlace()), env: { API_KEYS: keys } });
    for (const name of ['hr', 'finance']) await ask('PUT', `/collections/${name}`, {});
    const year = (value: unknown): string => `&metadata=${encodeURIComponent(JSON.stringify(value))}`;
    for (const [docId, said] of [
      ['a', { year: 2024, tags: ['x', 'y'], name: 'e\u0301t\u00e9', open: true }],
      ['b', { year: '2024' }],
      ['c', {}],
    ] as const)
      await ask('PUT', `/documents/${docId}?filename=${docId}.txt${year(said)}`, `The puffin of ${docId} lays one egg.`);
    const long = Array.from({ length: 400 }, (_, n) => `Sentence ${n} of the gannet and the northern sea.`).join('\n\n');
    await ask('PUT', '/documents/long?filename=long.md', long);
    await ask('PUT', '/documents/a?collection=hr&filename=a.txt', 'The puffin of hr.');
    await ask('PUT', '/documents/a?collection=finance&filename=a.txt', 'The puffin of finance.');
  });

  afterAll(async () => {
    await server.stop();
    await engine[Symbol.asyncDispose]();
  });

  async function ask(
    method: string,
    path: string,
    body?: object | string,
    { key = 'root', ...headers }: Record<string, string> = {},
  ): Promise<Reply> {
    const isJson = typeof body === 'object' && !(body instanceof FormData);
    const type =
      body === undefined || body instanceof FormData ? {} : { 'content-type': isJson ? 'application/json' : 'text/plain' };
    const response = await fetch(server.url + path, {
      method,
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string) }),
      headers: { authorization: `Bearer ${keyOf(key)}`, ...type, ...headers },
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      body: text.startsWith('{') && !text.includes('}\n{') ? (JSON.parse(text) as Body) : {},
    };
  }

  async function hits(asked: Body, headers: Record<string, string> = {}): Promise<Hit[]> {
    const { status, body } = await ask('POST', '/search', { query: 'puffin', ...asked }, headers);
    expect(status).toBe(200);
    return body['hits'] as Hit[];
  }

  const cited = (found: readonly Hit[]): string[] =>
    found.map(({ citation }) => `${String(citation['collection'])}/${String(citation['doc_id'])}`);
  const found = async (filters: object): Promise<string[]> =>
    cited(await hits({ filters }))
      .map((name) => name.slice('default/'.length))
      .toSorted();

  describe('strictness', () => {
    it('a parameter, member or form field that a route does not know is 422, with the nearest known one', async () => {
      const form = new FormData();
      form.append('file', new Blob(['x']), 'x.txt');
      form.append('metadatas', '{}');
      for (const { status, body } of [
        await ask('GET', '/documents?filter=x'),
        await ask('POST', '/search', { query: 'x', filter: {} }),
        await ask('POST', '/insert?doc_id=x', form),
      ]) {
        expect(status).toBe(422);
        expect(body['detail']).toMatch(/did you mean `(filters|metadata)`\?/);
      }
    });

    it('a value that would be ignored is 422', async () => {
      expect((await ask('POST', '/search', { query: 'x', collection: 'hr', collections: ['hr'] })).status).toBe(422);
      expect((await ask('GET', '/documents?limit=0')).status).toBe(422);
    });

    it('a header that changes what a request means is honoured or refused', async () => {
      expect((await ask('PUT', '/documents/z?filename=z.txt', 'x', { 'content-encoding': 'compress' })).status).toBe(415);
      expect((await ask('PUT', '/documents/a?filename=a.txt', 'x', { 'if-none-match': '*' })).status).toBe(412);
    });

    it('an address that is not UTF-8 after percent-decoding is 400', async () => {
      expect((await ask('GET', '/documents/%ff')).status).toBe(400);
      expect((await ask('GET', '/search?q=%ff')).status).toBe(400);
    });
  });

  describe('collections', () => {
    it('GET /collections lists those that the caller may read, with counts and settings', async () => {
      const { body } = await ask('GET', '/collections', undefined, { key: 'people' });
      expect(body['collections']).toMatchObject([
        { name: 'finance', documents: 1, chunks: 1, bytes: 22, settings: { synonyms: [] } },
        { name: 'hr', documents: 1, created_at: expect.any(String) as string },
      ]);
    });

    it('PUT makes one (201) or changes it (200), GET shows it, DELETE wants its name confirmed', async () => {
      expect((await ask('PUT', '/collections/new', { title: 'New' })).status).toBe(201);
      expect((await ask('PUT', '/collections/new', { settings: { chunk_tokens: 64 } })).status).toBe(200);
      expect((await ask('GET', '/collections/new')).body).toMatchObject({ title: 'New', settings: { chunk_tokens: 64 } });
      expect((await ask('PUT', '/collections/New', {})).status).toBe(422);
      expect((await ask('DELETE', '/collections/new?confirm=old')).status).toBe(422);
      expect((await ask('DELETE', '/collections/new?confirm=new')).status).toBe(200);
      expect((await ask('GET', '/collections/new')).status).toBe(404);
      expect((await ask('DELETE', '/collections/default?confirm=default')).status).toBe(409);
    });

    it('collection= says which one; absent it is the first that the key names, else default', async () => {
      const content = async (query: string, key: string): Promise<string> =>
        (await ask('GET', `/documents/a/content${query}`, undefined, { key })).text;
      expect(await content('', 'people')).toContain('of hr');
      expect(await content('', 'root')).toContain('puffin of a');
      expect(await content('?collection=finance', 'people')).toContain('of finance');
      expect(cited(await hits({}, { key: 'people' }))).toEqual(['hr/a']);
      expect((await ask('GET', '/tasks?collection=finance', undefined, { key: 'root' })).body['tasks']).toHaveLength(1);
    });

    it('a search names several, or all that the caller may read, merged by relevance', async () => {
      const several = await hits({ query: 'puffin of finance', collections: ['hr', 'finance'] });
      expect(cited(several)).toEqual(['finance/a', 'hr/a']);
      expect(several[0]!.relevance).toBeGreaterThan(several[1]!.relevance);
      expect(cited(await hits({ collections: ['*'] }, { key: 'people' })).toSorted()).toEqual(['finance/a', 'hr/a']);
    });

    it('what a key may not reach does not exist for it', async () => {
      const key = 'people';
      for (const path of [
        '/collections/default',
        '/documents?collection=default',
        '/tasks?collection=default',
        '/events?collection=default',
      ])
        expect((await ask('GET', path, undefined, { key })).status, path).toBe(404);
      expect((await ask('POST', '/search', { query: 'x', collection: 'default' }, { key })).status).toBe(404);
    });
  });

  describe('metadata and filters', () => {
    const metadata = async (docId: string): Promise<unknown> => (await ask('GET', `/documents/${docId}`)).body['metadata'];

    it('an upload without metadata keeps what was there; null clears it', async () => {
      await ask('PUT', `/documents/kept?filename=k.txt&metadata=${encodeURIComponent('{"a": [1, null, true]}')}`, 'one');
      await ask('PUT', '/documents/kept?filename=k.txt', 'two');
      expect(await metadata('kept')).toEqual({ a: [1, null, true] });
      await ask('PUT', '/documents/kept?filename=k.txt&metadata=null', 'two');
      expect(await metadata('kept')).toBeNull();
    });

    it('PATCH merges metadata, title and filename without reading the file again', async () => {
      await ask('PUT', `/documents/patched?filename=p.txt&metadata=${encodeURIComponent('{"a": 1, "b": 2}')}`, 'text');
      const { body } = await ask('PATCH', '/documents/patched', { metadata: { a: null, c: 3 }, title: 'T', filename: 'q.txt' });
      expect(body).toMatchObject({ metadata: { b: 2, c: 3 }, title: 'T', filename: 'q.txt' });
    });

    it('integers beyond 2^53, lone surrogates, and more than 64 members or 16 KiB are refused', async () => {
      const members = JSON.stringify(Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`m${n}`, n])));
      for (const said of ['{"n": 9007199254740993}', '{"s": "\\ud800"}', '{"o": {"p": 1}}', members])
        expect(
          (await ask('PUT', `/documents/no?filename=n.txt&metadata=${encodeURIComponent(said)}`, 'x')).status,
          said.slice(0, 30),
        ).toBe(422);
      expect((await ask('PATCH', '/documents/a', { metadata: { long: 'x'.repeat(16_384) } })).status).toBe(422);
    });

    it('each comparison lets through what it says; different types match nothing; names compare in NFC', async () => {
      const year = (type: string, value: unknown): Promise<string[]> => found({ type, key: 'year', value });
      expect(await year('eq', 2024)).toEqual(['a']);
      expect(await year('eq', '2024')).toEqual(['b']);
      expect(await year('gte', 2024)).toEqual(['a']);
      expect(await year('gt', 2024)).toEqual([]);
      expect(await year('lte', 2024)).toEqual(['a']);
      expect(await year('lt', 2024)).toEqual([]);
      expect(await year('in', [2024, '2024'])).toEqual(['a', 'b']);
      expect(await found({ type: 'prefix', key: 'year', value: '20' })).toEqual(['b']);
      expect(await found({ type: 'exists', key: 'open', value: true })).toEqual(['a']);
      expect(await found({ type: 'contains', key: 'tags', value: 'y' })).toEqual(['a']);
      expect(await found({ type: 'eq', key: 'name', value: '\u00e9te\u0301' })).toEqual(['a']);
      expect(await found({ type: 'eq', key: '$filename', value: 'c.txt' })).toEqual(['c']);
    });

    it('and, or and not connect them, 3 levels and 64 leaves; no match is no hit', async () => {
      const leaf = { type: 'eq', key: '$doc_id', value: 'a' };
      expect(await found({ type: 'not', filters: [leaf] })).not.toContain('a');
      expect(await found({ type: 'and', filters: [leaf, { type: 'eq', key: 'year', value: 2024 }] })).toEqual(['a']);
      expect(await found({ type: 'eq', key: 'nowhere', value: 1 })).toEqual([]);
      const many = { type: 'or', filters: Array.from({ length: 65 }, () => leaf) };
      const nested = (levels: number): object => (levels === 0 ? leaf : { type: 'not', filters: [nested(levels - 1)] });
      expect((await ask('POST', '/search', { query: 'x', filters: nested(3) })).status).toBe(200);
      for (const filters of [many, nested(4)]) expect((await ask('POST', '/search', { query: 'x', filters })).status).toBe(422);
    });

    it('GET /documents finds by name and sorts on the server; DELETE with filters says how many', async () => {
      for (const docId of ['gone1', 'gone2']) await ask('PUT', `/documents/${docId}?filename=${docId}.txt`, docId);
      const names = async (query: string): Promise<string[]> =>
        ((await ask('GET', `/documents?${query}`)).body['documents'] as { doc_id: string }[]).map(({ doc_id: id }) => id);
      expect(await names('q=GONE&sort=-doc_id')).toEqual(['gone2', 'gone1']);
      expect(await names('q=gone&sort=doc_id&limit=1')).toEqual(['gone1']);
      const filters = encodeURIComponent('{"type": "prefix", "key": "$doc_id", "value": "gone"}');
      expect((await ask('DELETE', `/documents?filters=${filters}`)).text).toContain('2');
      expect(await names('q=gone')).toEqual([]);
    });
  });

  describe('hits', () => {
    it('relevance is from 0 to 1, and min_relevance leaves out the rest', async () => {
      const all = await hits({ query: 'puffin of a kittiwake' });
      for (const { relevance } of all) expect(relevance >= 0 && relevance <= 1).toBe(true);
      expect(await hits({ query: 'puffin of a kittiwake', min_relevance: 1 })).toEqual([]);
    });

    it('total is at least offset and hits; equal scores have one order', async () => {
      const { body } = await ask('POST', '/search', { query: 'gannet', top_k: 3, offset: 2 });
      expect(body['total']).toBeGreaterThanOrEqual(2 + (body['hits'] as Hit[]).length);
      const order = async (): Promise<string[]> => cited(await hits({ query: 'lays one egg' }));
      const before = await order();
      await ask('PUT', '/documents/between?filename=x.txt', 'Nothing of it.');
      await ask('DELETE', '/documents/between');
      expect(await order()).toEqual(before);
    });

    it('group_by gives one hit a document with more, context the texts around it', async () => {
      const grouped = await hits({ query: 'gannet', group_by: 'document', top_k: 100 });
      expect(cited(grouped)).toEqual(['default/long']);
      expect(grouped[0]!.more).toBeGreaterThan(0);
      expect(JSON.stringify((await hits({ query: 'gannet sea', context: 1, top_k: 1 }))[0]!.context)).toContain('gannet');
    });

    it('chunks are listed in pages and streamed as lines; a text is at most 8,000 characters', async () => {
      const page = (await ask('GET', '/documents/long/chunks?limit=2')).body;
      expect(page['chunks']).toHaveLength(2);
      expect(page['next_cursor']).not.toBeNull();
      const lines = (await ask('GET', '/documents/long/chunks', undefined, { accept: 'application/x-ndjson' })).text
        .trim()
        .split('\n');
      expect(lines).toHaveLength((await ask('GET', '/documents/long')).body['chunks'] as number);
      for (const { text } of await hits({ query: 'gannet', top_k: 100 })) expect(text.length).toBeLessThanOrEqual(8000);
    });

    it('contents and originals are streamed, with ranges', async () => {
      for (const part of ['content', 'file']) {
        const whole = (await ask('GET', `/documents/long/${part}`)).text;
        const range = await ask('GET', `/documents/long/${part}`, undefined, { range: 'bytes=10-19' });
        expect([range.status, range.text]).toEqual([206, whole.slice(10, 20)]);
      }
    });
  });
});
