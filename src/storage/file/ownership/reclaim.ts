/**
 * Recovery of what dead processes held. Fence first: one rename takes the whole lease directory away, so that whatever the
 * old owner still does fails; then bring each task back to where its record says. Every step may be interrupted: the next
 * process, or the next turn, goes on.
 */
import { basename, join } from 'node:path';
import { check } from 'proper-lockfile';
import type { Logger } from '../../../logger.ts';
import { isTerminal, releaseTask, type Task, type TaskId, isTaskId } from '../../../tasks/task.ts';
import { type Disk, orNull, removeTree, unlinkIfThere } from '../disk/disk.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import { type DocumentLocks, retryKey } from '../queue/document-locks.ts';
import { type Layout, type Marker, parseMarker } from '../disk/layout.ts';
import type { LiveMarkers } from '../tasks/live-markers.ts';
import type { Owner, WorkerCard } from './owner.ts';
import { isGone, type ProcessIdentity } from './process-identity.ts';
import type { LogRecovery } from '../tasks/log-recovery.ts';
import type { TaskRecords } from '../tasks/task-records.ts';
import type { TaskWatch } from '../tasks/task-watch.ts';

export interface Reclaim {
  /** Looks at every other process once and recovers the dead. Returns how many tasks wait again. */
  step(): Promise<number>;
  /** Brings the task of a marker in the own lease directory back to where its record says. */
  recover(marker: Marker): Promise<boolean>;
  /** Other processes that were not found dead yet. */
  others(): Promise<string[]>;
}

/** A lease whose age cannot be told from clocks is watched: how long it has not changed, counted in our own turns. */
type Watched = { sign: string; unchangedMs: number; seenAt: number };

