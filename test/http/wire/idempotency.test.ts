import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseApiKeys } from '../../../src/http/access/api-keys.ts';
import { createSteadyClock } from '../../../src/storage/file/ownership/steady-clock.ts';
import { createFileIdempotencyStore } from '../../../src/storage/file/shared/idempotency-store.ts';
import { eventually, fileForm, insert, json, startHttpServer } from '../../support/http-server.ts';
import { insert as insertAt, makeDataDir, removeDir, startServer, type WireTask } from '../../support/server.ts';
import { tempDir } from '../../support/temp-dir.ts';

const hourMs = 3_600_000;
const tenYearsMs = 3650 * 24 * hourMs;
const age = (thenMs: number): number => Date.now() - thenMs;
const key = (text: string): Record<string, string> => ({ 'Idempotency-Key': text });

describe('Idempotency-Key on POST /insert', () => {
  it('gives the first answer again, and makes no second task', async () => {
    await using server = await startHttpServer();

    const first = await insert(server, 'd', fileForm('hello'), key('k1'));
    const again = await insert(server, 'd', fileForm('hello'), key('"k1"'));

    expect(again.status).toBe(200);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(await json(again)).toEqual(await json(first));
    expect(server.memory.tasks.size).toBe(1);
    expect(await server.files()).toHaveLength(1);
  });

  it.each(['', ' ', '""'])('%j is no key, and is not passed over: 400', async (empty) => {
    await using server = await startHttpServer();

    const answer = await insert(server, 'd', fileForm('hello'), key(empty));

    expect([answer.status, (await json(answer)).detail]).toEqual([
      400,
      'An Idempotency-Key must have 1 to 255 printable ASCII characters.',
    ]);
  });

  it('gives a 202 again as a 202, with its Location', async () => {
    await using server = await startHttpServer();

    const first = await insert(server, 'd', fileForm('hello'), { ...key('k1'), Prefer: 'respond-async' });
    const again = await insert(server, 'd', fileForm('hello'), key('k1'));

    expect(again.status).toBe(202);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
  });

  it('gives a failed upload’s 400 again', async () => {
    await using server = await startHttpServer({
      memory: {
        ingest: ({ id }, memory) =>
          void memory.finish(id, { status: 'failed', error: { code: 'corrupt', message: 'broken', retryable: false } }),
      },
    });

    const first = await insert(server, 'd', fileForm('x'), key('k1'));
    const again = await insert(server, 'd', fileForm('x'), key('k1'));

    expect([first.status, again.status]).toEqual([400, 400]);
    expect((await json(again)).detail).toBe('Invalid document: broken');
  });

  it.each([
    ['another file', 'd', 'other', {}],
    ['another doc_id', 'e', 'hello', {}],
    ['other metadata', 'd', 'hello', { metadata: '{"a":1}' }],
  ])('answers 422 for %s under the same key', async (_name, docId, content, fields) => {
    await using server = await startHttpServer();
    await insert(server, 'd', fileForm('hello'), key('k1'));

    const answer = await insert(server, docId, fileForm(content, 'notes.txt', fields), key('k1'));

    expect(answer.status).toBe(422);
    expect(server.memory.tasks.size).toBe(1);
    expect(await server.files()).toHaveLength(1);
  });

  it('tells the same bytes of another charset apart, and the two forms of one name not', async () => {
    await using server = await startHttpServer();
    const put = (docId: string, type: string): Promise<Response> =>
      fetch(`${server.url}/documents/${encodeURIComponent(docId)}`, {
        method: 'PUT',
        body: 'x',
        headers: { ...key('k1'), 'content-type': type },
      });
    const first = await put('caf\u00e9?', 'text/plain; charset=koi8-r');
    const same = await fetch(`${server.url}/documents/cafe%CC%81%3F?filename=caf%C3%A9%3F`, {
      method: 'PUT',
      body: 'x',
      headers: { ...key('k1'), 'content-type': 'text/plain; charset=KOI8-R' },
    });

    expect([first.status, same.status, (await put('caf\u00e9?', 'text/plain; charset=windows-1251')).status]).toEqual([
      200, 200, 422,
    ]);
    expect(server.memory.tasks.size).toBe(1);
  });

  it('answers 409 while the first request is still being answered', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const first = insert(server, 'd', fileForm('hello'), key('k1'));
    const id = await eventually(() => [...server.memory.tasks.keys()][0], 'the task');

    const second = await insert(server, 'd', fileForm('hello'), key('k1'));
    await server.memory.finish(id);

    expect(second.status).toBe(409);
    expect((await first).status).toBe(200);
  });

  it('answers 409 at another front end on the same data directory too, and there the first answer afterwards', async () => {
    const dataDir = await makeDataDir();
    const front = await startServer({ dataDir, rigged: true });
    const other = await startServer({ dataDir, rigged: true });
    const file = { name: 'hang-parsing.txt', bytes: 'hello' };
    try {
      const first = insertAt(front.url, 'd', file, key('k1'));
      const task = await eventually(async () => {
        const { tasks } = await json<{ tasks: WireTask[] }>(fetch(`${front.url}/tasks?status=processing`));
        return tasks[0];
      }, 'the task is being processed');

      const meanwhile = await insertAt(other.url, 'd', file, key('k1'));
      await fetch(`${other.url}/task/${task.task_id}?force=true`, { method: 'DELETE' });
      const given = await first;
      const again = await insertAt(other.url, 'd', file, key('k1'));

      expect([meanwhile.status, given.status, again.status]).toEqual([409, 400, 400]);
      expect(meanwhile.headers.get('retry-after')).toBe('2');
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(await json(again)).toEqual(await json(given));
    } finally {
      await Promise.all([front.stop(), other.stop()]);
      await removeDir(dataDir);
    }
  });

  it('finds the same task after the connection was lost in the middle', async () => {
    await using server = await startHttpServer({ memory: { ingest: () => {} } });
    const gone = new AbortController();
    const lost = fetch(`${server.url}/insert?doc_id=d`, {
      method: 'POST',
      body: fileForm('hello'),
      headers: key('k1'),
      signal: gone.signal,
    });
    const id = await eventually(() => [...server.memory.tasks.keys()][0], 'the task');
    await eventually(() => server.memory.watchers() === 2, 'the request waits');
    gone.abort();
    await expect(lost).rejects.toThrow();

    const again = await eventually(async () => {
      const answer = await insert(server, 'd', fileForm('hello'), key('k1'));
      return answer.status === 409 ? null : answer;
    }, 'an answer');

    expect(again.status).toBe(202);
    expect((await json(again)).task_id).toBe(id);
  });

  it('belongs to the API key that used it', async () => {
    const apiKeys = parseApiKeys('a:write:key-of-a-0123456789,b:write:key-of-b-0123456789');
    await using server = await startHttpServer({ settings: { apiKeys } });
    const upload = (apiKey: string, content: string): Promise<Response> =>
      insert(server, 'd', fileForm(content), { ...key('k1'), 'X-API-Key': apiKey });

    expect((await upload('key-of-a-0123456789', 'one')).status).toBe(200);
    expect((await upload('key-of-b-0123456789', 'two')).status).toBe(200);
  });

  it('is forgotten after 24 hours', async () => {
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    await using server = await startHttpServer({ now: () => new Date(nowMs).toISOString() });
    await insert(server, 'd', fileForm('hello'), key('k1'));

    nowMs += 24 * 3600 * 1000 + 1;

    expect((await insert(server, 'd', fileForm('other'), key('k1'))).headers.get('idempotency-replayed')).toBeNull();
  });

  it.each(['x'.repeat(256), 'a b', '""'])('answers 400 for the malformed key %s', async (text) => {
    await using server = await startHttpServer();

    expect((await insert(server, 'd', fileForm('x'), key(text))).status).toBe(400);
  });

  it('does not keep the answer to a request that was wrong: it may be sent again, corrected', async () => {
    await using server = await startHttpServer();
    const answers: Response[] = [];
    for (const content of ['', 'now with text']) answers.push(await insert(server, 'd', fileForm(content), key('k1')));

    expect(answers.map(({ status }) => status)).toEqual([400, 200]);
  });
});

