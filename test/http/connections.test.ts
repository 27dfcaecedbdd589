/** One answer at a time on every connection, one address for every thing, one host for every request. */
import { describe, expect, it } from 'vitest';
import { parseApiKeys } from '../../src/http/access/api-keys.ts';
import { eventually, rawConnection, rawRequest, startHttpServer, type TestServer } from '../support/http-server.ts';

const key = 'connection-key-0123456789';

/** Status and body of each answer that came over a connection, in order; `rest` is what belongs to none. */
function answersIn(text: string): { status: number; body: string }[] {
  const answers: { status: number; body: string }[] = [];
  let rest = text;
  while (rest !== '') {
    const head = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/.exec(rest);
    if (head === null) throw new Error(`no answer begins with ${JSON.stringify(rest.slice(0, 80))}`);
    const length = Number(/content-length: (\d+)/i.exec(head[0])?.[1] ?? 0);
    answers.push({ status: Number(head[1]), body: rest.slice(head[0].length, head[0].length + length) });
    rest = rest.slice(head[0].length + length);
  }
  return answers;
}

function statuses(text: string): number[] {
  return answersIn(text).map(({ status }) => status);
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const put = (docId: string, body: string, more = ''): string =>
  `PUT /documents/${docId} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
const upgrade = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

describe('what is no HTTP after a request', () => {
  it('is told so only when that request has been answered, and takes nothing from it [S52]', async () => {
    await using server = await startHttpServer();

    expect(statuses(await rawRequest(server.port, `${put('a', 'hello')} text`))).toEqual([200, 400]);
    expect((await fetch(`${server.url}/documents/a/content`)).status).toBe(200);
    expect(statuses(await rawRequest(server.port, `${get('/health')}${get('/ready')}JUNK JUNK\r\n\r\n`))).toEqual([200, 200, 400]);
  });

  it('never gets into an answer that is on its way [S52]', async () => {
    await using server = await startHttpServer({ settings: { syncBytesMax: 64 * 1024 * 1024 } });
    const text = 'some words here. '.repeat(500_000);
    expect((await fetch(`${server.url}/documents/big`, { method: 'PUT', body: text })).status).toBe(200);
    const { socket, received, closed } = await rawConnection(server.port);
    socket.write(get('/documents/big/file'));
    socket.pause();
    await eventually(() => server.log.some(({ fields }) => fields['path'] === '/documents/big/file'), 'the answer has begun');
    await new Promise<void>((resolve) => socket.write('JUNK JUNK\r\n\r\n', () => resolve()));
    // It has been read by the server once it has answered something that was sent later.
    await fetch(`${server.url}/health`);
    socket.resume();
    await closed;

    const answers = answersIn(received());
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers[0]!.body === text).toBe(true);
    expect(JSON.parse(answers[1]!.body)).toMatchObject({ code: 'bad_request', request_id: expect.any(String) });
  });

  it('is ignored after a request that was to be the last', async () => {
    await using server = await startHttpServer();

    for (const junk of ['\r\n', '\r\n\r\n', 'JUNK', get('/health')])
      expect(statuses(await rawRequest(server.port, put('a', 'hello', 'Connection: close\r\n') + junk))).toEqual([200]);
  });

  it('is a 400 to the request in whose body it is, after those before it', async () => {
    await using server = await startHttpServer();
    const chunked = 'Transfer-Encoding: chunked\r\n';
    const broken = `PUT /documents/a HTTP/1.1\r\nHost: a\r\n${chunked}\r\n5\r\nhello\r\nZZ\r\n`;
    const brokenJson = `POST /search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${chunked}\r\n5\r\n{"que\r\nZZ\r\n`;

    for (const body of [broken, brokenJson, brokenJson.replace('/search', '/nowhere')])
      expect(statuses(await rawRequest(server.port, get('/health') + body))).toEqual([200, 400]);
    expect(server.memory.tasks.size).toBe(0);
    expect(await server.files()).toEqual([]);
  });

  it('may follow line ends', async () => {
    await using server = await startHttpServer();

    expect(statuses(await rawRequest(server.port, `${put('a', 'hello')}\r\n${get('/health', 'Connection: close\r\n')}`))).toEqual([
      200, 200,
    ]);
  });
});

