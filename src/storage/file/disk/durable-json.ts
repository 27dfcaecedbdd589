/**
 * lowdb documents that survive a crash. lowdb's own adapter renames without fsync and under one fixed temporary name; this
 * one writes a temporary file in the process's own lease directory, flushes it, renames it into place and flushes the
 * directory. Since every write comes out of the lease directory, whoever takes that directory away has fenced the writer.
 */
import { type Adapter, Low } from 'lowdb';
import { dirname } from 'node:path';
import { type Disk, orNull } from './disk.ts';
import type { DirectorySync } from './directory-sync.ts';

export type DurableJsonOptions<T> = {
  readonly disk: Disk;
  readonly path: string;
  /** A new name in the own lease directory. */
  readonly temp: () => string;
  /** Removes a temporary file after a failure, now or when the disk allows it. */
  readonly discard: (path: string) => Promise<void>;
  /** Checks what was read. @throws CorruptFile */
  readonly parse: (data: unknown) => T;
  readonly syncDirectory: DirectorySync;
  /** False: the file is not flushed either, since what it says is durable elsewhere. Absent: true. */
  readonly flushes?: boolean;
  /** The first part of the names of its points. */
  readonly at: string;
};

/** What is on the disk is not what was written there. */
export class CorruptFile extends Error {
  override readonly name = 'CorruptFile';
}

/** The document at `path`; its `data` is null until `read` has found one. */
export function createDocument<T>(options: DurableJsonOptions<T>): Low<T | null> {
  return new Low<T | null>(durableJson(options), null);
}

/** Writes `next`; when that fails, memory says again what the disk says. */
export async function commit<T>(document: Low<T | null>, next: T): Promise<void> {
  const before = document.data;
  document.data = next;
  try {
    await document.write();
  } catch (error) {
    document.data = before;
    throw error;
  }
}

function durableJson<T>(options: DurableJsonOptions<T>): Adapter<T | null> {
  const { disk, path, at, flushes = true } = options;
  return {
    async read() {
      const text = await orNull(disk.read(path, `${at}.read`));
      return text === null ? null : options.parse(parseJson(text));
    },
    async write(data) {
      const temp = options.temp();
      try {
        await writeText(disk, temp, JSON.stringify(data), { at, flushes });
        await disk.rename(temp, path, `${at}.rename`);
      } catch (error) {
        await options.discard(temp);
        throw error;
      }
      await options.syncDirectory(dirname(path), `${at}.sync-directory`);
    },
  };
}

async function writeText(disk: Disk, path: string, text: string, { at, flushes }: { at: string; flushes: boolean }): Promise<void> {
  const file = await disk.create(path, `${at}.create`);
  try {
    await file.write([Buffer.from(text, 'utf8')]);
    if (flushes) await file.sync();
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorruptFile('not JSON', { cause });
  }
}
