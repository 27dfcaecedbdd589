/**
 * Records of tasks, and the bytes of small uploads, made durable by one flush for many: each process appends what it writes of them to a log in
 * its lease directory, and flushes that instead of the files and their folders. The files are written as ever, and are what everybody
 * reads. The log is read only after the machine has stopped (`log-recovery.ts`): then the files may not be what they were.
 * Every few seconds the files themselves are flushed, beside everything else, and the log begins anew.
 */
import { join } from 'node:path';
import type { Logger } from '../../../logger.ts';
import type { Task, TaskId } from '../../../tasks/task.ts';
import { type Disk, orNull, unlinkIfThere } from '../disk/disk.ts';
import type { DiskFile } from '../disk/disk-file.ts';
import { fewAtOnce, flushesAtOnce } from '../../few-at-once.ts';
import type { Layout } from '../disk/layout.ts';
import type { Owner } from '../ownership/owner.ts';

/** One line of a log. `gone`: the task was taken back, and whatever the lines before say of it is void. */
export type LogEntry = { readonly task: Task; /** Base64. */ readonly payload?: string } | { readonly gone: TaskId };

/** The first line. `bootId`: of the machine's run in which it was written; null where the system has none. */
export type LogHead = { readonly bootId: string | null };

export interface RecordLog {
  /**
   * Makes an entry durable, then lets `place` put the files in their places: nobody sees what a power cut can take back. With `soon` it does
   * not wait where this log has an earlier record of the task, to which a power cut then takes it back: files are placed at once, and the
   * entry is durable with the next flush, `soonMs` later at most.
   */
  write(entry: LogEntry, place: () => Promise<void>, options?: { readonly soon: boolean }): Promise<void>;
  /** `write` of many at once: one append and one flush for all, or for none. */
  writeAll(entries: readonly LogEntry[], place: () => Promise<void>): Promise<void>;
  /** Tasks that are removed: whatever logs say of them is void. Durable when it returns; without `always` it does nothing for those that this log does not know. */
  forget(ids: readonly TaskId[], options?: { readonly always: boolean }): Promise<void>;
  /** Begins a new log when this one is old or long, and flushes what the old one stands for. */
  tend(): Promise<void>;
  /** As `tend`, whatever its age: nothing is in a log when it returns. When it throws, the log is there for whoever recovers this owner. */
  end(): Promise<void>;
  /** Leaves what there is as it is. */
  close(): Promise<void>;
}

/** Uploads of more bytes are flushed as files. */
export const loggedBytesMax = 64 * 1024;

const soonMs = 50;
const oldMs = 2000;
const longBytes = 1024 * 1024;
/** Logs of other processes that say something of a removed task are gone after so long. */
const goneMs = 60_000;

/**
 * `durable`: tasks of which it has flushed a record. `users`: writes that have an entry in it and have not put their files in place.
 */
type Segment = {
  readonly path: string;
  readonly ids: Set<TaskId>;
  readonly durable: Set<TaskId>;
  unflushed: TaskId[];
  readonly startedAt: number;
  file: DiskFile | null;
  bytes: number;
  users: number;
  lines: string[];
  waiting: PromiseWithResolvers<void>[];
  flushing: Promise<void> | null;
  broken: boolean;
  drained: (() => void) | null;
};

export const logNames = /^log\.\d+$/;

