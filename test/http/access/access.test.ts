/** Keys, scopes, owners, the page's login, and what other web pages may do. What holds for every route: `every-route.test.ts`. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findApiKey, loadApiKeys, parseApiKeys, writeApiKey } from '../../../src/http/access/api-keys.ts';
import { createFileEndedSessions } from '../../../src/storage/file/shared/ended-sessions.ts';
import { isNow, readSession, writeSession } from '../../../src/http/access/session.ts';
import type { EndedSessions, SessionEnd } from '../../../src/storage/ended-sessions.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { eventually, fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';
import { tempDir } from '../../support/temp-dir.ts';

const keyOf = {
  reader: 'reader-key-0123456789',
  writer: 'writer-key-0123456789',
  other: 'other-key-0123456789x',
  admin: 'admin-key-0123456789x',
};
const apiKeys = parseApiKeys(
  `reader:read:${keyOf.reader},writer:write:${keyOf.writer},other:write:${keyOf.other},admin:admin:${keyOf.admin}`,
);
const withKeys = { settings: { apiKeys }, memory: { ingest: () => {} } };
const hourMs = 3_600_000;
const tenYearsMs = 3650 * 24 * hourMs;
const bearer = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` });

describe('keys', () => {
  it('are taken as Bearer or X-API-Key, never from the address', async () => {
    await using server = await startHttpServer(withKeys);
    const status = async (query: string, headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${server.url}/tasks${query}`, { headers })).status;

    expect(await status('', bearer(keyOf.reader))).toBe(200);
    expect(await status('', { authorization: `bearer  ${keyOf.reader}` })).toBe(200);
    expect(await status('', { 'X-API-Key': keyOf.reader })).toBe(200);
    expect(await status(`?api_key=${keyOf.reader}&key=${keyOf.reader}&access_token=${keyOf.reader}`)).toBe(401);
    expect(await status('', { Authorization: `Basic ${btoa(`x:${keyOf.reader}`)}` })).toBe(401);
  });

  it('are asked for with WWW-Authenticate: Bearer', async () => {
    await using server = await startHttpServer(withKeys);

    const answer = await fetch(`${server.url}/tasks`);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('never appear in logs, errors, metrics, OpenAPI or pages [S23]', async () => {
    await using server = await startHttpServer(withKeys);
    const texts: string[] = [];
    for (const path of ['/tasks', '/metrics', '/openapi.json', '/docs', '/', '/config', '/nowhere', '/status', '/ready'])
      texts.push(await (await fetch(server.url + path, { headers: bearer(keyOf.admin) })).text());
    texts.push(await (await fetch(`${server.url}/tasks`, { headers: bearer('a-wrong-key-0123456789') })).text());
    texts.push(await (await insert(server, 'd', fileForm('x'), { ...bearer(keyOf.writer), Prefer: 'respond-async' })).text());

    const all = texts.join('\n') + JSON.stringify(server.log);
    for (const key of [...Object.values(keyOf), 'a-wrong-key-0123456789']) expect(all).not.toContain(key);
    for (const { sha256 } of apiKeys) expect(all).not.toContain(Buffer.from(sha256).toString('hex'));
  });

  it('are held as digests and compared all, in constant time [S24]', () => {
    expect(findApiKey(apiKeys, keyOf.writer)?.name).toBe('writer');
    expect(findApiKey(apiKeys, keyOf.writer.slice(0, -1))).toBeNull();
    expect(findApiKey(apiKeys, '')).toBeNull();
    expect(findApiKey(apiKeys, 'x'.repeat(10_000))).toBeNull();
    expect(apiKeys.every(({ sha256 }) => sha256.length === 32)).toBe(true);
    expect(JSON.stringify(apiKeys)).not.toContain(keyOf.writer);
  });

  it('can be made and written down as a digest', () => {
    const { key, line } = writeApiKey('laptop', 'write', new Uint8Array(32).fill(1));

    expect(line).not.toContain(key);
    expect(findApiKey(parseApiKeys(`# my keys\n${line}\n`), key)).toMatchObject({ name: 'laptop', scope: 'write' });
  });

  it.each([
    ['a key that is too short', 'a:read:short', /shorter than 16/],
    ['an unknown scope', 'a:root:0123456789abcdef', /scope read, write or admin/],
    ['a name twice', 'a:read:0123456789abcdef,a:read:0123456789abcdeg', /used twice/],
    ['a name with blanks', 'a b:read:0123456789abcdef', /name:scope:key/],
  ])('are refused with a sentence that does not repeat them: %s', (_name, text, sentence) => {
    expect(() => parseApiKeys(text)).toThrow(sentence);
    expect(() => parseApiKeys(text)).not.toThrow(/0123456789/);
  });

  it('are required on an address that others can reach [S21]', async () => {
    const none = { apiKeys: [], apiKeysFile: '' };

    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.0.0.1.example.com'])
      await expect(loadApiKeys({ host, ...none })).rejects.toThrow(/key create/);
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) expect(await loadApiKeys({ host, ...none })).toEqual([]);
    expect(await loadApiKeys({ host: '0.0.0.0', apiKeys, apiKeysFile: '' })).toHaveLength(4);
  });

  it('are read from a file too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rag-keys-'));
    const apiKeysFile = join(folder, 'keys');
    await writeFile(apiKeysFile, 'laptop:read:0123456789abcdef\n');

    const loaded = await loadApiKeys({ host: '0.0.0.0', apiKeys: [], apiKeysFile });
    await expect(loadApiKeys({ host: '::1', apiKeys: [], apiKeysFile: join(folder, 'absent') })).rejects.toThrow(/cannot be read/);
    await rm(folder, { recursive: true });

    expect(loaded.map(({ name }) => name)).toEqual(['laptop']);
  });
});

describe('a task', () => {
  it('of one key does not exist for another: read, wait, cancel, retry, events and lists [S36]', async () => {
    await using server = await startHttpServer(withKeys);
    const { task_id: id } = await json(insert(server, 'd', fileForm('x'), { ...bearer(keyOf.writer), Prefer: 'respond-async' }));
    const statuses = async (key: string): Promise<number[]> => {
      const found: number[] = [];
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '?wait=0'],
        ['GET', '/events'],
        ['POST', '/retry'],
        ['DELETE', ''],
      ] as const) {
        const stop = new AbortController();
        found.push((await fetch(`${server.url}/task/${id}${path}`, { method, headers: bearer(key), signal: stop.signal })).status);
        stop.abort();
      }
      return found;
    };

    expect(await statuses(keyOf.other)).toEqual([404, 404, 404, 404, 404]);
    const lists = await Promise.all(
      [keyOf.other, keyOf.writer, keyOf.admin].map((key) =>
        json<{ tasks: unknown[] }>(fetch(`${server.url}/tasks`, { headers: bearer(key) })),
      ),
    );
    expect(lists.map(({ tasks }) => tasks.length)).toEqual([0, 1, 1]);
    expect(await statuses(keyOf.writer)).toEqual([200, 200, 200, 409, 200]);
    expect((await fetch(`${server.url}/task/${id}`, { headers: bearer(keyOf.admin) })).status).toBe(200);
  });

  it('of one key is not in the event stream of another', async () => {
    await using server = await startHttpServer(withKeys);
    const stop = new AbortController();
    const answer = await fetch(`${server.url}/events`, { headers: bearer(keyOf.other), signal: stop.signal });
    let text = '';
    const reading = (async () => {
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) text += chunk;
    })().catch(() => {});

    await insert(server, 'theirs', fileForm('x'), { ...bearer(keyOf.writer), Prefer: 'respond-async' });
    await insert(server, 'own', fileForm('x'), { ...bearer(keyOf.other), Prefer: 'respond-async' });
    await eventually(() => text.includes('"own"'), 'the own task');
    stop.abort();
    await reading;

    expect(text).not.toContain('"theirs"');
  });

  it('list pages go past the tasks of others', async () => {
    await using server = await startHttpServer(withKeys);
    await insert(server, 'own', fileForm('x'), { ...bearer(keyOf.other), Prefer: 'respond-async' });
    for (let count = 0; count < 5; count += 1)
      await insert(server, 'theirs', fileForm('x'), { ...bearer(keyOf.writer), Prefer: 'respond-async' });

    const { tasks } = await json<{ tasks: { doc_id: string }[] }>(
      fetch(`${server.url}/tasks?limit=2`, { headers: bearer(keyOf.other) }),
    );

    expect(tasks.map(({ doc_id: docId }) => docId)).toEqual(['own']);
  });
});

describe('the page’s login', () => {
  const login = (server: TestServer, key: string): Promise<Response> =>
    fetch(`${server.url}/login`, {
      method: 'POST',
      body: JSON.stringify({ key }),
      headers: { 'Content-Type': 'application/json' },
    });
  const cookieOf = (answer: Response): string => answer.headers.get('set-cookie')!.split(';')[0]!;

  it('gives an HttpOnly SameSite=Strict cookie that works like the key', async () => {
    await using server = await startHttpServer(withKeys);

    const answer = await login(server, keyOf.writer);
    const cookie = answer.headers.get('set-cookie')!;
    const config = await json<{ auth: string; key: object }>(
      fetch(`${server.url}/config`, { headers: { Cookie: cookieOf(answer) } }),
    );

    expect(answer.status).toBe(200);
    expect(await json(answer)).toMatchObject({ name: 'writer', scope: 'write' });
    expect(cookie).toMatch(/^rag_session=[\w.-]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(keyOf.writer);
    expect(config).toMatchObject({ auth: 'key', key: { name: 'writer', scope: 'write' } });
    expect((await fetch(`${server.url}/tasks`, { headers: { Cookie: cookieOf(answer) } })).status).toBe(200);
  });

  it('refuses a wrong key with 401, and has nothing to log in to without keys', async () => {
    await using server = await startHttpServer(withKeys);
    await using open = await startHttpServer();

    expect((await login(server, 'a-wrong-key-0123456789')).status).toBe(401);
    expect((await login(open, 'anything-at-all-0123')).status).toBe(404);
  });

  it('ends at logout, also for a copy of the cookie, and no other login with it', async () => {
    await using server = await startHttpServer(withKeys);
    const [cookie, other] = [cookieOf(await login(server, keyOf.writer)), cookieOf(await login(server, keyOf.writer))];
    const status = async (sent: string): Promise<number> =>
      (await fetch(`${server.url}/tasks`, { headers: { Cookie: sent } })).status;
    const logout = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${server.url}/logout`, { method: 'POST', headers: { Origin: server.url, ...headers } });

    expect(await status(cookie)).toBe(200);
    const answer = await logout({ Cookie: cookie });

    expect(answer.headers.get('set-cookie')).toMatch(/^rag_session=; .*Max-Age=0/);
    expect([await status(cookie), await status(other)]).toEqual([401, 200]);
    expect([(await logout({ Cookie: cookie })).status, (await logout({})).status]).toEqual([200, 200]);
  });

  it('that has ended is known to every front end on the data directory, and forgotten when its time is over anyway', async () => {
    await using folder = await tempDir();
    const clock = fakeClock();
    const nowMs = (): number => Date.parse(clock.now());
    const [sessions, elsewhere] = [0, 1].map(() => createFileEndedSessions(join(folder.path, 'ended'), nowMs)) as [
      EndedSessions,
      EndedSessions,
    ];
    const [a, b] = ['a', 'b'].map((id) => ({ id, expiresMs: nowMs() + hourMs })) as [SessionEnd, SessionEnd];
    const hasEnded = async (session: SessionEnd): Promise<boolean> => (await sessions.look(session)).hasEnded;

    await sessions.sweep();
    await elsewhere.add(a);
    await elsewhere.sweep();
    expect([await hasEnded(a), await hasEnded(b)]).toEqual([true, false]);

    clock.advance(hourMs);
    await elsewhere.sweep();
    expect(await readdir(join(folder.path, 'ended'))).toEqual(['over']);
    expect(await readdir(join(folder.path, 'ended', 'over'))).toEqual([String(a.expiresMs)]);
  });

  it('that was logged out stays so when the clock is set ten years forward and back again, and no later login ends by it [S58]', async () => {
    await using folder = await tempDir();
    const clock = fakeClock();
    const nowMs = (): number => Date.parse(clock.now());
    const sessions = createFileEndedSessions(folder.path, nowMs);
    const first = { id: 'a', expiresMs: nowMs() + hourMs };
    await sessions.add(first);
    // Version 0.1.0 noted nothing.
    await writeFile(join(folder.path, 'old'), '');
    clock.advance(tenYearsMs);
    await sessions.sweep();
    clock.advance(-tenYearsMs);

    expect(await sessions.look(first)).toEqual({ hasEnded: true, nowMs: nowMs() });
    // It had begun before it was logged out; the clock of files is some milliseconds behind.
    expect((await sessions.look({ id: 'old', expiresMs: nowMs() + 12 * hourMs - 1000 })).hasEnded).toBe(true);
    expect((await sessions.look({ id: 'b', expiresMs: nowMs() + 25 * hourMs })).hasEnded).toBe(false);
  });

  it('goes by the clock as it is now: one of a clock that was ahead is worth nothing once that is put right, a small correction ends none [S58]', async () => {
    const clock = fakeClock();
    await using server = await startHttpServer({ ...withKeys, now: clock.now });
    const status = async (cookie: string): Promise<number> =>
      (await fetch(`${server.url}/tasks`, { headers: { Cookie: cookie } })).status;
    const first = cookieOf(await login(server, keyOf.writer));

    clock.advance(-60_000);
    expect(await status(first)).toBe(200);
    clock.advance(tenYearsMs);
    const ahead = cookieOf(await login(server, keyOf.writer));
    expect([await status(first), await status(ahead)]).toEqual([401, 200]);
    clock.advance(-tenYearsMs);
    expect([await status(first), await status(ahead)]).toEqual([200, 401]);
    clock.advance(-30 * 24 * hourMs);
    expect(await status(first)).toBe(401);
  });

  it('refuses to change anything by cookie unless the browser says it is the same origin [S28]', async () => {
    await using server = await startHttpServer(withKeys);
    const cookie = cookieOf(await login(server, keyOf.writer));
    const upload = async (headers: Record<string, string>): Promise<number> =>
      (await insert(server, 'd', fileForm('x'), { Cookie: cookie, Prefer: 'respond-async', ...headers })).status;

    expect(await upload({})).toBe(403);
    expect(await upload({ Origin: 'https://evil.example' })).toBe(403);
    expect(await upload({ Origin: 'null' })).toBe(403);
    expect(await upload({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await upload({ 'Sec-Fetch-Site': 'same-site' })).toBe(403);
    expect(await upload({ Origin: server.url })).toBe(202);
    expect(await upload({ 'Sec-Fetch-Site': 'same-origin' })).toBe(202);
  });

  it('is a signed value that cannot be forged, ends with its time, and ends with its key', () => {
    const secret = Buffer.alloc(32, 7);
    const [reader, writer] = [apiKeys[0]!, apiKeys[1]!];
    const value = writeSession(secret, { id: 'id', key: writer, expiresMs: 1000 });
    const changedKey = parseApiKeys('writer:write:another-key-0123456789');

    expect(readSession(secret, apiKeys, value)).toEqual({ id: 'id', key: writer, expiresMs: 1000 });
    expect([isNow({ id: 'id', expiresMs: 1000 }, 10, 999), isNow({ id: 'id', expiresMs: 1000 }, 10, 1000)]).toEqual([true, false]);
    expect(readSession(Buffer.alloc(32, 8), apiKeys, value)).toBeNull();
    expect(readSession(secret, [reader], value)).toBeNull();
    expect(readSession(secret, changedKey, value)).toBeNull();
    for (const forged of [
      '',
      '.',
      '..',
      '...',
      'a.b.c.d',
      value.replace('.id.', '.other.'),
      value.replace(/^[^.]+/, Buffer.from('admin').toString('base64url')),
      `${value}x`,
    ])
      expect(readSession(secret, apiKeys, forged)).toBeNull();
  });

  it('is marked Secure, and HSTS is sent, when a trusted proxy says that the client speaks TLS', async () => {
    await using server = await startHttpServer({ settings: { apiKeys, trustedProxies: ['127.0.0.1'] } });

    const answer = await fetch(`${server.url}/login`, {
      method: 'POST',
      body: JSON.stringify({ key: keyOf.reader }),
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-Proto': 'https' },
    });

    expect(answer.headers.get('set-cookie')).toMatch(/; Secure$/);
    expect(answer.headers.get('strict-transport-security')).toMatch(/max-age=/);
  });
});

describe('another web page', () => {
  it('cannot write to a server without keys either: forms and fetches of other origins get 403', async () => {
    await using server = await startHttpServer();
    const upload = async (headers: Record<string, string>): Promise<number> =>
      (await insert(server, 'd', fileForm('x'), headers)).status;

    expect(await upload({ Origin: 'https://evil.example' })).toBe(403);
    expect(await upload({ Origin: 'null' })).toBe(403);
    expect(await upload({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await upload({ Origin: server.url })).toBe(200);
    expect(await upload({})).toBe(200);
  });

  it('is told from the own page behind a proxy that puts another name into Host, by what the browser says', async () => {
    await using server = await startHttpServer();
    const upload = async (site: string): Promise<number> =>
      (await insert(server, 'd', fileForm('x'), { Origin: 'https://rag.example', 'Sec-Fetch-Site': site })).status;

    expect(await upload('same-origin')).toBe(200);
    expect(await upload('same-site')).toBe(403);
    expect(await upload('cross-site')).toBe(403);
  });

  it('is told nothing by CORS unless it is on the list, and never with credentials [S27]', async () => {
    await using server = await startHttpServer({ settings: { corsOrigins: ['https://app.example'], apiKeys } });
    const headersFor = async (origin: string, init: RequestInit = {}): Promise<Headers> =>
      (await fetch(`${server.url}/tasks`, { ...init, headers: { Origin: origin, ...(init.headers as object) } })).headers;

    const evil = await headersFor('https://evil.example');
    const listed = await headersFor('https://app.example');
    const preflight = await headersFor('https://app.example', {
      method: 'OPTIONS',
      headers: { 'Access-Control-Request-Method': 'POST' },
    });

    expect(evil.get('access-control-allow-origin')).toBeNull();
    expect(evil.get('vary')).toMatch(/Origin/);
    expect(listed.get('access-control-allow-origin')).toBe('https://app.example');
    expect(listed.get('access-control-allow-credentials')).toBeNull();
    expect(preflight.get('access-control-allow-headers')).toMatch(/Authorization/);
  });

  it('on the list may send every header that some route reads, and read what answers say of themselves', async () => {
    await using server = await startHttpServer({ settings: { corsOrigins: ['https://app.example'], apiKeys } });
    const { headers } = await fetch(`${server.url}/documents/a`, {
      method: 'OPTIONS',
      headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PATCH' },
    });
    const allowed = headers.get('access-control-allow-headers')!.toLowerCase().split(', ');
    const folder = new URL('../../../src/', import.meta.url);
    const read = new Set<string>();
    for (const path of await readdir(folder, { recursive: true })) {
      if (!/^(?:http|mcp)\/.*\.ts$/.test(path)) continue;
      const source = await readFile(new URL(path, folder), 'utf8');
      for (const [, name] of source.matchAll(/\b(?:ctx\.get\(|headers\[)'([\w-]+)'/g)) read.add(name!.toLowerCase());
    }
    // What a browser sets itself, or lets every page set; and what is read to be refused.
    const own = [
      'accept-language',
      'content-length',
      'expect',
      'transfer-encoding',
      'sec-fetch-site',
      'access-control-request-method',
    ];
    for (const name of [...own, 'content-range']) read.delete(name);

    expect(read.size).toBeGreaterThan(10);
    expect([...read].filter((name) => !allowed.includes(name))).toEqual([]);
    expect(allowed).toEqual(expect.arrayContaining(['authorization', 'x-api-key', 'x-document-password', 'content-digest']));
    expect(headers.get('access-control-expose-headers')).toMatch(/Content-Disposition/);
  });

  it('on the list may write with a key, but not with a cookie', async () => {
    await using server = await startHttpServer({
      settings: { corsOrigins: ['https://app.example'], apiKeys },
      memory: { ingest: () => {} },
    });
    const cookie = `rag_session=${writeSession(Buffer.alloc(32, 7), { id: 'id', key: apiKeys[1]!, expiresMs: Date.now() + 60_000 })}`;
    const upload = async (headers: Record<string, string>): Promise<number> =>
      (await insert(server, 'd', fileForm('x'), { Origin: 'https://app.example', Prefer: 'respond-async', ...headers })).status;

    expect(await upload(bearer(keyOf.writer))).toBe(202);
    expect(await upload({ Cookie: cookie })).toBe(403);
  });

  it('under another name for this address is refused by its Host (DNS rebinding) [S26]', async () => {
    await using server = await startHttpServer({ settings: { allowedHosts: ['docs.example'] } });
    const { request } = await import('node:http');
    const status = (host: string): Promise<number> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: server.port, path: '/health', headers: { Host: host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        })
          .on('error', reject)
          .end();
      });

    for (const host of ['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1'])
      expect(await status(host), host).toBe(421);
    for (const host of ['localhost', `localhost:${server.port}`, '127.0.0.1', '[::1]:80', 'docs.example', 'DOCS.example:8000'])
      expect(await status(host), host).toBe(200);
  });
});
