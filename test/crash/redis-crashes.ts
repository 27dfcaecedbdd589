/**
 * The Redis engine when worker processes and the server itself are killed and frozen: no acknowledged task is lost, none is done
 * twice; and how soon tasks begin, are taken over, are stopped. `npm run torture -- --only redis`
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/storage/engine.ts';
import { openRedisEngine } from '../../src/storage/redis/engine.ts';
import type { Task } from '../../src/tasks/task.ts';
import { switchCounts } from '../support/arbiter-index.ts';
import { newId, upload } from '../support/engine-steps.ts';
import { redisEngineOptions } from '../support/redis-harness.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Figure, quantile, round, showFigures } from './figures.ts';
import type { RedisOrder } from './redis-child.ts';
import { type RiggedWorkers, startRiggedWorkers, uploadDoomed } from './rigged-workers.ts';

/** `judged`: times decide, too. */
export type RedisCrashes = {
  readonly tasks: number;
  readonly kills: number;
  readonly restarts: number;
  readonly latencies: number;
  readonly judged: boolean;
  readonly seed: number;
};

const workers = 3;

export async function runRedisCrashes(options: RedisCrashes): Promise<boolean> {
  await using server = await startRedis({ durable: true });
  const atMost = (most: number): { most?: number } => (options.judged ? { most } : {});
  const figures = [
    ...(await killWorkersAndServer(server, options)),
    ...(await freezeWorker(server)),
    ...(await beginAndStop(server, options.latencies, atMost)),
    ...(await takeOver(server, atMost)),
  ];
  return showFigures(figures);
}

/** Workers that die at each step of settling in turn, and a server that dies under them. */
async function killWorkersAndServer(server: RedisServer, options: RedisCrashes): Promise<Figure[]> {
  await using scene = await openScene(server, { workers, leaseMs: 2000 });
  const { acknowledged, restarted } = await uploadDoomed(scene.front, server, options);
  await until('every task has ended', async () => (await scene.all()).every(isCompleted), 300_000).catch(() => undefined);
  const ended = await scene.all();
  const completed = new Set(ended.filter(isCompleted).map(({ id }) => id));
  const switches = [...switchCounts(join(scene.dataDir, 'index')).values()];
  // A task is held for a moment after its record says that it has ended.
  const live = async (): Promise<number> => {
    const { pending, processing } = await scene.front.tasks.counts();
    return pending + processing;
  };
  await until('nothing waits or runs', async () => (await live()) === 0, 30_000).catch(() => undefined);
  const reports = scene.reports.filter(({ what }) => what === 'ended').map(({ id }) => id);
  return [
    { figure: 'tasks acknowledged', value: acknowledged.length, least: options.tasks },
    { figure: 'workers killed at the five steps of settling', value: scene.deaths.length, least: options.kills },
    { figure: 'server killed and started again', value: restarted, least: options.restarts },
    { figure: 'acknowledged and lost, or never ended', value: acknowledged.filter((id) => !completed.has(id)).length, most: 0 },
    {
      figure: 'done twice: finished, made searchable',
      value: twice(reports) + switches.filter((count) => count > 1).length,
      most: 0,
    },
    { figure: 'still waiting or running', value: await live(), most: 0 },
  ];
}

/** A worker that stands still just before its task's end, until another has ended it. */
async function freezeWorker(server: RedisServer): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 2, leaseMs: 2000 });
  const { id } = await upload(scene.front, 'x', { filename: 'SIGSTOP finish' });
  await until('another process has ended the task', async () => (await scene.front.tasks.get(id))?.task.status === 'completed');
  const before = await scene.front.tasks.get(id);
  scene.thaw();
  await until('the frozen process is told', () => scene.reports.some(({ what }) => what === 'fenced') || scene.losses() > 0);
  const after = await scene.front.tasks.get(id);
  const spoilt = JSON.stringify(before) === JSON.stringify(after) ? 0 : 1;
  return [
    { figure: 'written by a frozen worker that woke', value: spoilt, most: 0 },
    { figure: 'attempts of its task', value: after?.task.attempts ?? NaN, least: 2, most: 2 },
  ];
}

async function beginAndStop(server: RedisServer, rounds: number, atMost: (most: number) => { most?: number }): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 1, leaseMs: 10_000 });
  const waits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await upload(scene.front, 'x');
    const acknowledgedAt = Date.now();
    await scene.reported('ended', id);
    waits.push(scene.timeOf('began', id) - acknowledgedAt);
  }
  const { id } = await upload(scene.front, 'x', { filename: 'wait' });
  await scene.reported('began', id);
  const askedAt = Date.now();
  await scene.front.tasks.cancel(id, { force: true });
  await scene.reported('ended', id);
  return [
    { figure: 'acknowledged → begun in another process, p50 ms', value: round(quantile(waits, 0.5), 1), ...atMost(15) },
    { figure: 'the same, p99 ms', value: round(quantile(waits, 0.99), 1) },
    { figure: 'cancel → stopped in another process, ms', value: scene.timeOf('stopped', id) - askedAt, ...atMost(2000) },
    { figure: 'cancel → recorded, ms', value: scene.timeOf('ended', id) - askedAt, ...atMost(2000) },
  ];
}

/** With the lease that the engine has by default. */
async function takeOver(server: RedisServer, atMost: (most: number) => { most?: number }): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 1, leaseMs: 10_000 });
  const { id } = await upload(scene.front, 'x', { filename: 'SIGKILL publish' });
  await scene.reported('ended', id);
  const diedAt = scene.deaths[0] ?? NaN;
  return [{ figure: 'worker killed → its task begun elsewhere, ms', value: scene.timeOf('began', id) - diedAt, ...atMost(12_000) }];
}

type Scene = AsyncDisposable &
  Omit<RiggedWorkers, 'stop'> & {
    readonly front: Engine;
    readonly dataDir: string;
    all(): Promise<Task[]>;
  };

/** A front end in this process, and workers that are started again when they die. */
async function openScene(server: RedisServer, options: { workers: number; leaseMs: number }): Promise<Scene> {
  const dir = await tempDir(tmpdir());
  const place = { url: server.url, prefix: `crash-${newId()}`, dataDir: dir.path };
  const order: RedisOrder = { place, leaseMs: options.leaseMs };
  const front = await openRedisEngine({ ...redisEngineOptions(place, 'frontend'), leaseMs: options.leaseMs });
  const workers = await startRiggedWorkers('redis-child.ts', order, options.workers);
  return {
    front,
    dataDir: dir.path,
    ...workers,
    async all() {
      const tasks: Task[] = [];
      let cursor: string | null = null;
      do {
        const page = await front.tasks.list(cursor === null ? { limit: 1000 } : { limit: 1000, cursor });
        tasks.push(...page.tasks.map(({ task }) => task));
        cursor = page.nextCursor;
      } while (cursor !== null);
      return tasks;
    },
    async [Symbol.asyncDispose]() {
      await workers.stop();
      await front.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function isCompleted({ status }: Task): boolean {
  return status === 'completed';
}

function twice(ids: readonly string[]): number {
  return ids.length - new Set(ids).size;
}
