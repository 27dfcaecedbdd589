/** One fsync of a directory for all who wait for it. */
import type { Disk } from './disk.ts';

/** Resolves when everything renamed into `directory` before the call is durable. */
export type DirectorySync = (directory: string, at: string) => Promise<void>;

/**
 * Callers of one directory share an fsync, but only one that *started* after they asked: the one that is running may have
 * missed their change.
 */
export function createDirectorySync(disk: Disk): DirectorySync {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  function start(directory: string, at: string): Promise<void> {
    const work = disk.syncDirectory(directory, at).finally(() => {
      if (running.get(directory) === work) running.delete(directory);
    });
    running.set(directory, work);
    return work;
  }

  return (directory, at) => {
    const current = running.get(directory);
    if (current === undefined) return start(directory, at);
    const waiting = next.get(directory);
    if (waiting !== undefined) return waiting;
    const after = current
      .catch(() => undefined)
      .then(() => {
        next.delete(directory);
        return start(directory, at);
      });
    next.set(directory, after);
    return after;
  };
}
