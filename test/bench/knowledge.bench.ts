/**
 * A hundred collections in one PostgreSQL, beside one of them alone and beside ten: `npm run bench -- knowledge [--collections N]
 * [--chunks N in all]`, 100 and 1,000,000 by default (a quarter of an hour). Every figure is of a whole server's front end, over HTTP.
 */
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { ask, startPostgres } from '../support/postgres.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Bench, Row } from './bench.ts';
import { documentChunks, fillTables } from './fill-tables.ts';
import { createText, question } from './made-text.ts';
import { cpuSeconds, percentile, residentBytes, round } from './process-figures.ts';

const asked = 10;
const rounds = 60;
const starts = 5;
const looksMs = 10_000;
const clients = 8;

/** Questions as clients send them: each is new to the server. */
const questions = (() => {
  const text = createText(99);
  return Array.from({ length: 1000 }, (_, i) => question(text, i));
})();

export const bench: Bench = {
  title: 'a question in one of many collections, beside that collection alone; memory beside the ten that were asked',
  argsAmongAll: ['--collections', '20', '--chunks', '20000'],
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { collections: { type: 'string', default: '100' }, chunks: { type: 'string', default: '1000000' } },
    });
    const names = Array.from({ length: Number(values.collections) }, (_, n) => `c${n}`);
    const documents = Math.round(Number(values.chunks) / documentChunks / names.length);
    await using stack = new AsyncDisposableStack();
    const { path } = stack.use(await tempDir(tmpdir()));
    const postgres = stack.use(await startPostgres());
    const place = async (some: readonly string[]): Promise<Place> => {
      const url = await postgres.newDatabase();
      await migrated(url, join(path, `${some.length}`));
      await fillTables(url, documents, say, { collections: some });
      await ask(url, 'VACUUM ANALYZE');
      return { dataDir: join(path, `${some.length}`), url };
    };
    const places = { alone: await place(names.slice(0, 1)), ten: await place(names.slice(0, asked)), all: await place(names) };
    return await measure(places, names);
  },
};

type Place = { readonly dataDir: string; readonly url: string };
type Places = { readonly alone: Place; readonly ten: Place; readonly all: Place };

function say(progress: string): void {
  console.error(`  ${progress}`);
}

function open({ dataDir, url }: Place): Promise<TestServer> {
  return startServer({ dataDir, engineEnv: { DATABASE_URL: url } });
}

/** The first start makes the tables. */
async function migrated(url: string, dataDir: string): Promise<void> {
  const server = await open({ url, dataDir });
  await server.stop();
}

async function measure(places: Places, names: readonly string[]): Promise<Row[]> {
  const first = await firstQuestions(places.all);
  const servers = { alone: await open(places.alone), ten: await open(places.ten), all: await open(places.all) };
  const rows = [await inOne(servers), first, await memoryOfTen(servers, names), await health(servers.all, names)];
  for (const server of Object.values(servers)) await server.stop();
  return rows;
}

async function search({ url }: TestServer, collection: string, query: string): Promise<void> {
  const body = JSON.stringify({ query, collection });
  const answer = await fetch(`${url}/search`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.text();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** By turns, so that what else this machine does falls on both. */
async function inOne({ alone, all }: Record<'alone' | 'all', TestServer>): Promise<Row> {
  say('questions in one');
  const sides = [alone, all].map((server) => ({ server, ms: [] as number[], cpu: 0 }));
  for (let at = -10; at < rounds; at += 1)
    for (const side of sides) {
      const before = cpuSeconds(side.server.process.pid!);
      const ms = await timed(() => search(side.server, 'c0', questions[at + 10]!));
      if (at < 0) continue;
      side.ms.push(ms);
      side.cpu += cpuSeconds(side.server.process.pid!) - before;
    }
  const [one, many] = sides.map(({ ms, cpu }) => ({ p50: percentile(ms, 0.5), cpu: (1000 * cpu) / rounds }));
  const ratios = { ratio: ratio(many!.p50, one!.p50), 'ratio of CPU': ratio(many!.cpu, one!.cpu) };
  return { figure: 'question in one, p50 ms', alone: round(one!.p50), 'of all': round(many!.p50), ...ratios, limit: 1.3 };
}

/** After a start, and the p50 of those that follow in the same collection. */
async function firstQuestions(place: Place): Promise<Row> {
  say('first questions');
  const [cold, warm]: [number[], number[]] = [[], []];
  for (let start = 0; start < starts; start += 1) {
    const server = await open(place);
    cold.push(await timed(() => search(server, `c${start}`, questions[500 + start]!)));
    for (let at = 0; at < 20; at += 1) warm.push(await timed(() => search(server, `c${start}`, questions[510 + at]!)));
    await server.stop();
  }
  const [first, later] = [percentile(cold, 0.5), percentile(warm, 0.5)];
  return { figure: 'first after a start, ms', warm: round(later), 'of all': round(first), ratio: ratio(first, later), limit: 3 };
}

async function memoryOfTen({ ten, all }: Record<'ten' | 'all', TestServer>, names: readonly string[]): Promise<Row> {
  say('memory');
  const sides = [];
  for (const server of [ten, all]) {
    for (let at = 0; at < 300; at += 1) await search(server, names[at % asked]!, questions[at]!);
    sides.push(residentBytes(server.process.pid!) / 2 ** 20);
  }
  const [few, many] = sides;
  return {
    figure: `MB after ${asked} were asked`,
    ten: Math.round(few!),
    'of all': Math.round(many!),
    ratio: ratio(many!, few!),
    limit: 1.3,
  };
}

/** Of `/health` beside clients that ask in ten collections without a pause. */
async function health(server: TestServer, names: readonly string[]): Promise<Row> {
  say('health');
  const quiet = await lookedAt(server);
  let ended = false;
  const load = Array.from({ length: clients }, async (_, client) => {
    for (let at = client; !ended; at += clients) await search(server, names[at % asked]!, questions[at % questions.length]!);
  });
  const loaded = await lookedAt(server);
  ended = true;
  await Promise.all(load);
  const [idle, busy] = [percentile(quiet, 0.99), percentile(loaded, 0.99)];
  return { figure: '/health p99 ms', idle: round(idle), 'of all': round(busy), ratio: ratio(busy, idle), limit: 5 };
}

/** From a thread of its own: this one is busy asking. */
async function lookedAt({ url }: TestServer): Promise<number[]> {
  const worker = new Worker(new URL('loop-client.ts', import.meta.url), { workerData: { url: `${url}/health`, ms: looksMs } });
  const [laps] = (await once(worker, 'message')) as [number[]];
  return laps;
}

function ratio(value: number, beside: number): number {
  return Math.round((100 * value) / beside) / 100;
}