export function createReclaim(options: {
  disk: Disk;
  layout: Layout;
  owner: Owner;
  identity: ProcessIdentity;
  leaseMs: number;
  /** The longest time between two turns that still counts as watching; more than that and we were stopped ourselves. */
  turnMsMax: number;
  records: TaskRecords;
  markers: LiveMarkers;
  locks: DocumentLocks;
  watch: Pick<TaskWatch, 'changed'>;
  logs: Pick<LogRecovery, 'of'>;
  syncDirectory: DirectorySync;
  now: () => string;
  logger: Logger;
}): Reclaim {
  const { disk, layout, owner, identity, leaseMs, records, markers, locks, logger } = options;
  const watched = new Map<string, Watched>();

  async function step(): Promise<number> {
    let waiting = 0;
    await lookAtOwnLease();
    for (const id of await others()) {
      if (await isDead(id)) {
        watched.delete(id);
        waiting += await reclaim(id);
      }
    }
    // Left by a reclaimer that died on the way.
    for (const id of await disk.list(layout.reclaim, 'reclaim.list')) waiting += await reclaim(id);
    return waiting;
  }

  async function others(): Promise<string[]> {
    const names = await disk.list(layout.workers, 'reclaim.workers');
    const known = names.map((name) => (name.endsWith('.lock') ? name.slice(0, -5) : name));
    const leases = await disk.list(layout.active, 'reclaim.leases');
    return [...new Set([...known, ...leases])].filter((id) => id !== owner.id);
  }

  /** While this process cannot refresh its own lease (a read-only disk), others cannot either; then they get their time anew. */
  async function lookAtOwnLease(): Promise<void> {
    const unchangedMs = watchLease(owner.id, await leaseSign(owner.id));
    if (unchangedMs < leaseMs / 2) return;
    for (const id of watched.keys()) if (id !== owner.id) watched.delete(id);
  }

  /** Changes whenever its owner shows itself. */
  async function leaseSign(id: string): Promise<string> {
    const lock = await orNull(disk.stat(`${join(layout.workers, id)}.lock`, 'reclaim.lock-stat'));
    return lock === null ? 'none' : String(lock.mtimeMs);
  }

  async function isDead(id: string): Promise<boolean> {
    const card = await readCard(id);
    if (card !== null && isGone(card, identity)) return true;
    const path = join(layout.workers, id);
    const unchangedMs = watchLease(id, await leaseSign(id));
    if (unchangedMs >= leaseMs) return true;
    // Stale by the wall clock alone proves nothing (it may have been set); the owner must also miss two refreshes here.
    return unchangedMs >= leaseMs / 2 && !(await check(path, { realpath: false, stale: leaseMs }));
  }

  async function readCard(id: string): Promise<WorkerCard | null> {
    const text = await orNull(disk.read(join(layout.workers, id), 'reclaim.card'));
    try {
      return text === null ? null : (JSON.parse(text) as WorkerCard);
    } catch {
      // Being written, or torn by a power cut: the lease's age decides.
      return null;
    }
  }

  function watchLease(id: string, sign: string): number {
    const now = performance.now();
    const before = watched.get(id);
    if (before?.sign !== sign) {
      watched.set(id, { sign, unchangedMs: 0, seenAt: now });
      return 0;
    }
    before.unchangedMs += Math.min(now - before.seenAt, options.turnMsMax);
    before.seenAt = now;
    return before.unchangedMs;
  }

  async function reclaim(id: string): Promise<number> {
    const fenced = join(layout.reclaim, id);
    await orNull(disk.rename(join(layout.active, id), fenced, 'reclaim.fence'));
    const names = (await orNull(disk.list(fenced, 'reclaim.names'))) ?? [];
    // Temporary files before all: a rename that was already inside the kernel then finds no source.
    for (const name of names.filter((name) => name.startsWith('.t.'))) await removeTree(disk, join(fenced, name), 'reclaim.temp');
    await options.logs.of(fenced);
    let waiting = 0;
    for (const name of names) {
      const marker = parseMarker(name);
      if (marker === null) await removeTree(disk, join(fenced, name), 'reclaim.rubbish');
      else if ((await orNull(disk.rename(join(fenced, name), owner.own(name), 'reclaim.marker').then(() => true))) !== null) {
        if (await recoverOrLater(marker)) waiting += 1;
      }
    }
    await orNull(disk.rmdir(fenced, 'reclaim.directory'));
    await orNull(disk.rmdir(join(layout.workers, `${id}.lock`), 'reclaim.lock'));
    await unlinkIfThere(disk, join(layout.workers, id), 'reclaim.card-remove');
    logger.warn({ owner: id, tasks: waiting }, 'recovered the tasks of a dead process');
    return waiting;
  }

  async function recoverOrLater(marker: Marker): Promise<boolean> {
    try {
      return await recover(marker);
    } catch (error) {
      owner.recoverLater(owner.own(marker.name));
      throw error;
    }
  }

  async function recover(marker: Marker): Promise<boolean> {
    const own = owner.own(marker.name);
    if (await locks.isOf(retryKey(marker.id), own)) await locks.free(retryKey(marker.id));
    // The document stays locked until its task waits again: a later upload of it must not overtake.
    const locked = await locks.isOf(marker.docKey, own);
    const waiting = await bringBack(marker, own);
    if (locked) await locks.free(marker.docKey);
    if (waiting) options.watch.changed(marker.id);
    return waiting;
  }

  async function bringBack(marker: Marker, own: string): Promise<boolean> {
    const task = await settledRecord(marker);
    if (task === 'runs elsewhere') {
      // A second name of a marker, as a power cut can leave it.
      await unlinkIfThere(disk, own, 'recover.drop');
      return false;
    }
    if (task === null) {
      // Never acknowledged: the record is written before anybody is told.
      await unlinkIfThere(disk, layout.payload(marker.id), 'recover.payload');
      await unlinkIfThere(disk, own, 'recover.drop');
      return false;
    }
    if (isTerminal(task.status)) {
      if (task.status === 'completed') await unlinkIfThere(disk, layout.payload(marker.id), 'recover.payload');
      await unlinkIfThere(disk, own, 'recover.drop');
      return false;
    }
    const waiting = task.status === 'pending' ? task : releaseTask(task, options.now(), { counted: true });
    if (waiting !== task) await records.note(waiting);
    await markers.publish(waiting, marker, 'recover.publish');
    await options.syncDirectory(layout.pending[waiting.lane], 'recover.sync-pending');
    return true;
  }

  /** Whoever runs a task has its marker; when that is gone, the task has ended or gone back, and its record says which. */
  async function settledRecord({ id, name }: Marker): Promise<Task | null | 'runs elsewhere'> {
    const task = await records.read(id);
    if (task === null || task.status !== 'processing' || task.owner === null || task.owner === owner.id) return task;
    const held = await orNull(disk.stat(join(layout.active, task.owner, name), 'recover.runner'));
    return held === null ? records.read(id) : 'runs elsewhere';
  }

  return { step, recover, others };
}

/** The markers that `Owner.takeBroken` names. */
export function brokenMarkers(paths: readonly string[]): Marker[] {
  return paths.map((path) => parseMarker(basename(path))).filter((marker) => marker !== null);
}

/** Removes cancel requests of tasks that are over. */
export async function clearRequests(
  requests: { poll(): Promise<ReadonlySet<TaskId>>; clear(id: TaskId): Promise<void> },
  records: TaskRecords,
): Promise<void> {
  for (const id of await requests.poll()) {
    const task = isTaskId(id) ? await records.read(id) : null;
    if (task === null || isTerminal(task.status)) await requests.clear(id);
  }
}
