/**
 * The file store of the file engine for engines that keep tasks elsewhere: files in a directory that all processes share. Who owns
 * what the engine says; a process's folder is its pen here too, and is taken from it when it was declared dead.
 */
import { createFileCollectionStore } from '../collections.ts';
import { join, resolve } from 'node:path';
import { hasErrno } from '../../../errors.ts';
import type { Logger } from '../../../logger.ts';
import { isTaskId } from '../../../tasks/task.ts';
import type { ContentFiles, ContentOwner } from '../../content-files.ts';
import { createUnneeded } from '../../unneeded.ts';
import { createDisk, type Disk, orNull, removeTree, unlinkIfThere } from '../disk/disk.ts';
import { createDiskHealth } from '../disk/disk-health.ts';
import { createDirectorySync } from '../disk/directory-sync.ts';
import { createFileFileStore } from './file-store.ts';
import { createLayout, isBucketName, type Layout } from '../disk/layout.ts';
import { createReserve } from '../disk/reserve.ts';

/** Opens a directory on a local disk; makes it when missing. */
export async function openDirectoryFiles(options: {
  dataDir: string;
  owner: ContentOwner;
  /** Free bytes below which nothing more is received. */
  diskReserveBytes: number;
  /** ISO 8601. */
  now: () => string;
  logger: Logger;
  disk?: Disk;
}): Promise<ContentFiles> {
  const { owner, now, logger, disk = createDisk() } = options;
  const layout = createLayout(resolve(options.dataDir));
  const pen = await openPen(disk, layout, owner);
  const syncDirectory = createDirectorySync(disk);
  const reserve = createReserve({ disk, root: layout.root, temp: pen.temp, logger });
  const health = createDiskHealth({
    disk,
    root: layout.root,
    folders: [layout.documents],
    temp: pen.temp,
    reserve,
    logger,
    reserveBytes: options.diskReserveBytes,
  });
  const files = createFileFileStore({ disk, layout, owner: pen, health, syncDirectory });

  const unneeded = createUnneeded();

  async function keep(received: string, target: string, bucket: string): Promise<void> {
    await disk.mkdir(bucket, 'keep.bucket');
    await syncDirectory(layout.tasks, 'keep.sync-tasks');
    await disk.rename(received, target, 'keep.rename');
    await syncDirectory(bucket, 'keep.sync-bucket');
  }

  async function sweepPayloads(needsPayload: (id: string & { __brand: 'TaskId' }) => Promise<boolean>): Promise<number> {
    let removed = 0;
    const isUnneeded = unneeded.look();
    for (const bucket of (await disk.list(layout.tasks, 'sweep.buckets')).filter(isBucketName)) {
      const folder = join(layout.tasks, bucket);
      for (const name of (await orNull(disk.list(folder, 'sweep.bucket'))) ?? []) {
        const id = name.endsWith('.bin') ? name.slice(0, -4) : '';
        if (!isTaskId(id) || !isUnneeded(id, await needsPayload(id))) continue;
        if (await unlinkIfThere(disk, join(folder, name), 'sweep.payload')) removed += 1;
      }
      if (isUnneeded(bucket, false)) await rmdirIfEmpty(disk, folder);
    }
    return removed;
  }

  async function sweepPens(isAlive: (owner: string) => Promise<boolean>): Promise<void> {
    for (const name of await disk.list(layout.active, 'sweep.pens'))
      if (name !== owner.id && !(await isAlive(name))) await pen.fence(name);
  }

  return {
    ...files,
    collections: createFileCollectionStore({ ...pen, disk, layout, syncDirectory, now, guard: (work) => health.guard(work) }),
    keep: (receipt, taskId) =>
      health.guard(async () => {
        const received = files.keep(receipt);
        try {
          await keep(received, layout.payload(taskId), layout.bucket(taskId));
        } catch (error) {
          files.unkeep(receipt);
          throw error;
        }
      }),
    async dropPayload(taskId) {
      await unlinkIfThere(disk, layout.payload(taskId), 'payload.drop');
    },
    tidy: (taskId) => pen.clear(`scratch.${taskId}.`),
    fence: (dead) => pen.fence(dead),
    async sweep({ isAlive, needsPayload, isLive, isCurrent }) {
      await pen.sweep();
      await sweepPens(isAlive);
      return (await sweepPayloads(needsPayload)) + (await files.sweep({ isLive, isCurrent }));
    },
    state: () => health.state(),
    makeRoom: (work) => reserve.spend(work),
    async close() {
      reserve.close();
      await pen.close();
    },
  };
}

/** The folder of this process, out of which everything it writes is renamed. */
async function openPen(disk: Disk, layout: Layout, owner: ContentOwner) {
  const path = join(layout.active, owner.id);
  const rubbish = new Set<string>();
  let count = 0;
  let closed = false;
  for (const folder of [layout.root, layout.tasks, layout.queue, layout.active, layout.collections, layout.documents, path])
    await makeDirectory(disk, folder);
  const own = (name: string): string => join(path, name);

  async function discard(what: string): Promise<void> {
    try {
      await removeTree(disk, what, 'discard');
      rubbish.delete(what);
    } catch {
      rubbish.add(what);
    }
  }

  function temp(): string {
    count += 1;
    return own(`.t.${count}`);
  }

  return {
    own,
    temp,
    discard,
    holds: async () => !closed && !owner.lost.aborted && (await orNull(disk.stat(path, 'owner.check'))) !== null,
    async sweep() {
      for (const what of rubbish) await discard(what);
    },
    async clear(beginning: string) {
      for (const name of (await orNull(disk.list(path, 'lease.list'))) ?? [])
        if (name.startsWith(beginning)) await discard(own(name));
    },
    /** By one rename: whatever the dead process still does then fails. */
    async fence(dead: string) {
      const taken = temp();
      if ((await orNull(disk.rename(join(layout.active, dead), taken, 'reclaim.fence').then(() => true))) !== null)
        await discard(taken);
    },
    async close() {
      closed = true;
      await discard(path);
    },
  };
}

async function makeDirectory(disk: Disk, path: string): Promise<void> {
  try {
    await disk.mkdir(path, 'prepare.mkdir');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    await makeDirectory(disk, join(path, '..'));
    await disk.mkdir(path, 'prepare.mkdir');
  }
}

async function rmdirIfEmpty(disk: Disk, path: string): Promise<void> {
  await orNull(disk.rmdir(path, 'bucket.rmdir')).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}
