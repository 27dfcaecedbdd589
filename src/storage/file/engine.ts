/**
 * The file engine: tasks, queue and files in one data directory, shared by any number of processes on one machine. It needs
 * a local file system with a journal, rename, hard links and directory fsync; nothing to install.
 */
import { createFileCollectionStore } from './collections.ts';
import { join, resolve } from 'node:path';
import { AppError, hasErrno } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { DocumentIndex } from '../../search/document-index.ts';
import { createTask, isTerminal, type NewTask, type Task, type TaskId } from '../../tasks/task.ts';
import type { Receipt } from '../file-store.ts';
import { notReady } from '../../trouble.ts';
import type { Engine } from '../engine.ts';
import { createCancelRequests } from './queue/cancel-requests.ts';
import { createDisk, type Disk, orNull, removeTree } from './disk/disk.ts';
import { createDiskHealth } from './disk/disk-health.ts';
import { createDirectorySync } from './disk/directory-sync.ts';
import { createDocumentLocks, retryKey } from './queue/document-locks.ts';
import { commit, createDocument } from './disk/durable-json.ts';
import { createFileFileStore } from './content/file-store.ts';
import { createFileTaskQueue } from './queue/task-queue.ts';
import { createFileTaskStore, createSnapshots } from './tasks/task-store.ts';
import { createGroupSubmission } from './group-submission.ts';
import { createHeldLeases } from './queue/held-leases.ts';
import { createLayout, directories, type Layout, type Marker, markerOf } from './disk/layout.ts';
import { createLiveMarkers } from './tasks/live-markers.ts';
import { createMaintenance, hourMs, turnMs } from './ownership/maintenance.ts';
import { createOrdinals } from './ordinals.ts';
import { format, layoutName, refuseOtherVersions } from './other-versions.ts';
import { becomeOwner, type EngineRole, type Owner } from './ownership/owner.ts';
import { createPendingMarkers } from './queue/pending-markers.ts';
import { identifyProcess, type ProcessIdentity } from './ownership/process-identity.ts';
import { createProgressFiles } from './tasks/progress-files.ts';
import { brokenMarkers, clearRequests, createReclaim } from './ownership/reclaim.ts';
import { createReserve } from './disk/reserve.ts';
import { createSteadyClock } from './ownership/steady-clock.ts';
import { createLogRecovery } from './tasks/log-recovery.ts';
import { createRecordLog, loggedBytesMax } from './tasks/record-log.ts';
import { createTaskBuckets } from './tasks/task-buckets.ts';
import { createTaskRecords } from './tasks/task-records.ts';
import { createTaskWatch, snapshotReader } from './tasks/task-watch.ts';

export type FileEngineOptions = {
  /** Created when missing. A local disk: NFS and SMB are refused. */
  readonly dataDir: string;
  /** A front end never claims: what it holds are uploads on their way in. */
  readonly role: EngineRole;
  readonly openIndex: (indexDir: string) => Promise<DocumentIndex>;
  /** ISO 8601. */
  readonly now: () => string;
  readonly newId: () => TaskId;
  readonly logger: Logger;
  /** Free bytes below which nothing more is received. */
  readonly diskReserveBytes: number;
  /** How long an ended task is kept. */
  readonly taskRetentionMs: number;
  /** A process that has not shown itself for so long is dead; at least 2000. A killed one is found out at once. */
  readonly leaseMs?: number;
  readonly disk?: Disk;
  readonly identity?: ProcessIdentity;
};

const leaseMsDefault = 10_000;

type Meta = { readonly format: number; readonly bootId: string | null };

/**
 * Opens a data directory and recovers what dead processes left in it. Does not read the tasks that are kept: the time it
 * takes does not grow with their number.
 * @throws AppError `unavailable` with the reason in `cause`: not a local disk, a symbolic link inside, a newer format.
 */
