/**
 * The Piscina pool in which documents are parsed and embedded: at most four threads, one document each. It turns every way a
 * thread can end (answer, abort, deadline, out of memory, crash) into one value. At most as many jobs are given to Piscina
 * as it has threads: its own queue mishandles jobs with a signal (maxQueue and needsDrain, measured on 5.3).
 */
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Logger } from '../logger.ts';
import type { StageCounts } from '../tasks/progress.ts';
import { type Deadlines, type Overrun, watchDeadlines } from './deadlines.ts';
import { failureOf, traceOf } from './failure.ts';
import type { IngestJob, IngestOutcome, ProgressMessage, ThreadSettings } from './job.ts';
import { createMemoryBlame } from './memory-blame.ts';

export type ThreadPoolOptions = {
  readonly threads: number;
  /** The module whose default export runs one job. */
  readonly filename: string;
  readonly settings: ThreadSettings;
  /** Of each thread's heap; Buffers and WASM memory are outside it, so the process is watched too. */
  readonly threadMemoryMb: number;
  readonly deadlines: Deadlines;
  readonly logger: Logger;
};

/** A job without its port, which the pool makes. */
export type ThreadJob = Omit<IngestJob, 'port'>;

/** How a run ended: the thread's own answer, or why there is none. */
export type RunOutcome =
  | IngestOutcome
  | { readonly ok: false; readonly code: 'aborted' }
  | { readonly ok: false; readonly code: 'crashed'; readonly message: string };

export interface ThreadPool {
  readonly threads: number;
  /** Resolves when every thread has answered a ping: a thread that cannot start would hang every later job. */
  ready(): Promise<void>;
  /** Never rejects. An abort ends the thread itself, in about 10 ms even inside an endless loop (measured). */
  run(job: ThreadJob, options: { signal: AbortSignal; onProgress: (counts: StageCounts) => void }): Promise<RunOutcome>;
  /** Ends all threads now. */
  close(): Promise<void>;
}

/** A message that asks a thread only whether it is there. */
export const ping = 'ping';

/** Starts the threads; see `ready`. */
export function createThreadPool(options: ThreadPoolOptions): ThreadPool {
  const pool = new Piscina({
    filename: options.filename,
    minThreads: options.threads,
    maxThreads: options.threads,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 1,
    workerData: options.settings,
    resourceLimits: { maxOldGenerationSizeMb: options.threadMemoryMb },
  });
  pool.on('error', (error: Error) => options.logger.error({ err: error }, 'a thread of the pool failed'));
  const memory = watchMemory(options);

  /** Answered from outside, whatever the thread is caught in. */
  async function cpuTimeOf(threadId: number): Promise<number | null> {
    const usage = await pool.threads.find((worker) => worker.threadId === threadId)?.cpuUsage();
    return usage === undefined ? null : (usage.user + usage.system) / 1000;
  }

  return {
    threads: options.threads,
    async ready() {
      await Promise.all(Array.from({ length: options.threads }, () => pool.run(ping)));
    },
    async run(job, { signal, onProgress }) {
      const { port1, port2 } = new MessageChannel();
      const guard = createGuard(options.deadlines, cpuTimeOf, signal);
      const release = memory.add(guard);
      const heard = ({ threadId, cpuMs, onPage, ...counts }: ProgressMessage): void => {
        guard.heard({ ...counts, threadId, cpuMs, onPage });
        onProgress(counts);
      };
      port1.on('message', heard);
      try {
        const answer = await pool.run({ ...job, port: port2 }, { transferList: [port2], signal: guard.signal });
        // What was said before the answer, and is overtaken by it, since it came by another way.
        for (let rest = receiveMessageOnPort(port1); rest !== undefined; rest = receiveMessageOnPort(port1))
          heard(rest.message as ProgressMessage);
        return answer as IngestOutcome;
      } catch (error) {
        return guard.verdict() ?? toOutcome(error, options.threadMemoryMb);
      } finally {
        release();
        guard.end();
        port1.close();
      }
    },
    async close() {
      memory.stop();
      await pool.destroy();
    },
  };
}

function toOutcome(error: unknown, threadMemoryMb: number): RunOutcome {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return outOfMemory(threadMemoryMb, { sure: true });
  if (hasEnded(error)) return { ok: false, code: 'crashed', message: `${error.name}: ${error.message}` };
  return { ok: false, ...failureOf(error), trace: traceOf(error) };
}

/** The thread is gone, and not by an error that was thrown in it: Piscina's own sentences, and Node's errors of threads. */
function hasEnded(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if ('code' in error && String(error.code).startsWith('ERR_WORKER_')) return true;
  return /^(worker exited with code|Terminating worker thread)/.test(error.message);
}

function outOfMemory(threadMemoryMb: number, { sure }: { sure: boolean }): RunOutcome {
  const message = `The document needs more than ${threadMemoryMb} MB of memory to be read (THREAD_MEMORY_MB)`;
  return { ok: false, code: 'out_of_memory', message, retryable: !sure };
}

/** One that was only kept from going on is tried again. */
function overrunOutcome({ kind, sentence }: Overrun): RunOutcome {
  return kind === 'late'
    ? { ok: false, code: 'timeout', message: sentence, retryable: false }
    : { ok: false, code: 'stalled', message: sentence, retryable: true };
}

interface Guard {
  readonly signal: AbortSignal;
  heard(message: ProgressMessage): void;
  abort(verdict: RunOutcome): void;
  /** Why the guard ended the run; null when it did not. */
  verdict(): RunOutcome | null;
  end(): void;
}

/** Ends a run that its caller aborts, or that overruns its time. */
function createGuard(deadlines: Deadlines, cpuTimeOf: (threadId: number) => Promise<number | null>, outer: AbortSignal): Guard {
  const controller = new AbortController();
  let verdict: RunOutcome | null = null;

  function end(reason: RunOutcome): void {
    verdict ??= reason;
    controller.abort();
  }
  function onOuterAbort(): void {
    end({ ok: false, code: 'aborted' });
  }

  outer.addEventListener('abort', onOuterAbort, { once: true });
  if (outer.aborted) onOuterAbort();
  const watch = watchDeadlines({ deadlines, cpuTimeOf, onOverrun: (overrun) => end(overrunOutcome(overrun)) });
  return {
    signal: controller.signal,
    heard: (message) => watch.heard(message),
    abort: end,
    verdict: () => verdict,
    end() {
      watch.end();
      outer.removeEventListener('abort', onOuterAbort);
    },
  };
}

/** Counts what `resourceLimits` does not see, and ends whom `memory-blame.ts` names; one who was not surely guilty is tried again. */
function watchMemory(options: ThreadPoolOptions): { add: (guard: Guard) => () => void; stop: () => void } {
  const baseBytes = process.memoryUsage.rss();
  const bytesMax = baseBytes + options.threads * (options.threadMemoryMb + 256) * 1024 * 1024;
  const blame = createMemoryBlame<Guard>(bytesMax);
  const timer = setInterval(() => {
    const bytes = process.memoryUsage.rss();
    const blamed = blame.look(bytes, performance.now());
    if (blamed === null) return;
    options.logger.warn({ rssBytes: bytes, bytesMax }, 'memory limit reached; stopping the newest document');
    blamed.run.abort(outOfMemory(options.threadMemoryMb, { sure: blamed.sure }));
  }, 250);
  timer.unref();
  return {
    add(guard) {
      const remove = blame.add(guard, performance.now());
      return () => remove(performance.now());
    },
    stop: () => clearInterval(timer),
  };
}
