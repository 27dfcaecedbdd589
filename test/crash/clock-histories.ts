/**
 * Generated histories of uploads, removals, failures and retries through two front ends and a worker whose clocks, those of the engines
 * too, differ, step while uploads run and are wrong after restarts: what was accepted last is what a document shows. `node test/crash/clock-histories.ts [--histories N]`
 */
import { parseArgs } from 'node:util';
import { v7 } from 'uuid';
import type { Engine } from '../../src/storage/engine.ts';
import { createLibrary } from '../../src/ingest/library.ts';
import { type Task, type TaskId, taskLanes } from '../../src/tasks/task.ts';
import type { EngineHarness } from '../contract/engine-harness.ts';
import { failedOutcome, settle, upload } from '../support/engine-steps.ts';
import { createFileEngineHarness } from '../support/file-engine-harness.ts';
import { sharedPostgres } from '../support/shared-postgres.ts';
import { createPostgresHarness } from '../support/postgres-harness.ts';
import { startRedis } from '../support/redis.ts';
import { createRedisHarness } from '../support/redis-harness.ts';
import { createRedisOnPostgresHarness } from '../support/redis-on-postgres-harness.ts';
import { type Acceptance, judgeLast } from './history.ts';
import { type Random, randomFrom } from './random.ts';

const dayMs = 86_400_000;
/** Between hosts, by steps, and after restarts. */
const offsets = [0, 30_000, -30_000, -30 * dayMs, 3650 * dayMs];
const steps = 14;
const documents = 2;
const restartEvery = 20;
/** A claim that finds nothing for so long: nothing waits. */
const claimMs = 200;

export const clockEngines: readonly {
  readonly name: string;
  readonly open: () => Promise<{ harness: EngineHarness } & AsyncDisposable>;
}[] = [
  { name: 'files', open: async () => owned(await createFileEngineHarness()) },
  {
    name: 'PostgreSQL',
    async open() {
      const server = await sharedPostgres();
      return owned(await createPostgresHarness(server), server);
    },
  },
  {
    name: 'Redis',
    async open() {
      const server = await startRedis();
      return owned(await createRedisHarness(server), server);
    },
  },
  {
    name: 'Redis and PostgreSQL',
    async open() {
      const [redis, postgres] = await Promise.all([startRedis(), sharedPostgres()]);
      return owned(await createRedisOnPostgresHarness(redis, postgres), redis, postgres);
    },
  },
];

