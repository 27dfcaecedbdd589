/** What a request's coding and digests say of its body is obeyed or refused, wherever a body is taken. */
import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fileForm, json, rawRequest, startHttpServer, type TestServer } from '../../support/http-server.ts';

const encoders = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const;

type Bytes = Uint8Array<ArrayBuffer>;
const bytesOf = (text: string | Buffer): Bytes => new Uint8Array(Buffer.from(text));
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

const put = (server: TestServer, body: string | Bytes, headers: Record<string, string>): Promise<Response> =>
  fetch(`${server.url}/documents/d`, { method: 'PUT', body, headers });

/** The parts of a form as they go over the wire. */
async function formBytes(form: FormData): Promise<{ bytes: Buffer; type: string }> {
  const request = new Request('http://localhost/', { method: 'POST', body: form });
  return { bytes: Buffer.from(await request.arrayBuffer()), type: request.headers.get('content-type')! };
}

describe('a body in a content coding', () => {
  it.each(Object.entries(encoders))(
    '%s is decoded: the file is what was meant, in size, digest and text [S48]',
    async (coding, encode) => {
      await using server = await startHttpServer();
      const text = 'gz hello '.repeat(30_000);

      const task = await json<{ file_size: number; sha256: string }>(
        put(server, bytesOf(encode(text)), { 'content-encoding': coding }),
      );
      const form = await formBytes(fileForm(text));
      const inForm = await json<{ file_size: number; sha256: string }>(
        fetch(`${server.url}/insert?doc_id=f`, {
          method: 'POST',
          headers: { 'content-type': form.type, 'content-encoding': coding.toUpperCase() },
          body: bytesOf(encode(form.bytes)),
        }),
      );

      const expected = { file_size: text.length, sha256: createHash('sha256').update(text).digest('hex') };
      expect([task, inForm]).toMatchObject([expected, expected]);
      expect(await (await fetch(`${server.url}/documents/d/file`)).text()).toBe(text);
    },
  );

  it.each(['compress', 'gzip, br', 'aes128gcm', 'constructor'])('%s is 415 with those that are known', async (coding) => {
    await using server = await startHttpServer();

    for (const [path, type] of [
      ['/documents/d', 'text/plain'],
      ['/insert?doc_id=d', 'multipart/form-data; boundary=b'],
    ] as const) {
      const method = path.startsWith('/insert') ? 'POST' : 'PUT';
      const answer = await fetch(server.url + path, {
        method,
        body: 'x',
        headers: { 'content-type': type, 'content-encoding': coding },
      });
      expect([answer.status, answer.headers.get('accept-encoding')], path).toEqual([415, 'gzip, deflate, br, zstd']);
    }
    expect(server.memory.tasks.size).toBe(0);
  });

  it.each([
    ['is not in it', Buffer.from('plain text')],
    ['is cut', gzipSync('x'.repeat(5000)).subarray(0, 20)],
    ['goes on after its end', Buffer.concat([gzipSync('x'), Buffer.from('more, unread')])],
  ])('that %s is 400 and leaves nothing', async (_what, body) => {
    await using server = await startHttpServer();

    const answer = await put(server, bytesOf(body), { 'content-encoding': 'gzip' });
    const form = await fetch(`${server.url}/insert?doc_id=d`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-encoding': 'gzip' },
      body: bytesOf(body),
    });

    expect([answer.status, form.status]).toEqual([400, 400]);
    expect([server.memory.tasks.size, await server.files()]).toEqual([0, []]);
  });

  it.each(Object.entries(encoders))(
    'that is a bomb of %s is "File too large", decoded no further than the limit, and leaves nothing [S48]',
    async (coding, encode) => {
      await using server = await startHttpServer({ settings: { fileBytesMax: 100_000 } });
      const bomb = bytesOf(encode(Buffer.alloc(16 * 1024 * 1024)));
      const form = await formBytes(fileForm(new Uint8Array(4 * 1024 * 1024)));

      const answer = await put(server, bomb, { 'content-encoding': coding });
      const inForm = await fetch(`${server.url}/insert?doc_id=d`, {
        method: 'POST',
        headers: { 'content-type': form.type, 'content-encoding': coding },
        body: bytesOf(encode(form.bytes)),
      });

      expect([answer.status, (await json(answer)).detail]).toEqual([400, 'Invalid document: File too large: d']);
      expect([inForm.status, (await json(inForm)).detail]).toEqual([400, 'Invalid document: File too large: notes.txt']);
      expect(await server.files()).toEqual([]);
    },
  );
});

