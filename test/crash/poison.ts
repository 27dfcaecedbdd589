/**
 * Documents that take their thread, their process or all memory with them, among honest ones: the front end stays, each
 * uses up its own attempts only, and everything else completes. `node test/crash/poison.ts`
 */
import { ended, insert, makeDataDir, removeDir, startServer, type TestServer, type WireTask } from '../support/server.ts';
import { until } from '../support/until.ts';
import { leftovers } from './aftermath.ts';
import { childrenOf, residentMb } from './clients.ts';
import { quantile, round, showFigures } from './figures.ts';

/** By name (`rigged-ingest.ts`), and the code with which each must end. */
const poisons = {
  'abort.txt': 'worker_crashed',
  'exit.txt': 'worker_crashed',
  'throw.txt': 'internal',
  'heap.txt': 'out_of_memory',
  'buffers.txt': 'out_of_memory',
  'hang.txt': 'timeout',
} as const;
const attemptsMax = 3;
const honestEach = 3;
/** A bomb needs 1 s of a processor to fill the memory and is tried three times; beside six busy loops one took 45 s. */
const deadlineMs = 600_000;
/** Seen: 1 to 10, some 150 ms after the last bomb; 1,100 where malloc kept what was freed. */
const keptMbMax = 128;

export async function runPoison(): Promise<boolean> {
  const dataDir = await makeDataDir();
  const env = {
    MAX_CONCURRENT_TASKS: '2',
    THREAD_MEMORY_MB: '128',
    PAGE_TIMEOUT_MS: '2000',
    RETRY_DELAY_MS: '1',
    LOG_LEVEL: 'warn',
  };
  const server = await startServer({ dataDir, rigged: true, env });
  try {
    return await poisonServer(server);
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

async function poisonServer(server: TestServer): Promise<boolean> {
  const pid = server.process.pid!;
  const mbBefore = residentMb(pid);
  const workerMbBefore = residentMb(childrenOf(pid)[0]!);
  const bad = new Map<string, string>();
  const honest: string[] = [];
  for (const name of Object.keys(poisons)) {
    bad.set(name, await accept(server, name));
    // An innocent one, still at work when its neighbour has filled the memory.
    honest.push(await accept(server, 'wait-1500.txt'));
    for (let count = 0; count < honestEach; count += 1) honest.push(await accept(server, `wait-${20 + honest.length}.txt`));
  }
  const watching = new AbortController();
  const health = watchHealth(server, watching.signal);
  const ends = await Promise.all([...bad].map(async ([name, id]) => ({ name, task: await ended(server.url, id, deadlineMs) })));
  const others = await Promise.all(honest.map((id) => ended(server.url, id, deadlineMs)));
  await until('the worker is back', async () => (await fetch(`${server.url}/ready`)).status === 200);
  await until('nothing is left over', () => leftovers(server.dataDir, 2).length === 0, 10_000).catch(() => undefined);
  watching.abort();
  const waits = await health;
  console.table(ends.map(({ name, task }) => ({ document: name, ends: task.error_code, attempts: task.attempts })));
  for (const { filename, attempts, error_code: code, error } of others.filter(({ status }) => status !== 'completed'))
    console.log(`  ${filename}: ${code} after ${attempts} attempts: ${error}`);
  const unexpected = ends.filter(({ name, task }) => task.error_code !== poisons[name as keyof typeof poisons]);
  return showFigures([
    { figure: 'poisonous documents', value: ends.length },
    { figure: 'of them with another end than theirs', value: unexpected.length, most: 0 },
    { figure: 'most attempts of one', value: Math.max(...ends.map(({ task }) => task.attempts)), most: attemptsMax },
    { figure: 'honest documents beside them', value: others.length },
    { figure: 'of them not completed', value: others.filter(({ status }) => status !== 'completed').length, most: 0 },
    { figure: 'most attempts of an honest one', value: Math.max(...others.map(({ attempts }) => attempts)), most: 2 },
    { figure: 'front ends lost', value: server.process.exitCode === null ? 0 : 1, most: 0 },
    { figure: 'processes of the server', value: 1 + childrenOf(pid).length, most: 2 },
    { figure: '/health while it went on, failed', value: waits.filter(Number.isNaN).length, most: 0 },
    { figure: '/health, p99 ms', value: round(quantile(waits, 0.99)) },
    { figure: 'memory the front end gained, MB', value: round(residentMb(pid) - mbBefore) },
    {
      figure: 'memory that the worker kept after three bombs more, MB',
      value: await keptAfterBombs(server, workerMbBefore),
      most: keptMbMax,
    },
    { figure: 'files left over', value: leftovers(server.dataDir, 2).length, most: 0 },
  ]);
}

/** What a bomb took must be given back to the system: it would count against the documents after it. */
async function keptAfterBombs(server: TestServer, before: number): Promise<number> {
  const workerMb = (): number => residentMb(childrenOf(server.process.pid!)[0]!);
  for (let bomb = 0; bomb < 3; bomb += 1) {
    const names = ['buffers.txt', ...Array.from({ length: honestEach }, () => 'wait-20.txt')];
    const ids = await Promise.all(names.map((name) => accept(server, name)));
    await Promise.all(ids.map((id) => ended(server.url, id, deadlineMs)));
  }
  // The last bomb's thread is still giving back when its task has ended.
  await until('it is given back', () => workerMb() - before <= keptMbMax, 10_000).catch(() => undefined);
  return round(workerMb() - before);
}

async function accept(server: TestServer, name: string): Promise<string> {
  const docId = `${name} ${performance.now()}`;
  const answer = await insert(server.url, docId, { name, bytes: `The text of ${docId}.` }, { prefer: 'respond-async' });
  return ((await answer.json()) as WireTask).task_id;
}

/** How long each look took, in ms; NaN for one that failed. */
async function watchHealth(server: TestServer, signal: AbortSignal): Promise<number[]> {
  const waits: number[] = [];
  while (!signal.aborted) {
    const before = performance.now();
    const ok = await fetch(`${server.url}/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
    waits.push(ok ? performance.now() - before : NaN);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return waits;
}

if (import.meta.main) process.exit((await runPoison()) ? 0 : 1);
