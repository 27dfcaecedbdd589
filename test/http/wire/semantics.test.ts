/** What HTTP leaves open or forbids, as docs/http-semantics.md says it is here; and that the document speaks of every field. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileForm, insert, rawRequest, startHttpServer } from '../../support/http-server.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const statusOf = (answer: string): number => Number(answer.slice(9, 12));
const request = (line: string, ...fields: string[]): string =>
  [line, 'Host: 127.0.0.1', 'Connection: close', ...fields, '', ''].join('\r\n');

describe('docs/http-semantics.md', () => {
  const rows = readFileSync(`${root}docs/http-semantics.md`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));

  it('names in every row a test that exists', () => {
    expect(rows.length).toBeGreaterThan(60);
    const missing = rows.filter((cells) => {
      const [, file, title] = /^\[(\S+)\] (.+)$/.exec(cells.at(-1)!) ?? [];
      return file === undefined || !readFileSync(`${root}test/${file}`, 'utf8').includes(title!);
    });

    expect(missing).toEqual([]);
  });

  it('speaks of every request field that the server reads', () => {
    const said = new Set(
      rows.flatMap(([fields]) => [...fields!.matchAll(/`([A-Za-z0-9-]+)`/g)].map(([, name]) => name!.toLowerCase())),
    );
    const read = ['src/http', 'src/mcp'].flatMap((folder) =>
      sourcesIn(`${root}${folder}`).flatMap((file) => {
        const text = readFileSync(`${root}${folder}/${file}`, 'utf8');
        return [...text.matchAll(/(?:ctx\.get\(|(?:req|request|ctx)?\.?headers\[|'if-[a-z-]+)'?([A-Za-z-]+)'/g)].map(
          ([all, name]) => (all.startsWith("'if-") ? all.slice(1, -1) : name!),
        );
      }),
    );

    expect(read.length).toBeGreaterThan(20);
    expect([...new Set(read.map((name) => name.toLowerCase()))].filter((name) => !said.has(name))).toEqual([]);
  });
});

describe('methods', () => {
  it('HEAD answers as GET does, without the content', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('0123456789'));

    for (const path of [
      '/',
      '/health',
      '/documents',
      '/documents/d',
      '/documents/d/file',
      '/search?q=0',
      '/tasks',
      '/openapi.json',
      '/nowhere',
      '/documents/x',
    ]) {
      const [get, head] = await Promise.all(['GET', 'HEAD'].map((method) => fetch(server.url + path, { method })));
      const text = await get!.text();
      const shown = (answer: Response): unknown[] => [
        answer.status,
        answer.headers.get('content-type'),
        answer.headers.get('etag'),
      ];
      expect(shown(head!), path).toEqual(shown(get!));
      expect([await head!.text(), text.length > 0], path).toEqual(['', true]);
    }
  });

  it('OPTIONS says what an address takes, and one that is not known is refused', async () => {
    await using server = await startHttpServer();
    const options = await fetch(`${server.url}/documents/d`, { method: 'OPTIONS', headers: { 'max-forwards': '0' } });
    const statuses = await Promise.all(
      ['TRACE /health HTTP/1.1', 'PROPFIND /documents HTTP/1.1', 'LINK /documents/d HTTP/1.1', 'JUMP /documents HTTP/1.1'].map(
        async (line) => statusOf(await rawRequest(server.port, request(line, 'Max-Forwards: 0'))),
      ),
    );

    expect([options.status, options.headers.get('allow')]).toEqual([204, 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT']);
    expect(statuses).toEqual([405, 405, 405, 501]);
  });
});

describe('fields that only say what a client would like', () => {
  it('change nothing where there is one form of an answer', async () => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('text'));
    const fields = {
      accept: 'application/xml',
      'accept-charset': 'utf-16',
      'accept-language': 'zh',
      'accept-encoding': 'gzip, identity;q=0.1',
      'cache-control': 'no-cache, only-if-cached',
      pragma: 'no-cache',
      'content-language': 'de',
      'content-location': '/documents/other',
      from: 'a@b.example',
      prefer: 'return=minimal, handling=strict',
      priority: 'u=0',
      'want-content-digest': 'sha-256=9',
      te: 'trailers, gzip',
      'max-forwards': '0',
    };

    for (const path of ['/documents/d', '/documents/d/content', '/search?q=text', '/tasks']) {
      const [plain, other] = await Promise.all([fetch(server.url + path), fetch(server.url + path, { headers: fields })]);
      expect([other.status, other.headers.get('content-type'), other.headers.get('content-encoding')], path).toEqual([
        200,
        plain.headers.get('content-type'),
        null,
      ]);
      expect((await other.text()).length, path).toBeCloseTo((await plain.text()).length, -1);
    }
    const put = await fetch(`${server.url}/documents/d2`, { method: 'PUT', headers: fields, body: 'text' });
    expect(put.status).toBe(200);
    expect((await fetch(`${server.url}/documents/other`)).status).toBe(404);
  });

  it('that proxies put in are never an address or a method', async () => {
    await using server = await startHttpServer();
    const headers = {
      'x-original-url': '/documents',
      'x-rewrite-url': '/documents',
      'x-forwarded-prefix': '/x',
      forwarded: 'host=evil.example',
    };

    expect(await (await fetch(`${server.url}/health`, { headers })).json()).toEqual({ status: 'ok' });
  });
});

describe('trailers', () => {
  it('are read past: what is in them is not obeyed', async () => {
    await using server = await startHttpServer();
    const head = request(
      'PUT /documents/d HTTP/1.1',
      'Transfer-Encoding: chunked',
      'Trailer: If-None-Match, X-HTTP-Method-Override',
    );
    const answer = await rawRequest(
      server.port,
      `${head}1\r\nx\r\n0\r\nIf-None-Match: *\r\nX-HTTP-Method-Override: DELETE\r\n\r\n`,
    );

    expect(statusOf(answer)).toBe(200);
    expect(server.memory.tasks.size).toBe(1);
  });
});

describe('the name of a file', () => {
  it('is given once: in the address and in Content-Disposition only if both say the same', async () => {
    await using server = await startHttpServer();
    const put = (query: string, disposition: string): Promise<Response> =>
      fetch(`${server.url}/documents/d${query}`, { method: 'PUT', body: 'x', headers: { 'content-disposition': disposition } });
    const statuses = [
      await put('?filename=a.txt', 'attachment; filename="a.txt"'),
      await put('?filename=a.txt', 'attachment'),
      await put('?filename=a.txt', 'attachment; filename="b.txt"'),
      await put('', "attachment; filename*=UTF-8''caf%E9.txt"),
      await put('', "attachment; filename*=UTF-8''caf%E9.txt; filename=cafe.txt"),
      await put('', "attachment; filename*=klingon''a.txt"),
    ].map(({ status }) => status);

    expect(statuses).toEqual([200, 200, 422, 400, 200, 400]);
  });

  it('in a part of a form is not taken for another where filename* is broken', async () => {
    await using server = await startHttpServer();
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename*=UTF-8''caf%E9.txt\r\n\r\nx\r\n--b--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };

    expect((await fetch(`${server.url}/insert?doc_id=d`, { method: 'POST', headers, body })).status).toBe(400);
  });
});

/** Paths of the source files below a folder. */
function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
}
