/** The page's own files, and the API's description. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rawRequest, startHttpServer } from '../../support/http-server.ts';

let pageDir: string;

beforeAll(async () => {
  pageDir = await mkdtemp(join(tmpdir(), 'rag-page-'));
  await mkdir(join(pageDir, 'assets', 'cmaps'), { recursive: true });
  await writeFile(join(pageDir, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(pageDir, 'assets', 'index-Ab3dE_9x.js'), 'export {};');
  await writeFile(join(pageDir, 'assets', 'style.css'), 'body {}');
  await writeFile(join(pageDir, 'assets', 'style.css.br'), brotliCompressSync('body {}'));
  await writeFile(join(pageDir, 'assets', 'style.css.gz'), gzipSync('body {}'));
  await writeFile(join(pageDir, 'assets', 'orphan.css.gz'), gzipSync('body {}'));
  await writeFile(join(pageDir, 'assets', 'cmaps', 'GB1.bcmap'), 'x');
  await writeFile(join(pageDir, 'secret.txt'), 'not an asset');
  await writeFile(join(pageDir, 'assets', '.hidden'), 'hidden');
  await symlink('/etc/hostname', join(pageDir, 'assets', 'link.txt'));
});

afterAll(() => rm(pageDir, { recursive: true, force: true }));

describe('GET /', () => {
  it('is the built page under a policy without inline code or other hosts', async () => {
    await using server = await startHttpServer({ settings: { pageDir } });

    const answer = await fetch(server.url);
    const policy = answer.headers.get('content-security-policy')!;

    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await answer.text()).toContain('<title>page</title>');
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(policy).not.toMatch(/unsafe-inline|(?<!wasm-)unsafe-eval|https?:|\*/);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  it('says in a sentence that the page is not built', async () => {
    await using server = await startHttpServer({ settings: { pageDir: '/nonexistent' } });

    const answer = await fetch(server.url);

    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('not built');
  });
});

