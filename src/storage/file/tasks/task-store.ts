/** Tasks as files: one record each, changed only by whoever holds the task's marker in its lease directory. */
import { hasErrno } from '../../../errors.ts';
import type { DocumentIndex } from '../../../search/document-index.ts';
import {
  beginTask,
  cancelledByUser,
  finishTask,
  idleProgress,
  isTerminal,
  releaseTask,
  retryTask,
  taskLanes,
  type Task,
  type TaskId,
  type TaskProgress,
  type TaskSnapshot,
  isTaskId,
} from '../../../tasks/task.ts';
import type { BeginOutcome, CancelOutcome, RetryOutcome, TaskStore } from '../../../tasks/task-store.ts';
import { notReady } from '../../../trouble.ts';
import { createSortedTasks } from '../../sorted-tasks.ts';
import type { CancelRequests } from '../queue/cancel-requests.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import type { DiskHealth } from '../disk/disk-health.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import { type DocumentLocks, retryKey } from '../queue/document-locks.ts';
import type { HeldLease, HeldLeases } from '../queue/held-leases.ts';
import { type Layout, markerOf, parseMarker } from '../disk/layout.ts';
import type { LiveMarkers } from './live-markers.ts';
import type { Owner } from '../ownership/owner.ts';
import { type PendingMarkers, pendingPath } from '../queue/pending-markers.ts';
import type { ProgressFiles } from './progress-files.ts';
import type { TaskBuckets } from './task-buckets.ts';
import type { TaskRecords } from './task-records.ts';
import type { TaskWatch } from './task-watch.ts';

export type TaskStoreParts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly owner: Owner;
  readonly health: DiskHealth;
  readonly records: TaskRecords;
  readonly buckets: TaskBuckets;
  readonly markers: LiveMarkers;
  readonly pending: PendingMarkers;
  readonly locks: DocumentLocks;
  readonly leases: HeldLeases;
  readonly requests: CancelRequests;
  readonly progress: ProgressFiles;
  readonly index: DocumentIndex;
  readonly syncDirectory: DirectorySync;
  readonly now: () => string;
};

/** Records that are read at once. */
const readsAtOnce = 16;

/**
 * A record with how far its attempt has come. An attempt that ends removes its progress between the two reads: the record is
 * read again then, or a task would be seen to go back from `indexing` to `parsing` before it is done.
 */
export function createSnapshots(
  parts: Pick<TaskStoreParts, 'records' | 'pending' | 'leases' | 'progress'>,
): (task: Task) => Promise<TaskSnapshot> {
  const { records, pending, leases, progress } = parts;

  async function runningProgress(task: Task, owner: string): Promise<TaskProgress | null> {
    const held = leases.get(task.id);
    if (held === null) return progress.read(owner, task);
    return held.attempt === task.attempts ? held.progress : null;
  }

  async function snapshot(task: Task): Promise<TaskSnapshot> {
    const queuePosition = task.status === 'pending' ? pending.position(task.lane, markerOf(task).name) : null;
    if (task.status !== 'processing' || task.owner === null) return { task, progress: idleProgress(task.status), queuePosition };
    const known = await runningProgress(task, task.owner);
    const newer = known === null ? await records.read(task.id) : null;
    if (newer !== null && newer.revision > task.revision) return snapshot(newer);
    return { task, progress: known ?? idleProgress('processing'), queuePosition };
  }

  return snapshot;
}

