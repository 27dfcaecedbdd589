/**
 * A worker on the Redis engine with the real dispatcher and without parsers: a task's file name says what happens to it.
 * `SIGKILL finish`: the process that first comes to that step of settling dies there; `SIGSTOP finish`: it freezes; `wait`: the
 * task runs until it is told to stop. Its first argument is a `ChildOrder` as JSON; it reports each start and end to its parent.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Engine } from '../../src/engines/engine.ts';
import { openRedisEngine } from '../../src/engines/redis/redis-engine.ts';
import { createDispatcher } from '../../src/ingest/dispatcher.ts';
import type { ThreadPool } from '../../src/ingest/thread-pool.ts';
import type { Task, TaskId } from '../../src/tasks/task.ts';
import { indexedDocument, silentLogger, stageInto } from '../support/engine-steps.ts';
import { redisEngineOptions } from '../support/redis-harness.ts';

export type ChildOrder = {
  readonly place: { readonly url: string; readonly prefix: string; readonly dataDir: string };
  readonly leaseMs: number;
};

/** `time` by the wall clock, in milliseconds. */
export type ChildReport = { readonly what: 'began' | 'stopped' | 'ended' | 'fenced'; readonly id: TaskId; readonly time: number };

/** The five steps of settling. */
export const settlePoints = ['publish', 'replace', 'settle', 'finish', 'ack'] as const;

// While the server is away it cannot start; then it is started again.
if (import.meta.main) await work(JSON.parse(process.argv[2] ?? '') as ChildOrder).catch(() => process.exit(1));

async function work({ place, leaseMs }: ChildOrder): Promise<void> {
  const engine = await openRedisEngine({ ...redisEngineOptions(place, 'worker'), leaseMs });
  const names = new Map<string, string>();
  const report = (what: ChildReport['what'], id: TaskId): void => void process.send?.({ what, id, time: Date.now() });

  /** Each order is followed once, by whichever process comes there first. */
  function reach(point: (typeof settlePoints)[number], id: TaskId): void {
    const [signal = '', where] = (names.get(id) ?? '').split(' ');
    const done = join(place.dataDir, `${signal}-${id}`);
    if (where !== point || existsSync(done)) return;
    writeFileSync(done, '');
    process.kill(process.pid, signal as NodeJS.Signals);
  }

  const rigged: Engine = {
    ...engine,
    lost: engine.lost,
    files: {
      ...engine.files,
      publish: (docId, version, folder) => (reach('publish', version), engine.files.publish(docId, version, folder)),
      settle: (docId, version) => (reach('settle', version), engine.files.settle(docId, version)),
    },
    index: {
      ...engine.index,
      replace: (document, folder) => (reach('replace', document.version), engine.index.replace(document, folder)),
    },
    tasks: {
      ...engine.tasks,
      async begin(id) {
        const begun = await engine.tasks.begin(id);
        if (begun.outcome === 'started') {
          names.set(id, begun.task.filename);
          report('began', id);
        }
        return begun;
      },
      async finish(id, attempt, outcome) {
        reach('finish', id);
        const answer = await engine.tasks.finish(id, attempt, outcome);
        report(answer === 'ok' ? 'ended' : 'fenced', id);
        return answer;
      },
    },
    queue: {
      ...engine.queue,
      async claim(lanes, signal) {
        const lease = await engine.queue.claim(lanes, signal);
        return lease === null ? null : { ...lease, ack: () => (reach('ack', lease.taskId), lease.ack()) };
      },
    },
  };

  const pool: ThreadPool = {
    threads: 4,
    ready: () => Promise.resolve(),
    async run(job, { signal }) {
      if (job.filename === 'wait') {
        if (!signal.aborted) await once(signal, 'abort');
        report('stopped', job.taskId);
        return { ok: false, code: 'aborted' };
      }
      const task = { ...job, id: job.taskId } as unknown as Task;
      await stageInto(job.scratchDir, task);
      return { ok: true, document: indexedDocument(task), warnings: [], stageMs: { parse: 0, chunk: 0, embed: 0 } };
    },
    close: () => Promise.resolve(),
  };

  const now = (): string => new Date().toISOString();
  const dispatcher = createDispatcher({
    engine: rigged,
    pool,
    embedderId: 'none',
    now,
    retryDelayMs: () => 0,
    logger: silentLogger,
  });
  dispatcher.start();
  engine.lost.addEventListener('abort', () => process.exit(70));
  process.on(
    'message',
    () =>
      void dispatcher
        .stop(1000)
        .then(() => engine.close())
        .then(() => process.exit(0)),
  );
  process.on('disconnect', () => process.exit(0));
  process.send?.({ what: 'ready' });
}