describe('the file store of kept answers', () => {
  const answer = {
    fingerprint: 'f',
    reply: { status: 200, location: null, body: { a: '报告' } },
    keptAt: '2026-01-01T00:00:00.000Z',
  };

  it('gives back what was kept, also to another process’s store on the same folder', async () => {
    await using folder = await tempDir();

    await createFileIdempotencyStore(folder.path, age).put('k', answer);

    expect(await createFileIdempotencyStore(folder.path, age).get('k', hourMs)).toEqual(answer);
    expect(await createFileIdempotencyStore(folder.path, age).get('other', hourMs)).toBeNull();
  });

  it('leaves one whole file when many write the same key at once', async () => {
    await using folder = await tempDir();
    const store = createFileIdempotencyStore(folder.path, age);

    await Promise.all(Array.from({ length: 20 }, (_, index) => store.put('k', { ...answer, fingerprint: String(index) })));

    expect(await readdir(folder.path)).toHaveLength(1);
    expect(Number((await store.get('k', hourMs))!.fingerprint)).toBeGreaterThanOrEqual(0);
  });

  it('lets one hold a key at a time, whoever asks, and a dead holder’s key go', async () => {
    await using folder = await tempDir();
    const [one, two] = [createFileIdempotencyStore(folder.path, age), createFileIdempotencyStore(folder.path, age)];

    const release = (await one.hold('k'))!;
    expect([await two.hold('k'), await one.hold('k')]).toEqual([null, null]);
    await release();
    const again = await two.hold('k');
    const [dead] = await readdir(folder.path);
    await utimes(join(folder.path, dead!), 0, 0);
    const after = await one.hold('k');

    expect([again, after].every((end) => end !== null)).toBe(true);
    await Promise.all([again!(), after!()]);
  });

  it('removes what is old, and takes a damaged file for none', async () => {
    await using folder = await tempDir();
    const store = createFileIdempotencyStore(folder.path, age);
    await store.put('k', answer);
    const [name] = await readdir(folder.path);

    await writeFile(join(folder.path, name!), '{"fingerpr');
    expect(await store.get('k', hourMs)).toBeNull();
    expect(await store.expire(hourMs)).toBe(0);
    await utimes(join(folder.path, name!), 0, 0);
    expect(await store.expire(hourMs)).toBe(1);
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('forgets nothing early when the clock is set ten years forward, and keeps no answer for ten years that a clock ahead wrote', async () => {
    await using folder = await tempDir();
    let [wallMs, passedMs] = [Date.now(), 0];
    const pass = (ms: number): void => void ([wallMs, passedMs] = [wallMs + ms, passedMs + ms]);
    const clock = createSteadyClock({ wallMs: () => wallMs, monotonicMs: () => passedMs, settleMs: 30 * 24 * hourMs });
    const store = createFileIdempotencyStore(folder.path, clock.age);
    await store.put('k', answer);

    wallMs += tenYearsMs;
    pass(23 * hourMs);
    expect([await store.expire(24 * hourMs), await store.get('k', 24 * hourMs)]).toEqual([0, answer]);
    pass(2 * hourMs);
    expect([await store.get('k', 24 * hourMs), await store.expire(24 * hourMs)]).toEqual([null, 1]);

    await store.put('k', answer);
    const [name] = await readdir(folder.path);
    wallMs -= tenYearsMs + 25 * hourMs;
    const ahead = new Date(wallMs + tenYearsMs);
    await utimes(join(folder.path, name!), ahead, ahead);
    expect(await store.expire(24 * hourMs)).toBe(0);
    expect(await store.get('k', 24 * hourMs)).toEqual(answer);
    pass(25 * hourMs);
    expect(await store.expire(24 * hourMs)).toBe(1);
  });

  it('is empty when its folder does not exist yet', async () => {
    await using folder = await tempDir();
    const store = createFileIdempotencyStore(join(folder.path, 'later'), age);

    expect(await store.get('k', hourMs)).toBeNull();
    expect(await store.expire(hourMs)).toBe(0);
  });
});
