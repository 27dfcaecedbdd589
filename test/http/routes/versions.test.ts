/** Preconditions and ranges (RFC 9110 §13, §14): nobody overwrites or removes what they do not know, and parts come of one version. */
import { describe, expect, it } from 'vitest';
import { fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';

type Headers = Record<string, string>;

const ask = (server: TestServer, path: string, headers: Headers = {}, method = 'GET'): Promise<Response> =>
  fetch(server.url + path, { method, headers });

const put = (server: TestServer, docId: string, body: string, headers: Headers = {}): Promise<Response> =>
  fetch(`${server.url}/documents/${docId}`, { method: 'PUT', body, headers });

async function etagOf(server: TestServer, path: string): Promise<string> {
  return (await ask(server, path)).headers.get('etag')!;
}

const later = new Date(Date.now() + 60_000).toUTCString();
const earlier = 'Sun, 06 Nov 1994 08:49:37 GMT';

describe('a document that was stored while a clock was ahead', () => {
  it('has no Last-Modified that is later than the answer, and the ETag tells its versions apart', async () => {
    await using server = await startHttpServer({ memory: { now: () => new Date(Date.now() + 86_400_000).toISOString() } });
    await insert(server, 'd', fileForm('0123456789'));

    const answer = await ask(server, '/documents/d');

    expect([answer.status, answer.headers.get('last-modified')]).toEqual([200, null]);
    expect((await ask(server, '/documents/d', { 'if-none-match': answer.headers.get('etag')! })).status).toBe(304);
  });
});

describe('a read with a precondition', () => {
  it.each(['/documents/d', '/documents/d/content', '/documents/d/file'])(
    '%s is 304, 412 or whole, as RFC 9110 §13.2.2 orders it',
    async (path) => {
      await using server = await startHttpServer();
      await insert(server, 'd', fileForm('0123456789'));
      const etag = await etagOf(server, path);
      const modified = (await ask(server, path)).headers.get('last-modified')!;

      const answers: [Headers, number][] = [
        [{ 'if-none-match': etag }, 304],
        [{ 'if-none-match': `"other", W/${etag}` }, 304],
        [{ 'if-none-match': '*' }, 304],
        [{ 'if-none-match': '"other"' }, 200],
        [{ 'if-none-match': '"other"', 'if-modified-since': later }, 200],
        [{ 'if-modified-since': modified }, 304],
        [{ 'if-modified-since': later }, 304],
        [{ 'if-modified-since': earlier }, 200],
        [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 200],
        [{ 'if-modified-since': 'Sun Nov  6 08:49:37 1994' }, 200],
        [{ 'if-modified-since': 'tomorrow' }, 200],
        [{ 'if-match': etag }, 200],
        [{ 'if-match': '*' }, 200],
        [{ 'if-match': `W/${etag}` }, 412],
        [{ 'if-match': '"other"' }, 412],
        [{ 'if-match': '"other"', 'if-none-match': etag }, 412],
        [{ 'if-unmodified-since': earlier }, 412],
        [{ 'if-unmodified-since': later }, 200],
        [{ 'if-unmodified-since': 'never' }, 200],
        [{ 'if-match': etag, 'if-unmodified-since': earlier }, 200],
      ];
      for (const [headers, status] of answers) {
        expect((await ask(server, path, headers)).status, JSON.stringify(headers)).toBe(status);
        expect((await ask(server, path, headers, 'HEAD')).status, `HEAD ${JSON.stringify(headers)}`).toBe(status);
      }
    },
  );

  it('of a task is 304 for the state that is known, and 412 for another', async () => {
    await using server = await startHttpServer();
    const { task_id: id } = await json(insert(server, 'd', fileForm('x')));
    const etag = await etagOf(server, `/task/${id}`);

    const statuses = [{ 'if-none-match': etag }, { 'if-match': etag }, { 'if-match': '"other"' }].map(
      async (headers) => (await ask(server, `/task/${id}`, headers as Headers)).status,
    );
    expect(await Promise.all(statuses)).toEqual([304, 200, 412]);
  });

  it('of what has no versions is 412 for a certain one', async () => {
    await using server = await startHttpServer();
    const statuses = ['/health', '/tasks', '/search?q=x', '/openapi.json'].map(async (path) => [
      (await ask(server, path, { 'if-match': '"v1"' })).status,
      (await ask(server, path, { 'if-match': '*', 'if-none-match': '"v1"', 'if-modified-since': later })).status,
    ]);

    expect(await Promise.all(statuses)).toEqual([
      [412, 200],
      [412, 200],
      [412, 200],
      [412, 200],
    ]);
  });
});

describe('a change with a precondition', () => {
  it('is made of the version that is meant, and of no other', async () => {
    await using server = await startHttpServer();
    const first = await put(server, 'd', 'first', { 'if-none-match': '*' });
    const again = await put(server, 'd', 'other', { 'if-none-match': '*' });
    const etag = await etagOf(server, '/documents/d');
    const second = await put(server, 'd', 'second', { 'if-match': etag });
    const stale = await put(server, 'd', 'stale', { 'if-match': etag });
    const form = await insert(server, 'd', fileForm('stale'), { 'if-match': etag });
    const old = await put(server, 'd', 'old', { 'if-unmodified-since': earlier });
    const missing = await put(server, 'nothing', 'x', { 'if-match': '*' });

    const statuses = [first, again, second, stale, form, old, missing].map(({ status }) => status);
    expect(statuses).toEqual([200, 412, 200, 412, 412, 412, 412]);
    expect(await (await ask(server, '/documents/d/file')).text()).toBe('second');
    expect(await server.files()).toHaveLength(2);
  });

  it('lets one of many win that all want to be the first', async () => {
    await using server = await startHttpServer();

    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => put(server, 'd', `text ${index}`, { 'if-none-match': '*' })),
    );

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toEqual([200]);
    expect(statuses.filter((status) => status === 409 || status === 412)).toHaveLength(7);
    expect(server.memory.tasks.size).toBe(1);
  });

  it('is 412 while an upload is on its way that its client cannot know of', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    await put(server, 'd', 'waits', { prefer: 'respond-async' });

    expect((await put(server, 'd', 'x', { 'if-none-match': '*' })).status).toBe(412);
  });

  it('that is repeated under its Idempotency-Key is answered as the first time', async () => {
    await using server = await startHttpServer();
    const headers = { 'if-none-match': '*', 'idempotency-key': 'k-1' };

    const first = await json(put(server, 'd', 'text', headers));
    const again = await put(server, 'd', 'text', headers);

    expect([again.status, again.headers.get('idempotency-replayed'), (await json(again)).task_id]).toEqual([
      200,
      'true',
      first.task_id,
    ]);
  });

  it('removes and cancels only what is as it was known', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const { task_id: id } = await json(put(server, 'd', 'x', { prefer: 'respond-async' }));
    const known = await etagOf(server, `/task/${id}`);
    await server.memory.finish(id as never);
    const statuses = [
      await ask(server, `/task/${id}`, { 'if-match': known }, 'DELETE'),
      await ask(server, `/task/${id}/retry`, { 'if-match': known }, 'POST'),
      await ask(server, '/documents/d', { 'if-match': '"other"' }, 'DELETE'),
      await ask(server, '/documents/d', { 'if-match': await etagOf(server, '/documents/d') }, 'DELETE'),
    ].map(({ status }) => status);

    expect(statuses).toEqual([412, 412, 412, 200]);
  });
});

