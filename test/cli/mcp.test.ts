import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cliModule } from '../support/command.ts';
import { makeDataDir, removeDir, startServer, type TestServer, type WireHit, type WireTask } from '../support/server.ts';

const key = 'write-key-0123456789';
const adminKey = 'admin-key-0123456789';
const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
let server: TestServer;
const open: Client[] = [];

beforeAll(async () => {
  server = await startServer({
    dataDir: await makeDataDir(),
    env: { MCP: 'on', API_KEYS: `writer:write:${key},keeper:admin:${adminKey}` },
  });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
});

describe('rag-intake mcp', () => {
  it('gives a program that starts it the tools of the server, with progress', async () => {
    const client = await start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key });
    const told: number[] = [];

    const inserted = await client.callTool(
      { name: 'insert_document', arguments: { doc_id: 'stdio', filename: '说明.md', text: '# 标题\n\n通过标准输入上传' } },
      undefined,
      { onprogress: ({ progress }) => told.push(progress) },
    );
    const found = await client.callTool({ name: 'search', arguments: { query: '标准输入' } });
    const { resources } = await client.listResources();

    expect(inserted.structuredContent as WireTask).toMatchObject({ status: 'completed', filename: '说明.md' });
    expect((found.structuredContent as { hits: WireHit[] }).hits[0]!.citation.doc_id).toBe('stdio');
    expect(resources.map(({ name }) => name)).toEqual(['说明.md']);
  });

  it('is about the collection that it was given, where a tool names none', async () => {
    await fetch(`${server.url}/collections/hr`, { method: 'PUT', headers, body: '{"title": "人事"}' });
    const inHr = await start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key }, ['--collection', 'hr']);
    const others = await start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key });

    await inHr.callTool({ name: 'insert_document', arguments: { doc_id: 'leave', filename: '假期.md', text: '年假为二十天' } });
    const there = await fetch(`${server.url}/documents/leave?collection=hr`, { headers });
    const found = await inHr.callTool({ name: 'search', arguments: { query: '年假' } });
    const foundByOthers = await others.callTool({ name: 'search', arguments: { query: '年假' } });
    const { resources } = await inHr.listResources();

    expect(there.status).toBe(200);
    expect((found.structuredContent as { hits: WireHit[] }).hits[0]!.citation).toMatchObject({ doc_id: 'leave', collection: 'hr' });
    expect((foundByOthers.structuredContent as { hits: WireHit[] }).hits.map(({ citation }) => citation.doc_id)).not.toContain(
      'leave',
    );
    expect(resources.map(({ name }) => name)).toEqual(['假期.md']);
    await expect(start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key }, ['--collection', 'none'])).rejects.toThrow(
      'no collection none',
    );
  });

  it('says what to do when the key is wrong, nobody answers, or the server has no MCP', async () => {
    const plain = await startServer({ dataDir: await makeDataDir() });

    await expect(start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: 'wrong-key-0123456789' })).rejects.toThrow('RAG_INTAKE_KEY');
    await expect(start({ RAG_INTAKE_URL: 'http://127.0.0.1:1' })).rejects.toThrow('RAG_INTAKE_URL');
    await expect(start({ RAG_INTAKE_URL: plain.url })).rejects.toThrow('MCP=on');

    await plain.stop();
    await removeDir(plain.dataDir);
  });
});

async function start(env: Record<string, string>, args: readonly string[] = []): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  open.push(client);
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [cliModule, ...args, 'mcp'],
      env: { PATH: '/usr/bin:/bin', ...env },
      stderr: 'ignore',
    }),
  );
  return client;
}