export function createFileTaskStore(
  parts: TaskStoreParts & { watch: TaskWatch; snapshot: (task: Task) => Promise<TaskSnapshot> },
): TaskStore {
  const { disk, layout, owner, health, records, markers, pending, locks, leases, requests, watch, snapshot } = parts;

  async function begin(id: TaskId): Promise<BeginOutcome> {
    const lease = leases.get(id);
    if (lease === null || !(await owner.holds())) return { outcome: 'gone' };
    const task = await records.read(id);
    if (task === null) return { outcome: 'gone' };
    if (isTerminal(task.status)) return { outcome: 'finished', task };
    const again = lease.unsettled?.revision === task.revision ? lease.unsettled : null;
    if (again === null && task.attempts >= task.attemptsMax) return giveUp(lease, task);
    const next = again ?? beginTask(task, owner.id, parts.now());
    if ((await step(lease, next)) === 'fenced') return { outcome: 'gone' };
    lease.attempt = next.attempts;
    return { outcome: 'started', task: next };
  }

  /** A record that still names a dead owner (its marker went back, its record did not) is freed of it, so that it can be finished. */
  async function giveUp(lease: HeldLease, task: Task): Promise<BeginOutcome> {
    const freed = task.owner === null ? task : releaseTask(task, parts.now(), { counted: true });
    if (freed !== task && (await step(lease, freed)) === 'fenced') return { outcome: 'gone' };
    lease.attempt = freed.attempts;
    return { outcome: 'exhausted', task: freed };
  }

  /** Writes the next record of a task that is held here; `soon`: something else makes good what a power cut takes of it until it is durable. */
  async function step(lease: HeldLease, next: Task, { soon } = { soon: false }): Promise<'ok' | 'fenced'> {
    lease.unsettled = next;
    try {
      await records.note(next, { soon });
    } catch (error) {
      if (hasErrno(error, 'ENOENT') && !(await owner.holds())) return 'fenced';
      throw error;
    }
    lease.unsettled = null;
    watch.wrote(next);
    return 'ok';
  }

  /** The step that follows from the record on the disk, or the one whose write failed half-way. */
  async function advance(id: TaskId, attempt: number, change: (task: Task) => Task): Promise<'ok' | 'fenced'> {
    const lease = leases.get(id);
    if (lease === null || !(await owner.holds())) return 'fenced';
    const task = await records.read(id);
    if (task === null) return 'fenced';
    if (lease.unsettled?.revision === task.revision) return step(lease, lease.unsettled);
    if (task.attempts !== attempt || isTerminal(task.status)) return 'fenced';
    if (task.owner !== null && task.owner !== owner.id) return 'fenced';
    const next = change(task);
    // The index says of it that it is done; of what it was too late for it says nothing.
    return step(lease, next, { soon: next.status === 'completed' && next.result?.superseded === false });
  }

  async function cancel(id: TaskId, force: boolean): Promise<CancelOutcome> {
    // A marker between two places (a claim that has not begun, a task going back) is there at the next look.
    for (let look = 0; ; look += 1) {
      const task = await records.read(id);
      if (task === null) return { outcome: 'gone' };
      if (isTerminal(task.status)) return { outcome: 'final', task };
      if (task.status === 'pending') {
        const outcome = await cancelPending(task);
        if (outcome !== null) return outcome;
        if (look < 20) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          continue;
        }
      }
      if (!force) return { outcome: 'processing', task };
      await requests.ask(id);
      return afterAsking(id, task);
    }
  }

  /** Whoever ran it drops a request that was there before its end; one that came later has nobody but us. */
  async function afterAsking(id: TaskId, asked: Task): Promise<CancelOutcome> {
    const task = await records.read(id);
    if (task !== null && !isTerminal(task.status)) return { outcome: 'processing', task: asked };
    await requests.clear(id);
    return task === null ? { outcome: 'gone' } : { outcome: 'final', task };
  }

  /** The same rename as a claim: null when somebody else was first. */
  async function cancelPending(task: Task): Promise<CancelOutcome | null> {
    const marker = markerOf(task);
    const own = owner.own(marker.name);
    const waiting = pendingPath(layout, task.lane, marker.name);
    if ((await orNull(disk.rename(waiting, own, 'cancel.marker').then(() => true))) === null) {
      if (!(await owner.holds())) throw notReady('this process was declared dead');
      return null;
    }
    pending.removed(task.lane, marker.name);
    try {
      return await cancelTaken(task.id, marker);
    } catch (error) {
      owner.recoverLater(own);
      throw error;
    }
  }

  async function cancelTaken(id: TaskId, marker: ReturnType<typeof markerOf>): Promise<CancelOutcome> {
    const own = owner.own(marker.name);
    const task = await records.read(id);
    if (task === null || isTerminal(task.status)) {
      await unlinkIfThere(disk, own, 'cancel.drop');
      return task === null ? { outcome: 'gone' } : { outcome: 'final', task };
    }
    // Somebody may have run it, and be frozen just before the index, or have been stopped with the machine just after. The index decides.
    if ((await parts.index.revoke(task.docId, task)) === 'committed') {
      await markers.publish(task, marker, 'cancel.return');
      return { outcome: 'processing', task };
    }
    const cancelled = finishTask(task, { status: 'failed', error: cancelledByUser }, parts.now());
    await records.note(cancelled);
    await unlinkIfThere(disk, own, 'cancel.drop');
    await requests.clear(id);
    watch.wrote(cancelled);
    return { outcome: 'cancelled', task: cancelled };
  }

  async function retry(id: TaskId): Promise<RetryOutcome> {
    const before = await records.read(id);
    if (before === null) return 'gone';
    if (before.status !== 'failed') return 'not_failed';
    const marker = await markers.make(before, 'retry.marker');
    const own = owner.own(marker.name);
    const lockKey = retryKey(id);
    try {
      if ((await locks.take(lockKey, own)) === 'busy') throw notReady('the task is already being retried');
      const task = await records.read(id);
      if (task?.status !== 'failed') {
        await locks.free(lockKey);
        await owner.discard(own);
        return task === null ? 'gone' : 'not_failed';
      }
      await requests.clear(id);
      await parts.buckets.unseal(id);
      const waiting = retryTask(task, parts.now());
      await records.note(waiting);
      await parts.buckets.unseal(id);
      await locks.free(lockKey);
      await markers.publish(waiting, marker, 'retry.publish');
      await parts.syncDirectory(layout.pending[waiting.lane], 'retry.sync-pending');
    } catch (error) {
      await undoRetry(before, lockKey, own);
      throw error;
    }
    watch.changed(id);
    return 'ok';
  }

  /** A retry that broke half-way leaves a failed task, or a waiting one when its record says so already. */
  async function undoRetry(before: Task, lockKey: string, own: string): Promise<void> {
    const locked = await locks.isOf(lockKey, own).catch(() => false);
    if (locked) await locks.free(lockKey).catch(() => undefined);
    const now = await records.read(before.id).catch(() => null);
    if (now?.status === 'failed') return owner.discard(own);
    owner.recoverLater(own);
  }

  const listSorted = createSortedTasks({
    named: (filter) => parts.buckets.named(filter),
    keys: readAll,
    snapshots: async (ids) => Promise.all((await readAll(ids)).map(snapshot)),
  });

  /** Those that are there, a few at a time. */
  async function readAll(ids: readonly TaskId[]): Promise<Task[]> {
    const found: Task[] = [];
    for (let from = 0; from < ids.length; from += readsAtOnce) {
      const some = await Promise.all(ids.slice(from, from + readsAtOnce).map((id) => records.read(id)));
      found.push(...some.filter((task) => task !== null));
    }
    return found;
  }

  return {
    get: (id) =>
      health.guard(async () => {
        const task = isTaskId(id) ? await records.read(id) : null;
        if (task === null) return null;
        if (task.status === 'pending') await pending.refresh();
        return snapshot(task);
      }),
    list: (filter) => health.guard(() => parts.buckets.list(filter, snapshot)),
    listSorted: (filter) => health.guard(() => listSorted(filter)),
    counts: () =>
      health.guard(async () => {
        const [processing] = await Promise.all([markers.processing(), pending.refresh()]);
        return { pending: pending.names('small').length + pending.names('large').length, processing: processing.length };
      }),
    oldestPending: () =>
      health.guard(async () => {
        await pending.refresh();
        const [first] = taskLanes.flatMap((lane) => pending.names(lane).slice(0, 1)).sort();
        const marker = first === undefined ? null : parseMarker(first);
        return marker === null ? null : records.read(marker.id);
      }),
    begin: (id) => health.guard(() => begin(id)),
    async progress(id, attempt, progress) {
      const lease = leases.get(id);
      if (lease === null || lease.attempt !== attempt || owner.lost.aborted) return 'fenced';
      lease.progress = progress;
      parts.progress.write(id, attempt, progress);
      watch.changed(id);
      return 'ok';
    },
    finish: (id, attempt, outcome) =>
      health.guard(async () => {
        const ended = await advance(id, attempt, (task) => finishTask(task, outcome, parts.now()));
        if (ended === 'ok' && outcome.status === 'completed') await owner.discard(layout.payload(id));
        return ended;
      }),
    release: (id, attempt, options) => health.guard(() => advance(id, attempt, (task) => releaseTask(task, parts.now(), options))),
    cancel: (id, { force }) =>
      health.guard(() => (isTaskId(id) ? cancel(id, force) : Promise.resolve({ outcome: 'gone' as const }))),
    retry: (id) => health.guard(() => (isTaskId(id) ? retry(id) : Promise.resolve('gone' as const))),
    expire: (before) => health.guard(() => parts.buckets.expire(before)),
    remove: (id) => health.guard(() => parts.buckets.remove(id)),
    watch: (id, listener) => watch.watch(id, listener),
  };
}
