/** Whether the disk takes writes, what its errors mean to a caller, and when it has recovered. */
import type { StoreState } from '../../engine.ts';
import { hasErrno } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { type Disk, orNull } from './disk.ts';
import type { Reserve } from './reserve.ts';
import { diskTroubleOf, inOurWords, noRoom, notReady } from '../../../trouble.ts';

export interface DiskHealth {
  /** Cheap: one statfs, one stat a folder, and one small write while the disk is in trouble. */
  state(): Promise<StoreState>;
  /** @throws AppError `insufficient_storage` when `bytes` more would leave less than the reserve; `unavailable`. */
  requireRoom(bytes: number): Promise<void>;
  /** Runs `work`; a refusal of the disk is noted and comes out as AppError `insufficient_storage` or `unavailable`. */
  guard<T>(work: () => Promise<T>): Promise<T>;
}

/** What was accepted needs some room to be finished, also where `reserveBytes` says nothing: this much, or this part of a small disk. */
const floorBytesMax = 1024 * 1024;
const floorShare = 32;

/** A disk in trouble is tried again this often at most. */
const probeMs = 250;

export function createDiskHealth(options: {
  disk: Disk;
  root: string;
  /** Folders below it without which nothing can be kept: somebody may remove one. */
  folders: readonly string[];
  reserveBytes: number;
  /** A new name in this process's own directory, for trying whether writes work. */
  temp: () => string;
  /** What is kept for deletions: nothing is taken in while it is not whole. */
  reserve: Pick<Reserve, 'isWhole'>;
  logger: Logger;
}): DiskHealth {
  const { disk, root, folders, reserveBytes, reserve, logger } = options;
  let trouble: Exclude<StoreState, { state: 'ready' }> | null = null;
  let probedAt = -Infinity;
  let probing: Promise<void> | null = null;

  function note(error: unknown): void {
    const state = diskTroubleOf(error) === 'full' ? 'full' : hasErrno(error, 'EROFS') ? 'read_only' : 'unusable';
    if (trouble?.state !== state) logger.error({ err: error, state }, 'the disk refuses writes');
    trouble = { state, reason: (error as Error).message };
    probedAt = performance.now();
  }

  /** Writes, flushes and removes one block where every write of this process begins. */
  async function probe(): Promise<void> {
    const path = options.temp();
    try {
      const file = await disk.create(path, 'probe.create');
      try {
        await file.write([new Uint8Array(4096)]);
        await file.sync();
      } finally {
        await file.close();
        await disk.unlink(path, 'probe.remove');
      }
      logger.info({}, 'the disk takes writes again');
      trouble = null;
    } catch (error) {
      note(error);
    }
  }

  async function missingFolder(): Promise<string | null> {
    for (const folder of folders) if ((await orNull(disk.stat(folder, 'health.folder'))) === null) return folder;
    return null;
  }

  async function state(): Promise<StoreState> {
    if (trouble !== null && performance.now() - probedAt >= probeMs) {
      probing ??= probe().finally(() => (probing = null));
      await probing;
    }
    if (trouble !== null) return trouble;
    const missing = await missingFolder();
    if (missing !== null) return { state: 'unusable', reason: `${missing} is gone` };
    const { freeBytes, totalBytes, freeFiles } = await disk.space(root);
    const floor = Math.max(reserveBytes, Math.min(floorBytesMax, totalBytes / floorShare));
    if (!reserve.isWhole) return { state: 'full', reason: `${freeBytes} bytes free, and the reserve for deletions is incomplete` };
    if (freeBytes < floor) return { state: 'full', reason: `${freeBytes} bytes free, ${floor} are kept in reserve` };
    if (freeFiles < 16) return { state: 'full', reason: `${freeFiles} inodes free` };
    return { state: 'ready' };
  }

  return {
    state,
    async requireRoom(bytes) {
      const now = await state();
      if (now.state === 'read_only' || now.state === 'unusable') throw notReady(now.reason);
      if (now.state === 'full') throw noRoom(now.reason);
      const { freeBytes } = await disk.space(root);
      if (freeBytes - bytes < reserveBytes) throw noRoom(`${freeBytes} bytes free, ${bytes} wanted`);
    },
    async guard(work) {
      try {
        return await work();
      } catch (error) {
        if (diskTroubleOf(error) !== null) {
          note(error);
          throw inOurWords(error);
        }
        if (hasErrno(error, 'ENOENT') && (await missingFolder()) !== null) throw notReady(error);
        throw error;
      }
    },
  };
}
