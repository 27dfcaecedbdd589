/** What the check for damage has found, in a file of the data directory, and a lock that says who looks. */
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { hasErrno } from '../../errors.ts';
import type { DamageLog, DamageReport } from '../damage-log.ts';
import { type Disk, orNull, unlinkIfThere } from './disk/disk.ts';

const leaseMs = 10_000;

export function createFileDamageLog({ disk, dataDir }: { disk: Disk; dataDir: string }): DamageLog {
  const path = join(dataDir, 'damage.json');
  const temp = `${path}.new`;
  return {
    async read() {
      const text = await orNull(disk.read(path, 'damage.read'));
      return text === null ? null : parse(text);
    },
    /** Only by whoever leads. */
    async write(report) {
      await unlinkIfThere(disk, temp, 'damage.clear');
      const file = await disk.create(temp, 'damage.create');
      try {
        await file.write([Buffer.from(JSON.stringify(report))]);
        await file.sync();
      } finally {
        await file.close();
      }
      await disk.rename(temp, path, 'damage.rename');
      await disk.syncDirectory(dataDir, 'damage.sync');
    },
    async lead() {
      try {
        const release = await lock(path, { realpath: false, stale: leaseMs, update: leaseMs / 4, onCompromised: () => undefined });
        return { release: () => release().catch(() => undefined) };
      } catch (error) {
        if (hasErrno(error, 'ELOCKED')) return null;
        throw error;
      }
    },
  };
}

/** A damaged report is none: the next pass writes one. */
function parse(text: string): DamageReport | null {
  try {
    const { checkedAt, damaged, mended } = JSON.parse(text) as Record<string, unknown>;
    const isReport = typeof checkedAt === 'string' && Number.isSafeInteger(damaged) && Number.isSafeInteger(mended);
    return isReport ? { checkedAt, damaged: damaged as number, mended: mended as number } : null;
  } catch {
    return null;
  }
}
