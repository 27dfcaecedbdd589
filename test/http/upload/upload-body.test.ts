/** Uploads as real and as hostile clients send them, over raw connections where no library would. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  fileForm,
  insert,
  json,
  rawConnection,
  rawRequest,
  startHttpServer,
  type TestServer,
} from '../../support/http-server.ts';

const requestsBoundary = '5d1b7c9a';

/** A form as python-requests writes it: the file part has no Content-Type. */
function pythonForm(name: string, content: Buffer): Buffer {
  const head = `--${requestsBoundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${requestsBoundary}--\r\n`)]);
}

function post(body: Buffer, more = ''): Buffer {
  const head =
    `POST /insert?doc_id=d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}` +
    `Content-Type: multipart/form-data; boundary=${requestsBoundary}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

async function storedHash(server: TestServer): Promise<string> {
  const [name] = await server.files();
  return createHash('sha256')
    .update(await readFile(join(server.folder, 'uploads', name!)))
    .digest('hex');
}

describe('a form', () => {
  it('keeps its file part a file when the part has no Content-Type (python-requests sends none)', async () => {
    await using server = await startHttpServer();

    const answer = await rawRequest(server.port, post(pythonForm('报告 2026.pdf', Buffer.from('hello'))));

    expect(statusOf(answer)).toBe(200);
    expect(Buffer.from(answer, 'latin1').toString()).toContain('"filename":"报告 2026.pdf"');
  });

  it('keeps a text field a field when the field has a Content-Type (C# sends one)', async () => {
    await using server = await startHttpServer();
    const body = Buffer.from(
      `--${requestsBoundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=metadata\r\n\r\n{}\r\n` +
        pythonForm('a.txt', Buffer.from('x')).toString('latin1'),
      'latin1',
    );

    expect(statusOf(await rawRequest(server.port, post(body)))).toBe(200);
  });

  it('is read whole when a field says Content-Transfer-Encoding: 7bit (which ends a process with formidable’s own parser)', async () => {
    await using server = await startHttpServer();
    const body = Buffer.from(
      `--${requestsBoundary}\r\nContent-Transfer-Encoding: 7bit\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{}\r\n` +
        pythonForm('a.txt', Buffer.from('x')).toString('latin1'),
      'latin1',
    );

    expect(statusOf(await rawRequest(server.port, post(body)))).toBe(200);
  });

  it('keeps a name whole that arrives one byte at a time', async () => {
    await using server = await startHttpServer();
    const { socket, received, closed } = await rawConnection(server.port);
    socket.setNoDelay(true);

    for (const byte of post(pythonForm('報告書.pdf', Buffer.from('x')))) {
      await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()));
    }
    await closed;

    expect(Buffer.from(received(), 'latin1').toString()).toContain('"filename":"報告書.pdf"');
  });

  it.each([0, 1, 65_535, 65_536, 3_000_000])('stores exactly the bytes that were sent: %i of them', async (length) => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const content = randomBytes(length);

    await insert(server, 'd', fileForm(new Uint8Array(content)), { Prefer: 'respond-async' });

    const files = await server.files();
    expect(files).toHaveLength(length === 0 ? 0 : 1);
    if (length > 0) expect(await storedHash(server)).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x', 400],
    ['an empty boundary', 'multipart/form-data; boundary=', 'x', 400],
    ['a boundary of 252 characters', `multipart/form-data; boundary=${'b'.repeat(252)}`, 'x', 400],
    ['a boundary of 5,000 characters', `multipart/form-data; boundary=${'b'.repeat(5000)}`, 'x', 400],
    [
      'a boundary of 70 characters and 800 beginnings of it',
      `multipart/form-data; boundary=${'b'.repeat(70)}`,
      `--${'b'.repeat(70)}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${`\r\n--${'b'.repeat(69)}x`.repeat(800)}\r\n--${'b'.repeat(70)}--\r\n`,
      422,
    ],
    ['a body that is no form', 'multipart/form-data; boundary=b', 'hello', 400],
    [
      'an end that never comes',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nabc',
      400,
    ],
    ['no parts', 'multipart/form-data; boundary=b', '--b--\r\n', 422],
    [
      'an empty field name',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name=""\r\n\r\nx\r\n--b--\r\n',
      422,
    ],
    [
      'a part called __proto__',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\nx\r\n--b--\r\n',
      422,
    ],
    [
      'a file called constructor',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="constructor"; filename="x"\r\n\r\nx\r\n--b--\r\n',
      422,
    ],
    [
      'a field over 64 KB',
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n${'x'.repeat(70_000)}\r\n--b--\r\n`,
      413,
    ],
    [
      '51 fields',
      'multipart/form-data; boundary=b',
      `${'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(51)}--b--\r\n`,
      422,
    ],
    [
      '1,000 fields',
      'multipart/form-data; boundary=b',
      `${'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(1000)}--b--\r\n`,
      422,
    ],
    ['a part header of 65 KB', 'multipart/form-data; boundary=b', `--b\r\nX: ${'x'.repeat(66_000)}\r\n\r\nx\r\n--b--\r\n`, 431],
  ])('with %s gets a 4xx with a code, and leaves nothing [S5] [S7] [S8]', async (_name, type, body, status) => {
    await using server = await startHttpServer();

    const answer = await fetch(`${server.url}/insert?doc_id=d`, { method: 'POST', headers: { 'Content-Type': type }, body });

    expect(answer.status).toBe(status);
    expect(await json(answer)).toMatchObject({ status, code: expect.any(String) });
    expect(await server.files()).toEqual([]);
  });

  it('with a part header that never ends gets 431, and memory does not grow with it', async () => {
    await using server = await startHttpServer();
    const { socket, received, closed } = await rawConnection(server.port);
    socket.write(
      'POST /insert?doc_id=d HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    socket.write('8\r\n--b\r\nX: \r\n');
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 65), Buffer.from('\r\n')]);
    const before = process.memoryUsage.rss();

    const sender = setInterval(() => socket.writable && socket.writableLength < 1e6 && socket.write(chunk), 1);
    await closed;
    clearInterval(sender);

    expect(statusOf(received())).toBe(431);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect(await server.files()).toEqual([]);
  });

  it('over the limit by its own Content-Length is refused with the file’s name before its body is read [S4]', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 1_000_000 } });
    const { socket, received, closed } = await rawConnection(server.port);

    socket.write(
      'POST /insert?doc_id=d HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000000\r\n\r\n' +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="huge.pdf"\r\n\r\nonly the first bytes',
    );
    await closed;

    expect(statusOf(received())).toBe(400);
    expect(received()).toContain('Invalid document: File too large: huge.pdf');
    expect(received()).toMatch(/connection: close/i);
    expect(await server.files()).toEqual([]);
  });

  it('over the limit with a lying Content-Length or none is refused while streaming [S4]', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 100_000 } });
    const content = Buffer.alloc(200_000, 65);
    const chunked = pythonForm('big.txt', content);
    const head = `POST /insert?doc_id=d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=${requestsBoundary}\r\n`;

    const lying = await rawRequest(server.port, post(chunked));
    const absent = await rawRequest(
      server.port,
      Buffer.concat([
        Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${chunked.length.toString(16)}\r\n`),
        chunked,
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
    );

    for (const answer of [lying, absent]) {
      expect(statusOf(answer)).toBe(400);
      expect(answer).toContain('Invalid document: File too large: big.txt');
    }
    expect(await server.files()).toEqual([]);
  });

  it('that is refused can still be sent to its end by its client, who then reads the answer', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 1000 }, limits: { lingerMs: 5000 } });

    const answer = await insert(server, 'd', fileForm(new Uint8Array(20 * 1024 * 1024)));

    expect(answer.status).toBe(400);
    expect((await json(answer)).detail).toMatch(/^Invalid document: File too large/);
  });

  it('is not asked for with 100 Continue when the request is wrong anyway', async () => {
    await using server = await startHttpServer();

    const answer = await rawRequest(
      server.port,
      'POST /insert HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 90000000\r\n\r\n',
    );

    expect(statusOf(answer)).toBe(422);
    expect(answer).not.toContain('100 Continue');
  });

  it('is asked for with 100 Continue when it is wanted', async () => {
    await using server = await startHttpServer();
    const { socket, received, closed } = await rawConnection(server.port);
    const [head, ...body] = post(pythonForm('a.txt', Buffer.from('x')), 'Expect: 100-continue\r\n')
      .toString('latin1')
      .split(/(?<=\r\n\r\n)/);
    socket.write(head!);
    await eventually(() => received().startsWith('HTTP/1.1 100 Continue'), '100 Continue');

    socket.write(Buffer.from(body.join(''), 'latin1'));
    await closed;

    expect(received()).toContain('HTTP/1.1 200 OK');
  });

  it('is contained when it is 9 MB of line ends: other clients are answered meanwhile', async () => {
    await using server = await startHttpServer();
    let answered = 0;
    let over = false;

    const upload = insert(server, 'd', fileForm('\r\n'.repeat(4.5 * 1024 * 1024))).finally(() => (over = true));
    while (!over) {
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      answered += 1;
    }

    expect((await upload).status).toBe(200);
    expect(answered).toBeGreaterThan(0);
  });
});

describe('an upload that is broken off', () => {
  it('leaves nothing behind, at whatever byte it breaks', async () => {
    await using server = await startHttpServer();
    const request = post(pythonForm('a.bin', randomBytes(200_000)));

    for (let at = 1; at < 40; at += 1) {
      const { socket, closed } = await rawConnection(server.port);
      const bytes = request.subarray(0, Math.floor((request.length * at) / 40));
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
      socket.destroy();
      await closed;
    }

    await eventually(async () => (await server.files()).length === 0, 'all receipts are gone');
    expect(server.memory.tasks.size).toBe(0);
    expect((await insert(server, 'd', fileForm('still works'))).status).toBe(200);
  });

  it('leaves nothing behind as a raw body either', async () => {
    await using server = await startHttpServer();

    for (let sent = 0; sent < 100_000; sent += 9_999) {
      const { socket, closed } = await rawConnection(server.port);
      socket.write('PUT /documents/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n');
      await new Promise<void>((resolve) => socket.write(Buffer.alloc(sent), () => resolve()));
      socket.destroy();
      await closed;
    }

    await eventually(async () => (await server.files()).length === 0, 'all receipts are gone');
    expect(server.memory.tasks.size).toBe(0);
  });

  it('frees its place among the uploads of its client [S9]', async () => {
    await using server = await startHttpServer({ limits: { uploadsPerClientMax: 1 } });
    const { socket } = await rawConnection(server.port);
    socket.write('PUT /documents/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc');
    await eventually(async () => (await server.files()).length === 1, 'the upload has begun');

    const meanwhile = await fetch(`${server.url}/documents/e`, { method: 'PUT', body: 'x' });
    socket.destroy();
    const after = await eventually(async () => {
      const answer = await fetch(`${server.url}/documents/e`, { method: 'PUT', body: 'x' });
      return answer.status === 200 ? answer : null;
    }, 'the place is free');

    expect(meanwhile.status).toBe(429);
    expect(meanwhile.headers.get('retry-after')).toBe('5');
    expect(after.status).toBe(200);
  });
});

describe('an upload that crawls', () => {
  it('gets 408 when too little arrives within a window, and leaves nothing', async () => {
    await using server = await startHttpServer({ limits: { transferWindowMs: 200, transferBytesMin: 1000 } });

    const form = await rawRequest(server.port, post(Buffer.alloc(50_000)).subarray(0, 300));
    const raw = await rawRequest(server.port, 'PUT /documents/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc');

    expect([statusOf(form), statusOf(raw)]).toEqual([408, 408]);
    expect(raw).toContain('"code":"request_timeout"');
    expect(await server.files()).toEqual([]);
  });
});
