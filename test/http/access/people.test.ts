/**
 * People who log in elsewhere: by a header of a trusted proxy, or at an OpenID Connect provider; and what a key may use in a day. Every
 * route there is, read off the description of a real server, holds for each of them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQuotas, parseQuotas } from '../../../src/http/access/quotas.ts';
import { holderNamed, holderOf, parseUserRules } from '../../../src/http/access/users.ts';
import { openQuotaCounts } from '../../../src/storage/file/shared/quota-counts.ts';
import { json } from '../../support/http-server.ts';
import { type OidcProvider, startOidcProvider } from '../../support/oidc-provider.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';
import { tempDir } from '../../support/temp-dir.ts';

const key = 'some-key-0123456789ab';
type Route = { method: string; path: string; scope: string; needsBody: boolean };

let provider: OidcProvider;
let folder: string;
let server: TestServer;
let routes: Route[];

beforeAll(async () => {
  provider = await startOidcProvider('rag');
  folder = await makeDataDir();
  server = await startServer({
    dataDir: join(folder, 'data'),
    env: {
      API_KEYS: `machine:admin:${key},small:write:small-key-0123456789`,
      LOGIN_HEADER: 'X-Forwarded-User',
      LOGIN_USERS: 'ann@example.com:admin,bob:write@hr,王小明:read,limited:read,*:read@hr',
      TRUST_PROXY: '127.0.0.1',
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'rag',
      OIDC_CLIENT_SECRET: 'a-secret-of-the-provider',
      KEY_QUOTAS: 'small:documents=2+bytes=100,user:limited:requests=3',
      AUDIT_LOG: join(folder, 'audit.jsonl'),
      MCP: 'on',
    },
  });
  const described = await json<{ paths: Record<string, Record<string, { security?: object[]; requestBody?: object }>> }>(
    await fetch(`${server.url}/openapi.json`, { headers: { authorization: `Bearer ${key}` } }),
  );
  routes = Object.entries(described.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security, requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'x'),
      scope: security?.length === 0 ? 'public' : 'key',
      needsBody: requestBody !== undefined,
    })),
  );
});

afterAll(async () => {
  await server.stop();
  await provider.close();
  await removeDir(folder);
});

/** The status of a route, asked as it must be asked to get past who asks. */
async function statusOf({ method, path, needsBody }: Route, headers: Record<string, string>): Promise<number> {
  const stop = new AbortController();
  const body = needsBody ? { body: '{}', headers: { 'content-type': 'application/json', ...headers } } : { headers };
  const answer = await fetch(server.url + path, { method, redirect: 'manual', signal: stop.signal, ...body });
  stop.abort();
  return answer.status;
}

/** 403: as Dify wants to hear that a key is missing. */
const refusals = [401, 403];
const guarded = (): Route[] => routes.filter(({ scope }) => scope !== 'public');

