/** Pages of files: whole lists page by page, and what one page costs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startHttpServer, type TestServer } from '../../support/http-server.ts';

type List = { data: { id: string; status: string }[]; has_more: boolean };

let server: TestServer;
/** Limits of the lists of documents and of tasks that were asked for. */
let asked: number[] = [];
const ids = Array.from({ length: 57 }, (_, n) => `file-${String(n).padStart(2, '0')}`);
const newestFirst = ids.toReversed();

beforeAll(async () => {
  server = await startHttpServer({
    services: (services) => ({
      ...services,
      tasks: { ...services.tasks, list: (filter) => (asked.push(filter.limit), services.tasks.list(filter)) },
      documents: {
        ...services.documents,
        list: (query, asker) => (asked.push(query.limit), services.documents.list(query, asker)),
      },
    }),
    // The last two stay on their way.
    memory: { ingest: ({ docId, id }, memory) => void (/5[56]$/.test(docId) || memory.finish(id)) },
  });
  for (const id of ids) {
    const sent = await fetch(`${server.url}/documents/${id}`, {
      method: 'PUT',
      body: `text of ${id}`,
      headers: { 'content-type': 'text/plain', prefer: 'respond-async' },
    });
    expect(sent.status).toBe(202);
  }
  await eventually(async () => (await list('filter=completed&limit=100')).data.length === 55, '55 documents');
});

afterAll(() => server[Symbol.asyncDispose]());

describe('the files of a vector store', () => {
  it.each([
    ['newest first', '', newestFirst],
    ['oldest first', 'order=asc', ids],
    ['that are read', 'filter=completed', newestFirst.slice(2)],
    ['that are on their way', 'filter=in_progress', newestFirst.slice(0, 2)],
    ['that failed', 'filter=failed', []],
  ])('are listed once each, page by page, forwards and backwards: %s', async (_name, query, expected) => {
    const forwards: string[] = [];
    for (let after = ''; ;) {
      const { data, has_more } = await list(`${query}&limit=10${after}`);
      forwards.push(...data.map(({ id }) => id));
      if (!has_more) break;
      after = `&after=${data.at(-1)!.id}`;
    }
    expect(forwards).toEqual(expected);
    if (expected.length === 0) return;

    const backwards: string[] = [expected.at(-1)!];
    for (;;) {
      const { data, has_more } = await list(`${query}&limit=10&before=${backwards[0]!}`);
      backwards.unshift(...data.map(({ id }) => id));
      if (!has_more) break;
    }
    expect(backwards).toEqual(expected);
  });

  it('are read no further than the page shows, wherever it is in the list [S71]', async () => {
    for (const query of [
      'limit=5',
      'limit=5&after=file-30',
      'limit=5&order=asc',
      'limit=5&before=file-30',
      'limit=5&after=nothing',
    ]) {
      asked = [];
      await list(query);
      expect(
        asked.filter((limit) => limit > 200),
        query,
      ).toEqual([]);
      // What waits, what runs, and one page of what is searchable.
      expect(asked.length, query).toBeLessThanOrEqual(3);
      expect(asked.at(-1), query).toBeLessThanOrEqual(6);
    }
  });

  it('begin anew behind a file that is gone, so that who deletes what each page shows gets to the rest', async () => {
    expect((await list('limit=3&after=gone')).data.map(({ id }) => id)).toEqual(newestFirst.slice(0, 3));
  });
});

async function list(query: string): Promise<List> {
  const answer = await fetch(`${server.url}/v1/vector_stores/default/files?${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as List;
}
