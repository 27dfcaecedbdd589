/**
 * A generated history over four collections by three keys, checked by a model on every engine: what a key may not reach shows in no
 * answer: not as a name, an id, a word or a count, and typing repair proposes none of its words [S60].
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomFrom } from '../crash/random.ts';
import { engines, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer } from '../support/server.ts';

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
  /** What there is: doc_ids by collection. */
  const model = new Map(collections.map((name) => [name, new Set<string>()]));

  beforeAll(async () => {
    engine = await open();
    const keys = names.map((name) => `${name}:admin@${reach[name].join('+')}:${secretOf(name)}`);
    server = await startServer({
      ...(await engine.newPlace()),
      env: { API_KEYS: [...keys, `root:admin:${secretOf('root')}`].join(','), MCP: 'on', RATE_LIMIT: '100000' },
    });
    for (const name of collections) await ask('root', 'PUT', `/collections/${name}`, {});
  });

  afterAll(async () => {
    await server.stop();
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

  /** Nothing of what the key may not reach is in an answer. */
  function requireBlind(key: Key, text: string, what: string): void {
    for (const name of collections.filter((each) => !(reach[key] as readonly string[]).includes(each)))
      expect(text, `${key}: ${what}`).not.toContain(markOf[name]);
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
      switch (random.whole(0, 6)) {
        case 0:
        case 1: {
          const text = `The shared word albatross and ${markOf[where]} number ${step}`;
          const { status } = await ask(key, 'PUT', `/documents/${docId}?collection=${where}&filename=${docId}.txt`, text);
          expect(status, what).toBe(mine ? 200 : 404);
          if (mine) held.add(docId);
          break;
        }
        case 2: {
          const { status } = await ask(key, 'DELETE', `/documents/${docId}?collection=${where}`);
          expect(status, what).toBe(mine && held.has(docId) ? 200 : 404);
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
  });
});
