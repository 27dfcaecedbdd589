/**
 * Processes of another version on the same data directory. What is stored may have another shape for them: an older one would set a newer
 * index aside as damaged, and know nothing of the order in which uploads were accepted. So whoever comes last does not start while
 * they live; an older version that comes later is refused by the format of the data directory.
 */
import { join } from 'node:path';
import { check } from 'proper-lockfile';
import { AppError } from '../../errors.ts';
import { indexFormat } from '../../search/sqlite/database.ts';
import { type Disk, orNull } from './disk/disk.ts';
import type { Layout } from './disk/layout.ts';
import type { WorkerCard } from './ownership/owner.ts';
import { isGone, type ProcessIdentity } from './ownership/process-identity.ts';

/**
 * The format of the data directory that this code writes: since 2 everything accepted has a number, since 3 records may lie in the log of a
 * process that stopped with the machine.
 */
export const format = 3;

/** What this version stores and how; equal in all processes that may work side by side. Version 0.1.0 wrote none on its cards. */
export const layoutName = `${format}/${indexFormat}`;

/** @throws AppError `unavailable`, naming the processes: some of another version live. */
export async function refuseOtherVersions(options: {
  disk: Disk;
  layout: Layout;
  /** This process, whose own card is there already, so that of two that start at once one sees the other. */
  ownId: string;
  identity: ProcessIdentity;
  leaseMs: number;
}): Promise<void> {
  const { disk, layout, ownId, identity, leaseMs } = options;
  const names = (await disk.list(layout.workers, 'versions.workers')).filter((name) => !name.endsWith('.lock') && name !== ownId);
  const others: string[] = [];
  for (const name of names) {
    const card = readCard(await orNull(disk.read(join(layout.workers, name), 'versions.card')));
    if (card === null || (card.layout ?? '1') === layoutName || isGone(card, identity)) continue;
    // Of another host or container only the lease tells whether it lives.
    if (await check(join(layout.workers, name), { realpath: false, stale: leaseMs }))
      others.push(`process ${card.pid} on ${card.host}`);
  }
  if (others.length === 0) return;
  const reason = `servers of another version are using it (${others.join(', ')}): stop them, then start this one`;
  throw new AppError('unavailable', `The data directory cannot be used: ${reason}`, { cause: reason });
}

function readCard(text: string | null): WorkerCard | null {
  try {
    return text === null ? null : (JSON.parse(text) as WorkerCard);
  } catch {
    return null;
  }
}
