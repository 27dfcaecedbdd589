/**
 * The order in which the data directory accepts uploads and removals: one counter for all processes, whatever their clocks say.
 * It is the name of a file in `order/`; whoever renames `41` to `42` has taken 42, and of two exactly one succeeds. That costs no
 * flush. A power cut may take a rename back, so a second name, `<n>.kept`, is flushed each time the counter has passed another
 * `block`, before a number beyond is given out; and each process that opens the directory begins a whole block further on.
 */
import { join } from 'node:path';
import { hasErrno } from '../../errors.ts';
import type { DirectorySync } from './disk/directory-sync.ts';
import { type Disk, orNull, touch, unlinkIfThere } from './disk/disk.ts';
import type { Layout } from './disk/layout.ts';
import type { Owner } from './ownership/owner.ts';

export interface Ordinals {
  /** Greater than every number that any process was given before; safe to use once it is here. Cost: a rename; callers at the same time share it. */
  next(): Promise<number>;
  /** From now on all numbers are greater than this one. Durable. */
  continueAfter(ordinal: number): Promise<void>;
}

const block = 1000;

export function createOrdinals(options: {
  disk: Disk;
  layout: Layout;
  owner: Pick<Owner, 'temp' | 'discard'>;
  syncDirectory: DirectorySync;
  /** The greatest number that anything kept here has, for a directory that has no counter. */
  highestKept: () => Promise<number>;
}): Ordinals & { open(): Promise<void> } {
  const { disk, layout, owner, syncDirectory } = options;
  const pathOf = (name: string | number): string => join(layout.order, String(name));
  /** Where the counter was when this process last saw it. */
  let last: number | null = null;
  let kept = -1;
  let asked: PromiseWithResolvers<number>[] = [];
  let giving: Promise<void> | null = null;

  /** The greatest counter; a power cut may have left an older one beside it, or none but what was kept. */
  async function look(): Promise<{ name: string; value: number } | null> {
    const names = (await orNull(disk.list(layout.order, 'order.list'))) ?? [];
    const counters = names.filter((name) => /^\d+$/.test(name)).sort(byValue);
    const [name, ...older] = counters.length > 0 ? counters : names.filter(isKept).sort(byValue);
    for (const other of older) if (!isKept(other)) await unlinkIfThere(disk, pathOf(other), 'order.remove');
    return name === undefined ? null : { name, value: valueOf(name) + (isKept(name) ? block : 0) };
  }

  /** Moves the counter; the value that it had. */
  async function advance(next: (value: number) => number): Promise<number> {
    for (;;) {
      const from: Awaited<ReturnType<typeof look>> = last === null ? await look() : { name: String(last), value: last };
      if (from === null) {
        await make();
        continue;
      }
      const value = next(from.value);
      last = null;
      const moved = disk.rename(pathOf(from.name), pathOf(value), 'order.take').then(() => true);
      if ((await orNull(moved)) === null) continue;
      last = value;
      await keep(value);
      return from.value;
    }
  }

  /** Whole or not at all, and by one process: a folder is renamed onto another only when that is empty. */
  async function make(): Promise<void> {
    const folder = owner.temp();
    await disk.mkdir(folder, 'order.make');
    await touch(disk, join(folder, String((await options.highestKept()) + block)), 'order.create');
    await disk.syncDirectory(folder, 'order.sync-new');
    try {
      await disk.rename(folder, layout.order, 'order.rename');
    } catch (error) {
      await owner.discard(folder);
      if (!hasErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
    await syncDirectory(layout.root, 'order.sync-root');
  }

  async function keep(value: number): Promise<void> {
    const floor = value - (value % block);
    if (floor <= kept) return;
    await touch(disk, pathOf(`${floor}.kept`), 'order.keep').catch((error: unknown) => {
      if (!hasErrno(error, 'EEXIST')) throw error;
    });
    await syncDirectory(layout.order, 'order.sync');
    kept = floor;
    for (const name of await disk.list(layout.order, 'order.list'))
      if (isKept(name) && valueOf(name) < floor) await unlinkIfThere(disk, pathOf(name), 'order.remove');
  }

  async function give(): Promise<void> {
    while (asked.length > 0) {
      const takers = asked;
      asked = [];
      try {
        const before = await advance((value) => value + takers.length);
        for (const [i, taker] of takers.entries()) taker.resolve(before + 1 + i);
      } catch (error) {
        for (const taker of takers) taker.reject(error);
      }
    }
  }

  return {
    async open() {
      await advance((value) => value + block);
    },
    next() {
      const taker = Promise.withResolvers<number>();
      asked.push(taker);
      giving ??= give().finally(() => (giving = null));
      return taker.promise;
    },
    async continueAfter(ordinal) {
      await advance((value) => Math.max(value, ordinal) + block);
    },
  };
}

function isKept(name: string): boolean {
  return /^\d+\.kept$/.test(name);
}

function valueOf(name: string): number {
  return Number.parseInt(name, 10);
}

function byValue(a: string, b: string): number {
  return valueOf(b) - valueOf(a);
}