function owned(harness: EngineHarness, ...servers: AsyncDisposable[]): { harness: EngineHarness } & AsyncDisposable {
  return {
    harness,
    async [Symbol.asyncDispose]() {
      await harness[Symbol.asyncDispose]();
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

/** A process on a host of its own: what it calls now is what its clock says. */
type Host = { engine: Engine; offsetMs: number };

function nowOn({ offsetMs }: Pick<Host, 'offsetMs'>): number {
  return Date.now() + offsetMs;
}

/** Sentences about documents that show what was not accepted last; none when all is well. */
export async function clockHistories(harness: EngineHarness, options: { histories: number; seed: number }): Promise<string[]> {
  const random = randomFrom(options.seed);
  const open = async (role: 'frontend' | 'worker'): Promise<Host> => {
    const clock = { offsetMs: anyOf(random, offsets) };
    // Nobody dies here: a busy machine must not declare it.
    const engine = await harness.open(role, { now: () => new Date(nowOn(clock)).toISOString(), leaseMs: 60_000 });
    return Object.assign(clock, { engine });
  };
  const fronts = [await open('frontend'), await open('frontend')];
  let worker = await open('worker');
  const wrong: string[] = [];
  for (let number = 0; number < options.histories; number += 1) {
    if (number % restartEvery === restartEvery - 1) {
      const at = random.whole(0, 1);
      await fronts[at]!.engine.close();
      fronts[at] = await open('frontend');
      await worker.engine.close();
      worker = await open('worker');
    }
    wrong.push(...(await oneHistory(fronts, worker, random, number)));
  }
  return wrong;
}

async function oneHistory(fronts: readonly Host[], host: Host, random: Random, number: number): Promise<string[]> {
  const worker = host.engine;
  let moment = 0;
  const names = Array.from({ length: documents }, (_, i) => `文档 ${number}.${i}`);
  const uploads = new Map<TaskId, { docId: string; asked: number; told: number; ended: 'completed' | 'failed' | null }>();
  const removals: { docId: string; asked: number; told: number }[] = [];

  async function accept(front: Host, docId: string): Promise<void> {
    const asked = (moment += 1);
    const msecs = nowOn(front);
    const at = new Date(msecs).toISOString();
    const { id } = await upload(front.engine, docId, { docId, id: v7({ msecs }) as TaskId, createdAt: at });
    uploads.set(id, { docId, asked, told: (moment += 1), ended: null });
  }

  async function remove({ engine }: Host, docId: string): Promise<void> {
    const asked = (moment += 1);
    const library = createLibrary({ engine, cancel: (id, how) => engine.tasks.cancel(id, how) });
    await library.remove(docId);
    removals.push({ docId, asked, told: (moment += 1) });
  }

  /** Runs a task that waits, or lets it fail; none when a removal has cancelled it meanwhile. */
  async function work(fails: boolean): Promise<void> {
    if ((await worker.tasks.counts()).pending === 0) return;
    const lease = await worker.queue.claim(taskLanes, AbortSignal.timeout(claimMs));
    if (lease === null) return;
    const begun = await worker.tasks.begin(lease.taskId);
    if (begun.outcome !== 'started') throw new Error(`${lease.taskId}: ${begun.outcome}`);
    const { task } = begun;
    const known = uploads.get(task.id)!;
    if (!fails) return void (known.ended = ended(await settle(worker, lease, task), task));
    await worker.index.revoke(task.docId, task);
    await worker.tasks.finish(task.id, task.attempts, failedOutcome);
    await lease.ack();
    known.ended = 'failed';
  }

  function ended(how: string, task: Task): 'completed' | 'failed' {
    if (how === 'fenced') throw new Error(`${task.id} was fenced`);
    return how as 'completed' | 'failed';
  }

  async function retryOne({ engine }: Host): Promise<void> {
    const [id, failed] = [...uploads].find(([, upload]) => upload.ended === 'failed') ?? [];
    if (id === undefined) return;
    await engine.index.reinstate(failed!.docId, id);
    if ((await engine.tasks.retry(id)) === 'ok') failed!.ended = null;
  }

  for (let step = 0; step < steps; step += 1) {
    const [front, other] = random.whole(0, 1) === 0 ? [fronts[0]!, fronts[1]!] : [fronts[1]!, fronts[0]!];
    const docId = anyOf(random, names);
    const dice = random.next();
    if (dice < 0.1) front.offsetMs = anyOf(random, offsets);
    if (dice > 0.9) host.offsetMs = anyOf(random, offsets);
    if (dice < 0.45) await accept(front, docId);
    else if (dice < 0.55) await remove(front, docId);
    else if (dice < 0.65) await Promise.all([accept(front, docId), accept(other, docId)]);
    else if (dice < 0.7) await Promise.all([accept(front, docId), remove(other, docId)]);
    else if (dice < 0.8) await work(true);
    else if (dice < 0.87) await retryOne(front);
    else await work(false);
  }
  for (const id of uploads.keys()) while ((await worker.tasks.get(id))?.task.status === 'pending') await work(false);

  const wrong: string[] = [];
  for (const docId of names) {
    const accepted: Acceptance[] = removals.filter((one) => one.docId === docId).map((one) => ({ ...one, leaves: null }));
    for (const [id, one] of uploads) if (one.docId === docId && one.ended === 'completed') accepted.push({ ...one, leaves: id });
    const shown = (await fronts[0]!.engine.index.info(docId))?.version ?? null;
    const sentence = judgeLast(accepted, shown);
    if (sentence !== null) wrong.push(`${docId}: ${sentence}`);
    await remove(fronts[1]!, docId);
    if ((await fronts[0]!.engine.index.info(docId)) !== null) wrong.push(`${docId}: is there after it was removed`);
  }
  return wrong;
}

function anyOf<T>(random: Random, items: readonly T[]): T {
  return items[random.whole(0, items.length - 1)]!;
}

export async function runClockHistories(options: { histories: number; seed: number }): Promise<boolean> {
  const rows: object[] = [];
  let wrong = 0;
  for (const { name, open } of clockEngines) {
    await using place = await open();
    const found = await clockHistories(place.harness, options);
    for (const sentence of found.slice(0, 10)) console.log(`  ${name}: ${sentence}`);
    console.log(`${name}: ${options.histories} histories, ${found.length} wrong`);
    rows.push({ engine: name, histories: options.histories, wrong: found.length });
    wrong += found.length;
  }
  console.table(rows);
  console.log(`clock histories: seed ${options.seed}`);
  return wrong === 0;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { histories: { type: 'string', default: '1000' }, seed: { type: 'string' } } });
  const ok = await runClockHistories({ histories: Number(values.histories), seed: Number(values.seed ?? Date.now() % 1_000_000) });
  process.exit(ok ? 0 : 1);
}
