import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { printable, table } from '../../src/cli/terminal-text.ts';
import { findApiKey, parseApiKeys } from '../../src/http/access/api-keys.ts';
import { runCommand } from '../support/command.ts';
import { insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';

vi.setConfig({ testTimeout: 120_000 });

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rag-intake-commands-'));
  server = await startServer({ dataDir: await makeDataDir(), rigged: true });
});

afterAll(async () => {
  await server.stop();
  await removeDir(server.dataDir);
  await rm(folder, { recursive: true });
});

describe('the command', () => {
  it('searches, shows what matched with its citation, and prints documents', async () => {
    await insert(server.url, '手册', { name: '手册.md', bytes: '# 水泵\n\n启动前必须排气。Vent before the start.' });

    const found = await run('search', '启动前排气');
    const content = await run('documents', 'content', '手册');
    const shown = await run('documents', 'show', '手册');
    const listed = JSON.parse((await run('--json', 'documents')).stdout) as { documents: { doc_id: string }[] };

    expect(found.stdout).toContain('1. 手册.md [手册] › 水泵');
    expect(found.stdout).toContain('启动前必须排气');
    expect(content.stdout).toContain('# 水泵');
    expect(shown.stdout).toContain('filename: 手册.md');
    expect(listed.documents.map(({ doc_id }) => doc_id)).toContain('手册');
  });

  it('follows, cancels and retries tasks', async () => {
    const reply = await insert(server.url, 'slow', { name: 'wait-60000.txt', bytes: 'slow' }, { prefer: 'respond-async' });
    const { task_id } = (await reply.json()) as WireTask;

    const cancelled = await run('cancel', task_id, '--force');
    const task = await run('task', task_id, '--wait');
    const listed = await run('tasks', '--status', 'failed');
    const retried = await run('retry', task_id);
    await run('cancel', task_id, '--force');
    const late = await run('cancel', task_id);

    expect(cancelled.stdout).toBe(`Task cancelled: ${task_id}\n`);
    expect(task.stdout).toContain('error: Task cancelled by user');
    expect(listed.stdout).toContain(task_id);
    expect(retried.stdout).toBe(`Waiting again: ${task_id}\n`);
    expect(late).toMatchObject({ code: 1, stdout: '', stderr: 'Cannot cancel task in failed status\n' });
  });

  it('says in one sentence, or in JSON, what the server did not do', async () => {
    expect(await run('task', 'nonsense')).toMatchObject({ code: 1, stderr: 'Task not found\n' });
    expect(await run('--json', 'task', 'nonsense')).toMatchObject({ code: 1, stdout: '{"error":"Task not found"}\n' });
    expect(await run('documents', 'delete', 'nowhere')).toMatchObject({ code: 1, stderr: 'Document not found\n' });
  });

  it('refuses a collection where it would be passed over', async () => {
    const refused = await Promise.all(
      [['doctor'], ['webhooks', 'list'], ['key', 'list'], ['collections'], ['backup', '/nowhere']].map((words) =>
        run('--collection', 'hr', ...words),
      ),
    );

    expect(refused.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2]);
    expect(refused[1]!.stderr).toContain('--collection has no effect on `webhooks`; remove it.');
  });

  it('makes keys that the server knows by their digest alone', async () => {
    const { stdout } = await run('--json', 'key', 'create', 'laptop', '--scope', 'read');
    const { key, line } = JSON.parse(stdout) as { key: string; line: string };

    expect(line).not.toContain(key);
    expect(findApiKey(parseApiKeys(line), key)).toMatchObject({ name: 'laptop', scope: 'read' });
    expect(await run('key', 'create', 'a b')).toMatchObject({ code: 2 });
  });

  it('reads one file without a server', async () => {
    await writeFile(join(folder, 'a.html'), '<h1>标题</h1><p>Text</p>');

    const parsed = await run('parse', join(folder, 'a.html'));

    expect(parsed).toMatchObject({ code: 0, stdout: '# 标题\n\nText\n' });
    expect(await run('parse', join(folder, 'missing.pdf'))).toMatchObject({ code: 1 });
  });

  it('gives all documents new vectors on request', async () => {
    expect(await run('reindex', '--data-dir', server.dataDir)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^All documents \(1, in 1 chunk\)/) as string,
    });
  });
});

describe('doctor', () => {
  it('finds nothing wrong with a good place', async () => {
    const { code, stdout } = await run('--json', 'doctor');
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] };

    expect({ code, problems: checks.filter(({ state }) => state === 'problem') }).toEqual({ code: 0, problems: [] });
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'settings', 'keys', 'permissions', 'file system', 'fsync', 'disk', 'port', 'ocr', 'page']),
    );
  });

  it.each([
    [{ HOST: '0.0.0.0' }, /HOST/],
    [{ PORT: 'eighty' }, /PORT: expected a whole number/],
    [{ DISK_RESERVE_BYTES: String(2 ** 52) }, /uploads are refused \(507\). Free some space/],
    [{ HOST: '203.0.113.9', API_KEYS: 'a:read:0123456789abcdef' }, /not an address of this machine/],
  ])('says what to do about %j, and ends with 1', async (env, sentence) => {
    const { code, stdout } = await runCommand(['doctor'], {
      DATA_DIR: folder,
      PORT: '0',
      ...env,
      ...('HOST' in env && 'API_KEYS' in env ? { PORT: '18999' } : {}),
    });

    expect(code).toBe(1);
    expect(stdout).toMatch(sentence);
  });

  it.each([
    [{ OCR_LANGUAGES: 'eng+klingon' }, /ocr +warning +OCR_LANGUAGES: klingon is not installed here; those that are: .*\beng\b/],
    [{ OCR_LANGUAGES: 'eng' }, /ocr +ok +OCR reads eng\./],
    [{ OCR_LANGUAGES: 'off' }, /ocr +ok +OCR is off \(OCR_LANGUAGES=off\)/],
    [{ OCR_PAGES: 'off' }, /ocr +ok +OCR is off \(OCR_PAGES=off\)/],
  ])('says what %j does to scans', async (env, sentence) => {
    const { stdout } = await runCommand(['doctor'], { DATA_DIR: folder, DISK_RESERVE_BYTES: '0', PORT: '0', ...env });

    expect(stdout).toMatch(sentence);
  });

  it('tells a taken port from its own server', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const taken = await runCommand(['doctor'], { DATA_DIR: folder, PORT: String((other.address() as AddressInfo).port) });
    const own = await runCommand(['doctor'], { DATA_DIR: folder, DISK_RESERVE_BYTES: '0', PORT: new URL(server.url).port });
    other.close();

    expect(taken.stdout).toMatch(/is in use by another program/);
    expect(own.stdout).toMatch(/A server answers on 127.0.0.1 port \d+ and is ready/);
  });
});

describe('text for the terminal', () => {
  it('lines up wide characters', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['中文', 1],
          ['ab', null],
        ],
      ),
    ).toBe('A     B\n中文  1\nab    -');
  });

  it('lets no stranger steer the terminal', () => {
    expect(printable('a\u001B[31mred\u001B[0m\r\nb\u0007\u202Etxt.exe\u2028')).toBe('ared b txt.exe ');
  });
});

function run(...args: string[]) {
  return runCommand(['--url', server.url, ...args], { DATA_DIR: folder, PORT: '0' });
}
