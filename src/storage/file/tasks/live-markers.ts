/** Which tasks are alive now, told by their markers alone: no record is opened. */
import { join } from 'node:path';
import type { Task, TaskId } from '../../../tasks/task.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import { type Layout, type Marker, markerOf, parseMarker } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';
import { type PendingMarkers, pendingPath } from '../queue/pending-markers.ts';

export interface LiveMarkers {
  /** Held by workers: running, or between claim and begin. Cost: one readdir a process. */
  processing(): Promise<Marker[]>;
  /** In whatever lease, also one that is being recovered. */
  readonly held: () => Promise<Marker[]>;
  /** Every marker wherever it lies, read from the disk now. Cost: O(waiting tasks). */
  readonly everywhere: () => Promise<Set<TaskId>>;
  /** A marker of a task that is about to wait, in the own lease directory. */
  make(task: Task, at: string): Promise<Marker>;
  /** Makes it claimable. */
  publish(task: Task, marker: Marker, at: string): Promise<void>;
  /** `publish` of a task that has never waited before: no power cut can have left another name of its marker. */
  publishFirst(task: Task, marker: Marker, at: string): Promise<void>;
}

export function createLiveMarkers(options: { disk: Disk; layout: Layout; owner: Owner; pending: PendingMarkers }): LiveMarkers {
  const { disk, layout, owner, pending } = options;

  async function markersIn(directory: string): Promise<Marker[]> {
    const names = (await orNull(disk.list(directory, 'markers.list'))) ?? [];
    return names.map(parseMarker).filter((marker) => marker !== null);
  }

  async function markersBelow(parent: string, accept: (name: string) => boolean): Promise<Marker[]> {
    const owners = (await disk.list(parent, 'markers.owners')).filter(accept);
    return (await Promise.all(owners.map((name) => markersIn(join(parent, name))))).flat();
  }

  async function publishFirst(task: Task, marker: Marker, at: string): Promise<void> {
    await disk.rename(owner.own(marker.name), pendingPath(layout, task.lane, marker.name), at);
    pending.added(task.lane, marker.name);
  }

  return {
    processing: () => markersBelow(layout.active, (name) => name.startsWith('w-')),
    held: async () => [...(await markersBelow(layout.active, () => true)), ...(await markersBelow(layout.reclaim, () => true))],
    async everywhere() {
      // Twice through the places a marker moves between, in both directions, so that none is missed on its way.
      const found = new Set<TaskId>();
      for (let pass = 0; pass < 2; pass += 1) {
        for (const directory of [layout.pending.small, layout.pending.large]) {
          for (const { id } of await markersIn(directory)) found.add(id);
        }
        for (const parent of [layout.active, layout.reclaim]) {
          for (const { id } of await markersBelow(parent, () => true)) found.add(id);
        }
      }
      return found;
    },
    async make(task, at) {
      const marker = markerOf(task);
      const file = await disk.create(owner.own(marker.name), at);
      await file.close();
      return marker;
    },
    publishFirst,
    async publish(task, marker, at) {
      await disk.rename(owner.own(marker.name), pendingPath(layout, task.lane, marker.name), at);
      // Renaming one name of a file onto another name of the same file does nothing (POSIX): a power cut can leave both.
      await unlinkIfThere(disk, owner.own(marker.name), `${at}-source`);
      pending.added(task.lane, marker.name);
    },
  };
}
