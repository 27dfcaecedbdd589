/** One life of two processes, a front end and a worker, that passes every point of the engine's protocols once, telling a journal. */
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { v7 } from 'uuid';
import type { Engine } from '../../src/storage/engine.ts';
import { bucketEndMs, bucketName } from '../../src/storage/file/disk/layout.ts';
import { loggedBytesMax } from '../../src/storage/file/tasks/record-log.ts';
import type { Lease } from '../../src/tasks/task-queue.ts';
import { type Task, type TaskId, type TaskOutcome } from '../../src/tasks/task.ts';
import {
  completedOutcome,
  failedOutcome,
  indexedDocument,
  newId,
  newTask,
  stage,
  type UploadChoices,
} from '../support/engine-steps.ts';
import { until } from '../support/until.ts';
import type { Journal } from './history.ts';

const hourMs = 3_600_000;

/** Goes on after errors as a client and a dispatcher would; stops early only when its lease is lost. */
export async function live(front: Engine, worker: Engine, tell: Journal): Promise<void> {
  const steps: (() => Promise<unknown>)[] = [
    () => submit(front, tell, 'first', { docId: 'a' }),
    () => submit(front, tell, 'second', { docId: 'a', lane: 'large' }),
    () => submitGroup(front, tell),
    // Larger than what goes through the log.
    () => submit(front, tell, 'z'.repeat(loggedBytesMax + 1), { docId: 'z' }),
    () => discardOne(front),
    () => cancelOne(front, tell),
    () => runNext(worker, tell),
    () => handBackNext(worker, tell),
    () => runNext(worker, tell),
    () => cancelRunning(front, worker, tell),
    () => failPublished(front, worker, tell),
    () => retryOne(front, worker, tell),
    () => removeDocument(front),
    () => expireOld(front, tell),
    () => look(front, tell),
    () => drain(worker, tell),
  ];
  for (const step of steps) {
    if (front.lost.aborted || worker.lost.aborted) return;
    await step().catch(() => undefined);
  }
}

/** Runs whatever waits, until nothing does. */
export async function drain(worker: Engine, tell: Journal): Promise<void> {
  for (;;) {
    const { pending } = await worker.tasks.counts();
    if (pending === 0) return;
    if ((await runNext(worker, tell)) === 'nothing') return;
  }
}

export async function submit(front: Engine, tell: Journal, text: string, choices: UploadChoices = {}): Promise<TaskId> {
  const id = choices.id ?? newId();
  tell({ op: 'receive', id, phase: 'ask' });
  const receipt = await front.files.receive({ bytesMax: 100_000, bytesExpected: text.length });
  try {
    receipt.stream.end(text);
    await finished(receipt.stream);
    tell({ op: 'submit', id, phase: 'ask' });
    await front.submit(newTask(receipt, { ...choices, id }), receipt);
    tell({ op: 'submit', id, phase: 'ok' });
  } catch (error) {
    await receipt.discard();
    // Whoever has been declared dead cannot know what became of it.
    if (!front.lost.aborted) tell({ op: 'submit', id, phase: 'error' });
    throw error;
  }
  return id;
}

/** Three documents, one of them in two versions, one larger than what goes through the log. */
async function submitGroup(front: Engine, tell: Journal): Promise<void> {
  const members = [
    { id: newId(), docId: 'd', text: 'fourth' },
    { id: newId(), docId: 'e', text: 'fifth' },
    { id: newId(), docId: 'd', text: 'sixth' },
    { id: newId(), docId: 'f', text: 'y'.repeat(loggedBytesMax + 1) },
  ];
  for (const { id } of members) tell({ op: 'receive', id, phase: 'ask' });
  const receipts = await front.files.receiveAll(members.map(({ text }) => Buffer.from(text))).catch((error: unknown) => {
    if (!front.lost.aborted) for (const { id } of members) tell({ op: 'submit', id, phase: 'error' });
    throw error;
  });
  for (const { id } of members) tell({ op: 'submit', id, phase: 'ask' });
  const arrivals = members.map(({ id, docId }, i) => ({ task: newTask(receipts[i]!, { id, docId }), receipt: receipts[i]! }));
  const [submitted] = await Promise.allSettled([front.submitAll(arrivals)]);
  for (const [i, { id }] of members.entries()) {
    if (submitted.status === 'fulfilled' && submitted.value[i]!.status === 'fulfilled') tell({ op: 'submit', id, phase: 'ok' });
    else {
      await receipts[i]!.discard();
      if (!front.lost.aborted) tell({ op: 'submit', id, phase: 'error' });
    }
  }
}

