/**
 * Many small documents: one POST /documents:batch beside single requests by 8 clients, to the same kind of server in the same run. Each
 * is durable when it is answered (202 of a request that does not wait, the line of a batch). Without a worker beside it (`--role api`),
 * so that only taking them in is measured; and what the front end's memory grows by while 10,000 lines go through it.
 */
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { makeDataDir, removeDir, startProcess, type TestServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { cpuSeconds, round } from './process-figures.ts';

const clients = 8;
const usual = 2000;
const env = { QUEUE_MAX: '1000000', RATE_LIMIT: '0' };

export const bench: Bench = {
  title: 'documents accepted a second: one batch beside single requests by 8 clients',
  argsAmongAll: ['500'],
  async run(args) {
    const count = Number(args[0] ?? usual);
    const single = await onServer(count, (server) => singles(server, count));
    const batch = await onServer(count, (server) => batches(server, count));
    return [rowOf(`single requests, ${clients} clients`, single, single), rowOf('one batch', batch, single)];
  },
};

type Figures = { readonly documents: number; readonly perSecond: number; readonly cpuMs: number; readonly grewMb: number };

function rowOf(how: string, { documents, perSecond, cpuMs, grewMb }: Figures, single: Figures): Row {
  const times = round(perSecond / single.perSecond);
  return { how, documents, 'a second': round(perSecond), times, 'CPU ms each': round(cpuMs), 'memory grew by, MB': round(grewMb) };
}

async function onServer(documents: number, work: (server: TestServer) => Promise<void>): Promise<Figures> {
  const dataDir = await makeDataDir();
  const server = await startProcess({ dataDir, env, args: ['--role', 'api'] });
  try {
    await batches(server, 200, 'warm');
    const [before, cpuBefore] = [residentMb(server), cpuSeconds(server.process.pid!)];
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, residentMb(server))), 50);
    const startedAt = performance.now();
    await work(server).finally(() => clearInterval(watch));
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuMs = ((cpuSeconds(server.process.pid!) - cpuBefore) * 1000) / documents;
    return { documents, perSecond: documents / seconds, cpuMs, grewMb: most - before };
  } finally {
    await server.stop();
    await removeDir(dataDir);
  }
}

function residentMb({ process: { pid } }: TestServer): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

const textOf = (n: number): string => `Report ${n}: the valve was opened, tested at ${n} bar and closed again. 启动前排气。`;

async function singles({ url }: TestServer, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let next = 0;
  const client = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++)
      await send(agent, `${url}/documents/single-${n}?filename=${n}.txt`, 'PUT', textOf(n), { Prefer: 'respond-async' });
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
}

async function batches({ url }: TestServer, count: number, prefix = 'batch'): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, n) => `${JSON.stringify({ doc_id: `${prefix}-${n}`, filename: `${n}.txt`, text: textOf(n) })}\n`,
  );
  const agent = new Agent();
  const answer = await send(agent, `${url}/documents:batch`, 'POST', lines.join(''), { 'Content-Type': 'application/x-ndjson' });
  const refused = answer.split('\n').filter((line) => line.includes('"error"'));
  if (refused.length > 0) throw new Error(`refused: ${refused[0]}`);
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
