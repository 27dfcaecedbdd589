/**
 * Room that is kept for deleting, which is how room comes back: a few files of random bytes (zeros might be stored as nothing). A full
 * disk takes no journal and no record of a deletion; then one of them is given up, space and inode, and the deletion is tried again.
 * While some are missing nothing is taken in, and they are made anew as soon as there is room beyond them.
 */
import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '../../../logger.ts';
import { diskTroubleOf, troubleOf } from '../../../trouble.ts';
import { type Disk, orNull, unlinkIfThere } from './disk.ts';

export interface Reserve {
  /** Does what frees room; on a full disk as often as there is something to give up. `work` is safe twice. */
  spend<T>(work: () => Promise<T>): Promise<T>;
  /** False while there is less than there should be: what is free is not for uploads then. */
  readonly isWhole: boolean;
  close(): void;
}

const portions = 16;
const portionBytesMax = 512 * 1024;
/** Of a small disk the reserve takes one part in so many. */
const shareOfDisk = 32;
/** How often it is made up while it is not whole, and looked at otherwise. */
const makeEveryMs = 1000;
const lookEveryMs = 60_000;
/** What stays free beside a new portion. */
const slackBytes = 256 * 1024;
const slackFiles = 20;

/** It is looked for and made from a second after the start on, beside everything else. */
export function createReserve(options: {
  disk: Disk;
  /** The data directory. */
  root: string;
  /** A new name in this process's own directory. */
  temp: () => string;
  logger: Logger;
}): Reserve {
  const { disk, root, temp, logger } = options;
  const folder = join(root, 'reserve');
  const names = Array.from({ length: portions }, (_, number) => String(number).padStart(2, '0'));
  let isWhole = true;
  let lookedAt = -Infinity;
  let working = false;
  let closed = false;
  const timer = setInterval(() => void tend(), makeEveryMs).unref();

  /** True when one was there to be given up. */
  async function giveUp(): Promise<boolean> {
    const there = (await orNull(disk.list(folder, 'reserve.list'))) ?? [];
    for (const name of there.toReversed()) {
      if (!(await unlinkIfThere(disk, join(folder, name), 'reserve.give-up'))) continue;
      if (isWhole) logger.warn({ left: there.length - 1 }, 'the disk is full: the reserve for deletions is being used');
      isWhole = false;
      return true;
    }
    isWhole = false;
    return false;
  }

  async function tend(): Promise<void> {
    if (working || closed || (isWhole && performance.now() - lookedAt < lookEveryMs)) return;
    working = true;
    try {
      await makeUp();
    } catch (error) {
      // Full, or read-only: uploads are refused for it as long as that lasts.
      if (diskTroubleOf(error) === 'full') isWhole = false;
    } finally {
      working = false;
      lookedAt = performance.now();
    }
  }

  async function makeUp(): Promise<void> {
    const { totalBytes } = await disk.space(root);
    const bytes = Math.min(portionBytesMax, Math.floor(totalBytes / shareOfDisk / portions));
    await disk.mkdir(folder, 'reserve.mkdir');
    const there = new Set(await disk.list(folder, 'reserve.list'));
    for (const name of names.filter((one) => !there.has(one))) {
      const { freeBytes, freeFiles } = await disk.space(root);
      if (closed) return;
      if (freeBytes < bytes + slackBytes || freeFiles < slackFiles) {
        isWhole = false;
        return;
      }
      await makePortion(join(folder, name), bytes);
    }
    if (!isWhole) logger.info({}, 'the reserve for deletions is whole again');
    isWhole = true;
  }

  async function makePortion(path: string, bytes: number): Promise<void> {
    const making = temp();
    try {
      const file = await disk.create(making, 'reserve.create');
      try {
        await file.write([randomFillSync(new Uint8Array(bytes))]);
        await file.sync();
      } finally {
        await file.close();
      }
      await disk.rename(making, path, 'reserve.rename');
    } catch (error) {
      await unlinkIfThere(disk, making, 'reserve.discard').catch(() => false);
      throw error;
    }
  }

  /** SQLite says of a file that it cannot make only that it cannot open it. */
  async function isShort(error: unknown): Promise<boolean> {
    if (troubleOf(error) === 'full') return true;
    if (troubleOf(error) === null) return false;
    const space = await disk.space(root).catch(() => null);
    return space !== null && (space.freeFiles < slackFiles || space.freeBytes < slackBytes);
  }

  return {
    get isWhole() {
      return isWhole;
    },
    async spend(work) {
      for (let left = portions; ; left -= 1) {
        try {
          return await work();
        } catch (error) {
          const isRoom = left > 0 && (await isShort(error)) && (await giveUp().catch(() => false));
          if (!isRoom) throw error;
        }
      }
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}
