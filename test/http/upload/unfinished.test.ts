/**
 * Requests that are not finished, on every route of the table and beside it, with and without a key: each has a time to come in, and
 * meanwhile everybody else is answered.
 */
import { describe, expect, it } from 'vitest';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { defaultHttpLimits, type HttpLimits } from '../../../src/http/http-settings.ts';
import { answering, optionalRoutes } from '../../support/optional-routes.ts';
import { eventually, rawConnection, rawRequest, startHttpServer, type TestServer } from '../../support/http-server.ts';

const key = 'unfinished-key-0123456789';
const limits = { headersMs: 400, bodyMs: 400, transferWindowMs: 400 };

/** The status of each answer that came over a connection. */
function statusesOf(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

async function start(more: Partial<HttpLimits> = {}): Promise<TestServer> {
  return startHttpServer({
    settings: { apiKeys: parseApiKeys(`me:admin:${key}`) },
    limits: { ...limits, ...more },
    extraRoutes: await optionalRoutes({ ...defaultHttpLimits, ...limits }),
    services: answering,
  });
}

/** Every route that there is, and some that are not. */
async function addresses(server: TestServer): Promise<readonly (readonly [method: string, path: string])[]> {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
  const known = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'unknown')] as const),
  );
  return [...known, ['GET', '/'], ['GET', '/openapi.json'], ['GET', '/assets/none.js'], ['POST', '/nowhere'], ['PATCH', '/health']];
}

type Unfinished = { readonly name: string; readonly head: string; readonly after: string; readonly dribbles: boolean };

const kinds: readonly Unfinished[] = [
  { name: 'no body', head: 'Content-Length: 100\r\n\r\n', after: '', dribbles: false },
  { name: 'a body in dribbles', head: 'Content-Length: 60000\r\n\r\n', after: '', dribbles: true },
  { name: 'an unfinished chunk', head: 'Transfer-Encoding: chunked\r\n\r\n5\r\nab', after: '', dribbles: false },
  { name: 'chunks without an end', head: 'Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n', after: '', dribbles: false },
  { name: 'half a header', head: 'X-Half: ', after: '', dribbles: true },
];