describe('a range', () => {
  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
    ['BYTES=9-9', 206, '9', 'bytes 9-9/10'],
    ['bytes=10-', 416, null, 'bytes */10'],
    ['bytes=-0', 416, null, 'bytes */10'],
    ['bytes=99999999999999-', 416, null, 'bytes */10'],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=-', 200, '0123456789', null],
    ['bytes=a-b', 200, '0123456789', null],
    ['pages=1-2', 200, '0123456789', null],
    ['bytes=0-0,5-5', 200, '0123456789', null],
  ])('%s of a file and of its text is %i', async (range, status, text, contentRange) => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('0123456789'));

    for (const path of ['/documents/d/file', '/documents/d/content']) {
      const answer = await ask(server, path, { range });
      const got = [answer.status, answer.headers.get('content-range')];
      expect(got, path).toEqual([status, contentRange]);
      if (text === null) expect(answer.headers.get('content-type')).toBe('application/problem+json');
      else expect([await answer.text(), answer.headers.get('content-length')]).toEqual([text, String(text.length)]);
      expect(answer.headers.get('accept-ranges')).toBe('bytes');
    }
  });

  it('is of the version that If-Range names, and everything of another', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('0123456789'));
    const whole = await ask(server, '/documents/d/file');
    const range = 'bytes=0-0';

    const answers: [string, number][] = [
      [whole.headers.get('etag')!, 206],
      [whole.headers.get('last-modified')!, 206],
      ['"other"', 200],
      [`W/${whole.headers.get('etag')!}`, 200],
      [later, 200],
    ];
    for (const [wanted, status] of answers)
      expect((await ask(server, '/documents/d/file', { range, 'if-range': wanted })).status, wanted).toBe(status);
  });

  it('comes after preconditions, and is not regarded for HEAD or where there are none', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('0123456789'));
    const etag = await etagOf(server, '/documents/d/file');
    const range = 'bytes=50-';
    const answers = await Promise.all([
      ask(server, '/documents/d/file', { range, 'if-none-match': etag }),
      ask(server, '/documents/d/file', { range, 'if-match': '"other"' }),
      ask(server, '/documents/d/file', { range }, 'HEAD'),
      ask(server, '/documents/d', { range }),
    ]);

    expect(answers.map(({ status }) => status)).toEqual([304, 412, 200, 200]);
    expect(answers[2].headers.get('content-length')).toBe('10');
  });
});
