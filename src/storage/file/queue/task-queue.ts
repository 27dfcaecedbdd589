/**
 * The queue: an empty file a task. Claiming is the rename of a marker from `pending/<lane>/` into the own lease directory,
 * so exactly one process wins, and cancelling is the same rename.
 */
import { hasErrno } from '../../../errors.ts';
import type { Lease, TaskQueue } from '../../../tasks/task-queue.ts';
import { createTurns } from '../../../tasks/turns.ts';
import type { TaskLane } from '../../../tasks/task.ts';
import type { CancelRequests } from './cancel-requests.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import type { DiskHealth } from '../disk/disk-health.ts';
import type { DocumentLocks } from './document-locks.ts';
import type { HeldLease, HeldLeases } from './held-leases.ts';
import { type Layout, type Marker, parseMarker } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';
import { type PendingMarkers, pendingPath } from './pending-markers.ts';
import type { ProgressFiles } from '../tasks/progress-files.ts';

/** More than this is not kept in mind: the lists are read again instead. */
const ranElsewhereMax = 1000;

export function createFileTaskQueue(options: {
  disk: Disk;
  layout: Layout;
  owner: Owner;
  health: DiskHealth;
  pending: PendingMarkers;
  locks: DocumentLocks;
  leases: HeldLeases;
  requests: CancelRequests;
  progress: ProgressFiles;
}): TaskQueue {
  const { disk, layout, owner, health, pending, locks, leases, requests, progress } = options;
  const turns = createTurns();
  /** Documents that others were seen to run since the lists of waiting tasks were last read for their sake. */
  const ranElsewhere = new Set<string>();

  async function claim(lanes: readonly TaskLane[], signal: AbortSignal): Promise<Lease | null> {
    while (!signal.aborted && !owner.lost.aborted) {
      const seen = pending.version;
      const lease = await health.guard(() => claimFirst(lanes));
      if (lease !== null) return lease;
      await pending.changed(seen, AbortSignal.any([signal, owner.lost]));
    }
    return null;
  }

  async function claimFirst(lanes: readonly TaskLane[]): Promise<Lease | null> {
    await pending.refresh();
    if (lanes.every((lane) => pending.names(lane).length === 0)) return null;
    const busy = await locks.list();
    for (const key of busy) if (!leases.hasDocument(key)) ranElsewhere.add(key);
    if (ranElsewhere.size > ranElsewhereMax) await readAgain(busy);
    for (const lane of lanes) {
      for (const caller of turns.order(pending.callers(lane))) {
        const lease = await claimOf(caller, lane, busy);
        if (lease !== null) return lease;
      }
    }
    return null;
  }

  async function claimOf(caller: string, lane: TaskLane, busy: Set<string>): Promise<Lease | null> {
    // The list is replaced while we await: look at it anew each time.
    for (let at = 0; at < pending.namesOf(lane, caller).length;) {
      const marker = parseMarker(pending.namesOf(lane, caller)[at]!);
      if (marker === null || busy.has(marker.docKey)) at += 1;
      else if (ranElsewhere.has(marker.docKey)) {
        await readAgain(busy);
        at = 0;
      } else {
        pending.removed(lane, marker.name);
        const lease = await take(lane, marker, busy);
        if (lease !== null) return lease;
      }
    }
    return null;
  }

  /**
   * A document that is free again may have an older task waiting that our list does not know yet: its holder died, or gave it back.
   * It goes first, and was put there before the document became free.
   */
  async function readAgain(busy: Set<string>): Promise<void> {
    await pending.refreshNow();
    ranElsewhere.clear();
    for (const key of busy) if (!leases.hasDocument(key)) ranElsewhere.add(key);
  }

  async function take(lane: TaskLane, marker: Marker, busy: Set<string>): Promise<Lease | null> {
    const own = owner.own(marker.name);
    const waiting = pendingPath(layout, lane, marker.name);
    const won = await orNull(disk.rename(waiting, own, 'claim.marker').then(() => true));
    if (won === null) {
      await owner.holds();
      return null;
    }
    try {
      if ((await locks.take(marker.docKey, own)) === 'ok') return hold(lane, marker);
      busy.add(marker.docKey);
      ranElsewhere.add(marker.docKey);
      await putBack(lane, marker, 'claim.return');
      return null;
    } catch (error) {
      if (hasErrno(error, 'ENOENT') && !(await owner.holds())) return null;
      owner.recoverLater(own);
      throw error;
    }
  }

  async function putBack(lane: TaskLane, marker: Marker, at: string): Promise<boolean> {
    const back = await orNull(disk.rename(owner.own(marker.name), pendingPath(layout, lane, marker.name), at).then(() => true));
    if (back === null) return owner.holds().then(() => false);
    pending.added(lane, marker.name);
    return true;
  }

  function hold(lane: TaskLane, marker: Marker): Lease {
    const held: HeldLease = { marker, lane, stop: new AbortController(), unsettled: null, attempt: 0, progress: null };
    leases.add(held);
    turns.began(marker.caller);
    if (requests.asked(marker.id)) held.stop.abort('cancel');
    return {
      taskId: marker.id,
      signal: held.stop.signal,
      held: async () => leases.get(marker.id) === held && (await owner.holds()),
      ack: () => health.guard(() => ack(held)),
      release: () => health.guard(() => release(held)),
    };
  }

  /** The lock goes first: a lock without its marker would have no holder that recovery could find. */
  async function ack({ marker }: HeldLease): Promise<'ok' | 'lost'> {
    if (!(await owner.holds())) return 'lost';
    await locks.free(marker.docKey);
    await unlinkIfThere(disk, owner.own(marker.name), 'ack.marker');
    await tidy(marker);
    // Also one that nobody has seen yet.
    await requests.clear(marker.id);
    forget(marker);
    pending.wake();
    return (await owner.holds()) ? 'ok' : 'lost';
  }

  async function release({ marker, lane }: HeldLease): Promise<'ok' | 'lost'> {
    if (!(await owner.holds())) return 'lost';
    await locks.free(marker.docKey);
    await tidy(marker);
    const back = await putBack(lane, marker, 'give-back.marker');
    forget(marker);
    return back ? 'ok' : 'lost';
  }

  function forget({ id, caller }: Marker): void {
    if (leases.get(id) !== null) turns.ended(caller);
    leases.remove(id);
  }

  /** What an attempt may have left in the lease directory. */
  async function tidy({ id }: Marker): Promise<void> {
    await progress.end(id);
    for (const name of (await orNull(disk.list(owner.directory, 'lease.list'))) ?? []) {
      if (name.startsWith(`scratch.${id}.`)) await owner.discard(owner.own(name));
    }
  }

  return {
    claim,
    waiting: () =>
      health.guard(async () => {
        await pending.refresh();
        return { small: pending.names('small').length, large: pending.names('large').length };
      }),
  };
}