export async function openFileEngine(options: FileEngineOptions): Promise<Engine> {
  const { role, now, logger, leaseMs = leaseMsDefault, disk = createDisk(), identity = identifyProcess(process.pid) } = options;
  const layout = createLayout(resolve(options.dataDir));
  const found = await prepare(disk, layout);

  const owner = await becomeOwner({
    disk,
    layout,
    card: { ...identity, role, startedAt: now(), layout: layoutName },
    newId: options.newId,
    leaseMs,
    logger,
  });
  const syncDirectory = createDirectorySync(disk);
  const base = { disk, layout, owner, syncDirectory, now, logger };
  /** For steps that many uploads take at once, without flushing. */
  const together = { ...base, disk: { ...disk, ...disk.many() } };
  const meta = createDocument<Meta>({
    ...base,
    path: layout.meta,
    temp: owner.temp,
    discard: owner.discard,
    parse: (data) => data as Meta,
    at: 'meta',
  });
  const index = await openOrRelease(owner, async () => {
    await refuseOtherVersions({ disk, layout, ownId: owner.id, identity, leaseMs });
    await claimFormat(meta, found);
    return options.openIndex(layout.index);
  });
  const reserve = createReserve({ disk, root: layout.root, temp: owner.temp, logger });
  const health = createDiskHealth({
    disk,
    root: layout.root,
    folders: [layout.documents],
    temp: owner.temp,
    reserve,
    logger,
    reserveBytes: options.diskReserveBytes,
  });
  const pending = createPendingMarkers(disk, layout);
  const locks = createDocumentLocks(disk, layout);
  const leases = createHeldLeases();
  const requests = createCancelRequests(disk, layout, (id) => leases.end(id, 'cancel'));
  const progress = createProgressFiles(disk, layout, owner);
  const { bootId } = identity;
  const log = createRecordLog({ ...base, bootId });
  const records = createTaskRecords({ ...base, log });
  const markers = createLiveMarkers({ ...base, pending });
  const buckets = createTaskBuckets({ ...base, log, records, markers, pending, wallMs: () => Date.parse(now()) });
  const ordinals = createOrdinals({
    ...base,
    highestKept: async () => Math.max(await index.highestOrdinal(), (await buckets.ordinals())?.highest ?? 0),
  });
  const snapshot = createSnapshots({ records, pending, leases, progress });
  const watch = createTaskWatch({ ...base, pending, read: snapshotReader(records.read, snapshot), snapshot });
  const files = createFileFileStore({ ...base, health, unflushedBytesMax: loggedBytesMax });
  const queue = createFileTaskQueue({ ...base, health, pending, locks, leases, requests, progress });
  const tasks = createFileTaskStore({
    ...base,
    health,
    records,
    buckets,
    markers,
    pending,
    locks,
    leases,
    requests,
    progress,
    index,
    watch,
    snapshot,
  });
  const logs = createLogRecovery({ ...base, records, buckets, bootId });
  const reclaim = createReclaim({
    ...base,
    identity,
    leaseMs,
    records,
    markers,
    locks,
    watch,
    logs,
    turnMsMax: 3 * turnMs,
  });
  const clock = createSteadyClock({
    wallMs: () => Date.parse(now()),
    monotonicMs: () => performance.now(),
    settleMs: options.taskRetentionMs,
  });
  const maintenance = createMaintenance({ layout, leaseMs, jobs: { turn, lead, minutely, hourly }, logger });
  const stopLocks = disk.watch(layout.locks, pending.wake);
  owner.lost.addEventListener('abort', endLeases);
  const refused: { readonly task: Task; readonly received: string }[] = [];
  let closed = false;
  const openedAt = performance.now();
  /** What the purge before this one left: a number may have been taken before its task could be seen. */
  let purgeable = 0;

  await openOrRelease(owner, async () => {
    await logs.all();
    await ordinals.open();
  });
  await reclaim.step().catch((error: unknown) => logger.warn({ err: error }, 'recovery failed; it continues in a moment'));
  maintenance.start();

  async function turn(): Promise<void> {
    if (!(await owner.holds())) return;
    clock.look();
    await owner.sweep();
    await undoRefused();
    for (const marker of brokenMarkers(owner.takeBroken())) await recoverBroken(marker);
    await reclaim.step();
    await locks.clear(heldKeys);
    await pending.poll();
    pending.wake();
    await requests.poll();
    await watch.poll();
    // Beside the turns: flushing files must not hold up recovery.
    void log.tend().catch((error: unknown) => logger.warn({ err: error }, 'records could not be flushed; they are in the log'));
  }

  async function recoverBroken(marker: Parameters<typeof reclaim.recover>[0]): Promise<void> {
    try {
      await reclaim.recover(marker);
    } catch (error) {
      owner.recoverLater(owner.own(marker.name));
      throw error;
    }
  }

  async function lead(): Promise<void> {
    await meta.read();
    if (meta.data?.bootId === identity.bootId && meta.data !== null && meta.data.format === format) return;
    await scrub();
    await commit(meta, { format, bootId: identity.bootId });
  }

  /** A live task that nothing marks (a power cut without a journal, a deleted queue directory) waits again. */
  async function scrub(): Promise<void> {
    const found = await buckets.scrub(markers.everywhere);
    for (const task of found) {
      logger.warn({ taskId: task.id }, 'a task had lost its place in the queue; it was queued again');
      await reclaim.recover(await markers.make(task, 'scrub.marker'));
    }
  }

  async function heldKeys(): Promise<Set<string>> {
    return new Set((await markers.held()).flatMap(({ id, docKey }) => [docKey, retryKey(id)]));
  }

  async function minutely(): Promise<void> {
    await buckets.seal(clock.look());
    await clearRequests(requests, records);
  }

  async function hourly(): Promise<void> {
    const before = new Date(clock.look() - options.taskRetentionMs);
    // Not at a start: a clock that is wrong then is often put right in minutes.
    const removed = performance.now() - openedAt < hourMs ? 0 : await buckets.expire(before);
    if (removed > 0) logger.info({ removed }, 'expired tasks removed');
    await scrub();
    const isLive = async (id: TaskId): Promise<boolean> => {
      const task = await records.read(id);
      return task !== null && !isTerminal(task.status);
    };
    const isCurrent = async (docId: string, version: TaskId): Promise<boolean> => (await index.info(docId))?.version === version;
    const isWhole = (await index.isFilled?.()) ?? true;
    const swept = isWhole ? await files.sweep({ isLive, isCurrent }) : 0;
    if (swept > 0) logger.info({ swept }, 'unfinished document versions removed');
    await purge();
  }

  /** Only what was accepted before every task that is kept now, or might have been on its way at the last purge. */
  async function purge(): Promise<void> {
    const next = await ordinals.next();
    const lowest = (await buckets.ordinals())?.lowest ?? next;
    await index.purge(Math.min(lowest, purgeable));
    purgeable = next;
  }

  function endLeases(): void {
    for (const { marker } of leases.all()) leases.end(marker.id, 'lost');
    pending.wake();
  }

  /** The order is the promise: nothing is claimable before its record is in place, nothing acknowledged before all is durable. */
  async function submit(fields: NewTask, receipt: Receipt): Promise<Task> {
    const task = createTask(fields, await ordinals.next());
    const content = files.unflushed(receipt);
    const received = files.keep(receipt);
    const marker = await markers.make(task, 'submit.marker').catch((error: unknown) => {
      files.unkeep(receipt);
      throw error;
    });
    try {
      await records.ensureBucket(task.id);
      if (content !== null && task.password === undefined) {
        const entry = { task, payload: content.toString('base64') };
        await log.write(entry, () => arrange(task, { received, marker, record: records.show }));
      } else {
        if (content !== null) await disk.syncFile(received, 'submit.sync-payload');
        await arrange(task, { received, marker, record: records.place });
        await Promise.all([
          syncDirectory(layout.bucket(task.id), 'submit.sync-bucket'),
          syncDirectory(layout.pending[task.lane], 'submit.sync-pending'),
        ]);
      }
    } catch (error) {
      throw await withdrawn(task, received, error);
    }
    watch.wrote(task);
    return task;
  }

  /** What was received, the record, and at last the place in the queue. */
  async function arrange(
    task: Task,
    { received, marker, record }: { received: string; marker: Marker; record: (task: Task) => Promise<void> },
  ): Promise<void> {
    await disk.rename(received, layout.payload(task.id), 'submit.payload');
    await record(task);
    await buckets.unseal(task.id);
    await markers.publishFirst(task, marker, 'submit.publish');
  }

  const submitAll = createGroupSubmission({
    ...together,
    ordinals,
    files,
    markers: createLiveMarkers({ ...together, pending }),
    records: { ...records, show: createTaskRecords({ ...together, log }).show },
    log,
    buckets,
    watch,
    guard: (work) => health.guard(work),
    withdraw: withdrawn,
  });

  /** The order of `submit`. A task that has ended has a marker meanwhile too: it keeps the bucket from being swept as an empty one. */
  async function importTask(task: Task, receipt: Receipt | null): Promise<void> {
    if ((await records.read(task.id)) !== null) return receipt?.discard();
    const marker = await markers.make(task, 'bring-in.marker');
    await disk.mkdir(layout.bucket(task.id), 'bring-in.bucket');
    await syncDirectory(layout.tasks, 'bring-in.sync-tasks');
    if (receipt !== null) await bringPayload(task.id, receipt);
    await buckets.unseal(task.id);
    await records.write(task);
    await buckets.unseal(task.id);
    if (isTerminal(task.status)) return owner.discard(owner.own(marker.name));
    await markers.publish(task, marker, 'bring-in.publish');
    await syncDirectory(layout.pending[task.lane], 'bring-in.sync-pending');
  }

  async function bringPayload(id: TaskId, receipt: Receipt): Promise<void> {
    const isFlushed = files.unflushed(receipt) === null;
    const received = files.keep(receipt);
    if (!isFlushed) await disk.syncFile(received, 'bring-in.sync-payload');
    await disk.rename(received, layout.payload(id), 'bring-in.payload');
  }

  /** Undoes a submit; what to say of it. */
  async function withdrawn(task: Task, received: string, error: unknown): Promise<unknown> {
    await withdraw(task, received);
    if (!hasErrno(error, 'ENOENT')) return error;
    await owner.holds();
    return notReady(error);
  }

  /** Undoes a submit that failed, now or when the disk allows it: what was refused must not run after all. */
  async function withdraw(task: Task, received: string): Promise<void> {
    try {
      await undoSubmit(task, received);
    } catch {
      refused.push({ task, received });
    }
  }

  async function undoSubmit(task: Task, received: string): Promise<void> {
    const { name } = markerOf(task);
    const own = owner.own(name);
    await orNull(disk.rename(join(layout.pending[task.lane], name), own, 'withdraw.marker'));
    pending.removed(task.lane, name);
    // Somebody runs it already: then it is accepted, whatever its uploader was told.
    if ((await orNull(disk.stat(own, 'withdraw.look'))) === null) return;
    await log.forget([task.id]);
    for (const path of [layout.record(task.id), layout.payload(task.id), received, own])
      await removeTree(disk, path, 'withdraw.remove');
  }

  async function undoRefused(): Promise<void> {
    for (const { task, received } of refused.splice(0)) await withdraw(task, received);
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    reserve.close();
    await maintenance.stop();
    endLeases();
    progress.close();
    watch.close();
    requests.close();
    stopLocks?.();
    owner.lost.removeEventListener('abort', endLeases);
    await handBack().catch(async (error: unknown) => {
      logger.warn({ err: error }, 'tasks of this process could not be handed back; another process takes them over');
      await owner.abandon();
    });
    await log.close();
    pending.close();
    await index.close();
  }

  /** Markers that are still here go where their records say; the lease is left standing when that fails, for others to recover. */
  async function handBack(): Promise<void> {
    if (!(await owner.holds())) return owner.release();
    await undoRefused();
    for (const name of await disk.list(owner.directory, 'close.list')) {
      for (const marker of brokenMarkers([name])) await reclaim.recover(marker);
    }
    await log.end();
    // It takes its time, and whoever slept over it learns here that others have taken the lease.
    await owner.holds();
    await owner.release();
  }

  return {
    tasks: { ...tasks, cancel: (id, how) => reserve.spend(() => tasks.cancel(id, how)) },
    queue,
    files: { ...files, remove: (docId, before) => reserve.spend(() => files.remove(docId, before)) },
    index: { ...index, remove: (docId, fence) => reserve.spend(() => index.remove(docId, fence)) },
    collections: createFileCollectionStore({
      ...base,
      temp: owner.temp,
      discard: owner.discard,
      guard: (work) => health.guard(work),
    }),
    nextOrdinal: () => reserve.spend(() => health.guard(() => ordinals.next())),
    continueAfter: (ordinal) => health.guard(() => ordinals.continueAfter(ordinal)),
    submit: (task, receipt) => health.guard(() => submit(task, receipt)),
    submitAll,
    transaction: (work) => work(),
    importTask: (task, receipt) => health.guard(() => importTask(task, receipt)),
    others: () => reclaim.others(),
    state: () => health.state(),
    lost: owner.lost,
    close,
  };
}

