/** Every way in which a start can fail: one sentence that names the setting and the cause, 69 or 78, and no stack. */
import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../src/config.ts';
import { AppError, DocumentError, SettingError } from '../src/errors.ts';
import { requireDataDir, requireOpenFiles } from '../src/start-checks.ts';
import { explainStart } from '../src/start-error.ts';
import { freePort } from './support/free-port.ts';
import { tempDir } from './support/temp-dir.ts';

const install = 'npm install --no-save --save-prod --omit=dev';
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const cli = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

type Ended = { readonly code: number | null; readonly said: string };

/** Runs until it ends by itself; one that goes on is killed, and its code is null. */
function run(module: string, args: readonly string[], env: Record<string, string>, shell = ''): Promise<Ended> {
  const { DISK_RESERVE_BYTES: _, ...inherited } = process.env;
  const settings = { ...inherited, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'error', ...env };
  const command = [process.execPath, module, ...args];
  const child =
    shell === ''
      ? spawn(command[0]!, command.slice(1), {
          env: settings,
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 60_000,
          killSignal: 'SIGKILL',
        })
      : spawn('sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command], {
          env: settings,
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 60_000,
          killSignal: 'SIGKILL',
        });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

type Case = { readonly env: Record<string, string>; readonly code: 69 | 78; readonly said: RegExp; readonly shell?: string };

