import { describe, expect, it } from 'vitest';
import { scopedId } from '../../../src/documents/document-name.ts';
import { AppError } from '../../../src/errors.ts';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { createHttpMetrics } from '../../../src/http/live/metrics.ts';
import { problemCodes, statusOf, toProblem } from '../../../src/http/wire/problem.ts';
import * as schemas from '../../../src/http/wire/schemas.ts';
import type { Services } from '../../../src/http/services.ts';
import { beginTask, releaseTask, type TaskId } from '../../../src/tasks/task.ts';
import { eventually, fileForm, insert, json, startHttpServer } from '../../support/http-server.ts';

describe('while the service is starting', () => {
  it('fixed: everything that needs it answers 503 RAG service is not ready., /health answers 200', async () => {
    await using server = await startHttpServer({ services: () => null });

    for (const path of ['/ready', '/tasks', '/documents', '/search?q=x', '/status', '/metrics', '/events', '/task/x']) {
      const answer = await fetch(server.url + path);
      expect(answer.status, path).toBe(503);
      expect((await json(answer)).detail).toBe('RAG service is not ready.');
      expect(answer.headers.get('retry-after')).not.toBeNull();
    }
    expect(await json(fetch(`${server.url}/health`))).toEqual({ status: 'ok' });
    for (const path of ['/', '/config', '/docs', '/openapi.json']) expect((await fetch(server.url + path)).status, path).toBe(200);
  });

  it('is over as soon as there are services', async () => {
    let ready = false;
    await using server = await startHttpServer({ services: (services: Services) => (ready ? services : null) });

    expect((await fetch(`${server.url}/ready`)).status).toBe(503);
    ready = true;

    expect(await json(fetch(`${server.url}/ready`))).toEqual({ status: 'ready' });
  });
});

describe('GET /ready', () => {
  it('answers 503 RAG service is not ready. without the reason, which goes to the log', async () => {
    await using server = await startHttpServer();
    server.memory.setReady('EROFS on /secret/path');

    const answer = await fetch(`${server.url}/ready`);
    const text = await answer.text();

    expect(answer.status).toBe(503);
    expect(text).toContain('RAG service is not ready.');
    expect(text).not.toContain('/secret/path');
    expect(JSON.stringify(server.log)).toContain('/secret/path');
  });
});

describe('GET /config', () => {
  it('gives version and limits to anybody', async () => {
    await using server = await startHttpServer();

    expect(await json(fetch(`${server.url}/config`))).toEqual({
      version: '1.2.3',
      file_bytes_max: 104857600,
      sync_bytes_max: 10485760,
      auth: 'none',
      oidc: false,
      key: null,
      formats: ['pdf', 'txt'],
      answers: false,
    });
  });
});

