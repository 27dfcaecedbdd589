/**
 * Kept answers as files: one lowdb document for each key under its SHA-256, written by temp, fsync, rename, directory fsync.
 * Beside it lies a lock (proper-lockfile) while a request with that key is being answered.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Low, type Adapter } from 'lowdb';
import { lock } from 'proper-lockfile';
import { hasErrno } from '../../../errors.ts';
import type { IdempotencyStore, KeptAnswer } from '../../idempotency-store.ts';
import { syncFolder } from './sync-folder.ts';

/** How long a lock outlives the process that held it. */
const holdMs = 10_000;

/** How long ago, in milliseconds, the machine's clock showed a time; negative when it has not yet. It is the clock that stamps files. */
type Age = (thenMs: number) => number;

/** Safe for any number of processes: files appear whole, and the last writer of a key wins. */
export function createFileIdempotencyStore(folder: string, age: Age): IdempotencyStore {
  return {
    async get(key, maxMs) {
      const name = nameOf(key);
      if (!((await ageOf(join(folder, name), age)) <= maxMs)) return null;
      const document = new Low(wholeFile(folder, name), null);
      await document.read();
      return document.data;
    },
    async put(key, answer) {
      const document = new Low<KeptAnswer | null>(wholeFile(folder, nameOf(key)), answer);
      await document.write();
    },
    async hold(key) {
      await mkdir(folder, { recursive: true });
      try {
        // A lock that was lost (a frozen machine) costs no more than what a client without a key has anyway: a second task.
        const release = await lock(join(folder, nameOf(key)), { realpath: false, stale: holdMs, onCompromised: () => {} });
        return () => release().catch(() => {});
      } catch (error) {
        if (hasErrno(error, 'ELOCKED')) return null;
        throw error;
      }
    },
    async expire(maxMs) {
      let removed = 0;
      for (const name of await names(folder)) {
        const path = join(folder, name);
        const ageMs = await ageOf(path, age);
        if (ageMs < 0) await setBack(path, -ageMs).catch(ignoreMissing);
        if (!(ageMs > maxMs)) continue;
        await rm(path, { recursive: true, force: true });
        removed += 1;
      }
      return removed;
    },
  };
}

/** NaN when the file is not there. */
async function ageOf(path: string, age: Age): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => age(mtimeMs),
    (error: unknown) => {
      if (hasErrno(error, 'ENOENT')) return Number.NaN;
      throw error;
    },
  );
}

/** A clock that was ahead wrote it: as if it were written now, or it would be kept until the clock is there again. */
async function setBack(path: string, aheadMs: number): Promise<void> {
  const { mtimeMs } = await stat(path);
  const now = new Date(mtimeMs - aheadMs);
  await utimes(path, now, now);
}

/** lowdb's own file adapter neither flushes nor uses a temporary name of its own. */
function wholeFile(folder: string, name: string): Adapter<KeptAnswer | null> {
  const path = join(folder, name);
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT')) return null;
        throw error;
      });
      return text === null ? null : parse(text);
    },
    async write(answer) {
      await mkdir(folder, { recursive: true });
      const temporary = join(folder, `.${randomUUID()}.tmp`);
      try {
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(JSON.stringify(answer));
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        await unlink(temporary).catch(ignoreMissing);
        throw error;
      }
      await syncFolder(folder);
    },
  };
}

/** A file that cannot be read back counts as absent: the upload is then simply done again. */
function parse(text: string): KeptAnswer | null {
  try {
    return JSON.parse(text) as KeptAnswer;
  } catch {
    return null;
  }
}

function nameOf(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`;
}

async function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  });
}

function ignoreMissing(error: unknown): void {
  if (!hasErrno(error, 'ENOENT')) throw error;
}
