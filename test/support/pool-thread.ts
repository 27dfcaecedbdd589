/** A thread for the pool's tests: its file name says how it behaves. */
import { setTimeout as pause } from 'node:timers/promises';
import { type IngestJob, type IngestOutcome, progressMessage } from '../../src/ingest/job.ts';
import { cpuTimeMs } from '../../src/parse/cpu-time.ts';
import { ping } from '../../src/ingest/thread-pool.ts';

const held: unknown[] = [];

export default async function misbehave(job: IngestJob | typeof ping): Promise<IngestOutcome | typeof ping> {
  if (job === ping) return ping;
  const report = (stage: 'parsing' | 'embedding', pagesDone: number, onPage = false): void =>
    job.port.postMessage(progressMessage({ stage, pagesDone, pagesTotal: 10 }, onPage));
  try {
    switch (job.filename) {
      case 'loop':
      case 'loop-on-page':
        report('parsing', 0, job.filename === 'loop-on-page');
        for (;;) held.length = 0;
      case 'compute-on-page':
      case 'compute':
        // Every now and then, as on a machine that is busy with something else; or at once.
        report('parsing', 0, job.filename === 'compute-on-page');
        for (let turn = 0; turn < 30; turn += 1) {
          computeFor(job.filename === 'compute' ? 20 : 2);
          if (job.filename === 'compute-on-page') await pause(20);
        }
        return { ok: false, code: 'no_text', message: 'No text found', retryable: false };
      case 'wait':
        report('parsing', 0);
        await pause(2 ** 30);
        return { ok: false, code: 'no_text', message: 'No text found', retryable: false };
      case 'regex':
        return { ok: false, code: 'internal', message: String(/^(a+)+$/.test(`${'a'.repeat(60)}!`)), retryable: false };
      case 'silent-after-embedding':
        report('embedding', 0);
        for (;;) held.length = 0;
      case 'wait-embedding':
        report('embedding', 0);
        await pause(2 ** 30);
        return { ok: false, code: 'no_text', message: 'No text found', retryable: false };
      case 'exit':
        process.exit(3);
      // falls through: process.exit does not return
      case 'throw':
        throw new Error('a bug');
      case 'heap':
        for (;;) held.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
      case 'buffers':
        for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
      case 'progress':
        for (let page = 1; page <= 10; page += 1) report('parsing', page);
        return { ok: false, code: 'no_text', message: 'No text found', retryable: false };
      default:
        return { ok: false, code: 'no_text', message: 'No text found', retryable: false };
    }
  } finally {
    job.port.close();
  }
}

function computeFor(ms: number): void {
  for (const end = cpuTimeMs() + ms; cpuTimeMs() < end;) held.length = 0;
}
