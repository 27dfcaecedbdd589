/**
 * Every route there is, asked with a key that may not reach what is asked for: read off the description of a real server, so that a
 * new route cannot be forgotten. And keys that change while the server runs, with the audit log that tells of it all.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const keys = {
  ann: 'ann-key-0123456789abc',
  bob: 'bob-key-0123456789abc',
  root: 'root-key-0123456789ab',
  eve: 'eve-key-0123456789abc',
  dee: 'dee-key-0123456789abc',
};
/** What nobody may see who reaches finance alone. */
const secrets = ['salaries', 'zanzibar'];

type Operation = { operationId: string; parameters?: { name: string; in: string; required?: boolean }[]; requestBody?: object };
type Route = { method: string; path: string; operation: Operation };

let server: TestServer;
let folder: string;
let routes: Route[];
let taskId: string;

async function ask(
  key: keyof typeof keys | null,
  method: string,
  path: string,
  body?: object | string,
): Promise<{ status: number; text: string }> {
  const stop = new AbortController();
  const isText = typeof body === 'string';
  const response = await fetch(server.url + path, {
    method,
    signal: stop.signal,
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${keys[key]}` }),
      ...(body === undefined ? {} : { 'content-type': isText ? 'text/plain' : 'application/json' }),
    },
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
    return { status: response.status, text: await response.text() };
  const first = await response.body!.getReader().read();
  stop.abort();
  return { status: response.status, text: new TextDecoder().decode(first.value as Uint8Array) };
}

beforeAll(async () => {
  folder = await makeDataDir();
  const lines = [
    `ann:admin@hr:${keys.ann}`,
    `bob:admin@finance:${keys.bob}`,
    `root:admin:${keys.root}`,
    `dee:admin@default:${keys.dee}`,
  ];
  await writeFile(join(folder, 'keys'), `# keys\n${lines.join('\n')}\n`);
  const env = { API_KEYS_FILE: join(folder, 'keys'), AUDIT_LOG: join(folder, 'audit.jsonl'), MCP: 'on', RATE_LIMIT: '100000' };
  server = await startServer({ dataDir: join(folder, 'data'), env });
  for (const name of ['hr', 'finance']) await ask('root', 'PUT', `/collections/${name}`, {});
  const put = await ask('ann', 'PUT', '/documents/salaries?filename=salaries.txt', 'The word is zanzibar');
  expect(put.status).toBe(200);
  taskId = (JSON.parse(put.text) as { task_id: string }).task_id;
  const { paths } = JSON.parse((await ask('root', 'GET', '/openapi.json')).text) as {
    paths: Record<string, Record<string, Operation>>;
  };
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
});

afterAll(async () => {
  await server.stop();
  await removeDir(folder);
});

const takesCollection = ({ operation }: Route): boolean => operation.parameters?.some(({ name }) => name === 'collection') === true;

/** The address of what ann has, in the collection given. */
function addressOf({ path, operation }: Route, collection: string | null, name = 'hr'): string {
  const filled = path.replace('{task_id}', taskId).replace('{doc_id}', 'salaries').replace('{name}', name).replace('{id}', 'msg_1');
  const query = new URLSearchParams();
  for (const parameter of operation.parameters ?? []) {
    if (parameter.in !== 'query') continue;
    if (parameter.name === 'collection' && collection !== null) query.set('collection', collection);
    else if (parameter.name === 'confirm') query.set('confirm', name);
    else if (parameter.name === 'filters' && parameter.required === true)
      query.set('filters', '{"type":"eq","key":"$doc_id","value":"salaries"}');
    else if (parameter.name === 'doc_id' && parameter.required === true) query.set('doc_id', 'salaries');
    else if (parameter.name === 'q' && parameter.required === true) query.set('q', 'The word');
  }
  return query.size === 0 ? filled : `${filled}?${query.toString()}`;
}

function withoutVaryingParts(text: string): string {
  return text.replaceAll(/"request_id":"[^"]*"|"instance":"[^"]*"/g, '');
}

describe('a key of another collection', () => {
  it('gets 404 on every route that takes a collection, as for one that does not exist [S60]', async () => {
    const asked = routes.filter(takesCollection);
    expect(asked.length).toBeGreaterThanOrEqual(10);
    for (const route of asked) {
      const body = route.operation.requestBody === undefined ? undefined : 'x';
      const json = route.method === 'PATCH' ? {} : body;
      const [foreign, absent] = [
        await ask('bob', route.method, addressOf(route, 'hr'), json),
        await ask('bob', route.method, addressOf(route, 'nowhere'), json),
      ];
      expect(foreign.status, `${route.method} ${route.path}`).toBe(404);
      expect(withoutVaryingParts(foreign.text)).toBe(withoutVaryingParts(absent.text));
    }
  });

  it('sees nothing of it in any answer of any route that shows something', async () => {
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const { status, text } = await ask('bob', route.method, addressOf(route, null));
      if (route.path.includes('{')) expect(status, route.path).toBe(404);
      // A problem names the address that was asked for.
      const shown = text.replaceAll(/"instance":"[^"]*"/g, '');
      for (const secret of [...secrets, taskId]) expect(shown, route.path).not.toContain(secret);
    }
  });

  it('reaches it by no doc_id that is written as what is kept, with a key of `default` [S60]', async () => {
    for (const written of ['hr%1Fsalaries', 'hr%1fsalaries']) {
      const read = { method: 'resources/read', params: { uri: `document://${written}` } };
      const resource = await ask('dee', 'POST', '/mcp', { jsonrpc: '2.0', id: 1, ...read });
      expect(resource.text).toContain('Document not found');
      for (const route of routes.filter(({ path }) => /\{(?:doc_id|file_id)\}/.test(path))) {
        const address = route.path.replaceAll(/\{(?:doc_id|file_id)\}/g, written).replaceAll(/\{\w+\}/g, 'default');
        const { status, text } = await ask('dee', route.method, address, route.method === 'GET' ? undefined : {});
        expect(status, `${route.method} ${address}`).toBeGreaterThanOrEqual(400);
        expect(text, `${route.method} ${address}`).not.toContain('zanzibar');
      }
      for (const name of ['get_document', 'delete_document']) {
        const tool = { name, arguments: { doc_id: decodeURIComponent(written) } };
        const called = await ask('dee', 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: tool });
        expect(called.text, name).not.toContain('zanzibar');
      }
    }
    expect((await ask('ann', 'GET', '/documents/salaries')).status).toBe(200);
  });

  it('finds, lists and counts nothing of it', async () => {
    const found = await ask('bob', 'POST', '/search', { query: 'zanzibar', collections: ['*'] });
    const typo = await ask('bob', 'POST', '/search', { query: 'zanzibat' });

    expect(JSON.parse(found.text)).toMatchObject({ total: 0, hits: [] });
    expect(JSON.parse(typo.text)).toMatchObject({ total: 0, hits: [] });
    expect((await ask('bob', 'POST', '/search', { query: 'x', collection: 'hr' })).status).toBe(404);
    expect((await ask('bob', 'POST', '/search', { query: 'x', collections: ['finance', 'hr'] })).status).toBe(404);
    expect(JSON.parse((await ask('bob', 'GET', '/status')).text)).toMatchObject({ documents: 0, chunks: 0, disk_free_bytes: 0 });
    expect((await ask('bob', 'GET', '/metrics')).text).not.toMatch(/rag_documents\S* [1-9]/);
    expect(JSON.parse((await ask('bob', 'GET', '/collections')).text)).toMatchObject({ collections: [{ name: 'finance' }] });
    expect(JSON.parse((await ask('bob', 'GET', '/config')).text)).toMatchObject({ key: { name: 'bob', collections: ['finance'] } });
    const tool = { name: 'search', arguments: { query: 'zanzibar', collection: 'hr' } };
    const mcp = await ask('bob', 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: tool });
    expect(mcp.text).toContain('Collection not found');
  });

  it('reaches its own without naming it, and the whole with a key that is bound to nothing', async () => {
    expect((await ask('ann', 'GET', '/documents/salaries')).status).toBe(200);
    expect((await ask('root', 'GET', '/documents/salaries')).status).toBe(404);
    expect((await ask('root', 'GET', '/documents/salaries?collection=hr')).status).toBe(200);
    expect(JSON.parse((await ask('ann', 'GET', `/task/${taskId}`)).text)).toMatchObject({ collection: 'hr', queue_position: null });
  });
});

