/**
 * From `node src/main.ts` to a `/ready` that says yes, with an empty directory and with much in it, and what the processes hold
 * at rest: `npm run bench -- start [TASKS] [CHUNKS]`. Beside them a bare Koa server, and the packages' size on the disk.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBuiltinEmbedder } from '../../src/embed/builtin-embedder.ts';
import { openSqliteIndex } from '../../src/search/sqlite/sqlite-index.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { retain } from '../crash/contention.ts';
import { makeDataDir, removeDir, startServer } from '../support/server.ts';
import { stageDocument } from '../support/staged-document.ts';
import { pageLines } from '../support/prose.ts';
import type { Bench, Row } from './bench.ts';
import { barsOf } from './record.ts';
import { childrenOf, percentile, residentBytes, round } from './process-figures.ts';

const rounds = 5;
const documentChunks = 100;
const root = fileURLToPath(new URL('../..', import.meta.url));

export const bench: Bench = {
  title: `median of ${rounds} starts in ms until ready, and MB at rest`,
  async run([tasks = '100000', chunks = '100000']) {
    const full = await makeDataDir();
    const empty = await makeDataDir();
    try {
      retain(full, Number(tasks));
      await fill(join(full, 'index'), Number(chunks));
      const limit = await bareKoa();
      return [
        { what: 'limit: a bare Koa server', ...limit, 'ms ÷ limit': 1 },
        await starts('empty directory', empty, limit['ms']),
        await starts(`${tasks} tasks, ${chunks} chunks`, full, limit['ms']),
        { what: 'installed packages, without those for development', MB: installedMb() },
      ];
    } finally {
      await removeDir(full);
      await removeDir(empty);
    }
  },
  chart: (rows) => barsOf(rows, (row) => String(row['what']), ['ms'], { title: 'From start to ready', unit: 'ms' }),
};

async function starts(what: string, dataDir: string, limitMs: number): Promise<Row> {
  const times: number[] = [];
  let resident: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
    times.push(performance.now() - startedAt);
    resident = [server.process.pid!, ...childrenOf(server.process.pid!)].map(residentBytes);
    await server.stop();
  }
  const ms = percentile(times, 0.5);
  return {
    what,
    ms: Math.round(ms),
    'ms ÷ limit': round(ms / limitMs),
    MB: resident.map((bytes) => Math.round(bytes / 1e6)).join(' + '),
  };
}

/** Koa and one route in a process of its own: what any such server costs before it does anything. */
async function bareKoa(): Promise<{ ms: number; MB: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'rag-intake-bench-'));
  const file = join(folder, 'koa.mjs');
  const koa = import.meta.resolve('koa');
  await writeFile(
    file,
    `import Koa from ${JSON.stringify(koa)};\nnew Koa().use((ctx) => { ctx.body = 'ok'; }).listen(0, () => process.send('up'));\n`,
  );
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const child = fork(file);
    await new Promise((resolve) => child.once('message', resolve));
    times.push(performance.now() - startedAt);
    bytes = residentBytes(child.pid!);
    child.kill('SIGKILL');
  }
  await rm(folder, { recursive: true });
  return { ms: Math.round(percentile(times, 0.5)), MB: Math.round(bytes / 1e6) };
}

async function fill(indexDir: string, chunks: number): Promise<void> {
  const index = openSqliteIndex({ indexDir, embedder: createBuiltinEmbedder() });
  const staged = await mkdtemp(join(tmpdir(), 'rag-intake-bench-'));
  for (let number = 0; number * documentChunks < chunks; number += 1) {
    const document = await stageDocument(staged, {
      docId: `doc-${number}`,
      version: `0190a0b0-0000-7000-8000-${String(number).padStart(12, '0')}` as TaskId,
      texts: Array.from({ length: documentChunks }, (_, page) => pageLines(number * documentChunks + page, 12).join(' ')),
    });
    await index.replace(document, staged);
  }
  await index.close();
  await rm(staged, { recursive: true });
}

/** As `npm ci --omit=dev` leaves them: what the lock file does not mark as wanted for development alone. */
function installedMb(): number {
  type Locked = { readonly dev?: boolean; readonly devOptional?: boolean };
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
  const folders = Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional && existsSync(join(root, path)))
    .map(([path]) => path);
  const sizes = execFileSync('du', ['-sk', '--exclude=node_modules', ...folders], { cwd: root, encoding: 'utf8' });
  return Math.round(
    sizes
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + Number.parseInt(line, 10), 0) / 1024,
  );
}
