/** Does the front end answer while four documents keep every processor busy? Beside it: the same work done on the event loop. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Running, startServer } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logger.ts';
import { insert } from '../support/server.ts';
import { until } from '../support/until.ts';
import type { Bench, Row } from './bench.ts';
import { besideEachOther } from './record.ts';
import { startLoopPeer } from './loop-peer.ts';

const rigged = {
  main: fileURLToPath(new URL('../support/rigged-main.ts', import.meta.url)),
  ingest: fileURLToPath(new URL('../support/rigged-ingest.ts', import.meta.url)),
};
const seconds = 5;
const busyMs = 60_000;

type Figures = { p50: number; p99: number; max: number; count: number };

export const bench: Bench = {
  title: `latency in ms over ${seconds} s, idle and with four CPU-bound tasks`,
  async run() {
    const ours = await measureOurs();
    const peer = await measurePeer();
    return [
      ...ours,
      ...peer,
      ratio(
        'GET /task p99 busy, on the event loop ÷ ours',
        peer.at(-1)!,
        ours.find((row) => row['what'] === 'GET /task' && row['state'] === 'busy')!,
      ),
    ];
  },
  chart: (rows) =>
    besideEachOther(
      rows,
      { label: (row) => `${row['what']}, ${row['state']}`, who: ['ours', 'on the event loop'], figure: 'p99 ms' },
      { title: 'Latency while four documents are worked on', unit: 'p99 ms', logarithmic: true },
    ),
};

async function measureOurs(): Promise<Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'rag-intake-bench-'));
  const env = {
    ...process.env,
    PORT: '0',
    DATA_DIR: dataDir,
    MAX_CONCURRENT_TASKS: '4',
    DISK_RESERVE_BYTES: '0',
    LOG_LEVEL: 'error',
    STOP_TIMEOUT_MS: '0',
  };
  const server = await startServer(loadConfig(env), createLogger({ level: 'error' }), env, { modules: rigged });
  try {
    return await measureServer(server);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function measureServer(server: Running): Promise<Row[]> {
  const url = server.announcement;
  await until('the server is ready', async () => (await fetch(`${url}/ready`)).status === 200);
  const first = await insert(url, 'first', { name: 'first.txt', bytes: 'The first document.' });
  const { task_id: id } = (await first.json()) as { task_id: string };
  const rows = await measureRoutes(url, id, 'idle');
  for (let index = 0; index < 4; index += 1) {
    await insert(url, `busy-${index}`, { name: `busy-${busyMs}.txt`, bytes: `Busy ${index}.` }, { prefer: 'respond-async' });
  }
  await until('four tasks run', async () => {
    const { tasks } = (await (await fetch(`${url}/tasks?status=processing`)).json()) as { tasks: unknown[] };
    return tasks.length === 4;
  });
  return [...rows, ...(await measureRoutes(url, id, 'busy'))];
}

async function measureRoutes(url: string, id: string, state: string): Promise<Row[]> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const rows = [
    row('ours', 'GET /health', state, await hammer(`${url}/health`)),
    row('ours', 'GET /task', state, await hammer(`${url}/task/${id}`)),
  ];
  loop.disable();
  const ms = (ns: number): number => Math.round(ns / 1e4) / 100;
  return [
    ...rows,
    row('ours', 'event-loop delay', state, {
      p50: ms(loop.percentile(50)),
      p99: ms(loop.percentile(99)),
      max: ms(loop.max),
      count: loop.count,
    }),
  ];
}

async function measurePeer(): Promise<Row[]> {
  const peer = await startLoopPeer();
  const first = await fetch(`${peer.url}/insert?busy_ms=0`, { method: 'POST' });
  const { task_id: id } = (await first.json()) as { task_id: string };
  const idle = row('on the event loop', 'GET /task', 'idle', await hammer(`${peer.url}/task/${id}`));
  for (let index = 0; index < 4; index += 1) await fetch(`${peer.url}/insert?busy_ms=${busyMs}`, { method: 'POST' });
  const busy = row('on the event loop', 'GET /task', 'busy', await hammer(`${peer.url}/task/${id}`));
  await peer.close();
  return [idle, busy];
}

/** One request after the other from a process thread of its own, so that the client's cost does not fall on the server's loop. */
async function hammer(url: string): Promise<Figures> {
  const client = new Worker(new URL('loop-client.ts', import.meta.url), { workerData: { url, ms: seconds * 1000 } });
  const times = await new Promise<number[]>((resolve, reject) => {
    client.once('message', resolve);
    client.once('error', reject);
  });
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100;
  return { p50: at(0.5), p99: at(0.99), max: at(1), count: sorted.length };
}

function row(who: string, what: string, state: string, figures: Figures): Row {
  return { who, what, state, 'p50 ms': figures.p50, 'p99 ms': figures.p99, 'max ms': figures.max, n: figures.count };
}

function ratio(what: string, above: Row, below: Row): Row {
  return {
    who: 'ratio',
    what,
    state: 'busy',
    'p50 ms': '',
    'p99 ms': Math.round(Number(above['p99 ms']) / Number(below['p99 ms'])),
    'max ms': '',
    n: '',
  };
}
