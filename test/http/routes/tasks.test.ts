/** Tasks over HTTP, row by row of the contract; lines marked fixed are the user's own words. */
import { describe, expect, it } from 'vitest';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import * as schemas from '../../../src/http/wire/schemas.ts';
import type { TaskId } from '../../../src/tasks/task.ts';
import { eventually, fileForm, insert, json, startHttpServer, type TestServer } from '../../support/http-server.ts';

const unknownId = '0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b';
const waits = { memory: { ingest: () => {} } };

/** An upload whose task waits until the test moves it. */
async function pendingTask(server: TestServer, docId = 'd', filename = 'a.txt'): Promise<TaskId> {
  const { task_id: id } = await json(insert(server, docId, fileForm('hello', filename), { Prefer: 'respond-async' }));
  return id as TaskId;
}

const getTask = (server: TestServer, id: string, query = '', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${server.url}/task/${id}${query}`, { headers });

describe('GET /task/{task_id}', () => {
  it('fixed: answers 200 with the fields of a pending task', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server, 'doc-1', '报告.pdf');

    const answer = await getTask(server, id);
    const body = await json<Record<string, unknown>>(answer);

    expect(answer.status).toBe(200);
    expect(body).toMatchObject({
      task_id: id,
      doc_id: 'doc-1',
      filename: '报告.pdf',
      file_size: 5,
      status: 'pending',
      result: null,
      error: null,
      stage: 'queued',
      queue_position: 0,
      attempts: 0,
      max_attempts: 3,
      progress: { percent: 0 },
    });
    expect(body.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(body.updated_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(answer.headers.get('retry-after')).toBe('2');
    schemas.taskRecord.parse(body);
  });

  it('fixed: shows processing, completed with its result, and no more Retry-After', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    server.memory.begin(id);
    server.memory.report(id, { stage: 'parsing', percent: 40, pagesDone: 4, pagesTotal: 10 });

    const processing = await json<Record<string, unknown>>(getTask(server, id));
    await server.memory.finish(id);
    const answer = await getTask(server, id);
    const completed = await json<Record<string, unknown>>(answer);

    expect(processing).toMatchObject({ status: 'processing', stage: 'parsing', attempts: 1, expires_at: null });
    expect(processing.progress).toEqual({ percent: 40, pages_done: 4, pages_total: 10, chunks_done: null, chunks_total: null });
    expect(completed).toMatchObject({
      status: 'completed',
      stage: 'done',
      error: null,
      result: { message: 'Document processed successfully', filename: 'a.txt' },
    });
    expect(Date.parse(completed.expires_at as string) - Date.parse(completed.finished_at as string)).toBe(24 * 3600 * 1000);
    expect(answer.headers.get('retry-after')).toBeNull();
  });

  it('fixed: a failed task is still HTTP 200, with its sentence', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server, 'd', 'large_document.pdf');
    const error = { code: 'unsupported_format' as const, message: 'Unsupported file format: large_document.pdf', retryable: false };
    await server.memory.finish(id, { status: 'failed', error });

    const answer = await getTask(server, id);

    expect(answer.status).toBe(200);
    expect(await json(answer)).toMatchObject({
      status: 'failed',
      result: null,
      error: 'Unsupported file format: large_document.pdf',
      error_code: 'unsupported_format',
      retryable: false,
    });
  });

  it.each([unknownId, 'nonsense', '%00', '..%2f..%2fetc%2fpasswd', 'x'.repeat(300)])(
    'fixed: answers 404 Task not found for the unknown id %s',
    async (id) => {
      await using server = await startHttpServer();

      const answer = await getTask(server, id);

      expect(answer.status).toBe(404);
      expect(await json(answer)).toMatchObject({ detail: 'Task not found', code: 'not_found' });
    },
  );

  it('fixed: answers 404 Task not found for an expired id', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    server.memory.forget(id);

    expect((await json(getTask(server, id))).detail).toBe('Task not found');
  });

  it('has an ETag and answers 304 while nothing changes', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    const etag = (await getTask(server, id)).headers.get('etag')!;

    const same = await getTask(server, id, '', { 'If-None-Match': etag });
    server.memory.begin(id);
    const changed = await getTask(server, id, '', { 'If-None-Match': etag });

    expect(same.status).toBe(304);
    expect(same.headers.get('etag')).toBe(etag);
    expect(await same.text()).toBe('');
    expect(changed.status).toBe(200);
  });

  it('with ?wait answers as soon as the task has ended', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);

    const waiting = getTask(server, id, '?wait=60');
    await eventually(() => server.memory.watchers() === 2, 'the request waits');
    await server.memory.finish(id);

    expect((await json(waiting)).status).toBe('completed');
  });

  it('with ?wait answers with what there is when the time is over', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);

    expect((await json(getTask(server, id, '?wait=1'))).status).toBe('pending');
  });

  it.each(['61', '-1', '1.5', 'long', '', '1e1'])('answers 422 for ?wait=%s', async (wait) => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);

    expect((await getTask(server, id, `?wait=${wait}`)).status).toBe(422);
  });

  it('answers HEAD like GET, without a body', async () => {
    await using server = await startHttpServer();
    const { task_id: id } = await json(insert(server, 'd', fileForm('x')));

    const answer = await fetch(`${server.url}/task/${id}`, { method: 'HEAD' });

    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await answer.text()).toBe('');
  });
});

describe('DELETE /task/{task_id}', () => {
  const cancel = (server: TestServer, id: string, query = ''): Promise<Response> =>
    fetch(`${server.url}/task/${id}${query}`, { method: 'DELETE' });

  it('fixed: fails a pending task with Task cancelled by user and answers Task cancelled', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);

    const answer = await cancel(server, id);

    expect(answer.status).toBe(200);
    expect(await json(answer)).toEqual({ message: 'Task cancelled', task_id: id });
    expect(await json(getTask(server, id))).toMatchObject({
      status: 'failed',
      error: 'Task cancelled by user',
      error_code: 'cancelled',
    });
  });

  it('fixed: answers 400 Cannot cancel task in {status} status for processing, completed and failed', async () => {
    await using server = await startHttpServer(waits);
    const [processing, completed, failed] = [await pendingTask(server), await pendingTask(server), await pendingTask(server)];
    server.memory.begin(processing);
    await server.memory.finish(completed);
    await cancel(server, failed);

    const answers = await Promise.all([processing, completed, failed].map((id) => cancel(server, id)));
    const details = await Promise.all(answers.map(async (answer) => (await json(answer)).detail));

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(details).toEqual([
      'Cannot cancel task in processing status',
      'Cannot cancel task in completed status',
      'Cannot cancel task in failed status',
    ]);
  });

  it('stops a processing task with ?force=true', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    server.memory.begin(id);

    const answer = await cancel(server, id, '?force=true');

    expect(answer.status).toBe(200);
    expect((await json(getTask(server, id))).error).toBe('Task cancelled by user');
  });

  it('answers 404 Task not found for an unknown id, and 422 for another force', async () => {
    await using server = await startHttpServer(waits);

    expect((await cancel(server, unknownId)).status).toBe(404);
    expect((await cancel(server, unknownId, '?force=perhaps')).status).toBe(422);
  });
});

describe('GET /tasks', () => {
  it('lists newest first, in pages that a cursor joins', async () => {
    await using server = await startHttpServer(waits);
    const ids = [await pendingTask(server, 'a'), await pendingTask(server, 'b'), await pendingTask(server, 'c')];

    type Page = { tasks: { task_id: string }[]; next_cursor: string | null };
    const first = await json<Page>(fetch(`${server.url}/tasks?limit=2`));
    const second = await json<Page>(fetch(`${server.url}/tasks?limit=2&cursor=${first.next_cursor}`));

    expect([...first.tasks, ...second.tasks].map(({ task_id: id }) => id)).toEqual(ids.toReversed());
    expect(second.next_cursor).toBeNull();
    schemas.taskPage.parse(first);
  });

  it('filters by status and doc_id', async () => {
    await using server = await startHttpServer(waits);
    const done = await pendingTask(server, 'a');
    await pendingTask(server, 'b');
    await server.memory.finish(done);

    const byStatus = await json<{ tasks: { doc_id: string }[] }>(fetch(`${server.url}/tasks?status=completed`));
    const byDocument = await json<{ tasks: { doc_id: string }[] }>(fetch(`${server.url}/tasks?doc_id=b`));

    expect(byStatus.tasks.map(({ doc_id: id }) => id)).toEqual(['a']);
    expect(byDocument.tasks.map(({ doc_id: id }) => id)).toEqual(['b']);
  });

  it('finds by part of a file name, doc_id or id, beyond the page that a list without it would have', async () => {
    await using server = await startHttpServer(waits);
    const ids: string[] = [];
    for (const name of ['Alpha', 'beta-1', 'beta-2', 'gamma']) ids.push(await pendingTask(server, name));

    type Page = { tasks: { doc_id: string }[]; next_cursor: string | null };
    const found = async (query: string): Promise<string[]> => {
      const page = await json<Page>(fetch(`${server.url}/tasks?${query}`));
      return page.tasks.map(({ doc_id: id }) => id);
    };

    expect(await found('q=ALPHA&limit=1')).toEqual(['Alpha']);
    expect(await found('q=beta')).toEqual(['beta-2', 'beta-1']);
    expect(await found(`q=${ids[3]}`)).toEqual(['gamma']);
    expect(await found('q=nothing')).toEqual([]);
    expect((await fetch(`${server.url}/tasks?q=`)).status).toBe(422);
  });

  it('sorts, finds and filters together, and a cursor goes on in its own order only', async () => {
    await using server = await startHttpServer(waits);
    const files = [
      ['Zebra.txt', 'xx', { year: 2024 }],
      ['apple.txt', 'xxxx', { year: 2025 }],
      ['Banana.txt', 'x', { year: 2025 }],
      ['apple pie.txt', 'xxx', { year: 2025 }],
    ] as const;
    for (const [filename, text, metadata] of files)
      await insert(server, filename, fileForm(text, filename, { metadata: JSON.stringify(metadata) }), { Prefer: 'respond-async' });

    type Page = { tasks: { filename: string }[]; next_cursor: string | null };
    const page = (query: string): Promise<Page> => json<Page>(fetch(`${server.url}/tasks?${query}`));
    const names = async (query: string): Promise<string[]> => (await page(query)).tasks.map(({ filename }) => filename);
    const year = `filters=${encodeURIComponent(JSON.stringify({ type: 'eq', key: 'year', value: 2025 }))}`;

    expect(await names('sort=filename')).toEqual(['apple pie.txt', 'apple.txt', 'Banana.txt', 'Zebra.txt']);
    expect(await names('sort=-file_size')).toEqual(['apple.txt', 'apple pie.txt', 'Zebra.txt', 'Banana.txt']);
    expect(await names('sort=created_at')).toEqual(files.map(([filename]) => filename));
    expect(await names('sort=-filename&q=APPLE')).toEqual(['apple.txt', 'apple pie.txt']);
    expect(await names(`sort=filename&${year}`)).toEqual(['apple pie.txt', 'apple.txt', 'Banana.txt']);
    expect(await names(year)).toEqual(['apple pie.txt', 'Banana.txt', 'apple.txt']);
    const first = await page(`sort=filename&${year}&limit=2`);
    expect((await page(`sort=filename&${year}&limit=2&cursor=${first.next_cursor}`)).tasks).toMatchObject([
      { filename: 'Banana.txt' },
    ]);
    expect((await fetch(`${server.url}/tasks?sort=-filename&cursor=${first.next_cursor}`)).status).toBe(422);
    expect((await fetch(`${server.url}/tasks?cursor=${first.next_cursor}`)).status).toBe(422);
  });

  it('sorts of a key its own tasks only', async () => {
    const apiKeys = parseApiKeys('one:write:11111111111111111111111111111111,two:write:22222222222222222222222222222222');
    await using server = await startHttpServer({ ...waits, settings: { apiKeys } });
    const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key.repeat(32)}`, prefer: 'respond-async' });
    for (const [key, name] of [
      ['1', 'b'],
      ['2', 'a'],
      ['1', 'c'],
    ] as const)
      await insert(server, name, fileForm('x', name), as(key));

    const page = await json<{ tasks: { doc_id: string }[] }>(fetch(`${server.url}/tasks?sort=doc_id`, { headers: as('1') }));

    expect(page.tasks.map(({ doc_id: id }) => id)).toEqual(['b', 'c']);
  });

  it.each([
    'sort=name',
    'sort=-',
    'filters=x',
    'filters=%7B%7D',
    'status=unknown',
    'limit=0',
    'limit=1001',
    'limit=x',
    'cursor=',
    'cursor=nonsense',
    'doc_id=',
  ])('answers 422 for ?%s', async (query) => {
    await using server = await startHttpServer();

    expect((await fetch(`${server.url}/tasks?${query}`)).status).toBe(422);
  });
});

describe('POST /task/{task_id}/retry', () => {
  const retry = (server: TestServer, id: string): Promise<Response> => fetch(`${server.url}/task/${id}/retry`, { method: 'POST' });

  it('answers 202 with Location, and the failed task waits again', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    await server.memory.finish(id, { status: 'failed', error: { code: 'timeout', message: 'too slow', retryable: true } });

    const answer = await retry(server, id);

    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`/task/${id}`);
    expect(await json(answer)).toMatchObject({ task_id: id, status_url: `/task/${id}` });
    expect((await json(getTask(server, id))).status).toBe('pending');
  });

  it('answers 409 when it has not failed, 410 when its file is gone, 404 when it is unknown', async () => {
    await using server = await startHttpServer(waits);
    const pending = await pendingTask(server);
    const gone = await pendingTask(server);
    await server.memory.finish(gone, { status: 'failed', error: { code: 'timeout', message: 'too slow', retryable: true } });
    await server.memory.dropFile(gone);

    const answers = [await retry(server, pending), await retry(server, gone), await retry(server, unknownId)];

    expect(answers.map(({ status }) => status)).toEqual([409, 410, 404]);
  });
});
