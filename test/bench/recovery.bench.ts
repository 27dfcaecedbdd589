/**
 * How soon is the service whole again? A killed worker process until `/ready` says yes, a killed `npm run worker` until
 * another process runs its tasks, and a large upload from its last byte to the 202; each beside the limit it is held to.
 */
import { request } from 'node:http';
import { makePdf } from '../support/pdf-writer.ts';
import { pageLines } from '../support/prose.ts';
import {
  getTask,
  insert,
  makeDataDir,
  removeDir,
  startProcess,
  startServer,
  type TestServer,
  type WireTask,
} from '../support/server.ts';
import { until } from '../support/until.ts';
import type { Bench, Row } from './bench.ts';
import { childrenOf } from './process-figures.ts';

const rounds = 5;
const MiB = 1024 * 1024;

export const bench: Bench = {
  title: `ms over ${rounds} rounds, beside the limit`,
  async run() {
    return [
      toRow('a killed worker process → /ready', 2000, await workerBack()),
      toRow('a killed `npm run worker` → its task runs elsewhere', 2000, await takenOver()),
      toRow('the last byte of a 12 MiB PDF → 202', 1000, await accepted()),
    ];
  },
};

/** The front end's own worker dies, and starts again. */
async function workerBack(): Promise<number[]> {
  return withDataDir(async (dataDir) => {
    const server = await startServer({ dataDir });
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const killedAt = performance.now();
      process.kill(childrenOf(server.process.pid!)[0]!, 'SIGKILL');
      await until('the front end has noticed', async () => (await ready(server)) === 503);
      await until('the worker is back', async () => (await ready(server)) === 200);
      times.push(performance.now() - killedAt);
    }
    await server.kill();
    return times;
  });
}

/** A worker with two running tasks dies while another has room for them; it takes one, since a second attempt runs alone. */
async function takenOver(): Promise<number[]> {
  return withDataDir(async (dataDir) => {
    const server = await startServer({
      dataDir,
      rigged: true,
      env: { MAX_CONCURRENT_TASKS: '1', PAGE_TIMEOUT_MS: '900000', PARSE_TIMEOUT_MS: '900000' },
    });
    await insert(
      server.url,
      'occupied',
      { name: 'wait-900000.txt', bytes: 'Keeps the front end’s own worker.' },
      { prefer: 'respond-async' },
    );
    await until('it runs', async () => (await processing(server)).length === 1);
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await takeOver(server, dataDir, round));
    await server.kill();
    return times;
  });
}

async function takeOver(server: TestServer, dataDir: string, round: number): Promise<number> {
  const options = { dataDir, rigged: true, args: ['worker'], env: { MAX_CONCURRENT_TASKS: '2' } };
  const first = await startProcess(options);
  const names = [0, 1].map((each) => `round-${round}-${each}`);
  const ids: string[] = [];
  for (const name of names) {
    const response = await insert(server.url, name, { name: 'wait-5000.txt', bytes: name }, { prefer: 'respond-async' });
    ids.push(((await response.json()) as WireTask).task_id);
  }
  await until('both run', async () => (await attempts(server, ids)).every((each) => each === 1));
  const second = await startProcess(options);
  const killedAt = performance.now();
  await first.kill();
  await until('one runs again', async () => (await attempts(server, ids)).some((each) => each === 2));
  const ms = performance.now() - killedAt;
  for (const id of ids) await fetch(`${server.url}/task/${id}?force=true`, { method: 'DELETE' });
  await second.kill();
  return ms;
}

/** How often each task was started. */
async function attempts(server: TestServer, ids: readonly string[]): Promise<number[]> {
  const tasks = await Promise.all(ids.map((id) => getTask(server.url, id)));
  return tasks.map((task) => (task.status === 'processing' ? task.attempts : 0));
}

async function processing(server: TestServer): Promise<unknown[]> {
  return ((await (await fetch(`${server.url}/tasks?status=processing`)).json()) as { tasks: unknown[] }).tasks;
}

async function accepted(): Promise<number[]> {
  const pages = Array.from({ length: 900 }, (_, page) => pageLines(page, 45));
  const pdf = makePdf({ pages, padToBytes: 12 * MiB });
  return withDataDir(async (dataDir) => {
    const server = await startServer({ dataDir });
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await upload(`${server.url}/insert?doc_id=large-${round}`, pdf));
    await server.kill();
    return times;
  });
}

/** From the last byte handed to the socket to the status line. */
async function upload(url: string, bytes: Buffer): Promise<number> {
  const head = Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="large.pdf"\r\n\r\n');
  const tail = Buffer.from('\r\n--b--\r\n');
  const length = head.length + bytes.length + tail.length;
  const sending = request(url, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b', 'content-length': length },
  });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    sending.once('error', reject).once('response', (response) => response.resume().once('end', () => resolve(response.statusCode)));
  });
  sending.write(head);
  await new Promise((resolve) => sending.write(bytes, resolve));
  const sentAt = performance.now();
  sending.end(tail);
  const status = await answered;
  if (status !== 202) throw new Error(`the upload was answered ${status}`);
  return performance.now() - sentAt;
}

async function ready(server: TestServer): Promise<number> {
  return (await fetch(`${server.url}/ready`)).status;
}

async function withDataDir<T>(work: (dataDir: string) => Promise<T>): Promise<T> {
  const dataDir = await makeDataDir();
  try {
    return await work(dataDir);
  } finally {
    await removeDir(dataDir);
  }
}

function toRow(what: string, limitMs: number, times: readonly number[]): Row {
  const sorted = times.map(Math.round).toSorted((a, b) => a - b);
  const worst = sorted.at(-1) as number;
  return {
    what,
    best: sorted[0] as number,
    median: sorted[sorted.length >> 1] as number,
    worst,
    limit: limitMs,
    'worst ÷ limit': Math.round((worst / limitMs) * 100) / 100,
  };
}
