/**
 * Servers that are killed under everything that clients do at once (uploads, searches, lists, forced cancels), and started again, on
 * every engine: what was acknowledged ends, is found when it was completed and only then, and nothing is left behind.
 * `node test/crash/server-kills.ts [--kills N] [--seed S]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { engines, type Place } from '../support/engines.ts';
import { marker } from '../support/prose.ts';
import { ended, insert, search, startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';
import { type Figure, showFigures } from './figures.ts';
import { type Random, randomFrom } from './random.ts';

const clients = 6;

type Chaos = {
  readonly place: Place;
  readonly random: Random;
  server: TestServer;
  /** The number of the document by the id of its task. */
  readonly accepted: Map<string, number>;
  uploads: number;
  answers: number;
  stopping: boolean;
};

export async function runServerKills(options: { kills: number; seed: number }): Promise<boolean> {
  let isRight = true;
  for (const { name, open } of engines) {
    await using engine = await open();
    const place = await engine.newPlace();
    const server = await start(place);
    const chaos: Chaos = {
      place,
      random: randomFrom(options.seed),
      server,
      accepted: new Map(),
      uploads: 0,
      answers: 0,
      stopping: false,
    };
    const load = Promise.all(Array.from({ length: clients }, (_, client) => act(chaos, client)));
    for (let kills = 0; kills < options.kills; kills += 1) {
      await sleep(chaos.random.whole(300, 2500));
      await chaos.server.kill();
      chaos.server = await start(place);
    }
    chaos.stopping = true;
    await load;
    const figures = await judge(chaos);
    console.log(`servers killed on ${name}: ${options.kills} times, seed ${options.seed}`);
    isRight = showFigures(figures) && isRight;
  }
  return isRight;
}

function start(place: Place): Promise<TestServer> {
  return startServer({ ...place, rigged: true, env: { MAX_CONCURRENT_TASKS: '2', LOG_LEVEL: 'error', RETRY_DELAY_MS: '1' } });
}

/** What fails is done by the next: the server is away again and again. */
async function act(chaos: Chaos, client: number): Promise<void> {
  while (!chaos.stopping) {
    await step(chaos, client).then(
      () => (chaos.answers += 1),
      () => sleep(20),
    );
    await sleep(10);
  }
}

async function step(chaos: Chaos, client: number): Promise<void> {
  const { url } = chaos.server;
  const { random } = chaos;
  const asked = random.next();
  if (asked < 0.5) return upload(chaos, client);
  if (asked < 0.7) return void (await search(url, `the text of ${marker(random.whole(0, chaos.uploads))}`));
  if (asked < 0.85) return void (await (await fetch(`${url}/tasks?limit=100&status=${random.pick(['pending', 'failed'])}`)).text());
  await (await fetch(`${url}/documents?limit=100`)).text();
}

async function upload(chaos: Chaos, client: number): Promise<void> {
  const { random } = chaos;
  const { url } = chaos.server;
  const number = (chaos.uploads += 1);
  const file = { name: `wait-${random.whole(0, 60)}.txt`, bytes: `The text of ${marker(number)}` };
  const answer = await insert(url, `doc ${number} of ${client}`, file, { prefer: 'respond-async' });
  if (answer.status !== 202) return;
  const { task_id: id } = (await answer.json()) as { task_id: string };
  chaos.accepted.set(id, number);
  if (random.next() > 0.4) return;
  await sleep(random.whole(0, 80));
  await (await fetch(`${url}/task/${id}?force=true`, { method: 'DELETE' })).text();
}

async function judge({ server, accepted, answers, place }: Chaos): Promise<Figure[]> {
  const outcomes = { completed: 0, cancelled: 0, lost: 0, other: 0, unfound: 0, foundThough: 0 };
  for (const [id, number] of accepted) {
    const task = await ended(server.url, id).catch(() => null);
    if (task === null) outcomes.lost += 1;
    else if (task.status === 'completed') outcomes.completed += 1;
    else if (task.error_code === 'cancelled') outcomes.cancelled += 1;
    else outcomes.other += 1;
    const word = marker(number);
    const isFound = (await search(server.url, word)).some(({ text }) => text.includes(`${word} `) || text.endsWith(word));
    if (task?.status === 'completed' && !isFound) outcomes.unfound += 1;
    if (task?.status === 'failed' && isFound) outcomes.foundThough += 1;
  }
  // The dead are found by whoever lives.
  await until('nothing is left over', async () => (await place.unfinished()).length === 0, 30_000).catch(() => undefined);
  await server.stop();
  const left = await place.unfinished();
  for (const each of left) console.log(`  left over: ${each}`);
  return [
    { figure: 'answers', value: answers, least: 1 },
    { figure: 'uploads acknowledged', value: accepted.size, least: 1 },
    { figure: 'completed', value: outcomes.completed, least: 1 },
    { figure: 'cancelled', value: outcomes.cancelled },
    { figure: 'acknowledged and lost, or never ended', value: outcomes.lost, most: 0 },
    { figure: 'failed otherwise', value: outcomes.other, most: 0 },
    { figure: 'completed and not found', value: outcomes.unfound, most: 0 },
    { figure: 'failed and found', value: outcomes.foundThough, most: 0 },
    { figure: 'left behind', value: left.length, most: 0 },
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { kills: { type: 'string', default: '20' }, seed: { type: 'string' } } });
  const ok = await runServerKills({ kills: Number(values.kills), seed: Number(values.seed ?? Date.now() % 1_000_000) });
  process.exit(ok ? 0 : 1);
}
