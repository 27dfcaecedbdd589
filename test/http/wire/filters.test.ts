/** The grammar of filters on the wire, what it refuses and how, and the requests that take it. */
import { pageLookReply } from '../../../src/http/wire/schemas.ts';
import { describe, expect, it } from 'vitest';
import { json, startHttpServer, type TestServer } from '../../support/http-server.ts';

type Problem = { status: number; detail: string };
type Found = { hits: { citation: { doc_id: string } }[] };

const put = async (server: TestServer, docId: string, metadata: object): Promise<void> => {
  const query = `metadata=${encodeURIComponent(JSON.stringify(metadata))}`;
  await fetch(`${server.url}/documents/${docId}?${query}`, { method: 'PUT', body: 'the same text' });
};
const asText = (filter: unknown): string => encodeURIComponent(JSON.stringify(filter));
const search = (server: TestServer, filters: unknown): Promise<Response> =>
  fetch(`${server.url}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'same', filters }),
  });
const leaf = { type: 'eq', key: 'year', value: 2024 };
const nested = (levels: number): unknown => (levels === 0 ? leaf : { type: 'and', filters: [nested(levels - 1)] });

describe('a filter', () => {
  it('is taken by searches, by lists and by deletions, and no match is no hit', async () => {
    await using server = await startHttpServer();
    await put(server, 'a', { year: 2024 });
    await put(server, 'b', { year: '2024' });
    const idsOf = async (filters: unknown): Promise<string[][]> => {
      const posted = await json<Found>(search(server, filters));
      const linked = await json<Found>(fetch(`${server.url}/search?q=same&filters=${asText(filters)}`));
      const list = await json<{ documents: { doc_id: string }[] }>(fetch(`${server.url}/documents?filters=${asText(filters)}`));
      return [posted.hits, linked.hits]
        .map((hits) => hits.map((hit) => hit.citation.doc_id))
        .concat([list.documents.map((one) => one.doc_id)]);
    };

    expect(await idsOf(leaf)).toEqual([['a'], ['a'], ['a']]);
    expect(await idsOf({ type: 'eq', key: 'year', value: 1 })).toEqual([[], [], []]);
    expect(await json(fetch(`${server.url}/documents?filters=${asText(leaf)}`, { method: 'DELETE' }))).toEqual({
      message: '1 document deleted',
      deleted: 1,
      more: false,
    });
    expect(await idsOf({ type: 'exists', key: 'year' })).toEqual([['b'], ['b'], ['b']]);
  });

  it('is never left out of a deletion', async () => {
    await using server = await startHttpServer();
    await put(server, 'a', {});

    const answer = await fetch(`${server.url}/documents`, { method: 'DELETE' });

    expect([answer.status, (await fetch(`${server.url}/documents/a`)).status]).toEqual([422, 200]);
  });

  it.each([
    [nested(3), 200],
    [nested(4), 422],
    [{ type: 'or', filters: Array.from({ length: 64 }, () => leaf) }, 200],
    [{ type: 'or', filters: Array.from({ length: 65 }, () => leaf) }, 422],
  ])('has 3 levels and 64 comparisons at most: %.30s', async (filters, status) => {
    await using server = await startHttpServer();

    expect((await search(server, filters)).status).toBe(status);
  });

  it.each([
    [[], 'a filter must be an object'],
    [{}, 'needs a `type`'],
    [{ type: 'equals', key: 'a', value: 1 }, 'Unknown type `equals`; did you mean `eq`'],
    [{ type: 'eq', key: 'a' }, 'needs a `value`'],
    [{ type: 'eq', value: 1 }, 'needs a `key`'],
    [{ type: 'eq', key: '$file', value: 1 }, 'Unknown key `$file`; did you mean `$file'],
    [{ type: 'eq', key: 'a', value: [1] }, 'must be a string'],
    [{ type: 'in', key: 'a', value: 1 }, 'needs a list'],
    [{ type: 'in', key: 'a', value: [] }, 'needs a list'],
    [{ type: 'gt', key: 'a', value: true }, 'compares with a number or a string'],
    [{ type: 'prefix', key: 'a', value: 1 }, 'compares with a string'],
    [{ type: 'exists', key: 'a', value: 'yes' }, 'true or false'],
    [{ type: 'and', filters: [] }, 'at least one filter'],
    [{ type: 'eq', key: 'a', value: 1, values: 2 }, 'Unknown member of a filter `values`'],
    [{ type: 'eq', key: 'n', value: 1e20 }, 'write it as a string'],
    [{ type: 'gte', key: '$inserted_at', value: 'yesterday' }, 'ISO 8601'],
  ])('that is no filter is refused, and says what to write: %j', async (filters, sentence) => {
    await using server = await startHttpServer();

    const body = await search(server, filters);
    const inAddress = await fetch(`${server.url}/documents?filters=${asText(filters)}`);

    for (const answer of [body, inAddress]) {
      const { detail } = await json<Problem>(answer);
      expect([answer.status, detail.startsWith('filters: '), detail.includes(sentence)], detail).toEqual([422, true, true]);
    }
  });

  it('that is no JSON is refused in an address', async () => {
    await using server = await startHttpServer();

    const answer = await fetch(`${server.url}/documents?filters=year%3D2024`);

    expect([answer.status, (await json<Problem>(answer)).detail.startsWith('filters: is not valid as JSON')]).toEqual([422, true]);
  });
});

describe('GET /documents/{doc_id}/look', () => {
  it('says where texts and lines stand on a page, null where that is not known, and 404 for an unknown document', async () => {
    const look = { page: 1, width: 210, height: 297, texts: [['灯塔', 20, 26.6, 28, 30.6]], lines: [[1, 2, 3, 4]] } as const;
    await using server = await startHttpServer({ memory: { look } });
    await put(server, 'a', {});
    const path = `${server.url}/documents/a/look`;

    const seen = await json(fetch(path));
    expect(seen).toEqual({
      page: 1,
      look: { width: 210, height: 297, texts: [{ text: '灯塔', box: [20, 26.6, 28, 30.6] }], lines: [[1, 2, 3, 4]] },
    });
    expect(pageLookReply.safeParse(seen).success).toBe(true);
    expect(await json(fetch(`${path}?page=2`))).toEqual({ page: 2, look: null });
    expect((await fetch(`${path}?page=0`)).status).toBe(422);
    expect((await fetch(`${server.url}/documents/none/look`)).status).toBe(404);
  });
});

describe('GET /documents/{doc_id}/chunks', () => {
  it('gives a page of chunks, or all as lines, and 404 for an unknown document', async () => {
    await using server = await startHttpServer();
    await put(server, 'a', {});
    const path = `${server.url}/documents/a/chunks`;
    const lines = { headers: { accept: 'application/x-ndjson' } };

    const page = await json<{ chunks: { text: string }[]; next_cursor: string | null }>(fetch(path));
    const streamed = await fetch(path, lines);

    expect([page.chunks.map(({ text }) => text), page.next_cursor]).toEqual([['the same text'], null]);
    expect(streamed.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await streamed.text()).toBe(`${JSON.stringify(page.chunks[0])}\n`);
    expect((await fetch(`${path}?limit=5`, lines)).status).toBe(422);
    expect((await fetch(`${path}?cursor=eA`)).status).toBe(422);
    expect((await fetch(`${server.url}/documents/none/chunks`)).status).toBe(404);
    expect((await fetch(`${server.url}/documents/none/chunks`, lines)).status).toBe(404);
  });
});
