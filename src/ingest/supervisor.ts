/**
 * Keeps one worker process alive beside the front end. A document can bring a whole process down (on Node 24 some growth
 * aborts it, whatever `resourceLimits` say); the front end must not be that process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Logger } from '../logger.ts';

export type SupervisorOptions = {
  /** The module to run, and its arguments. */
  readonly filename: string;
  readonly args: readonly string[];
  /** Flags for `node` itself, beside those of this process. */
  readonly execArgv?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** A worker that has never been up ended because it cannot start, now or with these settings: whether that is the end of it. */
  readonly onRefused?: (exitCode: number) => boolean;
};

export interface Supervisor {
  /** Whether the worker has said that its threads are up. */
  readonly up: boolean;
  /** Workers that were started after the first one. */
  readonly restarts: number;
  /** Memory of the worker process; null when there is none, or where the system does not say (it does on Linux). */
  residentBytes(): Promise<number | null>;
  start(): void;
  /**
   * Asks the worker something (`answering`), and tells it when the asker does not want the answer any more. Any number at once.
   * @throws AppError `unavailable` when no worker is up, or when it ends before it has answered.
   */
  ask(question: object, signal: AbortSignal): Promise<unknown>;
  /** Asks the worker to stop and waits for its end, `stopMs` at the longest; then kills it. Safe twice. */
  stop(stopMs: number): Promise<void>;
}

/** Of a process that cannot start before somebody has changed its settings. */
export const exitConfig = 78;

/** What a worker sends when its threads have answered. */
export const workerReady = 'ready';

/** How a process ends that cannot start, having said why: now, or with these settings. */
const refusals = [69, exitConfig];

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly question: unknown }
  | { readonly kind: 'never-mind'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown };

/** In the worker process: answers what the front end asks by `Supervisor.ask`. `answer` must not reject. */
export function answering(answer: (question: unknown, signal: AbortSignal) => Promise<unknown>): void {
  const open = new Map<number, AbortController>();
  process.on('message', (message: Message) => {
    if (message.kind === 'never-mind') return open.get(message.id)?.abort();
    if (message.kind !== 'ask') return;
    const { id, question } = message;
    const gone = new AbortController();
    open.set(id, gone);
    void answer(question, gone.signal).then((found) => {
      open.delete(id);
      if (process.connected) process.send!({ kind: 'answer', id, answer: found } satisfies Message);
    });
  });
}

const restartMsMin = 50;
const restartMsMax = 1000;

function workerGone(): AppError {
  return new AppError('unavailable', 'The worker process is not running, or has ended; send the file again in a moment.', {
    retryAfterSeconds: 2,
  });
}

export function createSupervisor({ filename, args, execArgv = [], env, logger, onRefused }: SupervisorOptions): Supervisor {
  let child: ChildProcess | null = null;
  let up = false;
  let wasUp = false;
  let stopped = false;
  let restarts = 0;
  let restartMs = restartMsMin;
  let timer: NodeJS.Timeout | undefined;
  let asked = 0;
  const open = new Map<number, PromiseWithResolvers<unknown>>();

  function start(): void {
    const worker = fork(filename, [...args], {
      env,
      execArgv: [...process.execArgv, ...execArgv],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = worker;
    worker.on('message', (message) => {
      if (message === workerReady) up = wasUp = true;
      const { kind, id, answer } = message as { kind?: string; id?: number; answer?: unknown };
      if (kind === 'answer') open.get(id!)?.resolve(answer);
    });
    worker.on('error', (error) => logger.error({ err: error }, 'the worker process could not be started'));
    worker.on('exit', (exitCode, signal) => {
      // Only a worker that fails at its start, before its threads are up, is waited for longer each time.
      restartMs = up ? restartMsMin : Math.min(restartMsMax, restartMs * 2);
      up = false;
      child = null;
      for (const { reject } of open.values()) reject(workerGone());
      if (stopped) return;
      if (!wasUp && exitCode !== null && refusals.includes(exitCode) && onRefused?.(exitCode) === true) return;
      logger.error({ exitCode, signal, restartMs }, 'the worker process ended; starting another');
      timer = setTimeout(restart, restartMs);
    });
  }

  function restart(): void {
    restarts += 1;
    start();
  }

  return {
    get up() {
      return up;
    },
    get restarts() {
      return restarts;
    },
    async residentBytes() {
      const status = await readFile(`/proc/${child?.pid ?? 'none'}/status`, 'latin1').catch(() => '');
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    },
    start,
    async ask(question, signal) {
      const worker = child;
      if (!up || worker === null) throw workerGone();
      const id = (asked += 1);
      const waiting = Promise.withResolvers<unknown>();
      open.set(id, waiting);
      const neverMind = (): void => void worker.send({ kind: 'never-mind', id } satisfies Message, () => {});
      signal.addEventListener('abort', neverMind, { once: true });
      try {
        worker.send({ kind: 'ask', id, question } satisfies Message, (error) => error != null && waiting.reject(workerGone()));
        if (signal.aborted) neverMind();
        return await waiting.promise;
      } finally {
        open.delete(id);
        signal.removeEventListener('abort', neverMind);
      }
    },
    async stop(stopMs) {
      stopped = true;
      clearTimeout(timer);
      const worker = child;
      if (worker === null || worker.exitCode !== null) return;
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.kill('SIGTERM');
      const killer = setTimeout(() => worker.kill('SIGKILL'), stopMs);
      await ended;
      clearTimeout(killer);
    },
  };
}
