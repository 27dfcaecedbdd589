/** Keys made and revoked over HTTP: by whom, how far, and when they are good. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { openKeyRing, type KeyRing } from '../../../src/http/access/key-ring.ts';
import { silentLogger } from '../../support/engine-steps.ts';
import { startHttpServer, type TestServer } from '../../support/http-server.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const adminKey = 'admin-0123456789abcdef';
const boundKey = 'bound-0123456789abcdef';
const settingKey = 'other-0123456789abcdef';

type KeyList = { keys: { name: string; scope: string; collections: string[] | null; source: string }[]; can_change: boolean };

let dir: TempDir;
let path: string;
let ring: KeyRing;
let server: TestServer;

/** A front end on this file, with `fixed` in its settings. */
async function startFrontEnd(fixed: string): Promise<{ server: TestServer; ring: KeyRing }> {
  const apiKeys = parseApiKeys(fixed);
  const settings = { host: '127.0.0.1', apiKeys, apiKeysFile: path };
  const ring = await openKeyRing({ settings, onChange: () => {}, logger: silentLogger });
  const keyFile = { path, fixed: apiKeys, changed: () => ring.look() };
  return { server: await startHttpServer({ settings: { apiKeys: () => ring.current(), keyFile } }), ring };
}

beforeEach(async () => {
  dir = await tempDir();
  path = join(dir.path, 'keys');
  await writeFile(path, `boss:admin:${adminKey}\nhead:admin@hr+finance:${boundKey}\n`);
  ({ server, ring } = await startFrontEnd(`fixed:read:${settingKey}`));
});

