/**
 * A move from a data directory into PostgreSQL and back, killed again and again: nothing is lost, nothing is there or done twice,
 * and every question has the same answer on all three sides. `npm run torture -- --only move`
 */
import { join } from 'node:path';
import { runCommand, startCommand } from '../support/command.ts';
import { startPostgres } from '../support/postgres.ts';
import {
  ended,
  insert,
  search,
  type ServerOptions,
  startProcess,
  type TestServer,
  type WireHit,
  type WireTask,
} from '../support/server.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Figure, showFigures } from './figures.ts';
import { randomFrom } from './random.ts';

/** `kills`: of each way, three at most. */
export type Moving = { readonly documents: number; readonly tasks: number; readonly kills: number; readonly seed: number };

type Place = Pick<ServerOptions, 'dataDir' | 'engineEnv'>;

const words = ['pump', 'valve', '水泵', '阀门', 'bearing', 'seal', '合同', 'invoice', 'rotor', 'flange', '压力', 'torque'];
const uploadsAtOnce = 8;

export async function runMoving({ documents, tasks, kills, seed }: Moving): Promise<boolean> {
  await using database = await startPostgres({ durable: true });
  await using dir = await tempDir();
  const url = await database.newDatabase();
  const source: Place = { dataDir: join(dir.path, 'source') };
  const target: Place = { dataDir: join(dir.path, 'work'), engineEnv: { DATABASE_URL: url } };
  const back: Place = { dataDir: join(dir.path, 'back') };
  await fill(source, documents, seed);
  const waiting = await leaveWaiting(source, tasks);
  const random = randomFrom(seed);
  const env = { DATA_DIR: target.dataDir, DISK_RESERVE_BYTES: '0' };
  const points = (): string[] => random.sample(killPoints(random, documents, tasks), kills).sort();
  const there = await moveKilled([source.dataDir, url], env, points());
  const again = await moveKilled([url, back.dataDir], env, points());
  const asked = [await look(source), await look(target), await look(back)] as const;
  return showFigures([
    { figure: 'documents moved', value: asked[0].documents, least: documents },
    { figure: 'tasks that waited', value: waiting.length, least: tasks },
    { figure: 'moves killed', value: there.kills + again.kills, least: 2 * kills },
    { figure: 'moves that ended with everything the same, there and back', value: there.same + again.same, least: 2 },
    ...sides(asked),
    ...(await finishAll('in PostgreSQL', target, waiting, documents)),
    ...(await finishAll('in the directory again', back, waiting, documents)),
  ]);
}

/** Texts of a few words each, so that many questions have many answers. */
async function fill(place: Place, count: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const texts = Array.from({ length: count }, (_, number) => {
    const some = Array.from({ length: random.whole(20, 120) }, () => words[random.whole(0, words.length - 1)]!);
    return `# Document ${number}\n\n${some.join(' ')}.\n`;
  });
  const server = await startProcess(place);
  await until('the server is ready', async () => (await fetch(`${server.url}/ready`)).status === 200);
  let next = 0;
  const client = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++)
      await insert(server.url, `doc ${number}`, fileOf(number, texts[number]!));
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, client));
  await until('all are searchable', async () => (await liveTasks(server)) === 0, 300_000);
  await server.stop();
}

function fileOf(number: number | string, text: string): { name: string; bytes: string } {
  return { name: `document ${number}.md`, bytes: text };
}

/** Taken in by a front end that has no worker. */
async function leaveWaiting(place: Place, count: number): Promise<string[]> {
  const server = await startProcess({ ...place, args: ['--role', 'api'] });
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const file = fileOf(`late ${number}`, `late ${number} compressor`);
    const reply = await insert(server.url, `late ${number}`, file, { prefer: 'respond-async' });
    ids.push(((await reply.json()) as WireTask).task_id);
  }
  await server.stop();
  return ids;
}

/** Lines of its progress after which it is killed: twice among the documents, once among the tasks. */
function killPoints(random: ReturnType<typeof randomFrom>, documents: number, tasks: number): string[] {
  const tenth = (name: string, of: number, from: number, to: number): string =>
    `${name} ${Math.ceil((random.whole(from, to) * of) / 10)}/${of}`;
  return [tenth('documents', documents, 1, 4), tenth('documents', documents, 5, 9), tenth('tasks', documents + tasks, 1, 9)];
}