describe('GET /status', () => {
  it('gives the figures and 60 minutes of history, counted from tasks as they end', async () => {
    await using server = await startHttpServer();
    await insert(server, 'a', fileForm('12345'));
    await insert(server, 'b', fileForm(''));

    const status = schemas.statusReply.parse(await json(fetch(`${server.url}/status`)));

    expect(status).toMatchObject({ pending: 0, threads: 4, worker_up: true, documents: 1, store: 'ready' });
    expect(status.history).toHaveLength(60);
    expect(status.history.reduce((sum, { completed }) => sum + completed, 0)).toBe(1);
    expect(status.history.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(5);
  });

  it('says how far a searcher that follows is behind, and null where none does', async () => {
    await using alone = await startHttpServer();
    expect(await json(fetch(`${alone.url}/status`))).toMatchObject({ searcher: null });

    const searcherBacklog = { waiting: 3, seconds: 1.54, refused: 1 };
    await using followed = await startHttpServer({
      services: (services: Services) => ({
        ...services,
        status: async (reach) => ({ ...(await services.status(reach)), searcherBacklog }),
      }),
    });
    const status = schemas.statusReply.parse(await json(fetch(`${followed.url}/status`)));
    expect(status.searcher).toEqual({ waiting: 3, lag_seconds: 1.54, refused: 1 });
  });

  it('counts what ended before this process began', async () => {
    let ready = false;
    await using server = await startHttpServer({ services: (services: Services) => (ready ? services : null) });
    const receipt = await server.memory.services.uploads.receive({ bytesMax: 10, bytesExpected: null });
    await new Promise<void>((resolve) => receipt.stream.end('abc', () => resolve()));
    const upload = {
      receipt,
      docId: scopedId({ collection: 'default', docId: 'd' }),
      filename: 'a',
      declaredMediaType: null,
      metadata: null,
      callbackUrl: null,
      keyId: null,
      caller: '',
    };
    const task = await server.memory.services.uploads.submit(upload);
    await eventually(() => server.memory.tasks.get(task.id)?.task.status === 'completed', 'the end');
    ready = true;

    type History = { history: { completed: number }[] };
    await eventually(async () => {
      const { history } = await json<History>(fetch(`${server.url}/status`));
      return history.some(({ completed }) => completed === 1);
    }, 'the task in the history');
  });
});

describe('GET /metrics', () => {
  it('gives Prometheus text with requests, uploads, tasks, search and system figures', async () => {
    await using server = await startHttpServer();
    await insert(server, 'a', fileForm('12345'));
    await fetch(`${server.url}/search?q=x`);
    await fetch(`${server.url}/nowhere/${'x'.repeat(50)}`);

    const answer = await fetch(`${server.url}/metrics`);
    const text = await answer.text();

    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'rag_http_requests_total{operation="insert",method="POST",status="200"} 1',
      'rag_http_requests_total{operation="none",method="GET",status="404"} 1',
      'rag_upload_bytes_total 5',
      'rag_tasks_finished_total{status="completed",code=""} 1',
      'rag_document_bytes_total 5',
      'rag_search_seconds_count{mode="hybrid"} 1',
      'rag_tasks{status="pending"} 0',
      'rag_worker_up 1',
      'rag_ready 1',
      'rag_documents 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).not.toContain('xxxxx');
  });

  it('knows the time in each stage from the tasks it sees', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const { task_id: id } = await json(insert(server, 'd', fileForm('x'), { Prefer: 'respond-async' }));
    server.memory.begin(id as never);
    server.memory.report(id as never, { stage: 'parsing', percent: 10 });
    await server.memory.finish(id as never);

    const text = await (await fetch(`${server.url}/metrics`)).text();

    expect(text).toContain('rag_stage_seconds_count{stage="queued"} 1');
    expect(text).toContain('rag_stage_seconds_count{stage="parsing"} 1');
  });

  it('knows how long the next task has waited, what had to be begun again, and how long a cancel took', async () => {
    let nowMs = Date.now();
    await using server = await startHttpServer({ memory: { ingest: () => {} }, now: () => new Date(nowMs).toISOString() });
    const { task_id: id } = await json(insert(server, 'd', fileForm('x'), { Prefer: 'respond-async' }));
    const page = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();
    const before = server.memory.tasks.get(id as TaskId)!;
    nowMs = Date.parse(before.task.updatedAt) + 90_000;
    expect(await page()).toContain('rag_queue_age_seconds 90\n');

    const metrics = createHttpMetrics({ eventStreams: () => 0, uploads: () => 0 });
    const { createdAt } = before.task;
    const first = beginTask(before.task, 'one', createdAt);
    for (const counted of [true, false])
      for (const task of [first, releaseTask(first, createdAt, { counted })]) metrics.task({ ...before, task }, nowMs);
    const { text } = await metrics.page(server.memory.services, nowMs);
    metrics.close();
    await fetch(`${server.url}/task/${id}`, { method: 'DELETE' });

    expect(text).toContain('rag_task_recoveries_total 1\n');
    expect(await page()).toContain('rag_cancel_seconds_count 1\n');
    expect(await page()).toContain('rag_queue_age_seconds 0\n');
    expect(await page()).toMatch(/^rag_worker_resident_bytes 50000000$/m);
  });

  it('has a help text for every name, and only names of one style', async () => {
    await using server = await startHttpServer();
    const metrics = createHttpMetrics({ eventStreams: () => 0, uploads: () => 0 });
    const { text } = await metrics.page(server.memory.services, Date.now());
    metrics.close();

    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]!);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      expect(name).toMatch(/^(rag|process|nodejs)_[a-z0-9_]+$/);
      expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
    }
  });
});

