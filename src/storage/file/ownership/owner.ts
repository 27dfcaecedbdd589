/**
 * This process as an owner of work: its lease directory, out of which all of its writes are renamed, and the lock that says
 * it lives. Whoever finds it dead renames the directory away; from then on its writes fail with ENOENT and it must stop.
 */
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { TaskId } from '../../../tasks/task.ts';
import type { Logger } from '../../../logger.ts';
import { type Disk, orNull, removeTree, unlinkIfThere } from '../disk/disk.ts';
import type { Layout } from '../disk/layout.ts';
import type { ProcessIdentity } from './process-identity.ts';

export type EngineRole = 'frontend' | 'worker';

/** What `workers/<id>` says. */
export type WorkerCard = ProcessIdentity & {
  readonly role: EngineRole;
  readonly startedAt: string;
  /** `layoutName` of the program that it runs; version 0.1.0 wrote none. */
  readonly layout?: string;
};

export interface Owner {
  /** `f-` or `w-`, the process id, and a random part: never used twice. */
  readonly id: string;
  /** The lease directory. */
  readonly directory: string;
  /** Aborts with reason `lost` once another process has taken the lease directory. */
  readonly lost: AbortSignal;
  /** A path in the lease directory. */
  own(name: string): string;
  /** A new temporary path; `id` lets watchers see which task a write is about. */
  readonly temp: (id?: TaskId) => string;
  /** Removes a temporary file or folder; what the disk refuses to remove now is removed by `sweep`. Never throws. */
  readonly discard: (path: string) => Promise<void>;
  sweep(): Promise<void>;
  /** A marker here whose step broke half-way: maintenance brings its task back to where its record says. */
  recoverLater(path: string): void;
  /** What `recoverLater` was told, once. */
  takeBroken(): string[];
  /** Looks whether the lease directory is still ours; aborts `lost` when it was taken. False after `release`, too. */
  holds(): Promise<boolean>;
  /** Gives the lease up: the directory must be empty of markers. */
  release(): Promise<void>;
  /** Lets the lease run out as it is, for others to recover. */
  abandon(): Promise<void>;
}

export async function becomeOwner(options: {
  disk: Disk;
  layout: Layout;
  card: WorkerCard;
  newId: () => string;
  leaseMs: number;
  logger: Logger;
}): Promise<Owner> {
  const { disk, layout, card, leaseMs, logger } = options;
  const id = `${card.role === 'frontend' ? 'f' : 'w'}-${card.pid}-${options.newId().slice(-12)}`;
  const directory = join(layout.active, id);
  const cardPath = join(layout.workers, id);
  const lost = new AbortController();
  const rubbish = new Set<string>();
  let broken: string[] = [];
  let count = 0;
  let releaseLock: (() => Promise<void>) | null = null;
  let released = false;

  try {
    await writeCard();
    await disk.syncDirectory(layout.workers, 'owner.sync-card');
    await takeLock();
    await disk.mkdir(directory, 'owner.directory');
    await disk.syncDirectory(layout.active, 'owner.sync-directory');
  } catch (error) {
    await release().catch(() => undefined);
    throw error;
  }

  async function writeCard(): Promise<void> {
    const file = await disk.create(cardPath, 'owner.card');
    try {
      await file.write([Buffer.from(JSON.stringify(card))]);
    } finally {
      await file.close();
    }
  }

  /**
   * Nobody else ever takes this lock, since its name is ours alone; an observer reads its age. So it counts as lost only
   * when the directory is: a lock that could not be refreshed (a read-only disk, a step of the clock) is taken anew.
   */
  async function takeLock(): Promise<void> {
    releaseLock = await lock(cardPath, {
      realpath: false,
      stale: leaseMs,
      update: leaseMs / 4,
      onCompromised: (error) => {
        releaseLock = null;
        logger.warn({ err: error }, 'the lock of this process could not be refreshed');
      },
    });
  }

  async function renewLock(): Promise<void> {
    try {
      await orNull(disk.rmdir(`${cardPath}.lock`, 'owner.lock-remove'));
      await takeLock();
    } catch (error) {
      logger.debug({ err: error }, 'the lock of this process cannot be taken now');
    }
  }

  async function discard(path: string): Promise<void> {
    try {
      await removeTree(disk, path, 'discard');
      rubbish.delete(path);
    } catch {
      rubbish.add(path);
    }
  }

  function own(name: string): string {
    return join(directory, name);
  }

  async function holds(): Promise<boolean> {
    if (lost.signal.aborted || released) return false;
    if ((await orNull(disk.stat(directory, 'owner.check'))) !== null) {
      if (releaseLock === null) await renewLock();
      return true;
    }
    logger.error({ owner: id }, 'another process has declared this one dead; stopping');
    lost.abort('lost');
    return false;
  }

  return {
    id,
    directory,
    lost: lost.signal,
    own,
    temp(task) {
      count += 1;
      return own(task === undefined ? `.t.${count}` : `.t.${task}.${count}`);
    },
    discard,
    async sweep() {
      for (const path of rubbish) await discard(path);
    },
    recoverLater: (path) => void broken.push(path),
    takeBroken() {
      const taken = broken;
      broken = [];
      return taken;
    },
    holds,
    release,
    abandon,
  };

  async function release(): Promise<void> {
    if (released) return;
    released = true;
    try {
      if (!lost.signal.aborted) await removeLease();
    } finally {
      await freeLock();
    }
  }

  async function removeLease(): Promise<void> {
    for (const name of (await orNull(disk.list(directory, 'owner.release'))) ?? []) {
      await removeTree(disk, own(name), 'owner.release');
    }
    await orNull(disk.rmdir(directory, 'owner.release'));
    await unlinkIfThere(disk, cardPath, 'owner.release');
  }

  async function abandon(): Promise<void> {
    released = true;
    await freeLock();
  }

  async function freeLock(): Promise<void> {
    await releaseLock?.().catch(() => undefined);
    releaseLock = null;
  }
}
