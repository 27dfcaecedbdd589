/**
 * What holds for every route there is: read off the description of a real server with everything switched on, so that a new
 * route cannot be forgotten. The numbers in brackets are those of the security checklist.
 */
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../../support/server.ts';

const keys = {
  reader: 'reader-key-0123456789',
  writer: 'writer-key-0123456789',
  other: 'other-key-0123456789x',
  admin: 'admin-key-0123456789x',
};
const levels = ['public', 'read', 'write', 'admin'];
const unknownTask = '0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b';

type Described = {
  name: string;
  method: string;
  path: string;
  scope: string;
  json: boolean;
  takesBody: boolean;
  answers: Record<string, { content?: Record<string, unknown> }>;
};
type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string };
type Request = { method: string; path: string; headers?: Record<string, string>; body?: string };

let server: TestServer;
/** Every operation of the description, and what is not described: the description itself and the pages. */
let routes: Described[];
/** A task of the writer's. */
let task: WireTask;

beforeAll(async () => {
  const list = Object.entries(keys).map(([name, key]) => `${name}:${{ reader: 'read', admin: 'admin' }[name] ?? 'write'}:${key}`);
  server = await startServer({
    dataDir: await makeDataDir(),
    env: {
      API_KEYS: list.join(','),
      MCP: 'on',
      WEBHOOK_ALLOWED_HOSTS: 'hooks.example.com',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
      ANSWER_URL: 'http://127.0.0.1:9/v1/chat/completions',
      RATE_LIMIT: '100000',
      LOG_LEVEL: 'debug',
    },
  });
  const upload = await insert(server.url, 'known', { name: 'known.txt', bytes: 'Known text.' }, bearer('writer'));
  task = (await upload.json()) as WireTask;
  type Operation = {
    operationId: string;
    'x-scope': string;
    requestBody?: { content: object };
    responses: Described['answers'];
  };
  const { paths } = JSON.parse((await ask({ method: 'GET', path: '/openapi.json' })).text) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: operation.operationId,
      method: method.toUpperCase(),
      path,
      scope: operation['x-scope'],
      takesBody: operation.requestBody !== undefined,
      json: Object.hasOwn(operation.requestBody?.content ?? {}, 'application/json'),
      answers: operation.responses,
    })),
  );
  const pages = ['/', '/openapi.json', '/docs', '/docs/start.js', '/assets/none.js'].map((path) => ({
    name: path,
    method: 'GET',
    path,
    scope: 'public',
    json: false,
    takesBody: false,
    answers: {},
  }));
  routes = [...described, ...pages];
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

function bearer(name: keyof typeof keys): Record<string, string> {
  return { authorization: `Bearer ${keys[name]}` };
}

/** Parameters filled in: a task of the writer's, and a document that is not there. */
function pathOf({ path }: Described, taskId = task.task_id): string {
  return path.replace('{task_id}', taskId).replace(/\{\w+\}/, 'unknown');
}

/** One request. By node:http, since fetch sets Host itself; an event stream is left after its head. */
async function ask({ method, path, headers = {}, body }: Request): Promise<Answer> {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(server.url + path, { method, headers: { ...length, ...headers }, agent: false });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const { statusCode: status = 0, headers: given } = response;
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', () => {}).once('close', () => resolve({ status, headers: given, text }));
      if (given['content-type']?.startsWith('text/event-stream') === true) response.destroy();
    });
    sent.end(body);
  });
}

/** Asks every route the same way, and holds each answer against `check`, which names the route where it fails. */
async function everyRoute(
  make: (route: Described) => Omit<Request, 'method' | 'path'> & Partial<Request>,
  check: (answer: Answer, route: Described) => void,
  some: (route: Described) => boolean = () => true,
): Promise<void> {
  const asked = routes.filter(some);
  expect(asked).not.toEqual([]);
  for (const route of asked) check(await ask({ method: route.method, path: pathOf(route), ...make(route) }), route);
}

/** Interfaces of others: their problems have the shape, and some of them the status, that their clients expect. */
const ofOthers = [
  {
    named: /^openAi/,
    statuses: { 422: 400 },
    body: { error: { message: expect.any(String) as string, type: expect.any(String) as string } },
  },
  {
    named: /^retrieveForDify$/,
    statuses: { 401: 403 },
    body: { error_code: expect.any(Number) as number, error_msg: expect.any(String) as string },
  },
] as const;

