/** The real server in a process of its own, on a free port and a folder of its own; and the client calls that tests share. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const mainModule = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const riggedModule = fileURLToPath(new URL('rigged-main.ts', import.meta.url));

/** What `npm start` sets. */
export const asStarted = {
  UV_THREADPOOL_SIZE: '16',
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '1048576',
  NODE_OPTIONS: '--max-semi-space-size=8',
};

export type TestServer = {
  readonly url: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** What it logged so far, one JSON line each. */
  readonly log: () => string;
  /** SIGTERM, then waits for the end; the folder stays. */
  stop(): Promise<number | null>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
};

export type ServerOptions = {
  readonly dataDir: string;
  /** The settings that choose the engine (`engines.ts`); without them everything is in `dataDir`. */
  readonly engineEnv?: Readonly<Record<string, string>>;
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  readonly execArgv?: readonly string[];
  /** Documents may misbehave on request: `rigged-ingest.ts`. */
  readonly rigged?: boolean;
  /** The program to run, where it is not this one. */
  readonly main?: string;
  /** A network namespace to run in (`ip netns`); needs root. */
  readonly namespace?: string;
};

/** A folder that `afterAll` can remove with `removeDir`. */
export async function makeDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'rag-intake-'));
}

export async function removeDir(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Starts `node src/main.ts` and returns when it has announced itself: a server listening, or a worker with its threads up. */
export async function startProcess(options: ServerOptions): Promise<TestServer> {
  const {
    dataDir,
    engineEnv = { DISK_RESERVE_BYTES: '0' },
    env = {},
    args = [],
    execArgv = [],
    rigged = false,
    main = rigged ? riggedModule : mainModule,
    namespace,
  } = options;
  const child = fork(main, [...args], {
    env: { ...asStarted, ...process.env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'info', ...engineEnv, ...env },
    ...(namespace === undefined
      ? { execArgv: [...execArgv] }
      : { execPath: 'ip', execArgv: ['netns', 'exec', namespace, process.execPath, ...execArgv] }),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  child.stdout?.on('data', (data: Buffer) => (log += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (log += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const announced = new Promise<string>((resolve) => child.once('message', (message) => resolve(message as string)));
  const url = await Promise.race([
    announced,
    ended.then((code) => {
      throw new Error(`the server ended with ${code} before it listened:\n${log}`);
    }),
  ]);
  return {
    url,
    dataDir,
    process: child,
    log: () => log,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A server whose worker is up. */
export async function startServer(options: ServerOptions): Promise<TestServer> {
  const server = await startProcess(options);
  await until('the server is ready', async () => (await fetch(`${server.url}/ready`)).status === 200);
  return server;
}

/** The task record as the wire has it, as far as tests look at it. */
export type WireTask = {
  task_id: string;
  doc_id: string;
  filename: string;
  file_size: number;
  status: 'pending' | 'processing' | 'completed' | 'failed';
  stage: string;
  progress: { percent: number; pages_done: number | null; pages_total: number | null };
  attempts: number;
  result: null | { message: string; filename: string; pages: number | null; chunks: number; unchanged: boolean };
  error: string | null;
  error_code: string | null;
  created_at: string;
  updated_at: string;
};

export type WireHit = {
  text: string;
  score: number;
  citation: {
    doc_id: string;
    filename: string;
    page: number | null;
    page_end: number | null;
    char_start: number;
    char_end: number;
    url: string;
  };
};

/** POST /insert as a browser or `requests` sends it. */
export async function insert(
  url: string,
  docId: string,
  file: { name: string; bytes: Uint8Array | string; type?: string },
  headers: Record<string, string> = {},
): Promise<Response> {
  const form = new FormData();
  form.append(
    'file',
    new Blob([file.bytes as string | Uint8Array<ArrayBuffer>], { type: file.type ?? 'application/octet-stream' }),
    file.name,
  );
  return fetch(`${url}/insert?doc_id=${encodeURIComponent(docId)}`, { method: 'POST', body: form, headers });
}

export async function getTask(url: string, taskId: string): Promise<WireTask> {
  return (await (await fetch(`${url}/task/${taskId}`)).json()) as WireTask;
}

/** Polls until the task has ended. */
export async function ended(url: string, taskId: string, deadlineMs = 60_000): Promise<WireTask> {
  let task = await getTask(url, taskId);
  await until(
    `task ${taskId} ends`,
    async () => {
      task = await getTask(url, taskId);
      return task.status === 'completed' || task.status === 'failed';
    },
    deadlineMs,
  );
  return task;
}

export async function search(url: string, query: string, more: Record<string, unknown> = {}): Promise<WireHit[]> {
  const response = await fetch(`${url}/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, ...more }),
  });
  if (response.status !== 200) throw new Error(`search answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { hits: WireHit[] }).hits;
}
