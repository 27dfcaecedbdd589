/**
 * A forced cancel in every stage, of documents that would never end, from the server that runs them and from another one on the
 * same data; and at random moments of an honest document. `node test/crash/cancels.ts [--rounds N] [--seed S]`
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ended,
  getTask,
  insert,
  makeDataDir,
  removeDir,
  search,
  startServer,
  type TestServer,
  type WireTask,
} from '../support/server.ts';
import { marker } from '../support/prose.ts';
import { until } from '../support/until.ts';
import { leftovers } from './aftermath.ts';
import { quantile, round, showFigures } from './figures.ts';
import { randomFrom } from './random.ts';

/** What the documents are called (`rigged-ingest.ts`), and the stage in which they stay; null: they never say one. */
const endless = {
  'hang-parsing.txt': 'parsing',
  'redos.txt': null,
  'hang-chunking.txt': 'chunking',
  'hang-embedding.txt': 'embedding',
} as const;

type Tally = { cancelMs: number[]; crossMs: number[]; nextMs: number[]; found: number; kept: number; wrong: string[] };

/** `judged`: times decide, too. */
export async function runCancels(options: { rounds: number; seed: number; judged?: boolean }): Promise<boolean> {
  const within = (most: number): { most?: number } => (options.judged === false ? {} : { most });
  const dataDir = await makeDataDir();
  const env = { MAX_CONCURRENT_TASKS: '1', LOG_LEVEL: 'warn' };
  const server = await startServer({ dataDir, rigged: true, env });
  const tally: Tally = { cancelMs: [], crossMs: [], nextMs: [], found: 0, kept: 0, wrong: [] };
  try {
    await warmUp(server);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const name of Object.keys(endless) as (keyof typeof endless)[]) await cancelEndless(server, server, name, tally);
      await cancelPending(server, tally);
    }
    // Whichever worker takes a task, it is another process than the one that is asked to cancel it.
    const other = await startServer({ dataDir, rigged: true, env });
    try {
      for (let round = 0; round < options.rounds; round += 1) {
        for (const name of Object.keys(endless) as (keyof typeof endless)[]) await cancelEndless(server, other, name, tally);
      }
    } finally {
      await other.stop();
    }
    await cancelAtRandom(server, options.rounds * 10, options.seed, tally);
    await until('nothing is left over', () => leftovers(dataDir, 2).length === 0, 10_000).catch(() => undefined);
    tally.wrong.push(...leftovers(dataDir, 2));
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
  for (const sentence of tally.wrong.slice(0, 20)) console.log(`  ${sentence}`);
  return showFigures([
    { figure: 'cancelled in a stage, or waiting', value: tally.cancelMs.length },
    { figure: 'slowest answer, ms', value: round(Math.max(...tally.cancelMs)), ...within(1000) },
    { figure: 'median answer, ms', value: round(quantile(tally.cancelMs, 0.5)), ...within(250) },
    { figure: 'cancelled from another server', value: tally.crossMs.length },
    { figure: 'slowest answer of that, ms', value: round(Math.max(...tally.crossMs)), ...within(1000) },
    { figure: 'next document searchable after the answer, p50 ms', value: round(quantile(tally.nextMs, 0.5)), ...within(500) },
    { figure: 'next document searchable after the answer, slowest ms', value: round(Math.max(...tally.nextMs)) },
    { figure: 'cancelled at a random moment', value: tally.found + tally.kept },
    { figure: 'of them too late: completed, and found', value: tally.kept },
    { figure: 'wrong: found though cancelled, wrong status, files left', value: tally.wrong.length, most: 0 },
  ]);
}

async function warmUp(server: TestServer): Promise<void> {
  for (let count = 0; count < 5; count += 1) await ended(server.url, await accept(server, 'warm.txt', `warm-${count}`));
}

let words = 1000;

/** Returns the id; the document says a word of its own. */
async function accept(server: TestServer, name: string, docId: string, text = 'text'): Promise<string> {
  const answer = await insert(server.url, docId, { name, bytes: `The contract says ${text}.` }, { prefer: 'respond-async' });
  if (answer.status !== 202) throw new Error(`an upload was answered ${answer.status}`);
  return ((await answer.json()) as WireTask).task_id;
}

async function cancel(server: TestServer, id: string): Promise<{ status: number; ms: number }> {
  const before = performance.now();
  const { status } = await fetch(`${server.url}/task/${id}?force=true`, { method: 'DELETE' });
  return { status, ms: performance.now() - before };
}

/** It is uploaded at one server and cancelled at `at`, which may be another. */
async function cancelEndless(server: TestServer, at: TestServer, name: keyof typeof endless, tally: Tally): Promise<void> {
  const word = marker((words += 1));
  const id = await accept(server, name, `endless-${words}`, word);
  await until(`${name} is in its stage`, async () => {
    const task = await getTask(server.url, id);
    return task.status === 'processing' && [null, task.stage].includes(endless[name]);
  });
  const { status, ms } = await cancel(at, id);
  (at === server ? tally.cancelMs : tally.crossMs).push(ms);
  const before = performance.now();
  const next = await insert(server.url, `next-${words}`, { name: 'next.txt', bytes: `after ${word}` });
  tally.nextMs.push(performance.now() - before);
  if (status !== 200) tally.wrong.push(`${name}: the cancel was answered ${status}`);
  if (next.status !== 200) tally.wrong.push(`${name}: the next document was answered ${next.status}`);
  await judgeCancelled(server, id, word, `next-${words}`, tally);
}

async function cancelPending(server: TestServer, tally: Tally): Promise<void> {
  const running = await accept(server, 'hang-parsing.txt', 'first');
  const word = marker((words += 1));
  const id = await accept(server, 'a.txt', 'waiting', word);
  const { status, ms } = await cancel(server, id);
  tally.cancelMs.push(ms);
  if (status !== 200) tally.wrong.push(`waiting: the cancel was answered ${status}`);
  await judgeCancelled(server, id, word, null, tally);
  await cancel(server, running);
}

/** An honest document may be ahead of its cancel; then it is completed and found, never one of both. */
async function cancelAtRandom(server: TestServer, times: number, seed: number, tally: Tally): Promise<void> {
  const random = randomFrom(seed);
  for (let count = 0; count < times; count += 1) {
    const word = marker((words += 1));
    const id = await accept(server, 'wait-20.txt', `honest-${count}`, word);
    await sleep(random.whole(0, 60));
    const { status } = await cancel(server, id);
    if (status === 200) {
      tally.found += 1;
      await judgeCancelled(server, id, word, null, tally);
      continue;
    }
    const { status: end } = await ended(server.url, id);
    const hits = await search(server.url, word, { mode: 'keyword' });
    tally.kept += 1;
    if (status !== 400 && status !== 409) tally.wrong.push(`a cancel was answered ${status}`);
    if (end !== 'completed' || hits.length !== 1) tally.wrong.push(`not cancelled, yet ${end} with ${hits.length} hits`);
  }
}

async function judgeCancelled(server: TestServer, id: string, word: string, besides: string | null, tally: Tally): Promise<void> {
  const task = await getTask(server.url, id);
  if (task.status !== 'failed' || task.error_code !== 'cancelled') tally.wrong.push(`${id}: ${task.status} ${task.error_code}`);
  const hits = await search(server.url, word, { mode: 'keyword' });
  if (hits.some(({ citation }) => citation.doc_id !== besides)) tally.wrong.push(`${id}: found though cancelled`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  process.exit((await runCancels({ rounds: Number(values.rounds), seed })) ? 0 : 1);
}
