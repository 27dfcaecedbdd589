import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enginesCombined, type Place, type TestEngine } from '../support/engines.ts';
import { startServer, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

const key = 'correct-horse-battery-staple-0123456789';
const authorization = { authorization: `Bearer ${key}` };

describe.each(enginesCombined)('on $name', ({ open }) => {
  let engine: TestEngine;
  let place: Place;
  let receiver: WebhookReceiver;
  /** With a worker beside it. */
  let whole: TestServer;
  /** Without. */
  let api: TestServer;

  beforeAll(async () => {
    [engine, receiver] = await Promise.all([open(), startReceiver()]);
    place = await engine.newPlace();
    const env = {
      API_KEYS: `me:admin:${key}`,
      WEBHOOK_ALLOWED_HOSTS: receiver.url,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString('base64')}`,
    };
    whole = await startServer({ ...place, env, rigged: true });
    api = await startServer({ ...place, env, rigged: true, args: ['--role', 'api'] });
  });

  afterAll(async () => {
    await Promise.all([whole.stop(), api.stop()]);
    await Promise.all([engine[Symbol.asyncDispose](), receiver.close()]);
  });

  function put(server: TestServer, docId: string, text: string, more: Record<string, string> = {}): Promise<Response> {
    const { query = '', ...headers } = more;
    return fetch(`${server.url}/documents/${docId}${query}`, {
      method: 'PUT',
      body: text,
      headers: { ...authorization, ...headers },
    });
  }

  async function accept(server: TestServer, docId: string, filename: string): Promise<string> {
    const headers = { prefer: 'respond-async', query: `?filename=${filename}` };
    return ((await (await put(server, docId, 'Some text.', headers)).json()) as WireTask).task_id;
  }

  async function task(server: TestServer, id: string): Promise<WireTask> {
    return (await (await fetch(`${server.url}/task/${id}`, { headers: authorization })).json()) as WireTask;
  }

  describe('a front end without a worker', () => {
    it('is ready while another has one, and starts none', async () => {
      const status = (await (await fetch(`${api.url}/status`, { headers: authorization })).json()) as { worker_up: boolean };

      expect(status.worker_up).toBe(true);
      expect(api.log()).not.toContain('"role":"worker"');
    });

    it('answers a small upload when the other has processed it, and both find it', async () => {
      const response = await put(api, 'shared', 'The jackdaw collects buttons.');

      expect(response.status).toBe(200);
      for (const { url } of [whole, api]) {
        const found = await (await fetch(`${url}/search?q=jackdaw`, { headers: authorization })).json();
        expect(found).toMatchObject({ hits: [{ citation: { doc_id: 'shared' } }] });
      }
    });

    it('streams what becomes of a task of the other to its end', async () => {
      const id = await accept(whole, 'streamed', 'wait-300.txt');
      const stream = await fetch(`${api.url}/task/${id}/events`, { headers: authorization });

      expect(await stream.text()).toMatch(/"status":"completed"/);
    });

    it('cancels by force what runs in the other', async () => {
      const id = await accept(whole, 'stopped', 'hang.txt');
      await until('it runs', async () => (await task(api, id)).status === 'processing');
      const cancel = await fetch(`${api.url}/task/${id}?force=true`, { method: 'DELETE', headers: authorization });

      expect(cancel.status).toBe(200);
      expect(await task(whole, id)).toMatchObject({ status: 'failed', error: 'Task cancelled by user' });
    });
  });

  describe('two front ends', () => {
    it('give the same answer to the same Idempotency-Key', async () => {
      const first = await put(whole, 'once', 'Only once.', { 'idempotency-key': 'k1' });
      const again = await put(api, 'once', 'Only once.', { 'idempotency-key': 'k1' });
      const other = await put(api, 'once', 'Something else.', { 'idempotency-key': 'k1' });

      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(await again.json()).toEqual(await first.json());
      expect(other.status).toBe(422);
    });

    it('share logins, and a logout at one is a logout at both', async () => {
      const login = await fetch(`${whole.url}/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      });
      const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
      const ask = async ({ url }: TestServer): Promise<number> => (await fetch(`${url}/status`, { headers: { cookie } })).status;
      const before = await ask(api);
      await fetch(`${api.url}/logout`, { method: 'POST', headers: { cookie, origin: api.url } });

      expect([before, await ask(api), await ask(whole)]).toEqual([200, 401, 401]);
    });

    it('tell of the end of a task once, and show the same deliveries', async () => {
      for (const [docId, server] of [
        ['told-by-one', whole],
        ['told-by-other', api],
      ] as const)
        await put(server, docId, `Told: ${docId}.`, { query: `?callback_url=${encodeURIComponent(`${receiver.url}/${docId}`)}` });
      const delivered = async ({ url }: TestServer): Promise<string[]> => {
        const response = await fetch(`${url}/webhooks/deliveries?state=delivered`, { headers: authorization });
        return ((await response.json()) as { deliveries: { url: string }[] }).deliveries.map((each) => each.url);
      };
      await until('both are delivered', async () => (await delivered(api)).length === 2);

      expect(receiver.received.map(({ path }) => path).toSorted()).toEqual(['/told-by-one', '/told-by-other']);
      expect(await delivered(whole)).toEqual(await delivered(api));
    });
  });
});
