/** POST /insert, row by row of the HTTP contract; lines marked fixed are the user's own words. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { eventually, fileForm, insert, json, startHttpServer } from '../../support/http-server.ts';

const MiB = 1024 * 1024;

describe('POST /insert', () => {
  it('fixed: answers 200 with status completed and the whole task record for a small file', async () => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'doc-1', fileForm('hello world', 'notes.txt'));
    const body = await json<Record<string, unknown>>(answer);

    expect(answer.status).toBe(200);
    expect(body).toMatchObject({
      doc_id: 'doc-1',
      filename: 'notes.txt',
      file_size: 11,
      status: 'completed',
      error: null,
      message: 'Document processed successfully',
      status_url: `/task/${body.task_id as string}`,
      result: { message: 'Document processed successfully', filename: 'notes.txt' },
    });
    const { message: _message, status_url: _statusUrl, ...record } = body;
    expect(record).toEqual(await json(fetch(`${server.url}/task/${body.task_id as string}`)));
  });

  it('fixed: answers 202 at once for a file of SYNC_MAX_BYTES or more', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });

    const answer = await insert(server, 'doc-2', fileForm(new Uint8Array(10 * MiB).fill(65), 'large.txt'));
    const body = await json(answer);

    expect(answer.status).toBe(202);
    expect(body).toEqual({
      message: 'File uploaded successfully, processing started',
      task_id: body.task_id,
      doc_id: 'doc-2',
      filename: 'large.txt',
      status_url: `/task/${body.task_id}`,
    });
    expect(answer.headers.get('location')).toBe(`/task/${body.task_id}`);
    expect(answer.headers.get('retry-after')).toBe('2');
  });

  it('fixed: takes a file one byte under SYNC_MAX_BYTES for a small one', async () => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'doc-3', fileForm(new Uint8Array(10 * MiB - 1).fill(65)));

    expect(answer.status).toBe(200);
  });

  it('answers 202 when a small file is not done within SYNC_WAIT_MS, and the task goes on', async () => {
    await using server = await startHttpServer({ settings: { syncWaitMs: 50 }, memory: { ingest: () => {} } });

    const answer = await insert(server, 'slow', fileForm('text'));
    const { task_id: id } = await json(answer);
    await server.memory.finish(id as TaskId);

    expect(answer.status).toBe(202);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect((await json(fetch(`${server.url}/task/${id}`))).status).toBe('completed');
  });

  it('answers 202 whatever the size with Prefer: respond-async, and says that it did', async () => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'd', fileForm('text'), { Prefer: 'respond-async' });

    expect(answer.status).toBe(202);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(answer.headers.get('vary')).toMatch(/\bPrefer\b/);
  });

  it('waits for a large file with Prefer: wait=N', async () => {
    await using server = await startHttpServer({ settings: { syncBytesMax: 4 } });

    const answer = await insert(server, 'd', fileForm('more than four bytes'), { Prefer: 'wait=20' });

    expect(answer.status).toBe(200);
    expect(answer.headers.get('preference-applied')).toBe('wait=20');
  });

  it('caps Prefer: wait=N at 60 seconds', async () => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'd', fileForm('text'), { Prefer: 'wait=3600' });

    expect(answer.headers.get('preference-applied')).toBe('wait=60');
  });

  it('waits no longer than Prefer: wait=0 says', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });

    const answer = await insert(server, 'd', fileForm('text'), { Prefer: 'wait=0' });

    expect(answer.status).toBe(202);
  });

  it('says Vary: Prefer also without a preference, and in errors', async () => {
    await using server = await startHttpServer();

    const good = await insert(server, 'd', fileForm('text'));
    const bad = await insert(server, 'd', fileForm(''));

    expect(good.headers.get('vary')).toMatch(/\bPrefer\b/);
    expect(bad.headers.get('vary')).toMatch(/\bPrefer\b/);
  });

  it('fixed: answers 400 Invalid document: Empty file: {filename}', async () => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'd', fileForm('', 'nothing.pdf'));

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await json(answer)).toMatchObject({
      detail: 'Invalid document: Empty file: nothing.pdf',
      code: 'invalid_document',
      status: 400,
    });
    expect(await server.files()).toEqual([]);
  });

  it('fixed: answers 400 Invalid document: File too large: {filename}, and leaves nothing on disk', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 100_000 } });

    const answer = await insert(server, 'd', fileForm(new Uint8Array(100_001), '报告.pdf'));

    expect(answer.status).toBe(400);
    expect(await json(answer)).toMatchObject({ detail: 'Invalid document: File too large: 报告.pdf', code: 'invalid_document' });
    expect(await server.files()).toEqual([]);
  });

  it('takes a file of exactly MAX_FILE_BYTES', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 100_000 } });

    const answer = await insert(server, 'd', fileForm(new Uint8Array(100_000).fill(65)));

    expect(answer.status).toBe(200);
  });

  it('answers 400 Invalid document: {reason} with the task_id when a small file cannot be processed', async () => {
    await using server = await startHttpServer({
      memory: {
        ingest: ({ id }, memory) =>
          void memory.finish(id, {
            status: 'failed',
            error: { code: 'unsupported_format', message: 'Unsupported file format: large_document.pdf', retryable: false },
          }),
      },
    });

    const answer = await insert(server, 'd', fileForm('x', 'large_document.pdf'));
    const body = await json(answer);

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({
      detail: 'Invalid document: Unsupported file format: large_document.pdf',
      code: 'invalid_document',
      error_code: 'unsupported_format',
    });
    expect((await json(fetch(`${server.url}/task/${body.task_id}`))).error).toBe('Unsupported file format: large_document.pdf');
  });

  it.each([
    ['internal', 500, 'internal'],
    ['record_corrupt', 500, 'internal'],
    ['storage_failed', 503, 'unavailable'],
    ['embedder_failed', 503, 'unavailable'],
    ['stalled', 503, 'unavailable'],
  ] as const)('blames no document for what the server did wrong (%s): %i', async (errorCode, status, code) => {
    const message = 'The server failed';
    const error = { code: errorCode, message, retryable: true };
    await using server = await startHttpServer({
      memory: { ingest: ({ id }, memory) => void memory.finish(id, { status: 'failed', error }) },
    });

    const answer = await insert(server, 'd', fileForm('x'));
    const body = await json(answer);

    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('retry-after')).toBe(status === 503 ? '10' : null);
    expect(body).toMatchObject({ detail: message, code, error_code: errorCode, status });
    expect(await json(fetch(`${server.url}/task/${body.task_id}`))).toMatchObject({ status: 'failed', error_code: errorCode });
  });

  it('fixed: answers 503 RAG service is not ready. while the service is starting', async () => {
    await using server = await startHttpServer({ services: () => null });

    const answer = await insert(server, 'd', fileForm('x'));

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(await json(answer)).toMatchObject({ detail: 'RAG service is not ready.', code: 'unavailable' });
  });

  it('fixed: answers 503 RAG service is not ready. when its store cannot be used', async () => {
    await using server = await startHttpServer({
      memory: { refuse: () => new AppError('unavailable', 'RAG service is not ready.') },
    });

    const answer = await insert(server, 'd', fileForm('x'));

    expect(answer.status).toBe(503);
    expect((await json(answer)).detail).toBe('RAG service is not ready.');
  });

  it.each([
    ['missing', ''],
    ['empty', '?doc_id='],
    ['too long', `?doc_id=${'x'.repeat(257)}`],
    ['with a line end', '?doc_id=a%0Ab'],
    ['with a NUL', '?doc_id=a%00b'],
    ['with a C1 control', '?doc_id=a%C2%85b'],
    ['given twice', '?doc_id=a&doc_id=b'],
  ])('answers 422 for a doc_id that is %s', async (_name, query) => {
    await using server = await startHttpServer();

    const answer = await fetch(`${server.url}/insert${query}`, { method: 'POST', body: fileForm('x') });

    expect(answer.status).toBe(422);
    expect((await json(answer)).code).toBe('invalid_request');
    expect(await server.files()).toEqual([]);
  });

  it.each(['a', '报告 2026', 'x'.repeat(256), '𠮷'.repeat(256), '../../etc/passwd', '__proto__', 'a/b?c#d&e', '100%'])(
    'takes the doc_id %s and gives it back as it was',
    async (docId) => {
      await using server = await startHttpServer();

      const inserted = await json(insert(server, docId, fileForm('hello')));
      const found = await json(fetch(`${server.url}/documents/${encodeURIComponent(docId)}`));

      expect(inserted.doc_id).toBe(docId);
      expect(found.doc_id).toBe(docId);
    },
  );

  it('answers 422 for a form without a file part', async () => {
    await using server = await startHttpServer();
    const form = new FormData();
    form.append('file', 'a text field that only has the right name');

    const answer = await insert(server, 'd', form);

    expect(answer.status).toBe(422);
    expect(await server.files()).toEqual([]);
  });

  it('answers 422 for two file parts, and keeps neither', async () => {
    await using server = await startHttpServer();
    const form = fileForm('one');
    form.append('file', new Blob(['two']), 'two.txt');

    const answer = await insert(server, 'd', form);

    expect(answer.status).toBe(422);
    expect(await server.files()).toEqual([]);
    expect(server.memory.tasks.size).toBe(0);
  });

  it('answers 422 for a file part of another name', async () => {
    await using server = await startHttpServer();
    const form = new FormData();
    form.append('upload', new Blob(['x']), 'x.txt');

    expect((await insert(server, 'd', form)).status).toBe(422);
    expect(await server.files()).toEqual([]);
  });

  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', 'application/pdf'])(
    'answers 415 for a body of type %s',
    async (type) => {
      await using server = await startHttpServer();

      const answer = await fetch(`${server.url}/insert?doc_id=d`, {
        method: 'POST',
        body: '{}',
        headers: { 'Content-Type': type },
      });

      expect(answer.status).toBe(415);
      expect((await json(answer)).code).toBe('unsupported_media_type');
    },
  );

  it('answers 415 for no body at all', async () => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/insert?doc_id=d`, { method: 'POST' })).status).toBe(415);
  });

  it('answers 503 with Retry-After when too many tasks wait, before the body is read [S9]', async () => {
    await using server = await startHttpServer({ memory: { queueTasksMax: 1, ingest: () => {} } });
    await insert(server, 'first', fileForm('x'), { Prefer: 'respond-async' });

    const answer = await insert(server, 'second', fileForm(new Uint8Array(5 * MiB)));

    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('10');
    expect((await json(answer)).code).toBe('queue_full');
    expect(await server.files()).toHaveLength(1);
  });

  it('answers 507 when there is no space left [S10]', async () => {
    await using server = await startHttpServer({
      memory: { refuse: () => new AppError('insufficient_storage', 'There is no space left to store this file.') },
    });

    const answer = await insert(server, 'd', fileForm('x'));

    expect(answer.status).toBe(507);
    expect((await json(answer)).code).toBe('insufficient_storage');
  });

  it('keeps the task when the client of a sync request goes away', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const gone = new AbortController();
    const request = fetch(`${server.url}/insert?doc_id=d`, { method: 'POST', body: fileForm('x'), signal: gone.signal });
    const id = await eventually(() => [...server.memory.tasks.keys()][0], 'the task');
    await eventually(() => server.memory.watchers() === 2, 'the request waits');

    gone.abort();
    await expect(request).rejects.toThrow();
    await eventually(() => server.memory.watchers() === 1, 'the request no longer waits');
    await server.memory.finish(id);

    expect((await json(fetch(`${server.url}/task/${id}`))).status).toBe('completed');
  });

  it('takes metadata as a JSON field, and refuses what is not flat', async () => {
    await using server = await startHttpServer();

    const good = await json<{ metadata: object }>(
      insert(server, 'd', fileForm('x', 'x.txt', { metadata: '{"year":2026,"部门":"研发"}' })),
    );
    const nested = await insert(server, 'd', fileForm('x', 'x.txt', { metadata: '{"a":{"b":1}}' }));
    const broken = await insert(server, 'd', fileForm('x', 'x.txt', { metadata: '{' }));
    const polluting = await insert(server, 'd', fileForm('x', 'x.txt', { metadata: '{"__proto__":1}' }));

    expect(good.metadata).toEqual({ year: 2026, 部门: '研发' });
    expect([nested.status, broken.status, polluting.status]).toEqual([422, 400, 400]);
    expect(await server.files()).toHaveLength(1);
  });

  it('refuses other fields of the form: doc_id, status and ids cannot be set there (mass assignment) [S35] [S6]', async () => {
    await using server = await startHttpServer();
    for (const name of ['doc_id', 'task_id', 'status', 'owner', 'a[b][c]', 'constructor', '__proto__'])
      expect((await insert(server, 'd', fileForm('x', 'x.txt', { [name]: 'x' }))).status, name).toBe(422);

    expect(server.memory.tasks.size).toBe(0);
    expect(({} as Record<string, unknown>).b).toBeUndefined();
  });
});

describe('the charset that a client names', () => {
  it('goes on to whoever reads the file, from PUT and from a part of a form', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const form = new FormData();
    form.append('file', new Blob(['x'], { type: 'Text/CSV; header=present; charset="Windows-1252"' }), 'a.csv');
    const headers = { prefer: 'respond-async' };

    await fetch(`${server.url}/documents/put`, {
      method: 'PUT',
      body: 'x',
      headers: { ...headers, 'content-type': 'text/plain; charset=ISO-8859-1' },
    });
    await insert(server, 'form', form, headers);
    const tasks = [...server.memory.tasks.values()].map(({ task }) => task);

    expect(tasks.map(({ declaredMediaType }) => declaredMediaType)).toEqual([
      'text/plain; charset=iso-8859-1',
      'text/csv; charset=windows-1252',
    ]);
    expect((await json(fetch(`${server.url}/task/${tasks[1]!.id}`))).media_type).toBe('text/csv');
  });
});

describe('PUT /documents/{doc_id}', () => {
  it('gives the same answers as POST /insert for the file as a raw body', async () => {
    await using server = await startHttpServer({ settings: { syncBytesMax: 1000 } });
    const put = (bytes: number, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${server.url}/documents/d?filename=notes.txt`, { method: 'PUT', body: new Uint8Array(bytes).fill(65), headers });

    const small = await put(10, { 'Content-Type': 'text/markdown' });
    const large = await put(1000);
    const empty = await put(0);

    expect([small.status, large.status, empty.status]).toEqual([200, 202, 400]);
    expect(await json(small)).toMatchObject({
      status: 'completed',
      filename: 'notes.txt',
      media_type: 'text/markdown',
      doc_id: 'd',
    });
    expect((await json(large)).message).toBe('File uploaded successfully, processing started');
    expect((await json(empty)).detail).toBe('Invalid document: Empty file: notes.txt');
  });

  it.each([
    ['the query', '?filename=%E6%8A%A5%E5%91%8A.pdf', {}],
    ['filename*', '', { 'Content-Disposition': "attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf" }],
    ['raw UTF-8', '', { 'Content-Disposition': `attachment; filename="${Buffer.from('报告.pdf').toString('latin1')}"` }],
  ])('takes the file name from %s', async (_name, query, headers) => {
    await using server = await startHttpServer();

    const record = await json(fetch(`${server.url}/documents/d${query}`, { method: 'PUT', body: 'x', headers }));

    expect(record.filename).toBe('报告.pdf');
  });

  it('is named after its doc_id without a name', async () => {
    await using server = await startHttpServer();

    expect((await json(fetch(`${server.url}/documents/notes.md`, { method: 'PUT', body: 'x' }))).filename).toBe('notes.md');
  });

  it('answers 400 too large from Content-Length before the body is read', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 1000 } });

    const answer = await fetch(`${server.url}/documents/d?filename=big.bin`, { method: 'PUT', body: new Uint8Array(1001) });

    expect(answer.status).toBe(400);
    expect((await json(answer)).detail).toBe('Invalid document: File too large: big.bin');
    expect(await server.files()).toEqual([]);
  });

  it('answers 400 too large while streaming when no length was given, and leaves nothing', async () => {
    await using server = await startHttpServer({ settings: { fileBytesMax: 100_000 } });
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(20_000));
      },
    });

    const answer = await fetch(`${server.url}/documents/d?filename=big.bin`, { method: 'PUT', body: stream, duplex: 'half' });

    expect(answer.status).toBe(400);
    expect((await json(answer)).detail).toBe('Invalid document: File too large: big.bin');
    expect(await server.files()).toEqual([]);
  });

  it('answers 415 for a multipart body', async () => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/documents/d`, { method: 'PUT', body: fileForm('x') })).status).toBe(415);
  });
});
