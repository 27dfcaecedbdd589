/** Nothing that a request says is passed over: unknown names and values without effect are refused, with the name that was meant. */
import { describe, expect, it } from 'vitest';
import { fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';

type Problem = { status: number; detail: string; errors?: { in: string; name: string }[] };

const search = (server: TestServer, body: object): Promise<Response> =>
  fetch(`${server.url}/search`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

describe('a value that is not taken', () => {
  it.each([
    [{ query: 5 }, 'query: must be a string'],
    [{ query: 'x', mode: 'fuzzy' }, 'mode: must be "hybrid", "keyword" or "vector"'],
    [{ query: 'x', group_by: 'page' }, 'group_by: must be "document"'],
    [{ query: 'x', top_k: '5' }, 'top_k: must be a number'],
    [{ query: 'x', top_k: 0 }, 'top_k: must be at least 1'],
    [{ query: 'x', top_k: 1.5 }, 'top_k: must be a whole number'],
    [{ query: 'x', doc_ids: 'a' }, 'doc_ids: must be an array'],
    [{ query: 'x', inserted_after: 'yesterday' }, 'inserted_after: must be a time with a time zone, such as 2026-03-15T10:00:00Z'],
    [{ query: 'x', metadata: { a: { b: 1 } } }, 'metadata.a: must be a string, a number, true or false or null'],
    [[], 'body: must be an object'],
  ])('in the body of a search, %j, is 422 and told what it must be', async (body, detail) => {
    await using server = await startHttpServer();

    const answer = await search(server, body);

    expect([answer.status, (await json<Problem>(answer)).detail]).toEqual([422, detail]);
  });
});

describe('an unknown name', () => {
  it.each([
    ['filter', { query: 'x', filter: { tenant: 'a' } }, 'filters'],
    ['docIds', { query: 'x', docIds: ['a'] }, 'doc_ids'],
    ['limit', { query: 'x', limit: 1 }, 'top_k'],
    ['metdata', { query: 'x', metdata: { tenant: 'a' } }, 'metadata'],
    ['colection', { query: 'x', colection: 'hr' }, 'collection'],
    ['text', { text: 'x' }, 'query'],
  ])('in the body of a search, %s, is 422 and named beside the one that was meant [S46]', async (name, body, meant) => {
    await using server = await startHttpServer();
    await insert(server, 'a', fileForm('x'));

    const answer = await search(server, body);
    const problem = await json<Problem>(answer);

    expect([answer.status, problem.errors?.[0]]).toEqual([422, { in: 'body', name, message: problem.detail }]);
    expect(problem.detail).toContain(`Unknown field \`${name}\`; did you mean \``);
    if (meant !== null) expect(problem.detail).toContain(`did you mean \`${meant}\`?`);
  });

  it.each([
    ['/search?query=x', 'query', 'q'],
    ['/search?q=x&metadata=%7B%7D', 'metadata', null],
    ['/tasks?state=failed', 'state', 'status'],
    ['/documents?limits=3', 'limits', 'limit'],
    ['/documents?page=2', 'page', 'cursor'],
    ['/task/0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b?timeout=5', 'timeout', 'wait'],
  ])('in an address is 422: %s', async (path, name, meant) => {
    await using server = await startHttpServer();

    const answer = await fetch(server.url + path);
    const { detail } = await json<Problem>(answer);

    expect([answer.status, detail.startsWith(`Unknown parameter \`${name}\`; did you mean \`${meant ?? ''}`)], detail).toEqual([
      422,
      true,
    ]);
  });

  it('where no name is known is said to be so', async () => {
    await using server = await startHttpServer();

    expect((await json<Problem>(fetch(`${server.url}/health?verbose=1`))).detail).toBe(
      'Unknown parameter `verbose`; none is accepted here.',
    );
  });

  it('of any length and content is answered shortly and on one line', async () => {
    await using server = await startHttpServer();

    const { detail, errors } = await json<Problem>(fetch(`${server.url}/documents?${'x'.repeat(8000)}%0a=1`));
    const control = await json<Problem>(fetch(`${server.url}/documents?a%0d%0ab=1`));

    expect([detail.length < 300, errors![0]!.name.length]).toEqual([true, 256]);
    expect(control.detail).not.toMatch(/\p{Cc}/u);
  });

  it('in the form of an upload is 422, and nothing is stored', async () => {
    await using server = await startHttpServer();

    for (const [name, meant] of [
      ['Metadata', 'metadata'],
      ['doc_id', 'put it into the address'],
      ['callback', 'callback_url'],
      ['', '`'],
    ] as const) {
      const answer = await insert(server, 'd', fileForm('x', 'x.txt', { [name]: '{}' }));
      const { detail } = await json<Problem>(answer);
      expect([answer.status, detail.includes('Unknown form field'), detail.includes(meant)], detail).toEqual([422, true, true]);
    }
    expect([server.memory.tasks.size, await server.files()]).toEqual([0, []]);
  });

  it('of a parameter of the page does no harm there', async () => {
    await using server = await startHttpServer();

    for (const path of ['/?utm_source=x', '/docs?x=1', '/docs/start.js?v=2'])
      expect((await fetch(server.url + path)).status).toBe(200);
  });
});

describe('a value that would have no effect is 422', () => {
  it.each([
    '/documents?limit=1&limit=2',
    '/tasks?status=failed&status=failed',
    '/search?q=a&q=b',
    '/search?q=a&mode=keyword&mode=vector',
  ])('a parameter given twice: %s', async (path) => {
    await using server = await startHttpServer();

    const answer = await fetch(server.url + path);

    expect([answer.status, (await json<Problem>(answer)).detail]).toEqual([
      422,
      expect.stringContaining('is given more than once'),
    ]);
  });

  it('a field of the form given twice, or in the address too', async () => {
    await using server = await startHttpServer();
    const form = fileForm('x', 'x.txt', { metadata: '{"a":1}' });
    form.append('metadata', '{"a":2}');
    const both = new FormData();
    both.append('callback_url', 'http://a.example/');
    both.append('file', new Blob(['x']), 'x.txt');

    const twice = await insert(server, 'd', form);
    const again = await fetch(`${server.url}/insert?doc_id=d&callback_url=http://b.example/`, { method: 'POST', body: both });

    expect([twice.status, again.status]).toEqual([422, 422]);
    expect((await json<Problem>(twice)).detail).toBe('metadata: is given more than once');
    expect((await json<Problem>(again)).detail).toBe('callback_url: is given more than once');
    expect(await server.files()).toEqual([]);
  });

  it('a body where none is read', async () => {
    await using server = await startHttpServer();
    await insert(server, 'kept', fileForm('x'));

    const answer = await fetch(`${server.url}/documents/kept`, { method: 'DELETE', body: '{"if":"old"}' });

    expect(answer.status).toBe(422);
    expect((await fetch(`${server.url}/documents/kept`)).status).toBe(200);
  });
});

describe('a first mistake is answered with what to do', () => {
  it.each([
    ['no doc_id', 'POST', '/insert', fileForm('x'), {}, 422, 'POST /insert?doc_id='],
    [
      'JSON instead of a file',
      'POST',
      '/insert?doc_id=a',
      '{"text":"hi"}',
      { 'content-type': 'application/json' },
      415,
      'curl -F file=@',
    ],
    ['a form without a boundary', 'POST', '/insert?doc_id=a', 'x', { 'content-type': 'multipart/form-data' }, 400, 'boundary'],
    ['a file field without a file', 'POST', '/insert?doc_id=a', textForm('file'), {}, 422, 'has no file name'],
    ['GET of what takes an upload', 'GET', '/insert?doc_id=a', undefined, {}, 405, 'use POST'],
    ['a form to PUT', 'PUT', '/documents/a', fileForm('x'), {}, 415, 'POST /insert'],
  ] as const)('%s', async (_what, method, path, body, headers, status, advice) => {
    await using server = await startHttpServer();

    const answer = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body }) });

    expect([answer.status, (await json<Problem>(answer)).detail]).toEqual([status, expect.stringContaining(advice)]);
  });

  it('a part of another name than "file"', async () => {
    await using server = await startHttpServer();
    const form = new FormData();
    form.append('files', new Blob(['x']), 'x.txt');

    expect((await json<Problem>(insert(server, 'a', form))).detail).toBe('Send the file in a part named `file`, not `files`.');
  });
});

