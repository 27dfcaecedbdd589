/**
 * Many small documents: one POST /documents:batch beside single requests by 8 clients, to one server in turns, so that both meet the
 * same machine. Each is durable when it is answered (202 of a request that does not wait, the line of a batch). Without a worker beside
 * it (`--role api`), so that only taking them in is measured; and what the front end's memory grows by while they go through it. At last
 * another batch, with the server killed in its middle: of every line that was answered, the task is there with its bytes.
 * `npm run bench -- batch [DOCUMENTS] [TURNS]`
 */
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { createLayout } from '../../src/storage/file/disk/layout.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { answersUntil, type Told } from '../support/batch-client.ts';
import { makeDataDir, removeDir, startProcess, type TestServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { cpuSeconds, round } from './process-figures.ts';

const clients = 8;
const usual = 4000;
/** Long enough to be one batch, short enough that a busy moment of the machine meets both ways. */
const usualTurns = 8;
const env = { QUEUE_MAX: '1000000', RATE_LIMIT: '0' };

export const bench: Bench = {
  title: 'documents accepted a second: batches beside single requests by 8 clients, in turns',
  argsAmongAll: ['800'],
  async run(args) {
    const turns = Number(args[1] ?? usualTurns);
    const each = Math.ceil(Number(args[0] ?? usual) / turns);
    const dataDir = await makeDataDir();
    const start = (): Promise<TestServer> => startProcess({ dataDir, env, args: ['--role', 'api'] });
    let server = await start();
    try {
      await batches(server, 200, 'warm');
      const [single, batch] = [newFigures(), newFigures()];
      for (let turn = 0; turn < turns; turn += 1) {
        await measure(single, server, each, () => singles(server, each, `single-${turn}`));
        await measure(batch, server, each, () => batches(server, each, `batch-${turn}`));
      }
      const told = await answersUntil(server.url, linesOf(each, 'killed'), each / 2, () => server.kill());
      server = await start();
      const [first, second] = [
        rowOf(`single requests, ${clients} clients`, single, single),
        rowOf(`batches of ${each}`, batch, single),
      ];
      return [first, { ...second, 'answered before a kill': told.length, 'of them true': await countTrue(server, dataDir, told) }];
    } finally {
      await server.stop();
      await removeDir(dataDir);
    }
  },
};

type Figures = { documents: number; seconds: number; cpuSeconds: number; grewMb: number };

const newFigures = (): Figures => ({ documents: 0, seconds: 0, cpuSeconds: 0, grewMb: 0 });

function rowOf(how: string, { documents, seconds, cpuSeconds: cpu, grewMb }: Figures, single: Figures): Row {
  const times = round(documents / seconds / (single.documents / single.seconds));
  const cpuMs = (cpu * 1000) / documents;
  const cpuTimes = round(cpu / documents / (single.cpuSeconds / single.documents));
  return {
    how,
    documents,
    'a second': round(documents / seconds),
    times,
    'CPU ms each': round(cpuMs),
    'of the single': cpuTimes,
    'memory grew by, MB': round(grewMb),
  };
}

/** `grewMb`: the most that one turn took beyond what there was before it. */
async function measure(figures: Figures, server: TestServer, documents: number, work: () => Promise<void>): Promise<void> {
  const [before, cpuBefore] = [residentMb(server), cpuSeconds(server.process.pid!)];
  const watch = setInterval(() => (figures.grewMb = Math.max(figures.grewMb, residentMb(server) - before)), 50);
  const startedAt = performance.now();
  await work().finally(() => clearInterval(watch));
  figures.seconds += (performance.now() - startedAt) / 1000;
  figures.cpuSeconds += cpuSeconds(server.process.pid!) - cpuBefore;
  figures.documents += documents;
}

function residentMb({ process: { pid } }: TestServer): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const textOf = (n: number): string => `Report ${n}: the valve was opened, tested at ${n} bar and closed again. 启动前排气。`;

async function singles({ url }: TestServer, count: number, prefix: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let next = 0;
  const client = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++)
      await send(agent, `${url}/documents/${prefix}-${n}?filename=${n}.txt`, 'PUT', textOf(n), { Prefer: 'respond-async' });
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
}

const ndjson = { 'Content-Type': 'application/x-ndjson' };

function linesOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify({ doc_id: `${prefix}-${n}`, filename: `${n}.txt`, text: textOf(n) }),
  );
}

async function batches({ url }: TestServer, count: number, prefix: string): Promise<void> {
  const answer = await send(new Agent(), `${url}/documents:batch`, 'POST', linesOf(count, prefix).join('\n'), ndjson);
  const refused = answer.split('\n').filter((line) => line.includes('"error"'));
  if (refused.length > 0) throw new Error(`refused: ${refused[0]}`);
}

/** Whose task is there, waits, and has the bytes of its line. */
async function countTrue({ url }: TestServer, dataDir: string, told: readonly Told[]): Promise<number> {
  const layout = createLayout(dataDir);
  let right = 0;
  for (const { line, doc_id: docId, task_id: id } of told) {
    const task = (await (await fetch(`${url}/task/${id}`)).json()) as { doc_id?: string; status?: string };
    const isThere = docId === `killed-${line - 1}` && task.doc_id === docId && task.status === 'pending';
    if (isThere && readFileSync(layout.payload(id as TaskId), 'utf8') === textOf(line - 1)) right += 1;
  }
  return right;
}

function send(agent: Agent, url: string, method: string, body: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent, headers: { ...headers, 'Content-Length': Buffer.byteLength(body) } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => (response.statusCode! < 300 ? resolve(text) : reject(new Error(`${response.statusCode}: ${text}`))));
    });
    call.on('error', reject);
    call.end(body);
  });
}