describe('a problem', () => {
  it('has every member of RFC 9457, a code and the request id', async () => {
    await using server = await startHttpServer();

    const answer = await fetch(`${server.url}/task/unknown`, { headers: { 'X-Request-Id': 'my-id_1.2' } });

    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await json(answer)).toEqual({
      type: 'urn:rag-intake:problem:not-found',
      title: 'Not found',
      status: 404,
      detail: 'Task not found',
      instance: '/task/unknown',
      code: 'not_found',
      request_id: 'my-id_1.2',
    });
    expect(answer.headers.get('x-request-id')).toBe('my-id_1.2');
  });

  it('exists for every code, each with an error status', () => {
    for (const code of problemCodes) {
      const problem = toProblem(new AppError(code, 'sentence'), { path: '/', requestId: 'r' });
      expect(problem).toMatchObject({ code, status: statusOf(code), detail: 'sentence' });
      expect(problem.status).toBeGreaterThanOrEqual(400);
    }
  });

  it('never shows a stack, a path or the message of a bug [S37]', async () => {
    const broken = (): never => {
      throw new Error('ENOENT: /srv/secret/data');
    };
    await using server = await startHttpServer({
      services: (services) => ({ ...services, documents: { ...services.documents, info: async () => broken() } }),
    });

    const answer = await fetch(`${server.url}/documents/d`);
    const text = await answer.text();

    expect(answer.status).toBe(500);
    expect(text).not.toMatch(/secret|ENOENT|\bat \//);
    const { request_id: requestId } = JSON.parse(text) as { request_id: string };
    expect(server.log.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { requestId } }]);
  });

  it.each([
    ['ENOSPC', 507],
    ['EDQUOT', 507],
    ['EROFS', 503],
    ['EIO', 503],
  ])('of the disk is told by what the client can do: %s is %i', async (code, status) => {
    await using server = await startHttpServer({
      services: (services) => ({
        ...services,
        documents: { ...services.documents, info: () => Promise.reject(Object.assign(new Error(code), { code })) },
      }),
    });

    const answer = await fetch(`${server.url}/documents/d`);

    expect(answer.status).toBe(status);
    expect(answer.headers.get('retry-after')).not.toBeNull();
  });

  it('takes no request id that could be log text [S39]', async () => {
    await using server = await startHttpServer();
    for (const id of ['x'.repeat(65), 'a b', '<script>', 'a{}', '../x']) {
      const answer = await fetch(`${server.url}/health`, { headers: { 'X-Request-Id': id } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

describe('the log', () => {
  it('says who deleted, cancelled, retried and logged in, and that a wrong API key was sent', async () => {
    const apiKeys = parseApiKeys('office:write:key-of-office-0123456789');
    await using server = await startHttpServer({ settings: { apiKeys }, memory: { ingest: () => {} } });
    const headers = { 'X-API-Key': 'key-of-office-0123456789', Prefer: 'respond-async' };
    const { task_id: id } = await json(insert(server, 'd', fileForm('x'), headers));
    await fetch(`${server.url}/task/${id}`, { method: 'DELETE', headers });
    await fetch(`${server.url}/task/${id}/retry`, { method: 'POST', headers });
    await server.memory.finish(id as TaskId);
    await fetch(`${server.url}/documents/d`, { method: 'DELETE', headers });
    await fetch(`${server.url}/documents/d`, { method: 'DELETE', headers });
    await fetch(`${server.url}/tasks`, { headers: { 'X-API-Key': 'a-wrong-key-0123456789' } });
    for (const key of ['key-of-office-0123456789', 'a-wrong-key-0123456789'])
      await fetch(`${server.url}/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ key }),
      });

    const told = server.log.filter(({ level }) => level !== 'debug').map(({ sentence, fields }) => [sentence, fields.keyId]);
    expect(told).toEqual([
      ['upload accepted', 'office'],
      ['task cancelled', 'office'],
      ['task tried again on request', 'office'],
      ['document deleted', 'office'],
      ['a wrong API key was sent', null],
      ['logged in', 'office'],
      ['a wrong API key was sent', null],
    ]);
    expect(server.log.find(({ sentence }) => sentence === 'document deleted')!.fields).toMatchObject({
      path: '/documents/d',
      address: '127.0.0.1',
      requestId: expect.any(String),
    });
  });

  it('has one line for each accepted upload, and hostile text stays inside its line [S38]', async () => {
    await using server = await startHttpServer();
    const hostile = 'a\u2028b\u009b31mred.txt';

    await insert(server, 'doc', fileForm('x', hostile));
    await fetch(`${server.url}/nowhere/%0d%0a%1b[31m${encodeURIComponent('\u2028')}`);

    expect(server.log.filter(({ sentence }) => sentence === 'upload accepted')).toMatchObject([
      { level: 'info', fields: { docId: 'doc', fileBytes: 1, keyId: null } },
    ]);
    const lines = server.log.map(({ fields }) => JSON.stringify(fields));
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}|[\u2028\u2029]/u);
  });
});

describe('with BASE_PATH', () => {
  it('answers with and without the prefix, and every link carries it', async () => {
    await using server = await startHttpServer({ settings: { basePath: '/rag' } });

    const record = await json<Record<string, string> & { links: Record<string, string> }>(
      fetch(`${server.url}/rag/insert?doc_id=d`, { method: 'POST', body: fileForm('hello') }),
    );
    const accepted = await insert(server, 'e', fileForm('x'), { Prefer: 'respond-async' });
    const { hits } = await json<{ hits: { citation: { url: string } }[] }>(fetch(`${server.url}/rag/search?q=hello`));

    expect(record.status_url).toBe(`/rag/task/${record.task_id}`);
    expect(Object.values(record.links).every((link) => link.startsWith('/rag/'))).toBe(true);
    expect(accepted.headers.get('location')).toMatch(/^\/rag\/task\//);
    expect(hits[0]!.citation.url).toMatch(/^\/rag\/documents\/d\/content/);
    expect((await fetch(server.url + record.status_url)).status).toBe(200);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect((await fetch(`${server.url}/ragged/health`)).status).toBe(404);
  });
});