describe('who is named by a trusted proxy', () => {
  const as = (user: string): Record<string, string> => ({ 'X-Forwarded-User': user });
  const config = async (headers: Record<string, string>): Promise<{ auth: string; key: object | null }> =>
    json(await fetch(`${server.url}/config`, { headers }));

  it('is who LOGIN_USERS says, under a name that no key can have', async () => {
    expect((await config(as('ann@example.com'))).key).toEqual({ name: 'user:ann@example.com', scope: 'admin', collections: null });
    expect((await config(as('bob'))).key).toEqual({ name: 'user:bob', scope: 'write', collections: ['hr'] });
    expect((await config(as(Buffer.from('王小明').toString('latin1')))).key).toEqual({
      name: 'user:王小明',
      scope: 'read',
      collections: null,
    });
    expect((await config(as('somebody'))).key).toMatchObject({ name: 'user:somebody', scope: 'read', collections: ['hr'] });
    expect((await config(as('machine'))).key).toMatchObject({ name: 'user:machine', scope: 'read' });
  });

  it('gets past who asks on every route that a key opens, and nobody does without it [S64]', async () => {
    expect(guarded().length).toBeGreaterThan(30);
    for (const route of guarded()) {
      const name = `${route.method} ${route.path}`;
      expect([name, refusals.includes(await statusOf(route, {}))]).toEqual([name, true]);
      expect([name, refusals.includes(await statusOf(route, { ...as('a b'), 'sec-fetch-site': 'same-origin' }))]).toEqual([
        name,
        true,
      ]);
      const asAnn = { ...as('ann@example.com'), 'sec-fetch-site': 'same-origin' };
      expect([name, refusals.includes(await statusOf(route, asAnn))]).toEqual([name, false]);
    }
  });

  it('changes nothing for a page of another origin: a proxy vouches for whoever has its cookie', async () => {
    for (const route of guarded().filter(({ method }) => method !== 'GET')) {
      const name = `${route.method} ${route.path}`;
      expect([name, await statusOf(route, as('ann@example.com'))]).toEqual([name, 403]);
      expect([name, await statusOf(route, { ...as('ann@example.com'), origin: 'https://evil.example' })]).toEqual([name, 403]);
    }
  });

  it('is nobody when the header comes twice, or beside a key that is wrong', async () => {
    const twice = await fetch(`${server.url}/tasks`, {
      headers: [
        ['X-Forwarded-User', 'ann@example.com'],
        ['X-Forwarded-User', 'bob'],
      ],
    });
    expect(twice.status).toBe(401);
    const wrong = await fetch(`${server.url}/tasks`, {
      headers: { ...as('ann@example.com'), authorization: 'Bearer wrong-key-0123456789' },
    });
    expect(wrong.status).toBe(401);
  });

  it('is nobody at an address that is not the proxy’s', async () => {
    const elsewhere = await startServer({
      dataDir: join(folder, 'elsewhere'),
      env: { LOGIN_HEADER: 'X-Forwarded-User', LOGIN_USERS: '*:admin', TRUST_PROXY: '10.1.2.3' },
    });
    try {
      const direct = await fetch(`${elsewhere.url}/tasks`, { headers: { ...as('ann'), 'X-Forwarded-For': '10.1.2.3' } });
      expect(direct.status).toBe(401);
    } finally {
      await elsewhere.stop();
    }
  });
});