describe('a client that ends its side', () => {
  it('gets what it has asked for, and of what it has to wait for what there is', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const half = async (bytes: string): Promise<number[]> => {
      const { socket, received, closed } = await rawConnection(server.port);
      socket.end(bytes);
      await closed;
      return statuses(received());
    };

    expect(await half(get('/health'))).toEqual([200]);
    expect(await half(get('/health') + get('/ready'))).toEqual([200, 200]);
    expect(await half(put('a', 'hello'))).toEqual([202]);
    const [id] = [...server.memory.tasks.keys()];
    expect(await half(get(`/task/${id}?wait=60`))).toEqual([200]);
    expect(await half('GET /hea')).toEqual([400]);
    expect(await half(put('b', 'hello').slice(0, -2))).toEqual([400]);
    expect(server.memory.watchers()).toBe(1);
  });
});

describe('a request for another protocol', () => {
  it('is answered as if it had not asked, and so is what follows [S52]', async () => {
    await using server = await startHttpServer();
    const last = get('/health', 'Connection: close\r\n');

    expect(statuses(await rawRequest(server.port, get('/ready', upgrade) + last))).toEqual([200, 200]);
    expect(statuses(await rawRequest(server.port, put('a', 'hello', upgrade) + last))).toEqual([200, 200]);
    expect(
      statuses(await rawRequest(server.port, get('/ready') + put('b', 'hello', upgrade) + put('c', 'x', upgrade) + last)),
    ).toEqual([200, 200, 200, 200]);
    expect(await (await fetch(`${server.url}/documents/b/content`)).text()).toBe('hello');
    expect(
      statuses(await rawRequest(server.port, get('/ready', 'Connection: close, Upgrade\r\nUpgrade: websocket\r\n') + last)),
    ).toEqual([200]);
  });

  it('may send its body later, and wait to be told to', async () => {
    await using server = await startHttpServer();
    const { socket, received, closed } = await rawConnection(server.port);
    socket.write(put('a', 'hello', `${upgrade}Expect: 100-continue\r\n`).slice(0, -5));
    await eventually(() => received().startsWith('HTTP/1.1 100 Continue'), '100 Continue');
    socket.write(`hello${get('/health', 'Connection: close\r\n')}`);
    await closed;

    expect(statuses(received())).toEqual([100, 200, 200]);
  });

  it('gets no tunnel, and a problem that says so', async () => {
    await using server = await startHttpServer();

    const answers = answersIn(await rawRequest(server.port, `${get('/health')}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`));

    expect(answers.map(({ status }) => status)).toEqual([200, 405]);
    expect(JSON.parse(answers[1]!.body)).toMatchObject({ code: 'method_not_allowed' });
  });

  it('or for a behaviour that is not known gets 417', async () => {
    await using server = await startHttpServer();

    const answers = answersIn(await rawRequest(server.port, put('a', 'x', 'Expect: the-impossible\r\nConnection: close\r\n')));

    expect(answers).toMatchObject([{ status: 417, body: expect.stringContaining('"code":"expectation_failed"') }]);
  });
});