describe('a byte order mark before JSON, as Windows PowerShell sends it', () => {
  it('is passed over in a body, a parameter and a field of a form, and in none of their values', async () => {
    await using server = await startHttpServer();
    const form = fileForm('x');
    form.set('metadata', '\ufeff{"year":2024}');
    await insert(server, 'a', form);
    const filters = '\ufeff{"type":"eq","key":"year","value":2024}';

    const found = await fetch(`${server.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: '\ufeff{"query":"x"}',
    });
    const listed = await fetch(`${server.url}/documents?filters=${encodeURIComponent(filters)}`);
    const twice = await fetch(`${server.url}/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '\ufeff\ufeff{"query":"x"}',
    });

    expect([found.status, listed.status, twice.status]).toEqual([200, 200, 400]);
    expect((await json<{ documents: { metadata: object }[] }>(listed)).documents.map(({ metadata }) => metadata)).toEqual([
      { year: 2024 },
    ]);
  });
});

describe('bytes that are not UTF-8', () => {
  it.each([
    '/documents/%ff',
    '/documents/%c0%af',
    '/documents/%ed%a0%80',
    '/documents?cursor=%ff',
    '/search?q=caf%e9',
    '/search?q=x&%fe=1',
  ])('become no other address, name or value: %s is 400', async (path) => {
    await using server = await startHttpServer();

    expect((await fetch(server.url + path)).status).toBe(400);
  });

  it('are refused in a field of a form', async () => {
    await using server = await startHttpServer();
    const form = new FormData();
    form.append('metadata', new Blob([Buffer.from('{"a":"\xe9"}', 'latin1')]));
    const body = Buffer.from(
      '--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"a":"\xe9"}\r\n' +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--b--\r\n',
      'latin1',
    );

    const answer = await fetch(`${server.url}/insert?doc_id=d`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body,
    });

    expect(answer.status).toBe(400);
    expect(server.memory.tasks.size).toBe(0);
  });
});

describe('a doc_id that no address can name', () => {
  it.each(['.', '..'])('%s is refused everywhere', async (docId) => {
    await using server = await startHttpServer();

    const insertion = await insert(server, docId, fileForm('x'));
    const found = await search(server, { query: 'x', doc_ids: [docId] });

    expect([insertion.status, found.status, (await fetch(`${server.url}/tasks?doc_id=${docId}`)).status]).toEqual([422, 422, 422]);
    expect((await insert(server, '...', fileForm('x'))).status).toBe(200);
  });
});

function textForm(name: string): FormData {
  const form = new FormData();
  form.append(name, 'text');
  return form;
}