async function moveKilled(
  [from, to]: readonly [string, string],
  env: Record<string, string>,
  points: readonly string[],
): Promise<{ kills: number; same: number }> {
  let kills = 0;
  for (const point of points) {
    const command = startCommand(['move', '--from', from, '--to', to], env);
    const reached = until(point, () => command.stderr().includes(point) || command.process.exitCode !== null, 300_000);
    await reached;
    command.process.kill('SIGKILL');
    const { code, stderr } = await command.result;
    if (code === null) kills += 1;
    else console.log(`ended with ${code} before "${point}": ${stderr}`);
  }
  const { code, stdout, stderr } = await runCommand(['move', '--from', from, '--to', to], env);
  console.log(`${stdout}${stderr.replace(/^(documents|tasks|compared) \d.*\n/gm, '')}`);
  return { kills, same: code === 0 ? 1 : 0 };
}

type Look = { readonly documents: number; readonly answers: readonly string[] };

/** What a front end without a worker says: what waits goes on waiting. */
async function look(place: Place): Promise<Look> {
  const server = await startProcess({ ...place, args: ['--role', 'api'] });
  const answers: string[] = [];
  for (const first of words)
    for (const second of ['', ...words.slice(0, 4)])
      for (const mode of ['hybrid', 'keyword'])
        answers.push(inOrder(await search(server.url, `${first} ${second}`, { top_k: 50, mode })));
  const documents = (await documentIds(server)).length;
  await server.stop();
  return { documents, answers };
}

/** Which of two equally good hits comes first depends on when segments are merged, on one side alone too; so does which are the last. */
function inOrder(hits: readonly WireHit[]): string {
  const last = hits.length === 50 ? hits.at(-1)?.score : undefined;
  const sure = hits.filter(({ score }) => score !== last).map((hit) => [hit.score, hit.citation.doc_id, hit.text] as const);
  return JSON.stringify(sure.sort(([a, x], [b, y]) => b - a || (x < y ? -1 : 1)));
}

function sides([source, target, back]: readonly [Look, Look, Look]): Figure[] {
  const unequal = (other: Look): number => source.answers.filter((answer, at) => answer !== other.answers[at]).length;
  return [
    { figure: 'questions asked', value: source.answers.length, least: 100 },
    { figure: 'answered otherwise in PostgreSQL (hits, scores)', value: unequal(target), most: 0 },
    { figure: 'answered otherwise in the directory again', value: unequal(back), most: 0 },
    {
      figure: 'documents lost or twice',
      value: Math.abs(source.documents - target.documents) + Math.abs(source.documents - back.documents),
      most: 0,
    },
  ];
}

/** With a worker, what waited is done once. */
async function finishAll(where: string, place: Place, ids: readonly string[], documents: number): Promise<Figure[]> {
  const server = await startProcess(place);
  const tasks = [];
  for (const id of ids) tasks.push(await ended(server.url, id, 300_000));
  const found = await documentIds(server);
  const duplicates = (await search(server.url, 'compressor', { top_k: 100, mode: 'keyword' })).length;
  await server.stop();
  return [
    {
      figure: `waiting tasks lost or not done ${where}`,
      value: tasks.filter(({ status }) => status !== 'completed').length,
      most: 0,
    },
    { figure: `begun more than once ${where}`, value: tasks.filter(({ attempts }) => attempts !== 1).length, most: 0 },
    {
      figure: `documents lost or twice ${where}`,
      value: Math.abs(new Set(found).size - documents - ids.length) + found.length - new Set(found).size,
      most: 0,
    },
    { figure: `chunks of theirs lost or twice ${where}`, value: Math.abs(duplicates - ids.length), most: 0 },
  ];
}

async function documentIds({ url }: TestServer): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ;) {
    const reply = await fetch(`${url}/documents?limit=1000${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = (await reply.json()) as { documents: { doc_id: string }[]; next_cursor: string | null };
    ids.push(...page.documents.map(({ doc_id }) => doc_id));
    if (page.next_cursor === null) return ids;
    cursor = page.next_cursor;
  }
}

async function liveTasks({ url }: TestServer): Promise<number> {
  const counts = ['pending', 'processing'].map(async (status) => {
    const { tasks } = (await (await fetch(`${url}/tasks?status=${status}`)).json()) as { tasks: unknown[] };
    return tasks.length;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
