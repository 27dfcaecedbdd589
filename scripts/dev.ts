/**
 * `npm run dev [-- --seed]`: the server, started again whenever a source of it changes, and the page, built again whenever one of its
 * does (reload the browser). With `--seed` the project's own documents are uploaded, so that there is something to look at.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { loadConfig } from '../src/config.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const settleMs = 200;
const startupMs = 60_000;
const envFile = join(root, '.env');
if (existsSync(envFile)) process.loadEnvFile(envFile);
const server = restartable();

await build({
  configFile: join(root, 'vite.config.ts'),
  mode: 'development',
  logLevel: 'warn',
  build: { watch: {}, minify: false },
});
for (const folder of ['src', 'workers'])
  watch(join(root, folder), { recursive: true }, (_, name) => {
    if (name?.endsWith('.ts') === true && !(folder === 'src' && name.startsWith('web'))) server.restart();
  });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => server.end());
if (process.argv.includes('--seed')) await seed();

/** One server at a time: the next begins when the one before has stopped. */
function restartable(): { restart(): void; end(): void } {
  let child: ChildProcess | null = start();
  let timer: NodeJS.Timeout | undefined;
  let isEnding = false;
  return {
    restart() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        console.error('A source has changed: starting the server again.');
        if (child === null) child = start();
        else child.kill('SIGTERM');
      }, settleMs);
    },
    end() {
      isEnding = true;
      clearTimeout(timer);
      if (child === null) process.exit();
      child.kill('SIGTERM');
    },
  };

  function start(): ChildProcess {
    const started = spawn(process.execPath, ['src/main.ts'], { cwd: root, stdio: 'inherit' });
    started.once('exit', (code, signal) => {
      if (isEnding) process.exit();
      // 0 is what a SIGTERM ends in; after anything else the next change of a source starts it.
      child = code === 0 || signal !== null ? start() : null;
    });
    return started;
  }
}

async function seed(): Promise<void> {
  const { host, port, apiKeys } = loadConfig(process.env);
  if (apiKeys.length > 0) throw new Error('--seed uploads without a key: leave API_KEYS away, or use rag-intake ingest');
  const base = `http://${host}:${port}`;
  await ready(base);
  const names = [
    'README.md',
    'README.zh-CN.md',
    'ARCHITECTURE.md',
    ...(await readdir(join(root, 'docs'))).map((name) => `docs/${name}`),
  ];
  for (const name of names.filter((one) => one.endsWith('.md'))) {
    const query = new URLSearchParams({ filename: name.split('/').at(-1)! });
    await fetch(`${base}/documents/${encodeURIComponent(name)}?${query}`, {
      method: 'PUT',
      body: await readFile(join(root, name)),
    });
  }
  console.error(`Uploaded ${names.filter((one) => one.endsWith('.md')).length} documents: ${base}`);
}

async function ready(base: string): Promise<void> {
  const until = performance.now() + startupMs;
  while (performance.now() < until) {
    const isReady = await fetch(`${base}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  }
  throw new Error(`${base} did not become ready`);
}
