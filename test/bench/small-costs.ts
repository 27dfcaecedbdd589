/**
 * What a small document costs from its upload until its client is told that it is searchable: processor time of every process, the
 * database's too, and transactions, counted on the wire without those that the clock asks for. With files, and with a PostgreSQL that more and more workers share.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { startPostgres, type PostgresServer, ask } from '../support/postgres.ts';
import { makeDataDir, removeDir, startProcess, startServer, type TestServer } from '../support/server.ts';
import { isForDocuments } from '../support/document-transactions.ts';
import { openStatementLink, type StatementLink } from '../support/statement-link.ts';
import type { Row } from './bench.ts';
import { childrenOf, cpuSeconds, round } from './process-figures.ts';
import { senderTo, smallText } from './small-uploads.ts';

const clients = 8;
const warmUps = 100;
/** Front end, its worker, and so many workers more. */
const moreWorkers = [0, 2, 4];
const sampleMs = 10;

type Costs = {
  readonly front: number;
  readonly workers: number;
  readonly database: number;
  readonly transactions: number;
  readonly statements: number;
  readonly notifyWaits: number;
};

/** `processes`: as many as share a PostgreSQL; the first row is the engine with files. */
export async function smallCosts(documents: number, say: (progress: string) => void): Promise<Row[]> {
  say('small documents, with files');
  const files = await withServer({}, (server) => measure({ servers: [server], database: null }, documents));
  const rows = [toRow('files', 2, files, files, files)];
  await using postgres = await startPostgres({ durable: true });
  let first: Costs | null = null;
  for (const more of moreWorkers) {
    say(`small documents, with PostgreSQL and ${more + 2} processes`);
    const costs = await onPostgres(postgres, more, documents);
    first ??= costs;
    rows.push(toRow('PostgreSQL', more + 2, costs, files, first));
  }
  return rows;
}

async function onPostgres(postgres: PostgresServer, more: number, documents: number): Promise<Costs> {
  const url = new URL(await postgres.newDatabase());
  const direct = url.href;
  await using link = await openStatementLink(postgres.port);
  url.port = String(link.port);
  return await withServer({ DATABASE_URL: url.href }, async (server) => {
    await using stack = new AsyncDisposableStack();
    const servers = [server];
    for (let number = 0; number < more; number += 1) servers.push(await startWorker(stack, url.href));
    return await measure({ servers, database: { postgres, link, direct } }, documents);
  });
}

async function startWorker(stack: AsyncDisposableStack, url: string): Promise<TestServer> {
  const dataDir = await makeDataDir();
  const worker = await startProcess({ dataDir, engineEnv: { DATABASE_URL: url }, env: { LOG_LEVEL: 'error' }, args: ['worker'] });
  stack.defer(async () => {
    await worker.stop();
    await removeDir(dataDir);
  });
  return worker;
}

async function withServer<T>(engineEnv: Record<string, string>, work: (server: TestServer) => Promise<T>): Promise<T> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, engineEnv, env: { LOG_LEVEL: 'error' } });
  try {
    return await work(server);
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

type Measured = {
  readonly servers: readonly TestServer[];
  readonly database: { readonly postgres: PostgresServer; readonly link: StatementLink; readonly direct: string } | null;
};

async function measure({ servers, database }: Measured, documents: number): Promise<Costs> {
  const [{ url, process: front }, ...others] = servers as [TestServer, ...TestServer[]];
  const sender = senderTo(url, clients);
  const bodies = Array.from({ length: documents }, smallText);
  await inTurns(warmUps, (n) => sender.send(`warm-${n}`, smallText()));
  const workers = [...below(front.pid!), ...others.flatMap(({ process: { pid } }) => [pid!, ...below(pid!)])];
  const backends = database === null ? [] : below(serverOn(database.postgres.port));
  database?.link.take();
  const before = [[front.pid!], workers, backends].map(cpuOf);
  const sampling = database === null ? null : sampleNotifyLock(database.direct);
  await inTurns(documents, (n) => sender.send(`doc-${n}`, bodies[n]!));
  const after = [[front.pid!], workers, backends].map(cpuOf);
  const seen = (database?.link.take() ?? []).filter(isForDocuments);
  sender.close();
  const [frontMs, workersMs, databaseMs] = after.map((cpu, at) => ((cpu - before[at]!) * 1000) / documents) as [
    number,
    number,
    number,
  ];
  return {
    front: frontMs,
    workers: workersMs,
    database: databaseMs,
    transactions: seen.length / documents,
    statements: seen.flat().length / documents,
    notifyWaits: (await sampling?.()) ?? 0,
  };
}

/** In which share of looks somebody waits for the lock that a commit with a notification takes. Returns the way to stop. */
function sampleNotifyLock(url: string): () => Promise<number> {
  let stopped = false;
  const counting = (async () => {
    let [looks, waits] = [0, 0];
    while (!stopped) {
      const [row] = await ask(
        url,
        "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'object'",
      );
      looks += 1;
      if ((row!['n'] as number) > 0) waits += 1;
      await new Promise((resolve) => setTimeout(resolve, sampleMs));
    }
    return waits / Math.max(1, looks);
  })();
  return () => {
    stopped = true;
    return counting;
  };
}

function below(pid: number): number[] {
  const children = childrenOrNone(pid);
  return [...children, ...children.flatMap(below)];
}

function childrenOrNone(pid: number): number[] {
  try {
    return childrenOf(pid);
  } catch {
    return [];
  }
}

/** The server's first process. */
function serverOn(port: number): number {
  const isServer = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0-p\0${port}\0`);
    } catch {
      return false;
    }
  };
  return Number(readdirSync('/proc').find((name) => /^\d+$/.test(name) && isServer(name)));
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (isThere(pid) ? cpuSeconds(pid) : 0), 0);
}

function isThere(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`);
    return true;
  } catch {
    return false;
  }
}

async function inTurns(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

function toRow(engine: string, processes: number, costs: Costs, files: Costs, first: Costs): Row {
  const total = (each: Costs): number => each.front + each.workers + each.database;
  return {
    figure: `a small document, ${engine}, ${processes} processes`,
    'CPU ms': round(total(costs)),
    'CPU ÷ files': round(total(costs) / total(files)),
    'CPU ÷ 2 processes': round(total(costs) / total(first)),
    'front end, ms': round(costs.front),
    'workers, ms': round(costs.workers),
    'database, ms': round(costs.database),
    transactions: round(costs.transactions),
    'transactions ÷ 2 processes': engine === 'files' ? 0 : round(costs.transactions / first.transactions),
    statements: round(costs.statements),
    'waits for the notify lock, share of looks': round(costs.notifyWaits),
  };
}
