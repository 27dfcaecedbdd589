/**
 * A server under steady work for minutes: uploads that replace a few hundred documents, event streams, pollers, searches. Its
 * memory, descriptors and timers must not grow. `node test/crash/soak.ts [--seconds N] [--rate N]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { sentence } from '../support/prose.ts';
import { until } from '../support/until.ts';
import { childrenOf, openFilesAtRest, residentMb } from './clients.ts';
import { quantile, round, showFigures, slope } from './figures.ts';

const documents = 200;
const streams = 2;
const pollers = 3;
/** Files are opened at the first need; caches and heaps have their size after some thousand uploads, at any pace. */
const warmUpUploads = 6000;
const warmUpRate = 100;
const shortWarmUpUploads = 60;
/** Below this a slope says nothing: one collection of garbage is more than it could find. */
const secondsForSlope = 240;

type Body = {
  readonly name: string;
  readonly pid: number;
  readonly mb: { x: number; y: number }[];
  filesBefore: number;
  filesAfter: number;
};

export async function runSoak(options: { seconds: number; rate: number }): Promise<boolean> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'warn' } });
  try {
    return await soak(server, options);
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

async function soak(server: TestServer, { seconds, rate }: { seconds: number; rate: number }): Promise<boolean> {
  const pid = server.process.pid!;
  const bodies = [body('front end', pid), body('worker', childrenOf(pid)[0]!)];
  const judged = seconds >= secondsForSlope;
  const warmUp = judged ? warmUpUploads : shortWarmUpUploads;
  await upload(server, warmUp / warmUpRate, warmUpRate);
  await until(
    'the warm-up is done',
    async () => (await tasksOf(server, 'pending')) + (await tasksOf(server, 'processing')) === 0,
    600_000,
  );
  for (const each of bodies) each.filesBefore = await openFilesAtRest(each.pid);
  const done = new AbortController();
  const looks = Array.from({ length: pollers }, () => poll(server, done.signal));
  const followed = Array.from({ length: streams }, () => follow(`${server.url}/events`, done.signal));
  const sampling = sample(bodies, done.signal);
  const sent = await upload(server, seconds, rate);
  done.abort();
  await Promise.all([...followed, sampling]);
  const waits = (await Promise.all(looks)).flat();
  await until(
    'all tasks have ended',
    async () => (await tasksOf(server, 'pending')) + (await tasksOf(server, 'processing')) === 0,
    600_000,
  );
  const failed = await tasksOf(server, 'failed');
  for (const each of bodies) each.filesAfter = await openFilesAtRest(each.pid, each.filesBefore);

  return showFigures([
    { figure: 'seconds', value: seconds },
    { figure: 'uploads accepted', value: sent.accepted, least: rate * seconds * 0.9 },
    { figure: 'uploads refused', value: sent.refused, most: 0 },
    { figure: 'tasks failed', value: failed, most: 0 },
    { figure: 'looks and searches', value: waits.length },
    { figure: 'looks and searches, p99 ms', value: round(quantile(waits, 0.99)) },
    ...bodies.flatMap(({ name, mb, filesBefore, filesAfter }) => {
      const perMinute = round(slope(mb) * 60, 2);
      return [
        {
          figure: `${name}: memory after warming up, in the middle, at the end, MB`,
          value: [mb[0], mb[Math.floor(mb.length / 2)], mb.at(-1)].map((point) => round(point?.y ?? NaN)).join(', '),
        },
        { figure: `${name}: memory gained a minute, MB`, value: perMinute, ...(judged ? { most: 1 } : {}) },
        { figure: `${name}: descriptors gained`, value: filesAfter - filesBefore, most: 0 },
      ];
    }),
    { figure: 'warnings of leaking listeners', value: server.log().match(/MaxListenersExceeded/g)?.length ?? 0, most: 0 },
  ]);
}

function body(name: string, pid: number): Body {
  return { name, pid, mb: [], filesBefore: NaN, filesAfter: NaN };
}

async function sample(bodies: readonly Body[], signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  while (!signal.aborted) {
    for (const { pid, mb } of bodies) {
      mb.push({ x: (performance.now() - startedAt) / 1000, y: residentMb(pid) });
    }
    await sleep(1000, undefined, { signal }).catch(() => undefined);
  }
}

/** Keeps its pace by the clock: a slow answer is followed by more uploads at once. */
async function upload(server: TestServer, seconds: number, rate: number): Promise<{ accepted: number; refused: number }> {
  const tally = { accepted: 0, refused: 0 };
  const open = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let count = 0; count < seconds * rate; count += 1) {
    const dueMs = startedAt + (count / rate) * 1000 - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    const one = send(server, count).then((accepted) => void (accepted ? (tally.accepted += 1) : (tally.refused += 1)));
    open.add(one);
    void one.finally(() => open.delete(one));
    if (open.size >= 32) await Promise.race(open);
  }
  await Promise.all(open);
  return tally;
}

async function send(server: TestServer, count: number): Promise<boolean> {
  const text = Array.from({ length: 20 }, (_, line) => sentence(count * 31 + line)).join('\n');
  const file = { name: `报告 ${count}.txt`, bytes: text };
  const answer = await insert(server.url, `doc-${count % documents}`, file, { prefer: 'respond-async' });
  await answer.arrayBuffer();
  return answer.status === 202;
}

async function poll(server: TestServer, signal: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  const requests = [
    () => fetch(`${server.url}/tasks?limit=50`),
    () => fetch(`${server.url}/documents?limit=50`),
    () =>
      fetch(`${server.url}/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"grain prices"}',
      }),
  ];
  for (let count = 0; !signal.aborted; count += 1) {
    const before = performance.now();
    await (await requests[count % requests.length]!()).arrayBuffer();
    waits.push(performance.now() - before);
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
  return waits;
}

async function follow(url: string, signal: AbortSignal): Promise<void> {
  try {
    const answer = await fetch(url, { signal });
    for await (const chunk of answer.body!) void chunk;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function tasksOf(server: TestServer, status: string): Promise<number> {
  const { tasks } = (await (await fetch(`${server.url}/tasks?status=${status}&limit=1000`)).json()) as { tasks: WireTask[] };
  return tasks.length;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '300' }, rate: { type: 'string', default: '20' } },
  });
  process.exit((await runSoak({ seconds: Number(values.seconds), rate: Number(values.rate) })) ? 0 : 1);
}
