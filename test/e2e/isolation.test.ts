/**
 * A generated history over four collections by three keys, checked by a model on every engine: what a key may not reach shows in no
 * answer: not as a name, an id, a word or a count, and typing repair proposes none of its words [S60].
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../crash/random.ts';
import { engines, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const reach = {
  one: ['hr', 'finance'],
  two: ['finance', 'legal'],
  three: ['ops'],
} as const satisfies Record<string, readonly string[]>;
type Key = keyof typeof reach;
const names = Object.keys(reach) as Key[];
const collections = ['hr', 'finance', 'legal', 'ops'];
const secretOf = (key: string): string => `${key}-key-0123456789abcdef`;
/** Stands in every name and text of a collection, and nowhere else. */
const markOf: Readonly<Record<string, string>> = { hr: 'quokkahr', finance: 'wombatfi', legal: 'numbatle', ops: 'bilbyops' };
const steps = 70;

describe.each(engines)('three keys over four collections on $name', ({ open }) => {
  let engine: TestEngine;
  let server: TestServer;
  let receiver: WebhookReceiver;
  const streams: Stream[] = [];
  /** What there is: doc_ids by collection. */
  const model = new Map(collections.map((name) => [name, new Set<string>()]));

  beforeAll(async () => {
    engine = await open();
    receiver = await startReceiver();
    const hooks = {
      WEBHOOK_ALLOWED_HOSTS: receiver.url,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
    };
    const keys = names.map((name) => `${name}:admin@${reach[name].join('+')}:${secretOf(name)}`);
    server = await startServer({
      ...(await engine.newPlace()),
      env: { API_KEYS: [...keys, `root:admin:${secretOf('root')}`].join(','), MCP: 'on', RATE_LIMIT: '100000', ...hooks },
    });
    for (const name of collections) await ask('root', 'PUT', `/collections/${name}`, {});
    for (const key of names) for (const where of reach[key]) streams.push(await follow(key, where));
  });

  afterAll(async () => {
    for (const { stop } of streams) stop.abort();
    await server.stop();
    await receiver.close();
    await engine[Symbol.asyncDispose]();
  });

  async function ask(key: string, method: string, path: string, body?: object | string): Promise<{ status: number; text: string }> {
    const stop = new AbortController();
    const isText = typeof body === 'string';
    const response = await fetch(server.url + path, {
      method,
      signal: stop.signal,
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
      headers: {
        authorization: `Bearer ${secretOf(key)}`,
        ...(body === undefined ? {} : { 'content-type': isText ? 'text/plain' : 'application/json' }),
      },
    });
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
      return { status: response.status, text: await response.text() };
    const first = await response.body!.getReader().read();
    stop.abort();
    return { status: response.status, text: new TextDecoder().decode(first.value as Uint8Array) };
  }

  /** Events of a collection, all that come from now on. */
  async function follow(key: Key, where: string): Promise<Stream> {
    const stop = new AbortController();
    const headers = { authorization: `Bearer ${secretOf(key)}` };
    const response = await fetch(`${server.url}/events?collection=${where}`, { signal: stop.signal, headers });
    const stream: Stream = { key, where, stop, text: '' };
    const read = async (): Promise<void> => {
      for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) stream.text += piece;
    };
    void read().catch(() => undefined);
    return stream;
  }

  type Result = { readonly isError?: boolean; readonly structuredContent?: Record<string, unknown> };

  /** What a tool answers, and the whole of it as text. */
  async function callTool(key: Key, name: string, args: object): Promise<{ result: Result; text: string }> {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
    const { text } = await ask(key, 'POST', '/mcp', call);
    return { result: (JSON.parse(text) as { result: Result }).result, text };
  }

  async function insert(key: Key, where: string, docId: string, text: string, byTool: boolean): Promise<boolean> {
    const filename = `${docId}.txt`;
    if (byTool) {
      const { result } = await callTool(key, 'insert_document', { doc_id: docId, collection: where, filename, text });
      if (result.isError === true) return false;
      await callTool(key, 'get_task', { task_id: result.structuredContent!['task_id'], wait_seconds: 30 });
      return true;
    }
    const hook = encodeURIComponent(`${receiver.url}/${key}`);
    const path = `/documents/${docId}?collection=${where}&filename=${filename}&callback_url=${hook}`;
    return (await ask(key, 'PUT', path, text)).status === 200;
  }

  async function remove(key: Key, where: string, docId: string, byTool: boolean): Promise<boolean> {
    if (!byTool) return (await ask(key, 'DELETE', `/documents/${docId}?collection=${where}`)).status === 200;
    return (await callTool(key, 'delete_document', { doc_id: docId, collection: where })).result.isError !== true;
  }

  /** Nothing of what the key may not reach is in an answer. */
  function requireBlind(key: Key, text: string, what: string): void {
    for (const name of collections.filter((each) => !(reach[key] as readonly string[]).includes(each)))
      expect(text, `${key}: ${what}`).not.toContain(markOf[name]);
  }

  /** Tasks and deliveries of collections that a key may not reach, asked for by their ids. */
  async function requireForeignUnknown(key: Key, what: string): Promise<void> {
    const foreign = collections.filter((name) => !(reach[key] as readonly string[]).includes(name));
    for (const where of foreign) {
      expect((await ask(key, 'GET', `/events?collection=${where}`)).status, what).toBe(404);
      const { tasks } = JSON.parse((await ask('root', 'GET', `/tasks?collection=${where}&limit=3`)).text) as {
        tasks: { task_id: string }[];
      };
      for (const { task_id: id } of tasks) expect((await ask(key, 'GET', `/task/${id}`)).status, what).toBe(404);
    }
    const { deliveries } = JSON.parse((await ask('root', 'GET', '/webhooks/deliveries')).text) as { deliveries: { id: string }[] };
    const own = (await ask(key, 'GET', '/webhooks/deliveries')).text;
    for (const { id } of deliveries.filter((delivery) => !own.includes(delivery.id)).slice(0, 2))
      expect((await ask(key, 'POST', `/webhooks/deliveries/${id}/replay`)).status, what).toBe(404);
  }

  const docIds = (key: Key, where: string) => async (): Promise<string> =>
    (await ask(key, 'GET', `/documents?collection=${where}&limit=1000`)).text;

  it('sees what the model says, and nothing else, at every step', async () => {
    const random = randomFrom(20_261_129);
    for (let step = 0; step < steps; step += 1) {
      const key = random.pick(names);
      const where = random.pick(collections);
      const mine = (reach[key] as readonly string[]).includes(where);
      const docId = `${markOf[where]}-${random.whole(0, 5)}`;
      const held = model.get(where)!;
      const what = `step ${step} in ${where}`;
      switch (random.whole(0, 7)) {
        case 0:
        case 1: {
          const text = `The shared word albatross and ${markOf[where]} number ${step}`;
          expect(await insert(key, where, docId, text, random.whole(0, 1) === 0), what).toBe(mine);
          if (mine) held.add(docId);
          break;
        }
        case 2: {
          expect(await remove(key, where, docId, random.whole(0, 1) === 0), what).toBe(mine && held.has(docId));
          if (mine) held.delete(docId);
          break;
        }
        case 3: {
          const all = await ask(key, 'POST', '/search', { query: 'albatross', collections: ['*'], top_k: 100 });
          const count = reach[key].reduce((sum, name) => sum + model.get(name)!.size, 0);
          expect((JSON.parse(all.text) as { total: number }).total, what).toBe(count);
          requireBlind(key, all.text, what);
          break;
        }
        case 4: {
          // Misspelt: a word that only this collection has is found by nobody who may not reach it.
          const typo = `${markOf[where]!.slice(0, -1)}x`;
          const found = await ask(key, 'POST', '/search', { query: typo, collections: ['*'], top_k: 100 });
          expect((JSON.parse(found.text) as { total: number }).total > 0, what).toBe(mine && held.size > 0);
          break;
        }
        case 5: {
          const { status, text } = await ask(key, 'GET', `/documents?collection=${where}&limit=1000`);
          expect(status, what).toBe(mine ? 200 : 404);
          const listed = mine
            ? (JSON.parse(text) as { documents: { doc_id: string }[] }).documents.map(({ doc_id }) => doc_id)
            : [];
          expect(listed.toSorted(), what).toEqual(mine ? [...held].toSorted() : []);
          break;
        }
        case 6: {
          const list = await callTool(key, 'list_documents', { collection: where, limit: 200 });
          const read = await callTool(key, 'get_document', { collection: where, doc_id: docId });
          expect([list.result.isError === true, read.result.isError === true], what).toEqual([!mine, !mine || !held.has(docId)]);
          if (!mine) expect(list.text + read.text, what).not.toMatch(/number \d/);
          requireBlind(key, list.text + (mine ? read.text : ''), what);
          await requireForeignUnknown(key, what);
          break;
        }
        default: {
          const call = { name: 'search', arguments: { query: 'albatross', collections: ['*'] } };
          for (const answer of [
            await ask(key, 'GET', '/tasks?limit=1000'),
            await ask(key, 'GET', '/events'),
            await ask(key, 'GET', '/collections'),
            await ask(key, 'GET', '/metrics'),
            await ask(key, 'GET', '/status'),
            await ask(key, 'GET', '/webhooks/deliveries'),
            await ask(key, 'POST', '/mcp', { jsonrpc: '2.0', id: step, method: 'tools/call', params: call }),
            await ask(key, 'POST', '/mcp', { jsonrpc: '2.0', id: step, method: 'resources/list' }),
          ]) {
            expect(answer.status, what).toBe(200);
            requireBlind(key, answer.text, what);
          }
          const figures = JSON.parse((await ask(key, 'GET', '/status')).text) as { documents: number };
          expect(figures.documents, what).toBe(reach[key].reduce((sum, name) => sum + model.get(name)!.size, 0));
        }
      }
    }
    for (const key of names)
      for (const where of collections.filter((name) => !(reach[key] as readonly string[]).includes(name)))
        expect(await docIds(key, where)()).toContain('Collection not found');
    // What was told while it happened: each stream has what was done in its collection, and no word of another.
    for (const stream of streams) {
      if (model.get(stream.where)!.size > 0) await until('its events came', () => stream.text.includes(markOf[stream.where]!));
      requireBlind(stream.key, stream.text, `events of ${stream.where}`);
    }
    await until('webhooks came', () => names.every((key) => receiver.received.some(({ path }) => path === `/${key}`)));
    for (const { path, body } of receiver.received) requireBlind(path.slice(1) as Key, body, 'webhook');
  });
});

type Stream = { readonly key: Key; readonly where: string; readonly stop: AbortController; text: string };
