/**
 * The one way to the disk: every operation the file engine uses, no more, each at a named point (`record.rename`,
 * `claim.lock`, …). Tests put a faulty disk here; nothing else in this folder touches `node:fs`, but for the thread that `many` has.
 */
import { constants, type FSWatcher, watch } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, rmdir, statfs, unlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { PickRange } from '../../file-store.ts';
import { NotPlainFile, openPlain, readPlain } from '../../../documents/plain-file.ts';
import { hasErrno } from '../../../errors.ts';
import { afterBytes, type DiskFile } from './disk-file.ts';
import { createManyDisk, type ManyDisk } from './many-disk.ts';

/** `inode` and `links` tell whether two names are one file. */
export type DiskEntry = {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly bytes: number;
  readonly mtimeMs: number;
  readonly inode: bigint;
  readonly links: number;
};

export type DiskSpace = {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeFiles: number;
  readonly type: number;
};

/** Every method rejects with the errno of the system; `at` names the point in the protocol. */
export interface Disk {
  /** A new file; EEXIST when there is one. */
  create(path: string, at: string): Promise<DiskFile>;
  /** `create` and `rename` for hundreds of files at once, at a fifth of the cost; none of them can be flushed by its `DiskFile`. The same each time. */
  many(): ManyDisk;
  /** Fine when the directory exists. */
  mkdir(path: string, at: string): Promise<void>;
  rename(from: string, to: string, at: string): Promise<void>;
  link(from: string, to: string, at: string): Promise<void>;
  unlink(path: string, at: string): Promise<void>;
  rmdir(path: string, at: string): Promise<void>;
  /** Like `DiskFile.sync`, for a file that somebody else has written. */
  syncFile(path: string, at: string): Promise<void>;
  /** The names in a directory survive a power cut when this returns. */
  syncDirectory(path: string, at: string): Promise<void>;
  read(path: string, at: string): Promise<string>;
  list(path: string, at: string): Promise<string[]>;
  /** Of the name itself, not of what a symbolic link points at. */
  stat(path: string, at: string): Promise<DiskEntry>;
  stream(path: string, at: string, pick?: PickRange): Promise<{ stream: Readable; bytes: number }>;
  space(path: string): Promise<DiskSpace>;
  /** Calls `listener` with names that came into a directory or left it; may miss some. Returns the way to stop; null: cannot watch. */
  watch(path: string, listener: (name: string) => void): (() => void) | null;
}

/** Larger than any record that is read whole. */
const textBytesMax = 64 * 1024 * 1024;

/** The real disk. What is read must be a file of its own: a link or a pipe was put there by somebody else. */
export function createDisk(): Disk {
  const many = createManyDisk();
  return {
    many: () => many,
    async create(path) {
      const handle = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640);
      return {
        async write(chunks) {
          let rest = chunks;
          while (rest.length > 0) {
            const { bytesWritten } = await handle.writev(rest as Uint8Array[]);
            rest = afterBytes(rest, bytesWritten);
          }
        },
        sync: () => handle.datasync(),
        close: () => handle.close(),
      };
    },
    async mkdir(path) {
      await mkdir(path, 0o750).catch((error: unknown) => {
        if (!hasErrno(error, 'EEXIST')) throw error;
      });
    },
    rename: (from, to) => rename(from, to),
    link: (from, to) => link(from, to),
    unlink: (path) => unlink(path),
    rmdir: (path) => rmdir(path),
    syncFile: (path) => syncAt(path),
    syncDirectory: (path) => syncAt(path),
    read: (path) => readPlain(path, textBytesMax),
    list: (path) => readdir(path),
    async stat(path) {
      const stats = await lstat(path, { bigint: true });
      const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'other';
      return {
        kind,
        bytes: Number(stats.size),
        mtimeMs: Number(stats.mtimeNs / 1000n) / 1000,
        inode: stats.ino,
        links: Number(stats.nlink),
      };
    },
    async stream(path, _at, pick) {
      const handle = await openPlain(path);
      try {
        const { size } = await handle.stat();
        const range = pick?.(size) ?? null;
        const part = range === null ? {} : { start: range.first, end: range.last };
        return { stream: handle.createReadStream(part), bytes: size };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async space(path) {
      const { bavail, blocks, bsize, files, ffree, type } = await statfs(path);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: files === 0 ? Infinity : ffree, type };
    },
    watch(path, listener) {
      let watcher: FSWatcher;
      try {
        // What is written into a file is none of anybody's business before the file has its name.
        watcher = watch(path, { persistent: false }, (event, name) => {
          if (event === 'rename') listener(name ?? '');
        });
      } catch {
        // No inotify instance left, or the directory went away: polling goes on.
        return null;
      }
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    },
  };
}

async function syncAt(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Resolves to null when the file or directory is not there, or something else stands in its place. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR') || error instanceof NotPlainFile) return null;
    throw error;
  }
}

/** True when it was there and is gone now. */
export async function unlinkIfThere(disk: Disk, path: string, at: string): Promise<boolean> {
  return (await orNull(disk.unlink(path, at).then(() => true))) ?? false;
}

/** An empty file. */
export async function touch(disk: Disk, path: string, at: string): Promise<void> {
  const file = await disk.create(path, at);
  await file.close();
}

/** Removes a file or a whole directory; fine when it is not there. */
export async function removeTree(disk: Disk, path: string, at: string): Promise<void> {
  const entry = await orNull(disk.stat(path, at));
  if (entry === null) return;
  if (entry.kind !== 'directory') return void (await unlinkIfThere(disk, path, at));
  for (const name of (await orNull(disk.list(path, at))) ?? []) await removeTree(disk, `${path}/${name}`, at);
  await orNull(disk.rmdir(path, at));
}