describe('JSON', () => {
  const search = (server: TestServer, body: string | Bytes, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/search`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
  const query = '{"query":"x"}';

  it.each(Object.entries(encoders))('in %s is decoded, within its own limit [S48]', async (coding, encode) => {
    await using server = await startHttpServer({ limits: { jsonBytesMax: 10_000 } });

    const good = await search(server, bytesOf(encode(query)), { 'content-encoding': coding });
    const bomb = await search(server, bytesOf(encode(`{"query":"${' '.repeat(5_000_000)}x"}`)), { 'content-encoding': coding });
    const broken = await search(server, query, { 'content-encoding': coding });

    expect([good.status, bomb.status, broken.status]).toEqual([200, 413, 400]);
  });

  it('is UTF-8, not another charset, and what its digest says', async () => {
    await using server = await startHttpServer();
    const statuses = [
      await search(server, query, { 'content-type': 'application/json; charset=utf-8' }),
      await search(server, query, { 'content-type': 'application/json; charset="UTF-16"' }),
      await search(server, bytesOf(Buffer.from('{"query":"caf\xe9"}', 'latin1'))),
      await search(server, query, { 'content-digest': `sha-256=:${sha256(query)}:` }),
      await search(server, query, { 'content-digest': `sha-256=:${sha256('other')}:` }),
      await search(server, query, { 'content-encoding': 'compress' }),
    ].map(({ status }) => status);

    expect(statuses).toEqual([200, 415, 400, 200, 400, 415]);
  });
});

describe('a digest of the body', () => {
  it.each([
    ['Content-Digest', (text: string) => `sha-256=:${sha256(text)}:`],
    ['Repr-Digest', (text: string) => `sha-512=:${createHash('sha512').update(text).digest('base64')}:`],
    ['Content-Digest', (text: string) => `md5=:AAAA:, sha-256=:${sha256(text)}:`],
    ['Digest', (text: string) => `SHA-256=${sha256(text)}`],
    ['Content-MD5', (text: string) => createHash('md5').update(text).digest('base64')],
  ])('%s is held against it', async (field, make) => {
    await using server = await startHttpServer();

    const good = await put(server, 'text', { [field]: make('text') });
    const bad = await put(server, 'other', { [field]: make('text') });

    expect([good.status, bad.status]).toEqual([200, 400]);
    expect((await json(bad)).detail).toBe(`The body does not match ${field === 'Content-MD5' ? 'Content-Md5' : field}.`);
    expect(await server.files()).toHaveLength(1);
  });

  it('is of the bytes on the wire: of the whole form, and in their coding', async () => {
    await using server = await startHttpServer();
    const packed = bytesOf(gzipSync('text'));
    const form = await formBytes(fileForm('text'));

    const encoded = await put(server, packed, { 'content-encoding': 'gzip', 'content-digest': `sha-256=:${sha256(packed)}:` });
    const inForm = (digest: string): Promise<Response> =>
      fetch(`${server.url}/insert?doc_id=f`, {
        method: 'POST',
        headers: { 'content-type': form.type, 'content-digest': `sha-256=:${digest}:` },
        body: bytesOf(form.bytes),
      });

    expect([encoded.status, (await inForm(sha256(form.bytes))).status, (await inForm(sha256('text'))).status]).toEqual([
      200, 200, 400,
    ]);
  });

  it.each(['md5=:AAAA:', 'sha-256', 'sha-256=abc', ''])('that cannot be checked is 400: %j', async (value) => {
    await using server = await startHttpServer();

    expect((await put(server, 'text', { 'content-digest': value })).status).toBe(400);
  });
});

describe('a field that would make a request mean something else', () => {
  it('is refused: a part of a file, another method, a digest that comes after the body', async () => {
    await using server = await startHttpServer();

    const part = await put(server, 'text', { 'content-range': 'bytes 0-3/100' });
    const override = await fetch(`${server.url}/search?q=x`, { headers: { 'x-http-method-override': 'DELETE' } });
    const trailer = await put(server, 'text', { trailer: 'Content-Digest' });

    expect([part.status, override.status, trailer.status]).toEqual([400, 400, 400]);
    expect(server.memory.tasks.size).toBe(0);
  });

  it('is 501 for a transfer coding that is not known', async () => {
    await using server = await startHttpServer();
    const head = 'PUT /documents/d HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nTransfer-Encoding: gzip, chunked\r\n\r\n';

    expect(await rawRequest(server.port, `${head}1\r\nx\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 501 /);
    expect(server.memory.tasks.size).toBe(0);
  });

  it('is refused where an Idempotency-Key would keep no change from happening twice, and does no harm to a read', async () => {
    await using server = await startHttpServer();
    const headers = { 'idempotency-key': 'k-1', 'content-type': 'application/json' };
    const retry = await fetch(`${server.url}/task/0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b/retry`, { method: 'POST', headers });
    const search = await fetch(`${server.url}/search`, { method: 'POST', headers, body: '{"query":"x"}' });

    expect([retry.status, search.status]).toEqual([422, 200]);
  });
});