function statusOf({ name }: { name: string }, status: 401 | 422): number {
  const others: Readonly<Record<number, number>> = ofOthers.find(({ named }) => named.test(name))?.statuses ?? {};
  return others[status] ?? status;
}

describe('every route', () => {
  it('is here: webhooks, MCP and answers too', () => {
    expect(routes.map(({ name }) => name)).toEqual(expect.arrayContaining(['insert', 'mcp', 'listDeliveries', 'answer']));
    expect(routes.length).toBeGreaterThanOrEqual(30);
  });

  it('answers 401 without a key and with a wrong one, and 403 when the scope does not reach [S22]', async () => {
    const isPublic = ({ scope }: Described): boolean => scope === 'public';
    await everyRoute(
      () => ({}),
      ({ status }, route) => expect([401, 403].includes(status), `${route.name} without a key`).toBe(!isPublic(route)),
    );
    await everyRoute(
      () => ({ headers: { authorization: 'Bearer a-wrong-key-0123456789' } }),
      ({ status }, route) => expect(status === statusOf(route, 401), `${route.name} with a wrong key`).toBe(!isPublic(route)),
    );
    await everyRoute(
      () => ({ headers: bearer('reader') }),
      ({ status }, { name, scope }) =>
        expect(status === 403, `${name} with a read key`).toBe(levels.indexOf(scope) > levels.indexOf('read')),
    );
    await everyRoute(
      (route) => ({ headers: { 'x-api-key': keys.admin }, path: pathOf(route, unknownTask) }),
      ({ status }, { name }) => expect([401, 403], `${name} with an admin key`).not.toContain(status),
    );
  });

  it('takes no key from its address, and tells nobody a key that it was shown [S23]', async () => {
    await everyRoute(
      (route) => ({ path: `${pathOf(route)}?api_key=${keys.admin}&key=${keys.admin}&access_token=${keys.admin}` }),
      ({ status }, { name }) => expect([401, 403].includes(status), name).toBe(true),
      ({ scope }) => scope !== 'public',
    );
    const texts: string[] = [];
    for (const name of ['reader', 'admin'] as const)
      await everyRoute(
        (route) => ({ headers: bearer(name), path: pathOf(route, unknownTask) }),
        ({ text, headers }) => texts.push(text, JSON.stringify(headers)),
      );

    const all = texts.join('\n') + server.log();
    for (const key of Object.values(keys)) expect(all).not.toContain(key);
    expect(all).not.toContain('whsec_');
  });

  it('believes no forwarding header of a stranger [S25]', async () => {
    const spoofed = {
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'for=6.6.6.6;host=evil.example;proto=https',
    };
    await everyRoute(
      (route) => ({ headers: { ...bearer('admin'), ...spoofed }, path: pathOf(route, unknownTask) }),
      ({ text, headers }, { name }) => {
        expect(text + JSON.stringify(headers), name).not.toMatch(/evil\.example|6\.6\.6\.6/);
        expect(headers['strict-transport-security'], name).toBeUndefined();
      },
    );
    expect(server.log()).not.toMatch(/6\.6\.6\.6/);
  });

  it('is not served under a foreign name for this address (DNS rebinding) [S26]', async () => {
    await everyRoute(
      () => ({ headers: { ...bearer('admin'), host: 'evil.example' } }),
      ({ status }, { name }) => expect(status, name).toBe(421),
    );
  });

  it('tells a page of another origin nothing [S27]', async () => {
    for (const headers of [{}, { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }])
      await everyRoute(
        () => ({ headers: { origin: 'https://evil.example', ...headers } }),
        ({ headers: given }, { name }) => {
          const told = Object.keys(given).filter((header) => header.startsWith('access-control-'));
          expect(told, name).toEqual([]);
        },
      );
  });

  it('changes nothing for a page of another origin, whether it sends a cookie or a key [S28]', async () => {
    const login = await ask({
      method: 'POST',
      path: '/login',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: keys.admin }),
    });
    const cookie = String(login.headers['set-cookie']).split(';')[0]!;
    const strangers: Record<string, string>[] = [
      { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { cookie },
      { ...bearer('admin'), origin: 'null' },
      { ...bearer('admin'), 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of strangers)
      await everyRoute(
        () => ({ headers: { ...headers, 'content-type': 'multipart/form-data; boundary=b' }, body: '--b--\r\n' }),
        ({ status }, { name }) => expect(status, name).toBe(403),
        ({ method }) => method !== 'GET',
      );
  });

  it('changes nothing by GET, and says 405 with Allow to other methods [S28]', async () => {
    const state = async (): Promise<string> =>
      (await Promise.all(['/tasks', '/documents'].map((path) => ask({ method: 'GET', path, headers: bearer('admin') }))))
        .map(({ text }) => text)
        .join();
    const before = await state();
    await everyRoute(
      () => ({ headers: bearer('admin') }),
      ({ status }, { name }) => expect(status, name).toBeLessThan(500),
      ({ method }) => method === 'GET',
    );
    expect(await state()).toBe(before);

    for (const path of new Set(routes.map(pathsAsTheyAre))) {
      const methods = routes.filter((route) => pathsAsTheyAre(route) === path).map(({ method }) => method);
      const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort().join(', ');
      const other = ['PATCH', 'PUT', 'DELETE', 'POST'].find((method) => !methods.includes(method))!;
      const refused = await ask({ method: other, path });
      const options = await ask({ method: 'OPTIONS', path });
      expect([refused.status, refused.headers.allow], path).toEqual([405, allow]);
      expect([options.status, options.headers.allow], path).toEqual([204, allow]);
    }

    function pathsAsTheyAre(route: Described): string {
      return pathOf(route);
    }
  });

  it('carries the security headers, whatever it answers [S29]', async () => {
    const answers: [Answer, string][] = [[await ask({ method: 'GET', path: '/nowhere' }), '/nowhere']];
    for (const authorization of [bearer('admin').authorization!, 'Bearer wrong'])
      await everyRoute(
        (route) => ({ headers: { authorization }, path: pathOf(route, unknownTask) }),
        (answer, { name }) => answers.push([answer, name]),
      );
    for (const [{ headers, status }, name] of answers) {
      const what = `${name} ${status}`;
      expect(headers['content-security-policy'], what).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers['content-security-policy'], what).not.toContain('upgrade-insecure-requests');
      expect(headers, what).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      expect(headers['x-request-id'], what).toBeDefined();
      expect(headers['strict-transport-security'], what).toBeUndefined();
      expect(headers['x-powered-by'], what).toBeUndefined();
    }
  });

  it('refuses what it does not know: a parameter, a member of its JSON, a body where none is read [S46]', async () => {
    const isPage = ({ name }: Described): boolean => ['/', '/docs', '/docs/start.js', '/assets/none.js'].includes(name);
    const json = { ...bearer('admin'), 'content-type': 'application/json' };
    await everyRoute(
      (route) => ({ headers: bearer('admin'), path: `${pathOf(route, unknownTask)}?tennant=a` }),
      ({ status, text }, route) =>
        expect([status, text], route.name).toEqual([statusOf(route, 422), expect.stringContaining('`tennant`')]),
      (route) => !isPage(route),
    );
    await everyRoute(
      () => ({ headers: bearer('admin') }),
      ({ status }, { name }) => expect(status, name).not.toBe(422),
      isPage,
    );
    await everyRoute(
      () => ({ headers: json, body: '{"tennant":"a"}' }),
      ({ status, text }, route) =>
        expect([status, text], route.name).toEqual([statusOf(route, 422), expect.stringContaining('`tennant`')]),
      // What MCP says is JSON-RPC's; its tools are strict about their arguments.
      (route) => route.json && route.name !== 'mcp',
    );
    await everyRoute(
      () => ({ headers: json, body: '{"tennant":"a"}' }),
      ({ status, text }, route) =>
        expect([status, text], route.name).toEqual([statusOf(route, 422), expect.stringContaining('takes no body')]),
      ({ json: takesJson, takesBody }) => !takesJson && !takesBody,
    );
  });

  it('makes neither a path nor an error of an id, in its address or its JSON [S67]', async () => {
    // What others make and remove meanwhile: places for uploads, and the report of the check for damage.
    const comesAndGoes = (name: string): boolean => name === 'scratch' || name.startsWith('damage.json');
    const topNames = async (): Promise<string[]> =>
      (await readdir(server.dataDir)).filter((name) => !comesAndGoes(name)).toSorted();
    const folder = join(server.dataDir, 'tasks');
    const record = (await readdir(folder, { recursive: true })).find((name) => name.endsWith(`${task.task_id}.json`))!;
    const before = await readFile(join(folder, record), 'utf8');
    const names = await topNames();
    const climbing = `../tasks/${record.replace('.json', '')}`;
    const ids = [
      climbing,
      `x/../${climbing}`,
      '/etc/passwd',
      '\0',
      'a\u001fb',
      '__proto__',
      'constructor',
      '*',
      '%',
      'CON',
      '甲'.repeat(64),
    ];
    // Decoded by nobody, or to what is no Unicode.
    const addresses = [...ids.map(encodeURIComponent), '%ff', '%ed%a0%80'];
    const json = { ...bearer('admin'), 'content-type': 'application/json' };
    const bodies: Readonly<Record<string, object>> = {
      changeDocument: { title: 'x' },
      openAiUpdateVectorStoreFile: { attributes: {} },
    };
    for (const id of addresses)
      await everyRoute(
        (route) => ({
          path: route.path.replaceAll(/\{\w+\}/g, id),
          headers: route.json ? json : bearer('admin'),
          ...(route.json ? { body: JSON.stringify(bodies[route.name] ?? { name: 'x' }) } : {}),
        }),
        ({ status, text }, { name, method }) => {
          // What is put somewhere may be called almost anything.
          const isRefused = method === 'PUT' ? status < 500 : status >= 400 && status < 500;
          expect(isRefused, `${name} of ${id}: ${status} ${text}`).toBe(true);
        },
        ({ path }) => path.includes('{'),
      );
    for (const id of ids)
      for (const [path, body] of [
        ['/retrieval', { knowledge_id: id, query: 'x', retrieval_setting: { top_k: 1 } }],
        ['/v1/vector_stores', { name: 'x', file_ids: [id] }],
        ['/v1/vector_stores/default/files', { file_id: id }],
        ['/search', { query: 'x', collection: id }],
      ] as const) {
        const { status, text } = await ask({ method: 'POST', path, headers: json, body: JSON.stringify(body) });
        expect(status >= 400 && status < 500, `${path} of ${JSON.stringify(id)}: ${status} ${text}`).toBe(true);
      }

    expect(await readFile(join(folder, record), 'utf8')).toBe(before);
    const after = await topNames();
    expect(after).toEqual(names);
  });

  it('says where its caller stands with the rate limit [S33]', async () => {
    await everyRoute(
      (route) => ({ headers: bearer('admin'), path: pathOf(route, unknownTask) }),
      ({ headers }, { name }) => expect(headers.ratelimit, name).toMatch(/^"default";r=\d+;t=\d+$/),
    );
  });

  it.each([
    ['nested too deeply', `{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 400],
    ['with a key that reaches the prototype', '{"__proto__":{"polluted":1}}', 400],
    ['with constructor as a key', '{"constructor":{"prototype":{"polluted":1}}}', 400],
    ['with a key twice', '{"query":"a","query":"b"}', 400],
    ['that is none', '{', 400],
    ['of 12 MB', `"${'x'.repeat(12 * 1024 * 1024)}"`, 413],
  ])('that takes JSON refuses JSON %s [S34]', async (_what, body, expected) => {
    await everyRoute(
      () => ({ headers: { ...bearer('admin'), 'content-type': 'application/json' }, body }),
      ({ status }, { name }) => expect(status, name).toBe(expected),
      ({ json }) => json,
    );
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('that takes JSON takes nothing else [S34]', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', ''])
      await everyRoute(
        () => ({ headers: { ...bearer('admin'), ...(type === '' ? {} : { 'content-type': type }) }, body: '{"query":"x"}' }),
        ({ status }, { name }) => expect(status, `${name} ${type}`).toBe(415),
        ({ json }) => json,
      );
  });

  it('about a task says that it is not there to whoever does not own it [S36]', async () => {
    await everyRoute(
      () => ({ headers: bearer('other') }),
      ({ status }, { name }) => expect(status, name).toBe(404),
      ({ path }) => path.includes('{task_id}'),
    );
    const call = (name: keyof typeof keys): Promise<Answer> =>
      ask({
        method: 'POST',
        path: '/mcp',
        headers: { ...bearer(name), 'content-type': 'application/json' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'get_task', arguments: { task_id: task.task_id } },
        }),
      });
    expect((await call('other')).text).toContain('Task not found');
    expect((await call('writer')).text).toContain('known.txt');
    expect(task.task_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('answers errors as problems, without a stack or a path of the machine, with the request id [S37]', async () => {
    const problems: [Answer, string][] = [];
    const junk = '?limit=%00&q=&status=%ff&doc_id=&force=maybe&wait=-1&cursor=%2e%2e%2f&state=x';
    for (const headers of [{}, { ...bearer('admin'), 'content-type': 'application/json' }])
      await everyRoute(
        (route) => ({
          headers: { ...headers, 'x-request-id': 'asked-1' },
          path: pathOf(route, 'unknown') + junk,
          ...(route.method === 'GET' ? {} : { body: '{"a":' }),
        }),
        (answer, { name }) => answer.status >= 400 && problems.push([answer, name]),
      );
    expect(problems.length).toBeGreaterThan(routes.length / 2);
    for (const [{ status, headers, text }, name] of problems) {
      const shape = ofOthers.find(({ named }) => named.test(name));
      expect(headers['content-type'], `${name} ${status} ${text}`).toBe(
        shape === undefined ? 'application/problem+json' : 'application/json; charset=utf-8',
      );
      expect(headers['x-request-id'], name).toBe('asked-1');
      expect(headers['cache-control'], name).toBe('no-store');
      for (const ofBody of ['etag', 'last-modified', 'content-disposition']) expect(headers[ofBody], name).toBeUndefined();
      expect(JSON.parse(text), name).toMatchObject(shape?.body ?? { status, request_id: 'asked-1', code: expect.any(String) });
      expect(text, name).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts\b/);
      for (const place of [server.dataDir, process.cwd()]) expect(text, name).not.toContain(place);
    }
  });

  it('takes no request id that could be log text, and keeps what it logs on one line [S38] [S39]', async () => {
    const logged = server.log().length;
    await everyRoute(
      (route) => ({
        path: `${pathOf(route)}%0d%0aforged%1b%5b31m%e2%80%a8${route.path.endsWith('/') ? '' : '/x'}`,
        headers: { ...bearer('admin'), 'x-request-id': 'x'.repeat(65), 'user-agent': '\u0085forged\x9b' },
      }),
      ({ headers }) => expect(headers['x-request-id']).toMatch(/^[\w.-]{1,64}$/),
    );
    await everyRoute(
      (route) => ({ path: pathOf(route, unknownTask), headers: { 'x-request-id': 'a b"\t{' } }),
      ({ headers }) => expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/),
    );
    await insert(server.url, 'a\u2028b', { name: 'a\r\nforged\u001b[31m\u2028.txt', bytes: 'x' }, bearer('writer'));

    const lines = server.log().slice(logged).trim().split('\n');
    expect(lines.length).toBeGreaterThan(routes.length);
    for (const line of lines) expect(() => JSON.parse(line) as unknown, line).not.toThrow();
    expect(lines.join('')).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  it('gives out no table that a spreadsheet would run: there is no export but JSON, text and the files themselves [S43]', async () => {
    const types = new Set(
      routes.flatMap(({ answers }) => Object.values(answers).flatMap(({ content = {} }) => Object.keys(content))),
    );

    expect([...types].sort()).toEqual([
      '*/*',
      'application/json',
      'application/problem+json',
      'application/x-ndjson',
      'text/event-stream',
      'text/markdown',
      'text/plain',
    ]);
  });
});

describe('a file’s name', () => {
  it.each([
    '../../escape.txt',
    '..\\..\\escape.txt',
    '%2e%2e%2fescape.txt',
    'nul\0byte.txt',
    'line\r\nbreak.txt',
    `${'long'.repeat(75)}.txt`,
    'CON',
    '\u202Etxt.exe',
    '📄 报告.txt',
    'e\u0301 and \u00e9.txt',
    '/etc/passwd',
  ])('is kept as it was meant, and never becomes a path: %j [S1]', async (name) => {
    const upload = await insert(
      server.url,
      `doc of ${name}`.replace(/\p{Cc}/gu, '').slice(0, 200),
      { name, bytes: 'Text' },
      bearer('writer'),
    );
    const { filename } = (await upload.json()) as WireTask;
    const paths = await readdir(server.dataDir, { recursive: true });

    expect([upload.status, filename.length > 0, /[/\\\0\r\n]/.test(filename)], filename).toEqual([200, true, false]);
    expect(paths.filter((path) => !/^[\w./-]+$/.test(path) || /escape|passwd|CON$|\.\./.test(path))).toEqual([]);
    expect(await readdir(join(server.dataDir, '..')).then((names) => names.filter((other) => other.includes('escape')))).toEqual(
      [],
    );
  });
});