describe('one address for one thing [S51]', () => {
  /** Every way to write a path that some reader takes for the same. */
  function variants(path: string): string[] {
    const letter = path.search(/[a-z]/);
    const encoded = `%${path.charCodeAt(letter).toString(16)}`;
    return [
      path.toUpperCase(),
      path.slice(0, letter) + path[letter]!.toUpperCase() + path.slice(letter + 1),
      `${path}/`,
      `/${path}`,
      `/.${path}`,
      `/x/..${path}`,
      `/%2e${path}`,
      `/x/%2e%2e${path}`,
      path.slice(0, letter) + encoded + path.slice(letter + 1),
      path.slice(0, letter) + encoded.replace('%', '%25') + path.slice(letter + 1),
      `%2f${path.slice(1)}`,
      `${path}%2f`,
      `${path}%00`,
      `${path}%20`,
      `${path};a=b`,
      `${path}#fragment`,
      `\\${path.slice(1)}`,
      `${path}\\`,
      `http://b.example${path}`,
    ];
  }

  it('every other way to write a route’s path is not found, or no address', async () => {
    await using server = await startHttpServer();
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const fixed = [...Object.keys(paths), '/docs', '/openapi.json'].filter((path) => !path.includes('{'));
    expect(fixed.length).toBeGreaterThan(12);
    const answered: string[] = [];
    for (const path of fixed)
      for (const variant of variants(path)) {
        const answer = await rawRequest(server.port, get(variant, 'Connection: close\r\n'));
        if (![400, 404].includes(statuses(answer)[0]!)) answered.push(variant);
      }

    expect(answered).toEqual([]);
  });

  it('below a prefix too', async () => {
    await using server = await startHttpServer({ settings: { basePath: '/rag' } });
    const status = async (path: string): Promise<number | undefined> =>
      statuses(await rawRequest(server.port, get(path, 'Connection: close\r\n')))[0];

    expect(await Promise.all(['/rag/health', '/health', '/rag', '/rag/'].map(status))).toEqual([200, 200, 200, 200]);
    expect(
      await Promise.all(['/RAG/health', '/rag//health', '/rag/rag/health', '/rag/health/', '/rag%2fhealth'].map(status)),
    ).toEqual(Array(5).fill(404));
  });

  it('names are decoded once', async () => {
    await using server = await startHttpServer();
    await fetch(`${server.url}/documents/a%252Fb`, { method: 'PUT', body: 'once' });

    expect((await fetch(`${server.url}/documents/a%2Fb`)).status).toBe(404);
    expect(await (await fetch(`${server.url}/documents/a%252Fb`)).json()).toMatchObject({ doc_id: 'a%2Fb' });
  });
});

describe('the host of a request [S51]', () => {
  it.each([
    ['none', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['two', 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['two alike', 'GET /health HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n', 400],
    ['another in the address', 'GET http://b/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['the same in the address', 'GET http://A/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 200],
    ['none in HTTP/1.0', 'GET /health HTTP/1.0\r\n\r\n', 200],
  ])('is one: %s', async (_name, bytes, status) => {
    await using server = await startHttpServer();
    const { socket, received } = await rawConnection(server.port);
    socket.write(bytes);
    await eventually(() => received().endsWith('}'), 'the answer');
    socket.destroy();

    const [answer] = answersIn(received());
    expect(answer!.status).toBe(status);
    if (status === 400) expect(JSON.parse(answer!.body)).toMatchObject({ code: 'bad_request' });
  });
});

describe('the places for MCP', () => {
  it('are taken by requests that have come in, and by no other: unfinished ones keep nobody out [S50]', async () => {
    const server: TestServer = await startMcp();
    const call = `POST /mcp HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{`;
    const unfinished = await Promise.all(Array.from({ length: 300 }, () => rawConnection(server.port)));
    for (const { socket } of unfinished) socket.write(call);

    const answer = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });

    expect(answer.status).toBe(200);
    for (const { socket } of unfinished) socket.destroy();
    await server[Symbol.asyncDispose]();
  });

  async function startMcp(): Promise<TestServer> {
    const { optionalRoutes } = await import('../support/optional-routes.ts');
    return startHttpServer({ settings: { apiKeys: parseApiKeys(`me:read:${key}`) }, extraRoutes: await optionalRoutes() });
  }
});

describe('the places of those who wait for a task', () => {
  it('are each client’s own; one more is answered at once with what there is', async () => {
    const limits = { waitsPerClientMax: 1, waitsMax: 2 };
    const settings = { trustedProxies: ['127.0.0.0/8'] };
    await using server = await startHttpServer({ limits, settings, memory: { ingest: () => {} } });
    const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
    const upload = (docId: string, address: string): Promise<Response> =>
      fetch(`${server.url}/documents/${docId}`, { method: 'PUT', body: 'text', headers: from(address) });
    const before = server.memory.watchers();
    const waiting = upload('a', '192.0.2.1');
    await eventually(() => server.memory.watchers() === before + 1, 'the first waits');
    const [id] = [...server.memory.tasks.keys()];

    expect((await upload('b', '192.0.2.1')).status).toBe(202);
    const asked = await fetch(`${server.url}/task/${id}?wait=60`, { headers: from('192.0.2.1') });
    expect(await asked.json()).toMatchObject({ status: 'pending' });
    const other = upload('c', '192.0.2.2');
    await eventually(() => server.memory.watchers() === before + 2, 'another client waits');

    for (const task of server.memory.tasks.keys()) await server.memory.finish(task);
    expect([(await waiting).status, (await other).status]).toEqual([200, 200]);
  });
});
