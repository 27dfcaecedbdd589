/** What docs/integrations.md says to copy, copied, run, and held against what it says one sees; and the n8n workflow, walked node by node. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const key = 'examples-key-0123456789';
const packages = ['@langchain/core', '@llamaindex/core', '@modelcontextprotocol/sdk', 'ai', 'openai', 'zod'];
/** In the order in which the page has them, since the later ones find what the first ones brought. */
const all = [
  'first.sh',
  'dify.sh',
  'open-webui.sh',
  'docling.sh',
  'parse.sh',
  'openai-client.mjs',
  'openai_client.py',
  'mcp.mjs',
  'client.mjs',
  'langchain.mjs',
  'llamaindex.mjs',
  'ai-sdk.mjs',
  'client.py',
  'with_requests.py',
];
/** What an example needs of Python that a machine may not have; the requests of `openai` are held against the server by test/http/compatible/python-openai.test.ts too. */
const needs: Readonly<Record<string, string>> = {
  'openai_client.py': 'openai',
  'with_requests.py': 'requests',
  'client.py': 'json',
};
let server: TestServer;
let folder: string;
let page: string;
let examples: { name: string; code: string; seen: string }[];

beforeAll(async () => {
  folder = await makeDataDir();
  const installed = join(folder, 'node_modules/rag-intake');
  for (const name of ['rag-intake', ...packages]) await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
  await mkdir(installed);
  await writeFile(join(installed, 'package.json'), await readFile(join(root, 'package.json')));
  const built = ['-p', 'src/client', '--outDir', join(installed, 'dist/client')];
  spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...built], { cwd: root, stdio: 'inherit' });
  for (const name of packages) await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  await symlink(join(root, 'clients/python/rag_intake.py'), join(folder, 'rag_intake.py'));
  server = await startServer({ dataDir: join(folder, 'data'), env: { MCP: 'on', API_KEYS: `examples:admin:${key}` } });
  page = await readFile(join(root, 'docs/integrations.md'), 'utf8');
  examples = [...page.matchAll(/```(?:js|python|sh)\n(?:\/\/|#) (\w[\w.-]+)\n([^]*?)```\n\n```\n([^]*?)```/g)].map(
    ([, name, code, seen]) => ({
      name: name!,
      code: code!,
      seen: seen!,
    }),
  );
});

afterAll(async () => {
  await server.stop();
  await removeDir(folder);
});

function run(program: string, name: string): { stdout: string; stderr: string } {
  return spawnSync(program, [name], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key, PYTHONDONTWRITEBYTECODE: '1' },
  });
}

const programs: Readonly<Record<string, string>> = { '.sh': 'sh', '.py': 'python3', '.mjs': process.execPath };

describe('docs/integrations.md', () => {
  it.each(all)('what is copied from it as %s shows what it says', async (name) => {
    const example = examples.find((each) => each.name === name)!;
    await writeFile(join(folder, name), example.code);
    if (name in needs && spawnSync('python3', ['-c', `import ${needs[name]!}`]).status !== 0) return;
    const { stdout, stderr } = run(programs[extname(name)]!, name);
    expect({ stdout, stderr: stdout === example.seen ? '' : stderr }).toEqual({ stdout: example.seen, stderr: '' });
  });

  it('has no example that is not run', () => {
    expect(examples.map(({ name }) => name)).toEqual(all);
  });

  it('names tests that are there', () => {
    const named = [...page.matchAll(/`(test\/[\w./-]+\.ts)`/g)].map(([, path]) => path!);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('has what a program that starts its tools itself needs to know', async () => {
    const { mcpServers } = JSON.parse(/```json\n([^]*?)```/.exec(page)![1]!) as {
      mcpServers: { documents: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = mcpServers.documents;
    await mkdir(join(folder, 'bin'));
    await symlink(join(root, 'bin/rag-intake.js'), join(folder, 'bin', command));
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(
      new StdioClientTransport({
        command,
        args,
        env: {
          ...env,
          RAG_INTAKE_URL: server.url,
          RAG_INTAKE_KEY: key,
          PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}`,
        },
      }),
    );
    const { tools } = await client.listTools();
    await client.close();

    expect(Object.keys(env)).toEqual(['RAG_INTAKE_URL', 'RAG_INTAKE_KEY']);
    for (const { name } of tools) expect(page).toContain(name);
    expect(tools.map(({ name }) => name)).toContain('search');
  });
});

type Pairs = { parameters: { name: string; value?: string; inputDataFieldName?: string }[] };
type Node = {
  name: string;
  type: string;
  parameters: { method?: string; url?: string; queryParameters?: Pairs; headerParameters?: Pairs; bodyParameters?: Pairs };
};

it('the n8n workflow is whole, and its requests store a file and find it', async () => {
  const workflow = JSON.parse(await readFile(join(root, 'docs/examples/n8n-workflow.json'), 'utf8')) as {
    nodes: Node[];
    connections: Record<string, { main: { node: string }[][] }>;
  };
  const names = workflow.nodes.map(({ name }) => name);
  const order = ['Form'];
  while (workflow.connections[order.at(-1)!] !== undefined) order.push(workflow.connections[order.at(-1)!]!.main[0]![0]!.node);
  expect(order).toEqual(names);

  const items: Record<string, Record<string, unknown>> = { Settings: { url: server.url, key, doc_id: 'n8n', question: 'gasket' } };
  const filled = (text: string): string =>
    text
      .replace(/^=/, '')
      .replaceAll(/\{\{ \$\('([^']+)'\)\.item\.json\.(\w+) \}\}/g, (_, node: string, field: string) => String(items[node]![field]));
  for (const { name, parameters } of workflow.nodes.filter(({ type }) => type.endsWith('.httpRequest'))) {
    const pairs = (list?: Pairs): [string, string][] =>
      (list?.parameters ?? []).map((pair) => [pair.name, filled(pair.value ?? '')]);
    const form = new FormData();
    form.set('file', new Blob(['Replace the gasket every year.']), 'gasket.txt');
    const answer = await fetch(`${filled(parameters.url!)}?${new URLSearchParams(pairs(parameters.queryParameters)).toString()}`, {
      method: parameters.method!,
      headers: Object.fromEntries(pairs(parameters.headerParameters)),
      ...(parameters.bodyParameters === undefined ? {} : { body: form }),
    });
    expect([name, answer.ok]).toEqual([name, true]);
    items[name] = (await answer.json()) as Record<string, unknown>;
  }
  expect(items['Wait until it is read']).toMatchObject({ status: 'completed' });
  expect(items['Search']).toMatchObject({ hits: [{ citation: { doc_id: 'n8n' } }] });
});
