import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cliModule } from '../support/command.ts';
import { makeDataDir, removeDir, startServer, type TestServer, type WireHit, type WireTask } from '../support/server.ts';

const key = 'write-key-0123456789';
let server: TestServer;
const open: Client[] = [];

beforeAll(async () => {
  server = await startServer({ dataDir: await makeDataDir(), env: { MCP: 'on', API_KEYS: `writer:write:${key}` } });
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

  it('says what to do when the key is wrong, nobody answers, or the server has no MCP', async () => {
    const plain = await startServer({ dataDir: await makeDataDir() });

    await expect(start({ RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: 'wrong-key-0123456789' })).rejects.toThrow('RAG_INTAKE_KEY');
    await expect(start({ RAG_INTAKE_URL: 'http://127.0.0.1:1' })).rejects.toThrow('RAG_INTAKE_URL');
    await expect(start({ RAG_INTAKE_URL: plain.url })).rejects.toThrow('MCP=on');

    await plain.stop();
    await removeDir(plain.dataDir);
  });
});

async function start(env: Record<string, string>): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  open.push(client);
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [cliModule, 'mcp'],
      env: { PATH: '/usr/bin:/bin', ...env },
      stderr: 'ignore',
    }),
  );
  return client;
}
