/** The clients that others write their programs with, each against a real server: `rag-intake/client` and the Python file. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchAnswer, createClient, RagIntakeError } from '../../src/client/client.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const key = 'client-key-0123456789';
let server: TestServer;
let dataDir: string;

beforeAll(async () => {
  dataDir = await makeDataDir();
  server = await startServer({ dataDir, env: { API_KEYS: `client:admin:${key}` } });
});

afterAll(async () => {
  await server.stop();
  await removeDir(dataDir);
});

describe('rag-intake/client', () => {
  it('inserts, finds, lists, reads and removes a document', async () => {
    const client = createClient({ url: `${server.url}/`, key });
    const task = await client.insert('手册/pump 1', 'Vent the pump. 启动前排气。', { metadata: { department: 'plant' } });
    expect(task).toMatchObject({ status: 'completed', filename: 'pump 1.txt' });
    const { hits } = await client.search('排气', { top_k: 3 });
    expect(hits[0]?.citation).toMatchObject({ doc_id: '手册/pump 1', metadata: { department: 'plant' } });
    expect((await client.documents({ q: 'pump' })).documents).toHaveLength(1);
    expect(await client.content('手册/pump 1')).toContain('Vent the pump.');
    expect((await client.tasks({ status: 'completed' })).tasks.map(({ task_id: id }) => id)).toContain(task.task_id);
    await client.remove('手册/pump 1');
    await expect(client.document('手册/pump 1')).rejects.toMatchObject({ name: 'RagIntakeError', status: 404, code: 'not_found' });
  });

  it('follows what it did not wait for, and many at once, each answered in order', async () => {
    const client = createClient({ url: server.url, key });
    const { task_id: id } = await client.insert('later.txt', new TextEncoder().encode('Later.'), { wait: false });
    expect((await client.waitFor(id)).status).toBe('completed');
    const documents = Array.from({ length: 30 }, (_, n) => ({ doc_id: `many-${n}`, text: `Text ${n} 文本` }));
    const answers: BatchAnswer[] = [];
    for await (const answer of client.insertMany(documents)) answers.push(answer);
    expect(answers.map((answer) => answer.doc_id)).toEqual(documents.map((document) => document.doc_id));
    expect(answers.every((answer) => answer.error === undefined)).toBe(true);
  });

  it('says what the server says, and is as patient as it is told to be', async () => {
    await expect(createClient({ url: server.url, key: 'wrong' }).documents()).rejects.toThrow(/not valid/);
    let asked = 0;
    const busy = (): Promise<Response> => {
      asked += 1;
      const body = asked === 3 ? { status: 200 } : { status: 503, headers: { 'retry-after': '0' } };
      return Promise.resolve(new Response('{"documents":[],"next_cursor":null}', body));
    };
    expect((await createClient({ fetch: busy }).documents()).documents).toEqual([]);
    asked = 0;
    await expect(createClient({ fetch: busy, patienceSeconds: 0 }).documents()).rejects.toBeInstanceOf(RagIntakeError);
  });

  it('is what a program gets that installs the package, with types that know a wrong field', async () => {
    await using folder = await tempDir();
    const installed = join(folder.path, 'node_modules/rag-intake');
    await mkdir(installed, { recursive: true });
    await writeFile(join(installed, 'package.json'), await readFile(join(root, 'package.json')));
    const built = ['-p', 'src/client', '--outDir', join(installed, 'dist/client')];
    spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...built], { cwd: root, stdio: 'inherit' });
    await symlink(join(root, 'node_modules/zod'), join(folder.path, 'node_modules/zod'));
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
    const program = (field: string): string =>
      `import { createClient } from 'rag-intake/client';\nconst { hits } = await createClient({ url: process.argv[2]!, key: process.argv[3]! }).search('text', { top_k: 2 });\nconsole.log(hits.map((hit) => typeof hit.${field}));\n`;
    await writeFile(join(folder.path, 'right.ts'), program('relevance'));
    await writeFile(join(folder.path, 'wrong.ts'), program('relevanse'));
    const check = (name: string): string =>
      spawnSync(
        process.execPath,
        [
          join(root, 'node_modules/typescript/bin/tsc'),
          '--noEmit',
          '--strict',
          '--skipLibCheck',
          '--module',
          'nodenext',
          '--target',
          'es2024',
          '--lib',
          'es2024,dom',
          '--types',
          '*',
          '--typeRoots',
          join(root, 'node_modules/@types'),
          name,
        ],
        { cwd: folder.path, encoding: 'utf8' },
      ).stdout;
    expect(check('right.ts')).toBe('');
    expect(check('wrong.ts')).toContain("'relevanse' does not exist");
    const { stdout } = await promisify(execFile)(process.execPath, ['right.ts', server.url, key], { cwd: folder.path });
    expect(stdout).toContain('number');
  });
});

describe('the Python client', () => {
  it('passes its own tests, where Python is', async () => {
    if (spawnSync('python3', ['--version']).error !== undefined) return;
    const { stderr } = await promisify(execFile)('python3', ['-m', 'unittest', '-v'], {
      cwd: join(root, 'clients/python'),
      env: { ...process.env, RAG_INTAKE_URL: server.url, RAG_INTAKE_KEY: key, PYTHONDONTWRITEBYTECODE: '1' },
    });
    expect(stderr).toMatch(/Ran 5 tests[^]*\nOK/);
  });
});
