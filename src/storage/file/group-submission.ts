/**
 * Many small uploads made tasks together. The steps are those of one upload and keep their order, but each is done for all before the
 * next, so that what one upload waits for, a group waits for once: one append to the log of records, flushed once, holds all of them and their
 * bytes. What goes into no log (a larger file, a task with a password) is flushed by itself and shares the flushes of the two folders.
 */
import { createTask, type Task, type TaskId, type TaskLane } from '../../tasks/task.ts';
import type { Arrival } from '../engine.ts';
import type { FileFileStore } from './content/file-store.ts';
import type { Disk } from './disk/disk.ts';
import type { DirectorySync } from './disk/directory-sync.ts';
import { fewAtOnce, flushesAtOnce, manyAtOnce } from '../few-at-once.ts';
import type { Layout, Marker } from './disk/layout.ts';
import type { Ordinals } from './ordinals.ts';
import type { LiveMarkers } from './tasks/live-markers.ts';
import type { LogEntry, RecordLog } from './tasks/record-log.ts';
import type { TaskBuckets } from './tasks/task-buckets.ts';
import type { TaskRecords } from './tasks/task-records.ts';
import type { TaskWatch } from './tasks/task-watch.ts';

export type GroupSubmissionParts = {
  /** What it makes and renames, markers and records that are shown too, goes by `Disk.many`. */
  readonly disk: Disk;
  readonly layout: Layout;
  readonly syncDirectory: DirectorySync;
  readonly ordinals: Pick<Ordinals, 'next'>;
  readonly files: Pick<FileFileStore, 'keep' | 'unkeep' | 'unflushed'>;
  readonly markers: Pick<LiveMarkers, 'make' | 'publishFirst'>;
  readonly records: Pick<TaskRecords, 'ensureBucket' | 'place' | 'show'>;
  readonly log: Pick<RecordLog, 'writeAll'>;
  readonly buckets: Pick<TaskBuckets, 'unseal'>;
  readonly watch: Pick<TaskWatch, 'wrote'>;
  /** Undoes what was done of one, and says what to tell its uploader. */
  readonly withdraw: (task: Task, received: string, error: unknown) => Promise<unknown>;
  /** What is wrong with the disk, noted and worded. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
};

type Member = {
  readonly task: Task;
  readonly received: string;
  readonly receipt: Arrival['receipt'];
  /** What the log takes of it; null: its files are flushed. */
  readonly entry: LogEntry | null;
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
    const group = arrivals.map((arrival, i) => memberOf(arrival, ordinals[i]!));
    await forEach(group, async (member) => {
      member.marker = await markers.make(member.task, 'group.marker');
    });
    await forEachOf(group, bucketOf, (id) => records.ensureBucket(id));
    await Promise.all([
      arrangeLogged(group.filter(({ entry }) => entry !== null)),
      arrangeFlushed(group.filter(({ entry }) => entry === null)),
    ]);
    return Promise.all(group.map(settled));
  };

  function memberOf({ task: fields, receipt }: Arrival, ordinal: number): Member {
    const content = files.unflushed(receipt);
    const received = files.keep(receipt);
    const task = createTask(fields, ordinal);
    const entry = content === null || task.password !== undefined ? null : { task, payload: content.toString('base64') };
    return { task, received, receipt, entry, marker: null, failure: null };
  }

  /** Of all one append and one flush. */
  async function arrangeLogged(group: readonly Member[]): Promise<void> {
    const living = group.filter(({ failure }) => failure === null);
    if (living.length === 0) return;
    const entries = living.map(({ entry }) => entry!);
    await parts
      .guard(() => parts.log.writeAll(entries, () => arrange(living, { record: records.show, atOnce: manyAtOnce })))
      .catch((error: unknown) => {
        for (const member of living) member.failure ??= { error };
      });
  }

  async function arrangeFlushed(group: readonly Member[]): Promise<void> {
    const atOnce = flushesAtOnce;
    const flush = async ({ received, receipt }: Member): Promise<void> => {
      if (files.unflushed(receipt) !== null) await disk.syncFile(received, 'group.sync-payload');
    };
    await forEach(group, flush, { atOnce });
    await arrange(group, { record: records.place, atOnce });
    await Promise.all([
      forEachOf(group, bucketOf, (id) => syncDirectory(layout.bucket(id), 'group.sync-bucket')),
      forEachOf(group, laneOf, (_id, lane) => syncDirectory(layout.pending[lane], 'group.sync-pending')),
    ]);
  }

  /** What was received, the record, and at last the place in the queue. Never rejects. */
  async function arrange(
    group: readonly Member[],
    { record, atOnce }: { record: (task: Task) => Promise<void>; atOnce: number },
  ): Promise<void> {
    const put = async ({ task, received }: Member): Promise<void> => {
      await disk.rename(received, layout.payload(task.id), 'group.payload');
      await record(task);
    };
    await forEach(group, put, { atOnce });
    await forEachOf(group, bucketOf, (id) => buckets.unseal(id));
    await forEach(group, ({ task, marker }) => markers.publishFirst(task, marker!, 'group.publish'));
  }

  /** Those that failed before are left out. Never rejects. */
  async function forEach(
    group: readonly Member[],
    step: (member: Member) => Promise<void>,
    { atOnce } = { atOnce: manyAtOnce },
  ): Promise<void> {
    await fewAtOnce(group, atOnce, async (member) => {
      if (member.failure !== null) return;
      await parts.guard(() => step(member)).catch((error: unknown) => (member.failure = { error }));
    });
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
      watch.wrote(task);
      return { status: 'fulfilled', value: task };
    }
    if (marker === null) {
      files.unkeep(receipt);
      return { status: 'rejected', reason: failure.error };
    }
    return { status: 'rejected', reason: await parts.withdraw(task, received, failure.error) };
  }
}
