/** A thread for the pool's tests: its file name says how it behaves. */
import type { IngestJob, IngestOutcome } from '../../src/ingest/job.ts';
import { ping } from '../../src/ingest/thread-pool.ts';

const held: unknown[] = [];

export default async function misbehave(job: IngestJob | typeof ping): Promise<IngestOutcome | typeof ping> {
  if (job === ping) return ping;
  const report = (stage: 'parsing' | 'embedding', pagesDone: number): void =>
    job.port.postMessage({ stage, pagesDone, pagesTotal: 10, chunksDone: null, chunksTotal: null });
  try {
    switch (job.filename) {
      case 'loop':
        for (;;) held.length = 0;
      case 'regex':
        return { ok: false, code: 'internal', message: String(/^(a+)+$/.test(`${'a'.repeat(60)}!`)), retryable: false };
      case 'silent-after-embedding':
        report('embedding', 0);
        for (;;) held.length = 0;
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
