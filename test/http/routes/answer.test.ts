import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startServer, type TestServer } from '../../support/server.ts';

let server: TestServer | undefined;
let chat: Server | undefined;

afterEach(async () => {
  await server?.stop();
  if (server !== undefined) await removeDir(server.dataDir);
  chat?.close();
});

/** A chat service of the usual kind that answers with these words, and remembers what it was asked. */
async function startChat(status: number, words: readonly string[]): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  chat = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      asked.push(body);
      response.writeHead(status, { 'content-type': 'text/event-stream' });
      for (const content of words) response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
      response.end('data: [DONE]\n\n');
    });
  });
  await new Promise<void>((resolve) => chat?.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(chat.address() as AddressInfo).port}/v1/chat/completions`, asked };
}

async function ask(question: string): Promise<{ status: number; events: { name: string; data: Record<string, unknown> }[] }> {
  const response = await fetch(`${server!.url}/answer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ question }),
  });
  const text = await response.text();
  const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n/g)].map(([, name, data]) => ({
    name: name!,
    data: JSON.parse(data!) as Record<string, unknown>,
  }));
  return { status: response.status, events };
}

describe('POST /answer', () => {
  it('streams an answer with its sources and the numbers that it cites', async () => {
    const { url, asked } = await startChat(200, ['Two years', ' [1].']);
    server = await startServer({ dataDir: await makeDataDir(), env: { ANSWER_URL: url, ANSWER_MODEL: 'any' } });
    await insert(server.url, 'warranty', { name: 'warranty.txt', bytes: 'The warranty lasts 24 months.' });

    const { events } = await ask('How long is the warranty?');
    expect(events.map(({ name }) => name)).toEqual(['sources', 'text', 'text', 'done']);
    expect(events[0]?.data).toMatchObject({ sources: [{ number: 1, citation: { doc_id: 'warranty' } }] });
    expect(events[3]?.data).toEqual({ cited: [1] });
    expect(asked[0]).toContain('The warranty lasts 24 months.');
  });

  it('says in an event that the chat service does not answer', async () => {
    const { url } = await startChat(500, []);
    server = await startServer({ dataDir: await makeDataDir(), env: { ANSWER_URL: url, ANSWER_MODEL: 'any' } });
    await insert(server.url, 'warranty', { name: 'warranty.txt', bytes: 'The warranty lasts 24 months.' });

    const { events } = await ask('How long is the warranty?');
    expect(events.at(-1)?.name).toBe('error');
  });

  it('is not there unless a chat service is set', async () => {
    server = await startServer({ dataDir: await makeDataDir() });

    expect((await ask('How long?')).status).toBe(404);
  });
});