afterEach(async () => {
  ring.close();
  await server[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

function ask(method: string, where: string, key: string, body?: object): Promise<Response> {
  return fetch(`${server.url}${where}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function listed(key: string): Promise<string[]> {
  const { keys } = (await (await ask('GET', '/keys', key)).json()) as KeyList;
  return keys.map(({ name, source }) => `${name} ${source}`);
}

async function made(key: string, body: object): Promise<{ status: number; key: string; detail: string }> {
  const answer = await ask('POST', '/keys', key, body);
  return { ...((await answer.json()) as { key: string; detail: string }), status: answer.status };
}

describe('keys over HTTP', () => {
  it('[S75] one that is made is good at once, is shown this once, and is refused as soon as it is revoked', async () => {
    const fresh = await made(adminKey, { name: 'clerk', scope: 'read', collections: ['hr'] });
    const good = await ask('GET', '/collections', fresh.key);
    const list = await (await ask('GET', '/keys', adminKey)).text();
    const revoked = await ask('DELETE', '/keys/clerk', adminKey);
    const refused = await ask('GET', '/collections', fresh.key);

    expect([fresh.status, good.status, revoked.status, refused.status]).toEqual([201, 200, 200, 401]);
    expect(list).toContain('"clerk"');
    expect(list).not.toContain(fresh.key);
    expect(await readFile(path, 'utf8')).not.toContain(fresh.key);
    expect(await listed(adminKey)).toEqual(['fixed setting', 'boss file', 'head file']);
  });

  it('[S75] are the business of admins, and of one that is bound within its collections only', async () => {
    expect((await ask('GET', '/keys', settingKey)).status).toBe(403);
    expect(await listed(boundKey)).toEqual(['head file']);
    expect(await made(boundKey, { name: 'all' })).toMatchObject({ status: 422, detail: expect.stringContaining('collections') });
    expect((await made(boundKey, { name: 'far', collections: ['hr', 'sales'] })).status).toBe(422);
    expect((await made(boundKey, { name: 'near', collections: ['finance'] })).status).toBe(201);
    expect((await ask('DELETE', '/keys/boss', boundKey)).status).toBe(404);
    expect((await ask('DELETE', '/keys/near', boundKey)).status).toBe(200);
  });

  it('have one name each, in the file and in the settings', async () => {
    for (const name of ['boss', 'fixed']) expect((await made(adminKey, { name })).status, name).toBe(409);
    for (const name of ['', 'a b', 'a:b', 'a,b', 'a\nb', '-a', 'x'.repeat(65)])
      expect((await made(adminKey, { name })).status, name).toBe(422);
  });

  it('of a setting stay, and so does the last one that may look after all', async () => {
    expect((await ask('DELETE', '/keys/fixed', adminKey)).status).toBe(409);
    expect((await ask('DELETE', '/keys/boss', adminKey)).status).toBe(409);
    const second = await made(adminKey, { name: 'second', scope: 'admin' });
    expect((await ask('DELETE', '/keys/boss', second.key)).status).toBe(200);
    expect((await ask('GET', '/keys', adminKey)).status).toBe(401);
  });

  it('that cannot be kept are said so without a path of the machine', async () => {
    await writeFile(path, 'no key at all');

    const answer = await made(adminKey, { name: 'clerk' });

    expect(answer).toMatchObject({ status: 503, detail: expect.not.stringContaining(dir.path) });
  });
});

describe('two front ends on one file of keys', () => {
  it('[S75] leave the last one that may look after all, whichever of them is asked', async () => {
    const second = await made(adminKey, { name: 'second', scope: 'admin' });
    const { server: other, ring: others } = await startFrontEnd('elsewhere:read:elsewhere-0123456789');
    const revoke = (url: string, name: string, key: string): Promise<number> =>
      fetch(`${url}/keys/${name}`, { method: 'DELETE', headers: { authorization: `Bearer ${key}` } }).then(({ status }) => status);

    const statuses = await Promise.all([revoke(server.url, 'boss', second.key), revoke(other.url, 'second', adminKey)]);

    expect(new Set(statuses)).toEqual(new Set([200, 409]));
    others.close();
    await other[Symbol.asyncDispose]();
  });

  it('one of which has the name in its settings: others are revoked all the same', async () => {
    const leaked = await made(adminKey, { name: 'leaked' });
    await writeFile(path, `${await readFile(path, 'utf8')}fixed:write:another-0123456789abcdef\n`);
    await ring.look();

    expect((await ask('DELETE', '/keys/leaked', adminKey)).status).toBe(200);
    expect((await ask('GET', '/collections', leaked.key)).status).toBe(401);
    expect((await ask('GET', '/collections', settingKey)).status).toBe(200);
  });
});

describe('a file of keys that is away for a moment', () => {
  it('is not made anew with one key alone', async () => {
    await rename(path, `${path}.away`);

    expect((await made(adminKey, { name: 'clerk' })).status).toBe(503);
    await rm(path, { force: true });
    await rename(`${path}.away`, path);
    expect((await made(adminKey, { name: 'clerk' })).status).toBe(201);
  });
});

describe('what lasts', () => {
  it('[S75] a stream of events ends with the key that opened it', async () => {
    const fresh = await made(adminKey, { name: 'watcher', scope: 'admin' });
    const stream = await ask('GET', '/events', fresh.key);
    await ask('DELETE', '/keys/watcher', adminKey);

    // Ends by itself: the test would wait for ever.
    expect(await stream.text()).toContain('retry:');
  });

  it('[S75] a stream that was opened while there were no keys ends with the first one', async () => {
    await writeFile(path, '');
    const { server: open, ring: none } = await startFrontEnd('');
    const stream = await fetch(`${open.url}/events`);
    const first = await fetch(`${open.url}/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'boss', scope: 'admin' }),
    });

    expect([stream.status, first.status]).toEqual([200, 201]);
    // Ends by itself: the test would wait for ever.
    expect(await stream.text()).toContain('retry:');
    none.close();
    await open[Symbol.asyncDispose]();
  });

  it('[S75] a batch takes no more lines once its key is revoked', async () => {
    const fresh = await made(adminKey, { name: 'sender' });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const line = (name: string): Uint8Array =>
      Buffer.from(`${JSON.stringify({ doc_id: name, text: name, filename: `${name}.txt` })}\n`);
    const answering = fetch(`${server.url}/documents:batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${fresh.key}`, 'content-type': 'application/x-ndjson' },
      body: readable,
      duplex: 'half',
    } as RequestInit);
    await writer.write(line('first'));
    const reader = (await answering).body!.pipeThrough(new TextDecoderStream()).getReader();
    let answers = (await reader.read()).value ?? '';
    await ask('DELETE', '/keys/sender', adminKey);
    for (let number = 0; !answers.includes('no longer valid'); number += 1) {
      await writer.write(line(`later${number}`)).catch(() => undefined);
      const { value, done } = await reader.read();
      if (done) break;
      answers += value;
    }

    expect(answers).toContain('no longer valid');
  });
});

describe('a server without a file of keys', () => {
  it('says so instead of making one', async () => {
    await using plain = await startHttpServer({ settings: { apiKeys: parseApiKeys(`boss:admin:${adminKey}`) } });
    const post = await fetch(`${plain.url}/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      body: '{"name":"clerk"}',
    });
    const list = (await (await fetch(`${plain.url}/keys`, { headers: { authorization: `Bearer ${adminKey}` } })).json()) as KeyList;

    expect(post.status).toBe(409);
    expect(list).toMatchObject({ can_change: false, keys: [{ name: 'boss', source: 'setting' }] });
  });
});
