/**
 * POST /insert until the 202, beside two servers in processes of their own that take the very same requests: the limit (the
 * body straight into a file, fsynced) and the plain in-memory design (the whole body in memory, a dictionary of tasks, the work
 * on the event loop). The files are of no known format, so that our worker is done with each at once.
 */
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { makeDataDir, removeDir, startServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { cpuSeconds, peakBytes, percentile, round } from './process-figures.ts';
import { besideEachOther } from './record.ts';

const MiB = 1024 * 1024;
const sizes = [
  { name: '1 KB', bytes: 1024, count: 400 },
  { name: '1 MB', bytes: MiB, count: 192 },
  { name: '9 MB', bytes: 9 * MiB, count: 64 },
  { name: '100 MB', bytes: 100 * MiB - 4096, count: 16 },
];
const clients = [1, 8, 64];
/** As long as curl's. */
const boundary = '------------------------8c1f0a2b3d4e5f60718293';

type Target = { readonly name: string; readonly url: string; readonly pid: number; stop(): Promise<void> };
type Cell = { p50: number; p99: number; mbPerSecond: number; cpuPerGb: number; peakMb: number };

export const bench: Bench = {
  title: 'POST /insert to its answer, beside the limit and the in-memory design, in one run',
  async run(args) {
    const chosen = args.length === 0 ? sizes : sizes.filter(({ name }) => args.includes(name));
    const rows: Row[] = [];
    for (const size of chosen) {
      const payload = multipart(size.bytes);
      for (const concurrency of clients) {
        const cells: Record<string, Cell> = {};
        for (const start of [startOurs, startLimit, startInMemory]) {
          const target = await start();
          cells[target.name] = await measure(target, payload, concurrency, Math.max(size.count, concurrency));
          await target.stop();
        }
        rows.push(...rowsOf(size.name, concurrency, cells));
      }
    }
    return rows;
  },
  chart: (rows) =>
    besideEachOther(
      rows,
      { label: (row) => `${row['size']} × ${row['clients']}`, who: ['ours', 'in memory'], figure: 'MB/s ÷ limit' },
      {
        title: 'Uploads, by size and clients: part of the limit (the body straight into a file, flushed)',
        unit: 'MB/s ÷ limit',
        goal: 0.8,
      },
    ),
};

async function startOurs(): Promise<Target> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
  return {
    name: 'ours',
    url: `${server.url}/insert`,
    pid: server.process.pid!,
    async stop() {
      await server.stop();
      await removeDir(dataDir);
    },
  };
}

function startLimit(): Promise<Target> {
  return startPeer('limit');
}

function startInMemory(): Promise<Target> {
  return startPeer('in memory');
}

async function startPeer(name: 'limit' | 'in memory'): Promise<Target> {
  const dataDir = await makeDataDir();
  const child = fork(fileURLToPath(new URL('accept-peers.ts', import.meta.url)), [name, dataDir]);
  const url = await new Promise<string>((resolve) => child.once('message', (message) => resolve(message as string)));
  return {
    name,
    url,
    pid: child.pid!,
    async stop() {
      child.kill('SIGKILL');
      await removeDir(dataDir);
    },
  };
}

function multipart(bytes: number): { head: Buffer; file: Buffer; tail: Buffer } {
  return {
    head: Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="data.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
    file: randomBytes(bytes),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

async function measure(target: Target, payload: ReturnType<typeof multipart>, concurrency: number, count: number): Promise<Cell> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const times: number[] = [];
  const cpuBefore = cpuSeconds(target.pid);
  const start = performance.now();
  let next = 0;
  async function client(): Promise<void> {
    while (next < count) {
      const id = next++;
      const begun = performance.now();
      await send(`${target.url}?doc_id=doc-${id}`, payload, agent);
      times.push(performance.now() - begun);
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client));
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  const bytes = payload.file.length * count;
  return {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    mbPerSecond: bytes / 1e6 / seconds,
    cpuPerGb: (cpuSeconds(target.pid) - cpuBefore) / (bytes / 1e9),
    peakMb: peakBytes(target.pid) / 1e6,
  };
}

function send(url: string, { head, file, tail }: ReturnType<typeof multipart>, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': head.length + file.length + tail.length,
          prefer: 'respond-async',
        },
      },
      (response) => {
        response.resume();
        response.once('end', () =>
          response.statusCode === 202 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
        );
      },
    );
    sent.once('error', reject);
    sent.write(head);
    sent.write(file);
    sent.end(tail);
  });
}

function rowsOf(size: string, concurrency: number, cells: Record<string, Cell>): Row[] {
  const limit = cells['limit']!;
  return Object.entries(cells).map(([who, cell]) => ({
    size,
    clients: concurrency,
    who,
    'p50 ms': round(cell.p50),
    'p99 ms': round(cell.p99),
    'MB/s': round(cell.mbPerSecond),
    'MB/s ÷ limit': round(cell.mbPerSecond / limit.mbPerSecond),
    'CPU s/GB': round(cell.cpuPerGb),
    'CPU ÷ limit': round(cell.cpuPerGb / limit.cpuPerGb),
    'peak MB': Math.round(cell.peakMb),
  }));
}
