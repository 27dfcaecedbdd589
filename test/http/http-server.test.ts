/** The server around the routes: its limits, its start and its stop. */
import { describe, expect, it } from 'vitest';
import type { TaskId } from '../../src/tasks/task.ts';
import { eventually, fileForm, insert, json, rawConnection, rawRequest, startHttpServer } from '../support/http-server.ts';

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe('what is not proper HTTP', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['a method that is not known', 'FOO /documents HTTP/1.1\r\nHost: a\r\n\r\n', 501],
    [
      'both Content-Length and Transfer-Encoding',
      'POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['two Content-Lengths', 'POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n', 400],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n', 400],
    ['a header name with a blank', 'GET /health HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['a bare line feed in a chunk', 'POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\n', 400],
    ['17 KB of headers', `GET /health HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['no Host', 'GET /health HTTP/1.1\r\n\r\n', 400],
  ])('is refused: %s [S31]', async (_name, bytes, status) => {
    await using server = await startHttpServer();

    const answer = await rawRequest(server.port, bytes);

    expect(statusOf(answer)).toBe(status);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });

  it('says which methods there are where one is not known, also after a request that was answered', async () => {
    await using server = await startHttpServer();
    const request = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';

    const answer = await rawRequest(server.port, `${request}FOO /documents HTTP/1.1\r\nHost: a\r\n\r\n`);

    expect(answer).toContain('HTTP/1.1 501 Unknown method');
    expect(answer).toContain('This method is not supported; use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.');
  });

  it('gets a problem document with security headers and a closed connection', async () => {
    await using server = await startHttpServer();

    const answer = await rawRequest(server.port, 'nonsense\r\n\r\n');

    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toMatch(/content-security-policy: default-src 'none'/i);
    expect(answer).toMatch(/connection: close/i);
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400, code: 'bad_request' });
  });
});

describe('a client that dawdles [S32]', () => {
  it('gets 408 when its headers do not come in time, while others are answered', async () => {
    await using server = await startHttpServer({ limits: { headersMs: 300 } });
    const dribblers = await Promise.all(Array.from({ length: 20 }, () => rawConnection(server.port)));
    for (const { socket } of dribblers) socket.write('GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ');

    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await Promise.all(dribblers.map(({ closed }) => closed));

    for (const { received } of dribblers) expect(statusOf(received())).toBe(408);
  });

  it('does not keep others out: 500 idle connections, and the next one is answered', async () => {
    await using server = await startHttpServer();
    const idle = await Promise.all(Array.from({ length: 500 }, () => rawConnection(server.port)));

    expect((await fetch(`${server.url}/health`)).status).toBe(200);

    for (const { socket } of idle) socket.destroy();
    await Promise.all(idle.map(({ closed }) => closed));
  });
});

describe('a request for something unknown', () => {
  it('gets 404, also when it has a body', async () => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
    expect((await fetch(`${server.url}/nowhere`, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(404);
  });
});

describe('a client that asks first (Expect: 100-continue)', () => {
  it('is told to go on where a body is wanted, whatever the route', async () => {
    await using server = await startHttpServer();
    const { socket, received, closed } = await rawConnection(server.port);
    socket.write(
      'POST /search HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n',
    );
    await eventually(() => received().startsWith('HTTP/1.1 100 Continue'), '100 Continue');

    socket.write('{"query":"x"}');
    await closed;

    expect(received()).toContain('HTTP/1.1 200 OK');
  });
});

describe('stopping', () => {
  it('answers those who wait with what there is: a sync upload with its 202, a waiting GET with the task', async () => {
    const server = await startHttpServer({ memory: { ingest: () => {} } });
    const upload = insert(server, 'd', fileForm('x'));
    const id = await eventually(() => [...server.memory.tasks.keys()][0], 'the task');
    const waiting = fetch(`${server.url}/task/${id}?wait=60`);
    await eventually(() => server.memory.watchers() === 3, 'both wait');

    await server.server.close(60_000);

    expect((await upload).status).toBe(202);
    expect((await json(waiting)).status).toBe('pending');
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
    await server[Symbol.asyncDispose]();
  });

  it('cuts off what has not ended within its time', async () => {
    const server = await startHttpServer();
    const { socket, closed } = await rawConnection(server.port);
    socket.write('PUT /documents/d HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
    await eventually(async () => (await server.files()).length === 1, 'the upload has begun');

    await server.server.close(50);
    await closed;

    await eventually(async () => (await server.files()).length === 0, 'nothing is left of it');
    await server[Symbol.asyncDispose]();
  });

  it('may be done twice, and before anything was started', async () => {
    const server = await startHttpServer();

    await server.server.close(10);
    await server.server.close(10);
    await server[Symbol.asyncDispose]();
  });
});

describe('many at once', () => {
  it('each get their own task and their own answer', async () => {
    await using server = await startHttpServer();
    const names = Array.from({ length: 64 }, (_, index) => `报告 ${index}.txt`);

    const records = await Promise.all(names.map((name) => json(insert(server, name, fileForm(`text of ${name}`, name)))));

    expect(records.map(({ filename }) => filename)).toEqual(names);
    expect(new Set(records.map(({ task_id: id }) => id as TaskId)).size).toBe(64);
    expect(await server.files()).toHaveLength(64);
  });
});