describe('a login at a provider', () => {
  const callback = '/login/oidc/callback';
  const cookiesOf = (answer: Response): string =>
    answer.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0]!)
      .join('; ');

  let clients = 0;
  /** An address of its own for each: who is refused ten times must wait. */
  const fromAnywhere = (): Record<string, string> => ({ 'X-Forwarded-For': `10.0.0.${(clients += 1)}` });

  /** There and back, as a browser goes. */
  async function logIn(claims: Record<string, unknown>, fault: OidcProvider['fault'] = 'none'): Promise<Response> {
    Object.assign(provider, { claims, fault });
    const there = await fetch(`${server.url}/login/oidc`, { redirect: 'manual' });
    const back = await fetch(there.headers.get('location')!, { redirect: 'manual' });
    const answer = await fetch(back.headers.get('location')!, {
      redirect: 'manual',
      headers: { cookie: cookiesOf(there), ...fromAnywhere() },
    });
    provider.fault = 'none';
    return answer;
  }

  it('gives a session that works like a key on every route, until it is ended [S65]', async () => {
    const done = await logIn({ email: 'ann@example.com', email_verified: true });
    expect(done.status).toBe(200);
    expect(done.headers.get('set-cookie')).toMatch(/^rag_session=\S+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    expect(await done.text()).toContain('content="0;url=/"');
    const session = { cookie: cookiesOf(done), 'sec-fetch-site': 'same-origin' };
    for (const route of guarded()) {
      const name = `${route.method} ${route.path}`;
      expect([name, refusals.includes(await statusOf(route, session))]).toEqual([name, false]);
    }
    await fetch(`${server.url}/logout`, { method: 'POST', headers: session });
    for (const route of guarded()) expect(refusals).toContain(await statusOf(route, session));
  });

  it('proves by PKCE, state and nonce that it began here, and tells the provider its secret only in a header', async () => {
    await logIn({ email: 'ann@example.com', email_verified: true });
    const { authorization, form } = provider.tokenRequests.at(-1)!;
    expect(decodeURIComponent(atob(authorization.replace('Basic ', '')))).toBe('rag:a-secret-of-the-provider');
    expect(form.get('code_verifier')).toMatch(/^[\w-]{43,}$/);
    expect(form.toString()).not.toContain('secret');
    expect(server.log()).not.toContain('a-secret-of-the-provider');
  });

  it.each<[string, Record<string, unknown>, OidcProvider['fault'], number]>([
    ['an address that is not verified', { email: 'ann@example.com', email_verified: false }, 'none', 401],
    ['an address that nothing is said of', { email: 'ann@example.com' }, 'none', 401],
    ['no address', {}, 'none', 401],
    ['a token that somebody else has signed', { email: 'ann@example.com', email_verified: true }, 'other key', 401],
    ['a token for another login', { email: 'ann@example.com', email_verified: true }, 'other nonce', 401],
    ['a token for another program', { email: 'ann@example.com', email_verified: true, aud: 'other' }, 'none', 401],
    ['a token of another provider', { email: 'ann@example.com', email_verified: true, iss: 'https://other.example' }, 'none', 401],
    ['a token that is over', { email: 'ann@example.com', email_verified: true, exp: 1000 }, 'none', 401],
    ['a name with a line break', { email: 'ann\nbob@example.com', email_verified: true }, 'none', 403],
  ])('is refused for %s', async (_what, claims, fault, status) => {
    const answer = await logIn(claims, fault);
    expect(answer.status).toBe(status);
    expect(answer.headers.getSetCookie().filter((cookie) => cookie.startsWith('rag_session'))).toEqual([]);
  });

  it('is refused when it began elsewhere, was tampered with, or is used twice', async () => {
    Object.assign(provider, { claims: { email: 'ann@example.com', email_verified: true } });
    const there = await fetch(`${server.url}/login/oidc`, { redirect: 'manual' });
    const back = (await fetch(there.headers.get('location')!, { redirect: 'manual' })).headers.get('location')!;
    const other = await fetch(`${server.url}/login/oidc`, { redirect: 'manual' });
    const come = async (cookie: string): Promise<number> =>
      (await fetch(back, { redirect: 'manual', headers: { cookie, ...fromAnywhere() } })).status;

    expect(await come('')).toBe(400);
    expect(await come(cookiesOf(other))).toBe(400);
    expect(await come(cookiesOf(there).replace(/.$/, '_'))).toBe(400);
    expect(await come('rag_oidc=.')).toBe(400);
    expect(await come(cookiesOf(there))).toBe(200);
    expect(await come(cookiesOf(there))).toBe(401);
    expect((await fetch(`${server.url}${callback}?error=access_denied&state=x`, { redirect: 'manual' })).status).toBe(400);
  });

  it('is told of in the audit log, by the name that the provider gave', async () => {
    const lines = (await readFile(join(folder, 'audit.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.some((line) => line.includes('"event":"login"') && line.includes('user:ann@example.com'))).toBe(true);
  });

  it('says that the provider is silent when it is', async () => {
    const silent = await startOidcProvider('rag');
    silent.fault = 'silent';
    const alone = await startServer({
      dataDir: join(folder, 'alone'),
      env: { OIDC_ISSUER: silent.issuer, OIDC_CLIENT_ID: 'rag', LOGIN_USERS: '*:read' },
    });
    try {
      expect((await fetch(`${alone.url}/login/oidc`, { redirect: 'manual' })).status).toBe(503);
      expect((await fetch(`${alone.url}/tasks`)).status).toBe(401);
      silent.fault = 'none';
      expect((await fetch(`${alone.url}/login/oidc`, { redirect: 'manual' })).status).toBe(302);
    } finally {
      await alone.stop();
      await silent.close();
    }
  });
});

describe('a quota', () => {
  const small = { authorization: 'Bearer small-key-0123456789' };
  const put = (id: string, body: string): Promise<Response> =>
    fetch(`${server.url}/documents/${id}?filename=${id}.txt`, { method: 'PUT', headers: small, body });

  it('of documents and bytes stops what goes beyond, tells until when, and leaves the rest alone', async () => {
    expect((await put('one', 'a'.repeat(60))).status).toBe(200);
    const large = await put('two', 'b'.repeat(60));
    expect(large.status).toBe(429);
    const problem = await json<{ code: string; quota: { kind: string; limit: number; resets_at: string } }>(large);
    expect(problem).toMatchObject({ code: 'quota_exceeded', quota: { kind: 'bytes', limit: 100 } });
    expect(Number(large.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(problem.quota.resets_at).toMatch(/T00:00:00.000Z$/);
    expect((await put('two', 'short')).status).toBe(200);
    expect(await json(await put('three', 'x'))).toMatchObject({ quota: { kind: 'documents', limit: 2 } });
    expect((await fetch(`${server.url}/search?q=aaa`, { headers: small })).status).toBe(200);
  });

  it('of requests holds on every route [S66]', async () => {
    const limited = { 'X-Forwarded-User': 'limited', 'sec-fetch-site': 'same-origin' };
    for (let n = 0; n < 3; n += 1) expect((await fetch(`${server.url}/tasks`, { headers: limited })).status).toBe(200);
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      expect([name, await statusOf(route, limited)]).toEqual([name, 429]);
    }
  });

  it('outlives the server, and begins anew with the day', async () => {
    await using dir = await tempDir();
    const rules = parseQuotas('a:requests=2,*:documents=1+bytes=1K');
    let now = '2026-03-01T23:59:59.000Z';
    const first = openQuotaCounts(dir.path);
    const second = openQuotaCounts(dir.path);
    const [one, two] = [createQuotas(rules, first, () => now), createQuotas(rules, second, () => now)];
    one.request('a');
    two.request('a');
    expect(() => one.request('a')).toThrow(expect.objectContaining({ code: 'quota_exceeded', retryAfterSeconds: 1 }));
    one.request('b');
    one.document('b', 1024);
    expect(() => two.document('b', 0)).toThrow(/1 documents per day/);
    expect(() => two.document('c', 1025)).toThrow(/1024 bytes per day/);
    one.request(null);
    first.close();
    second.close();

    const third = openQuotaCounts(dir.path);
    const again = createQuotas(rules, third, () => now);
    expect(() => again.request('a')).toThrow(/2 requests per day/);
    now = '2026-03-02T00:00:00.000Z';
    again.request('a');
    third.close();
    expect(() => again.request('a')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

describe('who may log in, and what may be used', () => {
  it('is written so that a mistake is told', () => {
    expect(parseUserRules('a@b.c:write, x:read@hr+it')).toEqual([
      { user: 'a@b.c', scope: 'write', collections: null },
      { user: 'x', scope: 'read', collections: ['hr', 'it'] },
    ]);
    for (const wrong of ['a', 'a:owner', 'a:public', 'a:read@', 'a:read@Bad Name', 'a b:read', 'a:read,a:write', ':read'])
      expect(() => parseUserRules(wrong)).toThrow(/each user once|entries like/);
    for (const wrong of ['a', 'a:documents', 'a:documents=-1', 'a:pages=3', ':bytes=1', 'a:bytes=1,a:bytes=2', 'a:bytes=1T'])
      expect(() => parseQuotas(wrong)).toThrow(/each key once|entries like/);
  });

  it('lets nobody in under a name that is none, or whose rule is gone or changed', () => {
    const rules = parseUserRules('ann:read');
    expect(holderOf(rules, 'bob')).toBeNull();
    for (const name of ['', '*', 'a b', 'a\nb', 'a,b', 'a:b', 'x'.repeat(201)])
      expect(holderOf(parseUserRules('*:read'), name)).toBeNull();
    expect(holderNamed(rules, 'ann')).toBeNull();
    expect(holderNamed(rules, 'user:ann')?.sha256).toEqual(holderOf(rules, 'ann')!.sha256);
    expect(holderNamed(parseUserRules('ann:write'), 'user:ann')?.sha256).not.toEqual(holderOf(rules, 'ann')!.sha256);
  });
});
