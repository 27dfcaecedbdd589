/**
 * Texts of 1.4 KB until they are searchable, and what one of them asks of the disk: `npm run bench -- small [DOCUMENTS]`, 1,000 by each
 * number of clients. Beside it, as the limit, one Node process that takes the same requests and keeps each text in SQLite with FTS5: one
 * flushed transaction a document; no task, no queue, no second process.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { measureDisk } from '../support/flush-stages.ts';
import { makeDataDir, removeDir, startServer } from '../support/server.ts';
import type { Bench, Row } from './bench.ts';
import { childrenOf, cpuSeconds, percentile, round } from './process-figures.ts';
import { besideEachOther } from './record.ts';
import { senderTo, smallText } from './small-uploads.ts';

const clients = [8, 32];
const warmUps = 100;
const countedUploads = 30;

type Target = { readonly url: string; readonly pids: readonly number[]; stop(): Promise<void> };
type Figures = { readonly perSecond: number; readonly cpuMs: number; readonly p50: number; readonly p99: number };

export const bench: Bench = {
  title: 'small documents to searchable, beside a plain SQLite server, in one run',
  argsAmongAll: ['300'],
  async run([documents = '1000']) {
    const rows: Row[] = [];
    for (const concurrency of clients) {
      const limit = await measure(startLimit, concurrency, Number(documents), 'new');
      const ours = await measure(startOurs, concurrency, Number(documents), 'new');
      const unchanged = await measure(startOurs, concurrency, Number(documents), 'unchanged');
      rows.push(toRow('limit', concurrency, limit, limit), toRow('ours', concurrency, ours, limit));
      rows.push(toRow('ours, unchanged bytes', concurrency, unchanged, limit));
    }
    const disk = await measureDisk(Array.from({ length: countedUploads }, smallText));
    rows.push({ who: 'ours, one upload on the disk', ...disk.fresh });
    rows.push({ who: 'ours, one of unchanged bytes', ...disk.unchanged });
    return rows;
  },
  chart: (rows) =>
    besideEachOther(
      rows,
      { label: (row) => `${row['clients']} clients`, who: ['ours', 'ours, unchanged bytes'], figure: '÷ limit' },
      { title: 'Small documents a second: part of a plain SQLite server', unit: 'documents/s ÷ limit', goal: 0.25 },
    ),
};

async function startOurs(): Promise<Target> {
  const dataDir = await makeDataDir();
  const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
  return {
    url: server.url,
    pids: [server.process.pid!, ...childrenOf(server.process.pid!)],
    async stop() {
      await server.stop();
      await removeDir(dataDir);
    },
  };
}

async function startLimit(): Promise<Target> {
  const dataDir = await makeDataDir();
  const child = fork(fileURLToPath(new URL('small-peer.ts', import.meta.url)), [dataDir]);
  const url = await new Promise<string>((resolve) => child.once('message', (message) => resolve(message as string)));
  return {
    url,
    pids: [child.pid!],
    async stop() {
      child.kill('SIGKILL');
      await removeDir(dataDir);
    },
  };
}

async function measure(
  start: () => Promise<Target>,
  concurrency: number,
  count: number,
  bytes: 'new' | 'unchanged',
): Promise<Figures> {
  const target = await start();
  const sender = senderTo(target.url, concurrency);
  const bodies = Array.from({ length: count }, smallText);
  try {
    await inTurns(concurrency, warmUps, (n) => sender.send(`warm-${n}`, smallText()));
    if (bytes === 'unchanged') await inTurns(concurrency, count, (n) => sender.send(`doc-${n}`, bodies[n]!));
    const times: number[] = [];
    const cpuBefore = cpuOf(target);
    const startedAt = performance.now();
    await inTurns(concurrency, count, async (n) => {
      const sentAt = performance.now();
      await sender.send(`doc-${n}`, bodies[n]!);
      times.push(performance.now() - sentAt);
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuMs = ((cpuOf(target) - cpuBefore) * 1000) / count;
    return { perSecond: count / seconds, cpuMs, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  } finally {
    sender.close();
    await target.stop();
  }
}

function cpuOf({ pids }: Target): number {
  return pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
}

async function inTurns(concurrency: number, count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: concurrency }, client));
}

function toRow(who: string, concurrency: number, figures: Figures, limit: Figures): Row {
  return {
    who,
    clients: concurrency,
    'documents/s': round(figures.perSecond),
    '÷ limit': round(figures.perSecond / limit.perSecond),
    'CPU ms each': round(figures.cpuMs),
    'CPU ÷ limit': round(figures.cpuMs / limit.cpuMs),
    'p50 ms': round(figures.p50),
    'p99 ms': round(figures.p99),
  };
}
