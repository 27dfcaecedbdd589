/** GET /task/{id}/events and GET /events, read as an EventSource reads them. */
import { describe, expect, it } from 'vitest';
import type { TaskId } from '../../../src/tasks/task.ts';
import { eventually, fileForm, insert, json, rawConnection, startHttpServer, type TestServer } from '../../support/http-server.ts';

type Event = { id: string; name: string; data: Record<string, unknown> };
type Reader = AsyncDisposable & { answer: Response; events: Event[]; comments: () => number; ended: Promise<void> };

const waits = { memory: { ingest: () => {} } };

async function pendingTask(server: TestServer, docId = 'd'): Promise<TaskId> {
  const { task_id: id } = await json(insert(server, docId, fileForm('hello'), { Prefer: 'respond-async' }));
  return id as TaskId;
}

/** Reads a stream in the background. */
async function follow(server: TestServer, path: string, headers: Record<string, string> = {}): Promise<Reader> {
  const stop = new AbortController();
  const answer = await fetch(server.url + path, { headers, signal: stop.signal });
  const events: Event[] = [];
  let comments = 0;
  const ended = (async () => {
    let text = '';
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        if (block.startsWith(':')) comments += 1;
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
        if (fields.data !== undefined) events.push({ id: fields.id, name: fields.event, data: JSON.parse(fields.data) });
      }
    }
  })().catch(() => {});
  return {
    answer,
    events,
    comments: () => comments,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

describe('GET /task/{task_id}/events', () => {
  it('gives the task first, then each change, and closes after the last', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    await using stream = await follow(server, `/task/${id}/events`);
    await eventually(() => stream.events.length === 1, 'the first event');

    server.memory.begin(id);
    server.memory.report(id, { stage: 'parsing', percent: 50 });
    await server.memory.finish(id);
    await stream.ended;

    expect(stream.answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.answer.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.events.map(({ name, data }) => [name, data.status, data.stage])).toEqual([
      ['task', 'pending', 'queued'],
      ['task', 'processing', 'queued'],
      ['task', 'processing', 'parsing'],
      ['task', 'completed', 'done'],
    ]);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(4);
    expect(stream.events.at(-1)!.data).toEqual(await json(fetch(`${server.url}/task/${id}`)));
  });

  it('resumes after Last-Event-ID: what was seen is not sent again', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    await using first = await follow(server, `/task/${id}/events`);
    const seen = await eventually(() => first.events[0], 'the first event');

    await using second = await follow(server, `/task/${id}/events`, { 'Last-Event-ID': seen.id });
    server.memory.begin(id);
    await server.memory.finish(id);
    await second.ended;

    expect(second.events.map(({ data }) => data.status)).toEqual(['processing', 'completed']);
  });

  it('tells a client that has seen the end not to come back (204)', async () => {
    await using server = await startHttpServer();
    const { task_id: id } = await json(insert(server, 'd', fileForm('x')));
    await using stream = await follow(server, `/task/${id}/events`);
    await stream.ended;

    const again = await fetch(`${server.url}/task/${id}/events`, { headers: { 'Last-Event-ID': stream.events.at(-1)!.id } });

    expect(again.status).toBe(204);
  });

  it('answers 404 Task not found for an unknown id, and HEAD without a stream', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);

    const unknown = await fetch(`${server.url}/task/0193a1b2-7c4d-7e8f-9a0b-1c2d3e4f5a6b/events`);
    const head = await fetch(`${server.url}/task/${id}/events`, { method: 'HEAD' });

    expect(unknown.status).toBe(404);
    expect((await json(unknown)).detail).toBe('Task not found');
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toMatch(/^text\/event-stream/);
  });

  it('stops watching when the client goes away', async () => {
    await using server = await startHttpServer(waits);
    const id = await pendingTask(server);
    const before = server.memory.watchers();
    {
      await using stream = await follow(server, `/task/${id}/events`);
      await eventually(() => stream.events.length === 1, 'the first event');
      expect(server.memory.watchers()).toBe(before + 1);
    }

    await eventually(() => server.memory.watchers() === before, 'nobody watches');
  });
});

