/**
 * The PostgreSQL engine when worker processes and the server itself are killed and frozen: no acknowledged task is lost, none is
 * done twice, no chunk is there twice; and how soon tasks begin, are taken over, are stopped. `npm run torture -- --only postgres`
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/storage/engine.ts';
import { openPostgresEngine } from '../../src/storage/postgres/engine.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { upload } from '../support/engine-steps.ts';
import { postgresEngineOptions } from '../support/postgres-harness.ts';
import { ask, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/until.ts';
import { type Figure, quantile, round, showFigures } from './figures.ts';
import type { PostgresOrder } from './postgres-child.ts';
import { type RiggedWorkers, startRiggedWorkers, uploadDoomed } from './rigged-workers.ts';

/** `judged`: times decide, too. */
export type PostgresCrashes = {
  readonly tasks: number;
  readonly kills: number;
  readonly restarts: number;
  readonly latencies: number;
  readonly judged: boolean;
  readonly seed: number;
};

type AtMost = (most: number) => { most?: number };

/** The lease that the engine has by default. */
const leaseMs = 10_000;

export async function runPostgresCrashes(options: PostgresCrashes): Promise<boolean> {
  await using server = await startPostgres({ durable: true });
  const atMost: AtMost = (most) => (options.judged ? { most } : {});
  const figures = [
    ...(await killWorkersAndServer(server, options)),
    ...(await freezeWorker(server, 'read', options.judged)),
    ...(await freezeWorker(server, 'finish', options.judged)),
    ...(await beginAndStop(server, options.latencies, atMost)),
    ...(await takeOver(server, atMost)),
  ];
  return showFigures(figures);
}

/** Workers that die at each step of settling in turn, and a server that dies under them. */
export async function killWorkersAndServer(
  server: PostgresServer,
  options: Omit<PostgresCrashes, 'latencies' | 'judged'>,
): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 3, leaseMs: 2000 });
  const { acknowledged, restarted } = await uploadDoomed(scene.front, server, options);
  const unfinished = (): Promise<number> => scene.count(`rag_intake.task WHERE status <> 'completed'`);
  await until('every task is completed', async () => (await unfinished()) === 0, 300_000).catch(() => undefined);
  const completed = new Set((await scene.ask(`SELECT id FROM rag_intake.task WHERE status = 'completed'`)).map(({ id }) => id));
  return [
    { figure: 'tasks acknowledged', value: acknowledged.length, least: options.tasks },
    { figure: 'workers killed at the five steps of settling', value: scene.deaths.length, least: options.kills },
    { figure: 'server killed and started again', value: restarted, least: options.restarts },
    { figure: 'workers that did not survive that', value: scene.crashes(), most: 0 },
    { figure: 'acknowledged and lost, or never ended', value: acknowledged.filter((id) => !completed.has(id)).length, most: 0 },
    { figure: 'still waiting or running', value: (await unfinished()) + (await scene.count('rag_intake.lease')), most: 0 },
    ...(await doneTwice(scene)),
  ];
}

/** What the database itself counted (`countEnds`), and what a search finds. */
async function doneTwice(scene: Scene): Promise<Figure[]> {
  const [chunks] = await scene.ask(
    'SELECT (SELECT count(*) FROM rag_intake.chunk) - (SELECT sum(chunks) FROM rag_intake.document) AS n',
  );
  let wrong = 0;
  let documents = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await scene.front.index.list(cursor === '' ? { limit: 1000 } : { limit: 1000, cursor });
    for (const { docId, chunks: expected } of page.documents) {
      const asked = { query: docId, mode: 'keyword', topK: 100, offset: 0, filter: { docIds: [docId] } } as const;
      const { hits } = await scene.front.index.search(asked);
      if (hits.length !== expected) wrong += 1;
    }
    documents += page.documents.length;
    cursor = page.nextCursor;
  }
  return [
    { figure: 'tasks that the database saw completed', value: await scene.count(`ends WHERE what = 'completed'`), least: 1 },
    { figure: 'completed twice', value: await scene.count('twice_completed'), most: 0 },
    { figure: 'made searchable twice', value: await scene.count('twice_searchable'), most: 0 },
    { figure: 'chunks that no document has', value: Number(chunks?.['n']), most: 0 },
    { figure: 'documents', value: documents, least: 1 },
    { figure: 'documents of which a search finds not just every chunk once', value: wrong, most: 0 },
  ];
}

