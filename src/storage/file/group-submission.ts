/**
 * Many small uploads made tasks together. The steps are those of one upload and keep their order, but each is done for all before the
 * next, so that all share the flushes of the two folders: what one upload waits for, a group waits for once.
 */
import { createTask, type Task, type TaskId, type TaskLane } from '../../tasks/task.ts';
import type { Arrival } from '../engine.ts';
import type { FileFileStore } from './content/file-store.ts';
import type { Disk } from './disk/disk.ts';
import type { DirectorySync } from './disk/directory-sync.ts';
import type { Layout, Marker } from './disk/layout.ts';
import type { Ordinals } from './ordinals.ts';
import type { LiveMarkers } from './tasks/live-markers.ts';
import type { TaskBuckets } from './tasks/task-buckets.ts';
import type { TaskRecords } from './tasks/task-records.ts';
import type { TaskWatch } from './tasks/task-watch.ts';

export type GroupSubmissionParts = {
  readonly disk: Disk;
  readonly layout: Layout;
  readonly syncDirectory: DirectorySync;
  readonly ordinals: Pick<Ordinals, 'next'>;
  readonly files: Pick<FileFileStore, 'keep' | 'unkeep'>;
  readonly markers: Pick<LiveMarkers, 'make' | 'publish'>;
  readonly records: Pick<TaskRecords, 'ensureBucket' | 'place'>;
  readonly buckets: Pick<TaskBuckets, 'unseal'>;
  readonly watch: Pick<TaskWatch, 'changed'>;
  /** Undoes what was done of one, and says what to tell its uploader. */
  readonly withdraw: (task: Task, received: string, error: unknown) => Promise<unknown>;
  /** What is wrong with the disk, noted and worded. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
};

type Member = {
  readonly task: Task;
  readonly received: string;
  readonly receipt: Arrival['receipt'];
  marker: Marker | null;
  failure: { readonly error: unknown } | null;
};

/** `Engine.submitAll` of the file engine. Rejects when none could be given a number. */
export function createGroupSubmission(
  parts: GroupSubmissionParts,
): (arrivals: readonly Arrival[]) => Promise<readonly PromiseSettledResult<Task>[]> {
  const { disk, layout, syncDirectory, files, markers, records, buckets, watch } = parts;
  const bucketOf = ({ task }: Member): string => layout.bucket(task.id);
  const laneOf = ({ task }: Member): string => task.lane;

  return async (arrivals) => {
    const ordinals = await parts.guard(() => Promise.all(arrivals.map(() => parts.ordinals.next())));
    const group = arrivals.map(({ task, receipt }, i): Member => ({
      task: createTask(task, ordinals[i]!),
      received: files.keep(receipt),
      receipt,
      marker: null,
      failure: null,
    }));
    await forEach(group, async (member) => {
      member.marker = await markers.make(member.task, 'group.marker');
    });
    await forEachOf(group, bucketOf, (id) => records.ensureBucket(id));
    await forEach(group, async ({ task, received }) => {
      await disk.rename(received, layout.payload(task.id), 'group.payload');
      await records.place(task);
    });
    await forEachOf(group, bucketOf, (id) => buckets.unseal(id));
    await forEach(group, ({ task, marker }) => markers.publish(task, marker!, 'group.publish'));
    await Promise.all([
      forEachOf(group, bucketOf, (id) => syncDirectory(layout.bucket(id), 'group.sync-bucket')),
      forEachOf(group, laneOf, (_id, lane) => syncDirectory(layout.pending[lane], 'group.sync-pending')),
    ]);
    return Promise.all(group.map(settled));
  };

  /** Those that failed before are left out. Never rejects. */
  async function forEach(group: readonly Member[], step: (member: Member) => Promise<void>): Promise<void> {
    await Promise.all(
      group.map(async (member) => {
        if (member.failure !== null) return;
        await parts.guard(() => step(member)).catch((error: unknown) => (member.failure = { error }));
      }),
    );
  }

  /** One step for all that have the same key; what fails, fails for each of them. */
  async function forEachOf(
    group: readonly Member[],
    keyOf: (member: Member) => string,
    step: (id: TaskId, lane: TaskLane) => Promise<void>,
  ): Promise<void> {
    const steps = new Map<string, Promise<void>>();
    await forEach(group, (member) => {
      const { id, lane } = member.task;
      const shared = steps.get(keyOf(member)) ?? step(id, lane);
      steps.set(keyOf(member), shared);
      return shared;
    });
  }

  async function settled({ task, received, receipt, marker, failure }: Member): Promise<PromiseSettledResult<Task>> {
    if (failure === null) {
      watch.changed(task.id);
      return { status: 'fulfilled', value: task };
    }
    if (marker === null) {
      files.unkeep(receipt);
      return { status: 'rejected', reason: failure.error };
    }
    return { status: 'rejected', reason: await parts.withdraw(task, received, failure.error) };
  }
}