describe('the page’s files', () => {
  it('have their types; those named after their content are kept for ever, others are asked for again', async () => {
    await using server = await startHttpServer({ settings: { pageDir } });

    const script = await fetch(`${server.url}/assets/index-Ab3dE_9x.js`);
    const style = await fetch(`${server.url}/assets/style.css`);
    const nested = await fetch(`${server.url}/assets/cmaps/GB1.bcmap`);
    const again = await fetch(`${server.url}/assets/style.css`, { headers: { 'If-None-Match': style.headers.get('etag')! } });

    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(style.headers.get('cache-control')).toBe('no-cache');
    expect(nested.status).toBe(200);
    expect(again.status).toBe(304);
  });

  it('are kept by nobody where a condition refuses them: the answer is a problem', async () => {
    await using server = await startHttpServer({ settings: { pageDir } });
    const refused = await fetch(`${server.url}/assets/index-Ab3dE_9x.js`, {
      headers: { 'If-Match': '"another"', 'Accept-Encoding': 'br' },
    });

    expect(refused.status).toBe(412);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect(await refused.json()).toMatchObject({ status: 412 });
  });

  it.each([
    { takes: 'gzip, deflate, br, zstd', encoding: 'br' },
    { takes: 'gzip, deflate', encoding: 'gzip' },
    { takes: 'br;q=0, gzip;q=0.5', encoding: 'gzip' },
    { takes: 'identity', encoding: null },
  ])('come compressed as they lie there, in the smallest form a client takes: $takes', async ({ takes, encoding }) => {
    await using server = await startHttpServer({ settings: { pageDir } });
    const get = (headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${server.url}/assets/style.css`, { headers: { 'Accept-Encoding': takes, ...headers } });

    const style = await get();
    const again = await get({ 'If-None-Match': style.headers.get('etag')! });

    expect(style.headers.get('content-encoding')).toBe(encoding);
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(await style.text()).toBe('body {}');
    expect(again.status).toBe(304);
    for (const { headers } of [style, again]) expect(headers.get('vary')).toContain('Accept-Encoding');
  });

  it('have an ETag for each encoding, so that no cache gives one out for another', async () => {
    await using server = await startHttpServer({ settings: { pageDir } });
    const tagFor = async (takes: string): Promise<string | null> =>
      (await fetch(`${server.url}/assets/style.css`, { headers: { 'Accept-Encoding': takes } })).headers.get('etag');

    expect(new Set([await tagFor('br'), await tagFor('gzip'), await tagFor('identity')]).size).toBe(3);
  });

  it('are those of a page that is built while the server runs', async () => {
    await using server = await startHttpServer({ settings: { pageDir } });
    expect((await fetch(`${server.url}/assets/later-Zz9zZz9z.js`)).status).toBe(404);

    await writeFile(join(pageDir, 'assets', 'later-Zz9zZz9z.js'), 'export {};');

    expect((await fetch(`${server.url}/assets/later-Zz9zZz9z.js`)).status).toBe(200);
  });

  it.each([
    '/assets/absent.js',
    '/assets/orphan.css',
    '/assets/.hidden',
    '/assets/..%2fsecret.txt',
    '/assets/..%2findex.html',
    '/assets/%2e%2e/secret.txt',
    '/assets/../secret.txt',
    '/assets/cmaps/..%2f..%2fsecret.txt',
    '/assets/..%5csecret.txt',
    '/assets/%00',
    '/assets/link.txt',
    '/assets/',
    '/secret.txt',
    '/assets/%2fetc%2fpasswd',
  ])('are never anything else: %s', async (path) => {
    await using server = await startHttpServer({ settings: { pageDir } });

    const answer = await rawRequest(server.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);

    expect(answer).toMatch(/^HTTP\/1\.1 404/);
  });
});

describe('the description', () => {
  it('is OpenAPI 3.1 of every route, with its scope and its problems', async () => {
    await using server = await startHttpServer();
    type Operation = { operationId: string; responses: Record<string, unknown>; 'x-scope': string };

    const document = await json<{
      openapi: string;
      paths: Record<string, Record<string, Operation>>;
      components: { schemas: object };
    }>(fetch(`${server.url}/openapi.json`));
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/insert',
        '/task/{task_id}',
        '/tasks',
        '/documents/{doc_id}',
        '/search',
        '/health',
        '/metrics',
        '/events',
      ]),
    );
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(document.paths['/insert']!.post!.responses).toHaveProperty('202');
    for (const status of ['400', '401', '413', '415', '422', '429', '431', '503', '507'])
      expect(document.paths['/insert']!.post!.responses).toHaveProperty(status);
    expect(document.components.schemas).toHaveProperty('Task');
    expect(document.components.schemas).toHaveProperty('Problem');
    for (const reference of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(document.components.schemas).toHaveProperty(reference[1]!);
  });

  it('can be read at /docs with files of this server alone', async () => {
    await mkdir(join(pageDir, 'docs'), { recursive: true });
    for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png', 'package.json'])
      await writeFile(join(pageDir, 'docs', file), file);
    await using server = await startHttpServer({ settings: { pageDir } });

    const html = await (await fetch(`${server.url}/docs`)).text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);

    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(html).not.toMatch(/https?:|<script>/);
    for (const file of files) expect((await fetch(`${server.url}/${file}`)).status, file).toBe(200);
    expect((await fetch(`${server.url}/docs/package.json`)).status).toBe(404);
    expect((await fetch(`${server.url}/docs/..%2fpackage.json`)).status).toBe(404);
  });

  it('says at /docs how to build its reader where that is not built', async () => {
    await using server = await startHttpServer();

    expect(await (await fetch(`${server.url}/docs`)).text()).toContain('npm run build:web');
    expect((await fetch(`${server.url}/docs/swagger-ui.css`)).status).toBe(404);
  });
});
