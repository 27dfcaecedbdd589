/**
 * What the logs of dead owners are for. After a stop of the machine their entries are held against the files, and what is missing, torn or
 * older is written anew. While the machine has run on, the files are what their writers saw of them, and are flushed.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../../../logger.ts';
import type { Task, TaskId } from '../../../tasks/task.ts';
import { digestPlain } from '../../../documents/plain-file.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import type { DirectorySync } from '../disk/directory-sync.ts';
import type { Layout } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';
import { flushFiles, type LogEntry, type LogHead, logsIn } from './record-log.ts';
import type { TaskBuckets } from './task-buckets.ts';
import { parseTask, type TaskRecords } from './task-records.ts';

export interface LogRecovery {
  /** Before anything else is looked at: the logs of every owner of an earlier run of the machine. */
  all(): Promise<void>;
  /** The logs in the lease directory of a dead owner, before it is removed. */
  of(directory: string): Promise<void>;
}

type Known = { readonly task: Task; readonly payload: string | null };
type Log = { readonly isOfThisBoot: boolean; readonly entries: readonly LogEntry[] };

export function createLogRecovery(options: {
  disk: Disk;
  layout: Layout;
  owner: Pick<Owner, 'id' | 'temp' | 'discard'>;
  syncDirectory: DirectorySync;
  records: Pick<TaskRecords, 'peek' | 'write'>;
  buckets: Pick<TaskBuckets, 'unseal'>;
  bootId: string | null;
  logger: Logger;
}): LogRecovery {
  const { disk, layout, owner, records, logger } = options;

  async function readLog(path: string): Promise<Log> {
    const lines = ((await orNull(disk.read(path, 'log.read'))) ?? '').split('\n').map(parseLine);
    const head = lines[0] as LogHead | null;
    const entries = lines.slice(1).filter((line) => line !== null) as LogEntry[];
    return { isOfThisBoot: options.bootId !== null && head?.bootId === options.bootId, entries: entries.filter(isWhole) };
  }

  async function recover(logs: readonly Log[]): Promise<void> {
    const here = logs.filter(({ isOfThisBoot }) => isOfThisBoot).flatMap(({ entries }) => entries);
    if (here.length > 0) await flushFiles(disk, layout, [...new Set(here.map(idOf))]);
    const before = logs.filter(({ isOfThisBoot }) => !isOfThisBoot).flatMap(({ entries }) => entries);
    const gone = new Set(before.flatMap((entry) => ('gone' in entry ? entry.gone : [])));
    for (const id of gone) await removeAgain(id);
    for (const known of newest(before)) if (!gone.has(known.task.id)) await restore(known);
  }

  /** What came back of a task that was removed, perhaps torn. */
  async function removeAgain(id: TaskId): Promise<void> {
    await options.buckets.unseal(id);
    await unlinkIfThere(disk, layout.record(id), 'recover.gone');
    await unlinkIfThere(disk, layout.payload(id), 'recover.gone');
  }

  /** The file of a record may be newer: another process went on, and had flushed it. */
  async function restore({ task, payload }: Known): Promise<void> {
    const found = await records.peek(task.id);
    // Where the system does not say in which run of the machine it is, a record that is there is left as it is.
    const isOlder = found === null || (options.bootId !== null && found.revision < task.revision);
    if (isOlder) {
      await disk.mkdir(layout.bucket(task.id), 'recover.bucket');
      await options.syncDirectory(layout.tasks, 'recover.sync-tasks');
      await options.buckets.unseal(task.id);
      await records.write(task);
      logger.info({ taskId: task.id, status: task.status }, 'a record that the machine had not written is there again');
    }
    const status = isOlder ? task.status : found.status;
    if (payload !== null && status !== 'completed') await restorePayload(task, Buffer.from(payload, 'base64'));
  }

  async function restorePayload(task: Task, content: Buffer): Promise<void> {
    const path = layout.payload(task.id);
    if (createHash('sha256').update(content).digest('hex') !== task.sha256) return;
    if ((await orNull(digestPlain(path)))?.sha256 === task.sha256) return flushFiles(disk, layout, [task.id]);
    const temp = owner.temp();
    try {
      const file = await disk.create(temp, 'recover.create');
      try {
        await file.write([content]);
        await file.sync();
      } finally {
        await file.close();
      }
      await disk.rename(temp, path, 'recover.payload-rename');
    } catch (error) {
      await owner.discard(temp);
      throw error;
    }
    await options.syncDirectory(layout.bucket(task.id), 'recover.sync-bucket');
  }

  async function readAll(directory: string): Promise<Log[]> {
    const logs: Log[] = [];
    for (const path of await logsIn(disk, directory)) logs.push(await readLog(path));
    return logs;
  }

  return {
    async all() {
      const logs: Log[] = [];
      for (const parent of [layout.active, layout.reclaim])
        for (const name of await disk.list(parent, 'log.owners'))
          if (name !== owner.id) logs.push(...(await readAll(join(parent, name))));
      // Those of this run of the machine may be of owners that live.
      await recover(options.bootId === null ? [] : logs.filter(({ isOfThisBoot }) => !isOfThisBoot));
    },
    async of(directory) {
      await recover(await readAll(directory));
    },
  };
}

/** Of each task the newest record and the bytes, whichever log they are in. */
function newest(entries: readonly LogEntry[]): Known[] {
  const known = new Map<TaskId, Known>();
  for (const entry of entries) {
    if ('gone' in entry) continue;
    const before = known.get(entry.task.id);
    const task = before === undefined || entry.task.revision > before.task.revision ? entry.task : before.task;
    known.set(entry.task.id, { task, payload: entry.payload ?? before?.payload ?? null });
  }
  return [...known.values()];
}

function idOf(entry: LogEntry): TaskId {
  return 'gone' in entry ? entry.gone : entry.task.id;
}

/** Null for a line that was torn; what comes after it is read all the same. */
function parseLine(line: string): unknown {
  try {
    return line === '' ? null : JSON.parse(line);
  } catch {
    return null;
  }
}

function isWhole(entry: LogEntry): boolean {
  if (typeof entry !== 'object') return false;
  if ('gone' in entry) return true;
  try {
    parseTask(entry.task, entry.task.id);
    return true;
  } catch {
    return false;
  }
}
