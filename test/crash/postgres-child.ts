/**
 * A worker on the PostgreSQL engine with the real dispatcher and the real index, without parsers: a task's file name says what
 * happens to it. `SIGKILL finish`: the process that first comes to that step dies there; `SIGSTOP read`: it freezes; `wait`: the
 * task runs until it is told to stop. Its first argument is a `ChildOrder` as JSON; it reports each start and stop to its parent.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Engine } from '../../src/engines/engine.ts';
import { openPostgresEngine } from '../../src/engines/postgres/postgres-engine.ts';
import { createDispatcher } from '../../src/ingest/dispatcher.ts';
import type { ThreadPool } from '../../src/ingest/thread-pool.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { postgresEngineOptions } from '../support/postgres-harness.ts';
import { stageDocument } from '../support/staged-document.ts';

export type ChildOrder = {
  readonly url: string;
  /** The folder of this host: scratch space, and notes of which orders were followed. */
  readonly dir: string;
  readonly leaseMs: number;
};

/** `time` by the wall clock, in milliseconds. */
export type ChildReport = { readonly what: 'began' | 'stopped'; readonly id: TaskId; readonly time: number };

/** The five steps of settling. */
export const settlePoints = ['publish', 'replace', 'settle', 'finish', 'ack'] as const;

type Point = 'read' | (typeof settlePoints)[number];
type Reach = (point: Point, id: TaskId) => void;
type Report = (what: ChildReport['what'], id: TaskId) => void;

// While the server is away it cannot start; then it is started again.
if (import.meta.main) await work(JSON.parse(process.argv[2] ?? '') as ChildOrder).catch(() => process.exit(1));

async function work({ url, dir, leaseMs }: ChildOrder): Promise<void> {
  const engine = await openPostgresEngine({ ...postgresEngineOptions(url, 'worker', join(dir, 'work')), leaseMs });
  const names = new Map<TaskId, string>();
  const report: Report = (what, id) => void process.send?.({ what, id, time: Date.now() } satisfies ChildReport);
  const dispatcher = createDispatcher({
    engine: rig(engine, orders(dir, names), (id, filename) => {
      names.set(id, filename);
      report('began', id);
    }),
    pool: createPool(orders(dir, names), report),
    embedderId: 'none',
    now: () => new Date().toISOString(),
    retryDelayMs: () => 0,
    logger: silentLogger,
  });
  dispatcher.start();
  engine.lost.addEventListener('abort', () => process.exit(70));
  process.on('disconnect', () => process.exit(0));
  process.once('message', () => {
    const stopped = dispatcher.stop(1000).then(() => engine.close());
    void stopped.then(() => process.exit(0));
  });
  process.send?.('ready');
}

/** Each order is followed once, by whichever process comes there first. */
function orders(dir: string, names: ReadonlyMap<TaskId, string>): Reach {
  return (point, id) => {
    const [signal = '', where] = (names.get(id) ?? '').split(' ');
    const done = join(dir, `${signal}-${id}`);
    if (where !== point || existsSync(done)) return;
    writeFileSync(done, '');
    process.kill(process.pid, signal as NodeJS.Signals);
  };
}

/** The engine, with `reach` before each step of settling. */
function rig(engine: Engine, reach: Reach, onBegin: (id: TaskId, filename: string) => void): Engine {
  const { files, index, tasks, queue } = engine;
  return {
    ...engine,
    files: {
      ...files,
      publish: (docId, version, folder) => (reach('publish', version), files.publish(docId, version, folder)),
      settle: (docId, version) => (reach('settle', version), files.settle(docId, version)),
    },
    index: {
      ...index,
      replace: (document, folder) => (reach('replace', document.version), index.replace(document, folder)),
    },
    tasks: {
      ...tasks,
      async begin(id) {
        const begun = await tasks.begin(id);
        if (begun.outcome === 'started') onBegin(id, begun.task.filename);
        return begun;
      },
      finish: (id, attempt, outcome) => (reach('finish', id), tasks.finish(id, attempt, outcome)),
    },
    queue: {
      ...queue,
      async claim(lanes, signal) {
        const lease = await queue.claim(lanes, signal);
        return lease === null ? null : { ...lease, ack: () => (reach('ack', lease.taskId), lease.ack()) };
      },
    },
  };
}

/** Makes of every file a document of two chunks. */
function createPool(reach: Reach, report: Report): ThreadPool {
  return {
    threads: 4,
    ready: () => Promise.resolve(),
    async run({ taskId, docId, filename, sha256, scratchDir }, { signal }) {
      if (filename === 'wait') {
        if (!signal.aborted) await once(signal, 'abort');
        report('stopped', taskId);
        return { ok: false, code: 'aborted' };
      }
      const texts = [`about ${docId}`, `more about ${docId}`];
      const document = await stageDocument(scratchDir, { docId, version: taskId, filename, sha256, texts });
      reach('read', taskId);
      return { ok: true, document, warnings: [], stageMs: { parse: 0, chunk: 0, embed: 0 } };
    },
    close: () => Promise.resolve(),
  };
}
