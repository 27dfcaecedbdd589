/** Two departments, four keys and two folders, by the command alone: collections, bound keys, metadata and filters wherever they make sense. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type CommandResult, runCommand, startCommand } from '../support/command.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let dir: Awaited<ReturnType<typeof tempDir>>;
let server: TestServer;
let keyFile: string;
const keys = new Map<string, string>();

beforeAll(async () => {
  dir = await tempDir();
  keyFile = join(dir.path, 'keys');
  await createKey('admin', 'admin');
  server = await startServer({ dataDir: join(dir.path, 'data'), env: { API_KEYS_FILE: keyFile } });
  for (const [name, text] of Object.entries({ hr: 'Parental leave lasts 14 months.', finance: 'The budget is 500 million.' })) {
    await mkdir(join(dir.path, name));
    await writeFile(join(dir.path, name, 'rules.txt'), text);
  }
});
afterAll(async () => {
  await server.stop();
  await dir[Symbol.asyncDispose]();
});

async function createKey(name: string, scope: string, ...more: string[]): Promise<void> {
  const made = await runCommand(['--json', 'key', 'create', name, '--scope', scope, ...more], { API_KEYS_FILE: keyFile });
  expect(made, made.stderr).toMatchObject({ code: 0 });
  keys.set(name, (JSON.parse(made.stdout) as { key: string }).key);
}

function as(key: string, ...args: string[]): Promise<CommandResult> {
  return runCommand(['--patience', '0', ...args], { RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: keys.get(key)! });
}

async function json<T>(key: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await as(key, '--json', ...args);
  expect(code, stdout + stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

type Hits = { hits: { citation: { collection: string; doc_id: string } }[] };
const cited = ({ hits }: Hits): string[] => hits.map(({ citation }) => `${citation.collection}/${citation.doc_id}`);
const listed = ({ documents }: { documents: { doc_id: string }[] }): string[] => documents.map(({ doc_id: id }) => id).toSorted();

it('makes keys in the file of a running server, which it takes without a restart, and collections for them', async () => {
  await createKey('hr-upload', 'write', '--collections', 'hr');
  await createKey('hr-read', 'read', '--collections', 'hr');
  await createKey('fin-upload', 'write', '--collections', 'finance');
  await createKey('fin-read', 'read', '--collections', 'finance');
  expect(await readFile(keyFile, 'utf8')).toMatch(/^fin-read:read@finance:sha256:/m);
  expect((await runCommand(['key', 'list'], { API_KEYS_FILE: keyFile })).stdout).toMatch(/hr-upload +write +hr\n/);
  const settings = '{"synonyms": [["leave", "vacation"]]}';

  expect(await as('admin', 'collections', 'create', 'hr', '--title', '人事', '--settings', settings)).toMatchObject({ code: 0 });
  expect(await as('admin', 'collections', 'create', 'finance', '--description', 'Money')).toMatchObject({ code: 0 });
  expect((await as('admin', 'collections', 'show', 'hr')).stdout).toMatch(/title: 人事[^]*"synonyms":\[\["leave","vacation"\]\]/);
  await until('the server has taken the keys', async () => (await as('fin-read', 'documents')).code === 0);
});

it('ingests a folder into the collection of the key, or the one that is named, with metadata', async () => {
  const year = (value: number): string => JSON.stringify({ year: value });
  expect((await as('hr-upload', 'ingest', join(dir.path, 'hr'), '--metadata', year(2026))).code).toBe(0);
  expect((await as('fin-upload', 'ingest', join(dir.path, 'finance'))).code).toBe(0);
  const again = ['--collection', 'finance', 'ingest', join(dir.path, 'finance'), '--prefix', 'copy/', '--metadata', year(2020)];
  expect((await as('admin', ...again)).code).toBe(0);
  expect((await as('hr-upload', '--collection', 'finance', 'ingest', join(dir.path, 'hr'))).stdout).toContain(
    'Collection not found',
  );

  expect(listed(await json('hr-read', 'documents'))).toEqual(['hr/rules.txt']);
  expect(listed(await json('admin', '--collection', 'finance', 'documents'))).toEqual([
    'copy/finance/rules.txt',
    'finance/rules.txt',
  ]);
  expect(await as('hr-read', 'documents', 'show', 'hr/rules.txt')).toMatchObject({
    stdout: expect.stringContaining('metadata: {"year":2026}') as string,
  });
  expect(await as('hr-read', 'ingest', join(dir.path, 'hr'), '--again')).toMatchObject({ code: 3 });
});

it('searches the collection of the key, a named one, several, or all that it may read; and by filter and relevance', async () => {
  expect(cited(await json('hr-read', 'search', 'vacation'))).toEqual(['hr/hr/rules.txt']);
  expect(cited(await json('hr-read', 'search', 'budget'))).toEqual([]);
  expect(await as('hr-read', '--collection', 'finance', 'search', 'budget')).toMatchObject({
    code: 1,
    stderr: 'Collection not found\n',
  });
  expect(cited(await json('admin', '--collection', 'hr', 'search', 'leave'))).toEqual(['hr/hr/rules.txt']);
  const both = await json<Hits>('admin', 'search', 'leave', 'budget', '--collections', 'hr,finance');
  expect([...new Set(cited(both))].toSorted()).toEqual([
    'finance/copy/finance/rules.txt',
    'finance/finance/rules.txt',
    'hr/hr/rules.txt',
  ]);
  expect((await as('admin', 'search', 'leave', '--collections', '*')).stdout).toContain('1. hr: rules.txt [hr/rules.txt]');
  const filter = '{"type": "eq", "key": "year", "value": 2020}';
  expect(cited(await json('fin-read', 'search', 'budget', '--filter', filter))).toEqual(['finance/copy/finance/rules.txt']);
  expect(cited(await json('fin-read', 'search', 'budget', 'of', 'albatrosses', '--min-relevance', '0.9'))).toEqual([]);
});

it('lists, changes and deletes documents by filter, and lists tasks, in the collection that is named', async () => {
  const changed = await as('hr-upload', 'documents', 'change', 'hr/rules.txt', '--metadata', '{"year": 2027}', '--title', 'Rules');
  expect(changed.stdout).toMatch(/title: Rules[^]*metadata: {"year":2027}/);
  const filter = '{"type": "gte", "key": "year", "value": 2020}';
  const in2020 = ['--collection', 'finance', 'documents', 'list', '--filter', filter, '--name', 'RULES', '--sort', '-file_size'];
  expect(listed(await json('admin', ...in2020))).toEqual(['copy/finance/rules.txt']);
  expect((await as('admin', '--collection', 'finance', 'tasks', '--name', 'copy')).stdout).toContain('copy/finance/rules.txt');
  expect((await json<{ tasks: object[] }>('hr-upload', 'tasks')).tasks).toHaveLength(1);
  expect((await as('admin', '--collection', 'finance', 'documents', 'content', 'finance/rules.txt')).stdout).toContain(
    '500 million',
  );

  expect((await as('admin', '--collection', 'finance', 'documents', 'delete', '--filter', filter)).code).toBe(0);
  expect(listed(await json('fin-read', 'documents'))).toEqual(['finance/rules.txt']);
  expect((await as('hr-upload', 'documents', 'delete', '--filter', '{"type": "eq"')).stderr).toContain('must be a JSON object');
});

it('watches a folder into the collection of the key, with metadata', async () => {
  const folder = join(dir.path, 'inbox');
  await mkdir(folder);
  await writeFile(join(folder, 'new.txt'), 'A new rule.');
  const env = { RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: keys.get('hr-upload')! };
  const watching = startCommand(['watch', folder, '--settle', '1', '--metadata', '{"from": "inbox"}'], env);
  const filter = '{"type": "eq", "key": "from", "value": "inbox"}';
  await until('it is there', async () => listed(await json('hr-read', 'documents', 'list', '--filter', filter)).length === 1);
  watching.process.kill('SIGTERM');

  expect((await watching.result).code).toBe(0);
});

it('revokes a key, which the server then refuses, and removes a collection whose name is said twice', async () => {
  expect((await runCommand(['key', 'revoke', 'fin-read'], { API_KEYS_FILE: keyFile })).code).toBe(0);
  await until('it is refused', async () => (await as('fin-read', 'documents')).code === 3);

  expect((await as('admin', 'collections', 'delete', 'finance', '--confirm', 'hr')).code).toBe(1);
  expect((await as('admin', 'collections', 'delete', 'finance', '--confirm', 'finance')).code).toBe(0);
  expect((await as('admin', 'collections')).stdout).not.toContain('finance');
});
