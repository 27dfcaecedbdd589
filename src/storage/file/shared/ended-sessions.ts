/**
 * Sessions that were logged out, as files named after them that hold when they would have ended: every front end on the data directory
 * sees them at once. What is forgotten leaves its end in `over/`.
 */
import { access, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../../errors.ts';
import type { EndedSessions } from '../../ended-sessions.ts';
import { syncFolder } from './sync-folder.ts';

/** Version 0.1.0 noted no end; its sessions lasted no longer than this. */
const unknownMs = 12 * 3_600_000;

/** `nowMs`: milliseconds since 1970; the clock of the machine, which all front ends on a data directory share. */
export function createFileEndedSessions(folder: string, nowMs: () => number): EndedSessions {
  const over = join(folder, 'over');

  async function isThere(path: string): Promise<boolean> {
    return access(path).then(
      () => true,
      (error: unknown) => {
        if (hasErrno(error, 'ENOENT')) return false;
        throw error;
      },
    );
  }

  /** Ends of sessions that are forgotten, the latest one last. */
  async function ends(): Promise<number[]> {
    return (await readdir(over).catch(ignoreMissing)).map(Number).sort((one, other) => one - other);
  }

  async function endOf(name: string): Promise<number> {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    return /^\d+$/.test(text) ? Number(text) : (await stat(path)).mtimeMs + unknownMs;
  }

  /** Before what it stands for is removed: in between a session is refused for two reasons, never for none. */
  async function raise(endMs: number): Promise<void> {
    await mkdir(over, { recursive: true });
    await writeFile(join(over, String(Math.ceil(endMs))), '', { mode: 0o600 });
    await syncFolder(over);
    await syncFolder(folder);
    for (const lower of (await ends()).slice(0, -1)) await unlink(join(over, String(lower))).catch(ignoreMissing);
  }

  return {
    nowMs: () => Promise.resolve(nowMs()),
    async look({ id, expiresMs }) {
      const hasEnded = (await isThere(join(folder, id))) || expiresMs <= ((await ends()).at(-1) ?? 0);
      return { hasEnded, nowMs: nowMs() };
    },
    async add({ id, expiresMs }) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, id), String(expiresMs), { mode: 0o600, flush: true });
      await syncFolder(folder);
    },
    async sweep() {
      const due: { name: string; endMs: number }[] = [];
      for (const { name } of (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)).filter((entry) =>
        entry.isFile(),
      )) {
        const endMs = await endOf(name).catch(ignoreMissing);
        if (typeof endMs === 'number' && endMs <= nowMs()) due.push({ name, endMs });
      }
      if (due.length === 0) return;
      await raise(Math.max(...due.map(({ endMs }) => endMs)));
      for (const { name } of due) await unlink(join(folder, name)).catch(ignoreMissing);
    },
  };
}

function ignoreMissing(error: unknown): [] {
  if (!hasErrno(error, 'ENOENT')) throw error;
  return [];
}