/** What a server and a worker meet alike. */
function casesIn(folder: string): Readonly<Record<string, Case>> {
  const dataDir = join(folder, 'data');
  return {
    'DATA_DIR is a file': {
      env: { DATA_DIR: join(folder, 'file') },
      code: 78,
      said: /^DATA_DIR: .*\/file: it is a file where a folder/,
    },
    'DATA_DIR below a file': { env: { DATA_DIR: join(folder, 'file', 'x') }, code: 78, said: /^DATA_DIR: .*\/file: it is/ },
    'DATA_DIR where none can be': { env: { DATA_DIR: '/proc/none' }, code: 78, said: /^DATA_DIR: \/proc\/none: it does not exist/ },
    'a part of it is a file': {
      env: { DATA_DIR: join(folder, 'part') },
      code: 69,
      said: /data directory cannot be used: .*\/queue /,
    },
    'an index that is none': {
      env: { DATA_DIR: join(folder, 'index') },
      code: 69,
      said: /^DATA_DIR: the index in .* cannot be opened \(/,
    },
    'no database': {
      env: { DATA_DIR: dataDir, DATABASE_URL: 'postgres://a:secret-word@127.0.0.1:1/x' },
      code: 69,
      said: /^DATABASE_URL: .*cannot be reached \(.*ECONNREFUSED/,
    },
    'no Redis': {
      env: { DATA_DIR: dataDir, QUEUE_URL: 'redis://:secret-word@127.0.0.1:1' },
      code: 69,
      said: /^QUEUE_URL: .*cannot be reached \(.*ECONNREFUSED/,
    },
    'a model that is not there': {
      env: { DATA_DIR: dataDir, EMBEDDER: 'onnx', EMBEDDER_MODEL_DIR: '/none' },
      code: 78,
      said: /model in EMBEDDER_MODEL_DIR cannot be loaded/,
    },
    'half a setting': { env: { DATA_DIR: dataDir, EMBEDDER: 'openai' }, code: 78, said: /^EMBEDDER=openai needs EMBEDDINGS_URL/ },
    'too few files': { env: { DATA_DIR: dataDir }, shell: 'ulimit -n 40', code: 78, said: /^ulimit -n: 40 files may be open/ },
  };
}

async function layOut(folder: string): Promise<void> {
  await writeFile(join(folder, 'file'), 'a file');
  await mkdir(join(folder, 'part'));
  await writeFile(join(folder, 'part', 'queue'), 'a file');
  await mkdir(join(folder, 'index', 'index', 'index.sqlite'), { recursive: true });
}

/** The sentence is the last line: a worker's own process may have logged before it. */
function expectSentence({ code, said }: Ended, expected: Pick<Case, 'code' | 'said'>, what: string): void {
  expect(`${code} ${said}`, what).toMatch(new RegExp(`^${expected.code} `));
  expect(said.trim().split('\n').length, `${what}: ${said}`).toBe(1);
  expect(said, what).toMatch(expected.said);
  expect(said, what).not.toMatch(/\bat .+:\d+:\d+|node_modules|secret-word/);
}

describe('a start that cannot succeed', () => {
  it.each(['all', 'worker'])(
    'says so in one sentence and ends (--role %s)',
    async (role) => {
      await using folder = await tempDir();
      await layOut(folder.path);
      const cases = Object.entries(casesIn(folder.path));

      for (let at = 0; at < cases.length; at += 4)
        await Promise.all(
          cases.slice(at, at + 4).map(async ([what, { env, shell, ...expected }]) => {
            expectSentence(
              await run(main, ['--role', role], env, shell),
              what === 'a model that is not there' ? { ...expected, code: modelCode(role) } : expected,
              what,
            );
          }),
        );
    },
    120_000,
  );

  it('names the address that cannot be listened on', async () => {
    await using folder = await tempDir();
    const port = await freePort();
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(port, '127.0.0.1', resolve));
    const withKey = { DATA_DIR: folder.path, API_KEYS: 'a-key-of-the-test-0123456789' };
    const cases: readonly (readonly [Record<string, string>, Pick<Case, 'code' | 'said'>])[] = [
      [
        { DATA_DIR: folder.path, PORT: String(port) },
        { code: 69, said: new RegExp(`^PORT: ${port} is in use on 127\\.0\\.0\\.1$`, 'm') },
      ],
      [
        { ...withKey, HOST: '192.0.2.77' },
        { code: 78, said: /^HOST: 192\.0\.2\.77 is not an address of this machine$/m },
      ],
      [
        { DATA_DIR: folder.path, API_KEYS_FILE: '/none/keys' },
        { code: 78, said: /^API_KEYS_FILE: \/none\/keys cannot be read$/m },
      ],
    ];

    const ended = await Promise.all(cases.map(([env]) => run(main, [], env)));
    ended.forEach((one, index) => expectSentence(one, cases[index]![1], JSON.stringify(cases[index]![0])));
    busy.close();
  });

  it('is told in the same words by the commands that open what is kept', async () => {
    await using folder = await tempDir();
    await layOut(folder.path);
    const data = ['--data-dir', join(folder.path, 'file')];
    const cases: readonly (readonly [string[], Record<string, string>, Pick<Case, 'code' | 'said'>])[] = [
      [['backup', join(folder.path, 'b'), ...data], {}, { code: 78, said: /^DATA_DIR: .*\/file is not a data directory/ }],
      [['reindex', ...data], {}, { code: 78, said: /^DATA_DIR: .*\/file is not a data directory/ }],
      [
        ['move', '--from', join(folder.path, 'file'), '--to', join(folder.path, 'new')],
        {},
        { code: 78, said: /is not a data directory/ },
      ],
      [
        ['migrate'],
        { DATABASE_URL: 'postgres://a:secret-word@127.0.0.1:1/x' },
        { code: 69, said: /^DATABASE_URL: .*ECONNREFUSED/ },
      ],
      [['migrate'], { PORT: 'eighty' }, { code: 78, said: /^PORT: expected/ }],
    ];

    const ended = await Promise.all(cases.map(([args, env]) => run(cli, args, env)));
    ended.forEach((one, index) => expectSentence(one, cases[index]![2], cases[index]![0].join(' ')));
    expect(await readdir(folder.path)).not.toContain('new');
  });
});

/** A front end loads the model in a thread, whose errors pass on only their sentence. */
function modelCode(role: string): 69 | 78 {
  return role === 'worker' ? 78 : 69;
}

describe('what the system refuses', () => {
  const places = { host: '0.0.0.0', port: 80, dataDir: '/var/lib/rag' };
  const system = (code: string, more: object = {}): Error =>
    Object.assign(new Error(`${code}: as libuv says it`), { code, ...more });
  const path = '/var/lib/rag/queue/active/x';

  it.each([
    [system('EADDRINUSE', { syscall: 'listen' }), 69, 'PORT: 80 is in use on 0.0.0.0'],
    [
      system('EACCES', { syscall: 'listen' }),
      78,
      'PORT: 80 needs a privilege that this user does not have; ports above 1023 need none',
    ],
    [system('EADDRNOTAVAIL', { syscall: 'listen' }), 78, 'HOST: 0.0.0.0 is not an address of this machine'],
    [system('ENOTFOUND', { syscall: 'getaddrinfo' }), 78, 'HOST: 0.0.0.0 is not a known host name'],
    [system('ESOMETHING', { syscall: 'listen' }), 78, 'HOST, PORT: cannot listen on 0.0.0.0:80 (ESOMETHING)'],
    [system('EACCES', { path }), 78, `DATA_DIR: ${path}: this user has no permission to use it`],
    [system('EPERM', { path: '/var' }), 78, 'DATA_DIR: /var: this user has no permission to use it'],
    [system('EROFS', { path }), 78, `DATA_DIR: ${path}: it is on a read-only file system`],
    [system('ENOSPC', { path }), 69, `DATA_DIR: ${path}: there is no space left`],
    [system('EDQUOT'), 69, 'DATA_DIR: /var/lib/rag: the disk quota is used up'],
    [system('EIO', { path }), 69, `DATA_DIR: ${path}: the disk reports an error`],
    [system('EMFILE', { path: '/x' }), 78, 'DATA_DIR: /var/lib/rag: too few files may be open at once (ulimit -n)'],
    [system('ENOENT', { path: '/etc/other' }), 78, '/etc/other: it does not exist and cannot be created'],
    [
      system('ERR_ACCESS_DENIED', { resource: '/var/lib' }),
      78,
      'DATA_DIR: /var/lib: it is outside the folders that this process may use',
    ],
    [
      Object.assign(new Error('database or disk is full'), { errcode: 13 }),
      69,
      'DATA_DIR: the index in /var/lib/rag cannot be used (database or disk is full)',
    ],
    [
      new AppError('unavailable', 'RAG service is not ready.', { cause: system('ENOSPC', { path }) }),
      69,
      `DATA_DIR: ${path}: there is no space left`,
    ],
    [
      new SettingError('FILES_URL: The store refuses.', { cause: new Error('it answered 403') }),
      78,
      'FILES_URL: The store refuses (it answered 403)',
    ],
    [new AppError('unavailable', 'RAG service is not ready.'), 69, 'The storage cannot be used: RAG service is not ready.'],
    [
      new AppError('unavailable', 'QUEUE_URL: Redis cannot be reached', { cause: new AggregateError([system('ECONNREFUSED')]) }),
      69,
      'QUEUE_URL: Redis cannot be reached (ECONNREFUSED: as libuv says it)',
    ],
    [
      new DocumentError('embedder_failed', 'The ONNX model in EMBEDDER_MODEL_DIR cannot be loaded'),
      78,
      'The ONNX model in EMBEDDER_MODEL_DIR cannot be loaded',
    ],
    [
      Object.assign(new Error("Cannot find package 'pg' imported from /x.ts"), { code: 'ERR_MODULE_NOT_FOUND' }),
      78,
      `DATABASE_URL: the package pg is not installed: ${install} pg pg-boss`,
    ],
    [
      new DocumentError('embedder_failed', 'The ONNX model in EMBEDDER_MODEL_DIR cannot be loaded', {
        cause: Object.assign(new Error("Cannot find package '@huggingface/transformers' imported from /x.ts"), {
          code: 'ERR_MODULE_NOT_FOUND',
        }),
      }),
      78,
      `EMBEDDER, RERANK_MODEL_DIR: the package @huggingface/transformers is not installed: ${install} @huggingface/transformers`,
    ],
    [
      Object.assign(new Error("Cannot find package '@huggingface/transformers' imported from /x.ts"), {
        code: 'ERR_MODULE_NOT_FOUND',
      }),
      78,
      `EMBEDDER, RERANK_MODEL_DIR: the package @huggingface/transformers is not installed: ${install} @huggingface/transformers`,
    ],
    [new ConfigError(['PORT: expected …']), 78, 'PORT: expected …'],
  ] as const)('%s', (error, exitCode, sentence) => {
    expect(explainStart(error, places)).toEqual({ sentences: [sentence], exitCode });
  });

  it('and what it does not is a bug', () => {
    expect(explainStart(new TypeError('x is not a function'), places)).toBeNull();
    expect(explainStart('text', places)).toBeNull();
  });

  it('the files that may be open are counted where the system says how many', () => {
    expect(requireOpenFiles('Max open files            1024                 524288               files')).toBe(1024);
    expect(requireOpenFiles('Max open files            unlimited            unlimited            files')).toBeNull();
    expect(requireOpenFiles('')).toBeNull();
    expect(() => requireOpenFiles('Max open files            255                  255                  files')).toThrow(
      ConfigError,
    );
  });

  it('a data directory is made with all that it lies in, by several at once', async () => {
    await using folder = await tempDir();
    const path = join(folder.path, 'a', 'b', 'c');

    requireDataDir(path);
    requireDataDir(path);
    expect(await readdir(join(folder.path, 'a', 'b'))).toEqual(['c']);
  });

  it('a data directory that holds nothing yet is closed to other users, one in use is left as it is', async () => {
    await using folder = await tempDir();
    const [empty, used] = [join(folder.path, 'empty'), join(folder.path, 'used')];
    await mkdir(empty);
    await mkdir(join(used, 'documents'), { recursive: true });
    await writeFile(join(empty, '.gitkeep'), '');
    await Promise.all([chmod(empty, 0o755), chmod(used, 0o755)]);

    requireDataDir(empty);
    requireDataDir(used);

    expect((await stat(empty)).mode & 0o777).toBe(0o750);
    expect((await stat(used)).mode & 0o777).toBe(0o755);
  });
});
