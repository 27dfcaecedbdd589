import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Deadlines } from '../../src/ingest/deadlines.ts';
import { createThreadPool, type ThreadJob, type ThreadPool } from '../../src/ingest/thread-pool.ts';
import { createLogger } from '../../src/logger.ts';
import type { StageCounts } from '../../src/tasks/progress.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { undescribed } from '../../src/tasks/given.ts';

const filename = fileURLToPath(new URL('../support/pool-thread.ts', import.meta.url));
const patient: Deadlines = { parseMs: 60_000, pageMs: 60_000, embedMs: 60_000 };
let pool: ThreadPool;

async function open(options: { deadlines?: Deadlines; threadMemoryMb?: number } = {}): Promise<ThreadPool> {
  pool = createThreadPool({
    threads: 2,
    filename,
    settings: { limits: {} as never, chunkTokensMax: 100, ocrLanguages: '', embedder: {} as never },
    threadMemoryMb: options.threadMemoryMb ?? 128,
    deadlines: options.deadlines ?? patient,
    logger: createLogger({ level: 'silent' }),
  });
  await pool.ready();
  return pool;
}

function job(behaviour: string): ThreadJob {
  return {
    taskId: '018f0000-0000-7000-8000-000000000001' as TaskId,
    ordinal: 0,
    docId: 'd',
    filename: behaviour,
    fileBytes: 1,
    sha256: '',
    declaredMediaType: null,
    ...undescribed,
    insertedAt: '2026-01-01T00:00:00.000Z',
    payloadPath: '/nowhere',
    scratchDir: '/nowhere',
  };
}

async function run(behaviour: string, signal = new AbortController().signal, onProgress: (counts: StageCounts) => void = () => {}) {
  return pool.run(job(behaviour), { signal, onProgress });
}

/** Runs what computes until the thread got a tenth of a processor: on a machine that is busier than that it is stalled, not late. */
async function runComputing(behaviour: string) {
  for (;;) {
    const outcome = await run(behaviour);
    if (outcome.ok || outcome.code !== 'stalled') return outcome;
  }
}

afterEach(async () => {
  await pool.close();
});

describe('the thread pool', () => {
  it('gives back what the thread answered', async () => {
    await open();

    expect(await run('fine')).toEqual({ ok: false, code: 'no_text', message: 'No text found', retryable: false });
  });

  it('reports progress while the thread works, in order', async () => {
    await open();
    const pages: (number | null)[] = [];

    await run('progress', undefined, (counts) => pages.push(counts.pagesDone));

    expect(pages).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it.each(['loop', 'regex'])(
    'ends a thread caught in a %s when its caller aborts, and runs the next job [S18]',
    async (behaviour) => {
      await open();
      const abort = new AbortController();
      const stuck = run(behaviour, abort.signal);
      abort.abort();

      expect(await stuck).toEqual({ ok: false, code: 'aborted' });
      expect(await run('fine')).toMatchObject({ code: 'no_text' });
    },
  );

  it('does not begin a job whose caller has aborted already', async () => {
    await open();

    expect(await run('exit', AbortSignal.abort())).toEqual({ ok: false, code: 'aborted' });
  });

  it('ends a page that computes for longer than it may, naming the setting', async () => {
    await open({ deadlines: { ...patient, pageMs: 200 } });

    expect(await runComputing('loop-on-page')).toMatchObject({
      ok: false,
      code: 'timeout',
      message: 'One page took longer than 0.2 s (PAGE_TIMEOUT_MS)',
    });
  });

  it('counts what is computed, not what else the machine does meanwhile', async () => {
    await open({ deadlines: { ...patient, pageMs: 300 } });

    expect(await run('compute-on-page')).toMatchObject({ code: 'no_text' });
  });

  it('gives what has no pages the time of the whole', async () => {
    await open({ deadlines: { ...patient, pageMs: 100 } });

    expect(await run('compute')).toMatchObject({ code: 'no_text' });
  });

  it.each(['wait', 'wait-embedding'])('blames no document when its thread waits for what does not come (%s)', async (behaviour) => {
    await open({ deadlines: { ...patient, pageMs: 30, embedMs: 300 } });

    expect(await run(behaviour)).toMatchObject({ ok: false, code: 'stalled', retryable: true });
    expect(await run('fine')).toMatchObject({ code: 'no_text' });
  });

  it('ends parsing that overruns its time, naming the setting', async () => {
    await open({ deadlines: { ...patient, parseMs: 200 } });

    expect(await runComputing('loop')).toMatchObject({
      code: 'timeout',
      message: 'Parsing the document took longer than 0.2 s (PARSE_TIMEOUT_MS)',
    });
  });

  it('ends embedding that overruns its time, naming the setting', async () => {
    await open({ deadlines: { ...patient, embedMs: 200 } });

    expect(await runComputing('silent-after-embedding')).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('EMBED_TIMEOUT_MS') as string,
    });
  });

  it('calls a thread that exits crashed, and one that throws an error of ours; and goes on with the next job', async () => {
    await open();

    expect(await run('exit')).toMatchObject({ ok: false, code: 'crashed' });
    const trace = expect.stringMatching(/^Error: a bug\n/) as string;
    expect(await run('throw')).toMatchObject({ ok: false, code: 'internal', retryable: false, trace });
    expect(await run('fine')).toMatchObject({ code: 'no_text' });
  });

  it('ends a thread that fills its heap, naming the setting', async () => {
    await open();

    expect(await run('heap')).toMatchObject({
      ok: false,
      code: 'out_of_memory',
      message: expect.stringContaining('THREAD_MEMORY_MB') as string,
    });
    expect(await run('fine')).toMatchObject({ code: 'no_text' });
  });

  it('ends a thread that fills memory with Buffers, which the heap limit does not count [S19]', async () => {
    await open();

    expect(await run('buffers')).toMatchObject({ ok: false, code: 'out_of_memory', retryable: false });
    expect(await run('fine')).toMatchObject({ code: 'no_text' });
  });

  it('does not call a document guilty of the memory that another one beside it fills', async () => {
    await open();
    const guilty = run('buffers');
    const innocent = run('loop');

    expect(await innocent).toMatchObject({ ok: false, code: 'out_of_memory', retryable: true });
    expect(await guilty).toMatchObject({ ok: false, code: 'out_of_memory', retryable: true });
  });
});
