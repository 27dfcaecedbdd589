import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { insert, makeDataDir, removeDir, startProcess, startServer, type TestServer, type WireTask } from './support/server.ts';
import { until } from './support/until.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map(removeDir));
});

async function start(how = startServer, args: readonly string[] = []): Promise<TestServer> {
  const dataDir = await makeDataDir();
  folders.push(dataDir);
  return how({ dataDir, rigged: true, args });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function run(args: readonly string[], env: Record<string, string>): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  let out = '';
  let err = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

describe('a server process', () => {
  it('stops at SIGTERM with 0, and its worker with it', async () => {
    const server = await start();
    const [worker] = childrenOf(server.process.pid!);

    expect(await server.stop()).toBe(0);
    expect(existsSync(`/proc/${worker}`)).toBe(false);
  });

  it('does not wait for a document that runs when it is told a second time', async () => {
    const server = await start();
    const response = await insert(server.url, 'hang', { name: 'hang.txt', bytes: 'for ever' }, { prefer: 'respond-async' });
    const { task_id: id } = (await response.json()) as WireTask;
    await until(
      'it runs',
      async () => ((await (await fetch(`${server.url}/task/${id}`)).json()) as WireTask).status === 'processing',
    );
    const ended = server.stop();
    await until('it is stopping', () => server.log().includes('"stopping"'));

    await server.stop();
    expect(await ended).toBe(1);
  });

  it('leaves no worker behind when it is killed, not even one that is only starting', async () => {
    const server = await start(startProcess);
    await until('the worker process is there', () => childrenOf(server.process.pid!).length === 1);
    const [worker] = childrenOf(server.process.pid!);
    await server.kill();

    await until('the worker is gone', () => !existsSync(`/proc/${worker}`));
  });
});

describe('a worker that is started by hand', () => {
  it('works in a confined process of its own, which is started again when it dies and stops with it', async () => {
    const dataDir = await makeDataDir();
    folders.push(dataDir);
    const parent = spawn(process.execPath, [main, 'worker'], { env: { ...process.env, DATA_DIR: dataDir }, stdio: 'ignore' });
    const ended = new Promise((resolve) => parent.once('exit', resolve));
    const workers = (): number[] => childrenOf(parent.pid!);
    await until('its process is there', () => workers().length === 1);
    const [first] = workers();
    await until('it is node', () => readFileSync(`/proc/${first}/cmdline`, 'utf8').includes('--permission'));

    process.kill(first!, 'SIGKILL');
    await until('another is there', () => workers().length === 1 && workers()[0] !== first);
    const [second] = workers();
    parent.kill('SIGTERM');

    expect(await ended).toBe(0);
    await until('it has stopped too', () => !existsSync(`/proc/${second}`));
  });
});

describe('the command', () => {
  it('prints the settings in force with --check-config, and listens nowhere', async () => {
    const { code, out } = await run(['--check-config'], { PORT: '1234' });

    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ PORT: 1234, HOST: '127.0.0.1' });
  });

  it('names languages of OCR that nobody here has with --check-config, beside those that are there', async () => {
    const { code, out, err } = await run(['--check-config'], { OCR_LANGUAGES: 'eng+klingon' });

    expect({ code, languages: JSON.parse(out).OCR_LANGUAGES }).toEqual({ code: 0, languages: 'eng+klingon' });
    expect(err).toMatch(/^OCR_LANGUAGES: klingon is not installed here; those that are: .*eng/);
    expect((await run(['--check-config'], { OCR_LANGUAGES: 'klingon', OCR_PAGES: 'off' })).err).toBe('');
  });

  it.each([
    [{ HOST: '0.0.0.0' }, 'HOST: 0.0.0.0 can be reached from other machines, and no API key is set'],
    [{ API_KEYS_FILE: '/nonexistent/keys' }, 'API_KEYS_FILE: '],
    [{ EMBEDDER: 'onnx', EMBEDDER_MODEL_DIR: '/nonexistent' }, 'EMBEDDER_MODEL_DIR: /nonexistent/config.json does not exist'],
    [{ RERANK_MODEL_DIR: '/nonexistent' }, 'RERANK_MODEL_DIR: /nonexistent/config.json does not exist'],
    [{ EMBEDDER: 'openai' }, 'EMBEDDER=openai needs EMBEDDINGS_URL'],
    [
      { OCR_LANGUAGES: 'eng,chi_sim' },
      'OCR_LANGUAGES: expected languages joined by +, such as eng+chi_sim, or off, got "eng,chi_sim"',
    ],
    [{ OCR_LANGUAGES: 'eng + chi_sim' }, 'OCR_LANGUAGES: expected languages joined by +'],
  ])('--check-config refuses what a start would refuse: %o', async (env, sentence) => {
    const { code, err, out } = await run(['--check-config'], env);

    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain(sentence);
  });

  it('says with --check-config what is written almost as a setting is, and prints the settings all the same', async () => {
    const { code, err, out } = await run(['--check-config'], { OCR_PAGE: 'all', MAX_FILE_SIZE: '1', PORT: '1234' });

    expect({ code, err }).toEqual({ code: 0, err: 'OCR_PAGE is no setting; did you mean OCR_PAGES?\n' });
    expect(JSON.parse(out)).toMatchObject({ PORT: 1234 });
  });

  it('ends with 78 and names every problem when the settings are wrong', async () => {
    const { code, err } = await run([], { PORT: 'eighty', QUEUE_MAX: '0' });

    expect(code).toBe(78);
    expect(err.trim().split('\n')).toEqual([
      expect.stringContaining('PORT: expected'),
      expect.stringContaining('QUEUE_MAX: expected'),
    ]);
  });

  it('ends with 78 and names the roles when it is asked to be something else', async () => {
    const { code, err } = await run(['--role', 'both'], {});

    expect({ code, err }).toEqual({ code: 78, err: '--role: expected one of all, api, worker; got "both"\n' });
  });
});
