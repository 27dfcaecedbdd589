import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command.ts';
import { ended, insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';

vi.setConfig({ testTimeout: 120_000 });

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
let receiver: WebhookReceiver;
let dataDir: string;
let server: TestServer;

beforeEach(async () => {
  receiver = await startReceiver();
  dataDir = await makeDataDir();
  server = await start();
});

afterEach(async () => {
  await server.stop();
  await receiver.close();
  await removeDir(dataDir);
});

function start(): Promise<TestServer> {
  return startServer({
    dataDir,
    env: { WEBHOOK_ALLOWED_HOSTS: receiver.url, WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', WEBHOOK_SECRET: secret },
  });
}

it('tells whoever uploaded a file of its end: the whole task record, signed, whichever way the file came', async () => {
  const form = await insert(server.url, 'a&callback_url=x', { name: 'a.txt', bytes: 'one' });
  const query = await insert(`${server.url}`, 'b', { name: 'b.txt', bytes: 'two' });
  await fetch(`${server.url}/documents/c?callback_url=${encodeURIComponent(`${receiver.url}/put`)}`, {
    method: 'PUT',
    body: 'three',
  });
  const field = new FormData();
  field.append('callback_url', `${receiver.url}/field`);
  field.append('file', new Blob(['four']), 'd.txt');
  await fetch(`${server.url}/insert?doc_id=d`, { method: 'POST', body: field });
  const refused = await fetch(`${server.url}/documents/e?callback_url=https%3A%2F%2Fevil.example%2F`, {
    method: 'PUT',
    body: 'five',
  });

  await until('both have arrived', () => receiver.received.length >= 2);

  expect([form.status, query.status, refused.status]).toEqual([200, 200, 422]);
  expect(((await refused.json()) as { detail: string }).detail).toBe(
    'callback_url: this host is not allowed; an administrator can add it to WEBHOOK_ALLOWED_HOSTS',
  );
  expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/field', '/put']);
  for (const { body, headers } of receiver.received) {
    const message = new Webhook(secret).verify(body, headers as Record<string, string>) as { type: string; data: WireTask };
    expect(message.type).toBe('task.completed');
    expect(message.data).toEqual(await (await fetch(`${server.url}/task/${message.data.task_id}`)).json());
  }
});

it('loses no message when the server is killed before it could send it, and a replay sends it again', async () => {
  receiver.answer = (_request, response) => response.writeHead(503).end();
  const reply = await fetch(`${server.url}/documents/k?callback_url=${encodeURIComponent(receiver.url)}`, {
    method: 'PUT',
    body: 'Killed in the middle',
    headers: { prefer: 'respond-async' },
  });
  const { task_id } = (await reply.json()) as WireTask;
  await server.kill();
  receiver.answer = (_request, response) => response.end();
  server = await start();
  await ended(server.url, task_id);

  await until('it is delivered', async () => (await deliveries('delivered')).length === 1);
  const [delivery] = await deliveries('delivered');
  const replayed = await runCommand(['--url', server.url, 'webhooks', 'replay', delivery!.id]);
  await until(
    'it is sent again',
    () => receiver.received.filter(({ headers }) => headers['webhook-id'] === delivery!.id).length >= 2,
  );

  expect(replayed).toMatchObject({ code: 0, stdout: `Sent again: ${delivery!.id}\n` });
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

async function deliveries(state: string): Promise<{ id: string }[]> {
  const { stdout } = await runCommand(['--url', server.url, '--json', 'webhooks', 'list', '--state', state]);
  return (JSON.parse(stdout) as { deliveries: { id: string }[] }).deliveries;
}
