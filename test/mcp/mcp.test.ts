import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makePdf } from '../support/pdf-writer.ts';
import { makeDataDir, removeDir, startServer, type TestServer, type WireHit, type WireTask } from '../support/server.ts';

const keys = { write: 'write-key-0123456789', read: 'read-key-0123456789', other: 'other-key-0123456789' };
let server: TestServer;
const open: Client[] = [];

type Listed = { documents: { doc_id: string }[]; next_cursor: string | null };

beforeAll(async () => {
  server = await startServer({
    dataDir: await makeDataDir(),
    env: { MCP: 'on', API_KEYS: `writer:write:${keys.write},reader:read:${keys.read},other:write:${keys.other}` },
  });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe('an MCP client', () => {
  it('inserts a file, follows its task, searches and gets a citation', async () => {
    const client = await connect(keys.write);
    const pdf = makePdf({
      pages: [['Introduction'], ['The centrifugal pump must be vented before start.', '离心泵启动前必须排气。']],
    });

    const inserted = await call<WireTask>(client, 'insert_document', {
      doc_id: 'manual',
      filename: '手册.pdf',
      content_base64: Buffer.from(pdf).toString('base64'),
      wait_seconds: 0,
    });
    const task = await call<WireTask>(client, 'get_task', { task_id: inserted.task_id, wait_seconds: 60 });
    const { hits } = await call<{ hits: WireHit[] }>(client, 'search', { query: 'vent the centrifugal pump' });

    expect(task).toMatchObject({ status: 'completed', filename: '手册.pdf', result: { pages: 2 } });
    expect(server.log()).toMatch(/"keyId":"writer","msg":"upload accepted"/);
    expect(hits[0]!.citation).toMatchObject({ doc_id: 'manual', filename: '手册.pdf', page: 2 });
    const { char_start, char_end } = hits[0]!.citation;
    const read = await call<{ text: string }>(client, 'get_document', {
      doc_id: 'manual',
      start: char_start,
      max_characters: char_end - char_start,
    });
    expect(read.text).toBe(hits[0]!.text);
  });

  it('inserts plain text, and is told in words what went wrong with it', async () => {
    const client = await connect(keys.write);

    expect(
      await call<WireTask>(client, 'insert_document', { doc_id: 'note', filename: 'n.md', text: '# 标题\n\n正文' }),
    ).toMatchObject({ status: 'completed' });
    expect(await refusal(client, 'insert_document', { doc_id: 'e', filename: 'e.txt', text: '' })).toBe(
      'Invalid document: Empty file: e.txt',
    );
    expect(await refusal(client, 'insert_document', { doc_id: 'e', filename: 'e.txt' })).toBe(
      'Give either text or content_base64, but not both.',
    );
    expect(await refusal(client, 'get_task', { task_id: '../../etc/passwd' })).toBe('Task not found');
    expect(await refusal(client, 'get_document', { doc_id: 'nowhere' })).toBe('Document not found');
  });

  it('cannot cancel what has ended, in the same words as over HTTP', async () => {
    const client = await connect(keys.write);
    const { task_id } = await call<WireTask>(client, 'insert_document', { doc_id: 'c', filename: 'c.txt', text: 'cancel me' });

    expect(await refusal(client, 'cancel_task', { task_id })).toBe('Cannot cancel task in completed status');
  });

  it('reads a long document in parts that fit together', async () => {
    const client = await connect(keys.write);
    const text = Array.from({ length: 3000 }, (_, line) => `第${line}行 line ${line} 😀`).join('\n\n');
    await call(client, 'insert_document', { doc_id: 'long', filename: 'long.txt', text });

    let read = '';
    for (let more = true; more;) {
      const part = await call<{ text: string; end: number; more: boolean }>(client, 'get_document', {
        doc_id: 'long',
        start: read.length,
        max_characters: 30_000,
      });
      read += part.text;
      more = part.more;
      expect(part.end).toBe(read.length);
    }

    const content = await fetch(`${server.url}/documents/long/content`, { headers: { 'x-api-key': keys.read } });
    expect(read).toBe(await content.text());
  });

  it('with a key that only reads is shown no tool that writes, and can use none', async () => {
    const client = await connect(keys.read);
    const { tools } = await client.listTools();

    expect(tools.map(({ name }) => name).sort()).toEqual(['get_document', 'get_task', 'list_documents', 'search']);
    expect(await refusal(client, 'insert_document', { doc_id: 'x', filename: 'x.txt', text: 'x' })).toMatch(/not found/i);
  });

  it('lists documents page by page, and deletes one for good', async () => {
    const client = await connect(keys.write);
    for (const doc_id of ['先/甲.txt', 'second'])
      await call(client, 'insert_document', { doc_id, filename: 'd.txt', text: `document ${doc_id}` });

    const first = await call<Listed>(client, 'list_documents', { limit: 1 });
    const rest = await call<Listed>(client, 'list_documents', { cursor: first.next_cursor! });
    expect(first.documents.map(({ doc_id }) => doc_id)).toEqual(['second']);
    expect(rest.documents.map(({ doc_id }) => doc_id)).toContain('先/甲.txt');

    expect(await call(client, 'delete_document', { doc_id: '先/甲.txt' })).toMatchObject({ message: 'Document deleted' });
    expect(await refusal(client, 'delete_document', { doc_id: '先/甲.txt' })).toBe('Document not found');
    expect(await refusal(client, 'get_document', { doc_id: '先/甲.txt' })).toBe('Document not found');
  });

  it('is told what every tool answers with, and gets answers of that shape', async () => {
    const { tools } = await (await connect(keys.write)).listTools();

    expect(tools.map(({ name }) => name).sort()).toEqual([
      'cancel_task',
      'delete_document',
      'get_document',
      'get_task',
      'insert_document',
      'list_documents',
      'search',
    ]);
    expect(tools.filter(({ outputSchema }) => outputSchema === undefined)).toEqual([]);
  });

  it('finds documents as resources, whatever their names', async () => {
    const client = await connect(keys.write);
    const doc_id = 'a/b c?#%/报告.md';
    await call(client, 'insert_document', { doc_id, filename: '报告.md', text: '# 年度报告\n\n资源正文' });

    const { resources } = await client.listResources();
    const { uri } = resources.find(({ name }) => name === '报告.md')!;
    const { contents } = await client.readResource({ uri });

    expect(contents[0]).toMatchObject({ uri, mimeType: 'text/markdown', text: expect.stringContaining('资源正文') as string });
    await expect(client.readResource({ uri: 'document://nowhere' })).rejects.toThrow('Document not found');
    await expect(client.readResource({ uri: 'document://%ff' })).rejects.toThrow(/percent-encoded/);
  });

  it('is told of the progress when it asks to be', async () => {
    const client = await connect(keys.write);
    const told: number[] = [];
    const text = Array.from({ length: 60_000 }, (_, line) => `Line ${line} of a document that takes a while.`).join('\n\n');

    const task = await client.callTool(
      { name: 'insert_document', arguments: { doc_id: 'slow', filename: 'slow.md', text, wait_seconds: 60 } },
      undefined,
      { onprogress: ({ progress }) => told.push(progress) },
    );

    expect(task.structuredContent).toMatchObject({ status: 'completed' });
    expect(told.length).toBeGreaterThan(0);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  it("does not see another key's task", async () => {
    const mine = await connect(keys.write);
    const { task_id } = await call<WireTask>(mine, 'insert_document', { doc_id: 'mine', filename: 'm.txt', text: 'mine' });

    expect(await refusal(await connect(keys.other), 'get_task', { task_id })).toBe('Task not found');
  });
});

describe('the MCP route', () => {
  it('refuses strangers, strange hosts and strange pages like every other route', async () => {
    expect((await post({})).status).toBe(401);
    expect((await post({ authorization: 'Bearer wrong-key-0123456789' })).status).toBe(401);
    expect((await post({ authorization: `Bearer ${keys.read}`, host: 'evil.example' })).status).toBe(421);
    expect((await post({ authorization: `Bearer ${keys.read}`, origin: 'https://evil.example' })).status).toBe(403);
    expect((await post({ authorization: `Bearer ${keys.read}` })).status).toBe(200);
  });

  it('answers what is not JSON-RPC with a problem or a JSON-RPC error, never with a fault of its own', async () => {
    const headers = { authorization: `Bearer ${keys.write}` };

    expect((await post(headers, '{')).status).toBe(400);
    expect((await post(headers, '[]')).status).toBeLessThan(500);
    expect((await post(headers, '{"__proto__":{"polluted":1}}')).status).toBe(400);
    expect((await post({ ...headers, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(headers, `"${'x'.repeat(12 * 1024 * 1024)}"`)).status).toBe(413);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('takes POST only', async () => {
    const response = await fetch(`${server.url}/mcp`, { headers: { authorization: `Bearer ${keys.read}` } });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('OPTIONS, POST');
  });
});

describe('a server without MCP=on', () => {
  it('has no such route', async () => {
    const plain = await startServer({ dataDir: await makeDataDir() });

    expect((await fetch(`${plain.url}/mcp`, { method: 'POST' })).status).toBe(404);

    await plain.stop();
    await removeDir(plain.dataDir);
  });
});

async function connect(key: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${key}` } },
    }) as Parameters<Client['connect']>[0],
  );
  open.push(client);
  return client;
}

async function call<T>(client: Client, name: string, args: Record<string, unknown>): Promise<T> {
  const result = await client.callTool({ name, arguments: args });
  if (result.isError === true) throw new Error(JSON.stringify(result.content));
  return result.structuredContent as T;
}

async function refusal(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const result = await client.callTool({ name, arguments: args });
  expect(result.isError).toBe(true);
  return (result.content as { text: string }[])[0]!.text;
}

/** By node:http, since fetch sets Host itself. */
async function post(
  headers: Record<string, string>,
  body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
): Promise<{ status: number }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.url}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
    });
    let status = 0;
    sent.once('response', (response) => {
      status = response.statusCode ?? 0;
      response.resume().once('close', () => resolve({ status }));
    });
    sent.once('error', (error) => (status === 0 ? reject(error) : resolve({ status })));
    sent.end(body);
  });
}
