/** A disk on which a test may fail, delay, stop or kill at any operation, by its number or by the name of its point. */
import type { Disk } from '../../src/storage/file/disk/disk.ts';
import type { DiskFile } from '../../src/storage/file/disk/disk-file.ts';

export type DiskOperation = {
  /** 1, 2, 3, … in the order in which they were begun. */
  readonly number: number;
  readonly method: string;
  /** The named point, e.g. `record.rename`. */
  readonly at: string;
  readonly paths: readonly string[];
};

export type DiskHook = {
  /** Before the operation; what it throws is what the disk answers. */
  readonly before?: (operation: DiskOperation) => void | Promise<void>;
  /** After it succeeded. `bytes` is what was written. */
  readonly after?: (operation: DiskOperation, bytes?: readonly Uint8Array[]) => void;
};

export function faultyDisk(inner: Disk, hook: DiskHook): Disk {
  let count = 0;

  async function run<T>(
    method: string,
    at: string,
    paths: readonly string[],
    work: () => Promise<T>,
    bytes?: readonly Uint8Array[],
  ): Promise<T> {
    count += 1;
    const operation = { number: count, method, at, paths };
    await hook.before?.(operation);
    const result = await work();
    hook.after?.(operation, bytes);
    return result;
  }

  function wrapFile(file: DiskFile, path: string, at: string): DiskFile {
    const part = at.replace(/\.create$/, '');
    return {
      write: (chunks) => run('write', `${part}.write`, [path], () => file.write(chunks), chunks),
      sync: () => run('sync', `${part}.sync`, [path], () => file.sync()),
      // Never failed: a test that keeps a file open would run out of them.
      close: () => file.close(),
    };
  }

  const disk: Disk = {
    many: () => disk,
    create: async (path, at) => wrapFile(await run('create', at, [path], () => inner.create(path, at)), path, at),
    mkdir: (path, at) => run('mkdir', at, [path], () => inner.mkdir(path, at)),
    rename: (from, to, at) => run('rename', at, [from, to], () => inner.rename(from, to, at)),
    link: (from, to, at) => run('link', at, [from, to], () => inner.link(from, to, at)),
    unlink: (path, at) => run('unlink', at, [path], () => inner.unlink(path, at)),
    rmdir: (path, at) => run('rmdir', at, [path], () => inner.rmdir(path, at)),
    syncFile: (path, at) => run('sync', at, [path], () => inner.syncFile(path, at)),
    syncDirectory: (path, at) => run('sync-directory', at, [path], () => inner.syncDirectory(path, at)),
    read: (path, at) => run('read', at, [path], () => inner.read(path, at)),
    list: (path, at) => run('list', at, [path], () => inner.list(path, at)),
    stat: (path, at) => run('stat', at, [path], () => inner.stat(path, at)),
    stream: (path, at, pick) => run('stream', at, [path], () => inner.stream(path, at, pick)),
    space: (path) => inner.space(path),
    watch: (path, listener) => inner.watch(path, listener),
  };
  return disk;
}

/** Operations that change the disk: those at which a crash leaves something half-done. */
export const changing: ReadonlySet<string> = new Set([
  'create',
  'write',
  'sync',
  'mkdir',
  'rename',
  'link',
  'unlink',
  'rmdir',
  'sync-directory',
]);

/** What the system would say. */
export function errnoError(code: string, operation: DiskOperation): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected at ${operation.at}, ${operation.method} '${operation.paths[0]}'`), {
    code,
    syscall: operation.method,
  });
}