async function discardOne(front: Engine): Promise<void> {
  const receipt = await front.files.receive({ bytesMax: 1000, bytesExpected: 3 });
  receipt.stream.write('abc');
  await receipt.discard();
}

async function cancelOne(front: Engine, tell: Journal): Promise<void> {
  const id = await submit(front, tell, 'third', { docId: 'c' });
  await cancel(front, tell, id, false);
}

async function cancel(engine: Engine, tell: Journal, id: TaskId, force: boolean): Promise<void> {
  tell({ op: 'cancel', id, phase: 'ask' });
  const { outcome } = await persist(engine, () => engine.tasks.cancel(id, { force }));
  if (outcome === 'cancelled') tell({ op: 'cancel', id, phase: 'ok' });
}

/** Claims and runs one task to its end, as the dispatcher does. */
export async function runNext(worker: Engine, tell: Journal, patienceMs = 3000): Promise<'ran' | 'nothing'> {
  const lease = await persist(worker, () => worker.queue.claim(['small', 'large'], AbortSignal.timeout(patienceMs)));
  if (lease === null) return 'nothing';
  const task = await begin(worker, lease, tell);
  if (task !== null) await complete(worker, lease, task, tell);
  return 'ran';
}

async function begin(worker: Engine, lease: Lease, tell: Journal): Promise<Task | null> {
  tell({ op: 'begin', id: lease.taskId, phase: 'ask' });
  const begun = await persist(worker, () => worker.tasks.begin(lease.taskId));
  if (begun.outcome === 'gone' || begun.outcome === 'finished') {
    await persist(worker, () => lease.ack());
    return null;
  }
  const { task } = begun;
  if (begun.outcome === 'exhausted') {
    if ((await persist(worker, () => worker.index.revoke(task.docId, task))) === 'ok') {
      await persist(worker, () => worker.files.unpublish(task.docId, task.id));
      await end(worker, lease, task, failedOutcome, tell);
    } else await rollForward(worker, lease, task, tell);
    return null;
  }
  tell({ op: 'begin', id: task.id, phase: 'ok', attempt: task.attempts });
  if (await worker.index.wasCommitted(task.docId, task.id)) {
    await rollForward(worker, lease, task, tell);
    return null;
  }
  return task;
}

/** An attempt before it had made the document searchable. */
async function rollForward(worker: Engine, lease: Lease, task: Task, tell: Journal): Promise<void> {
  await persist(worker, () => worker.files.settle(task.docId, task));
  await end(worker, lease, task, completedOutcome(task), (entry) =>
    tell(entry.op === 'finish' ? { ...entry, rolledForward: true } : entry),
  );
}

export async function complete(worker: Engine, lease: Lease, task: Task, tell: Journal): Promise<void> {
  await worker.tasks.progress(task.id, task.attempts, {
    stage: 'parsing',
    percent: 10,
    pagesDone: 1,
    pagesTotal: 9,
    chunksDone: null,
    chunksTotal: null,
  });
  if ((await persist(worker, () => worker.files.stat({ kind: 'payload', taskId: task.id }))) === null) {
    // Somebody else may have completed it, and removed the file, while this process was stopped.
    if (await lease.held()) tell({ op: 'payload-missing', id: task.id });
    return end(worker, lease, task, failedOutcome, tell);
  }
  const scratch = await persist(worker, () => stage(worker, task));
  if (lease.signal.aborted) return abandon(worker, lease, task, tell);
  await persist(worker, () => worker.files.publish(task.docId, task, scratch));
  const meta = await worker.files.localPath({ kind: 'document', docId: task.docId, version: task.id, part: 'meta.json' });
  if (meta === null) return;
  const switched = await worker.index.replace(indexedDocument(task), dirname(meta));
  if (switched === 'ok') await persist(worker, () => worker.files.settle(task.docId, task));
  else await persist(worker, () => worker.files.unpublish(task.docId, task.id));
  const done = completedOutcome(task);
  const superseded: TaskOutcome =
    done.status === 'completed' ? { status: 'completed', result: { ...done.result, superseded: true } } : done;
  await end(worker, lease, task, switched === 'ok' ? done : switched === 'stale' ? superseded : failedOutcome, tell);
}

async function abandon(worker: Engine, lease: Lease, task: Task, tell: Journal): Promise<void> {
  if (lease.signal.reason !== 'cancel') return;
  if ((await worker.index.revoke(task.docId, task)) === 'committed') return end(worker, lease, task, completedOutcome(task), tell);
  await persist(worker, () => worker.files.unpublish(task.docId, task.id));
  await end(worker, lease, task, failedOutcome, tell);
}

