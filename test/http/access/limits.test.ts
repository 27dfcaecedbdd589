/** Small parts with their own rules: rates, slots, proxies, preferences, throughput. */
import { describe, expect, it } from 'vitest';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { addressBlock, clientAddress, isSecure, requestedHost, trustProxies } from '../../../src/http/access/client-address.ts';
import { toHttpSettings } from '../../../src/http/http-settings.ts';
import { loggable } from '../../../src/http/log-text.ts';
import { isLoopbackHost } from '../../../src/http/access/origin-guard.ts';
import { parsePrefer } from '../../../src/http/wire/prefer.ts';
import { createSlots } from '../../../src/http/access/slots.ts';
import { parseStrictJson } from '../../../src/http/wire/strict-json.ts';
import { createThroughput } from '../../../src/http/live/throughput.ts';
import { loadSessionSecret } from '../../../src/storage/file/shared/session-secret.ts';
import { createTask, finishTask, type Task, type TaskId } from '../../../src/tasks/task.ts';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { collectingLogger, startHttpServer, testSettings, type LogLine } from '../../support/http-server.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe('the rate limit [S33]', () => {
  it('answers 429 with Retry-After and says where the client stands', async () => {
    await using server = await startHttpServer({ settings: { requestsPerSecond: 0.001 } });

    const first = await fetch(`${server.url}/health`);
    const second = await fetch(`${server.url}/health`);

    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
    expect(first.headers.get('ratelimit-policy')).toMatch(/^"default";q=1;w=\d+$/);
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(1);
    expect(await second.json()).toMatchObject({ code: 'rate_limited' });
  });

  it('lets a burst of twice the rate through', async () => {
    await using server = await startHttpServer({ settings: { requestsPerSecond: 5 } });
    const statuses: number[] = [];

    for (let count = 0; count < 200; count += 1) statuses.push((await fetch(`${server.url}/health`)).status);

    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(statuses).toContain(429);
  });

  it('counts each key for itself, and an address that only claims to be another one as itself', async () => {
    const apiKeys = parseApiKeys('a:read:key-of-a-0123456789,b:read:key-of-b-0123456789');
    await using server = await startHttpServer({ settings: { requestsPerSecond: 0.001, apiKeys } });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/health`, { headers })).status;

    expect(await status({ 'X-API-Key': 'key-of-a-0123456789' })).toBe(200);
    expect(await status({ 'X-API-Key': 'key-of-b-0123456789' })).toBe(200);
    expect(await status({ 'X-API-Key': 'key-of-a-0123456789' })).toBe(429);
    expect(await status({ 'X-Forwarded-For': '1.1.1.1' })).toBe(200);
    expect(await status({ 'X-Forwarded-For': '2.2.2.2' })).toBe(429);
  });

  it('counts the address behind a trusted proxy', async () => {
    await using server = await startHttpServer({ settings: { requestsPerSecond: 0.001, trustedProxies: ['127.0.0.0/8'] } });
    const status = async (from: string): Promise<number> =>
      (await fetch(`${server.url}/health`, { headers: { 'X-Forwarded-For': from } })).status;

    expect([await status('1.1.1.1'), await status('2.2.2.2'), await status('9.9.9.9, 1.1.1.1')]).toEqual([200, 200, 429]);
  });
});

describe('proxy headers [S25]', () => {
  const request = (from: string, headers: Record<string, string>): IncomingMessage =>
    ({ socket: { remoteAddress: from }, headers }) as unknown as IncomingMessage;
  const spoofed = {
    'x-forwarded-for': '6.6.6.6',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    host: 'own.example',
  };

  it('have no effect from anybody but a trusted proxy', () => {
    const trusted = trustProxies(['10.0.0.0/8']);
    const untrusted = request('::ffff:192.168.1.1', spoofed);

    expect([clientAddress(untrusted, trusted), isSecure(untrusted, trusted), requestedHost(untrusted, trusted)]).toEqual([
      '192.168.1.1',
      false,
      'own.example',
    ]);
  });

  it('count from a trusted one, whose own chain is walked only as far as trust goes', () => {
    const trusted = trustProxies(['10.0.0.0/8', '::1']);
    const from = request('::ffff:10.0.0.1', { ...spoofed, 'x-forwarded-for': '1.2.3.4, 6.6.6.6, 10.9.9.9' });

    expect([clientAddress(from, trusted), isSecure(from, trusted), requestedHost(from, trusted)]).toEqual([
      '6.6.6.6',
      true,
      'evil.example',
    ]);
    expect(clientAddress(request('::1', { 'x-forwarded-for': 'nonsense' }), trusted)).toBe('::1');
  });

  it('name only addresses and networks', () => {
    expect(() => trustProxies(['proxy.example'])).toThrow(/neither an address nor a CIDR range/);
    expect(() => trustProxies(['10.0.0.0/x'])).toThrow();
  });
});

describe('the settings of the HTTP side', () => {
  const config = {
    ...testSettings,
    host: '127.0.0.1',
    oidcIssuer: '',
    oidcClientId: '',
    oidcClientSecret: '',
    oidcClaim: 'email',
    taskRetentionHours: 24,
    allowedHosts: [],
    requestsPerSecond: null,
    limits: undefined,
  };

  it('are strict about Host and free of limits on loopback, and the other way round elsewhere', () => {
    const loopback = toHttpSettings(config, testSettings);
    const open = toHttpSettings({ ...config, host: '0.0.0.0' }, testSettings);
    const chosen = toHttpSettings({ ...config, host: '0.0.0.0', allowedHosts: ['a.example'], requestsPerSecond: 0 }, testSettings);

    expect([loopback.allowedHosts, loopback.requestsPerSecond]).toEqual([[], 0]);
    expect([open.allowedHosts, open.requestsPerSecond]).toEqual([null, 50]);
    expect([chosen.allowedHosts, chosen.requestsPerSecond]).toEqual([['a.example'], 0]);
  });

  it('know which hosts are this machine only', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST'].map(isLoopbackHost)).toEqual(Array(6).fill(true));
    expect(['0.0.0.0', '::', '10.0.0.1', 'localhost.example', '127.example'].map(isLoopbackHost)).toEqual(Array(5).fill(false));
  });
});

describe('Prefer', () => {
  it.each([
    [undefined, false, null, null],
    ['respond-async', true, null, 'respond-async'],
    ['wait=10', false, 10, 'wait=10'],
    ['Wait="5"; x=y, RESPOND-ASYNC', true, 5, 'respond-async, wait=5'],
    ['wait=100', false, 60, 'wait=60'],
    ['wait=1, wait=9', false, 1, 'wait=1'],
    ['wait=soon, return=minimal', false, null, null],
  ] as const)('%j is read as it is meant', (header, respondAsync, waitSeconds, applied) => {
    expect(parsePrefer(header)).toEqual({ respondAsync, waitSeconds, applied });
  });
});

describe('slots', () => {
  it('are bounded for each client and for all, and given back once', () => {
    const slots = createSlots({ perClientMax: 2, max: 3 });
    const first = slots.take('a')!;
    slots.take('a');

    expect(slots.take('a')).toBeNull();
    expect(slots.take('b')).not.toBeNull();
    expect(slots.take('c')).toBeNull();
    first();
    first();
    expect(slots.size).toBe(2);
    expect(slots.take('a')).not.toBeNull();
  });

  it('may be of any size', () => {
    const bytes = createSlots({ perClientMax: 100, max: 150 });
    const first = bytes.take('a', 80)!;

    expect(bytes.take('a', 21)).toBeNull();
    expect(bytes.take('b', 71)).toBeNull();
    expect(bytes.take('b', 70)).not.toBeNull();
    first();
    expect(bytes.size).toBe(70);
  });
});

describe('strict JSON', () => {
  it('is what JSON.parse gives, where nothing is wrong', () => {
    const value = { a: [1, 'x:"{', { b: null, 'k"': '\\' }], c: { a: true } };

    expect(parseStrictJson(JSON.stringify(value))).toEqual(value);
    expect(parseStrictJson('[[["a"]], "{", "}"]')).toEqual([[['a']], '{', '}']);
  });

  it('is read in linear time and little memory, also with a string of 12 MB in it', () => {
    for (const text of ['x'.repeat(12e6), '\\'.repeat(6e6), '"'.repeat(6e6)]) {
      const value = { text, more: { text: 1 } };
      expect(parseStrictJson(JSON.stringify(value))).toEqual(value);
    }
  });

  it.each(['{"a":{"x":1,"x":2}}', '[{"\\u0061":1,"a":2}]', '{"a":{"constructor":1}}', `${'['.repeat(33)}${']'.repeat(33)}`, 'nul'])(
    'refuses %s',
    (text) => {
      expect(() => parseStrictJson(text)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    },
  );
});

describe('throughput', () => {
  const task = (id: string, finishedAt: string, status: 'completed' | 'failed'): Task => {
    const fields = {
      id: id as TaskId,
      docId: 'd',
      filename: 'f',
      fileBytes: 10,
      sha256: '',
      lane: 'small' as const,
      attemptsMax: 3,
    };
    const fresh = createTask(
      {
        ...fields,
        declaredMediaType: null,
        metadata: null,
        callbackUrl: null,
        keyId: null,
        createdAt: finishedAt,
      },
      0,
    );
    const error = { code: 'corrupt' as const, message: '', retryable: false };
    return finishTask(fresh, status === 'failed' ? { status, error } : { status, result: null as never }, finishedAt);
  };

  const noon = Date.parse('2026-01-01T12:00:30Z');

  it('keeps of each minute the fullest queue that was seen', () => {
    const throughput = createThroughput();
    throughput.sample({ pending: 7, processing: 2 }, noon - 60_000);
    throughput.sample({ pending: 3, processing: 4 }, noon);
    throughput.sample({ pending: 5, processing: 1 }, noon + 1000);

    const [before, last] = throughput.history(noon + 2000).slice(-2);

    expect([before?.pending, before?.processing]).toEqual([7, 2]);
    expect([last?.pending, last?.processing]).toEqual([5, 4]);
  });

  it('counts each end once, in its minute, for an hour', () => {
    const throughput = createThroughput();
    const idle = { pending: 0, processing: 0 };
    throughput.note(task('1', '2026-01-01T12:00:01.000Z', 'completed'));
    throughput.note(task('1', '2026-01-01T12:00:01.000Z', 'completed'));
    throughput.note(task('2', '2026-01-01T12:00:02.000Z', 'failed'));
    throughput.note(task('3', '2026-01-01T11:01:00.000Z', 'completed'));

    const history = throughput.history(noon);

    expect(history.at(-1)).toEqual({ minute: '2026-01-01T12:00:00.000Z', completed: 1, failed: 1, bytes: 10, ...idle });
    expect(history[0]).toEqual({ minute: '2026-01-01T11:01:00.000Z', completed: 1, failed: 0, bytes: 10, ...idle });
    expect(throughput.history(noon + 3_600_000).every(({ completed }) => completed === 0)).toBe(true);
  });
});

describe('text for the log', () => {
  it('is one bounded line without anything a terminal obeys', () => {
    expect(loggable('a\nb\u001b[31m\u2028\u202e报告')).toBe('a\\u000ab\\u001b[31m\\u2028\\u202e报告');
    expect(loggable('x'.repeat(1000))).toHaveLength(256);
  });
});

describe('the session secret [S53]', () => {
  const read = (folder: string): Promise<Buffer> => readFile(join(folder, 'session.secret'));

  it('is made once and shared by all that start on one folder at once', async () => {
    await using folder = await tempDir();

    const secrets = await Promise.all(Array.from({ length: 8 }, () => loadSessionSecret(folder.path, collectingLogger([]))));

    expect(secrets[0]).toHaveLength(32);
    expect(new Set(secrets.map((secret) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(await readdir(folder.path)).toEqual(['session.secret']);
    expect((await stat(join(folder.path, 'session.secret'))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['cut short', Buffer.alloc(16, 3)],
    ['too long', Buffer.alloc(33, 3)],
    ['nothing but zeros', Buffer.alloc(32)],
  ])('is made anew, once, where it was left %s, and the log says so', async (_what, left) => {
    await using folder = await tempDir();
    await writeFile(join(folder.path, 'session.secret'), left);
    await writeFile(join(folder.path, 'session.secret.new'), 'what a crash left');
    const log: LogLine[] = [];

    const secrets = await Promise.all(Array.from({ length: 4 }, () => loadSessionSecret(folder.path, collectingLogger(log))));
    const later = await loadSessionSecret(folder.path, collectingLogger(log));

    for (const secret of [...secrets, await read(folder.path)]) expect(Buffer.from(secret)).toEqual(Buffer.from(later));
    expect(log.map(({ level, sentence }) => [level, sentence])).toEqual([
      ['warn', 'session.secret was damaged and has been created again; everyone must log in again'],
    ]);
    expect(await readdir(folder.path)).toEqual(['session.secret']);
  });
});

describe('wrong logins [S53]', () => {
  const apiKeys = parseApiKeys('a:read:key-of-a-0123456789');
  const login = (server: { url: string }, key: string, from = '192.0.2.1'): Promise<Response> =>
    fetch(`${server.url}/login`, {
      method: 'POST',
      body: JSON.stringify({ key }),
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': from },
    });
  const settings = { apiKeys, trustedProxies: ['127.0.0.0/8'] };

  it('are let through ten times, then slowly, whatever key comes next; of other addresses nobody is slowed down', async () => {
    await using server = await startHttpServer({ settings });
    const statuses: number[] = [];
    for (let count = 0; count < 30; count += 1) statuses.push((await login(server, `wrong-key-${count}-0123456789`)).status);
    const right = await login(server, 'key-of-a-0123456789');

    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
    expect(statuses.slice(10).filter((status) => status === 429).length).toBeGreaterThan(10);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await login(server, 'key-of-a-0123456789', '192.0.2.2')).status).toBe(200);
    expect((await fetch(`${server.url}/tasks`, { headers: { 'x-api-key': 'key-of-a-0123456789' } })).status).toBe(200);
  });

  it('count for the network that one client has of IPv6', async () => {
    await using server = await startHttpServer({ settings });
    const statuses: number[] = [];
    for (let count = 0; count < 15; count += 1)
      statuses.push((await login(server, 'a-wrong-key-0123456789', `2001:db8:0:1::${count}`)).status);

    expect(statuses).toContain(429);
    expect((await login(server, 'a-wrong-key-0123456789', '2001:db8:0:2::1')).status).toBe(401);
  });

  it('of a right key cost nothing', async () => {
    await using server = await startHttpServer({ settings });
    for (let count = 0; count < 20; count += 1) expect((await login(server, 'key-of-a-0123456789')).status).toBe(200);
  });

  it('and wrong keys on any route make a few lines in the log, and one that says how many more there were', async () => {
    await using server = await startHttpServer({ settings });
    for (let count = 0; count < 300; count += 1)
      await fetch(`${server.url}/tasks`, { headers: { 'x-api-key': 'a-wrong-key-0123456789' } });
    for (let count = 0; count < 30; count += 1) await fetch(`${server.url}/logout`, { method: 'POST' });
    await server.server.close(100);

    const lines = server.log.filter(({ level }) => level !== 'debug');
    const leftOut = lines.reduce((sum, { fields }) => sum + Number(fields['leftOut'] ?? 0), 0);
    const told = lines.filter(({ sentence }) => sentence === 'a wrong API key was sent').length;
    expect(told + leftOut).toBe(300);
    expect(leftOut).toBeGreaterThan(200);
  });
});

describe('a client, as limits count it', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0001:1:2:3:4', '2001:db8:0:1::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s is %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});