/** Makes the directories, and refuses a place where the promises of this engine would not hold. Returns its format; null when it has none. */
async function prepare(disk: Disk, layout: Layout): Promise<number | null> {
  await makeRoot(disk, layout.root);
  refuseNetwork((await disk.space(layout.root)).type, layout.root);
  for (const path of directories(layout)) {
    await disk.mkdir(path, 'prepare.mkdir');
    if ((await disk.stat(path, 'prepare.stat')).kind !== 'directory')
      throw refusal(`${path} is not a directory of its own (a symbolic link?)`);
  }
  for (const path of [layout.root, layout.queue, join(layout.queue, 'pending')]) await disk.syncDirectory(path, 'prepare.sync');
  const text = await orNull(disk.read(layout.meta, 'prepare.meta'));
  const found = text === null ? null : readFormat(text);
  if (found !== null && found > format) throw refusal(`the data directory has format ${found}; this version reads ${format}`);
  return found;
}

/** Before anything is stored as this version stores it: from here on an older one does not start. The rest is for whoever leads. */
async function claimFormat(meta: ReturnType<typeof createDocument<Meta>>, found: number | null): Promise<void> {
  if (found === null || found < format) await commit(meta, { format, bootId: null });
}

async function openOrRelease<T>(owner: Owner, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await owner.release();
    throw error;
  }
}

async function makeRoot(disk: Disk, path: string): Promise<void> {
  try {
    await disk.mkdir(path, 'prepare.mkdir');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    await makeRoot(disk, join(path, '..'));
    await disk.mkdir(path, 'prepare.mkdir');
  }
}

/** A damaged meta.json is written anew by the next scrub. */
function readFormat(text: string): number | null {
  try {
    return (JSON.parse(text) as Meta).format;
  } catch {
    return null;
  }
}

/** statfs(2) types whose rename, mtime or fsync do not keep the promises made here. */
const networkTypes = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
]);

function refuseNetwork(type: number, path: string): void {
  const name = networkTypes.get(type >>> 0);
  if (name !== undefined) throw refusal(`${path} is on ${name}; a local disk is needed`);
}

function refusal(reason: string): AppError {
  return new AppError('unavailable', `The data directory cannot be used: ${reason}`, { cause: reason });
}