describe('a request that does not come in', () => {
  it('gets 408 and is ended, on every route and beside them, while others are answered [S50]', async () => {
    await using server = await start();
    const asked: { what: string; connection: Awaited<ReturnType<typeof rawConnection>> }[] = [];
    const dribblers: (() => void)[] = [];
    for (const [method, path] of await addresses(server)) {
      for (const authorization of ['', `Authorization: Bearer ${key}\r\n`])
        for (const { name, head, dribbles } of kinds) {
          const connection = await rawConnection(server.port);
          const type = path === '/insert' ? 'multipart/form-data; boundary=b' : 'application/json';
          connection.socket.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${authorization}Content-Type: ${type}\r\n${head}`);
          asked.push({ what: `${method} ${path} ${authorization === '' ? 'without a key' : 'with one'}: ${name}`, connection });
          if (dribbles) dribblers.push(() => connection.socket.write(' '));
        }
    }
    const dribbling = setInterval(() => dribblers.forEach((send) => send()), 50);
    const open = new Set(asked);
    for (const one of asked) void one.connection.closed.then(() => open.delete(one));

    while (open.size > 0) expect((await fetch(`${server.url}/health`)).status).toBe(200);
    clearInterval(dribbling);

    expect(asked.length).toBeGreaterThan(300);
    const others = asked.filter(({ connection }) => String(statusesOf(connection.received())) !== '408');
    expect(others.map(({ what, connection }) => `${what}: ${connection.received().slice(0, 40)}`)).toEqual([]);
    // Interfaces of others have problems of their own shape.
    for (const { connection } of asked) expect(connection.received()).toMatch(/application\/problem\+json|"error_msg"|"error":\{/);
  });

  it('gets 408 after what was asked before it has been answered', async () => {
    await using server = await start();

    const half = await rawRequest(server.port, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHo');
    const body = await rawRequest(
      server.port,
      'GET /health HTTP/1.1\r\nHost: a\r\n\r\nPOST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{',
    );

    expect([statusesOf(half), statusesOf(body)]).toEqual([
      [200, 408],
      [200, 408],
    ]);
  });

  it('is told once whether its body is wanted, and not waited for where it is not', async () => {
    await using server = await start();
    const expecting = (line: string, more = ''): Promise<string> =>
      rawRequest(server.port, `${line} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n${more}\r\n`);

    const json = 'Content-Type: application/json\r\n';
    expect(statusesOf(await expecting('POST /login', json))).toEqual([100, 408]);
    expect(statusesOf(await expecting('PUT /documents/d', `X-API-Key: ${key}\r\n`))).toEqual([100, 408]);
    expect(statusesOf(await expecting('GET /health'))).toEqual([422]);
    expect(statusesOf(await expecting('PUT /documents/d'))).toEqual([401]);
    expect(statusesOf(await expecting('POST /nowhere'))).toEqual([404]);
  });

  it('of a file may take as long as it likes while enough of it comes', async () => {
    // A window that a busy machine cannot sleep through.
    await using server = await start({ transferBytesMin: 1, transferWindowMs: 10_000 });
    const { socket, received } = await rawConnection(server.port);
    socket.write(`PUT /documents/d HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nContent-Length: 80000\r\n\r\n`);
    // Far longer than a body that is no file may take.
    for (let sent = 0; sent < 80_000; sent += 2000) {
      socket.write(Buffer.alloc(2000, 'text '));
      await new Promise((resolve) => setTimeout(resolve, 2.5 * (limits.bodyMs / 10)));
      if (statusesOf(received()).length > 0) break;
    }
    await eventually(() => statusesOf(received()).length > 0, 'an answer');

    expect(statusesOf(received())).toEqual([200]);
    socket.destroy();
  });

  it('gives way to a new one when there are too many, the one that has waited longest first', async () => {
    const few = { ...limits, headersMs: 60_000, bodyMs: 60_000, unreadMs: 60_000, connectionsMax: 20 };
    await using server = await startHttpServer({ limits: few });
    const heads = [
      'GET /health HTTP/1.1\r\nHo',
      'POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Type: application/json\r\n\r\n{',
      '',
    ];
    const held = [];
    for (let count = 0; count < 60; count += 1) {
      const connection = await rawConnection(server.port);
      connection.socket.write(heads[count % heads.length]!);
      held.push(connection);
      expect((await fetch(`${server.url}/health`, { headers: { connection: 'close' } })).status).toBe(200);
    }

    await Promise.all(held.slice(0, 30).map(({ closed }) => closed));
    // A connection on which nothing was asked is told nothing.
    const told = held.slice(0, 30).map(({ received }) => String(statusesOf(received())));
    expect(told).toEqual(Array(10).fill(['408', '408', '']).flat());
    for (const { socket } of held) socket.destroy();
  });
});

describe('an answer that nobody reads', () => {
  it('is given up with its connection, and its document closed [S50]', async () => {
    await using server = await start({ unreadMs: 1500 });
    const text = 'words '.repeat(5_000_000);
    const headers = { 'x-api-key': key };
    expect((await fetch(`${server.url}/documents/d`, { method: 'PUT', body: text, headers })).status).toBe(202);
    await eventually(async () => (await fetch(`${server.url}/documents/d`, { headers })).status === 200, 'the document');
    const { socket, closed } = await rawConnection(server.port);
    socket.pause();
    socket.write(`GET /documents/d/file HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\n\r\n`);
    let received = 0;
    await eventually(() => server.log.some(({ fields }) => fields['path'] === '/documents/d/file'), 'the answer has begun');
    await eventually(() => server.log.some(({ sentence }) => sentence === 'response interrupted'), 'it is given up');

    socket.removeAllListeners('data');
    socket.on('data', (bytes) => (received += bytes.length)).resume();
    await closed;
    expect(received).toBeLessThan(text.length);
  });
});