/** A worker that stands still with a document read, or just before its task's end, until another has ended the task. */
async function freezeWorker(server: PostgresServer, point: 'read' | 'finish', judged: boolean): Promise<Figure[]> {
  // A time that is not judged need not be waited for.
  await using scene = await openScene(server, { workers: 2, leaseMs: judged ? leaseMs : 2000 });
  const { id } = await upload(scene.front, 'x', { filename: `SIGSTOP ${point}` });
  await scene.ended(id);
  const before = await scene.front.tasks.get(id);
  const [first, second] = scene.reports.filter((report) => report.what === 'began' && report.id === id);
  scene.thaw();
  await until('the frozen process has found out and ended', () => scene.losses() > 0);
  const after = await scene.front.tasks.get(id);
  const spoilt = JSON.stringify(before) === JSON.stringify(after) ? 0 : 1;
  const twice = (await scene.count('twice_completed')) + (await scene.count('twice_searchable'));
  return [
    { figure: `worker frozen at "${point}": attempts of its task`, value: after?.task.attempts ?? NaN, least: 2, most: 2 },
    { figure: 'written when it woke', value: spoilt + twice, most: 0 },
    {
      figure: 'frozen → its task begun elsewhere, ms',
      value: (second?.time ?? NaN) - (first?.time ?? NaN),
      ...(judged ? { most: 12_000 } : {}),
    },
  ];
}

async function beginAndStop(server: PostgresServer, rounds: number, atMost: AtMost): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 1, leaseMs });
  const waits: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await upload(scene.front, 'x');
    const acknowledgedAt = Date.now();
    await scene.ended(id);
    waits.push(scene.timeOf('began', id) - acknowledgedAt);
  }
  const { id } = await upload(scene.front, 'x', { filename: 'wait' });
  await scene.reported('began', id);
  const askedAt = Date.now();
  await scene.front.tasks.cancel(id, { force: true });
  await scene.ended(id);
  const recordedAt = Date.now();
  await scene.reported('stopped', id);
  return [
    { figure: 'acknowledged → begun in another process, p50 ms', value: round(quantile(waits, 0.5), 1), ...atMost(15) },
    { figure: 'the same, p99 ms', value: round(quantile(waits, 0.99), 1) },
    { figure: 'cancel → stopped in another process, ms', value: scene.timeOf('stopped', id) - askedAt, ...atMost(2000) },
    { figure: 'cancel → recorded, ms', value: recordedAt - askedAt, ...atMost(2000) },
  ];
}

async function takeOver(server: PostgresServer, atMost: AtMost): Promise<Figure[]> {
  await using scene = await openScene(server, { workers: 2, leaseMs });
  const { id } = await upload(scene.front, 'x', { filename: 'SIGKILL publish' });
  await scene.ended(id);
  const diedAt = scene.deaths[0] ?? NaN;
  return [{ figure: 'worker killed → its task begun elsewhere, ms', value: scene.timeOf('began', id) - diedAt, ...atMost(12_000) }];
}

type Scene = AsyncDisposable &
  Omit<RiggedWorkers, 'stop'> & {
    readonly front: Engine;
    ask(sql: string): Promise<Record<string, unknown>[]>;
    /** Rows of a table, with or without a condition. */
    count(table: string): Promise<number>;
    ended(id: TaskId): Promise<void>;
  };

/** A front end in this process, and workers that are started again when they die, on a database of their own. */
async function openScene(server: PostgresServer, options: { workers: number; leaseMs: number }): Promise<Scene> {
  const dir = await tempDir(tmpdir());
  const url = await server.newDatabase();
  await ask(url, countEnds);
  const front = await openPostgresEngine({
    ...postgresEngineOptions(url, 'frontend', join(dir.path, 'work')),
    leaseMs: options.leaseMs,
  });
  const order: PostgresOrder = { url, dir: dir.path, leaseMs: options.leaseMs };
  const workers = await startRiggedWorkers('postgres-child.ts', order, options.workers);
  return {
    front,
    ...workers,
    ask: (sql) => ask(url, sql),
    count: async (table) => Number((await ask(url, `SELECT count(*) AS n FROM ${table}`))[0]?.['n']),
    ended: (id) =>
      until('the task has ended', async () => ['completed', 'failed'].includes((await front.tasks.get(id))?.task.status ?? '')),
    async [Symbol.asyncDispose]() {
      await workers.stop();
      await front.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** The database counts how often each task is completed, each version made searchable: what is undone is not counted. */
const countEnds = `
CREATE TABLE ends(what text, id uuid);
CREATE FUNCTION count_end() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE format('INSERT INTO public.ends VALUES (%L, ($1).%I)', TG_ARGV[0], TG_ARGV[1]) USING NEW; RETURN NEW; END $$;
CREATE TRIGGER completed AFTER UPDATE OF status ON rag_intake.task FOR EACH ROW
  WHEN (NEW.status = 'completed') EXECUTE FUNCTION count_end('completed', 'id');
CREATE TRIGGER searchable AFTER INSERT OR UPDATE OF version ON rag_intake.document FOR EACH ROW
  EXECUTE FUNCTION count_end('searchable', 'version');
CREATE VIEW twice_completed AS SELECT id FROM ends WHERE what = 'completed' GROUP BY id HAVING count(*) > 1;
CREATE VIEW twice_searchable AS SELECT id FROM ends WHERE what = 'searchable' GROUP BY id HAVING count(*) > 1;`;