describe('keys in a file', () => {
  const cli = (...args: string[]) =>
    promisify(execFile)(process.execPath, [join(import.meta.dirname, '../../../src/cli/main.ts'), ...args], {
      env: { ...process.env, API_KEYS_FILE: join(folder, 'keys') },
    });

  it('are made, listed and revoked by the command, and followed without a restart [S61]', async () => {
    const file = ['--file', join(folder, 'keys')];
    const made = await cli('key', 'create', 'eve', '--scope', 'read', '--collections', 'hr,finance', ...file, '--json');
    keys.eve = (JSON.parse(made.stdout) as { key: string }).key;

    await until('it is taken', async () => (await ask('eve', 'GET', '/documents/salaries')).status === 200);
    expect((await cli('key', 'list')).stdout).toMatch(/eve\s+read\s+hr, finance/);
    await cli('key', 'revoke', 'eve');
    await until('it is refused', async () => (await ask('eve', 'GET', '/documents/salaries')).status === 401);

    await writeFile(join(folder, 'keys'), 'this is no key file:::');
    expect((await ask('ann', 'GET', '/documents')).status).toBe(200);
    await writeFile(join(folder, 'keys'), `ann:read@hr:${keys.ann}\n`);
    await until('it only reads', async () => (await ask('ann', 'DELETE', '/documents/nothing')).status === 403);
    await writeFile(join(folder, 'keys'), '');
    await until('nobody is let in', async () => (await ask('ann', 'GET', '/documents')).status === 401);
    expect((await ask(null, 'GET', '/documents')).status).toBe(401);
  });

  it('are told of in the audit log, as is every search, insert and login, and no question [S62]', async () => {
    const lines = (await readFile(join(folder, 'audit.jsonl'), 'utf8')).trim().split('\n');
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);

    expect(events).toContainEqual(
      expect.objectContaining({ event: 'insert', key: 'ann', collection: 'hr', doc_id: 'salaries', task_id: taskId }),
    );
    expect(events).toContainEqual(expect.objectContaining({ event: 'search', key: 'bob', collections: ['finance'], hits: 0 }));
    expect(events).toContainEqual(expect.objectContaining({ event: 'keys_changed', added: ['eve'], removed: [] }));
    expect(events).toContainEqual(expect.objectContaining({ event: 'keys_changed', removed: ['eve'] }));
    expect(lines.join('\n')).not.toContain('zanzibar');
    expect(lines.join('\n')).not.toContain(keys.ann);
  });
});