export function createRecordLog(options: {
  disk: Disk;
  layout: Layout;
  owner: Pick<Owner, 'own' | 'directory'>;
  bootId: string | null;
  logger: Logger;
}): RecordLog {
  const { disk, layout, owner, logger } = options;
  let count = 0;
  let current = newSegment();
  let old: Segment[] = [];
  /** When each was removed. */
  const gone = new Map<TaskId, number>();
  let timer: NodeJS.Timeout | null = null;
  let tending: Promise<void> | null = null;

  function newSegment(): Segment {
    count += 1;
    const path = owner.own(`log.${count}`);
    const empty = { file: null, bytes: 0, users: 0, lines: [], waiting: [], flushing: null, broken: false, drained: null };
    return { ...empty, path, ids: new Set(), durable: new Set(), unflushed: [], startedAt: performance.now() };
  }

  async function write(entry: LogEntry, place: () => Promise<void>, { soon } = { soon: false }): Promise<void> {
    await entering(place, async (segment) => {
      const id = append(segment, entry);
      if (soon && segment.durable.has(id)) timer ??= setTimeout(flushSoon, soonMs).unref();
      else await flushed(segment);
    });
  }

  async function writeAll(entries: readonly LogEntry[], place: () => Promise<void>): Promise<void> {
    await entering(place, async (segment) => {
      for (const entry of entries) append(segment, entry);
      await flushed(segment);
    });
  }

  /** A log is not ended before what was written to it is in its place. */
  async function entering(place: () => Promise<void>, enter: (segment: Segment) => Promise<void>): Promise<void> {
    const segment = current;
    segment.users += 1;
    try {
      await enter(segment);
      await place();
    } finally {
      segment.users -= 1;
      if (segment.users === 0) segment.drained?.();
    }
  }

  /** A line for the next flush. */
  function append(segment: Segment, entry: LogEntry): TaskId {
    const id = 'task' in entry ? entry.task.id : entry.gone;
    segment.ids.add(id);
    segment.unflushed.push(id);
    segment.lines.push(`${JSON.stringify(entry)}\n`);
    return id;
  }

  function flushSoon(): void {
    timer = null;
    if (current.lines.length > 0) flushed(current).catch((error: unknown) => logger.debug({ err: error }, 'a log was not flushed'));
  }

  function flushed(segment: Segment): Promise<void> {
    const done = Promise.withResolvers<void>();
    segment.waiting.push(done);
    segment.flushing ??= flushAll(segment).finally(() => (segment.flushing = null));
    return done.promise;
  }

  /** What comes during a flush goes with the next one. After one that failed nothing is believed of the file any more. */
  async function flushAll(segment: Segment): Promise<void> {
    while (segment.waiting.length > 0) {
      const [lines, waiting, ids] = [segment.lines, segment.waiting, segment.unflushed];
      [segment.lines, segment.waiting, segment.unflushed] = [[], [], []];
      try {
        await flushLines(segment, lines.join(''));
        for (const id of ids) segment.durable.add(id);
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        retire(segment);
        for (const { reject } of waiting) reject(error);
      }
    }
  }

  async function flushLines(segment: Segment, text: string): Promise<void> {
    if (segment.broken) throw Object.assign(new Error('EIO: a flush of this log has failed'), { code: 'EIO' });
    if (segment.file === null) {
      const head = `${JSON.stringify({ bootId: options.bootId } satisfies LogHead)}\n`;
      segment.file = await disk.create(segment.path, 'log.create');
      await disk.syncDirectory(owner.directory, 'log.sync-directory');
      await segment.file.write([Buffer.from(head)]);
    }
    const bytes = Buffer.from(text);
    await segment.file.write([bytes]);
    await segment.file.sync();
    segment.bytes += bytes.length;
  }

  function retire(segment: Segment): void {
    segment.broken = true;
    if (segment !== current) return;
    old.push(segment);
    current = newSegment();
  }

  async function tend(force: boolean): Promise<void> {
    const isDue = current.bytes > longBytes || performance.now() - current.startedAt > oldMs;
    if (current.ids.size > 0 && (force || isDue)) {
      old.push(current);
      current = newSegment();
    }
    const due = old;
    old = [];
    for (const [at, segment] of due.entries()) {
      try {
        await end(segment, force);
      } catch (error) {
        old.push(...due.slice(at));
        throw error;
      }
    }
  }

  /** When its files are durable, nobody needs it any more. */
  async function end(segment: Segment, isLast: boolean): Promise<void> {
    if (segment.users > 0) await new Promise<void>((resolve) => (segment.drained = resolve));
    await segment.flushing;
    await flushFiles(disk, layout, [...segment.ids]);
    if (!isLast) await keepGone();
    await segment.file?.close();
    segment.file = null;
    await unlinkIfThere(disk, segment.path, 'log.unlink');
  }

  /** Another process may have a log that still knows what is gone by what is removed here. */
  async function keepGone(): Promise<void> {
    for (const [id, at] of gone) if (performance.now() - at > goneMs) gone.delete(id);
    await Promise.all([...gone.keys()].filter((id) => !current.ids.has(id)).map(noteGone));
  }

  async function noteGone(id: TaskId): Promise<void> {
    await write({ gone: id }, () => Promise.resolve());
  }

  return {
    write,
    writeAll,
    async forget(ids, { always } = { always: false }) {
      const known = ids.filter((id) => always || [current, ...old].some((segment) => segment.ids.has(id)));
      for (const id of known) gone.set(id, performance.now());
      await Promise.all(known.map(noteGone));
    },
    tend() {
      tending ??= tend(false).finally(() => (tending = null));
      return tending;
    },
    async end() {
      await tending?.catch(() => undefined);
      await tend(true);
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await tending?.catch(() => undefined);
      for (const segment of [current, ...old].filter(({ file }) => file !== null)) {
        await segment.flushing;
        await segment.file?.close().catch(() => undefined);
        segment.file = null;
        segment.broken = true;
      }
    },
  };
}

/** Makes durable what lies under the names of these tasks: records, payloads, and their folders. Cost: a flush each, mostly of nothing. */
export async function flushFiles(disk: Disk, layout: Layout, ids: readonly TaskId[]): Promise<void> {
  const paths = ids.flatMap((id) => [layout.record(id), layout.payload(id)]);
  await fewAtOnce(paths, flushesAtOnce, async (path) => void (await orNull(disk.syncFile(path, 'log.sync-file'))));
  const folders = [...new Set(ids.map((id) => layout.bucket(id))), layout.tasks, layout.pending.small, layout.pending.large];
  await Promise.all(folders.map((folder) => orNull(disk.syncDirectory(folder, 'log.sync-folder'))));
}

/** The logs that an owner has left in its lease directory. */
export async function logsIn(disk: Disk, directory: string): Promise<string[]> {
  const names = (await orNull(disk.list(directory, 'log.list'))) ?? [];
  return names.filter((name) => logNames.test(name)).map((name) => join(directory, name));
}
