/** Metadata comes with every way of inserting, stays until it is replaced or cleared, and can be changed without another upload. */
import { describe, expect, it } from 'vitest';
import { fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';

type Document = { metadata: object | null; title: string | null; filename: string };
type Problem = { status: number; detail: string };

const put = (server: TestServer, docId: string, text: string, query = ''): Promise<Response> =>
  fetch(`${server.url}/documents/${docId}${query}`, { method: 'PUT', body: text });
const documentOf = async (server: TestServer, docId: string): Promise<Document> =>
  json<Document>(fetch(`${server.url}/documents/${docId}`));
const patch = (server: TestServer, docId: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/documents/${docId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json', ...headers },
    body: JSON.stringify(body),
  });
const asQuery = (metadata: unknown): string => `?metadata=${encodeURIComponent(JSON.stringify(metadata))}`;

describe('metadata', () => {
  it('comes as a form field or in the address, and is in the task, the record, the list and every hit', async () => {
    await using server = await startHttpServer();
    const given = { dept: 'hr', year: 2026, tags: ['a', 1, true, null], 部门: '研发' };

    const inserted = await json<Document>(
      insert(server, 'form', fileForm('holidays one', 'x.txt', { metadata: JSON.stringify(given) })),
    );
    await put(server, 'raw', 'holidays two', asQuery(given));
    const list = await json<{ documents: Document[] }>(fetch(`${server.url}/documents`));
    const { hits } = await json<{ hits: { citation: { metadata: object } }[] }>(fetch(`${server.url}/search?q=holidays`));

    expect([inserted, await documentOf(server, 'raw'), ...list.documents].map(({ metadata }) => metadata)).toEqual(
      Array.from({ length: 4 }, () => given),
    );
    expect(hits.map(({ citation }) => citation.metadata)).toEqual([given, given]);
  });

  it('stays when an upload says nothing of it, is replaced by another, and cleared by null', async () => {
    await using server = await startHttpServer();
    await put(server, 'd', 'one', asQuery({ a: 1 }));

    const states: (object | null)[] = [];
    for (const upload of [
      () => put(server, 'd', 'two'),
      () => insert(server, 'd', fileForm('three')),
      () => put(server, 'd', 'four', asQuery({ b: 2 })),
      () => insert(server, 'd', fileForm('five', 'x.txt', { metadata: 'null' })),
    ]) {
      const answered = await json<Document>(upload());
      states.push(answered.metadata, (await documentOf(server, 'd')).metadata);
    }

    expect(states).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }, { a: 1 }, { b: 2 }, { b: 2 }, null, null]);
  });

  it.each([
    ['[1]', 'must be a JSON object'],
    ['{"a":{"b":1}}', '"a": is an object'],
    ['{"a":[[1]]}', '"a": in an array: must be a string'],
    ['{"n":9007199254740993}', 'write it as a string'],
    ['{"n":1e400}', 'write it as a string'],
    ['{"s":"\\ud800"}', 'lone surrogate'],
    ['{"\\udc00":1}', 'lone surrogate'],
    ['{"$x":1}', 'begins with $'],
    ['{"":1}', 'needs a name'],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, 1]))), 'give 64 at most'],
    [JSON.stringify({ a: '界'.repeat(5500) }), '16384 at most'],
  ])('that cannot be kept is refused with what to do, and nothing is stored: %.40s', async (text, sentence) => {
    await using server = await startHttpServer();

    const inForm = await insert(server, 'd', fileForm('x', 'x.txt', { metadata: text }));
    const problem = await json<Problem>(inForm);

    expect([inForm.status, problem.detail.startsWith('metadata: '), problem.detail.includes(sentence)], problem.detail).toEqual([
      422,
      true,
      true,
    ]);
    if (text.length < 4000) expect((await put(server, 'd', 'x', `?metadata=${encodeURIComponent(text)}`)).status).toBe(422);
    expect([server.memory.tasks.size, await server.files()]).toEqual([0, []]);
  });

  it('of 16 KiB and 64 members is taken', async () => {
    await using server = await startHttpServer();
    const given = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`member ${i}`, 'x'.repeat(230)]));

    const { metadata } = await json<Document>(insert(server, 'd', fileForm('x', 'x.txt', { metadata: JSON.stringify(given) })));

    expect(metadata).toEqual(given);
  });

  it('given in the form and in the address is refused', async () => {
    await using server = await startHttpServer();

    const answer = await fetch(`${server.url}/insert?doc_id=d&metadata=%7B%7D`, {
      method: 'POST',
      body: fileForm('x', 'x.txt', { metadata: '{}' }),
    });

    expect([answer.status, (await json<Problem>(answer)).detail]).toEqual([422, 'metadata: is given more than once']);
  });
});

describe('PATCH /documents/{doc_id}', () => {
  it('merges metadata, title and file name, and the record, the list and the hits say so', async () => {
    await using server = await startHttpServer();
    await put(server, 'd', 'holidays', asQuery({ a: 1, b: 2 }));

    const answer = await patch(server, 'd', { metadata: { a: null, c: ['x'] }, title: '标题', filename: '新.txt' });
    const changed = await json<Document>(answer);
    const { hits } = await json<{ hits: { citation: Document }[] }>(fetch(`${server.url}/search?q=holidays`));

    expect(changed).toMatchObject({ metadata: { b: 2, c: ['x'] }, title: '标题', filename: '新.txt' });
    expect(await documentOf(server, 'd')).toEqual(changed);
    expect(hits[0]!.citation).toMatchObject({ metadata: { b: 2, c: ['x'] }, title: '标题', filename: '新.txt' });
    expect(await json(patch(server, 'd', { metadata: null, title: null }))).toMatchObject({ metadata: null, title: null });
    expect(await json(patch(server, 'd', {}))).toMatchObject({ metadata: null, filename: '新.txt' });
  });

  it('refuses what is no patch, an unknown document, and a version that is not there any more', async () => {
    await using server = await startHttpServer();
    await put(server, 'd', 'x');
    const { headers } = await fetch(`${server.url}/documents/d`);
    const etag = headers.get('etag')!;

    expect((await patch(server, 'none', { metadata: {} })).status).toBe(404);
    for (const [body, sentence] of [
      [{ metadata: { a: { b: 1 } } }, 'metadata: "a": is an object'],
      [{ metadata: [1] }, 'metadata: '],
      [{ filename: null }, 'filename: '],
      [{ titel: 'x' }, 'did you mean `title`'],
      [{ metadata: { a: 'x'.repeat(17_000) } }, '16384 at most'],
    ] as const) {
      const answer = await patch(server, 'd', body);
      const { detail } = await json<Problem>(answer);
      expect([answer.status, detail.includes(sentence)], detail).toEqual([422, true]);
    }
    expect((await patch(server, 'd', { title: 'one' }, { 'if-match': etag })).status).toBe(200);
    expect((await patch(server, 'd', { title: 'two' }, { 'if-match': etag })).status).toBe(412);
    expect((await patch(server, 'd', { title: 'x' }, { 'content-type': 'text/plain' })).status).toBe(415);
  });
});
