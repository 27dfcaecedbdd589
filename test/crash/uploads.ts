/**
 * Uploads that break off, crawl or fall silent, against a real server: nothing of them is left, they are told so in time, and
 * everybody else is answered meanwhile. `node test/crash/uploads.ts [--short] [--seed S]`
 */
import { parseArgs } from 'node:util';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { leftovers } from './aftermath.ts';
import { breakOff, dribble, halfClose, honestClient, openFilesAtRest, residentMb, uploadRequest } from './clients.ts';
import { quantile, round, showFigures } from './figures.ts';
import { type Random, randomFrom } from './random.ts';

export type UploadsSize = { readonly aborts: number; readonly dribblers: number; readonly halfOpen: number };

/** Of the server: `limits` in `http-settings.ts`. A header has this long, a body must bring 4096 bytes in each such window. */
const headersMs = 10_000;
const transferWindowMs = 20_000;
const graceMs = 5_000;

export async function runUploads(options: UploadsSize & { seed: number }): Promise<boolean> {
  const random = randomFrom(options.seed);
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'warn' } });
  try {
    return await tryClients(server, options, random);
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

async function tryClients(server: TestServer, size: UploadsSize, random: Random): Promise<boolean> {
  const port = Number(new URL(server.url).port);
  const pid = server.process.pid!;
  await warmUp(server, port, random);
  const [filesBefore, mbBefore, tasksBefore] = [await openFilesAtRest(pid), residentMb(pid), await taskCount(server)];

  const done = new AbortController();
  const honest = honestClient(server.url, done.signal);
  const body = uploadRequest('slow', 100_000);
  const head = body.indexOf('\r\n\r\n') + 4;
  const [headers, bodies] = await Promise.all([
    many(size.dribblers, () => dribble(port, body.subarray(0, 60), 1000)),
    many(size.dribblers, () => dribble(port, body.subarray(0, head + 200), 1000)),
    many(size.halfOpen, () => halfClose(port, body.subarray(0, random.whole(head, head + 5000)))),
    breakOffMany(port, size.aborts, random),
  ]);
  done.abort();
  const waits = await honest;
  const accepted = (await taskCount(server)) - tasksBefore - Math.floor(waits.length / 2);
  await until('all tasks have ended', async () => (await live(server)) === 0);
  await until('nothing is left over', () => leftovers(server.dataDir, 2).length === 0, 10_000).catch(() => undefined);
  const late = (all: readonly { answer: string }[]) => all.filter(({ answer }) => !answer.startsWith('HTTP/1.1 408')).length;
  // Beside other work a short run says nothing of times and of memory.
  const judged = size.aborts >= 200;
  return showFigures([
    { figure: 'uploads broken off at a random byte', value: size.aborts },
    { figure: 'of them accepted', value: accepted, most: 0 },
    { figure: 'slow headers, slow bodies, half-closed', value: `${size.dribblers}, ${size.dribblers}, ${size.halfOpen}` },
    { figure: 'dawdlers not told 408', value: late(headers) + late(bodies), most: 0 },
    { figure: 'slowest 408 for headers, s', value: slowest(headers), most: (headersMs + graceMs) / 1000 },
    { figure: 'slowest 408 for a body, s', value: slowest(bodies), most: (transferWindowMs + graceMs) / 1000 },
    { figure: 'files left over', value: leftovers(server.dataDir, 2).length, most: 0 },
    { figure: 'file descriptors gained', value: (await openFilesAtRest(pid, filesBefore)) - filesBefore, most: 0 },
    { figure: 'memory gained, MB', value: round(residentMb(pid) - mbBefore, 1), ...(judged ? { most: 20 } : {}) },
    { figure: 'honest requests meanwhile', value: waits.length },
    { figure: 'honest requests, p99 ms', value: round(quantile(waits, 0.99)), ...(judged ? { most: 250 } : {}) },
  ]);
}

/** Buffers, code and connections are there before anything is measured. */
async function warmUp(server: TestServer, port: number, random: Random): Promise<void> {
  const stop = new AbortController();
  const honest = honestClient(server.url, stop.signal);
  await breakOffMany(port, 100, random);
  stop.abort();
  await honest;
  await until('all tasks have ended', async () => (await live(server)) === 0);
}

async function breakOffMany(port: number, count: number, random: Random): Promise<void> {
  for (let left = count; left > 0; left -= 20) {
    await many(Math.min(20, left), () => {
      const request = uploadRequest('broken', random.whole(1, 300_000));
      return breakOff(port, request.subarray(0, random.whole(1, request.byteLength - 1)));
    });
  }
}

function many<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, work));
}

function slowest(all: readonly { ms: number }[]): number {
  return round(Math.max(...all.map(({ ms }) => ms)) / 1000, 1);
}

async function taskCount(server: TestServer): Promise<number> {
  const { tasks } = (await (await fetch(`${server.url}/tasks?limit=1000`)).json()) as { tasks: unknown[] };
  return tasks.length;
}

async function live(server: TestServer): Promise<number> {
  const lists = await Promise.all(
    ['pending', 'processing'].map(async (status) => (await fetch(`${server.url}/tasks?status=${status}`)).json()),
  );
  return (lists as { tasks: unknown[] }[]).reduce((sum, { tasks }) => sum + tasks.length, 0);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, seed: { type: 'string' } } });
  const size = values.short ? { aborts: 50, dribblers: 10, halfOpen: 5 } : { aborts: 200, dribblers: 50, halfOpen: 20 };
  process.exit((await runUploads({ ...size, seed: Number(values.seed ?? Date.now() % 1_000_000) })) ? 0 : 1);
}
