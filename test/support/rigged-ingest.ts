/**
 * The real thread, except for documents whose file name asks for trouble: the ways in which a document can take its thread,
 * its process or a processor with it, at will. Everything else is read, embedded and indexed as always.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type IngestJob, type IngestOutcome, progressMessage } from '../../src/ingest/job.ts';
import { ping } from '../../src/ingest/thread-pool.ts';
import { type TaskStage, taskStages } from '../../src/tasks/task.ts';
import realIngest from '../../workers/ingest.ts';

const held: unknown[] = [];

export default async function ingest(job: IngestJob | typeof ping): Promise<IngestOutcome | typeof ping> {
  if (job !== ping) await misbehave(job);
  return realIngest(job);
}

/** `busy-800.txt` computes for 800 ms first, `wait-800.txt` only takes its time, `hang-embedding.txt` never leaves a stage. */
async function misbehave(job: IngestJob): Promise<void> {
  const [behaviour, detail] = job.filename.replace(/\.[^.]*$/, '').split('-');
  job.port.postMessage(progressMessage({ stage: 'parsing' }, false));
  switch (behaviour) {
    case 'abort':
      // What V8 does when some growth meets its end; process.abort() itself is refused in threads.
      return void process.kill(process.pid, 'SIGABRT');
    case 'exit':
      return process.exit(3);
    case 'throw':
      throw new Error('a bug in a parser');
    case 'heap':
      for (;;) held.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
    case 'buffers':
      for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
    case 'redos':
      return void /^(a+)+$/.test(`${'a'.repeat(80)}!`);
    case 'hang':
      job.port.postMessage(
        progressMessage({ stage: stageOf(detail), pagesDone: 0, pagesTotal: 1, chunksDone: 0, chunksTotal: 1 }, true),
      );
      for (;;) held.length = 0;
    case 'busy':
      return spin(Number(detail));
    case 'wait':
      await pause(Number(detail));
      return;
    default:
  }
}

function stageOf(text: string | undefined): TaskStage {
  return taskStages.find((stage) => stage === text) ?? 'parsing';
}

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) held.length = 0;
}
