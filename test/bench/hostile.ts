/**
 * Uploads every hostile file of test/support to a real server with the usual settings, one after the other:
 *
 *   npm run hostile [-- PART OF A NAME]
 *
 * Prints for each how it ended, whether that is its sentence, seconds until then (20 at most), peak memory of the worker process
 * (1 GB at most) and how soon a plain file behind it was searchable (2 s at most); then what became of GET /health and of the
 * processes. Exits with 1 when anything is not as it must be.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endsRight } from '../support/hostile-file.ts';
import { hostileFiles, upload, watchHealth } from '../support/hostile-upload.ts';
import { makeDataDir, removeDir, startServer, type TestServer } from '../support/server.ts';
import { childrenOf, peakBytes, residentBytes } from './process-figures.ts';

const secondsMax = 20;
const memoryMbMax = 1024;
const nextSecondsMax = 2;

const calls: string[] = [];
const canary = createServer((request, response) => {
  calls.push(request.url ?? '');
  response.end();
});
await new Promise<void>((resolve) => {
  canary.listen(0, '127.0.0.1', resolve);
});
const files = hostileFiles(`http://127.0.0.1:${(canary.address() as AddressInfo).port}`);
const dataDir = await makeDataDir();
const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
const pid = server.process.pid!;
const workers = new Set(childrenOf(pid));
const health = watchHealth(server);
const rows = [];
for (const [index, file] of files.filter(({ name }) => name.includes(process.argv[2] ?? '')).entries())
  rows.push(await runOne(server, index, file));
const asked = await health.stop();
const restarts = childrenOf(pid).filter((each) => !workers.has(each)).length;
const isSame = server.process.exitCode === null && server.process.pid === pid;
await server.stop();
canary.close();
await removeDir(dataDir);

console.table(rows.map(({ isRight, ...row }) => ({ ok: isRight ? 'ok' : 'WRONG', ...row })));
console.log(
  `GET /health: asked ${asked.asked} times, not answered ${asked.failed} times, longest ${asked.longestMs.toFixed(0)} ms; ` +
    `front end's process ${isSame ? 'the same' : 'ANOTHER'}, worker started again ${restarts === 0 ? 'never' : `(${restarts})`}; ` +
    `calls home: ${calls.length}`,
);
const wrong = rows.filter(({ isRight }) => !isRight).length;
console.log(`${rows.length - wrong} of ${rows.length} files ended as they must`);
process.exit(wrong === 0 && asked.failed === 0 && isSame && calls.length === 0 ? 0 : 1);

async function runOne(on: TestServer, index: number, file: (typeof files)[number]) {
  const bytes = file.bytes();
  const [worker] = childrenOf(pid);
  forgetPeak(worker!);
  const startMb = residentBytes(worker!) / 2 ** 20;
  const begun = performance.now();
  const said = await upload(on, file.name, bytes);
  const seconds = (performance.now() - begun) / 1000;
  const [now] = childrenOf(pid);
  const peakMb = now === worker ? peakBytes(worker!) / 2 ** 20 : NaN;
  const nextBegun = performance.now();
  const next = await upload(on, 'next.txt', `A plain file, the ${index}th.`);
  const nextSeconds = (performance.now() - nextBegun) / 1000;
  const isInBounds = seconds <= secondsMax && nextSeconds <= nextSecondsMax && !(peakMb > memoryMbMax);
  return {
    isRight: endsRight(file, said) && isInBounds && next === 'read',
    file: file.name,
    said: said.slice(0, 90),
    seconds: Number(seconds.toFixed(1)),
    'peak MB': Math.round(peakMb),
    'MB before': Math.round(startMb),
    'next after s': Number(nextSeconds.toFixed(2)),
  };
}

/** Peak memory counts from now on (proc(5): clear_refs). */
function forgetPeak(worker: number): void {
  writeFileSync(`/proc/${worker}/clear_refs`, '5');
}