describe('GET /events', () => {
  it('gives a snapshot first, then every changed task', async () => {
    await using server = await startHttpServer(waits);
    const old = await pendingTask(server, 'old');
    await using stream = await follow(server, '/events');
    await eventually(() => stream.events.length === 1, 'the snapshot');

    const fresh = await pendingTask(server, 'fresh');
    await server.memory.finish(old);
    await eventually(() => stream.events.length === 3, 'two changes');

    expect(stream.events.map(({ name }) => name)).toEqual(['snapshot', 'task', 'task']);
    expect(stream.events[0]!.data.tasks).toMatchObject([{ task_id: old, status: 'pending' }]);
    expect(stream.events[1]!.data).toMatchObject({ task_id: fresh, status: 'pending' });
    expect(stream.events[2]!.data).toMatchObject({ task_id: old, status: 'completed' });
  });

  it('begins with the newest tasks that fit, and says whether there are more', async () => {
    await using server = await startHttpServer(waits);
    const wide = { note: '报告'.repeat(500) };
    const send = (n: number): Promise<Response> =>
      fetch(`${server.url}/documents/d${n}?metadata=${encodeURIComponent(JSON.stringify(wide))}`, {
        method: 'PUT',
        body: 'x',
        headers: { 'content-type': 'text/plain', prefer: 'respond-async' },
      });
    // As many at once as one client may send.
    for (let first = 0; first < 260; first += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => send(first + n)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    }
    await using stream = await follow(server, '/events');
    const { data } = await eventually(() => stream.events[0], 'the snapshot');
    const ids = (data.tasks as { task_id: string }[]).map(({ task_id: id }) => id);
    const newest = [...server.memory.tasks.keys()].toSorted().toReversed();

    expect(data.more).toBe(true);
    expect(ids).toEqual(newest.slice(0, ids.length));
    expect(ids.length).toBeGreaterThan(50);
    expect(ids.length).toBeLessThanOrEqual(200);
    expect(JSON.stringify(data).length).toBeLessThan(512 * 1024);
  });

  it('resumes after Last-Event-ID with what was missed, and without a snapshot', async () => {
    await using server = await startHttpServer(waits);
    let lastId = '';
    {
      await using stream = await follow(server, '/events');
      lastId = (await eventually(() => stream.events[0], 'the snapshot')).id;
    }
    const missed = await pendingTask(server, 'missed');

    await using stream = await follow(server, '/events', { 'Last-Event-ID': lastId });
    await eventually(() => stream.events.length === 1, 'the missed change');

    expect(stream.events[0]).toMatchObject({ name: 'task', data: { task_id: missed } });
  });

  it.each(['nonsense', 'other-epoch-7', '-1'])('begins with a snapshot when Last-Event-ID %s is not known', async (lastId) => {
    await using server = await startHttpServer(waits);

    await using stream = await follow(server, '/events', { 'Last-Event-ID': lastId });

    expect((await eventually(() => stream.events[0], 'an event')).name).toBe('snapshot');
  });

  it('sends a comment at every heartbeat', async () => {
    await using server = await startHttpServer({ ...waits, limits: { eventHeartbeatMs: 20 } });

    await using stream = await follow(server, '/events');

    await eventually(() => stream.comments() >= 3, 'three comments');
  });

  it('refuses more streams than it may hold open, and takes one again when another has closed', async () => {
    await using server = await startHttpServer({ ...waits, limits: { eventStreamsPerClientMax: 1 } });
    {
      await using stream = await follow(server, '/events');
      await eventually(() => stream.events.length === 1, 'the snapshot');
      const refused = await fetch(`${server.url}/events`);
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('10');
    }

    await eventually(async () => {
      await using stream = await follow(server, '/events');
      return stream.answer.status === 200;
    }, 'a free place');
  });

  it('holds 200 streams and answers others meanwhile; one more is refused [S32]', async () => {
    await using server = await startHttpServer({ ...waits, limits: { eventStreamsPerClientMax: 1000, eventStreamsMax: 200 } });
    const streams = await Promise.all(Array.from({ length: 200 }, () => follow(server, '/events')));

    expect((await fetch(`${server.url}/events`)).status).toBe(429);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    await pendingTask(server);
    await eventually(() => streams.every(({ events }) => events.some(({ name }) => name === 'task')), 'the task in every stream');

    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
  });

  it('cuts off a client that does not read, instead of buffering for it', async () => {
    await using server = await startHttpServer({ ...waits, limits: { eventBufferBytesMax: 100_000 } });
    const id = await pendingTask(server, 'd'.repeat(200));
    const { socket, closed } = await rawConnection(server.port);
    socket.pause();
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await eventually(
      async () => (await (await fetch(`${server.url}/metrics`)).text()).includes('rag_event_streams 1'),
      'the stream is open',
    );

    let percent = 0;
    await eventually(async () => {
      for (let count = 0; count < 2000; count += 1)
        server.memory.report(id, { stage: 'parsing', percent: (percent = (percent + 1) % 100) });
      await new Promise((resolve) => setImmediate(resolve));
      return (await (await fetch(`${server.url}/metrics`)).text()).includes('rag_event_streams 0');
    }, 'the stream is cut off');
    socket.destroy();
    await closed;
  });

  it('ends when the server stops, at once', async () => {
    const server = await startHttpServer(waits);
    await using stream = await follow(server, '/events');
    await eventually(() => stream.events.length === 1, 'the snapshot');

    await server.server.close(60_000);
    await stream.ended;

    await server[Symbol.asyncDispose]();
  });
});
