/**
 * A worker with the real dispatcher and without parsers, on whatever engine it is given: a task's file name says what happens to
 * it. `SIGKILL finish`: the process that first comes to that step dies there; `SIGSTOP read`: it freezes; `wait`: the task runs until
 * it is told to stop. It reports each start, stop and end to its parent.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Engine } from '../../src/storage/engine.ts';
import { createDispatcher } from '../../src/ingest/dispatcher.ts';
import type { ThreadPool } from '../../src/ingest/thread-pool.ts';
import type { TaskId } from '../../src/tasks/task.ts';
import { silentLogger } from '../support/engine-steps.ts';
import { stageDocument } from '../support/staged-document.ts';

/** `time` by the wall clock, in milliseconds. Within a transaction, `ended` is told before it is committed. */
export type WorkerReport = {
  readonly what: 'began' | 'stopped' | 'ended' | 'fenced';
  readonly id: TaskId;
  readonly time: number;
};

/** The five steps of settling. */
export const settlePoints = ['publish', 'replace', 'settle', 'finish', 'ack'] as const;

type Point = 'read' | (typeof settlePoints)[number];
type Reach = (point: Point, id: TaskId) => void;
type Report = (what: WorkerReport['what'], id: TaskId) => void;

/** Works until its parent sends a message or goes. `dir` is shared by the workers: it notes which orders were followed. */
export function runRiggedWorker(engine: Engine, dir: string): void {
  const names = new Map<TaskId, string>();
  const report: Report = (what, id) => void process.send?.({ what, id, time: Date.now() } satisfies WorkerReport);
  const reach = orders(dir, names);
  const dispatcher = createDispatcher({
    engine: rig(engine, reach, report, (id, filename) => void names.set(id, filename)),
    pool: createPool(reach, report),
    embedderId: 'none',
    reading: { chunkTokensMax: 0, limits: {} as never, ocrLanguages: [] },
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
function rig(engine: Engine, reach: Reach, report: Report, onBegin: (id: TaskId, filename: string) => void): Engine {
  const { files, index, tasks, queue } = engine;
  return {
    ...engine,
    lost: engine.lost,
    files: {
      ...files,
      publish: (docId, version, folder) => (reach('publish', version.id), files.publish(docId, version, folder)),
      settle: (docId, version) => (reach('settle', version.id), files.settle(docId, version)),
    },
    index: {
      ...index,
      replace: (document, folder) => (reach('replace', document.version), index.replace(document, folder)),
    },
    tasks: {
      ...tasks,
      async begin(id) {
        const begun = await tasks.begin(id);
        // What ended, its end's answer lost on the way, comes to `ack` in another process.
        if (begun.outcome === 'started' || begun.outcome === 'finished') onBegin(id, begun.task.filename);
        if (begun.outcome === 'started') report('began', id);
        return begun;
      },
      async finish(id, attempt, outcome) {
        reach('finish', id);
        const answer = await tasks.finish(id, attempt, outcome);
        report(answer === 'ok' ? 'ended' : 'fenced', id);
        return answer;
      },
    },
    queue: {
      ...queue,
      async claim(lanes, signal, prepare) {
        const lease = await queue.claim(lanes, signal, prepare);
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
    async run({ taskId, ordinal, docId, filename, sha256, scratchDir }, { signal }) {
      if (filename === 'wait') {
        if (!signal.aborted) await once(signal, 'abort');
        report('stopped', taskId);
        return { ok: false, code: 'aborted' };
      }
      const texts = [`about ${docId}`, `more about ${docId}`];
      const document = await stageDocument(scratchDir, { docId, version: taskId, ordinal, filename, sha256, texts });
      reach('read', taskId);
      return { ok: true, document, stageMs: { parse: 0, chunk: 0, embed: 0 } };
    },
    close: () => Promise.resolve(),
  };
}