async function end(worker: Engine, lease: Lease, task: Task, outcome: TaskOutcome, tell: Journal): Promise<void> {
  const fields = { op: 'finish', id: task.id, status: outcome.status, attempt: task.attempts } as const;
  tell({ ...fields, phase: 'ask' });
  const finish = await persist(worker, () => worker.tasks.finish(task.id, task.attempts, outcome));
  if (finish === 'ok') tell({ ...fields, phase: 'ok' });
  if (finish === 'ok') await persist(worker, () => lease.ack());
}

async function handBackNext(worker: Engine, tell: Journal): Promise<void> {
  const lease = await worker.queue.claim(['small', 'large'], AbortSignal.timeout(3000));
  if (lease === null) return;
  const task = await begin(worker, lease, tell);
  if (task === null) return;
  tell({ op: 'release', id: task.id, phase: 'ask' });
  await persist(worker, () => worker.tasks.release(task.id, task.attempts, { counted: false }));
  await persist(worker, () => lease.release());
}

async function cancelRunning(front: Engine, worker: Engine, tell: Journal): Promise<void> {
  await submit(front, tell, 'fourth', { docId: 'd' });
  const lease = await worker.queue.claim(['small', 'large'], AbortSignal.timeout(3000));
  if (lease === null) return;
  const task = await begin(worker, lease, tell);
  if (task === null) return;
  await persist(front, () => front.tasks.cancel(task.id, { force: true }));
  await until('the owner is told', () => lease.signal.aborted || worker.lost.aborted, 5000);
  await abandon(worker, lease, task, tell);
}

async function failPublished(front: Engine, worker: Engine, tell: Journal): Promise<void> {
  await submit(front, tell, 'fifth', { docId: 'e', attemptsMax: 1 });
  const lease = await worker.queue.claim(['small', 'large'], AbortSignal.timeout(3000));
  if (lease === null) return;
  const task = await begin(worker, lease, tell);
  if (task === null) return;
  const scratch = await stage(worker, task);
  await persist(worker, () => worker.files.publish(task.docId, task, scratch));
  if ((await worker.index.revoke(task.docId, task)) === 'committed') return;
  await persist(worker, () => worker.files.unpublish(task.docId, task.id));
  await end(worker, lease, task, failedOutcome, tell);
}

async function retryOne(front: Engine, worker: Engine, tell: Journal): Promise<void> {
  const { tasks } = await front.tasks.list({ status: 'failed', docId: 'c', limit: 1 });
  const id = tasks[0]?.task.id;
  if (id === undefined) return;
  tell({ op: 'retry', id, phase: 'ask' });
  await front.index.reinstate('c', id);
  if ((await persist(front, () => front.tasks.retry(id))) === 'ok') tell({ op: 'retry', id, phase: 'ok' });
  await runNext(worker, tell);
}

async function removeDocument(front: Engine): Promise<void> {
  const fence = await persist(front, () => front.nextOrdinal());
  await front.index.remove('a', fence);
  await persist(front, () => front.files.remove('a', fence));
}

async function expireOld(front: Engine, tell: Journal): Promise<void> {
  const msecs = Date.now() - 30 * hourMs;
  const ids = [0, 1].map((seq) => v7({ msecs, seq }) as TaskId);
  for (const id of ids) await submit(front, tell, 'old', { id, docId: 'old' });
  // First one of two in its bucket, then the bucket as a whole.
  for (const id of ids) {
    await cancel(front, tell, id, false);
    const before = Date.now() + 1;
    for (const { task } of (await front.tasks.list({ limit: 100 })).tasks) {
      if (bucketEndMs(bucketName(task.id)) < before) tell({ op: 'expire', id: task.id, phase: 'ask' });
    }
    await persist(front, () => front.tasks.expire(new Date(before)));
  }
}

/** Everything once more from outside. */
export async function look(front: Engine, tell: Journal): Promise<void> {
  const { tasks } = await front.tasks.list({ limit: 100 });
  for (const { task } of tasks) tell({ op: 'seen', id: task.id, revision: task.revision, status: task.status });
  await front.tasks.list({ limit: 100, status: 'completed' });
}

/** Again until the disk takes it, as the dispatcher does; gives up when the lease is lost. */
async function persist<T>(engine: Engine, work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (engine.lost.aborted || tries >= 3) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
