/**
 * A backup a day, by itself: each into a folder named after the day that it was due, written beside under another name first, so that
 * what has the name is whole. The copying is done by a process of its own (`rag-intake backup`); of several front ends one does it.
 */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { Logger } from '../logger.ts';

export type BackupScheduleOptions = {
  /** Where the backups lie; it must be there. */
  readonly folder: string;
  /** `HH:MM`, by the clock and time zone of this machine. */
  readonly at: string;
  /** How many are kept; the oldest go when a new one is whole. */
  readonly keep: number;
  /** Makes one in a folder that is not there yet. Rejects when nothing came of it; resolves to what is damaged in it. */
  readonly run: (target: string, signal: AbortSignal) => Promise<{ readonly damaged: number }>;
  readonly nowMs: () => number;
  readonly logger: Logger;
};

export interface BackupSchedule {
  start(): void;
  /** Ends one that runs; it is made anew after the next start. Safe twice. */
  stop(): Promise<void>;
  /** Makes the one that was due last, unless it is there or another process makes it. What `start` does again and again. */
  look(): Promise<'made' | 'there' | 'elsewhere' | 'failed'>;
}

/** How often the clock is looked at: a clock that is set, or a machine that slept, changes nothing but the minute. */
const lookMs = 30_000;
/** After a failure. */
const retryMs = 3_600_000;
/** A process that has not said for so long that it holds the lock is gone. */
const lockStaleMs = 60_000;
const namePattern = /^backup-\d{4}-\d{2}-\d{2}$/;

export function createBackupSchedule({ folder, at, keep, run, nowMs, logger }: BackupScheduleOptions): BackupSchedule {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let failedMs = -Infinity;

  async function look(): Promise<'made' | 'there' | 'elsewhere' | 'failed'> {
    try {
      const name = nameOf(lastDue(nowMs(), at));
      if ((await readdir(folder)).includes(name)) return 'there';
      const release = await lock(folder, { stale: lockStaleMs, realpath: false, lockfilePath: join(folder, '.lock') }).catch(
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ELOCKED') return null;
          throw error;
        },
      );
      if (release === null) return 'elsewhere';
      try {
        return (await readdir(folder)).includes(name) ? 'there' : await make(name);
      } finally {
        await release();
      }
    } catch (error) {
      failedMs = nowMs();
      if (!stopping.signal.aborted)
        logger.error({ reason: (error as Error).message, folder }, 'the backup failed; the next attempt is in an hour');
      return 'failed';
    }
  }

  async function make(name: string): Promise<'made'> {
    const unfinished = (await readdir(folder)).filter((each) => each.endsWith('.unfinished'));
    for (const each of unfinished) await rm(join(folder, each), { recursive: true, force: true });
    const target = join(folder, `${name}.unfinished`);
    const startedMs = nowMs();
    const { damaged } = await run(target, stopping.signal);
    await rename(target, join(folder, name));
    const whole = (await readdir(folder)).filter((each) => namePattern.test(each)).toSorted();
    const old = whole.slice(0, Math.max(0, whole.length - keep));
    for (const each of old) await rm(join(folder, each), { recursive: true, force: true });
    logger[damaged === 0 ? 'info' : 'error'](
      { folder: join(folder, name), seconds: Math.round((nowMs() - startedMs) / 1000), damaged, removed: old },
      damaged === 0 ? 'backed up' : 'backed up, except damaged documents; see rag-intake doctor',
    );
    return 'made';
  }

  function tick(): void {
    if (stopping.signal.aborted) return;
    const rests = nowMs() - failedMs < retryMs;
    running = (rests ? Promise.resolve() : look()).finally(() => {
      if (!stopping.signal.aborted) timer = setTimeout(tick, lookMs).unref();
    });
  }

  return {
    look,
    start: tick,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

/** When a backup was due last, by this machine's time zone: today at that time, or yesterday while it is not that late yet. Pure. */
export function lastDue(nowMs: number, at: string): Date {
  const [hours, minutes] = at.split(':').map(Number) as [number, number];
  const now = new Date(nowMs);
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate(), hours, minutes);
  return today.getTime() <= nowMs ? today : new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1, hours, minutes);
}

function nameOf(due: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  return `backup-${due.getFullYear()}-${two(due.getMonth() + 1)}-${two(due.getDate())}`;
}
